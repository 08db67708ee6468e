"""Saved replies: texts with placeholders, filled for one case; what is not known stays for the writer to see."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from models import Author, Case, SavedReply, Staff, utc_now
from services.cases import get_case
from services.errors import NotFound, Refused
from services.events import record
from services.facts import list_facts, values_of
from services.rights import Actor, require
from services.settings.history import keeping
from services.variations import greeting

NAME = "saved"
"""Under it the versions of what everybody may use are kept; what is one person's own is nobody else's to see."""
SCOPES = ("all", "own")
PLACEHOLDER = re.compile(r"\{\{\s*([\w.-]+)\s*(?:\|([^{}]*))?\}\}")
"""``{{author.first}}`` or ``{{author.first|друг}}`` with what to say where nothing is known."""
ALIASES: Mapping[str, str] = {
    "имя": "author.first",
    "автор": "author.name",
    "я": "staff.name",
    "номер": "case.number",
    "привет": "hello",
}
"""Placeholders as a Russian writes them."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A text ready to be put into the composer; ``missing`` names the placeholders that are left in it."""

    text: str
    missing: tuple[str, ...]


def saved_replies(session: Session, actor: Actor, words: str = "", limit: int = 50) -> list[SavedReply]:
    """Those the actor may use, the most used first; each word must stand in title or text."""
    require(actor, "case.reply")
    query = select(SavedReply).where(
        SavedReply.archived_at.is_(None), or_(SavedReply.scope == "all", SavedReply.staff_id == actor.staff_id)
    )
    found = session.scalars(query.order_by(SavedReply.uses.desc(), SavedReply.title, SavedReply.id))
    wanted = [_plain(word) for word in words.split()]
    chosen = [row for row in found if all(word in _plain(f"{row.title} {row.text}") for word in wanted)]
    return chosen[:limit]


def _plain(text: str) -> str:
    return text.casefold().replace("ё", "е")


def get_saved(session: Session, actor: Actor, saved_id: int) -> SavedReply:
    """Raises NotFound for another person's own text."""
    row = session.get(SavedReply, saved_id)
    if row is None or (row.scope == "own" and row.staff_id != actor.staff_id):
        raise NotFound("saved.unknown", id=saved_id)
    return row


def fill(session: Session, actor: Actor, saved_id: int, case_id: int) -> Filled:
    """The text with what is known of the case put in."""
    return fill_text(session, actor, get_saved(session, actor, saved_id).text, case_id)


def fill_text(session: Session, actor: Actor, text: str, case_id: int) -> Filled:
    """Any text with placeholders, filled for one case."""
    known = _known(session, actor, get_case(session, actor, case_id))
    missing: list[str] = []

    def put(match: re.Match[str]) -> str:
        name = ALIASES.get(match.group(1).lower(), match.group(1).lower())
        value = known.get(name) or (match.group(2) or "").strip()
        if not value:
            missing.append(match.group(1))
        return value or match.group()

    return Filled(PLACEHOLDER.sub(put, text), tuple(missing))


def _known(session: Session, actor: Actor, case: Case) -> dict[str, str]:
    author = session.get(Author, case.author_id) if case.author_id else None
    staff = session.get(Staff, actor.staff_id) if actor.staff_id else None
    name = author.name.strip() if author else ""
    return {
        **values_of(list_facts(session)),
        "author.name": name,
        "author.first": _first_name(name),
        "staff.name": staff.name if staff else "",
        "case.number": case.number or "",
        "hello": greeting(_first_name(name), case.id),
    }


def _first_name(name: str) -> str:
    """The first word of a name that looks like one; a nickname is no name to greet with."""
    first = name.split()[0] if name.split() else ""
    return first if re.fullmatch(r"[A-ZА-ЯЁ][a-zа-яё-]{1,}", first) else ""


def snapshot(session: Session) -> list[dict[str, Any]]:
    """What everybody is offered, as a version keeps it."""
    rows = session.scalars(select(SavedReply).where(SavedReply.scope == "all", SavedReply.archived_at.is_(None)))
    return [{"id": row.id, "title": row.title, "text": row.text} for row in sorted(rows, key=lambda row: row.id)]


def save_saved(
    session: Session,
    actor: Actor,
    saved_id: int | None,
    *,
    title: str,
    text: str,
    scope: str = "all",
    form_key: str | None = None,
) -> SavedReply:
    """Makes or changes a saved reply; an own one is changed by its writer only. A new one that comes twice with the
    same ``form_key`` is one."""
    require(actor, "saved.edit")
    if not title.strip() or not text.strip():
        raise Refused("text.empty")
    if scope not in SCOPES:
        raise Refused("saved.scope", scope=scope)
    with keeping(session, actor, NAME, snapshot):  # from here on whoever else sends it waits
        query = select(SavedReply).where(SavedReply.form_key == form_key)
        known = session.scalar(query) if form_key and saved_id is None else None
        if known is not None and known.staff_id == actor.staff_id:
            return known
        row = SavedReply(staff_id=actor.staff_id) if saved_id is None else get_saved(session, actor, saved_id)
        row.form_key = row.form_key or (form_key if known is None else None) or None
        row.title, row.text, row.scope, row.updated_at = title.strip(), text.strip(), scope, utc_now()
        session.add(row)
        session.flush()
    record(session, "saved.changed", actor, object_id=row.id)
    return row


def archive_saved(session: Session, actor: Actor, saved_id: int, *, back: bool = False) -> SavedReply:
    """Not offered any more; ``back`` undoes it."""
    require(actor, "saved.edit")
    row = get_saved(session, actor, saved_id)
    with keeping(session, actor, NAME, snapshot):
        row.archived_at = None if back else utc_now()
    record(session, "saved.restored" if back else "saved.archived", actor, object_id=row.id)
    return row


def replace_saved(session: Session, actor: Actor, rows: Sequence[Mapping[str, Any]]) -> None:
    """What everybody is offered becomes what a version says; those that are there keep their number and how often
    they were used, what came since is laid aside. One that became somebody's own is written anew."""
    require(actor, "saved.edit")
    with keeping(session, actor, NAME, snapshot):
        known = {row.id: row for row in session.scalars(select(SavedReply))}
        wanted = {one["id"] for one in rows}
        for row in known.values():
            if row.scope == "all" and row.archived_at is None and row.id not in wanted:
                row.archived_at = utc_now()
        for one in rows:
            found = known.get(one["id"])
            row = found if found is not None and found.scope == "all" else SavedReply(staff_id=actor.staff_id)
            row.title, row.text, row.archived_at, row.updated_at = one["title"], one["text"], None, utc_now()
            session.add(row)


def count_use(session: Session, actor: Actor, saved_id: int) -> None:
    """It was put into a reply."""
    get_saved(session, actor, saved_id)
    session.execute(update(SavedReply).where(SavedReply.id == saved_id).values(uses=SavedReply.uses + 1))
