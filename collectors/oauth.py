"""What platforms share where access is given by a button: the page of consent, and a code traded for tokens."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from collectors.base import ChannelError, network_error
from collectors.wire import Wire

VERIFIER_BYTES = 48


def challenge(verifier: str) -> str:
    """PKCE (RFC 7636 §4.2): what may be shown of a verifier."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def consent_page(wire: Wire, page: str, asked: Mapping[str, str]) -> str:
    """Where the browser goes; raises ChannelError(address) for a page that this desk may not lead to."""
    parts = urlsplit(page)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ChannelError("the address of the consent is not an address", code="settings", permanent=True)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    pair = f"{parts.hostname.lower()}:{port}"
    guard = wire.guard
    if guard.only and pair not in guard.only:
        raise ChannelError(f"{pair}: this desk leads to its own sandbox only", code="address", permanent=True)
    if parts.scheme == "http" and pair not in guard.only and pair not in guard.allow_private:
        raise ChannelError(f"{pair}: a consent is given over https only", code="address", permanent=True)
    return f"{page}{'&' if parts.query else '?'}{urlencode(asked)}"


def trade(wire: Wire, address: str, form: Mapping[str, str]) -> dict[str, Any]:
    """The platform's answer to a code or a refresh token (RFC 6749 §5).

    Raises ChannelError: ``auth`` where the platform refuses it, ``server`` for what is no answer of its.
    """
    try:
        with wire.client() as client:
            answer = client.post(address, data=dict(form))
            told = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise network_error(error, write=False) from None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or answer.status_code >= 500:
        raise ChannelError(f"HTTP {answer.status_code}: not an answer about a token", code="server")
    if told.get("error") or not isinstance(told.get("access_token"), str):
        words = str(told.get("error_description") or told.get("error") or "no token in the answer")
        for secret in form.values():
            words = words.replace(secret, "***") if len(secret) > 5 else words
        raise ChannelError(words[:300], code="auth", permanent=True)
    return told


def seconds(value: Any) -> int | None:
    """A lifetime as platforms write it; None where there is none."""
    text = str(value or "")
    return int(text) if text.isdigit() and int(text) > 0 else None
