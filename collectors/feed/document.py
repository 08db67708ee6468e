"""A feed's text into entries: RSS and Atom told apart by their tags, read as XML that nobody trusts."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import escape
from html.entities import html5
from typing import Any
from urllib.parse import urljoin
from xml.parsers import expat

from collectors.base import ChannelError
from collectors.html import clean

MOST_DEPTH = 200
MOST_ENTRIES = 20_000
ATOM, RSS = "http://www.w3.org/2005/Atom", ""
CONTENT, DUBLIN = "http://purl.org/rss/1.0/modules/content/", "http://purl.org/dc/elements/1.1/"
THREAD = "http://purl.org/syndication/thread/1.0"
XHTML = "http://www.w3.org/1999/xhtml"
RSS_1 = "http://purl.org/rss/1.0/"

Fields = dict[str, str]
FIELDS: dict[str, str] = {
    # What an element directly in an entry says; of two that say the same, the first in RANK wins.
    "guid": "id", f"{ATOM} id": "id",
    "title": "title", f"{ATOM} title": "title", f"{RSS_1} title": "title",
    "link": "link", f"{RSS_1} link": "link",
    "author": "author", f"{DUBLIN} creator": "creator",
    "pubDate": "published", f"{ATOM} published": "published", f"{DUBLIN} date": "published",
    f"{ATOM} updated": "updated",
    "description": "summary", f"{ATOM} summary": "summary", f"{RSS_1} description": "summary",
    f"{CONTENT} encoded": "content", f"{ATOM} content": "content",
}  # fmt: skip
_ENTRY = frozenset({"item", f"{ATOM} entry", f"{RSS_1} item"})
_FEED = frozenset({"channel", f"{ATOM} feed", f"{RSS_1} channel"})
_ROOTS = frozenset({"rss", f"{ATOM} feed", "http://www.w3.org/1999/02/22-rdf-syntax-ns# RDF"})
_PERSON = {f"{ATOM} name": "author", f"{ATOM} uri": "author_url"}

_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_NUMBERED = re.compile("&#(x?)([0-9a-fA-F]{1,7});")
_BARE = re.compile("&(?!#?[A-Za-z0-9]{1,32};)")
_XML_OWN = frozenset({"amp", "lt", "gt", "quot", "apos"})
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass
class Document:
    """A feed as it was read: its own title and page, its entries in their order, the page after it (RFC 5005)."""

    title: str = ""
    link: str = ""
    next: str | None = None
    entries: list[Fields] = field(default_factory=list)


class _Stop(Exception):
    """The document asks for more than a feed may."""


def read_document(body: bytes, address: str, charset: str | None = None) -> Document:
    """The feed in ``body``; raises ChannelError(server) for what is no feed or no sound XML.

    A declaration of an entity is refused whatever it says: bombs and references to files need one, feeds do not.
    """
    text = _text(body, charset)
    try:
        reader = _parsed(text, address)
    except expat.ExpatError:
        try:
            reader = _parsed(_repaired(text), address)
        except expat.ExpatError as error:
            message = f"not sound XML: {expat.ErrorString(error.code)}, line {error.lineno}"
            raise ChannelError(message, code="server") from None
    if not reader.known:
        raise ChannelError("neither RSS nor Atom", code="server")
    return reader.document


def _parsed(text: str, address: str) -> "_Reader":
    reader = _Reader(address)
    try:
        reader.read(text)
    except _Stop as error:
        raise ChannelError(str(error), code="server") from None
    return reader


def _text(body: bytes, charset: str | None) -> str:
    """Characters of the body. A wrong or unknown encoding costs letters, never the feed."""
    named = next((name for mark, name in _MARKS if body.startswith(mark)), None)
    declared = _DECLARED.match(body[:400])
    candidates = [named, charset, declared[1].decode() if declared else None, "utf-8"]
    text = ""
    for name in filter(None, candidates):
        try:
            text = body.decode(name)
            break
        except (LookupError, UnicodeError, ValueError):
            continue
    else:
        text = body.decode("utf-8", "replace")
    return _ILLEGAL.sub("", text).lstrip()


def _repaired(text: str) -> str:
    """What careless programs write: HTML's names of characters, a bare «&», numbers that no character has."""
    return _NUMBERED.sub(_numbered, _BARE.sub("&amp;", _NAMED.sub(_character, text)))


def _numbered(found: re.Match[str]) -> str:
    number = int(found[2], 16 if found[1] else 10)
    legal = number in (9, 10, 13) or (number >= 0x20 and not _ILLEGAL.match(chr(min(number, 0x10FFFF))))
    return found[0] if legal and number <= 0x10FFFF else ""


def _character(found: re.Match[str]) -> str:
    """HTML's names of characters are no XML; those that XML knows, and those that make markup, stay."""
    letter = html5.get(f"{found[1]};")
    if found[1] in _XML_OWN or letter is None or set(letter) & set("<>&\"'"):
        return found[0]
    return letter


class _Reader:
    """Handlers of one parse. Markup inside an Atom text of type xhtml is written out again as HTML."""

    def __init__(self, address: str) -> None:
        self.document = Document()
        self.known = False
        self._address = address
        self._path: list[str] = []
        self._entry: Fields | None = None
        self._name: str | None = None  # the field being read
        self._at = 0  # the depth at which it began
        self._markup = False
        self._said: list[str] = []

    def read(self, text: str) -> None:
        parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._declared
        parser.SkippedEntityHandler = self._skipped
        parser.Parse(text.encode("utf-8"), True)

    def _declared(self, *_given: Any) -> None:
        raise _Stop("the feed declares entities")

    def _skipped(self, name: str, _parameter: bool) -> None:
        """A DOCTYPE that is not read could have declared it; HTML's names are what is meant."""
        self._characters(html5.get(f"{name};", ""))

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._path.append(tag)
        if len(self._path) > MOST_DEPTH:
            raise _Stop("the feed is nested too deep")
        if len(self._path) == 1:
            self.known = tag in _ROOTS
        if self._name is not None:
            if self._markup:
                self._said.append(_tag(tag, attributes))
            return
        if tag in _ENTRY and self._entry is None:
            self._entry = {}
            if len(self.document.entries) >= MOST_ENTRIES:
                raise _Stop("the feed has too many entries")
            return
        self._open(tag, attributes)

    def _open(self, tag: str, attributes: dict[str, str]) -> None:
        parent = self._path[-2] if len(self._path) > 1 else ""
        if tag == f"{ATOM} link":
            self._link(parent, attributes)
        elif tag == f"{THREAD} in-reply-to" and self._entry is not None:
            for name in ("ref", "href"):
                if attributes.get(name):
                    self._entry[f"reply_{name}"] = clean(attributes[name])
        elif parent in _ENTRY | _FEED:
            self._name = FIELDS.get(tag)
        elif parent == f"{ATOM} author" and len(self._path) > 2 and self._path[-3] in _ENTRY:
            self._name = _PERSON.get(tag)
        if self._name is not None:
            self._at, self._said = len(self._path), []
            self._markup = attributes.get("type") == "xhtml"
            if self._name == "content" and attributes.get("src"):
                self._said.append(clean(attributes["src"]))
            if self._entry is not None and self._name in ("content", "summary", "title"):
                plain = tag.startswith(ATOM) and attributes.get("type", "text") in ("text", "text/plain")
                self._entry[f"{self._name}_is"] = "text" if plain else "html"

    def _link(self, parent: str, attributes: dict[str, str]) -> None:
        relation, address = attributes.get("rel", "alternate"), attributes.get("href", "").strip()
        if not address:
            return
        whole = clean(_joined(self._address, address))
        if relation == "alternate" and parent in _ENTRY and self._entry is not None:
            self._entry.setdefault("link", whole)
        elif relation == "alternate" and parent in _FEED:
            self.document.link = self.document.link or whole
        elif relation == "next" and parent in _FEED:
            self.document.next = whole

    def _characters(self, text: str) -> None:
        if self._name is not None:
            self._said.append(escape(text) if self._markup else text)

    def _end(self, tag: str) -> None:
        if self._name is not None and len(self._path) == self._at:
            self._keep(clean("".join(self._said)).strip())
            self._name = None
        elif self._name is not None and self._markup:
            self._said.append(f"</{_local(tag)}>")
        elif tag in _ENTRY and self._entry is not None:
            self.document.entries.append(self._entry)
            self._entry = None
        self._path.pop()

    def _keep(self, text: str) -> None:
        name = self._name or ""
        if name in ("link", "author_url") and text:
            text = _joined(self._address, text)
        if self._entry is not None:
            if text and (name != "published" or "published" not in self._entry):
                self._entry[name] = text
        elif name == "title":
            self.document.title = self.document.title or text
        elif name == "link":
            self.document.link = self.document.link or text


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        return address


def _local(tag: str) -> str:
    return tag.rpartition(" ")[2]


def _tag(tag: str, attributes: dict[str, str]) -> str:
    kept = "".join(f' {name}="{escape(attributes[name])}"' for name in ("href", "alt") if name in attributes)
    return f"<{_local(tag)}{kept}>"


def identity(entry: Fields) -> str:
    """guid or id, or the address; an entry that has neither is known by what it says and who says it."""
    told = entry.get("id") or entry.get("link")
    if told and len(told) <= 255:
        return told
    said = "\n".join(entry.get(name, "") for name in ("id", "link", "author", "creator", "published"))
    if not told:
        said += "\n" + (entry.get("content") or entry.get("summary") or entry.get("title", ""))
    return "sha256:" + hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()


def read_time(text: str | None) -> datetime | None:
    """A date of RSS (RFC 822) or of Atom (RFC 3339) as aware UTC; a zone left out is taken for UTC."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            at = read((text or "").strip())
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def known_ids(entries: list[Fields]) -> Iterator[str]:
    """Short prints of the entries' identities, for a cursor."""
    return (hashlib.sha256(identity(one).encode("utf-8", "replace")).hexdigest()[:12] for one in entries)
