"""Agreements between processes: one leader, numbers never given twice."""

import threading
from datetime import timedelta

from models import utc_now
from services.leases import drop_lease, hold_lease, next_numbers


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
