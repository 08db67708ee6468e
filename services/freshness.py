"""What changed in a list since it was drawn: the lines anew, and how many stand above the first one."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Case
from services.filters import Filters
from services.inbox import PAGE, Row, count_above, rows_of
from services.order import OTHERS, parse_place, place_of
from services.rights import Actor, require

MOST_ROWS = 200


def key_of(case: Case) -> str:
    """Where the case stands in a list of the newest: its lane, then the later and the newer, the higher."""
    return str(place_of(case))


def rows_by_ids(session: Session, actor: Actor, case_ids: Sequence[int]) -> tuple[Row, ...]:
    """The lines of these cases as they are now, whatever the filter; dissolved ones are left out."""
    require(actor, "case.view")
    wanted = list(case_ids)[:MOST_ROWS]
    return rows_of(session, list(session.scalars(select(Case).where(Case.id.in_(wanted)))))


def count_newer(
    session: Session, actor: Actor, filters: Filters, top: str | None, *, arriving: bool = False
) -> int:
    """How many cases of the view stand above what was drawn, PAGE at most.

    ``top``: keys of the first line of each lane, parted by commas, and after «|» the lane that the page reached
    (all of them without it). None or empty: the list was empty. In another order than by the newest, new ones
    come elsewhere.
    """
    if filters.sort != "new" and top:
        return 0
    keys, _, reached = (top or "").partition("|")
    tops = [parse_place(key) for key in keys.split(",") if key][: OTHERS + 1]
    reach = int(reached) if reached.isdecimal() and len(reached) == 1 else OTHERS
    return count_above(session, actor, filters, tops, reach, arriving=arriving, most=PAGE)
