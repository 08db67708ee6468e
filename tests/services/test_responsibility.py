"""«Кто за что отвечает»: the nearest word counts; new cases and questions follow it; nothing is left to nobody."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from models import Case, Delivery, Event, Responsibility, Route, RouteLine, Staff, Study, utc_now
from services.accounts import create_staff
from services.errors import Forbidden, NotFound, Refused
from services.responsibility import (
    asked_person,
    duty_for,
    duty_of_case,
    fill_defaults,
    set_cell,
    table_of,
    theme_of,
)
from services.rights import DESK, actor_of
from services.routing import answer_route, ask_back, ask_department, clarify
from services.workload import count_free, distribute, holdings_of, loads, switch_off
from tests.conftest import one_person
from tests.services.test_cases import label_all

HOMEWORK = "Когда проверят домашку?"
THEMES = ("", "homework", "payment")
cells = st.dictionaries(
    st.tuples(st.sampled_from([0, 1, 2]), st.sampled_from(THEMES)),
    st.tuples(st.none() | st.integers(1, 3), st.none() | st.integers(1, 3)),
)


def row(staff_id: int | None, department_id: int | None) -> Responsibility:
    return Responsibility(staff_id=staff_id, department_id=department_id)


@given(cells, st.integers(0, 2), st.sampled_from(THEMES))
def test_the_nearest_word_counts(table, place, theme) -> None:
    found = duty_for({key: row(*value) for key, value in table.items()}, place, theme)
    order = [(place, theme), (0, theme), (place, ""), (0, "")]
    for at, told in ((0, found.staff_id), (1, found.department_id)):
        said = [table[key][at] for key in order if key in table and table[key][at] is not None]
        assert told == (said[0] if said else None)


def test_a_theme_is_told_of_a_text() -> None:
    assert theme_of(HOMEWORK) == "homework"
    assert theme_of("ммм") == ""


def test_new_cases_go_to_whom_the_table_names(cast, database) -> None:
    with database.write.begin() as session:
        set_cell(session, cast.head, 0, "homework", staff_id=cast.smm.staff_id, department_id=None)
        set_cell(session, cast.head, cast.source_id, "", staff_id=cast.head.staff_id, department_id=None)
    cast.write(HOMEWORK, "Анна")
    cast.write("Где вебинар?", "Борис")
    label_all(database)
    with database.read.begin() as session:
        led = {case.author_id: case.assignee_id for case in session.scalars(select(Case))}
        assert sorted(led.values()) == sorted([cast.smm.staff_id, cast.head.staff_id])
        assert session.scalars(select(Event).where(Event.kind == "case.assigned")).all()


def test_whoever_may_not_answer_is_given_nothing(cast, database) -> None:
    with database.write.begin() as session:
        set_cell(session, cast.head, 0, "", staff_id=cast.smm.staff_id, department_id=None)
        session.get_one(Staff, cast.smm.staff_id).active = False
    cast.write(HOMEWORK)
    label_all(database)
    with database.read.begin() as session:
        assert session.scalars(select(Case.assignee_id)).one() is None


def test_a_question_goes_to_whom_the_table_names_there(cast, database) -> None:
    with database.write.begin() as session:
        nina = create_staff(session, DESK, email="n@school.example", name="Нина", roles=("manager",),
                            department="curators").id  # fmt: skip
        set_cell(session, cast.head, 0, "homework", staff_id=None, department_id=cast.departments["curators"],
                 asked_id=nina)  # fmt: skip
    cast.write(HOMEWORK)
    label_all(database)
    with database.write.begin() as session:
        case = session.scalars(select(Case)).one()
        assert duty_of_case(session, case).department_id == cast.departments["curators"]
        asked = ask_department(session, cast.smm, case.id, cast.departments["curators"], "Когда?", "k1")
        other = ask_department(session, cast.smm, case.id, cast.departments["technical"], "Когда?", "k2")
        assert (asked.staff_id, other.staff_id) == (nina, None)
        assert {d.staff_id for d in session.scalars(select(Delivery))} == {nina, cast.tech.staff_id}


def test_a_question_goes_to_whoever_leads_the_group_of_the_author(cast, database) -> None:
    """Before whom the table names, as long as she answers for that department; two curators are no answer."""
    curators, technical = cast.departments["curators"], cast.departments["technical"]
    with database.write.begin() as session:
        nina = create_staff(session, DESK, email="n@school.example", name="Нина", roles=("manager",),
                            department="curators").id  # fmt: skip
        set_cell(session, cast.head, 0, "homework", staff_id=None, department_id=curators, asked_id=nina)
    cast.write(HOMEWORK)
    label_all(database)
    client_id = one_person(database, cast.head)
    with database.write.begin() as session:
        case = session.scalars(select(Case)).one()
        past = utc_now().date() - timedelta(days=1)
        session.add(Study(client_id=client_id, course="Испанский", curator="Тимур Гараев", ended_on=past))
        mine = Study(client_id=client_id, course="Английский", group_name="А-12", curator="олег  сомов")
        session.add(mine)
        session.flush()
        assert asked_person(session, case, curators) == cast.curator.staff_id
        assert asked_person(session, case, technical) is None
        session.add(Study(client_id=client_id, course="Немецкий", curator="Нина"))
        session.flush()
        set_cell(session, cast.head, 0, "homework", staff_id=None, department_id=curators)
        assert asked_person(session, case, curators) is None


def test_an_empty_cell_is_shown_until_somebody_answers(cast, database) -> None:
    with database.write.begin() as session:
        assert [place.id for place in table_of(session).gaps] == [cast.source_id]
        set_cell(session, cast.head, cast.source_id, "", staff_id=cast.smm.staff_id, department_id=None)
        assert table_of(session).gaps == ()
        set_cell(session, cast.head, 0, "", staff_id=cast.head.staff_id, department_id=None)
        set_cell(session, cast.head, cast.source_id, "", staff_id=None, department_id=None)
        assert [row.place for row in session.scalars(select(Responsibility))] == [0]
    with database.write.begin() as session, pytest.raises(Refused) as refused:  # nobody would be left
        set_cell(session, cast.head, 0, "", staff_id=None, department_id=None)
    assert (refused.value.code, refused.value.data["name"]) == ("duty.left", "Блог 1")


def test_defaults_name_departments_and_leave_what_was_said(cast, database) -> None:
    with database.write.begin() as session:
        set_cell(session, cast.head, 0, "homework", staff_id=None, department_id=cast.departments["head"])
        assert fill_defaults(session, cast.head) > 10
        assert fill_defaults(session, cast.head) == 0
        found = table_of(session).cells
        assert found[0, "homework"].department_id == cast.departments["head"]
        assert found[0, "refund"].department_id == cast.departments["accounting"]


def test_who_may_and_what_is_refused(cast, database) -> None:
    with database.write.begin() as session:
        with pytest.raises(Forbidden):
            set_cell(session, cast.smm, 0, "", staff_id=cast.smm.staff_id, department_id=None)
        with pytest.raises(Forbidden):
            fill_defaults(session, cast.curator)
        units = cast.departments
        for wrong in (
            {"staff_id": cast.curator.staff_id, "department_id": None},
            {"staff_id": 999, "department_id": None},
            {"staff_id": None, "department_id": units["curators"], "asked_id": cast.tech.staff_id},
        ):
            with pytest.raises(Refused):
                set_cell(session, cast.head, 0, "", **wrong)
        with pytest.raises(Refused):
            set_cell(session, cast.head, 0, "нет", staff_id=cast.smm.staff_id, department_id=None)
        with pytest.raises(NotFound):
            set_cell(session, cast.head, 99, "", staff_id=cast.smm.staff_id, department_id=None)


def test_free_cases_are_given_out_evenly(cast, database) -> None:
    for number in range(7):
        cast.write("Где вебинар?", f"Автор {number}")
    label_all(database)
    with database.write.begin() as session:
        assert count_free(session) == 7
        with pytest.raises(Forbidden):
            distribute(session, cast.curator, [cast.smm.staff_id])
        with pytest.raises(Refused):
            distribute(session, cast.head, [cast.curator.staff_id])
        assert distribute(session, cast.head, [cast.smm.staff_id, cast.head.staff_id]) == 7
        assert sorted(load.cases for load in loads(session)) == [3, 4]
        assert count_free(session) == 0


def test_switching_off_says_where_everything_goes(cast, database) -> None:
    with database.write.begin() as session:
        set_cell(session, cast.head, 0, "", staff_id=cast.smm.staff_id, department_id=None)
    cast.write(HOMEWORK)
    label_all(database)
    with database.write.begin() as session:
        held = holdings_of(session, cast.smm.staff_id)
        assert (held.cases, held.duties) == (1, 1)
        with pytest.raises(NotFound):
            switch_off(session, cast.head, cast.smm.staff_id, cases_to=cast.curator.staff_id, duties_to=None)
    with database.write.begin() as session, pytest.raises(Refused, match=r"duty\.left"):
        switch_off(session, cast.head, cast.smm.staff_id, cases_to=cast.head.staff_id, duties_to=None)
    head = cast.head.staff_id
    with database.write.begin() as session:
        switch_off(session, cast.head, cast.smm.staff_id, cases_to=head, duties_to=head)
        assert holdings_of(session, cast.smm.staff_id).is_empty
        assert session.scalars(select(Case.assignee_id)).one() == cast.head.staff_id


def test_questions_of_whoever_left_are_open_to_the_department(cast, database) -> None:
    cast.write(HOMEWORK)
    label_all(database)
    with database.write.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
        route = ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда?", "k1",
                               staff_id=cast.curator.staff_id)  # fmt: skip
        switch_off(session, cast.head, cast.curator.staff_id, cases_to=None, duties_to=None)
        assert session.get_one(Route, route.id).staff_id is None


def test_the_last_administrator_stays(cast, database) -> None:
    with database.write.begin() as session:
        other = create_staff(session, DESK, email="a@school.example", name="А", roles=("administrator",))
        switch_off(session, actor_of(other), cast.head.staff_id, cases_to=None, duties_to=None)
        with pytest.raises(Refused, match=r"staff\.last"):
            switch_off(session, DESK, other.id, cases_to=None, duties_to=None)


def test_the_department_asks_back_and_is_told_more(cast, database, ask, send, box) -> None:
    route_id = ask()
    with database.write.begin() as session:
        with pytest.raises(Refused):
            ask_back(session, cast.curator, route_id, "  ")
        ask_back(session, cast.curator, route_id, "Какой урок?")
        case = session.scalars(select(Case)).one()
        assert (session.get_one(Route, route_id).state, case.lift) == ("clarify", "clarify")
        with pytest.raises(Forbidden):
            clarify(session, cast.curator, route_id, "Третий")
        clarify(session, cast.smm, route_id, "Третий урок")
        assert case.lift is None
        assert [line.text for line in session.scalars(select(RouteLine).order_by(RouteLine.id))] == [
            "Какой урок?", "Третий урок",
        ]  # fmt: skip
        for row in session.scalars(select(Delivery)):
            row.due_at = row.created_at
    send()
    assert "Уточнили: Третий урок" in box.letters[0][2]
    with database.write.begin() as session:
        answer_route(session, cast.curator, route_id, "В среду")
