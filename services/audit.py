"""Random texts that people check without seeing the suggestion: what figures of quality rest on (day.md §1.1)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from classifier import ACTIONABLE, LABELS
from models import Audit, Label, Message, utc_now
from services.errors import NotFound, Refused
from services.events import record
from services.findings import full_text
from services.labelling import correct_label
from services.rights import DESK, Actor, require

PILES = ("all", "rest")
LEAST = 300
MISSES = 0.02
A_DAY = 20
"""So many texts of each pile are offered a day."""
WITHIN = timedelta(days=7)
LATEST = timedelta(days=90)
"""Figures speak of what was checked within this time."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share of ``n`` with its 95 % interval (Wilson), all between 0 and 1."""

    hits: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.hits / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Task:
    """A text to be checked; nothing is told of what the classifier thinks."""

    audit_id: int
    text: str
    published_at: datetime
    left: int


def share(hits: int, n: int) -> Share:
    """The share with Wilson's interval, which keeps its sense near 0 and 1 and for few texts."""
    if not n:
        return Share(0, 0, 0.0, 1.0)
    z, p = 1.96, hits / n
    middle, spread = p + z * z / (2 * n), z * ((p * (1 - p) + z * z / (4 * n)) / n) ** 0.5
    return Share(
        hits, n, max(0.0, (middle - spread) / (1 + z * z / n)), min(1.0, (middle + spread) / (1 + z * z / n))
    )


def next_task(session: Session, actor: Actor, pile: str | None = None) -> Task | None:
    """The next text to be checked, those of «Остальное» first; None: all of today's are done."""
    require(actor, "message.label")
    query = select(Audit, Message).join(Message, Message.id == Audit.message_id).where(Audit.label.is_(None))
    if pile:
        query = query.where(Audit.pile == pile)
    row = session.execute(query.order_by(Audit.pile.desc(), Audit.id).limit(1)).first()
    return Task(row[0].id, full_text(row[1]), row[1].published_at, waiting(session, pile)) if row else None


def waiting(session: Session, pile: str | None = None) -> int:
    """How many texts wait to be checked."""
    query = select(func.count()).select_from(Audit).where(Audit.label.is_(None))
    return session.scalar(query.where(Audit.pile == pile) if pile else query) or 0


def checked(session: Session, pile: str) -> list[Audit]:
    """What people have checked lately."""
    since = utc_now() - LATEST
    return list(
        session.scalars(select(Audit).where(Audit.pile == pile, Audit.label.is_not(None), Audit.drawn_at > since))
    )


def miss_rate(session: Session, gate: float) -> Share:
    """Of the checked texts of «Остальное», or below the gate while it is shut, those that wanted an answer."""
    pile = or_(Audit.pile == "rest", and_(Audit.pile == "all", Audit.actionable < gate))
    query = select(func.count(), func.sum(case((Audit.label.in_(ACTIONABLE), 1), else_=0)))
    since = utc_now() - LATEST
    n, missed = session.execute(query.where(pile, Audit.label.is_not(None), Audit.drawn_at > since)).one()
    return share(int(missed or 0), n)


def accuracy(rows: list[Audit]) -> Share:
    """How often the suggestion was what people said."""
    return share(sum(row.label == row.suggested for row in rows), len(rows))


def precision_of(rows: list[Audit], label: str) -> Share:
    """Of what was called ``label``, how much people called so too."""
    called = [row for row in rows if row.suggested == label]
    return share(sum(row.label == label for row in called), len(called))


def recall_of(rows: list[Audit], label: str) -> Share:
    """Of what people called ``label``, how much was called so."""
    meant = [row for row in rows if row.label == label]
    return share(sum(row.suggested == label for row in meant), len(meant))


def confusion(rows: list[Audit]) -> dict[str, dict[str, int]]:
    """what people said → what was suggested → how many."""
    table = {said: dict.fromkeys(LABELS, 0) for said in LABELS}
    for row in rows:
        if row.label in table and row.suggested in LABELS:
            table[row.label][row.suggested] += 1
    return table


def spoken_for(session: Session, days: int = 30) -> Share:
    """«Проверено людьми»: of the messages with a label, those whose label a person named."""
    since = utc_now() - timedelta(days=days)
    labelled = select(func.count(func.distinct(Label.message_id))).where(Label.created_at > since)
    said = labelled.where(Label.staff_id.is_not(None), Label.weak.is_(False))
    return share(session.scalar(said) or 0, session.scalar(labelled) or 0)


def draw_samples(session: Session, gate: float) -> int:
    """Fills today's piles: ``all`` from everything public that came, ``rest`` from what stays without a case, or
    would if the gate were open; returns how many were drawn."""
    return sum(_draw(session, pile, gate) for pile in PILES)


def _draw(session: Session, pile: str, gate: float) -> int:
    today = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    drawn = session.scalar(select(func.count()).where(Audit.pile == pile, Audit.drawn_at >= today)) or 0
    if drawn >= A_DAY or waiting(session, pile) >= A_DAY:
        return 0
    newer = aliased(Label)
    newest = (
        select(func.max(newer.id)).where(newer.message_id == Label.message_id, newer.classifier.is_not(None))
    ).scalar_subquery()
    query = (
        select(Label)
        .join(Message, Message.id == Label.message_id)
        .where(
            Label.id == newest, Message.direction == "in", Message.visibility == "public", Message.text != "",
            Message.ingested_at > utc_now() - WITHIN, Message.work.in_(("labelled", "rest")),
            Message.id.not_in(select(Audit.message_id)),
            Message.id.not_in(select(Label.message_id).where(Label.staff_id.is_not(None))),
        )
    )  # fmt: skip
    if pile == "rest":
        query = query.where((Message.work == "rest") | (Label.actionable < gate))
    rows = list(session.scalars(query.order_by(func.random()).limit(A_DAY - drawn)))
    for row in rows:
        session.add(
            Audit(
                message_id=row.message_id, pile=pile, suggested=row.label, sure=row.sure, actionable=row.actionable,
                version=row.classifier,
            )
        )  # fmt: skip
    if rows:
        session.flush()
        record(session, "audit.drawn", DESK, count=len(rows), code=pile)
    return len(rows)


def check_text(session: Session, actor: Actor, audit_id: int, label: str) -> Audit:
    """A person's blind word; a question that was found in «Остальное» becomes a case."""
    require(actor, "message.label")
    if label not in LABELS:
        raise Refused("label.unknown", label=label)
    row = session.get(Audit, audit_id, with_for_update=True)
    if row is None:
        raise NotFound("audit.unknown")
    row.label, row.staff_id, row.decided_at = label, actor.staff_id, utc_now()
    correct_label(session, actor, row.message_id, label)
    record(session, "audit.checked", actor, object_id=row.message_id, code=row.pile)
    return row


def is_proven(session: Session, gate: float) -> bool:
    """Whether the blind share shows that the gate may be open: of LEAST texts checked, at most MISSES of what is
    actionable fell below it."""
    rows = checked(session, "all")
    actionable = [row for row in rows if row.label in ACTIONABLE]
    if len(rows) < LEAST or not actionable:
        return False
    missed = sum((row.actionable or 0.0) < gate and row.suggested not in ACTIONABLE for row in actionable)
    return missed / len(actionable) <= MISSES
