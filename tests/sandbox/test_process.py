"""The process: its one line, its stops, and that a write once answered is there after any kill."""

import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from sandbox import school
from tests.sandbox.running import ROOT, Running


def test_it_prints_its_address_and_plants_the_week_once(planted: Path, alone: Running) -> None:
    assert alone.line.startswith("sandbox ready http://127.0.0.1:")
    items = alone.truth()
    assert len(items) == len(school.week())
    times = [datetime.fromisoformat(item["published_at"]) for item in items]
    assert min(times) > datetime.now(UTC) - timedelta(days=9)
    assert datetime.now(UTC) - timedelta(hours=1) < max(times) <= datetime.now(UTC)
    born = {(item["platform"], item["kind"], item["external_id"]): item["published_at"] for item in items}
    for item in items:
        if item["parent_external_id"]:
            assert born[item["platform"], item["kind"], item["parent_external_id"]] < item["published_at"]


def test_it_starts_again_over_the_school_that_is_there(alone: Running) -> None:
    before = len(alone.truth())
    alone.close()
    again = Running(alone.folder, "--no-trickle")
    assert len(again.truth()) == before
    again.close()


def test_what_was_answered_survives_kill_9(alone: Running) -> None:
    written = [
        alone.vk("wall.createComment", owner_id=-990000001, post_id=118, message=f"Ответ {n}")["response"]
        for n in range(3)
    ]
    posted = alone.says("youtube", "yt-live", "Пишу за миг до падения")
    alone.process.kill()
    alone.close()
    again = Running(alone.folder, "--no-trickle")
    try:
        standing = {item["external_id"]: item["text"] for item in again.truth("vk", kind="post")}
        assert [standing[str(one["comment_id"])] for one in written] == ["Ответ 0", "Ответ 1", "Ответ 2"]
        assert again.truth("youtube", external_id=posted["external_id"])[0]["text"] == "Пишу за миг до падения"
        assert [line["method"] for line in again.http.get("/_sandbox/log").json()] == ["wall.createComment"] * 3
        assert len(again.truth()) == len(school.week()) + 4
    finally:
        again.close()


def test_sigterm_ends_it_within_a_second_even_under_a_long_poll(alone: Running) -> None:
    answers: list[httpx.Response] = []
    waiting = alone.telegram("getUpdates").json()["result"]
    offset = waiting[-1]["update_id"] + 1
    poll = threading.Thread(target=lambda: answers.append(alone.telegram("getUpdates", offset=offset, timeout=30)))
    poll.start()
    time.sleep(0.3)
    started = time.monotonic()
    alone.process.terminate()
    assert alone.process.wait(timeout=5) == 0
    assert time.monotonic() - started < 1.0
    poll.join(timeout=5)
    assert answers[0].json() == {"ok": True, "result": []}


def test_it_ends_with_its_parent(planted: Path) -> None:
    running = Running(planted, "--no-trickle", "--parent-pipe", pipe=True)
    assert running.process.stdin is not None
    running.process.stdin.close()
    assert running.process.wait(timeout=3) == 0
    running.close()


def _refused(*words: str) -> str:
    command = [sys.executable, "-m", "sandbox", *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_it_refuses_an_address_others_could_reach(tmp_path: Path) -> None:
    assert "not a loopback address" in _refused("--dir", str(tmp_path), "--port", "0", "--host", "0.0.0.0")


def test_a_taken_port_is_told_in_words(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"port {port}" in _refused("--dir", str(tmp_path), "--port", port)


def test_a_foreign_name_for_loopback_is_refused(world: Running) -> None:
    assert world.http.get("/", headers={"Host": "evil.example"}).status_code == 403


def test_the_trickle_goes_on_after_a_kill_and_says_each_line_once(planted: Path, tmp_path: Path) -> None:
    def later(running: Running) -> list[str]:
        return [item["key"] for item in running.truth() if item["key"] in wanted]

    wanted = [line.key for line in school.trickle()]
    first = Running(tmp_path, "--pace", "0.02", "--no-rate-limits")
    _until(lambda: len(later(first)) >= 10)
    first.process.kill()
    first.close()
    second = Running(tmp_path, "--pace", "0.005", "--no-rate-limits")
    try:
        _until(lambda: len(later(second)) == len(wanted))
        assert later(second) == wanted
    finally:
        second.close()


def _until(claim: object) -> None:
    assert callable(claim)
    deadline = time.monotonic() + 10
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.05)
