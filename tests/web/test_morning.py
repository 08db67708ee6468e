"""«Утро»: the numbers are those of their lists, a department is hurried once, and a phone shows it."""

import re
from datetime import timedelta

import time_machine
from sqlalchemy import select

from models import Case, Event, Notice, Source, utc_now
from services.report_letters import FIVE
from services.reports.morning import is_silent
from services.responsibility import set_cell
from services.routing import ask_department
from tests.web.test_reports import MONDAY, school  # noqa: F401


def numbers(page: str) -> list[str]:
    return re.findall(r"<b>([\d/]+)</b>", page.split('class="panel five"')[1].split("</ul>")[0])


def test_the_five_lines_count_their_lists(school, enter) -> None:  # noqa: F811
    head = enter("head")
    page = head.get("/morning").text
    # The day after: Boris's case and the curators' answer are late, and nobody has read the place since.
    assert numbers(page) == ["1", "0", "1", "0", "0/1"]
    assert "ждали отдел «Кураторы» 9 ч" in page
    for address, text in re.findall(r'href="(/reports/cases/[^"]+)"[^>]*>(\d+)<', page.replace("&amp;", "&")):
        listed = head.get(address).text
        assert re.search(r"<h1>[^<]*: (\d+)</h1>", listed).group(1) == text, address


def test_what_runs_out_today_is_not_late_yet(cast, database, open_case, enter) -> None:
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).created_at = MONDAY - timedelta(days=1)
    with time_machine.travel(MONDAY, tick=False) as clock:
        open_case("Когда вебинар?", published_at=MONDAY)
        head = enter("head")
        assert numbers(head.get("/morning").text)[:2] == ["0", "1"]
        clock.move_to(MONDAY + timedelta(hours=5))
        assert numbers(enter("head").get("/morning").text)[:2] == ["1", "0"]


def test_history_is_named_beside_the_figures_that_leave_it_out(cast, database, open_case, enter) -> None:
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).created_at = utc_now()
    open_case("Когда был вебинар?", published_at=utc_now() - timedelta(days=9))
    head = enter("head")
    for address in ("/morning", "/reports"):
        link = re.search(r'href="(/reports/cases/history[^"]*)">И ещё 1 ', head.get(address).text).group(1)
        assert "Когда был вебинар?" in head.get(link.replace("&amp;", "&")).text


def test_a_department_is_hurried_of_what_is_overdue_and_not_twice(school, enter, cast, database) -> None:  # noqa: F811
    with database.write.begin() as session:
        ask_department(session, cast.smm, school[0], cast.departments["curators"], "А это?", "q2")  # not overdue
    head = enter("head")
    for _time in range(2):
        assert head.post("/morning/hurry", department=str(cast.departments["curators"])).status_code == 302
    with database.read.begin() as session:
        told = session.scalars(select(Notice).where(Notice.kind == "hurry")).all()
        assert [(notice.staff_id, notice.case_id) for notice in told] == [(cast.curator.staff_id, school[1])]
        assert (
            session.scalars(select(Event.kind).where(Event.kind == "route.hurried")).all() == ["route.hurried"] * 2
        )
    assert "руководитель просит поторопиться" in enter("curator").get("/notices").text
    assert "Кураторы: поторопили" in head.get(f"/inbox/{school[1]}").text


def test_it_begins_the_heads_day_and_nobody_elses(enter) -> None:
    assert enter("head").get("/").location == "/morning"
    assert enter("smm").get("/morning").status_code == 403


def test_a_place_is_silent_after_three_intervals() -> None:
    now = utc_now()
    place = Source(state="active", every_seconds=600, created_at=now - timedelta(days=1))
    place.read_at = now - timedelta(minutes=29)
    assert not is_silent(place, now)
    place.read_at = now - timedelta(minutes=31)
    assert is_silent(place, now)
    place.state, place.read_at = "stopped", now
    assert is_silent(place, now)


def test_what_is_behind_a_number_is_taken_given_and_hurried_together(school, enter, cast, database) -> None:  # noqa: F811
    head = enter("head")
    page = head.get("/reports/cases/late_now").text
    assert f'name="case" value="{school[1]}"' in page
    assert "Дарья Лис · " in page
    assert "Поторопить" in page
    assert head.post("/morning/act", act="take", case=str(school[1])).status_code == 302
    with database.read.begin() as session:
        assert session.get_one(Case, school[1]).assignee_id == cast.head.staff_id
    both = {"case": [str(one) for one in school]}
    assert head.post("/morning/act", act="give", staff_id=str(cast.smm.staff_id), **both).status_code == 302
    assert head.post("/morning/act", act="hurry", **both).status_code == 302
    with database.read.begin() as session:
        leads = {session.get_one(Case, one).assignee_id for one in school}
        assert leads == {cast.smm.staff_id}
        told = session.scalars(select(Notice.case_id).where(Notice.kind == "hurry")).all()
        assert told == [school[1]]


def test_nothing_ticked_is_said_and_a_stranger_is_nobody(school, enter, cast, database) -> None:  # noqa: F811
    head = enter("head")
    assert head.post("/morning/act", act="take").status_code == 302
    assert "Сначала отметьте" in head.get("/morning").text
    wrong = head.post("/morning/act", act="give", staff_id=str(cast.curator.staff_id), case=str(school[1]))
    assert wrong.status_code in (302, 404)
    with database.read.begin() as session:
        assert session.get_one(Case, school[1]).assignee_id != cast.curator.staff_id


def test_a_list_of_the_past_offers_no_acts(school, enter) -> None:  # noqa: F811
    page = enter("head").get("/reports/cases/answered?from=2026-11-30&to=2026-12-01").text
    assert 'name="case"' not in page


def test_a_place_that_nobody_leads_is_a_line_of_the_morning(school, enter, cast, database) -> None:  # noqa: F811
    head = enter("head")
    page = head.get("/morning").text
    assert "Никто по имени не ведёт то, что приходит" in page
    with database.write.begin() as session:
        set_cell(session, cast.head, 0, "", staff_id=cast.smm.staff_id, department_id=None, asked_id=None)
    assert "Никто по имени не ведёт" not in head.get("/morning").text


def test_every_line_of_the_letter_leads_somewhere(enter) -> None:
    head = enter("head")
    assert [head.get(f"{path}?from=2026-12-01&to=2026-12-01").status_code for path in FIVE] == [200] * 5
