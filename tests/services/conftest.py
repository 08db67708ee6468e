"""What the tests of services share: a mail server that keeps what it took, and questions to departments."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, select, text

from collectors.base import ChannelError
from models import Case
from models.database import Database
from services.accounts import create_staff
from services.deliveries import run_deliveries
from services.inquiries import ask_inquiry
from services.letters import letter_writer
from services.rights import DESK, Actor, actor_of
from services.routing import ask_department
from tests.services.talking import Bot
from tests.services.test_cases import label_all


@pytest.fixture
def act(database):
    """Calls a service in a transaction of its own."""

    def _act(service, *given, **named):
        with database.write.begin() as session:
            return service(session, *given, **named)

    return _act


class Box:
    """A mail server that keeps what it took, or fails as told."""

    replies = True

    def __init__(self) -> None:
        self.letters: list[tuple[str, str, str, str]] = []
        self.fail: ChannelError | None = None

    def send(self, to: str, name: str, subject: str, text: str, token: str) -> str | None:
        if self.fail is not None:
            raise self.fail
        self.letters.append((to, subject, text, token))
        return None


@pytest.fixture
def box() -> Box:
    return Box()


class Messenger(Box):
    """A messenger that numbers what it took."""

    def send(self, to: str, name: str, subject: str, text: str, token: str) -> str:
        super().send(to, name, subject, text, token)
        return str(1000 + len(self.letters))


@pytest.fixture
def messenger() -> Messenger:
    return Messenger()


@pytest.fixture
def send(database, box, messenger):
    def _send(url: str | None = "https://desk.example", mailer: Box | None = box) -> int:
        def sender(channel: str) -> Box | None:
            return mailer if channel == "mail" else messenger

        return run_deliveries(database, sender, letter_writer(url, "Europe/Moscow"))

    return _send


@pytest.fixture
def ask(cast, database):
    numbers = iter(range(100))

    def _ask(question: str = "Когда проверят домашку?", unit: str = "curators", **given) -> int:
        number = next(numbers)
        cast.write("Когда проверят? Звоните +7 912 345-67-89", f"Анна Яр{'а' * number}")
        label_all(database)
        with database.write.begin() as session:
            case_id = session.scalars(select(Case.id).order_by(Case.id.desc()).limit(1)).one()
            return ask_department(
                session, cast.smm, case_id, cast.departments[unit], question, f"r-{number}", **given
            ).id

    return _ask


@pytest.fixture(params=["telegram", "max"])
def bot(request, cast, database) -> Bot:
    return Bot(cast, database, request.param)


@pytest.fixture
def colleague(cast, database) -> Actor:
    """A colleague of who asked, who may ask for herself and no more."""
    with database.write.begin() as session:
        staff = create_staff(session, DESK, email="smm2@school.example", name="Рита Ивина", roles=("smm",))
        return actor_of(staff)


@pytest.fixture
def inquire(cast, database):
    numbers = iter(range(100))

    def _inquire(text: str = "Пришлите справку о группе", unit: str = "curators", **given) -> int:
        with database.write.begin() as session:
            unit_id = cast.departments[unit]
            return ask_inquiry(session, cast.smm, unit_id, text, f"i-{next(numbers)}", **given).id

    return _inquire


@pytest.fixture
def trouble(database: Database) -> Iterator[Callable[..., None]]:
    """The next ``times`` statements that begin so meet an error of PostgreSQL itself: a deadlock, or its end."""
    armed: list[tuple[str, str]] = []

    def meet(connection: Any, _cursor: Any, statement: str, given: Any, *_more: Any) -> tuple[str, Any]:
        if not armed or not statement.startswith(armed[-1][0]):
            return statement, given
        if armed.pop()[1] == "40P01":
            return "DO $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$", {}
        pid = connection.connection.driver_connection.info.backend_pid
        with database.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        return statement, given

    def arm(statement: str, state: str, times: int = 1) -> None:
        armed.extend([(statement, state)] * times)

    event.listen(database.engine, "before_cursor_execute", meet, retval=True)
    yield arm
    event.remove(database.engine, "before_cursor_execute", meet)
    assert armed == []
