"""The register of rendered services: a line a contract and month, locked when accounting has accepted the month."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Client, Contract, ServiceRecord, utc_now
from services.errors import Refused
from services.events import record
from services.leases import hold_name
from services.rights import Actor, require


@dataclass(frozen=True, slots=True)
class Month:
    """``accepted``: locked."""

    period: str
    count: int
    total: int
    accepted: bool


def months(session: Session, actor: Actor) -> list[Month]:
    require(actor, "contract.view")
    rows = session.execute(
        select(
            ServiceRecord.period,
            func.count(),
            func.sum(ServiceRecord.amount),
            func.count(ServiceRecord.accepted_at),
        )
        .group_by(ServiceRecord.period)
        .order_by(ServiceRecord.period.desc())
        .limit(60)
    )
    return [Month(period, count, int(total), accepted == count) for period, count, total, accepted in rows]


def lines_of_month(session: Session, actor: Actor, period: str) -> list[tuple[ServiceRecord, Contract, Client]]:
    require(actor, "contract.view")
    query = (
        select(ServiceRecord, Contract, Client)
        .join(Contract, Contract.id == ServiceRecord.contract_id)
        .join(Client, Client.id == Contract.client_id)
        .where(ServiceRecord.period == period)
        .order_by(ServiceRecord.id)
    )
    return [(line, contract, client) for line, contract, client in session.execute(query)]


def put_record(
    session: Session, actor: Actor, contract: Contract, *, period: str, volume: str, amount: int
) -> ServiceRecord:
    """What was rendered in a month; raises Refused(«register.locked») once accounting has accepted it."""
    require(actor, "contract.edit")
    try:
        date.fromisoformat(f"{period}-01")
    except ValueError:
        raise Refused("date.invalid") from None
    if amount < 0 or not volume.strip():
        raise Refused("register.line")
    hold_name(session, f"register.{period}")
    if is_locked(session, period):
        raise Refused("register.locked", what=period)
    others = session.scalar(
        select(func.coalesce(func.sum(ServiceRecord.amount), 0)).where(
            ServiceRecord.contract_id == contract.id, ServiceRecord.period != period
        )
    )
    if int(others or 0) + amount > contract.price:
        raise Refused("register.above", most=contract.price - int(others or 0))
    row = session.scalar(
        select(ServiceRecord).where(ServiceRecord.contract_id == contract.id, ServiceRecord.period == period)
    )
    if row is None:
        row = ServiceRecord(contract_id=contract.id, period=period)
        session.add(row)
    row.volume, row.amount, row.staff_id, row.updated_at = volume.strip(), amount, actor.staff_id, utc_now()
    session.flush()
    record(session, "register.put", actor, client_id=contract.client_id, object_id=row.id, period=period)
    return row


def is_locked(session: Session, period: str) -> bool:
    query = select(ServiceRecord.id).where(ServiceRecord.period == period, ServiceRecord.accepted_at.is_not(None))
    return session.scalar(query.limit(1)) is not None


def accept_month(session: Session, actor: Actor, period: str) -> int:
    """Accounting takes the month; nothing in it changes any more. Returns how many lines."""
    require(actor, "payment.edit")
    hold_name(session, f"register.{period}")
    rows = list(session.scalars(select(ServiceRecord).where(ServiceRecord.period == period)))
    if not rows:
        raise Refused("register.empty", what=period)
    if any(row.accepted_at is not None for row in rows):
        raise Refused("register.locked", what=period)
    for row in rows:
        row.accepted_at, row.accepted_by_id = utc_now(), actor.staff_id
    record(session, "register.accepted", actor, period=period, count=len(rows))
    return len(rows)
