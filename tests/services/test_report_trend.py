"""A period in pieces: they meet, they miss nothing, and their sums are the figures of the page."""

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import services.reports.upkeep  # noqa: F401 (by being imported it writes the facts)
from services.reports.answers import answers_report
from services.reports.cohorts import count
from services.reports.cut import Cut
from services.reports.trend import MOST_DAYS, MOST_WEEKS, pieces_of
from services.rights import DESK
from tests.conftest import Cast
from tests.services.demo_set import NOW, DemoSet


@pytest.fixture(scope="module")
def demo(shared_database) -> DemoSet:
    played = DemoSet(Cast(shared_database), shared_database)
    played.play()
    return played


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 800))
def test_pieces_meet_and_make_up_the_period(first, length) -> None:
    cut = Cut(first, first + timedelta(days=length))
    pieces = pieces_of(cut)
    assert (pieces[0].since, pieces[-1].until) == (cut.since, cut.until)
    assert all(one.until == following.since for one, following in itertools.pairwise(pieces))
    assert len(pieces) <= max(MOST_DAYS, MOST_WEEKS, 800 // 28)


@pytest.mark.parametrize(("first", "last"), [((2026, 11, 30), (2026, 12, 4)), ((2026, 1, 1), (2026, 12, 31))])
def test_each_piece_is_the_figure_of_its_own_days(demo, shared_database, first, last) -> None:
    cut = Cut(date(*first), date(*last), source_id=demo.places["блог"])
    with shared_database.read.begin() as session:
        found = answers_report(session, DESK, cut, NOW).trend
        for name, numbers in found.numbers.items():
            assert sum(numbers) == count(session, name, cut, NOW) > 0
            assert list(numbers) == [count(session, name, piece, NOW) for piece in found.pieces]
