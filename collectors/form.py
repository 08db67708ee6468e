"""The site's feedback form: what a visitor sent and agreed to, taken once and kept as it came; answered by mail."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urldefrag, urlsplit

from pydantic import Field

from collectors.base import (
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

__all__ = ["Form", "Settings"]

CONTAINER = "form"
ADDRESS_HEADER = "x-otklik-address"
"""The visitor's address as the web door saw it; what a visitor sends under this name is replaced there."""
TRAP = "website"
"""A field that people do not see; programs fill it in."""
LIMITS: Mapping[str, int] = {
    "name": 120,
    "email": 254,
    "phone": 40,
    "topic": 120,
    "text": 10_000,
    "page": 500,
    "key": 100,
}
YES = frozenset({"1", "true", "on", "yes"})


class Settings(ChannelSettings):
    """What the page of the form says, and the texts of the consents."""

    heading: str = Field(
        default="Напишите нам",
        min_length=1,
        max_length=120,
        title="Heading of the form",
        description="Stands above the form and names the place.",
    )
    topics: list[str] = Field(
        default_factory=list,
        title="Topics",
        description="One a line: what the visitor chooses from. Empty: no choice is offered.",
    )
    consent: str = Field(
        min_length=10,
        max_length=4000,
        title="Consent to the answer",
        description="The whole text: who processes which data, what for and how long. "
        "Without this consent nothing can be sent.",
    )
    consent_news: str = Field(
        default="",
        max_length=4000,
        title="Consent to the newsletter",
        description="A text of its own, a box of its own that is not ticked beforehand. Empty: it is not asked.",
    )

    @property
    def purposes(self) -> dict[str, str]:
        """Purpose → text, in the order of the page; only those that are asked."""
        texts = {"answer": self.consent, "news": self.consent_news}
        return {purpose: text for purpose, text in texts.items() if text.strip()}


def version_of(text: str) -> str:
    """A text names its version by itself: one changed letter is another one."""
    return hashlib.sha256(text.strip().encode("utf-8", "replace")).hexdigest()[:12]


class Form(Channel):
    """Takes what the desk's own page, or the site's program, sends to the hook of the place."""

    kind = "form"
    title = "Feedback form"
    can = Capabilities(
        receive=True,
        grade="events",
        nested=False,
        poll_seconds=24 * 3600,
        deep_seconds=30 * 24 * 3600,
        answered_by="mail",
    )
    Settings = Settings
    keeps_first: ClassVar[bool] = True  # a repeat is the same visitor pressing twice: the first consent counts
    has_page: ClassVar[bool] = True

    def check(self) -> Check:
        """Nobody is asked: the form is the desk's own."""
        return Check("", clean(self.settings.heading))

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        yield Page((), dict(cursor), complete=True)

    def receive(self, payload: bytes, headers: Mapping[str, str]) -> list[Raw]:
        """One letter of a visitor, as JSON or as a form; raises ChannelError(invalid) naming what is missing.

        What fills the trap is taken without a word and not kept.
        """
        lower = {name.lower(): value for name, value in headers.items()}
        told = _fields(payload, lower.get("content-type", ""))
        if told.get(TRAP):
            return []
        fields = {name: _line(told.get(name), limit, keep=name == "text") for name, limit in LIMITS.items()}
        fields["page"] = page_address(fields["page"])
        given = _consents(told)
        missing = [name for name in ("text",) if not fields[name]]
        if not fields["email"] and not fields["phone"]:
            missing.append("contact")
        elif fields["email"] and not _is_mail(fields["email"]):
            missing.append("email")
        if "answer" not in given:
            missing.append("consent")
        if missing:
            raise ChannelError(" ".join(missing), code="invalid", permanent=True)
        consents = [
            {"purpose": purpose, "version": version_of(text), "text": text.strip()}
            for purpose, text in self.settings.purposes.items()
            if purpose in given
        ]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        body = {"fields": fields, "consents": consents, "at": now, "address": lower.get(ADDRESS_HEADER, "")}
        text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return [Raw("letter", CONTAINER, _identity(fields, now), text.encode())]

    def parse(self, raw: Raw) -> list[Incoming]:
        body = json.loads(raw.body)
        fields: dict[str, str] = body["fields"]
        page = fields["page"]
        place = Publication(page, "topic", page, url=page) if page else None
        context = {name: fields[name] for name in ("email", "phone") if fields[name]}
        context["consents"] = " ".join(f"{one['purpose']}@{one['version']}" for one in body["consents"])
        context |= {"consent_at": body["at"], "consent_address": body["address"]}
        return [
            Incoming(
                container=raw.container,
                external_id=raw.external_id,
                text=fields["text"],
                published_at=datetime.fromisoformat(body["at"]),
                author=_author(fields),
                publication=place,
                publication_external_id=page or None,
                visibility=Visibility.PRIVATE,
                subject=fields["topic"] or None,
                thread=raw.external_id,
                context=context,
            )
        ]


def _fields(payload: bytes, content_type: str) -> dict[str, Any]:
    """The fields sent; a browser's form and JSON are told apart by the declared type."""
    try:
        if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
            return dict(parse_qsl(payload.decode("utf-8", "replace"), max_num_fields=100))
        told = json.loads(payload)
    except (ValueError, RecursionError):
        raise ChannelError("unreadable", code="invalid", permanent=True) from None
    if not isinstance(told, dict):
        raise ChannelError("unreadable", code="invalid", permanent=True)
    return told


def _line(value: Any, limit: int, *, keep: bool) -> str:
    """A field as text: no control characters, line breaks in the letter only, no longer than it may be."""
    text = clean(value if isinstance(value, str) else "").strip()
    if not keep:
        text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return text.replace("\r\n", "\n")[:limit]


def _consents(told: Mapping[str, Any]) -> set[str]:
    """Purposes said yes to: boxes ``consent_<purpose>`` of a form, an object ``consents`` in JSON."""
    given = {
        str(name).removeprefix("consent_"): value
        for name, value in told.items()
        if str(name).startswith("consent_")
    }
    named = told.get("consents")
    given |= named if isinstance(named, dict) else {}
    return {purpose for purpose, value in given.items() if value is True or str(value).lower() in YES}


def _is_mail(address: str) -> bool:
    local, _, domain = address.rpartition("@")
    return bool(local) and "." in domain and not set(address) & set(' ,;<>"\\')


def _identity(fields: Mapping[str, str], now: str) -> str:
    """The page gives each form a key; without one the same words of the same day are one letter."""
    said = "\n".join([fields["key"] or now[:10], *(fields[name] for name in ("email", "phone", "topic", "text"))])
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:32]


def _author(fields: Mapping[str, str]) -> Person:
    """A claimed address proves nothing, but it is all that tells one visitor from another."""
    digits = "".join(letter for letter in fields["phone"] if letter.isdigit())
    known = f"mail:{fields['email'].lower()}" if fields["email"] else f"phone:{digits or fields['phone']}"
    return Person(known, fields["name"] or fields["email"] or fields["phone"])


def page_address(referrer: str | None) -> str:
    """The page a form stands on, without its query, which may hold somebody's key."""
    try:
        parts = urlsplit(urldefrag(referrer or "")[0])
    except ValueError:
        return ""
    known = parts.scheme in ("http", "https") and parts.netloc and "@" not in parts.netloc
    return f"{parts.scheme}://{parts.netloc}{parts.path}"[: LIMITS["page"]] if known else ""
