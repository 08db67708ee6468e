"""Words: every code has some, every message has its Russian, and numbers and dates read as a Russian reads them."""

import ast
import os
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from classifier import LABELS
from collectors import CHANNELS
from collectors.base import ERROR_CODES, ActKind
from services.accounts import find_by_email, set_locale
from services.case_states import CLOSE_REASONS, STAGES
from services.errors import Refused
from services.outbox import STATES as ACT_STATES
from services.rights import DERIVED, ROLES
from services.route_states import STATES as ROUTE_STATES
from web import catalogues, dates, words
from web.catalogues import catalogue_files, compile_catalogues, extract, read_catalogue, untranslated
from web.navigation import MENU, SHORT
from web.sentences import SENTENCES

ROOT = Path(__file__).resolve().parents[2]
PLACES = re.compile(r"%\(\w+\)[sd]|%%")


def in_services(pattern):
    found = set()
    for path in (ROOT / "services").rglob("*.py"):
        found |= set(re.findall(pattern, path.read_text(encoding="utf-8")))
    return found


def test_every_code_that_a_service_raises_has_words():
    raised = in_services(r'(?:Refused|NotFound|Stale|Forbidden)\(\s*"([a-z_.]+)"')
    assert raised
    assert raised <= set(words.ERRORS)


def test_what_is_said_within_an_f_string_has_its_russian_too():
    """What collects words does not look into f-strings: without another place that says them they stay English."""
    known = {message.id for path in catalogue_files() for message in read_catalogue(path)}
    silent = {
        f"{path.relative_to(ROOT)}: {call.args[0].value!r}"
        for path in (ROOT / "web").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr)
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("_", "_l")
        if isinstance(call.args[0], ast.Constant) and call.args[0].value not in known
    }
    assert silent == set()


def test_every_event_of_a_case_has_a_sentence():
    told = in_services(r'record\(\s*session,\s*"([a-z_.]+)"[^)]*\bcase_id=')
    assert told
    assert told <= set(SENTENCES)


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (words.LABELS, LABELS), (words.STATES, STAGES), (words.STAGES, set(STAGES.values())),
        (words.CLOSE_REASONS, CLOSE_REASONS), (words.ACT_STATES, ACT_STATES), (words.ACT_TONES, ACT_STATES),
        (words.ACT_KINDS, [kind.value for kind in ActKind]), (words.ROUTE_STATES, ROUTE_STATES),
        (words.CHANNEL_ERRORS, ERROR_CODES), (words.ROLES, ROLES),
        (words.PLATFORMS, set(CHANNELS) - set(words.OWN_NAMES)),
    ],
)  # fmt: skip
def test_the_tables_name_every_code(table, codes):
    assert set(codes) <= set(table)


def test_an_unknown_code_is_still_a_sentence(app):
    with app.test_request_context():
        assert words.explain(Refused("no.such.code")) == str(words.ERRORS["unexpected"])


def test_russian_is_complete():
    said = {message.id for message in extract() if message.id}
    for path in catalogue_files():
        catalogue = read_catalogue(path)
        known = {message.id for message in catalogue if message.id}
        assert said == known, f"python -m web.catalogues ({said ^ known})"
        assert not [message.id for message in untranslated(catalogue)]


def test_places_for_values_agree():
    for path in catalogue_files():
        for message in read_catalogue(path):
            ids = message.id if isinstance(message.id, list | tuple) else (message.id,)
            said = message.string if isinstance(message.string, list | tuple) else (message.string,)
            for one in said:
                assert set(PLACES.findall(one)) == set(PLACES.findall(ids[-1])), message.id


def test_a_missing_or_stale_catalogue_is_compiled(tmp_path, monkeypatch):
    shutil.copytree(catalogues.TRANSLATIONS, tmp_path / "words", ignore=shutil.ignore_patterns("*.mo"))
    monkeypatch.setattr(catalogues, "TRANSLATIONS", tmp_path / "words")
    compile_catalogues()
    compiled = catalogue_files()[0].with_suffix(".mo")
    first = compiled.read_bytes()
    compiled.write_bytes(b"old")
    os.utime(compiled, (0, 0))
    compile_catalogues()
    assert compiled.read_bytes() == first


def test_the_other_language_is_one_click_away(smm):
    assert ">Входящие<" in smm.get("/inbox").text
    smm.post("/language/en", next="/inbox")
    page = smm.get("/inbox").text
    assert ">Inbox<" in page
    assert '<html lang="en"' in page


def test_the_language_that_is_chosen_at_the_door_is_theirs_who_enter(visitor, password, database):
    visitor.post("/language/en", next="/login")
    visitor.log_in("smm@school.example", password)
    assert '<html lang="en"' in visitor.get("/inbox").text
    visitor.post("/logout")
    with database.write.begin() as db:  # whoever has another one finds it, whatever was spoken here before
        set_locale(db, find_by_email(db, "smm@school.example").id, "ru")
    visitor.log_in("smm@school.example", password)
    assert '<html lang="ru"' in visitor.get("/inbox").text


def test_the_menu_is_short(app, enter):
    known = {item.endpoint for item in MENU}
    assert all(len(row) <= 6 and set(row) <= known for row in SHORT.values())
    assert set(SHORT) == {*ROLES, *DERIVED}
    page = enter("smm").get("/inbox").text.split('id="menu-main"')[1].split("</nav>")[0]
    assert "Исходящие" not in page  # only with a number
    assert "Сотрудники" not in page


class TestDates:
    NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # 15:00 in Moscow

    @pytest.mark.parametrize(
        ("at", "words"),
        [
            (datetime(2026, 11, 25, 11, 5, tzinfo=UTC), "сегодня, 14:05"),
            (datetime(2026, 11, 24, 21, 30, tzinfo=UTC), "сегодня, 0:30"),
            (datetime(2026, 11, 24, 6, 12, tzinfo=UTC), "вчера, 9:12"),
            (datetime(2026, 11, 23, 15, 40, tzinfo=UTC), "23 нояб., 18:40"),
            (datetime(2025, 3, 8, 9, 0, tzinfo=UTC), "8 мар. 2025, 12:00"),
            (None, "—"),
        ],
    )
    def test_when(self, app, at, words):
        with app.test_request_context():
            assert dates.when(at, self.NOW).replace("марта", "мар.") == words

    @pytest.mark.parametrize(
        ("passed", "words"),
        [
            (timedelta(seconds=20), "сейчас"),
            (timedelta(minutes=5), "5 мин"),
            (timedelta(hours=3, minutes=40), "3 ч"),
            (timedelta(days=2, hours=1), "2 дн."),
            (timedelta(days=20), "5 нояб."),
        ],
    )
    def test_age(self, app, passed, words):
        with app.test_request_context():
            assert dates.age(self.NOW - passed, self.NOW) == words

    def test_the_exact_time_stands_on_hover(self, app):
        with app.test_request_context():
            assert "25 ноября 2026, 14:05:00" in dates.when_tag(datetime(2026, 11, 25, 11, 5, tzinfo=UTC))
