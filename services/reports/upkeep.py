"""Facts kept in step: whoever changes a case writes its facts in the same transaction, and all may be made anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, event, func, insert, inspect, select
from sqlalchemy.orm import Session, UOWTransaction

from models import Base, Case, CaseFact, CaseStep, Clock, Event, RouteFact, Setting, utc_now
from models.database import Database
from services.events import record
from services.reports.facts import reckon_facts
from services.rights import DESK

NAME = "facts"
BATCH = 500
_TOUCHED = "touched_cases"
EVENTS = frozenset({
    "case.opened", "case.moved", "case.reopened", "case.assigned", "case.attached", "label.corrected",
    "case.joined", "case.parted", "clock.bound", "clock.unbound",
    "act.accepted", "act.seen", "act.settled", "act.removed", "route.asked", "route.opened", "route.answered",
    "route.declined", "route.accepted", "route.returned", "route.recalled",
})  # fmt: skip
"""Events after which a case counts otherwise than before."""
_COLUMNS = ("label", "sure", "theme", "assignee_id", "first_reply_at", "source_id", "first_message_id", "opened_at")


@dataclass(frozen=True)
class _Table:
    """A table of facts, by the case its rows belong to; its statements are built once."""

    rows: type[Base]
    key: Any
    stored: Any
    drop: Any


def _table(rows: type[Base], key: Any) -> _Table:
    ids: Any = bindparam("ids", expanding=True)
    columns = [column for column in rows.__table__.columns if rows is not CaseStep or column.name != "id"]
    return _Table(
        rows, key, select(*columns).where(key.in_(ids)).order_by(rows.id),
        delete(rows).where(key.in_(ids)).execution_options(synchronize_session=False),
    )  # fmt: skip


_TABLES = (_table(CaseFact, CaseFact.id), _table(RouteFact, RouteFact.case_id), _table(CaseStep, CaseStep.case_id))


@event.listens_for(Session, "after_flush")
def _note_touched(session: Session, _context: UOWTransaction) -> None:
    """Collects the cases whose facts may be others now; an act cannot forget what it does not have to say."""
    touched: set[int] = session.info.setdefault(_TOUCHED, set())
    gone = (row for row in session.deleted if isinstance(row, Clock))
    for row in (*session.new, *session.dirty, *gone):
        if isinstance(row, Event):
            if row.case_id is not None and row.kind in EVENTS:
                touched.add(row.case_id)
        elif isinstance(row, Clock):
            touched.add(row.case_id)
        elif isinstance(row, Case) and row.number is not None:
            state = inspect(row)
            if any(state.attrs[name].history.has_changes() for name in _COLUMNS):
                touched.add(row.id)


@event.listens_for(Session, "before_commit")
def _write_touched(session: Session) -> None:
    if session.in_nested_transaction():
        return
    if session.new or session.dirty or session.deleted:
        session.flush()
    touched = session.info.pop(_TOUCHED, None)
    if touched:
        write_facts(session, sorted(touched))


def write_facts(session: Session, case_ids: Sequence[int]) -> int:
    """Reckons the facts of the cases anew and writes what differs; returns of how many cases it did."""
    wanted = reckon_facts(session, case_ids)
    changed: set[int] = set()
    for table in _TABLES:
        stored: dict[int, list[dict[str, Any]]] = {}
        for row in session.execute(table.stored, {"ids": list(case_ids)}).mappings():
            stored.setdefault(row[table.key.name], []).append(dict(row))
        fresh = {case_id: wanted[case_id].rows(table.rows) if case_id in wanted else [] for case_id in case_ids}
        differing = [case_id for case_id in case_ids if stored.get(case_id, []) != fresh[case_id]]
        if gone := [case_id for case_id in differing if case_id in stored]:
            session.execute(table.drop, {"ids": gone})
        if rows := [row for case_id in differing for row in fresh[case_id]]:
            session.execute(insert(table.rows), rows)
        changed.update(differing)
    return len(changed)


def is_rebuilding(session: Session) -> bool:
    """True while not all facts are there: reports say so above their figures."""
    return session.scalar(select(Setting.id).where(Setting.name == NAME)) is not None or _is_bare(session)


def _is_bare(session: Session) -> bool:
    """After an upgrade the cases that were there before have no facts, the oldest first of all."""
    oldest = select(Case.id).where(Case.number.is_not(None)).order_by(Case.id).limit(1)
    case_id = session.scalar(oldest)
    return case_id is not None and session.get(CaseFact, case_id) is None


def ask_rebuild(session: Session) -> None:
    """The job makes all facts anew; asked twice, it begins once more."""
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    if row is None:
        row = Setting(name=NAME)
        session.add(row)
    row.value, row.updated_at = {"last": 0}, utc_now()


def run_rebuild(database: Database) -> int:
    """Makes the facts anew after an upgrade or where somebody asked for it, each piece committed with how far it
    came, so that a killed run goes on; returns how many cases had others."""
    changed = 0
    with database.read.begin() as session:
        if not is_rebuilding(session):
            return 0
    with database.write.begin() as session:
        if _is_bare(session):
            ask_rebuild(session)
    while True:
        with database.write.begin() as session:
            row = session.scalar(select(Setting).where(Setting.name == NAME).with_for_update())
            if row is None:
                return changed
            ids = _next(session, row.value["last"])
            if not ids:
                session.delete(row)
                record(session, "facts.rebuilt", DESK, count=session.scalar(select(func.count(CaseFact.id))))
                return changed
            changed += write_facts(session, ids)
            row.value = {"last": ids[-1]}


def _next(session: Session, last: int) -> list[int]:
    return list(session.scalars(select(Case.id).where(Case.id > last).order_by(Case.id).limit(BATCH)))
