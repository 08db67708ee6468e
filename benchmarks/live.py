"""`bench live`: a chat of fifty messages a second over three platforms beside the desk's own process, which is
killed in the middle while one stream drops and comes back; and how many questions of a written chat are lifted.

OTKLIK_BENCH_LIVE_SECONDS is how long it goes on (default 180; the goal is for 1800), OTKLIK_BENCH_CLASSIFIER names
a folder with a trained classifier (else one is trained), OTKLIK_BENCH_LIVE_DATABASE an empty PostgreSQL.
"""

import csv
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks.figures import Figure, finish, header, p95, row
from classifier import Classifier, ClassifierError
from collectors.airing import Airing, ChatBudget, ChatPage
from collectors.base import ChannelError, Raw
from collectors.room import Room
from collectors.room import Settings as RoomSettings
from models import Broadcast, BroadcastPlace, BroadcastQuestion, Message, Source, utc_now
from models.database import Database, open_database
from services.accounts import seed_departments
from services.broadcasts.chats import run_chats
from services.broadcasts.examples import RECORDING
from services.broadcasts.lifting import run_lift, worth_lifting
from services.broadcasts.quota import for_collecting, make_plan
from services.broadcasts.stream import said_after
from services.broadcasts.troubles import trouble_of
from services.leases import free_the_dead
from services.rights import DESK
from services.schema import upgrade

SECONDS = float(os.environ.get("OTKLIK_BENCH_LIVE_SECONDS", "180"))
RATE, PLATFORMS, PAUSE = 50, 3, 1.0
DROPPED = 1
"""The platform whose stream drops for twenty seconds."""
LOOK = 0.35
"""So often the page of the desk asks at most (web/static/js/broadcast.js)."""
TICK = 0.5
"""The scheduler's pause of the job «air»."""
AT_ONCE = 3
"""So many of that job may run at once (scheduler.py)."""


class Platform(Room):
    """A live chat whose truth is a file: one line a message, its place in the file is the token."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.settings = RoomSettings()

    def chat(self, airing: Airing, cursor: dict[str, Any]) -> ChatPage:
        if self._path.with_suffix(".down").exists():
            raise ChannelError("the stream dropped", code="network")
        start = int(cursor.get("token") or 0)
        with self._path.open("rb") as file:
            file.seek(start)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        raws: list[Raw] = []
        for line in whole.splitlines():
            told = json.loads(line)
            given = {"id": told["id"], "author": told["author"], "text": told["text"], "at": told["at"]}
            found = self._raw(airing.publication.removeprefix("room-"), "Эфир", given)
            if found is not None:
                raws.append(found)
        return ChatPage(tuple(raws), {"token": start + len(whole)}, PAUSE)

    def chat_budget(self) -> ChatBudget | None:
        return None


Chat = list[tuple[str, str, bool]]
SECOND_CHAT = Path(__file__).with_name("second_chat.csv")
"""Of another school, written before anything was measured on it; nothing was changed after that."""


def texts() -> Chat:
    """(author, text, is it a question) of the recording that the training school has."""
    with RECORDING.open(encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter=";"))[1:]
    return [(one[2], one[3], one[4] == "1") for one in rows]


def second_texts() -> Chat:
    with SECOND_CHAT.open(encoding="utf-8") as file:
        return [("", one[0], one[1] == "1") for one in list(csv.reader(file, delimiter=";"))[1:]]


def load_classifier(folder: Path) -> Classifier:
    for place in (os.environ.get("OTKLIK_BENCH_CLASSIFIER"), str(folder / "classifier")):
        try:
            return Classifier.load(Path(place or ""))
        except ClassifierError:
            continue
    training = [sys.executable, "-m", "classifier", str(folder / "classifier")]
    with subprocess.Popen(training, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        child.wait()  # it ends when its input does
    return Classifier.load(folder / "classifier")


def make(database: Database) -> int:
    """A broadcast on air with three places; its id."""
    upgrade(database)
    now = utc_now()
    with database.write.begin() as session:
        seed_departments(session)
        broadcast = Broadcast(
            kind="stream",
            title="Эфир",
            state="live",
            starts_at=now,
            started_at=now,
            ends_at=now + timedelta(hours=3),
        )
        session.add(broadcast)
        session.flush()
        for n in range(PLATFORMS):
            source = Source(platform="room", title=f"Площадка {n}", every_seconds=3600, backfilled_at=now)
            session.add(source)
            session.flush()
            session.add(
                BroadcastPlace(
                    broadcast_id=broadcast.id, platform="room", source_id=source.id, publication=f"room-{n}",
                    chat=str(n), due_at=now,
                )
            )  # fmt: skip
        return broadcast.id


def work(folder: Path, address: str) -> None:
    """The desk's own process: what the scheduler's job «air» does, until it is killed."""
    database = open_database(address)
    labeller: list[Classifier] = []
    # As in the product: what is said is shown at once, its questions are lifted when the classifier is there.
    threading.Thread(target=lambda: labeller.append(load_classifier(folder)), daemon=True).start()
    holder = f"bench:{os.getpid()}"
    with database.write.begin() as session:
        free_the_dead(session, lambda held: not held.startswith(holder))
        places = {row.source_id: row.chat for row in session.scalars(select(BroadcastPlace))}
    (folder / "ready").write_text(str(os.getpid()))

    def air() -> None:
        with places_free:
            if run_chats(database, lambda source: Platform(folder / f"{places[source.id]}.jsonl"), holder):
                run_lift(database, labeller[0] if labeller else None)

    places_free = threading.Semaphore(AT_ONCE)
    while True:
        if places_free.acquire(blocking=False):
            places_free.release()
            threading.Thread(target=air, daemon=True).start()
        time.sleep(TICK)


class Viewer(threading.Thread):
    """The page of the desk: asks for what is new, and notes when each message was there first."""

    def __init__(self, database: Database, broadcast_id: int) -> None:
        super().__init__(daemon=True)
        self._database, self._id = database, broadcast_id
        self.seen: dict[str, float] = {}
        self.doubled, self.ends = 0, threading.Event()

    def run(self) -> None:
        last = 0
        keys: dict[int, str] = {}
        while not self.ends.is_set():
            with self._database.read.begin() as session:
                lines = said_after(session, DESK, self._id, last)
                ids = [line.id for line in lines]
                found = session.execute(select(Message.id, Message.external_id).where(Message.id.in_(ids)))
                keys.update({row[0]: row[1] for row in found})
            at = time.time()
            for line in lines:
                self.doubled += keys[line.id] in self.seen
                self.seen.setdefault(keys[line.id], at)
            last = lines[-1].id if lines else last
            if len(lines) < 200:
                self.ends.wait(LOOK)


def start(folder: Path, address: str) -> "subprocess.Popen[bytes]":
    (folder / "ready").unlink(missing_ok=True)
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.live", str(folder), address])
    while not (folder / "ready").exists():
        if process.poll() is not None:
            raise RuntimeError("the desk did not start")
        time.sleep(0.1)
    return process


def spent(process: "subprocess.Popen[bytes]") -> float:
    """Seconds of a core that a process has used, from /proc."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def show(folder: Path, stop: threading.Event, shown: dict[str, float]) -> None:
    """The platforms: each shows its share of the fifty messages a second."""
    written = texts()
    files = [(folder / f"{n}.jsonl").open("ab", buffering=0) for n in range(PLATFORMS)]
    began, number = time.time(), 0
    while not stop.is_set():
        while number < (time.time() - began) * RATE:
            author, text, _ = written[number % len(written)]
            told = {
                "id": f"m{number}", "author": f"{author} {number % 700}", "text": text,
                "at": datetime.now(UTC).isoformat(),
            }  # fmt: skip
            files[number % PLATFORMS].write((json.dumps(told, ensure_ascii=False) + "\n").encode())
            shown[told["id"]] = time.time()
            number += 1
        time.sleep(0.01)
    for file in files:
        file.close()


@dataclass
class Faults:
    """Moments of a run: the kill and when the desk's process works again, the drop and its end."""

    killed: float = 0.0
    alive: float = 0.0
    down: float = 0.0
    back: float = 0.0

    def spoils(self, number: int, at: float) -> str | None:
        """The fault in which a message was shown, also when only its reading would have been due in it."""
        if self.killed - PAUSE - TICK <= at <= self.alive:
            return "kill"
        dropped = number % PLATFORMS == DROPPED and self.down - PAUSE - TICK <= at <= self.back
        return "drop" if dropped else None


def run(folder: Path, address: str) -> tuple[dict[str, list[float]], Faults, dict[str, float]]:
    """Lags («»: outside the faults, «kill» and «drop»: of what was shown within them), the faults, the counts."""
    database = open_database(address)
    broadcast_id = make(database)
    for n in range(PLATFORMS):
        (folder / f"{n}.jsonl").touch()
    desk = start(folder, address)
    shown: dict[str, float] = {}
    faults = Faults()
    stop, viewer = threading.Event(), Viewer(database, broadcast_id)
    viewer.start()
    threading.Thread(target=show, args=[folder, stop, shown], daemon=True).start()
    begins, core = time.time(), -spent(desk)
    time.sleep(SECONDS * 0.5)
    faults.killed = time.time()
    core += spent(desk)
    desk.send_signal(signal.SIGKILL)
    desk.wait()
    desk = start(folder, address)
    faults.alive = time.time()
    time.sleep(SECONDS * 0.1)
    down = folder / f"{DROPPED}.down"
    faults.down = time.time()
    down.touch()
    time.sleep(min(20.0, SECONDS * 0.1))
    down.unlink()
    faults.back = time.time()
    time.sleep(SECONDS * 0.3)
    stop.set()
    core += spent(desk)
    took = time.time() - begins
    time.sleep(6)
    viewer.ends.set()
    desk.kill()
    desk.wait()
    return _lags(shown, viewer.seen, faults), faults, _counts(database, shown, viewer, core / took)


def _lags(shown: dict[str, float], seen: dict[str, float], faults: Faults) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"": [], "kill": [], "drop": []}
    for number, (name, at) in enumerate(shown.items()):
        if name in seen:
            found[faults.spoils(number, at) or ""].append(seen[name] - at)
    late = [round(at - faults.killed, 1) for number, (name, at) in enumerate(shown.items())
            if name in seen and seen[name] - at > 2 and faults.spoils(number, at) is None]  # fmt: skip
    if late:
        print(f"{len(late)} over two seconds, shown {late[0]} to {late[-1]} s after the kill")
    return found


def _counts(database: Database, shown: dict[str, float], viewer: Viewer, share: float) -> dict[str, float]:
    with database.read.begin() as session:
        stored = Counter(session.scalars(select(Message.external_id)))
        asked = len(list(session.scalars(select(BroadcastQuestion.id))))
        left = len(list(session.scalars(select(Message.id).where(Message.work == "live"))))
    return {
        "shown": len(shown), "lost": len(set(shown) - set(stored)), "unseen": len(set(shown) - set(viewer.seen)),
        "doubled": sum(count - 1 for count in stored.values()) + viewer.doubled, "questions": asked,
        "not_looked_at": left, "share": share,
    }  # fmt: skip


def recall(classifier: Classifier, lines: Chat) -> tuple[float, float, int]:
    """(recall, precision, questions) of a chat that was written apart from the corpus."""
    verdicts = classifier.classify([text for _, text, _ in lines])
    lifted = [
        trouble_of(text, verdict.signals) is None and worth_lifting(text, verdict) is not None
        for (_, text, _), verdict in zip(lines, verdicts, strict=True)
    ]
    real = [is_question for _, _, is_question in lines]
    hit = sum(one and other for one, other in zip(lifted, real, strict=True))
    for (_, text, is_question), one in zip(lines, lifted, strict=True):
        if is_question and not one:
            print("missed:", text)
    return hit / sum(real), hit / max(1, sum(lifted)), sum(real)


def planned(hours: float, demanded: float) -> tuple[int, float]:
    """(units that a broadcast took beside ordinary reading, error of its first plan) by the pauses themselves."""
    limit, reserve, spent_before = 10_000, 2_000, 700
    left = limit - reserve - spent_before - for_collecting(14 * 3600, 120)
    given: dict[str, Any] = {"spent": spent_before, "limit": limit, "cost": 5, "chats": 1, "demanded": demanded}
    first = make_plan(left=left, seconds=hours * 3600, **given)
    at, taken = 0.0, 0
    while at < hours * 3600:
        taken += 5
        at += make_plan(left=max(0, left - taken), seconds=hours * 3600 - at, **given).pause
    return taken, abs(taken - first.needs) / first.needs


def main() -> int:
    if len(sys.argv) == 3 and sys.argv[0].endswith("live.py"):
        work(Path(sys.argv[1]), sys.argv[2])
    header()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        address = os.environ.get("OTKLIK_BENCH_LIVE_DATABASE") or f"sqlite:///{folder / 'otklik.db'}"
        classifier = load_classifier(folder)
        hit, precision, real = recall(classifier, texts())
        second = recall(classifier, second_texts())
        lags, faults, counts = run(folder, address)
    units, error = planned(3, 5)
    print(
        f"{counts['shown']:.0f} messages, {counts['questions']:.0f} lifted;"
        f" {real} and {second[2]} questions in the written chats"
    )
    restart, drop = faults.alive - faults.killed, faults.back - faults.down
    print(f"restarted in {restart:.2f} s; the stream was away for {drop:.1f} s")
    row("lag outside the faults", lags[""])
    row("lag of what was shown around the kill", lags["kill"] or [0.0])
    row("lag of what the dropped stream showed", lags["drop"] or [0.0])
    return finish(
        (
            Figure("lag p95 s", p95(lags[""]), 2.0), Figure("lag median s", statistics.median(lags[""])),
            Figure("lag max s", max(lags[""]), 2.0), Figure("restart s", restart),
            Figure("lag max over the kill, less the restart s", max(lags["kill"] or [0.0]) - restart, 2.0),
            Figure("lag max over the drop, less the drop s", max(lags["drop"] or [0.0]) - drop, 2.0),
            Figure("lost", counts["lost"] + counts["unseen"], 0),
            Figure("doubled", counts["doubled"], 0), Figure("not looked at", counts["not_looked_at"], 0),
            Figure("share of a core", counts["share"], 0.35), Figure("recall", hit, 0.95, at_least=True),
            Figure("precision", precision), Figure("recall, second chat", second[0], 0.95, at_least=True),
            Figure("precision, second chat", second[1]), Figure("units of three hours", units, 8000),
            Figure("error of the plan", error, 0.05),
        )
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
