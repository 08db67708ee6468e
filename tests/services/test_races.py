"""Two people, or two processes, at the same moment: one is taken, the other is told; nothing is there twice."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from models import Act, Author, Case, Message, Reply, Route, Staff
from models.database import Database
from services.accounts import reset_password, run_authenticate
from services.cases import admit, close
from services.errors import DeskError, Stale
from services.messages import store_messages
from services.questions import send_answer
from services.replies import write_reply
from services.routing import ask_department
from tests.services.test_cases import label_all

MANY = 6


@pytest.fixture
def case_id(cast, database) -> int:
    cast.write("Когда вебинар?")
    label_all(database)
    with database.read.begin() as session:
        return session.scalars(select(Case.id)).one()


def at_once(database: Database, *acts: Callable[[Session], object]) -> list[str]:
    """Does all of them at the same moment, each in a transaction of its own; «ok» or the refusal of each."""
    barrier, told = threading.Barrier(len(acts), timeout=20), ["hung"] * len(acts)

    def run(at: int) -> None:
        barrier.wait()
        try:
            with database.write.begin() as session:
                acts[at](session)
            told[at] = "ok"
        except DeskError as error:
            told[at] = error.code
        except Exception as error:
            told[at] = type(error).__name__

    threads = [threading.Thread(target=run, args=[at]) for at in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return told


def counted(database: Database, table: type) -> int:
    with database.read.begin() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_form_sent_many_times_at_once_is_one_reply_and_no_error(cast, database, case_id) -> None:
    def press(session: Session) -> None:
        write_reply(session, cast.smm, case_id, "В среду.", "form-1", version=2)

    with database.write.begin() as session:
        session.get_one(Case, case_id).version = 2
    assert at_once(database, *[press] * MANY) == ["ok"] * MANY
    assert (counted(database, Act), counted(database, Reply)) == (1, 1)


def test_of_many_who_answer_one_version_one_is_taken(cast, database, case_id) -> None:
    with database.read.begin() as session:
        version = session.get_one(Case, case_id).version

    def answer(number: int) -> Callable[[Session], object]:
        return lambda s: write_reply(s, cast.smm, case_id, f"Ответ {number}", f"form-{number}", version=version)

    told = at_once(database, *[answer(number) for number in range(MANY)])
    assert sorted(told) == ["case.stale"] * (MANY - 1) + ["ok"]
    assert counted(database, Act) == 1


def test_one_answers_while_another_closes(cast, database, case_id) -> None:
    with database.read.begin() as session:
        version = session.get_one(Case, case_id).version
    told = at_once(
        database,
        lambda s: write_reply(s, cast.smm, case_id, "В среду.", "form-1", version=version),
        lambda s: close(s, cast.head, case_id, "no_answer_needed", version=version),
    )
    assert sorted(told) == ["case.stale", "ok"]


def test_a_question_asked_many_times_at_once_is_one_and_has_one_answer(cast, database, case_id) -> None:
    def ask(session: Session) -> None:
        ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда?", "form-1")

    assert at_once(database, *[ask] * MANY) == ["ok"] * MANY
    assert counted(database, Route) == 1
    with database.read.begin() as session:
        route_id, version = session.execute(select(Route.id, Route.version)).one()

    def answer(number: int) -> Callable[[Session], object]:
        return lambda s: send_answer(s, cast.curator, route_id, f"Ответ {number}", version)

    told = at_once(database, *[answer(number) for number in range(MANY)])
    assert sorted(told) == ["ok"] + ["route.stale"] * (MANY - 1)
    same = at_once(database, *[answer(told.index("ok"))] * MANY)
    assert same == ["ok"] * MANY


def test_an_author_met_at_many_places_at_once_is_one(cast, database) -> None:
    with database.write.begin() as session:
        places = [cast.add_source(session).id for _ in range(MANY)]
    items = [[cast.incoming("Когда вебинар?", name) for name in ("Анна Яр", "Борис Лунин")] for _ in places]

    def store(at: int) -> Callable[[Session], object]:
        return lambda s: store_messages(s, places[at], "wordpress", items[at][:: -1 if at % 2 else 1])

    assert at_once(database, *[store(at) for at in range(MANY)]) == ["ok"] * MANY
    assert (counted(database, Author), counted(database, Message)) == (2, 2 * MANY)


def test_messages_of_one_matter_admitted_at_once_join_one_case(cast, database) -> None:
    cast.store(*[cast.incoming(f"Вопрос {number}?") for number in range(MANY)])
    with database.write.begin() as session:
        session.execute(update(Message).values(case_id=None))
        session.execute(delete(Case))
        ids = list(session.scalars(select(Message.id)))

    def lift_it(at: int) -> Callable[[Session], object]:
        return lambda s: admit(s, [s.get_one(Message, ids[at])])

    assert at_once(database, *[lift_it(at) for at in range(MANY)]) == ["ok"] * MANY
    assert counted(database, Case) == 1


def test_the_same_form_with_another_text_is_told_and_not_swallowed(cast, database, case_id) -> None:
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "В среду.", "form-1")
    with database.write.begin() as session, pytest.raises(Stale):
        write_reply(session, cast.smm, case_id, "В четверг!", "form-1")
    assert counted(database, Reply) == 1


def test_a_case_that_is_answered_while_it_dissolves_keeps_its_message(cast, database) -> None:
    cast.write("спасибо")
    with database.read.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
    told = at_once(
        database,
        lambda s: write_reply(s, cast.smm, case_id, "И вам спасибо!", "form-1"),
        lambda _: label_all(database) if not database.is_sqlite else None,
    )
    assert told[1] == "ok"
    assert told[0] in ("ok", "case.unknown")
    with database.read.begin() as session:
        for case in session.scalars(select(Case)):
            assert session.scalar(select(func.count()).select_from(Act).where(Act.case_id == case.id)) == 1
    assert counted(database, Act) == (told[0] == "ok")


def test_guesses_that_come_at_once_are_all_counted(cast, database) -> None:
    with database.write.begin() as session:
        reset_password(session, session.get_one(Staff, cast.smm.staff_id), "пароль для тестов")
    with ThreadPoolExecutor(MANY) as pool:
        told = list(
            pool.map(lambda _: run_authenticate(database, "smm@school.example", "не тот пароль"), range(MANY))
        )
    assert told == [None] * MANY
    with database.read.begin() as session:
        assert session.get_one(Staff, cast.smm.staff_id).failures == MANY
