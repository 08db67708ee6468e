"""The MAX Bot API as a wire: settings, a call with its answer or a ChannelError, and the token kept out of both."""

import hashlib
from functools import cached_property
from typing import Any

import httpx
from pydantic import Field, SecretStr, field_validator

from collectors.base import ChannelError, ChannelSettings, Limiter, Sent, network_error
from collectors.html import clean
from collectors.wire import Wire

RATE = 30
"""Calls a second that the schema allows."""

ERRORS: tuple[tuple[int, str, str, bool], ...] = (
    # status, word in the platform's code, our code, permanent; the first row that fits wins (schema of 2026-07-01).
    (401, "", "auth", True),
    (403, "chat.denied", "closed", True),
    (403, "", "rights", True),
    (404, "", "gone", True),
    (405, "", "conflict", False),  # /updates while a web hook is subscribed
    (429, "", "rate", False),
    (400, "too.many", "rate", False),
    (400, "", "invalid", True),
)


class Settings(ChannelSettings):
    """A bot, and who beside it answers for the school."""

    token: SecretStr = Field(
        title="Token of the MAX bot",
        description="On business.max.ru: «Чат-боты» → your bot → «Интеграция» → «Получить токен».",
    )
    our_ids: list[int] = Field(
        default_factory=list,
        title="Our accounts",
        description="Ids of people who answer for the school in groups by hand, one a line: "
        "their messages are not taken for questions.",
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        title="Web hook secret",
        description="1-256 letters, digits and -; the same as secret of POST /subscriptions. Empty: no web hook.",
    )
    base_url: str = Field(
        default="https://platform-api2.max.ru/",
        title="Address of the Bot API",
        description="Change it only when MAX moves its API.",
    )

    site_url: str = Field(
        default="https://max.ru",
        title="Address of the pages",
        description="Links to the bot begin with it.",
    )

    @field_validator("base_url")
    @classmethod
    def _end_with_slash(cls, value: str) -> str:
        return value.strip().rstrip("/") + "/"


class Api:
    """Calls of one bot."""

    def __init__(self, settings: Settings, wire: Wire, limiter: Limiter) -> None:
        self._settings, self._wire, self._limiter = settings, wire, limiter
        token = settings.token.get_secret_value()
        self._name = f"max:{hashlib.sha256(token.encode()).hexdigest()[:12]}"

    @cached_property
    def _http(self) -> httpx.Client:
        token = self._settings.token.get_secret_value()
        return self._wire.client(self._settings.base_url, headers={"Authorization": token})

    def close(self) -> None:
        if "_http" in self.__dict__:
            self._http.close()
            del self.__dict__["_http"]

    def get(self, path: str, *, wait: int = 0, **params: Any) -> dict[str, Any]:
        return self.call("GET", path, params=params, wait=wait)

    def call(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any],
        body: Any = None,
        write: bool = False,
        wait: int = 0,
    ) -> dict[str, Any]:
        """The JSON object that is answered; ``wait`` seconds of a long poll are added to the time-out."""
        self._limiter.wait(self._name, rate=RATE)
        try:
            response = self._http.request(method, path, params=params, json=body, timeout=self._wire.timeout(wait))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise network_error(error, write=write) from None
        try:
            answer = response.json()
        except (ValueError, RecursionError):
            answer = None
        if response.status_code == 200 and isinstance(answer, dict):
            if answer.get("success") is False:
                raise ChannelError(self._words(answer) or "refused", code="invalid", permanent=True)
            return answer
        raise self._error(response, answer, write=write)

    def download(self, url: str, limit: int) -> bytes:
        """A file of a message from where it lies; the token does not go there."""
        try:
            with self._wire.client(cap=limit) as http:
                response = http.get(url)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise network_error(error, write=False) from None
        if response.status_code != 200:
            raise ChannelError(f"HTTP {response.status_code}", code="gone", permanent=True)
        return response.content

    def _words(self, answer: dict[str, Any]) -> str:
        told = " ".join(str(answer[key]) for key in ("code", "message") if answer.get(key))
        return clean(told.replace(self._settings.token.get_secret_value(), "***"))[:300]

    def _error(self, response: httpx.Response, answer: Any, *, write: bool) -> ChannelError:
        parsed = isinstance(answer, dict) and isinstance(answer.get("code"), str)
        status = response.status_code
        message = (self._words(answer) if parsed else "") or f"HTTP {status}"
        word = answer["code"] if parsed else ""
        row = next((row for row in ERRORS if row[0] == status and row[1] in word), None)
        if row is None or not (parsed or status in (401, 405, 429)):
            return ChannelError(message, code="server", sent=Sent.UNKNOWN if write else Sent.NO)
        pause = response.headers.get("Retry-After", "")
        retry = float(pause) if pause.isdecimal() and len(pause) < 10 else 2.0 if row[2] == "rate" else None
        return ChannelError(message, code=row[2], permanent=row[3], retry_after=retry)
