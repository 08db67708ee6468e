"""Random lives of every channel: after faults, kills and page shifts what we hold equals what stands there."""

import os

import pytest

from benchmarks import channels, walks

# A daily run bears a handful; `bench channels` runs 500 a channel on both databases.
HISTORIES = int(os.environ.get("OTKLIK_HISTORIES", "4"))
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def desk(sqlite_template, tmp_path):
    import shutil

    shutil.copy(sqlite_template, tmp_path / "histories.db")
    database = channels.prepare(lambda: f"sqlite:///{tmp_path / 'histories.db'}")
    yield database
    database.engine.dispose()


@pytest.mark.parametrize("kind", channels.KINDS)
def test_what_we_hold_is_what_stands_there(desk, kind) -> None:
    assert channels.run_histories(desk, kind, HISTORIES) == []


@pytest.mark.parametrize("kind", walks.SHAPES)
def test_each_shape_of_walk(kind) -> None:
    """`bench channels --histories 5000` lives more of them."""
    assert walks.run_walks(kind, 8, first=100_000) == []


@pytest.mark.parametrize("kind", walks.SHAPES)
def test_without_identity_no_walk_comes_out_right(kind) -> None:
    assert walks.run_walks(kind, 3, control=True)


@pytest.mark.parametrize(("kind", "seed"), [("youtube", 237), ("max", 44)])
def test_histories_that_went_wrong_once(desk, kind, seed) -> None:
    """237: a deep walk that was cut went on from its older cursor and forgot a video that stands empty since.
    44: the only message of a chat was removed before the first event was read."""
    assert channels.run_histories(desk, kind, 1, first=seed) == []


@pytest.mark.parametrize("kind", ["wordpress", "isso", "mail"])
def test_without_identity_everything_is_wrong(desk, kind) -> None:
    """The control: a desk that does not know what it has read must fail, or the comparison is blind."""
    assert channels.run_histories(desk, kind, 2, control=True)
