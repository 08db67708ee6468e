"""How completely a place is read and how well we know it: comparisons with the platform, gaps, quarantine.

Three grades of proof: ``reread`` (the whole listing was compared), ``events`` (only events tell of all that is new:
what was lost while we were away stays lost), ``manual`` (a person brings it).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from collectors import channel_class
from models import Gap, Message, RawItem, Source, utc_now
from services.events import record
from services.history import Progress, left_there, progress_of
from services.rights import DESK, Actor, require
from services.sources import list_sources

SHOWN_GAPS = 5
LATE = 3
"""So many pauses without a reading are late."""


@dataclass(frozen=True, slots=True)
class PlaceCoverage:
    """One line of «Покрытие»; ``filling``: its first reading is under way."""

    source: Source
    grade: str
    messages: int
    today: int
    unread: int
    gaps: tuple[Gap, ...]
    filling: Progress | None

    @property
    def missing(self) -> int:
        """How many messages stood there at the last comparison and were not held."""
        told = self.source.coverage or {}
        return max(0, int(told.get("standing", 0)) - int(told.get("held", 0)))

    @property
    def open_gaps(self) -> tuple[Gap, ...]:
        return tuple(gap for gap in self.gaps if gap.closed_at is None)

    @property
    def is_late(self) -> bool:
        source = self.source
        if source.state in ("paused", "manual") or self.grade == "manual":
            return False
        limit = timedelta(seconds=max(60, LATE * source.every_seconds))
        return source.state == "stopped" or (source.read_at or source.created_at) < utc_now() - limit


@dataclass(frozen=True, slots=True)
class Verdict:
    """The head's sentence: nothing lost since ``since`` among ``sure``, and the places it does not speak for."""

    since: datetime | None
    sure: tuple[PlaceCoverage, ...]
    unsure: tuple[PlaceCoverage, ...]
    lacking: tuple[PlaceCoverage, ...]


def coverage_rows(session: Session, actor: Actor) -> tuple[PlaceCoverage, ...]:
    """All places, with what is known of their completeness."""
    sources = [one for one in list_sources(session, actor) if one.removed_at is None]
    now = utc_now()
    stored = _counted(session, select(Message.source_id, func.count()).group_by(Message.source_id))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = select(Message.source_id, func.count()).where(Message.ingested_at >= midnight)
    fresh = _counted(session, today.group_by(Message.source_id))
    quarantined = select(RawItem.source_id, func.count()).where(RawItem.state == "quarantined")
    unread = _counted(session, quarantined.group_by(RawItem.source_id))
    gaps: dict[int, list[Gap]] = defaultdict(list)
    for gap in session.scalars(select(Gap).order_by(Gap.closed_at.is_not(None), Gap.id.desc())):
        if len(gaps[gap.source_id]) < SHOWN_GAPS or gap.closed_at is None:
            gaps[gap.source_id].append(gap)
    rows = []
    for one in sources:
        count = stored.get(one.id, 0)
        grade = _grade_of(one)
        filling = one.backfilled_at is None and _is_filled(one)
        rows.append(
            PlaceCoverage(
                one, grade, count, fresh.get(one.id, 0), unread.get(one.id, 0), tuple(gaps[one.id]),
                progress_of(session, one, count, now) if filling else None,
            )
        )  # fmt: skip
    return tuple(rows)


def _grade_of(source: Source) -> str:
    """By what it can be known that nothing is missing: a listing proves nothing of dialogues that no list names."""
    can = channel_class(source.platform).can
    return "manual" if source.state == "manual" else "events" if can.unlisted else can.grade


def _is_filled(source: Source) -> bool:
    """Whether its history is read at first."""
    return source.state != "manual" and channel_class(source.platform).can.grade == "reread"


def _counted(session: Session, query: object) -> dict[int, int]:
    return {row[0]: row[1] for row in session.execute(query)}  # type: ignore[call-overload]


def judge_coverage(rows: Sequence[PlaceCoverage]) -> Verdict:
    """Speaks for what was compared with the platform, and names the others."""
    watched = [row for row in rows if row.source.state != "paused"]
    lacking = tuple(row for row in watched if row.missing or row.open_gaps or row.unread or row.is_late)
    sure = [row for row in watched if row.grade == "reread" and row.source.verified_at and row not in lacking]
    unsure = tuple(row for row in watched if row not in sure and row not in lacking)
    since = min((row.source.created_at for row in sure), default=None)
    return Verdict(since, tuple(sure), unsure, lacking)


@dataclass
class Comparison:
    """What one deep walk has listed; of a walk resumed in the middle, only its part."""

    places: int = 0
    standing: int = 0
    held: int = 0
    seen: set[str] = field(default_factory=set)

    def add(self, session: Session, source_id: int, listed: Mapping[str, frozenset[str]]) -> None:
        """Counts complete listings against what is held, after their pages were stored and understood."""
        for container, ids in listed.items():
            if container in self.seen:
                continue
            self.seen.add(container)
            standing = select(Message.external_id).where(
                Message.source_id == source_id, Message.container == container, Message.state != "deleted"
            )
            self.places += 1
            self.standing += len(ids)
            # What lies beyond the chosen depth is left there on purpose: it is neither held nor missed.
            left = left_there(session, source_id, container, ids)
            self.standing -= left
            self.held += len(ids & set(session.scalars(standing)))


def record_comparison(session: Session, source_id: int, told: Comparison) -> None:
    """A deep walk came to its end: what it compared is kept, and the gaps that it has read again are closed."""
    source = session.get_one(Source, source_id)
    now = utc_now()
    if told.places:
        source.verified_at = now
        source.coverage = {"places": told.places, "standing": told.standing, "held": told.held}
    if _grade_of(source) == "reread":
        closed = session.execute(
            update(Gap)
            .where(Gap.source_id == source_id, Gap.closed_at.is_(None))
            .values(closed_at=now, closed_by="deep")
        )
        if closed.rowcount:  # type: ignore[attr-defined]
            record(session, "source.gap_closed", DESK, object_id=source_id)


def note_gap(session: Session, source_id: int, reason: str, since: datetime | None = None) -> None:
    """The platform dropped something, ``since`` then or the last reading; one more of the same kind while it is
    open only makes it longer."""
    source = session.get_one(Source, source_id)
    now = utc_now()
    source.gap_at = now
    record(session, "source.gap", DESK, object_id=source_id, code=reason)
    open_one = session.scalar(
        select(Gap).where(Gap.source_id == source_id, Gap.closed_at.is_(None), Gap.reason == reason).limit(1)
    )
    if open_one is not None:
        open_one.to_at = now
    else:
        session.add(Gap(source_id=source_id, from_at=since or source.read_at, to_at=now, reason=reason))


def accept_gap(session: Session, actor: Actor, gap_id: int) -> Gap | None:
    """A person has looked: what was lost is known, and the gap no longer warns."""
    require(actor, "source.edit")
    gap = session.get(Gap, gap_id)
    if gap is not None and gap.closed_at is None:
        gap.closed_at, gap.closed_by = utc_now(), "person"
        record(session, "source.gap_closed", actor, object_id=gap.source_id)
    return gap
