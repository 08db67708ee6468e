"""The programme of a case: of the contract or the deal it led to, else the one its author bought or studies."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, bindparam, func, or_, select
from sqlalchemy.orm import Session

from models import CaseFact, Contract, Deal, Study
from models.contract import PROGRAMME_LENGTH as LONGEST
from services.reports.cut import NO_PROGRAMME

SIGNED = ("signed", "force", "paused", "fulfilled", "terminated")
"""States of a contract that was concluded (services.contracts.machines)."""

_IDS: Any = bindparam("ids", expanding=True)
_CONTRACTS = select(Contract.id, Contract.programme.label("name")).where(Contract.id.in_(_IDS))
_DEALS = (
    select(Deal.id, Deal.product, Contract.programme.label("name"))
    .outerjoin(Contract, Contract.id == Deal.contract_id).where(Deal.id.in_(_IDS))
)  # fmt: skip
_BOUGHT = (
    select(Contract.client_id, Contract.student_id, Contract.dated, Contract.programme.label("name"))
    .where(or_(Contract.client_id.in_(_IDS), Contract.student_id.in_(_IDS)), Contract.state.in_(SIGNED))
    .order_by(Contract.dated, Contract.id)
)  # fmt: skip
_STUDIED = (
    select(Study.client_id, Study.course, Study.started_on, Study.ended_on)
    .where(Study.client_id.in_(_IDS)).order_by(Study.id)
)  # fmt: skip


def programmes_of(session: Session, cases: Iterable[Any], zone: str) -> dict[int, str]:
    """case id → its programme, of rows with ``contract_id``, ``deal_id``, ``client_id``, ``opened_at``, and what is
    ``kept`` of an author who was put out.

    Of a client's contracts the newest one that was dated when the case came, else the course they were on.
    """
    cases = list(cases)
    contracts = _named(session, _CONTRACTS, {case.contract_id for case in cases})
    deals = _named(session, _DEALS, {case.deal_id for case in cases})
    clients = {"ids": sorted({case.client_id for case in cases if case.client_id is not None})}
    bought: Sequence[Any] = session.execute(_BOUGHT, clients).all() if clients["ids"] else ()
    studied: Sequence[Any] = session.execute(_STUDIED, clients).all() if clients["ids"] else ()
    here, found = ZoneInfo(zone), {}
    for case in cases:
        if case.hidden_at is not None and case.kept:
            found[case.id] = case.kept
            continue
        day = case.opened_at.astimezone(here).date()
        name = (
            contracts.get(case.contract_id) or deals.get(case.deal_id)
            or (_bought(bought, case.client_id, day) or _studied(studied, case.client_id, day)
                if case.client_id is not None else None)
        )  # fmt: skip
        if name and (short := " ".join(name.split())[:LONGEST]):
            found[case.id] = short
    return found


def _named(session: Session, query: Any, ids: set[int | None]) -> Mapping[int | None, str]:
    wanted = sorted(one for one in ids if one is not None)
    if not wanted:
        return {}
    rows = session.execute(query, {"ids": wanted})
    return {row.id: row.name or getattr(row, "product", "") for row in rows}


def _bought(rows: Sequence[Any], client_id: int, day: date) -> str | None:
    mine = [row.name for row in rows if client_id in (row.client_id, row.student_id) and row.dated <= day]
    return next((name for name in reversed(mine) if name), None)


def _studied(rows: Sequence[Any], client_id: int, day: date) -> str | None:
    mine = [
        row for row in rows
        if row.client_id == client_id and (row.started_on is None or row.started_on <= day)
        and (row.ended_on is None or row.ended_on >= day)
    ]  # fmt: skip
    return mine[-1].course if mine else None


def of_programme(programme: str | None) -> list[ColumnElement[bool]]:
    """The filter by programme, of whatever counts contracts."""
    if programme is None:
        return []
    return [Contract.programme == ("" if programme == NO_PROGRAMME else programme)]


def on_course(programme: str) -> ColumnElement[bool]:
    """The same of whatever counts courses: what was typed with more spaces than one is the same course."""
    single = func.replace(Study.course, " ", "\x01\x02")
    for pair, left in (("\x02\x01", ""), ("\x01\x02", " ")):
        single = func.replace(single, pair, left)
    return func.trim(single) == programme


def programmes(session: Session) -> list[str]:
    """Every programme by name: of cases, of contracts, of deals, and the courses that people study."""
    columns = (CaseFact.programme, Contract.programme, Study.course, Deal.product)
    found = {" ".join(name.split())[:LONGEST] for column in columns for name in _distinct(session, column)}
    return sorted(found - {""})


def case_programmes(session: Session) -> list[str]:
    """Every one that a case has."""
    return _distinct(session, CaseFact.programme)


def _distinct(session: Session, column: Any) -> list[str]:
    """What stands in a column; each value is one step down its index."""
    first = select(func.min(column).label("name")).where(column.is_not(None))
    walk = first.cte("names", recursive=True)
    following = select(func.min(column)).where(column > walk.c.name).scalar_subquery()
    walk = walk.union_all(select(following).where(walk.c.name.is_not(None)))
    return [name for name in session.scalars(select(walk.c.name)) if name is not None]
