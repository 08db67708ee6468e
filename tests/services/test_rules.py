"""Rules: every named condition must hold, the first that holds decides, and a dry run changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from models import Case, Event, Notice, Rule, Staff
from services.errors import Forbidden, NotFound, Refused
from services.responsibility import set_cell
from services.rules import (
    Matter,
    drop_rule,
    first_that_holds,
    holds,
    list_rules,
    move_rule,
    save_rule,
    switch_rule,
    try_rule,
)
from tests.services.test_cases import label_all
from tests.services.test_races import at_once

MATTER = Matter("Возвращу ли я деньги? Ёлки", 1, "public", "question", "refund")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["возвра"], True), (["ВОЗВРАЩУ"], True), (["елки"], True), (["деньги?"], True), (["озвра"], False),
        (["нет", "деньг"], True), (["(a+)+$"], False), ([".*"], False),
    ],
)  # fmt: skip
def test_words_are_beginnings_of_words_and_never_patterns(words, found) -> None:
    assert holds({"words": words}, MATTER) is found


@given(st.fixed_dictionaries({}, optional={
    "place": st.sampled_from([1, 2]), "visibility": st.sampled_from(["public", "private"]),
    "label": st.sampled_from(["question", "wish"]), "theme": st.sampled_from(["refund", "access"]),
}))  # fmt: skip
def test_every_named_condition_must_hold(conditions) -> None:
    assert holds(conditions, MATTER) is all(getattr(MATTER, name) == value for name, value in conditions.items())


def make(session, actor, title="Возвраты", staff_id=None, **conditions) -> Rule:
    return save_rule(session, actor, None, title=title, conditions=conditions or {"words": ["возврат"]},
                     acts={"staff_id": staff_id if staff_id is not None else actor.staff_id})  # fmt: skip


def test_the_first_that_holds_decides_and_the_table_has_the_rest(cast, database) -> None:
    with database.write.begin() as session:
        first = make(session, cast.head, "Первое", words=["возврат"])
        make(session, cast.head, "Второе", staff_id=cast.smm.staff_id, visibility="public", words=["возврат"])
        set_cell(session, cast.head, 0, "", staff_id=cast.smm.staff_id, department_id=None)
        first_id = first.id
    cast.write("Как оформить возврат?", "Анна")
    cast.write("Где вебинар?", "Борис")
    label_all(database)
    with database.read.begin() as session:
        led = dict(session.execute(select(Event.object_id, func.count()).where(Event.kind == "rule.applied")
                                   .group_by(Event.object_id)).all())  # fmt: skip
        assert led == {first_id: 1}
        assert session.get_one(Rule, first_id).hits == 1
        assert sorted(session.scalars(select(Case.assignee_id))) == sorted([cast.head.staff_id, cast.smm.staff_id])


def test_whoever_has_least_gets_it_and_a_bell_rings(cast, database) -> None:
    with database.write.begin() as session:
        save_rule(session, cast.head, None, title="Всем поровну", conditions={"visibility": "public"},
                  acts={"staff_id": 0, "tell": cast.head.staff_id})  # fmt: skip
    for number in range(4):
        cast.write("Где вебинар?", f"Автор {number}")
        label_all(database)
    with database.read.begin() as session:
        numbers = session.execute(select(Case.assignee_id, func.count()).group_by(Case.assignee_id)).all()
        assert {row[1] for row in numbers} == {2}
        assert session.scalar(select(func.count()).select_from(Notice)) == 4


def test_a_rule_for_whoever_left_gives_to_nobody(cast, database) -> None:
    with database.write.begin() as session:
        make(session, cast.head, staff_id=cast.smm.staff_id)
        session.get_one(Staff, cast.smm.staff_id).active = False
    cast.write("Как оформить возврат?")
    label_all(database)
    with database.read.begin() as session:
        assert session.scalars(select(Case.assignee_id)).one() is None


def test_a_dry_run_tells_and_changes_nothing(cast, database) -> None:
    cast.write("Как оформить возврат?", "Анна")
    cast.write("Где вебинар?", "Борис")
    label_all(database)
    with database.write.begin() as session:
        before = session.scalar(select(func.count()).select_from(Event))
        trial = try_rule(session, {"words": ["возврат"]})
        assert (trial.tried, len(trial.caught)) == (2, 1)
        assert session.scalar(select(func.count()).select_from(Event)) == before


def test_order_switch_and_removal(cast, database) -> None:
    with database.write.begin() as session:
        ids = [make(session, cast.head, f"Правило {number}").id for number in range(3)]
        move_rule(session, cast.head, ids[2], up=True)
        assert [rule.id for rule in list_rules(session)] == [ids[0], ids[2], ids[1]]
        move_rule(session, cast.head, ids[0], up=True)  # it is the first already
        switch_rule(session, cast.head, ids[0], False)
        matter = Matter("возврат", 1, "public", None, "")
        found = first_that_holds(list_rules(session), matter)
        assert found is not None
        assert found.id == ids[2]
        drop_rule(session, cast.head, ids[2])
        with pytest.raises(NotFound):
            move_rule(session, cast.head, ids[2], up=True)


def test_who_may_and_what_is_refused(cast, database) -> None:
    good = {"title": "Т", "conditions": {"words": ["да"]}, "acts": {"staff_id": cast.smm.staff_id}}
    with database.write.begin() as session:
        for nobody in (cast.smm, cast.curator):
            with pytest.raises(Forbidden):
                save_rule(session, nobody, None, **good)
        for wrong in (
            {"title": "  "}, {"conditions": {}}, {"conditions": {"words": ["а"]}}, {"acts": {}},
            {"conditions": {"label": "нет"}}, {"conditions": {"theme": "нет"}},
            {"acts": {"staff_id": cast.curator.staff_id}}, {"acts": {"tell": 999}},
        ):  # fmt: skip
            with pytest.raises(Refused):
                save_rule(session, cast.head, None, **{**good, **wrong})
        with pytest.raises(NotFound):
            save_rule(session, cast.head, None, **{**good, "conditions": {"place": 999}})


def test_a_new_rule_that_is_sent_twice_stands_once(cast, database) -> None:
    def send(session) -> None:
        save_rule(session, cast.head, None, title="Возвраты", conditions={"words": ["возврат"]},
                  acts={"staff_id": cast.head.staff_id}, form_key="form-1")  # fmt: skip

    assert at_once(database, send, send, send) == ["ok"] * 3
    with database.write.begin() as session:
        send(session)
        assert [rule.form_key for rule in list_rules(session)] == ["form-1"]
