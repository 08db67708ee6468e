"""«Отчёты»: figures lead to their cases, the address bar keeps the question, and only the head may look."""

import re
from datetime import datetime, timedelta

import pytest
import time_machine

from models import Act, CaseFact, Source, utc_now
from services.accounts import create_staff
from services.outbox import note_reply
from services.replies import write_reply
from services.reports.register import say_verdict
from services.rights import DESK
from services.routing import ask_department
from tests.web.test_case_paper import words_of
from web.report_words import change, percent

MONDAY = datetime.fromisoformat("2026-11-30T10:00+03:00")


@pytest.fixture
def head(enter):
    return enter("head")


@pytest.fixture
def school(cast, database, open_case):
    """A case answered after half an hour, one late with the curators, one that is spam."""
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).created_at = MONDAY - timedelta(days=1)
    with time_machine.travel(MONDAY, tick=False) as clock:
        first = open_case("Когда вебинар?", "Анна", published_at=MONDAY)
        late = open_case("Ничего не работает", "Борис", published_at=MONDAY)
        with database.write.begin() as session:
            write_reply(session, cast.smm, first, "В среду", "f1", undo_seconds=0)
            ask_department(session, cast.smm, late, cast.departments["curators"], "Что?", "q1")
        clock.move_to(MONDAY + timedelta(minutes=30))
        with database.write.begin() as session:
            row = session.query(Act).one()
            row.state, row.accepted_at = "accepted", utc_now()
            note_reply(session, row)
        clock.move_to(MONDAY + timedelta(days=1))
        yield first, late


def figures(page: str) -> dict[str, str]:
    found = re.findall(r'class="figure[^"]*" href="/reports/cases/(\w+)\?[^"]*"[^>]*>([^<]+)<', page)
    return dict(reversed(found))


def test_every_figure_opens_the_list_that_yields_it(school, head) -> None:
    page = head.get("/reports?from=2026-11-30&to=2026-12-01").text
    shown = figures(page)
    assert {name: shown[name] for name in ("came", "waiting", "first_late", "asked")} == {
        "came": "2", "waiting": "1", "first_late": "1", "asked": "1",
    }  # fmt: skip
    assert "30 мин" in page
    assert "50 %" in page
    for address, name, text in re.findall(
        r'href="(/reports/cases/(\w+)\?[^"]+)"[^>]*>(\d+)<', page.replace("&amp;", "&")
    ):
        listed = head.get(address).text
        total = re.search(r"<h1>[^<]*: (\d+)</h1>", listed)
        assert total is not None
        assert total.group(1) == text, name
        assert listed.count("drill-top") == int(text)


def test_a_late_case_says_why_in_a_sentence(school, head) -> None:
    page = head.get("/reports/cases/first_late?from=2026-11-30&to=2026-12-01").text
    assert "ждали отдел «Кураторы» 9 ч" in page
    assert f"/inbox/{school[1]}" in page
    assert "https://blog.example/17#" in page


def test_filters_and_period_stand_in_the_address(school, head, cast) -> None:
    page = head.get(f"/reports?period=last_month&kind=complaint&staff={cast.smm.staff_id}&department=junk").text
    assert "1 нояб. 2026 – 30 нояб. 2026" in page
    assert figures(page)["came"] == "1"
    empty = head.get("/reports?from=2026-10-01&to=2026-10-02").text
    assert "За этот период обращений нет" in empty or figures(empty)["came"] == "0"
    assert head.get("/reports?from=нет&to=2026-99-01&source=99999999999999999999").status_code == 200


def test_nothing_is_printed_as_a_dash(head) -> None:
    page = head.get("/reports").text
    assert "За этот период обращений нет" in page
    assert percent(None) == "—"


def test_who_may_not_read_cases_sees_figures_alone(app, database, cast, school, enter) -> None:
    from services.accounts import create_staff
    from services.rights import DESK

    with database.write.begin() as session:
        create_staff(session, DESK, email="watcher@school.example", name="Ян Немов", roles=("observer",))
    watcher = enter("watcher")
    page = watcher.get("/reports/cases/came?from=2026-11-30&to=2026-12-01").text
    assert "ОБ-2026-" in page
    assert "Когда вебинар" not in page
    assert "Анна" not in page
    assert "/inbox/" not in page


def test_the_register_tells_what_was_written_to_readers_of_cases_alone(database, school, head, enter) -> None:
    with database.write.begin() as session:
        create_staff(session, DESK, email="watcher@school.example", name="Ян Немов", roles=("observer",))
        session.get_one(CaseFact, school[0]).kind = "complaint"
        say_verdict(session, DESK, school[0], "justified", "Вернули деньги")
    watcher, period = enter("watcher"), "from=2026-11-30&to=2026-12-01&by=complaints"
    words = ("Когда вебинар?", "Анна", "Вернули деньги")
    page, unread = (one.get(f"/reports/all/register?{period}").text for one in (head, watcher))
    assert all(word in page for word in words)
    assert not any(word in unread for word in words)
    assert "ОБ-2026-" in unread
    assert "для тех, кому открыты обращения" in unread
    assert "Анна" in words_of(head.get(f"/reports/paper/register.pdf?{period}").data)
    assert watcher.get(f"/reports/paper/register.pdf?{period}").status_code == 403
    assert watcher.get(f"/reports/all/register.csv?{period}").status_code == 403


def test_it_is_the_heads(smm, head) -> None:
    assert smm.get("/reports").status_code == 403
    assert head.get("/reports/cases/nothing").status_code == 404


def test_shares_never_round_to_all_or_nothing(app) -> None:
    with app.test_request_context():
        assert [percent(value) for value in (1, 0.999, 0.5, 0.004, 0)] == [
            "100 %",
            "99,9 %",
            "50 %",
            "0,4 %",
            "0 %",
        ]
        assert [change(*pair) for pair in ((3, 3), (5, 3), (3, 5))] == ["столько же", "+2", "−2"]
