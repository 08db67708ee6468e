"""The school as a party: its requisites, who signs, its licence or the word that it has none."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Setting
from services.documents.fields import DATE, GROUPS
from services.errors import Refused
from services.events import record
from services.rights import Actor, require
from services.settings.history import keep

NAME = "organisation"
GROUPS_HERE = ("org", "sign")


def read_organisation(session: Session) -> dict[str, dict[str, Any]]:
    """«org» and «sign» as templates name them; «more» holds city and whether there is a licence."""
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    stored = row.value if row is not None else {}
    return {group: dict(stored.get(group, {})) for group in (*GROUPS_HERE, "more")}


def has_licence(session: Session) -> bool | None:
    """None while nobody has said."""
    said = read_organisation(session)["more"].get("licence")
    return None if said is None else said == "yes"


def save_organisation(session: Session, actor: Actor, values: Mapping[str, str]) -> None:
    """``values``: «org.inn» and the like, «more.city», «more.licence» yes · no. Unknown names are refused."""
    require(actor, "template.approve")
    keep(session, actor, NAME, check_fields(values))
    record(session, "organisation.saved", actor)


def check_fields(values: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The fields as they are kept; raises Refused for a name there is not and for a date that is none."""
    stored: dict[str, dict[str, Any]] = {"org": {}, "sign": {}, "more": {}}
    for name, value in values.items():
        group, _, field = name.partition(".")
        known = GROUPS.get(group, {}) if group in GROUPS_HERE else {"city": "text", "licence": "text"}
        if group not in stored or field not in known:
            raise Refused("organisation.field", word=name)
        text = value.strip()
        if text and known[field] == DATE and not _is_day(text):
            raise Refused("date.invalid")
        if text:
            stored[group][field] = text
    return stored


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
