"""Every channel that can reply, through a platform that does what it is told and says something else."""

import os

import pytest

from benchmarks import lies
from benchmarks.lies_platforms import ASKS_A_PERSON

# As many as a daily run bears; `bench lies` runs a hundred of each, with and without kills, on both databases.
ROUNDS = int(os.environ.get("OTKLIK_LIES", "6"))
pytestmark = [pytest.mark.timeout(600), pytest.mark.real]


def address(database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


@pytest.fixture
def sqlite(sqlite_template, tmp_path) -> str:
    import shutil

    shutil.copy(sqlite_template, tmp_path / "lies.db")
    return f"sqlite:///{tmp_path / 'lies.db'}"


def check(told: lies.Outcome, kind: str) -> None:
    assert (told.lost, told.doubled, told.strangers) == (0, 0, 0), told
    assert told.reviews <= (told.unknown if kind in ASKS_A_PERSON else 0), told
    assert told.lies > 0, "a liar that told the truth proves nothing"


@pytest.mark.parametrize("kind", sorted(set(lies.KINDS) - {"wordpress"}))
def test_nothing_is_doubled_or_lost(sqlite, kind) -> None:
    check(lies.lie(sqlite, kind, ROUNDS), kind)


def test_nothing_is_doubled_or_lost_on_either_database_while_the_sender_is_killed(database) -> None:
    check(lies.lie(address(database), "wordpress", ROUNDS, kills=True), "wordpress")


def test_the_liar_sees_what_a_naive_sender_doubles(sqlite) -> None:
    assert lies.lie(sqlite, "max", 20, control=True).doubled > 0
