"""The rows behind a figure: a page with filters in its address, a way to what stands behind, and a file."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest

from models import Case, Client, Deal, DealMove, Event, Message

PERIOD = "from=2026-11-30&to=2026-12-04"
BEGUN = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.fixture
def sold(database, open_case) -> tuple[int, int]:
    """Forty-five deals of one client, the newest of them from a case; returns (deal, case)."""
    case_id = open_case("Когда можно записаться?", "Анна")
    with database.write.begin() as session:
        client = Client(name="Лисицына Анна", name_key="лисицына анна")
        session.add(client)
        session.flush()
        for number in range(45):
            deal = Deal(
                client_id=client.id, product=f"Курс {number}", amount=1000_00,
                created_at=BEGUN + timedelta(minutes=number), case_id=case_id if number == 44 else None,
                origin="wordpress" if number % 2 else "other",
            )  # fmt: skip
            session.add(deal)
            session.flush()
            session.add(DealMove(deal_id=deal.id, after="lead", at=deal.created_at))
        return deal.id, case_id


def test_a_figure_opens_its_rows_by_pages(sold, enter, database) -> None:
    head = enter("head")
    report = head.get(f"/reports/all/funnel?{PERIOD}").text.replace("&amp;", "&")
    address = re.search(r'href="(/reports/rows/deals_reached\?[^"]+)"[^>]*>45<', report)
    assert address is not None
    first = head.get(address[1]).text
    assert "Сделки, дошедшие до ступени: 45" in first
    assert "45 000" in first.replace("\xa0", " ")
    assert first.count('<tr><th scope="row"') == 40
    more = re.search(r'href="(/reports/rows/deals_reached\?[^"]*after=[^"]+)"', first.replace("&amp;", "&"))
    assert more is not None
    second = head.get(more[1]).text
    assert second.count('<tr><th scope="row"') == 5
    deal_id, case_id = sold
    with database.read.begin() as session:
        number = session.get_one(Case, case_id).number
        url = session.get_one(Message, session.get_one(Case, case_id).first_message_id).url
    assert f'/deals/{deal_id}"' in first
    assert f'href="/inbox/{case_id}">{number}' in first
    assert url in first


def test_filters_stay_in_the_address(sold, enter) -> None:
    page = enter("head").get(f"/reports/rows/deals_begun?{PERIOD}&platform=wordpress").text
    assert "Сделки, начатые за период: 22" in page
    assert "· WordPress" in page
    assert "platform=wordpress" in page


def test_nothing_and_no_such_list(sold, enter) -> None:
    head = enter("head")
    assert "ничто не даёт" in head.get("/reports/rows/deals_begun?from=2026-10-01&to=2026-10-02").text
    assert head.get("/reports/rows/came").status_code == 404
    assert head.get(f"/reports/rows/deals_begun?{PERIOD}&after=x").status_code == 422


def test_rows_as_a_file_are_noted(sold, enter, database) -> None:
    answer = enter("head").get(f"/reports/rows/deals_begun.csv?{PERIOD}")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))
    assert rows[0] == ["Дата", "Клиент", "Что хотят", "Сумма", "Этап", "Сотрудник", "Обращение", "Ссылка"]
    assert len(rows) == 46
    assert rows[1][1:5] == ["Лисицына Анна", "Курс 44", "1000.0", "Новая заявка"]
    with database.read.begin() as session:
        told = [event.data for event in session.query(Event).where(Event.kind == "report.exported")]
    assert told == [{"code": "deals_begun", "first": "2026-11-30", "last": str(date(2026, 12, 4))}]


def test_money_is_not_for_whoever_sees_reports_alone(sold, enter, database) -> None:
    from services.accounts import create_staff
    from services.rights import DESK

    with database.write.begin() as session:
        create_staff(session, DESK, email="watcher@school.example", name="Ян Немов", roles=("observer",))
    watcher = enter("watcher")
    assert watcher.get(f"/reports/rows/deals_begun?{PERIOD}").status_code == 403
    assert watcher.get(f"/reports/rows/authors?{PERIOD}").status_code == 200
    assert watcher.get(f"/reports/rows/authors.csv?{PERIOD}").status_code == 403


def crumb_of(page: str) -> tuple[str, str]:
    """(address, title) of the way back."""
    found = re.search(r'<p class="crumbs no-print"><a href="([^"]+)"><svg.*?</svg> ([^<]+)</a>', page, re.DOTALL)
    assert found is not None
    return found[1].replace("&amp;", "&"), found[2]


@pytest.mark.parametrize(
    ("opened", "title"),
    [
        ("/reports/all/funnel?from=2026-11-30&to=2026-12-04&by=loss", "Воронка продаж"),
        ("/reports/summary?period=week", "Сводка для директора"),
        ("/morning", "Утро"),
        ("/reports/asked", "Что спрашивают"),
    ],
)
def test_a_list_leads_back_to_where_it_was_opened_and_so_does_its_next_page(sold, enter, opened, title) -> None:
    head = enter("head")
    page = head.get(
        f"/reports/rows/deals_begun?{PERIOD}", environ_overrides={"HTTP_REFERER": f"http://localhost{opened}"}
    ).text
    assert crumb_of(page) == (opened, title)
    more = re.search(r'href="(/reports/rows/deals_begun\?[^"]*after=[^"]+)"', page.replace("&amp;", "&"))
    assert more is not None
    assert crumb_of(head.get(more[1]).text) == (opened, title)


def test_a_list_opened_by_its_address_leads_to_the_report_of_the_figure(sold, enter) -> None:
    head = enter("head")
    own = (f"/reports/all/funnel?{PERIOD}", "Воронка продаж")
    assert crumb_of(head.get(f"/reports/rows/deals_begun?{PERIOD}").text) == own
    for elsewhere in (
        "https://evil.example/reports",
        "http://localhost/inbox",
        "http://localhost/reports/all/none",
    ):
        page = head.get(f"/reports/rows/deals_begun?{PERIOD}", environ_overrides={"HTTP_REFERER": elsewhere}).text
        assert crumb_of(page) == own, elsewhere
    for given in ("//evil.example/reports", "https://evil.example/morning", "/inbox", "/reports/all/funnel.csv"):
        assert crumb_of(head.get(f"/reports/rows/deals_begun?{PERIOD}&back={given}").text) == own, given
    assert crumb_of(head.get(f"/reports/cases/came?{PERIOD}").text) == (f"/reports?{PERIOD}", "Отчёт об ответах")
    page = head.get(
        f"/reports/cases/came?{PERIOD}", environ_overrides={"HTTP_REFERER": "http://localhost/morning"}
    ).text
    assert crumb_of(page) == ("/morning", "Утро")
