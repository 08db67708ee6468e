"""All settings as one file: out and in again is the same, a foreign or hostile file changes nothing."""

import pytest
from sqlalchemy import select

from models import Responsibility, Rule
from services.bots import keep_bot
from services.criteria import criteria_of, save_criteria
from services.errors import Forbidden, Refused
from services.recount import change_terms
from services.responsibility import set_cell
from services.rules import save_rule
from services.satisfaction import save_asking
from services.terms import stored_terms
from services.transfer import export_settings, import_settings, read_settings

BOMB = "otklik: 1\nterms: &a {x: 1}\nrules: [" + ", ".join(["*a"] * 9) + "]\n"


@pytest.fixture
def filled(cast, database):
    with database.write.begin() as session:
        change_terms(session, cast.head, {"preset": "regulation"}, open_too=False)
        set_cell(session, cast.head, cast.source_id, "refund", staff_id=cast.smm.staff_id,
                 department_id=cast.departments["curators"], asked_id=cast.curator.staff_id)  # fmt: skip
        when = {"words": ["возврат"], "place": cast.source_id}
        acts = {"staff_id": 0, "tell": cast.head.staff_id}
        save_rule(session, cast.head, None, title="Возвраты", conditions=when, acts=acts)
        save_criteria(session, cast.head, [(1, "По делу", True), (2, "Вежливо", False), (None, "С теплом", True)])
        save_asking(
            session, cast.head, mail=False, messages=True, text="Оцените ответ", address="https://d.example"
        )
        bot = cast.add_source(session, "telegram", token="1:a")
        bot.title = "Телеграм"
        keep_bot(session, cast.head, "telegram", bot.id, "school_bot")
        return export_settings(session, cast.head)


def test_out_and_in_again_is_the_same(cast, database, filled) -> None:
    with database.write.begin() as session:
        assert import_settings(session, cast.head, filled) == []
        change_terms(session, cast.head, {}, open_too=False)
        session.query(Rule).delete()
        session.query(Responsibility).delete()
        save_criteria(session, cast.head, [(1, "По делу", True)])
        save_asking(session, cast.head, mail=True, messages=False, text="Как мы?", address="https://d.example")
        keep_bot(session, cast.head, "telegram", None, "")
        assert {change.part for change in import_settings(session, cast.head, filled)} == {
            "terms",
            "duties",
            "rules",
            "criteria",
            "marks",
            "bots",
        }
        assert [one.number for one in criteria_of(session)] == [1, 2, 6, 3, 4, 5]
        assert export_settings(session, cast.head) == filled
        assert stored_terms(session)["preset"] == "regulation"


def test_parts_that_a_file_does_not_name_stay(cast, database, filled) -> None:
    with database.write.begin() as session:
        import_settings(session, cast.head, "otklik: 1\nrules: []\n")
        assert session.scalars(select(Rule)).all() == []
        assert len(session.scalars(select(Responsibility)).all()) == 1


HOSTILE = (
    "",
    "[]",
    "otklik: 2",
    "otklik: 1\nrules: 7",
    "otklik: 1\nrules: [7]",
    BOMB,
    "!!python/object/apply:os.system [x]",
    "{" * 5000,
    "otklik: 1\nrules: [{title: а, when: {words: [да]}, leads: nobody@school.example}]",
    "otklik: 1\nrules: [{when: 1}]",
    "otklik: 1\nterms: {preset: нет}",
    "otklik: 1\nterms: {classes: 5}",
    "otklik: 1\nduties: [{theme: нет, leads: smm@school.example}]",
    "otklik: 1\ncriteria: [{title: ''}]",
    "otklik: 1\nmarks: {mail: true}",
    "otklik: 1\nbots: [{platform: telegram, place: Нет такой, name: x}]",
    "otklik: 1\nbots: {telegram: x}",
    "\x00",
    "x" * 1_000_001,
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_file_of_settings_changes_nothing(cast, database, filled, text) -> None:
    with database.write() as session, pytest.raises(Refused):
        import_settings(session, cast.head, text)
    with database.read.begin() as session:
        assert export_settings(session, cast.head) == filled


def test_who_may(cast, database, filled) -> None:
    with database.write.begin() as session:
        for nobody in (cast.smm, cast.curator):
            with pytest.raises(Forbidden):
                export_settings(session, nobody)
            with pytest.raises(Forbidden):
                import_settings(session, nobody, filled)
    assert "password" not in filled
    assert "1:a" not in filled
    assert set(read_settings(filled)) == {"terms", "duties", "rules", "criteria", "marks", "bots"}
