"""The register of wishes: counted once a case, decided by the head, told once to everyone who asked."""

import pytest
from sqlalchemy import select, update

import services.reports.upkeep  # noqa: F401 (by being imported it writes the facts)
from models import Case, CaseFact, Reply, WishCase
from services.bulks import run_bulk
from services.errors import Forbidden, NotFound, Refused
from services.reports.wishes import decide_wish, loose, put_under, tell_all, wishes
from tests.services.test_cases import label_all


@pytest.fixture
def asked(cast, database) -> list[int]:
    """Three cases that are wishes, by three people; one gives a phone."""
    for number, text in enumerate(
        ("Сделайте тёмную тему?", "Где тёмная тема? +7 912 345-67-89", "Когда приложение?")
    ):
        cast.write(text, f"Автор {number}")
    label_all(database)
    with database.write.begin() as session:
        session.execute(update(CaseFact).values(kind="wish", counts=True))
        return list(session.scalars(select(Case.id).order_by(Case.id)))


def test_counted_decided_and_told_once(cast, database, asked) -> None:
    first, second, third = asked
    with database.write.begin() as session:
        assert [one.case.id for one in loose(session, cast.head)] == [third, second, first]
        assert "912 345" not in " ".join(one.text for one in loose(session, cast.head))
        wish = put_under(session, cast.head, first, None, "  Тёмная   тема ")
        put_under(session, cast.head, second, wish.id)
        put_under(session, cast.head, second, wish.id)
        put_under(session, cast.head, third, None, "Приложение")
        assert [(one.wish.title, one.count) for one in wishes(session, cast.head)] == [
            ("Тёмная тема", 2), ("Приложение", 1),
        ]  # fmt: skip
        assert loose(session, cast.head) == []
        wish_id = wish.id
        with pytest.raises(Refused):
            tell_all(session, cast.head, wish_id)
        decide_wish(session, cast.head, wish_id, "done", "Готово: тёмная тема включается в настройках.")
    with database.write.begin() as session:
        assert tell_all(session, cast.head, wish_id).cases == [first, second]
    with database.write.begin() as session, pytest.raises(Refused):
        tell_all(session, cast.head, wish_id)
    run_bulk(database)
    with database.read.begin() as session:
        replies = session.scalars(select(Reply).order_by(Reply.case_id)).all()
        assert [(one.case_id, one.text) for one in replies] == [
            (first, "Готово: тёмная тема включается в настройках."),
            (second, "Готово: тёмная тема включается в настройках."),
        ]
        assert wishes(session, cast.head)[0].told == 2


def test_a_case_stands_under_one_wish(cast, database, asked) -> None:
    with database.write.begin() as session:
        one = put_under(session, cast.head, asked[0], None, "Одно")
        two = put_under(session, cast.head, asked[0], None, "Другое")
        assert session.scalars(select(WishCase.wish_id)).all() == [two.id]
        assert {row.wish.id: row.count for row in wishes(session, cast.head)} == {one.id: 0, two.id: 1}


def test_who_may_and_what_is_refused(cast, database, asked) -> None:
    with database.write.begin() as session:
        with pytest.raises(Forbidden):
            put_under(session, cast.smm, asked[0], None, "Тема")
        with pytest.raises(Refused):
            put_under(session, cast.head, asked[0], None, " ")
        with pytest.raises(NotFound):
            put_under(session, cast.head, 999, None, "Тема")
        with pytest.raises(NotFound):
            decide_wish(session, cast.head, 999, "done", "")
        wish = put_under(session, cast.head, asked[0], None, "Тема")
        with pytest.raises(Refused):
            decide_wish(session, cast.head, wish.id, "maybe", "")
