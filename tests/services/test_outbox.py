"""The outbox: what people say about an act, who is told of it, and what a lookup must know."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from benchmarks import storm
from collectors import CHANNELS
from models import Act, Case, Event, utc_now
from services.errors import NotFound, Refused
from services.outbox import (
    STATES,
    cancel_act,
    channel_act,
    claim_act,
    confirm_act,
    retry_act,
    send_now,
    stuck_acts,
)
from services.replies import write_reply
from tests.services.test_outcomes import claim, queue


@pytest.fixture(autouse=True)
def channels():
    storm.register()
    yield
    for name in [name for name in CHANNELS if name.startswith("storm_")]:
        del CHANNELS[name]


@pytest.fixture
def replied(database, cast) -> Act:
    """A reply on its way to a blog."""
    cast.write("Когда вебинар?", external_id="900")
    with database.write.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
        write_reply(session, cast.smm, case_id, "В среду", "f1", undo_seconds=0)
    return claim(database)


@pytest.mark.parametrize("deed", [retry_act, cancel_act, send_now, lambda s, a, i: confirm_act(s, a, i, None)])
def test_there_is_nothing_to_say_of_an_act_that_is_not_there(database, cast, deed) -> None:
    with database.write.begin() as session, pytest.raises(NotFound):
        deed(session, cast.smm, 404)


ALLOWED = {
    retry_act: {"dead", "review", "retry"},
    cancel_act: {"approval", "held", "queued", "retry", "dead", "review"},
    send_now: {"held"},
    confirm_act: {"review", "unknown"},
}


@pytest.mark.parametrize("deed", ALLOWED)
def test_people_decide_only_on_what_is_theirs_to_decide(database, cast, replied, deed) -> None:
    given = (None,) if deed is confirm_act else ()
    for state in STATES:
        with database.write.begin() as session:
            session.execute(update(Act).values(state=state, attempt=0 if state == "queued" else 2))
        with database.write() as session:
            if state in ALLOWED[deed]:
                deed(session, cast.smm, replied.id, *given)
            else:
                with pytest.raises(Refused, match=r"act\.state"):
                    deed(session, cast.smm, replied.id, *given)


@pytest.mark.parametrize(
    ("deed", "state", "kind"),
    [
        (retry_act, "dead", "act.retried"), (cancel_act, "held", "act.cancelled"),
        (send_now, "held", "act.hurried"),
        (confirm_act, "review", "act.settled"),
    ],
)  # fmt: skip
def test_the_history_says_who_decided(database, cast, replied, deed, state, kind) -> None:
    with database.write.begin() as session:
        session.execute(update(Act).values(state=state))
    with database.write.begin() as session:
        deed(session, cast.head, replied.id, *((None,) if deed is confirm_act else ()))
    with database.read.begin() as session:
        found = session.scalars(select(Event).where(Event.object_id == replied.id, Event.kind == kind)).one()
        assert (found.staff_id, found.case_id) == (cast.head.staff_id, replied.case_id)


def test_a_press_on_send_now_ends_the_time_for_undo(database, cast, replied) -> None:
    with database.write.begin() as session:
        session.execute(update(Act).values(state="held", due_at=utc_now() + timedelta(hours=1)))
    with database.write.begin() as session:
        assert claim_act(session) is None
        send_now(session, cast.smm, replied.id)
        assert claim_act(session) is not None


def test_what_was_tried_and_is_queued_again_may_be_out(database, cast) -> None:
    [act_id] = queue(database, attempt=1)
    with database.write.begin() as session, pytest.raises(Refused):
        cancel_act(session, cast.smm, act_id)


def test_an_act_that_nobody_works_on_is_stuck(database) -> None:
    queue(database, count=3)
    with database.write.begin() as session:
        assert stuck_acts(session) == 0
        assert stuck_acts(session, utc_now() + timedelta(hours=1)) == 3
    claim(database)
    with database.read.begin() as session:
        assert stuck_acts(session) == 0
        assert stuck_acts(session, utc_now() + timedelta(hours=1)) == 3
        session.execute(update(Act).values(state="review"))
        assert stuck_acts(session, utc_now() + timedelta(hours=1)) == 0


def test_what_a_person_confirms_has_answered_the_case(database, cast, replied) -> None:
    with database.write.begin() as session:
        session.execute(update(Act).values(state="review"))
        confirm_act(session, cast.smm, replied.id, None)
        assert session.get_one(Case, replied.case_id).first_reply_at == replied.first_attempt_at


def test_a_lookup_knows_since_when_an_act_may_stand_there(database) -> None:
    """The first attempt of all counts: an earlier one may be what the platform took."""
    queue(database)
    act = claim(database)
    assert channel_act(act).since is None
    act.state = "unknown"
    assert channel_act(act).since == act.first_attempt_at
    act.state, act.attempt = "sending", 2
    assert channel_act(act).since == act.first_attempt_at
