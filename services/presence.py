"""Who looks at which case and who writes: kept in memory, told to other processes by PostgreSQL, never stored."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Draft, Staff
from models.database import Database
from services.rights import Actor, require

CHANNEL = "otklik_presence"
FORGOTTEN_AFTER = 50.0
"""Seconds without a sign of life; a browser gives one every BEAT."""
BEAT = 20
MODES = ("look", "write")


@dataclass(frozen=True, slots=True)
class Here:
    """One person at one case; ``mode`` is the busiest of their windows."""

    staff_id: int
    name: str
    mode: str


@dataclass(slots=True)
class _Window:
    case_id: int
    here: Here
    until: float


class Presence:
    """Windows by their own key; everything about them ends with FORGOTTEN_AFTER."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}
        self._told: dict[int, list[Here]] = {}
        self.process = secrets.token_hex(8)

    def note(self, window: str, staff_id: int, name: str, case_id: int | None, mode: str) -> None:
        """A sign of life of one browser window; ``case_id`` None: it looks at no case any more."""
        with self._lock:
            if case_id is None or mode not in MODES:
                self._windows.pop(window, None)
            else:
                until = self._clock() + FORGOTTEN_AFTER
                self._windows[window] = _Window(case_id, Here(staff_id, name, mode), until)

    def now(self) -> dict[int, list[Here]]:
        """case id → who is there, those who write first."""
        with self._lock:
            return self._now()

    def changed(self) -> dict[int, list[Here]] | None:
        """The same, or None when nothing differs from what was asked last: a sign of life alone is no news."""
        with self._lock:
            found = self._now()
            if found == self._told:
                return None
            self._told = found
            return found

    def _now(self) -> dict[int, list[Here]]:
        moment = self._clock()
        self._windows = {key: window for key, window in self._windows.items() if window.until > moment}
        found: dict[int, dict[int, Here]] = {}
        for window in self._windows.values():
            of_case = found.setdefault(window.case_id, {})
            known = of_case.get(window.here.staff_id)
            if known is None or known.mode == "look":
                of_case[window.here.staff_id] = window.here
        return {
            case_id: sorted(people.values(), key=lambda one: (one.mode != "write", one.staff_id))
            for case_id, people in sorted(found.items())
        }


def drafts_of(session: Session, actor: Actor, case_ids: Iterable[int]) -> dict[int, list[tuple[int, str]]]:
    """case id → (staff id, name) of everybody with an unsent draft there."""
    require(actor, "case.view")
    found: dict[int, list[tuple[int, str]]] = {}
    query = select(Draft.case_id, Staff.id, Staff.name).join(Staff, Staff.id == Draft.staff_id)
    for case_id, staff_id, name in session.execute(
        query.where(Draft.case_id.in_(list(case_ids))).order_by(Staff.id)
    ):
        found.setdefault(case_id, []).append((staff_id, name))
    return found


def tell_others(
    database: Database, presence: Presence, window: str, staff_id: int, name: str, case_id: int | None, mode: str
) -> None:
    """Lets the other processes of the desk note the same; on SQLite one process serves all screens."""
    if database.is_sqlite:
        return
    said = json.dumps([presence.process, window, staff_id, name, case_id, mode])
    with database.read.begin() as session:
        session.execute(select(func.pg_notify(CHANNEL, said)))


def run_presence(database: Database, presence: Presence, stop: threading.Event) -> None:
    """Notes what other processes tell, until ``stop``."""
    if database.is_sqlite:
        return
    import psycopg

    address = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    while not stop.is_set():
        try:
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                while not stop.is_set():
                    for heard in connection.notifies(timeout=2):
                        process, *said = json.loads(heard.payload)
                        if process != presence.process:
                            presence.note(*said)
        except psycopg.OperationalError:
            stop.wait(2)  # the server went away; it is asked again until it is back
