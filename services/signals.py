"""A person's word on a signal, and the one that acts at once: the demand to stop advertising (day.md §1.5)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Author, Case, Message, Signal, utc_now
from services.cases import get_case, lift_message
from services.errors import NotFound
from services.events import record
from services.kinds import renew_kind
from services.legal_clocks import bind_legal, unbind_legal
from services.rights import DESK, Actor, require

LEGAL = {"legal_claim": "CLAIM", "personal_data": "PDN"}
"""Signal → the class whose legal term binds with «да»."""


def decide_signal(session: Session, actor: Actor, message_id: int, name: str, is_so: bool) -> Signal:
    """«Похоже на претензию: да / нет». Clocks run from receipt and bind with «да»; «нет» takes it all back.

    A signal that the desk did not notice may be raised by «да».
    """
    from classifier import signal_names

    require(actor, "message.label")
    message = session.get(Message, message_id)
    if message is None or message.direction != "in" or name not in signal_names():
        raise NotFound("message.unknown", id=message_id)
    row = session.scalar(
        select(Signal).where(Signal.message_id == message_id, Signal.name == name).with_for_update()
    )
    if row is None:
        row = Signal(message_id=message_id, name=name)
        session.add(row)
    if message.case_id is None and is_so:
        lift_message(session, actor, message_id)
    row.state = "yes" if is_so else "no"
    row.staff_id, row.decided_at = actor.staff_id, utc_now()
    session.flush()
    if message.case_id is not None:
        case = get_case(session, actor, message.case_id, hold=True)
        renew_kind(session, case)
        case.version += 1
        if name in LEGAL and is_so:
            bind_legal(session, actor, case, LEGAL[name])
        elif name in LEGAL:
            unbind_legal(session, actor, case, LEGAL[name])
    if name == "stop_ads" and message.author_id is not None:
        (stop_ads if is_so else allow_ads)(session, actor, message.author_id, message.case_id)
    record(
        session, "signal.confirmed" if is_so else "signal.dismissed", actor, case_id=message.case_id,
        object_id=message_id, code=name,
    )  # fmt: skip
    return row


def stop_ads(session: Session, actor: Actor, author_id: int, case_id: int | None = None) -> None:
    """Nothing is advertised to the author from now on."""
    require(actor, "case.note")
    author = session.get_one(Author, author_id)
    if author.ads_stopped_at is None:
        author.ads_stopped_at = utc_now()
        record(session, "ads.stopped", actor, case_id=case_id, object_id=author_id)


def allow_ads(session: Session, actor: Actor, author_id: int, case_id: int | None = None) -> None:
    """Takes it back: the author did not mean it, or agreed again."""
    require(actor, "case.note")
    author = session.get_one(Author, author_id)
    if author.ads_stopped_at is not None:
        author.ads_stopped_at = None
        record(session, "ads.allowed", actor, case_id=case_id, object_id=author_id)


def obey_at_once(session: Session, messages: list[Message]) -> None:
    """A demand to stop advertising that leaves no doubt holds before anybody looked; it can be taken back."""
    ids = [message.id for message in messages]
    query = select(Signal.message_id).where(
        Signal.message_id.in_(ids), Signal.name == "stop_ads", Signal.certain, Signal.state == "proposed"
    )
    plain = set(session.scalars(query))
    for message in messages:
        if message.id in plain and message.author_id is not None:
            case = session.get(Case, message.case_id) if message.case_id else None
            stop_ads(session, DESK, message.author_id, case.id if case else None)
