"""«Все отчёты»: every report opens, each figure leads to its list, and files hold what the page shows."""

import csv
import io
import re

import openpyxl
import pytest

from models import Event
from services.reports.tables import LEFT_OUT, REPORTS
from tests.web.test_reports import MONDAY, school  # noqa: F401
from web import report_words

PERIOD = "from=2026-11-30&to=2026-12-01"


@pytest.mark.parametrize("code", REPORTS)
def test_every_report_opens_and_its_figures_their_lists(school, enter, code) -> None:  # noqa: F811
    head = enter("head")
    for by in REPORTS[code].splits:
        page = head.get(f"/reports/all/{code}?{PERIOD}&by={by}").text
        assert "figures" in page or "За этот период обращений нет" in page
        for address, text in re.findall(
            r'href="(/reports/(?:cases|rows)/[^"]+)"[^>]*>(\d+)<', page.replace("&amp;", "&")
        ):
            listed = head.get(address).text
            total = re.search(r"<h1>[^<]*: (\d+)</h1>", listed)
            assert total is not None
            assert total.group(1) == text, address


def test_words_are_there_for_every_code() -> None:
    assert set(report_words.TITLES) == set(report_words.HOW) == set(REPORTS)
    assert set(LEFT_OUT.values()) == set(report_words.MISSING)


def test_what_has_no_source_is_named_and_not_counted(enter) -> None:
    page = enter("head").get("/reports/all").text
    assert "Звонки и заявки" in page
    assert "Приток и отток" in page


def test_a_table_as_a_file(school, enter) -> None:  # noqa: F811
    head = enter("head")
    answer = head.get(f"/reports/all/structure.xlsx?{PERIOD}")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    before = "прошлый период"
    assert rows[0] == [
        "По видам", "Пришло", f"Пришло, {before}", "Доля", f"Доля, {before}", "Прошлый период", "Проверено людьми",
        f"Проверено людьми, {before}",
    ]  # fmt: skip
    assert rows[-1] == ["Всего", 2, 0, 1, None, 0, 0, None]
    text = head.get(f"/reports/all/structure.csv?{PERIOD}").data.decode("utf-8-sig")
    assert [row[:3] for row in csv.reader(io.StringIO(text), delimiter=";")][-1] == ["Всего", "2", "0"]


def test_a_file_has_what_the_period_before_was(school, enter) -> None:  # noqa: F811
    head = enter("head")
    after = "from=2026-12-02&to=2026-12-03"
    text = head.get(f"/reports/all/in_time.csv?{after}").data.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    whole = rows[-1]
    assert (whole["Ответ в срок"], whole["Ответ в срок, прошлый период"]) == ("0", "1")
    assert (whole["Доля в срок"], whole["Доля в срок, прошлый период"]) == ("", "0.5")
    queue = head.get("/reports/all/queue.csv").data.decode("utf-8-sig").splitlines()[0]
    assert "прошлый период" not in queue


def test_a_list_as_a_file_with_safe_cells_and_a_trace(cast, database, open_case, enter, school) -> None:  # noqa: F811
    open_case('=HYPERLINK("http://evil.example")?', "@Злой", published_at=MONDAY)
    head = enter("head")
    answer = head.get(f"/reports/all/cases/came.xlsx?{PERIOD}")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    rows = list(sheet.iter_rows(values_only=False))
    assert len(rows) == 4
    titles = [cell.value for cell in rows[0]]
    texts = [row[titles.index("Текст")] for row in rows[1:]]
    assert {cell.data_type for cell in texts} == {"s"}
    assert texts[0].value == "Когда вебинар?"
    first = dict(zip(titles, rows[1], strict=True))
    assert first["Рабочих минут до него"].value == 30
    assert f"{first['Написано'].value:%d.%m.%Y %H:%M}" == "30.11.2026 10:00"
    text = head.get(f"/reports/all/cases/came.csv?{PERIOD}").data.decode("utf-8-sig")
    assert "'=HYPERLINK" in text
    assert "'@Злой" in text
    with database.read.begin() as session:
        kinds = [event.data for event in session.query(Event).where(Event.kind == "report.exported")]
    assert kinds == [{"code": "came", "first": "2026-11-30", "last": "2026-12-01"}] * 2


def test_only_who_may_export_takes_words_away(database, enter, school) -> None:  # noqa: F811
    from services.accounts import create_staff
    from services.rights import DESK

    with database.write.begin() as session:
        create_staff(session, DESK, email="boss@school.example", name="Ян Немов", roles=("director",))
    director = enter("boss")
    assert director.get(f"/reports/all/cases/came.xlsx?{PERIOD}").status_code == 403
    assert "came.xlsx" not in director.get(f"/reports/cases/came?{PERIOD}").text
    assert director.get(f"/reports/all/structure.xlsx?{PERIOD}").status_code == 200
    assert director.get("/reports/all/nothing").status_code == 404
    assert director.get("/reports/all/nothing.xlsx").status_code == 404


def test_a_report_says_which_filters_it_does_not_have(school, enter) -> None:  # noqa: F811
    head = enter("head")
    page = head.get(f"/reports/all/broadcasts?{PERIOD}&kind=question&staff=1").text
    assert "Этот отчёт не сужают: вид." in page
    rows = head.get(f"/reports/rows/broadcasts?{PERIOD}&kind=question").text
    assert "· Вопрос" not in rows
    assert "Этот отчёт не сужают: вид." in rows
    money = head.get(f"/reports/all/debts?{PERIOD}&theme=price&staff=1").text
    [told] = [one for one in re.findall(r'<p class="hint">([^<]+)</p>', money) if "вышло из обращения" in one]
    assert "тема" in told
    assert "сотрудник" not in told
