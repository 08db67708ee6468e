"""Replies of every channel through a platform that lies; then the platform's own list is counted."""

import contextlib
import itertools
import os
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import func, insert, select, update

from benchmarks.children import child
from benchmarks.figures import Figure, finish, header
from benchmarks.lies_platforms import ASKS_A_PERSON, WRITES, Rig, honest, rig
from benchmarks.limits import NoLimits
from benchmarks.storm import DONE, OPEN, fresh_databases
from collectors import channel_class
from collectors.base import Channel, ChannelError, Sent
from collectors.wire import Guard, Wire
from models import Act, Author, Event, Message, Publication, Source, utc_now
from models.database import Database, open_database
from services.accounts import seed_departments
from services.intake import run_collect
from services.outbox import target_of
from services.sending import run_outbox
from services.sources import check_settings

KINDS = tuple(WRITES)
PATIENCE = 0.5
"""Below the liar's hold, so that a held answer is a time-out."""
EQUAL = 5
"""Every so manieth reply says the same as others: «Спасибо!» must not settle on another's id (R5)."""
LONGEST = 0.25
OpenChannel = Callable[[Source], Channel]


@dataclass(frozen=True)
class Outcome:
    """``lost``: believed to stand there and does not, or given up. ``strangers``: our own posts that came home as
    somebody else's, or twice."""

    acts: int
    lost: int
    doubled: int
    reviews: int
    unknown: int
    strangers: int
    lies: int


def opener(made: Rig) -> OpenChannel:
    """The production channel, its addresses being the liar's."""
    settings = check_settings(made.kind, made.settings)
    wire = Wire(Guard(allow_private=made.pairs), read_timeout=PATIENCE)

    def open_channel(source: Source) -> Channel:
        return channel_class(made.kind)(settings, wire, NoLimits())

    return open_channel


def naive(open_channel: OpenChannel) -> OpenChannel:
    """The control: a sender that takes every unknown for «not sent» and does not look."""

    def opened(source: Source) -> Channel:
        channel = open_channel(source)
        act = channel.act

        def hasty(one: Any) -> Any:
            try:
                return act(one)
            except ChannelError as error:
                error.sent, error.permanent = Sent.NO, False
                raise

        channel.act = hasty  # type: ignore[method-assign, assignment]
        return channel

    return opened


def lie(
    url: str, kind: str, rounds: int, seed: int = 20261126, *, kills: bool = False, control: bool = False
) -> Outcome:
    """``rounds`` replies of one channel; with ``kills`` every few of them their sender is killed at random."""
    database = open_database(url)
    with rig(kind, seed) as made:
        open_channel = opener(made)
        place = _watch(database, made, open_channel)
        before = made.standing()
        if control:
            open_channel = naive(open_channel)
        _write(database, place, rounds, seed)
        if kills:
            _killed(database, url, open_channel, max(3, rounds // 5), seed)
        calm(database, open_channel)
        told = _judge(database, made, made.standing() - before)
        if kind not in ASKS_A_PERSON and not control:
            told = replace(told, strangers=_home(database, made, place, open_channel))
    database.engine.dispose()
    return told


def _watch(database: Database, made: Rig, open_channel: OpenChannel) -> int:
    """A place whose viewers' words are known, read while nobody lies."""
    with database.write.begin() as session:
        seed_departments(session)
        place = Source(platform=made.kind, title=made.kind, settings={}, every_seconds=60)
        session.add(place)
        session.flush()
        number = place.id
    with honest(made.plan):
        _read(database, number, open_channel)
        _read(database, number, open_channel, deep=False)  # a bot that knows no history begins here
    return number


def _read(database: Database, place: int, open_channel: OpenChannel, *, deep: bool = True) -> None:
    with database.write.begin() as session:
        source = session.get_one(Source, place)
        source.due_at = utc_now()
        first = source.backfilled_at is None
        source.deep_due_at = utc_now() if deep or first else utc_now() + timedelta(days=1)
    run_collect(database, place, open_channel, "lies")
    with database.read.begin() as session:
        source = session.get_one(Source, place)
        if source.error_code is not None:
            raise RuntimeError(f"{source.platform}: {source.error_code} {source.error_text}")


def _write(database: Database, place: int, rounds: int, seed: int) -> None:
    """Replies as a click leaves them, under the latest words of viewers in every kind of container."""
    now = utc_now()
    with database.write.begin() as session:
        rows = session.execute(
            select(Message, Author, Publication.external_id)
            .join(Author, Author.id == Message.author_id)
            .outerjoin(Publication, Publication.id == Message.publication_id)
            .where(Message.source_id == place, Message.direction == "in", Message.state == "published")
            .order_by(Message.id)
        ).all()
        random.Random(seed).shuffle(rows)  # type: ignore[arg-type]
        acts = []
        for n, (message, author, publication) in zip(range(rounds), itertools.cycle(rows), strict=False):
            same = n % EQUAL == 0 and n < len(rows)
            acts.append(
                {
                    "kind": "reply", "source_id": place, "token": secrets.token_hex(16), "state": "queued",
                    "due_at": now, "created_at": now, "attempt": 0, "priority": 0,
                    "text": "Спасибо, передали!" if same else f"Ответ {secrets.token_hex(4)}: «да» & 5 < 7",
                    "target": target_of(message, author.external_id, author.name, publication),
                }
            )  # fmt: skip
        session.execute(insert(Act), acts)


def _send(url: str, open_channel: OpenChannel) -> None:
    """Until it is killed."""
    while True:
        run_outbox(open_database(url), open_channel)


def _killed(database: Database, url: str, open_channel: OpenChannel, kills: int, seed: int) -> None:
    rolled = random.Random(seed)
    for _ in range(kills):
        database.engine.dispose()  # no connection may live across a fork
        with child(partial(_send, url, open_channel)):
            time.sleep(rolled.uniform(0.02, LONGEST))
        hurry(database)


def hurry(database: Database) -> None:
    """Time passes: leases and pauses are over, and what is unknown is older than the settle time.

    The liar forwards before it lies, so nothing is carried out later than its answer and nothing is cut short.
    """
    past = utc_now() - timedelta(seconds=1)
    settled = utc_now() - timedelta(seconds=1000)
    with database.write.begin() as session:
        session.execute(update(Act).where(Act.state == "sending").values(lease_until=past))
        session.execute(update(Act).where(Act.state == "retry").values(due_at=past))
        session.execute(update(Act).where(Act.state == "unknown").values(due_at=past, attempted_at=settled))


def calm(database: Database, open_channel: OpenChannel, seconds: float = 300) -> None:
    """Works on until nothing is open."""
    until = time.monotonic() + seconds
    while True:
        run_outbox(database, open_channel)
        hurry(database)
        with database.read.begin() as session:
            left = session.scalar(select(func.count()).select_from(Act).where(Act.state.in_(OPEN)))
        if not left:
            return
        if time.monotonic() > until:
            raise RuntimeError(f"{left} acts are still open")


def _judge(database: Database, made: Rig, posts: Counter[str]) -> Outcome:
    with database.read.begin() as session:
        acts = session.execute(select(Act.text, Act.state)).all()
        unknown = session.scalar(select(func.count()).select_from(Event).where(Event.kind == "act.unknown")) or 0
    meant = Counter(text for text, _ in acts)
    done = Counter(text for text, state in acts if state in DONE)
    given_up = sum(state not in (*DONE, "review") for _, state in acts)
    return Outcome(
        acts=len(acts),
        lost=given_up + (done - posts).total(),
        doubled=(posts - meant).total(),
        reviews=sum(state == "review" for _, state in acts),
        unknown=unknown,
        strangers=0,
        lies=sum(count for name, count in made.plan.told.items() if name != "honest"),
    )


def _home(database: Database, made: Rig, place: int, open_channel: OpenChannel) -> int:
    """Reads the place again: each of our posts must be known as ours, once, and as the act that made it."""
    with honest(made.plan):
        _read(database, place, open_channel)
    posts = made.standing()
    with database.read.begin() as session:
        texts = {text for (text,) in session.execute(select(Act.text))}
        held = Counter(
            text
            for (text,) in session.execute(select(Message.text).where(Message.direction == "out"))
            if text in texts
        )
        seen = session.scalar(select(func.count()).select_from(Act).where(Act.state == "seen")) or 0
        total = session.scalar(select(func.count()).select_from(Act)) or 0
    ours = Counter({text: count for text, count in posts.items() if text in texts})
    return (held - ours).total() + (ours - held).total() + total - seen


def main(rounds: int = int(os.environ.get("OTKLIK_LIES", "100"))) -> int:
    header()
    figures = []
    chosen = [name for name in sys.argv if name in KINDS] or list(KINDS)
    for name in ("sqlite", "postgresql"):
        with fresh_databases(name) as make:
            for kind in chosen:
                for kills in (False, True):
                    told = lie(make(), kind, rounds, kills=kills)
                    print(f"{name:10} {kind:10} {'killed' if kills else '':6} {told}", flush=True)
                    label = f"lies.{name}.{kind}{'.killed' if kills else ''}"
                    figures += [
                        Figure(f"{label}.lost", told.lost, 0),
                        Figure(f"{label}.doubled", told.doubled, 0),
                        Figure(f"{label}.strangers", told.strangers, 0),
                        Figure(f"{label}.reviews", told.reviews, told.unknown if kind in ASKS_A_PERSON else 0),
                    ]
            with contextlib.suppress(RuntimeError):
                told = lie(make(), "max", min(rounds, 40), control=True)
                figures.append(Figure(f"lies.{name}.control.doubled", told.doubled, 1, at_least=True))
    return finish(figures)
