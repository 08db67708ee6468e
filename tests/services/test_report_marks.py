"""Report 27: every figure is the one that the key has by hand, whatever chance made, and yields its own list."""

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import Act, Case, CaseFact, Message, Reply, Review, ReviewMark, Satisfaction
from services.criteria import DEFAULTS, save_criteria
from services.errors import Forbidden
from services.reports.cut import Cut
from services.reports.lists import list_page
from services.reports.tables import LEFT_OUT, REPORTS, run_table
from services.rights import DESK, RIGHTS, Actor
from tests.services.demo_set import FOLDER

MOSCOW = ZoneInfo("Europe/Moscow")
WEEK = Cut(date(2026, 11, 30), date(2026, 12, 4))
NOW = datetime(2026, 12, 7, 9, 0, tzinfo=UTC)
COLUMNS = ("mark_asked", "marked", "response_share", "mark_good", "csat", "reviewed", "qa_mean")
PLATFORMS = {"блог": "wordpress", "вк": "vk"}


@dataclass(frozen=True)
class Told:
    """One answer as a row of the key or as chance made it."""

    place: str
    who: str
    at: datetime
    gone: bool
    asked: bool
    mark: int | None
    review: str | None
    marks: tuple[int | None, ...]


def part(title: str) -> list[list[str]]:
    """The rows of the table under a heading of marks.md."""
    text = (FOLDER / "marks.md").read_text(encoding="utf-8").split(f"## {title}\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return rows[2:]


def of_key() -> list[Told]:
    def number(cell: str) -> int | None:
        return None if cell == "—" else int(cell)

    return [
        Told(
            place, who, datetime.fromisoformat(at).replace(tzinfo=MOSCOW), gone == "да", asked == "да",
            number(mark), None if review == "—" else review, tuple(number(cell) for cell in marks),
        )
        for _number, place, who, at, gone, asked, mark, review, *marks in part("Ответы")
    ]  # fmt: skip


def play(session, cast, rows: list[Told]) -> None:
    """Writes the answers as rows; the doors that people use are tested where they stand."""
    people, numbers = {"Дарья": cast.smm.staff_id, "Марина": cast.head.staff_id}, itertools.count(1)
    places = {name: cast.add_source(session, platform).id for name, platform in PLATFORMS.items()}
    for row in rows:
        name, staff_id, source_id = f"k-{next(numbers)}", people[row.who], places[row.place]
        case = Case(
            number=name, stage="closed", state="solved", subject_key=name, source_id=source_id,
            visibility="private", opened_at=row.at, last_message_at=row.at,
        )  # fmt: skip
        session.add(case)
        session.flush()
        message = Message(
            source_id=source_id, container="d", external_id=name, case_id=case.id, direction="in",
            visibility="private", state="published", work="done", text="Где доступ?", published_at=row.at,
        )  # fmt: skip
        session.add(message)
        session.flush()
        reply = Reply(case_id=case.id, message_id=message.id, staff_id=staff_id, text="Открыли.", form_key=name)
        session.add(reply)
        session.flush()
        act = Act(
            kind="reply", source_id=source_id, case_id=case.id, reply_id=reply.id, message_id=message.id,
            staff_id=staff_id, text="Открыли.", token=name, state="accepted" if row.gone else "dead",
            accepted_at=row.at if row.gone else None,
        )  # fmt: skip
        session.add(act)
        session.merge(
            CaseFact(
                id=case.id, source_id=source_id, platform=PLATFORMS[row.place], checked=False, counts=True,
                opened_at=row.at, ingested_at=row.at, desk_minutes=0, department_minutes=0, client_minutes=0,
                reopened=0, answers=1,
            )
        )  # fmt: skip
        session.flush()
        if row.asked:
            session.add(
                Satisfaction(
                    case_id=case.id, reply_id=reply.id, staff_id=staff_id, token_hash=name, line="", mark=row.mark
                )
            )
        if row.review is not None:
            review = Review(
                week=date(2026, 11, 30), act_id=act.id, case_id=case.id, staff_id=staff_id, answered_at=row.at,
                state=row.review,
            )  # fmt: skip
            session.add(review)
            session.flush()
            for criterion, mark in enumerate(row.marks, 1) if row.review == "read" else ():
                session.add(ReviewMark(review_id=review.id, case_id=case.id, criterion=criterion, mark=mark))
    session.flush()


def figures(cells) -> list[object]:
    return [None if cell.value is None else Fraction(cell.value).limit_denominator(1000) for cell in cells]


def test_every_figure_is_that_of_the_key(cast, database) -> None:
    with database.write.begin() as session:
        play(session, cast, of_key())
        names = {cast.smm.staff_id: "Дарья", cast.head.staff_id: "Марина", "wordpress": "блог", "vk": "вк"}
        found = {}
        for by in ("staff", "platform"):
            table = run_table(session, DESK, "marks", WEEK, NOW, by)
            assert table.columns == COLUMNS
            found |= {names[line.key]: figures(line.cells) for line in table.lines}
            found["всё"] = figures(table.total)
        assert found == {name: [Fraction(cell) for cell in row] for name, *row in part("Ключ")}
        table = run_table(session, DESK, "marks", WEEK, NOW, "criterion")
        found = {line.name: figures(line.cells) for line in table.lines} | {"всё": figures(table.total)}
        assert found == {name: [Fraction(cell) for cell in row] for name, *row in part("Критерии")}
        session.rollback()


def test_an_empty_denominator_is_nothing_and_not_zero(cast, database) -> None:
    with database.write.begin() as session:
        play(session, cast, of_key())
        third = Cut(date(2026, 12, 3), date(2026, 12, 3))
        total = run_table(session, DESK, "marks", third, NOW).total
        assert [cell.value for cell in total] == [0, 0, None, 0, None, 0, None]
        table = run_table(session, DESK, "marks", third, NOW, "criterion")
        assert [[cell.value for cell in line.cells] for line in table.lines] == [[None, 0, 0]] * 5
        session.rollback()


@pytest.mark.parametrize("by", ["staff", "platform", "criterion"])
def test_every_number_opens_the_list_that_yields_it(cast, database, by) -> None:
    with database.write.begin() as session:
        play(session, cast, of_key())
        table = run_table(session, DESK, "marks", WEEK, NOW, by)
        for line in (*table.lines, None):
            for cell in table.total if line is None else line.cells:
                assert cell.list is not None
                page = list_page(session, DESK, cell.list, replace(WEEK, **cell.changes), NOW)
                assert len(page.rows) == page.total
                if cell.unit == "count":
                    assert page.total == cell.value
        session.rollback()


def test_a_criterion_laid_aside_speaks_while_it_has_marks(cast, database) -> None:
    with database.write.begin() as session:
        play(session, cast, of_key())
        save_criteria(session, cast.head, [(1, "По делу", True), (None, "С заботой", True)])
        names = [line.name for line in run_table(session, DESK, "marks", WEEK, NOW, "criterion").lines]
        assert names == ["По делу", "С заботой", "Вежливо", "Полно", "В срок", "По правилам"]
        empty = Cut(date(2026, 1, 1), date(2026, 1, 2))
        names = [line.name for line in run_table(session, DESK, "marks", empty, NOW, "criterion").lines]
        assert names == ["По делу", "С заботой"]
        session.rollback()


def test_the_report_stands_in_the_registry_for_whoever_reads_reports(cast, database) -> None:
    assert REPORTS["marks"].number == 27
    assert 27 not in LEFT_OUT
    with database.read.begin() as session:
        for role, row in RIGHTS.items():
            actor = Actor(cast.smm.staff_id, "", frozenset({role}))
            if "report.view" in row:
                run_table(session, actor, "marks", WEEK, NOW)
            else:
                with pytest.raises(Forbidden):
                    run_table(session, actor, "marks", WEEK, NOW)


BEGINS = datetime(2026, 11, 30, tzinfo=MOSCOW)
MARK = st.none() | st.integers(1, 5)
ANSWERS = st.builds(
    Told,
    place=st.sampled_from(["блог", "вк"]),
    who=st.sampled_from(["Дарья", "Марина"]),
    at=st.integers(-2 * 24 * 60, 7 * 24 * 60).map(lambda minutes: BEGINS + timedelta(minutes=minutes)),
    gone=st.sampled_from([True, True, True, False]),
    asked=st.booleans(),
    mark=MARK,
    review=st.sampled_from([None, "drawn", "read", "read", "skipped"]),
    marks=st.tuples(MARK, MARK, MARK, MARK, MARK),
)  # fmt: skip


def by_hand(rows: list[Told]) -> list[object]:
    """The same figures, counted one answer after another."""
    asked = marked = good = read = total = number = 0
    for row in rows:
        if row.asked and row.gone:
            asked += 1
            if row.mark is not None:
                marked += 1
                good += row.mark in (4, 5)
        if row.review == "read":
            read += 1
            for mark in row.marks:
                if mark is not None:
                    total, number = total + mark, number + 1
    values = [asked, marked, (marked, asked), good, (good, marked), read, (total, number)]
    return [
        (Fraction(*value).limit_denominator(1000) if value[1] else None) if isinstance(value, tuple) else value
        for value in values
    ]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ANSWERS, max_size=12))
def test_whatever_chance_makes_is_what_a_slow_recount_finds(cast, database, rows) -> None:
    within = [row for row in rows if BEGINS <= row.at < BEGINS + timedelta(days=5)]
    with database.write.begin() as session:
        play(session, cast, rows)
        table = run_table(session, DESK, "marks", WEEK, NOW)
        assert figures(table.total) == by_hand(within)
        names = {cast.smm.staff_id: "Дарья", cast.head.staff_id: "Марина"}
        for line in table.lines:
            assert figures(line.cells) == by_hand([row for row in within if row.who == names[line.key]])
        table = run_table(session, DESK, "marks", replace(WEEK, platform="vk"), NOW, "criterion")
        there = [row for row in within if row.place == "вк" and row.review == "read"]
        for line in table.lines:
            marks = [row.marks[line.key - 1] for row in there]
            given = [mark for mark in marks if mark is not None]
            mean = Fraction(sum(given), len(given)) if given else None
            assert figures(line.cells) == [mean, len(given), len(marks) - len(given)]
        assert [line.key for line in table.lines] == [one.number for one in DEFAULTS]
        session.rollback()
