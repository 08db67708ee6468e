"""Settings on screens: the line of the last change, its effect, the history, the way back, a stale form."""

import re

import pytest
from sqlalchemy import select, update

from models import Clock, DutyDay, Fact, Responsibility, Rule, SettingVersion
from services.absences import local_day
from services.recount import run_recount
from services.search import synonyms
from services.settings.history import last_change
from services.settings.known import KNOWN
from services.terms import policy_of
from tests.web.test_deadlines import watched
from tests.web.test_terms import form_of
from web.setting_screens import SCREENS
from web.setting_words import LINES

__all__ = ["watched"]


@pytest.fixture
def head(enter):
    return enter("head")


def undo_of(page: str) -> str:
    """The address behind «Вернуть» of the toast."""
    return re.search(r"/settings/history/[\w.:]+/\d+/undo[^&\"]*", page).group(0)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the last form of a page, as they are sent on."""
    form = page[page.rindex('<form class="panel set-panel"') :]
    return dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', form))


def test_every_setting_has_a_screen_words_and_a_history(head, app) -> None:
    assert set(SCREENS) == set(KNOWN) == set(LINES)
    for name, (_title, endpoint) in SCREENS.items():
        assert head.get(f"/settings/history/{name}").status_code == 200
        with app.test_request_context():
            address = app.url_map.bind("").build(endpoint)
        assert "Ещё не меняли" in head.get(address).text, name


@pytest.mark.parametrize(
    ("who", "name", "status"),
    [
        ("head", "sla", 200), ("head", "rules", 200), ("head", "criteria", 200), ("head", "retention", 200),
        ("smm", "sla", 403), ("smm", "duties", 403), ("curator", "rules", 403), ("smm", "retention", 403),
        ("head", "backup", 404), ("smm", "mail", 403),
    ],
)  # fmt: skip
def test_whose_setting_it_is_sees_its_history(enter, who, name, status) -> None:
    visitor = enter(who)
    assert visitor.get(f"/settings/history/{name}").status_code == status
    if status == 403:
        assert visitor.get(f"/settings/history/{name}/0/back").status_code == 403
        visitor.post(f"/settings/history/{name}/1/undo")
        visitor.post(f"/settings/history/{name}/0/back")


def test_a_version_is_shown_in_words_and_brought_back(head, database) -> None:
    head.post("/search/synonyms", lines="скидка, акция", seen="0")
    page = head.get("/search/synonyms").text
    assert "Изменено: сегодня" in page
    assert "Марина Котова" in page
    head.post("/search/synonyms", lines="скидка, акция, промокод", seen="1")
    history = head.get("/settings/history/search.synonyms").text
    assert "скидка, акция, промокод" in history
    assert history.index("действует сейчас") < history.index("Вернуть эту версию")
    asked = head.get("/settings/history/search.synonyms/1/back").text
    assert "Вернуть эту версию?" in asked
    assert "Открытых обращений это не касается" in asked
    head.post("/settings/history/search.synonyms/1/back", **hidden(asked))
    with database.read.begin() as session:
        assert synonyms(session) == (("скидка", "акция"),)
        assert last_change(session, "search.synonyms").number == 3
    assert "Возвращена" in head.get("/settings/history/search.synonyms").text


def test_the_toast_takes_it_back_unless_somebody_came_between(head, enter, database) -> None:
    head.post("/search/synonyms", lines="скидка, акция", seen="0")
    address = undo_of(head.get("/search/synonyms").text)
    answer = head.post(address, htmx=True)
    assert answer.headers["HX-Redirect"] == "/search/synonyms"
    with database.read.begin() as session:
        assert last_change(session, "search.synonyms").number == 2
    late = head.post(address, htmx=True)
    assert late.status_code == 409
    with database.read.begin() as session:
        assert last_change(session, "search.synonyms").number == 2


def test_whoever_opened_an_older_version_sees_what_was_changed_and_may_go_on(head, database) -> None:
    head.post("/search/synonyms", lines="скидка, акция", seen="0")
    answer = head.post("/search/synonyms", lines="урок, занятие", seen="0")
    assert answer.status_code == 409
    assert "Настройку тем временем изменили" in answer.text
    assert "скидка, акция" in answer.text
    fields = hidden(answer.text)
    assert (fields["seen"], fields["lines"]) == ("1", "урок, занятие")
    head.post("/search/synonyms", **fields)
    with database.read.begin() as session:
        assert synonyms(session) == (("урок", "занятие"),)


def test_two_cells_are_no_conflict_and_one_is(head, cast, database) -> None:
    smm, other = cast.smm.staff_id, cast.head.staff_id
    assert head.post("/settings/duties", place=0, theme="refund", staff_id=smm, seen="0").status_code == 302
    assert head.post("/settings/duties", place=0, theme="payment", staff_id=smm, seen="0").status_code == 302
    assert head.post("/settings/duties", place=0, theme="refund", staff_id=other, seen="0").status_code == 409
    with database.read.begin() as session:
        assert set(session.scalars(select(Responsibility.staff_id))) == {smm}


def test_what_it_does_comes_first_and_a_sure_one_is_kept(head, cast, database, open_case) -> None:
    case_id = open_case("Когда вебинар?")
    form = {"place": 0, "theme": "", "staff_id": cast.smm.staff_id, "seen": "0"}
    shown = head.post("/settings/duties", **form)
    assert shown.status_code == 200
    assert "Из последних обращений (1) у 1 появился бы ведущий" in shown.text
    assert f'href="/inbox/{case_id}"' in shown.text
    with database.read.begin() as session:
        assert session.scalars(select(Responsibility)).all() == []
        assert session.scalars(select(SettingVersion)).all() == []
    assert head.post("/settings/duties", **hidden(shown.text)).status_code == 302
    with database.read.begin() as session:
        assert session.scalars(select(Responsibility.staff_id)).all() == [cast.smm.staff_id]


def test_terms_are_undone_together_with_open_clocks(watched, head, open_case, database) -> None:
    open_case("Когда вебинар?")
    form = form_of(head.get("/settings/terms").text) | {"line_question": "0,5"}
    shown = head.post("/settings/terms/preview", **form, seen="0").text
    assert "Вопрос (QPUB): первый ответ" in shown
    assert "0,5 ч в рабочее время" in shown
    head.post("/settings/terms", **form, open_too="1", seen="0")
    run_recount(database)
    address = undo_of(head.get("/settings/terms").text)
    assert "open_too=1" in address
    head.post(address, htmx=True)
    run_recount(database)
    with database.read.begin() as session:
        assert policy_of(session).classes["QPUB"].first.minutes == 240
        assert session.query(Clock).filter_by(kind="first").one().term_seconds == 240 * 60


def test_a_return_that_names_who_left_says_who(head, cast, database) -> None:
    form = {"title": "Возвраты", "words": "возврат", "staff_id": cast.smm.staff_id, "seen": "0"}
    head.post("/settings/rules/new", **form)
    with database.read.begin() as session:
        rule_id = session.scalars(select(Rule.id)).one()
    head.post(f"/settings/rules/{rule_id}/drop")
    head.post(f"/staff/{cast.smm.staff_id}/off", sure="1")
    head.post("/settings/history/rules/1/back", seen="2")
    assert "Дарья Лис не отвечает на обращения" in head.get("/settings/rules").text


def test_a_refusal_names_where_nobody_would_be_left(head, cast) -> None:
    week = {f"day{day}": cast.smm.staff_id for day in range(7)}
    head.post("/settings/rota/week", **week, seen="0", sure="1")
    head.post("/settings/rota/week", **{**week, "day3": ""}, seen="1", sure="1")
    assert "На то, что приходит на «Блог 1», станет ответить некому" in head.get("/settings/rota").text
    page = head.post(f"/staff/{cast.smm.staff_id}", name="Дарья Лис", role="observer").text
    assert "Дарья Лис ещё указан(а) в настройках: Дежурства" in page


def test_the_journal_leads_to_the_version_and_tells_of_one_that_was_changed(head, database) -> None:
    head.post("/search/synonyms", lines="скидка, акция", seen="0")
    page = head.get("/settings/journal").text
    assert "/settings/history/search.synonyms#v1" in page
    assert "digest" not in page
    assert "изменили уже после сохранения" not in head.get("/settings/journal?check=1").text
    with database.write.begin() as session:
        session.execute(update(SettingVersion).where(SettingVersion.number == 1).values(value={"groups": []}))
    page = head.get("/settings/journal?check=1").text
    assert "Версию 1 настройки «Одинаковые слова» изменили уже после сохранения" in page


SAMPLES = {
    "sla": {"preset": "regulation", "changes": {"2026-12-31": "short"}, "classes": {"QPUB": [60, "duty", 90]}},
    "kinds": {"rows": [{"kind": "claim", "labels": ["complaint"], "themes": ["refund"], "signal": "legal_claim",
                        "visibility": "private", "words": "суд", "department": "head", "priority": 0}]},
    "agreement": {"minutes": 5, "deputies": [2], "rows": [{"kind": "claim", "theme": "refund", "urgent": True,
                                                           "visibility": "public"}]},
    "rota": {"week": {"0": 2, "6": 99}},
    "rota.days": [{"day": "2026-12-01", "staff_id": 2}, {"day": "2026-12-02", "staff_id": None}],
    "visits": [{"id": 1, "title": "Отзовик", "url": "https://otzovik.example/", "every_minutes": 120,
                "opens": "09:00", "closes": "21:00", "staff_id": 2, "source_id": 1, "active": True},
               {"id": 2, "title": "Чат", "url": "", "every_minutes": 60, "opens": "09:00", "closes": "21:00",
                "staff_id": None, "source_id": None, "active": False}],
    "facts": [{"id": 1, "code": "price", "title": "Цена", "value": "4900", "owner_id": 2, "valid_to": "2026-12-31"},
              {"id": 2, "code": "link", "title": "Цена", "value": "x", "owner_id": None, "valid_to": None}],
    "incidents": {"rows": [{"theme": "", "labels": ["complaint"], "enough": 5, "minutes": 5, "authors": 2,
                            "department": "technical", "active": False},
                           {"theme": "video", "labels": ["complaint"], "enough": 5, "minutes": 5, "authors": 2,
                            "department": None, "active": True}]},
    "criteria": {"rows": [{"number": 1, "title": "По делу", "active": False}]},
    "satisfaction": {"mail": True, "messages": False, "text": "Как мы ответили?", "address": None},
    "lint": {"own": ["8 800 000"], "off": ["loud"]},
    "search.synonyms": {"groups": [["урок", "занятие"], ["урок", "лекция"]]},
    "retention": {"days": {"calls": 30}, "on": True},
    "organisation": {"org": {"inn": "7700000000"}, "sign": {"last": "Котова"}, "more": {"city": "Москва"}},
    "bots": {"telegram": {"source_id": 1, "name": "school_bot"}},
    "mail": {"smtp": {"smtp_host": "mail.school.example", "username": "desk"}},
    "rules": [{"id": 1, "position": 2, "title": "Возвраты", "active": False, "acts": {"staff_id": 0, "tell": 2},
               "conditions": {"words": ["возврат"], "place": 1, "visibility": "public", "label": "question",
                              "theme": "refund"}},
              {"id": 2, "position": 1, "title": "Возвраты", "active": True, "conditions": {"words": ["деньги"]},
               "acts": {"department_id": 1}}],
    "staff": [{"id": 1, "name": "Дарья Лис", "active": True, "trainee": True,
               "roles": [["manager", 1], ["smm", None]], "deputy_id": 2,
               "hours": {"days": [0, 2], "from": "10:00", "to": "16:00"}},
              {"id": 9, "name": "Пётр", "active": False, "trainee": False, "roles": [], "deputy_id": None,
               "hours": {}}],
    "absences": [{"id": 1, "staff_id": 2, "from_day": "2026-12-01", "to_day": "2026-12-03", "reason": "illness",
                  "deputy_id": 1, "hand_over": True, "roles": ["head", "smm"]},
                 {"id": 2, "staff_id": 2, "from_day": "2026-12-05", "to_day": "2026-12-06", "reason": "trip",
                  "deputy_id": None, "hand_over": False, "roles": []}],
    "saved": [{"id": 1, "title": "Привет", "text": "Здравствуйте, {{имя}}!"}],
    "duties": [{"place": 1, "theme": "refund", "staff_id": 2, "department_id": 1, "asked_id": 3},
               {"place": 0, "theme": "", "staff_id": 99, "department_id": None, "asked_id": None}],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_each_value_is_told_in_words(head, database, name) -> None:
    with database.write.begin() as session:
        for number, value in enumerate(([] if isinstance(SAMPLES[name], list) else None, SAMPLES[name])):
            session.add(SettingVersion(name=name, number=number, value=value))
    page = head.get(f"/settings/history/{name}").text
    assert page.count('class="set-was"') >= 1
    assert "{&#39;" not in page[page.index("<main") : page.index("</main>")]  # nothing as Python writes it
    assert head.get(f"/settings/history/{name}/1/back").status_code == 200


def test_a_fact_and_a_day_are_taken_back_by_the_toast(head, cast, database) -> None:
    given = {"code": "price", "title": "Цена", "value": "4 900 ₽"}
    head.post("/facts/new", **given)
    head.post("/facts/1", **{**given, "value": "5 900 ₽"}, seen="1")
    page = head.get("/facts").text
    assert "Изменено: сегодня" in page
    assert head.post("/facts/1", **{**given, "title": "Цена курса"}, seen="1").status_code == 409
    assert (
        head.post("/facts/new", **{**given, "code": "b"}, seen="1").status_code == 302
    )  # another one is no conflict
    page = head.get("/facts").text
    assert head.post(undo_of(page), htmx=True).headers["HX-Redirect"] == "/facts"
    with database.read.begin() as session:
        assert session.scalars(select(Fact.value)).all() == ["5 900 ₽"]
        today = local_day(session).isoformat()
    history = head.get("/settings/history/facts").text
    assert "4 900 ₽ · price" in history
    head.post("/settings/rota/day", day=today, staff_id=cast.smm.staff_id, seen="0")
    assert head.post(undo_of(head.get("/settings/rota").text), htmx=True).headers["HX-Redirect"] == "/settings/rota"
    with database.read.begin() as session:
        assert session.scalars(select(DutyDay)).all() == []
    assert "Дарья Лис" in head.get("/settings/history/rota.days").text


def test_a_typed_password_is_never_drawn_back(head, database) -> None:
    """Somebody saved meanwhile: what was typed comes back on the page, the password is asked for anew."""
    form = {"source_id": "", "address": "desk@school.example", "smtp_host": "smtp.school.example",
            "smtp_port": "465", "smtp_security": "tls", "username": "desk"}  # fmt: skip
    head.post("/settings/mail", **form, password="первый-секрет", seen="0")
    answer = head.post("/settings/mail", **{**form, "username": "other"}, password="второй-секрет", seen="0")
    assert answer.status_code == 409
    assert "второй-секрет" not in answer.text
    assert "первый-секрет" not in answer.text
    assert 'name="password" type="password"' in answer.text
    assert "введите его ещё раз" in answer.text
    fields = hidden(answer.text)
    assert (fields["username"], "password" in fields) == ("other", False)
    assert head.post("/settings/mail", **fields, password="второй-секрет").status_code == 302
    with database.read.begin() as session:
        assert last_change(session, "mail").number == 2
