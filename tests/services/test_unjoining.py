"""A joining is taken back as a whole, or refused with words when something has come of it."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from models import Case, Clock, Draft, Event, Follower, Incident, Joining, Message, Note, Route, Source
from services.case_states import PARTED, STAGES, move
from services.cases import add_note, close
from services.errors import Forbidden, NotFound, Refused
from services.following import follow
from services.incidents.register import open_by_hand
from services.joining import join_cases, state_of
from services.messages import store_messages
from services.replies import save_draft, write_reply
from services.reports.upkeep import write_facts
from services.routing import answer_route, ask_department
from services.snoozes import snooze
from services.unjoining import joinings_of, part_cases
from tests.conftest import one_person
from tests.services.test_cases import label_all
from tests.services.test_sla import MONDAY


@pytest.fixture
def at(cast, database):
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).created_at = MONDAY - timedelta(days=1)
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def cases(cast, database, at) -> tuple[int, int]:
    """An older private case and a newer public one of another author, who are one person."""
    cast.private("Когда вернут занятие?", "Анна Яр", published_at=MONDAY)
    cast.write("Почему отменили занятие?", "anna_yar", published_at=MONDAY + timedelta(minutes=30))
    label_all(database)
    one_person(database, cast.smm)
    at.move_to(MONDAY + timedelta(hours=1))
    with database.read.begin() as session:
        first, second = session.scalars(select(Case.id).order_by(Case.id))
    return first, second


@pytest.fixture
def join(cast, database, act, at):
    """Joins them a minute later and gives the id of the joining."""

    def _join(gone: int, kept: int) -> int:
        at.shift(60)
        act(join_cases, cast.smm, gone, kept)
        at.shift(60)
        with database.read.begin() as session:
            return session.scalars(select(Joining.id).order_by(Joining.id.desc())).first()

    return _join


def picture(database, *case_ids: int) -> tuple:
    """What must be as it was: both cases, their clocks, and whose each row is."""
    with database.read.begin() as session:
        cases = [session.get_one(Case, one) for one in case_ids]
        rows = {
            table.__tablename__: sorted(map(tuple, session.execute(select(table.id, table.case_id))))
            for table in (Message, Note, Route, Follower, Draft)
        }
        dates = [(case.stage, case.open_key, case.due_at, case.warn_at) for case in cases]
        return state_of(session, *cases), rows, dates


def test_all_is_as_it_was(cast, database, cases, act, join) -> None:
    older, newer = cases
    act(add_note, cast.smm, older, "звонила", "n1")
    act(ask_department, cast.smm, older, cast.departments["curators"], "Когда?", "r1")
    act(follow, cast.head, older)
    act(follow, cast.smm, older)
    act(follow, cast.smm, newer)
    act(save_draft, cast.smm, older, "пишу")
    before = picture(database, older, newer)
    joining = join(older, newer)
    assert picture(database, older, newer) != before
    assert act(joinings_of, newer)[0][1].id == older
    assert act(part_cases, cast.smm, newer, joining).id == older
    assert picture(database, older, newer) == before
    assert act(joinings_of, newer) == act(joinings_of, older) == []
    with database.read.begin() as session:
        told = session.execute(select(Event.case_id, Event.object_id).where(Event.kind == "case.parted"))
        assert sorted(map(tuple, told)) == [(older, newer), (newer, older)]
    with database.write.begin() as session:
        assert write_facts(session, [older, newer]) == 0  # nothing that a rebuild would say otherwise
    act(answer_route, cast.curator, 1, "В среду")
    with database.read.begin() as session:
        assert (session.get_one(Case, older).lift, session.get_one(Case, newer).lift) == ("answer", "message")


def test_twice_is_once_and_joined_anew_it_can_be_parted_anew(cast, database, cases, act, join) -> None:
    before = picture(database, *cases)
    joining = join(*cases)
    for _ in range(2):
        act(part_cases, cast.smm, cases[1], joining)
    assert picture(database, *cases) == before
    again = join(*cases)
    act(part_cases, cast.smm, cases[0], again)
    assert picture(database, *cases) == before


def test_what_waited_for_its_author_waits_again(cast, database, cases, act, join) -> None:
    with database.write.begin() as session:
        for case_id in cases:
            move(session, session.get_one(Case, case_id), "author", cast.smm)
    before = picture(database, *cases)
    act(part_cases, cast.smm, cases[1], join(*cases))
    assert picture(database, *cases) == before


def test_one_that_was_put_off_comes_back_awake(cast, database, cases, act, join) -> None:
    for case_id in cases:
        act(snooze, cast.smm, case_id, None)
    act(part_cases, cast.smm, cases[1], join(*cases))
    with database.read.begin() as session:
        assert [session.get_one(Case, one).state for one in cases] == ["work", "work"]


def test_it_stands_in_its_incident_again(cast, database, cases, act, join) -> None:
    incident = act(open_by_hand, cast.head, [cases[0]], title="Нет доступа").id
    other = act(open_by_hand, cast.head, [cases[1]], title="Другое", theme="access").id
    joining = join(*cases)
    with database.read.begin() as session:
        assert session.get_one(Incident, incident).count == 0
    act(part_cases, cast.smm, cases[1], joining)
    with database.read.begin() as session:
        assert [session.get_one(Incident, one).count for one in (incident, other)] == [1, 1]


def test_after_an_answer_a_question_or_an_end_it_is_refused(cast, database, cases, act, join) -> None:
    older, newer = cases
    route_id = act(ask_department, cast.smm, older, cast.departments["curators"], "Когда?", "r1").id
    joining = join(older, newer)
    with pytest.raises(Forbidden):
        act(part_cases, cast.curator, newer, joining)
    with pytest.raises(NotFound):
        act(part_cases, cast.smm, newer, joining + 7)
    with pytest.raises(NotFound):
        act(part_cases, cast.smm, 99, joining)
    act(answer_route, cast.curator, route_id, "В среду")
    with pytest.raises(Refused, match=r"part\.since"):
        act(part_cases, cast.smm, newer, joining)
    act(close, cast.smm, newer, "other")
    with pytest.raises(Refused, match=r"part\.over"):
        act(part_cases, cast.smm, newer, joining)


def test_after_a_reply_it_is_refused(cast, database, cases, act, join) -> None:
    joining = join(*cases)
    act(write_reply, cast.smm, cases[1], "Завтра в десять.", "f1", message_id=1, then="keep")
    with pytest.raises(Refused, match=r"part\.since"):
        act(part_cases, cast.smm, cases[1], joining)


def test_what_the_author_has_written_there_anew_is_named(cast, database, cases, act, join) -> None:
    joining = join(*cases)
    item = cast.incoming("И когда вернут?", "Анна Яр", container="dialogue", publication=None)
    with database.write.begin() as session:
        store_messages(session, cast.source_id, "wordpress", [item])
    label_all(database)
    with database.read.begin() as session:
        fresh = session.scalars(select(Case).order_by(Case.id.desc())).first()
        gone = session.get_one(Case, cases[0])
    if fresh.subject_key == gone.subject_key:
        with pytest.raises(Refused, match=r"part\.written"):
            act(part_cases, cast.smm, cases[1], joining)
    else:
        act(part_cases, cast.smm, cases[1], joining)


def test_notes_and_marks_do_not_stand_in_the_way_and_stay(cast, database, cases, act, join) -> None:
    joining = join(*cases)
    act(add_note, cast.smm, cases[1], "перезвонить", "n1")
    act(part_cases, cast.smm, cases[1], joining)
    with database.read.begin() as session:
        assert session.scalars(select(Note.case_id)).all() == [cases[1]]


def test_the_later_joining_is_parted_first(cast, database, cases, act, join) -> None:
    cast.write("И почему молчите?", "anna_yar", container="other", publication=None,
               published_at=MONDAY + timedelta(minutes=40))  # fmt: skip
    label_all(database)
    with database.read.begin() as session:
        third = session.scalars(select(Case.id).order_by(Case.id.desc())).first()
    if third == cases[1]:
        pytest.skip("the same matter")
    one, two = join(cases[0], cases[1]), join(third, cases[1])
    with pytest.raises(Refused, match=r"part\.order"):
        act(part_cases, cast.smm, cases[1], one)
    act(part_cases, cast.smm, cases[1], two)
    act(part_cases, cast.smm, cases[1], one)
    with database.read.begin() as session:
        assert session.scalars(select(Clock.case_id).where(Clock.done_at.is_(None)).distinct()).all()
        assert all(session.get_one(Case, case_id).open_key for case_id in (*cases, third))


def test_only_open_states_are_come_back_to() -> None:
    assert {STAGES[to] for _state, to in PARTED} == {"new", "work", "wait"}
