"""What makes an incident, as a table: a theme, how many, how fast, of how many people, and whom it is put to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Department
from services.errors import Refused
from services.responsibility import all_themes
from services.rights import Actor, require
from services.settings.history import keep, value_of

NAME = "incidents"
COPIES = ""
"""The theme of the row for near copies of one complaint, whatever they are about."""
LABELS = ("complaint", "question")
MOST, LONGEST = 500, 24 * 60


@dataclass(frozen=True, slots=True)
class Trouble:
    """``enough`` cases with one of ``labels`` within ``minutes``, by ``authors`` people at least, are an incident.

    ``department``: its code; None: whom the theme leads to, else the technical department.
    """

    theme: str
    labels: tuple[str, ...] = ("complaint",)
    enough: int = 5
    minutes: int = 10
    authors: int = 3
    department: str | None = "technical"
    active: bool = True


DEFAULTS = (
    Trouble("access"),
    Trouble("video"),
    Trouble("site"),
    Trouble("app"),
    Trouble("payment"),
    Trouble(COPIES, department=None),
)
"""domain.md §6.7: five alike within ten minutes; three people at least, or one who writes everywhere would do."""

TITLES: Mapping[str, str] = {
    "access": "Не пускает в кабинет или на курс", "video": "Не работает видео", "site": "Не работает сайт",
    "app": "Не работает приложение", "payment": "Не проходит оплата", COPIES: "Одинаковые жалобы",
}  # fmt: skip
"""How an incident is called until somebody names it better, in the language of the school's people."""


def troubles_of(session: Session) -> tuple[Trouble, ...]:
    """The department's own table, else the one that came."""
    return read_troubles(value_of(session, NAME))


def read_troubles(value: Mapping[str, Any] | None) -> tuple[Trouble, ...]:
    """The table that a value of the setting means."""
    if value is None:
        return DEFAULTS
    return tuple(Trouble(**{**one, "labels": tuple(one["labels"])}) for one in value["rows"])


def save_troubles(session: Session, actor: Actor, rows: Sequence[Trouble]) -> None:
    """Keeps the table; it holds for what comes from now on. Raises Refused for a row that makes no sense."""
    require(actor, "settings.edit")
    check_troubles(session, rows)
    keep(session, actor, NAME, {"rows": [{**asdict(one), "labels": list(one.labels)} for one in rows]})


def check_troubles(session: Session, rows: Sequence[Trouble]) -> None:
    """Raises Refused for a row that makes no sense."""
    known, codes = {COPIES, *all_themes()}, set(session.scalars(select(Department.code)))
    for one in rows:
        sensible = 2 <= one.enough <= MOST and 1 <= one.minutes <= LONGEST and 1 <= one.authors <= one.enough
        if one.theme not in known or not one.labels or not set(one.labels) <= set(LABELS) or not sensible:
            raise Refused("incident.row", theme=one.theme)
        if one.department is not None and one.department not in codes:
            raise Refused("incident.row", theme=one.theme)
    if len({one.theme for one in rows}) != len(rows):
        raise Refused("incident.row", theme="")
