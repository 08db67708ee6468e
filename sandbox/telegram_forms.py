"""How Telegram writes its objects: users, chats, messages, the automatic forward of a channel post; its markup."""

import re
from html.parser import HTMLParser
from typing import Any

from sandbox import keys
from sandbox.files import files_of
from sandbox.ground import store
from sandbox.store import Item, Person, Publication

SPACES = {"post": "group", "chat": "group", "dialog": "private"}
_TAGS = {
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ins",
    "s",
    "strike",
    "del",
    "a",
    "code",
    "pre",
    "blockquote",
    "span",
    "tg-spoiler",
}
_RESERVED = re.compile(r"(?<!\\)[>#+\-=|{}.!]")
_MARKS = re.compile(r"(?<!\\)(\|\||[*_~`])")

CHANNEL: dict[str, Any] = {
    "id": keys.TELEGRAM_CHANNEL,
    "title": keys.SCHOOL,
    "username": keys.SCREEN_NAME,
    "type": "channel",
}
GROUP: dict[str, Any] = {"id": keys.TELEGRAM_GROUP, "title": f"{keys.SCHOOL} · обсуждение", "type": "supergroup"}
BOT: dict[str, Any] = {
    "id": keys.TELEGRAM_BOT,
    "is_bot": True,
    "first_name": keys.SCHOOL,
    "username": keys.TELEGRAM_BOT_NAME,
}
FORWARDER: dict[str, Any] = {"id": 777000, "is_bot": False, "first_name": "Telegram"}


class BadMarkup(Exception):
    """The text cannot be read in the given ``parse_mode``."""


def user(person: Person) -> dict[str, Any]:
    if person.id == str(keys.TELEGRAM_BOT):
        return BOT
    first, _, last = person.name.partition(" ")
    answer: dict[str, Any] = {"id": int(person.id), "is_bot": False, "first_name": first or "Deleted Account"}
    answer |= {"last_name": last} if last else {}
    answer |= {"username": person.handle} if person.handle else {}
    return answer | {"language_code": "ru"}


def private_chat(person: Person) -> dict[str, Any]:
    shown = ("id", "first_name", "last_name", "username")
    return {**{name: value for name, value in user(person).items() if name in shown}, "type": "private"}


def channel_post(post: Publication) -> dict[str, Any]:
    return {
        "message_id": int(post.id),
        "sender_chat": CHANNEL,
        "chat": CHANNEL,
        "date": int(post.at),
        "text": f"{post.title}\n\n{post.text}",
    }


def forwarded(post: Publication) -> dict[str, Any]:
    """The post as it stands in the discussion group: the root of its comments."""
    origin = {"type": "channel", "chat": CHANNEL, "message_id": int(post.id), "date": int(post.at)}
    return {
        "message_id": int(post.thread or 0),
        "from": FORWARDER,
        "sender_chat": CHANNEL,
        "chat": GROUP,
        "date": int(post.at),
        "message_thread_id": int(post.thread or 0),
        "forward_origin": origin,
        "is_automatic_forward": True,
        "text": f"{post.title}\n\n{post.text}",
    }


def message(item: Item, nested: bool = False) -> dict[str, Any]:
    """A message; ``reply_to_message`` carries the parent once, without the parent's own parent."""
    db = store()
    author = db.person("telegram", item.author)
    answer: dict[str, Any] = {"message_id": int(item.id), "from": user(author), "date": int(item.at)}
    if item.kind == "dialog":
        answer["chat"] = private_chat(db.person("telegram", item.publication))
    else:
        answer["chat"] = GROUP
    answer |= {"edit_date": int(item.edited)} if item.edited else {}
    hung = files_of(item)
    answer["caption" if hung else "text"] = item.text
    for file in hung:
        told = {"file_id": f"f{file.id}", "file_unique_id": f"u{file.id}", "file_size": file.size}
        sized = {**told, "width": 640, "height": 480}
        answer[file.kind] = [sized] if file.kind == "photo" else {**told, "file_name": file.name}
    post = db.publication("telegram", "post", item.publication) if item.kind == "post" else None
    if post is not None:
        answer["message_thread_id"] = int(post.thread or 0)
    parent = db.item("telegram", item.space, item.parent) if item.parent else None
    if nested or (parent is None and post is None):
        return answer
    # A comment right under the post answers the automatic forward of it.
    answer["reply_to_message"] = message(parent, nested=True) if parent is not None else forwarded(post)  # type: ignore[arg-type]
    return answer


def parsed(text: str, mode: str) -> str:
    """The text without its markup; raises BadMarkup for what Telegram calls "can't parse entities"."""
    if mode.upper() == "HTML":
        reader = _Markup()
        reader.feed(text)
        reader.close()
        if reader.open:
            raise BadMarkup(f'Can\'t find end tag corresponding to start tag "{reader.open[-1]}"')
        return "".join(reader.text)
    if mode.upper() not in ("MARKDOWN", "MARKDOWNV2"):
        raise BadMarkup("unsupported parse_mode")
    reserved = _RESERVED.search(text) if mode.upper() == "MARKDOWNV2" else None
    if reserved:
        raise BadMarkup(f"Character '{reserved[0]}' is reserved and must be escaped with the preceding '\\'")
    marks = _MARKS.findall(text)
    for mark in set(marks):
        if marks.count(mark) % 2:
            raise BadMarkup(f"Can't find end of the entity starting at byte offset {text.rindex(mark)}")
    return _MARKS.sub("", text).replace("\\", "")


class _Markup(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            raise BadMarkup(f'Unsupported start tag "{tag}"')
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise BadMarkup(f'Unmatched end tag, expected "</{tag}>"')

    def handle_data(self, data: str) -> None:
        self.text.append(data)
