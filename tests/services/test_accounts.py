"""Logging in: one answer for every miss, a lock after ten, sessions that end."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models import Staff, utc_now
from services.accounts import (
    LOCK_AFTER,
    authenticate,
    change_password,
    create_staff,
    is_empty,
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
    with database.write.begin() as session:
        assert authenticate(session, "lis@school.example", PASSWORD) is not None
        assert authenticate(session, "nobody@school.example", PASSWORD) is None
        for _ in range(LOCK_AFTER):
            assert authenticate(session, "lis@school.example", "мимо") is None
        assert authenticate(session, "lis@school.example", PASSWORD) is None
        later = utc_now() + timedelta(minutes=16)
        assert authenticate(session, "lis@school.example", PASSWORD, later) is not None


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
