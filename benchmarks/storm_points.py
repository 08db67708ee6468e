"""The whole path of one reply, ended at every commit, network call and file write in turn (reliability F2).

A viewer's comment is collected, a person answers it, the answer is sent, met again, edited, and met as it is now.
"""

import itertools
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import event, func, select, text, update

from benchmarks.children import child
from benchmarks.storm import DONE, calm, hurry, liar, open_channel
from benchmarks.storm_channel import KINDS, register
from bootstrap import SharedLimiter
from collectors.base import Channel
from models import Act, Case, Event, Message, Reply, Source, Staff, utc_now
from models.database import Database, open_database
from services.accounts import create_staff
from services.intake import run_collect
from services.replies import change_published, write_reply
from services.rights import DESK, actor_of
from services.sending import run_outbox

ANSWER, CHANGED = "Да, запись останется", "Да, запись останется на две недели"
WRITES = ("os.rename", "os.remove", "os.mkdir", "os.link", "os.truncate", "sqlite3.connect")
"""Events of Python's audit that change a file; ``open`` does by its flags."""


@dataclass
class Trial:
    """One end at one point: ``acked`` are words that the person was told are kept."""

    point: int
    reached: bool
    acked: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


@dataclass
class Way:
    """What the child and whoever starts after it share: database, limits and the container of this trial."""

    url: str
    folder: Path
    source_id: int = 0
    staff_id: int = 0

    def open_channel(self, source: Source) -> Channel:
        channel = open_channel(source)
        channel.limiter = SharedLimiter(self.folder / "limits.db")
        return channel

    def collect(self, database: Database) -> None:
        with database.write.begin() as session:
            session.execute(update(Source).values(due_at=utc_now(), deep_due_at=utc_now(), lease_until=None))
        run_collect(database, self.source_id, self.open_channel, "points")

    def walk(self, database: Database, acked: Callable[[str], None]) -> None:
        self.collect(database)
        with database.write.begin() as session:
            actor = actor_of(session.get_one(Staff, self.staff_id))
            case_id = session.scalars(select(Case.id)).one()
            write_reply(session, actor, case_id, ANSWER, "form", undo_seconds=0)
        acked(ANSWER)
        run_outbox(database, self.open_channel)
        self.collect(database)
        with database.write.begin() as session:
            own = session.scalars(select(Act)).one()
            change_published(session, actor, own.id, "edit", text=CHANGED, undo_seconds=0)
        acked(CHANGED)
        run_outbox(database, self.open_channel)
        self.collect(database)


def trials(
    make: Callable[[], str], kind: str, folder: Path, points: Iterable[int] | None = None
) -> Iterator[Trial]:
    """Ends the path at its first point, then at its second … or at those of ``points``, until it comes through."""
    register()
    with liar(1, honest=True) as platform:
        # Once here, so that no child loads what only the first of all needs.
        warm = _prepare(make(), kind, platform, folder / f"{kind}-warm")
        _start_again(warm, database := open_database(warm.url))
        warm.walk(database, lambda _: None)
        database.engine.dispose()
        for point in points or itertools.count(1):
            trial = _try(_prepare(make(), kind, platform, folder / f"{kind}-{point}"), platform, point)
            yield trial
            if not trial.reached:
                return


def _prepare(url: str, kind: str, platform: str, folder: Path) -> Way:
    path, database = Way(url, folder), open_database(url)
    folder.mkdir(parents=True)
    container = folder.name
    with database.write.begin() as session:
        settings = {"base_url": platform, "container": container}
        place = Source(platform=f"storm_{kind}", title="Шторм", settings=settings, every_seconds=60)
        session.add(place)
        staff = create_staff(session, DESK, email="smm@school.example", name="Дарья Лис", roles=("smm",))
        session.flush()
        path.source_id, path.staff_id = place.id, staff.id
    database.engine.dispose()
    said = {"parent": container, "text": "А запись останется?", "author": "Анна Яр", "token": ""}
    httpx.post(f"{platform}/posts", json=said, trust_env=False).raise_for_status()
    return path


def _try(path: Way, platform: str, point: int) -> Trial:
    told, tell = os.pipe()
    with child(partial(_walk_to, path, point, tell)) as walking:
        os.close(tell)
        _, status = os.waitpid(walking, 0)
    with os.fdopen(told) as pipe:
        acked = pipe.read().splitlines()
    code = os.waitstatus_to_exitcode(status)
    trial = Trial(point, code == 9, acked)
    if code not in (0, 9):
        trial.broken.append(f"the path failed by itself: {code}")
    database = open_database(path.url)
    _start_again(path, database)
    trial.broken += _violations(path, database, platform, acked)
    database.engine.dispose()
    return trial


def _walk_to(path: Way, point: int, tell: int) -> None:
    """In the child: walks the path and ends at the wanted point, like a process that is killed."""
    left = itertools.count(1)

    def reached() -> None:
        if next(left) == point:
            os._exit(9)

    def audit(name: str, arguments: tuple[Any, ...]) -> None:
        writes = name == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or name in WRITES:
            reached()

    original = httpx.Client.send

    def send(client: httpx.Client, request: httpx.Request, **more: Any) -> httpx.Response:
        reached()
        answer = original(client, request, **more)
        reached()
        return answer

    out = os.fdopen(tell, "w")
    database = open_database(path.url)
    with database.read.begin() as session:  # what SQLAlchemy loads at the first query is no part of the path
        session.execute(text("SELECT 1"))
    httpx.Client.send = send  # type: ignore[method-assign, assignment]
    dialect: Any = database.engine.dialect
    commit = dialect.do_commit

    def do_commit(connection: Any) -> None:
        reached()
        commit(connection)
        reached()

    dialect.do_commit = do_commit
    event.listen(database.engine, "rollback", lambda _: reached())
    sys.addaudithook(audit)
    path.walk(database, lambda words: print(words, file=out, flush=True))
    os._exit(0)  # at once: what a process does at its end is no part of the path


def _start_again(path: Way, database: Database) -> None:
    """The desk comes up again; leases are over by then. Two readings: one may find the place still held."""
    hurry(database)
    calm(database, open=path.open_channel)
    for _ in range(2):
        path.collect(database)
        calm(database, open=path.open_channel)


def _violations(path: Way, database: Database, platform: str, acked: list[str]) -> list[str]:
    truth = httpx.get(f"{platform}/truth", trust_env=False).json()
    ours = [post for post in truth if post["parent"] == path.folder.name and not post.get("author")]
    broken = []
    with database.read.begin() as session:
        acts = list(session.scalars(select(Act).order_by(Act.id)))
        replies = session.scalar(select(func.count()).select_from(Reply)) or 0
        twice = session.execute(
            select(Message.external_id).group_by(Message.container, Message.external_id).having(func.count() > 1)
        ).all()
        known = set(session.scalars(select(Event.kind)))
        lists_own = KINDS[session.scalars(select(Source.platform)).one().removeprefix("storm_")][1]
        if database.is_sqlite:
            checks = (session.scalars(text("PRAGMA integrity_check")).all(), ["ok"])
            broken += ["the file is damaged"] if checks[0] != checks[1] else []
            broken += ["a key points nowhere"] if session.execute(text("PRAGMA foreign_key_check")).all() else []
    if len(ours) > 1:
        broken.append(f"doubled: {len(ours)} posts")
    if ANSWER in acked and not any(act.kind == "reply" for act in acts):
        broken.append("the click was confirmed and is gone")
    if CHANGED in acked and not any(act.kind == "edit" for act in acts):
        broken.append("the edit was confirmed and is gone")
    if replies != sum(act.kind == "reply" for act in acts) or (replies and "reply.written" not in known):
        broken.append("reply, act and event are not of one piece")
    if twice:
        broken.append(f"messages stored twice: {twice}")
    for act in acts:
        if act.state not in (*DONE, "review", "dead"):
            broken.append(f"{act.kind} stays {act.state}")
        if act.state in DONE and not ours:
            broken.append(f"{act.kind} is {act.state} and nothing stands there")
        if act.state in DONE and act.kind == "edit" and [post["text"] for post in ours] != [CHANGED]:
            broken.append("the edit is said to be done and is not")
        if act.state in DONE and act.kind == "reply" and lists_own and act.state != "seen":
            broken.append("it stands there and was never seen")
    return broken
