"""What is to be done soon, handed to the workers of a PostgreSQL desk in the very transaction that made the work.

Procrastinate's tables and its function ``procrastinate_defer_jobs_v1`` are spoken to in SQL, so that a rolled back
click leaves no job, and so that only ``worker.py`` imports it. Jobs find what is due by themselves; a queued job
says nothing but «look now», therefore one too many does no harm.
"""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import event, inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, UOWTransaction

from models import (
    Act,
    Base,
    Bulk,
    ClientExport,
    ClientImport,
    Delivery,
    Message,
    PasswordAsked,
    Setting,
    WebhookCall,
)
from models.database import Database
from services import recount, relabel
from services.outbox import WAITING
from services.reports import upkeep

QUEUE = "otklik"
PARALLEL = frozenset({"collect", "send", "air", "webhooks"})
"""Jobs that several workers may do at once, because they claim each piece; of every other one runs at a time."""
ALIVE_SECONDS = 30
WORK: dict[type[Base], str] = {
    Act: "send", Message: "label", Delivery: "deliver", Bulk: "bulk", ClientImport: "transfer",
    ClientExport: "transfer", WebhookCall: "webhooks", PasswordAsked: "deliver",
}  # fmt: skip
"""A row of this table that is new, or waits anew, is work for this job."""
ASKED = {recount.NAME: "recount", relabel.NAME: "relabel", upkeep.NAME: "facts"}
"""A setting of this name asks for this job."""
_ONLY_NEW = (Message,)
_WANTED = "wanted_jobs"
_DEFER = text(
    "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(:queue, :name, 0, :lock, :once, CAST(:given AS jsonb), :at)"
    "::procrastinate_job_to_defer_v1])"
)


def is_there(database: Database) -> bool:
    """Whether the workers' tables have been made, which the first worker does."""
    return not database.is_sqlite and inspect(database.engine).has_table("procrastinate_jobs")


def count_workers(session: Session) -> int:
    """Workers that gave a sign of life within ALIVE_SECONDS; ask only where ``is_there``."""
    query = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :s)"
    return session.scalar(text(query), {"s": ALIVE_SECONDS}) or 0


def count_waiting(session: Session) -> int:
    """Jobs whose time has come and that no worker has taken; ask only where ``is_there``."""
    query = (
        "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()"
    )
    return session.scalar(text(query)) or 0


def defer(session: Session, name: str, at: datetime | None = None) -> None:
    """Queues a job with the transaction of ``session``."""
    session.execute(_DEFER, _row(name, at=at))


def defer_once(session: Session, name: str) -> None:
    """The same, but nothing where one waits already: what the clock asks for again and again."""
    waits = select(text("1")).select_from(text("procrastinate_jobs"))
    there = waits.where(text("queueing_lock = :once AND status = 'todo'")).limit(1)
    if session.scalar(there, {"once": name}) is not None:
        return
    connection = session.connection()
    try:
        with connection.begin_nested():  # what else this transaction does stands, whoever was first
            connection.execute(_DEFER, _row(name, once=name))
    except IntegrityError:  # another transaction has just queued the same
        return


def take_all(session: Session, name: str) -> None:
    """Takes what waits out of the queue: whoever calls does the job itself."""
    session.execute(
        text("DELETE FROM procrastinate_jobs WHERE status = 'todo' AND task_name = :name"), {"name": name}
    )


def _row(name: str, *, once: str | None = None, at: datetime | None = None) -> dict[str, Any]:
    lock = None if name in PARALLEL else name
    return {"queue": QUEUE, "name": name, "lock": lock, "once": once, "given": json.dumps({}), "at": at}


def free_dead_jobs(session: Session) -> int:
    """Jobs whose worker gives no sign of life any more are queued anew; returns how many there were."""
    query = (
        "DELETE FROM procrastinate_jobs j WHERE j.status = 'doing' AND NOT EXISTS ("
        "SELECT 1 FROM procrastinate_workers w "
        "WHERE w.id = j.worker_id AND w.last_heartbeat > now() - make_interval(secs => :s)"
        ") RETURNING j.task_name"
    )
    dead = list(session.scalars(text(query), {"s": ALIVE_SECONDS}))
    for name in sorted(set(dead)):
        defer_once(session, name)
    return len(dead)


def free_lost_jobs(
    session: Session, worker: int, held: Collection[int], missed: Collection[int]
) -> tuple[int, frozenset[int]]:
    """Of the jobs that the queue believes ``worker`` does, those it does not hold and was ``missed`` to hold at the
    look before are queued anew. How many there were, and those that were missed this time."""
    doing = text("SELECT id, task_name FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = :worker")
    names = {row.id: row.task_name for row in session.execute(doing, {"worker": worker}) if row.id not in held}
    lost = sorted(names.keys() & set(missed))
    for job_id in lost:
        session.execute(text("DELETE FROM procrastinate_jobs WHERE id = :id AND status = 'doing'"), {"id": job_id})
    for name in sorted({names[job_id] for job_id in lost}):
        defer_once(session, name)
    return len(lost), frozenset(names.keys() - set(lost))


def hand_over(database: Database) -> None:
    """From now on every transaction of ``database`` queues the work that it makes."""
    database.write.configure(info={"queue": True})


@event.listens_for(Session, "after_flush")
def _note_work(session: Session, _context: UOWTransaction) -> None:
    if not session.info.get("queue"):
        return
    wanted: dict[str, datetime | None] = session.info.setdefault(_WANTED, {})
    for row in (*session.new, *session.dirty):
        name = ASKED.get(row.name) if isinstance(row, Setting) else WORK.get(type(row))
        if name is None or (isinstance(row, _ONLY_NEW) and row not in session.new):
            continue
        at = row.due_at if isinstance(row, Act | Delivery | WebhookCall) else None
        if isinstance(row, Act | WebhookCall) and row.state not in WAITING:
            continue
        known = wanted.get(name)
        wanted[name] = at if name not in wanted else (min(at, known) if at and known else None)


@event.listens_for(Session, "before_commit")
def _queue_work(session: Session) -> None:
    if not session.info.get("queue") or session.in_nested_transaction():
        return
    if session.new or session.dirty or session.deleted:
        session.flush()
    for name, at in (session.info.pop(_WANTED, None) or {}).items():
        defer(session, name, at)


@event.listens_for(Session, "after_rollback")
def _forget_work(session: Session) -> None:
    if (
        not session.in_nested_transaction()
    ):  # a savepoint takes back its own part alone; a job too many does no harm
        session.info.pop(_WANTED, None)
