"""Charts: the numbers of the table under them, each with the link of its cell; the library only beside one."""

import html
import json
import re

import pytest

from services.reports.tables import REPORTS
from tests.web.test_reports import school  # noqa: F401
from web import report_words
from web.charts import DRAWN

PERIOD = "from=2026-11-30&to=2026-12-01"


def charts(page: str) -> list[dict]:
    return [json.loads(html.unescape(found)) for found in re.findall(r'data-chart="([^"]+)"', page)]


def test_every_report_says_what_of_it_is_drawn() -> None:
    assert set(DRAWN) <= set(REPORTS)
    assert {name for drawn in DRAWN.values() for name in drawn.columns} <= set(report_words.COLUMNS)


@pytest.mark.parametrize("code", DRAWN)
def test_bars_are_the_cells_of_the_table(school, enter, code) -> None:  # noqa: F811
    page = enter("head").get(f"/reports/all/{code}?{PERIOD}").text
    cells = set(re.findall(r'href="(/reports/cases/[^"]+)"[^>]*>([^<]+)<', html.unescape(page)))
    for chart in charts(page):
        for series in chart["series"]:
            assert len(series["values"]) == len(series["links"]) == len(chart["names"])
            for link, words in zip(series["links"], series["words"], strict=True):
                assert not link or (link, words) in cells


def test_days_of_the_first_page_open_their_lists(school, enter) -> None:  # noqa: F811
    head = enter("head")
    (chart,) = charts(head.get(f"/reports?{PERIOD}").text)
    came, answered = chart["series"]
    assert (chart["names"], came["values"], answered["values"]) == (["30 нояб.", "1 дек."], [2, 0], [1, 0])
    listed = head.get(came["links"][0]).text
    assert re.search(r"<h1>[^<]*: 2</h1>", listed)
    assert "Больше всего — Пришло: 30 нояб. (2)" in chart["said"]


def test_the_library_comes_only_with_a_chart(enter) -> None:
    head = enter("head")
    assert "echarts" not in head.get("/reports").text
    assert "echarts" not in head.get("/morning").text
