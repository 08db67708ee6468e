"""Versions of settings: none is ever lost, each can be brought back, and what is brought back is a version too."""

import threading
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, update

from models import DutyDay, Event, Fact, FactUse, Rule, Setting, SettingVersion, Staff
from services.absences import local_day
from services.errors import Forbidden, NotFound, Refused, Stale
from services.facts import NAME as FACTS
from services.facts import list_facts, outdated_replies, save_fact
from services.facts import snapshot as facts_now
from services.mailbox import NAME as MAIL
from services.mailbox import stored_mail
from services.replies import write_reply
from services.responsibility import set_cell
from services.rota import DAYS, hand_days, set_day, set_week
from services.rules import drop_rule, list_rules, move_rule, save_rule, switch_rule
from services.search import SYNONYMS, set_synonyms
from services.settings.history import (
    changes_in,
    expect,
    first_broken,
    get_version,
    keep,
    keeping,
    last_change,
    value_of,
    versions_of,
)
from services.settings.known import KNOWN, look, take_back
from tests.services.test_cases import label_all

LINES = st.sampled_from(["скидка, акция", "урок, занятие", "скидка, акция\nурок, занятие", ""])
THEMES = st.sampled_from(["", "refund", "payment"])


class Changes(RuleBasedStateMachine):
    """Random changes by random people, some refused, with any version brought back in between."""

    database, cast = None, None

    @initialize()
    def _begin(self):
        with self.database.read.begin() as session:
            self.values = {name: KNOWN[name].read(session) for name in (SYNONYMS, "rota", "duties", "rules")}
            self.versions = {name: self._all(session, name) for name in self.values}

    def _all(self, session, name):
        query = select(SettingVersion).where(SettingVersion.name == name)
        return {row.number: row.value for row in session.scalars(query)}

    def _do(self, name, expected, act):
        """``expected``: what the model says the value is now, None where only what was refused may differ."""
        try:
            with self.database.write.begin() as session:
                act(session, self.cast.head)
        except Refused:
            return
        with self.database.read.begin() as session:
            now = KNOWN[name].read(session)
        if expected is not None:
            assert now == expected
        self.values[name] = now

    @rule(lines=LINES)
    def synonyms(self, lines):
        groups = [[word.strip() for word in line.split(",")] for line in lines.splitlines()]
        self._do(SYNONYMS, {"groups": groups}, lambda s, a: set_synonyms(s, a, lines))

    @rule(day=st.integers(0, 6), there=st.booleans())
    def duty(self, day, there):
        week = {int(on): one for on, one in (self.values["rota"] or {}).get("week", {}).items()}
        week[day] = self.cast.smm.staff_id if there else None
        kept = {"week": {str(on): one for on, one in sorted(week.items()) if one is not None}}
        self._do("rota", kept, lambda s, a: set_week(s, a, week))

    @rule(theme=THEMES, there=st.booleans())
    def cell(self, theme, there):
        who = self.cast.smm.staff_id if there else None
        rows = {row["theme"]: row for row in self.values["duties"]}
        rows.pop(theme, None)
        if there:
            rows[theme] = {"place": 0, "theme": theme, "staff_id": who, "department_id": None, "asked_id": None}
        expected = [rows[one] for one in sorted(rows)]
        self._do("duties", expected, lambda s, a: set_cell(s, a, 0, theme, staff_id=who, department_id=None))

    @rule(title=st.sampled_from(["Возвраты", "Оплата"]), word=st.sampled_from(["возврат", "оплата"]))
    def new_rule(self, title, word):
        acts = {"staff_id": self.cast.smm.staff_id}
        self._do(
            "rules", None, lambda s, a: save_rule(s, a, None, title=title, conditions={"words": [word]}, acts=acts)
        )

    @rule(at=st.integers(0, 3), what=st.sampled_from(["on", "off", "up", "down", "drop"]))
    def old_rule(self, at, what):
        def act(session, actor):
            rules = list_rules(session)
            if at < len(rules):
                one = rules[at].id
                if what == "drop":
                    drop_rule(session, actor, one)
                elif what in ("on", "off"):
                    switch_rule(session, actor, one, what == "on")
                else:
                    move_rule(session, actor, one, what == "up")

        self._do("rules", None, act)

    @rule(name=st.sampled_from([SYNONYMS, "rota", "duties", "rules"]), back=st.integers(0, 5))
    def bring_back(self, name, back):
        with self.database.read.begin() as session:
            numbers = sorted(self._all(session, name))
        if not numbers:
            return
        number = numbers[max(len(numbers) - 1 - back, 0)]
        wanted = self.versions[name][number]
        self._do(name, wanted, lambda s, a: take_back(s, a, name, number))

    @invariant()
    def nothing_is_lost(self):
        if not hasattr(self, "values"):
            return
        with self.database.read.begin() as session:
            for name, value in self.values.items():
                found = self._all(session, name)
                assert {number: found[number] for number in self.versions[name]} == self.versions[name]
                assert sorted(found) == list(range(len(found)))
                self.versions[name] = found
                assert not found or found[max(found)] == value
            assert first_broken(session) is None


def test_any_order_of_changes_and_returns(database, cast) -> None:
    machine = type("Machine", (Changes,), {"database": database, "cast": cast})
    chosen = settings(
        max_examples=8, stateful_step_count=14, deadline=timedelta(seconds=20),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=chosen)


def say(database, cast, lines: str) -> None:
    with database.write.begin() as session:
        set_synonyms(session, cast.head, lines)


def test_the_first_change_keeps_what_there_was_and_says_who(database, cast) -> None:
    with database.read.begin() as session:
        assert last_change(session, SYNONYMS).number == 0
    say(database, cast, "скидка, акция")
    with database.read.begin() as session:
        (new, who), (old, nobody) = versions_of(session, SYNONYMS)
        assert (new.number, new.value, who) == (1, {"groups": [["скидка", "акция"]]}, "Марина Котова")
        assert (old.number, old.value, nobody) == (0, None, None)
        event = session.scalars(select(Event).where(Event.kind == "settings.changed")).one()
        assert (event.data["code"], event.data["before"], event.data["after"]) == (SYNONYMS, 0, 1)
        assert "скидка" not in str(event.data)
        assert last_change(session, SYNONYMS).who == "Марина Котова"


def test_a_value_from_before_versions_were_kept_is_the_first(database, cast) -> None:
    with database.write.begin() as session:
        session.add(Setting(name=SYNONYMS, value={"groups": [["а", "б"]]}))
    say(database, cast, "скидка, акция")
    with database.read.begin() as session:
        assert get_version(session, SYNONYMS, 0).value == {"groups": [["а", "б"]]}


def test_saving_the_same_is_no_version(database, cast) -> None:
    say(database, cast, "скидка, акция")
    say(database, cast, "скидка, акция")
    with database.read.begin() as session:
        assert last_change(session, SYNONYMS).number == 1
        assert len(session.scalars(select(Event).where(Event.kind == "settings.changed")).all()) == 1


def test_what_came_with_the_desk_can_be_brought_back_and_that_again(database, cast) -> None:
    say(database, cast, "скидка, акция")
    with database.write.begin() as session:
        take_back(session, cast.head, SYNONYMS, 0)
        (change,) = changes_in(session)
        assert (change.number, change.after) == (2, None)
    with database.write.begin() as session:
        assert value_of(session, SYNONYMS) is None
        assert get_version(session, SYNONYMS, 2).restored == 0
        take_back(session, cast.head, SYNONYMS, 1)
    with database.read.begin() as session:
        assert value_of(session, SYNONYMS) == {"groups": [["скидка", "акция"]]}
        assert get_version(session, SYNONYMS, 3).restored == 1


def test_whoever_saw_an_older_version_is_told(database, cast) -> None:
    say(database, cast, "скидка, акция")
    with database.write.begin() as session, pytest.raises(Stale) as stale:
        expect(session, SYNONYMS, 0)
    assert stale.value.data == {"name": SYNONYMS, "seen": 0, "number": 1}
    with database.write.begin() as session:
        expect(session, SYNONYMS, 1)


def test_two_at_once_make_two_versions(database, cast) -> None:
    start = threading.Barrier(2)
    troubles = []

    def change(word: str) -> None:
        try:
            start.wait(10)
            say(database, cast, f"скидка, {word}")
        except Exception as error:
            troubles.append(error)

    people = [threading.Thread(target=change, args=(word,)) for word in ("акция", "промокод")]
    for one in people:
        one.start()
    for one in people:
        one.join(30)
    assert not troubles
    with database.read.begin() as session:
        rows = versions_of(session, SYNONYMS)
        assert [row.number for row, _who in rows] == [2, 1, 0]
        assert value_of(session, SYNONYMS) == rows[0][0].value


def test_only_whose_setting_it_is(database, cast) -> None:
    say(database, cast, "скидка, акция")
    with database.write.begin() as session:
        with pytest.raises(Forbidden):
            take_back(session, cast.smm, SYNONYMS, 0)
        with pytest.raises(Forbidden):
            look(session, cast.curator, "rules")
        with pytest.raises(NotFound):
            look(session, cast.head, "backup")
        with pytest.raises(NotFound):
            take_back(session, cast.head, SYNONYMS, 7)


def test_a_changed_version_does_not_fit_its_event(database, cast) -> None:
    say(database, cast, "скидка, акция")
    with database.write.begin() as session:
        assert first_broken(session) is None
        session.execute(update(SettingVersion).where(SettingVersion.number == 1).values(value={"groups": []}))
    with database.read.begin() as session:
        assert first_broken(session).name == SYNONYMS


def test_a_greater_change_is_one_version(database, cast) -> None:
    acts = {"staff_id": cast.smm.staff_id}
    with database.write.begin() as session, keeping(session, cast.head, "rules", KNOWN["rules"].read):
        for title in ("Раз", "Два"):
            save_rule(session, cast.head, None, title=title, conditions={"words": [title]}, acts=acts)
    with database.read.begin() as session:
        assert [len(row.value) for row, _who in versions_of(session, "rules")] == [2, 0]


def test_a_rule_that_comes_back_keeps_its_number(database, cast) -> None:
    acts = {"staff_id": cast.smm.staff_id}
    with database.write.begin() as session:
        made = save_rule(
            session, cast.head, None, title="Возвраты", conditions={"words": ["возврат"]}, acts=acts
        ).id
    with database.write.begin() as session:
        drop_rule(session, cast.head, made)
    with database.write.begin() as session:
        take_back(session, cast.head, "rules", 1)
        save_rule(session, cast.head, None, title="Оплата", conditions={"words": ["оплата"]}, acts=acts)
    with database.read.begin() as session:
        assert [rule.title for rule in list_rules(session)] == ["Возвраты", "Оплата"]
        assert session.get_one(Rule, made).title == "Возвраты"


def test_a_password_stands_in_no_version(database, cast) -> None:
    smtp = {"smtp_host": "mail.school.example", "smtp_port": 465, "username": "desk"}
    with database.write.begin() as session:
        keep(session, cast.head, MAIL, {"smtp": smtp, "secrets": "sealed-one"})
    with database.write.begin() as session:
        keep(session, cast.head, MAIL, {"smtp": smtp, "secrets": "sealed-two"})  # only the password
    with database.write.begin() as session:
        keep(session, cast.head, MAIL, {"smtp": {**smtp, "username": "other"}, "secrets": "sealed-three"})
    with database.write.begin() as session:
        assert [row.number for row, _who in versions_of(session, MAIL)] == [2, 1, 0]
        assert "sealed" not in str([row.value for row in session.scalars(select(SettingVersion))])
        assert "sealed" not in str([event.data for event in session.scalars(select(Event))])
        with pytest.raises(Refused) as refused:  # of another login: the password must be typed
            take_back(session, cast.head, MAIL, 1)
        assert refused.value.code == "setting.secret"
        keep(session, cast.head, MAIL, {"smtp": {**smtp, "username": "other"} | {"from_name": "Школа"},
                                        "secrets": "sealed-three"})  # fmt: skip
        take_back(session, cast.head, MAIL, 2)
        assert value_of(session, MAIL)["secrets"] == "sealed-three"
        assert "secrets" not in stored_mail(session)


def fact(session, cast, number: int | None, code: str, value: str) -> int:
    return save_fact(session, cast.head, number, code=code, title=f"Факт {code}", value=value).id


class TestFacts:
    def test_a_version_brings_all_of_them_back(self, cast, database) -> None:
        cast.write("Сколько стоит?")
        label_all(database)
        with database.write.begin() as session:
            price = fact(session, cast, None, "price", "4 900 ₽")
        with database.write.begin() as session:
            fact(session, cast, price, "cost", "5 900 ₽")
            later = fact(session, cast, None, "start", "1 декабря")
            write_reply(session, cast.smm, 1, "Курс стоит 5 900 ₽, начало 1 декабря", "f1")
            assert len(session.scalars(select(FactUse)).all()) == 2
        assert [row.number for row, _who in versions_in(database, FACTS)] == [3, 2, 1, 0]
        with database.write.begin() as session:
            take_back(session, cast.head, FACTS, 1)
        with database.read.begin() as session:
            assert [(one.id, one.code, one.value) for one in list_facts(session)] == [(price, "price", "4 900 ₽")]
            assert [one.fact_id for one in session.scalars(select(FactUse))] == [price]
            assert len(outdated_replies(session, session.get_one(Fact, price))) == 0
            assert versions_of(session, FACTS)[0][0].restored == 1
            assert later not in [one.id for one in list_facts(session)]
        with database.write.begin() as session:
            take_back(session, cast.head, FACTS, 3)
            assert [one.code for one in list_facts(session)] == ["cost", "start"]

    def test_two_that_changed_words_with_each_other_change_back(self, cast, database) -> None:
        with database.write.begin() as session:
            one, two = fact(session, cast, None, "one", "раз"), fact(session, cast, None, "two", "два")
        with database.write.begin() as session, keeping(session, cast.head, FACTS, facts_now):
            fact(session, cast, one, "three", "раз")
            fact(session, cast, two, "one", "два")
            fact(session, cast, one, "two", "раз")
        with database.write.begin() as session:
            take_back(session, cast.head, FACTS, 2)
        with database.read.begin() as session:
            assert {row.id: row.code for row in list_facts(session)} == {one: "one", two: "two"}

    def test_what_is_saved_unchanged_is_no_version_and_others_do_not_take_back(self, cast, database) -> None:
        with database.write.begin() as session:
            price = fact(session, cast, None, "price", "4 900 ₽")
            fact(session, cast, price, "price", "4 900 ₽")
        assert len(versions_in(database, FACTS)) == 2
        with database.write.begin() as session, pytest.raises(Forbidden):
            take_back(session, cast.smm, FACTS, 0)


def versions_in(database, name):
    with database.read.begin() as session:
        return versions_of(session, name)


class TestDaysThatDiffer:
    def test_they_come_back_and_what_is_past_stays(self, cast, database) -> None:
        with database.write.begin() as session:
            today = local_day(session)
            set_day(session, cast.head, today - timedelta(days=1), cast.smm.staff_id)
            set_day(session, cast.head, today, cast.smm.staff_id)
        with database.write.begin() as session:
            set_day(session, cast.head, today, None)
            set_day(session, cast.head, today - timedelta(days=1), cast.head.staff_id)
            set_day(session, cast.head, today + timedelta(days=1), cast.head.staff_id)
        with database.write.begin() as session:
            take_back(session, cast.head, DAYS, 2)
        with database.read.begin() as session:
            days = {one.day: one.staff_id for one in session.scalars(select(DutyDay))}
        assert days == {today: cast.smm.staff_id, today - timedelta(days=1): cast.head.staff_id}

    def test_nobody_who_may_not_answer_comes_back(self, cast, database) -> None:
        with database.write.begin() as session:
            set_day(session, cast.head, local_day(session), cast.smm.staff_id)
        with database.write.begin() as session:
            set_day(session, cast.head, local_day(session), None)
            person = session.get_one(Staff, cast.smm.staff_id)
            person.roles.clear()
        with database.write.begin() as session, pytest.raises(Refused, match=r"duty\.person"):
            take_back(session, cast.head, DAYS, 1)

    def test_handing_over_is_a_version_too(self, cast, database) -> None:
        with database.write.begin() as session:
            today = local_day(session)
            set_day(session, cast.head, today, cast.smm.staff_id)
        with database.write.begin() as session:
            hand_days(session, cast.head, cast.smm.staff_id or 0, cast.head.staff_id, today)
        assert [len(row.value) for row, _who in versions_in(database, DAYS)] == [1, 1, 0]
