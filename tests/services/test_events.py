"""Other processes learn of an event at its commit, and of nothing that was rolled back."""

import threading
import time

import pytest

from services.events import record, run_listen
from services.rights import DESK


def test_postgresql_tells_who_listens(database) -> None:
    if database.is_sqlite:
        stop = threading.Event()
        run_listen(database, pytest.fail, stop)  # comes back at once: readers of SQLite poll the table
        return
    rung: list[float] = []
    stop = threading.Event()
    thread = threading.Thread(target=run_listen, args=[database, lambda: rung.append(time.monotonic()), stop])
    thread.start()
    _until(lambda: len(rung) == 1)  # once at the beginning, for what came before
    with database.write() as session:
        record(session, "case.opened", DESK)
        session.flush()
        session.rollback()
    with database.write.begin() as session:
        record(session, "case.opened", DESK)
        record(session, "case.moved", DESK)
    _until(lambda: len(rung) >= 2)
    time.sleep(0.3)
    assert len(rung) == 2
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def _until(true) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
