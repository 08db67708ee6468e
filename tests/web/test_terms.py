"""«Сроки»: six lines, what a change does comes first, then it is kept, and open cases follow on demand."""

import re

import pytest

from models import Clock, Event
from services.recount import run_recount
from services.terms import policy_of
from tests.web.test_deadlines import watched

__all__ = ["watched"]


@pytest.fixture
def head(enter):
    return enter("head")


def form_of(page: str) -> dict[str, str]:
    """The fields as a browser would send them."""
    form = dict(re.findall(r'<input[^>]* name="([a-z]+_\w+)"[^>]* value="([^"]*)"', page))
    form |= dict(re.findall(r'<input name="([a-z]+_\w+)"[^>]* value="([^"]*)"', page))
    for name, body in re.findall(r'<select[^>]* name="(\w+)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.search(r'<option value="(\w+)" selected', body)
        form[name] = chosen.group(1) if chosen else re.search(r'value="(\w+)"', body).group(1)
    form["changes"] = re.search(r'name="changes"[^>]*>(.*?)</textarea>', page, re.S).group(1)
    return form


def policy(database):
    with database.read.begin() as session:
        return policy_of(session)


def test_it_opens_on_six_lines(head) -> None:
    form = form_of(head.get("/settings/terms").text)
    lines = {name: value for name, value in form.items() if name.startswith("line_")}
    assert lines == {
        "line_question": "4", "line_complaint": "2", "line_lead": "1", "line_private": "4", "line_technical": "2",
        "line_wish": "18",
    }  # fmt: skip
    assert form["hours_curators"] == "10:00, 17:00"


def test_what_is_saved_unchanged_changes_nothing(head, database) -> None:
    before = policy(database)
    head.post("/settings/terms", **form_of(head.get("/settings/terms").text))
    after = policy(database)
    assert (after.classes, after.units, after.quiet) == (before.classes, before.units, before.quiet)


def test_the_effect_is_shown_first_and_open_cases_follow_on_demand(watched, head, open_case, database) -> None:
    open_case("Когда вебинар?")
    form = form_of(head.get("/settings/terms").text) | {"line_question": "0,5", "changes": "31.12.2026 короткий"}
    shown = head.post("/settings/terms/preview", **form).text
    assert "раньше — 1, позже — 0" in shown
    assert policy(database).classes["QPUB"].first.minutes == 240
    assert form_of(shown)["line_question"] == "0,5"
    assert "31.12.2026 короткий" in shown
    answer = head.post("/settings/terms", **(form_of(shown) | {"open_too": "1"}))
    assert answer.headers["Location"] == "/settings/terms"
    assert policy(database).classes["QPUB"].first.minutes == 30
    assert policy(database).classes["QPRV"].first.minutes == 240
    assert "пересчитываются: 0 из 2" in head.get("/settings/terms").text
    assert run_recount(database) == 1
    with database.read.begin() as session:
        assert session.query(Clock).filter_by(kind="first").one().term_seconds == 1800
        kinds = [event.kind for event in session.query(Event).filter(Event.kind.startswith("s"))]
    assert {"settings.changed", "sla.recount", "sla.recounted"} <= set(kinds)


def test_another_preset_comes_with_its_own_hours(head, database) -> None:
    form = form_of(head.get("/settings/terms").text) | {"preset": "regulation", "line_question": "1"}
    head.post("/settings/terms", **form)
    assert policy(database).preset == "regulation"
    assert policy(database).classes["QPUB"].first.minutes == 120


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("line_question", "скоро", "Срок — от"),
        ("unit_curators", "0", "Срок — от"),
        ("changes", "32.12.2026 выходной", "не дата"),
        ("changes", "31.12.2026 праздник", "не дата"),
        ("quiet_from", "25:00", "не время"),
        ("preset", "none", "Таких сроков нет"),
    ],
)
def test_what_makes_no_sense_is_refused(head, database, field, value, said) -> None:
    before = policy(database)
    form = form_of(head.get("/settings/terms").text) | {field: value}
    head.post("/settings/terms", **form)
    assert said in head.get("/settings/terms").text
    assert policy(database) is before


def test_it_is_for_who_edits_settings(enter) -> None:
    assert enter("smm").get("/settings/terms").status_code == 403
    assert enter("curator").post("/settings/terms").status_code in (302, 403)
