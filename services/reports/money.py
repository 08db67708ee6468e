"""Reports 19, 20, 21 and 23 (domain.md §8): receivables, the register of contracts, terminations, obligations."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models import Allocation, Amendment, Client, Contract, Instalment, Obligation, Payment, Termination
from services.contracts.terminations import GROUNDS
from services.money.receivables import BUCKETS, OWING
from services.reports.cut import Cut
from services.reports.programmes import of_contracts
from services.reports.shape import Cell, Line, Table

DEBT_COLUMNS = ("debt_lines", "debt_contracts", "debt_sum", "part")
CONTRACT_COLUMNS = (
    "dated", "client", "programme", "price", "paid", "debt", "state", "signature", "amendments", "ends",
)  # fmt: skip
TERMINATION_COLUMNS = ("terminations", "refund_agreed", "refunded", "days_mean", "days_most", "over_ten")
OBLIGATION_COLUMNS = ("due", "done_in_time", "done_late", "overdue", "in_time_share")
_DAY = timedelta(days=1)
SLOW = 10
"""Days from the client's word to the money; beyond them a refund is listed."""


def _today(cut: Cut, now: datetime) -> date:
    return now.astimezone(ZoneInfo(cut.zone)).date()


def _part(some: int, whole: int) -> float | None:
    return some / whole if whole else None


def debts_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """As of the last day of the period, or today before it: what was due earlier, less what came up to that day."""
    day = min(cut.last, _today(cut, now))
    rows = _owed(session, cut, day, day)
    debts = [(line, debt) for line, debt in rows if debt]
    whole = sum(debt for _line, debt in debts)

    def cells(found: Sequence[tuple[Instalment, int]]) -> tuple[Cell, ...]:
        owed = sum(debt for _line, debt in found)
        contracts = len({line.contract_id for line, _debt in found})
        return Cell(len(found)), Cell(contracts), Cell(owed, "money"), Cell(_part(owed, whole), "share")

    least, lines = 1, []
    for most, name in BUCKETS:
        found = [(line, debt) for line, debt in debts if least <= (day - line.due_on).days <= most]
        lines.append(Line(name, name, cells(found)))
        least = most + 1
    due = sum(line.amount for line, _debt in rows)
    beside = (
        ("as_of", Cell(day, "date")),
        ("overdue_share", Cell(_part(whole, due), "share")),
        ("collected", Cell(_collected(session, cut, day), "share")),
        ("promises_kept", Cell(_kept(session, cut, min(cut.last, _today(cut, now) - _DAY)), "share")),
    )
    return Table(DEBT_COLUMNS, by, tuple(lines), cells(debts) if rows else None, beside)


def _owed(session: Session, cut: Cut, day: date, through: date) -> list[tuple[Instalment, int]]:
    """Lines due before ``day`` of contracts that are not settled, with what payments ``through`` a day left."""
    query = (
        select(Instalment, Contract.state).join(Contract, Contract.id == Instalment.contract_id)
        .where(Instalment.current, Instalment.due_on < day, Instalment.stage != "written_off")
        .where(Contract.state.in_(OWING), *of_contracts(cut.programme)).order_by(Instalment.due_on, Instalment.id)
    )  # fmt: skip
    lines = session.execute(query).all()
    paid = _paid(session, [line.id for line, _state in lines], through)
    owed = [(line, max(0, line.amount - paid.get(line.id, 0)), state) for line, state in lines]
    # A contract that was fulfilled and paid is settled.
    return [(line, debt) for line, debt, state in owed if debt or state != "fulfilled"]


def _paid(session: Session, ids: Sequence[int], through: date) -> dict[int, int]:
    query = (
        select(Allocation.instalment_id, func.sum(Allocation.amount))
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(Payment.paid_on <= through).group_by(Allocation.instalment_id)
    )  # fmt: skip
    wanted = set(ids)
    return {row[0]: int(row[1]) for row in session.execute(query) if row[0] in wanted} if wanted else {}


def _collected(session: Session, cut: Cut, day: date) -> float | None:
    """Of what was overdue as the period began, the part that was paid within it."""
    eve = cut.first - timedelta(days=1)
    opening = {line.id: debt for line, debt in _owed(session, cut, cut.first, eve) if debt}
    before, after = (_paid(session, list(opening), through) for through in (eve, day))
    paid = sum(min(debt, after.get(key, 0) - before.get(key, 0)) for key, debt in opening.items())
    return _part(paid, sum(opening.values()))


def _kept(session: Session, cut: Cut, last: date) -> float | None:
    """Of the payments that were promised for a day of the period that is over, those that were there by that day;
    of a payment promised more than once the last word counts."""
    in_time = case((Payment.paid_on <= Instalment.promised_on, Allocation.amount), else_=0)
    query = (
        select(Instalment.amount, func.coalesce(func.sum(in_time), 0))
        .outerjoin(Allocation, Allocation.instalment_id == Instalment.id)
        .outerjoin(Payment, Payment.id == Allocation.payment_id)
        .where(Instalment.current, Instalment.promised_on >= cut.first, Instalment.promised_on <= last)
        .join(Contract, Contract.id == Instalment.contract_id)
        .where(*of_contracts(cut.programme))
        .group_by(Instalment.id, Instalment.amount)
    )
    rows = session.execute(query).all()
    return _part(sum(1 for amount, paid in rows if paid >= amount), len(rows))


def contracts_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A row a contract dated in the period that has a number; numbers that are missing between them are named."""
    query = select(Contract, Client).join(Client, Client.id == Contract.client_id)
    query = query.where(Contract.dated >= cut.first, Contract.dated <= cut.last, Contract.number.is_not(None))
    query = query.where(*of_contracts(cut.programme))
    rows = session.execute(query.order_by(Contract.number)).all()
    ids, day = [row[0].id for row in rows], min(cut.last, _today(cut, now))
    paid, debt, changed = _balance(session, ids), _late(session, ids, day), _amended(session, ids)
    lines = [
        Line(
            contract.id, contract.number or "",
            (
                Cell(contract.dated, "date"), Cell(client.name, "text"),
                Cell(contract.terms.get("program", {}).get("name", ""), "text"), Cell(contract.price, "money"),
                Cell(paid.get(contract.id, 0), "money"),
                Cell(debt.get(contract.id, 0) if contract.state in OWING else 0, "money"),
                Cell(contract.state, "code"), Cell(contract.signature, "code"),
                Cell(changed.get(contract.id, 0)), Cell(contract.ends_on, "date"),
            ),
            ("contract", contract.id),
        )
        for contract, client in rows
    ]  # fmt: skip
    sums = {name: sum(line.cells[place].value for line in lines) for name, place in _SUMMED.items()}
    total = tuple(
        Cell(sums[name], "count" if name == "amendments" else "money") if name in sums else Cell(None, "text")
        for name in CONTRACT_COLUMNS
    )
    gaps = _gaps(session, [contract.number or "" for contract, _client in rows])
    beside = (("contracts", Cell(len(lines))), ("number_gaps", Cell(", ".join(gaps) or "0", "text")))
    return Table(CONTRACT_COLUMNS, by, tuple(lines), total if lines else None, beside, ("retention",))


_SUMMED = {name: CONTRACT_COLUMNS.index(name) for name in ("price", "paid", "debt", "amendments")}


def _balance(session: Session, ids: Sequence[int]) -> dict[int, int]:
    """contract → payments less refunds."""
    found: Counter[int] = Counter()
    query = select(Payment.contract_id, Payment.is_refund, func.sum(Payment.amount))
    query = query.where(Payment.contract_id.in_(ids)).group_by(Payment.contract_id, Payment.is_refund)
    for contract_id, is_refund, amount in session.execute(query):
        found[contract_id] += -int(amount) if is_refund else int(amount)
    return dict(found)


def _late(session: Session, ids: Sequence[int], day: date) -> dict[int, int]:
    query = select(Instalment).where(Instalment.contract_id.in_(ids), Instalment.current, Instalment.due_on < day)
    found: Counter[int] = Counter()
    for line in session.scalars(query):
        found[line.contract_id] += max(0, line.amount - line.paid)
    return dict(found)


def _amended(session: Session, ids: Sequence[int]) -> dict[int, int]:
    query = select(Amendment.contract_id, func.count()).where(
        Amendment.contract_id.in_(ids), Amendment.signed_at.is_not(None)
    )
    return {row[0]: row[1] for row in session.execute(query.group_by(Amendment.contract_id))}


def _gaps(session: Session, numbers: Iterable[str]) -> list[str]:
    """Numbers of a year's series that no contract bears, between the least and the greatest of the period."""
    series: dict[str, list[int]] = {}
    for number in numbers:
        year, _dash, rest = number.partition("-")
        if rest.isdigit():
            series.setdefault(year, []).append(int(rest))
    found = []
    for year, taken in series.items():
        low, high = f"{year}-{min(taken):05d}", f"{year}-{max(taken):05d}"
        query = select(Contract.number).where(Contract.number >= low, Contract.number <= high)
        known = set(session.scalars(query))
        wanted = (f"{year}-{place:05d}" for place in range(min(taken), max(taken) + 1))
        found += [number for number in wanted if number not in known]
    return found


def terminations_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a ground of those received in the period; days run from the client's word to the money."""
    of = of_contracts(cut.programme)
    query = select(Termination).join(Contract, Contract.id == Termination.contract_id).where(*of)
    query = query.where(Termination.received_on >= cut.first, Termination.received_on <= cut.last)
    rows = list(session.scalars(query.order_by(Termination.id)))
    returned = _refunds(session, rows)
    cells = _termination_cells(rows, returned)
    lines = [
        Line(ground, "", _termination_cells([row for row in rows if row.ground == ground], returned))
        for ground in GROUNDS
        if any(row.ground == ground for row in rows)
    ]
    within = (Payment.paid_on >= cut.first, Payment.paid_on <= cut.last)
    sums = select(func.sum(Payment.amount)).join(Contract, Contract.id == Payment.contract_id).where(*of, *within)
    gross = session.scalar(sums.where(~Payment.is_refund)) or 0
    back = session.scalar(sums.where(Payment.is_refund)) or 0
    slow = [row.contract_id for row in rows if row.id in returned and returned[row.id][1] > SLOW]
    named = select(Contract.number).where(Contract.id.in_(slow)).order_by(Contract.number)
    beside = (
        ("refunds_in_period", Cell(int(back), "money")),
        ("refund_share", Cell(_part(int(back), int(gross)), "share")),
        ("slow_refunds", Cell(", ".join(number or "№" for number in session.scalars(named)) or "0", "text")),
    )  # fmt: skip
    return Table(TERMINATION_COLUMNS, by, tuple(lines), cells if rows else None, beside)


def _refunds(session: Session, rows: Sequence[Termination]) -> Mapping[int, tuple[int, int]]:
    """termination → (money that went back since its day, days until the last of it)."""
    query = select(Payment).where(Payment.is_refund, Payment.contract_id.in_([row.contract_id for row in rows]))
    paid: dict[int, list[Payment]] = {}
    for payment in session.scalars(query):
        paid.setdefault(payment.contract_id, []).append(payment)
    found = {}
    for row in rows:
        after = [one for one in paid.get(row.contract_id, []) if one.paid_on >= row.received_on]
        if after:
            last = max(one.paid_on for one in after)
            found[row.id] = (sum(one.amount for one in after), (last - row.received_on).days)
    return found


def _termination_cells(rows: Sequence[Termination], returned: Mapping[int, tuple[int, int]]) -> tuple[Cell, ...]:
    took = [returned[row.id][1] for row in rows if row.id in returned]
    return (
        Cell(len(rows)), Cell(sum(row.refund for row in rows), "money"),
        Cell(sum(returned[row.id][0] for row in rows if row.id in returned), "money"),
        Cell(Fraction(sum(took), len(took)) if took else None, "days"),
        Cell(max(took, default=None), "days"), Cell(sum(1 for days in took if days > SLOW)),
    )  # fmt: skip


def obligations_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """What was due in the period, the school's and the clients' apart; what was lifted is not asked of anybody."""
    day = _today(cut, now)
    query = select(Obligation.side, Obligation.state, Obligation.due_on, Obligation.done_on)
    query = query.join(Contract, Contract.id == Obligation.contract_id).where(
        *of_contracts(cut.programme),
        Obligation.due_on >= cut.first,
        Obligation.due_on <= cut.last,
        Obligation.state != "lifted",
    )
    rows = [tuple(row) for row in session.execute(query)]
    lines = [
        Line(side, "", _obligation_cells([row for row in rows if row[0] == side], day))
        for side in ("school", "client")
    ]
    return Table(OBLIGATION_COLUMNS, by, tuple(lines), _obligation_cells(rows, day) if rows else None)


def _obligation_cells(rows: Sequence[tuple[Any, ...]], day: date) -> tuple[Cell, ...]:
    kept = sum(1 for _side, _state, due, done in rows if done is not None and done <= due)
    late = sum(1 for _side, _state, due, done in rows if done is not None and done > due)
    over = sum(1 for _side, _state, due, done in rows if done is None and due < day)
    share = _part(kept, kept + late + over)
    return Cell(len(rows)), Cell(kept), Cell(late), Cell(over), Cell(share, "share")
