"""A Telegram message understood: text, files, author, the post it stands under, and its address."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from collectors.base import Attachment, Incoming, Person, Publication, Visibility
from collectors.html import clean

TITLE = 100
_START = re.compile(r"/start(?:@\w+)?\s+([\w-]{1,64})", re.ASCII)
"""What a press on a deep link writes (core.telegram.org/bots/features, «Deep linking»)."""

FILES: dict[str, tuple[str, tuple[str, ...]]] = {
    # field of a message: kind of attachment, fields that name it
    "photo": ("photo", ()),
    "video": ("video", ("file_name",)),
    "animation": ("video", ("file_name",)),
    "video_note": ("video", ()),
    "audio": ("audio", ("title", "file_name")),
    "voice": ("voice", ()),
    "sticker": ("sticker", ("emoji",)),
    "document": ("document", ("file_name",)),
    "story": ("link", ()),
    "paid_media": ("link", ()),
    "game": ("link", ("title",)),
    "invoice": ("link", ("title",)),
}
SPOKEN: dict[str, Callable[[dict[str, Any]], str]] = {
    # What has no text of its own, told in words that a person can answer to.
    "poll": lambda poll: "\n".join([poll["question"], *(f"- {one['text']}" for one in poll.get("options", []))]),
    "checklist": lambda told: "\n".join([told["title"], *(f"- {one['text']}" for one in told.get("tasks", []))]),
    "contact": lambda who: " ".join(
        str(who[key]) for key in ("first_name", "last_name", "phone_number") if who.get(key)
    ),
    "venue": lambda place: f"{place['title']}, {place['address']}",
    "location": lambda place: f"{place['latitude']}, {place['longitude']}",
    "dice": lambda dice: str(dice["emoji"]),
}


def moment(seconds: Any) -> datetime:
    """Unix seconds as aware UTC; raises for what is no number or no year."""
    return datetime.fromtimestamp(int(seconds), UTC)


class Reader:
    """Reads messages for one site of pages (``https://t.me`` or the sandbox's)."""

    def __init__(self, site_url: str) -> None:
        self._site = site_url.rstrip("/")

    def incoming(self, message: dict[str, Any], *, us: bool) -> Incoming | None:
        """The message as the desk understands it; None for a service notice, which has nothing in it."""
        text, files = _text(message), _attachments(message)
        if not text and not files:
            return None
        chat, reply = message["chat"], message.get("reply_to_message") or {}
        publication, publication_id = self._place(message)
        root = bool(reply.get("is_automatic_forward")) or "forum_topic_created" in reply
        parent = str(reply["message_id"]) if reply and not root else None
        own_id = str(message["message_id"])
        started = _START.fullmatch(text) if chat["type"] == "private" else None
        private = chat["type"] == "private" or bool(chat.get("is_direct_messages"))
        return Incoming(
            container=str(chat["id"]),
            external_id=own_id,
            text=text,
            published_at=moment(message["date"]),
            author=self._author(message, us=us),
            publication=publication,
            publication_external_id=publication_id,
            parent_external_id=parent,
            thread=own_id if parent is None else None,
            edited_at=moment(message["edit_date"]) if message.get("edit_date") else None,
            url=self.url(message),
            visibility=Visibility.PRIVATE if private else Visibility.PUBLIC,
            attachments=files,
            automatic=bool((message.get("from") or {}).get("is_bot")) and "sender_chat" not in message,
            start=started[1] if started else None,
            context=_context(message),
        )

    def post(self, message: dict[str, Any]) -> Publication:
        """The channel post behind an automatic forward, under the id that its comments carry."""
        chat, text = message["chat"], _text(message)
        origin = message.get("forward_origin") or {}
        source, number = (
            (origin["chat"], origin["message_id"]) if "chat" in origin else (chat, message["message_id"])
        )
        first = next((line.strip() for line in text.splitlines() if line.strip()), "")
        return Publication(
            external_id=f"{chat['id']}:{message['message_id']}",
            kind="post",
            title=first[:TITLE] or clean(source.get("title", "")),
            url=self._link(source, number),
            text=text,
            published_at=moment(origin.get("date") or message["date"]),
        )

    def url(self, message: dict[str, Any]) -> str | None:
        """A comment opens under its post where the post is known, anything else in its group."""
        reply, thread = message.get("reply_to_message") or {}, message.get("message_thread_id")
        origin = reply.get("forward_origin") or {}
        if reply.get("is_automatic_forward") and "chat" in origin:
            post = self._link(origin["chat"], origin["message_id"])
            return f"{post}?comment={message['message_id']}" if post else None
        url = self._link(message["chat"], message["message_id"])
        return f"{url}?thread={thread}" if url and thread is not None else url

    def _place(self, message: dict[str, Any]) -> tuple[Publication | None, str]:
        """What a message stands under: the commented post, a topic, or the dialogue itself, with its id."""
        chat, thread = message["chat"], message.get("message_thread_id")
        reply, topic = message.get("reply_to_message") or {}, message.get("direct_messages_topic")
        if topic:
            place = f"{chat['id']}:{topic['topic_id']}"
            who = _name(topic.get("user") or {}) or clean(chat.get("title", ""))
            return Publication(place, "dialogue", who), place
        if thread is not None and chat["type"] != "private":
            place = f"{chat['id']}:{thread}"
            if reply.get("is_automatic_forward") and reply["message_id"] == thread:
                return self.post({"chat": chat, **reply}), place
            if "forum_topic_created" in reply:
                return Publication(place, "dialogue", clean(reply["forum_topic_created"]["name"])), place
            return None, place
        title = clean(chat.get("title", "")) or _name(chat)
        return Publication(str(chat["id"]), "dialogue", title, url=self._profile(chat)), str(chat["id"])

    def _author(self, message: dict[str, Any], *, us: bool) -> Person | None:
        """A chat in whose name a message stands is its author: ``from`` is a made-up user then."""
        who = message.get("sender_chat") or message.get("from")
        if not who:
            return None
        return Person(str(who["id"]), clean(who.get("title", "")) or _name(who), url=self._profile(who), is_us=us)

    def _profile(self, who: dict[str, Any]) -> str | None:
        return f"{self._site}/{who['username']}" if who.get("username") else None

    def _link(self, chat: dict[str, Any], number: int) -> str | None:
        if chat.get("username") and chat.get("type") != "private":
            return f"{self._site}/{chat['username']}/{number}"
        # Ids of supergroups and channels are -100 and the number that stands in the address.
        inner = str(chat["id"]).removeprefix("-100")
        return f"{self._site}/c/{inner}/{number}" if chat.get("type") in ("supergroup", "channel") else None


def _name(who: dict[str, Any]) -> str:
    return clean(" ".join(str(who[key]) for key in ("first_name", "last_name") if who.get(key)))


def _text(message: dict[str, Any]) -> str:
    """Text or caption, a link behind words with its address; entities count in UTF-16 units."""
    key = "text" if "text" in message else "caption"
    text = str(message.get(key, ""))
    if not text:
        return clean("\n".join(tell(message[name]) for name, tell in SPOKEN.items() if name in message))
    entities = message.get("entities" if key == "text" else "caption_entities") or []
    links = [one for one in entities if one.get("type") == "text_link"]
    if not links:
        return clean(text)
    units = text.encode("utf-16-le", "surrogatepass")
    pieces, done = [], 0
    for link in sorted(links, key=lambda one: int(one["offset"])):
        end = 2 * (int(link["offset"]) + int(link["length"]))
        pieces += [units[done:end], f" ({link['url']})".encode("utf-16-le", "surrogatepass")]
        done = end
    return clean(b"".join([*pieces, units[done:]]).decode("utf-16-le", "surrogatepass"))


def _attachments(message: dict[str, Any]) -> tuple[Attachment, ...]:
    """Files without an address: getFile gives one for an hour only, with the token in it."""
    found = []
    for field, (kind, names) in FILES.items():
        # An animation comes a second time as a document, for old clients.
        if field not in message or (field == "document" and "animation" in message):
            continue
        value = message[field] if isinstance(message[field], dict) else {}
        name = next((str(value[key]) for key in names if value.get(key)), "")
        # Of a photo all sizes come, the largest last.
        sized = message[field][-1] if isinstance(message[field], list) and message[field] else value
        ref = str(sized["file_id"]) if isinstance(sized, dict) and sized.get("file_id") else None
        found.append(Attachment(kind, clean(name), content_type=value.get("mime_type"), ref=ref))
    return tuple(found)


def _context(message: dict[str, Any]) -> dict[str, str]:
    """What an answer needs: the topic of a forum or of a channel's direct messages; and the album it belongs to."""
    context: dict[str, str] = {}
    if message.get("is_topic_message"):
        context["topic"] = str(message["message_thread_id"])
    if topic := message.get("direct_messages_topic"):
        context["direct_topic"] = str(topic["topic_id"])
    if album := message.get("media_group_id"):
        context["album"] = str(album)
    return context
