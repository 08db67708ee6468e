"""One stream of changes per browser: numbers of cases, kinds of events, names of colleagues; nobody's words."""

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import cast

from flask import Blueprint, Flask, Response, current_app, request
from sqlalchemy.exc import SQLAlchemyError

from bootstrap import Desk
from models import Event
from services.events import events_after, last_event_id
from services.presence import Here
from web.security import current_actor

screen = Blueprint("live", __name__)
log = logging.getLogger(__name__)

POLL_SECONDS = 0.7
HEARTBEAT_SECONDS = 15.0
LIFE_SECONDS = 300.0
"""After this the browser asks again, so that an ended session does not listen on."""
LISTENING = 0.75
"""Share of the threads that may listen: a stream holds one. Others hear what they missed and ask again soon."""
KEPT = 500
OVERLAP = 200
"""PostgreSQL gives ids before commits: a late one may stand below the last that was read."""

News = Callable[[bool], str]
"""What a batch says to somebody, by whether they may see cases."""


class Feed:
    """Reads the event table once a process, while anybody listens, and lets all listeners have each batch."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._changed = threading.Condition()
        self._batches: deque[tuple[int, News]] = deque(maxlen=KEPT)
        self._count = 0
        self._last = 0
        self._seen: deque[int] = deque(maxlen=OVERLAP * 2)
        self._overlap = 0 if desk.database.is_sqlite else OVERLAP
        self._thread: threading.Thread | None = None
        self._most = int(desk.config.web.threads * LISTENING)
        self.listeners = 0

    def follow(self, after: int | None, sees_cases: bool) -> Iterator[str]:
        """Messages from the event ``after`` on (None: from now), a comment at each silence, until its life ends.

        Whoever may not see cases learns neither which changed nor what was done with them.
        """
        try:
            count, missed, now = self._join(after)
            present = _presence(self._desk.presence.now(), sees_cases)
            yield f"retry: 2000\n{_message(missed, now, sees_cases)}{present}"
            if self.listeners > self._most:
                return
            ends = time.monotonic() + LIFE_SECONDS
            while time.monotonic() < ends and not self._desk.closing.is_set():
                batches = self._wait(count)
                count = batches[-1][0] if batches else count
                yield "".join(say(sees_cases) for _, say in batches) or ": still here\n\n"
        finally:
            with self._changed:
                self.listeners -= 1

    def _join(self, after: int | None) -> tuple[int, list[Event], int]:
        # The place in the row of batches is taken before the table is read: an event may come twice, never not.
        with self._changed:
            self.listeners += 1
            count = self._count
            if self._thread is None:
                self._start()
        with self._desk.database.read.begin() as session:
            now = last_event_id(session)
            missed = events_after(session, after, KEPT) if after is not None else []
        return count, missed, now

    def tell_presence(self) -> None:
        """Hands out who is where, if that has changed."""
        news = self._desk.presence.changed()
        if news is None:
            return
        with self._changed:
            self._count += 1
            self._batches.append((self._count, cache(partial(_presence, news))))
            self._changed.notify_all()

    def _start(self) -> None:
        """Nobody listened until now, so nobody misses what came before."""
        with self._desk.database.read.begin() as session:
            self._last = last_event_id(session)
            if self._overlap:
                self._seen.extend(event.id for event in events_after(session, self._last - self._overlap))
        self._thread = threading.Thread(target=self._read, name="live", daemon=True)
        self._thread.start()

    def _wait(self, count: int) -> list[tuple[int, News]]:
        with self._changed:
            self._changed.wait_for(lambda: self._count > count or self._thread is None, HEARTBEAT_SECONDS)
            return [batch for batch in self._batches if batch[0] > count]

    def _read(self) -> None:
        while True:
            self._desk.bell.wait(POLL_SECONDS)
            with self._changed:
                if self._desk.closing.is_set() or self.listeners <= 0:
                    self._thread = None
                    self._changed.notify_all()
                    return
            try:
                self._hand_out()
                self.tell_presence()  # of those who went without a word, and of other processes
            except SQLAlchemyError:
                log.exception("events cannot be read")  # the next round tries again

    def _hand_out(self) -> None:
        with self._desk.database.read.begin() as session:
            found = events_after(session, self._last - self._overlap)
        fresh = [event for event in found if event.id > self._last or event.id not in self._seen]
        if not fresh:
            return
        self._seen.extend(event.id for event in fresh)
        self._last = max(self._last, fresh[-1].id)
        with self._changed:
            self._count += 1
            self._batches.append((self._count, cache(partial(_message, tuple(fresh), self._last))))
            self._changed.notify_all()


def _presence(now: Mapping[int, Sequence[Here]], sees_cases: bool) -> str:
    """Who is at which case: case → [[staff id, name, mode]]; without an id, since it need not be repeated."""
    if not sees_cases:
        return ""
    said = {case_id: [[one.staff_id, one.name, one.mode] for one in people] for case_id, people in now.items()}
    return f"event: presence\ndata: {json.dumps(said, ensure_ascii=False)}\n\n"


def _message(events: Sequence[Event], last: int, sees_cases: bool) -> str:
    cases = sorted({event.case_id for event in events if event.case_id is not None}) if sees_cases else []
    told = [event for event in events if sees_cases or event.case_id is None or event.kind.startswith("route.")]
    kinds = sorted({event.kind for event in told})
    return f"id: {last}\ndata: {json.dumps({'id': last, 'cases': cases, 'kinds': kinds})}\n\n"


def install(app: Flask, desk: Desk) -> None:
    app.extensions["otklik_feed"] = Feed(desk)


def feed_of(app: Flask) -> Feed:
    """The feed of an application; it ends with ``desk.closing``."""
    return cast(Feed, app.extensions["otklik_feed"])


@screen.get("/live")
def stream() -> Response:
    last = request.headers.get("Last-Event-ID", "") or request.args.get("after", "")
    after = int(last) if last.isdecimal() and len(last) < 19 else None
    sees_cases = current_actor().may("case.view")
    response = Response(feed_of(current_app).follow(after, sees_cases), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response
