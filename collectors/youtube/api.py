"""The Google client over the desk's own wire: one call at a time, and every failure as a ChannelError."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx

from collectors.airing import ChatBudget, DayUnits
from collectors.base import ChannelError, Limiter, Sent, network_error
from collectors.wire import Wire
from collectors.youtube.settings import Settings

SCOPES = ["https://www.googleapis.com/auth/youtube.force-ssl"]
LIVE_UNITS = 5
CALLS_PER_SECOND = 10.0
"""Well under Google's own limit per minute; the day's 10,000 units are what is scarce."""
PURPOSES = ("answers", "new", "deep", "live")
"""What the day's units are spent on: answers and whether they stand there · new comments · the deep walk and
history · live chats and the broadcasts themselves."""
DAY_SECONDS, DEEP_WAITS, SOONEST_PACE = 86_400, 3600, 900
"""A day · so long a deep walk without units waits · from less than that the pace of a day is not told."""

REASONS: dict[str, tuple[str, bool]] = {
    "quotaExceeded": ("quota", False),
    "dailyLimitExceeded": ("quota", False),
    "rateLimitExceeded": ("rate", False),
    "userRateLimitExceeded": ("rate", False),
    "commentsDisabled": ("closed", True),
    "forbidden": ("rights", True),
    "ineligibleAccount": ("rights", True),
    "insufficientPermissions": ("rights", True),
    "accessNotConfigured": ("settings", True),
    "keyInvalid": ("auth", True),
    "authError": ("auth", True),
    "required": ("auth", True),
    "videoNotFound": ("gone", True),
    "channelNotFound": ("gone", True),
    "commentThreadNotFound": ("gone", True),
    "commentNotFound": ("gone", True),
    "parentCommentNotFound": ("gone", True),
    "processingFailure": ("server", False),
    "operationNotSupported": ("closed", True),
    "parentCommentIsPrivate": ("closed", True),
}
"""errors[0].reason → (code, permanent); what is not here goes by the HTTP status (platforms.md §1.6)."""

STATUSES: dict[int, tuple[str, bool]] = {
    400: ("invalid", True),
    401: ("auth", True),
    403: ("rights", True),
    404: ("gone", True),
    429: ("rate", False),
}


def budget_name(settings: Settings) -> str:
    """Under which the day's units are counted: those of the client, which may serve several channels."""
    return f"youtube:{settings.client_id or settings.channel_id}"


class Api:
    """Calls of the YouTube Data API; the SDK is imported at the first one, since that takes most of a second."""

    def __init__(self, settings: Settings, wire: Wire, limiter: Limiter) -> None:
        self.settings = settings
        self._wire = wire
        self._limiter = limiter

    @cached_property
    def _client(self) -> httpx.Client:
        return self._wire.client()

    @cached_property
    def _service(self) -> Any:
        from googleapiclient.discovery import build

        settings, http = self.settings, _Exchange(self._client, self.settings.token_url)
        key = None
        authorised: Any = http
        if settings.authorised:
            authorised = self._signing(http)
        elif settings.api_key:
            key = settings.api_key.get_secret_value()
        else:
            raise ChannelError("neither OAuth nor an API key is set", code="settings", permanent=True)
        return build(
            "youtube",
            "v3",
            http=authorised,
            developerKey=key,
            static_discovery=True,
            cache_discovery=False,
            client_options={"api_endpoint": settings.base_url},
        )

    def _signing(self, http: "_Exchange") -> Any:
        """The transport that adds an access token and, after a 401, asks for a fresh one once."""
        from google.oauth2.credentials import Credentials
        from google_auth_httplib2 import AuthorizedHttp

        settings = self.settings
        if settings.client_secret is None or settings.refresh_token is None:
            raise ChannelError("client secret and refresh token go together", code="settings", permanent=True)
        credentials = Credentials(  # type: ignore[no-untyped-call]
            token=None,
            refresh_token=settings.refresh_token.get_secret_value(),
            token_uri=settings.token_url,
            client_id=settings.client_id,
            client_secret=settings.client_secret.get_secret_value(),
            scopes=SCOPES,
        )
        return AuthorizedHttp(credentials, http=http, max_refresh_attempts=1)

    def call(
        self, ask: Callable[[Any], Any], *, write: bool = False, mass: bool = False, purpose: str = "new"
    ) -> dict[str, Any]:
        """Runs the request that ``ask`` builds out of the service; 204 gives an empty dict.

        ``purpose``: a word of PURPOSES, whose share of the day's units pays for it.
        """
        from google.auth.exceptions import GoogleAuthError
        from googleapiclient.errors import HttpError

        request = ask(self._service)
        units = 50 if write else LIVE_UNITS if "liveChat" in request.uri else 1
        self._pay(units, "answers" if write else purpose, mass=mass)
        self._limiter.wait(f"youtube:{self.settings.channel_id}", rate=CALLS_PER_SECOND)
        unknown = Sent.UNKNOWN if write else Sent.NO
        try:
            answer = request.execute(num_retries=0)
        except HttpError as error:
            raise self._failure(error.resp.status, error.resp, error.content, write) from None
        except GoogleAuthError as error:
            raise self._refused(error) from None
        except (ValueError, RecursionError):
            raise ChannelError("the answer is not YouTube's JSON", code="server", sent=unknown) from None
        if answer == "":
            return {}
        if not isinstance(answer, dict):
            raise ChannelError("the answer is not YouTube's JSON", code="server", sent=unknown)
        return answer

    def _pay(self, units: int, purpose: str, *, mass: bool) -> None:
        """The day's units are a budget: reading stops before the reserve for answers, a mass answer before half of
        it, a deep walk before what new comments will need today; nothing is called beyond its end.

        One project may serve several channels, so the budget is the client's.
        """
        limit = self._limit(purpose, mass)
        if self._limiter.spend(self._budget, pacific_day(), units, limit=limit, purpose=purpose):
            return
        told = "the day's units are spent" if purpose == "answers" else "the day's units for reading are spent"
        if purpose == "deep" and limit < self._limit("new", mass=False):
            # What new comments need shrinks with the day: the deep walk asks again soon.
            raise ChannelError(told, code="share", retry_after=min(DEEP_WAITS, seconds_to_reset()))
        raise ChannelError(told, code="share" if mass else "quota", retry_after=seconds_to_reset())

    def _limit(self, purpose: str, mass: bool) -> int:
        """Units of the day up to which a purpose may spend."""
        whole = self.settings.daily_units
        reserve = min(self.settings.reserve_units, whole // 2)
        if purpose == "answers":
            return whole - (reserve // 2 if mass else 0)
        kept = min(self._new_needs(), (whole - reserve) // 2) if purpose == "deep" else 0
        return whole - reserve - kept

    def _new_needs(self) -> int:
        """Units that new comments will take until midnight, at their pace of today."""
        passed = DAY_SECONDS - seconds_to_reset()
        taken = self._limiter.spent_on(self._budget, pacific_day(), "new")
        return int(taken / max(passed, SOONEST_PACE) * seconds_to_reset())

    def chat_budget(self) -> ChatBudget:
        """The day's units for reading: what is kept for answers never counts."""
        limit = self._limit("live", mass=False)
        spent = self._limiter.spent_on(self._budget, pacific_day())
        return ChatBudget(max(0, limit - spent), spent, self.settings.daily_units, LIVE_UNITS, seconds_to_reset())

    def day_units(self) -> DayUnits:
        whole = self.settings.daily_units
        new = self._limiter.spent_on(self._budget, pacific_day(), "new") + self._new_needs()
        return DayUnits(
            self._budget,
            pacific_day(),
            whole,
            min(self.settings.reserve_units, whole // 2),
            new,
            seconds_to_reset(),
        )

    @property
    def _budget(self) -> str:
        return budget_name(self.settings)

    def _refused(self, error: Any) -> ChannelError:
        """No access token was given, so the call itself never left."""
        message = self.scrub(str(error.args[0] if error.args else type(error).__name__))
        if getattr(error, "retryable", False):
            return ChannelError(message, code="server")
        return ChannelError(message, code="auth", permanent=True)

    def _failure(self, status: int, headers: Mapping[str, str], content: bytes, write: bool) -> ChannelError:
        """One row of the error table; R3: only a 4xx with a reason that could be read is certainly not sent."""
        reason, told = _reason(content)
        code, permanent = REASONS.get(reason) or STATUSES.get(status, ("server", False))
        certain = status == 429 or (400 <= status < 500 and told is not None)
        if told is None and status not in (401, 429):
            code, permanent = "server", False
        if "API key not valid" in (told or ""):
            code, permanent = "auth", True
        if code == "quota":  # Google counts more than we did: nothing is called before midnight
            all_of_it = self.settings.daily_units
            self._limiter.spend(self._budget, pacific_day(), all_of_it, limit=10 * all_of_it)
        wait = seconds_to_reset() if code == "quota" else _retry_after(headers.get("retry-after"))
        message = self.scrub(f"{status} {reason}: {told}" if told else f"HTTP {status}")
        sent = Sent.UNKNOWN if write and not certain else Sent.NO
        return ChannelError(message, code=code, permanent=permanent, retry_after=wait, sent=sent)

    def scrub(self, text: str) -> str:
        """``text`` without our secrets and at most 300 characters long."""
        for secret in self.settings.secrets():
            text = text.replace(secret, "***")
        return text[:300]

    def close(self) -> None:
        if "_client" in self.__dict__:
            self._client.close()


class _Exchange:
    """httplib2's face over the desk's wire: what the SDK takes for a transport.

    httplib2 itself sends a request again when the connection drops after it was written (its RETRIES), also a
    POST, which would put the same reply twice under a comment.
    """

    def __init__(self, client: httpx.Client, token_url: str) -> None:
        self._client = client
        self._token_url = token_url

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        redirections: int = 0,
        connection_type: Any = None,
    ) -> tuple[Any, bytes]:
        from httplib2 import Response

        write = method != "GET" and uri != self._token_url
        try:
            answer = self._client.request(method, uri, content=body, headers=dict(headers or {}))
        except httpx.InvalidURL:
            raise ChannelError("the API address is not an address", code="settings", permanent=True) from None
        except (httpx.HTTPError, OSError) as error:
            raise network_error(error, write=write) from None
        if uri == self._token_url:
            _require_token_answer(answer)
        told = {name.lower(): value for name, value in answer.headers.items()}
        told.pop("content-encoding", None)
        response = Response({**told, "status": str(answer.status_code)})
        response.reason = answer.reason_phrase
        return response, answer.content

    def close(self) -> None:
        self._client.close()


def _require_token_answer(answer: httpx.Response) -> None:
    """Only Google's own JSON refuses a token: a page of a proxy or a cut answer is no withdrawn consent, and the
    SDK would take it for one or fall over it."""
    try:
        is_told = isinstance(answer.json(), dict)
    except (ValueError, RecursionError):
        is_told = False
    if not is_told or answer.status_code >= 500:
        raise ChannelError(f"HTTP {answer.status_code}: not an answer about the token", code="server")


def _reason(content: bytes) -> tuple[str, str | None]:
    """(reason, message) out of Google's error shape; the message is None when the body is something else."""
    try:
        error = json.loads(content)["error"]
        first = (error.get("errors") or [{}])[0]
        return str(first.get("reason") or error.get("status") or ""), str(error.get("message") or "")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return "", None


def _retry_after(value: str | None) -> float | None:
    """RFC 9110 §10.2.3: seconds, or a date."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _pacific() -> tzinfo:
    try:
        return ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:
        # A machine without a time zone database: standard time is never too early.
        return timezone(timedelta(hours=-8))


def pacific_day(now: datetime | None = None) -> str:
    """The day that the quota is counted by."""
    return (now or datetime.now(UTC)).astimezone(_pacific()).date().isoformat()


def seconds_to_reset(now: datetime | None = None) -> float:
    """Seconds until the day's units come back: midnight Pacific time, summer time included."""
    pacific = _pacific()
    here = (now or datetime.now(UTC)).astimezone(pacific)
    midnight = datetime.combine(here.date() + timedelta(days=1), time(), pacific)
    return (midnight.astimezone(UTC) - here.astimezone(UTC)).total_seconds()
