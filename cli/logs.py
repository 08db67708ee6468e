"""Logs of all doors: one line an event, and nothing in it that opens a door."""

import logging
import re
import sys
from typing import Any

from config import Config

NOISY = ("alembic", "httpx", "httpcore", "apscheduler", "googleapiclient", "waitress", "pymorphy3", "procrastinate",
         "psycopg.pool")  # fmt: skip
HIDDEN = "•••"
_KEYS = ("token", "secret", "password", "authorization", "cookie", "api_key", "access_key")
_NAMES = r"[\w-]*(?:token|secret|password|passwd|api_?key|application_key|sig|signature)|key|code"
_VALUES = tuple(
    (re.compile(pattern, re.IGNORECASE), put)
    for pattern, put in (
        (r"bot\d{5,}:[\w-]{20,}", f"bot{HIDDEN}"),  # Telegram carries its token in the path
        (r"(://[^/\s:@]*):[^/\s@]+@", rf"\1:{HIDDEN}@"),
        (rf"\b({_NAMES})(=|[\"']?: ?[\"']?)[^\s&\"',;)]{{4,}}", rf"\1\2{HIDDEN}"),
        (r"\b(Bearer|Basic)\s+[\w.~+/=-]{8,}", rf"\1 {HIDDEN}"),
        (r"\b(?:ya29\.|vk1\.a\.|AIza|ghp_|xox[abp]-)[\w.-]{10,}", HIDDEN),
    )
)  # fmt: skip


def set_up_logs(config: Config) -> None:
    """One line an event; whatever looks like a secret is taken out before it is written."""
    import structlog

    level = config.log.level.upper()
    logging.basicConfig(level=level, stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Plain("%(message)s"))
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(logging.ERROR)
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if config.log.format == "text":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            structlog.processors.format_exc_info,
            hide_secrets,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


class _Plain(logging.Formatter):
    """What libraries and modules without structlog write passes the same sieve, traces of errors too."""

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info and type(error := record.exc_info[1]).__name__ == "ConnectorException":
            # The queue's library tells of a database that is away by a trace; it says no more than its cause.
            record.exc_info, record.msg, record.args = None, f"{record.getMessage()}: {_cause(error)}", ()
        return without_secrets(super().format(record))


def _cause(error: BaseException | None) -> str:
    return " ".join(str((error and error.__cause__) or error).split())


def hide_secrets(_logger: Any, _method: str, event: Any) -> Any:
    """By the name of a field, and by the look of a text, wherever it stands."""
    for key, value in event.items():
        if any(word in key.lower() for word in _KEYS):
            event[key] = HIDDEN
        elif isinstance(value, str):
            event[key] = without_secrets(value)
    return event


def without_secrets(text: str) -> str:
    """``text`` with whatever looks like a key, a password or a token blotted out."""
    for pattern, put in _VALUES:
        text = pattern.sub(put, text)
    return text
