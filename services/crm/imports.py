"""Cards from a file: mapped, looked at, taken in piece by piece, taken back as a whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session, undefer

from models import (
    Client,
    ClientImport,
    ClientWord,
    Contact,
    Event,
    ImportRow,
    Staff,
    Study,
    utc_now,
)
from models.database import Database
from services.crm.clients import KINDS, new_client, rewrite_words, touch, words_for
from services.crm.import_rows import Card, check_mapping, guess_mapping, read_card
from services.crm.merging import links_to_clients
from services.crm.segments import segment_of
from services.crm.tables import count_rows, first_rows, kind_of, read_rows
from services.errors import NotFound, Refused
from services.events import record
from services.rights import Actor, actor_of, require

PIECE = 500
SHOWN = 20
LOOKED_AT = 2000
"""Rows among which the preview counts duplicates and refusals."""


@dataclass(frozen=True, slots=True)
class Preview:
    """``cards`` are the first rows as they would be taken; the numbers are of the first LOOKED_AT rows."""

    heading: list[str]
    cards: list[tuple[Card, Client | None]]
    looked_at: int
    known: int
    refused: int


def list_imports(session: Session, actor: Actor) -> list[ClientImport]:
    require(actor, "client.import")
    return list(session.scalars(select(ClientImport).order_by(ClientImport.id.desc()).limit(50)))


def get_import(session: Session, actor: Actor, import_id: int, *, hold: bool = False) -> ClientImport:
    require(actor, "client.import")
    row = session.get(ClientImport, import_id, with_for_update=hold)
    if row is None:
        raise NotFound("import.unknown", id=import_id)
    return row


def rows_of(session: Session, actor: Actor, import_id: int, outcome: str, limit: int = 100_000) -> list[ImportRow]:
    """What is to be said of single rows: joined · skipped · refused · kept."""
    require(actor, "client.import")
    query = select(ImportRow).where(ImportRow.import_id == import_id, ImportRow.outcome == outcome)
    return list(session.scalars(query.order_by(ImportRow.number).limit(limit)))


def preview(session: Session, actor: Actor, import_id: int) -> Preview:
    """What would become of the file with its present mapping."""
    row = get_import(session, actor, import_id)
    content = _content(session, row.id)
    rows = first_rows(content, row.kind, LOOKED_AT)
    cards = [read_card(at, cells, row.mapping, rows[0]) for at, cells in enumerate(rows[1:], 1)]
    holders = _holders(session, cards)
    known = [_holder(card, holders) for card in cards]
    return Preview(
        rows[0], list(zip(cards, known, strict=True))[:SHOWN], len(cards),
        sum(one is not None for one in known), sum(bool(card.code) for card in cards),
    )  # fmt: skip


def begin_import(session: Session, actor: Actor, file_name: str, content: bytes) -> ClientImport:
    """Keeps the file and guesses what its columns are; nothing is taken in yet."""
    require(actor, "client.import")
    kind = kind_of(content)
    heading = first_rows(content, kind, 1)[0]
    row = ClientImport(
        staff_id=actor.staff_id, file_name=file_name[:200] or kind, kind=kind, content=content, columns=heading,
        mapping=guess_mapping(heading), options={"duplicates": "join"}, total=count_rows(content, kind),
    )  # fmt: skip
    session.add(row)
    session.flush()
    record(session, "import.begun", actor, object_id=row.id, count=row.total)
    return row


def map_import(
    session: Session, actor: Actor, import_id: int, mapping: Mapping[str, str], duplicates: str
) -> ClientImport:
    """Another mapping, to be looked at."""
    row = get_import(session, actor, import_id, hold=True)
    if row.state != "preview":
        raise Refused("import.state")
    row.mapping = check_mapping(mapping)
    row.options = {"duplicates": "skip" if duplicates == "skip" else "join"}
    return row


def start_import(session: Session, actor: Actor, import_id: int) -> ClientImport:
    """From now on ``run_imports`` takes it in."""
    row = get_import(session, actor, import_id, hold=True)
    if row.state != "preview":
        raise Refused("import.state")
    check_mapping(row.mapping)
    row.state = "running"
    record(session, "import.started", actor, object_id=row.id)
    return row


def undo_import(session: Session, actor: Actor, import_id: int) -> ClientImport:
    """Takes back what the import did; cards edited since stay and are listed."""
    row = get_import(session, actor, import_id, hold=True)
    if row.state != "done":
        raise Refused("import.state")
    row.state, row.place = "undoing", 0
    record(session, "import.undone", actor, object_id=row.id)
    return row


def run_imports(database: Database) -> int:
    """Does what was begun, oldest first; a kill costs one piece. Returns how many rows or cards were dealt with."""
    count = 0
    while True:
        with database.read.begin() as session:
            query = select(ClientImport.id, ClientImport.state).where(
                ClientImport.state.in_(("running", "undoing"))
            )
            found = session.execute(query.order_by(ClientImport.id).limit(1)).first()
        if found is None:
            return count
        count += _take_in(database, found.id) if found.state == "running" else _take_back(database, found.id)


def _content(session: Session, import_id: int) -> bytes:
    query = select(ClientImport).where(ClientImport.id == import_id).options(undefer(ClientImport.content))
    content = session.scalars(query.execution_options(populate_existing=True)).one().content
    if content is None:
        raise Refused("import.state")
    return content


def _take_in(database: Database, import_id: int) -> int:
    with database.read.begin() as session:
        content = _content(session, import_id)
        row = session.get_one(ClientImport, import_id)
        mapping, kind, place = row.mapping, row.kind, row.place
    rows = read_rows(content, kind)
    heading = next(rows)
    numbered = enumerate(rows, 1)
    done = 0
    for _ in islice(numbered, place):
        pass  # taken in before a kill
    while True:
        piece = [read_card(at, cells, mapping, heading) for at, cells in islice(numbered, PIECE)]
        with database.write.begin() as session:
            row = session.get_one(ClientImport, import_id, with_for_update=True)
            if row.state != "running":
                return done
            if not piece:
                row.state, row.done_at, row.content = "done", utc_now(), None
                actor = actor_of(session.get_one(Staff, row.staff_id))
                record(session, "import.done", actor, object_id=row.id, **row.counts)
                return done
            _store(session, row, piece)
            row.place = piece[-1].number
        done += len(piece)


def _holders(session: Session, cards: Sequence[Card]) -> dict[str, Client]:
    """live key, or «id:…» for the number in the school's own system → the card that has it."""
    keys = [key for card in cards for key in card.keys]
    numbers = [str(card.fields["external_id"]) for card in cards if "external_id" in card.fields]
    found: dict[str, Client] = {}
    for start in range(0, len(keys), 400):
        query = select(Contact.live_key, Client).join(Client, Client.id == Contact.client_id)
        for key, client in session.execute(query.where(Contact.live_key.in_(keys[start : start + 400]))):
            found[str(key)] = client
    for start in range(0, len(numbers), 400):
        for client in session.scalars(select(Client).where(Client.external_id.in_(numbers[start : start + 400]))):
            found[f"id:{client.external_id}"] = client
    return found


def _holder(card: Card, holders: Mapping[str, Client]) -> Client | None:
    keys = [*card.keys, *([f"id:{card.fields['external_id']}"] if "external_id" in card.fields else [])]
    found = {id(client): client for key in keys if (client := holders.get(key)) is not None}
    if len(found) > 1:
        card.code = card.code or "import.two"
    return next(iter(found.values()), None)


def _store(session: Session, row: ClientImport, piece: Sequence[Card]) -> None:
    counts = {name: int(row.counts.get(name, 0)) for name in ("made", "joined", "skipped", "refused")}
    holders = _holders(session, piece)
    fresh: list[tuple[Card, Client]] = []
    joins: list[tuple[Card, Client]] = []
    for card in piece:
        holder = _holder(card, holders)
        outcome = "made"
        if card.code:
            outcome = "refused"
        elif holder is not None and (holder.state != "live" or holder.blocked_at is not None):
            outcome, card.code = "refused", "client.state"
        elif holder is not None:
            outcome = "skipped" if row.options.get("duplicates") == "skip" else "joined"
        counts[outcome] += 1
        if outcome == "made":
            holder = _make(session, row, card)
            fresh.append((card, holder))
        elif outcome == "joined" and holder is not None:
            joins.append((card, holder))
        else:
            session.add(
                ImportRow(
                    import_id=row.id, number=card.number, outcome=outcome, code=card.code,
                    client_id=holder.id if holder else None, cells=card.cells if outcome == "refused" else {},
                )
            )  # fmt: skip
            continue
        if holder is not None:
            holders |= dict.fromkeys(card.keys, holder)
            if "external_id" in card.fields:
                holders.setdefault(f"id:{card.fields['external_id']}", holder)
    _events(session, row, _settle(session, fresh))
    if joins:
        _join(session, row, joins)
    row.counts = counts


def _make(session: Session, row: ClientImport, card: Card) -> Client:
    given: dict[str, Any] = {
        name: value for name, value in card.fields.items() if name not in ("name", "external_id")
    }
    name = str(card.fields["name"])
    kind = KINDS[1] if len(str(given.get("inn") or "")) == 10 else KINDS[0]
    client = new_client(session, row.staff_id, name=name, kind=kind, **given)
    client.import_id = row.id
    client.external_id = str(card.fields["external_id"]) if "external_id" in card.fields else None
    client.segment = segment_of([Study(**card.study)] if card.study else [], utc_now().date())
    session.add(client)
    return client


def _settle(session: Session, fresh: Sequence[tuple[Card, Client]]) -> list[int]:
    """Writes the new cards in one go, then all that needs their numbers, which it returns."""
    session.flush()
    words: list[dict[str, Any]] = []
    contacts: list[dict[str, Any]] = []
    studies: list[dict[str, Any]] = []
    for card, client in fresh:
        words += [{"client_id": client.id, "word": row.word} for row in words_for(client)]
        studies += [{"client_id": client.id, **card.study}] if card.study else []
        mains: set[str] = set()
        for one in card.contacts:
            contacts.append(
                {
                    "client_id": client.id, "kind": one.kind, "value": one.value, "key": one.key, "tail": one.tail,
                    "live_key": one.live_key, "is_main": one.kind not in mains,
                }
            )  # fmt: skip
            mains.add(one.kind)
    for table, rows in ((ClientWord, words), (Contact, contacts), (Study, studies)):
        if rows:
            session.execute(insert(table), rows)
    return [client.id for _card, client in fresh]


def _join(session: Session, row: ClientImport, joins: Sequence[tuple[Card, Client]]) -> None:
    """Fills what is empty in cards that are there, adds contacts and courses; keeps what they were."""
    ids = {client.id for _card, client in joins}
    keys = {(one.client_id, one.key) for one in session.scalars(select(Contact).where(Contact.client_id.in_(ids)))}
    courses = {
        (one.client_id, one.course, one.group_name)
        for one in session.scalars(select(Study).where(Study.client_id.in_(ids)))
    }
    actor = actor_of(session.get_one(Staff, row.staff_id))
    notes: list[tuple[ImportRow, dict[str, Any], list[Contact], list[Study]]] = []
    for card, client in joins:
        contacts, studies = [], []
        for one in card.contacts:
            if (client.id, one.key) not in keys:
                keys.add((client.id, one.key))
                contacts.append(
                    Contact(
                        client_id=client.id, kind=one.kind, value=one.value, key=one.key, tail=one.tail,
                        live_key=one.live_key,
                    )
                )  # fmt: skip
        if card.study:
            course = (client.id, str(card.study["course"]), str(card.study["group_name"]))
            if course not in courses:
                courses.add(course)
                studies.append(Study(client_id=client.id, **card.study))
        fields = _fill_empty(client, card)
        if client.import_id != row.id:
            # A card that this import made itself goes back as a whole.
            touch(client)
            record(session, "client.imported", actor, client_id=client.id, object_id=row.id)
        note = ImportRow(
            import_id=row.id, number=card.number, outcome="joined", client_id=client.id, version=client.version
        )
        session.add_all([note, *contacts, *studies])
        notes.append((note, fields, contacts, studies))
    session.flush()
    for note, fields, contacts, studies in notes:
        note.before = {
            "fields": fields, "contacts": [one.id for one in contacts], "studies": [one.id for one in studies],
        }  # fmt: skip


def _fill_empty(client: Client, card: Card) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for name in ("birth_date", "note", "origin", "inn", "external_id"):
        value: Any = card.fields.get(name)
        if value and not getattr(client, name):
            setattr(client, name, value)
            filled[name] = value.isoformat() if hasattr(value, "isoformat") else value
    return filled


def _events(session: Session, row: ClientImport, ids: Sequence[int]) -> None:
    if ids:
        made = {"at": utc_now(), "kind": "client.created", "staff_id": row.staff_id, "case_id": None}
        session.execute(
            insert(Event),
            [{**made, "client_id": one, "object_id": None, "data": {"import": row.id}} for one in ids],
        )


def _take_back(database: Database, import_id: int) -> int:
    """Cards that nobody touched go; joined ones get back what they had; the others are listed as kept."""
    done, last = 0, 0
    while True:
        with database.write.begin() as session:
            row = session.get_one(ClientImport, import_id, with_for_update=True)
            query = select(Client).where(Client.import_id == import_id, Client.id > last).order_by(Client.id)
            clients = list(session.scalars(query.limit(PIECE)))
            if not clients:
                kept = _take_back_joined(session, row)
                _finish_undo(session, row, kept)
                return done
            used = _used(session, [client.id for client in clients])
            gone = [one.id for one in clients if one.version == 1 and one.id not in used and one.state == "live"]
            _delete(session, gone)
            for client in clients:
                if client.id not in gone:
                    _keep(session, row, client)
            row.counts = {**row.counts, "undone": int(row.counts.get("undone", 0)) + len(gone)}
            last = clients[-1].id
        done += len(clients)


def _used(session: Session, ids: Sequence[int]) -> set[int]:
    """Cards that something refers to by now, beyond what the import itself wrote."""
    found: set[int] = set()
    for table, column in links_to_clients():
        if table.name not in ("contact", "study"):
            found |= set(session.scalars(select(table.c[column]).where(table.c[column].in_(ids)).distinct()))
    return found


def _delete(session: Session, ids: Sequence[int]) -> None:
    if not ids:
        return
    session.execute(delete(ImportRow).where(ImportRow.client_id.in_(ids)))
    for table in (ClientWord, Contact, Study):
        session.execute(delete(table).where(table.client_id.in_(ids)))
    session.execute(delete(Client).where(Client.id.in_(ids)))


def _keep(session: Session, row: ClientImport, client: Client) -> None:
    known = select(ImportRow.id).where(ImportRow.import_id == row.id, ImportRow.number == -client.id)
    if session.scalar(known) is None:
        session.add(ImportRow(import_id=row.id, number=-client.id, outcome="kept", client_id=client.id))


def _take_back_joined(session: Session, row: ClientImport) -> int:
    kept = 0
    rows = session.scalars(
        select(ImportRow).where(ImportRow.import_id == row.id, ImportRow.outcome == "joined")
        .order_by(ImportRow.number.desc())
    )  # fmt: skip
    for one in rows.all():
        client = session.get(Client, one.client_id) if one.client_id is not None else None
        if client is None or client.import_id == row.id:
            continue
        if client.version != one.version:
            one.outcome = "kept"
            kept += 1
            continue
        for name, value in one.before["fields"].items():
            present = getattr(client, name)
            if (present.isoformat() if hasattr(present, "isoformat") else present) == value:
                setattr(client, name, "" if name in ("note", "origin") else None)
        session.execute(delete(Contact).where(Contact.id.in_(one.before["contacts"])))
        session.execute(delete(Study).where(Study.id.in_(one.before["studies"])))
        one.outcome = "undone"
        # An earlier row of the file may have joined the same card: it finds the version it left.
        client.version = max((one.version or 1) - 1, 1)
        rewrite_words(session, client)
    return kept


def _finish_undo(session: Session, row: ClientImport, kept: int) -> None:
    made = session.scalar(select(func.count()).where(ImportRow.import_id == row.id, ImportRow.outcome == "kept"))
    row.state, row.counts = "undone", {**row.counts, "kept": max(made or 0, kept)}
    record(session, "import.taken_back", actor_of(session.get_one(Staff, row.staff_id)), object_id=row.id)


def refused_lines(session: Session, actor: Actor, import_id: int) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """(row, code, cells) of each refused row, for a file that can be corrected and handed in again."""
    for row in rows_of(session, actor, import_id, "refused"):
        yield row.number, row.code, row.cells
