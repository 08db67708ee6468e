"""Where a case stands in a list: critical ones first, then high ones, then all others, each lane in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, literal, select, tuple_
from sqlalchemy.orm import Session

from models import Case, UtcDateTime
from services.errors import Refused
from services.filters import Filters, branches, narrowed
from services.rights import Actor

LANES = (0, 1, 2)
"""Priorities 0 and 1, and all the others together (domain.md §6.7: «P0/P1 sort first»)."""
OTHERS = LANES[-1]


@dataclass(frozen=True, slots=True)
class Place:
    """Of a line in a list."""

    lane: int
    at: datetime
    case_id: int

    def __str__(self) -> str:
        return f"{self.lane}:{self.at.timestamp():.6f}:{self.case_id}"


def lane_of(case: Case) -> int:
    """Closed cases are history: nothing there is urgent."""
    return OTHERS if case.stage == "closed" else min(case.priority, OTHERS)


def place_of(case: Case, sort: str = "new") -> Place:
    """One that lost its deadline since stands before all others of its lane."""
    at = case.last_message_at if sort != "due" else case.due_at or datetime.fromtimestamp(0, UTC)
    return Place(lane_of(case), at, case.id)


def parse_place(key: str) -> Place:
    """The other way round of ``str``; raises Refused for what is no key."""
    lane, _, rest = key.partition(":")
    if lane not in map(str, LANES):
        raise Refused("page.key")
    return Place(int(lane), *parse_key(rest))


def parse_key(key: str) -> tuple[datetime, int]:
    """«time:number» of a line; raises Refused for what is no key."""
    try:
        at, row_id = key.split(":")
        if not row_id.isdecimal() or len(row_id) > 18:
            raise ValueError(row_id)
        return datetime.fromtimestamp(float(at), UTC), int(row_id)
    except (ValueError, OverflowError, OSError):
        raise Refused("page.key") from None


def lanes_of(filters: Filters) -> tuple[int, ...]:
    return (OTHERS,) if filters.stage == "closed" else LANES


def in_lane(filters: Filters, lane: int) -> tuple[ColumnElement[bool], ...]:
    """The lanes of the urgent walk an index of their own. The last one walks the list's: the sum keeps the
    database from taking the index of priorities for a range of it, which it would have to sort."""
    if filters.stage == "closed":
        return ()
    if lane == OTHERS:
        return (Case.priority + 0 >= OTHERS,)
    return (Case.open_key.is_not(None), Case.priority == lane)


def in_order(query: Select[Any], filters: Filters) -> Select[Any]:
    if filters.sort == "due":
        return query.order_by(Case.due_at, Case.id)
    if filters.sort == "wait":
        return query.order_by(Case.last_message_at, Case.id)
    return query.order_by(Case.last_message_at.desc(), Case.id.desc())


def below(filters: Filters, place: Place) -> ColumnElement[bool]:
    """What stands under a line, in its lane."""
    return _beyond(filters, place, later=filters.sort != "new")


def above(filters: Filters, place: Place) -> ColumnElement[bool]:
    return _beyond(filters, place, later=filters.sort == "new")


def _beyond(filters: Filters, place: Place, *, later: bool) -> ColumnElement[bool]:
    column = Case.due_at if filters.sort == "due" else Case.last_message_at
    here, key = tuple_(column, Case.id), tuple_(literal(place.at, UtcDateTime), literal(place.case_id))
    return here > key if later else here < key


def walk(
    session: Session, actor: Actor, filters: Filters, *, after: Place | None, limit: int, arriving: bool
) -> list[Case]:
    """``limit`` cases of a list below ``after``, or its first ones."""
    found: list[Case] = []
    for lane in lanes_of(filters):
        left = limit - len(found)
        if left <= 0 or (after is not None and lane < after.lane):
            continue
        under = after if after is not None and after.lane == lane else None
        found += _of_lane(session, actor, filters, lane, under, left, arriving)
    return found


def _of_lane(
    session: Session, actor: Actor, filters: Filters, lane: int, after: Place | None, limit: int, arriving: bool
) -> list[Case]:
    """The groups of an OR are walked one by one and laid together by key: each has an index that fits."""
    rows: dict[int, Case] = {}
    groups = branches(filters)
    for group in groups:
        query = narrowed(select(Case), filters, actor, arriving, group).where(*in_lane(filters, lane))
        if after is not None:
            query = query.where(below(filters, after))
        rows.update((case.id, case) for case in session.scalars(in_order(query, filters).limit(limit)))
    if len(groups) == 1:
        return list(rows.values())

    def standing(case: Case) -> tuple[datetime, int]:
        return place_of(case, filters.sort).at, case.id

    return sorted(rows.values(), key=standing, reverse=filters.sort == "new")[:limit]


def ids_in_lanes(
    actor: Actor, filters: Filters, arriving: bool, tops: dict[int, Place], reach: int
) -> Iterator[Select[Any]]:
    """Questions for the cases above the first line of each lane, down to the lane that the page reached."""
    for lane in lanes_of(filters):
        if lane > reach:
            return
        for group in branches(filters):
            query = narrowed(select(Case.id), filters, actor, arriving, group).where(*in_lane(filters, lane))
            if lane in tops:
                query = query.where(above(filters, tops[lane]))
            yield query
