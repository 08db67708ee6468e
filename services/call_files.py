"""A file of calls from the exchange's own log, for the time before its hook or while it was silent."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from collectors.base import ChannelError, Raw
from collectors.calls import Calls
from models.database import Database
from services.errors import Refused
from services.intake import run_parse, store_raws

PIECE = 500
SHOWN = 20
HEADINGS = {
    "номер звонка": "call_id", "идентификатор": "call_id", "кто звонил": "from", "откуда": "from",
    "звонящий": "from",
    "кому": "to", "куда": "to", "линия": "to", "дата": "start", "время": "start", "дата и время": "start",
    "начало": "start", "длительность": "duration", "секунд": "duration", "статус": "status", "результат": "status",
    "направление": "direction", "тип": "direction", "имя": "name", "запись": "record",
}  # fmt: skip
"""Headings of Russian exchanges in lower case → the field of an event; English ones are known to the channel."""
WORDS = {
    "принят": "answered", "принятый": "answered", "отвечен": "answered", "отвеченный": "answered",
    "успешный": "answered", "пропущен": "missed", "пропущенный": "missed", "неотвеченный": "missed",
    "не отвечен": "missed", "входящий": "in", "исходящий": "out",
}  # fmt: skip


@dataclass
class Taken:
    """``refused``: numbers of the first lines that tell of no call, with the reason."""

    calls: int = 0
    known: int = 0
    skipped: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def run_import_calls(database: Database, source_id: int, channel: Calls, content: bytes) -> Taken:
    """Takes each line as the exchange's event would be; safe to repeat, a call comes once whichever way.

    Raises Refused(«import.empty») for a file without a heading and lines.
    """
    taken, piece = Taken(), list[Raw]()
    lines = 0
    for number, row in _rows(content):
        lines += 1
        try:
            found = channel.told(row)
        except ChannelError as error:
            taken.skipped += 1
            if len(taken.refused) < SHOWN:
                taken.refused.append((number, error.message))
            continue
        taken.skipped += not found
        piece += found
        if len(piece) >= PIECE:
            _keep(database, source_id, piece, taken)
            piece = []
    if not lines:
        raise Refused("import.empty")
    _keep(database, source_id, piece, taken)
    run_parse(database, source_id, channel)
    return taken


def _keep(database: Database, source_id: int, piece: list[Raw], taken: Taken) -> None:
    unique = {(raw.container, raw.external_id): raw for raw in piece}
    with database.write.begin() as session:
        fresh = store_raws(session, source_id, tuple(unique.values())) if unique else 0
    taken.calls += fresh
    taken.known += len(piece) - fresh


def _rows(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Lines by lower-case field; UTF-8 or the Windows code page, commas, semicolons or tabs."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1251", "replace")
    head = text.partition("\n")[0]
    mark = max(";,\t", key=head.count)
    for number, row in enumerate(csv.DictReader(io.StringIO(text), delimiter=mark), 2):
        told: dict[str, str] = {}
        for name, value in row.items():
            if isinstance(name, str) and isinstance(value, str) and value.strip():
                key = name.strip().lower()
                told[HEADINGS.get(key, key)] = WORDS.get(value.strip().lower(), value.strip())[:1000]
        if told:
            yield number, _completed(told)


def _completed(told: dict[str, str]) -> dict[str, str]:
    """A Russian time is Moscow's; a call without a number is named by who, whom and when."""
    for form in ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M"):
        try:
            at = datetime.strptime(told.get("start", ""), form)
        except ValueError:
            continue
        told["start"] = (at - timedelta(hours=3)).replace(tzinfo=UTC).isoformat()
    if not any(told.get(name) for name in ("call_id", "callid", "id", "uuid", "uniqueid")) and told.get("start"):
        told["call_id"] = "|".join(told.get(name, "") for name in ("from", "to", "start"))
    return told
