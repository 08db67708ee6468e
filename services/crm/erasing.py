"""Erasure of a person: cards and words go, counts stay, an act and a log prove it, a ledger outlives a restore."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session, undefer

from models import (
    Author,
    Call,
    Client,
    ClientExport,
    ClientImport,
    ClientNote,
    ClientTie,
    ClientWord,
    Consent,
    Contact,
    Deal,
    Erasure,
    Event,
    ImportRow,
    Merge,
    PrivacyRequest,
    Route,
    SensitiveField,
    Task,
    utc_now,
)
from models.database import Database
from services.crm.clients import get_client
from services.crm.forgetting import (
    forget_quarantine,
    forget_questions,
    forget_words,
    hidden_id,
    hide_author,
    scrub,
)
from services.crm.subjects import block_client
from services.crm.timeline import Scope, scope_of
from services.errors import Refused
from services.events import record
from services.leases import next_numbers
from services.rights import DESK, Actor, require

GROUNDS = ("withdrawal", "request", "term", "purpose")
"""Consent withdrawn · the person's demand · the term of keeping is over · the purpose is reached."""
KEEPERS: list[Callable[[Session, Sequence[int]], list[str]]] = []
"""Who must keep a card by law says so here: (session, card numbers) → reasons. Then it is blocked, not erased."""
FORGETTERS: list[Callable[[Session, Sequence[int]], dict[str, int]]] = []
"""Rooms that hold words of a person put them out here: (session, card numbers) → category → rows."""
LEDGER = "erasures.jsonl"
"""Beside the database and in no backup: numbers only."""


def erase_client(
    session: Session, actor: Actor, client_id: int, ground: str, request_id: int | None = None
) -> Erasure:
    """Puts the person out of the card and of everything linked to it; raises Refused(client.hold) on a hold.

    What the law bids to keep stays, blocked, with the reason in the act.
    """
    require(actor, "privacy.act")
    client = get_client(session, actor, client_id, hold=True)
    if ground not in GROUNDS:
        raise Refused("erasure.ground")
    if client.hold:
        raise Refused("client.hold", id=client.id)
    scope = scope_of(session, client.id)
    kept = [reason for keeper in KEEPERS for reason in keeper(session, scope.clients)]
    if kept:
        block_client(session, actor, client.id)
        return _act(session, actor, client, ground, {}, kept, request_id, method="blocked")
    log = _log_of(session, scope)
    counts = put_out(session, scope)
    return _act(session, actor, client, ground, counts, [], request_id, method="erased", log=log)


def put_out(session: Session, scope: Scope) -> dict[str, int]:
    """The erasure itself, without act and event; safe to repeat. Category → rows."""
    scrub(session)
    marks = _marks(session, scope)
    counts = forget_words(session, scope.authors)
    for author in session.scalars(select(Author).where(Author.id.in_(scope.authors))):
        hide_author(session, author)
    counts["quarantine"] = forget_quarantine(session, marks)
    mine = scope.clients
    for table in (Contact, ClientWord, SensitiveField):
        found = session.execute(delete(table).where(table.client_id.in_(mine)))
        counts[table.__tablename__] = found.rowcount  # type: ignore[attr-defined]
    session.execute(delete(ClientTie).where(ClientTie.client_id.in_(mine) | ClientTie.other_id.in_(mine)))
    gone: dict[Any, dict[str, Any]] = {
        ClientNote: {"text": ""},
        Task: {"text": "", "result": "", "number": None, "open_key": None, "state": "dropped", "remind_at": None},
        Deal: {"product": "", "loss_note": "", "form_key": None},
        Call: {"number": "", "topic": "", "note": ""},
        Consent: {"address": None, "evidence": {}, "withdrawn_how": None},
        PrivacyRequest: {"text": "", "answer": "", "prolonged_why": "", "known_by": ""},
        ImportRow: {"cells": {}, "before": {}},
    }
    for table, values in gone.items():
        done = session.execute(update(table).where(table.client_id.in_(mine)).values(**values))
        counts[table.__tablename__] = done.rowcount  # type: ignore[attr-defined]
    session.execute(
        update(Merge).where(Merge.kept_id.in_(mine) | Merge.gone_id.in_(mine)).values(moved={"rows": []})
    )
    counts["route"] = forget_questions(session, Route.client_id.in_(mine))
    _forget_files(session, scope, marks)
    for forget in FORGETTERS:
        counts |= forget(session, mine)
    for client in session.scalars(select(Client).where(Client.id.in_(mine))):
        _blank(client)
    counts["client"] = len(mine)
    session.flush()
    return {name: count for name, count in counts.items() if count}


def _blank(client: Client) -> None:
    client.name, client.name_key = f"№{client.id}", f"№{client.id}"
    client.last_name = client.first_name = client.middle_name = client.note = client.origin = ""
    client.gender = client.birth_date = client.inn = client.external_id = None
    client.time_zone = client.preferred_channel = None
    client.details, client.flags, client.state = {}, [], "erased"
    client.version += 1


def _marks(session: Session, scope: Scope) -> set[str]:
    """What tells the person anywhere: contacts as they are compared and as digits, ids of accounts."""
    keys = set(session.scalars(select(Contact.key).where(Contact.client_id.in_(scope.clients))))
    ids = set(session.scalars(select(Author.external_id).where(Author.id.in_(scope.authors))))
    return keys | ids | {key.removeprefix("+") for key in keys}


def _forget_files(session: Session, scope: Scope, marks: set[str]) -> None:
    """Files that hold the person: exports with the card in them, imports that still wait, refused rows."""
    taken = select(Event.object_id).where(Event.client_id.in_(scope.clients), Event.kind == "client.exported")
    session.execute(
        update(ClientExport).where(ClientExport.id.in_(taken), ClientExport.state == "ready")
        .values(content=None, state="gone")
    )  # fmt: skip
    refused = select(ImportRow).where(ImportRow.outcome == "refused").execution_options(yield_per=400)
    for row in session.scalars(refused):
        if any(mark in json.dumps(row.cells, ensure_ascii=False) for mark in marks if len(mark) > 5):
            row.cells = {}
    waiting = select(ClientImport).where(ClientImport.content.is_not(None)).options(undefer(ClientImport.content))
    for file in session.scalars(waiting):
        if file.state == "preview":
            file.content, file.state = None, "undone"


def _log_of(session: Session, scope: Scope) -> str:
    """The log that goes with the act (order 179): who did what and when, in codes and numbers only."""
    query = select(Event).where(Event.client_id.in_(scope.clients)).order_by(Event.id)
    rows = [
        {"id": one.id, "at": one.at.isoformat(), "kind": one.kind, "staff": one.staff_id, "card": one.client_id}
        for one in session.scalars(query)
    ]
    return json.dumps(rows, separators=(",", ":"))


def _act(
    session: Session, actor: Actor, client: Client, ground: str, counts: dict[str, int], kept: list[str],
    request_id: int | None, *, method: str, log: str = "[]",
) -> Erasure:  # fmt: skip
    at = utc_now()
    number = next_numbers(session, f"erasure:{at.year}")[0]
    row = Erasure(
        number=f"УД-{at.year}-{number:04d}", subject="client", subject_id=client.id, ground=ground, method=method,
        categories=counts, kept=kept, log=log, digest=hashlib.sha256(log.encode()).hexdigest(), at=at,
        request_id=request_id, staff_id=actor.staff_id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    record(session, f"privacy.{method}", actor, client_id=client.id, object_id=row.id, code=ground)
    return row


def list_erasures(session: Session, actor: Actor) -> list[Erasure]:
    require(actor, "privacy.view")
    return list(session.scalars(select(Erasure).order_by(Erasure.id.desc()).limit(200)))


def run_erase(
    database: Database, folder: Path, actor: Actor, client_id: int, ground: str, request_id: int | None = None
) -> Erasure:
    """Erases in one transaction, enters it in the ledger, then lets the database give the room back."""
    with database.write.begin() as session:
        client = get_client(session, actor, client_id)
        scope = scope_of(session, client.id)
        line = _line(session, scope)
        row = erase_client(session, actor, client.id, ground, request_id)
        number, method = row.number, row.method
    if method == "erased":
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LEDGER).open("a", encoding="utf-8") as ledger:
            ledger.write(json.dumps({"number": number, **line}) + "\n")
        give_back(database)
    return row


def _line(session: Session, scope: Scope) -> dict[str, Any]:
    """Numbers, and what makes sure that they are the same rows: when a card was made, an account's hidden id."""
    made = session.execute(select(Client.id, Client.created_at).where(Client.id.in_(scope.clients)))
    accounts = session.execute(
        select(Author.id, Author.platform, Author.external_id).where(Author.id.in_(scope.authors))
    )
    return {
        "cards": [[card, at.isoformat()] for card, at in made],
        "accounts": [[author, hidden_id(platform, external)] for author, platform, external in accounts],
    }


def give_back(database: Database) -> None:
    """What was deleted leaves the file, the index and the log of writing too."""
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM"))
        return
    raw = database.engine.raw_connection()
    try:
        # Below SQLAlchemy, which would begin a transaction: within one nothing can be vacuumed.
        cursor = raw.cursor()
        cursor.execute("INSERT INTO search_fts(search_fts) VALUES ('optimize')")
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()


def run_replay(database: Database, folder: Path) -> int:
    """After a restore, before anybody looks: erases again who was erased since the backup. Returns how many."""
    path = folder / LEDGER
    if not path.exists():
        return 0
    done = 0
    with database.write.begin() as session:
        for written in path.read_text(encoding="utf-8").splitlines():
            scope = _again(session, json.loads(written))
            if scope.clients or scope.authors:
                put_out(session, scope)
                done += 1
        if done:
            record(session, "privacy.replayed", DESK, count=done)
    if done:
        give_back(database)
    return done


def _again(session: Session, line: dict[str, Any]) -> Scope:
    """What of a line of the ledger stands in this database unerased."""
    cards, accounts = dict(line["cards"]), dict(line["accounts"])
    clients = session.scalars(select(Client).where(Client.id.in_(cards), Client.state != "erased"))
    authors = session.scalars(select(Author).where(Author.id.in_(accounts), Author.hidden_at.is_(None)))
    return Scope(
        tuple(one.id for one in clients if one.created_at.isoformat() == cards[one.id]),
        tuple(one.id for one in authors if hidden_id(one.platform, one.external_id) == accounts[one.id]),
    )
