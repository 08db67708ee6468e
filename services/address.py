"""The desk's own address as the world meets it: reachable, https, this very desk, and seen as what it is."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from collectors.wire import look_outside

PROBE = 32
"""Letters of a probe: whoever asks another length is not answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking: ``status`` 0 with a ``trouble`` (a code of Verdict) when nothing came."""

    status: int
    body: dict[str, Any]
    location: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``code``: ok · unset · form · http · dns · refused · tls · timeout · network · redirect · status · other ·
    proxy. ``data`` fills the words for it."""

    code: str
    data: dict[str, str]

    @property
    def is_well(self) -> bool:
        return self.code == "ok"


def proof(key: bytes, probe: str) -> str | None:
    """What only this desk can say to a probe; None to what is none."""
    if len(probe) != PROBE or not probe.isalnum():
        return None
    return hmac.new(key, b"address " + probe.encode(), hashlib.sha256).hexdigest()


def ask(url: str) -> Answer:
    """The real call, from this machine by its outside address."""
    status, body, location, trouble = look_outside(url)
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    return Answer(status, told if isinstance(told, dict) else {}, location, trouble)


def judge_address(url: str | None, key: bytes, ask: Callable[[str], Answer] = ask) -> Verdict:
    """Asks ``url`` for this desk and says in one code what stands in the way; ``ask`` makes the call."""
    if not url:
        return Verdict("unset", {})
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        return Verdict("form", {"url": url})
    told = {"url": url.rstrip("/"), "host": parts.netloc}
    if parts.scheme != "https":
        return Verdict("http", told)
    probe = secrets.token_hex(PROBE // 2)
    return _judge(ask(f"{url.rstrip('/')}/health?probe={probe}"), proof(key, probe) or "", told)


def _judge(answer: Answer, wanted: str, told: dict[str, str]) -> Verdict:
    if answer.trouble:
        return Verdict(answer.trouble, told)
    if 300 <= answer.status < 400:
        return Verdict("redirect", {**told, "to": answer.location})
    if "status" not in answer.body and answer.status >= 400:
        return Verdict("status", {**told, "status": str(answer.status)})
    if not hmac.compare_digest(str(answer.body.get("proof", "")), wanted):
        return Verdict("other", told)
    seen = answer.body.get("seen") or {}
    if (seen.get("scheme"), seen.get("host")) != ("https", told["host"]):
        return Verdict("proxy", {**told, "seen": f"{seen.get('scheme')}://{seen.get('host')}"})
    return Verdict("ok", told)
