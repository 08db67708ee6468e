"""Other processes learn of an event at its commit, and of nothing that was rolled back."""

import contextlib
import threading
import time

import pytest

from services.events import _HEARERS, events_after, hear, record, run_listen
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


def test_who_hears_acts_in_the_same_transaction_and_is_heard_too(database) -> None:
    heard: list[str] = []

    def hearer(session, events) -> None:
        heard.extend(one.kind for one in events)
        if "test.first" in heard and "test.second" not in heard:
            record(session, "test.second", DESK)

    before = len(_HEARERS)
    hear({"test.first", "test.second"}, hearer)
    try:
        with database.write.begin() as session:
            record(session, "test.first", DESK)
            record(session, "test.other", DESK)
            assert heard == []
        assert heard == ["test.first", "test.second"]
        with database.read.begin() as session:
            assert [one.kind for one in events_after(session, 0)][-1] == "test.second"
        with contextlib.suppress(RuntimeError), database.write.begin() as session:
            record(session, "test.first", DESK)
            session.flush()
            raise RuntimeError
        assert heard == ["test.first", "test.second"]  # what was rolled back is not told
    finally:
        del _HEARERS[before:]
