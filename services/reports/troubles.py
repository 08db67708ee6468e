"""Report 12 (domain.md §8): what broke for many, on air or not, how soon it was noticed and mended."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import BroadcastIncident, BroadcastMention, Case, Incident, IncidentCase, Message, RouteFact, Source
from services.reports.cut import Cut
from services.reports.narrowed import of_air_incidents, of_incidents
from services.reports.shape import Cell, Line, Lists, Table, by_key, counted

INCIDENT_COLUMNS = (
    "incidents", "mentions", "per_incident", "detect_mean", "repair_mean", "repair_most", "open_incidents",
    "overdue_incidents", "repeated", "top_place",
)  # fmt: skip
SOON = timedelta(days=30)
MASS = "mass:"
"""Before the theme of an incident of ordinary cases, among the kinds of trouble on air."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """``id`` is its row's own, ``page`` what stands behind it. ``count``: how many said so. ``asked_at``: when
    whoever mends it was told; ``overdue``: its answer came late, or is owed beyond its term. ``places``: place →
    how many said so there."""

    id: int
    page: tuple[str, int]
    case_id: int | None
    kind: str
    started_at: datetime
    ended_at: datetime | None
    count: int
    asked_at: datetime | None
    overdue: bool
    places: Mapping[str, int]


def incidents_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a kind of trouble that began in the period; repeated: the same kind within thirty days before."""
    lists = trouble_lists(session, cut, now)
    rows = lists["incidents"][None]
    kinds = [kind for kind, _number in Counter(row.kind for row in rows).most_common()]
    lines = tuple(Line(kind, "", _cells(lists, kind)) for kind in kinds)
    return Table(INCIDENT_COLUMNS, by, lines, _cells(lists, None) if rows else None)


def trouble_lists(session: Session, cut: Cut, now: datetime) -> Lists:
    """The troubles behind the figures, by kind."""
    known = _troubles(session, cut, now)
    rows = [row for row in known if row.started_at >= cut.since]
    chosen: Mapping[str, Callable[[Trouble], bool]] = {
        "incidents": lambda row: True,
        "incidents_noticed": lambda row: row.asked_at is not None,
        "incidents_mended": lambda row: row.ended_at is not None,
        "incidents_open": lambda row: row.ended_at is None,
        "incidents_overdue": lambda row: row.overdue,
        "incidents_repeated": lambda row: any(_is_before(other, row) for other in known),
    }
    return {name: by_key(filter(is_one, rows), lambda row: row.kind) for name, is_one in chosen.items()}


def _is_before(other: Trouble, row: Trouble) -> bool:
    return other.kind == row.kind and row.started_at - SOON <= other.started_at < row.started_at


def _cells(lists: Lists, key: str | None) -> tuple[Cell, ...]:
    rows = lists["incidents"][key]
    told = [_minutes(row.started_at, row.asked_at) for row in rows if row.asked_at is not None]
    took = [_minutes(row.started_at, row.ended_at) for row in rows if row.ended_at is not None]
    places: Counter[str] = Counter()
    for row in rows:
        places.update(row.places)
    said = sum(row.count for row in rows)
    return (
        counted(lists, "incidents", key), Cell(said, "count", "incidents_said", key=key),
        Cell(Fraction(said, len(rows)) if rows else None, "number", "incidents_said", key=key),
        Cell(_mean(told), "minutes", "incidents_noticed", key=key),
        Cell(_mean(took), "minutes", "incidents_mended", key=key),
        Cell(max(took, default=None), "minutes", "incidents_mended", key=key),
        *(counted(lists, f"incidents_{name}", key) for name in ("open", "overdue", "repeated")),
        Cell(min(places, key=lambda name: (-places[name], name), default=None), "text"),
    )  # fmt: skip


def _minutes(start: datetime, end: datetime | None) -> int:
    return max(0, int((end - start).total_seconds() // 60)) if end is not None else 0


def _mean(minutes: Sequence[int]) -> Fraction | None:
    return Fraction(sum(minutes), len(minutes)) if minutes else None


def _troubles(session: Session, cut: Cut, now: datetime) -> list[Trouble]:
    """Of both kinds, by the time they began: those of the period, and of the days before that make one a repeat."""
    since, until = cut.since - SOON, cut.until
    found: list[tuple[Any, str]] = []
    for table, column, narrowed in (
        (BroadcastIncident, BroadcastIncident.kind, of_air_incidents(cut)),
        (Incident, Incident.theme, of_incidents(cut)),
    ):
        query = select(table, column).where(table.started_at >= since, table.started_at < until, *narrowed)
        prefix = MASS if table is Incident else ""
        found += [(row[0], prefix + row[1]) for row in session.execute(query.order_by(table.started_at, table.id))]
    ids = [row.route_id for row, _kind in found if row.route_id is not None]
    routes = {row.id: row for row in session.scalars(select(RouteFact).where(RouteFact.id.in_(ids)))}
    places = _places(session, [row for row, _kind in found])
    troubles = []
    for row, kind in found:
        route = routes.get(row.route_id)
        owed = route is not None and route.outcome is None and route.due_at is not None and route.due_at < now
        troubles.append(
            Trouble(
                row.id, ("incident", row.id) if isinstance(row, Incident) else ("broadcast", row.broadcast_id),
                row.case_id, kind, row.started_at, row.ended_at, row.count, route.asked_at if route else None,
                bool(route is not None and (route.late or owed)), places.get((type(row), row.id), {}),
            )
        )  # fmt: skip
    return sorted(troubles, key=lambda one: one.started_at)


def _places(session: Session, rows: Sequence[Any]) -> dict[tuple[type, int], dict[str, int]]:
    """trouble → place → how many said so there."""
    mass = [row.id for row in rows if isinstance(row, Incident)]
    aired = {(row.broadcast_id, row.kind): row.id for row in rows if isinstance(row, BroadcastIncident)}
    found: dict[tuple[type, int], dict[str, int]] = {}
    stood = (
        select(IncidentCase.incident_id, Source.title, func.count())
        .join(Case, Case.id == IncidentCase.case_id).join(Source, Source.id == Case.source_id)
        .where(IncidentCase.incident_id.in_(mass), IncidentCase.out_at.is_(None))
        .group_by(IncidentCase.incident_id, Source.title)
    )  # fmt: skip
    for incident_id, title, number in session.execute(stood):
        found.setdefault((Incident, incident_id), {})[title] = number
    said = (
        select(BroadcastMention.broadcast_id, BroadcastMention.kind, Source.title, func.count())
        .join(Message, Message.id == BroadcastMention.message_id).join(Source, Source.id == Message.source_id)
        .where(BroadcastMention.broadcast_id.in_([key[0] for key in aired]))
        .group_by(BroadcastMention.broadcast_id, BroadcastMention.kind, Source.title)
    )  # fmt: skip
    for broadcast_id, kind, title, number in session.execute(said):
        if (broadcast_id, kind) in aired:
            found.setdefault((BroadcastIncident, aired[broadcast_id, kind]), {})[title] = number
    return found
