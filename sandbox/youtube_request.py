"""Who calls YouTube's interface, what a call costs, what it asks for, and how it is refused."""

import base64
import binascii
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Response, jsonify, request

from sandbox import keys
from sandbox.ground import number, store

DAILY_UNITS = 10_000


class Refused(Exception):
    """An error in Google's shape; ``reason`` is what a client is meant to read."""

    def __init__(self, status: int, reason: str, message: str, domain: str = "youtube.comment") -> None:
        super().__init__(message)
        self.status, self.reason, self.domain = status, reason, domain


def refusal(error: Refused) -> Response:
    detail = {"message": str(error), "domain": error.domain, "reason": error.reason}
    answer = jsonify({"error": {"code": error.status, "message": str(error), "errors": [detail]}})
    answer.status_code = error.status
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
    return answer


def quota_exceeded() -> Refused:
    # The real message carries this link, so a client that shows messages meets markup.
    quota = '<a href="/youtube/v3/getting-started#quota">quota</a>'
    message = f"The request cannot be completed because you have exceeded your {quota}."
    return Refused(403, "quotaExceeded", message, "youtube.quota")


REFUSALS: dict[str, Callable[[], Response]] = {
    "429": lambda: refusal(Refused(429, "rateLimitExceeded", "Resource has been exhausted.", "global")),
    "quota": lambda: refusal(quota_exceeded()),
    "401": lambda: refusal(Refused(401, "authError", "Invalid Credentials", "global")),
}


# Who calls, and what it costs


def is_owner() -> bool:
    """True for a living access token, False for the API key; raises Refused for anything else."""
    kind, _, access = request.headers.get("Authorization", "").partition(" ")
    access = access if kind == "Bearer" else request.args.get("access_token", "")
    if access:
        until = store().meta(f"youtube:access:{access}")
        if until is None or float(until) < time.time():
            raise Refused(401, "authError", "Invalid Credentials", "global")
        return True
    if request.args.get("key") == keys.YOUTUBE_API_KEY:
        return False
    message = "The request is missing a valid API key."
    raise Refused(403, "forbidden", message, "global")


def owner_only() -> None:
    if not is_owner():
        raise Refused(401, "required", "Login Required.", "global")


def quota_day() -> str:
    """The day a unit is counted to: it turns at midnight Pacific time."""
    try:
        now = datetime.now(ZoneInfo("America/Los_Angeles"))
    except ZoneInfoNotFoundError:
        now = datetime.now(UTC) - timedelta(hours=8)
    return now.date().isoformat()


def charge(units: int) -> None:
    name = f"youtube:quota:{quota_day()}"
    with store().writing():
        spent = store().count(name, 0)
        if spent + units > DAILY_UNITS:
            raise quota_exceeded()
        store().count(name, units)


# What a request asks for


def parts() -> list[str]:
    wanted = [part for value in request.args.getlist("part") for part in value.split(",") if part]
    if not wanted:
        message = "Required parameter: part"
        raise Refused(400, "missingRequiredParameter", message, "youtube.parameter")
    return wanted


def ids(name: str = "id") -> list[str]:
    return [one for value in request.args.getlist(name) for one in value.split(",") if one]


def page_size(default: int = 20, lowest: int = 1, highest: int = 100) -> int:
    text = request.args.get("maxResults")
    size = number(text, default, lowest, highest)
    if size is None:
        message = f"Invalid value '{text}'. Values must be within the range: [{lowest}, {highest}]"
        raise Refused(400, "invalidParameter", message, "global")
    return size


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = request.args.get(name, default)
    if value not in allowed:
        raise Refused(400, "invalidParameter", f"Invalid value '{value}' for {name}.", "global")
    return value


def is_plain() -> bool:
    return choice("textFormat", "html", ("html", "plainText")) == "plainText"


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a listing goes on: the last item shown, or how many were shown; bound to the listing's own filter."""

    filter: str
    at: float = 0.0
    seq: int = 0
    shown: int = 0

    def token(self) -> str:
        body = json.dumps([self.filter, self.at, self.seq, self.shown]).encode()
        return base64.urlsafe_b64encode(body).decode().rstrip("=")

    @classmethod
    def of_request(cls, listing: str) -> "Walk | None":
        text = request.args.get("pageToken")
        if not text:
            return None
        try:
            name, at, seq, shown = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            found = cls(str(name), float(at), int(seq), int(shown))
        except (ValueError, TypeError, binascii.Error) as error:
            raise _bad_token() from error
        if found.filter != listing:
            raise _bad_token()
        return found


def _bad_token() -> Refused:
    return Refused(400, "invalidPageToken", "The request specifies an invalid page token.", "youtube.parameter")
