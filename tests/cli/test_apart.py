"""The desk in several processes on PostgreSQL: schedulers, workers, one of them killed; every effect once."""

import contextlib
import subprocess
import time
from collections import Counter as Count
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from sqlalchemy import func, select, text

from models import Act, Delivery, Message
from models.database import Database
from sandbox import keys
from services.accounts import find_by_email
from services.entrance import ask_for_password
from services.processes import processes
from services.queue import count_waiting, count_workers, defer, defer_once, free_dead_jobs, hand_over, take_all
from services.replies import write_reply
from services.rights import actor_of
from tests.conftest import Cast, _postgres
from tests.journeys.conftest import start_desk
from tests.sandbox.running import Running as Platforms
from tests.services.test_cases import label_all
from worker import Hand, make_tables

pytestmark = pytest.mark.timeout(240)
ASKED = 12


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    yield from _postgres(request)


@pytest.fixture
def platforms(tmp_path) -> Iterator[Platforms]:
    running = Platforms(tmp_path / "platforms", "--no-trickle")
    yield running
    running.close()


class Doors:
    """Processes of one desk, each with a log of its own; whatever still runs is ended with the test."""

    def __init__(self, folder: Path, database: Database, platforms: Platforms) -> None:
        self._folder = folder
        config = folder / "config.yaml"
        config.write_text(
            "sources:\n- {name: blog, platform: wordpress, title: Блог, every_seconds: 1,\n"
            f"   settings: {{base_url: '{platforms.url}/blog/wp-json/', username: {keys.BLOG_USER}}},\n"
            "   secrets: {password: BLOG_PASSWORD}}\n"
        )
        self._variables = {
            "OTKLIK_CONFIG": str(config), "BLOG_PASSWORD": keys.BLOG_PASSWORD,
            "DATABASE_URL": database.engine.url.render_as_string(hide_password=False),
            "OTKLIK_NETWORK__ALLOW_PRIVATE": f'["{platforms.url.removeprefix("http://")}"]',
        }  # fmt: skip
        # Nothing can be trained into a file: the processes go on without a classifier, and no minute is lost to it.
        (folder / "var").mkdir()
        (folder / "var" / "classifier").touch()
        self.running: list[subprocess.Popen[str]] = []

    def start(self, name: str, *words: str) -> tuple[subprocess.Popen[str], str]:
        folder = self._folder / name
        folder.mkdir()
        # All doors of a desk share its folder and its key.
        shared = {"OTKLIK_VAR": str(self._folder / "var"), "XDG_CONFIG_HOME": str(self._folder / "home")}
        started = start_desk(folder, *words, **self._variables, **shared)
        self.running.append(started.process)
        return started.process, started.url

    def end(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.terminate()
        for process in self.running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()


@pytest.fixture
def doors(tmp_path, database, platforms) -> Iterator[Doors]:
    opened = Doors(tmp_path, database, platforms)
    yield opened
    opened.end()


def wait(true, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.3)


def count(database: Database, query) -> int:
    with database.read.begin() as session:
        return session.scalar(query) or 0


def answer_each(database: Database, like: str) -> int:
    """A reply to every message, each of its own words."""
    label_all(database)
    with database.write.begin() as session:
        smm = actor_of(find_by_email(session, "smm@school.example"))
        asked = session.scalars(select(Message).where(Message.text.like(like), Message.case_id.is_not(None))).all()
        for row in asked:
            write_reply(
                session, smm, row.case_id, f"Ответ на {row.id}", f"k{row.id}", message_id=row.id, undo_seconds=0,
                then="keep",
            )  # fmt: skip
        return len(asked)


def test_two_schedulers_three_workers_one_killed(database, platforms, doors) -> None:
    Cast(database)
    post = platforms.truth("wordpress")[0]["publication"]
    doors.start("clock1", "scheduler")
    first, _ = doors.start("worker1", "worker")
    for number in (2, 3):
        doors.start(f"worker{number}", "worker")
    doors.start("clock2", "scheduler")
    wait(lambda: count_alive(database) == 3)
    for number in range(ASKED):
        platforms.says("wordpress", post, f"Когда занятие номер {number}?", author=("alina", "boris")[number % 2])
    stored = select(func.count()).select_from(Message).where(Message.text.like("Когда занятие номер%"))
    wait(lambda: count(database, stored) == ASKED)
    assert answer_each(database, "Когда занятие%") == ASKED
    time.sleep(0.3)
    first.kill()
    killed = time.monotonic()
    for number in range(5):
        platforms.says("wordpress", post, f"Когда занятие номер {ASKED + number}?")
    wait(lambda: count(database, stored) == ASKED + 5)
    assert time.monotonic() - killed < 60
    unsettled = select(func.count()).select_from(Act).where(Act.state.not_in(("accepted", "seen")))
    wait(lambda: count(database, unsettled) == 0, 170)
    ours = Count(item["text"] for item in platforms.truth("wordpress") if item["text"].startswith("Ответ на "))
    assert len(ours) == ASKED
    assert set(ours.values()) == {1}
    wait(lambda: count_alive(database) == 2)
    held = select(func.count()).select_from(text("procrastinate_jobs")).where(
        text("status = 'doing' AND worker_id NOT IN (SELECT id FROM procrastinate_workers)")
    )  # fmt: skip
    wait(lambda: count(database, held) == 0)
    with database.read.begin() as session:
        alive = [one.kind for one in processes(session) if one.alive]
    assert alive.count("scheduler") == 2


def test_work_is_queued_with_its_transaction_or_not_at_all(database, cast_of, queue) -> None:
    with database.write() as session:
        session.add(Delivery(staff_id=cast_of.head.staff_id, kind="x", form_key="1", token="1"))
        session.flush()
        session.rollback()
    assert queue() == []
    with database.write.begin() as session:
        session.add(Delivery(staff_id=cast_of.head.staff_id, kind="x", form_key="2", token="2"))
    assert queue() == [("deliver", "deliver")]
    with database.write.begin() as session:
        defer_once(session, "collect")
        defer_once(session, "collect")
    assert queue() == [("collect", None), ("deliver", "deliver")]
    with database.write.begin() as session:
        take_all(session, "collect")
        take_all(session, "deliver")
    assert queue() == []
    with database.write.begin() as session:
        ask_for_password(session, "nobody@school.example")
    assert queue() == [("deliver", "deliver")]


@pytest.fixture
def cast_of(database) -> Cast:
    return Cast(database)


@pytest.fixture
def queue(database):
    make_tables(SimpleNamespace(database=database))
    hand_over(database)

    def waiting() -> list[tuple[str, str | None]]:
        with database.read.begin() as session:
            rows = session.execute(text("SELECT task_name, lock FROM procrastinate_jobs ORDER BY 1"))
            return [(row[0], row[1]) for row in rows]

    return waiting


def test_jobs_of_a_dead_worker_are_queued_anew(database, queue) -> None:
    with database.write.begin() as session:
        defer(session, "bulk")
        worker = session.scalar(text("SELECT worker_id FROM procrastinate_register_worker_v1()"))
        session.execute(text("SELECT procrastinate_fetch_job_v2(NULL, :w)"), {"w": worker})
        assert free_dead_jobs(session) == 0
        session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '31 seconds'"))
        assert free_dead_jobs(session) == 1
        assert (count_workers(session), count_waiting(session)) == (0, 1)


def test_a_job_that_a_living_worker_lost_is_queued_anew(database, queue) -> None:
    with database.write.begin() as session:
        worker = session.scalar(text("SELECT worker_id FROM procrastinate_register_worker_v1()"))
        for name in ("bulk", "wake"):
            defer(session, name)
    with database.write.begin() as session:
        fetch = text("SELECT id FROM procrastinate_fetch_job_v2(NULL, :w)")
        lost, done = (session.scalar(fetch, {"w": worker}) for _ in range(2))
    hand = Hand(database)
    with hand.holding(SimpleNamespace(job=SimpleNamespace(id=done, worker_id=worker))):
        assert [hand.look(), hand.look(), hand.look()] == [0, 1, 0]  # once it may just be about to begin
        with database.read.begin() as session:
            rows = session.execute(text("SELECT id, task_name, status FROM procrastinate_jobs ORDER BY id"))
            assert [(row[0] == lost, row[1], row[2]) for row in rows] == [
                (False, "wake", "doing"), (False, "bulk", "todo"),
            ]  # fmt: skip
    assert [hand.look(), hand.look()] == [0, 1]


def test_a_dead_workers_job_is_freed_while_another_queues_the_same(database, queue) -> None:
    with database.write.begin() as session:
        defer(session, "bulk")
        worker = session.scalar(text("SELECT worker_id FROM procrastinate_register_worker_v1()"))
        session.execute(text("SELECT procrastinate_fetch_job_v2(NULL, :w)"), {"w": worker})
        session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '31 seconds'"))

    def free() -> int:
        with database.write.begin() as session:
            return free_dead_jobs(session)

    with ThreadPoolExecutor(1) as pool:
        with database.write.begin() as session:
            defer_once(session, "bulk")  # the clock asks at this moment
            freed = pool.submit(free)
            wait(lambda: count(database, WAITS) == 1)
        assert freed.result(20) == 1
    assert queue() == [("bulk", "bulk")]


WAITS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def test_pages_under_gunicorn_end_in_time(database, platforms, doors) -> None:
    process, url = doors.start("web", "web")
    answer = httpx.get(f"{url}health", trust_env=False)
    assert answer.status_code == 200
    assert "gunicorn" in answer.headers.get("server", "gunicorn")
    process.terminate()
    assert process.wait(15) == 0


def count_alive(database: Database) -> int:
    with database.read.begin() as session:
        there = session.scalar(text("SELECT to_regclass('procrastinate_workers')"))
        return count_workers(session) if there else 0
