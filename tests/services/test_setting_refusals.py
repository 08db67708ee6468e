"""A change that would leave no administrator, nobody to answer or a broken target is refused, naming it."""

import threading

import pytest
from sqlalchemy import select

from models import Staff
from services.accounts import create_staff, set_active
from services.agreement import agreement_of, save_agreement
from services.errors import DeskError, Refused
from services.people import edit_person
from services.responsibility import set_cell
from services.rights import DESK, actor_of
from services.rota import set_week
from services.rules import hand_rules, list_rules, save_rule, switch_rule
from services.settings.history import last_change
from services.settings.known import take_back
from services.workload import switch_off

WORDS = {"words": ["возврат"]}


def everybody(cast) -> dict[int, int]:
    return dict.fromkeys(range(7), cast.smm.staff_id)


def rename(session, cast, who, roles, unit=None):
    return edit_person(session, cast.head, who.staff_id, name="Дарья Лис", roles=roles, department=unit)


def clear_week(session, cast):
    set_week(session, cast.head, everybody(cast))
    session.flush()
    set_week(session, cast.head, {**everybody(cast), 3: None})


def clear_catch_all(session, cast):
    set_cell(session, cast.head, 0, "", staff_id=cast.smm.staff_id, department_id=None)
    set_cell(session, cast.head, 0, "", staff_id=None, department_id=None)


def go_with_the_duty(session, cast):
    set_week(session, cast.head, everybody(cast))
    switch_off(session, cast.head, cast.smm.staff_id, cases_to=None, duties_to=None)


def rule_to(session, cast, **given):
    acts = {"staff_id": cast.smm.staff_id}
    return save_rule(session, cast.head, None, **{"title": "Возвраты", "conditions": WORDS, "acts": acts, **given})


def rule_to_nobody(session, cast):
    session.get_one(Staff, cast.smm.staff_id).active = False
    rule_to(session, cast)


def rule_on_again(session, cast):
    rule = rule_to(session, cast)
    switch_rule(session, cast.head, rule.id, False)
    session.get_one(Staff, cast.smm.staff_id).active = False
    switch_rule(session, cast.head, rule.id, True)


def rule_without_an_act_on_again(session, cast):
    rule = rule_to(session, cast)
    hand_rules(session, cast.head, cast.smm.staff_id, None)
    switch_rule(session, cast.head, rule.id, True)


def cell_of_who_left(session, cast):
    session.get_one(Staff, cast.smm.staff_id).active = False
    set_cell(session, cast.head, 0, "", staff_id=cast.smm.staff_id, department_id=None)


def ask_of_a_stranger(session, cast):
    set_cell(session, cast.head, 0, "refund", staff_id=None, department_id=cast.departments["technical"],
             asked_id=cast.curator.staff_id)  # fmt: skip


def take_the_role_from_who_leads(session, cast):
    set_cell(session, cast.head, 0, "refund", staff_id=cast.smm.staff_id, department_id=None)
    rule_to(session, cast)
    rename(session, cast, cast.smm, ["observer"])


def move_who_is_asked(session, cast):
    set_cell(session, cast.head, 0, "refund", staff_id=None, department_id=cast.departments["curators"],
             asked_id=cast.curator.staff_id)  # fmt: skip
    rename(session, cast, cast.curator, ["manager"], "technical")


def last_who_answers(session, cast):
    edit_person(session, cast.head, cast.head.staff_id, name="М", roles=["administrator"], department=None)
    rename(session, cast, cast.smm, ["observer"])


def last_administrator(session, cast):
    other = create_staff(session, DESK, email="a@school.example", name="А", roles=("administrator", "smm"))
    edit_person(session, actor_of(other), cast.head.staff_id, name="М", roles=["head"], department=None)
    edit_person(session, DESK, other.id, name="А", roles=["smm"], department=None)


def deputy_who_answers_nobody(session, cast):
    save_agreement(session, cast.head, {"deputies": [cast.curator.staff_id]})


def take_back_somebody_who_left(session, cast):
    set_cell(session, cast.head, 0, "", staff_id=cast.smm.staff_id, department_id=None)
    set_cell(session, cast.head, 0, "", staff_id=cast.head.staff_id, department_id=None)
    session.get_one(Staff, cast.smm.staff_id).active = False
    take_back(session, cast.head, "duties", 1)


def take_back_a_rule_of_who_left(session, cast):
    rule = rule_to(session, cast)
    switch_rule(session, cast.head, rule.id, False)
    session.get_one(Staff, cast.smm.staff_id).active = False
    take_back(session, cast.head, "rules", 1)


def take_back_a_week_without_anybody(session, cast):
    set_week(session, cast.head, everybody(cast))
    take_back(session, cast.head, "rota", 0)


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        (clear_week, "duty.left", "Блог 1"),
        (clear_catch_all, "duty.left", "Блог 1"),
        (go_with_the_duty, "duty.left", "Блог 1"),
        (take_back_a_week_without_anybody, "duty.left", "Блог 1"),
        (rule_to_nobody, "duty.person", "Дарья Лис"),
        (rule_on_again, "duty.person", "Дарья Лис"),
        (rule_without_an_act_on_again, "rule.no_act", None),
        (cell_of_who_left, "duty.person", "Дарья Лис"),
        (ask_of_a_stranger, "route.person", "Олег Сомов"),
        (take_the_role_from_who_leads, "staff.named", "Дарья Лис"),
        (move_who_is_asked, "staff.named", "Дарья Лис"),
        (last_who_answers, "staff.last_desk", None),
        (last_administrator, "staff.last", None),
        (deputy_who_answers_nobody, "agreement.deputy", "Олег Сомов"),
        (take_back_somebody_who_left, "duty.person", "Дарья Лис"),
        (take_back_a_rule_of_who_left, "duty.person", "Дарья Лис"),
    ],
)
def test_it_is_refused_and_named(database, cast, change, code, named) -> None:
    with pytest.raises(DeskError) as refused, database.write.begin() as session:
        change(session, cast)
    assert refused.value.code == code
    assert named is None or refused.value.data["name"] == named
    with database.read.begin() as session:  # and nothing of it is left
        assert all(last_change(session, name).number == 0 for name in ("rota", "duties", "rules", "agreement"))


def test_which_settings_name_the_person_is_said(database, cast) -> None:
    with database.write.begin() as session:
        save_agreement(session, cast.head, {"deputies": [cast.smm.staff_id]})
        set_week(session, cast.head, everybody(cast))
    with pytest.raises(Refused) as refused, database.write.begin() as session:
        take_the_role_from_who_leads(session, cast)
    assert refused.value.data["settings"] == ["duties", "rota", "rules", "agreement"]


def test_what_is_not_broken_goes_on(database, cast) -> None:
    with database.write.begin() as session:
        set_cell(session, cast.head, 0, "refund", staff_id=cast.smm.staff_id, department_id=None)
        rename(session, cast, cast.smm, ["smm", "sales"])
        set_week(session, cast.head, everybody(cast))
        set_cell(session, cast.head, 0, "", staff_id=cast.head.staff_id, department_id=None)
        set_week(session, cast.head, {})  # the first cell catches all
        save_agreement(session, cast.head, {"deputies": [cast.smm.staff_id]})
        switch_off(session, cast.head, cast.smm.staff_id, cases_to=None, duties_to=None)
        assert agreement_of(session).deputies == frozenset()
        assert [rule.active for rule in list_rules(session)] == []


def test_two_administrators_who_switch_one_another_off_at_once_leave_one(database, cast) -> None:
    with database.write.begin() as session:
        other = actor_of(create_staff(session, DESK, email="b@school.example", name="Б", roles=("administrator",)))
    start, said = threading.Barrier(2), []

    def off(actor, staff_id) -> None:
        start.wait(10)
        try:
            with database.write.begin() as session:
                set_active(session, actor, staff_id, False)
        except Refused as error:
            said.append(error.code)

    pairs = [(cast.head, other.staff_id), (other, cast.head.staff_id)]
    threads = [threading.Thread(target=off, args=pair) for pair in pairs]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert said == ["staff.last"]
    with database.read.begin() as session:
        left = session.scalars(select(Staff.active).where(Staff.id.in_([cast.head.staff_id, other.staff_id]))).all()
        assert sorted(left) == [False, True]
