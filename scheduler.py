"""The door for the clock: the one list of what runs when; exactly one scheduler acts, however many are started.

It does the jobs itself, but hands them to the queue while a worker of the same desk is alive.
"""

import contextlib
import os
import threading
import uuid

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from bootstrap import Desk
from jobs import run_job
from services.again import is_passing, tell, words_of
from services.leases import drop_lease, free_the_dead, hold_lease
from services.processes import is_gone, process_of, silent

log = structlog.get_logger()

SCHEDULE: tuple[tuple[str, float, int], ...] = (
    # job, seconds between runs, how many may run at once
    ("collect", 1.0, 4),
    ("label", 2.0, 1),
    ("air", 0.5, 3),
    ("broadcasts", 2.0, 1),
    ("looks", 2.0, 2),
    ("send", 0.5, 1),
    ("index", 20.0, 1),
    ("wake", 5.0, 1),
    ("warn", 15.0, 1),
    ("incidents", 15.0, 1),
    ("watch", 5.0, 1),
    ("renew", 60.0, 1),
    ("trim", 3600.0, 1),
    ("recount", 5.0, 1),
    ("bulk", 1.0, 1),
    ("remind", 15.0, 1),
    ("transfer", 2.0, 1),
    ("retention", 12 * 3600.0, 1),
    ("segments", 6 * 3600.0, 1),
    ("ring", 15.0, 1),
    ("relabel", 5.0, 1),
    ("deliver", 5.0, 1),
    ("webhooks", 1.0, 3),
    ("seal", 60.0, 1),
    ("letters", 30.0, 1),
    ("absences", 60.0, 1),
    ("facts", 10.0, 1),
    ("papers", 8.0, 1),
    ("contracts", 300.0, 1),
    ("learn", 60.0, 1),
    ("reviews", 15.0, 1),
    ("backup", 120.0, 1),
)
LEASE = "scheduler"
LEASE_SECONDS = 20


def free_leases(session: Session) -> None:
    """Takes from the dead what they hold: those of this machine are seen to be gone, those of others are silent."""
    here = os.uname().nodename
    quiet = {process_of(name) for name in silent(session) if process_of(name)[0] != here}
    free_the_dead(session, lambda holder: is_gone(holder) or process_of(holder) in quiet)


class Scheduler:
    """APScheduler over the list above, acting only while this process holds the leader's lease."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._holder = f"{desk.name}:{uuid.uuid4().hex[:8]}"
        self._leads = threading.Event()
        self._stop = threading.Event()
        self._helped = threading.Event()  # a worker is alive: jobs go to the queue
        self._queued = False  # there may be jobs in the queue that nobody takes
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(10)}, timezone="UTC",
            job_defaults={"coalesce": True, "misfire_grace_time": 60},
        )  # fmt: skip

    @property
    def leads(self) -> bool:
        return self._leads.is_set()

    def start(self) -> None:
        self._renew()
        self._scheduler.add_job(self._renew, "interval", seconds=LEASE_SECONDS / 4, max_instances=1)
        if not self._desk.database.is_sqlite:
            self._look_for_workers()
            self._scheduler.add_job(self._look_for_workers, "interval", seconds=LEASE_SECONDS / 4, max_instances=1)
        for name, seconds, instances in SCHEDULE:
            self._scheduler.add_job(
                self._run, "interval", seconds=seconds, args=[name], id=name, max_instances=instances
            )
        self._desk.defer = self.run_soon
        self._scheduler.start()
        threading.Thread(target=self._answer_bell, name="send-bell", daemon=True).start()

    def run_soon(self, name: str) -> None:
        """Runs a job at once besides its times."""
        self._scheduler.add_job(self._run, args=[name], id=f"{name}.now", replace_existing=True)

    def stop(self) -> None:
        """Lets running jobs end and gives the lead back."""
        self._stop.set()
        self._desk.outbox_bell.ring()
        self._scheduler.shutdown(wait=True)
        self._desk.lanes.stop()
        if self.leads:
            with contextlib.suppress(DBAPIError), self._desk.database.write.begin() as session:
                drop_lease(session, LEASE, self._holder)

    def _answer_bell(self) -> None:
        """A click in this process is sent at once, not at the next tick."""
        while not self._stop.is_set():
            if self._desk.outbox_bell.wait(5) and not self._stop.is_set():
                self._run("send")

    def _renew(self) -> None:
        if self._desk.room.is_full():  # nobody else could take the lead either
            return
        try:
            with self._desk.database.write.begin() as session:
                free_leases(session)
                leads = hold_lease(session, LEASE, self._holder, LEASE_SECONDS)
        except DBAPIError as error:
            if not is_passing(error):
                raise
            log.warning("scheduler.failed", trouble=words_of(error))  # nobody else can take the lead either
            return
        if leads != self.leads:
            log.info("scheduler.leads" if leads else "scheduler.waits", holder=self._holder)
        (self._leads.set if leads else self._leads.clear)()

    def _run(self, name: str) -> None:
        if not self.leads or self._stop.is_set() or self._desk.room.is_full():
            return
        try:
            if self._queued and self._hand_over(name):
                return
        except SQLAlchemyError as error:  # the database is away: asked again at the next tick
            tell(error, "queue.failed", job=name)
            return
        run_job(self._desk, name)

    def _look_for_workers(self) -> None:
        """Workers come and go; what a dead one held is queued anew."""
        from services.queue import count_workers, free_dead_jobs, is_there

        try:
            self._queued = is_there(self._desk.database)
            if not self._queued or not self.leads:
                return
            with self._desk.database.write.begin() as session:
                freed, workers = free_dead_jobs(session), count_workers(session)
        except SQLAlchemyError as error:
            tell(error, "queue.failed")
            return
        if freed or bool(workers) != self._helped.is_set():
            log.info("queue.workers", alive=workers, freed=freed)
        (self._helped.set if workers else self._helped.clear)()

    def _hand_over(self, name: str) -> bool:
        """Queues the job for a worker; False where none is alive: then it leaves the queue and is done here."""
        from services.queue import defer_once, take_all

        helped = self._helped.is_set()
        with self._desk.database.write.begin() as session:
            (defer_once if helped else take_all)(session, name)
        return helped
