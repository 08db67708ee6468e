"""The REST API of WordPress as a wire: finding its root, one call, its answer or a ChannelError."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx

from collectors.asked import asked_once
from collectors.base import ChannelError, Limiter, Sent, network_error
from collectors.html import html_text
from collectors.wire import Wire
from collectors.wordpress.settings import Settings

RATE = 5
"""Calls a second: core has no limit, but the site serves its readers too."""
API_LINK = "https://api.w.org/"
ROUTE = "rest_route="

ERRORS: dict[str, tuple[str, bool]] = {
    # code of WordPress: our code, permanent
    "rest_cannot_read": ("rights", True),  # also 401 for one comment, when nothing is wrong with the login
    "rest_comment_closed": ("closed", True),
    "rest_comment_draft_post": ("closed", True),
    "rest_comment_trash_post": ("gone", True),
    "rest_comment_invalid_post_id": ("gone", True),
    "rest_post_invalid_id": ("gone", True),
    "rest_comment_invalid_id": ("gone", True),
    "comment_flood": ("rate", False),
    "rest_no_route": ("settings", True),
}
STATUSES: dict[int, tuple[str, bool]] = {
    400: ("invalid", True),
    401: ("auth", True),
    403: ("rights", True),
    404: ("gone", True),
    409: ("conflict", True),
    410: ("gone", True),
    413: ("invalid", True),
    429: ("rate", False),
    501: ("unsupported", True),
}
FOREIGN: dict[int, tuple[str, bool]] = {
    # An answer that is not WordPress's: what stands before it refused, and the call never came through.
    401: ("auth", True),
    404: ("settings", True),
    405: ("settings", True),
    413: ("invalid", True),
    429: ("rate", False),
}
FLOOD_PAUSE = 15.0


class Refused(ChannelError):
    """An error that WordPress itself told; ``told`` is its code, for example ``comment_duplicate``."""

    def __init__(self, message: str, told: str, **known: Any) -> None:
        super().__init__(message, **known)
        self.told = told


@dataclass(frozen=True)
class Answer:
    """Decoded JSON and, of a listing, how many items there are in all (None when a proxy took the header away)."""

    data: Any
    total: int | None


@dataclass(frozen=True)
class Me:
    """The user whose password we hold; ``moderates`` means that comments in every state are shown to it."""

    id: int
    name: str
    moderates: bool


class Api:
    """Calls the REST API of one site in the name of one user."""

    def __init__(self, settings: Settings, wire: Wire, limiter: Limiter) -> None:
        self._settings, self._wire, self._limiter = settings, wire, limiter

    @cached_property
    def _http(self) -> httpx.Client:
        return self._wire.client(auth=(self._settings.username, self._settings.password.get_secret_value()))

    @cached_property
    def _base(self) -> httpx.URL:
        return httpx.URL(self._settings.base_url)

    def close(self) -> None:
        if "_http" in self.__dict__:
            self._http.close()
            del self.__dict__["_http"]

    @asked_once
    def root(self) -> str:
        """The root of the REST API; a site's own address is asked for its ``Link`` header, without the password."""
        given = self._settings.base_url
        if "/wp-json" in given or ROUTE in given:
            return given
        response = self._exchange("GET", given, write=False, auth=None)
        if response.is_redirect:
            raise self._moved(response)
        found = response.links.get(API_LINK, {}).get("url", "")
        if not found:
            raise ChannelError(f"{self._base.host} tells of no REST API", code="settings", permanent=True)
        url = self._join(found)
        # The password goes where this header points, so it may not point to another site or away from TLS.
        if _bare(url.host) != _bare(self._base.host) or (self._base.scheme, url.scheme) == ("https", "http"):
            raise ChannelError(f"the REST API is said to be at {url.host}", code="settings", permanent=True)
        return str(url)

    def get(self, path: str, **params: Any) -> Answer:
        """Reads ``path`` (relative to the root); lists become comma-separated parameters."""
        return self._call("GET", path, params=params)

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Writes once; raises ChannelError with what is known of the outcome (reliability R3)."""
        return self._call(method, path, body=body, write=True).data

    def me(self) -> Me:
        """Who we are. A wrong password is told here and nowhere else in reading: it makes us an ordinary reader."""
        data = self.get("wp/v2/users/me", context="edit").data
        if not isinstance(data, dict) or not isinstance(data.get("id"), int):
            raise ChannelError("users/me answered with something else", code="server")
        able = data.get("capabilities")
        moderates = bool(able.get("moderate_comments")) if isinstance(able, dict) and able else self._may_moderate()
        return Me(data["id"], str(data.get("name", "")), moderates)

    def _may_moderate(self) -> bool:
        try:
            self.get("wp/v2/comments", status="hold", context="edit", per_page=1)
        except ChannelError as error:
            if error.code not in ("rights", "auth"):
                raise
            return False
        return True

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
        write: bool = False,
    ) -> Answer:
        query = {
            key: ",".join(map(str, value)) if isinstance(value, list) else value
            for key, value in (params or {}).items()
        }
        url = f"{self.root.rstrip('/')}/{path}"
        if ROUTE in self.root:  # a site without pretty permalinks
            url, query = self.root.partition("?")[0], {"rest_route": f"/{path}", **query}
        response = self._exchange(method, url, write=write, params=query or None, json=body)
        if response.is_redirect:
            raise self._moved(response)
        try:
            data = response.json()
        except (ValueError, RecursionError):
            raise self._foreign(response, write=write) from None
        if response.is_success and isinstance(data, list | dict):
            total = response.headers.get("X-WP-Total", "")
            return Answer(data, int(total) if total.isdecimal() else None)
        if not isinstance(data, dict) or not isinstance(data.get("code"), str):
            raise self._foreign(response, write=write)
        raise self._refused(response, data, write=write)

    def _exchange(self, method: str, url: str, *, write: bool, **more: Any) -> httpx.Response:
        self._limiter.wait(f"wordpress:{self._base.host}", rate=RATE)
        try:
            return self._http.request(method, url, **more)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise network_error(error, write=write) from None

    def _refused(self, response: httpx.Response, data: dict[str, Any], *, write: bool) -> ChannelError:
        told, status = data["code"], response.status_code
        message = self._scrub(html_text(str(data.get("message", ""))) or told)
        if status >= 500 and status != 501:
            sent = Sent.UNKNOWN if write else Sent.NO
            return Refused(message, told, code="server", sent=sent)
        code, permanent = ERRORS.get(told) or STATUSES.get(status, ("invalid", True))
        pause = FLOOD_PAUSE if told == "comment_flood" else _pause(response)
        return Refused(message, told, code=code, permanent=permanent, retry_after=pause)

    def _foreign(self, response: httpx.Response, *, write: bool) -> ChannelError:
        """An HTML page or a cut answer: a firewall, a proxy, or PHP that stopped half way."""
        status = response.status_code
        code, permanent = FOREIGN.get(status, ("server", False))
        unknown = write and status not in FOREIGN
        return ChannelError(
            f"HTTP {status}, not an answer of WordPress",
            code=code,
            permanent=permanent,
            retry_after=_pause(response),
            sent=Sent.UNKNOWN if unknown else Sent.NO,
        )

    def _moved(self, response: httpx.Response) -> ChannelError:
        target = self._join(response.headers.get("Location", ""))
        place = f"{target.scheme}://{target.host}{target.path}"
        return ChannelError(f"the site answers at {place}", code="settings", permanent=True)

    def _join(self, address: str) -> httpx.URL:
        try:
            return self._base.join(address)
        except httpx.InvalidURL:
            raise ChannelError("the site names an address that is none", code="settings", permanent=True) from None

    def _scrub(self, text: str) -> str:
        return text.replace(self._settings.password.get_secret_value(), "***")[:300]


def _bare(host: str) -> str:
    return host.lower().removeprefix("www.")


def _pause(response: httpx.Response) -> float | None:
    told = response.headers.get("Retry-After", "")
    return float(told) if told.isdecimal() and len(told) < 10 else None
