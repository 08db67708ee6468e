"""Recorded chats as files: YouTube's JSON, a text with times, a table of a webinar room; lines by the second."""

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.errors import Refused

MOST_LINES, MOST_BYTES = 50_000, 10 * 1024 * 1024
LONGEST_TEXT, LONGEST_NAME = 2000, 120
TIMES = ("time", "время", "offset", "таймкод", "timestamp", "at", "дата")
NAMES = ("author", "автор", "имя", "name", "user", "пользователь", "nick", "участник")
TEXTS = ("text", "текст", "message", "сообщение", "комментарий", "вопрос")
PLATFORMS = ("platform", "площадка", "источник")
_CLOCK = re.compile(r"^\[?(?:(\d{1,3}):)?(\d{1,2}):(\d{2})(?:[.,]\d+)?\]?$")
_LINE = re.compile(r"^\s*\[?((?:\d{1,3}:)?\d{1,2}:\d{2}(?:[.,]\d+)?)\]?\s*(?:[-–—|]\s*)?(.+)$")
_SAID = re.compile(r"^([^:]{1,60}):\s+(.+)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a recording; ``second`` from its beginning, ``key`` tells it from its neighbours."""

    second: int
    author: str
    text: str
    platform: str
    key: str


def read_recording(name: str, content: bytes) -> tuple[str, list[Line]]:
    """(form, lines in order of time); raises Refused(tape.…) for what is none of the three forms, or too large."""
    if len(content) > MOST_BYTES:
        raise Refused("tape.large", limit=MOST_BYTES // 1024 // 1024)
    text = _decoded(content)
    form = _form_of(name, text)
    read = {"youtube": _youtube, "csv": _csv, "text": _text}[form]
    try:
        found = [line for line in read(text) if line.text]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error):
        raise Refused("tape.form") from None
    if not found:
        raise Refused("tape.empty")
    if len(found) > MOST_LINES:
        raise Refused("tape.long", limit=MOST_LINES)
    first = min(line.second for line in found)
    # A table with times of day begins at its first line, one with times of the stream where the stream did.
    shift = first if first > 3600 * 4 else 0
    times: Counter[str] = Counter()
    moved = []
    for line in sorted(found, key=lambda one: one.second):
        second, author, said = max(0, line.second - shift), line.author[:LONGEST_NAME], line.text[:LONGEST_TEXT]
        key = line.key or _key(second, author, said)
        times[key] += 1
        moved.append(Line(second, author, said, line.platform, key if times[key] == 1 else f"{key}-{times[key]}"))
    return form, moved


def _key(second: int, author: str, text: str) -> str:
    """The same line of the same file has the same key, so that a file taken in twice doubles nothing."""
    return hashlib.sha256(f"{second}\n{author}\n{text}".encode("utf-8", "replace")).hexdigest()[:24]


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1251"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refused("tape.form")


def _form_of(name: str, text: str) -> str:
    start = text.lstrip()[:1]
    if start in ("{", "["):
        return "youtube"
    first = text.lstrip().partition("\n")[0].lower()
    if name.lower().endswith(".csv") or any(mark in first for mark in (";", "\t")):
        return "csv"
    return "text"


def _youtube(text: str) -> Iterator[Line]:
    """Answers of liveChat/messages as they came: one, a list of them, one a line, or bare items."""
    try:
        told = json.loads(text)
    except ValueError:
        told = [json.loads(line) for line in text.splitlines() if line.strip()]
    items = list(_items(told))
    begins = min((_moment(one["snippet"]["publishedAt"]) for one in items), default=None)
    for one in items:
        snippet, who = one["snippet"], one.get("authorDetails") or {}
        said = str(snippet.get("displayMessage") or "").strip()
        if said and begins is not None:
            second = int((_moment(snippet["publishedAt"]) - begins).total_seconds())
            yield Line(second, str(who.get("displayName") or ""), said, "youtube", str(one.get("id") or ""))


def _items(told: Any) -> Iterator[dict[str, Any]]:
    if isinstance(told, list):
        for one in told:
            yield from _items(one)
    elif isinstance(told, dict) and isinstance(told.get("items"), list):
        yield from _items(told["items"])
    elif isinstance(told, dict) and "snippet" in told:
        yield told


def _moment(value: str) -> datetime:
    return datetime.fromisoformat(str(value))


def _csv(text: str) -> Iterator[Line]:
    sample = text[:4000]
    first = sample.partition("\n")[0]
    mark = max((";", "\t", ","), key=first.count)
    rows = csv.reader(io.StringIO(text), delimiter=mark)
    heading = [one.strip().lower() for one in next(rows, [])]
    at, who, what = (_column(heading, names) for names in (TIMES, NAMES, TEXTS))
    where = next((place for place, name in enumerate(heading) if name in PLATFORMS), None)
    for row in rows:
        if len(row) > max(at, who, what):
            platform = row[where].strip() if where is not None and len(row) > where else "room"
            yield Line(_second(row[at]), row[who].strip(), row[what].strip(), platform or "room", "")


def _column(heading: list[str], names: tuple[str, ...]) -> int:
    for place, name in enumerate(heading):
        if any(name == one or name.startswith(f"{one} ") for one in names):
            return place
    raise ValueError("a column is missing")


def _second(value: str) -> int:
    """«1:02:03», «62:03», seconds, or a date with a time (its seconds of the day)."""
    value = value.strip()
    clock = _CLOCK.match(value)
    if clock:
        return int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + int(clock[3])
    if value.replace(".", "", 1).isdigit():
        return int(float(value))
    for form in ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M:%S"):
        try:
            found = datetime.strptime(value, form)
        except ValueError:
            continue
        return found.hour * 3600 + found.minute * 60 + found.second
    found = datetime.fromisoformat(value)
    return found.hour * 3600 + found.minute * 60 + found.second


def _text(text: str) -> Iterator[Line]:
    """«00:12:03 Анна: текст»; a line without a time goes on with the one before."""
    waiting: list[Any] | None = None
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is None:
            if waiting is not None and line.strip():
                waiting[2] += f"\n{line.strip()}"
            continue
        if waiting is not None:
            yield Line(waiting[0], waiting[1], waiting[2], "room", "")
        said = _SAID.match(found[2].strip())
        author, words = (said[1], said[2]) if said else ("", found[2])
        waiting = [_second(found[1]), author.strip(), words.strip()]
    if waiting is not None:
        yield Line(waiting[0], waiting[1], waiting[2], "room", "")
    elif text.strip():
        raise ValueError("no line with a time")
