"""Marks: put on, taken off, found by, and put upon many at once."""

import pytest
from sqlalchemy import select

from models import Case, CaseTag, Event, Tag
from services.bulks import begin_bulk, run_bulk, undo_bulk
from services.cases import give_numbers
from services.errors import Forbidden, NotFound, Refused
from services.filters import Condition, Filters
from services.inbox import count_cases, list_cases, view_case
from services.tags import MOST_OF_A_CASE, put_tag, tags, tags_of, take_tag


@pytest.fixture
def cases(cast, database) -> list[int]:
    for number in range(3):
        cast.write(f"Когда откроют урок {number}?", author=f"Автор {number}")
    with database.write.begin() as session:
        found = list(session.scalars(select(Case).order_by(Case.id)))
        give_numbers(session, found)
        return [case.id for case in found]


def test_a_mark_is_one_whatever_its_letters(cast, database, cases) -> None:
    with database.write.begin() as session:
        put_tag(session, cast.smm, cases[0], "  Ёлка  2026 ")
        put_tag(session, cast.smm, cases[0], "елка 2026")
        put_tag(session, cast.head, cases[1], "#ЕЛКА 2026")
    with database.write.begin() as session:
        [tag] = session.scalars(select(Tag)).all()
        assert tag.name == "Ёлка 2026"
        assert {case_id: [one.name for one in worn] for case_id, worn in tags_of(session, cases).items()} == {
            cases[0]: ["Ёлка 2026"], cases[1]: ["Ёлка 2026"],
        }  # fmt: skip
        assert [one.name for one in view_case(session, cast.smm, cases[0]).tags] == ["Ёлка 2026"]
        assert len(session.scalars(select(Event).where(Event.kind == "case.tagged")).all()) == 2
        take_tag(session, cast.smm, cases[0], tag.id)
        take_tag(session, cast.smm, cases[0], tag.id)
        assert [one.id for one in tags(session, cast.smm)] == [tag.id]
        take_tag(session, cast.smm, cases[1], tag.id)
        assert tags(session, cast.smm) == []
        assert len(session.scalars(select(Event).where(Event.kind == "case.untagged")).all()) == 2


def test_what_is_no_mark_is_refused(cast, database, cases) -> None:
    with database.write.begin() as session:
        for name in ("", "  # "):
            with pytest.raises(Refused):
                put_tag(session, cast.smm, cases[0], name)
        with pytest.raises(Forbidden):
            put_tag(session, cast.curator, cases[0], "Чужая")
        with pytest.raises(NotFound):
            put_tag(session, cast.smm, 10**6, "Нет такого")
        for number in range(MOST_OF_A_CASE):
            put_tag(session, cast.smm, cases[0], f"Метка {number}")
        with pytest.raises(Refused):
            put_tag(session, cast.smm, cases[0], "Лишняя")


def test_lists_are_narrowed_by_marks_and_by_groups(cast, database, cases) -> None:
    with database.write.begin() as session:
        tag = put_tag(session, cast.smm, cases[0], "срочно").id

    def found(*groups: tuple[Condition, ...], **given) -> set[int]:
        with database.read.begin() as session:
            filters = Filters(groups=groups, **given)
            rows = list_cases(session, cast.smm, filters).rows
            assert count_cases(session, cast.smm, filters) == len(rows)
            return {row.case.id for row in rows}

    marked = Condition("tag", str(tag))
    assert found(tag_id=tag) == {cases[0]}
    assert found((marked,)) == {cases[0]}
    assert found((Condition("tag", str(tag), negated=True),)) == {cases[1], cases[2]}
    with database.read.begin() as session:
        second = session.get_one(Case, cases[1]).author_id
    assert found((marked,), (Condition("author", str(second)),)) == {cases[0], cases[1]}
    assert found((marked, Condition("author", str(second)))) == set()


def test_many_are_marked_and_taken_back(cast, database, cases) -> None:
    with database.write.begin() as session:
        put_tag(session, cast.smm, cases[0], "вебинар")
        bulk = begin_bulk(session, cast.smm, "tag", {"tag": "Вебинар"}, cases).id
    run_bulk(database)
    with database.write.begin() as session:
        assert len(session.scalars(select(CaseTag)).all()) == 3
        undo_bulk(session, cast.smm, bulk)
    run_bulk(database)
    with database.read.begin() as session:
        assert session.scalars(select(CaseTag.case_id)).all() == [cases[0]]
