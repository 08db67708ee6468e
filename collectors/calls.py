"""Calls of a telephone exchange, in only: what its web hook tells of an answered or a missed call."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from pydantic import Field, SecretStr

from collectors.base import (
    Attachment,
    Capabilities,
    Channel,
    ChannelError,
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
)
from collectors.html import clean

__all__ = ["Calls", "Settings"]

SECRET_HEADER = "x-webhook-secret"  # noqa: S105
SIGNATURE_HEADER = "x-signature"

NAMES: Mapping[str, tuple[str, ...]] = {
    # our field: what exchanges call it, the first that is there counts; upper and lower case are one
    "id": ("call_id", "callid", "id", "uuid", "uniqueid", "call_session_id", "pbx_call_id", "entry_id"),
    "caller": ("from", "caller", "caller_id", "src", "phone", "contact_phone_number", "client"),
    "called": ("to", "called", "called_did", "dst", "did", "virtual_phone_number", "line"),
    "direction": ("direction", "type", "call_type"),
    "result": ("status", "result", "disposition", "event", "state"),
    "at": ("started_at", "start", "start_time", "call_start", "timestamp", "time", "date"),
    "seconds": ("duration", "talk_time", "billsec", "talk_duration"),
    "record": ("record_url", "record", "recording", "recording_url", "link"),
    "name": ("name", "contact_name", "client_name"),
}
RESULTS: Mapping[str, str] = {
    **dict.fromkeys(("answered", "answer", "success", "completed", "accepted", "ok", "talk"), "answered"),
    **dict.fromkeys(
        ("missed", "no answer", "noanswer", "lost", "busy", "cancel", "cancelled", "failed", "not answered"),
        "missed",
    ),
}
"""Word of the exchange → ours; any other (ringing, connected to the menu) is no end of a call and not kept."""
OUT = frozenset({"out", "outgoing", "outbound"})


class Settings(ChannelSettings):
    """How the exchange proves that it is the exchange."""

    secret: SecretStr | None = Field(
        default=None,
        title="Secret of the exchange",
        description="The exchange sends it in the header X-Webhook-Secret, or signs the body with it: "
        "X-Signature, HMAC-SHA256 in hex. Empty: the address alone is the proof.",
    )
    line: str = Field(
        default="",
        max_length=40,
        title="Our number",
        description="Only calls of this number are taken. Empty: of all numbers.",
    )


class Calls(Channel):
    """One exchange. Whatever it tells of a call later replaces what it told before."""

    kind = "calls"
    title = "Calls"
    can = Capabilities(
        receive=True, grade="events", nested=False, poll_seconds=24 * 3600, deep_seconds=30 * 24 * 3600
    )
    Settings = Settings

    def check(self) -> Check:
        """Nobody can be asked: the exchange calls us."""
        return Check("", clean(self.settings.line))

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        yield Page((), dict(cursor), complete=True)

    def receive(self, payload: bytes, headers: Mapping[str, str]) -> list[Raw]:
        """One event, JSON or form; raises ChannelError(auth) unless the secret, where one is set, is proven."""
        lower = {name.lower(): value for name, value in headers.items()}
        self._prove(payload, lower)
        return self.told(_fields(payload, lower.get("content-type", "")))

    def told(self, told: Mapping[str, str]) -> list[Raw]:
        """The call that fields under lower-case names tell of: an event's, or a line of the exchange's file."""
        found = {
            name: next((told[one] for one in names if told.get(one) not in (None, "")), "")
            for name, names in NAMES.items()
        }
        result = RESULTS.get(re.sub(r"[\s_-]+", " ", found["result"].lower()).strip())
        ours, line = _digits(found["called"]), _digits(self.settings.line)
        outgoing = found["direction"].lower() in OUT
        who = _digits(found["called"] if outgoing else found["caller"])
        if outgoing:
            ours = _digits(found["caller"])
        if result is None or (line and ours != line):
            return []
        if not found["id"]:
            raise ChannelError("no id of the call", code="invalid", permanent=True)
        at = _moment(found["at"]) or datetime.now(UTC)
        call = {
            "who": who, "name": found["name"][:120], "result": result, "outgoing": outgoing, "at": at.isoformat(),
            "seconds": min(int(_digits(found["seconds"].partition(".")[0])[:9] or 0), 10**6),
            "record": found["record"][:500] if found["record"].startswith("https://") else "", "line": ours,
        }  # fmt: skip
        call_id = hashlib.sha256(found["id"].encode("utf-8", "replace")).hexdigest()[:32]
        text = json.dumps(call, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return [Raw("call", f"phone:{who or 'hidden'}", call_id, text.encode())]

    def _prove(self, payload: bytes, headers: Mapping[str, str]) -> None:
        secret = self.settings.secret.get_secret_value() if self.settings.secret else ""
        if not secret:
            return
        sign = hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()
        signed = headers.get(SIGNATURE_HEADER, "").removeprefix("sha256=").lower()
        named = headers.get(SECRET_HEADER, "")
        good = hmac.compare_digest(signed.encode("utf-8", "replace"), sign.encode())
        if not good and not hmac.compare_digest(named.encode("utf-8", "replace"), secret.encode()):
            raise ChannelError("wrong web hook secret", code="auth", permanent=True)

    def parse(self, raw: Raw) -> list[Incoming]:
        call = json.loads(raw.body)
        number = f"+{call['who']}" if call["who"] else "Номер скрыт"
        key = f"phone:{call['who']}" if call["who"] else f"call:{raw.external_id}"
        person = Person("us", "", is_us=True) if call["outgoing"] else Person(key, call["name"] or number)
        record = (Attachment("audio", "Запись разговора", url=call["record"]),) if call["record"] else ()
        return [
            Incoming(
                container=raw.container,
                external_id=raw.external_id,
                text=_words(call),
                published_at=datetime.fromisoformat(call["at"]),
                author=person,
                publication=Publication(raw.container, "dialogue", call["name"] or number),
                publication_external_id=raw.container,
                thread=raw.external_id,
                visibility=Visibility.PRIVATE,
                attachments=record,
                context={
                    "phone": call["who"],
                    "result": call["result"],
                    "seconds": str(call["seconds"]),
                    "line": call["line"],
                },
            )
        ]


def _words(call: Mapping[str, Any]) -> str:
    minutes, seconds = divmod(call["seconds"], 60)
    if call["outgoing"]:
        begin = "Мы позвонили" if call["result"] == "answered" else "Мы не дозвонились"
    else:
        begin = "Звонок принят" if call["result"] == "answered" else "Пропущенный звонок"
    lasted = f", разговор {minutes}:{seconds:02d}" if call["result"] == "answered" and call["seconds"] else ""
    return begin + lasted


def _fields(payload: bytes, content_type: str) -> dict[str, str]:
    """The event's own fields as texts under lower-case names; what is nested one level down counts too."""
    try:
        if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
            told: Any = dict(parse_qsl(payload.decode("utf-8", "replace"), max_num_fields=100))
        else:
            told = json.loads(payload)
    except (ValueError, RecursionError):
        raise ChannelError("unreadable", code="invalid", permanent=True) from None
    if not isinstance(told, dict):
        raise ChannelError("unreadable", code="invalid", permanent=True)
    inner = [one for one in told.values() if isinstance(one, dict)]
    found: dict[str, str] = {}
    for part in (*inner, told):
        for name, value in part.items():
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                found[str(name).lower()] = clean(str(value))[:1000]
    return found


def _digits(text: str) -> str:
    """A number as its digits alone; 8 before ten more is the Russian way to write +7."""
    digits = re.sub("[^0-9]", "", text)[:20]
    return f"7{digits[1:]}" if len(digits) == 11 and digits[0] == "8" else digits


def _moment(text: str) -> datetime | None:
    """ISO 8601, or Unix seconds or milliseconds; without a zone it is UTC."""
    try:
        if re.fullmatch(r"\d{9,13}(\.\d+)?", text):
            number = float(text)
            return datetime.fromtimestamp(number / 1000 if number > 10**11 else number, UTC)
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
