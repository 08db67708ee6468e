"""The journal: sealed batch by batch, and whoever touches a sealed row is found."""

import hashlib
import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from models import Event, Seal, utc_now
from services import journal
from services.errors import Forbidden, NotFound
from services.events import record
from services.journal import GROUPS, check_chain, entries, run_seal, take_journal
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


def test_the_groups_hold_what_may_be_asked_about_later(cast, database) -> None:
    kinds = ("settings.changed", "act.accepted", "client.sensitive_seen", "export.taken", "decision.taken")
    with database.write.begin() as session:
        for kind in kinds:
            record(session, kind, DESK, object_id=1)
    with database.read.begin() as session:
        for group, kind in zip(GROUPS, kinds, strict=True):
            assert kind in [event.kind for event, _who in entries(session, cast.head, group=group)]
        with pytest.raises(NotFound):
            entries(session, cast.head, group="all")


def test_a_file_of_it_can_be_reckoned_anew_by_others(sealed, cast, database) -> None:
    with database.write.begin() as session:
        lines = take_journal(session, cast.head)
        with pytest.raises(Forbidden):
            take_journal(session, cast.smm)
    digest, batch = journal.GENESIS, []
    for line in lines:
        told = json.loads(line)
        if "seal" not in told:
            batch.append(line)
            continue
        total = hashlib.sha256(digest.encode())
        for one in batch:
            total.update(one.encode() + b"\n")
        digest, batch = total.hexdigest(), []
        assert digest == told["seal"]
    assert digest != journal.GENESIS
    with database.read.begin() as session:
        newest = session.scalars(select(Event).order_by(Event.id.desc())).first()
        assert (newest.kind, newest.data["code"], newest.staff_id) == ("journal.taken", "all", cast.head.staff_id)
