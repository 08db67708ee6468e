"""Logging in: one answer for every miss, a lock after ten, sessions that end."""

import threading
import time
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from models import Staff, utc_now
from services import accounts
from services.accounts import (
    LOCK_AFTER,
    change_password,
    create_staff,
    is_empty,
    reset_password,
    run_authenticate,
    set_active,
    staff_by_session,
)
from services.errors import Forbidden, Refused
from services.rights import DESK, actor_of

PASSWORD = "достаточно длинный"


@pytest.fixture
def staff_id(database) -> int:
    with database.write.begin() as session:
        assert is_empty(session)
        return create_staff(
            session, DESK, email="Lis@School.example", name="Дарья Лис", roles=("smm",), password=PASSWORD
        ).id


def test_logging_in_and_out_of_reach_after_ten_misses(database, staff_id) -> None:
    assert run_authenticate(database, "lis@school.example", PASSWORD) is not None
    assert run_authenticate(database, "nobody@school.example", PASSWORD) is None
    for _ in range(LOCK_AFTER):
        assert run_authenticate(database, "lis@school.example", "мимо") is None
    assert run_authenticate(database, "lis@school.example", PASSWORD) is None
    later = utc_now() + timedelta(minutes=16)
    assert run_authenticate(database, "lis@school.example", PASSWORD, later) is not None


def test_others_write_while_a_password_is_looked_at(database, staff_id, monkeypatch) -> None:
    looking, go_on = threading.Event(), threading.Event()
    real = accounts._matches

    def slowly(hashed: str, password: str) -> bool:
        looking.set()
        assert go_on.wait(10)
        return real(hashed, password)

    monkeypatch.setattr(accounts, "_matches", slowly)
    found = []
    door = threading.Thread(
        target=lambda: found.append(run_authenticate(database, "lis@school.example", PASSWORD))
    )  # fmt: skip
    door.start()
    assert looking.wait(10)
    begun = time.monotonic()
    with database.write.begin() as session:
        session.get_one(Staff, staff_id, with_for_update=True).name = "Дарья Лисова"
    assert time.monotonic() - begun < 5  # SQLite would have waited for fifteen seconds and failed
    go_on.set()
    door.join()
    assert found[0].name == "Дарья Лисова"


def test_a_password_changed_while_it_is_looked_at_lets_nobody_in(database, staff_id, monkeypatch) -> None:
    real = accounts._matches

    def meanwhile(hashed: str, password: str) -> bool:
        with database.write.begin() as session:
            reset_password(session, session.get_one(Staff, staff_id), "совсем другой")
        return real(hashed, password)

    monkeypatch.setattr(accounts, "_matches", meanwhile)
    assert run_authenticate(database, "lis@school.example", PASSWORD) is None


def test_a_password_change_ends_the_other_sessions(database, staff_id) -> None:
    with database.write.begin() as session:
        old = session.get_one(Staff, staff_id).session_key
        with pytest.raises(Refused):
            change_password(session, staff_id, "не тот", "совсем новый пароль")
        with pytest.raises(Refused):
            change_password(session, staff_id, PASSWORD, "мало")
        change_password(session, staff_id, PASSWORD, "совсем новый пароль")
        assert staff_by_session(session, old) is None


def test_switched_off_people_have_no_rights_and_no_session(database, staff_id) -> None:
    with database.write.begin() as session:
        head = create_staff(session, DESK, email="h@school.example", name="Г", roles=("head", "administrator"))
        actor = actor_of(head)
        with pytest.raises(Refused):
            set_active(session, actor, head.id, False)
        staff = set_active(session, actor, staff_id, False)
        assert not actor_of(staff).may("case.view")
        assert staff_by_session(session, staff.session_key) is None


def test_who_may_make_people_and_which(database, staff_id) -> None:
    with database.write.begin() as session:
        smm = actor_of(session.get_one(Staff, staff_id))
        with pytest.raises(Forbidden):
            create_staff(session, smm, email="a@school.example", name="А", roles=("smm",))
        for wrong in (
            {"email": "без собаки"},
            {"email": "lis@school.example"},
            {"name": " "},
            {"roles": ()},
            {"roles": ("king",)},
            {"roles": ("manager",), "department": "нет такого"},
        ):
            given = {"email": "b@school.example", "name": "Б", "roles": ("smm",), **wrong}
            with pytest.raises(Refused):
                create_staff(session, DESK, **given)
        assert len(session.scalars(select(Staff)).all()) == 1


@pytest.mark.parametrize("who", ["right", "wrong", "unknown", "locked", "off", "invited"])
def test_whoever_knocks_costs_one_hash(database, staff_id, monkeypatch, who) -> None:
    """An address is not found out by how long the answer takes: Argon2 is nearly all of the time."""
    with database.write.begin() as session:
        staff = session.get_one(Staff, staff_id)
        staff.locked_until = utc_now() + timedelta(minutes=5) if who == "locked" else None
        staff.active, staff.password = who != "off", None if who == "invited" else staff.password
    accounts._nobody.cache_clear()
    done: list[str] = []
    real = PasswordHasher.verify

    def verify(hasher: PasswordHasher, hashed: str, password: str) -> bool:
        done.append(hashed.split("$")[3])
        return real(hasher, hashed, password)

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    monkeypatch.setattr(PasswordHasher, "hash", lambda *_given: pytest.fail("a second hash"))
    email = "nobody@school.example" if who == "unknown" else "lis@school.example"
    found = run_authenticate(database, email, "мимо" if who == "wrong" else PASSWORD)
    assert (found is not None) is (who == "right")
    hasher = accounts._hasher
    assert done == [f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"]
