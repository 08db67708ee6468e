"""The sandbox's own addresses for tests: what stands where, what was accepted, faults, a viewer's hand."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import keys, ok, outside, posting, youtube_live
from sandbox.faults import faults
from sandbox.files import files_of
from sandbox.ground import store, utc
from sandbox.store import Draft, Item

control = Blueprint("sandbox", __name__, url_prefix="/_sandbox")

WALLS = {"post": "wall", "video": "video", "photo": "photo"}
# The five words the desk knows; a platform's finer word stands beside them.
WORDS = {"trash": "deleted"}


def container(item: Item) -> str:
    """The place on the platform inside which the item's id is unique or at home."""
    if item.platform == "vk":
        dialog = item.kind == "dialog"
        return f"peer{item.publication}" if dialog else f"{WALLS[item.kind]}{-keys.VK_GROUP}_{item.publication}"
    if item.platform == "telegram":
        return item.publication if item.kind == "dialog" else str(keys.TELEGRAM_GROUP)
    if item.platform == "ok":
        return f"chat:C{item.publication}" if item.kind == "dialog" else f"{ok.TYPE}:{item.publication}"
    return item.publication


def told(item: Item) -> dict[str, Any]:
    """One item with everything that is true of it; times as ISO 8601 in UTC."""
    author = store().person(item.platform, item.author)
    versions = store().rows("SELECT text, at FROM versions WHERE seq = ? ORDER BY at", (item.seq,))
    return {
        "platform": item.platform,
        "kind": item.kind,
        "publication": item.publication,
        "container_id": container(item),
        "external_id": item.id,
        "parent_external_id": item.parent,
        "root_external_id": item.root,
        "author_external_id": item.author,
        "author_name": author.name,
        "text": item.text,
        "versions": [{"text": row["text"], "until": utc(row["at"])} for row in versions],
        "state": WORDS.get(item.state, item.state),
        "platform_state": item.state,
        "direction": "out" if item.ours else "in",
        "published_at": utc(item.at),
        "edited_at": utc(item.edited) if item.edited else None,
        "label": item.label,
        "key": item.key,
        "likes": item.likes,
        "files": [asdict(file) for file in files_of(item)],
    }


@control.get("/sources")
def sources() -> Response:
    """The places of the school with their settings and keys, as the training desk watches them."""
    return jsonify(keys.sources(request.host_url))


@control.post("/hooks")
def hooks() -> Response:
    """The desk says where letters and calls go: {form: address, calls: address}."""
    outside.connect({str(name): str(value) for name, value in (request.get_json(silent=True) or {}).items()})
    return jsonify(ok=True)


@control.get("/truth")
def truth() -> Response:
    platform = request.args.get("platform")
    items = store().items("(? IS NULL OR platform = ?)", (platform, platform), "seq")
    return jsonify([told(item) for item in items])


@control.get("/log")
def log() -> Response:
    """Every write that was accepted through the platforms' own wire, in order."""
    rows = store().rows("SELECT n, at, platform, method, space, id, text FROM writes ORDER BY n")
    return jsonify([{**dict(row), "at": utc(row["at"])} for row in rows])


@control.route("/faults", methods=["GET", "POST"])
def scripted() -> tuple[Response, int] | Response:
    """POST replaces the faults that wait, GET shows those that have not struck yet."""
    if request.method == "GET":
        return jsonify([asdict(fault) for fault in faults.waiting()])
    entries = request.get_json(silent=True)
    try:
        if not isinstance(entries, list):
            raise TypeError("a JSON list of faults is expected")
        return jsonify(waiting=faults.load(entries))
    except (TypeError, ValueError) as error:
        return jsonify(error=str(error)), 400


@control.route("/live", methods=["GET", "POST"])
def live() -> tuple[Response, int] | Response:
    """A broadcast of the YouTube channel: {title, minutes} begins one, {chat, say: [[author, text], …]} lets people
    write, {chat, do: "finish" | "resume"} ends it or brings it back. GET tells of all."""
    given = request.get_json(silent=True) or {}

    def act() -> Any:
        with store().writing():
            if "title" in given:
                now = time.time()
                youtube_live.begin(str(given["title"]), now, now + 60 * float(given.get("minutes", 60)))
            elif "chat" in given:
                found = youtube_live.live_of("chat", str(given["chat"]))
                for author, text in given.get("say", ()):
                    youtube_live.say(found, str(author), str(text))
                if given.get("do"):
                    {"finish": youtube_live.finish, "resume": youtube_live.resume}[str(given["do"])](found)
        rows = store().rows("SELECT chat, id, name, text, ours, kind FROM live_lines ORDER BY at, seq")
        return [
            {**asdict(one), "status": one.status, "lines": [dict(row) for row in rows if row["chat"] == one.chat]}
            for one in youtube_live.lives()
        ]

    return _attempted(act)


@control.post("/comment")
def comment() -> tuple[Response, int] | Response:
    """A viewer writes: {platform, publication, parent, author, text}, or a list of those in one transaction.

    ``author`` is a key of the cast, an id of the platform or any name; ``publication`` a key, an id, ``kind:id``,
    or ``dialog`` for the author's private messages. Optional: ``state`` ("held", "spam"), ``at`` (Unix seconds).
    """
    given = request.get_json(silent=True)

    def write_all() -> Any:
        with store().writing():
            written = [told(_written(entry)) for entry in (given if isinstance(given, list) else [given])]
        return written if isinstance(given, list) else written[0]

    return _attempted(write_all)


def _written(entry: Any) -> Item:
    lent = Draft(
        "", "", "", "", "", at=entry.get("at"), state=entry.get("state", "published"), label=entry.get("label")
    )
    parent = str(entry["parent"]) if entry.get("parent") else None
    return posting.write(
        entry["platform"], str(entry["publication"]), str(entry["author"]), str(entry["text"]), parent, lent
    )


@control.post("/edit")
def edit() -> tuple[Response, int] | Response:
    """The author edits: {platform, id, text, kind?}; ``kind`` tells VK's posts, videos and photos apart."""
    given = request.get_json(silent=True) or {}
    return _attempted(
        lambda: told(posting.rewrite(given["platform"], str(given["id"]), given["text"], given.get("kind")))
    )


@control.post("/delete")
def delete() -> tuple[Response, int] | Response:
    """The author deletes: {platform, id, kind?}."""
    given = request.get_json(silent=True) or {}
    return _attempted(lambda: told(posting.remove(given["platform"], str(given["id"]), given.get("kind"))))


def _attempted(act: Callable[[], Any]) -> tuple[Response, int] | Response:
    try:
        return jsonify(act())
    except posting.Unwelcome as error:
        return jsonify(error=str(error)), 400
    except (KeyError, TypeError, AttributeError) as error:
        return jsonify(error=f"missing or wrong: {error}"), 400
