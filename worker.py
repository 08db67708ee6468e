"""The door for the queue: does the jobs that the web and the clock hand over, on any number of machines."""

import asyncio
import threading
from functools import partial
from importlib import import_module
from typing import Any

import structlog
from procrastinate import App, PsycopgConnector
from sqlalchemy import text

from bootstrap import Desk
from jobs import JOBS, run_job
from services.queue import QUEUE, is_there

log = structlog.get_logger()
MAKING = 4_811_001
"""Number of the advisory lock under which the tables of the queue are made once."""
GRACE_SECONDS = 30.0


def make_tables(desk: Desk) -> None:
    """Makes Procrastinate's tables where they are missing; safe when several workers begin at once."""
    with desk.database.write.begin() as session:
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MAKING})
        if is_there(desk.database):
            return
        schema = import_module("procrastinate.schema").SchemaManager.get_schema()
        session.connection().exec_driver_sql(schema.replace("%", "%%"))


def run_worker(desk: Desk, *, concurrency: int, stop: threading.Event | None = None) -> None:
    """Works until SIGINT or SIGTERM (or ``stop``); a call that is under way then gets GRACE_SECONDS to end."""
    make_tables(desk)
    app = _app(desk)
    options: dict[str, Any] = {
        "queues": [QUEUE], "name": desk.name, "concurrency": concurrency, "delete_jobs": "always",
        "fetch_job_polling_interval": 1.0, "update_heartbeat_interval": 5.0, "stalled_worker_timeout": 30.0,
        "shutdown_graceful_timeout": GRACE_SECONDS, "install_signal_handlers": stop is None,
    }  # fmt: skip
    try:
        asyncio.run(_work(app, options, stop))
    finally:
        desk.lanes.stop()


async def _work(app: App, options: dict[str, Any], stop: threading.Event | None) -> None:
    async with app.open_async():
        working = asyncio.create_task(app.run_worker_async(**options))
        while stop is not None and not working.done():
            if stop.is_set():
                working.cancel()
                break
            await asyncio.sleep(0.1)
        await asyncio.gather(working, return_exceptions=stop is not None)


def _app(desk: Desk) -> App:
    address = desk.database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    app = App(connector=PsycopgConnector(conninfo=address, min_size=1, max_size=6))
    for name in JOBS:
        app.task(name=name, queue=QUEUE)(partial(run_job, desk, name))
    return app
