"""The second step: codes of RFC 6238, each once, within a minute; recovery codes; a lock that counts both steps."""

import time
from datetime import timedelta

import pytest

from models import Staff, utc_now
from services.accounts import LOCK_AFTER, reset_password, run_authenticate
from services.errors import Forbidden, Refused
from services.second_factor import (
    GRACE,
    STEP,
    check_code,
    code_at,
    is_needed,
    is_overdue,
    matching_step,
    new_secret,
    set_up,
    take_off,
)
from services.secrets import open_keyring

RFC = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # «12345678901234567890» of RFC 6238, appendix B
PASSWORD = "достаточно длинный"


@pytest.fixture
def keyring(tmp_path):
    return open_keyring(tmp_path / "key")


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
    ],
)
def test_the_vectors_of_the_standard(at, code) -> None:
    assert code_at(RFC, at // 30) == code


def test_a_code_counts_a_step_early_and_late_and_not_twice() -> None:
    step = 1000
    for shift, good in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        assert (matching_step(RFC, code_at(RFC, step + shift), 0, step * STEP) is not None) is good
    assert matching_step(RFC, code_at(RFC, step), step, step * STEP) is None
    for wrong in ("", "000000x", "двадцать", "0" * 100):
        assert matching_step(RFC, wrong, 0, step * STEP) is None


def turn_on(session, keyring, staff_id) -> tuple[str, list[str]]:
    secret = new_secret()
    with pytest.raises(Refused):
        set_up(session, keyring, staff_id, secret, "123")
    codes = set_up(session, keyring, staff_id, secret, code_at(secret, int(time.time() // STEP)))
    return secret, codes


def test_codes_let_in_once_and_nothing_is_kept_in_clear(cast, database, keyring) -> None:
    with database.write.begin() as session:
        secret, codes = turn_on(session, keyring, cast.head.staff_id)
        staff = session.get_one(Staff, cast.head.staff_id)
        assert secret not in (staff.totp or "")
        assert not set(codes) & set(staff.recovery)
        used = code_at(secret, int(time.time() // STEP))
        assert not check_code(session, keyring, staff.id, used)  # it switched the step on
        assert check_code(session, keyring, staff.id, code_at(secret, int(time.time() // STEP) + 1))
        assert check_code(session, keyring, staff.id, codes[0].upper())
        assert not check_code(session, keyring, staff.id, codes[0])
        assert len(staff.recovery) == len(codes) - 1


def test_misses_of_both_steps_count_together(cast, database, keyring) -> None:
    with database.write.begin() as session:
        _secret, codes = turn_on(session, keyring, cast.head.staff_id)
        reset_password(session, session.get_one(Staff, cast.head.staff_id), PASSWORD, must_change=False)
    for _ in range(LOCK_AFTER // 2):
        assert run_authenticate(database, "head@school.example", PASSWORD) is not None
        with database.write.begin() as session:
            assert not check_code(session, keyring, cast.head.staff_id, "000000")
    assert run_authenticate(database, "head@school.example", PASSWORD) is None
    with database.write.begin() as session:
        assert not check_code(session, keyring, cast.head.staff_id, codes[0])


def test_of_whom_it_is_asked_and_when_it_is_overdue(cast, database, keyring) -> None:
    from services.accounts import create_staff
    from services.rights import DESK

    with database.write.begin() as session:
        accountant = create_staff(session, DESK, email="a@school.example", name="В", roles=("manager",),
                                  department="accounting")  # fmt: skip
        head, smm = session.get_one(Staff, cast.head.staff_id), session.get_one(Staff, cast.smm.staff_id)
        curator = session.get_one(Staff, cast.curator.staff_id)
        assert [is_needed(session, one) for one in (head, accountant, smm, curator)] == [True, True, False, False]
        late = utc_now() + GRACE + timedelta(minutes=1)
        assert not is_overdue(session, head)
        assert is_overdue(session, head, late)
        assert not is_overdue(session, smm, late)
        turn_on(session, keyring, head.id)
        assert not is_overdue(session, head, late)


def test_another_administrator_takes_it_off(cast, database, keyring) -> None:
    with database.write.begin() as session:
        turn_on(session, keyring, cast.smm.staff_id)
        for nobody in (cast.smm, cast.curator):
            with pytest.raises(Forbidden):
                take_off(session, nobody, cast.smm.staff_id)
        with pytest.raises(Forbidden):
            take_off(session, cast.head, cast.head.staff_id)
        take_off(session, cast.head, cast.smm.staff_id)
        assert session.get_one(Staff, cast.smm.staff_id).totp is None
