"""Reports on paper: the figures of the screen, bars for its chart, and no register without a trace."""

from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from pypdfium2 import PdfDocument
from sqlalchemy import select

from models import Department, Event
from services.documents.sheets import draw_sheet
from services.reports.answers import Answers, Delay, Line, PersonLine, Share, UnitLine
from services.reports.cut import Cut
from services.reports.spread import Spread
from services.reports.tables import REPORTS
from services.reports.trend import Trend, pieces_of
from tests.web.test_case_paper import words_of
from tests.web.test_report_tables import PERIOD, school  # noqa: F401 (a fixture)
from web.charts import answers_chart
from web.report_paper import answers_blocks


def test_the_first_report_has_the_figures_of_the_screen(enter, school) -> None:  # noqa: F811
    answer = enter("head").get(f"/reports/paper/answers.pdf?{PERIOD}")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert len(PdfDocument(answer.data)) == 1
    words = words_of(answer.data)
    for said in ("Отчётобответах", "Пришло2", "Дарья", "Пришлоиотвечено", "Каксчитаются"):
        assert said in words, said


@pytest.mark.parametrize("sizes", [(3, 5, 1, 1), (7, 5, 3, 1), (30, 9, 8, 9)])
def test_the_first_report_is_one_page_whatever_there_is_to_say(app, sizes) -> None:
    took, share = Spread(9, Fraction(95), 200, Fraction(90), 960), Share(130, 17)
    was = Line("", "", 900, 800, 0, took, Share(10, 90))
    whole = Line("", "", 1475, 1334, 41, took, share, was)
    places, kinds, units, people = sizes
    cut = Cut(date(2026, 1, 1), date(2026, 11, 27))
    pieces = pieces_of(cut)
    report = Answers(
        cut=cut, trend=Trend(pieces, {"came": (130,) * len(pieces), "answered": (120,) * len(pieces)}),
        now=datetime(2026, 11, 27, tzinfo=UTC), whole=whole,
        before=was, places=tuple(replace(whole, key=n, name=f"ВКонтакте «Школа {n}»") for n in range(places)),
        kinds=tuple(replace(whole, key=None) for _ in range(kinds)),
        units=tuple(
            UnitLine(n, Department(code="technical", name="Технический отдел"), 120, 110, took, share, 3)
            for n in range(units)
        ),
        people=tuple(PersonLine(n, f"Сотрудник {n}", 333, took, share) for n in range(people)),
        resolution=share, resolution_before=share, resolved=1200, delay=Delay(1200, 99999, 9999, 999),
        delay_before=Delay(1, 1, 1, 1), here=took, checked=400, history=0,
    )  # fmt: skip
    with app.test_request_context():
        blocks = list(answers_blocks(report, answers_chart(report)))
        sheet = draw_sheet(
            "Отчёт об ответах", "1 янв. – 27 нояб.\nКанал, площадка, вид\nСделано.", blocks, compact=True
        )
    assert len(PdfDocument(sheet)) == 1


@pytest.mark.parametrize("code", ["structure", "register", "contracts", "queue"])
def test_any_report_leaves_as_pdf(enter, school, code) -> None:  # noqa: F811
    answer = enter("head").get(f"/reports/paper/{code}.pdf?{PERIOD}")
    assert answer.status_code == 200
    assert "Сделано" in words_of(answer.data)


def test_who_may_not_see_a_report_gets_no_paper(enter, database) -> None:
    assert enter("smm").get("/reports/paper/structure.pdf").status_code in (302, 403)
    assert enter("head").get("/reports/paper/nothing.pdf").status_code == 404
    assert "structure" in REPORTS
    with database.read.begin() as session:
        assert session.scalars(select(Event).where(Event.kind == "report.exported")).all() == []
