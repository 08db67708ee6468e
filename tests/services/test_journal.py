"""The journal: sealed batch by batch, and whoever touches a sealed row is found."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from models import Event, Seal, utc_now
from services import journal
from services.errors import Forbidden
from services.events import record
from services.journal import check_chain, entries, run_seal
from services.rights import DESK

LATER = timedelta(minutes=5)


@pytest.fixture
def sealed(cast, database, monkeypatch):
    monkeypatch.setattr(journal, "BATCH", 4)
    with database.write.begin() as session:
        for number in range(10):
            record(session, "setting.saved", DESK, object_id=number, code=f"код {number}")
    count = run_seal(database, utc_now() + LATER)
    with database.read.begin() as session:
        assert len(session.scalars(select(Seal)).all()) > 2
    return count


def test_a_chain_that_nobody_touched_holds(sealed, database) -> None:
    with database.write.begin() as session:
        record(session, "setting.saved", DESK)
    with database.read.begin() as session:
        found = check_chain(session)
    assert (found.sealed, found.open, found.broken_at) == (sealed, 1, None)
    assert run_seal(database) == 0  # too young
    assert run_seal(database, utc_now() + LATER) == 1


CHANGES = {
    "data": lambda s, key: s.execute(update(Event).where(Event.id == key).values(data={"code": "другой"})),
    "who": lambda s, key: s.execute(update(Event).where(Event.id == key).values(staff_id=77)),
    "when": lambda s, key: s.execute(update(Event).where(Event.id == key).values(at=utc_now() - timedelta(days=9))),
    "kind": lambda s, key: s.execute(update(Event).where(Event.id == key).values(kind="setting.lost")),
    "gone": lambda s, key: s.execute(delete(Event).where(Event.id == key)),
}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(CHANGES)), st.integers(0, 9))
def test_whatever_is_changed_is_found(sealed, database, what, number) -> None:
    with database.write() as session:
        keys = session.scalars(select(Event.id).where(Event.kind == "setting.saved").order_by(Event.id)).all()
        CHANGES[what](session, keys[number])
        session.expire_all()
        assert check_chain(session).broken_at is not None
        session.rollback()
        assert check_chain(session).broken_at is None


def test_a_seal_forged_anew_does_not_fit_the_next(sealed, database) -> None:
    with database.write() as session:
        seals = session.scalars(select(Seal).order_by(Seal.id)).all()
        events = session.scalars(select(Event).where(Event.id.between(seals[0].first_id, seals[0].last_id))).all()
        events[0].kind = "setting.lost"
        seals[0].digest = journal.digest_of(journal.GENESIS, events)
        session.flush()
        assert check_chain(session).broken_at == seals[1].first_id
        session.rollback()


def test_who_may_read_it(cast, database, sealed) -> None:
    with database.read.begin() as session:
        assert {event.kind.split(".")[0] for event, _who in entries(session, cast.head)} <= {"setting", "staff"}
        for nobody in (cast.smm, cast.curator):
            with pytest.raises(Forbidden):
                entries(session, nobody)
