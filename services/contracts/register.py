"""The register of contracts: a page by number or state, found by number or by the client's name, phone or mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from models import Client, Contract, Instalment, Payment
from services.crm.finding import Wanted, find_clients
from services.money.receivables import OWING
from services.rights import Actor, require

PAGE = 50
GROUPS: dict[str, tuple[str, ...]] = {
    "work": ("draft", "rework", "approved", "sent", "signed"),
    "approval": ("approval",),
    "force": ("force", "paused"),
    "ended": ("fulfilled", "terminated", "declined", "lapsed", "annulled"),
}
"""The tabs of the screen."""
RUNNING = ("force", "paused", "signed")


@dataclass(frozen=True, slots=True)
class Listed:
    """A row: sums in kopecks; ``overdue`` what was due before today and is not paid."""

    contract: Contract
    client: Client
    paid: int
    overdue: int


def register_page(
    session: Session,
    actor: Actor,
    *,
    group: str = "",
    words: str = "",
    before: int | None = None,
    today: date,
    limit: int = PAGE,
) -> list[Listed]:
    """The newest first; ``before`` is the id of the last row of the page above."""
    require(actor, "contract.view")
    found = _found(session, actor, words.strip()) if words.strip() else None
    ids = _page(session, GROUPS.get(group), found, before, limit)
    query = select(Contract, Client).join(Client, Client.id == Contract.client_id).where(Contract.id.in_(ids))
    rows = sorted(session.execute(query).all(), key=lambda row: -row[0].id)
    return _with_sums(session, rows, today)


def _page(
    session: Session, states: Sequence[str] | None, found: list[int] | None, before: int | None, limit: int
) -> list[int]:
    """Ids of a page, the greatest first; each state walks its own index, so that none of them is sorted."""
    ids: list[int] = []
    for state in states or (None,):
        query = select(Contract.id).order_by(Contract.id.desc()).limit(limit)
        if state is not None:
            query = query.where(Contract.state == state)
        if found is not None:
            query = query.where(Contract.id.in_(found))
        if before is not None:
            query = query.where(Contract.id < before)
        ids += session.scalars(query)
    return sorted(ids, reverse=True)[:limit]


def _found(session: Session, actor: Actor, words: str) -> list[int]:
    """Ids of contracts by the beginning of the number, or of the client."""
    number = words.upper().replace("№", "").strip()
    by_number = select(Contract.id).where(Contract.number >= number, Contract.number < number + "\U0010ffff")
    ids = list(session.scalars(by_number.order_by(Contract.number.desc()).limit(PAGE)))
    if ids or (any(c.isdigit() for c in number[:4]) and "-" in number):
        return ids
    clients = [one.client.id for one in find_clients(session, actor, Wanted(words), limit=PAGE).rows]
    if not clients:
        return []
    return _ids_of(session, clients)


def _ids_of(session: Session, clients: Sequence[int]) -> list[int]:
    """Contracts of these clients, as customers or students; asked apart, for each question has its index."""
    found: set[int] = set()
    for column in (Contract.client_id, Contract.student_id):
        found.update(session.scalars(select(Contract.id).where(column.in_(clients)).limit(500)))
    return sorted(found, reverse=True)


def _with_sums(session: Session, rows: Sequence[Row[Contract, Client]], today: date) -> list[Listed]:
    paid: dict[int, int] = {}
    late: dict[int, int] = {}
    # Asked by contract alone: by «current» a database without statistics would walk the lines of all contracts.
    query = select(Instalment).where(Instalment.contract_id.in_([contract.id for contract, _client in rows]))
    for line in session.scalars(query):
        if line.current:
            paid[line.contract_id] = paid.get(line.contract_id, 0) + line.paid
            if line.due_on < today:
                late[line.contract_id] = late.get(line.contract_id, 0) + line.amount - line.paid
    return [
        Listed(contract, client, paid.get(contract.id, 0), _owed(contract, late.get(contract.id, 0)))
        for contract, client in rows
    ]


def _owed(contract: Contract, amount: int) -> int:
    """Nobody owes by what is not signed, or by the schedule of what was terminated."""
    return amount if contract.state in OWING else 0


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """How many stand under each tab."""
    require(actor, "contract.view")
    rows = session.execute(select(Contract.state, func.count()).group_by(Contract.state))
    by_state = {row[0]: int(row[1]) for row in rows}
    return {group: sum(by_state.get(state, 0) for state in states) for group, states in GROUPS.items()}


def contracts_of_client(session: Session, actor: Actor, client_id: int) -> list[Contract]:
    """All of a client, as customer or as student, the newest first."""
    require(actor, "contract.view")
    query = select(Contract).where(Contract.id.in_(_ids_of(session, [client_id])))
    return list(session.scalars(query.order_by(Contract.id.desc())))


@dataclass(frozen=True, slots=True)
class FirstLine:
    """What everybody may know of a client's contracts, without sums (day.md §1.11).

    ``is_paid``: every line of its schedule is; ``is_owing``: something that was due before today is not.
    """

    contract_id: int
    number: str
    state: str
    program: str
    is_paid: bool
    is_owing: bool
    until: date | None


def first_line(session: Session, client_id: int, today: date) -> FirstLine | None:
    """The contract that matters now: one in force before one that is over."""
    query = select(Contract).where(Contract.id.in_(_ids_of(session, [client_id])[:50]))
    rows = list(session.scalars(query.order_by(Contract.id.desc())))
    if not rows:
        return None
    contract = next((row for row in rows if row.state in RUNNING), rows[0])
    query_lines = select(Instalment).where(Instalment.contract_id == contract.id)
    lines = [line for line in session.scalars(query_lines) if line.current]
    late = sum(line.amount - line.paid for line in lines if line.due_on < today)
    return FirstLine(
        contract.id, contract.number or "", contract.state, contract.terms.get("program", {}).get("name", ""),
        bool(lines) and all(line.paid >= line.amount for line in lines), _owed(contract, late) > 0,
        contract.ends_on,
    )  # fmt: skip


def last_payment(session: Session, contract_id: int) -> Payment | None:
    query = select(Payment).where(Payment.contract_id == contract_id)
    return session.scalar(query.order_by(Payment.paid_on.desc(), Payment.id.desc()).limit(1))
