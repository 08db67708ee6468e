"""Random histories: what reports count is what a slow recount of the same rows finds, whatever the question."""

import os
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import services.reports.upkeep  # noqa: F401 (by being imported it writes the facts)
from classifier import LABELS
from services.reports.answers import answers_report, queue
from services.reports.cohorts import count
from services.reports.cut import NO_PROGRAMME, NO_THEME, NONE, UNSURE, Cut
from services.reports.load import led_minutes
from services.reports.tables import run_table
from services.rights import DESK
from services.terms import policy_of
from tests.conftest import Cast, fresh_database
from tests.services import naive
from tests.services.histories import PLANS, History

EXAMPLES = int(os.environ.get("OTKLIK_HISTORIES", "12"))
"""Plans a database, each of up to a dozen cases; with more of them it is run by hand."""
FIRST = date(2026, 11, 1)
CUTS = st.builds(
    Cut,
    first=st.integers(0, 25).map(lambda days: FIRST + timedelta(days=days)),
    last=st.integers(25, 50).map(lambda days: FIRST + timedelta(days=days)),
    platform=st.sampled_from([None, None, "wordpress", "vk"]),
    kind=st.sampled_from([None, None, None, UNSURE, *LABELS]),
    theme=st.sampled_from([None, None, None, NO_THEME, "access"]),
    department_id=st.sampled_from([None, None, None, NONE, 1, 2]),
    staff_id=st.sampled_from([None, None, None, NONE, 1, 2]),
    programme=st.sampled_from([None, None, None, NO_PROGRAMME, "Английский"]),
    about=st.sampled_from([None, None, None, NO_THEME, "access", "price"]),
)


def counted(session, cut: Cut, now) -> dict[str, object]:
    """The same figures by the reports."""
    report = answers_report(session, DESK, cut, now)
    flow = {
        column: cell.value
        for table in [run_table(session, DESK, "flow", cut, now)]
        for column, cell in zip(table.columns, table.total or (), strict=True)
    }
    return {
        "came": report.whole.came, "checked": report.checked, "answered": report.whole.answered,
        "median": report.whole.first.median, "p90": report.whole.first.p90, "waiting": report.whole.waiting,
        "first_met": report.whole.in_time.met, "first_late": report.whole.in_time.late, "resolved": report.resolved,
        "resolution_met": report.resolution.met, "resolution_late": report.resolution.late,
        "spent": (report.delay.desk, report.delay.department, report.delay.client), "opened": flow["opened"],
        "reopened": flow["reopened"], "reclassified": flow["reclassified"],
        "backlog": flow["backlog_end"], "answers": count(session, "answers", cut, now),
        "asked": count(session, "asked", cut, now), "queue": sum(age.total for age in queue(session, cut, now)),
        "ended": flow["ended"], "again_known": count(session, "again_known", cut, now),
        "again_repeat": count(session, "again_repeat", cut, now),
        "assigned": count(session, "assigned", cut, now),
        "led": sum(led_minutes(session, policy_of(session).calendars["desk"], cut, now).values()),
    }  # fmt: skip


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=PLANS, cut=CUTS)
def test_reports_are_what_a_naive_recount_finds(request, tmp_path_factory, kind, plan, cut) -> None:
    for database in fresh_database(request, tmp_path_factory.mktemp("history"), kind):
        history = History(Cast(database), database)
        history.play(plan)
        with database.read.begin() as session:
            for asked in (
                cut,
                cut.without_filters,
            ):
                found, wanted = counted(session, asked, history.now), naive.report(session, asked, history.now)
                assert found == wanted, asked


def test_the_recount_knows_working_time() -> None:
    at = naive.datetime.fromisoformat
    assert naive.working_minutes(at("2026-11-03T16:30+03:00"), at("2026-11-05T09:10+03:00")) == 40
    assert naive.working_minutes(at("2026-11-06T17:59:30+03:00"), at("2026-11-09T09:00:29+03:00")) == 0
    assert naive.working_minutes(at("2026-11-06T17:59:30+03:00"), at("2026-11-09T09:00:30+03:00")) == 1
