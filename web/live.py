"""One stream of changes per browser: numbers of cases and kinds of events, never a person's words."""

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import cast

from flask import Blueprint, Flask, Response, current_app, request
from sqlalchemy.exc import SQLAlchemyError

from bootstrap import Desk
from models import Event
from services.events import events_after, last_event_id
from web.security import current_actor

screen = Blueprint("live", __name__)
log = logging.getLogger(__name__)

POLL_SECONDS = 0.7
HEARTBEAT_SECONDS = 15.0
LIFE_SECONDS = 300.0
"""After this the browser asks again, so that an ended session does not listen on."""
KEPT = 500
OVERLAP = 200
"""PostgreSQL gives ids before commits: a late one may stand below the last that was read."""


class Feed:
    """Reads the event table once a process, while anybody listens, and lets all listeners have each batch."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._changed = threading.Condition()
        self._batches: deque[tuple[int, tuple[Event, ...], int]] = deque(maxlen=KEPT)
        self._count = 0
        self._last = 0
        self._seen: deque[int] = deque(maxlen=OVERLAP * 2)
        self._overlap = 0 if desk.database.is_sqlite else OVERLAP
        self._thread: threading.Thread | None = None
        self.listeners = 0

    def follow(self, after: int | None, sees_cases: bool) -> Iterator[str]:
        """Messages from the event ``after`` on (None: from now), a comment at each silence, until its life ends.

        Whoever may not see cases learns neither which changed nor what was done with them.
        """
        try:
            count, missed, now = self._join(after)
            yield f"retry: 2000\n{_message(missed, now, sees_cases)}"
            ends = time.monotonic() + LIFE_SECONDS
            while time.monotonic() < ends and not self._desk.closing.is_set():
                batches = self._wait(count)
                count = batches[-1][0] if batches else count
                told = (_message(events, last, sees_cases) for _, events, last in batches)
                yield "".join(told) or ": still here\n\n"
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

    def _start(self) -> None:
        """Nobody listened until now, so nobody misses what came before."""
        with self._desk.database.read.begin() as session:
            self._last = last_event_id(session)
            if self._overlap:
                self._seen.extend(event.id for event in events_after(session, self._last - self._overlap))
        self._thread = threading.Thread(target=self._read, name="live", daemon=True)
        self._thread.start()

    def _wait(self, count: int) -> list[tuple[int, tuple[Event, ...], int]]:
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
            self._batches.append((self._count, tuple(fresh), self._last))
            self._changed.notify_all()


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
