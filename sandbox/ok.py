"""Odnoklassniki on loopback: signed REST methods of a group's discussions, and the Graph bot of its messages."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import keys
from sandbox.faults import answered
from sandbox.ground import number, store
from sandbox.store import Draft, Item, Person, Publication, Store

wire = Blueprint("ok", __name__, url_prefix="/ok")

SPACES = {"topic": "comments", "dialog": "messages"}
TYPE = "GROUP_TOPIC"
LONGEST_TEXT = 4000
COMMON = {"method", "application_key", "format", "sig", "access_token", "call_id", "__online"}
Told = Mapping[str, str]


class Refused(Exception):
    """An error of OK: always HTTP 200."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def refusal(error: Refused) -> Response:
    answer = jsonify(error_code=error.code, error_msg=str(error), error_data=None)
    answer.headers["invocation-error"] = str(error.code)
    return answer


REFUSALS: dict[str, Callable[[], Response]] = {
    "429": lambda: refusal(Refused(8, "ACTION_BLOCKED : too many requests")),
    "quota": lambda: refusal(Refused(11, "LIMIT_REACHED : the limit of the method is reached")),
    "401": lambda: refusal(Refused(102, "PARAM_SESSION_EXPIRED : Session expired")),
}


def publish(db: Store, draft: Draft) -> Item:
    space = SPACES[draft.kind]
    n = db.count(f"ok:{space}", 1, 64_990_000_000)
    parent = db.item("ok", space, draft.parent) if draft.parent else None
    root = (parent.root or parent.id) if parent is not None and draft.kind == "topic" else None
    return db.add(draft, space, f"{n}" if space == "comments" else f"mid:C{draft.publication}.{n:x}", root)


def sign(told: Told) -> str:
    """MD5 of the sorted pairs and the secret, which is MD5 of token and application secret (apiok.ru)."""
    secret = hashlib.md5((keys.OK_TOKEN + keys.OK_SECRET).encode(), usedforsecurity=False).hexdigest()
    joined = "".join(f"{name}={told[name]}" for name in sorted(told) if name not in ("access_token", "sig"))
    return hashlib.md5((joined + secret).encode(), usedforsecurity=False).hexdigest()


# REST


def current_user(told: Told) -> dict[str, Any]:
    return _person(store().person("ok", keys.OK_ADMIN))


def users_info(told: Told) -> list[dict[str, Any]]:
    asked = [one for one in told.get("uids", "").split(",") if one]
    if not asked or len(asked) > 100:
        raise Refused(100, "PARAM : uids: from 1 to 100 are expected")
    known = [store().person("ok", one) for one in asked]
    return [_person(one) for one in known if one.name and one.id != keys.OK_GROUP]


def _person(person: Person) -> dict[str, Any]:
    first, _, last = person.name.partition(" ")
    return {
        "uid": person.id, "name": person.name, "first_name": first, "last_name": last,
        "url_profile": f"https://ok.example/profile/{person.id}",
    }  # fmt: skip


def discussions(told: Told) -> dict[str, Any]:
    """The most recently active first; the anchor belongs to the direction."""
    count = _whole(told, "count", 20, 1, 100)
    begin = _whole(told, "anchor", 0, 0, 10**6)
    standing = {one.id: _comments_of(one.id) for one in store().publications("ok", "topic")}
    places = store().publications("ok", "topic")
    places.sort(key=lambda one: max([one.at, *(item.at for item in standing[one.id])]), reverse=True)
    page = places[begin : begin + count]
    found = [_discussion(one, standing[one.id]) for one in page]
    return {"discussions": found, "anchor": str(begin + len(page)), "has_more": begin + len(page) < len(places)}


def _discussion(place: Publication, items: list[Item]) -> dict[str, Any]:
    return {
        "object_type": TYPE, "object_id": place.id, "title": place.title, "message": place.text,
        "total_comments_count": len(items), "new_comments_count": 0,
        "last_activity_date_ms": int(max([place.at, *(item.at for item in items)]) * 1000),
        "ref_objects": [{"type": "GROUP", "id": keys.OK_GROUP}],
    }  # fmt: skip


def comments(told: Told) -> dict[str, Any]:
    place = _topic(told, "discussionId", "discussionType")
    if told.get("mark_as_read", "true") != "false":
        store().set_meta(f"ok:read:{place.id}", "1")
    items = _comments_of(place.id)
    count = _whole(told, "count", 20, 1, 100)
    anchor = told.get("anchor", "LAST")
    begin = 0 if anchor == "FIRST" else max(0, len(items) - count) if anchor == "LAST" else _after(anchor, items)
    page = items[begin : begin + count]
    following = page[-1].id if page else anchor
    return {
        "comments": [_comment(one) for one in page],
        "anchor": following,
        "has_more": begin + count < len(items),
    }


def _after(anchor: str, items: list[Item]) -> int:
    """The anchor is the last comment shown: what was removed meanwhile shifts nothing."""
    if not anchor.isdecimal():
        raise Refused(100, "PARAM : anchor: unknown")
    return sum(int(one.id) <= int(anchor) for one in items)


def _comments_of(topic: str) -> list[Item]:
    where = "platform = 'ok' AND kind = 'topic' AND publication = ? AND state = 'published'"
    return store().items(where, (topic,), "CAST(id AS INTEGER)")


def _comment(item: Item) -> dict[str, Any]:
    told = {
        "id": item.id, "text": item.text, "author_id": item.author, "date_ms": int(item.at * 1000),
        "type": "ACTIVE_MESSAGE", "like_count": item.likes, "liked_it": False, "reply_count": 0,
        "author_type": "GROUP" if item.author == keys.OK_GROUP else "USER",
    }  # fmt: skip
    return told | ({"reply_to_comment_id": item.parent} if item.parent else {})


def add_comment(told: Told) -> dict[str, Any]:
    place = _topic(told, "entityId", "entityType")
    text = _text(told, "comment")
    parent = _standing(place, told["reply_to_comment_id"]) if told.get("reply_to_comment_id") else None
    author = keys.OK_GROUP if told.get("as_admin") == "true" else keys.OK_ADMIN
    item = publish(store(), Draft("ok", "topic", place.id, author, text, parent.id if parent else None, ours=True))
    store().accept("discussions.addDiscussionComment", item)
    return {"id": item.id}


def edit_comment(told: Told) -> dict[str, Any]:
    item = _standing(_topic(told, "discussionId", "discussionType"), told.get("comment_id", ""))
    if not item.ours:
        raise Refused(701, "WRONG_AUTHOR : only own comments can be edited")
    store().accept("discussions.editDiscussionComment", store().edit(item, _text(told, "comment")))
    return {"success": True}


def delete_comment(told: Told) -> dict[str, Any]:
    item = _standing(_topic(told, "discussionId", "discussionType"), told.get("comment_id", ""))
    if told.get("block_author") == "true":
        store().ban("ok", item.author, True)
    store().accept("discussions.deleteDiscussionComment", store().set_state(item, "deleted"))
    return {"success": True}


def like_comment(told: Told) -> dict[str, Any]:
    item = _standing(_topic(told, "discussionId", "discussionType"), told.get("comment_id", ""))
    store().execute("UPDATE items SET likes = likes + 1 WHERE seq = ? AND likes = 0", (item.seq,))
    store().accept("discussions.addCommentLike", item)
    return {"success": True}


def _topic(told: Told, id_: str, type_: str) -> Publication:
    found = store().publication("ok", "topic", told.get(id_, "")) if told.get(type_) == TYPE else None
    if found is None:
        raise Refused(300, "NOT_FOUND : discussion")
    return found


def _standing(place: Publication, id_: str) -> Item:
    item = store().item("ok", SPACES["topic"], id_)
    if item is None or item.publication != place.id or item.state != "published":
        raise Refused(700, "NOT_FOUND : comment")
    return item


def _text(told: Told, name: str) -> str:
    text = told.get(name, "")
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise Refused(100, f"PARAM : {name}: from 1 to {LONGEST_TEXT} characters are expected")
    return text


def _whole(told: Told, name: str, default: int, lowest: int, highest: int) -> int:
    value = number(told.get(name), default, lowest, highest)
    if value is None:
        raise Refused(100, f"PARAM : {name}: from {lowest} to {highest} is expected")
    return value


# method: its parameters, whether it writes, what it does (apiok/documentation, docs/method)
METHODS: dict[str, tuple[str, bool, Callable[[Told], Any]]] = {
    "users.getCurrentUser": ("fields", False, current_user),
    "users.getInfo": ("uids fields", False, users_info),
    "discussions.getList": ("types category anchor direction count fields", False, discussions),
    "discussions.getComments": (
        "discussionId discussionType anchor direction count frmt fields mark_as_read includeRemoved",
        True, comments,
    ),
    "discussions.addDiscussionComment": (
        "entityId entityType comment reply_to_comment_id as_admin attachments", True, add_comment,
    ),
    "discussions.editDiscussionComment": ("discussionId discussionType comment_id comment", True, edit_comment),
    "discussions.deleteDiscussionComment": (
        "discussionId discussionType comment_id mark_as_spam block_author", True, delete_comment,
    ),
    "discussions.addCommentLike": ("discussionId discussionType comment_id", True, like_comment),
}  # fmt: skip


@wire.post("/fb.do")
def rest() -> Response:
    told = request.form.to_dict()
    method = told.get("method", "")

    def carry_out() -> Response:
        try:
            if method not in METHODS:
                raise Refused(3, "METHOD : no such method")
            parameters, writes, act = METHODS[method]
            if told.get("application_key") != keys.OK_APPLICATION:
                raise Refused(101, "PARAM_API_KEY : application does not exist")
            if told.get("access_token") != keys.OK_TOKEN:
                raise Refused(103, "PARAM_SESSION_KEY : invalid session key")
            if told.get("sig") != sign(told):
                raise Refused(104, "PARAM_SIGNATURE : invalid signature")
            if strange := set(told) - COMMON - set(parameters.split()):
                raise Refused(100, f"PARAM : unknown: {', '.join(sorted(strange))}")
            if not writes:
                return jsonify(act(told))
            with store().writing():
                answer = act(told)
            return jsonify(answer)
        except Refused as error:
            return refusal(error)

    return answered("ok", method, carry_out, REFUSALS)


# Graph


@wire.route("/graph/me/chats", methods=["GET"], defaults={"chat": ""})
@wire.route("/graph/me/messages/<chat>", methods=["GET", "POST"])
def graph(chat: str) -> Response:
    def carry_out() -> Response:
        try:
            if request.args.get("access_token") != keys.OK_BOT_TOKEN:
                raise Refused(103, "PARAM_SESSION_KEY : invalid token")
            if not chat:
                return jsonify(chats=[{"chat_id": f"chat:C{one.id}"} for one in _dialogs()])
            place = store().publication("ok", "dialog", chat.removeprefix("chat:C"))
            if place is None:
                raise Refused(705, "NOT_FOUND : chat")
            if request.method == "GET":
                return jsonify(messages=_history(place))
            with store().writing():
                answer = _say(place)
            return jsonify(answer)
        except Refused as error:
            return refusal(error)

    word = "chats" if not chat else "messages"
    return answered("ok", f"{request.method} graph/me/{word}", carry_out, REFUSALS)


def _dialogs() -> list[Publication]:
    return [one for one in store().publications("ok", "dialog") if _messages_of(one)]


def _messages_of(place: Publication) -> list[Item]:
    where = "platform = 'ok' AND kind = 'dialog' AND publication = ? AND state = 'published'"
    return store().items(where, (place.id,), "at DESC, seq DESC")


def _history(place: Publication) -> list[dict[str, Any]]:
    """Newest first; ``from`` is the upper bound and must be above ``to``, both in milliseconds and included."""
    given = request.args.to_dict()
    upper, lower = _whole(given, "from", 2**53, 0, 2**53), _whole(given, "to", 0, 0, 2**53)
    if lower > upper:
        raise Refused(2001, "GRAPH_PARAM : from must be above to")
    count = _whole(given, "count", 50, 1, 100)
    return [_message(one) for one in _messages_of(place) if lower <= int(one.at * 1000) <= upper][:count]


def _message(item: Item) -> dict[str, Any]:
    who = f"group:{keys.OK_GROUP}" if item.ours else f"user:{item.author}"
    inner = {"mid": item.id, "seq": item.seq, "text": item.text}
    return {
        "sender": {"user_id": who, "name": store().person("ok", item.author).name},
        "recipient": {"chat_id": f"chat:C{item.publication}"},
        "message": inner | ({"reply_to": item.parent} if item.parent else {}),
        "timestamp": int(item.at * 1000),
    }


def _say(place: Publication) -> dict[str, Any]:
    content = request.get_json(silent=True)
    if not isinstance(content, dict) or set(content) != {"recipient", "message"}:
        raise Refused(2001, "GRAPH_PARAM : recipient and message are expected")
    if content["recipient"] != {"chat_id": f"chat:C{place.id}"}:
        raise Refused(2001, "GRAPH_PARAM : recipient is another chat")
    if store().person("ok", place.id).banned:
        raise Refused(458, "PRIVACY : the user does not take messages")
    text = _text({"text": str(content["message"].get("text") or "")}, "text")
    item = publish(store(), Draft("ok", "dialog", place.id, keys.OK_GROUP, text, ours=True))
    store().accept("graph/me/messages", item)
    return {"success": True, "message_id": item.id}
