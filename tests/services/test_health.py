"""What a monitor is told: a lead that was held lately, acts that are stuck, the revision of the database."""

from datetime import timedelta

import scheduler
from models import Act, utc_now
from services.health import LEASE, LEASE_SECONDS, look
from services.leases import hold_lease
from services.schema import newest_revision


def test_it_knows_the_lease_of_the_scheduler() -> None:
    assert (LEASE, LEASE_SECONDS) == (scheduler.LEASE, scheduler.LEASE_SECONDS)


def test_a_desk_without_a_scheduler_is_not_well(database) -> None:
    with database.read.begin() as session:
        found = look(session)
    assert (found.scheduler, found.is_well, found.revision) == (False, False, newest_revision())


def test_the_lead_counts_for_thirty_seconds(database) -> None:
    now = utc_now()
    with database.write.begin() as session:
        hold_lease(session, LEASE, "one", LEASE_SECONDS, now)
    with database.read.begin() as session:
        assert look(session, now + timedelta(seconds=29)).is_well
        assert not look(session, now + timedelta(seconds=31)).scheduler


def test_acts_that_wait_too_long_are_counted(cast, database) -> None:
    now = utc_now()
    with database.write.begin() as session:
        hold_lease(session, LEASE, "one", LEASE_SECONDS, now)
        for token, late in (("a", 3600), ("b", 1)):
            session.add(
                Act(
                    kind="like",
                    source_id=cast.source_id,
                    token=token,
                    target={},
                    due_at=now - timedelta(seconds=late),
                )
            )
    with database.read.begin() as session:
        found = look(session, now)
    assert (found.stuck_acts, found.scheduler, found.is_well) == (1, True, False)
