"""Two cards that are one person's become one, and apart again exactly as they were."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Table, UniqueConstraint, select, update
from sqlalchemy.orm import Session

from models import Base, Client, Contact, Merge, utc_now
from services.crm.clients import (
    FIELDS,
    add_missing_keys,
    check_use,
    contacts_of,
    get_client,
    rewrite_words,
    touch,
)
from services.errors import NotFound, Refused
from services.events import record
from services.rights import Actor, require

STAYS = frozenset({"client", "client_word", "merge", "import_row"})
"""Tables that refer to a card and stay with it."""
FILLED = FIELDS - {"kind", "name", "last_name", "first_name", "middle_name", "owner_id", "flags", "note"}
"""Fields that a card takes over from the other where its own is empty; of two notes both stand."""


def links_to_clients() -> Iterator[tuple[Table, str]]:
    """(table, column) of whatever refers to a card, also what other rooms add later."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if table.name not in STAYS and any(key.column.table.name == "client" for key in column.foreign_keys):
                yield table, column.name


def last_merge_of(session: Session, client_id: int) -> list[Merge]:
    """Merges into this card that still stand, the newest first."""
    query = select(Merge).where(Merge.kept_id == client_id, Merge.undone_at.is_(None))
    return list(session.scalars(query.order_by(Merge.id.desc())))


def family_of(session: Session, client_id: int) -> list[int]:
    """The card and all that became a part of it: their events stay under their own numbers."""
    found, new = [client_id], [client_id]
    while new:
        new = list(session.scalars(select(Client.id).where(Client.merged_into_id.in_(new))))
        found += new
    return found


def merge_clients(session: Session, actor: Actor, kept_id: int, gone_id: int) -> Merge:
    """``gone_id`` becomes a part of ``kept_id``: what refers to it goes over, empty fields are filled from it."""
    require(actor, "client.merge")
    first, second = sorted((kept_id, gone_id))
    pair = {one: get_client(session, actor, one, hold=True) for one in (first, second)}
    kept, gone = pair[kept_id], pair[gone_id]
    if kept.id == gone.id or gone.id != gone_id or kept.id != kept_id:
        raise Refused("merge.same")
    for client in (kept, gone):
        check_use(client)
        if client.state != "live" or client.hold:
            raise Refused("client.state", id=client.id, state=client.state)
    if (kept.kind == "person") != (gone.kind == "person"):
        raise Refused("merge.kind")
    session.flush()
    mains = {one.kind for one in contacts_of(session, kept.id) if one.is_main}
    second_mains = [one.id for one in contacts_of(session, gone.id) if one.is_main and one.kind in mains]
    moved = {
        "rows": [_move(session, table, column, gone.id, kept.id) for table, column in links_to_clients()],
        "mains": second_mains,
        "filled": _fill(kept, gone),
    }
    session.execute(update(Contact).where(Contact.id.in_(second_mains)).values(is_main=False))
    row = Merge(kept_id=kept.id, gone_id=gone.id, staff_id=actor.staff_id, moved=moved)
    session.add(row)
    gone.state, gone.merged_into_id = "merged", kept.id
    touch(kept)
    touch(gone)
    session.flush()
    session.expire_all()
    rewrite_words(session, kept)
    record(session, "client.merged", actor, client_id=kept.id, object_id=gone.id)
    session.flush()
    session.refresh(row)
    return row


def unmerge(session: Session, actor: Actor, merge_id: int) -> Merge:
    """Takes a merge back: what went over goes back, what was filled is empty again unless somebody changed it."""
    require(actor, "client.merge")
    row = session.get(Merge, merge_id, with_for_update=True)
    if row is None:
        raise NotFound("merge.unknown", id=merge_id)
    kept = session.get_one(Client, row.kept_id, with_for_update=True)
    gone = session.get_one(Client, row.gone_id, with_for_update=True)
    if row.undone_at is not None or gone.merged_into_id != kept.id or kept.state not in ("live", "archived"):
        raise Refused("merge.state")
    check_use(kept)
    tables = {table.name: table for table, _column in links_to_clients()}
    for one in row.moved["rows"]:
        table = tables.get(one["table"])
        if table is not None and one["ids"]:
            column = table.c[one["column"]]
            session.execute(
                update(table).where(table.c.id.in_(one["ids"]), column == kept.id).values({column: gone.id})
            )
    session.execute(update(Contact).where(Contact.id.in_(row.moved["mains"])).values(is_main=True))
    for name, (before, after) in row.moved["filled"].items():
        if _plain(getattr(kept, name)) == after:
            setattr(kept, name, before)  # a date was empty, or it would not have been filled
    gone.state, gone.merged_into_id, row.undone_at = "live", None, utc_now()
    touch(kept)
    touch(gone)
    session.flush()
    session.expire_all()
    add_missing_keys(session, gone)
    rewrite_words(session, kept)
    record(session, "client.unmerged", actor, client_id=kept.id, object_id=gone.id)
    session.flush()
    session.refresh(row)
    return row


def _move(session: Session, table: Table, column: str, gone_id: int, kept_id: int) -> dict[str, Any]:
    """Moves what can go without meeting a row that is there already; returns which."""
    rows = list(session.execute(select(table).where(table.c[column] == gone_id)).mappings())
    ids = [row["id"] for row in rows]
    for one in table.constraints:
        if isinstance(one, UniqueConstraint) and column in one.columns:
            names = [name.name for name in one.columns if name.name != column]
            there = select(*(table.c[name] for name in names)).where(table.c[column] == kept_id)
            taken = {tuple(row) for row in session.execute(there)}
            ids = [
                row["id"] for row in rows if row["id"] in ids and tuple(row[name] for name in names) not in taken
            ]
    other = {"client_id": "other_id", "other_id": "client_id"}.get(column, "") if table.name == "client_tie" else ""
    if other:
        ids = [row["id"] for row in rows if row["id"] in ids and row[other] != kept_id]
    session.execute(update(table).where(table.c.id.in_(ids)).values({table.c[column]: kept_id}))
    return {"table": table.name, "column": column, "ids": ids}


def _fill(kept: Client, gone: Client) -> dict[str, list[Any]]:
    """field → [before, after]."""
    filled: dict[str, list[Any]] = {}
    for name in sorted(FILLED):
        before, theirs = getattr(kept, name), getattr(gone, name)
        after = {**theirs, **before} if name == "details" else before or theirs
        if after != before:
            filled[name] = [_plain(before), _plain(after)]
            setattr(kept, name, after)
    if gone.note and gone.note != kept.note:
        after = f"{kept.note}\n{gone.note}".strip()
        filled["note"] = [kept.note, after]
        kept.note = after
    return filled


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
