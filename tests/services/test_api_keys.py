"""«Ключи API»: shown once, kept as a digest, never more than the person may do now."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from models import ApiKey, Event, Staff, StaffRole, utc_now
from services import api_keys
from services.accounts import change_password, choose_password, reset_password, set_active
from services.api_keys import (
    MOST_KEYS,
    NEEDS,
    SCOPES,
    all_keys,
    find_key,
    key_actor,
    keys_of,
    make_key,
    note_used,
    revoke_key,
    scopes_for,
)
from services.errors import Forbidden, NotFound, Refused
from services.people import renew_password
from services.rights import ACTS, DESK
from web.api_words import SCOPES as SCOPE_NAMES


@pytest.fixture
def make(database, cast):
    def _make(actor=cast.smm, scopes=("cases:read",), days=30, name="робот"):
        with database.write.begin() as session:
            row, secret = make_key(session, actor, name, scopes, days)
            return row.id, secret

    return _make


def found(database, secret):
    with database.read.begin() as session:
        return find_key(session, secret)


def test_the_tables_speak_the_words_of_rights() -> None:
    assert set(SCOPES) == set(NEEDS) == set(SCOPE_NAMES)
    for scope, acts in SCOPES.items():
        assert acts <= ACTS
        assert set(NEEDS[scope]) <= acts


def test_the_key_is_kept_as_a_digest_and_its_making_is_an_event(database, cast, make) -> None:
    key_id, secret = make()
    with database.read.begin() as session:
        row = session.get_one(ApiKey, key_id)
        assert secret.startswith(row.hint)
        assert secret not in str([getattr(row, column.key) for column in ApiKey.__table__.columns])
        event = session.scalars(select(Event).where(Event.kind == "token.made")).one()
        assert (event.staff_id, event.data["scopes"]) == (cast.smm.staff_id, ["cases:read"])
        assert secret not in str(event.data)


def test_it_opens_until_it_is_over_or_revoked(database, cast, make) -> None:
    key_id, secret = make()
    row, staff = found(database, secret)
    assert (row.id, staff.id) == (key_id, cast.smm.staff_id)
    assert found(database, secret[:-1] + ("a" if secret[-1] != "a" else "b")) is None
    for wrong in ("", "otk_", "otk_" + "ы" * 43, secret + "x", secret.removeprefix("otk_")):
        assert found(database, wrong) is None
    with time_machine.travel(utc_now() + timedelta(days=31), tick=False):
        assert found(database, secret) is None
    with database.write.begin() as session:
        revoke_key(session, cast.smm, key_id)
    assert found(database, secret) is None
    with database.read.begin() as session:
        assert keys_of(session, cast.smm, cast.smm.staff_id) == []
        kinds = session.scalars(select(Event.kind).where(Event.kind.startswith("token."))).all()
        assert kinds == ["token.made", "token.revoked"]


def test_whoever_left_opens_nothing(database, cast, make) -> None:
    _key_id, secret = make()
    with database.write.begin() as session:
        set_active(session, cast.head, cast.smm.staff_id, False)
    assert found(database, secret) is None


def test_a_key_can_do_what_its_person_can_now_within_its_scopes(database, cast, make) -> None:
    key_id, secret = make(cast.head, ("cases:read", "replies:write"))
    row, staff = found(database, secret)
    actor = key_actor(staff, row)
    assert {act for act in ACTS if actor.may(act)} == SCOPES["cases:read"] | SCOPES["replies:write"]
    assert actor.key_id == key_id
    with database.write.begin() as session:
        for role in session.scalars(select(StaffRole).where(StaffRole.staff_id == cast.head.staff_id)):
            session.delete(role)
        session.add(StaffRole(staff_id=cast.head.staff_id, role="observer"))
    row, staff = found(database, secret)
    assert not {act for act in ACTS if key_actor(staff, row).may(act)}


def test_nobody_makes_what_would_open_nothing_or_is_not_said_right(cast, make) -> None:
    assert scopes_for(cast.curator) == ["routes:read", "routes:answer"]
    for wrong, code in (
        ({"scopes": ()}, "key.scopes"), ({"scopes": ("all",)}, "key.scopes"), ({"days": 3650}, "key.days"),
        ({"name": "  "}, "key.name"), ({"name": "я" * 61}, "key.name"),
        ({"actor": cast.curator, "scopes": ("cases:read", "replies:write")}, "key.scopes"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            make(**wrong)
        assert refused.value.code == code
    with pytest.raises(Refused):
        make(DESK, ("nothing",))


def test_there_are_not_too_many(database, cast, make) -> None:
    ids = [make()[0] for _ in range(MOST_KEYS)]
    with pytest.raises(Refused) as refused:
        make()
    assert refused.value.code == "key.many"
    make(cast.head)
    with database.write.begin() as session:
        revoke_key(session, cast.smm, ids[0])
    make()


def test_others_keys_are_seen_and_revoked_by_whoever_ends_sessions(database, cast, make) -> None:
    key_id, _secret = make()
    with database.write.begin() as session:
        with pytest.raises(NotFound):
            revoke_key(session, cast.curator, key_id)
        with pytest.raises(Forbidden):
            keys_of(session, cast.curator, cast.smm.staff_id)
        with pytest.raises(Forbidden):
            all_keys(session, cast.smm)
        assert [(row.id, who.name) for row, who in all_keys(session, cast.head)] == [(key_id, cast.smm.name)]
        assert revoke_key(session, cast.head, key_id).revoked_at is not None


def test_the_first_use_is_an_event_and_the_next_ones_are_noted_now_and_then(database, cast, make) -> None:
    key_id, _secret = make()
    with database.write.begin() as session:
        assert api_keys.is_unnoted(session.get_one(ApiKey, key_id))
        note_used(session, key_id)
    with database.write.begin() as session:
        assert not api_keys.is_unnoted(session.get_one(ApiKey, key_id))
        assert api_keys.is_unnoted(session.get_one(ApiKey, key_id), utc_now() + timedelta(minutes=11))
        note_used(session, key_id)
        assert session.get_one(Staff, cast.smm.staff_id).active
    with database.read.begin() as session:
        assert len(session.scalars(select(Event).where(Event.kind == "token.used")).all()) == 1


@pytest.mark.parametrize("way", ["off", "link", "renewed", "own"])
def test_keys_end_with_the_person_and_with_a_password_that_others_may_have_known(cast, database, make, way) -> None:
    staff_id = cast.smm.staff_id
    with database.write.begin() as session:
        reset_password(session, session.get_one(Staff, staff_id), "прежний пароль")
    (key_id, secret), (_other, theirs) = make(), make(cast.head)
    with database.write.begin() as session:
        if way == "off":
            set_active(session, cast.head, staff_id, False)
            set_active(session, cast.head, staff_id, True)
        elif way == "link":
            choose_password(session, staff_id, "новый пароль")
        elif way == "renewed":
            renew_password(session, cast.head, staff_id)
        else:
            change_password(session, staff_id, "прежний пароль", "новый пароль", keys_too=True)
    assert found(database, secret) is None
    assert found(database, theirs) is not None
    with database.read.begin() as session:
        told = session.scalars(select(Event).where(Event.kind == "token.revoked")).one()
        assert told.object_id == key_id


def test_one_s_own_change_of_the_password_may_leave_keys_as_they_are(cast, database, make) -> None:
    with database.write.begin() as session:
        reset_password(session, session.get_one(Staff, cast.smm.staff_id), "прежний пароль")
    _key, secret = make()
    with database.write.begin() as session:
        change_password(session, cast.smm.staff_id, "прежний пароль", "новый пароль")
    assert found(database, secret) is not None
