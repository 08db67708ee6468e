"""The day's units as a budget: reading stops before the reserve, answers go on, nothing is called after the end."""

import contextlib
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import respx
import time_machine

from bootstrap import SharedLimiter
from collectors.base import Act, ActKind, ChannelError, Target, Walk
from collectors.wire import Wire
from collectors.youtube import Settings, YouTube
from tests.collectors.desk import Desk
from tests.collectors.youtube_platform import BASE, US, Refused, YouTubePlatform


class Budget:
    """Days of a limiter that never waits."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}
        self.parts: Counter[str] = Counter()

    def wait(self, name: str, *, rate: float, cost: int = 1) -> None:
        return None

    def spend(self, name: str, day: str, units: int, *, limit: int, purpose: str = "") -> bool:
        if self.spent.get(name, 0) + units > limit:
            return False
        self.spent[name] = self.spent.get(name, 0) + units
        self.parts[purpose] += units
        return True

    def spent_on(self, name: str, day: str, purpose: str | None = None) -> int:
        return self.spent.get(name, 0) if purpose is None else self.parts[purpose]


@pytest.fixture
def tube() -> Iterator[YouTubePlatform]:
    platform = YouTubePlatform(biggest_page=2)
    for number in range(7):
        top = platform.write("vid0", f"Вопрос {number}")
        if number % 3 == 0:
            for reply in range(7):
                platform.write("vid0", f"Ответ {number}.{reply}", top.id)
    with respx.mock:
        respx.route(host="tube.example").mock(side_effect=platform)
        yield platform


def channel(budget: Budget, **more: int) -> YouTube:
    told = {
        "channel_id": US, "base_url": BASE, "token_url": f"{BASE}token", "client_id": "client",
        "client_secret": "secret", "refresh_token": "refresh", **more,
    }  # fmt: skip
    return YouTube(Settings.model_validate(told), Wire(), budget)


def reply(*, mass: bool = False) -> Act:
    return Act(ActKind.REPLY, 1, "t", Target("vid0", "Ug0001", thread="Ug0001"), "Да, завтра.", mass=mass)


def test_the_quota_may_end_at_any_call_and_nothing_is_missed_or_doubled(tube: YouTubePlatform) -> None:
    budget = Budget()
    Desk(channel(budget)).read(Walk.BACKFILL)
    whole = budget.spent["youtube:client"]
    assert whole > 10
    for k in range(1, whole):
        budget = Budget()
        own = channel(budget, daily_units=100 + 2 * k, reserve_units=100 + k)
        limit = 100 + 2 * k - min(100 + k, (100 + 2 * k) // 2)
        budget.spent["youtube:client"] = limit - k
        desk = Desk(own)
        with pytest.raises(ChannelError) as ended:
            desk.read(Walk.BACKFILL)
        assert (ended.value.code, ended.value.retry_after is not None) == ("quota", True)
        calls = len(tube.log)
        with pytest.raises(ChannelError):
            desk.read(Walk.BACKFILL)
        assert len(tube.log) == calls, "nothing is called between the end and the reset"
        budget.spent.clear()  # midnight in California
        while not desk.completed:
            budget.spent.clear()
            try:
                desk.read(Walk.BACKFILL)
            except ChannelError:
                continue
        assert set(desk.texts()) == set(tube.comments)


def test_answers_leave_while_the_reserve_lasts_and_reading_never_touches_it(tube: YouTubePlatform) -> None:
    budget = Budget()
    own = channel(budget, daily_units=300, reserve_units=120)
    budget.spent["youtube:client"] = 180
    with pytest.raises(ChannelError):
        Desk(own).read(Walk.NEW)
    assert own.act(reply()).external_id
    assert own.act(reply()).external_id
    with pytest.raises(ChannelError) as ended:
        own.act(reply())
    assert (ended.value.code, ended.value.permanent) == ("quota", False)


def test_a_mass_answer_leaves_half_of_the_reserve_to_single_ones(tube: YouTubePlatform) -> None:
    budget = Budget()
    own = channel(budget, daily_units=300, reserve_units=120)
    budget.spent["youtube:client"] = 180
    assert own.act(reply(mass=True)).external_id
    with pytest.raises(ChannelError) as ended:
        own.act(reply(mass=True))
    assert (ended.value.code, ended.value.permanent) == ("share", False)
    assert own.act(reply()).external_id


def test_after_googles_own_refusal_nothing_is_called(tube: YouTubePlatform) -> None:
    def spent(name: str, told: dict[str, str]) -> None:
        raise Refused(403, "quotaExceeded")

    budget, tube.before = Budget(), spent
    for _ in range(2):
        with pytest.raises(ChannelError) as ended:
            Desk(channel(budget)).read(Walk.NEW)
        assert ended.value.code == "quota"
    assert len(tube.log) == 1


def test_two_processes_share_one_budget(tmp_path: Path) -> None:
    first, second = SharedLimiter(tmp_path / "limits.db"), SharedLimiter(tmp_path / "limits.db")
    assert first.spend("youtube:a", "2026-11-26", 60, limit=100)
    assert not second.spend("youtube:a", "2026-11-26", 60, limit=100)
    assert second.spend("youtube:a", "2026-11-26", 40, limit=100)
    assert not first.spend("youtube:b", "2026-11-26", 101, limit=100)
    assert second.spend("youtube:a", "2026-11-27", 60, limit=100)
    assert first.spent() == {"youtube:a": 60}


def test_old_calls_are_swept_without_a_thread_that_would_outlive_the_file(tmp_path: Path) -> None:
    path = tmp_path / "limits.db"
    limiter, before = SharedLimiter(path), set(threading.enumerate())
    for _ in range(3):
        limiter.wait("vk:call", rate=20, cost=2)
    assert set(threading.enumerate()) == before
    time.sleep(1.1)  # the window of a rate of 20 is one second
    limiter.wait("vk:call", rate=20)
    with contextlib.closing(sqlite3.connect(path)) as db:
        (table,) = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchone()
        assert db.execute(f'SELECT count(*) FROM "{table}"').fetchone() == (1,)


@time_machine.travel("2026-11-28T20:00:00+00:00")  # noon in California: in the day's last minutes nothing is needed
def test_a_deep_walk_leaves_what_new_comments_will_need(tube: YouTubePlatform) -> None:
    """«share» stops the deep walk alone; new comments are read on, and nobody calls after the day's end."""
    budget = Budget()
    own = channel(budget, daily_units=1000, reserve_units=200)
    Desk(own).read(Walk.NEW)
    pace = budget.parts["new"]
    assert pace > 0
    budget.parts["new"] = 10_000  # a day on which new comments will need all that they may
    budget.spent["youtube:client"] = 1000 - 200 - 400
    with pytest.raises(ChannelError) as ended:
        Desk(own).read(Walk.DEEP)
    assert (ended.value.code, ended.value.permanent) == ("share", False)
    assert 0 < (ended.value.retry_after or 0) <= 3600
    Desk(own).read(Walk.NEW)
    assert own.act(reply()).external_id


def test_what_is_spent_is_told_by_purpose(tube: YouTubePlatform, tmp_path: Path) -> None:
    limiter = SharedLimiter(tmp_path / "limits.db")
    told = {
        "channel_id": US, "base_url": BASE, "token_url": f"{BASE}token", "client_id": "client",
        "client_secret": "secret", "refresh_token": "refresh", "daily_units": 10_000,
    }  # fmt: skip
    own = YouTube(Settings.model_validate(told), Wire(), limiter)
    Desk(own).read(Walk.NEW)
    Desk(own).read(Walk.DEEP)
    own.act(reply())
    units = own.day_units()
    assert units is not None
    spent = limiter.spending(units.name, units.day)
    parts = {
        one: sum(n for (purpose, _), n in spent.items() if purpose == one) for one in ("new", "deep", "answers")
    }
    assert sum(parts.values()) == limiter.spent_on(units.name, units.day)
    assert parts["answers"] == 50
    assert min(parts.values()) > 0
    assert units.new >= parts["new"] == limiter.spent_on(units.name, units.day, "new")


def test_new_comments_come_while_history_rests_half_read(tube: YouTubePlatform) -> None:
    """The first complete reading is interrupted; the cheap walk reads what came since it began, not to the end."""
    desk = Desk(channel(Budget()))
    desk.read(Walk.BACKFILL, 1)
    tube.write("vid0", "Пришло тем временем")
    calls = len(tube.log)
    desk.read(Walk.NEW)
    assert "Пришло тем временем" in desk.texts().values()
    cheap = len(tube.log) - calls
    assert set(desk.texts()) != set(tube.comments)
    desk.read(Walk.BACKFILL)
    assert set(desk.texts()) == set(tube.comments)
    assert cheap < len(tube.log) - calls - cheap
