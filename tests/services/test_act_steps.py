"""Every change of state that there is, made on a real desk: each is told, in the platform's words."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from collectors.base import ChannelError, Person, Proof, Receipt, Sent, Verdict
from models import Act, Case, Event, utc_now
from services.approval import approve
from services.messages import store_messages
from services.outbox import MOVES, STATES, cancel_act, claim_act, confirm_act, retry_act
from services.outcomes import ask_a_person, judge, mark_removed, record_error, record_receipt
from services.replies import write_reply
from services.sending import sweep_leases

SAID = "Comments are closed: 4 days ago"
HOUR = timedelta(hours=1)


def met(session: Session, act: Act, cast) -> None:
    """The collector reads what stands on the platform; it is our reply."""
    us = Person("us", "Школа", is_us=True)
    store_messages(session, cast.source_id, "wordpress", [cast.incoming(act.text, external_id="901", author=us)])


def fails(error: ChannelError) -> Callable[[Session, Act, object], None]:
    return lambda session, act, cast: record_error(session, act, error)


DEEDS: dict[tuple[str, str], tuple[Callable[[Session, Act, object], object], str, dict[str, object]]] = {}
"""Move → what makes it, the event that tells of it, and what else the event must say."""


def on(befores: str, to: str, deed: Callable[[Session, Act, object], object], kind: str, **said: object) -> None:
    DEEDS.update({(before, to): (deed, kind, said) for before in befores.split()})


on("approval", "held", lambda s, a, c: approve(s, c.head, a.id), "reply.approved")
on("approval", "queued", lambda s, a, c: approve(s, c.head, a.id), "reply.approved")
on("held queued retry", "sending", lambda s, a, c: claim_act(s), "act.sending", attempt=1)
on(
    "approval held queued retry review dead", "cancelled",
    lambda s, a, c: cancel_act(s, c.smm, a.id), "act.cancelled",
)  # fmt: skip
on("dead review retry", "queued", lambda s, a, c: retry_act(s, c.smm, a.id), "act.retried", code="person")
on("sending", "accepted", lambda s, a, c: record_receipt(s, a, Receipt("901")), "act.accepted", attempt=0)
on("unknown", "accepted", lambda s, a, c: judge(s, a, Proof(Verdict.SEEN, "901")), "act.accepted", attempt=0)
on("review", "accepted", lambda s, a, c: confirm_act(s, c.smm, a.id, None), "act.settled")
on(
    "sending", "unknown",
    fails(ChannelError(SAID, code="server", sent=Sent.UNKNOWN)), "act.unknown", code="server", said=SAID,
)  # fmt: skip
on("sending", "retry", fails(ChannelError(SAID, code="rate")), "act.retried", code="rate", said=SAID)
on(
    "sending", "dead",
    fails(ChannelError(SAID, code="closed", permanent=True)), "act.failed", code="closed", said=SAID,
)  # fmt: skip
on("unknown", "retry", lambda s, a, c: judge(s, a, Proof(Verdict.ABSENT)), "act.retried", code="absent")
on("unknown", "review", lambda s, a, c: ask_a_person(s, a), "act.review")
on("sending unknown review accepted retry dead removed", "seen", met, "act.seen")
on("accepted seen", "removed", lambda s, a, c: mark_removed(s, a), "act.removed")

IN_ORDER: list[tuple[str, str]] = sorted(MOVES, key=lambda move: (STATES.index(move[0]), STATES.index(move[1])))


@pytest.fixture
def act(database, cast) -> Act:
    cast.write("Когда вебинар?", external_id="900")
    with database.write.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
        write_reply(session, cast.smm, case_id, "В среду, в семь вечера.", "f1", undo_seconds=0)
    with database.read.begin() as session:
        return session.scalars(select(Act)).one()


def test_there_is_a_deed_for_every_move_of_the_table() -> None:
    assert set(DEEDS) == MOVES


@pytest.mark.parametrize(("before", "to"), IN_ORDER)
def test_a_step_is_told_in_the_history(database, cast, act, before, to) -> None:
    deed, kind, said = DEEDS[before, to]
    past = utc_now() - HOUR
    values: dict[str, object] = {
        "state": before, "attempted_at": past, "first_attempt_at": past,
        "due_at": utc_now() + HOUR if (before, to) == ("approval", "held") else past,
        "lease_until": utc_now() + HOUR if before == "sending" else None,
    }  # fmt: skip
    if to == "seen":  # the platform's id is known, as it is after a receipt
        values |= {"container": "17", "external_id": "901"}
    with database.write.begin() as session:
        session.execute(update(Act).values(**values))
        last = session.scalars(select(Event.id).order_by(Event.id.desc()).limit(1)).one()
    with database.write.begin() as session:
        deed(session, session.get_one(Act, act.id), cast)
    with database.read.begin() as session:
        row = session.get_one(Act, act.id)
        assert row.state == to
        [told] = session.scalars(select(Event).where(Event.id > last, Event.kind == kind))
        assert told.case_id == row.case_id
        assert told.object_id == (row.reply_id if kind.startswith("reply.") else row.id)
        assert {name: told.data.get(name) for name in said} == said


def test_a_lease_that_ended_is_told_too(database, cast, act) -> None:
    with database.write.begin() as session:
        session.execute(update(Act).values(state="sending", lease_until=utc_now() - HOUR))
        sweep_leases(session)
        [told] = session.scalars(select(Event).where(Event.kind == "act.unknown"))
        assert (told.object_id, told.data) == (act.id, {"code": "lease"})
