"""The mailbox over IMAP: a guarded connection, and the few questions the channel asks of it."""

import contextlib
import imaplib
import re
import selectors
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import Any

from imap_tools import BaseMailBox
from imap_tools.errors import (
    ImapToolsError,
    MailboxFolderSelectError,
    MailboxLoginError,
    UnexpectedCommandStatusError,
)

from collectors.base import ChannelError
from collectors.mail.letter import letter_id
from collectors.mail.settings import SenderSettings, Settings
from collectors.wire import CONNECT_SECONDS, AddressRefused, Guard, Wire

LITERAL_CAP = 32 * 1024 * 1024
_LINE_CAP = 20 * 1024 * 1024  # one SEARCH answer names every letter of the folder
_NOOP_SECONDS = 30
ANSWER_SECONDS, LEAST_PACE = 60.0, 4096.0
"""Within the first an answer may come as slowly as it likes, beyond it at so many bytes a second (F22)."""
_ITEM_UID = re.compile(rb"\bUID (\d+)")
_ITEM_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_ITEM_DATE = re.compile(rb'\bINTERNALDATE "([^"]+)"')
_SENT_NAMES = frozenset(
    {
        *("sent", "sent items", "sent messages", "sent mail", "inbox.sent", "inbox/sent"),
        *("отправленные", "[gmail]/sent mail", "[gmail]/отправленные"),
    }
)

# Response codes of RFC 5530 and RFC 3501 §7.1: our code, permanent, seconds to wait.
_CODES: dict[str, tuple[str, bool, float | None]] = {
    "AUTHENTICATIONFAILED": ("auth", True, None),
    "AUTHORIZATIONFAILED": ("auth", True, None),
    "EXPIRED": ("auth", True, None),
    "CONTACTADMIN": ("auth", True, None),
    "PRIVACYREQUIRED": ("settings", True, None),
    "NOPERM": ("rights", True, None),
    "NONEXISTENT": ("settings", True, None),
    "TRYCREATE": ("settings", True, None),
    "OVERQUOTA": ("closed", True, None),
    "LIMIT": ("rate", False, 300),
    "INUSE": ("rate", False, 60),
    "UNAVAILABLE": ("server", False, 60),
    "SERVERBUG": ("server", False, 60),
    "CORRUPTION": ("server", False, 300),
}


class Connection(imaplib.IMAP4):
    """imaplib over the socket that the address guard gave, with its own read buffer.

    The buffer is ours because IDLE must know whether a line is waiting, which a buffered file does not tell,
    and because a file object refuses every read after its first time-out.
    """

    def __init__(self, guard: Guard, host: str, port: int, tls: ssl.SSLContext | None, timeout: float) -> None:
        self._guard, self._tls = guard, tls
        self._pending = bytearray()
        self._began, self._came = time.monotonic(), 0
        super().__init__(host, port, timeout)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        self.host, self.port = host, port
        plain = self._guard.connect(host, port, timeout)
        self.sock = plain if self._tls is None else self._tls.wrap_socket(plain, server_hostname=host)

    def read(self, size: int) -> bytes:
        if size > LITERAL_CAP:
            raise self.abort(f"the server announced {size} bytes at once")
        while len(self._pending) < size:
            self._receive()
        return self._take(size)

    def readline(self) -> bytes:
        searched = 0
        while (end := self._pending.find(b"\n", searched)) < 0:
            searched = len(self._pending)
            if searched > _LINE_CAP:
                raise self.abort("the server sent an endless line")
            self._receive()
        return self._take(end + 1)

    def send(self, data: Any) -> None:
        self._began, self._came = time.monotonic(), 0
        super().send(data)

    def _receive(self) -> None:
        """A letter may be large and the line slow, but an answer that comes drop by drop has an end (F22)."""
        passed = time.monotonic() - self._began
        if passed > ANSWER_SECONDS and self._came < passed * LEAST_PACE:
            raise self.abort("the answer takes too long")
        data = self.sock.recv(65536)
        if not data:
            raise self.abort("the server closed the connection")
        self._came += len(data)
        self._pending += data

    def _take(self, size: int) -> bytes:
        taken = bytes(self._pending[:size])
        del self._pending[:size]
        return taken

    def ready(self, seconds: float) -> bool:
        """True when something can be read within ``seconds``."""
        if self._pending or (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()):
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(self.sock, selectors.EVENT_READ)
            is_ready = bool(selector.select(seconds))
        self._began, self._came = time.monotonic(), 0  # nothing was owed until now
        return is_ready

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> Any:
        answer = self._simple_command("STARTTLS")
        if answer[0] != "OK" or ssl_context is None:
            raise self.error("the server offers no STARTTLS")
        if self._pending:
            # What stands behind the answer in clear text was put there by somebody in between (CVE-2021-38370).
            raise self.abort("unexpected bytes before TLS")
        self.sock = ssl_context.wrap_socket(self.sock, server_hostname=self.host)
        self._get_capabilities()
        return answer

    def shutdown(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


@dataclass(frozen=True, slots=True)
class FolderState:
    """What SELECT told; ``uidnext`` None when the server keeps it to itself."""

    uidvalidity: int
    uidnext: int | None


@dataclass(frozen=True, slots=True)
class Weight:
    """Size in bytes and time of arrival of one letter."""

    size: int
    arrived: datetime | None


class Mailbox(BaseMailBox):
    """One logged-in IMAP session. Only reads, except append()."""

    client: Connection

    def __init__(self, settings: Settings, wire: Wire) -> None:
        self._settings, self._wire = settings, wire
        super().__init__()

    def _get_mailbox_client(self) -> Connection:
        settings, security = self._settings, self._settings.imap_security
        tls = ssl.create_default_context() if security != "none" else None
        first = tls if security == "tls" else None
        client = Connection(self._wire.guard, settings.imap_host, settings.imap_port, first, CONNECT_SECONDS)
        try:
            client.sock.settimeout(self._wire.read_timeout)
            if security == "starttls":
                client.starttls(tls)
        except BaseException:
            client.shutdown()
            raise
        return client

    def sign_in(self) -> None:
        """Logs in with what the settings hold and asks for the capabilities again.

        Before the login the server shows fewer of them, and imaplib keeps the early list (platforms §10).
        """
        settings = self._settings
        try:
            if settings.access_token is not None:
                self.xoauth2(settings.login, settings.access_token.get_secret_value(), None)
            else:
                password = settings.password.get_secret_value() if settings.password else ""
                plain = settings.login.isascii() and password.isascii()
                (self.login if plain else self.login_utf8)(settings.login, password, None)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise MailboxLoginError(("NO", [str(error).encode()]), "OK") from error
        self.client._get_capabilities()

    def offers(self, capability: str) -> bool:
        return capability in self.client.capabilities

    def examine(self, folder: str) -> FolderState:
        """Opens a folder read-only, so that nothing in it changes by our looking."""
        self.folder.set(folder, readonly=True)
        answers: dict[str, list[Any]] = self.client.untagged_responses
        # From here on an EXISTS means that a letter came after this look.
        answers.pop("EXISTS", None)
        validity, following = (answers.get(name, [None])[-1] for name in ("UIDVALIDITY", "UIDNEXT"))
        return FolderState(int(validity or 0), int(following) if following else None)

    def search(self, criteria: str) -> list[int]:
        """UIDs in ascending order; the server may spread them over several answers."""
        data = self._ok(self.client.uid("SEARCH", criteria))
        return sorted({int(uid) for line in data if isinstance(line, bytes) for uid in line.split()})

    def weigh(self, uids: Iterable[int]) -> dict[int, Weight]:
        return {
            uid: Weight(int(size[1]), _arrived(text))
            for uid, text, _ in self._fetch(uids, "(UID RFC822.SIZE INTERNALDATE)")
            if (size := _ITEM_SIZE.search(text))
        }

    def letters(self, uids: Iterable[int]) -> dict[int, bytes]:
        """Whole letters; PEEK leaves them unread for people who look into the mailbox."""
        return {uid: body for uid, _, body in self._fetch(uids, "(UID BODY.PEEK[])") if body is not None}

    def heads(self, uids: Iterable[int], cap: int) -> dict[int, bytes]:
        """Headers alone, at most ``cap`` bytes of each."""
        item = f"(UID BODY.PEEK[HEADER]<0.{cap}>)"
        return {uid: head for uid, _, head in self._fetch(uids, item) if head is not None}

    def message_ids(self, uids: Iterable[int]) -> dict[int, str | None]:
        """Message-ID of each letter without brackets; None where there is none."""
        item = "(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"
        return {uid: letter_id(head or b"") for uid, _, head in self._fetch(uids, item)}

    def find(self, folder: str, message_id: str) -> int | None:
        """UID of the letter with this Message-ID, exactly; the search of IMAP finds parts of it as well."""
        self.examine(folder)
        found = self.search(f'HEADER Message-ID "{message_id}"')
        return next((uid for uid, bare in self.message_ids(found).items() if bare == message_id), None)

    def sent_folder(self) -> str | None:
        """The folder for copies of what we send: set by hand, marked \\Sent (RFC 6154), or known by its name."""
        if self._settings.sent_folder:
            return self._settings.sent_folder
        folders = self.folder.list()
        marked = (info.name for info in folders if "\\sent" in {flag.lower() for flag in info.flags})
        named = (info.name for info in folders if info.name.lower() in _SENT_NAMES)
        return next(marked, None) or next(named, None)

    def wait_for_news(self, stop: Event, seconds: float) -> bool:
        """Waits in IDLE (RFC 2177) until a letter comes, ``stop`` is set or ``seconds`` are over."""
        client = self.client
        if "EXISTS" in client.untagged_responses:
            return True
        if not self.offers("IDLE"):
            stop.wait(min(seconds, _NOOP_SECONDS))
            return True
        tag = client._command("IDLE")
        while client._get_response() is not None:
            if client.tagged_commands[tag] is not None:
                raise client.error("the server refused IDLE")
        deadline = time.monotonic() + seconds
        while not stop.is_set() and time.monotonic() < deadline and "EXISTS" not in client.untagged_responses:
            if client.ready(0.5):
                client._get_response()
            if "BYE" in client.untagged_responses:
                raise client.abort("the server ended the session")
        client.send(b"DONE\r\n")
        client._command_complete("IDLE", tag)
        return "EXISTS" in client.untagged_responses

    def _ok(self, answer: tuple[str, list[Any]]) -> list[Any]:
        if answer[0] != "OK":
            raise UnexpectedCommandStatusError(answer, "OK")
        return answer[1]

    def _fetch(self, uids: Iterable[int], item: str) -> Iterator[tuple[int, bytes, bytes | None]]:
        """(uid, text, literal) of each answer that names a UID; others only tell of changed flags."""
        wanted = set(uids)
        if not wanted:
            return
        text, literal = b"", None
        for piece in self._ok(self.client.uid("FETCH", _uid_set(wanted), item)):
            if isinstance(piece, tuple):
                text, literal = text + piece[0], piece[1]
                continue
            text += piece or b""
            uid = _ITEM_UID.search(text)
            if uid is not None and int(uid[1]) in wanted:
                yield int(uid[1]), text, literal
            text, literal = b"", None


def _uid_set(uids: set[int]) -> str:
    """«1:4,7»: runs are written short, because servers limit the length of a command line."""
    runs: list[list[int]] = []
    for uid in sorted(uids):
        if runs and uid == runs[-1][1] + 1:
            runs[-1][1] = uid
        else:
            runs.append([uid, uid])
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in runs)


def _arrived(text: bytes) -> datetime | None:
    found = _ITEM_DATE.search(text)
    try:
        stamp = (found[1] if found else b"").decode().strip()
        return datetime.strptime(stamp, "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)
    except ValueError:
        return None


@contextlib.contextmanager
def open_mailbox(settings: Settings, wire: Wire) -> Iterator[Mailbox]:
    """A logged-in session; every failure inside is ChannelError, with secrets taken out of its words."""
    host, port = settings.imap_host, settings.imap_port
    require_private(wire.guard, host, port, settings.imap_security)
    try:
        box = Mailbox(settings, wire)
        try:
            box.sign_in()
            yield box
            with contextlib.suppress(imaplib.IMAP4.error, ImapToolsError, OSError):
                box.logout()
        finally:
            box.client.shutdown()
    except (imaplib.IMAP4.error, ImapToolsError, OSError, UnicodeError) as error:
        raise imap_error(error, settings) from error


def require_private(guard: Guard, host: str, port: int, security: str) -> None:
    """A password goes in clear text only to a server that the installation lists as its own."""
    if security == "none" and f"{host.strip('[]').lower()}:{port}" not in guard.allow_private | guard.only:
        message = f"{host}:{port}: without encryption only to a server listed under allow_private"
        raise ChannelError(message, code="settings", permanent=True)


def imap_error(error: Exception, settings: Settings) -> ChannelError:
    """ChannelError for what imaplib, imap-tools or the socket raised."""
    if isinstance(error, AddressRefused):
        return ChannelError(str(error), code="address", permanent=True)
    if isinstance(error, ssl.SSLError):
        return ChannelError(f"TLS: {error.reason or type(error).__name__}", code="network")
    if isinstance(error, OSError | imaplib.IMAP4.abort):
        return ChannelError(scrub(f"{type(error).__name__}: {error}", settings), code="network")
    words = scrub(_words(error), settings)
    found = re.search(r"\[([A-Z]+)[^\]]*\]", words)
    known = _CODES.get(found[1]) if found else None
    if known is None and re.search(r"too many|\blimit|try (?:again )?later|\brate\b", words, re.IGNORECASE):
        known = ("rate", False, 300)
    if known is None:
        known = _default_code(error)
    code, permanent, wait = known
    return ChannelError(words, code=code, permanent=permanent, retry_after=wait)


def _default_code(error: Exception) -> tuple[str, bool, float | None]:
    if isinstance(error, MailboxLoginError):
        return ("auth", True, None)
    if isinstance(error, MailboxFolderSelectError):
        return ("settings", False, None)
    return ("server", False, None)


def _words(error: Exception) -> str:
    if isinstance(error, UnexpectedCommandStatusError):
        lines = [line for line in error.command_result[1] if isinstance(line, bytes)]
        return b" ".join(lines).decode("utf-8", "replace") or str(error.command_result[0])
    return str(error)


def scrub(words: str, settings: SenderSettings) -> str:
    """A server's words on one line, at most 300 characters, without our secrets."""
    for secret in settings.secrets:
        words = words.replace(secret, "…")
    return " ".join(words.split())[:300]
