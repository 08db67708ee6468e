"""Whoever takes several cases takes them in one order: on PostgreSQL two at once never wait for each other."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import event, func, select, update
from sqlalchemy.exc import DBAPIError

from collectors.base import Incoming, Person
from models import Act, Case, Clock, Message, Source, utc_now
from models.database import Database
from services.bulks import begin_bulk, run_bulk
from services.cases import close, lift_message
from services.notices import run_warn
from services.outbox import claim_act
from services.replies import write_reply
from tests.conftest import NOON, Cast, _postgres
from tests.services.test_cases import label_all

ROUNDS = 8
SHARE = 0.025
"""Seconds that each thread rests after it has taken rows: long enough for the other to take its own."""


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """SQLite has one writer: nobody waits in a ring there."""
    yield from _postgres(request)


@pytest.fixture
def slow(database) -> Iterator[None]:
    def rest(_connection, _cursor, statement: str, *_given) -> None:
        if "UPDATE" in statement and threading.current_thread() is not threading.main_thread():
            time.sleep(SHARE)

    event.listen(database.engine, "after_cursor_execute", rest)
    yield
    event.remove(database.engine, "after_cursor_execute", rest)


def pair_of(cast: Cast, number: int) -> tuple[int, int]:
    """Two new cases of two new people, the one with the lower number first."""
    for author in authors(number):
        cast.write("Когда вебинар?", author)
    label_all(cast.database)
    with cast.database.read.begin() as session:
        low, high = list(session.scalars(select(Case.id).order_by(Case.id)))[-2:]
        assert session.scalar(select(func.count()).where(Clock.case_id == low))
    return low, high


@pytest.fixture
def cast(database) -> Cast:
    """What they write is no history: its clocks run."""
    made = Cast(database)
    with database.write.begin() as session:
        session.get_one(Source, made.source_id).created_at = NOON - timedelta(days=1)
    return made


def authors(number: int) -> tuple[str, str]:
    return f"Анна Яр {number}", f"Борис Лунин {number}"


def ask_more(cast: Cast, number: int) -> None:
    for author in authors(number):
        cast.write("И ещё вопрос: запись будет?", author)


def together(number: int, *acts: Callable[[], object]) -> list[str]:
    """What became of two acts: «ok», or what the database said. In the first rounds the one begins a little
    later, in the last ones the other: so they meet at every step."""
    barrier, told = threading.Barrier(len(acts), timeout=20), ["hung"] * len(acts)

    def run(at: int) -> None:
        barrier.wait()
        later = (number - ROUNDS // 2) * SHARE
        time.sleep(max(0.0, later if at else -later))
        try:
            acts[at]()
            told[at] = "ok"
        except DBAPIError as error:
            told[at] = str(error.orig).splitlines()[0]

    threads = [threading.Thread(target=run, args=[at]) for at in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return told


@pytest.mark.usefixtures("slow")
def test_many_cases_chosen_in_any_order_and_labelling(cast, database) -> None:
    for number in range(ROUNDS):
        pair = pair_of(cast, number)
        ask_more(cast, number)
        with database.write.begin() as session:
            begin_bulk(session, cast.smm, "assign", {"staff_id": cast.smm.staff_id}, pair[::-1])
        assert together(number, lambda: run_bulk(database), lambda: label_all(database)) == ["ok", "ok"]


def send(database: Database, cast: Cast, case_id: int, text: str) -> Incoming:
    """A reply that is on its way, as the collector will meet it before its receipt is written."""
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, text, f"k{case_id}", undo_seconds=0, then="keep")
    with database.write.begin() as session:
        act = claim_act(session)
        assert act is not None
        asked = session.get_one(Message, act.message_id).external_id
    return cast.incoming(
        text, Person("desk", "Школа", is_us=True), parent_external_id=asked, published_at=utc_now()
    )  # fmt: skip


@pytest.mark.usefixtures("slow")
def test_a_page_with_our_reply_and_a_question_and_labelling(cast, database) -> None:
    for number in range(ROUNDS):
        low, high = pair_of(cast, number)
        ours = send(database, cast, high, f"Ответ {number}")
        ask_more(cast, number)
        page = (ours, cast.incoming("Новый вопрос: когда?", authors(number)[0]))

        def store(page: tuple[Incoming, ...] = page) -> None:
            cast.store(*page)

        assert together(number, store, lambda: label_all(database)) == ["ok", "ok"]
        with database.read.begin() as session:
            act = session.scalars(select(Act).where(Act.case_id == high)).one()
            mine = session.scalars(select(Message.text).where(Message.case_id == low)).all()
        assert (act.state, len(mine)) == ("seen", 3)


@pytest.mark.usefixtures("slow")
def test_a_deadline_is_told_while_the_case_is_closed(cast, database) -> None:
    for number in range(ROUNDS):
        low, _high = pair_of(cast, number)
        with database.write.begin() as session:
            session.execute(update(Clock).values(next_at=utc_now() - timedelta(minutes=1), done_at=None, level=0))
        assert together(number, lambda: run_warn(database), partial(end, database, cast, low)) == ["ok", "ok"]


def end(database: Database, cast: Cast, case_id: int) -> None:
    with database.write.begin() as session:
        close(session, cast.head, case_id, "answered_in_thread")


@pytest.mark.usefixtures("slow")
def test_talk_that_became_a_question_is_labelled_while_a_person_lifts_it(cast, database) -> None:
    for number in range(ROUNDS):
        item = cast.write(f"просто слова {number}", f"Зритель {number}")
        label_all(database)
        cast.store(cast.incoming(f"А когда вебинар {number}?", f"Зритель {number}", external_id=item.external_id))
        with database.read.begin() as session:
            message_id = session.scalars(select(Message.id).where(Message.external_id == item.external_id)).one()

        def lift(message_id: int = message_id) -> None:
            with database.write.begin() as session:
                lift_message(session, cast.smm, message_id)

        assert together(number, lift, lambda: label_all(database)) == ["ok", "ok"]
    with database.read.begin() as session:
        assert len(session.scalars(select(Case.id).where(Case.number.is_not(None))).all()) == ROUNDS
