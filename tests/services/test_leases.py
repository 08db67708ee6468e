"""Agreements between processes: one leader, numbers never given twice."""

import os
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

from models import Lease, Source, utc_now
from scheduler import free_leases
from services.leases import drop_lease, hold_lease, next_numbers
from services.processes import SILENT_SECONDS, note_alive, own_name, processes, silent
from services.sources import claim_source


def test_one_leads_until_its_time_is_over(database) -> None:
    now = utc_now()
    with database.write.begin() as session:
        assert hold_lease(session, "scheduler", "a", 20, now)
        assert not hold_lease(session, "scheduler", "b", 20, now)
        assert hold_lease(session, "scheduler", "a", 20, now + timedelta(seconds=10))
        assert not hold_lease(session, "scheduler", "b", 20, now + timedelta(seconds=25))
        assert hold_lease(session, "scheduler", "b", 20, now + timedelta(seconds=31))
        drop_lease(session, "scheduler", "b")
    with database.write.begin() as session:
        assert hold_lease(session, "scheduler", "a", 20, utc_now() + timedelta(seconds=1))


def test_numbers_are_never_given_twice(database) -> None:
    given: list[int] = []

    def take() -> None:
        for _ in range(10):
            with database.write.begin() as session:
                given.extend(next_numbers(session, "case.2026", 3))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(1, 121))


def test_a_lease_of_a_clock_that_was_set_back_is_over(database) -> None:
    now = utc_now()
    with database.write.begin() as session:
        assert hold_lease(session, "scheduler", "a", 20, now)
        assert not hold_lease(session, "scheduler", "b", 20, now - timedelta(minutes=4))  # another machine's clock
        assert hold_lease(session, "scheduler", "b", 20, now - timedelta(days=1))
        assert not hold_lease(session, "scheduler", "a", 20, now - timedelta(days=1))


def keeps(database, cast, process: str) -> bool:
    """Whether a reading that ``process`` had just begun still holds its place once the dead have lost theirs."""
    holder = f"{process}:5f3a"  # as a reading names itself
    with database.write.begin() as session:
        source = session.get_one(Source, cast.source_id)
        source.due_at, source.lease_until, source.lease_holder = utc_now(), None, None
    with database.write.begin() as session:
        assert claim_source(session, cast.source_id, holder) is not None
    with database.write.begin() as session:
        free_leases(session)
    with database.read.begin() as session:
        return session.get_one(Source, cast.source_id).lease_holder == holder


def test_a_reader_that_was_killed_holds_its_place_no_longer(database, cast) -> None:
    killed = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = f"{os.uname().nodename}:{killed.pid}"
    assert keeps(database, cast, name)
    killed.kill()
    killed.communicate()
    assert not keeps(database, cast, name)


def test_a_reader_whose_number_another_process_has_now_holds_its_place_no_longer(database, cast) -> None:
    ours = own_name()  # in a container whoever is started again has the number of whom it follows
    assert keeps(database, cast, ours)
    host, _, number = ours.partition(":")
    before = f"{host}:{number.partition('.')[0]}.1"
    assert not keeps(database, cast, before)
    with database.write.begin() as session:
        note_alive(session, "worker", before.replace(host, "elsewhere"))
        note_alive(session, "worker", "elsewhere:1.77")
        earlier = session.query(Lease).filter(Lease.holder == before.replace(host, "elsewhere")).one()
        earlier.until -= timedelta(seconds=SILENT_SECONDS + 1)
        assert {one.shown for one in processes(session)} == {"elsewhere:1", f"elsewhere:{os.getpid()}"}
    assert not keeps(database, cast, before.replace(host, "elsewhere"))
    assert keeps(database, cast, "elsewhere:1.77")


def test_a_reader_that_is_dead_and_not_buried_holds_its_place_no_longer(database, cast) -> None:
    killed = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    killed.kill()
    while Path(f"/proc/{killed.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)
    assert not keeps(database, cast, f"{os.uname().nodename}:{killed.pid}")
    killed.communicate()


def test_a_reader_on_another_machine_loses_its_place_when_it_is_silent(database, cast) -> None:
    with database.write.begin() as session:
        note_alive(session, "worker", "elsewhere:7")
        assert silent(session) == set()
    assert keeps(database, cast, "elsewhere:7")
    assert keeps(database, cast, "elsewhere:8")  # nobody who gives signs of life
    with database.write.begin() as session:
        row = session.query(Lease).filter(Lease.holder == "elsewhere:7").one()
        row.until -= timedelta(seconds=SILENT_SECONDS + 1)
    assert not keeps(database, cast, "elsewhere:7")


def test_whoever_is_slow_but_here_keeps_its_place(database, cast) -> None:
    name = f"{os.uname().nodename}:{os.getpid()}"
    with database.write.begin() as session:
        note_alive(session, "worker", name)
        session.query(Lease).filter(Lease.holder == name).one().until -= timedelta(seconds=SILENT_SECONDS + 1)
        assert silent(session) == {name}
    assert keeps(database, cast, name)
