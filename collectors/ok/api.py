"""Odnoklassniki as a wire: settings, signed REST calls, calls of the Graph bot, and the keys kept out of errors."""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import httpx
from pydantic import Field, SecretStr, field_validator

from collectors.base import ChannelError, ChannelSettings, Limiter, Sent, network_error
from collectors.html import clean
from collectors.wire import Wire

RATE = 3
"""Calls a second; OK publishes no number and counts calls by method and day."""

ERRORS: Mapping[int, tuple[str, bool, float | None]] = {
    # error_code: our code, permanent, pause in seconds (platforms.md §5.3)
    3: ("unsupported", True, None),
    4: ("invalid", True, None),
    7: ("closed", True, None),
    8: ("rate", False, 900),
    9: ("rights", True, None),
    10: ("rights", True, None),
    11: ("quota", False, 3600),
    50: ("rights", True, None),
    100: ("invalid", True, None),
    101: ("settings", True, None),
    102: ("auth", True, None),
    103: ("auth", True, None),
    104: ("settings", True, None),
    140: ("gone", True, None),
    141: ("gone", True, None),
    160: ("gone", True, None),
    200: ("rights", True, None),
    300: ("gone", True, None),
    453: ("auth", True, None),
    454: ("invalid", True, None),
    456: ("closed", True, None),
    458: ("closed", True, None),
    700: ("gone", True, None),
    701: ("rights", True, None),
    702: ("gone", True, None),
    704: ("closed", True, None),
    705: ("gone", True, None),
    2001: ("invalid", True, None),
}


class Settings(ChannelSettings):
    """An application, the key of an administrator of the group, and the group."""

    group_id: str = Field(
        pattern=r"^\d{1,20}$",
        title="Id of the group",
        description="The number in the address of the group: https://ok.ru/group/70000001234567. "
        "When the address is a word, the number is in «Настройки группы».",
    )
    application_key: str = Field(
        min_length=1,
        title="Public key of the application",
        description="On ok.ru/devaccess register as a developer and add an application; "
        "its letter names the public key.",
    )
    application_secret: SecretStr = Field(
        title="Secret key of the application",
        description="From the same letter.",
    )
    access_token: SecretStr = Field(
        title="Eternal access token",
        description="In the settings of the application: «Вечный access_token» → «Получить новый», "
        "under the account of an administrator of the group. "
        "The application needs the rights VALUABLE_ACCESS and GROUP_CONTENT: ask for them at api-support@ok.ru.",
    )
    session_secret: SecretStr | None = Field(
        default=None,
        title="Session_secret_key",
        description="Stands beside the eternal token. Empty: it is counted from the token and the secret key.",
    )
    bot_token: SecretStr | None = Field(
        default=None,
        title="Token of the group's messages",
        description="«Настройки группы» → «Сообщения» → «Ключ доступа к API». Empty: messages are not read.",
    )
    our_ids: list[str] = Field(
        default_factory=list,
        title="Our accounts",
        description="Ids of people who answer for the school by hand, one a line: "
        "their comments are not taken for questions.",
    )
    base_url: str = Field(
        default="https://api.ok.ru/",
        title="Address of the API",
        description="Change it only when Odnoklassniki moves its API.",
    )
    site_url: str = Field(
        default="https://ok.ru",
        title="Address of the pages",
        description="Links to comments begin with it.",
    )

    @field_validator("base_url")
    @classmethod
    def _end_with_slash(cls, value: str) -> str:
        return value.strip().rstrip("/") + "/"


def signature(parameters: Mapping[str, str], secret: str) -> str:
    """``sig`` of a REST call: MD5 of the sorted ``key=value`` and the secret; the token itself is left out."""
    joined = "".join(
        f"{name}={parameters[name]}" for name in sorted(parameters) if name not in ("access_token", "sig")
    )
    return hashlib.md5((joined + secret).encode(), usedforsecurity=False).hexdigest()


class Api:
    """Calls under one account."""

    def __init__(self, settings: Settings, wire: Wire, limiter: Limiter) -> None:
        self._settings, self._wire, self._limiter = settings, wire, limiter
        given = (settings.application_secret, settings.access_token, settings.session_secret, settings.bot_token)
        self._secrets = [one.get_secret_value() for one in given if one is not None]

    @cached_property
    def _http(self) -> httpx.Client:
        return self._wire.client(self._settings.base_url)

    def close(self) -> None:
        if "_http" in self.__dict__:
            self._http.close()
            del self.__dict__["_http"]

    @cached_property
    def _secret(self) -> str:
        given = self._settings.session_secret
        if given is not None and given.get_secret_value():
            return given.get_secret_value()
        token, secret = self._settings.access_token, self._settings.application_secret
        joined = token.get_secret_value() + secret.get_secret_value()
        return hashlib.md5(joined.encode(), usedforsecurity=False).hexdigest()

    def call(self, method: str, *, write: bool = False, **parameters: Any) -> Any:
        """The answer of a REST method. All goes in the body, since addresses end in logs."""
        told = {name: _text(value) for name, value in parameters.items() if value is not None}
        told |= {"method": method, "application_key": self._settings.application_key, "format": "json"}
        told["sig"] = signature(told, self._secret)
        told["access_token"] = self._settings.access_token.get_secret_value()
        return self._ask("POST", "fb.do", write=write, data=told)

    def graph(self, method: str, path: str, *, body: Any = None, write: bool = False, **parameters: Any) -> Any:
        """The answer of the Graph bot; its token goes in the address, as it wants it."""
        token = self._settings.bot_token.get_secret_value() if self._settings.bot_token else ""
        return self._ask(
            method, f"graph/{path}", write=write, params={"access_token": token, **parameters}, json=body
        )

    def _ask(self, method: str, path: str, *, write: bool, **more: Any) -> Any:
        self._limiter.wait(f"ok:{self._settings.group_id}", rate=RATE)
        try:
            response = self._http.request(method, path, **more)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise network_error(error, write=write) from None
        try:
            answer = response.json()
        except (ValueError, RecursionError):
            answer = None
        code = answer.get("error_code") if isinstance(answer, dict) else None
        if response.status_code == 200 and answer is not None and code is None:
            return answer
        raise self._error(response, answer, code, write=write)

    def _error(self, response: httpx.Response, answer: Any, code: Any, *, write: bool) -> ChannelError:
        message = str(answer.get("error_msg", "")) if isinstance(answer, dict) else ""
        for secret in filter(None, self._secrets):
            message = message.replace(secret, "***")
        message = clean(message)[:300] or f"HTTP {response.status_code}"
        row = ERRORS.get(code) if isinstance(code, int) else None
        if row is None and response.status_code == 429:
            row = ("rate", False, 60)
        if row is None:
            # Their own trouble (1, 2, 12, 30, 31, 5000, 9999) does not say whether a write was done.
            return ChannelError(message, code="server", sent=Sent.UNKNOWN if write else Sent.NO)
        return ChannelError(message, code=row[0], permanent=row[1], retry_after=row[2])


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
