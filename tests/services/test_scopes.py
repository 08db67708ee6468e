"""How far a right reaches: what another holds, whom the desk may choose by itself, who is asked for whom."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from models import BroadcastQuestion, Case, Route, Staff, StaffRole, utc_now
from services.agreement import save_agreement
from services.broadcasts.questions import answer_aloud, dismiss, hold, release
from services.errors import Refused, Stale
from services.responsibility import ANY_PLACE, ANY_THEME, set_cell
from services.routing import ask_department
from services.rules import SPREAD, save_rule
from tests.services.broadcasts.conftest import Air
from tests.services.test_cases import label_all


@pytest.fixture
def act(database):
    def _act(service, *given, **named):
        with database.write.begin() as session:
            return service(session, *given, **named)

    return _act


def takes_over(session, staff_id: int, *roles: str) -> None:
    """The person has these roles from now on, and no department."""
    session.execute(delete(StaffRole).where(StaffRole.staff_id == staff_id))
    session.add_all([StaffRole(staff_id=staff_id, role=role) for role in roles])
    session.flush()
    session.expire_all()


class TestWhatAnotherHolds:
    @pytest.fixture
    def question(self, cast, database, act) -> int:
        question_id = Air(cast, database).ask()
        act(hold, cast.smm, question_id)
        return question_id

    def test_nobody_else_settles_it(self, cast, act, question) -> None:
        with pytest.raises(Stale):
            act(dismiss, cast.head, question, "rude")
        with pytest.raises(Stale):
            act(hold, cast.head, question)
        act(answer_aloud, cast.smm, question, 60)

    def test_nobody_else_lets_it_go(self, cast, database, act, question) -> None:
        act(release, cast.head, question)
        with database.read.begin() as session:
            assert session.get_one(BroadcastQuestion, question).held_by_id == cast.smm.staff_id
        act(release, cast.smm, question)
        act(dismiss, cast.head, question, "rude")

    def test_it_is_not_held_for_ever(self, cast, act, question) -> None:
        act(
            lambda session: setattr(
                session.get_one(BroadcastQuestion, question), "held_until", utc_now() - timedelta(minutes=1)
            )
        )
        act(dismiss, cast.head, question, "rude")


class TestWhomTheDeskChooses:
    def test_an_incident_of_a_broadcast_is_asked_by_one_who_may(self, cast, database, act) -> None:
        air = Air(cast, database)
        act(takes_over, cast.head.staff_id, "administrator")
        air.say_all([("нет звука", f"Зритель {number}", number) for number in range(6)])
        air.look()
        with database.read.begin() as session:
            assert session.scalars(select(Route.asked_by_id)).all() == [cast.smm.staff_id]

    def test_a_rule_gives_nothing_to_whom_may_not_answer(self, cast, database, act) -> None:
        act(
            save_rule, cast.head, None, title="Всем поровну", conditions={"visibility": "public"},
            acts={"staff_id": SPREAD},
        )  # fmt: skip
        for number in range(4):
            cast.write(f"Когда урок {number}?", f"Автор {number}")
        label_all(database)
        with database.read.begin() as session:
            able = {cast.head.staff_id, cast.smm.staff_id}
            assert set(session.scalars(select(Case.assignee_id))) == able

    def test_who_lost_the_right_leads_nothing_new(self, cast, database, act) -> None:
        act(set_cell, cast.head, ANY_PLACE, ANY_THEME, staff_id=cast.smm.staff_id, department_id=None)
        act(takes_over, cast.smm.staff_id, "observer")
        cast.write("Когда урок?")
        label_all(database)
        with database.read.begin() as session:
            assert session.scalars(select(Case.assignee_id)).all() == [None]

    def test_who_left_the_department_is_not_asked_for_it(self, cast, database, act) -> None:
        unit = cast.departments["curators"]
        act(
            set_cell, cast.head, ANY_PLACE, ANY_THEME, staff_id=None, department_id=unit,
            asked_id=cast.curator.staff_id,
        )  # fmt: skip
        cast.write("Когда урок?")
        label_all(database)
        assert act(ask_department, cast.smm, 1, unit, "Когда?", "r1").staff_id == cast.curator.staff_id
        act(takes_over, cast.curator.staff_id, "observer")
        assert act(ask_department, cast.smm, 1, unit, "А теперь?", "r2").staff_id is None

    def test_whoever_answers_nobody_agrees_to_nothing(self, cast, database, act) -> None:
        with pytest.raises(Refused, match=r"agreement\.deputy"):
            act(save_agreement, cast.head, {"deputies": [cast.curator.staff_id]})
        with database.read.begin() as session:
            assert session.get_one(Staff, cast.curator.staff_id).active
