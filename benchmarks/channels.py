"""Random histories of every channel over the sandbox's wire, with faults and kills, compared at their end."""

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from flask import Flask
from sqlalchemy import select

from benchmarks.figures import Figure, finish, header
from benchmarks.limits import NoLimits
from benchmarks.storm import fresh_databases
from collectors import channel_class
from collectors.base import Channel, Page, Raw, Walk
from collectors.wire import Wire
from models import Message, Source, utc_now
from models.database import Database, open_database
from sandbox import cast, keys, posting, school
from sandbox.app import create_app
from sandbox.store import Item, Store
from services.accounts import seed_departments
from services.intake import run_collect
from services.sources import check_settings

KINDS = ("youtube", "vk", "wordpress", "ok", "max", "telegram", "feed", "isso", "mail")
SHAPES = {
    "youtube": "time-ordered", "vk": "offset pages", "wordpress": "id-ordered", "ok": "anchor pages",
    "max": "events with history", "telegram": "event stream", "feed": "newest only", "isso": "whole pages",
    "mail": "UID",
}  # fmt: skip
SEES_REMOVALS = frozenset({"youtube", "vk", "wordpress", "ok", "max"})
HOLDS = frozenset({"youtube", "wordpress"})
"""Platforms on which a comment may wait and be approved later."""
FAULTS = ("429", "500", "reset", "timeout", "html", "cut", "token")
URL = "http://127.0.0.1:1"


class Killed(BaseException):
    """The process ended between two steps."""


class FaultyTransport(httpx.BaseTransport):
    """A platform without a network between, and misfortunes at a share of its answers."""

    def __init__(self, platform: httpx.BaseTransport, rolled: random.Random) -> None:
        self._inner = platform
        self._rolled = rolled
        self.share = 0.0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if self._rolled.random() >= self.share:
            return self._inner.handle_request(request)
        match self._rolled.choice(FAULTS):
            case "429":
                return httpx.Response(429, headers={"Retry-After": "1"}, html="<h1>Too many</h1>")
            case "500":
                return httpx.Response(502, html="<h1>Bad gateway</h1>")
            case "reset":
                raise httpx.ReadError("reset")
            case "timeout":
                raise httpx.ReadTimeout("late")
            case "html":
                return httpx.Response(200, html="<title>Just a moment</title>")
            case "token" if "pageToken" in request.url.params:
                request.url = request.url.copy_set_param("pageToken", "expired")
                return self._inner.handle_request(request)
        answer = self._inner.handle_request(request)
        body = b"".join(answer.stream)  # type: ignore[arg-type]
        return httpx.Response(answer.status_code, headers=_bare(answer.headers), content=body[: len(body) // 2])


def _bare(headers: httpx.Headers) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.items() if name.lower() not in ("content-length", "etag")]


class SandboxWire(Wire):
    """Clients that speak to the application itself."""

    def __init__(self, transport: FaultyTransport) -> None:
        super().__init__()
        object.__setattr__(self, "_transport", transport)

    def client(self, base_url: str = "", **more: Any) -> httpx.Client:
        more.pop("cap", None)
        transport = self._transport  # type: ignore[attr-defined]
        return httpx.Client(base_url=base_url, transport=transport, follow_redirects=False, trust_env=False, **more)


@cache
def sandbox_app() -> Flask:
    """One application for all histories, each of which puts its own store into it."""
    return create_app(Store(Path(":memory:")), rate_limits=False)


@dataclass
class History:
    """One platform's life while the desk reads it; all chance comes from ``seed``."""

    database: Database
    kind: str
    seed: int
    control: bool = False

    def _begin(self) -> None:
        self.rolled = random.Random(f"{self.kind}:{self.seed}")
        self.readings, self.kill_after = 0, 0

    def __post_init__(self) -> None:
        self._begin()
        self.store = Store(Path(":memory:"))
        self.app = sandbox_app()
        self.app.extensions["store"] = self.store
        self.transport = FaultyTransport(httpx.WSGITransport(app=self.app), self.rolled)
        with self.app.app_context(), self.store.writing():
            for person in cast.everyone(self.kind)[:8]:
                self.store.add_person(person)
            places = [one for one in school.publications() if one.platform == self.kind and one.open]
            for place in places[-3:]:
                self.store.add_publication(place)
        self.people = [person.key for person in self.store.persons(self.kind) if person.key not in ("school", None)]

    # What happens there

    def happen(self) -> None:
        with self.app.app_context():
            self._happen()

    def _happen(self) -> None:
        rolled = self.rolled
        standing = self.store.items("platform = ? AND state IN ('published', 'held')", (self.kind,))
        what = rolled.choice(("say", "say", "reply", "edit", "delete", "approve", "dialog")) if standing else "say"
        text = f"текст {rolled.random():.12f}"
        who = rolled.choice(self.people) or "alina"
        public = [item for item in standing if item.kind != "dialog" and item.state == "published"]
        if what == "dialog" and "dialog" in posting.HANDS[self.kind].kinds:
            posting.write(self.kind, "dialog", who, text)
        elif what == "reply" and public:
            one = rolled.choice(public)
            posting.write(self.kind, f"{one.kind}:{one.publication}", who, text, one.id)
        elif what in ("edit", "delete") and public:
            one = rolled.choice(public)
            (posting.rewrite(self.kind, one.id, text, one.kind) if what == "edit" else self._remove(one))
        elif what == "approve" and self.kind in HOLDS:
            held = [item for item in standing if item.state == "held"]
            if held:
                with self.store.writing():
                    self.store.set_state(rolled.choice(held), "published")
        else:
            self._say(who, text)

    def _say(self, who: str, text: str) -> None:
        from sandbox.store import Draft

        place = self.rolled.choice([one for one in self.store.publications(self.kind) if one.kind != "dialog"])
        state = "held" if self.kind in HOLDS and self.rolled.random() < 0.2 else "published"
        posting.write(
            self.kind, f"{place.kind}:{place.id}", who, text, None, Draft("", "", "", "", "", state=state)
        )

    def _remove(self, one: Item) -> None:
        posting.remove(self.kind, one.id, one.kind)

    # The desk

    def watch(self) -> int:
        with self.database.write.begin() as session:
            source = Source(platform=self.kind, title=f"{self.kind} {self.seed}", settings={}, every_seconds=60)
            session.add(source)
            session.flush()
            return source.id

    def make_channel(self) -> Channel:
        place = next(one for one in keys.sources(f"{URL}/") if one["platform"] == self.kind)
        settings = check_settings(self.kind, {**place["settings"], **place["secrets"]})
        return channel_class(self.kind)(settings, SandboxWire(self.transport), NoLimits())

    def open_channel(self, source: Source | None) -> Channel:
        channel = self.make_channel()
        walk, parse = channel.walk, channel.parse

        def walked(how: Walk, cursor: Any) -> Iterator[Page]:
            for number, page in enumerate(walk(how, cursor), 1):
                yield page
                if self.transport.share and self.rolled.random() < 0.3:
                    self.happen()
                if self.kill_after == number:
                    raise Killed

        def doubled(raw: Raw) -> list[Any]:
            """The control: the same thing read again is another thing."""
            return [replace(one, external_id=f"{one.external_id}#{self.readings}") for one in parse(raw)]

        channel.walk = walked  # type: ignore[method-assign, assignment]
        if self.control:
            channel.parse = doubled  # type: ignore[method-assign]
        return channel

    def read(self, source_id: int, *, deep: bool) -> None:
        with self.database.write.begin() as session:
            source = session.get_one(Source, source_id)
            source.lease_until = source.lease_holder = None  # the lease of the dead is over
            source.state = "active"
            source.due_at = utc_now() - timedelta(seconds=1)
            first = source.backfilled_at is None
            source.deep_due_at = utc_now() + timedelta(days=-1 if deep or first else 1)
        self.readings += 1
        try:
            run_collect(self.database, source_id, self.open_channel, "history")
        except Killed:
            pass
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RuntimeError(f"a mistake of ours, not a ChannelError: {error!r}") from error

    def live(self) -> list[str]:
        """The whole history; returns what is wrong at its end."""
        source_id = self.watch()
        for _ in range(self.rolled.randint(0, 4)):
            self.happen()
        for _ in range(self.rolled.randint(2, 5)):
            for _ in range(self.rolled.randint(0, 4)):
                self.happen()
            self.transport.share = self.rolled.choice((0.0, 0.05, 0.3))
            self.kill_after = self.rolled.choice((0, 0, 1, 2, 3))
            self.read(source_id, deep=self.rolled.random() < 0.4)
        self.transport.share, self.kill_after = 0.0, 0
        for deep in (False, True, True, False):
            self.read(source_id, deep=deep)
        failed = self.failed(source_id)
        return [failed] if failed else self.compare(self.held(source_id))

    def failed(self, source_id: int) -> str:
        """Why the last reading did not come to its end."""
        with self.database.read.begin() as session:
            source = session.get_one(Source, source_id)
            return f"{source.error_code} {source.error_text}" if source.error_code else ""

    def held(self, source_id: int) -> dict[tuple[str, str], tuple[str, str]]:
        """(container, id) → (text, state)."""
        with self.database.read.begin() as session:
            rows = session.scalars(select(Message).where(Message.source_id == source_id))
            return {(row.container, row.external_id): (row.text, row.state) for row in rows}

    def compare(self, held: dict[tuple[str, str], tuple[str, str]]) -> list[str]:
        from sandbox.truth import told

        with self.app.test_request_context(base_url=URL):
            truth = {self._key(one): one for one in map(told, self.store.items("platform = ?", (self.kind,)))}
        if self.kind == "feed":
            held = {("", key[1].rpartition(":")[2].partition("#")[0]): value for key, value in held.items()}
        wrong = [f"not there: {key}" for key in held if key not in truth]
        for key, one in truth.items():
            if one["state"] != "deleted" and key not in held and not self._unseen(one):
                wrong.append(f"missing: {key} {one['state']}")
            elif key in held and one["state"] != "deleted" and held[key][0] != one["text"]:
                wrong.append(f"text: {key}")
            elif key in held and held[key][1] != self._state(one):
                wrong.append(f"state: {key} {held[key][1]} {one['state']}")
        return wrong

    def _key(self, one: dict[str, Any]) -> tuple[str, str]:
        return ("", one["external_id"]) if self.kind == "feed" else (one["container_id"], one["external_id"])

    def _state(self, one: dict[str, Any]) -> str:
        """A removal that the platform does not tell leaves what we hold as it was."""
        return "published" if one["state"] == "deleted" and self.kind not in SEES_REMOVALS else str(one["state"])

    def _unseen(self, one: dict[str, Any]) -> bool:
        """MAX and Telegram keep updates, but the very first question of a bot brings the latest one alone."""
        return self.kind == "max" and one["kind"] == "dialog"


def run_histories(database: Database, kind: str, count: int, *, first: int = 0, control: bool = False) -> list[str]:
    """What went wrong in ``count`` histories, with the seed of each."""
    from benchmarks.platforms import OTHERS

    bad = []
    for seed in range(first, first + count):
        wrong = OTHERS.get(kind, History)(database, kind, seed, control).live()
        bad += [f"{kind} seed {seed}: {one}" for one in wrong[:3]]
    return bad


def prepare(make: Callable[[], str]) -> Database:
    database = open_database(make())
    with database.write.begin() as session:
        seed_departments(session)
    return database


def main() -> int:
    """``--histories N``: N light ones of each shape of walk; else, or by OTKLIK_HISTORIES, full ones a channel.

    Words name the kinds («max isso»), OTKLIK_BENCH_DATABASES the databases.
    """
    header()
    figures: list[Figure] = []
    light = int(sys.argv[sys.argv.index("--histories") + 1]) if "--histories" in sys.argv else 0
    full = int(os.environ.get("OTKLIK_HISTORIES", "0" if light else "500"))
    if light:
        _shapes(light, figures)
    databases = os.environ.get("OTKLIK_BENCH_DATABASES", "sqlite postgresql").split()
    for name in databases if full else ():
        _channels(name, full, figures)
    return finish(figures)


def _shapes(count: int, figures: list[Figure]) -> None:
    from benchmarks.walks import SHAPES as BY_SHAPE
    from benchmarks.walks import run_walks

    for kind in [one for one in sys.argv if one in BY_SHAPE] or list(BY_SHAPE):
        began = time.perf_counter()
        bad = run_walks(kind, count)
        _tell(f"{'walks':10} {kind:10} {BY_SHAPE[kind]:20} {count}", bad, time.perf_counter() - began)
        figures.append(Figure(f"walks.{kind}.wrong", len(bad), 0))
        control = run_walks(kind, 5, control=True)
        figures.append(Figure(f"walks.{kind}.control.wrong", len(control), 1, at_least=True))


def _channels(name: str, count: int, figures: list[Figure]) -> None:
    with fresh_databases(name) as make:
        for kind in [one for one in sys.argv if one in KINDS] or list(KINDS):
            began = time.perf_counter()
            bad = run_histories(prepare(make), kind, count)
            _tell(f"{name:10} {kind:10} {SHAPES[kind]:20} {count}", bad, time.perf_counter() - began)
            figures.append(Figure(f"channels.{name}.{kind}.wrong", len(bad), 0))
        wrong = Counter(one.split(":")[1] for one in run_histories(prepare(make), "wordpress", 5, control=True))
        figures.append(Figure(f"channels.{name}.control.wrong", wrong.total(), 1, at_least=True))


def _tell(what: str, bad: Sequence[str], seconds: float) -> None:
    print(f"{what} histories, {len(bad)} wrong, {seconds:.0f} s", flush=True)
    for line in bad[:10]:
        print("   ", line)
