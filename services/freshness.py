"""What changed in a list since it was drawn: the lines anew, and how many stand above the first one."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Case
from services.inbox import PAGE, Filters, Row, keys_above, parse_key, rows_of
from services.rights import Actor, require

MOST_ROWS = 200


def key_of(case: Case) -> str:
    """Where the case stands in a list: the later and the newer, the higher."""
    return f"{case.last_message_at.timestamp():.6f}:{case.id}"


def rows_by_ids(session: Session, actor: Actor, case_ids: Sequence[int]) -> tuple[Row, ...]:
    """The lines of these cases as they are now, whatever the filter; dissolved ones are left out."""
    require(actor, "case.view")
    wanted = list(case_ids)[:MOST_ROWS]
    return rows_of(session, list(session.scalars(select(Case).where(Case.id.in_(wanted)))))


def count_newer(
    session: Session, actor: Actor, filters: Filters, top: str | None, *, arriving: bool = False
) -> int:
    """How many cases of the view stand above the key ``top`` (of its first line when it was drawn), PAGE at most.

    ``top`` None means that the list was empty then. In another order than by the newest, new ones come elsewhere.
    """
    if filters.sort != "new" and top:
        return 0
    first = parse_key(top) if top else None
    return keys_above(session, actor, filters, first, arriving=arriving, most=PAGE)
