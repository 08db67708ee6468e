"""How far a right reaches: what another holds, whom the desk may choose by itself, who is asked for whom."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from models import Broadcast, BroadcastQuestion, Bulk, Case, Notice, Route, Staff, StaffRole, StaffSession, utc_now
from services.accounts import create_staff, set_active
from services.agreement import save_agreement
from services.broadcasts.feed import feed_token, person_of
from services.broadcasts.questions import answer_aloud, dismiss, hold, release
from services.broadcasts.schedule import on_air, watchers
from services.broadcasts.states import MOVES, move
from services.bulks import ACTS, begin_bulk, failures_of, run_bulk, undo_bulk
from services.entrance import end_session, open_login
from services.errors import Forbidden, NotFound, Refused, Stale
from services.notices import notices_of, see_all, see_notice
from services.people import edit_person, renew_password
from services.questions import count_answered, hand_back, question_view, send_answer
from services.responsibility import ANY_PLACE, ANY_THEME, set_cell
from services.rights import DESK, Actor, actor_of
from services.rota import set_day, set_week
from services.route_states import MOVES as ROUTE_MOVES
from services.routing import (
    _move,
    answer_route,
    ask_back,
    ask_department,
    count_owed,
    get_route,
    my_routes,
    open_route,
)
from services.rules import SPREAD, save_rule
from services.workload import switch_off
from tests.conftest import NOON
from tests.services.broadcasts.conftest import Air
from tests.services.test_cases import label_all


def takes_over(session, staff_id: int, *roles: str) -> None:
    """The person has these roles from now on, and no department."""
    session.execute(delete(StaffRole).where(StaffRole.staff_id == staff_id))
    session.add_all([StaffRole(staff_id=staff_id, role=role) for role in roles])
    session.flush()
    session.expire_all()


def deputy_director(cast, act) -> Actor:
    """Sees all questions and answers those of the curators."""

    def make(session):
        staff = create_staff(
            session, DESK, email="d@school.example", name="Юлия Дир", roles=["director", "manager"],
            department="curators",
        )  # fmt: skip
        return actor_of(session.get_one(Staff, staff.id))

    return act(make)


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
        """services/broadcasts/incidents.py: also where nobody watches."""
        air = Air(cast, database)
        act(takes_over, cast.head.staff_id, "administrator")
        act(lambda session: session.execute(update(Broadcast).values(staff_id=None)))
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


class TestTheQuestionsOfOthers:
    """services/routing.py, services/questions.py"""

    @pytest.fixture
    def routes(self, cast, database, act) -> dict[str, int]:
        """A question to the curators and one to the technical department, of one case."""
        cast.write("Когда урок? Позвоните +7 912 345-67-89", "Анна Яр")
        label_all(database)
        return {
            unit: act(ask_department, cast.smm, 1, cast.departments[unit], f"Что скажут {unit}?", unit).id
            for unit in ("curators", "technical")
        }

    def test_lists_and_counts_end_at_the_department(self, cast, database, act, routes) -> None:
        with database.read.begin() as session:
            for actor, met in ((cast.curator, ["curators"]), (cast.head, ["curators", "technical"])):
                assert [one.id for one in my_routes(session, actor)] == [routes[unit] for unit in met]
                assert count_owed(session, actor) == len(met)
                assert count_answered(session, actor) == 0
            assert count_owed(session, cast.smm) == 0
        act(answer_route, cast.tech, routes["technical"], "Починили")
        with database.read.begin() as session:
            assert (count_answered(session, cast.curator), count_answered(session, cast.head)) == (0, 1)
            assert my_routes(session, cast.curator, done=True) == []
            assert [one.id for one in my_routes(session, cast.tech, done=True)] == [routes["technical"]]

    def test_nobody_answers_for_another_department(self, cast, act, routes) -> None:
        for service in (answer_route, ask_back):
            with pytest.raises(NotFound):
                act(service, cast.curator, routes["technical"], "Мы знаем")
        with pytest.raises(NotFound):
            act(get_route, cast.curator, routes["technical"])
        both = deputy_director(cast, act)
        assert act(open_route, both, routes["technical"]).state == "sent"
        with pytest.raises(Forbidden):
            act(answer_route, both, routes["technical"], "Пусть")
        assert act(open_route, both, routes["curators"]).state == "opened"
        act(answer_route, both, routes["curators"], "В среду")

    def test_whoever_only_looks_does_not_open(self, cast, act, routes) -> None:
        looks = Actor(cast.curator.staff_id, roles=frozenset({"director"}), departments=cast.curator.departments)
        assert act(open_route, looks, routes["curators"]).state == "sent"
        assert act(open_route, cast.curator, routes["curators"]).state == "opened"

    def test_the_page_of_a_question_leads_on_within_the_department(self, cast, database, act, routes) -> None:
        both = deputy_director(cast, act)
        with database.read.begin() as session:

            def page(actor, unit):
                seen = question_view(session, actor, routes[unit])
                return seen.can_answer, seen.next_id

            assert page(cast.curator, "curators") == (True, None)
            assert page(cast.head, "curators") == (True, routes["technical"])
            assert page(both, "technical") == (False, routes["curators"])
            assert page(both, "curators") == (True, routes["technical"])

    def test_what_a_colleague_declined_is_declined_once(self, cast, act, routes) -> None:
        for _ in range(2):
            act(hand_back, cast.curator, routes["curators"], "не наш", None)
        with pytest.raises(Refused):
            act(hand_back, cast.head, routes["curators"], "не наш", None)

    def test_the_same_words_of_another_person_are_no_second_press(self, cast, act, routes) -> None:
        act(send_answer, cast.curator, routes["curators"], "В среду", None)
        act(send_answer, cast.curator, routes["curators"], "В среду", None)
        with pytest.raises(Refused):
            act(send_answer, cast.head, routes["curators"], "В среду", None)

    def test_a_question_of_a_colleague_is_not_listed(self, cast, database, act, routes) -> None:
        with database.write.begin() as session:
            session.get_one(Route, routes["curators"]).staff_id = cast.head.staff_id
        with database.read.begin() as session:
            assert (my_routes(session, cast.curator), count_owed(session, cast.curator)) == ([], 0)


class TestTheBell:
    """services/notices.py"""

    @pytest.fixture
    def told(self, cast, database, act) -> dict[str, int]:
        """One notice of the case for each of two."""
        cast.write("Когда урок?")
        label_all(database)

        def tell(session, actor):
            row = Notice(staff_id=actor.staff_id, kind="first.1", case_id=1)
            session.add(row)
            session.flush()
            return row.id

        return {name: act(tell, getattr(cast, name)) for name in ("smm", "head")}

    def test_is_of_one_person(self, cast, database, act, told) -> None:
        with database.read.begin() as session:
            assert [line.notice.id for line in notices_of(session, cast.smm)] == [told["smm"]]
        assert act(see_notice, cast.smm, told["head"]) is None
        act(see_all, cast.smm, 10**6)
        with database.read.begin() as session:
            assert session.get_one(Notice, told["head"]).seen_at is None
            assert session.get_one(Notice, told["smm"]).seen_at is not None

    def test_whoever_sees_no_cases_hears_of_none(self, cast, database, act, told) -> None:
        act(lambda session: setattr(session.get_one(Notice, told["smm"]), "staff_id", cast.curator.staff_id))
        with database.read.begin() as session:
            assert notices_of(session, cast.curator) == []


class TestOneself:
    def test_nobody_shuts_themselves_out(self, cast, act) -> None:
        act(create_staff, DESK, email="second@school.example", name="Анна Вторая", roles=["head", "administrator"])
        own = cast.head.staff_id
        with pytest.raises(Refused):
            act(set_active, cast.head, own, False)
        with pytest.raises(Refused, match=r"staff\.own_password"):
            act(renew_password, cast.head, own)

    def test_nobody_takes_the_right_over_people_from_themselves(self, cast, act) -> None:
        given = {"name": "Марина Котова", "roles": ["head"], "department": None}
        with pytest.raises(Refused, match=r"staff\.self_role"):
            act(edit_person, cast.head, cast.head.staff_id, **given)
        act(edit_person, cast.head, cast.smm.staff_id, **given)  # from another one, well and good
        act(edit_person, cast.head, cast.head.staff_id, **{**given, "roles": ["administrator"]})

    def test_who_answers_last_cannot_go(self, cast, act) -> None:
        with pytest.raises(NotFound):
            act(switch_off, cast.head, cast.smm.staff_id, cases_to=cast.curator.staff_id, duties_to=None)


class TestWhoIsNamed:
    def test_only_who_may_answer(self, cast, act) -> None:
        with pytest.raises(Refused, match=r"duty\.person"):
            act(
                save_rule, cast.head, None, title="Куратору", conditions={"visibility": "public"},
                acts={"staff_id": cast.curator.staff_id},
            )  # fmt: skip
        for service, given in ((set_week, {1: cast.curator.staff_id}), (set_day, NOON.date())):
            with pytest.raises(Refused, match=r"duty\.person"):
                act(service, cast.head, given, *([cast.curator.staff_id] if service is set_day else []))
        with pytest.raises(Refused, match=r"duty\.person"):
            act(set_cell, cast.head, ANY_PLACE, ANY_THEME, staff_id=cast.curator.staff_id, department_id=None)
        with pytest.raises(Refused, match=r"route\.person"):
            act(
                set_cell, cast.head, ANY_PLACE, ANY_THEME, staff_id=None,
                department_id=cast.departments["curators"], asked_id=cast.tech.staff_id,
            )  # fmt: skip

    def test_a_rule_leads_nobody_who_lost_the_right(self, cast, database, act) -> None:
        act(
            save_rule, cast.head, None, title="Дарье", conditions={"visibility": "public"},
            acts={"staff_id": cast.smm.staff_id},
        )  # fmt: skip
        act(takes_over, cast.smm.staff_id, "observer")
        cast.write("Когда урок?")
        label_all(database)
        with database.read.begin() as session:
            assert session.scalars(select(Case.assignee_id)).all() == [None]

    def test_broadcasts_are_seen_and_watched_by_who_may(self, cast, database, act) -> None:
        Air(cast, database)
        with database.read.begin() as session:
            assert (len(on_air(session, cast.smm)), on_air(session, cast.curator)) == (1, [])
            assert cast.curator.staff_id not in [one.id for one in watchers(session)]
            token = feed_token(b"k", session.get_one(Staff, cast.smm.staff_id))
            assert person_of(session, b"k", token).staff_id == cast.smm.staff_id
        act(takes_over, cast.smm.staff_id, "observer")
        with database.read.begin() as session, pytest.raises(NotFound):
            person_of(session, b"k", token)


def test_a_broadcast_is_moved_by_who_may_alone() -> None:
    for (state, to), right in MOVES.items():
        told = Broadcast(state=state, version=1)
        with pytest.raises(Forbidden) as refused:
            move(told, to, Actor(1))
        assert (refused.value.data["act"], told.state, told.version) == (right, state, 1)


def test_a_question_is_moved_by_who_may_alone() -> None:
    """services/routing.py; a request that belongs to no case asks for a right of its own."""
    for (state, to), right in ROUTE_MOVES.items():
        for case_id, wanted in ((1, right), (None, right.replace("case.route", "inquiry.ask"))):
            asked = Route(state=state, version=1, case_id=case_id)
            with pytest.raises(Forbidden) as refused:
                _move(None, asked, to, Actor(1))
            assert (refused.value.data["act"], asked.state, asked.version) == (wanted, state, 1)


def test_many_cases_at_once_are_changed_by_who_may_change_one(cast, database) -> None:
    for name, (right, _do, _undo) in ACTS.items():
        with database.write.begin() as session, pytest.raises(Forbidden) as refused:
            begin_bulk(session, Actor(1), name, {}, [1])
        assert refused.value.data["act"] == right


def test_who_lost_the_right_meanwhile_changes_no_more_cases(cast, database, act) -> None:
    """services/bulks.py: a kind that was uncertain is put back without asking for the right again."""
    cast.write("Когда урок?")
    label_all(database)
    act(lambda session: setattr(session.get_one(Case, 1), "sure", False))
    bulk_id = act(begin_bulk, cast.smm, "label", {"label": "complaint"}, [1]).id
    run_bulk(database)
    act(undo_bulk, cast.smm, bulk_id)
    act(takes_over, cast.smm.staff_id, "director")
    run_bulk(database)
    with database.read.begin() as session:
        back = session.scalars(select(Bulk).order_by(Bulk.id.desc())).first()
        assert [code for _case, code in failures_of(session, back)] == ["forbidden"]
        assert session.get_one(Case, 1).label == "complaint"


def test_a_browser_of_another_is_logged_out_by_who_may_alone(cast, database) -> None:
    with database.write.begin() as session:
        theirs = open_login(session, cast.head.staff_id, "Firefox")
        mine = open_login(session, cast.smm.staff_id, "Firefox")
    with database.write.begin() as session, pytest.raises(Forbidden):
        end_session(session, cast.smm, theirs)
    with database.write.begin() as session:
        assert end_session(session, cast.smm, mine).ended_at is not None
        assert session.get_one(StaffSession, theirs).ended_at is None
