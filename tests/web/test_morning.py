"""«Утро»: the numbers are those of their lists, a department is hurried once, and a phone shows it."""

import re
from datetime import timedelta

import time_machine
from sqlalchemy import select

from models import Event, Notice, Source, utc_now
from services.reports.morning import is_silent
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
