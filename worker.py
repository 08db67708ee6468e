"""The door for the queue: does the jobs that the web and the clock hand over, on any number of machines."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from typing import Any

import structlog
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bootstrap import Desk
from jobs import JOBS, run_job
from models.database import Database
from services.again import run_again
from services.queue import QUEUE, free_lost_jobs, is_there

log = structlog.get_logger()
MAKING = 4_811_001
"""Number of the advisory lock under which the tables of the queue are made once."""
GRACE_SECONDS = 30.0
LOOK_SECONDS = 10.0
AWAY_SECONDS = 2.0


def make_tables(desk: Desk) -> None:
    """Makes Procrastinate's tables where they are missing; safe when several workers begin at once."""

    def make(session: Session) -> None:
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MAKING})
        if is_there(desk.database):
            return
        schema = import_module("procrastinate.schema").SchemaManager.get_schema()
        session.connection().exec_driver_sql(schema.replace("%", "%%"))

    run_again(desk.database, make)


class Hand:
    """The jobs that this process really does; the queue may believe it does more.

    A connection that breaks while a job is fetched or ended leaves one that the queue counts as being done, by a
    worker that lives: nobody would ever free it, nor do another one of its name.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._jobs: set[int] = set()
        self._worker: int | None = None
        self._missed: frozenset[int] = frozenset()

    @contextlib.contextmanager
    def holding(self, context: JobContext) -> Iterator[None]:
        job = context.job
        with self._lock:
            self._worker = job.worker_id
            self._jobs.add(job.id or 0)
        try:
            yield
        finally:
            with self._lock:
                self._jobs.discard(job.id or 0)

    def look(self) -> int:
        """Queues anew what was missed at two looks in a row; returns how many jobs."""
        with self._lock:
            worker, jobs = self._worker, frozenset(self._jobs)
        if worker is None:
            return 0
        with self._database.write.begin() as session:
            freed, self._missed = free_lost_jobs(session, worker, jobs, self._missed)
        return freed


def run_worker(desk: Desk, *, concurrency: int, stop: threading.Event | None = None) -> None:
    """Works until SIGINT or SIGTERM (or ``stop``); a call that is under way then gets GRACE_SECONDS to end.

    A database that goes away is waited for, however long: who worked before works again.
    """
    make_tables(desk)
    options: dict[str, Any] = {
        "queues": [QUEUE], "name": desk.name, "concurrency": concurrency, "delete_jobs": "always",
        "fetch_job_polling_interval": 1.0, "update_heartbeat_interval": 5.0, "stalled_worker_timeout": 30.0,
        "shutdown_graceful_timeout": GRACE_SECONDS, "install_signal_handlers": False,
    }  # fmt: skip
    try:
        asyncio.run(_work(desk, options, stop))
    finally:
        desk.lanes.stop()


async def _work(desk: Desk, options: dict[str, Any], stop: threading.Event | None) -> None:
    loop, ended = asyncio.get_running_loop(), stop or threading.Event()
    # A job that waits for a thread would look like one that was lost.
    loop.set_default_executor(ThreadPoolExecutor(options["concurrency"] + 2, thread_name_prefix="job"))
    for number in (signal.SIGINT, signal.SIGTERM) if stop is None else ():
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl+C ends the loop itself
            loop.add_signal_handler(number, ended.set)
    while not ended.is_set():
        try:
            await _work_once(desk, options, ended)
        except ConnectorException as error:
            log.warning("worker.away", trouble=str(error.__cause__ or error).splitlines()[0])
        if not ended.is_set():
            await asyncio.sleep(AWAY_SECONDS)
            log.warning("worker.again")


async def _work_once(desk: Desk, options: dict[str, Any], ended: threading.Event) -> None:
    """Until ``ended``, or until the database breaks what the worker stands on."""
    hand = Hand(desk.database)
    async with _app(desk, hand).open_async() as app:
        working = asyncio.create_task(app.run_worker_async(**options))
        looking = asyncio.create_task(_look(hand))
        while not working.done():
            if ended.is_set():
                working.cancel()
                break
            await asyncio.sleep(0.1)
        looking.cancel()
        (told,) = await asyncio.gather(working, return_exceptions=True)
        if isinstance(told, Exception):
            raise told


async def _look(hand: Hand) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            if freed := await asyncio.to_thread(hand.look):
                log.warning("queue.lost", freed=freed)
        except SQLAlchemyError:
            log.warning("queue.failed")


def _app(desk: Desk, hand: Hand) -> App:
    address = desk.database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    app = App(connector=PsycopgConnector(conninfo=address, min_size=1, max_size=6))
    for name in JOBS:
        app.task(name=name, queue=QUEUE, pass_context=True)(partial(_do, desk, name, hand))
    return app


def _do(desk: Desk, name: str, hand: Hand, context: JobContext) -> None:
    with hand.holding(context):
        run_job(desk, name)
