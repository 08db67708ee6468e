"""Data out: messages, cases and replies as JSON lines or CSV, streamed."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TextIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import (
    Act,
    Author,
    Case,
    Department,
    Label,
    Message,
    Publication,
    Reply,
    Route,
    Source,
    Staff,
    TextVersion,
)
from models.database import Database
from services.labelling import labels_of
from services.rights import Actor, require

BATCH = 500
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def run_export(
    database: Database,
    actor: Actor,
    what: str,
    out: TextIO,
    *,
    format: str = "jsonl",
    since: datetime | None = None,
) -> int:
    """Writes all rows of ``what`` (messages · cases · replies) to ``out``; returns how many."""
    require(actor, "data.export")
    count, writer = 0, None
    with database.read.begin() as session:
        for row in EXPORTS[what](session, since):
            if format == "jsonl":
                out.write(json.dumps(row, ensure_ascii=False, default=_json) + "\n")
            else:
                if writer is None:
                    writer = csv.DictWriter(out, list(row))
                    writer.writeheader()
                writer.writerow({key: safe_cell(value) for key, value in row.items()})
            count += 1
    return count


def _json(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def safe_cell(value: object) -> object:
    """A cell that no spreadsheet takes for a formula (reliability §4)."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=_json)
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return value


def _pages(session: Session, table: Any, since: datetime | None, column: Any) -> Iterator[Sequence[Any]]:
    last = 0
    while True:
        query = select(table).where(table.id > last).order_by(table.id).limit(BATCH)
        rows = session.scalars(query if since is None else query.where(column >= since)).all()
        if not rows:
            return
        yield rows
        last = rows[-1].id
        session.expunge_all()


def _named(session: Session, table: Any, ids: set[int | None]) -> dict[int | None, Any]:
    return {row.id: row for row in session.scalars(select(table).where(table.id.in_(ids - {None})))}


def _messages(session: Session, since: datetime | None) -> Iterator[Mapping[str, Any]]:
    sources = {row.id: row for row in session.scalars(select(Source))}
    names = {key: (row.declared_as or row.title, row.platform) for key, row in sources.items()}
    for page in _pages(session, Message, since, Message.published_at):
        authors = _named(session, Author, {row.author_id for row in page})
        places = _named(session, Publication, {row.publication_id for row in page})
        cases = _named(session, Case, {row.case_id for row in page})
        labels = labels_of(session, [row.id for row in page])
        versions = _versions(session, [row.id for row in page if row.versions > 1])
        for row in page:
            author, place, case = authors.get(row.author_id), places.get(row.publication_id), cases.get(row.case_id)
            label = labels.get(row.id)
            yield {
                "source": names[row.source_id][0],
                "platform": names[row.source_id][1],
                "container_id": row.container,
                "external_id": row.external_id,
                "parent_external_id": row.parent_external_id,
                "thread_external_id": row.thread,
                "publication_id": place.external_id if place else None,
                "publication_title": place.title if place else None,
                "author_external_id": author.external_id if author else None,
                "author_name": author.name if author else None,
                "subject": row.subject,
                "text": row.text,
                "versions": [*versions.get(row.id, []), row.text],
                "state": row.state,
                "direction": row.direction,
                "visibility": row.visibility,
                "published_at": row.published_at,
                "edited_at": row.edited_at,
                "deleted_at": row.deleted_at,
                "url": row.url,
                "case": case.number if case else None,
                "label": label.label if label else None,
                "confidence": _confidence(label),
            }


def _versions(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    query = select(TextVersion).where(TextVersion.message_id.in_(ids)).order_by(TextVersion.number)
    for row in session.scalars(query):
        found.setdefault(row.message_id, []).append(row.text)
    return found


def _confidence(label: Label | None) -> float | None:
    if label is None:
        return None
    return 1.0 if label.staff_id is not None and not label.weak else label.p.get(label.label)


def _cases(session: Session, since: datetime | None) -> Iterator[Mapping[str, Any]]:
    sources = {row.id: row.declared_as or row.title for row in session.scalars(select(Source))}
    people = {row.id: row.name for row in session.scalars(select(Staff))}
    units = {row.id: row.code for row in session.scalars(select(Department))}
    for page in _pages(session, Case, since, Case.opened_at):
        authors = _named(session, Author, {row.author_id for row in page})
        routes: dict[int, list[str]] = {}
        for route in session.scalars(select(Route).where(Route.case_id.in_([row.id for row in page]))):
            routes.setdefault(route.case_id or 0, []).append(f"{units[route.department_id]}:{route.state}")
        for row in page:
            author = authors.get(row.author_id)
            yield {
                "case": row.number,
                "source": sources[row.source_id],
                "author_external_id": author.external_id if author else None,
                "author_name": author.name if author else None,
                "state": row.state,
                "stage": row.stage,
                "label": row.label,
                "assignee": people.get(row.assignee_id or 0),
                "visibility": row.visibility,
                "routes": routes.get(row.id, []),
                "opened_at": row.opened_at,
                "first_reply_at": row.first_reply_at,
                "closed_at": row.closed_at,
                "close_reason": row.close_reason,
                "reopened": row.reopened,
            }


def _replies(session: Session, since: datetime | None) -> Iterator[Mapping[str, Any]]:
    sources = {row.id: row.declared_as or row.title for row in session.scalars(select(Source))}
    people = {row.id: row.name for row in session.scalars(select(Staff))}
    for page in _pages(session, Reply, since, Reply.created_at):
        acts = {row.reply_id: row for row in session.scalars(
            select(Act).where(Act.reply_id.in_([row.id for row in page])))}  # fmt: skip
        cases = _named(session, Case, {row.case_id for row in page})
        for row in page:
            act = acts.get(row.id)
            case = cases.get(row.case_id)
            yield {
                "case": case.number if case else None,
                "source": sources.get(act.source_id) if act else None,
                "container_id": act.target.get("container") if act else None,
                "answers_external_id": act.target.get("external_id") if act else None,
                "external_id": act.external_id if act else None,
                "text": row.text,
                "staff": people.get(row.staff_id or 0),
                "state": act.state if act else None,
                "attempts": act.attempt if act else None,
                "url": act.url if act else None,
                "created_at": row.created_at,
                "accepted_at": act.accepted_at if act else None,
                "seen_at": act.seen_at if act else None,
                "error": act.error_code if act else None,
            }


EXPORTS: dict[str, Callable[[Session, datetime | None], Iterator[Mapping[str, Any]]]] = {
    "messages": _messages,
    "cases": _cases,
    "replies": _replies,
}
