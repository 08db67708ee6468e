"""Questions to departments: every transition as the table says, and nobody sees what is not theirs."""

import itertools

import pytest
from sqlalchemy import select

from models import Case, Route
from services.errors import DeskError, Forbidden, NotFound, Refused
from services.route_states import MOVES, STATES
from services.routing import (
    answer_route,
    ask_department,
    count_owed,
    decline_route,
    get_route,
    my_routes,
    open_route,
    recall_route,
    return_route,
)
from tests.services.test_cases import label_all


@pytest.fixture
def route_id(cast, database) -> int:
    cast.write("Когда проверят домашку?")
    label_all(database)
    with database.write.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
        return ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда?", "r-1").id


def test_the_question_goes_out_and_the_answer_comes_home(cast, database, route_id) -> None:
    with database.write.begin() as session:
        case = session.scalars(select(Case)).one()
        assert (case.state, case.stage) == ("department", "wait")
        assert count_owed(session, cast.curator) == 1
        assert count_owed(session, cast.tech) == 0
        open_route(session, cast.curator, route_id)
        answer_route(session, cast.curator, route_id, "До пятницы.")
    with database.read.begin() as session:
        case = session.scalars(select(Case)).one()
        assert (case.state, case.lift) == ("work", "answer")
        assert my_routes(session, cast.curator) == []
        assert [r.answer for r in my_routes(session, cast.curator, done=True)] == ["До пятницы."]


def test_another_department_sees_nothing(cast, database, route_id) -> None:
    with database.write.begin() as session:
        for act in (get_route, open_route):
            with pytest.raises(NotFound):
                act(session, cast.tech, route_id)
        with pytest.raises(NotFound):
            answer_route(session, cast.tech, route_id, "Наш ответ")
        with pytest.raises(Forbidden):
            get_route(session, cast.smm, route_id)
        with pytest.raises(Forbidden):
            ask_department(session, cast.curator, 1, cast.departments["technical"], "?", "x")


def test_several_departments_the_case_waits_for_the_last_but_is_lifted_by_each(cast, database, route_id) -> None:
    with database.write.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
        second = ask_department(session, cast.smm, case_id, cast.departments["technical"], "Сайт лежит?", "r-2").id
        answer_route(session, cast.curator, route_id, "До пятницы.")
        case = session.get_one(Case, case_id)
        assert (case.state, case.lift) == ("department", "answer")
        decline_route(session, cast.tech, second, "", cast.departments["curators"])
        assert (case.state, case.lift) == ("work", "declined")


def test_three_returns_and_then_the_head(cast, database, route_id) -> None:
    with database.write.begin() as session:
        for _ in range(3):
            answer_route(session, cast.curator, route_id, "Не знаю.")
            return_route(session, cast.smm, route_id, "Нужна дата")
        answer_route(session, cast.curator, route_id, "Не знаю.")
        with pytest.raises(Refused):
            return_route(session, cast.smm, route_id, "Нужна дата")


def test_recalling_brings_the_case_home(cast, database, route_id) -> None:
    with database.write.begin() as session:
        recall_route(session, cast.smm, route_id)
        assert session.scalars(select(Case)).one().state == "work"


def test_the_same_form_twice_is_one_question(cast, database, route_id) -> None:
    with database.write.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
        again = ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда?", "r-1")
        assert again.id == route_id


ACTS = {
    "answered": lambda s, c, r: answer_route(s, c.curator, r, "Ответ"),
    "declined": lambda s, c, r: decline_route(s, c.curator, r, "Не наше", None),
    "recalled": lambda s, c, r: recall_route(s, c.smm, r),
    "sent": lambda s, c, r: return_route(s, c.smm, r, "Не то"),
}


def test_every_pair_as_the_table_says(cast, database, route_id) -> None:
    for state, to in itertools.product(STATES, ACTS):
        with database.write.begin() as session:
            route = session.get_one(Route, route_id)
            route.state, route.returns = state, 0
            session.flush()
            if (state, to) in MOVES:
                ACTS[to](session, cast, route_id)
                assert route.state == to
            else:
                with pytest.raises(DeskError):
                    ACTS[to](session, cast, route_id)
