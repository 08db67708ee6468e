"""The training school has two months of answers: a signed month, topics, wishes; made once, and no work of them."""

from datetime import UTC, datetime, timedelta

import time_machine
from sqlalchemy import func, select

import services.reports.upkeep  # noqa: F401 (by being imported it writes the facts)
from models import Case, CaseFact, Clock, Notice, RouteFact, Snapshot, Source, Verdict, Wish, WishCase, utc_now
from services.accounts import find_by_email
from services.report_examples import DARK, EVENING, TALKS, run_report_examples
from services.reports.asked import asked
from services.reports.cut import Cut
from services.reports.summary import changes_since, is_whole
from services.rights import actor_of
from services.training import BY_HAND, HEAD_EMAIL, seed_people
from tests.services.test_cases import label_all

ZONE = "Europe/Moscow"


def _files(_session, month, tables, _words):
    return {f"{month}.json": str(sorted(tables)).encode()}


def _school(database) -> None:
    with database.write.begin() as session:
        seed_people(session)
        session.add(Source(
            platform="manual", title="Instagram", state="watching", settings=BY_HAND["settings"], secrets="",
            every_seconds=3600, backfilled_at=utc_now(),
        ))  # fmt: skip


def test_topics_a_month_and_wishes_are_there_from_the_first_look(database) -> None:
    with time_machine.travel(datetime(2026, 11, 27, 9, 0, tzinfo=UTC), tick=True):
        _school(database)
        run_report_examples(database, None)
        run_report_examples(database, _files)
        run_report_examples(database, _files)
        label_all(database)
        with database.read.begin() as session:
            assert session.scalar(select(func.count()).select_from(CaseFact).where(CaseFact.counts)) == len(TALKS)
            row = session.scalars(select(Snapshot)).one()
            assert (row.month, is_whole(session, row)) == ("2026-10", True)
            ends = session.execute(
                select(Case.closed_at, CaseFact.resolved_at).join(CaseFact, CaseFact.id == Case.id)
            ).all()
            assert len(ends) == len(TALKS)
            assert all(closed == resolved for closed, resolved in ends)
            head = actor_of(find_by_email(session, HEAD_EMAIL))
            assert changes_since(session, head, row, ZONE) == []
            assert row.figures["first_answer"]["whole"]["answered"] > 8
            assert row.figures["departments"]["whole"]["asked"] == 3
            today = utc_now().date()
            found = asked(session, head, Cut(today - timedelta(days=29), today, ZONE), utc_now())
            assert [topic.words[0] for topic in found.topics or ()] == ["промокод"]
            wished = dict(
                session.execute(
                    select(Wish.title, func.count())
                    .join(WishCase, WishCase.wish_id == Wish.id)
                    .group_by(Wish.title)
                ).all()
            )
            assert wished == {EVENING: 2, DARK: 1}
            assert session.scalar(select(func.count()).select_from(Verdict)) == 4


def test_no_work_is_made_of_what_is_answered(database) -> None:
    _school(database)
    run_report_examples(database, _files)
    label_all(database)
    with database.read.begin() as session:
        assert {(case.stage, case.due_at) for case in session.scalars(select(Case))} == {("closed", None)}
        assert not session.scalars(select(Clock.id).where(Clock.done_at.is_(None))).all()
        assert not session.scalars(select(Notice.id)).all()
        for fact in session.scalars(select(CaseFact)):
            assert (fact.holder, fact.first_at) == (None, fact.resolved_at)
            assert fact.desk_minutes + fact.department_minutes == fact.first_minutes
        asked_ = list(session.scalars(select(RouteFact)))
        assert {fact.outcome for fact in asked_} == {"answered"}
        assert {fact.answer_minutes for fact in asked_ if fact.answer_minutes} >= {180, 280, 70}


def test_before_the_first_reading_nothing_is_made(database) -> None:
    _school(database)
    with database.write.begin() as session:
        session.scalars(select(Source)).one().backfilled_at = None
    run_report_examples(database, _files)
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 0


def test_a_month_that_somebody_signed_first_keeps_no_answers_away(database) -> None:
    _school(database)
    with database.write.begin() as session:
        session.add(Snapshot(month="2026-01", number=1, digest=""))
    run_report_examples(database, _files)
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == len(TALKS)
        assert session.scalars(select(Snapshot.month)).all() == ["2026-01"]
