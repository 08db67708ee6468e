"""What changed in a list since it was drawn: the lines anew, and how many stand above the first one."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Case
from models.database import Database
from services.counters import Counted, count_open, counters_of
from services.filters import Filters
from services.inbox import PAGE, CasePage, Row, ids_above, list_cases, rows_of
from services.order import OTHERS, parse_place, place_of
from services.rights import Actor, require
from services.together import Together

MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """A list as a screen has it: ``top`` as ``newer_ids`` says, ``ids`` of the lines to be told anew; ``unread``:
    nobody reads it, so that new ones may come by themselves."""

    filters: Filters
    top: str
    ids: tuple[int, ...]
    unread: bool = False
    arriving: bool = False


@dataclass(frozen=True, slots=True)
class News:
    """To a list that nobody reads new ones come by themselves: as its first ``page``, or as ``fresh`` lines to what
    stands there; else they are so many ``newer`` ones."""

    rows: tuple[Row, ...]
    newer: int = 0
    fresh: tuple[Row, ...] = ()
    page: CasePage | None = None


def tell_news(database: Database, together: Together, actor: Actor, shown: Shown) -> tuple[dict[str, int], News]:
    """Numbers beside the views, and what became of a list, read once for all whose screens show the same."""
    require(actor, "case.view")

    def count() -> Counted:
        with database.read.begin() as session:
            return count_open(session, shown.arriving)

    def look() -> News:
        with database.read.begin() as session:
            return _news(session, actor, shown)

    counted = together.ask(("open", shown.arriving), count)
    whose = actor.staff_id if shown.filters.is_personal else None
    return counters_of(counted, actor), together.ask((shown, whose), look)


def _news(session: Session, actor: Actor, shown: Shown) -> News:
    rows = rows_by_ids(session, actor, shown.ids)
    newer = newer_ids(session, actor, shown.filters, shown.top, arriving=shown.arriving)
    if not newer or not shown.unread:
        return News(rows, len(newer))
    if not shown.top or len(newer) == PAGE:
        return News(rows, page=list_cases(session, actor, shown.filters, arriving=shown.arriving))
    return News(rows, fresh=rows_by_ids(session, actor, newer))


def key_of(case: Case) -> str:
    """Where the case stands in a list of the newest: its lane, then the later and the newer, the higher."""
    return str(place_of(case))


def rows_by_ids(session: Session, actor: Actor, case_ids: Sequence[int]) -> tuple[Row, ...]:
    """The lines of these cases as they are now, whatever the filter; dissolved ones are left out."""
    require(actor, "case.view")
    wanted = list(case_ids)[:MOST_ROWS]
    if not wanted:
        return ()
    return rows_of(session, list(session.scalars(select(Case).where(Case.id.in_(wanted)))))


def newer_ids(
    session: Session, actor: Actor, filters: Filters, top: str | None, *, arriving: bool = False
) -> list[int]:
    """The cases of the view that stand above what was drawn, PAGE at most.

    ``top``: keys of the first line of each lane, parted by commas, and after «|» the lane that the page reached
    (all of them without it). None or empty: the list was empty. In another order than by the newest, new ones
    come elsewhere.
    """
    if filters.sort != "new" and top:
        return []
    keys, _, reached = (top or "").partition("|")
    tops = [parse_place(key) for key in keys.split(",") if key][: OTHERS + 1]
    reach = int(reached) if reached.isdecimal() and len(reached) == 1 else OTHERS
    return ids_above(session, actor, filters, tops, reach, arriving=arriving, most=PAGE)
