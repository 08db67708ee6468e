"""Reports 19, 20, 21 and 23 (domain.md §8): receivables, the register of contracts, terminations, obligations."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
from services.reports.narrowed import of_contracts
from services.reports.shape import Cell, Line, Lists, Table, by_key, counted

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
    day, lists = _day(cut, now), debt_lists(session, cut, now)
    whole = _sum(lists["debts"][None])

    def cells(key: str | None) -> tuple[Cell, ...]:
        owed = _sum(lists["debts"].get(key, ()))
        return (
            counted(lists, "debts", key), counted(lists, "debtors", key), Cell(owed, "money", "debts", key=key),
            Cell(_part(owed, whole), "share", "debts", key=key),
        )  # fmt: skip

    due = lists["debts_due"][None]
    promised, kept = (lists[name][None] for name in ("promised", "promises_kept"))
    beside = (
        ("as_of", Cell(day, "date")),
        ("overdue_share", Cell(_part(whole, sum(one.line.amount for one in due)), "share", "debts_due")),
        ("collected", Cell(_collected(session, lists["debts_before"][None], cut, day), "share", "debts_before")),
        ("promises_kept", Cell(_part(len(kept), len(promised)), "share", "promises_kept")),
    )
    lines = tuple(Line(name, name, cells(name)) for _most, name in BUCKETS)
    return Table(DEBT_COLUMNS, by, lines, cells(None) if due else None, beside)


@dataclass(frozen=True, slots=True)
class Owed:
    """A line of a schedule and what of it was not paid by a day, kopecks."""

    line: Instalment
    debt: int
    days: int

    @property
    def id(self) -> int:
        return self.line.id

    @property
    def at(self) -> date:
        return self.line.due_on


@dataclass(frozen=True, slots=True)
class Debtor:
    """A contract with its oldest line that is owed, and all that is."""

    id: int
    at: date
    debt: int


def debt_lists(session: Session, cut: Cut, now: datetime) -> Lists:
    """The lines of schedules behind the figures, by how long they are overdue; «debtors»: their contracts.

    ``debts_before``: what was overdue as the period began. ``promised``: for a day of the period that is over.
    """
    day = _day(cut, now)
    due = _owed(session, cut, day, day)
    debts = by_key((one for one in due if one.debt), lambda one: _bucket(one.days))
    eve = cut.first - _DAY
    before = [one for one in _owed(session, cut, cut.first, eve) if one.debt]
    promised = _promised(session, cut, min(cut.last, _today(cut, now) - _DAY))
    return {
        "debts": debts, "debtors": {key: _debtors(rows) for key, rows in debts.items()}, "debts_due": {None: due},
        "debts_before": {None: before}, "promised": {None: promised},
        "promises_kept": {None: [one for one in promised if not one.debt]},
    }  # fmt: skip


def _day(cut: Cut, now: datetime) -> date:
    return min(cut.last, _today(cut, now))


def _sum(rows: Sequence[Owed]) -> int:
    return sum(one.debt for one in rows)


def _bucket(days: int) -> str:
    return next(name for most, name in BUCKETS if days <= most)


def _debtors(rows: Sequence[Owed]) -> list[Debtor]:
    found: dict[int, list[Owed]] = {}
    for one in rows:
        found.setdefault(one.line.contract_id, []).append(one)
    return [Debtor(key, min(one.at for one in owed), _sum(owed)) for key, owed in found.items()]


def _owed(session: Session, cut: Cut, day: date, through: date) -> list[Owed]:
    """Lines due before ``day`` of contracts that are not settled, with what payments ``through`` a day left."""
    query = (
        select(Instalment, Contract.state).join(Contract, Contract.id == Instalment.contract_id)
        .where(Instalment.current, Instalment.due_on < day, Instalment.stage != "written_off")
        .where(Contract.state.in_(OWING), *of_contracts(cut)).order_by(Instalment.due_on, Instalment.id)
    )  # fmt: skip
    lines = session.execute(query).all()
    paid = _paid(session, [line.id for line, _state in lines], through)
    owed = [(line, max(0, line.amount - paid.get(line.id, 0)), state) for line, state in lines]
    # A contract that was fulfilled and paid is settled.
    return [
        Owed(line, debt, (day - line.due_on).days) for line, debt, state in owed if debt or state != "fulfilled"
    ]


def _paid(session: Session, ids: Sequence[int], through: date) -> dict[int, int]:
    query = (
        select(Allocation.instalment_id, func.sum(Allocation.amount))
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(Payment.paid_on <= through).group_by(Allocation.instalment_id)
    )  # fmt: skip
    wanted = set(ids)
    return {row[0]: int(row[1]) for row in session.execute(query) if row[0] in wanted} if wanted else {}


def _collected(session: Session, before_it: Sequence[Owed], cut: Cut, day: date) -> float | None:
    """Of what was overdue as the period began, the part that was paid within it."""
    opening = {one.id: one.debt for one in before_it}
    before, after = (_paid(session, list(opening), through) for through in (cut.first - _DAY, day))
    paid = sum(min(debt, after.get(key, 0) - before.get(key, 0)) for key, debt in opening.items())
    return _part(paid, sum(opening.values()))


def _promised(session: Session, cut: Cut, last: date) -> list[Owed]:
    """The payments that were promised for a day of the period that is over, with what was not there by that day; of
    a payment promised more than once the last word counts."""
    in_time = case((Payment.paid_on <= Instalment.promised_on, Allocation.amount), else_=0)
    query = (
        select(Instalment.id, func.coalesce(func.sum(in_time), 0))
        .outerjoin(Allocation, Allocation.instalment_id == Instalment.id)
        .outerjoin(Payment, Payment.id == Allocation.payment_id)
        .where(Instalment.current, Instalment.promised_on >= cut.first, Instalment.promised_on <= last)
        .join(Contract, Contract.id == Instalment.contract_id)
        .where(*of_contracts(cut))
        .group_by(Instalment.id)
    )
    paid = {row[0]: int(row[1]) for row in session.execute(query)}
    lines = session.scalars(select(Instalment).where(Instalment.id.in_(paid)).order_by(Instalment.id))
    return [Owed(line, max(0, line.amount - paid[line.id]), 0) for line in lines]


def contracts_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A row a contract dated in the period that has a number; numbers that are missing between them are named."""
    lists = contract_lists(session, cut, now)
    contracts = lists["contracts"][None]
    names = _client_names(session, contracts)

    def sums(key: str | None) -> dict[str, Cell]:
        paid = sum(signed(one) for one in lists["contract_payments"].get(key, ()))
        return {
            "price": Cell(sum(one.price for one in lists["contracts"].get(key, ())), "money", "contracts", key=key),
            "paid": Cell(paid, "money", "contract_payments", key=key),
            "debt": Cell(_sum(lists["contract_debts"].get(key, ())), "money", "contract_debts", key=key),
            "amendments": counted(lists, "amendments", key),
        }

    def cells(contract: Contract) -> tuple[Cell, ...]:
        told = sums(str(contract.id)) | {
            "dated": Cell(contract.dated, "date"), "client": Cell(names.get(contract.client_id, ""), "text"),
            "programme": Cell(contract.terms.get("program", {}).get("name", ""), "text"),
            "state": Cell(contract.state, "code"), "signature": Cell(contract.signature, "code"),
            "ends": Cell(contract.ends_on, "date"),
        }  # fmt: skip
        return tuple(told[name] for name in CONTRACT_COLUMNS)

    lines = tuple(Line(one.id, one.number or "", cells(one), ("contract", one.id)) for one in contracts)
    whole = sums(None)
    total = tuple(whole.get(name, Cell(None, "text")) for name in CONTRACT_COLUMNS)
    gaps = _gaps(session, [one.number or "" for one in contracts])
    beside = (("contracts", counted(lists, "contracts")), ("number_gaps", Cell(", ".join(gaps) or "0", "text")))
    return Table(CONTRACT_COLUMNS, by, lines, total if lines else None, beside, ("retention",))


def contract_lists(session: Session, cut: Cut, now: datetime) -> Lists:
    """The contracts of the period with what was paid, what is late and what was changed, by contract."""
    query = select(Contract).where(
        Contract.dated >= cut.first, Contract.dated <= cut.last, Contract.number.is_not(None),
        *of_contracts(cut),
    )  # fmt: skip
    contracts = list(session.scalars(query.order_by(Contract.number)))
    ids, owing = [one.id for one in contracts], [one.id for one in contracts if one.state in OWING]
    payments = select(Payment).where(Payment.contract_id.in_(ids)).order_by(Payment.id)
    changed = select(Amendment).where(Amendment.contract_id.in_(ids), Amendment.signed_at.is_not(None))
    return {
        "contracts": by_key(contracts, lambda one: one.id),
        "contract_payments": by_key(session.scalars(payments), lambda one: one.contract_id),
        "contract_debts": by_key(_late(session, owing, _day(cut, now)), lambda one: one.line.contract_id),
        "amendments": by_key(session.scalars(changed.order_by(Amendment.id)), lambda one: one.contract_id),
    }


def signed(payment: Payment) -> int:
    """Kopecks that came, or with a minus those that went back."""
    return -payment.amount if payment.is_refund else payment.amount


def _client_names(session: Session, contracts: Sequence[Contract]) -> dict[int, str]:
    query = select(Client.id, Client.name).where(Client.id.in_({one.client_id for one in contracts}))
    return {row.id: row.name for row in session.execute(query)}


def _late(session: Session, ids: Sequence[int], day: date) -> list[Owed]:
    query = select(Instalment).where(
        Instalment.contract_id.in_(ids), Instalment.current, Instalment.due_on < day,
        Instalment.amount > Instalment.paid,
    )  # fmt: skip
    rows = session.scalars(query.order_by(Instalment.id))
    return [Owed(line, line.amount - line.paid, (day - line.due_on).days) for line in rows]


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
    lists = termination_lists(session, cut, now)
    lines = tuple(
        Line(ground, "", _termination_cells(lists, ground)) for ground in GROUNDS if ground in lists["terminations"]
    )
    gross, back = (
        session.scalar(which_payments(cut, is_refund=one).with_only_columns(func.sum(Payment.amount))) or 0
        for one in (False, True)
    )
    slow = [one.row.contract_id for one in lists["refunds_slow"][None]]
    named = select(Contract.number).where(Contract.id.in_(slow)).order_by(Contract.number)
    beside = (
        ("refunds_in_period", Cell(int(back), "money", "refunds")),
        ("refund_share", Cell(_part(int(back), int(gross)), "share", "refunds")),
        ("slow_refunds", Cell(", ".join(number or "№" for number in session.scalars(named)) or "0", "text")),
    )  # fmt: skip
    return Table(TERMINATION_COLUMNS, by, lines, _termination_cells(lists, None) if lines else None, beside)


@dataclass(frozen=True, slots=True)
class Ended:
    """A termination, the kopecks that went back since its day and the days until the last of them; None of none."""

    row: Termination
    refunded: int
    days: int | None

    @property
    def id(self) -> int:
        return self.row.id

    @property
    def at(self) -> date:
        return self.row.received_on


def termination_lists(session: Session, cut: Cut, now: datetime) -> Lists:
    """The terminations behind the figures, by ground; ``terminations_paid``: those of which money went back."""
    query = select(Termination).join(Contract, Contract.id == Termination.contract_id)
    query = query.where(*of_contracts(cut))
    query = query.where(Termination.received_on >= cut.first, Termination.received_on <= cut.last)
    rows = list(session.scalars(query.order_by(Termination.id)))
    returned = _refunds(session, rows)
    ended = [Ended(row, *returned.get(row.id, (0, None))) for row in rows]
    paid = [one for one in ended if one.days is not None]
    slow = [one for one in paid if (one.days or 0) > SLOW]
    named = {"terminations": ended, "terminations_paid": paid, "refunds_slow": slow}
    return {name: by_key(found, lambda one: one.row.ground) for name, found in named.items()}


def which_payments(cut: Cut, *, is_refund: bool) -> Any:
    """Payments of the period, or refunds."""
    return (
        select(Payment).join(Contract, Contract.id == Payment.contract_id)
        .where(*of_contracts(cut), Payment.paid_on >= cut.first, Payment.paid_on <= cut.last)
        .where(Payment.is_refund if is_refund else ~Payment.is_refund)
    )  # fmt: skip


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


def _termination_cells(lists: Lists, key: str | None) -> tuple[Cell, ...]:
    rows, paid = (lists[name].get(key, ()) for name in ("terminations", "terminations_paid"))
    took = [one.days for one in paid]
    return (
        counted(lists, "terminations", key),
        Cell(sum(one.row.refund for one in rows), "money", "terminations", key=key),
        Cell(sum(one.refunded for one in paid), "money", "terminations_paid", key=key),
        Cell(Fraction(sum(took), len(took)) if took else None, "days", "terminations_paid", key=key),
        Cell(max(took, default=None), "days", "terminations_paid", key=key), counted(lists, "refunds_slow", key),
    )  # fmt: skip


def obligations_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """What was due in the period, the school's and the clients' apart; what was lifted is not asked of anybody."""
    lists = obligation_lists(session, cut, now)
    lines = tuple(Line(side, "", _obligation_cells(lists, side)) for side in ("school", "client"))
    total = _obligation_cells(lists, None) if lists["obligations"][None] else None
    return Table(OBLIGATION_COLUMNS, by, lines, total)


def obligation_lists(session: Session, cut: Cut, now: datetime) -> Lists:
    """The obligations behind the figures, by whose they are."""
    day = _today(cut, now)
    query = select(Obligation).join(Contract, Contract.id == Obligation.contract_id).where(
        *of_contracts(cut), Obligation.due_on >= cut.first, Obligation.due_on <= cut.last,
        Obligation.state != "lifted",
    )  # fmt: skip
    rows = list(session.scalars(query.order_by(Obligation.id)))
    chosen: Mapping[str, Callable[[Obligation], bool]] = {
        "obligations": lambda one: True,
        "obligations_kept": lambda one: one.done_on is not None and one.done_on <= one.due_on,
        "obligations_late": lambda one: one.done_on is not None and one.done_on > one.due_on,
        "obligations_over": lambda one: one.done_on is None and one.due_on < day,
    }
    return {name: by_key(filter(is_one, rows), lambda one: one.side) for name, is_one in chosen.items()}


def _obligation_cells(lists: Lists, key: str | None) -> tuple[Cell, ...]:
    kept, late, over = (len(lists[f"obligations_{name}"].get(key, ())) for name in ("kept", "late", "over"))
    share = Cell(_part(kept, kept + late + over), "share", "obligations_kept", key=key)
    return (*(counted(lists, name, key) for name in lists), share)
