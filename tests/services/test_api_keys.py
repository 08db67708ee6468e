"""«Ключи API»: shown once, kept as a digest, never more than the person may do now."""

from datetime import timedelta

import pytest
import time_machine
from cryptography.fernet import Fernet
from sqlalchemy import select

from collectors.wire import Guard
from models import ApiKey, Event, Staff, StaffRole, utc_now
from services import api_keys
from services.accounts import change_password, choose_password, reset_password, set_active
from services.api_keys import (
    MOST_KEYS,
    NEEDS,
    SCOPES,
    all_keys,
    edit_key,
    find_key,
    key_actor,
    keys_of,
    make_key,
    note_used,
    old_keys,
    revoke_all,
    revoke_key,
    scopes_for,
)
from services.errors import Forbidden, NotFound, Refused
from services.people import renew_password
from services.rights import ACTS, DESK, Actor
from services.secrets import Keyring
from services.settings.effects import effects_of
from services.settings.history import get_version, last_change, versions_of
from services.settings.known import Tools as Lent
from services.settings.known import look, may_return, read_setting, take_back
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


TOOLS = Lent(Keyring([Fernet.generate_key()]), Guard())


class TestVersions:
    def test_each_change_is_one_and_none_opens_the_desk(self, database, cast, make) -> None:
        key_id, secret = make()
        with database.write.begin() as session:
            edit_key(session, cast.smm, key_id, "витрина", ["cases:read", "replies:write"])
        with database.write.begin() as session:
            revoke_key(session, cast.head, key_id)
            revoke_key(session, cast.head, key_id)  # once more changes nothing
        with database.read.begin() as session:
            rows = versions_of(session, f"key:{key_id}")
            values = [row.value for row, _who in rows]
            assert [who for row, who in rows if row.number] == [cast.head.name, cast.smm.name, cast.smm.name]
            digest = session.get_one(ApiKey, key_id).digest
        assert [value and (value["name"], value["revoked"]) for value in values] == [
            ("витрина", True), ("витрина", False), ("робот", False), None
        ]  # fmt: skip
        assert secret not in str(values)
        assert digest not in str(values)

    def test_a_change_holds_from_the_next_request_and_comes_back(self, database, cast, make) -> None:
        key_id, secret = make(scopes=("cases:read", "replies:write"))
        with database.write.begin() as session:
            edit_key(session, cast.smm, key_id, "робот", ["cases:read"])
        row, staff = found(database, secret)
        assert not key_actor(staff, row).may("case.reply")
        with database.write.begin() as session:
            take_back(session, cast.smm, f"key:{key_id}", 1, TOOLS)
        row, staff = found(database, secret)
        assert key_actor(staff, row).may("case.reply")
        with database.read.begin() as session:
            assert get_version(session, f"key:{key_id}", 3).restored == 1

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            (("", ["cases:read"]), "key.name"), (("я" * 61, ["cases:read"]), "key.name"), (("р", []), "key.scopes"),
            (("р", ["all"]), "key.scopes"), (("р", ["routes:answer"]), "key.scopes"),
        ],
    )  # fmt: skip
    def test_what_is_not_said_right_is_refused(self, database, cast, make, given, code) -> None:
        key_id, _secret = make()
        with database.write.begin() as session, pytest.raises(Refused) as refused:
            edit_key(session, cast.smm, key_id, *given)
        assert refused.value.code == code

    def test_a_revoked_one_stays_revoked(self, database, cast, make) -> None:
        key_id, secret = make()
        with database.write.begin() as session:
            revoke_key(session, cast.smm, key_id)
        for act in (
            lambda session: take_back(session, cast.smm, f"key:{key_id}", 1, TOOLS),
            lambda session: edit_key(session, cast.smm, key_id, "робот", ["cases:read"]),
        ):
            with database.write.begin() as session, pytest.raises(Refused) as refused:
                act(session)
            assert refused.value.code == "key.final"
        assert found(database, secret) is None
        with database.read.begin() as session:
            assert [row.id for row in old_keys(session, cast.smm, cast.smm.staff_id)] == [key_id]
            assert not may_return(session, cast.smm, f"key:{key_id}")

    def test_neither_is_one_that_is_over_nor_what_was_before_it(self, database, cast, make) -> None:
        key_id, _secret = make()
        with database.write.begin() as session, pytest.raises(Refused) as refused:
            take_back(session, cast.smm, f"key:{key_id}", 0, TOOLS)
        assert refused.value.code == "key.begun"
        with time_machine.travel(utc_now() + timedelta(days=31)), database.write.begin() as session:
            with pytest.raises(Refused) as refused:
                take_back(session, cast.smm, f"key:{key_id}", 1, TOOLS)
            assert refused.value.code == "key.final"
            assert not may_return(session, cast.smm, f"key:{key_id}")

    def test_others_look_with_the_right_and_change_nothing(self, database, cast, make) -> None:
        key_id, _secret = make()
        with database.write.begin() as session:
            assert look(session, cast.head, f"key:{key_id}").number == 1
            assert may_return(session, cast.smm, f"key:{key_id}")
            assert not may_return(session, cast.head, f"key:{key_id}")
            for act in (
                lambda: edit_key(session, cast.head, key_id, "р", ["cases:read"]),
                lambda: take_back(session, cast.head, f"key:{key_id}", 1, TOOLS),
                lambda: look(session, cast.curator, f"key:{key_id}"),
                lambda: edit_key(session, cast.curator, key_id, "р", ["cases:read"]),
                lambda: look(session, cast.smm, "key:999"),
            ):
                with pytest.raises(NotFound):
                    act()
            with pytest.raises(Forbidden):
                old_keys(session, cast.curator, cast.smm.staff_id)

    def test_keys_that_go_with_a_password_are_versions_too(self, database, cast, make) -> None:
        first, second = make()[0], make()[0]
        with database.write.begin() as session:
            revoke_key(session, cast.smm, first)
        with database.write.begin() as session:
            assert revoke_all(session, Actor(cast.smm.staff_id), cast.smm.staff_id) == 1
        with database.read.begin() as session:
            assert last_change(session, f"key:{first}").number == 2
            assert read_setting(session, f"key:{second}")["revoked"] is True
            assert last_change(session, f"key:{second}").number == 2

    def test_whose_program_uses_it_is_said_before(self, database, cast, make) -> None:
        key_id, _secret = make(scopes=("cases:read", "replies:write"))
        with database.write.begin() as session:
            now = read_setting(session, f"key:{key_id}")
            gone = {**now, "revoked": True}
            assert effects_of(session, f"key:{key_id}", now, gone) == [], "nobody has used it"
            note_used(session, key_id)
            (ends,) = effects_of(session, f"key:{key_id}", now, gone)
            (loses,) = effects_of(session, f"key:{key_id}", now, {**now, "scopes": ["cases:read"]})
            assert effects_of(session, f"key:{key_id}", now, {**now, "name": "иначе"}) == []
        assert (ends.code, ends.data["who"], ends.data["key"]) == ("key.ends", cast.smm.name, "робот")
        assert (loses.code, loses.data["scopes"]) == ("key.loses", ["replies:write"])
