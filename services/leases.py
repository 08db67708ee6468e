"""The small agreements between processes: who leads, and the next number of a series."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Base, BroadcastPlace, Case, Counter, Lease, Source, UtcDateTime, utc_now
from services.columns import among, insert_rows

CHAT_ORDER = 7_310_419
"""The number by which writers of chats wait for one another; any would do that nobody else uses."""


SKEW = timedelta(minutes=5)
"""Clocks of two machines differ by less."""


def lease_over(until: Any, now: datetime, seconds: float) -> ColumnElement[bool]:
    """A lease whose time is over, or that ends later than any which could be given now: the clock was set back, and
    whoever took it counted by another time. (A column, the time, how long such a lease is at most.)"""
    return or_(until < now, until > now + timedelta(seconds=seconds) + SKEW)


STRAY = timedelta(minutes=1)
"""Machines that ask the time are milliseconds apart; so far off, a clock may not decide whose lease is over."""


def astray(session: Session) -> timedelta | None:
    """How far this machine's clock is ahead of the database's (behind: negative), where that is too far; None where
    it is not. SQLite stands on the machine itself and has no clock of its own."""
    if session.get_bind().dialect.name != "postgresql":
        return None
    off = utc_now() - session.scalars(select(func.clock_timestamp(type_=UtcDateTime))).one()
    return off if abs(off) > STRAY else None


def hold_lease(session: Session, name: str, holder: str, seconds: float, now: datetime | None = None) -> bool:
    """Takes or renews the lease; False while another holder's time runs."""
    now = now or utc_now()
    taken = session.execute(
        update(Lease)
        .where(Lease.name == name, (Lease.holder == holder) | lease_over(Lease.until, now, seconds))
        .values(holder=holder, until=now + timedelta(seconds=seconds))
    )
    if taken.rowcount:  # type: ignore[attr-defined]
        return True
    if session.scalar(select(Lease.id).where(Lease.name == name)) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(Lease(name=name, holder=holder, until=now + timedelta(seconds=seconds)))
    except IntegrityError:
        return False
    return True


def free_the_dead(session: Session, is_gone: Callable[[str], bool]) -> None:
    """Frees what processes hold that are known to have died: the work of the dead waits for nobody.

    Whoever has taken a lease since it was looked at keeps it.
    """
    now = utc_now()
    for holder in session.scalars(select(Lease.holder).where(Lease.until > now).distinct()).all():
        if is_gone(holder):
            session.execute(update(Lease).where(Lease.holder == holder).values(until=now))
    for table in (Source, BroadcastPlace):
        held = select(table.lease_holder).where(table.lease_holder.is_not(None)).distinct()
        for reader in session.scalars(held).all():
            if reader is not None and is_gone(reader):
                free = update(table).where(table.lease_holder == reader)
                session.execute(free.values(lease_until=None, lease_holder=None))


def insert_missing(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]], *unique: str) -> None:
    """Inserts the rows whose ``unique`` columns nobody has taken; waits for whoever is taking one at this moment.

    Rows come in one order everywhere, or two processes would wait for one another.
    """
    session.flush()
    insert_rows(session, table, rows, unique)


def keep_order(session: Session) -> None:
    """From here to the commit nobody else writes into a chat, so that ids grow in the order of commits.

    A desk asks for what is newer than the last line it has. PostgreSQL numbers rows before they can be seen: of two
    who write at once the lower numbers could appear after the higher ones, and would never be asked for.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(CHAT_ORDER)))


def hold_cases(session: Session, ids: Collection[int], keys: Collection[str] = ()) -> list[Case]:
    """Cases by id, and the open ones of these matters (``Case.open_key``), read anew and held until the commit.

    Whoever changes several holds them all by one call, before the first change and before anything that waits
    behind them (clocks, the counter of numbers): by ascending id, as everybody does. Two who took them one by one
    as they came would wait for each other. Rows that refer to a case may be written by others meanwhile.
    """
    held = select(Case).where(or_(among(session, Case.id, ids), among(session, Case.open_key, keys)))
    fresh = held.order_by(Case.id).with_for_update(key_share=True).execution_options(populate_existing=True)
    return list(session.scalars(fresh))


def hold_name(session: Session, name: str) -> None:
    """Until the commit nobody else who asks for this name goes on: for what no row stands for yet. SQLite has one
    writer anyhow."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))


def drop_lease(session: Session, name: str, holder: str) -> None:
    """Gives the lease back, so that the next holder need not wait for its end."""
    session.execute(update(Lease).where(Lease.name == name, Lease.holder == holder).values(until=utc_now()))


def next_numbers(session: Session, name: str, count: int = 1) -> range:
    """The next ``count`` numbers of the series ``name``, never given twice; gaps only by a rollback."""
    value = session.scalar(
        update(Counter).where(Counter.name == name).values(value=Counter.value + count).returning(Counter.value)
    )
    if value is None:
        try:
            with session.begin_nested():
                session.add(Counter(name=name, value=count))
            value = count
        except IntegrityError:
            return next_numbers(session, name, count)
    return range(value - count + 1, value + 1)
