"""services/places.py: a watched place has versions, is put back by the checks of today, and can be removed."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from collectors.base import Raw
from collectors.wire import Guard
from models import Act, Case, SettingVersion, Source
from services.bots import NAME as BOTS
from services.connections import add_place, forget_secrets
from services.errors import Forbidden, Refused
from services.history import choose_depth
from services.intake import store_raws
from services.mailbox import choose_mailbox
from services.places import naming_place, remove_place
from services.replies import write_reply
from services.responsibility import set_cell
from services.rights import DESK
from services.rules import save_rule, switch_rule
from services.secrets import Keyring
from services.settings.effects import effects_of
from services.settings.history import get_version, keep, last_change, versions_of
from services.settings.known import Tools, look, read_setting, take_back
from services.settings.places import place_row
from services.sources import (
    add_source,
    edit_source,
    is_resting,
    record_failure,
    rest_history,
    set_state,
    sync_declared,
)
from services.targets import uncovered
from tests.services.test_cases import label_all

KEYS = Keyring([Fernet.generate_key()])
TOOLS = Tools(KEYS, Guard())
BLOG = {"base_url": "https://blog.example/wp-json/", "username": "desk", "password": "abcd efgh"}


@pytest.fixture
def place(cast, database) -> int:
    with database.write.begin() as session:
        return add_place(session, cast.head, KEYS, platform="wordpress", title="Блог", values=BLOG).id


def row_of(session, place: int) -> dict[str, Any]:
    found = place_row(session, place)
    assert found is not None
    return found


def kept(session, place: int, number: int) -> dict[str, Any]:
    found: Any = get_version(session, name(place), number).value
    return dict(found)


def name(place: int) -> str:
    return f"place:{place}"


def edit(session, cast, place, title="Блог", **values) -> None:
    edit_source(session, cast.head, KEYS, place, title=title, values={**BLOG, "password": "", **values})


class TestVersions:
    def test_each_change_is_one_with_who_and_no_secret_in_any(self, cast, database, place) -> None:
        with database.write.begin() as session:
            edit(session, cast, place, title="Блог школы", username="editor")
        with database.write.begin() as session:
            edit(session, cast, place, title="Блог школы", username="editor", password="wxyz 1234")
        with database.write.begin() as session:
            set_state(session, cast.head, place, "paused")
        with database.read.begin() as session:
            rows = versions_of(session, name(place))
            assert [row.number for row, _who in rows] == [4, 3, 2, 1, 0]
            assert {who for row, who in rows if row.number} == {cast.head.name}
            told: list[Any] = [row.value for row, _who in rows]
        assert told[-1] is None
        assert [one["state"] for one in told[:-1]] == ["paused", "on", "on", "on"]
        assert told[1]["secrets"]["password"] > told[2]["secrets"]["password"], "that it was given anew is known"
        assert told[2]["secrets"] == told[3]["secrets"]
        assert not any(secret in str(told) for secret in ("abcd", "wxyz"))

    def test_a_secret_from_before_is_no_news_and_one_taken_away_is(self, cast, database) -> None:
        values = {"group_id": 7, "user_token": "u", "service_token": "s"}
        with database.write.begin() as session:
            vk = add_place(session, cast.head, KEYS, platform="vk", title="VK", values=values).id
            session.get_one(Source, vk).typed = {}  # as a place from before versions has it
        with database.write.begin() as session:
            edit_source(session, cast.head, KEYS, vk, title="VK", values={"group_id": 7})
        with database.read.begin() as session:
            assert last_change(session, name(vk)).number == 1, "nothing has changed"
        with database.write.begin() as session:
            forget_secrets(session, cast.head, KEYS, vk, ["service_token"])
        with database.read.begin() as session:
            assert kept(session, vk, 2)["secrets"] == {"user_token": ""}

    def test_what_the_machine_does_is_no_version(self, cast, database, place) -> None:
        from collectors.base import ChannelError

        with database.write.begin() as session:
            record_failure(session, place, ChannelError("no", code="auth", permanent=True))
            assert session.get_one(Source, place).state == "stopped"
        with database.write.begin() as session:
            sync_declared(
                session, KEYS, [{"name": "blog", "platform": "wordpress", "title": "Свой", "values": BLOG}]
            )
            declared = session.scalars(select(Source).where(Source.declared_as == "blog")).one().id
            sync_declared(session, KEYS, [])
            assert row_of(session, declared)["state"] == "on", "nobody paused it"
            assert "settings" not in row_of(session, declared)
        with database.read.begin() as session:
            assert last_change(session, name(place)).number == 1
            assert last_change(session, name(declared)).number == 0
            assert row_of(session, place)["state"] == "on"

    def test_depth_and_rest_of_history_are_kept_and_come_back_to_the_day(self, cast, database, place) -> None:
        with database.write.begin() as session:
            first = choose_depth(session, cast.head, place, "month").history_from
        with database.write.begin() as session:
            rest_history(session, cast.head, place, rests=True)
        with database.write.begin() as session:
            choose_depth(session, cast.head, place, "all")
        with database.write.begin() as session:
            rest_history(session, cast.head, place, rests=False)
        with database.write.begin() as session:
            take_back(session, cast.head, name(place), 3, TOOLS)
        with database.read.begin() as session:
            source = session.get_one(Source, place)
            assert (source.history_from, is_resting(source)) == (first, True)
            assert get_version(session, name(place), 5).restored == 3

    def test_a_place_begins_with_the_depth_it_was_given(self, cast, database) -> None:
        with database.write.begin() as session:
            new = add_place(
                session, cast.head, KEYS, platform="feed", title="Лента", values={"urls": ["https://a.example/"]},
                depth="month",
            )  # fmt: skip
            assert new.history_from is not None
        with database.read.begin() as session:
            assert last_change(session, name(new.id)).number == 1
        with database.write.begin() as session, pytest.raises(Refused) as refused:
            add_source(session, DESK, KEYS, platform="feed", title="", values={"urls": ["https://b.example/"]},
                       depth="deep")  # fmt: skip
        assert refused.value.code == "source.depth"


class TestTheWayBack:
    def test_settings_come_back_and_todays_secret_stays(self, cast, database, place) -> None:
        with database.write.begin() as session:
            edit(session, cast, place, title="Иначе", username="editor", password="wxyz 1234")
            set_state(session, cast.head, place, "paused")
        with database.write.begin() as session:
            take_back(session, cast.head, name(place), 1, TOOLS)
        with database.read.begin() as session:
            source = session.get_one(Source, place)
            assert (source.title, source.settings["username"], source.state) == ("Блог", "desk", "active")
            assert KEYS.unseal(source.secrets) == {"password": "wxyz 1234"}

    def test_a_secret_does_not_go_back_to_another_address(self, cast, database, place) -> None:
        moved = {"base_url": "https://other.example/wp-json/", "password": "of the other"}
        with database.write.begin() as session:
            edit(session, cast, place, **moved)
        with database.write.begin() as session, pytest.raises(Refused) as refused:
            take_back(session, cast.head, name(place), 1, TOOLS)
        assert refused.value.code == "source.secret_again"
        with database.read.begin() as session:
            assert session.get_one(Source, place).settings["base_url"] == moved["base_url"]

    def test_a_needed_secret_that_was_taken_away_is_missed(self, cast, database) -> None:
        with database.write.begin() as session:
            bot = add_place(session, cast.head, KEYS, platform="telegram", title="Бот", values={"token": "1:a"}).id
            edit_source(session, cast.head, KEYS, bot, title="Бот", values={"token": "1:a", "watch": ""})
            source = session.get_one(Source, bot)
            source.settings, source.secrets = {**source.settings, "base_url": source.settings["base_url"]}, ""
        with database.write.begin() as session:
            value = kept(session, bot, 1)
            value["settings"] = {**value["settings"], "unknown": 1}
            session.add(SettingVersion(name=name(bot), number=7, value=value))
            with pytest.raises(Refused) as refused:
                take_back(session, cast.head, name(bot), 7, TOOLS)
        assert refused.value.code == "source.settings"
        assert "token" in refused.value.data["fields"]

    def test_the_beginning_cannot_be_undone(self, cast, database, place) -> None:
        with database.write.begin() as session, pytest.raises(Refused) as refused:
            take_back(session, cast.head, name(place), 0, TOOLS)
        assert (refused.value.code, refused.value.data["name"]) == ("source.begun", "Блог")

    def test_by_hand_and_back(self, cast, database, place) -> None:
        with database.write.begin() as session:
            set_state(session, cast.head, place, "manual")
            take_back(session, cast.head, name(place), 1, TOOLS)
            assert session.get_one(Source, place).state == "active"
            take_back(session, cast.head, name(place), 2, TOOLS)
            assert session.get_one(Source, place).state == "manual"

    def test_only_who_may_change_places(self, cast, database, place) -> None:
        with database.write.begin() as session:
            for act in (
                lambda: look(session, cast.smm, name(place)),
                lambda: take_back(session, cast.smm, name(place), 1, TOOLS),
                lambda: remove_place(session, cast.smm, place),
            ):
                with pytest.raises(Forbidden):
                    act()


class TestRemoved:
    def test_it_rests_off_the_lists_and_comes_back(self, cast, database, place) -> None:
        with database.write.begin() as session:
            before = uncovered(session)
            remove_place(session, cast.head, place)
            source = session.get_one(Source, place)
            assert (source.state, source.removed_at is not None) == ("paused", True)
            assert place not in {one for one, _day in uncovered(session)}
            assert place in {one for one, _day in before}
            edit(session, cast, place, title="Блог снова")
            assert source.state == "paused", "its settings may be changed, it is not read by that"
            with pytest.raises(Refused) as refused:
                add_place(session, cast.head, KEYS, platform="wordpress", title="", values=BLOG)
            assert refused.value.code == "source.known_removed"
            take_back(session, cast.head, name(place), 2, TOOLS)
            assert (source.state, source.removed_at is not None, source.title) == ("paused", True, "Блог")
            set_state(session, cast.head, place, "active")
            assert (source.state, source.removed_at) == ("active", None)
            take_back(session, cast.head, name(place), 2, TOOLS)
            assert source.removed_at is not None

    def test_settings_that_name_it_come_first(self, cast, database) -> None:
        with database.write.begin() as session:
            box = cast.add_source(session, "mail", address="desk@school.example")
            assert naming_place(session, box.id) == []
            set_cell(session, cast.head, box.id, "refund", staff_id=cast.smm.staff_id, department_id=None)
            row = save_rule(session, cast.head, None, title="Письма", conditions={"place": box.id},
                            acts={"staff_id": cast.smm.staff_id})  # fmt: skip
            choose_mailbox(session, cast.head, box.id)
            keep(session, cast.head, BOTS, {"telegram": {"source_id": box.id, "name": "bot"}})
            with pytest.raises(Refused) as refused:
                remove_place(session, cast.head, box.id)
            assert refused.value.data["settings"] == ["duties", "rules", "mail", "bots"]
            keep(session, cast.head, BOTS, None)
            switch_rule(session, cast.head, row.id, False)
            assert naming_place(session, box.id) == ["duties", "mail"]

    def test_a_reply_that_waits_to_go_there_holds_it(self, cast, database) -> None:
        cast.write("Когда вебинар?")
        label_all(database)
        with database.write.begin() as session:
            case_id = session.scalars(select(Case.id).where(Case.number.is_not(None))).one()
            write_reply(session, cast.smm, case_id, "В пятницу.", form_key="k")
        with database.write.begin() as session, pytest.raises(Refused) as refused:
            remove_place(session, cast.head, cast.source_id)
        assert refused.value.code == "source.unsent"
        with database.write.begin() as session:
            session.scalars(select(Act)).one().state = "cancelled"
            assert remove_place(session, cast.head, cast.source_id).removed_at is not None

    def test_a_declared_one_is_removed_where_it_is_declared(self, cast, database) -> None:
        with database.write.begin() as session:
            one = add_source(session, DESK, KEYS, platform="wordpress", title="Б", values=BLOG, declared_as="blog")
            with pytest.raises(Refused) as refused:
                remove_place(session, cast.head, one.id)
        assert refused.value.code == "source.declared"


class TestWhatItDoes:
    def test_what_stands_on_a_place_is_counted_before(self, cast, database) -> None:
        cast.write("Когда вебинар?", "А")
        cast.write("Сколько стоит курс?", "Б")
        label_all(database)
        with database.write.begin() as session:
            case_id = session.scalars(select(Case.id).where(Case.number.is_not(None)).order_by(Case.id)).first()
            write_reply(session, cast.smm, case_id, "В пятницу.", form_key="k")
            store_raws(session, cast.source_id, (Raw("comment", "17", "9", b"{}"),))
        with database.read.begin() as session:
            now = row_of(session, cast.source_id)
            paused = effects_of(session, name(cast.source_id), now, {**now, "state": "paused"})
            manual = effects_of(session, name(cast.source_id), now, {**now, "state": "manual"})
            title = effects_of(session, name(cast.source_id), now, {**now, "title": "Иначе"})
            back = effects_of(session, name(cast.source_id), {**now, "state": "paused"}, now)
        assert [(one.code, one.count) for one in paused] == [
            ("place.cases", 1), ("place.unread", 1), ("place.unsent", 1)
        ]  # fmt: skip
        assert paused[0].groups[0][0].value == str(cast.source_id)
        assert [one.code for one in manual] == ["place.cases", "place.unread", "place.by_hand"]
        assert title == back == []


class Places(RuleBasedStateMachine):
    """Random changes of one place, and any of its versions brought back: it is then as that version says."""

    database, cast = None, None

    @initialize()
    def _begin(self):
        with self.database.write.begin() as session:
            given = {**BLOG, "base_url": f"https://{next(NUMBERS)}.example/wp-json/"}
            self.values = given
            self.place = add_place(
                session, self.cast.head, KEYS, platform="wordpress", title="Блог", values=given
            ).id

    def _do(self, act) -> None:
        with self.database.write.begin() as session:
            act(session, self.cast.head)

    @rule(title=st.sampled_from(["Блог", "Журнал"]), user=st.sampled_from(["desk", "editor"]), secret=st.booleans())
    def change(self, title, user, secret):
        values = {**self.values, "username": user, "password": "another" if secret else ""}
        self._do(lambda s, a: edit_source(s, a, KEYS, self.place, title=title, values=values))

    @rule(state=st.sampled_from(["active", "paused", "manual"]))
    def switch(self, state):
        self._do(lambda s, a: set_state(s, a, self.place, state))

    @rule()
    def remove(self):
        self._do(lambda s, a: remove_place(s, a, self.place))

    @rule(rests=st.booleans())
    def rest(self, rests):
        self._do(lambda s, a: rest_history(s, a, self.place, rests))

    @rule(depth=st.sampled_from(["all", "month", "new"]))
    def deepen(self, depth):
        self._do(lambda s, a: choose_depth(s, a, self.place, depth))

    @rule(back=st.integers(1, 6))
    def bring_back(self, back):
        with self.database.read.begin() as session:
            last = last_change(session, name(self.place)).number
            number = max(1, last - back)
            wanted = get_version(session, name(self.place), number).value
        self._do(lambda s, a: take_back(s, a, name(self.place), number, TOOLS))
        with self.database.read.begin() as session:
            now = read_setting(session, name(self.place))
        told = {key: one for key, one in wanted.items() if key not in ("secrets", "since")}
        assert {key: one for key, one in now.items() if key not in ("secrets", "since")} == told

    @invariant()
    def the_newest_version_is_what_there_is(self):
        if not hasattr(self, "place"):
            return
        with self.database.read.begin() as session:
            last = last_change(session, name(self.place)).number
            assert get_version(session, name(self.place), last).value == read_setting(session, name(self.place))
            source = session.get_one(Source, self.place)
            assert source.removed_at is None or source.state == "paused"


NUMBERS = iter(range(10**9))


def test_any_history_of_a_place(cast, database) -> None:
    Places.database, Places.cast = database, cast
    run_state_machine_as_test(
        Places,
        settings=settings(
            max_examples=6, stateful_step_count=10, deadline=timedelta(seconds=60),
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
