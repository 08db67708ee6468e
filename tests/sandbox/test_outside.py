"""The sandbox's site of reviews, its form and its exchange: a feed that is read, and hooks that are called."""

import json
import threading
import time
from typing import Any

from werkzeug import Request, Response
from werkzeug.serving import make_server

from benchmarks.limits import NoLimits
from collectors.base import Walk
from collectors.feed import Feed, Settings
from collectors.wire import Guard, Wire
from sandbox import keys
from tests.collectors.desk import Desk
from tests.sandbox.running import Running


def test_the_feed_tells_of_answers_and_of_nothing_new(alone: Running) -> None:
    settings = Settings(urls=[f"{alone.url}/reviews/feed.xml"], own_names=[keys.SCHOOL])
    desk = Desk(
        Feed(settings, Wire(Guard(allow_private=frozenset({alone.url.removeprefix("http://")}))), NoLimits())
    )
    desk.read(Walk.BACKFILL)
    standing = {item["text"]: item for item in alone.truth("feed")}
    held = {one.text: one for one in desk.messages().values()}
    assert set(held) == set(standing)
    for text, item in standing.items():
        assert (held[text].parent_external_id is None) == (item["parent_external_id"] is None)
    changes = desk.changes
    desk.read(Walk.NEW)
    assert desk.changes == changes
    alone.says("feed", "fd-app", "А на планшете работает?")
    desk.read(Walk.NEW)
    assert desk.changes == changes + 1
    desk.channel.close()


class Hook:
    """A desk that takes what it is told, after it has been down for a while."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.down = 2
        self.server = make_server("127.0.0.1", 0, Request.application(self.take), threaded=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, request: Request) -> Response:
        self.down -= 1
        if self.down >= 0:
            return Response("later", 503)
        self.told.append({"path": request.path, **json.loads(request.get_data())})
        return Response("ok")

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        until = time.monotonic() + 20
        while len(self.told) < count:
            assert time.monotonic() < until, self.told
            time.sleep(0.05)
        return self.told


def test_letters_and_calls_wait_until_the_desk_takes_them(alone: Running) -> None:
    hook = Hook()
    try:
        address = f"http://127.0.0.1:{hook.server.server_port}"
        hooks = {"form": f"{address}/form", "calls": f"{address}/calls"}
        assert alone.http.post("/_sandbox/hooks", json=hooks).status_code == 200
        waiting = len(alone.truth("form")) + len(alone.truth("calls"))
        hook.wait_for(waiting)
        alone.says("form", "dialog", "Перезвоните, пожалуйста", author="zoya")
        told = hook.wait_for(waiting + 1)
        assert len({json.dumps(one, sort_keys=True) for one in told}) == len(told)
        assert told[-1]["text"] == "Перезвоните, пожалуйста"
        assert {one["status"] for one in told if one["path"] == "/calls"} == {"missed", "answered"}
        [talk] = [one for one in told if one.get("status") == "answered"]
        assert talk["duration"] == 222
    finally:
        hook.server.shutdown()
        hook.server.server_close()
