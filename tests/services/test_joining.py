"""Two cases of one matter become one: nothing is lost, the strictest term counts, and some are not joined."""

from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import select

from models import Act, Base, Case, Clock, Draft, Event, Follower, Message, Note, Route, Source, Task
from services.case_states import move
from services.cases import add_note, close
from services.errors import Forbidden, NotFound, Refused, Stale
from services.following import follow
from services.joining import MOVED, ONCE, STAY, find_case, join_cases
from services.kinds import renew_kind
from services.legal_clocks import bind_letter
from services.messages import store_messages
from services.replies import save_draft, write_reply
from services.reports.upkeep import write_facts
from services.routing import answer_route, ask_department, open_route, return_route
from services.signals import decide_signal
from services.sla import clocks_of_routes, note_answered
from services.snoozes import snooze
from services.terms import save_terms
from tests.conftest import one_person
from tests.services.test_cases import label_all
from tests.services.test_sla import MONDAY, moscow


@pytest.fixture
def at(cast, database):
    """Monday, 10:00; the places are watched since the day before."""
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).created_at = MONDAY - timedelta(days=1)
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def cases(cast, database, at) -> tuple[int, int]:
    """An older private case and a newer public one of another author."""
    cast.private("Когда вернут занятие?", "Анна Яр", published_at=MONDAY)
    cast.write("Почему отменили занятие?", "anna_yar", published_at=MONDAY + timedelta(minutes=30))
    label_all(database)
    one_person(database, cast.smm)
    with database.read.begin() as session:
        first, second = session.scalars(select(Case.id).order_by(Case.id))
    return first, second


def test_everything_goes_on_in_one(cast, database, cases, act) -> None:
    older, newer = cases
    act(add_note, cast.smm, older, "звонила", "n1")
    act(ask_department, cast.smm, older, cast.departments["curators"], "Когда?", "r1")
    act(join_cases, cast.smm, older, newer)
    with database.read.begin() as session:
        gone, kept = session.get_one(Case, older), session.get_one(Case, newer)
        assert (gone.state, gone.open_key, kept.state) == ("merged", None, "department")
        assert kept.opened_at == MONDAY
        for table in (Message, Note, Route):
            assert set(session.scalars(select(table.case_id))) == {newer}
        told = session.execute(select(Event.case_id, Event.object_id).where(Event.kind == "case.joined"))
        assert sorted(map(tuple, told)) == [(older, newer), (newer, older)]
        first = session.scalars(
            select(Clock).where(Clock.case_id == newer, Clock.kind == "first", Clock.done_at.is_(None))
        ).one()
        assert first.due_at == moscow("30.11.2026 14:00") == kept.due_at  # of the older one
        assert not session.scalars(select(Clock).where(Clock.case_id == older, Clock.done_at.is_(None))).all()
    act(answer_route, cast.curator, 1, "В среду")
    with database.read.begin() as session:
        assert session.get_one(Case, newer).lift == "answer"


def test_each_is_answered_where_it_was_written(cast, database, cases, act) -> None:
    older, newer = cases
    act(join_cases, cast.smm, older, newer)
    with database.read.begin() as session:
        messages = session.execute(select(Message.id, Message.container).order_by(Message.id)).all()
    for message_id, container in messages:
        reply = act(write_reply, cast.smm, newer, "Завтра в десять.", f"f{message_id}", message_id=message_id)
        with database.read.begin() as session:
            sent = session.scalars(select(Act).where(Act.reply_id == reply.id)).one()
            assert sent.target["container"] == container


def test_what_must_not_be_joined(cast, database, cases, act) -> None:
    older, newer = cases
    with pytest.raises(Forbidden):
        act(join_cases, cast.curator, older, newer)
    with pytest.raises(Refused, match=r"join\.same"):
        act(join_cases, cast.smm, older, older)
    with pytest.raises(NotFound):
        act(join_cases, cast.smm, older, 99)
    with pytest.raises(Stale):
        act(join_cases, cast.smm, older, newer, 99)
    act(decide_signal, cast.smm, 1, "legal_claim", True)
    with pytest.raises(Refused, match=r"join\.grave"):
        act(join_cases, cast.smm, older, newer)
    act(close, cast.smm, newer, "other")
    with pytest.raises(Refused, match=r"join\.over"):
        act(join_cases, cast.smm, older, newer)


def test_the_term_by_law_stays_with_the_claim(cast, database, cases, act) -> None:
    older, newer = cases
    act(decide_signal, cast.smm, 1, "legal_claim", True)
    act(join_cases, cast.smm, newer, older)
    with database.read.begin() as session:
        legal = session.scalars(select(Clock).where(Clock.kind == "legal")).one()
        assert (legal.case_id, legal.done_at, session.get_one(Case, older).kind) == (older, None, "claim")


def test_a_case_is_found_by_its_number_as_people_write_it(cast, database, cases, act) -> None:
    for typed in ("ОБ-2026-000002", "2026-2", " об-2026-2 "):
        assert act(find_case, cast.smm, typed).id == cases[1]
    for typed in ("", "2026", "2026-x", "ОБ-2026-000009"):
        assert act(find_case, cast.smm, typed) is None
    with pytest.raises(Forbidden):
        act(find_case, cast.curator, "2026-2")


def test_by_the_regulation_a_question_must_be_opened_in_time(cast, database, cases, act, at) -> None:
    act(save_terms, cast.head, {"preset": "regulation", "accept": {"curators": 60}})
    route_id = act(ask_department, cast.smm, cases[0], cast.departments["curators"], "Когда?", "r1").id

    def clocks(kind: str) -> list[Clock]:
        with database.read.begin() as session:
            return list(session.scalars(select(Clock).where(Clock.kind == kind).order_by(Clock.id)))

    assert clocks("accept")[0].due_at == moscow("30.11.2026 11:00")
    at.move_to(moscow("30.11.2026 10:40"))
    act(open_route, cast.curator, route_id)
    assert clocks("accept")[0].done_at == moscow("30.11.2026 10:40")
    assert clocks("department")[0].done_at is None
    assert list(act(clocks_of_routes, [route_id])) == [route_id]
    act(answer_route, cast.curator, route_id, "В среду")
    act(return_route, cast.smm, route_id, "в какую?")
    assert [clock.done_at is None for clock in clocks("accept")] == [False, True]
    act(answer_route, cast.curator, route_id, "Второго")
    assert all(clock.done_at for clock in [*clocks("accept"), *clocks("department")])


def test_a_small_school_counts_no_opening(cast, database, cases, act) -> None:
    act(ask_department, cast.smm, cases[0], cast.departments["curators"], "Когда?", "r1")
    with database.read.begin() as session:
        assert not session.scalars(select(Clock).where(Clock.kind == "accept")).all()


def test_a_letter_s_date_is_the_term_by_law(cast, database, cases, act) -> None:
    with pytest.raises(Refused, match=r"letter\.date"):
        act(bind_letter, cast.smm, cases[0], date(2026, 12, 21))
    act(decide_signal, cast.smm, 1, "state_body", True)
    with pytest.raises(Refused, match=r"letter\.date"):
        act(bind_letter, cast.smm, cases[0], date(2026, 11, 29))
    with pytest.raises(NotFound):
        act(bind_letter, cast.smm, 99, date(2026, 12, 21))
    for day in (date(2026, 12, 28), date(2026, 12, 21)):  # read again, and better
        act(bind_letter, cast.smm, cases[0], day)
    with database.read.begin() as session:
        clock = session.scalars(select(Clock).where(Clock.kind == "legal")).one()
        assert (clock.due_at, clock.warn_at) == (
            moscow("21.12.2026 23:59") + timedelta(seconds=59),
            moscow("17.12.2026 23:59") + timedelta(seconds=59),
        )


def test_a_demand_about_data_beside_another_kind_is_closed_by_the_head(cast, database, cases, act) -> None:
    act(decide_signal, cast.smm, 1, "stop_ads", True)
    act(decide_signal, cast.smm, 1, "personal_data", True)
    with database.write.begin() as session:
        case = session.get_one(Case, cases[0])
        renew_kind(session, case)
        assert case.kind == "stop_ads"
    with pytest.raises(Forbidden):
        act(close, cast.smm, cases[0], "answered")
    with pytest.raises(Refused, match=r"case\.grave"):
        act(close, cast.head, cases[0], "spam")
    act(close, cast.head, cases[0], "answered")


def test_a_message_that_comes_after_is_not_lost(cast, database, cases, act) -> None:
    """Where the author wrote before, the next word opens a case again: it is seen."""
    older, newer = cases
    act(join_cases, cast.smm, older, newer)
    item = cast.incoming("И когда вернут?", "Анна Яр", container="dialogue", publication=None)
    with database.write.begin() as session:
        store_messages(session, cast.source_id, "wordpress", [item])
    label_all(database)
    with database.read.begin() as session:
        assert session.scalars(select(Message).order_by(Message.id.desc())).first().case_id is not None


def test_followers_marks_tasks_and_what_is_being_written_go_on_too(cast, database, cases, act) -> None:
    older, newer = cases
    with database.write.begin() as session:
        for case_id in cases:
            follow(session, cast.smm, case_id)
            save_draft(session, cast.smm, case_id, f"пишу в {case_id}")
        follow(session, cast.head, older)
        save_draft(session, cast.head, older, "отвечу")
        session.add(Task(text="перезвонить", case_id=older, staff_id=cast.smm.staff_id, due_at=MONDAY))
    act(join_cases, cast.smm, older, newer)
    with database.read.begin() as session:
        assert sorted(session.scalars(select(Follower.staff_id).where(Follower.case_id == newer))) == sorted(
            [cast.smm.staff_id, cast.head.staff_id]
        )
        drafts = {row.staff_id: row.text for row in session.scalars(select(Draft).where(Draft.case_id == newer))}
        assert drafts == {cast.smm.staff_id: f"пишу в {newer}\n\nпишу в {older}", cast.head.staff_id: "отвечу"}
        assert session.scalars(select(Draft).where(Draft.case_id == older)).all() == []
        assert session.scalars(select(Task.case_id)).all() == [newer]


def test_two_people_stay_two(cast, database, cases, act) -> None:
    cast.write("Почему отменили занятие?", "Пётр", published_at=MONDAY + timedelta(minutes=40))
    label_all(database)
    with pytest.raises(Refused, match=r"join\.people"):
        act(join_cases, cast.smm, 3, cases[1])


def test_every_column_that_names_a_case_has_its_rule() -> None:
    named = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if any(key.column.table.name == "case" for key in column.foreign_keys)
    }
    moved = [column.property.columns[0] for column in (*MOVED, *(one for one, _other in ONCE))]
    assert {f"{column.table.name}.{column.name}" for column in moved} | set(STAY) == named


def test_an_unanswered_message_keeps_its_term_where_the_other_was_answered(cast, database, cases, act) -> None:
    """The public one is answered and waits for its author; what was written privately still waits for us."""
    older, newer = cases
    with database.write.begin() as session:
        kept = session.get_one(Case, newer)
        note_answered(session, kept, MONDAY + timedelta(minutes=35))
        move(session, kept, "author", cast.smm)
    act(join_cases, cast.smm, older, newer)
    with database.read.begin() as session:
        kept = session.get_one(Case, newer)
        running = {
            clock.kind: clock
            for clock in session.scalars(select(Clock).where(Clock.case_id == newer, Clock.done_at.is_(None)))
        }
        assert (kept.state, kept.due_at) == ("work", moscow("30.11.2026 14:00"))
        assert set(running) == {"first", "resolution"}
        assert running["resolution"].paused_at is None


def test_into_one_that_was_put_off_it_comes_back(cast, database, cases, act) -> None:
    act(snooze, cast.smm, cases[1], None)
    act(join_cases, cast.smm, *cases)
    with database.read.begin() as session:
        assert session.get_one(Case, cases[1]).state != "snoozed"


def test_the_facts_after_a_join_are_those_of_a_rebuild(cast, database, cases, act) -> None:
    act(write_reply, cast.smm, cases[1], "Завтра в десять.", "f1", message_id=2, then="keep")
    act(join_cases, cast.smm, cases[1], cases[0])
    with database.write.begin() as session:
        assert write_facts(session, list(cases)) == 0
