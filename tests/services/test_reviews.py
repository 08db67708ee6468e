"""Answers drawn for the head: five of each a week and never anew, marks, whose eyes see them."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

import services.reports.upkeep  # noqa: F401 (by being imported it writes the facts)
from models import Act, Case, CaseFact, Clock, Event, Review, ReviewDraw, ReviewMark, Satisfaction, Staff
from services.accounts import create_staff
from services.criteria import DEFAULTS, criteria_of, in_use, save_criteria
from services.errors import Forbidden, NotFound, Refused, Stale
from services.replies import write_reply
from services.review_examples import seed_reviews
from services.reviews import (
    draw_week,
    get_review,
    lines_of,
    mark_answer,
    next_review,
    own_reviews,
    page_of,
    progress,
    run_draw,
    skip_answer,
    week_before,
    weeks,
)
from services.rights import DESK, RIGHTS, actor_of
from tests.services.test_cases import label_all

MONDAY = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
"""Nine in the morning in Moscow; the week before begins on 23 November."""
WEDNESDAY = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
FIVE = {one.number: 5 for one in DEFAULTS}


class First:
    """Draws the first ones."""

    def sample(self, population, k):
        return list(population[:k])


@pytest.fixture
def answer(cast, database):
    """An answer that the platform took at ``at``."""
    made = iter(range(1000))

    def _answer(actor, at=WEDNESDAY, state="accepted") -> int:
        number = next(made)
        cast.write(f"Когда вебинар {number}?", f"Автор {number}")
        label_all(database)
        with database.write.begin() as session:
            case_id = session.scalars(select(Case.id).order_by(Case.id.desc()).limit(1)).one()
            reply = write_reply(session, actor, case_id, f"В среду, ответ {number}.", f"r-{number}")
            act = session.scalars(select(Act).where(Act.reply_id == reply.id)).one()
            act.state, act.accepted_at, act.external_id = state, at, f"x{number}"
            return act.id

    return _answer


def draw(database, now=MONDAY, choice=None) -> int:
    with database.write.begin() as session:
        return draw_week(session, now, choice)


def first(database) -> int:
    with database.read.begin() as session:
        return session.scalars(select(Review.id).order_by(Review.id)).first()


def test_five_of_each_or_fewer_and_only_of_the_last_week(cast, database, answer) -> None:
    mine = [answer(cast.smm) for _ in range(7)]
    hers = [answer(cast.head, WEDNESDAY + timedelta(minutes=n)) for n in range(2)]
    midnight = datetime(2026, 11, 29, 21, 0, tzinfo=UTC)  # of Monday in Moscow
    answer(cast.smm, midnight)
    answer(cast.smm, midnight - timedelta(days=7, seconds=1))
    edges = {answer(cast.head, midnight - timedelta(seconds=1)), answer(cast.head, midnight - timedelta(days=7))}
    answer(cast.head, state="queued")
    begun = answer(cast.head)
    with database.write.begin() as session:
        session.get_one(Act, begun).message_id = None  # a conversation that we began
    assert draw(database) == 9
    with database.read.begin() as session:
        rows = session.execute(select(Review.staff_id, Review.act_id)).all()
        assert {act for staff, act in rows if staff == cast.head.staff_id} == {*hers, *edges}
        drawn = [act for staff, act in rows if staff == cast.smm.staff_id]
        assert len(drawn) == len(set(drawn)) == 5
        assert set(drawn) <= set(mine)
        assert week_before(session, MONDAY).isoformat() == "2026-11-23"
        assert weeks(session)[0].isoformat() == "2026-11-23"
        assert session.scalars(select(Event.data).where(Event.kind == "review.drawn")).one() == {"count": 9}


def test_a_week_is_drawn_once_whatever_comes_later(cast, database, answer) -> None:
    answer(cast.smm)
    assert run_draw(database, MONDAY) == 1
    answer(cast.smm)
    assert run_draw(database, MONDAY + timedelta(days=3)) == 0
    assert draw(database, MONDAY + timedelta(days=6)) == 0
    assert run_draw(database, MONDAY + timedelta(days=7)) == 0  # the next week had none, and is drawn too
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Review)) == 1
        assert session.scalar(select(func.count()).select_from(ReviewDraw)) == 2
        assert len(weeks(session)) == 1


def test_two_processes_draw_one_week_once(cast, database, answer) -> None:
    for _ in range(8):
        answer(cast.smm)
    start, found = threading.Barrier(2), []

    def one() -> None:
        start.wait(10)
        found.append(run_draw(database, MONDAY))

    both = [threading.Thread(target=one) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(30)
    assert sorted(found) == [0, 5]
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Review)) == 5


def test_chance_is_even(cast, database, answer) -> None:
    """Of eight answers each is drawn about as often as another."""
    acts = [answer(cast.smm) for _ in range(8)]
    seen = dict.fromkeys(acts, 0)
    for _ in range(200):
        with database.write.begin() as session:
            draw_week(session, MONDAY)
            for act_id in session.scalars(select(Review.act_id)):
                seen[act_id] += 1
            session.flush()
            session.rollback()
    assert sum(seen.values()) == 1000
    assert all(80 <= count <= 170 for count in seen.values())


def test_marks_are_kept_counted_and_shown_to_their_owner(cast, database, answer) -> None:
    for _ in range(2):
        answer(cast.smm)
    draw(database, choice=First())
    review_id = first(database)
    with database.write.begin() as session:
        assert progress(session, cast.head).done == 0
        mark_answer(session, cast.head, review_id, {**FIVE, 2: 3, 4: None}, " Хорошо, но суше. ")
    with database.read.begin() as session:
        told = progress(session, cast.head)
        assert (told.done, told.total) == (1, 2)
        page = page_of(session, cast.smm, review_id)
        assert page.marks == {1: 5, 2: 3, 3: 5, 4: None, 5: 5}
        assert (page.review.note, page.reader) == ("Хорошо, но суше.", "Марина Котова")
        assert [one.text for one in page.said if one.is_answer] == ["В среду, ответ 0."]
        assert "Когда вебинар 0?" in [one.text for one in page.said]
        rows = own_reviews(session, cast.smm)
        assert [row.id for row in rows] == [review_id]
        (line,) = lines_of(session, rows)
        assert (line.drawn, line.read, line.mean) == (1, 1, 4.5)
        assert next_review(session, cast.head).id != review_id
        event = session.scalars(select(Event).where(Event.kind == "review.read")).one()
        assert (event.staff_id, event.object_id, event.data) == (cast.head.staff_id, review_id, {})


def test_nobody_sees_anothers_and_nobody_judges_their_own(cast, database, answer) -> None:
    answer(cast.smm)
    answer(cast.head)
    draw(database)
    with database.write.begin() as session:
        hers = session.scalars(select(Review).where(Review.staff_id == cast.head.staff_id)).one()
        his = session.scalars(select(Review).where(Review.staff_id == cast.smm.staff_id)).one()
        assert (progress(session, cast.head).total, next_review(session, cast.head).id) == (1, his.id)
        with pytest.raises(Refused, match=r"review\.own"):
            mark_answer(session, cast.head, hers.id, FIVE)
        for row in (hers, his):  # one is another's, one is not read yet
            with pytest.raises(NotFound):
                get_review(session, cast.smm, row.id)
        with pytest.raises(NotFound):
            get_review(session, cast.head, hers.id)
        with pytest.raises(Forbidden):
            mark_answer(session, cast.smm, his.id, FIVE)
        with pytest.raises(Forbidden):
            own_reviews(session, cast.curator)
        staff = create_staff(session, DESK, email="second@school.example", name="Вторая", roles=("head",))
        other = actor_of(session.get_one(Staff, staff.id))
        mark_answer(session, other, hers.id, FIVE)
        assert get_review(session, cast.head, hers.id).state == "read"
        with pytest.raises(NotFound):
            get_review(session, cast.smm, hers.id)


def test_the_rights_of_reviews_are_the_heads_and_each_ones_own() -> None:
    assert {role for role, row in RIGHTS.items() if "review.mark" in row} == {"head"}
    assert {role: row["review.view"].name for role, row in RIGHTS.items() if "review.view" in row} == {
        "smm": "OWN", "client_manager": "OWN", "sales": "OWN", "head": "ALL",
    }  # fmt: skip


@pytest.mark.parametrize(
    "marks", [{}, {**FIVE, 6: 5}, {1: 5, 2: 5, 3: 5, 4: 5}, {**FIVE, 1: 0}, {**FIVE, 1: 6}, {**FIVE, 5: -1}]
)
def test_marks_that_make_no_sense_are_refused(cast, database, answer, marks) -> None:
    answer(cast.smm)
    draw(database)
    with database.write.begin() as session, pytest.raises(Refused, match=r"review\.marks"):
        mark_answer(session, cast.head, session.scalars(select(Review.id)).one(), marks)


def test_a_skip_needs_a_reason_and_draws_no_other(cast, database, answer) -> None:
    for _ in range(6):
        answer(cast.smm)
    draw(database)
    with database.write.begin() as session:
        with pytest.raises(Refused, match=r"review\.reason"):
            skip_answer(session, cast.head, first(database), "  ")
        row = skip_answer(session, cast.head, first(database), "Ответ на благодарность")
        assert (row.state, row.skip_reason) == ("skipped", "Ответ на благодарность")
        assert session.scalar(select(func.count()).select_from(Review)) == 5
        assert own_reviews(session, cast.smm) == []
        assert (progress(session, cast.head).done, progress(session, cast.head).total) == (1, 5)


def test_who_comes_second_is_told_and_may_mark_anew(cast, database, answer) -> None:
    answer(cast.smm)
    draw(database)
    review_id = first(database)
    with database.write.begin() as session:
        mark_answer(session, cast.head, review_id, FIVE)
        with pytest.raises(Stale):
            mark_answer(session, cast.head, review_id, FIVE)
        with pytest.raises(Stale):
            skip_answer(session, cast.head, review_id, "поздно")
        mark_answer(session, cast.head, review_id, {**FIVE, 1: 1}, was="read")
        marks = session.scalars(select(ReviewMark.mark).order_by(ReviewMark.criterion)).all()
        assert marks == [1, 5, 5, 5, 5]


def test_the_table_of_criteria_keeps_its_numbers(cast, database) -> None:
    with database.write.begin() as session:
        with pytest.raises(Forbidden):
            save_criteria(session, cast.smm, [(1, "По делу", True)])
        rows = [(2, "Вежливо и тепло", True), (1, "По делу", False), (None, "С заботой", True)]
        save_criteria(session, cast.head, rows)
        found = criteria_of(session)
        assert [(one.number, one.title, one.active) for one in found] == [
            (2, "Вежливо и тепло", True), (1, "По делу", False), (6, "С заботой", True), (3, "Полно", False),
            (4, "В срок", False), (5, "По правилам", False),
        ]  # fmt: skip
        assert [one.number for one in in_use(session)] == [2, 6]
        save_criteria(session, cast.head, [(2, "Вежливо", True), (None, "Ещё", True)])
        assert {one.number for one in criteria_of(session)} == {1, 2, 3, 4, 5, 6, 7}
        for wrong in (
            [], [(1, "", True)], [(1, "По делу", False)], [(77, "Чужой", True)],
            [(1, "Одно", True), (2, "одно", True)], [(1, "Одно", True), (1, "Другое", True)],
            [(None, f"Критерий {n}", True) for n in range(10)], [(1, "д" * 61, True)],
        ):  # fmt: skip
            with pytest.raises(Refused):
                save_criteria(session, cast.head, wrong)


def test_the_training_school_has_reviews_and_marks_and_no_work_of_them(cast, database) -> None:
    with database.write.begin() as session:
        cast.add_source(session, "manual", network="instagram")
        seed_reviews(session)
        seed_reviews(session)
    label_all(database)
    with database.read.begin() as session:
        states = [row.state for row in session.scalars(select(Review))]
        assert (states.count("read"), states.count("drawn")) == (4, 1)
        assert session.scalars(select(Satisfaction.mark).order_by(Satisfaction.id)).all() == [
            5,
            4,
            5,
            2,
            None,
            None,
        ]
        cases = session.scalars(select(Case)).all()
        assert {(case.stage, case.due_at) for case in cases} == {("closed", None)}
        assert not session.scalars(select(Clock.id).where(Clock.done_at.is_(None))).all()
        for fact in session.scalars(select(CaseFact)):
            assert (fact.holder, fact.first_at == fact.resolved_at) == (None, True)
            assert fact.first_due_at is None or fact.first_at <= fact.first_due_at
        own = own_reviews(session, cast.smm)
        assert len(own) == 4
