"""Calls of VK's API: which token a method takes, and what each error number means."""

import hashlib
from functools import cached_property
from typing import Any

import httpx

from collectors.base import ActFile, ChannelError, Limiter, Sent, network_error
from collectors.vk.settings import Settings
from collectors.wire import Wire

USER, READ, ANY = ("user",), ("user", "service"), ("community", "user", "service")
METHODS: dict[str, tuple[str, ...]] = {
    "wall.get": READ,
    "wall.getComments": READ,
    "wall.createComment": ("community", "user"),
    "wall.editComment": USER,
    "wall.deleteComment": USER,
    "video.get": USER,
    "video.getComments": USER,
    "video.createComment": USER,
    "video.editComment": USER,
    "video.deleteComment": USER,
    "photos.getAllComments": USER,
    "photos.getById": USER,
    "photos.getComments": USER,
    "photos.createComment": USER,
    "photos.editComment": USER,
    "photos.deleteComment": USER,
    "likes.add": USER,
    "groups.ban": USER,
    "groups.getById": ANY,
    "groups.getTokenPermissions": ("community",),
    "groups.getLongPollServer": ("community", "user"),
    "users.get": ANY,
    "messages.getConversations": ("community",),
    "messages.getHistory": ("community",),
    "messages.send": ("community",),
    "messages.edit": ("community",),
    "messages.delete": ("community",),
    "photos.getMessagesUploadServer": ("community",),
    "photos.saveMessagesPhoto": ("community",),
    "docs.getMessagesUploadServer": ("community",),
    "docs.save": ("community",),
}
"""Method → kinds of tokens that it takes, the better first (access_token_type of schema 5.199, platforms.md §3.1).

Messages are those of the community, so an administrator's token is not used for them although VK would take it.
"""

RATES = {"user": 3.0, "community": 20.0, "service": 20.0}
"""Calls per second of one token (platforms.md §3.6)."""

HOUR = 3600.0
_DENIED, _CLOSED, _INVALID = ("rights", True, None), ("closed", True, None), ("invalid", True, None)
ERRORS: dict[int, tuple[str, bool, float | None]] = {
    **dict.fromkeys((1, 10, 36), ("server", False, None)),
    **dict.fromkeys((5, 1117), ("auth", True, None)),
    6: ("rate", False, 1.0),
    **dict.fromkeys((7, 15, 200, 203, 204, 917, 924), _DENIED),
    **dict.fromkeys((8, 100, 113, 125, 222, 914), _INVALID),
    9: ("rate", False, HOUR / 4),
    14: ("captcha", False, HOUR),
    3300: ("captcha", False, HOUR),
    17: ("captcha", True, None),
    **dict.fromkeys((18, 30, 104, 936), ("gone", True, None)),
    **dict.fromkeys((19, 210, 211, 212, 213, 801, 900, 901, 902, 909, 950, 962, 985), _CLOSED),
    **dict.fromkeys((3, 23), ("unsupported", True, None)),
    **dict.fromkeys((27, 28), ("settings", True, None)),
    29: ("quota", False, 6 * HOUR),
    223: ("rate", False, HOUR),
}
"""error_code → (code, permanent, seconds to wait) (platforms.md §3.6)."""

UNSURE = frozenset({1, 10, 36})
"""VK failed inside, perhaps after it had written."""


class Api:
    """One POST a call, form-encoded; errors come with HTTP 200."""

    def __init__(self, settings: Settings, wire: Wire, limiter: Limiter) -> None:
        self.settings = settings
        self._wire = wire
        self._limiter = limiter
        self._tokens = settings.tokens()

    @cached_property
    def _client(self) -> httpx.Client:
        return self._wire.client(self.settings.base_url)

    def can(self, method: str) -> bool:
        """Whether there is a token that the method takes."""
        return any(kind in self._tokens for kind in METHODS[method])

    @property
    def kinds(self) -> list[str]:
        """Kinds of the tokens that were given."""
        return list(self._tokens)

    def call(self, method: str, *, write: bool = False, token_kind: str | None = None, **params: Any) -> Any:
        """The ``response`` of one call; parameters that are None are left out."""
        kind = token_kind or next((kind for kind in METHODS[method] if kind in self._tokens), None)
        if kind is None:
            wanted = " or ".join(METHODS[method])
            raise ChannelError(f"{method} needs a token of the kind {wanted}", code="settings", permanent=True)
        token = self._tokens[kind]
        # The limit belongs to the token, and one administrator's token may serve several communities.
        name = hashlib.sha256(token.encode()).hexdigest()[:12]
        self._limiter.wait(f"vk:{kind}:{name}", rate=RATES[kind])
        form = {name: str(value) for name, value in params.items() if value is not None}
        form |= {"access_token": token, "v": self.settings.api_version}
        try:
            answer = self._client.post(f"method/{method}", data=form)
        except httpx.InvalidURL:
            raise ChannelError("the API address is not an address", code="settings", permanent=True) from None
        except (httpx.HTTPError, OSError) as error:
            raise network_error(error, write=write) from None
        return self._response(answer, method, write)

    def upload(self, address: str, part: str, file: ActFile) -> dict[str, Any]:
        """Hands a file to the server that VK named; nothing is published by it."""
        try:
            answer = self._client.post(address, files={part: (file.name, file.content, file.content_type)})
            told = answer.json()
        except httpx.InvalidURL:
            raise ChannelError("the upload names no address", code="server") from None
        except (httpx.HTTPError, OSError) as error:
            raise network_error(error, write=False) from None
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise ChannelError("not an answer of VK's upload", code="server")
        if told.get("error"):
            raise ChannelError(self.scrub(f"upload: {told['error']}"), code="invalid", permanent=True)
        return told

    def poll(self, server: str, **params: Any) -> dict[str, Any]:
        """One question to the long poll's own server."""
        address = server if "://" in server else f"https://{server}"
        try:
            answer = self._client.get(address, params=params)
            told = answer.json()
        except httpx.InvalidURL:
            raise ChannelError("the long poll names no address", code="server") from None
        except (httpx.HTTPError, OSError) as error:
            raise network_error(error, write=False) from None
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict) or not {"ts", "failed"} & set(told):
            raise ChannelError("not an answer of VK's long poll", code="server")
        return told

    def _response(self, answer: httpx.Response, method: str, write: bool) -> Any:
        """R3: a number out of VK's own table is certainly not sent, anything that is no answer of VK is unknown."""
        try:
            body = answer.json()
        except (ValueError, RecursionError):
            body = None
        error = body.get("error") if isinstance(body, dict) else None
        if isinstance(error, dict) and isinstance(error.get("error_code"), int):
            raise self._failure(error, method, write)
        if answer.status_code == 429:
            wait = answer.headers.get("retry-after", "")
            raise ChannelError("HTTP 429", code="rate", retry_after=float(wait) if wait.isdigit() else None)
        if answer.status_code != 200 or not isinstance(body, dict) or "response" not in body:
            told = f"{method}: HTTP {answer.status_code}, not VK's answer"
            raise ChannelError(told, code="server", sent=Sent.UNKNOWN if write else Sent.NO)
        return body["response"]

    def _failure(self, error: dict[str, Any], method: str, write: bool) -> ChannelError:
        """VK repeats our parameters in request_params; only its number and message are told."""
        number = error["error_code"]
        code, permanent, wait = ERRORS.get(number, ("server", False, None))
        sent = Sent.UNKNOWN if write and number in UNSURE else Sent.NO
        told = self.scrub(f"{method}: {number} {error.get('error_msg') or ''}".strip())
        return ChannelError(told, code=code, permanent=permanent, retry_after=wait, sent=sent)

    def scrub(self, text: str) -> str:
        """``text`` without our tokens and at most 300 characters long."""
        for token in self._tokens.values():
            text = text.replace(token, "***")
        return text[:300]

    def close(self) -> None:
        if "_client" in self.__dict__:
            self._client.close()
