"""A MAX Bot API in memory: updates kept until a marker confirms them, history newest first, faults on demand."""

import json
from typing import Any

import httpx

from benchmarks.limits import NoLimits
from collectors.max import Max, Settings
from collectors.wire import Wire

TOKEN, SECRET = "f9LHtoken-of-the-bot", "hook-secret-1"
BOT, GROUP, DIALOGUE = 9001, -7001, 5001
EPOCH = 1_790_000_000_000
PARAMETERS: dict[tuple[str, str], set[str]] = {
    # what a call may carry in its query (schema of 2026-07-01)
    ("GET", "/me"): set(),
    ("GET", "/subscriptions"): set(),
    ("GET", "/updates"): {"limit", "timeout", "marker", "types"},
    ("GET", "/chats"): {"count", "marker"},
    ("GET", "/messages"): {"chat_id", "message_ids", "from", "to", "count"},
    ("POST", "/messages"): {"user_id", "chat_id", "disable_link_preview"},
    ("PUT", "/messages"): {"message_id"},
    ("DELETE", "/messages"): {"message_id"},
}
BODY = {"text", "attachments", "link", "notify", "format"}

Message = dict[str, Any]


class MaxPlatform:
    """A respx side effect. ``faults`` are given instead of answers, ``lost`` after the work was done."""

    def __init__(self, page: int = 100, inclusive: bool = True) -> None:
        self.messages: dict[str, Message] = {}
        self.queue: list[dict[str, Any]] = []
        self.first = 0  # number of the first update that is still kept
        self.page, self.inclusive = page, inclusive
        self.clock = 0
        self.calls: list[tuple[str, str, dict[str, str], Any]] = []
        self.faults: list[httpx.Response | Exception] = []
        self.lost: list[httpx.Response | Exception] = []
        self.denied: set[int] = set()
        self.blind: set[int] = set()  # chats whose history shows nothing although there is some
        self.hooks: list[dict[str, Any]] = []
        self.silent = False  # events are lost

    def write(self, text: str, chat: int = GROUP, sender: int = 42, to: str | None = None, **more: Any) -> Message:
        self.clock += 1
        mid = f"mid.{self.clock:06d}"
        dialogue = chat == DIALOGUE
        message: Message = {
            "sender": {"user_id": sender, "first_name": "Вера", "last_name": "Полякова", "is_bot": sender == BOT},
            "recipient": {"chat_id": chat, "chat_type": "dialog" if dialogue else "chat"},
            "timestamp": EPOCH + self.clock // 2,  # two messages may share a millisecond
            "body": {"mid": mid, "seq": self.clock, "text": text, "attachments": None},
            "stat": {"views": self.clock},
            **more,
        }
        if to is not None:
            answered = self.messages[to]
            message["link"] = {"type": "reply", "sender": answered["sender"], "message": answered["body"]}
        self.messages[mid] = message
        self.tell("message_created", message=message)
        return message

    def edit(self, mid: str, text: str) -> None:
        self.clock += 1
        self.messages[mid] = {**self.messages[mid], "body": {**self.messages[mid]["body"], "text": text}}
        self.tell("message_edited", message=self.messages[mid])

    def remove(self, mid: str) -> None:
        self.clock += 1
        message = self.messages.pop(mid)
        self.tell("message_removed", message_id=mid, chat_id=message["recipient"]["chat_id"], user_id=42)

    def tell(self, kind: str, **more: Any) -> None:
        if not self.silent:
            self.queue.append(
                {"update_type": kind, "timestamp": EPOCH + self.clock, **json.loads(json.dumps(more))}
            )

    def truth(self) -> dict[str, str]:
        return {mid: one["body"]["text"] for mid, one in self.messages.items()}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        key = (request.method, request.url.path)
        params = dict(request.url.params)
        assert request.headers["Authorization"] == TOKEN
        assert set(params) <= PARAMETERS[key], (key, params)
        body = json.loads(request.content) if request.content else None
        assert body is None or set(body) <= BODY, body
        self.calls.append((*key, params, body))
        if self.faults:
            return given(self.faults.pop(0))
        answer = self.answer(key, params, body)
        return given(self.lost.pop(0)) if self.lost and request.method != "GET" else answer

    def answer(self, key: tuple[str, str], params: dict[str, str], body: Any) -> httpx.Response:
        match key:
            case "GET", "/me":
                return done(user_id=BOT, first_name="Школа", username="slovo_bot", is_bot=True)
            case "GET", "/subscriptions":
                return done(subscriptions=self.hooks)
            case "GET", "/updates":
                return refused(405, "method.not.allowed") if self.hooks else self.updates(params)
            case "GET", "/chats":
                return done(
                    chats=[{"chat_id": GROUP, "type": "chat", "title": "Выпуск 7", "participants_count": 9}]
                )
            case "GET", "/messages":
                return self.history(params)
            case "POST", "/messages":
                return self.post(params, body)
        mid = params["message_id"]
        if mid not in self.messages:
            return refused(404, "not.found")
        if key[0] == "PUT":
            self.edit(mid, body["text"])
        else:
            self.remove(mid)
        return done(success=True)

    def updates(self, params: dict[str, str]) -> httpx.Response:
        if "marker" in params:
            begin = max(int(params["marker"]), self.first)
            self.first = begin
        else:
            begin = max(self.first, len(self.queue) - 1)
        end = min(len(self.queue), begin + min(int(params["limit"]), self.page))
        return done(updates=self.queue[begin:end], marker=end)

    def history(self, params: dict[str, str]) -> httpx.Response:
        if "message_ids" in params:
            named = (self.messages.get(mid) for mid in params["message_ids"].split(","))
            return done(messages=[one for one in named if one is not None])
        chat = int(params["chat_id"])
        if chat in self.blind:
            return done(messages=[])
        if chat in self.denied:
            return refused(403, "chat.denied")
        upper = int(params.get("from", 2**62)) + (1 if self.inclusive else 0)
        found = [
            one for one in self.messages.values()
            if one["recipient"]["chat_id"] == chat and one["timestamp"] < upper
        ]  # fmt: skip
        found.sort(key=lambda one: (one["timestamp"], one["body"]["seq"]), reverse=True)
        return done(messages=found[: min(int(params["count"]), max(self.page, 2))])

    def post(self, params: dict[str, str], body: dict[str, Any]) -> httpx.Response:
        link = body.get("link")
        if link is not None and link["mid"] not in self.messages:
            return refused(404, "message.not.found")
        self.silent, silent = True, self.silent  # own messages are not delivered
        message = self.write(body["text"], int(params["chat_id"]), BOT, link["mid"] if link else None)
        self.silent = silent
        return done(message=message)


def given(fault: httpx.Response | Exception) -> httpx.Response:
    if isinstance(fault, Exception):
        raise fault
    return fault


def done(**answer: Any) -> httpx.Response:
    return httpx.Response(200, json=answer)


def refused(status: int, code: str, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": f"refused {TOKEN}"}, headers=headers)


def channel(**more: Any) -> Max:
    settings = Settings(token=TOKEN, base_url="https://max.example/", **more)
    return Max(settings, Wire(), NoLimits())
