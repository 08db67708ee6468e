"""One message of two matters: each has a case, a clock and an answer; joined again while nobody worked in it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models import Act, Case, Clock, Event, Excerpt, Message
from services.answered import past_answers
from services.bulks import begin_bulk, run_bulk, undo_bulk
from services.cases import add_note
from services.crm.forgetting import forget_words
from services.errors import Forbidden, NotFound, Refused
from services.excerpts import excerpt_of, parts_of
from services.filters import Filters
from services.inbox import list_cases, view_case
from services.parting import correct_kind, join_again, split_off
from services.questions import question_view
from services.replies import write_reply
from services.rights import Actor
from services.routing import ask_department
from tests.services.test_cases import label_all

BOTH = "Когда проверят домашку?\nИ ещё: списали   дважды, верните деньги."
SECOND = "списали дважды, верните деньги."


@pytest.fixture
def asked(cast, database) -> tuple[int, int]:
    """The case and the message."""
    cast.write(BOTH, "Анна Яр")
    label_all(database)
    with database.read.begin() as session:
        return session.scalars(select(Message.case_id)).one(), session.scalars(select(Message.id)).one()


def part(database, cast, asked, text=SECOND, key="f1") -> int:
    with database.write.begin() as session:
        return split_off(session, cast.smm, *asked, text, key, None).id


def test_the_words_are_a_case_of_their_own(cast, database, asked) -> None:
    made = part(database, cast, asked)
    assert part(database, cast, asked) == made
    with database.write.begin() as session:
        first, second = session.get_one(Case, asked[0]), session.get_one(Case, made)
        assert (second.author_id, second.publication_id, second.opened_at) == (
            first.author_id, first.publication_id, first.opened_at,
        )  # fmt: skip
        assert second.number not in (None, first.number)
        rows = {row.case.id: row.text for row in list_cases(session, cast.smm, Filters()).rows}
        assert rows == {asked[0]: BOTH, made: SECOND}
        clocks = {
            one: sorted(session.execute(select(Clock.kind, Clock.due_at).where(Clock.case_id == one)).all())
            for one in (asked[0], made)
        }
        assert clocks[made] == clocks[asked[0]]
        correct_kind(session, cast.smm, made, asked[1], "complaint")
        assert (second.label, second.sure, first.label) == ("complaint", True, "question")
        assert [e.message.id for e in view_case(session, cast.smm, made).thread] == [asked[1]]
        assert past_answers(session, cast.smm, made) == ()
        assert [one.case_id for one in parts_of(session, [asked[1]])[asked[1]]] == [made]
    cast.write("Спасибо за ответ! А когда?", "Анна Яр")
    label_all(database)
    with database.read.begin() as session:
        newest = session.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()
        assert newest.case_id == asked[0]


def test_a_kind_that_there_is_not_is_refused_and_many_at_once_mean_the_part(cast, database, asked) -> None:
    made = part(database, cast, asked)
    with database.write.begin() as session:
        with pytest.raises(Refused, match=r"label\.unknown"):
            correct_kind(session, cast.smm, made, asked[1], "x")
        with pytest.raises(Forbidden):
            correct_kind(session, cast.curator, made, asked[1], "wish")
        bulk_id = begin_bulk(session, cast.smm, "label", {"label": "wish"}, [made]).id
    run_bulk(database)
    with database.write.begin() as session:
        assert {one.id: one.label for one in session.scalars(select(Case))} == {asked[0]: "question", made: "wish"}
        undo_bulk(session, cast.smm, bulk_id)
    run_bulk(database)
    with database.read.begin() as session:
        first, second = session.get_one(Case, asked[0]), session.get_one(Case, made)
        assert (first.label, first.sure) == ("question", True)
        assert (second.label, second.sure) == (None, False)


def test_the_same_press_after_it_was_joined_again_makes_nothing(cast, database, asked) -> None:
    made = part(database, cast, asked)
    with database.write.begin() as session:
        join_again(session, cast.smm, made)
    assert part(database, cast, asked) == made
    with database.read.begin() as session:
        assert session.get_one(Case, made).state == "merged"
        assert session.scalars(select(Excerpt)).all() == []


def test_each_is_answered_under_the_same_message(cast, database, asked) -> None:
    made = part(database, cast, asked)
    with database.write.begin() as session:
        for case_id, text in ((made, "Вернём деньги до пятницы."), (asked[0], "Проверим сегодня.")):
            write_reply(session, cast.smm, case_id, text, f"k-{case_id}", message_id=asked[1], undo_seconds=0)
        with pytest.raises(NotFound):
            write_reply(session, cast.smm, made, "Чужое сообщение", "k9", message_id=999)
        acts = {act.case_id: act for act in session.scalars(select(Act))}
        assert {act.message_id for act in acts.values()} == {asked[1]}
        assert acts[made].text == "Вернём деньги до пятницы."
        assert {session.get_one(Case, one).state for one in acts} == {"solved"}


def test_a_department_sees_the_words_alone(cast, database, asked) -> None:
    made = part(database, cast, asked)
    with database.write.begin() as session:
        route = ask_department(session, cast.smm, made, cast.departments["curators"], "Проверьте", "r1")
        route_id = route.id
    with database.read.begin() as session:
        view = question_view(session, cast.curator, route_id)
        assert [(line.text, line.asked) for line in view.lines] == [(SECOND, True)]


@pytest.mark.parametrize(
    ("text", "why"),
    [("нет таких слов", "none"), ("..", "none"), ("", "none"), (BOTH, "whole"), (" ".join(BOTH.split()), "whole")],
)
def test_what_cannot_be_split_off(cast, database, asked, text, why) -> None:
    with pytest.raises(Refused, match=rf"excerpt\.{why}"):
        part(database, cast, asked, text)
    with database.read.begin() as session:
        assert session.scalars(select(Excerpt)).all() == []


def test_joined_again_while_nobody_worked_in_it(cast, database, asked) -> None:
    made = part(database, cast, asked)
    with database.write.begin() as session:
        with pytest.raises(Forbidden):
            join_again(session, cast.curator, made)
        assert join_again(session, cast.smm, made).id == asked[0]
        assert session.get_one(Case, made).state == "merged"
        assert excerpt_of(session, made) is None
        with pytest.raises(NotFound):
            join_again(session, cast.smm, made)
    other = part(database, cast, asked, key="f2")
    with database.write.begin() as session:
        add_note(session, cast.smm, other, "Звонили в банк", "n1")
        with pytest.raises(Refused, match=r"excerpt\.used"):
            join_again(session, cast.smm, other)
        kinds = list(session.scalars(select(Event.kind).where(Event.case_id == asked[0])))
        assert kinds.count("case.split_off") == 2
        assert kinds.count("case.joined_again") == 1


def test_erasing_the_author_erases_the_words(cast, database, asked) -> None:
    part(database, cast, asked)
    with database.write.begin() as session:
        author = session.scalars(select(Message.author_id)).one()
        forget_words(session, [author])
        assert list(session.scalars(select(Excerpt.text))) == [""]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.integers(0, len(BOTH)), st.integers(0, len(BOTH)))
def test_any_selection_is_a_part_or_is_refused(cast, database, asked, begin, end) -> None:
    chosen = BOTH[min(begin, end) : max(begin, end)]
    try:
        made = part(database, cast, asked, chosen, f"p-{begin}-{end}")
    except Refused:
        assert len("".join(chosen.split())) < 3 or chosen.split() == BOTH.split()
        return
    with database.read.begin() as session:
        found = excerpt_of(session, made)
        assert found is not None
        assert found.text in " ".join(BOTH.split())


def test_the_kind_of_a_part_is_said_by_who_may_say_a_kind(cast, database, asked) -> None:
    made = part(database, cast, asked)
    with database.write.begin() as session, pytest.raises(Forbidden) as refused:
        correct_kind(session, Actor(cast.smm.staff_id), made, asked[1], "complaint")
    assert refused.value.data["act"] == "message.label"
