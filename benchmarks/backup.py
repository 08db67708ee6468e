"""`bench backup`: rounds of backup and restore of a filled desk, with attachments and unsent replies.

OTKLIK_BENCH_BACKUP names messages, attachments and rounds («10000 200 3»; the issue needs «1000000 5000 20»),
OTKLIK_BENCH_BACKUP_SECONDS after how long no further round begins.
"""

import itertools
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import func, insert, select

from benchmarks.figures import Figure, finish, header, row
from benchmarks.inbox import databases
from benchmarks.inbox_data import fill
from models import Act, Attachment, Message
from models.database import Database
from services.backup import read_manifest, run_backup, run_restore
from services.outbox import WAITING, claim_act

UNSENT = 200
ALTERED = frozenset({"act", "event", "setting"})
"""A restore distrusts unsent acts, writes down that it was, and lets the index of search be made anew."""
SIZES = (20_000, 60_000, 300_000)


def main() -> int:
    """Prints seconds and megabytes a round; 1 when anything differs or could be sent blindly."""
    header()
    messages, files, rounds = (int(one) for one in os.environ.get("OTKLIK_BENCH_BACKUP", "10000 200 3").split())
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="otklik-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root, PostgreSQL runs as another user
        with databases(folder) as make:
            for kind in os.environ.get("OTKLIK_BENCH_DATABASES", "sqlite postgresql").split():
                print(
                    f"\n{kind}: {messages} messages, {files} attachments, {UNSENT} unsent replies, {rounds} rounds"
                )
                database = make(kind, 0)
                fill(database, messages)
                _attach(database, files)
                figures += _measure(kind, database, partial(make, kind), folder / kind, rounds)
    return finish(figures)


def _measure(
    kind: str, database: Database, make: Callable[[int], Database], folder: Path, rounds: int
) -> list[Figure]:
    took: dict[str, list[float]] = {"backup": [], "restore": []}
    differences = blind = size = 0
    ends = time.monotonic() + float(os.environ.get("OTKLIK_BENCH_BACKUP_SECONDS", "inf"))
    for number in range(1, rounds + 1):
        if time.monotonic() > ends:
            break
        began = time.perf_counter()
        path = run_backup(database, folder / "backups")
        took["backup"].append(time.perf_counter() - began)
        size = path.stat().st_size
        restored = make(number)
        began = time.perf_counter()
        run_restore(restored, path)
        took["restore"].append(time.perf_counter() - began)
        differences += _differences(path, run_backup(restored, folder / "again"))
        blind += _sendable(restored)
        restored.engine.dispose()
        shutil.rmtree(folder / "again")
        path.unlink()
        if database.is_sqlite:
            Path(str(restored.engine.url.database)).unlink()
        told = f"backup {took['backup'][-1]:.1f} s, restore {took['restore'][-1]:.1f} s"
        print(f"round {number}: {told}; {differences} tables differ, {blind} blind so far", flush=True)
    for name, values in took.items():
        row(f"{kind} {name}", values)
    apart = sum(one.stat().st_size for one in (folder / "backups" / "files").rglob("*") if one.is_file())
    print(f"archive {size / 1e6:.1f} MB; attachments apart, once for all rounds, {apart / 1e6:.1f} MB")
    return [Figure(f"{kind} differences", differences, 0), Figure(f"{kind} sent blindly", blind, 0)]


def _sendable(database: Database) -> int:
    """How many acts of a restored desk would go out without being looked up."""
    waiting = select(func.count()).select_from(Act).where(Act.state.in_((*WAITING, "sending")))
    with database.write.begin() as session:
        return (session.scalar(waiting) or 0) + (claim_act(session) is not None)


def _attach(database: Database, count: int) -> None:
    """Photos of three sizes beside messages, and replies that wait to be sent."""
    dice = random.Random(7)
    with database.write.begin() as session:
        ids = list(session.scalars(select(Message.id).order_by(Message.id).limit(max(count, 1))))
    sizes = itertools.cycle(SIZES)
    for start in range(0, count, 100):
        rows = [
            {"message_id": ids[number % len(ids)], "kind": "photo", "name": f"{number}.jpg",
             "content": dice.randbytes(next(sizes))}
            for number in range(start, min(start + 100, count))
        ]  # fmt: skip
        with database.write.begin() as session:
            session.execute(insert(Attachment), rows)
    with database.write.begin() as session:
        source = session.scalar(select(Message.source_id).limit(1))
        session.execute(
            insert(Act),
            [
                {"kind": "reply", "source_id": source, "token": f"t{number}", "text": "Ответ"}
                for number in range(UNSENT)
            ],
        )


def _differences(first: Path, second: Path) -> int:
    """Tables that read otherwise after the round."""
    one, other = read_manifest(first)["tables"], read_manifest(second)["tables"]
    return sum(one[name] != other.get(name) for name in one if name not in ALTERED)
