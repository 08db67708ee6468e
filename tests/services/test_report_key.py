"""Fifty cases with a key: every figure of every report is the one that the table yields, on both databases."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import select

import services.reports.upkeep  # noqa: F401 (by being imported it writes the facts)
from models import CaseFact
from models.database import Database, open_database
from services.reports.answers import Line, Share, answers_report, queue
from services.reports.cut import NO_PROGRAMME, UNSURE, Cut
from services.reports.lists import list_page
from services.reports.load import led_minutes
from services.reports.tables import REPORTS, run_table
from services.rights import DESK
from services.terms import policy_of
from tests.conftest import Cast
from tests.services.demo_set import KINDS, NOW, THEMES, UNITS, DemoSet, key, moment, shown

WEEK = Cut(date(2026, 11, 30), date(2026, 12, 4))


@pytest.fixture(scope="module")
def demo(shared_database) -> DemoSet:
    played = DemoSet(Cast(shared_database), shared_database)
    played.play()
    return played


@pytest.fixture
def database(shared_database) -> Database:
    """Nothing here writes after the set was played."""
    return shared_database


def part(share: Share) -> str:
    return f"{share.met}/{share.met + share.late}" if share.met + share.late else "—"


def of_line(line: Line) -> dict[str, str]:
    return {
        "пришло": str(line.came), "ответили": str(line.answered), "ждут": str(line.waiting),
        "медиана": shown(line.first.median), "9 из 10": shown(line.first.p90), "среднее": shown(line.first.mean),
        "дольше всех": shown(line.first.longest), "в срок": part(line.in_time),
    }  # fmt: skip


def figures_of_programmes(session, demo: DemoSet) -> dict[tuple[str, str], str]:
    """By programme and by theme, and what was given to whom."""
    found: dict[tuple[str, str], str] = {}

    def keep(of: str, values: dict[str, str]) -> None:
        found.update({(of, name): value for name, value in values.items()})

    for programme, word in (("Английский", "программа Английский"), ("Испанский", "программа Испанский")):
        keep(word, of_line(answers_report(session, DESK, replace(WEEK, programme=programme), NOW).whole))
    keep("без программы", of_line(answers_report(session, DESK, replace(WEEK, programme=NO_PROGRAMME), NOW).whole))
    for by, name in (("themes", "пришло"), ("theme", "главная")):
        told = {
            line.key: line.cells[0].value for line in run_table(session, DESK, "structure", WEEK, NOW, by).lines
        }
        for word, code in THEMES.items():
            keep(f"тема {word}", {name: str(told.get(code, 0))})
        keep("без темы", {name: str(told.get(None, 0))})
    held = led_minutes(session, policy_of(session).calendars["desk"], WEEK, NOW)
    given = {line.key: line.cells[0].value for line in run_table(session, DESK, "staff", WEEK, NOW).lines}
    for name, actor in demo.people.items():
        keep(name, {"получил": str(given[actor.staff_id]), "вёл, мин": str(held[actor.staff_id])})
    return found


def figures(session, demo: DemoSet) -> dict[tuple[str, str], str]:
    """Every figure of the key as the reports give it."""
    found = figures_of_programmes(session, demo)

    def keep(of: str, values: dict[str, str]) -> None:
        found.update({(of, name): value for name, value in values.items()})

    report = answers_report(session, DESK, WEEK, NOW)
    keep("всё", of_line(report.whole))
    keep("прошлый период", of_line(report.before))
    names = {demo.places["блог"]: "блог", demo.places["вк"]: "вк"}
    for line in report.places:
        keep(names[line.key], of_line(line))
    kinds = {code: word for word, code in KINDS.items()}
    for line in report.kinds:
        keep(kinds.get(line.key, "вид не определён"), of_line(line))
    for name, actor in demo.people.items():
        keep(name, of_line(answers_report(session, DESK, replace(WEEK, staff_id=actor.staff_id), NOW).whole))
    delay = report.delay
    keep(
        "всё",
        {
            "медиана у нас": shown(report.here.median), "решено": str(report.resolved),
            "решено в срок": part(report.resolution), "мы, мин": str(delay.desk),
            "отделы, мин": str(delay.department), "авторы, мин": str(delay.client),
            "проверено людьми": str(report.checked),
        },
    )  # fmt: skip
    units = {demo.cast.departments[code]: word for word, code in UNITS.items()}
    for unit in report.units:
        keep(
            units[unit.key],
            {
                "спросили": str(unit.asked), "отдел ответил": str(unit.answered),
                "медиана": shown(unit.answer.median), "9 из 10": shown(unit.answer.p90),
                "в срок": part(unit.in_time), "просрочено сейчас": str(unit.overdue),
            },
        )  # fmt: skip
    staff = {actor.staff_id: name for name, actor in demo.people.items()}
    for person in report.people:
        keep(staff[person.key], {"ответов": str(person.answers)})
    for number, age in enumerate(queue(session, WEEK, NOW)):
        values = (age.total, age.unanswered, age.late, age.department, age.client)
        words = ("открыто", "без ответа", "просрочено", "у отдела", "у клиента")
        keep(f"очередь {number}", {word: str(value) for word, value in zip(words, values, strict=True)})
    flow = run_table(session, DESK, "flow", WEEK, NOW)
    names_of_flow = ("в начале", "пришло", "открыто снова", "решено", "в сторону", "в конце")
    keep("движение", {word: shown(cell.value) for word, cell in zip(names_of_flow, flow.total or (), strict=True)})
    return found


def test_every_figure_is_the_keys(demo, database) -> None:
    with database.read.begin() as session:
        found = figures(session, demo)
    wanted = key()
    differing = {name: (wanted[name], found.get(name)) for name in wanted if wanted[name] != found.get(name)}
    assert differing == {}
    assert len(wanted) > 120


def test_the_facts_are_the_columns_of_the_table(demo, database) -> None:
    with database.read.begin() as session:
        facts = {fact.id: fact for fact in session.scalars(select(CaseFact))}
    for row in demo.rows:
        fact = facts[demo.case_ids[row["№"]]]
        assert {
            "минут": fact.first_minutes, "по часам": fact.first_clock_minutes, "у нас": fact.first_here_minutes,
            "мы": fact.desk_minutes, "отдел": fact.department_minutes, "автор": fact.client_minutes,
        } == {
            name: int(row[name]) if row[name] else None
            for name in ("минут", "по часам", "у нас", "мы", "отдел", "автор")
        }, row["№"]  # fmt: skip
        assert fact.first_due_at == moment(row["срок"]), row["№"]
        assert fact.counts is not bool(row["закрыто"]), row["№"]


@pytest.mark.parametrize("by", ["source", "platform", "kind", "theme", "department", "staff", "programme"])
def test_sums_of_lines_are_the_totals_and_no_case_counts_twice(demo, database, by) -> None:
    additive = {"count"}
    with database.read.begin() as session:
        for code, report in REPORTS.items():
            if by not in report.splits:
                continue
            table = run_table(session, DESK, code, WEEK, NOW, by)
            for place, total in enumerate(table.total or ()):
                if total.unit in additive:
                    assert sum(int(line.cells[place].value or 0) for line in table.lines) == total.value, (
                        code,
                        place,
                    )


def test_beside_each_figure_stands_the_period_before(demo, database) -> None:
    with database.read.begin() as session:
        for code, report in REPORTS.items():
            table = run_table(session, DESK, code, WEEK, NOW, compared=True)
            before = run_table(session, DESK, code, WEEK.before(), NOW)
            for now, was in zip(table.total or (), before.total or (), strict=bool(table.total and before.total)):
                assert now.before == (was.value if now.compared else None), (code, now)
            assert report.compared or not any(cell.compared for line in table.lines for cell in line.cells)
        blog = next(
            line
            for line in run_table(session, DESK, "first_answer", WEEK, NOW, compared=True).lines
            if line.key == demo.places["блог"]
        )
        page = answers_report(session, DESK, WEEK.before(), NOW)
        earlier = next(line for line in page.places if line.key == demo.places["блог"])
        assert (blog.cells[0].before, blog.cells[1].before) == (earlier.answered, earlier.first.median)


def test_the_backlog_is_what_is_open(demo, database) -> None:
    flow_end = Cut(date(2026, 12, 4), date(2026, 12, 4))
    with database.read.begin() as session:
        table = run_table(session, DESK, "flow", flow_end, NOW)
        open_now = session.scalars(select(CaseFact.id).where(CaseFact.holder.is_not(None))).all()
        assert (table.total or ())[-1].value == len(open_now)


def test_filters_narrow_and_a_page_follows_the_other(demo, database) -> None:
    with database.read.begin() as session:
        unsure = list_page(session, DESK, "came", replace(WEEK, kind=UNSURE), NOW)
        assert {row.fact.kind for row in unsure.rows} == {None}
        first = list_page(session, DESK, "came", WEEK, NOW)
        second = list_page(session, DESK, "came", WEEK, NOW, after=first.after)
        assert (len(first.rows), len(second.rows), second.after) == (40, first.total - 40, None)
        ids = [row.case.id for row in (*first.rows, *second.rows)]
        assert len(set(ids)) == first.total
        times: list[datetime] = [row.at for row in (*first.rows, *second.rows)]
        assert times == sorted(times, reverse=True)


def test_the_period_is_half_open(demo, database) -> None:
    with database.read.begin() as session:
        days = [replace(WEEK, first=date(2026, 11, day), last=date(2026, 11, day)) for day in (27, 28, 29, 30)]
        came = [answers_report(session, DESK, cut, NOW).whole.came for cut in days]
        both = answers_report(session, DESK, replace(WEEK, first=date(2026, 11, 27), last=date(2026, 11, 30)), NOW)
    assert sum(came) == both.whole.came
    assert came[:3] == [3, 0, 0]


def test_both_databases_say_the_same(demo, database, tmp_path, sqlite_template) -> None:
    if database.is_sqlite:
        pytest.skip("PostgreSQL is compared with SQLite, not with itself")
    import shutil

    shutil.copy(sqlite_template, tmp_path / "twin.db")
    twin: Database = open_database(f"sqlite:///{tmp_path / 'twin.db'}")
    other = DemoSet(Cast(twin), twin)
    other.play()
    with database.read.begin() as session, twin.read.begin() as second:
        for code, report in REPORTS.items():
            for by in report.splits:
                one, two = (run_table(each, DESK, code, WEEK, NOW, by) for each in (session, second))
                assert [line.cells for line in one.lines] == [line.cells for line in two.lines], (code, by)
                assert one.total == two.total
    twin.engine.dispose()
