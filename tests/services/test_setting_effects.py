"""What a change of a setting does to open work is counted before it is kept, and the count costs what it may."""

from datetime import timedelta

import pytest
from sqlalchemy import event, select

from classifier.kinds import rows as house_rows
from models import Case, Source
from services.recount import change_terms
from services.responsibility import snapshot as cells
from services.rules import save_rule
from services.rules import snapshot as rules
from services.settings import effects
from services.settings.effects import effects_of
from tests.conftest import NOON
from tests.services.test_cases import label_all

WEEK = [str(day) for day in range(7)]


@pytest.fixture
def open_cases(cast, database) -> list[int]:
    """Three questions in public whose clocks run: the place was there before them."""
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).created_at = NOON - timedelta(days=1)
    for text, author in (("Когда вебинар?", "А"), ("Сколько стоит курс?", "Б"), ("Что с уроком?", "В")):
        cast.write(text, author)
    label_all(database)
    with database.read.begin() as session:
        return list(session.scalars(select(Case.id).where(Case.number.is_not(None)).order_by(Case.id)))


def counted(database, name, before, after) -> dict[str, int]:
    with database.read.begin() as session:
        return {one.code: one.count for one in effects_of(session, name, before, after)}


def cell(place, theme, staff_id) -> dict[str, object]:
    return {"place": place, "theme": theme, "staff_id": staff_id, "department_id": None, "asked_id": None}


def test_shorter_terms_make_clocks_late_and_name_their_cases(database, open_cases) -> None:
    with database.read.begin() as session:
        found = effects_of(session, "sla", None, {"classes": {"QPUB": [1, "desk", None]}})
    assert {one.code for one in found} <= {"terms.earlier", "terms.late"}
    assert {one.code: one.count for one in found}["terms.earlier"] >= 2
    assert all(set(one.cases) <= set(open_cases) for one in found)


def test_the_table_of_kinds(database, open_cases) -> None:
    everything = {"rows": [{"kind": "claim"}]}
    found = counted(database, "kinds", None, everything)
    assert found == {"kinds.kind": 3, "kinds.class": 3}
    assert counted(database, "kinds", None, {"rows": list(house_rows())}) == {}


def test_only_a_part_is_looked_at_and_that_is_said(database, open_cases, monkeypatch) -> None:
    monkeypatch.setattr(effects, "MOST", 2)
    with database.read.begin() as session:
        found = effects_of(session, "kinds", None, {"rows": [{"kind": "claim"}]})
    assert [(one.count, one.tried, one.total) for one in found] == [(2, 2, 3), (2, 2, 3)]


def test_agreement_counts_by_the_filter_that_its_link_opens(database, open_cases) -> None:
    with database.read.begin() as session:
        (found,) = effects_of(session, "agreement", None, {"rows": [{"visibility": "public"}]})
    assert (found.code, found.count, found.data["all"]) == ("agreement.waits", 3, 3)
    assert [[(one.field, one.value) for one in group] for group in found.groups] == [[("visibility", "public")]]
    back = counted(database, "agreement", {"rows": [{"visibility": "public"}]}, None)
    assert back == {"agreement.free": 3}


def test_rules_over_the_newest_cases(database, cast, open_cases) -> None:
    acts = {"staff_id": cast.smm.staff_id}
    with database.write.begin() as session:
        before = rules(session)
        save_rule(session, cast.head, None, title="Вебинар", conditions={"words": ["вебинар"]}, acts=acts)
        after = rules(session)
    assert counted(database, "rules", before, after) == {"rules.gained": 1}
    assert counted(database, "rules", after, before) == {"rules.lost": 1}
    other = [{**after[0], "acts": {"staff_id": cast.head.staff_id}}]
    assert counted(database, "rules", after, other) == {"rules.moved": 1}
    assert counted(database, "rules", after, [{**after[0], "title": "Иначе"}]) == {}


def test_the_table_of_who_answers(database, cast, open_cases) -> None:
    with database.read.begin() as session:
        before = cells(session)
    smm, head = cast.smm.staff_id, cast.head.staff_id
    assert counted(database, "duties", before, [cell(0, "", smm)]) == {"duties.named": 3}
    assert counted(database, "duties", [cell(0, "", smm)], [cell(0, "", head)]) == {"duties.hands": 3}
    assert counted(database, "duties", [cell(0, "", smm)], []) == {"duties.nobody": 3, "duties.places": 1}
    asked = {**cell(0, "", smm), "department_id": cast.departments["curators"]}
    assert counted(database, "duties", [cell(0, "", smm)], [asked]) == {"duties.asked": 3}


def test_days_without_a_duty(database, cast) -> None:
    whole = {"week": dict.fromkeys(WEEK, cast.smm.staff_id)}
    assert counted(database, "rota", None, whole) == {}
    assert counted(database, "rota", whole, {"week": dict.fromkeys(WEEK[:6], cast.smm.staff_id)}) == {
        "rota.free": 4
    }
    assert counted(database, "rota", whole, None) == {"rota.free": 28}


def test_what_would_go_tonight(database, cast, open_cases) -> None:
    kept = {"days": {"authors": 30, "calls": 30, "imports": 30, "raw": 30}}
    assert counted(database, "retention", None, {**kept, "on": False}) == {}
    assert set(counted(database, "retention", None, {**kept, "on": True})) <= {
        "retention.authors",
        "retention.raw",
    }


def test_settings_that_touch_nothing_open_say_nothing(database) -> None:
    assert counted(database, "lint", None, {"own": ["+7 999"]}) == {}


@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("sla", {"classes": {"QPUB": [1, "desk", None]}}),
        ("kinds", {"rows": [{"kind": "claim"}]}),
        ("agreement", {"rows": [{"visibility": "public"}]}),
        ("rules", [{"id": 1, "position": 1, "title": "а", "active": True, "conditions": {"words": ["вебинар"]},
                    "acts": {"staff_id": 0}}]),
        ("duties", []),
        ("rota", None),
    ],
)  # fmt: skip
def test_a_count_asks_the_database_as_often_for_many_as_for_few(database, cast, open_cases, name, after) -> None:
    def asked() -> int:
        said = []
        with database.read.begin() as session:
            engine = session.get_bind()
            event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
            before = [] if name in ("rules", "duties") else None
            effects_of(session, name, before, after)
        return len(said)

    few = asked()
    for number in range(20):
        cast.write(f"Когда вебинар номер {number}?", f"Г{number}")
    label_all(database)
    assert few <= 20
    assert asked() - few <= few  # both listeners hear the second time


def test_what_the_preview_says_is_what_happens(database, cast, open_cases) -> None:
    with database.write.begin() as session:
        change_terms(session, cast.head, {"classes": {"QPUB": [10, "desk", None]}}, open_too=False)
    assert "terms.earlier" in counted(database, "sla", None, {"classes": {"QPUB": [5, "desk", None]}})
