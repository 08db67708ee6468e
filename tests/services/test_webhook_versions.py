"""Versions of web hooks: none has a secret, each comes back by the checks of today, a dropped one without one."""

from typing import Any

import pytest

from collectors.wire import Guard
from models import Webhook
from services.errors import Refused
from services.settings.effects import effects_of
from services.settings.history import last_change, versions_of
from services.settings.known import Tools, read_setting, take_back
from services.webhooks import (
    MOST_HOOKS,
    drop_hook,
    dropped_hooks,
    edit_hook,
    renew_secret,
    send_test,
    switch_hook,
)
from tests.services.test_webhooks import URL, hook, keyring, open_case, robot, run, state_of

__all__ = ["hook", "keyring", "open_case", "robot", "run"]


class TestVersions:
    def test_each_change_is_one_and_none_has_the_secret(self, database, cast, hook, keyring) -> None:
        webhook_id, secret = hook("case.closed")
        with database.write.begin() as session:
            edit_hook(session, cast.head, Guard(), webhook_id, "Другой", "https://other.example/", ["case.opened"])
        with database.write.begin() as session:
            _hook, newer = renew_secret(session, cast.head, keyring, webhook_id)
        with database.write.begin() as session:
            switch_hook(session, cast.head, webhook_id, False)
        with database.read.begin() as session:
            rows = versions_of(session, f"hook:{webhook_id}")
            values: list[Any] = [row.value for row, _who in rows]
        assert {who for row, who in rows if row.number} == {cast.head.name}
        assert [value and value["state"] for value in values] == ["off", "on", "on", "on", None]
        assert values[1]["secret"] > values[2]["secret"] == values[3]["secret"]
        assert secret not in str(values)
        assert newer not in str(values)

    def test_an_address_comes_back_by_the_checks_of_today(self, database, cast, hook, keyring) -> None:
        inner = Guard(allow_private=frozenset({"10.0.0.5:443"}))
        webhook_id, secret = hook("case.closed")
        with database.write.begin() as session:
            edit_hook(session, cast.head, inner, webhook_id, "Внутри", "https://10.0.0.5/", ["case.opened"])
            edit_hook(session, cast.head, inner, webhook_id, "Снова", URL, ["case.opened"])
            switch_hook(session, cast.head, webhook_id, False)
        name = f"hook:{webhook_id}"
        with database.write.begin() as session, pytest.raises(Refused) as refused:
            take_back(session, cast.head, name, 2, Tools(keyring, Guard()))
        assert refused.value.code == "webhook.private"
        with database.write.begin() as session:
            take_back(session, cast.head, name, 1, Tools(keyring, Guard()))
        back = state_of(database, webhook_id)
        assert (back.name, back.url, back.events, back.state) == ("Робот", URL, ["case.closed"], "on")
        assert keyring.unseal(back.secret) == {"secret": secret}
        with database.write.begin() as session, pytest.raises(Refused) as refused:
            take_back(session, cast.head, name, 0, Tools(keyring, Guard()))
        assert refused.value.code == "webhook.begun"

    def test_one_that_failed_is_still_what_people_wanted(self, database, cast, hook) -> None:
        webhook_id, _secret = hook()
        with database.write.begin() as session:
            session.get_one(Webhook, webhook_id).state = "failed"
        with database.write.begin() as session:
            switch_hook(session, cast.head, webhook_id, True)
        with database.read.begin() as session:
            assert last_change(session, f"hook:{webhook_id}").number == 1

    def test_a_dropped_one_comes_back_off_and_wants_a_new_secret(
        self, database, cast, hook, keyring, run, open_case
    ) -> None:
        webhook_id, _secret = hook("case.opened")
        name, tools = f"hook:{webhook_id}", Tools(keyring, Guard())
        with database.write.begin() as session:
            drop_hook(session, cast.head, webhook_id)
        with database.write.begin() as session:
            assert [one.id for one in dropped_hooks(session, cast.head)] == [webhook_id]
            take_back(session, cast.head, name, 1, tools)
        back = state_of(database, webhook_id)
        assert (back.state, back.secret, back.dropped_at) == ("off", "", None)
        with database.write.begin() as session:
            for act in (
                lambda: switch_hook(session, cast.head, webhook_id, True),
                lambda: send_test(session, cast.head, webhook_id),
            ):
                with pytest.raises(Refused) as refused:
                    act()
                assert refused.value.code == "webhook.secretless"
        with database.write.begin() as session:
            renew_secret(session, cast.head, keyring, webhook_id)
            switch_hook(session, cast.head, webhook_id, True)
        open_case()
        assert run() == 1
        with database.write.begin() as session:
            take_back(session, cast.head, name, 2, tools)
        assert state_of(database, webhook_id).dropped_at is not None

    def test_there_must_be_room_for_it(self, database, cast, hook, keyring) -> None:
        webhook_id, _secret = hook()
        with database.write.begin() as session:
            drop_hook(session, cast.head, webhook_id)
        for _ in range(MOST_HOOKS):
            hook()
        with database.write.begin() as session, pytest.raises(Refused) as refused:
            take_back(session, cast.head, f"hook:{webhook_id}", 1, Tools(keyring, Guard()))
        assert refused.value.code == "webhook.many"

    def test_what_waits_is_said_before(self, database, hook, open_case) -> None:
        webhook_id, _secret = hook("case.opened")
        open_case()
        name = f"hook:{webhook_id}"
        with database.read.begin() as session:
            now = read_setting(session, name)
            told = {
                word: [(one.code, one.count) for one in effects_of(session, name, now, {**now, **change})]
                for word, change in (
                    ("off", {"state": "off"}), ("dropped", {"state": "dropped"}), ("moved", {"url": "https://b.example/"}),
                    ("named", {"name": "Иначе"}),
                )
            }  # fmt: skip
        assert told == {
            "off": [("hook.waits", 1)], "dropped": [("hook.waits", 1)], "moved": [("hook.moves", 1)], "named": []
        }  # fmt: skip
