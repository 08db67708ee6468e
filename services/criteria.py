"""By what an answer is judged: a table of criteria that the head edits; a number stays that of one criterion."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from services.errors import Refused
from services.rights import Actor, require
from services.settings.history import keep, value_of

NAME = "criteria"
MOST = 30
"""Criteria that ever were, the laid aside ones among them."""
MOST_IN_USE = 9
LONGEST = 60
MARKS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Criterion:
    """``active``: answers are judged by it from now on; the marks given by one laid aside stay."""

    number: int
    title: str
    active: bool = True


DEFAULTS = (
    Criterion(1, "По делу"),
    Criterion(2, "Вежливо"),
    Criterion(3, "Полно"),
    Criterion(4, "В срок"),
    Criterion(5, "По правилам"),
)


def criteria_of(session: Session) -> tuple[Criterion, ...]:
    """All that there are and were, in the order of the table."""
    return read_criteria(value_of(session, NAME))


def read_criteria(value: Mapping[str, Any] | None) -> tuple[Criterion, ...]:
    """The table that a value of the setting means."""
    return tuple(Criterion(**one) for one in value["rows"]) if value is not None else DEFAULTS


def in_use(session: Session) -> tuple[Criterion, ...]:
    """Those by which an answer is judged now."""
    return tuple(one for one in criteria_of(session) if one.active)


def save_criteria(session: Session, actor: Actor, rows: Sequence[tuple[int | None, str, bool]]) -> None:
    """Keeps (number, title, active) in their order; without a number it is a new one. What is left out is laid
    aside: its marks speak of it still.

    Raises Refused for a title that is none, or stands twice, for a number that there is not, and for too many.
    """
    require(actor, "review.mark")
    known = {one.number: one for one in criteria_of(session)}
    found: list[Criterion] = []
    free = max(known, default=0) + 1
    for number, title, active in rows:
        title = " ".join(title.split())
        if not title or len(title) > LONGEST or (number is not None and number not in known):
            raise Refused("criterion.title")
        found.append(Criterion(free if number is None else number, title, active))
        free += number is None
    named = {one.number for one in found}
    found += [Criterion(one.number, one.title, False) for one in known.values() if one.number not in named]
    used = [one.title.casefold() for one in found if one.active]
    if len(named) != len(rows) or len(set(used)) != len(used):
        raise Refused("criterion.twice")
    if not used or len(used) > MOST_IN_USE or len(found) > MOST:
        raise Refused("criterion.many", most=MOST_IN_USE)
    keep(session, actor, NAME, {"rows": [asdict(one) for one in found]})
