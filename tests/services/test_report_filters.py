"""Each filter that a report has cuts each of its figures, each that it has not cuts none; lists follow."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from models import Client, Contract, Deal, Study
from services.reports.cut import FILTERS
from services.reports.narrowed import of_clients
from services.reports.programmes import programmes
from services.reports.tables import REPORTS, run_table
from services.rights import DESK
from tests.services.figure_lists import cells_of, differing
from tests.services.test_report_key import WEEK
from tests.services.test_report_lists import busy, played  # noqa: F401
from tests.services.test_report_money import NOW

NOWHERE = {
    "platform": "ok", "source_id": 999, "kind": "nothing", "theme": "nothing", "about": "nothing",
    "department_id": 999, "staff_id": 999, "programme": "Нет такой",
}  # fmt: skip
"""A value of each filter that nothing has."""


def sums(session, code: str, cut, by: str) -> list[tuple[str, object]]:
    """Every count and sum of money."""
    table = run_table(session, DESK, code, cut, NOW, by)
    return [(name, cell.value) for name, cell in cells_of(table) if cell.unit in ("count", "money")]


def test_a_filter_cuts_every_figure_or_none(busy) -> None:  # noqa: F811
    wrong = []
    with busy.read.begin() as session:
        for code, report in REPORTS.items():
            for by in report.splits:
                whole = sums(session, code, WEEK, by)
                for name in FILTERS:
                    found = sums(session, code, replace(WEEK, **{name: NOWHERE[name]}), by)
                    if name not in report.filters and found != whole:
                        wrong.append((code, by, name, "is said not to narrow and does"))
                    left = [one for one in found if one[1]]
                    if name in report.filters and left:
                        wrong.append((code, by, name, left))
    assert wrong == []


COMBINED = (
    {"platform": "wordpress", "kind": "wish", "staff_id": 0}, {"source_id": 1, "theme": "none", "department_id": 0},
    {"platform": "wordpress", "staff_id": 1, "programme": "none"}, {"platform": "other", "staff_id": 0},
    {"kind": "wish", "programme": "Английский", "about": "none"}, {"staff_id": 2, "source_id": 1},
)  # fmt: skip


@pytest.mark.parametrize("filters", COMBINED)
def test_lists_follow_three_filters_together(busy, filters) -> None:  # noqa: F811
    with busy.read.begin() as session:
        assert differing(session, replace(WEEK, **filters), NOW)[0] == []


@pytest.mark.parametrize("filters", [{}, *COMBINED])
def test_rows_are_the_same_by_their_time_and_by_their_cases(busy, monkeypatch, filters) -> None:  # noqa: F811
    told = []
    for days in (0, 10**6):
        monkeypatch.setattr("services.reports.cut.LONG_DAYS", days)
        with busy.read.begin() as session:
            told.append(run_table(session, DESK, "staff", replace(WEEK, **filters), NOW, compared=True))
    assert told[0] == told[1]


def test_every_programme_is_offered(database) -> None:
    with database.write.begin() as session:
        client = Client(name="Вера Соль", name_key="вера соль")
        session.add(client)
        session.flush()
        session.add_all([
            Study(client_id=client.id, course="Английский  с нуля"), Study(client_id=client.id, course="Испанский"),
            Contract(kind="person", client_id=client.id, dated=WEEK.first, terms={"program": {"name": "Немецкий"}}),
            Contract(kind="person", client_id=client.id, dated=WEEK.first, terms={"program": {"name": ""}}),
            Deal(client_id=client.id, product="Испанский"), Deal(client_id=client.id, product=""),
        ])  # fmt: skip
    with database.read.begin() as session:
        assert programmes(session) == ["Английский с нуля", "Испанский", "Немецкий"]


@pytest.mark.parametrize("typed", ["Английский с нуля", "Английский  с   нуля", " Английский с нуля "])
def test_a_course_typed_with_more_spaces_is_the_one_that_the_filter_offers(database, typed) -> None:
    with database.write.begin() as session:
        client = Client(name="Вера Соль", name_key="вера соль")
        session.add(client)
        session.flush()
        session.add(Study(client_id=client.id, course=typed))
    with database.read.begin() as session:
        (offered,) = programmes(session)
        found = {name: list(session.scalars(select(Client.name).where(*of_clients(replace(WEEK, programme=name)))))
                 for name in (offered, "Английский", "Английскийснуля")}  # fmt: skip
    assert found == {offered: ["Вера Соль"], "Английский": [], "Английскийснуля": []}
