"""The export API of GetCourse: people, orders and payments, asked for and fetched later (platforms.md §9)."""

import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx

from collectors.base import ChannelError, Cursor, Limiter, Page, Raw, Record, Walk, network_error
from collectors.getcourse.settings import Settings
from collectors.html import clean
from collectors.wire import Wire

LISTS = ("users", "deals", "payments")
KINDS: Mapping[str, str] = {"users": "person", "deals": "order", "payments": "payment"}
NOT_READY = 909
BUSY = 905
PAUSE = 10.0
"""Seconds between two looks at an export, as the vendor asks."""
LOOKS = 3
"""Looks in one reading; what is not ready then is fetched by the next."""
CALLS, WINDOW = 100, 2 * 3600
OVERLAP = timedelta(days=1)
DEEP = timedelta(days=60)
"""A deep walk asks again for what may have been paid or changed since."""
STALE = timedelta(hours=6)
PORTION = 500

COLUMNS: Mapping[str, tuple[str, ...]] = {
    # our field: headings as GetCourse shows them, in lower case; the first that is there counts
    "id": ("id", "id заказа", "id платежа", "номер"),
    "number": ("номер", "номер заказа", "заказ", "number", "deal number"),
    "email": ("email", "e-mail", "эл. почта", "эл. адрес", "электронная почта"),
    "phone": ("телефон", "phone"),
    "first_name": ("имя", "first name"),
    "last_name": ("фамилия", "last name"),
    "name": ("пользователь", "имя пользователя", "клиент", "фио", "user"),
    "user_id": ("id пользователя", "user id"),
    "made_at": ("создан", "дата создания", "зарегистрирован", "дата регистрации", "создано", "created"),
    "paid_at": ("оплачен", "дата оплаты", "получено", "paid"),
    "status": ("статус", "status"),
    "title": ("состав заказа", "название", "предложение", "наименование", "title", "offers"),
    "price": ("стоимость", "стоимость, rub", "сумма", "cost", "price", "amount"),
    "paid": ("оплачено", "оплачено, rub", "получено, rub", "paid amount"),
    "group": ("группа", "группы", "groups"),
    "order": ("номер заказа", "заказ", "deal number", "order"),
    "kind": ("тип", "type"),
}


class Export:
    """One account's exports; at most one runs at a time, and a hundred calls in two hours."""

    def __init__(self, settings: Settings, wire: Wire, limiter: Limiter) -> None:
        self.settings = settings
        self._wire = wire
        self._limiter = limiter

    def ask(self, path: str, asked: Mapping[str, str]) -> dict[str, Any]:
        """One call; the key goes in the body, so that it stands in nobody's access log."""
        key = self.settings.secret_key.get_secret_value() if self.settings.secret_key else ""
        bucket = int(time.time() // WINDOW)
        if not self._limiter.spend(f"getcourse:{self.settings.account}", str(bucket), 1, limit=CALLS):
            rest = (bucket + 1) * WINDOW - time.time()
            raise ChannelError("a hundred calls in two hours are spent", code="rate", retry_after=rest)
        try:
            with self._wire.client(f"{self.settings.site}/") as client:
                answer = client.post(path, data={"key": key, **asked})
        except (httpx.HTTPError, OSError) as error:
            raise network_error(error, write=False) from None
        return _read(answer, key)

    def pages(self, walk: Walk, cursor: Cursor, now: datetime | None = None) -> Iterator[Page]:
        """cursor: since = list → day it is asked from; running = {list, id, from, asked}; todo = lists left."""
        now = now or datetime.now(UTC)
        cursor = json.loads(json.dumps(cursor))
        if not cursor.get("todo") and not cursor.get("running"):
            cursor["todo"] = list(LISTS)
        while cursor.get("running") or cursor.get("todo"):
            running = cursor.get("running") or self._begin(walk, cursor, now)
            cursor["running"] = running
            yield Page((), json.loads(json.dumps(cursor)))
            told = self._fetch(running)
            if told is None:
                if datetime.fromisoformat(running["asked"]) < now - STALE:
                    cursor["running"] = None  # it never came: asked for anew next time
                    yield Page((), json.loads(json.dumps(cursor)))
                return
            raws = _raws(running["list"], told)
            for start in range(0, len(raws), PORTION):
                yield Page(tuple(raws[start : start + PORTION]), json.loads(json.dumps(cursor)))
            cursor.setdefault("since", {})[running["list"]] = running["asked"][:10]
            cursor["todo"] = [one for one in cursor["todo"] if one != running["list"]]
            cursor["running"] = None
            yield Page((), json.loads(json.dumps(cursor)))

    def _begin(self, walk: Walk, cursor: Cursor, now: datetime) -> dict[str, Any]:
        name = cursor["todo"][0]
        known = cursor.get("since", {}).get(name)
        first = self.settings.since or date.fromisoformat(cursor.setdefault("began", now.date().isoformat()))
        day = date.fromisoformat(known) - OVERLAP if known else first
        if walk is not Walk.NEW and known:
            day = max(first, now.date() - DEEP)
        answer = self.ask(f"pl/api/account/{name}", {"created_at[from]": day.isoformat()})
        export_id = (answer.get("info") or {}).get("export_id") if isinstance(answer.get("info"), dict) else None
        if not export_id:
            raise ChannelError("no export id in the answer", code="server")
        return {"list": name, "id": str(export_id), "from": day.isoformat(), "asked": now.isoformat()}

    def _fetch(self, running: Mapping[str, Any]) -> dict[str, Any] | None:
        """The table of an export; None while it is not ready."""
        for look in range(LOOKS):
            if look:
                time.sleep(PAUSE)
            answer = self.ask(f"pl/api/account/exports/{running['id']}", {})
            if answer.get("error_code") != NOT_READY:
                info = answer.get("info")
                if not isinstance(info, dict) or not isinstance(info.get("fields"), list):
                    raise ChannelError("an export without its columns", code="server")
                return info
        return None


def _read(answer: httpx.Response, key: str) -> dict[str, Any]:
    try:
        told = answer.json()
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise ChannelError(f"HTTP {answer.status_code}: not an answer of the API", code="server")
    inner = told.get("result") if isinstance(told.get("result"), dict) else {}
    good = all(str(part["success"]).lower() == "true" for part in (told, inner or {}) if "success" in part)
    code = _number(told.get("error_code") or (inner or {}).get("error_code"))
    if good or code == NOT_READY:
        return {**told, "error_code": code}
    words = str(told.get("error_message") or (inner or {}).get("error_message") or "")
    words = words.replace(key or "\0", "***")[:300]
    if code == BUSY:
        raise ChannelError(words or "another export runs", code="rate", retry_after=300)
    if answer.status_code == 429:
        raise ChannelError(words or "too often", code="rate", retry_after=WINDOW / 4)
    if any(word in words.lower() for word in ("ключ", "key", "auth", "доступ")) or answer.status_code in (401, 403):
        raise ChannelError(words or "the key is not accepted", code="auth", permanent=True)
    if answer.status_code >= 500:
        raise ChannelError(words or f"HTTP {answer.status_code}", code="server")
    raise ChannelError(words or "refused", code="invalid", permanent=True)


def _number(value: Any) -> int:
    return int(value) if str(value or "").isdigit() else 0


def _raws(name: str, info: Mapping[str, Any]) -> list[Raw]:
    """One raw a row; a row without an id, or of another length than the heading, is named by its cells."""
    fields = [clean(str(one)) for one in info["fields"]]
    found = []
    for row in info.get("items") or []:
        cells = [clean("" if cell is None else str(cell))[:2000] for cell in row] if isinstance(row, list) else []
        if not any(cells):
            continue
        body = json.dumps(
            dict(zip(fields, cells, strict=False)), ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )
        found.append(Raw(KINDS[name], "export", fields_of(json.loads(body)).get("id") or body[:200], body.encode()))
    return found


def fields_of(row: Mapping[str, str]) -> dict[str, str]:
    """A row by our names."""
    lower = {name.strip().lower(): value.strip() for name, value in row.items()}
    found = {}
    for ours, headings in COLUMNS.items():
        value = next((lower[one] for one in headings if lower.get(one)), "")
        if value:
            found[ours] = value
    return found


def record_of(raw: Raw) -> Record:
    """The record of one exported row."""
    fields = fields_of(json.loads(raw.body))
    if "name" not in fields:
        name = " ".join(fields[part] for part in ("first_name", "last_name") if part in fields)
        fields |= {"name": name} if name else {}
    return Record(raw.kind, raw.external_id, moment(fields.get("made_at", "")), fields)


def moment(text: str) -> datetime | None:
    """«2026-11-25 19:18:00» or «25.11.2026 19:18», in Moscow time, where GetCourse lives."""
    for form in ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y"):
        try:
            return (datetime.strptime(text.strip(), form) - timedelta(hours=3)).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else (at - timedelta(hours=3)).replace(tzinfo=UTC)
