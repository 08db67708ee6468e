"""Reports on paper: the figures of the screen, bars for its chart, and no register without a trace."""

import pytest
from pypdfium2 import PdfDocument
from sqlalchemy import select

from models import Event
from services.reports.tables import REPORTS
from tests.web.test_case_paper import words_of
from tests.web.test_report_tables import PERIOD, school  # noqa: F401 (a fixture)


def test_the_first_report_has_the_figures_of_the_screen(enter, school) -> None:  # noqa: F811
    answer = enter("head").get(f"/reports/paper/answers.pdf?{PERIOD}")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert len(PdfDocument(answer.data)) == 1
    words = words_of(answer.data)
    for said in ("Отчётобответах", "Пришло2", "Дарья", "Пришлоиотвечено", "Каксчитаются"):
        assert said in words, said


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
