"""MAX Bot API on loopback: a group, private dialogues, and the queue of updates that a marker confirms."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox import keys
from sandbox.faults import answered
from sandbox.ground import number, store
from sandbox.rates import Rate
from sandbox.store import Draft, Item, Person, Store

wire = Blueprint("max", __name__, url_prefix="/max")

SPACE = "messages"
LONGEST_TEXT = 4000
LONGEST_POLL = 90
KEPT_SECONDS = 24 * 3600
ALL = Rate(30, 0.95)
PARAMETERS: Mapping[tuple[str, str], frozenset[str]] = {
    # what a call may carry in its query (schema of 2026-07-01)
    ("GET", "me"): frozenset(),
    ("GET", "subscriptions"): frozenset(),
    ("GET", "updates"): frozenset({"limit", "timeout", "marker", "types"}),
    ("GET", "chats"): frozenset({"count", "marker"}),
    ("GET", "messages"): frozenset({"chat_id", "message_ids", "from", "to", "count"}),
    ("POST", "messages"): frozenset({"user_id", "chat_id", "disable_link_preview"}),
    ("PUT", "messages"): frozenset({"message_id"}),
    ("DELETE", "messages"): frozenset({"message_id"}),
}
BODY = frozenset({"text", "attachments", "link", "notify", "format"})


class Refused(Exception):
    """An error of MAX: an HTTP status and a word."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def refusal(error: Refused) -> Response:
    answer = jsonify(code=error.code, message=str(error))
    answer.status_code = error.status
    return answer


REFUSALS: dict[str, Callable[[], Response]] = {
    "429": lambda: refusal(Refused(429, "too.many.requests", "Rate limit exceeded")),
    "quota": lambda: refusal(Refused(429, "too.many.requests", "Rate limit exceeded")),
    "401": lambda: refusal(Refused(401, "verify.token", "Invalid access_token")),
}


# Forms


def user(person: Person) -> dict[str, Any]:
    first, _, last = person.name.partition(" ")
    bot = person.id == keys.OURS["max"]
    names = {"first_name": person.name} if bot else {"first_name": first, "last_name": last}
    return {"user_id": int(person.id), **names, "username": person.handle or None, "is_bot": bot}


def message(item: Item) -> dict[str, Any]:
    private = item.kind == "dialog"
    recipient: dict[str, Any] = {"chat_id": int(item.publication), "chat_type": "dialog" if private else "chat"}
    if private:
        recipient["user_id"] = int(item.publication) if item.ours else int(keys.OURS["max"])
    told = {
        "sender": user(store().person("max", item.author)),
        "recipient": recipient,
        "timestamp": int(item.at * 1000),
        "body": body(item),
    }
    parent = store().item("max", SPACE, item.parent) if item.parent else None
    if parent is not None:
        author = user(store().person("max", parent.author))
        told["link"] = {
            "type": "reply",
            "sender": author,
            "chat_id": int(item.publication),
            "message": body(parent),
        }
    return told


def body(item: Item) -> dict[str, Any]:
    return {"mid": item.id, "seq": item.seq, "text": item.text, "attachments": None}


# Writing on the platform


def publish(db: Store, draft: Draft) -> Item:
    n = db.count("max:message", 1, 0x1990)
    return db.add(draft, SPACE, f"mid.{n:016x}", None)


def announce(item: Item, what: str) -> None:
    """Queues an update; what the bot itself did is not told to it."""
    if item.ours:
        return
    now = int(time.time() * 1000)
    if what == "delete":
        chat, author = int(item.publication), int(item.author)
        tell({"update_type": "message_removed", "timestamp": now, "message_id": item.id, "chat_id": chat,
              "user_id": author})  # fmt: skip
        return
    kind = {"new": "message_created", "edit": "message_edited"}[what]
    at = int(item.at * 1000) if what == "new" else now
    tell({"update_type": kind, "timestamp": at, "message": message(item), "user_locale": "ru"})


def start(person: Person, word: str) -> None:
    """A press on «Начать» in the dialogue with the bot; the word is what the link brought."""
    now = int(time.time() * 1000)
    told = {"update_type": "bot_started", "timestamp": now, "chat_id": int(person.id), "user": user(person)}
    tell({**told, "payload": word or None, "user_locale": "ru"})


def tell(update: dict[str, Any]) -> None:
    store().push("max", update)


# Methods


def me(given: Mapping[str, str]) -> dict[str, Any]:
    return user(store().person("max", keys.OURS["max"])) | {"last_activity_time": int(time.time() * 1000)}


def subscriptions(given: Mapping[str, str]) -> dict[str, Any]:
    return {"subscriptions": []}


def chats(given: Mapping[str, str]) -> dict[str, Any]:
    """Groups only: a dialogue becomes known when somebody writes in it."""
    found = [
        {"chat_id": int(one.id), "type": "chat", "status": "active", "title": one.title, "is_public": False,
         "participants_count": 40, "last_event_time": int(time.time() * 1000)}
        for one in store().publications("max", "chat")
    ]  # fmt: skip
    return {"chats": found, "marker": None}


def updates(given: Mapping[str, str]) -> dict[str, Any]:
    """Waiting updates; a marker confirms and drops those before it, without one only the latest comes."""
    limit, timeout = whole(given, "limit", 100, 1, 1000), whole(given, "timeout", 30, 0, LONGEST_POLL)
    wanted = set(given["types"].split(",")) if given.get("types") else None
    until = time.monotonic() + timeout
    _confirm(given)
    while True:
        revision = store().revision
        after = whole(given, "marker", 0, 0, 2**63 - 1)
        if "marker" not in given:
            after = max(0, int(store().scalar("SELECT max(n) FROM events WHERE platform = 'max'") or 0) - 1)
        found = store().events("max", after, limit)
        left = until - time.monotonic()
        if found or left <= 0 or store().stopping.is_set():
            shown = [told for _, told in found if wanted is None or told["update_type"] in wanted]
            return {"updates": shown, "marker": found[-1][0] if found else after}
        store().wait(revision, left)


def _confirm(given: Mapping[str, str]) -> None:
    with store().writing():
        store().execute("DELETE FROM events WHERE platform = 'max' AND at < ?", (time.time() - KEPT_SECONDS,))
        if "marker" in given:
            before = whole(given, "marker", 0, 0, 2**63 - 1)
            store().execute("DELETE FROM events WHERE platform = 'max' AND n <= ?", (before,))


def history(given: Mapping[str, str]) -> dict[str, Any]:
    """Newest first; ``from`` is the upper bound in time, ``to`` the lower one, both included. Or by their ids."""
    if "message_ids" in given:
        named = [store().item("max", SPACE, mid) for mid in given["message_ids"].split(",")]
        return {"messages": [message(one) for one in named if one is not None and one.state == "published"]}
    chat = _chat(given)
    where = "platform = 'max' AND kind = ? AND publication = ? AND state = 'published' AND at >= ? AND at <= ?"
    upper = whole(given, "from", 2**53, 0, 2**53)
    lower = whole(given, "to", 0, 0, 2**53)
    # A millisecond holds what was written within it.
    values = (*chat, lower / 1000, (upper + 0.999) / 1000)
    items = store().items(where, values, "at DESC, seq DESC", whole(given, "count", 50, 1, 100))
    return {"messages": [message(one) for one in items]}


def send(given: Mapping[str, str]) -> dict[str, Any]:
    kind, chat = _chat(given)
    content = _content()
    link = content.get("link") or {}
    parent = None
    if link:
        parent = _standing(str(link.get("mid", "")))
        if link.get("type") != "reply" or parent.publication != chat:
            raise Refused(400, "proto.payload", "link: a message of this chat is expected")
    if kind == "dialog" and store().person("max", chat).banned:
        raise Refused(403, "chat.denied", "dialog.suspended")
    draft = Draft("max", kind, chat, keys.OURS["max"], content["text"], parent.id if parent else None, ours=True)
    item = publish(store(), draft)
    store().accept("POST messages", item)
    return {"message": message(item)}


def edit(given: Mapping[str, str]) -> dict[str, Any]:
    item = _standing(given.get("message_id", ""))
    if not item.ours:
        raise Refused(403, "access.denied", "Only own messages can be edited")
    item = store().edit(item, _content()["text"])
    store().accept("PUT messages", item)
    return {"success": True}


def delete(given: Mapping[str, str]) -> dict[str, Any]:
    item = _standing(given.get("message_id", ""))
    if not item.ours and item.kind == "dialog":
        raise Refused(403, "access.denied", "Only own messages can be deleted in a dialog")
    store().accept("DELETE messages", store().set_state(item, "deleted"))
    return {"success": True}


def _content() -> dict[str, Any]:
    content = request.get_json(silent=True)
    if not isinstance(content, dict) or not set(content) <= BODY:
        raise Refused(400, "proto.payload", "NewMessageBody is expected")
    text = content.get("text")
    if not isinstance(text, str) or not text.strip():
        raise Refused(400, "proto.payload", "text: must not be empty")
    if len(text) > LONGEST_TEXT:
        raise Refused(400, "proto.payload", f"text: size must be between 0 and {LONGEST_TEXT}")
    return content


def _standing(mid: str) -> Item:
    item = store().item("max", SPACE, mid)
    if item is None or item.state == "deleted":
        raise Refused(404, "not.found", f"Message {mid} not found")
    return item


def _chat(given: Mapping[str, str]) -> tuple[str, str]:
    for kind in ("chat", "dialog"):
        found = store().publication("max", kind, given.get("chat_id", ""))
        if found is not None:
            return kind, found.id
    raise Refused(404, "chat.not.found", f"Chat {given.get('chat_id')} not found")


def whole(given: Mapping[str, str], name: str, default: int, lowest: int, highest: int) -> int:
    value = number(given.get(name), default, lowest, highest)
    if value is None:
        raise Refused(400, "proto.payload", f"{name}: must be between {lowest} and {highest}")
    return value


METHODS: dict[tuple[str, str], Callable[[Mapping[str, str]], dict[str, Any]]] = {
    ("GET", "me"): me,
    ("GET", "subscriptions"): subscriptions,
    ("GET", "chats"): chats,
    ("GET", "updates"): updates,
    ("GET", "messages"): history,
    ("POST", "messages"): send,
    ("PUT", "messages"): edit,
    ("DELETE", "messages"): delete,
}


@wire.route("/<path>", methods=["GET", "POST", "PUT", "DELETE"])
def call(path: str) -> AnyResponse:
    """The token goes in the header, without «Bearer»."""
    key = (request.method, path)

    def carry_out() -> Response:
        try:
            if request.headers.get("Authorization") != keys.MAX_TOKEN:
                raise Refused(401, "verify.token", "Invalid access_token")
            if key not in METHODS:
                raise Refused(404, "method.not.found", "Unknown method")
            given = request.args.to_dict()
            strange = set(given) - PARAMETERS[key]
            if strange:
                raise Refused(400, "proto.payload", f"unknown parameters: {', '.join(sorted(strange))}")
            if ALL.wait("all"):
                raise Refused(429, "too.many.requests", "Rate limit exceeded")
            if request.method == "GET":
                return jsonify(METHODS[key](given))
            with store().writing():
                answer = METHODS[key](given)
            return jsonify(answer)
        except Refused as error:
            return refusal(error)

    return answered("max", f"{request.method} {path}", carry_out, REFUSALS)
