"""Followers and those called by @: told once a case, never of what they did themselves, never without the right."""

import pytest
from sqlalchemy import select

from models import Case, Mention, Notice, Staff
from services.accounts import create_staff
from services.cases import add_note, close
from services.errors import Forbidden
from services.following import called_in, follow, followers_of, unfollow
from services.notices import see_notice
from services.rights import DESK, actor_of


@pytest.fixture
def case_id(cast, database) -> int:
    cast.write("Когда откроют третий урок?", author="Анна Яр")
    with database.read.begin() as session:
        return session.scalars(select(Case.id)).one()


def told(database, kind: str) -> list[int]:
    with database.read.begin() as session:
        rows = session.scalars(select(Notice).where(Notice.kind == kind, Notice.seen_at.is_(None)))
        return sorted(row.staff_id for row in rows)


def test_a_note_calls_whoever_is_named(cast, database, case_id) -> None:
    with database.write.begin() as session:
        head = session.get_one(Staff, cast.head.staff_id).name
        curator = session.get_one(Staff, cast.curator.staff_id).name
        own = session.get_one(Staff, cast.smm.staff_id).name
        add_note(session, cast.smm, case_id, f"@{head.upper()}, гляньте; @{curator} и @{own} тоже, x@y.ru", "n1")
        add_note(session, cast.smm, case_id, f"@{head}, ещё раз", "n2")
    assert told(database, "note.mention") == [cast.head.staff_id]  # a curator does not see cases
    with database.write.begin() as session:
        assert len(session.scalars(select(Mention)).all()) == 2
        notice = session.scalars(select(Notice).where(Notice.seen_at.is_(None))).one()
        see_notice(session, cast.head, notice.id)
    with database.read.begin() as session:
        assert all(row.seen_at for row in session.scalars(select(Mention)))


def test_the_longest_name_wins_and_a_first_name_calls_whoever_bears_it_alone() -> None:
    people = [Staff(id=n, name=name) for n, name in enumerate(("Анна Яр", "Анна Ярцева", "Олег Сом"), 1)]

    def ids(text: str) -> list[int]:
        return [one.id for one in called_in(text, people)]

    assert ids("@Анна Ярцева, посмотрите") == [2]
    assert ids("@анна яр и @олег") == [1, 3]
    assert ids("@Анна, посмотрите") == []
    assert ids("почта@олегсом.рф, @олегу") == []


def test_followers_hear_what_others_do(cast, database, case_id) -> None:
    with database.write.begin() as session:
        follow(session, cast.smm, case_id)
        follow(session, cast.smm, case_id)
        follow(session, cast.head, case_id)
        assert [row[0] for row in followers_of(session, case_id)] == sorted(
            (cast.smm.staff_id, cast.head.staff_id), key=lambda one: session.get_one(Staff, one).name
        )
    with database.write.begin() as session:
        add_note(session, cast.smm, case_id, "Проверил", "n1")
    assert told(database, "case.followed") == [cast.head.staff_id]
    with database.write.begin() as session:
        unfollow(session, cast.head, case_id)
        close(session, cast.head, case_id, "other")
    assert told(database, "case.followed") == sorted([cast.smm.staff_id, cast.head.staff_id])
    cast.write("И ещё вопрос: а четвёртый?", author="Анна Яр")
    assert told(database, "case.followed") == sorted([cast.smm.staff_id, cast.head.staff_id])  # one line a case


def test_only_the_desk_follows(cast, database, case_id) -> None:
    with database.write.begin() as session, pytest.raises(Forbidden):
        follow(session, cast.curator, case_id)


def test_one_who_left_is_not_called(cast, database, case_id) -> None:
    with database.write.begin() as session:
        made = create_staff(
            session, DESK, email="v@school.example", name="Вера Ель", roles=("smm",), department=None
        )
        made.active = False
        assert not actor_of(made).roles
        add_note(session, cast.smm, case_id, "@Вера Ель, гляньте", "n1")
    assert told(database, "note.mention") == []
