"""Two people at one desk: each question has one end, whoever presses, and the books always balance."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from collectors.base import ActKind, Capabilities, ChannelError
from collectors.room import Room
from models import Act, Broadcast, BroadcastQuestion, Case, Route
from services.broadcasts import questions
from services.broadcasts.airing import end
from services.broadcasts.figures import figures_of, hand_in
from services.broadcasts.states import (
    CHECKS,
    INCIDENT_MOVES,
    MOVES,
    QUESTION_MOVES,
    SETTLED,
    STATES,
    check_question,
    move,
)
from services.broadcasts.stream import said_after, view_broadcast
from services.broadcasts.wrapping import run_wraps
from services.errors import DeskError, Refused, Stale
from services.outcomes import record_error
from services.rights import DESK, Actor


@pytest.fixture
def replying(monkeypatch) -> None:
    """A room that takes answers and removes messages."""
    acts = frozenset({ActKind.REPLY, ActKind.DELETE})
    monkeypatch.setattr(Room, "can", Capabilities(acts=acts, receive=True, grade="events", max_length=200))


def other(cast) -> Actor:
    return cast.head


def test_the_quicker_one_has_it_and_the_other_is_told_who(air, database) -> None:
    question_id = air.ask()
    with database.write.begin() as session:
        questions.answer_aloud(session, air.cast.smm, question_id, 812)
    with pytest.raises(Stale) as late, database.write.begin() as session:
        questions.dismiss(session, other(air.cast), question_id, "repeat")
    assert late.value.data["name"] == "Дарья Лис"
    found = air.question(question_id)
    assert (found.state, found.spoken_at) == ("aloud", 812)


@pytest.mark.usefixtures("replying")
def test_ten_presses_at_once_send_one_answer(air, database) -> None:
    question_id = air.ask()
    told: list[str] = []

    def press() -> None:
        try:
            with database.write.begin() as session:
                questions.answer_in_chat(session, air.cast.smm, question_id, "Да, завтра.")
            told.append("done")
        except DeskError as error:
            told.append(error.code)

    threads = [threading.Thread(target=press) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Act)) == 1
    assert told.count("done") == 1
    assert set(told) <= {"done", "question.taken", "question.state"}


@pytest.mark.usefixtures("replying")
def test_whoever_writes_has_it_until_they_stop(air, database) -> None:
    question_id = air.ask()
    with database.write.begin() as session:
        questions.hold(session, air.cast.smm, question_id)
    with pytest.raises(Stale), database.write.begin() as session:
        questions.answer_aloud(session, other(air.cast), question_id, 5)
    with database.read.begin() as session:
        assert view_broadcast(session, air.cast.head, air.id).waiting[0].holder == "Дарья Лис"
    with database.write.begin() as session:
        questions.release(session, air.cast.smm, question_id)
        questions.answer_aloud(session, other(air.cast), question_id, 5)


@pytest.mark.usefixtures("replying")
def test_an_answer_that_did_not_get_out_brings_the_question_back(air, database) -> None:
    question_id = air.ask()
    with database.write.begin() as session:
        questions.answer_in_chat(session, air.cast.smm, question_id, "Да, завтра.")
        act = session.scalars(select(Act)).one()
        act.state = "sending"
    with database.write.begin() as session:
        act = session.scalars(select(Act)).one()
        record_error(session, act, ChannelError("no", code="closed", permanent=True))
    run_wraps(database)
    found = air.question(question_id)
    assert (found.state, found.failed) == ("open", True)


def test_a_long_answer_is_refused_with_the_name_counted(air, database, monkeypatch) -> None:
    monkeypatch.setattr(Room, "can", Capabilities(acts=frozenset({ActKind.REPLY}), receive=True, grade="events"))
    air.say("Когда?", context={"limit": "200"})
    air.look()
    question_id = air.ask()
    with database.read.begin() as session:
        first = session.scalars(select(BroadcastQuestion.id).order_by(BroadcastQuestion.id)).first()
    assert first != question_id
    with pytest.raises(Refused) as refused, database.write.begin() as session:
        questions.answer_in_chat(session, air.cast.smm, first, "а" * 195)
    assert refused.value.code == "text.long"


def test_a_department_gets_it_as_an_urgent_question_on_a_case(air, database) -> None:
    question_id = air.ask("Почему не проверили домашку?")
    with database.write.begin() as session:
        questions.ask(session, air.cast.smm, question_id, air.cast.departments["curators"], "Почему не проверили?")
    with database.read.begin() as session:
        route = session.scalars(select(Route)).one()
        case = session.scalars(select(Case)).one()
        assert (route.urgent, route.case_id, case.state) == (True, case.id, "department")
    assert (air.question(question_id).state, air.question(question_id).case_id) == ("routed", case.id)


@pytest.mark.usefixtures("replying")
def test_hiding_goes_through_the_ledger_and_dismisses(air, database) -> None:
    question_id = air.ask("Кто тут главный мошенник?")
    with database.write.begin() as session:
        questions.hide(session, air.cast.smm, question_id)
        assert [act.kind for act in session.scalars(select(Act))] == ["delete"]
    assert (air.question(question_id).state, air.question(question_id).reason) == ("dismissed", "hidden")


def test_merged_ones_have_one_end(air, database) -> None:
    first, second, third = (air.ask(f"Когда будет запись эфира {n}?", f"Автор {n}") for n in range(3))
    with database.write.begin() as session:
        questions.merge(session, air.cast.smm, third, second)
        questions.merge(session, air.cast.smm, second, first)
        assert len(view_broadcast(session, air.cast.smm, air.id).waiting) == 1
        questions.answer_aloud(session, other(air.cast), first, 90)
    assert {air.question(one).state for one in (first, second, third)} == {"aloud"}
    assert air.books().ends["aloud"] == 3


def test_a_press_on_a_page_that_does_not_know_of_a_merge_yet_is_told_so_and_parts_nothing(air, database) -> None:
    first, second = (air.ask(f"Когда будет запись эфира {n}?", f"Автор {n}") for n in range(2))
    with database.write.begin() as session:
        questions.merge(session, air.cast.smm, second, first)
    for press in (questions.hold, lambda *given: questions.answer_aloud(*given, 5)):
        with pytest.raises(Stale) as late, database.write.begin() as session:
            press(session, other(air.cast), second)
        assert late.value.code == "question.merged"
    assert {air.question(one).state for one in (first, second)} == {"open"}


def test_like_questions_are_offered_for_merging(air, database) -> None:
    first = air.ask("Когда будет запись эфира?", "Анна")
    second = air.ask("А запись эфира когда будет?", "Борис")
    air.ask("Сколько стоит курс?", "Вера")
    with database.read.begin() as session:
        waiting = view_broadcast(session, air.cast.smm, air.id).waiting
    assert [one.like for one in waiting] == [None, first, None]
    assert waiting[1].question.id == second


def test_undo_and_what_cannot_be_undone(air, database) -> None:
    question_id = air.ask()
    with database.write.begin() as session:
        questions.answer_aloud(session, air.cast.smm, question_id, 3)
        questions.put_back(session, air.cast.smm, question_id)
        questions.ask(session, air.cast.smm, question_id, air.cast.departments["curators"], "?")
    assert air.question(question_id).state == "routed"
    with pytest.raises(Refused), database.write.begin() as session:
        questions.put_back(session, air.cast.smm, question_id)


def test_a_person_lifts_what_went_by(air, database) -> None:
    external_id = air.say("расскажите про цены")
    air.look()
    message = air.message(external_id)
    with database.write.begin() as session:
        made = questions.lift(session, air.cast.smm, message.id)
        assert questions.lift(session, air.cast.smm, message.id).id == made.id
    assert air.question(made.id).found_by == "person"


def test_open_ones_become_cases_and_the_books_balance(air, database) -> None:
    asked = [air.ask(f"Вопрос {n}?", f"Автор {n}") for n in range(6)]
    with database.write.begin() as session:
        questions.merge(session, air.cast.smm, asked[5], asked[4])
        questions.answer_aloud(session, air.cast.smm, asked[0], 9)
        questions.dismiss(session, air.cast.smm, asked[1], "off_topic")
        questions.ask(session, air.cast.smm, asked[2], air.cast.departments["curators"], "?")
        questions.hold(session, air.cast.smm, asked[3])  # somebody was still writing
        end(session, DESK, session.get_one(Broadcast, air.id))
    assert not air.books().balanced
    run_wraps(database)
    books = air.books()
    assert books.balanced
    assert books.ends == {"aloud": 1, "chat": 0, "routed": 1, "carried": 3, "dismissed": 1}
    assert air.row().state == "review"
    with database.write.begin() as session:
        assert session.scalar(select(func.count()).select_from(Case).where(Case.number.is_not(None))) == 4
        row = session.get_one(Broadcast, air.id)
        figures = figures_of(session, row)
        assert (figures.asked, figures.carried, figures.of_checks) == (6, 3, len(CHECKS))
        hand_in(session, air.cast.smm, air.id, "Прошло спокойно.", 311, row.version)
    assert air.row().state == "reported"
    assert air.row().report["figures"]["viewers"] == 311


def test_a_report_is_not_taken_while_something_is_open(air, database) -> None:
    air.ask()
    with database.write.begin() as session:
        end(session, DESK, session.get_one(Broadcast, air.id))
    with pytest.raises(Refused) as refused, database.write.begin() as session:
        hand_in(session, air.cast.smm, air.id, "", None, session.get_one(Broadcast, air.id).version)
    assert refused.value.code == "broadcast.open"


@given(st.sampled_from(STATES), st.sampled_from(STATES), st.sampled_from(["smm", "director", "observer"]))
def test_only_listed_moves_of_a_broadcast_by_whom_they_belong_to(before: str, after: str, role: str) -> None:
    row = Broadcast(state=before, version=1)
    actor = Actor(1, roles=frozenset({role}))
    right = MOVES.get((before, after))
    if right is not None and role == "smm":
        move(row, after, actor)
        assert row.state == after
        return
    with pytest.raises(DeskError) as refused:
        move(row, after, actor)
    assert row.state == before
    assert refused.value.code == ("broadcast.state" if right is None else "forbidden")


@given(st.sampled_from(["open", *SETTLED]), st.sampled_from(["open", *SETTLED]))
def test_only_listed_moves_of_a_question(before: str, after: str) -> None:
    row = BroadcastQuestion(state=before)
    if (before, after) in QUESTION_MOVES:
        check_question(row, after)
    else:
        with pytest.raises(Refused):
            check_question(row, after)


def test_every_state_can_be_reached_and_a_reported_one_is_final() -> None:
    reached = {"planned"}
    for _ in STATES:
        reached |= {to for (before, to) in MOVES if before in reached}
    assert reached == set(STATES)
    assert not [to for (before, to) in MOVES if before in ("reported", "moved")]
    assert {to for (before, to) in INCIDENT_MOVES if before == "reviewed"} == set()


def test_the_stream_is_read_on_without_holes(air, database) -> None:
    names = [air.say(f"слово {n}") for n in range(25)]
    with database.read.begin() as session:
        last = said_after(session, air.cast.smm, air.id, limit=5)
        assert [one.text for one in last] == [f"слово {n}" for n in range(20, 25)]
        first = said_after(session, air.cast.smm, air.id, 0, limit=10)
        rest = said_after(session, air.cast.smm, air.id, first[-1].id, limit=100)
        assert len(first) + len(rest) == len(names) + 1
