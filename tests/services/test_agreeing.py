"""Who may agree to a reply, to which and when; what stands in the history of it."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models import Act, Case, Event, Reply, Staff, utc_now
from services.accounts import create_staff
from services.agreement import Agreement, Row, cause_to_wait, read_agreement, save_agreement
from services.approval import approve, reject
from services.candidates import end_waiting, may_agree, offered
from services.errors import Forbidden, NotFound, Refused
from services.replies import write_reply
from services.rights import DESK, Actor, actor_of

HOUR = timedelta(hours=1)


@pytest.fixture
def case_id(database, cast) -> int:
    cast.write("Верните деньги за непройденные модули", author="Анна Яр")
    with database.write.begin() as session:
        session.execute(update(Case).values(kind="claim"))
        return session.scalars(select(Case.id)).one()


@pytest.fixture
def act_id(database, cast, case_id) -> int:
    """A reply of Darya's that waits."""
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "Рассмотрим до 5 декабря", "f1", undo_seconds=0)
        return session.scalars(select(Act.id)).one()


def history(database) -> list[str]:
    with database.read.begin() as session:
        return list(session.scalars(select(Event.kind).order_by(Event.id)))


@pytest.mark.parametrize("case", [None, "kind", "visibility", "theme"])
def test_a_row_holds_where_all_that_it_names_is_so(case) -> None:
    there = Case(kind="claim", visibility="public", theme="payment", priority=2)
    row = {"kind": "claim", "visibility": "public", "theme": "payment"}
    other = {"kind": "question", "visibility": "private", "theme": "app"}
    if case:
        row[case] = other[case]
    assert Row(**row).holds(there) == (case is None)
    assert Row().holds(there)


@pytest.mark.parametrize(("urgent", "priority", "holds"), [(True, 2, False), (True, 1, True), (False, 3, True)])
def test_an_urgent_row_asks_for_an_urgent_case(urgent, priority, holds) -> None:
    assert Row(urgent=urgent).holds(Case(kind="claim", visibility="public", priority=priority)) == holds


@pytest.mark.parametrize("minutes", ["30", None, 1.5, -1, 24 * 60 + 1])
def test_minutes_are_a_number_of_the_day(minutes) -> None:
    with pytest.raises(Refused):
        read_agreement({"minutes": minutes})
    assert read_agreement({"minutes": 0}).minutes == 0


def test_a_change_of_the_table_is_written_down_and_deputies_answer(database, cast) -> None:
    with database.write.begin() as session:
        with pytest.raises(Refused):
            save_agreement(session, cast.head, {"deputies": [cast.curator.staff_id]})
        with pytest.raises(Refused):
            save_agreement(session, cast.head, {"deputies": [10**6]})
        save_agreement(session, cast.head, {"minutes": 15, "deputies": [cast.smm.staff_id]})
    assert history(database)[-1] == "settings.changed"


@pytest.mark.parametrize(
    ("who", "waited", "may"),
    [
        ("head", 0, True), ("deputy", 0, False), ("deputy", 2, True), ("stranger", 2, False), ("writer", 2, False),
        ("powerless", 2, False),
    ],
)  # fmt: skip
def test_who_may_agree_and_when(who, waited, may) -> None:
    table = Agreement(minutes=60, deputies=frozenset({2, 5}))
    people = {
        "head": Actor(1, "Марина", frozenset({"head"})), "deputy": Actor(2, "Анна", frozenset({"smm"})),
        "stranger": Actor(3, "Борис", frozenset({"smm"})), "writer": Actor(5, "Дарья", frozenset({"smm"})),
        "powerless": Actor(2, "Анна", frozenset({"observer"})),
    }  # fmt: skip
    now = utc_now()
    act = Act(staff_id=5, created_at=now - waited * HOUR)
    assert may_agree(table, people[who], act, now) == may


def test_only_replies_that_wait_are_decided_on(database, cast, act_id) -> None:
    with database.write.begin() as session:
        assert [act.id for act, _ in offered(session, session.get_one(Act, act_id).case_id or 0)] == [act_id]
        assert offered(session, 10**6) == []
        with pytest.raises(NotFound):
            approve(session, cast.head, 10**6)
        with pytest.raises(Forbidden):
            approve(session, cast.curator, act_id)
        approve(session, cast.head, act_id)
        assert offered(session, session.get_one(Act, act_id).case_id or 0) == []
        with pytest.raises(Refused):
            approve(session, cast.head, act_id)
        with pytest.raises(Refused):
            reject(session, cast.head, act_id, "поздно")
    assert "reply.approved" in history(database)


def test_a_deed_that_is_no_reply_is_not_agreed_to(database, cast, act_id) -> None:
    with database.write.begin() as session:
        session.execute(update(Act).values(reply_id=None))
        with pytest.raises(NotFound):
            approve(session, cast.head, act_id)


def test_whoever_may_not_reply_decides_nothing(database, cast, act_id) -> None:
    """The right to answer is asked for first, whatever else a person may."""
    odd = Actor(cast.head.staff_id, "Марина Котова", frozenset({"observer"}))
    with database.write.begin() as session, pytest.raises(Forbidden) as refused:
        approve(session, odd, act_id)
    assert refused.value.data["act"] == "case.reply"


def test_a_text_that_was_not_changed_is_not_checked_again(database, cast, act_id) -> None:
    with database.write.begin() as session:
        reply = approve(session, cast.head, act_id, "  Рассмотрим до 5 декабря ")
        assert reply.text == "Рассмотрим до 5 декабря"
        assert session.get_one(Act, act_id).text == "Рассмотрим до 5 декабря"


def test_a_new_text_is_what_goes(database, cast, act_id) -> None:
    with database.write.begin() as session:
        approve(session, cast.head, act_id, "Рассмотрим до 6 декабря")
        assert session.get_one(Act, act_id).text == "Рассмотрим до 6 декабря"


def test_two_candidates_one_is_chosen_and_the_other_is_told_so(database, cast, case_id, act_id) -> None:
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "Ответим письмом", "f2", undo_seconds=0)
        second = session.scalars(select(Act.id).where(Act.id != act_id)).one()
        approve(session, cast.head, second)
        assert session.get_one(Act, act_id).state == "cancelled"
        assert session.get_one(Case, case_id).state != "approval"
    assert "reply.superseded" in history(database)


def test_the_end_of_waiting_comes_with_the_last_of_them(database, cast, case_id, act_id) -> None:
    with database.write.begin() as session:
        end_waiting(session, cast.head, session.get_one(Case, case_id))
        assert session.get_one(Case, case_id).state == "approval"
        reject(session, cast.head, act_id, "не так")
        assert session.get_one(Case, case_id).state == "work"
        assert session.scalars(select(Reply.verdict_note)).one() == "не так"
        end_waiting(session, cast.head, session.get_one(Case, case_id))  # and again changes nothing
        assert session.get_one(Case, case_id).state == "work"
    assert "reply.rejected" in history(database)


def test_the_desk_itself_and_trainees(database, cast, case_id) -> None:
    with database.write.begin() as session:
        case = session.get_one(Case, case_id)
        assert cause_to_wait(session, DESK, case) is None or cause_to_wait(session, DESK, case) != "trainee"
        session.get_one(Staff, cast.head.staff_id).trainee = True
        assert cause_to_wait(session, cast.head, case) == "trainee"


def test_the_rights_of_a_person_are_those_of_the_tables(database, cast) -> None:
    with database.write.begin() as session:
        one = create_staff(session, DESK, email="k@school.example", name="Катя", roles=("smm",))
        accountant = create_staff(
            session, DESK, email="a@school.example", name="Вера", roles=("manager",), department="accounting"
        )
        session.expire_all()
        assert actor_of(session.get_one(Staff, one.id)).roles == frozenset({"smm"})
        assert actor_of(session.get_one(Staff, accountant.id)).roles == frozenset({"manager", "accounting"})
        for role in session.get_one(Staff, accountant.id).roles:
            role.role = "smm"
        session.flush()
        assert actor_of(session.get_one(Staff, accountant.id)).roles == frozenset({"smm"})
        session.get_one(Staff, one.id).active = False
        gone = actor_of(session.get_one(Staff, one.id))
        assert (gone.roles, gone.may("case.view")) == (frozenset(), False)
