"""The journal of acts, sealed in batches: a row changed afterwards breaks the chain, and the check says where."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from models import Event, Seal, Staff, utc_now
from models.database import Database
from services.errors import NotFound
from services.events import record
from services.rights import Actor, require

BATCH = 2000
SETTLE = timedelta(minutes=2)
"""A transaction still open may bring an event with a lower id than one that is there: so long nothing is sealed."""
GENESIS = "0" * 64
PAGE = 100
GROUPS: Mapping[str, tuple[str, ...]] = {
    "rights": (
        "staff.", "session.", "device.", "link.", "duty.", "mail.", "terms.", "rule.", "setting.", "lint.",
        "answer.", "delivery.", "fact.", "source.", "agreement.", "token.", "webhook.", "sign_on.", "settings.",
        "organisation.", "messenger.", "absence.", "saved.", "choices.", "training.", "backup.",
    ),
    "public": ("act.", "reply.", "bulk."),
    "seen": ("client.sensitive_", "privacy.", "case.printed", "report.seen"),
    "exports": ("export.", "import.", "report.exported", "journal.", "document."),
    "decisions": (
        "decision.", "reply.approved", "reply.rejected", "wish.", "termination.", "obligation.", "debt.", "norm.",
        "register.", "order.", "report.signed", "ads.", "case.joined", "case.parted", "clock.bound",
        "clock.unbound",
    ),
}  # fmt: skip
"""Group → how the kinds of its events begin: people, rights and settings; what was done in public; who saw what is
closed; what went out of the house; what was decided."""
MOST_TAKEN = 50_000
"""Events of one file, the newest."""


@dataclass(frozen=True, slots=True)
class Check:
    """``sealed`` events hold together; ``broken_at`` is the first id of the batch that does not."""

    sealed: int
    open: int
    broken_at: int | None
    at: datetime | None


def entries(
    session: Session, actor: Actor, before: int | None = None, group: str = "rights"
) -> list[tuple[Event, str | None]]:
    """Acts of a group, newest first, each with who did it."""
    require(actor, "journal.view")
    query = select(Event, Staff.name).outerjoin(Staff, Staff.id == Event.staff_id).where(_in_group(group))
    if before is not None:
        query = query.where(Event.id < before)
    rows = session.execute(query.order_by(Event.id.desc()).limit(PAGE))
    return [(row[0], row[1]) for row in rows]


def _in_group(group: str) -> ColumnElement[bool]:
    if group not in GROUPS:
        raise NotFound("journal.group", group=group[:20])
    return or_(*(Event.kind.startswith(kind) for kind in GROUPS[group]))


def take_journal(session: Session, actor: Actor, group: str | None = None) -> list[str]:
    """Lines of JSON, oldest first: events as they are sealed, of a group or (None) all with the seals between them,
    so that others can reckon the chain anew. Ids and codes alone, nothing that a person wrote."""
    require(actor, "journal.view")
    query = select(Event) if group is None else select(Event).where(_in_group(group))
    events = list(session.scalars(query.order_by(Event.id.desc()).limit(MOST_TAKEN)))[::-1]
    record(session, "journal.taken", actor, count=len(events), code=group or "all")
    seals = {seal.last_id: seal for seal in session.scalars(select(Seal))} if group is None else {}
    lines = []
    for event in events:
        lines.append(_spelled(event))
        if (seal := seals.get(event.id)) is not None:
            lines.append(json.dumps({"seal": seal.digest, "first_id": seal.first_id, "last_id": seal.last_id}))
    return lines


def check_chain(session: Session) -> Check:
    """Reckons every seal anew, oldest first."""
    previous, sealed, last, at = GENESIS, 0, 0, None
    for seal in session.scalars(select(Seal).order_by(Seal.id)):
        events = _events(session, seal.first_id, seal.last_id)
        fits = seal.first_id > last and len(events) == seal.count and digest_of(previous, events) == seal.digest
        if not fits or _between(session, last, seal.first_id):
            return Check(sealed, 0, seal.first_id, seal.at)
        previous, last, at = seal.digest, seal.last_id, seal.at
        sealed += seal.count
    left = session.scalar(select(func.count()).select_from(Event).where(Event.id > last)) or 0
    return Check(sealed, left, None, at)


def _between(session: Session, last: int, first: int) -> bool:
    """A row slipped in between two batches."""
    query = select(Event.id).where(Event.id > last, Event.id < first).limit(1)
    return session.scalar(query) is not None


def _events(session: Session, first: int, last: int) -> Sequence[Event]:
    return session.scalars(select(Event).where(Event.id.between(first, last)).order_by(Event.id)).all()


def digest_of(previous: str, events: Sequence[Event]) -> str:
    """SHA-256 over the digest before and every column of every event, in one spelling."""
    total = hashlib.sha256(previous.encode())
    for event in events:
        total.update(_spelled(event).encode() + b"\n")
    return total.hexdigest()


def _spelled(event: Event) -> str:
    values = {column.key: getattr(event, column.key) for column in Event.__table__.columns}
    values["at"] = event.at.astimezone(UTC).isoformat()
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


def run_seal(database: Database, now: datetime | None = None) -> int:
    """Seals what is old enough, batch by batch; returns how many events."""
    done = 0
    while True:
        with database.write.begin() as session:
            count = _seal(session, (now or utc_now()) - SETTLE)
        done += count
        if count < BATCH:
            return done


def _seal(session: Session, until: datetime) -> int:
    newest = session.scalar(select(Seal).order_by(Seal.id.desc()).limit(1))
    last, previous = (newest.last_id, newest.digest) if newest else (0, GENESIS)
    query = select(Event).where(Event.id > last).order_by(Event.id).limit(BATCH)
    events: list[Event] = []
    for event in session.scalars(query):
        if event.at > until:
            break  # what came later by its id waits too, so that no batch has a hole
        events.append(event)
    if not events:
        return 0
    session.add(
        Seal(
            first_id=events[0].id,
            last_id=events[-1].id,
            count=len(events),
            digest=digest_of(previous, events),
        )
    )
    return len(events)
