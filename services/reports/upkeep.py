"""Facts kept in step: whoever changes a case writes its facts in the same transaction, and all may be made anew."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, event, func, insert, inspect, select
from sqlalchemy.orm import Session, UOWTransaction

from models import (
    Author,
    Base,
    Case,
    CaseFact,
    CaseStep,
    Clock,
    Contract,
    Event,
    Identity,
    LeadFact,
    RouteFact,
    Setting,
    Study,
    utc_now,
)
from models.database import Database
from services.events import record
from services.reports.facts import reckon_facts
from services.reports.repeats import mark_repeats
from services.rights import DESK

NAME = "facts"
BATCH = 500
_TOUCHED, _CLIENTS, _AUTHORS = "touched_cases", "touched_clients", "touched_authors"
EVENTS = frozenset({
    "case.opened", "case.moved", "case.reopened", "case.assigned", "case.attached", "label.corrected",
    "themes.corrected", "case.joined", "case.parted", "clock.bound", "clock.unbound",
    "act.accepted", "act.seen", "act.settled", "act.removed", "route.asked", "route.opened", "route.answered",
    "route.declined", "route.accepted", "route.returned", "route.recalled",
})  # fmt: skip
"""Events after which a case counts otherwise than before."""
OF_CLIENTS = frozenset({"client.linked", "client.unlinked", "client.merged", "client.unmerged", "client.study"})
"""After these, and what happens to a contract, a deal or an order, cases of the client may be on another one."""
_BOUGHT = ("contract", "deal", "order")
_COLUMNS = (
    "label", "sure", "theme", "assignee_id", "author_id", "first_reply_at", "source_id", "first_message_id",
    "opened_at",
)  # fmt: skip


@dataclass(frozen=True)
class _Table:
    """A table of facts, by the case its rows belong to; its statements are built once."""

    rows: type[Base]
    key: Any
    stored: Any
    drop: Any


def _table(rows: type[Base], key: Any) -> _Table:
    ids: Any = bindparam("ids", expanding=True)
    unnumbered = rows in (CaseStep, LeadFact)
    columns = [column for column in rows.__table__.columns if not unnumbered or column.name != "id"]
    return _Table(
        rows, key, select(*columns).where(key.in_(ids)).order_by(rows.id),
        delete(rows).where(key.in_(ids)).execution_options(synchronize_session=False),
    )  # fmt: skip


_TABLES = (
    _table(CaseFact, CaseFact.id), _table(RouteFact, RouteFact.case_id), _table(CaseStep, CaseStep.case_id),
    _table(LeadFact, LeadFact.case_id),
)  # fmt: skip


@event.listens_for(Session, "after_flush")
def _note_touched(session: Session, _context: UOWTransaction) -> None:
    """Collects the cases whose facts may be others now; an act cannot forget what it does not have to say."""
    touched: set[int] = session.info.setdefault(_TOUCHED, set())
    gone = (row for row in session.deleted if isinstance(row, Clock | Study))
    for row in (*session.new, *session.dirty, *gone):
        if isinstance(row, Event):
            if row.case_id is not None and (row.kind in EVENTS or row.kind.startswith(_BOUGHT)):
                touched.add(row.case_id)
            if row.client_id is not None and (row.kind in OF_CLIENTS or row.kind.startswith(_BOUGHT)):
                _note_client(session, row)
        elif isinstance(row, Study):
            session.info.setdefault(_CLIENTS, set()).add(row.client_id)
        elif isinstance(row, Author):
            if row in session.dirty and inspect(row).attrs.hidden_at.history.has_changes():
                session.info.setdefault(_AUTHORS, set()).add(row.id)
        elif isinstance(row, Clock):
            if row.case_id is not None:  # of a request that belongs to no case nothing is counted
                touched.add(row.case_id)
        elif isinstance(row, Case) and row.number is not None:
            state = inspect(row)
            if any(state.attrs[name].history.has_changes() for name in _COLUMNS):
                touched.add(row.id)


def _note_client(session: Session, row: Event) -> None:
    session.info.setdefault(_CLIENTS, set()).add(row.client_id)
    if row.object_id is not None and row.kind in ("client.unmerged", "client.unlinked"):
        # Whoever they were taken from or given back to.
        which = _CLIENTS if row.kind == "client.unmerged" else _AUTHORS
        session.info.setdefault(which, set()).add(row.object_id)


def touch_cases(session: Session, case_ids: Iterable[int]) -> None:
    """What was written past the session's rows tells by this whose facts may be others now."""
    session.info.setdefault(_TOUCHED, set()).update(case_ids)


@event.listens_for(Session, "before_commit")
def _write_touched(session: Session) -> None:
    if session.in_nested_transaction():
        return
    if session.new or session.dirty or session.deleted:
        session.flush()
    touched: set[int] = session.info.pop(_TOUCHED, None) or set()
    clients, authors = session.info.pop(_CLIENTS, None), session.info.pop(_AUTHORS, None)
    if clients or authors:
        touched |= set(_cases_of(session, clients or set(), authors or set()))
    ordered = sorted(touched)
    for start in range(0, len(ordered), BATCH):
        write_facts(session, ordered[start : start + BATCH])


def _cases_of(session: Session, clients: set[int], authors: set[int]) -> Iterator[int]:
    """Cases of everybody who is one of these clients, or studies by a contract of theirs."""
    ordered = sorted(clients)
    people = set(authors)
    for start in range(0, len(ordered), BATCH):
        part = ordered[start : start + BATCH]
        students = select(Contract.student_id).where(Contract.client_id.in_(part), Contract.student_id.is_not(None))
        either = Identity.client_id.in_(part) | Identity.client_id.in_(students)
        query = select(Identity.linked_author_id).where(Identity.linked_author_id.is_not(None), either)
        people.update(one for one in session.scalars(query) if one is not None)
    found = sorted(people)
    for start in range(0, len(found), BATCH):
        part = found[start : start + BATCH]
        yield from session.scalars(select(Case.id).where(Case.author_id.in_(part), Case.number.is_not(None)))


def write_facts(session: Session, case_ids: Sequence[int]) -> int:
    """Reckons the facts of the cases anew and writes what differs; returns of how many cases it did."""
    wanted = reckon_facts(session, case_ids)
    changed: set[int] = set()
    facts: list[dict[str, Any]] = []
    for table in _TABLES:
        stored: dict[int, list[dict[str, Any]]] = {}
        for row in session.execute(table.stored, {"ids": list(case_ids)}).mappings():
            stored.setdefault(row[table.key.name], []).append(dict(row))
        fresh = {case_id: wanted[case_id].rows(table.rows) if case_id in wanted else [] for case_id in case_ids}
        if table.rows is CaseFact:
            for case_id, rows in fresh.items():
                _keep_again(rows, stored.get(case_id, ()))
        differing = [case_id for case_id in case_ids if stored.get(case_id, []) != fresh[case_id]]
        if gone := [case_id for case_id in differing if case_id in stored]:
            session.execute(table.drop, {"ids": gone})
        if rows := [row for case_id in differing for row in fresh[case_id]]:
            session.execute(insert(table.rows), rows)
        changed.update(differing)
        if table.rows is CaseFact:
            facts = [row for case_id in differing for row in (*stored.get(case_id, ()), *fresh[case_id])]
    mark_repeats(session, facts)
    return len(changed)


def _keep_again(rows: Sequence[dict[str, Any]], stored: Sequence[Mapping[str, Any]]) -> None:
    """Whether a case is a repeat its own rows do not say: what was found before stands until it is asked again."""
    for row in rows:
        if row["person"] is not None:
            row["again"] = bool(stored and stored[0]["again"])


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
