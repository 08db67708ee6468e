"""The send protocol in a storm: killed at random and at every point, frozen, doubled; the platform counts."""

import itertools
import os
import resource
import shutil
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text, update

from benchmarks import storm, storm_points
from benchmarks.children import child
from benchmarks.storm_channel import KINDS
from benchmarks.storm_people import frozen, operators
from benchmarks.storm_points import ANSWER, CHANGED, trials
from collectors import CHANNELS
from models import Act, Message, Reply, utc_now
from models.database import open_database
from services.replies import write_reply
from services.sending import Lanes, run_outbox

# As many as a daily run bears; `bench storm` kills a thousand times a kind, `test --deep` a hundred.
KILLS = int(os.environ.get("OTKLIK_KILLS", "10"))
pytestmark = pytest.mark.timeout(600)


def address(database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


@pytest.mark.parametrize("kind", KINDS)
def test_kills_lose_nothing_and_double_nothing(database, kind) -> None:
    told = storm.storm(address(database), kind, KILLS)
    assert (told.lost, told.doubled) == (0, 0), told
    assert told.reviews <= told.unknown
    assert told.reviews == 0 or kind == "none"


def test_the_storm_sees_what_a_naive_sender_doubles(database) -> None:
    """The control: the same storm over a sender that takes every unknown for «not sent» must double."""
    # On a busy machine ten kills may all come before the first call.
    assert any(storm.storm(address(database), "naive", 10, seed).doubled for seed in range(8))


@pytest.mark.parametrize(("kind", "first"), [*zip(KINDS, (1, 3, 5, 7), strict=True)])
def test_the_end_at_any_commit_call_or_file_write_violates_nothing(sqlite_template, tmp_path, kind, first) -> None:
    """What follows one point is what comes before the next, and the kinds share the rest among them; each kind
    at every point is `bench storm` and `test --deep`."""
    numbers = iter(range(1000))

    def make() -> str:
        path = tmp_path / f"point{next(numbers)}.db"
        shutil.copy(sqlite_template, path)
        return f"sqlite:///{path}"

    points = itertools.count(1) if KILLS >= 100 else itertools.count(first, 8)
    done = list(trials(make, kind, tmp_path, points))
    assert len(done) > (80 if KILLS >= 100 else 10)
    assert [(one.point, what) for one in done for what in one.broken] == []
    assert {word for one in done for word in one.acked} == {ANSWER, CHANGED}


@pytest.mark.skipif(KILLS < 100, reason="`test --deep`: a server of its own and a hundred databases")
@pytest.mark.parametrize("kind", KINDS)
def test_the_end_at_every_fourth_point_on_postgresql(tmp_path, kind) -> None:
    with storm.fresh_databases("postgresql") as make:
        done = list(trials(make, kind, tmp_path, itertools.count(1 + list(KINDS).index(kind), 4)))
    assert len(done) > 20
    assert [(one.point, what) for one in done for what in one.broken] == []


def test_the_points_see_a_desk_that_sends_again_what_it_does_not_know(
    sqlite_template, tmp_path, monkeypatch
) -> None:
    """The control: after the start what was on its way goes once more, and one of the points shows it."""

    def again(database) -> None:
        with database.write.begin() as session:
            session.execute(update(Act).where(Act.state == "sending").values(state="queued", due_at=utc_now()))

    def make() -> str:
        path = tmp_path / f"control{len(list(tmp_path.iterdir()))}.db"
        shutil.copy(sqlite_template, path)
        return f"sqlite:///{path}"

    monkeypatch.setattr(storm_points, "hurry", again)
    broken = (what for one in trials(make, "list", tmp_path / "at", itertools.count(32)) for what in one.broken)
    assert any(what.startswith("doubled") for what in broken)


def test_a_disk_that_fills_between_the_call_and_the_receipt_doubles_nothing(database, platform) -> None:
    """The post stands there and nothing can be written of it: after there is room again it is looked up (F12)."""
    if not database.is_sqlite:
        pytest.skip("a PostgreSQL server writes in processes of its own")
    storm.add_acts(database, storm.add_places(database, "list", platform), 3)
    database.engine.dispose()
    original = httpx.Client.send

    def send(client: httpx.Client, request: httpx.Request, **more: Any) -> httpx.Response:
        answer = original(client, request, **more)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))  # no file may grow: what the kernel says is what counts
        return answer

    def run_full() -> None:
        httpx.Client.send = send  # type: ignore[method-assign, assignment]
        run_outbox(open_database(address(database)), storm.open_channel)

    with child(run_full) as sender:
        os.waitpid(sender, 0)
    assert storm.judge(database, platform).lost == 3
    with database.read.begin() as session:
        assert session.scalars(select(Act.state).order_by(Act.id)).all() == ["sending", "queued", "queued"]
        assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    storm.hurry(database)
    storm.calm(database)
    assert storm.judge(database, platform) == storm.Outcome(3, 0, 0, 0, 1, 0)


@pytest.fixture(autouse=True)
def forget_the_channels():
    """The registry is the process's: other tests ask it for real platforms only."""
    yield
    for name in [name for name in CHANNELS if name.startswith("storm_")]:
        del CHANNELS[name]


@pytest.fixture
def platform():
    storm.register()
    with storm.liar(honest=True) as url:
        yield url


def posts(database, platform) -> storm.Outcome:
    return storm.judge(database, platform)


def test_two_senders_share_the_work_and_post_each_reply_once(database, platform) -> None:
    storm.add_acts(database, storm.add_places(database, "none", platform, 3), 30)
    lanes = [Lanes(database, storm.open_channel) for _ in range(2)]
    until = time.monotonic() + 60
    while storm.judge(database, platform).lost and time.monotonic() < until:
        for one in lanes:
            one.start()
        time.sleep(0.05)
    for one in lanes:
        one.stop()
    assert posts(database, platform) == storm.Outcome(30, 0, 0, 0, 0, 0)


def test_a_worker_frozen_past_its_lease_does_not_call(database, platform, monkeypatch) -> None:
    """SIGSTOP between the claim and the call; meanwhile the lease ends and somebody else posts the reply."""
    storm.add_acts(database, storm.add_places(database, "list", platform), 1)
    database.engine.dispose()
    call = Lanes._call

    def late(self, channel, act, claimed_at):
        os.kill(os.getpid(), signal.SIGSTOP)
        # The lease in the child's hands is over, as it is after a real freeze of LEASE_SECONDS.
        act.lease_until = utc_now()
        return call(self, channel, act, claimed_at)

    def run_late() -> None:
        monkeypatch.setattr(Lanes, "_call", late)
        run_outbox(open_database(address(database)), storm.open_channel)

    with child(run_late) as sender:
        os.waitpid(sender, os.WUNTRACED)
        storm.hurry(database)
        storm.calm(database)
        with database.write.begin() as session:
            assert session.scalars(select(Act.state)).one() in storm.DONE
        os.kill(sender, signal.SIGCONT)
        os.waitpid(sender, 0)
    assert posts(database, platform).doubled == 0
    assert posts(database, platform).lost == 0


def test_a_slow_place_holds_up_nobody_else(database, platform) -> None:
    slow, quick = storm.add_places(database, "list", platform, 2)
    storm.add_acts(database, [slow, quick], 2)
    gate = threading.Event()

    def opened(source):
        if source.id == slow:
            gate.wait(20)
        return storm.open_channel(source)

    lanes = Lanes(database, opened)
    lanes.start()
    try:
        until = time.monotonic() + 15
        while _state(database, quick) != "accepted":
            assert time.monotonic() < until
            time.sleep(0.02)
        assert _state(database, slow) == "sending"
    finally:
        gate.set()
        lanes.stop()
    assert _state(database, slow) == "accepted"


def test_a_single_reply_goes_before_a_mass_answer(database, platform) -> None:
    [place] = storm.add_places(database, "list", platform)
    storm.add_acts(database, [place], 20)
    with database.write.begin() as session:
        session.execute(update(Act).values(priority=5))
    storm.add_acts(database, [place], 1)
    run_outbox(database, storm.open_channel)
    with database.read.begin() as session:
        first = session.scalars(select(Act.id).order_by(Act.accepted_at).limit(1)).one()
        assert first == session.scalar(select(func.max(Act.id)))


def _state(database, source_id: int) -> str:
    with database.read.begin() as session:
        return session.scalars(select(Act.state).where(Act.source_id == source_id)).one()


def test_fifty_submits_of_one_form_are_one_reply(database, cast) -> None:
    cast.write("Когда откроют третий урок?")
    with database.read.begin() as session:
        case_id = session.scalars(select(Message.case_id)).one()

    def submit(_: int) -> int:
        with database.write.begin() as session:
            return write_reply(session, cast.smm, case_id, "В пятницу.", "one-form", undo_seconds=0).id

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(submit, range(50)))) == 1
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Act)) == 1
        assert session.scalar(select(func.count()).select_from(Reply)) == 1


def test_of_two_people_on_one_case_each_time_one_is_taken_and_posted_once(database) -> None:
    assert operators(lambda: address(database), 20) == (20, 20, 20)


@pytest.mark.parametrize("kind", ["token", "none"])
def test_a_sender_stopped_at_any_moment_past_its_lease_doubles_nothing(database, kind) -> None:
    told = frozen(lambda: address(database), kind, 2)
    assert (told.lost, told.doubled) == (0, 0), told
