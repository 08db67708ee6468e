"""Places that no program may read: people paste what was written there, and publish the answers themselves."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from collectors.base import (
    Capabilities,
    Channel,
    ChannelSettings,
    Check,
    Cursor,
    Incoming,
    Page,
    Person,
    Publication,
    Raw,
    Visibility,
    Walk,
    normalise,
)
from collectors.html import clean

__all__ = ["Manual", "Pasted", "Settings", "paste_raw", "pasted_message", "read_paste"]

PASTE = "paste"
LONGEST = 20_000
MOST_NAME = 120

_LINK = re.compile(r"https?://[^\s<>\"'«»]+")
_HANDLE = re.compile(r"@?[A-Za-z0-9_](?:[A-Za-z0-9_.]{0,28}[A-Za-z0-9_])?")
_SENT = re.compile(
    # «[25.11.2026, 14:05:33] Анна: текст» and «25.11.2026, 14:05 - Анна: текст», as messengers copy a message
    r"^\[?(?P<day>\d{1,2})[./](?P<month>\d{1,2})[./](?P<year>\d{2,4}),?\s+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::\d{2})?\]?"
    r"\s*[-–—]?\s*(?P<name>[^:\n]{1,80}):\s*(?P<text>.*)$",
    re.DOTALL,
)
_UNDER = re.compile(
    r"^(?:\d+\s*(?:с|сек|мин|ч|час\w*|д|дн\w*|нед\w*|м|h|d|w|min)\.?|только\s+что|вчера|сегодня\b.*|just\s+now|"
    r"(?:ещё\s+)?\d*\s*(?:нравится|likes?|ответить|reply|отметки?\b.*|посмотреть\s+перевод|see\s+translation|"
    r"ещё|more|изменено|edited|показать\s+ответы.*|view\s+replies.*)(?:[:\s]+[\d.,\s]+)?|[·•|])$",
    re.IGNORECASE,
)
"""Lines that a place draws around a comment and that are copied with it."""


class Settings(ChannelSettings):
    """Which place it is; nothing else is asked for, since nothing is read there."""

    network: Literal["instagram", "whatsapp", "dzen", "rutube", "other"] = Field(
        default="instagram",
        title="Which place",
        description="None of these lets a program read comments and answer them lawfully, so people do it.",
    )
    page_url: str = Field(
        default="",
        max_length=500,
        title="Address of our page there",
        description="Opened by one press when it is time to look.",
    )


@dataclass(frozen=True, slots=True)
class Pasted:
    """What a person brings; ``at`` None: it is not known when it was written."""

    text: str
    author: str = ""
    url: str = ""
    at: datetime | None = None
    private: bool = False


class Manual(Channel):
    """One place that people look at; container is the page commented on, or one person's messages."""

    kind = "manual"
    title = "By hand"
    can = Capabilities(
        grade="manual", nested=False, max_length=2200, poll_seconds=24 * 3600, deep_seconds=30 * 24 * 3600
    )
    Settings: ClassVar[type[ChannelSettings]] = Settings

    def check(self) -> Check:
        """Nobody is asked: there is nothing to log in to."""
        return Check("", self.settings.network)

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        yield Page((), dict(cursor), complete=True)

    def parse(self, raw: Raw) -> list[Incoming]:
        return [pasted_message(raw)]


def read_paste(text: str) -> Pasted:
    """Author, words and link out of one paste, as a browser or a phone's «Share» copies them.

    What is not recognised stays in the words: a person looks at it before it is kept.
    """
    whole = clean(text)[:LONGEST].strip()
    sent = _SENT.match(whole)
    if sent:
        return Pasted(sent["text"].strip(), sent["name"].strip(" ~‎\u202a\u202c"), at=_moment(sent), private=True)
    links = _LINK.findall(whole)
    lines = [_LINK.sub("", line).strip() for line in whole.split("\n")]
    kept = [line for line in lines if not _UNDER.match(line)]
    while kept and not kept[0]:
        kept.pop(0)
    author = ""
    if len([line for line in kept if line]) > 1 and _is_name(kept[0]):
        author = kept.pop(0)
    elif kept and (found := re.match(r"(@[\w.]{2,30})[\s:,]+(\S.*)", kept[0])):
        author, kept[0] = found[1], found[2]
    words = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return Pasted(words, author, links[-1].rstrip(".,;)") if links else "")


def _is_name(line: str) -> bool:
    """A handle, or up to three words that begin like names and end like no sentence."""
    words = line.split()
    if not words or len(line) > 60 or line[-1] in ".?!…,:;":
        return False
    if len(words) == 1:
        return bool(_HANDLE.fullmatch(line)) or line.istitle()
    return len(words) <= 3 and all(word[0].isupper() for word in words)


def _moment(sent: re.Match[str]) -> datetime | None:
    """The time in the message, which a phone writes in Moscow's time here."""
    year = int(sent["year"]) + (2000 if len(sent["year"]) == 2 else 0)
    try:
        there = datetime(year, int(sent["month"]), int(sent["day"]), int(sent["hour"]), int(sent["minute"]))
    except ValueError:
        return None
    return (there - timedelta(hours=3)).replace(tzinfo=UTC)


def paste_raw(pasted: Pasted, now: datetime) -> Raw:
    """The raw of a paste. The same words of the same person under the same link are one, pressed however often."""
    author = " ".join(pasted.author.split())[:MOST_NAME]
    url = pasted.url.strip()[:1000] if pasted.url.strip().startswith(("https://", "http://")) else ""
    page = _page(url)
    who = _short(author.lower()) if author else _short(normalise(pasted.text))
    container = f"dialogue:{who}" if pasted.private else f"page:{_short(page)}" if page else "page"
    body = asdict(pasted) | {"author": author, "url": url, "page": page, "container": container}
    body |= {"text": pasted.text.strip()[:LONGEST], "at": (pasted.at or now).isoformat(timespec="seconds")}
    key = _short(url if url != page else "", author.lower(), normalise(pasted.text))
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return Raw(PASTE, container, key, text.encode("utf-8", "replace"))


def pasted_message(raw: Raw) -> Incoming:
    """The message that was brought."""
    told = json.loads(raw.body)
    place = None
    if told["private"]:
        place = Publication(raw.container, "dialogue", told["author"])
    elif told["page"]:
        place = Publication(raw.container, "post", told["page"].partition("//")[2][:200], url=told["page"])
    return Incoming(
        container=raw.container,
        external_id=raw.external_id,
        text=told["text"],
        published_at=datetime.fromisoformat(told["at"]),
        author=Person(f"name:{_short(told['author'].lower())}", told["author"]) if told["author"] else None,
        publication=place,
        publication_external_id=place.external_id if place else None,
        url=told["url"] or None,
        visibility=Visibility.PRIVATE if told["private"] else Visibility.PUBLIC,
        context={"brought": "by hand"},
    )


def _page(url: str) -> str:
    """The page a comment stands on: its link without what points into it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.netloc else ""


def _short(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:24]
