"""Everything the desk holds of one person, gathered for them: every table that knows them, nobody else's data."""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from models import (
    Act,
    Attachment,
    Author,
    Case,
    Client,
    ConsentText,
    Draft,
    Event,
    Excerpt,
    ImportRow,
    Label,
    Message,
    Note,
    Outreach,
    RawItem,
    Reply,
    ReplyFile,
    Route,
    RouteFile,
    RouteLine,
    Satisfaction,
    SensitiveField,
    TextVersion,
    utc_now,
)
from services.crm.clients import get_client
from services.crm.merging import links_to_clients
from services.crm.timeline import scope_of
from services.events import record
from services.raw_ties import raws_of
from services.rights import Actor, require
from services.secrets import Keyring

HOLDERS: list[Callable[[Session, Keyring, Sequence[int]], dict[str, Any]]] = []
"""Rooms whose rows do not name a card give them here: (session, keyring, card numbers) → section → rows."""
LEFT_OUT = frozenset({"client_tie", "sensitive_field", "consent_text"})
"""Ties tell of somebody else; sealed fields are opened apart."""
HIDDEN = frozenset({"password", "sealed", "content", "vector", "form_key", "token", "token_hash"})


def holdings_of(session: Session, keyring: Keyring, actor: Actor, client_id: int) -> dict[str, Any]:
    """Section → rows, as JSON takes them. What was gathered, and by whom, is an event."""
    require(actor, "privacy.act")
    client = get_client(session, actor, client_id)
    scope = scope_of(session, client.id)
    found: dict[str, Any] = {"made_at": utc_now().isoformat(), "client": client.id}
    found["card"] = rows_of(session, Client.__table__, Client.id.in_(scope.clients))
    for table, column in links_to_clients():
        if table.name not in LEFT_OUT:
            found[table.name] = found.get(table.name, []) + rows_of(
                session, table, table.c[column].in_(scope.clients)
            )
    requests = select(Route.id).where(Route.client_id.in_(scope.clients))
    found["route_lines"] = rows_of(session, RouteLine.__table__, RouteLine.route_id.in_(requests))
    found["route_files"] = rows_of(session, RouteFile.__table__, RouteFile.route_id.in_(requests))
    found["sensitive"] = [
        {"field": row.field, "value": keyring.unseal(row.sealed).get("value", "")}
        for row in session.scalars(select(SensitiveField).where(SensitiveField.client_id.in_(scope.clients)))
    ]
    texts = [row.get("text_id") for row in found.get("consent", [])]
    found["consent_texts"] = rows_of(
        session, ConsentText.__table__, ConsentText.id.in_([one for one in texts if one])
    )
    found["import_rows"] = rows_of(session, ImportRow.__table__, ImportRow.client_id.in_(scope.clients))
    found["log"] = rows_of(session, Event.__table__, Event.client_id.in_(scope.clients))
    found |= conversation_of(session, scope.authors)
    for held in HOLDERS:
        found |= held(session, keyring, scope.clients)
    record(session, "privacy.gathered", actor, client_id=client.id, object_id=client.id)
    return {name: rows for name, rows in found.items() if rows not in ([], {})}


def conversation_of(session: Session, authors: Sequence[int]) -> dict[str, Any]:
    """What the linked accounts wrote and what was done with it."""
    if not authors:
        return {}
    cases = list(session.scalars(select(Case.id).where(Case.author_id.in_(authors))))
    messages = list(session.scalars(select(Message.id).where(Message.author_id.in_(authors))))
    ours = list(session.scalars(select(Message.id).where(Message.case_id.in_(cases), Message.direction == "out")))
    routes = list(session.scalars(select(Route.id).where(Route.case_id.in_(cases))))
    return {
        "accounts": rows_of(session, Author.__table__, Author.id.in_(authors)),
        "messages": rows_of(session, Message.__table__, Message.id.in_([*messages, *ours])),
        "versions": rows_of(session, TextVersion.__table__, TextVersion.message_id.in_(messages)),
        "files": rows_of(session, Attachment.__table__, Attachment.message_id.in_(messages)),
        "labels": rows_of(session, Label.__table__, Label.message_id.in_(messages)),
        "cases": rows_of(session, Case.__table__, Case.id.in_(cases)),
        "notes": rows_of(session, Note.__table__, Note.case_id.in_(cases)),
        "drafts": rows_of(session, Draft.__table__, Draft.case_id.in_(cases)),
        "replies": rows_of(session, Reply.__table__, Reply.case_id.in_(cases)),
        "reply_files": rows_of(session, ReplyFile.__table__, ReplyFile.case_id.in_(cases)),
        "begun": rows_of(session, Outreach.__table__, Outreach.case_id.in_(cases)),
        "parts": rows_of(session, Excerpt.__table__, Excerpt.message_id.in_(messages)),
        "satisfaction": rows_of(session, Satisfaction.__table__, Satisfaction.case_id.in_(cases)),
        "acts": rows_of(session, Act.__table__, Act.case_id.in_(cases)),
        "questions": rows_of(session, Route.__table__, Route.case_id.in_(cases)),
        "question_lines": rows_of(session, RouteLine.__table__, RouteLine.route_id.in_(routes)),
        "question_files": rows_of(session, RouteFile.__table__, RouteFile.route_id.in_(routes)),
        "raw": [
            {"id": row.id, "kind": row.kind, "body": row.body.decode("utf-8", "replace")}
            for row in raw_items_of(session, messages)
        ],
    }


def raw_items_of(session: Session, messages: Sequence[int]) -> list[RawItem]:
    """What the platforms gave of these messages."""
    return list(session.scalars(select(RawItem).where(RawItem.id.in_(raws_of(messages))).order_by(RawItem.id)))


def rows_of(session: Session, table: Any, where: Any) -> list[dict[str, Any]]:
    assert isinstance(table, Table)
    kept = [column for column in table.columns if column.name not in HIDDEN]
    rows = session.execute(select(*kept).where(where).order_by(table.c.id)).mappings()
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def as_json(holdings: dict[str, Any]) -> str:
    return json.dumps(holdings, ensure_ascii=False, indent=1, default=str)
