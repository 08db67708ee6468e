"""VK ID: an administrator's token by a button, with PKCE, renewed by the desk until the consent itself ends."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from collectors.base import ChannelError, Granted
from collectors.oauth import challenge, consent_page, seconds, trade
from collectors.wire import Wire

SCOPES = "wall video photos groups"
REFRESH_DAYS = 180
"""How long a refresh token lives that nobody uses; every renewal gives a new one."""


def address(wire: Wire, values: Mapping[str, Any], redirect: str, state: str, verifier: str) -> str:
    return consent_page(wire, str(values["consent_url"]).rstrip("/") + "/authorize", {
        "response_type": "code", "client_id": str(values["app_id"]), "redirect_uri": redirect, "state": state,
        "scope": SCOPES, "code_challenge": challenge(verifier), "code_challenge_method": "S256",
    })  # fmt: skip


def granted(
    wire: Wire, values: Mapping[str, Any], answer: Mapping[str, str], redirect: str, verifier: str
) -> Granted:
    """Trades the code; the device's number that comes back with it is asked for at every renewal."""
    device = answer.get("device_id", "")
    told = trade(wire, _door(values), {
        "grant_type": "authorization_code", "code": answer.get("code", ""), "code_verifier": verifier,
        "client_id": str(values["app_id"]), "device_id": device, "redirect_uri": redirect,
        "state": answer.get("state", ""),
    })  # fmt: skip
    return _granted(told, device)


def renewed(wire: Wire, values: Mapping[str, Any], state: str) -> Granted:
    """A fresh pair of tokens for the one that ends; the old refresh token is void from then on."""
    device = str(values.get("device_id") or "")
    told = trade(wire, _door(values), {
        "grant_type": "refresh_token", "refresh_token": str(values["refresh_token"]), "state": state,
        "client_id": str(values["app_id"]), "device_id": device,
    })  # fmt: skip
    return _granted(told, device)


def _door(values: Mapping[str, Any]) -> str:
    return str(values["consent_url"]).rstrip("/") + "/oauth2/auth"


def _granted(told: Mapping[str, Any], device: str) -> Granted:
    now, lives = datetime.now(UTC), seconds(told.get("expires_in"))
    if not isinstance(told.get("refresh_token"), str):
        raise ChannelError("VK ID gave no refresh token", code="auth", permanent=True)
    found = {
        "user_token": str(told["access_token"]), "refresh_token": str(told["refresh_token"]), "device_id": device,
    }  # fmt: skip
    return Granted(
        found, token_until=now + timedelta(seconds=lives) if lives else None,
        consent_until=now + timedelta(days=REFRESH_DAYS),
    )  # fmt: skip
