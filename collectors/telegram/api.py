"""The Bot API as a wire: one method call, its answer or a ChannelError, and the token kept out of both."""

import json
import logging
import re
from functools import cached_property
from typing import Any

import httpx

from collectors.base import ActFile, ChannelError, Limiter, Sent, network_error
from collectors.html import clean
from collectors.telegram.settings import Settings
from collectors.wire import Wire

ERRORS: tuple[tuple[int, str, str, bool], ...] = (
    # error_code, words in its description, our code, permanent; the first row that fits wins.
    (401, "", "auth", True),
    (404, "", "auth", True),  # «Not Found» means a wrong token: every method named here exists
    (409, "", "conflict", False),
    (429, "", "rate", False),
    (403, "blocked", "closed", True),
    (403, "kicked", "closed", True),
    (403, "deactivated", "closed", True),
    (403, "initiate conversation", "closed", True),
    (403, "", "rights", True),
    (400, "rights", "rights", True),
    (400, "can't be", "rights", True),
    (400, "administrator", "rights", True),
    (400, "not found", "gone", True),
    (400, "message_id_invalid", "gone", True),
    (400, "peer_id_invalid", "gone", True),
    (400, "topic_closed", "closed", True),
    (400, "", "invalid", True),
)

_FILE_PATH = re.compile(r"[\w./-]{1,300}", re.ASCII)
_TOKEN_IN_PATH = re.compile(r"(?<!/)/bot[^/\s]+")


class _Redact(logging.Filter):
    """httpx logs every address it asks, and here the token is part of the address."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                _TOKEN_IN_PATH.sub("/bot***", str(arg)) if isinstance(arg, httpx.URL) else arg
                for arg in record.args
            )
        return True


logging.getLogger("httpx").addFilter(_Redact())


class Moved(ChannelError):
    """The group has become a supergroup and has another id now; nothing was done."""

    def __init__(self, chat: int) -> None:
        super().__init__(f"the group was upgraded and is {chat} now", code="gone", permanent=True)
        self.chat = chat


def is_id(value: Any) -> bool:
    """Ids have up to 52 significant bits; what needs more than 64 is not Telegram's and would fit no column."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def seconds_between(chat: int) -> float:
    """One message a second in a dialogue, twenty a minute in a group (Telegram's «Hitting limits» page)."""
    return 1 if chat > 0 else 60 / 20


def _form(params: dict[str, Any], file: ActFile) -> dict[str, Any]:
    """Parameters that are objects go as JSON (core.telegram.org/bots/api, «Making requests»)."""
    plain = {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}
    return {"data": plain, "files": {file.kind: (file.name, file.content, file.content_type)}}


class Api:
    """Calls methods of one bot."""

    def __init__(self, settings: Settings, wire: Wire, limiter: Limiter) -> None:
        self._settings, self._wire, self._limiter = settings, wire, limiter

    @cached_property
    def _http(self) -> httpx.Client:
        return self._wire.client(f"{self._settings.base_url}bot{self._settings.token.get_secret_value()}/")

    def close(self) -> None:
        if "_http" in self.__dict__:
            self._http.close()
            del self.__dict__["_http"]

    def call(
        self,
        method: str,
        params: dict[str, Any],
        *,
        write: bool = False,
        wait: int = 0,
        file: ActFile | None = None,
    ) -> Any:
        """The ``result`` of a method; ``wait`` seconds of a long poll are added to the time-out.

        ``file`` goes as the part of a form that is named after its kind, which then carries the parameters too.
        Raises ChannelError without a chained cause, for the address in it holds the token.
        """
        self._limiter.wait(f"telegram:{self._settings.bot_id}", rate=30)
        try:
            body = {"json": params} if file is None else _form(params, file)
            response = self._http.post(method, timeout=self._wire.timeout(wait), **body)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise network_error(error, write=write) from None
        try:
            answer = response.json()
        except (ValueError, RecursionError):
            answer = None
        if isinstance(answer, dict) and answer.get("ok") is True and response.status_code == 200:
            return answer.get("result")
        raise self._error(response, answer, write=write)

    def download(self, file_id: str, limit: int) -> bytes:
        """A file of a message; getFile says for an hour where it lies."""
        found = self.call("getFile", {"file_id": file_id})
        path = str(found.get("file_path") or "") if isinstance(found, dict) else ""
        if not _FILE_PATH.fullmatch(path) or ".." in path:
            raise ChannelError("getFile answered with no path", code="server")
        if is_id(found.get("file_size")) and found["file_size"] > limit:
            raise ChannelError("the file is too large", code="invalid", permanent=True)
        token = self._settings.token.get_secret_value()
        try:
            response = self._http.get(f"{self._settings.base_url}file/bot{token}/{path}")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise network_error(error, write=False) from None
        if response.status_code != 200:
            raise ChannelError(f"HTTP {response.status_code}", code="gone", permanent=True)
        if len(response.content) > limit:
            raise ChannelError("the file is too large", code="invalid", permanent=True)
        return response.content

    def wait_for_chat(self, chat: int) -> None:
        """Waits for the chat's turn, see ``seconds_between``."""
        self._limiter.wait(f"telegram:{self._settings.bot_id}:{chat}", rate=1 / seconds_between(chat))

    def _error(self, response: httpx.Response, answer: Any, *, write: bool) -> ChannelError:
        parsed = isinstance(answer, dict) and answer.get("ok") is False
        status = answer.get("error_code") if parsed else response.status_code
        status = status if isinstance(status, int) else response.status_code
        told = str(answer.get("description", "")) if parsed else ""
        more = answer.get("parameters") if parsed else None
        more = more if isinstance(more, dict) else {}
        if is_id(more.get("migrate_to_chat_id")):
            return Moved(more["migrate_to_chat_id"])
        message = clean(told.replace(self._settings.token.get_secret_value(), "***"))[:300] or f"HTTP {status}"
        row = next((row for row in ERRORS if row[0] == status and row[1] in told.lower()), None)
        if row is None or not (parsed or status == 429):
            return ChannelError(message, code="server", sent=Sent.UNKNOWN if write else Sent.NO)
        pause = str(more.get("retry_after", response.headers.get("Retry-After")))
        retry = float(pause) if pause.isdecimal() and len(pause) < 10 else None
        return ChannelError(message, code=row[2], permanent=row[3], retry_after=retry)
