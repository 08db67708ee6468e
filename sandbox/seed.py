"""Plants the school into an empty store, once, and lets further comments come while one watches."""

import random
import threading
from dataclasses import replace
from datetime import UTC, datetime

from flask import Flask

from sandbox import cast, posting, school, telegram, youtube_live
from sandbox.ground import store
from sandbox.school import Line
from sandbox.store import Draft, Item

JITTER = 0.4


def plant() -> None:
    """Everything in one transaction: a kill in the middle leaves an empty store, not half a school."""
    if store().meta("planted"):
        return
    now = datetime.now(UTC)
    with store().writing():
        for platform in school.PLATFORMS:
            for person in cast.everyone(platform):
                store().add_person(person)
        for publication in school.publications(now):
            store().add_publication(publication)
            if publication.kind == "post" and publication.platform == "telegram":
                telegram.announce_post(publication)
        for line, at in timed(school.week(), now):
            say(line, at)
        go_on_air(now)
        store().set_meta("planted", now.isoformat())


def go_on_air(now: datetime) -> None:
    """The channel's broadcast: what is to be said later stands there with its time and is not seen before it."""
    told = school.broadcast()
    began = now.timestamp() - 60 * told["began_minutes_ago"]
    ends = began + 60 * told["lasts_minutes"]
    live = youtube_live.begin(str(told["title"]), began, ends, key="school")
    for minute, author, text in told["lines"]:
        youtube_live.say(live, str(author), str(text), began + 60 * float(minute))
    youtube_live.finish(live, ends)


def timed(lines: list[Line], now: datetime) -> list[tuple[Line, float]]:
    """Lines in order of time; nobody answers before the comment is there, and nothing lies in the future."""
    times: dict[str, float] = {}
    latest = now.timestamp() - 5
    for line in lines:
        earliest = times[line.to] + 60 if line.to else 0.0
        times[line.key] = min(max(school.moment(line.at, now), earliest), latest)
    return sorted(((line, times[line.key]) for line in lines), key=lambda pair: pair[1])


def say(line: Line, at: float | None = None) -> Item:
    """One line of the school is said; its key makes it impossible to say it twice."""
    parent = store().items("key = ?", (line.to,))[0].id if line.to else None
    lent = Draft("", "", "", "", "", at=at, state=line.state, label=line.label or None, key=line.key)
    return posting.write(line.platform, line.under, line.by, line.text, parent, lent)


def said() -> set[str]:
    return {str(row["key"]) for row in store().rows("SELECT key FROM items WHERE key IS NOT NULL")}


class Trickle(threading.Thread):
    """Says the later lines one by one, every ``pace`` seconds with some jitter; goes on where it stopped."""

    def __init__(self, app: Flask, pace: float) -> None:
        super().__init__(name="trickle", daemon=True)
        self._app, self._pace = app, pace

    def run(self) -> None:
        # The jitter is only for liveliness; a fixed seed makes two runs alike.
        dice = random.Random(20)
        with self._app.app_context():
            known = said()
            for line in school.trickle():
                pause = self._pace * dice.uniform(1 - JITTER, 1 + JITTER)
                if line.key in known:
                    continue
                if store().stopping.wait(pause):
                    return
                self._say(line)

    def _say(self, line: Line) -> None:
        try:
            say(line)
        except (posting.Unwelcome, IndexError):
            # The person was banned or the answered comment is gone: on a real platform the line would not be
            # written either, or not as an answer.
            if line.to and not store().items("key = ? AND state = 'published'", (line.to,)):
                try:
                    say(replace(line, to=None))
                except posting.Unwelcome:
                    return
