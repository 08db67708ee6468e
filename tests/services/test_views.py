"""Filters with AND, the two orders, pages by key in each, and views by name."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models import Case, utc_now
from services.errors import NotFound, Refused
from services.filters import Filters
from services.freshness import key_of, newer_ids
from services.inbox import list_cases, next_case
from services.saved_views import MOST, drop_view, save_view, views_of
from tests.services.test_cases import label_all


@pytest.fixture
def shown(cast, database):
    def _shown(**given) -> list[int]:
        with database.read.begin() as session:
            return [row.case.id for row in list_cases(session, cast.smm, Filters(**given)).rows]

    return _shown


@pytest.fixture
def cases(cast, database) -> list[int]:
    """The first is ten days old, then five, one, and an hour; the last is private."""
    for number, hours in enumerate((240, 120, 24, 1)):
        write = cast.private if number == 3 else cast.write
        write(f"Вопрос {number}?", f"Зритель {number}", published_at=utc_now() - timedelta(hours=hours + 1))
    label_all(database)
    with database.write.begin() as session:
        found = list(session.scalars(select(Case).order_by(Case.opened_at)))
        found[1].assignee_id = cast.head.staff_id
        return [case.id for case in found]


def test_filters_narrow_together(cast, cases, shown) -> None:
    old, led, fresh, private = cases
    assert shown(visibility="private") == [private]
    assert shown(assignee_id=cast.head.staff_id) == [led]
    assert shown(older=3) == [led, old]
    assert shown(newer=3) == [private, fresh]
    assert shown(older=3, unassigned=True) == [old]
    assert shown(older=3, newer=7, visibility="public") == [led]
    assert shown(older=3, visibility="private") == []


def test_the_longest_wait_comes_first_page_by_page(cast, database, cases) -> None:
    filters = Filters(sort="wait")
    seen, after = [], None
    with database.read.begin() as session:
        for _ in range(4):
            page = list_cases(session, cast.smm, filters, after=after, limit=1)
            seen += [row.case.id for row in page.rows]
            after = page.after
        first = session.get_one(Case, cases[0])
        assert after is None
        assert seen == cases
        assert next_case(session, cast.smm, filters, first) == cases[1]
        assert next_case(session, cast.smm, Filters(), first) is None
        assert len(newer_ids(session, cast.smm, filters, key_of(first))) == 0


def test_a_view_is_ones_own_or_the_teams(cast, database) -> None:
    with database.write.begin() as session:
        own = save_view(session, cast.smm, "  Старые   жалобы ", {"label": "complaint", "older": "3"}, team=False)
        team = save_view(session, cast.smm, "Личные", {"visibility": "private"}, team=True)
        again = save_view(session, cast.smm, "Старые жалобы", {"label": "complaint"}, team=False)
        assert again.id == own.id
    with database.read.begin() as session:
        assert [view.name for view in views_of(session, cast.smm)] == ["Старые жалобы", "Личные"]
        assert [view.name for view in views_of(session, cast.head)] == ["Личные"]
        assert views_of(session, cast.smm)[0].query == {"label": "complaint"}
    with database.write.begin() as session:
        with pytest.raises(NotFound):
            drop_view(session, cast.head, own.id)
        drop_view(session, cast.head, team.id)
        drop_view(session, cast.smm, own.id)
        assert views_of(session, cast.smm) == []


def test_a_view_needs_a_name_and_there_are_not_too_many(cast, database) -> None:
    with database.write.begin() as session:
        with pytest.raises(Refused):
            save_view(session, cast.smm, "  ", {}, team=False)
        for number in range(MOST):
            save_view(session, cast.smm, f"Вид {number}", {}, team=False)
        with pytest.raises(Refused):
            save_view(session, cast.smm, "Ещё", {}, team=False)
