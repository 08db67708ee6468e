"""Payment schedules: made from a price, checked against it, replaced by amendments, never changed in place."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Contract, Instalment
from services.errors import Refused
from services.money.arithmetic import split

FUNDING = ("own", "operator", "bank")
OPERATOR_MONTHS = 6
"""An instalment operator may not stretch beyond half a year (283-ФЗ, R-34)."""
MOST = 120


def schedule_of(session: Session, contract_id: int) -> list[Instalment]:
    """The lines in force, in order."""
    query = select(Instalment).where(Instalment.contract_id == contract_id, Instalment.current)
    return list(session.scalars(query.order_by(Instalment.no)))


def plain(rows: Sequence[Instalment]) -> list[dict[str, Any]]:
    """Lines as JSON holds them, for hashes and revisions."""
    return [{"no": row.no, "due_on": row.due_on.isoformat(), "amount": row.amount} for row in rows]


def even_schedule(price: int, first: date, parts: int) -> list[tuple[date, int]]:
    """``parts`` monthly instalments from ``first`` on that add up to ``price``."""
    return [(add_months(first, place), amount) for place, amount in enumerate(split(price, parts))]


def add_months(day: date, months: int) -> date:
    """The same day so many months on, or the month's last."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    raise ValueError(day)


def problem_of(lines: Sequence[tuple[date, int]], price: int, funding: str) -> str | None:
    """A code why the schedule cannot stand: sum · order · empty · operator."""
    if not lines or len(lines) > MOST or any(amount <= 0 for _day, amount in lines):
        return None if price == 0 and not lines else "schedule.empty"
    if sum(amount for _day, amount in lines) != price:
        return "schedule.sum"
    days = [day for day, _amount in lines]
    if days != sorted(days):
        return "schedule.order"
    if funding == "operator" and days[-1] > add_months(days[0], OPERATOR_MONTHS):
        return "schedule.operator"
    return None


def put_schedule(session: Session, contract: Contract, lines: Sequence[tuple[date, int]]) -> list[Instalment]:
    """The schedule of a draft, written anew; raises Refused for a negative or an endless one."""
    if len(lines) > MOST or any(amount <= 0 for _day, amount in lines):
        raise Refused("schedule.empty")
    for row in session.scalars(select(Instalment).where(Instalment.contract_id == contract.id)):
        session.delete(row)
    session.flush()
    return _add(session, contract.id, 1, lines)


def replace_schedule(session: Session, contract: Contract, lines: Sequence[tuple[date, int]]) -> list[Instalment]:
    """A new version of the schedule; the former stays to be read."""
    newest = max((row.schedule for row in schedule_of(session, contract.id)), default=0)
    session.execute(
        update(Instalment).where(Instalment.contract_id == contract.id, Instalment.current).values(current=False)
    )
    session.expire_all()
    return _add(session, contract.id, newest + 1, lines)


def _add(session: Session, contract_id: int, version: int, lines: Sequence[tuple[date, int]]) -> list[Instalment]:
    rows = [
        Instalment(contract_id=contract_id, schedule=version, no=no, due_on=day, amount=amount)
        for no, (day, amount) in enumerate(sorted(lines), 1)
    ]
    session.add_all(rows)
    session.flush()
    return rows
