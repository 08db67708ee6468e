"""Replies that do not get out ring a bell; those that wait for agreement pass to a deputy in time."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from collectors.base import ChannelError, Sent
from models import Act, Message, Notice, Reply, Staff, utc_now
from services.agreement import Agreement, save_agreement
from services.approval import approve
from services.candidates import may_agree
from services.cases import close
from services.errors import Forbidden
from services.notices import count_notices, notices_of
from services.outbox import claim_act, retry_act
from services.outcomes import record_error
from services.people import create_staff
from services.replies import write_reply
from services.rights import DESK, actor_of
from services.watch import run_watch


@pytest.fixture
def case_id(database, cast) -> int:
    cast.write("Когда откроют третий урок?", author="Анна Яр")
    with database.read.begin() as session:
        return session.scalars(select(Message.case_id)).one()


@pytest.fixture
def trainee(database, cast):
    with database.write.begin() as session:
        session.get_one(Staff, cast.smm.staff_id).trainee = True
    return cast.smm


@pytest.fixture
def deputy(database, cast):
    with database.write.begin() as session:
        made = create_staff(
            session, DESK, email="anna@school.example", name="Анна Вяз", roles=("smm",), department=None
        )
        one = actor_of(session.get_one(Staff, made.id))
        save_agreement(session, cast.head, {"minutes": 30, "deputies": [one.staff_id]})
        return one


def answer(database, actor, case_id, key="f1", **wishes) -> int:
    with database.write.begin() as session:
        reply = write_reply(session, actor, case_id, "Откроем в пятницу", key, undo_seconds=0, **wishes)
        return session.scalars(select(Act.id).where(Act.reply_id == reply.id)).one()


def fail(database, *, permanent: bool) -> None:
    with database.write.begin() as session:
        act = claim_act(session)
    with database.write.begin() as session:
        record_error(
            session,
            act,
            ChannelError("нет", code="rights" if permanent else "server", permanent=permanent, sent=Sent.NO),
        )


def told(database, now=None) -> list[tuple[int, str]]:
    run_watch(database, now)
    with database.read.begin() as session:
        return [
            (row[0], row[1]) for row in session.execute(select(Notice.staff_id, Notice.kind).order_by(Notice.id))
        ]


def test_a_failed_reply_rings_for_its_writer_once_and_for_the_head_after_two_hours(database, cast, case_id) -> None:
    answer(database, cast.smm, case_id)
    assert told(database) == []
    fail(database, permanent=True)
    assert told(database) == [(cast.smm.staff_id, "act.doubt")]
    assert told(database) == [(cast.smm.staff_id, "act.doubt")]
    assert told(database, utc_now() + timedelta(hours=2, minutes=1))[1:] == [(cast.head.staff_id, "act.unsettled")]
    with database.read.begin() as session:
        [line] = notices_of(session, cast.smm, utc_now() + timedelta(days=1))
        assert (line.notice.kind, line.text) == ("act.doubt", "Когда откроют третий урок?")


def test_a_reply_that_goes_again_after_all_rings_no_more(database, cast, case_id) -> None:
    act_id = answer(database, cast.smm, case_id)
    fail(database, permanent=True)
    told(database)
    later = utc_now() + timedelta(days=1)
    with database.write.begin() as session:
        assert count_notices(session, cast.smm, later) == 1
        retry_act(session, cast.smm, act_id)
        assert count_notices(session, cast.smm, later) == 0


def test_what_waits_longer_than_a_quarter_of_an_hour_is_told(database, cast, case_id) -> None:
    answer(database, cast.smm, case_id)
    assert told(database, utc_now() + timedelta(minutes=14)) == []
    assert told(database, utc_now() + timedelta(minutes=16)) == [(cast.smm.staff_id, "act.late")]


def test_what_is_to_go_tomorrow_is_not_late_today(database, cast, case_id) -> None:
    answer(database, cast.smm, case_id, send_at=utc_now() + timedelta(days=1))
    assert told(database, utc_now() + timedelta(hours=20)) == []
    assert told(database, utc_now() + timedelta(hours=25)) == [(cast.smm.staff_id, "act.late")]


def test_of_somebody_who_left_the_desk_is_told(database, cast, case_id, deputy) -> None:
    answer(database, cast.smm, case_id)
    with database.write.begin() as session:
        session.execute(update(Staff).where(Staff.id == cast.smm.staff_id).values(active=False))
    assert told(database, utc_now() + timedelta(minutes=16)) == [(deputy.staff_id, "act.late")]


# Agreement


def test_what_a_trainee_offers_rings_for_the_head_and_later_for_the_deputy(
    database, cast, case_id, trainee, deputy
) -> None:
    act_id = answer(database, trainee, case_id)
    assert told(database) == [(cast.head.staff_id, "act.agree")]
    with database.write.begin() as session, pytest.raises(Forbidden):
        approve(session, deputy, act_id)
    with database.write.begin() as session:
        session.execute(update(Act).values(created_at=utc_now() - timedelta(minutes=31)))
    assert told(database)[1:] == [(deputy.staff_id, "act.deputy")]
    with database.write.begin() as session:
        approve(session, deputy, act_id)
        assert session.scalars(select(Reply.approver_id)).one() == deputy.staff_id
    with database.read.begin() as session:
        assert count_notices(session, deputy, utc_now() + timedelta(days=1)) == 0


def test_nobody_agrees_to_their_own_as_a_deputy(database, cast, case_id, trainee) -> None:
    answer(database, trainee, case_id)
    with database.read.begin() as session:
        act = session.scalars(select(Act)).one()
        later = act.created_at + timedelta(hours=1)
        assert not may_agree(Agreement(0, frozenset({trainee.staff_id})), trainee, act, later)
        assert may_agree(Agreement(), cast.head, act, later)


def test_a_case_that_moved_on_supersedes_what_waited(database, cast, case_id, trainee) -> None:
    answer(database, trainee, case_id)
    answer(database, cast.head, case_id, "f2")
    with database.write.begin() as session:
        assert list(session.scalars(select(Act.state).order_by(Act.id))) == ["cancelled", "queued"]


def test_a_case_closed_without_a_reply_leaves_nothing_to_agree_to(database, cast, case_id, trainee) -> None:
    answer(database, trainee, case_id)
    with database.write.begin() as session:
        close(session, cast.head, case_id, "spam")
        assert session.scalars(select(Act.state)).one() == "cancelled"
