"""Connecting a place: forms drawn from settings, secrets that never come back, checks against real servers."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from collectors import CHANNELS
from collectors.base import ChannelError, Raw
from models import Event, RawItem, Source
from services.connections import (
    add_place,
    check_connection,
    draft_source,
    fields_of,
    find_problems,
    forget_secrets,
    kept_secrets,
    place_rows,
    read_form,
    read_now,
    retry_raws,
    show_values,
    unread_raws,
)
from services.errors import Forbidden, NotFound, Refused
from services.intake import store_raws
from services.secrets import Keyring
from services.sources import edit_source, secret_fields, set_state, sync_declared
from tests.platforms import KEY, Meeting, meeting

KEYS = Keyring([KEY])
WORDPRESS = {"base_url": "https://blog.school.example/", "username": "desk", "password": "abcd efgh"}


@pytest.mark.parametrize("platform", sorted(CHANNELS))
def test_a_form_asks_every_setting_and_says_what_it_is(platform) -> None:
    fields = {field.name: field for field in fields_of(platform)}
    assert {name for name, field in fields.items() if field.kind == "secret"} == secret_fields(platform)
    assert all(field.title and field.title != name for name, field in fields.items())
    assert all(field.description for field in fields.values() if field.required or field.kind == "secret")
    assert not any(field.rare for field in fields.values() if field.required)


def test_kinds_of_fields_follow_the_types() -> None:
    mail = {field.name: field for field in fields_of("mail")}
    assert mail["imap_port"].kind == "number"
    assert (mail["imap_port"].least, mail["imap_port"].most, mail["imap_port"].default) == (1, 65535, "993")
    assert (mail["imap_security"].kind, mail["imap_security"].choices) == ("choice", ("tls", "starttls", "none"))
    assert (mail["since"].kind, mail["own_addresses"].kind, mail["signature"].kind) == ("date", "lines", "long")
    assert {field.name: field.kind for field in fields_of("isso")}["moderated"] == "flag"
    assert next(field for field in fields_of("vk") if field.name == "group_id").least == 1


def test_texts_of_the_form_become_settings_and_come_back_as_texts() -> None:
    values = read_form("mail", {
        "address": " hello@school.example ", "imap_host": "imap.school.example", "smtp_host": "smtp.school.example",
        "password": "secret", "imap_port": "143", "since": "2026-11-01", "from_name": "",
        "own_addresses": "a@school.example\r\n\r\n b@school.example ",
    })  # fmt: skip
    assert "from_name" not in values
    assert not find_problems("mail", values)
    source = draft_source(KEYS, "mail", values)
    assert source.settings["since"] == date(2026, 11, 1).isoformat()
    shown = show_values(source)
    assert shown["own_addresses"] == "a@school.example\nb@school.example"
    assert (shown["imap_port"], shown["address"]) == ("143", "hello@school.example")
    assert "secret" not in json.dumps([shown, source.settings])
    assert kept_secrets(KEYS, source) == {"password"}


def test_a_flag_that_is_not_ticked_is_off() -> None:
    assert read_form("isso", {"moderated": "1"})["moderated"] is True
    assert read_form("isso", {})["moderated"] is False


@pytest.mark.parametrize(
    ("platform", "values", "field", "code"),
    [
        ("vk", {}, "group_id", "missing"),
        ("vk", {"group_id": "клуб"}, "group_id", "int_parsing"),
        ("vk", {"group_id": "0"}, "group_id", "greater_than"),
        ("vk", {"group_id": "1", "watch_posts": "9999"}, "watch_posts", "less_than_equal"),
        ("youtube", {"channel_id": "@school"}, "channel_id", "string_pattern_mismatch"),
        ("telegram", {"token": "1:a", "our_ids": ["Анна"]}, "our_ids", "int_parsing"),
        ("wordpress", {**WORDPRESS, "base_url": "https://"}, "base_url", "value_error"),
        ("mail", {"address": "a@b.example", "imap_host": "h", "smtp_host": "h"}, "", "value_error"),
    ],
)
def test_mistakes_are_named_by_field_and_code(platform, values, field, code) -> None:
    assert find_problems(platform, values)[field].code == code
    with pytest.raises(Refused) as refused:
        draft_source(KEYS, platform, values)
    assert refused.value.data["problems"][field].code == code


def test_an_unknown_platform_is_refused() -> None:
    with pytest.raises(Refused):
        fields_of("myspace")


class TestStored:
    @pytest.fixture
    def source_id(self, cast, database) -> int:
        with database.write.begin() as session:
            return add_place(session, cast.head, KEYS, platform="wordpress", title="Блог", values=WORDPRESS).id

    def test_the_same_place_twice_is_refused(self, cast, database, source_id) -> None:
        with database.write.begin() as session, pytest.raises(Refused) as refused:
            add_place(session, cast.head, KEYS, platform="wordpress", title="Блог снова", values=WORDPRESS)
        assert refused.value.data["id"] == source_id
        with database.write.begin() as session:
            other = {**WORDPRESS, "password": "of another user"}
            assert add_place(session, cast.head, KEYS, platform="wordpress", title="", values=other).id != source_id

    def test_only_who_may_edit_adds(self, cast, database) -> None:
        with database.write.begin() as session:
            for actor in (cast.smm, cast.curator):
                with pytest.raises(Forbidden):
                    add_place(session, actor, KEYS, platform="wordpress", title="", values=WORDPRESS)
                with pytest.raises(Forbidden):
                    read_now(session, actor, 1)
                with pytest.raises(Forbidden):
                    retry_raws(session, actor, 1, [])
                with pytest.raises(Forbidden):
                    forget_secrets(session, actor, KEYS, 1, ["password"])

    def test_a_kept_secret_serves_a_trial_of_the_same_address(self, database, source_id) -> None:
        with database.read.begin() as session:
            stored = session.get_one(Source, source_id)
            without = {"base_url": WORDPRESS["base_url"], "username": "other"}
            draft = draft_source(KEYS, "wordpress", without, stored)
        assert KEYS.unseal(draft.secrets) == {"password": "abcd efgh"}

    def test_a_kept_secret_is_not_sent_to_another_address(self, database, source_id) -> None:
        with database.read.begin() as session:
            stored = session.get_one(Source, source_id)
            moved = {"base_url": "https://thief.example/", "username": "desk"}
            with pytest.raises(Refused) as refused:
                draft_source(KEYS, "wordpress", moved, stored)
            assert refused.value.code == "source.secret_again"
            assert draft_source(KEYS, "wordpress", {**moved, "password": "anew"}, stored)

    def test_a_spare_secret_can_be_taken_away(self, cast, database) -> None:
        values = {"group_id": 7, "user_token": "u", "service_token": "s"}
        with database.write.begin() as session:
            source_id = add_place(session, cast.head, KEYS, platform="vk", title="", values=values).id
            forget_secrets(session, cast.head, KEYS, source_id, ["service_token"])
            edit_source(session, cast.head, KEYS, source_id, title="VK", values={"group_id": 7})
        with database.read.begin() as session:
            assert kept_secrets(KEYS, session.get_one(Source, source_id)) == {"user_token"}

    def test_reading_now_wakes_what_stopped_and_leaves_what_was_paused(self, cast, database, source_id) -> None:
        with database.write.begin() as session:
            source = session.get_one(Source, source_id)
            source.state, source.error_code = "stopped", "auth"
            read_now(session, cast.head, source_id)
            assert (source.state, source.error_code) == ("active", None)
            set_state(session, cast.head, source_id, "paused")
            with pytest.raises(Refused):
                read_now(session, cast.head, source_id)
            with pytest.raises(NotFound):
                read_now(session, cast.head, 999)

    def test_what_could_not_be_read_is_counted_listed_and_tried_again(self, cast, database, source_id) -> None:
        with database.write.begin() as session:
            store_raws(session, source_id, tuple(Raw("comment", "17", str(n), b"{}") for n in range(3)))
            store_raws(session, cast.source_id, (Raw("comment", "17", "9", b"{}"),))
            for raw in session.scalars(select(RawItem)):
                raw.state, raw.attempts, raw.error = "quarantined", 3, "KeyError"
        with database.write.begin() as session:
            rows = {row.source.id: row for row in place_rows(session, cast.smm)}
            assert (rows[source_id].unread, rows[cast.source_id].unread) == (3, 1)
            raws = unread_raws(session, cast.smm, source_id)
            assert [raw.external_id for raw in raws] == ["2", "1", "0"]
            foreign = unread_raws(session, cast.smm, cast.source_id)[0].id
            assert retry_raws(session, cast.head, source_id, [raws[0].id, foreign]) == 1
            assert retry_raws(session, cast.head, source_id, []) == 2
        with database.read.begin() as session:
            assert unread_raws(session, cast.smm, source_id) == []
            assert len(unread_raws(session, cast.smm, cast.source_id)) == 1
            assert session.scalar(select(func.count()).where(RawItem.state == "new", RawItem.attempts == 0)) == 3
            assert session.scalar(select(func.count()).where(Event.kind == "raws.retried")) == 2

    def test_a_curator_sees_no_places(self, cast, database, source_id) -> None:
        with database.read.begin() as session:
            for ask in (place_rows, lambda s, a: unread_raws(s, a, source_id)):
                with pytest.raises(Forbidden):
                    ask(session, cast.curator)

    def test_messages_are_counted_by_place(self, cast, database, source_id) -> None:
        cast.write("Когда?")
        with database.read.begin() as session:
            rows = {row.source.id: row.messages for row in place_rows(session, cast.head)}
        assert (rows[source_id], rows[cast.source_id]) == (0, 1)


class TestAgainstTheSandbox:
    @pytest.fixture
    def met(self, database, tmp_path: Path):
        with meeting(database, tmp_path / "platforms") as found:
            yield found

    def stored(self, met: Meeting, platform: str) -> Source:
        with met.database.read.begin() as session:
            return session.get_one(Source, met.sources[platform])

    def test_a_check_says_who_we_are_and_what_we_may(self, met) -> None:
        check = check_connection(met.open_channel, self.stored(met, "vk"))
        assert check.account
        assert {right.name for right in check.rights} >= {"comments", "reply"}
        assert not check.missing

    def test_a_check_names_the_rights_that_are_missing(self, met) -> None:
        source = self.stored(met, "vk")
        only = {key: value for key, value in met.keyring.unseal(source.secrets).items() if key == "community_token"}
        draft = draft_source(met.keyring, "vk", {**source.settings, **only})
        missing = {right.name for right in check_connection(met.open_channel, draft).missing}
        assert {"comments", "moderate"} <= missing

    def test_a_wrong_key_is_an_error_of_the_platform(self, met) -> None:
        source = self.stored(met, "telegram")
        draft = draft_source(met.keyring, "telegram", {**source.settings, "token": "1:wrong"})
        with pytest.raises(ChannelError) as error:
            check_connection(met.open_channel, draft)
        assert (error.value.code, error.value.permanent) == ("auth", True)

    def test_another_address_is_refused_before_anything_is_sent(self, met) -> None:
        values = {**WORDPRESS, "base_url": "http://127.0.0.1:9/"}
        with pytest.raises(ChannelError) as error:
            check_connection(met.open_channel, draft_source(met.keyring, "wordpress", values))
        assert error.value.code == "address"


def test_two_processes_that_start_at_once_make_a_declared_place_once(database) -> None:
    values = {"base_url": "https://blog.example/wp-json/", "username": "desk", "password": "p"}
    declared = [{"name": f"blog{n}", "platform": "wordpress", "title": "Блог", "values": values} for n in range(3)]
    barrier = threading.Barrier(4, timeout=30)

    def start(_: int) -> None:
        barrier.wait()
        with database.write.begin() as session:
            sync_declared(session, KEYS, declared)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(4)))
    with database.read.begin() as session:
        assert sorted(session.scalars(select(Source.declared_as))) == ["blog0", "blog1", "blog2"]
