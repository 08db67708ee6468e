"""Telegram Bot API on loopback: a channel with its discussion group, a private chat, and the queue of updates."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import files, keys
from sandbox.faults import answered
from sandbox.ground import store
from sandbox.rates import Rate
from sandbox.store import Draft, Item, Publication, Store
from sandbox.telegram_forms import (
    BOT,
    CHANNEL,
    GROUP,
    SPACES,
    BadMarkup,
    channel_post,
    forwarded,
    message,
    parsed,
    private_chat,
)

wire = Blueprint("telegram", __name__, url_prefix="/telegram")

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
FIRST_UPDATE = 700_000_000
FIRST_IDS = {"group": 300, "private": 0}
KEPT_SECONDS = 24 * 3600
LONGEST_POLL = 50
UNASKED = ("chat_member", "message_reaction", "message_reaction_count")
ONE_GROUP, ONE_PERSON, ALL = Rate(20, 60.0), Rate(5, 5.0), Rate(30, 1.0)


class Refused(Exception):
    """An answer with ``ok: false``; ``retry_after`` in seconds goes with 429."""

    def __init__(self, code: int, description: str, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.code, self.retry_after = code, retry_after


def refusal(error: Refused) -> Response:
    shape: dict[str, Any] = {"ok": False, "error_code": error.code, "description": str(error)}
    answer_headers = {}
    if error.retry_after is not None:
        shape["parameters"] = {"retry_after": error.retry_after}
        answer_headers["Retry-After"] = str(error.retry_after)
    answer = jsonify(shape)
    answer.status_code = error.code
    answer.headers.update(answer_headers)
    return answer


def too_many(seconds: int) -> Refused:
    return Refused(429, f"Too Many Requests: retry after {seconds}", seconds)


REFUSALS: dict[str, Callable[[], Response]] = {
    "429": lambda: refusal(too_many(1)),
    "quota": lambda: refusal(too_many(30)),
    "401": lambda: refusal(Refused(401, "Unauthorized")),
}


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters from the query, a form or JSON; nested values come as JSON text or as they are."""

    values: dict[str, Any]

    @classmethod
    def of_request(cls) -> "Params":
        content = request.get_json(silent=True) if request.is_json else None
        return cls(
            {**request.args.to_dict(), **request.form.to_dict(), **(content if isinstance(content, dict) else {})}
        )

    def text(self, name: str) -> str:
        value = self.values.get(name)
        return "" if value is None else str(value)

    def whole(self, name: str, default: int = 0) -> int:
        try:
            return int(self.values.get(name) or default)
        except (TypeError, ValueError):
            raise Refused(400, f"Bad Request: invalid {name} specified") from None

    def nested(self, name: str) -> Any:
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise Refused(400, f"Bad Request: can't parse {name} JSON object") from None


# Writing on the platform


def publish(db: Store, draft: Draft) -> Item:
    """Gives a message the next number of its chat."""
    space = SPACES[draft.kind]
    id_ = str(db.count(f"telegram:{space}", 1, FIRST_IDS[space]))
    parent = db.item("telegram", space, draft.parent) if draft.parent else None
    return db.add(draft, space, id_, (parent.root or parent.id) if parent else None)


def announce(item: Item, what: str) -> None:
    """Queues an update; a bot never gets its own messages, and nobody is told of a deletion."""
    kind = {"new": "message", "edit": "edited_message"}.get(what)
    if kind is not None and not item.ours:
        push(kind, message(item))


def announce_post(post: Publication) -> None:
    push("channel_post", channel_post(post))
    push("message", forwarded(post))


def push(kind: str, body: dict[str, Any]) -> None:
    allowed = json.loads(store().meta("telegram:allowed") or "[]")
    wanted = kind in allowed if allowed else kind not in UNASKED
    if wanted:
        store().push("telegram", {kind: body}, FIRST_UPDATE)


# Updates


class Pollers:
    """Only the newest getUpdates waits: an older one is told of the conflict."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest = 0

    def enter(self) -> int:
        with self._lock:
            self._newest += 1
            return self._newest

    def is_newest(self, mine: int) -> bool:
        with self._lock:
            return self._newest == mine


pollers = Pollers()


def get_updates(params: Params) -> list[dict[str, Any]]:
    """Waiting updates, oldest first; an ``offset`` confirms and drops everything below it for good."""
    offset, limit = params.whole("offset"), params.whole("limit", 100)
    limit = limit if 1 <= limit <= 100 else 100
    until = time.monotonic() + min(max(params.whole("timeout"), 0), LONGEST_POLL)
    mine = pollers.enter()
    store().wake()
    _confirm(offset, params)
    while True:
        revision = store().revision
        found = store().events("telegram", 0, limit)
        left = until - time.monotonic()
        if not pollers.is_newest(mine):
            message_ = (
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
            )
            raise Refused(409, message_)
        if found or left <= 0 or store().stopping.is_set():
            return [{"update_id": n, **body} for n, body in found]
        store().wait(revision, left)


def _confirm(offset: int, params: Params) -> None:
    old = "platform = 'telegram' AND at < ?"
    with store().writing():
        store().execute(f"DELETE FROM events WHERE {old}", (time.time() - KEPT_SECONDS,))  # noqa: S608
        if "allowed_updates" in params.values:
            store().set_meta("telegram:allowed", json.dumps(params.nested("allowed_updates") or []))
        if offset > 0:
            store().execute("DELETE FROM events WHERE platform = 'telegram' AND n < ?", (offset,))
        elif offset < 0:
            last = "SELECT n FROM events WHERE platform = 'telegram' ORDER BY n DESC LIMIT ?"
            sql = f"DELETE FROM events WHERE platform = 'telegram' AND n NOT IN ({last})"  # noqa: S608
            store().execute(sql, (-offset,))


# Chats


def chat_of(params: Params) -> tuple[str, str]:
    """("group" | "channel" | "private", person's id or "") of ``chat_id``; Refused for an unknown chat."""
    text = params.text("chat_id")
    if text == str(keys.TELEGRAM_GROUP):
        return "group", ""
    if text in (str(keys.TELEGRAM_CHANNEL), f"@{keys.SCREEN_NAME}"):
        return "channel", ""
    if text and store().person("telegram", text).name:
        return "private", text
    raise Refused(400, "Bad Request: chat not found" if text else "Bad Request: chat_id is empty")


def get_chat(params: Params) -> dict[str, Any]:
    kind, person = chat_of(params)
    shared: dict[str, Any] = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": {}}
    if kind == "group":
        permissions = {"can_send_messages": True}
        return {**GROUP, **shared, "linked_chat_id": keys.TELEGRAM_CHANNEL, "permissions": permissions}
    if kind == "channel":
        return {**CHANNEL, **shared, "linked_chat_id": keys.TELEGRAM_GROUP}
    return {**private_chat(store().person("telegram", person)), **shared}


def get_chat_member(params: Params) -> dict[str, Any]:
    kind, _ = chat_of(params)
    user_id = params.whole("user_id")
    person = store().person("telegram", str(user_id))
    if kind == "private" or not person.name:
        raise Refused(400, "Bad Request: PARTICIPANT_ID_INVALID")
    if user_id != keys.TELEGRAM_BOT:
        return {"status": "kicked" if person.banned else "member", "user": private_chat(person)}
    rights = (
        "can_manage_chat",
        "can_delete_messages",
        "can_restrict_members",
        "can_invite_users",
        "can_pin_messages",
    )
    return {"status": "administrator", "user": BOT, "can_be_edited": False, **dict.fromkeys(rights, True)}


def ban_chat_member(params: Params) -> bool:
    chat_of(params)
    store().ban("telegram", params.text("user_id"), True)
    return True


def unban_chat_member(params: Params) -> bool:
    chat_of(params)
    store().ban("telegram", params.text("user_id"), False)
    return True


# Messages


def checked(params: Params, name: str = "text", longest: int = LONGEST_TEXT) -> str:
    """The text, or the caption, which may be empty."""
    text, mode = params.text(name), params.text("parse_mode")
    if mode:
        try:
            text = parsed(text, mode)
        except BadMarkup as error:
            raise Refused(400, f"Bad Request: can't parse entities: {error}") from error
    if not text.strip() and name == "text":
        raise Refused(400, "Bad Request: message text is empty")
    if len(text) > longest:
        raise Refused(400, f"Bad Request: message {'' if name == 'text' else 'caption '}is too long")
    return text


def _slow_down(kind: str, person: str) -> None:
    one = ONE_GROUP if kind == "group" else ONE_PERSON
    seconds = ALL.wait("all") or one.wait(person or kind)
    if seconds:
        raise too_many(int(seconds) + 1)


def send_message(params: Params) -> dict[str, Any]:
    kind, person = chat_of(params)
    if kind == "channel":
        raise Refused(400, "Bad Request: need administrator rights in the channel chat")
    text = checked(params)
    _slow_down(kind, person)
    draft = _draft_private(person, text, params) if kind == "private" else _draft_group(text, params)
    item = publish(store(), draft)
    store().accept("sendMessage", item)
    return message(item)


def sending(kind: str) -> Callable[[Params], dict[str, Any]]:
    """sendPhoto and its kin: the part of the form that is named after the kind, and a caption."""

    def send(params: Params) -> dict[str, Any]:
        chat, person = chat_of(params)
        sent = request.files.get(kind)
        if sent is None:
            raise Refused(400, f"Bad Request: there is no {kind} in the request")
        text = checked(params, "caption", LONGEST_CAPTION)
        _slow_down(chat, person)
        draft = _draft_private(person, text, params) if chat == "private" else _draft_group(text, params)
        item = publish(store(), draft)
        files.hang(item, [files.keep(kind, sent)])
        store().accept(f"send{kind.capitalize()}", item)
        return message(item)

    return send


def _reply(params: Params, space: str) -> tuple[str, Item | None]:
    """The id the message answers ("" = none) and the item behind it."""
    asked = params.nested("reply_parameters") or {}
    target = str(asked.get("message_id") or params.text("reply_to_message_id") or "")
    item = store().item("telegram", space, target) if target else None
    if item is not None and item.state == "deleted":
        item = None
    is_post = space == "group" and _post_of_thread(target) is not None
    if target and item is None and not is_post:
        if not asked.get("allow_sending_without_reply"):
            raise Refused(400, "Bad Request: message to be replied not found")
        return "", None
    return target, item


def _post_of_thread(thread: str) -> Publication | None:
    return next(
        (post for post in store().publications("telegram", "post") if thread and post.thread == thread), None
    )


def _draft_group(text: str, params: Params) -> Draft:
    target, parent = _reply(params, "group")
    bot = str(keys.TELEGRAM_BOT)
    if parent is not None:
        return Draft("telegram", parent.kind, parent.publication, bot, text, parent.id, ours=True)
    thread = target or params.text("message_thread_id")
    post = _post_of_thread(thread)
    if thread and post is None:
        raise Refused(400, "Bad Request: message thread not found")
    if post is None:
        return Draft("telegram", "chat", str(keys.TELEGRAM_GROUP), bot, text, ours=True)
    return Draft("telegram", "post", post.id, bot, text, ours=True)


def _draft_private(person: str, text: str, params: Params) -> Draft:
    if store().publication("telegram", "dialog", person) is None:
        raise Refused(403, "Forbidden: bot can't initiate conversation with a user")
    if store().person("telegram", person).banned:
        raise Refused(403, "Forbidden: bot was blocked by the user")
    _, parent = _reply(params, "private")
    return Draft(
        "telegram", "dialog", person, str(keys.TELEGRAM_BOT), text, parent.id if parent else None, ours=True
    )


def _standing(params: Params, act: str, id_: str | None = None) -> Item:
    kind, person = chat_of(params)
    item = store().item("telegram", kind, id_ or params.text("message_id"))
    if item is None or item.state == "deleted" or (person and item.publication != person):
        raise Refused(400, f"Bad Request: message to {act} not found")
    return item


def edit_message_text(params: Params) -> dict[str, Any]:
    item = _standing(params, "edit")
    if not item.ours:
        raise Refused(400, "Bad Request: message can't be edited")
    text = checked(params)
    return _edited(item, text, "editMessageText")


def edit_message_caption(params: Params) -> dict[str, Any]:
    item = _standing(params, "edit")
    if not item.ours or not files.files_of(item):
        raise Refused(400, "Bad Request: there is no caption in the message to edit")
    return _edited(item, checked(params, "caption", LONGEST_CAPTION), "editMessageCaption")


def _edited(item: Item, text: str, method: str) -> dict[str, Any]:
    if text == item.text:
        same = "specified new message content and reply markup are exactly the same as a current content"
        raise Refused(400, f"Bad Request: message is not modified: {same}")
    item = store().edit(item, text)
    store().accept(method, item)
    return message(item)


def delete_message(params: Params) -> bool:
    store().accept("deleteMessage", store().set_state(_standing(params, "delete"), "deleted"))
    return True


def delete_messages(params: Params) -> bool:
    """Ids that are not there are skipped, as the platform does."""
    for id_ in params.nested("message_ids") or []:
        try:
            store().accept("deleteMessages", store().set_state(_standing(params, "delete", str(id_)), "deleted"))
        except Refused:
            continue
    return True


def set_message_reaction(params: Params) -> bool:
    item = _standing(params, "react")
    reactions = params.nested("reaction") or []
    if len(reactions) > 1:
        raise Refused(400, "Bad Request: REACTIONS_TOO_MANY")
    emoji = str(reactions[0].get("emoji", "")) if reactions else ""
    store().execute("UPDATE items SET likes = ? WHERE seq = ?", (len(reactions), item.seq))
    store().accept("setMessageReaction", item, emoji)
    return True


def get_me(params: Params) -> dict[str, Any]:
    can = {"can_join_groups": True, "can_read_all_group_messages": True, "supports_inline_queries": False}
    return {**BOT, **can, "can_connect_to_business": False, "has_main_web_app": False}


def get_webhook_info(params: Params) -> dict[str, Any]:
    waiting = int(store().scalar("SELECT count(*) FROM events WHERE platform = 'telegram'"))
    allowed = json.loads(store().meta("telegram:allowed") or "[]")
    answer = {"url": "", "has_custom_certificate": False, "pending_update_count": waiting}
    return answer | ({"allowed_updates": allowed} if allowed else {})


def delete_webhook(params: Params) -> bool:
    if params.text("drop_pending_updates").lower() in ("true", "1"):
        store().execute("DELETE FROM events WHERE platform = 'telegram'")
    return True


def get_file(params: Params) -> dict[str, Any]:
    """Nobody here sends files, so every id is a wrong one."""
    raise Refused(400, "Bad Request: invalid file_id")


METHODS: dict[str, Callable[[Params], Any]] = {
    "getme": get_me,
    "getchat": get_chat,
    "getchatmember": get_chat_member,
    "getupdates": get_updates,
    "getwebhookinfo": get_webhook_info,
    "getfile": get_file,
    "deletewebhook": delete_webhook,
    "sendmessage": send_message,
    "editmessagetext": edit_message_text,
    "editmessagecaption": edit_message_caption,
    **{f"send{kind}": sending(kind) for kind in ("photo", "video", "audio", "document")},
    "deletemessage": delete_message,
    "deletemessages": delete_messages,
    "setmessagereaction": set_message_reaction,
    "banchatmember": ban_chat_member,
    "unbanchatmember": unban_chat_member,
}


@wire.route("/bot<token>/<method>", methods=["GET", "POST"])
def call(token: str, method: str) -> Response:
    """Method names are not case-sensitive (core.telegram.org/bots/api, "Making requests")."""

    def carry_out() -> Response:
        name = method.lower()
        try:
            if token != keys.TELEGRAM_TOKEN:
                raise Refused(401, "Unauthorized")
            if name not in METHODS:
                raise Refused(404, "Not Found: method not found")
            params = Params.of_request()
            if name.startswith("get"):
                return jsonify(ok=True, result=METHODS[name](params))
            with store().writing():
                result = METHODS[name](params)
            return jsonify(ok=True, result=result)
        except Refused as error:
            return refusal(error)

    return answered("telegram", method, carry_out, REFUSALS)
