"""«Площадки»: the list in words, forms drawn from settings, a check before saving, secrets never shown."""

import html
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from collectors import CHANNELS
from collectors.base import ERROR_CODES, Raw
from collectors.wire import Guard, Wire
from models import RawItem, Source, utc_now
from services.connections import fields_of
from services.intake import store_raws
from services.responsibility import set_cell
from services.rights import DESK
from services.sources import STOPPING, add_source
from tests.sandbox.running import Running
from tests.web.test_hostile import look
from tests.web.test_setting_history import hidden, undo_of
from web.place_words import PLATFORM_HINTS, TO_DO

BLOG = {"base_url": "http://127.0.0.1:9/wp-json/", "username": "desk", "password": "abcd efgh"}


@pytest.fixture
def head(enter):
    return enter("head")


@pytest.fixture
def place(cast, database):
    """Changes the cast's place and returns its id."""

    def _place(**values):
        with database.write.begin() as session:
            source = session.get_one(Source, cast.source_id)
            for name, value in values.items():
                setattr(source, name, value)
            return source.id

    return _place


def stored(database, source_id):
    with database.read.begin() as session:
        return session.get_one(Source, source_id)


def sources(database) -> list[Source]:
    with database.read.begin() as session:
        return list(session.scalars(select(Source).order_by(Source.id)))


class TestTheList:
    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({}, "читается в первый раз"),
            ({"read_at": -timedelta(minutes=2, seconds=5)}, "2 минуты назад"),
            ({"state": "paused"}, "приостановлена"),
            ({"state": "paused", "error_code": "undeclared"}, "Верните её в config.yaml"),
            ({"state": "stopped", "error_code": "auth"}, "остановлена: площадка не принимает ключ"),
            ({"state": "stopped", "error_code": "auth"}, "впишите его в настройках"),
            ({"error_code": "network", "due_at": timedelta(minutes=1)}, "не читается: нет связи"),
        ],
    )
    def test_states_in_words(self, smm, place, values, said):
        # Times are told from now: the cases are collected long before they run.
        place(**{name: utc_now() + one if isinstance(one, timedelta) else one for name, one in values.items()})
        assert said in smm.get("/places").text

    def test_every_trouble_has_a_next_step(self):
        assert ERROR_CODES - {"invalid", "unsupported", "share"} <= set(TO_DO)  # those come of acts alone
        assert set(TO_DO) >= STOPPING

    def test_messages_and_what_could_not_be_read_are_counted(self, smm, cast, database, place):
        cast.write("Когда?")
        raws(database, cast.source_id, 2)
        page = smm.get("/places").text
        assert re.search(r"сообщений</dt><dd>1<", page)
        assert re.search(rf'href="/places/{cast.source_id}/unread">2<', page)

    def test_an_smm_looks_and_does_not_touch(self, smm, place):
        source_id = place()
        page = smm.get("/places").text
        assert "Добавить площадку" not in page
        assert "Приостановить" not in page
        for address in ("/places/new", "/places/new/vk", f"/places/{source_id}"):
            assert smm.get(address).status_code == 403
        for deed in ("/pause", "/resume", "/read", "/unread", ""):
            assert smm.post(f"/places/{source_id}{deed}", htmx=True).status_code == 403
        assert smm.post("/places/check/wordpress", htmx=True, **BLOG).status_code == 403

    def test_pause_resume_and_read_now(self, head, place, database, desk):
        source_id = place(due_at=utc_now() + timedelta(hours=1))
        asked: list[str] = []
        desk.defer = asked.append
        assert head.post(f"/places/{source_id}/pause").location == "/places"
        assert "приостановлена" in head.get("/places").text
        assert stored(database, source_id).state == "paused"
        assert head.post(f"/places/{source_id}/read", htmx=True).status_code == 422
        assert head.post(f"/places/{source_id}/resume").location == "/places"
        assert stored(database, source_id).state == "active"
        place(due_at=utc_now() + timedelta(hours=1))
        head.post(f"/places/{source_id}/read")
        assert stored(database, source_id).due_at <= utc_now()
        assert "collect" in asked

    def test_what_stands_on_a_place_is_said_before_it_is_paused(self, head, place, database, open_case):
        source_id = place()
        open_case("Когда вебинар?")
        shown = head.post(f"/places/{source_id}/pause")
        assert shown.status_code == 200
        assert "На этой площадке 1 открытое обращение" in shown.text
        assert f'href="/inbox?any=source:{source_id}"' in shown.text
        assert stored(database, source_id).state == "active"
        assert head.post(f"/places/{source_id}/pause", **hidden(shown.text)).location == "/places"
        assert stored(database, source_id).state == "paused"
        page = head.get("/places").text
        assert head.post(undo_of(page), htmx=True).headers["HX-Redirect"] == "/places"
        assert stored(database, source_id).state == "active"

    def test_a_place_that_fails_can_be_kept_by_hand_before_it_stops(self, head, place):
        source_id = place()
        address = f'formaction="/places/{source_id}/by-hand"'
        assert address not in head.get("/places").text
        place(error_code="network", failures=3)
        assert address in head.get("/places").text

    def test_the_coverage_says_what_is_wrong_and_when_it_is_read_next(self, head, place):
        place(read_at=utc_now(), due_at=utc_now() + timedelta(minutes=3))
        page = head.get("/places/coverage").text
        assert ">следующее<" in page
        assert "не читается" not in page
        place(error_code="network", failures=3)
        page = head.get("/places/coverage").text
        assert "не читается: нет связи" in page
        assert ">следующее<" not in page, "the next try is said beside what is wrong"
        place(state="paused", error_code=None)
        assert ">следующее<" not in head.get("/places/coverage").text

    def test_a_place_is_removed_and_brought_back(self, head, place, database):
        source_id = place(title="Старый блог")
        assert "Убрать из списка" in head.get(f"/places/{source_id}").text
        assert head.post(f"/places/{source_id}/remove").location == "/places"
        page = head.get("/places").text
        assert f'id="place-{source_id}"' not in page
        assert "Убрано из списка: 1" in page
        assert "Старый блог" not in head.get("/places/coverage").text
        assert "Старый блог" not in head.get("/settings/duties").text
        history = head.get(f"/settings/history/place:{source_id}").text
        assert "убрана из списка" in history
        assert head.post(f"/places/{source_id}/resume").location == "/places"
        assert f'id="place-{source_id}"' in head.get("/places").text

    def test_a_place_that_a_setting_names_is_not_removed(self, head, cast, place, database):
        source_id = place(title="Старый блог")
        with database.write.begin() as session:
            set_cell(session, cast.head, source_id, "", staff_id=cast.smm.staff_id, department_id=None)
        answer = head.post(f"/places/{source_id}/remove", htmx=True)
        assert answer.status_code == 422
        assert (
            "Кто за что отвечает" in json.loads(answer.headers["HX-Trigger"])["otklik:toasts"]["toasts"][0]["text"]
        )
        assert stored(database, source_id).removed_at is None

    def test_hostile_titles_stay_words(self, smm, place):
        place(title="<script>alert(1)</script>", error_code="server", error_text="<img src=x onerror=alert(2)>")
        tags = look(smm.get("/places").text)
        assert (tags.scripts, tags.images, tags.handlers) == (0, 0, [])


class TestTheForm:
    @pytest.mark.parametrize("platform", sorted(CHANNELS))
    def test_it_asks_every_setting_in_russian(self, head, platform):
        assert platform in PLATFORM_HINTS
        assert f"/places/new/{platform}" in head.get("/places/new").text
        page = html.unescape(head.get(f"/places/new/{platform}").text)
        for field in fields_of(platform):
            assert f'name="{field.name}"' in page, field.name
            if re.search(r"[a-z]{4,} [a-z]{3,}", field.description):
                assert field.description not in page, field.description

    def test_defaults_stand_in_it(self, head):
        page = head.get("/places/new/mail").text
        assert re.search(r'name="imap_port"[^>]*value="993"', page)
        assert re.search(r'<option value="tls" selected>', page)
        assert re.search(r'type="date"[^>]*name="since"', page)

    def test_an_unknown_platform_is_not_there(self, head):
        assert head.get("/places/new/myspace").status_code == 422

    def test_mistakes_stand_beside_their_fields(self, head, database):
        before = len(sources(database))
        answer = head.post("/places/new/vk", group_id="клуб", watch_posts="5000", user_token="vk1.secret")
        assert answer.status_code == 422
        assert "Нужно целое число" in answer.text
        assert "Не больше 1000" in answer.text
        assert 'value="клуб"' in answer.text
        assert "vk1.secret" not in answer.text
        assert "Заполните это поле" in head.post("/places/new/wordpress", htmx=True).text
        letters = {"csrf_token": head.token(), "address": "a@b.example", "imap_host": "h", "smtp_host": "h"}
        assert "пароль приложения или токен" in head.client.post("/places/new/mail", data=letters).text
        assert len(sources(database)) == before

    def test_training_says_which_address_it_takes_and_takes_no_other(self, head, database):
        before = len(sources(database))
        assert "http://127.0.0.1:9" in head.get("/places/new/telegram").text
        answer = head.post("/places/new/telegram", token="1:abc", base_url="https://api.telegram.org/")
        assert answer.status_code == 422
        assert "только к учебной площадке" in answer.text
        assert "1:abc" not in answer.text
        assert len(sources(database)) == before


class TestStored:
    @pytest.fixture
    def source_id(self, database, desk, cast) -> int:
        with database.write.begin() as session:
            return add_source(session, DESK, desk.keyring, platform="wordpress", title="Блог школы", values=BLOG).id

    def test_secrets_are_said_to_be_kept_and_are_never_shown(self, head, source_id):
        page = head.get(f"/places/{source_id}").text
        assert "сохранено" in page
        assert "abcd efgh" not in page
        assert 'value="Блог школы"' in page
        assert re.search(r'name="base_url"[^>]*value="http://127.0.0.1:9/wp-json/"', page)

    def test_a_change_keeps_the_secret_that_was_left_empty(self, head, source_id, database, desk):
        answer = head.post(f"/places/{source_id}", title="Новое имя", base_url=BLOG["base_url"],
                           username="editor", our_authors="3\r\n4", password="")  # fmt: skip
        assert answer.location == "/places"  # the address is right, nobody answers there: saved with a warning
        source = stored(database, source_id)
        assert (source.title, source.settings["username"], source.settings["our_authors"]) == (
            "Новое имя", "editor", [3, 4]
        )  # fmt: skip
        assert desk.keyring.unseal(source.secrets) == {"password": "abcd efgh"}
        assert "проверка не прошла" in head.get("/places").text

    def test_another_address_wants_the_secret_again(self, head, source_id, database):
        answer = head.post(f"/places/{source_id}", base_url="http://127.0.0.1:9/other/", username="desk")
        assert answer.status_code == 422
        assert "впишите пароли и ключи заново" in answer.text
        checked = head.post("/places/check/wordpress", htmx=True, source_id=str(source_id),
                            base_url="http://127.0.0.1:9/other/", username="desk")  # fmt: skip
        assert "впишите пароли и ключи заново" in checked.text
        assert stored(database, source_id).settings["base_url"] == BLOG["base_url"]

    def test_the_history_says_what_changed_and_no_secret(self, head, source_id, database):
        blog = {"title": "Блог школы", "base_url": BLOG["base_url"], "username": "desk"}
        page = head.get(f"/places/{source_id}").text
        assert f"/settings/history/place:{source_id}" in page
        assert 'name="seen" value="1"' in page
        head.post(f"/places/{source_id}", **{**blog, "username": "editor"}, seen="1")
        head.post(f"/places/{source_id}", **{**blog, "username": "editor"}, password="wxyz 1234", seen="2")
        history = head.get(f"/settings/history/place:{source_id}").text
        assert "Марина Котова" in history
        for said in ("Имя пользователя", "editor", "задано:", "Площадка: Блог школы", "сегодняшние"):
            assert said in history, said
        for secret in ("abcd", "wxyz"):
            assert secret not in history
        assert f"/settings/history/place:{source_id}/1/back" in history
        assert f"/settings/history/place:{source_id}/0/back" not in history, "that it was begun cannot be undone"
        asked = head.get(f"/settings/history/place:{source_id}/1/back").text
        assert "Ключи и пароли остаются сегодняшние" in asked
        head.post(f"/settings/history/place:{source_id}/1/back", **hidden(asked))
        assert stored(database, source_id).settings["username"] == "desk"

    def test_whoever_opened_an_older_one_keeps_what_was_typed_but_no_secret(self, head, source_id, database):
        blog = {"base_url": BLOG["base_url"], "username": "desk"}
        head.post(f"/places/{source_id}", title="Первое", **blog, seen="1")
        answer = head.post(f"/places/{source_id}", title="Второе", **blog, password="wxyz 1234", seen="1")
        assert answer.status_code == 409
        assert "Первое" in answer.text
        assert "wxyz" not in answer.text
        fields = hidden(answer.text)
        assert (fields["title"], fields["seen"], "password" in fields) == ("Второе", "2", False)
        assert 'name="password" type="password"' in answer.text
        head.post(f"/places/{source_id}", **fields, password="wxyz 1234")
        assert stored(database, source_id).title == "Второе"
        assert "Второе" in head.get(f"/settings/history/place:{source_id}").text

    def test_the_journal_leads_to_the_history(self, head, source_id):
        page = head.get("/settings/journal").text
        assert f"/settings/history/place:{source_id}#v1" in page

    def test_others_have_nothing_of_the_history(self, smm, source_id):
        for address in ("", "/1/back"):
            assert smm.get(f"/settings/history/place:{source_id}{address}").status_code == 403

    @pytest.mark.parametrize("name", ["place:999", "place:x", "place", "place:", "place:1:2", "places:1"])
    def test_no_history_of_what_there_is_not(self, head, name):
        assert head.get(f"/settings/history/{name}").status_code == 404

    def test_a_check_of_another_platform_gets_no_secret(self, head, source_id):
        assert head.post("/places/check/telegram", htmx=True, source_id=str(source_id)).status_code == 422

    def test_a_declared_place_is_shown_and_not_changed(self, head, source_id, database, desk):
        with database.write.begin() as session:
            session.get_one(Source, source_id).declared_as = "blog"
        page = head.get(f"/places/{source_id}").text
        assert "площадка учебной школы" in page
        assert "Сохранить" not in page
        assert all("disabled" in one for one in re.findall(r'<input id="f-[^>]*>', page))
        desk.mode = "work"
        assert "«blog»" in head.get(f"/places/{source_id}").text
        desk.mode = "training"
        answer = head.post(f"/places/{source_id}", htmx=True, title="Иначе", **BLOG)
        assert answer.status_code == 422
        assert stored(database, source_id).title == "Блог школы"
        head.post(f"/places/{source_id}/pause")  # to stop reading is no change of its settings
        assert stored(database, source_id).state == "paused"

    def test_an_unknown_place(self, head):
        assert head.get("/places/999").status_code == 404
        assert head.get("/places/999/unread").status_code == 404
        assert head.post("/places/999/pause", htmx=True).status_code == 404


def raws(database, source_id: int, count: int) -> list[int]:
    with database.write.begin() as session:
        store_raws(session, source_id, tuple(
            Raw("comment", "17", f"raw{n}", '{"text": "<script>Привет</script>"}'.encode() + b"\xff")
            for n in range(count)
        ))  # fmt: skip
        found = list(session.scalars(select(RawItem).order_by(RawItem.id)))
        for raw in found:
            raw.state, raw.error = "quarantined", "KeyError: 'text'"
        return [raw.id for raw in found]


class TestUnread:
    def test_what_could_not_be_read_is_shown_as_it_came(self, smm, cast, database):
        raws(database, cast.source_id, 1)
        page = smm.get(f"/places/{cast.source_id}/unread").text
        assert "KeyError" in page
        assert "Привет" in page
        assert "<script>Привет" not in page
        assert "Попробовать снова" not in page

    def test_one_or_all_are_tried_again(self, head, cast, database):
        first, _second, _third = raws(database, cast.source_id, 3)
        address = f"/places/{cast.source_id}/unread"
        assert head.post(address, raw_id=str(first)).location == address
        assert head.get(address).text.count("<article") == 2
        head.post(address)
        assert "Всё прочитано" in head.get(address).text
        with database.read.begin() as session:
            assert {raw.state for raw in session.scalars(select(RawItem))} == {"new"}


class TestAgainstTheSandbox:
    @pytest.fixture
    def running(self, tmp_path: Path, desk):
        found = Running(tmp_path / "platforms", "--no-trickle", "--no-rate-limits")
        desk.sandbox_url = found.url
        desk.wire = Wire(Guard(only=frozenset({found.url.removeprefix("http://")})), read_timeout=10)
        yield found
        found.close()

    def given(self, running, platform: str) -> dict[str, str]:
        place = next(p for p in running.http.get("/_sandbox/sources").json() if p["platform"] == platform)
        values = {**place["settings"], **place["secrets"]}
        return {
            name: "\n".join(map(str, value)) if isinstance(value, list) else str(value)
            for name, value in values.items()
            if value is not None
        }

    def test_the_depth_of_history_is_chosen_with_the_place(self, head, database, running):
        fields = {**self.given(running, "wordpress"), "title": "Блог школы", "depth": "quarter"}
        assert head.post("/places/new/wordpress", **fields).status_code == 302
        made = sources(database)[-1]
        assert made.history_from is not None
        assert timedelta(days=90) < utc_now() - made.history_from < timedelta(days=92)
        head.post(f"/places/{made.id}", **fields)
        assert stored(database, made.id).history_from == made.history_from
        head.post(f"/places/{made.id}", **{**fields, "depth": "all"})
        assert stored(database, made.id).history_from is None

    def test_a_check_shows_account_and_rights_and_saves_nothing(self, head, running, database):
        before = len(sources(database))
        given = self.given(running, "vk")
        page = head.post("/places/check/vk", htmx=True, **given).text
        assert page.lstrip().startswith("<form")
        assert "Подключено:" in page
        assert "Читать комментарии" in page
        assert given["user_token"] not in page
        assert len(sources(database)) == before

    def test_a_declared_place_is_checked_as_it_is_declared(self, head, running, database, desk):
        place = next(p for p in running.http.get("/_sandbox/sources").json() if p["platform"] == "wordpress")
        with database.write.begin() as session:
            source = add_source(
                session, DESK, desk.keyring, platform="wordpress", title="Блог", declared_as="sandbox-wordpress",
                values={**place["settings"], **place["secrets"]},
            )  # fmt: skip
        page = head.post("/places/check/wordpress", htmx=True, source_id=str(source.id)).text
        assert "Подключено:" in page
        assert "Модерировать комментарии" in page

    def test_a_check_says_what_is_missing_and_what_fails_without(self, head, running):
        given = self.given(running, "vk")
        given.pop("user_token")
        given.pop("service_token", None)
        page = head.post("/places/check/vk", htmx=True, **given).text
        assert "без этого не читаются комментарии" in page

    def test_a_wrong_key_is_said_in_words(self, head, running):
        page = head.post("/places/check/telegram", **{**self.given(running, "telegram"), "token": "1:wrong"}).text
        assert "Площадка не принимает ключ" in page
        assert "<html" in page  # without scripts the whole page comes

    def test_saving_checks_names_and_reads(self, head, running, database, desk):
        asked: list[str] = []
        desk.defer = asked.append
        answer = head.post("/places/new/vk", htmx=True, **self.given(running, "vk"))
        assert answer.headers["HX-Redirect"] == "/places"
        source = sources(database)[-1]
        assert (source.platform, source.state) == ("vk", "active")
        assert source.title  # the account's name, since none was given
        assert asked == ["collect"]
        assert "Начинаем читать" in head.get("/places").text

    def test_pressing_twice_makes_one_place(self, head, running, database):
        given = self.given(running, "telegram")
        head.post("/places/new/telegram", **given)
        again = head.post("/places/new/telegram", **given)
        assert (again.status_code, "уже подключена" in again.text) == (422, True)
        assert [source.platform for source in sources(database)].count("telegram") == 1
