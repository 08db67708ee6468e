"""How long each kind of data is kept: rules with terms, a dry run before anything goes, then piece by piece."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session

from models import Author, Call, ClientImport, Identity, ImportRow, Message, RawItem, Setting, utc_now
from models.database import Database
from services.crm.forgetting import hide_author
from services.errors import Refused
from services.events import record
from services.rights import DESK, Actor, require
from services.search_index import rename_author
from services.settings.history import keep

NAME = "retention"
LEAST = 30
PIECE = 200


@dataclass(frozen=True)
class Rule:
    """After ``days``, rows of ``table`` that ``due`` picks are given to ``forget``."""

    table: Any
    days: int
    due: Callable[[datetime], ColumnElement[bool]]
    forget: Callable[[Session, Any], None]


def _silent(before: datetime) -> ColumnElement[bool]:
    """Authors who are nobody's card and wrote nothing since."""
    later = exists().where(Message.author_id == Author.id, Message.published_at >= before)
    ever = exists().where(Message.author_id == Author.id)
    linked = exists().where(Identity.linked_author_id == Author.id)
    return and_(Author.hidden_at.is_(None), Author.is_us.is_(False), ever, ~later, ~linked)


def _hide(session: Session, author: Author) -> None:
    hide_author(session, author)
    session.flush()
    rename_author(session, author.id)


def _forget_call(_session: Session, call: Call) -> None:
    call.number = call.topic = call.note = ""


def _forget_cells(_session: Session, row: ImportRow) -> None:
    row.cells, row.code = {}, "forgotten"


def _forget_body(_session: Session, raw: RawItem) -> None:
    raw.body = b""


RULES: Mapping[str, Rule] = {
    "authors": Rule(Author, 365, _silent, _hide),
    "calls": Rule(
        Call, 365, lambda at: and_(Call.client_id.is_(None), Call.number != "", Call.started_at < at), _forget_call
    ),
    "imports": Rule(
        ImportRow, 90, lambda at: and_(ImportRow.outcome == "refused", ImportRow.code != "forgotten",
                                       ImportRow.import_id.in_(_old_imports(at))),
        _forget_cells,
    ),
    "raw": Rule(
        RawItem, 365, lambda at: and_(RawItem.state == "parsed", RawItem.received_at < at,
                                      func.length(RawItem.body) > 0),
        _forget_body,
    ),
}  # fmt: skip
"""Category → rule; contracts and what accounting needs have terms of their own and are none of these."""


def _old_imports(at: datetime) -> Any:
    return select(ClientImport.id).where(ClientImport.created_at < at)


def terms_of(session: Session) -> dict[str, int]:
    """Category → days."""
    own = session.scalar(select(Setting.value).where(Setting.name == NAME)) or {}
    return {name: int(own.get("days", {}).get(name, rule.days)) for name, rule in RULES.items()}


def is_on(session: Session) -> bool:
    """Nothing goes by itself before the head has seen a dry run and said so."""
    own = session.scalar(select(Setting.value).where(Setting.name == NAME)) or {}
    return bool(own.get("on"))


def dry_run(session: Session, actor: Actor, now: datetime | None = None) -> dict[str, int]:
    """Category → how many rows would go today."""
    require(actor, "privacy.view")
    at = now or utc_now()
    return {name: due_rows(session, name, days, at) for name, days in terms_of(session).items()}


def due_rows(session: Session, name: str, days: int, now: datetime) -> int:
    """How many rows of a category are older than so many days."""
    rule = RULES[name]
    due = rule.due(now - timedelta(days=days))
    return session.scalar(select(func.count()).select_from(rule.table).where(due)) or 0


def save_retention(session: Session, actor: Actor, days: Mapping[str, int], *, on: bool) -> None:
    """Keeps the terms; ``on``: they are carried out from now on, every night."""
    require(actor, "privacy.act")
    check_days(days)
    keep(session, actor, NAME, {"days": dict(days), "on": on})


def check_days(days: Mapping[str, int]) -> None:
    if any(count < LEAST for count in days.values()) or set(days) - set(RULES):
        raise Refused("retention.days", least=LEAST)


def run_retention(database: Database) -> int:
    """Carries the rules out, if they are on; returns how many rows were put out."""
    with database.read.begin() as session:
        if not is_on(session):
            return 0
        terms = terms_of(session)
    total = 0
    for name, days in terms.items():
        total += _run_rule(database, name, utc_now() - timedelta(days=days))
    return total


def _run_rule(database: Database, name: str, before: datetime) -> int:
    rule, count = RULES[name], 0
    while True:
        with database.write.begin() as session:
            found = list(session.scalars(select(rule.table).where(rule.due(before)).limit(PIECE)))
            for row in found:
                rule.forget(session, row)
            if not found:
                if count:
                    record(session, "privacy.retention", DESK, code=name, count=count)
                return count
        count += len(found)
