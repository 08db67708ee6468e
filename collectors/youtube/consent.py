"""Google's consent: who may act in the channel's name, given by its owner in a browser."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from collectors.base import ChannelError, Granted, network_error
from collectors.oauth import challenge, consent_page, seconds, trade
from collectors.wire import Wire
from collectors.youtube.api import SCOPES


def address(wire: Wire, values: Mapping[str, Any], redirect: str, state: str, verifier: str) -> str:
    """``access_type=offline`` with ``prompt=consent`` is what makes Google give a refresh token every time."""
    return consent_page(wire, str(values["consent_url"]), {
        "client_id": str(values["client_id"]), "redirect_uri": redirect, "response_type": "code",
        "scope": " ".join(SCOPES), "access_type": "offline", "prompt": "consent", "state": state,
        "code_challenge": challenge(verifier), "code_challenge_method": "S256",
    })  # fmt: skip


def granted(
    wire: Wire, values: Mapping[str, Any], answer: Mapping[str, str], redirect: str, verifier: str
) -> Granted:
    """Trades the code; finds out whose channel it is. A box that was left open in the consent is missing rights."""
    told = trade(wire, str(values["token_url"]), {
        "grant_type": "authorization_code", "code": answer.get("code", ""), "redirect_uri": redirect,
        "client_id": str(values["client_id"]), "client_secret": str(values["client_secret"]),
        "code_verifier": verifier,
    })  # fmt: skip
    if not isinstance(told.get("refresh_token"), str):
        raise ChannelError("Google gave no refresh token: take the access away and connect anew", code="auth")
    if SCOPES[0] not in str(told.get("scope", "")).split():
        raise ChannelError("the box «manage comments» was left open in the consent", code="rights", permanent=True)
    channel_id, title = _whose(wire, str(values["base_url"]), str(told["access_token"]))
    # Google tells an end only where there is one: seven days while the application is in testing.
    lives = seconds(told.get("refresh_token_expires_in"))
    ends = datetime.now(UTC) + timedelta(seconds=lives) if lives else None
    found = {"refresh_token": str(told["refresh_token"])}
    if not values.get("channel_id") and channel_id:
        found["channel_id"] = channel_id
    return Granted(found, title=title, consent_until=ends)


def _whose(wire: Wire, base_url: str, access: str) -> tuple[str, str]:
    try:
        with wire.client(base_url, headers={"Authorization": f"Bearer {access}"}) as client:
            told = client.get("youtube/v3/channels", params={"part": "snippet", "mine": "true"}).json()
        first = (told.get("items") or [{}])[0]
        return str(first.get("id") or ""), str((first.get("snippet") or {}).get("title") or "")
    except (httpx.HTTPError, OSError) as error:
        raise network_error(error, write=False) from None
    except (ValueError, AttributeError, TypeError, IndexError):
        raise ChannelError("not an answer about the channel", code="server") from None
