"""Single sign-on by OpenID Connect: the code flow with PKCE."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from collectors.base import ChannelError
from collectors.wire import Wire

WAITS = 600
"""Seconds that a person may take at the provider."""
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
"""What an ID token may be signed with: nothing that a shared or no secret signs."""
SLACK = 60
"""Seconds that the clocks of the two may be apart."""
LONGEST = 255


@dataclass(frozen=True, slots=True)
class Provider:
    """The school's own, as config.yaml names it; ``title`` stands on the button."""

    issuer: str
    client_id: str
    client_secret: str
    title: str


@dataclass(frozen=True, slots=True)
class Account:
    """Who the provider says it is; ``label`` is for reading alone."""

    issuer: str
    subject: str
    label: str


class SignOnError(Exception):
    """``code``: stale (begun elsewhere or long ago) · refused · failed (not as the standard has it: ``why``)."""

    def __init__(self, code: str, why: str = "") -> None:
        super().__init__(code)
        self.code, self.why = code, why


class SignOn:
    """Speaks with one provider; raises SignOnError."""

    def __init__(self, provider: Provider, wire: Wire) -> None:
        self.provider, self._wire = provider, wire

    def begin(self, back: str, now: float | None = None) -> tuple[str, dict[str, Any]]:
        """(where the person goes, what the session keeps until they are back)."""
        kept = {
            "state": secrets.token_urlsafe(24), "nonce": secrets.token_urlsafe(24),
            "verifier": secrets.token_urlsafe(48), "at": int(now or time.time()),
        }  # fmt: skip
        told = self._metadata()
        with self._wire.client() as wire:
            url, _state = self._client(wire, back).create_authorization_url(
                told["authorization_endpoint"], state=kept["state"], nonce=kept["nonce"],
                code_verifier=kept["verifier"],
            )  # fmt: skip
        return str(url), kept

    def finish(
        self, back: str, kept: Mapping[str, Any], said: Mapping[str, str], now: float | None = None
    ) -> Account:
        """What the provider's answer proves; ``kept``: what begin() gave, ``said``: the query it came back with."""
        moment = now or time.time()
        if not kept or not secrets.compare_digest(str(kept["state"]).encode(), str(said.get("state", "")).encode()):
            raise SignOnError("stale")
        if moment - float(kept["at"]) > WAITS:
            raise SignOnError("stale")
        if said.get("error") or not said.get("code"):
            raise SignOnError("refused")
        told = self._metadata()
        token = _fetched(lambda: self._trade(back, told["token_endpoint"], said["code"], kept["verifier"]))
        claims = self._claims(str(token.get("id_token", "")), told["jwks_uri"], str(kept["nonce"]), moment)
        label = str(claims.get("email") or claims.get("preferred_username") or claims.get("name") or "")
        return Account(self.provider.issuer, str(claims["sub"])[:LONGEST], label[:LONGEST])

    def _client(self, wire: Any, back: str) -> Any:
        from authlib.oauth2.client import OAuth2Client

        return OAuth2Client(
            wire, self.provider.client_id, self.provider.client_secret, scope="openid email profile",
            redirect_uri=back, code_challenge_method="S256",
        )  # fmt: skip

    def _trade(self, back: str, endpoint: str, code: str, verifier: str) -> Mapping[str, Any]:
        """The code for a token; a client without a secret names itself in the body (RFC 6749 §2.3.1, §3.2.1)."""
        import httpx

        known = self.provider
        auth = httpx.BasicAuth(known.client_id, known.client_secret) if known.client_secret else httpx.Auth()
        public = {} if known.client_secret else {"client_id": known.client_id}
        with self._wire.client() as wire:
            client = self._client(wire, back)
            found: Mapping[str, Any] = client.fetch_token(
                endpoint, code=code, code_verifier=verifier, auth=auth, **public
            )
            return found

    def _metadata(self) -> dict[str, Any]:
        found = self._read(f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration")
        # OpenID Connect Discovery 1.0 §4.3: another name there would let one provider speak for a second.
        if str(found.get("issuer", "")).rstrip("/") != self.provider.issuer.rstrip("/"):
            raise SignOnError("failed", "issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            self._check(str(found.get(name, "")))
        return found

    def _check(self, url: str) -> None:
        """https, or a host that the installation itself allows to be private."""
        parts = urlsplit(url)
        if parts.scheme != "https" and f"{parts.hostname}:{parts.port}" not in self._wire.guard.allow_private:
            raise SignOnError("failed", "https")

    def _read(self, url: str) -> dict[str, Any]:
        self._check(url)

        def read() -> Any:
            with self._wire.client() as client:
                return client.get(url).raise_for_status().json()

        found = _fetched(read)
        if not isinstance(found, dict):
            raise SignOnError("failed", "answer")
        return found

    def _claims(self, id_token: str, jwks_uri: str, nonce: str, now: float) -> dict[str, Any]:
        """The claims of the ID token, looked through as OpenID Connect Core 1.0 §3.1.3.7 asks."""
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        wanted = jwt.JWTClaimsRegistry(
            now=int(now), leeway=SLACK, sub={"essential": True}, exp={"essential": True},
            nonce={"essential": True, "value": nonce}, aud={"essential": True, "value": self.provider.client_id},
        )  # fmt: skip
        try:
            keys = KeySet.import_key_set(self._read(jwks_uri))  # type: ignore[arg-type]
            claims = jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims
            wanted.validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise SignOnError("failed", type(error).__name__) from None
        if str(claims.get("iss", "")).rstrip("/") != self.provider.issuer.rstrip("/"):
            raise SignOnError("failed", "issuer")
        if claims.get("azp") not in (None, self.provider.client_id) or not str(claims["sub"]):
            raise SignOnError("failed", "audience")
        return dict(claims)


def _fetched(read: Any) -> Any:
    """What ``read`` brings; whatever the network or the provider makes of it is one error."""
    import httpx
    from authlib.common.errors import AuthlibBaseError

    try:
        return read()
    except AuthlibBaseError:
        raise SignOnError("refused") from None
    except (httpx.HTTPError, ChannelError, OSError, ValueError) as error:
        raise SignOnError("failed", type(error).__name__) from None
