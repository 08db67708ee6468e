"""Deadlines on screens: words besides colours, the view «Горит», its order, and why something came late."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from models import Case, Clock, Department, Notice, Source, utc_now
from services.notices import run_warn
from services.routing import ask_department
from services.sla import Share
from tests.web.test_inbox import row_ids
from web.deadlines import deadline, span, why_late

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)  # noon in Moscow


@pytest.fixture
def words(app):
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("due", "warn", "text", "tone"),
    [
        (timedelta(hours=5), timedelta(hours=4), "до 17:00", "chip-wait"),
        (timedelta(hours=22), timedelta(hours=20), "до завтра, 10:00", "chip-wait"),
        (timedelta(days=7), timedelta(days=5), "до 2 дек., 12:00", "chip-wait"),
        (timedelta(hours=2), timedelta(hours=1), "осталось 2 ч", "chip-wait"),
        (timedelta(minutes=20), timedelta(minutes=-5), "осталось 20 мин", "chip-warn"),
        (timedelta(hours=-3), timedelta(hours=-4), "опоздали на 3 ч", "chip-bad"),
        (timedelta(days=-3), timedelta(days=-4), "опоздали на 3 дн.", "chip-bad"),
    ],
)
def test_words(words, due, warn, text, tone) -> None:
    chip = deadline(NOW + due, NOW + warn, NOW)
    assert (chip.text, chip.tone) == (text, tone)


def test_nothing_runs(words) -> None:
    assert deadline(None, None, NOW) is None
    assert why_late([]) == ""


def test_spans_and_the_sentence(words) -> None:
    assert [span(timedelta(minutes=m)) for m in (0, 59, 60, 80, 27 * 60 + 10)] == [
        "0 мин", "59 мин", "1 ч", "1 ч 20 мин", "27 ч",
    ]  # fmt: skip
    curators = Department(id=1, code="curators", name="Кураторы", name_en="Curators")
    said = why_late([Share(curators, timedelta(hours=9)), Share(None, timedelta(minutes=20))])
    assert said == "Опоздали (по рабочему времени): ждали отдел «Кураторы» 9 ч, мы 20 мин"


@pytest.fixture
def watched(database, cast):
    """The place was added before its viewers wrote, so what they write is no history."""
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).created_at = NOW - timedelta(days=365)


def put(database, case_id: int, hours: float) -> None:
    """The first clock of a case is due in so many hours."""
    with database.write.begin() as session:
        for clock in session.query(Clock).filter_by(case_id=case_id, done_at=None):
            clock.due_at = utc_now() + timedelta(hours=hours)
            clock.warn_at = clock.due_at - timedelta(hours=1)
        case = session.get_one(Case, case_id)
        case.due_at, case.warn_at = utc_now() + timedelta(hours=hours), utc_now() + timedelta(hours=hours - 1)


def test_the_list_shows_sorts_and_narrows_by_deadline(watched, smm, open_case, database) -> None:
    late, soon, far = (open_case(f"Вопрос {number}?", f"Зритель {number}") for number in range(3))
    for case_id, hours in ((late, -3), (soon, 0.5), (far, 300)):
        put(database, case_id, hours)
    page = smm.get("/inbox").text
    assert "опоздали на 3 ч" in page
    assert "осталось" in page
    assert row_ids(smm.get("/inbox?sort=due").text) == [late, soon, far]
    burning = smm.get("/inbox?burning=1&sort=due").text
    assert row_ids(burning) == [late, soon]
    assert "<h1>Горит</h1>" in burning
    assert 'class="view-burning"' in burning


def test_pages_by_deadline_miss_nothing(watched, smm, open_case, database, cast) -> None:
    from services.filters import Filters
    from services.inbox import list_cases, next_case

    ids = [open_case(f"Вопрос {number}?", f"Зритель {number}") for number in range(5)]
    for number, case_id in enumerate(ids):
        put(database, case_id, 10 - number // 2)
    seen: list[int] = []
    after = None
    with database.read.begin() as session:
        filters = Filters(sort="due")
        while True:
            page = list_cases(session, cast.smm, filters, after=after, limit=2)
            seen += [row.case.id for row in page.rows]
            after = page.after
            if after is None:
                break
        first = session.get_one(Case, seen[0])
        assert next_case(session, cast.smm, filters, first) == seen[1]
    assert sorted(seen) == sorted(ids)
    assert seen == sorted(ids, key=lambda one: (10 - ids.index(one) // 2, one))


def test_a_case_says_its_deadline_and_why_it_is_late(watched, smm, enter, open_case, database, cast) -> None:
    case_id = open_case("Когда вебинар?")
    with database.write.begin() as session:
        ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда?", "r1")
        for clock in session.query(Clock):
            clock.started_at = utc_now() - timedelta(days=14)
            clock.due_at = clock.warn_at = utc_now() - timedelta(days=10)
        case = session.get_one(Case, case_id)
        case.due_at = case.warn_at = utc_now() - timedelta(days=10)
    page = smm.get(f"/inbox/{case_id}").text
    assert page.count("опоздали на 10 дн.") >= 2
    assert "ждали отдел «Кураторы»" in page
    curator = enter("curator")
    assert "опоздали на 10 дн." in curator.get("/questions").text
    assert "опоздали на 10 дн." in curator.get("/questions/1").text


def test_the_bell_counts_leads_on_and_falls_silent(watched, enter, open_case, database) -> None:
    case_id = open_case("Когда вебинар?")
    with database.write.begin() as session:
        session.query(Clock).filter(Clock.kind != "first").delete()  # days after the comment they are late as well
        for clock in session.query(Clock).filter_by(kind="first"):
            clock.sla_class = "CPUB"
            clock.started_at = clock.next_at = utc_now() - timedelta(days=60)
    run_warn(database)
    # At night a notice waits for the morning, and the test runs at any hour.
    with database.write.begin() as session:
        session.execute(update(Notice).values(show_at=utc_now() - timedelta(minutes=1)))
    head = enter("head")
    assert 'id="bell"' in head.get("/inbox").text
    assert head.get("/menu").text.count('<b class="count">1</b>') == 1
    listed = head.get("/notices").text
    assert "первый ответ" in listed
    notice_id = re.search(r'action="/notices/(\d+)"', listed).group(1)
    assert enter("curator").post(f"/notices/{notice_id}").headers.get("Location") != f"/inbox/{case_id}"
    assert head.post(f"/notices/{notice_id}").headers["Location"] == f"/inbox/{case_id}"
    assert 'class="count"' not in head.get("/menu").text
    assert "Ничего не горит" in head.get("/notices").text
