"""A letter out: how it is written, and one exact passage through SMTP."""

import contextlib
import hashlib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime

from collectors.base import Act, ActKind, ChannelError, Sent
from collectors.mail.decode import clean
from collectors.mail.imap import require_private, scrub
from collectors.mail.letter import LOOP_HEADER, bare_subject
from collectors.mail.settings import SenderSettings, Settings
from collectors.wire import CONNECT_SECONDS, AddressRefused, Guard, Wire

TALK_SECONDS, ACCEPT_SECONDS = 60.0, 60.0
"""So long all answers up to the final dot may take together, and so long the answer to the dot (F22)."""
LEAST_PACE = 16_384.0
"""Bytes a second at which a letter must go once it has taken TALK_SECONDS: a line may be slow, but not for ever."""
PIECE = 65_536
_REFERENCES_CAP = 20
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,128}")
_SAFE_ID = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]{1,250}")

# RFC 5321 §4.2.3 and what submission servers make of it: our code, seconds to wait.
_TRY_LATER = {421: ("server", 60.0), 450: ("rate", 300.0), 451: ("rate", 300.0), 452: ("quota", 900.0)}
_NOT_LOGGED_IN = frozenset({530, 534, 535, 538})
_REFUSED_AT = {"connect": "rights", "hello": "server", "login": "auth", "mail": "rights", "rcpt": "gone"}


class _Ids(UnstructuredHeader, BaseHeader):
    """A list of Message-IDs: the standard folding would turn a long id into an encoded word."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: " + f"{policy.linesep} ".join(self.split()) + policy.linesep


_HEADERS = HeaderRegistry()
for _name in ("message-id", "in-reply-to", "references"):
    _HEADERS.map_to_type(_name, _Ids)
POLICY = SMTP.clone(header_factory=_HEADERS, cte_type="7bit")


def sent_id(act: Act, settings: Settings) -> str:
    """Message-ID of the letter of ``act`` without brackets: the same through all its attempts."""
    if not _TOKEN.fullmatch(act.token):
        raise ChannelError("the token of the act cannot stand in a Message-ID", code="invalid", permanent=True)
    return f"otklik.{act.token}@{settings.id_domain}"


def loop_id(settings: SenderSettings) -> str:
    """Names this desk in its letters, so that two desks do not talk to each other for ever."""
    return hashlib.sha256(settings.address.lower().encode()).hexdigest()[:16]


def compose(act: Act, settings: Settings, now: datetime) -> EmailMessage:
    """The letter of a reply or of a new message; ChannelError(invalid) when it cannot be addressed or written."""
    context = act.target.context
    letter = EmailMessage(policy=POLICY)
    try:
        letter["From"] = address_of(settings.from_name, settings.address)
        letter["To"] = _recipient(act, settings)
    except ValueError as error:
        raise ChannelError(f"the letter cannot be addressed: {error}", code="invalid", permanent=True) from error
    subject = " ".join(clean(context.get("subject") or act.target.subject or "").split())
    letter["Date"] = format_datetime(now)
    letter["Message-ID"] = f"<{sent_id(act, settings)}>"
    letter[LOOP_HEADER] = loop_id(settings)
    if act.kind is ActKind.REPLY:
        letter["Subject"] = f"Re: {bare_subject(subject)}".strip()
        answered = context.get("message_id", "")
        chain = [one for one in (*context.get("references", "").split(), answered) if _SAFE_ID.fullmatch(one)]
        if _SAFE_ID.fullmatch(answered):
            letter["In-Reply-To"] = f"<{answered}>"
        if chain:
            short = list(dict.fromkeys(chain[:1] + chain[1:][-_REFERENCES_CAP:]))
            letter["References"] = " ".join(f"<{one}>" for one in short)
    elif subject:
        letter["Subject"] = subject
    signature = f"\n\n-- \n{settings.signature.strip()}" if settings.signature.strip() else ""
    letter.set_content(clean(act.text) + signature + "\n")
    for file in act.files:
        main, _, sub = file.content_type.partition("/")
        letter.add_attachment(file.content, maintype=main, subtype=sub, filename=clean(file.name))
    return letter


def _recipient(act: Act, settings: Settings) -> Address:
    """Reply-To, else From, else the author; ValueError when none of them is somebody else's address."""
    context = act.target.context
    offered = (context.get("reply_to"), context.get("from"), act.target.author_external_id)
    for address in offered:
        if address and address.lower() not in settings.ours:
            known = address != context.get("reply_to") or address == context.get("from")
            return address_of(act.target.author_name if known else "", address)
    raise ValueError("there is no address to answer to")


def address_of(name: str | None, address: str) -> Address:
    """An address for a header; a domain in Cyrillic goes out as punycode. ValueError for CR, LF and nonsense."""
    local, _, domain = address.rpartition("@")
    ascii_domain = domain.encode("idna").decode() if not domain.isascii() else domain
    return Address(display_name="" if name == address else name or "", addr_spec=f"{local}@{ascii_domain}")


class _Answers:
    """What smtplib reads lines from, instead of a buffered file, which knows no time but that of a single wait."""

    def __init__(self, receive: Callable[[], bytes]) -> None:
        self._receive = receive
        self._pending = b""

    def readline(self, limit: int) -> bytes:
        while b"\n" not in self._pending and len(self._pending) < limit:
            data = self._receive()
            if not data:
                break
            self._pending += data
        end = min(self._pending.find(b"\n") + 1 or limit, limit)
        line, self._pending = self._pending[:end], self._pending[end:]
        return line

    def close(self) -> None:
        self._pending = b""


class _Session(smtplib.SMTP):
    """smtplib over the socket that the address guard gave; a dialogue by drops has an end, see ``allow``."""

    def __init__(self, guard: Guard, settings: SenderSettings, tls: ssl.SSLContext | None, timeout: float) -> None:
        self._guard, self._tls = guard, tls
        self.allow(TALK_SECONDS)
        super().__init__(settings.smtp_host, settings.smtp_port, settings.id_domain, timeout)

    def allow(self, seconds: float) -> None:
        """From now on the server has so long for all that it says, however short each single wait is."""
        self._until = time.monotonic() + seconds

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            self.file = _Answers(self._receive)
        return super().getreply()

    def _receive(self) -> bytes:
        left = self._until - time.monotonic()
        if self.sock is None or left <= 0:
            raise TimeoutError("the dialogue takes too long")
        wait = self.sock.gettimeout()
        self.sock.settimeout(left if wait is None else min(wait, left))
        data = self.sock.recv(8192)
        self.sock.settimeout(wait)
        return data

    def hand(self, letter: bytes) -> None:
        """Sends a long text by pieces, each with a wait of its own; what the server takes by drops ends."""
        began, left = time.monotonic(), self._until - time.monotonic()
        for start in range(0, len(letter), PIECE):
            passed = time.monotonic() - began
            if passed > TALK_SECONDS and start < passed * LEAST_PACE:
                raise TimeoutError("the letter is taken too slowly")
            self.send(letter[start : start + PIECE])
        self.allow(left)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = self._guard.connect(host, port, timeout)
        return plain if self._tls is None else self._tls.wrap_socket(plain, server_hostname=host)


@contextlib.contextmanager
def open_smtp(settings: SenderSettings, wire: Wire) -> Iterator[_Session]:
    """A session after login. Whatever fails inside and is no ChannelError yet is «certainly not sent»."""
    host, port, security = settings.smtp_host, settings.smtp_port, settings.smtp_security
    require_private(wire.guard, host, port, security)
    smtp: _Session | None = None
    try:
        tls = ssl.create_default_context() if security != "none" else None
        smtp = _Session(wire.guard, settings, tls if security == "tls" else None, CONNECT_SECONDS)
        if smtp.sock is not None:
            smtp.sock.settimeout(wire.read_timeout)
        smtp.ehlo_or_helo_if_needed()
        if security == "starttls":
            smtp.starttls(context=tls)
            smtp.ehlo()
        _sign_in(smtp, settings)
        yield smtp
        smtp.allow(wire.read_timeout)
        with contextlib.suppress(smtplib.SMTPException, OSError):
            smtp.quit()
    except (smtplib.SMTPException, OSError, UnicodeError, ValueError) as error:
        raise _smtp_error(error, settings) from error
    finally:
        if smtp is not None:
            smtp.close()


def _sign_in(smtp: smtplib.SMTP, settings: SenderSettings) -> None:
    if not smtp.has_extn("auth") and settings.smtp_security == "none":
        return  # a relay of the installation's own that knows us by our address
    if settings.access_token is not None:
        words = f"user={settings.login}\x01auth=Bearer {settings.access_token.get_secret_value()}\x01\x01"
        # A refusal comes as a challenge with the reason, which is answered with nothing.
        smtp.auth("XOAUTH2", lambda challenge=None: words if challenge is None else "")
    elif settings.password is not None:
        smtp.login(settings.login, settings.password.get_secret_value())


def deliver(settings: SenderSettings, wire: Wire, recipient: str, letter: bytes) -> None:
    """Hands ``letter`` over once; returns when the server has taken it upon itself.

    Until the final dot has begun to leave, every failure means «not sent». From then on only a parsed refusal does;
    a cut connection or a garbled answer leaves it unknown (RFC 5321 §4.2.5, reliability R3).
    """
    with open_smtp(settings, wire) as smtp:
        size = [f"SIZE={len(letter)}"] if smtp.has_extn("size") else []
        _step("mail", lambda: smtp.mail(settings.address, size), settings)
        _step("rcpt", lambda: smtp.rcpt(recipient), settings)
        _step("data", lambda: smtp.docmd("DATA"), settings, expected=range(354, 355))
        smtp.hand(re.sub(rb"(?m)^\.", b"..", letter))
        _hand_over(smtp, settings)


def _hand_over(smtp: _Session, settings: SenderSettings) -> None:
    try:
        if smtp.sock is not None:
            # Filters look at the letter between the dot and the answer; the standard allows ten minutes.
            smtp.sock.settimeout(ACCEPT_SECONDS)
        smtp.allow(ACCEPT_SECONDS)
        smtp.send(b".\r\n")
        code, words = smtp.getreply()
    except (smtplib.SMTPException, OSError) as error:
        raise ChannelError(type(error).__name__, code="network", sent=Sent.UNKNOWN) from error
    if 200 <= code < 300:
        return
    if 400 <= code < 600:
        raise _refusal("data", code, words, settings)
    raise ChannelError(
        scrub(f"unreadable answer to the letter: {code}", settings), code="server", sent=Sent.UNKNOWN
    )


def probe(settings: SenderSettings, wire: Wire) -> None:
    """Logs in and asks whether letters may come from our address; sends nothing."""
    with open_smtp(settings, wire) as smtp:
        _step("mail", lambda: smtp.mail(settings.address), settings)
        smtp.rset()


def _step(
    stage: str,
    command: Callable[[], tuple[int, bytes]],
    settings: SenderSettings,
    *,
    expected: range = range(200, 300),
) -> None:
    code, words = command()
    if code not in expected:
        raise _refusal(stage, code, words, settings)


def _refusal(stage: str, code: int, words: bytes, settings: SenderSettings) -> ChannelError:
    """ChannelError(sent=NO) for a parsed answer that is not the hoped-for one."""
    text = scrub(f"{code} {words.decode('utf-8', 'replace')}", settings)
    if code in _NOT_LOGGED_IN:
        return ChannelError(text, code="auth", permanent=True)
    if not 500 <= code < 600:
        name, wait = _TRY_LATER.get(code, ("server", 60.0))
        return ChannelError(text, code=name, retry_after=wait)
    name = _REFUSED_AT.get(stage, "invalid")
    policy = re.match(rb"5\.7\.", words) is not None
    if code == 552:
        name = "closed" if stage == "rcpt" else "invalid"
    elif stage == "rcpt" and policy:
        name = "rights"
    return ChannelError(text, code=name, permanent=True)


def _smtp_error(error: Exception, settings: SenderSettings) -> ChannelError:
    match error:
        case AddressRefused():
            return ChannelError(str(error), code="address", permanent=True)
        case ssl.SSLError():
            return ChannelError(f"TLS: {error.reason or type(error).__name__}", code="network")
        case smtplib.SMTPResponseException():
            stages = {smtplib.SMTPConnectError: "connect", smtplib.SMTPAuthenticationError: "login"}
            words = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
            return _refusal(stages.get(type(error), "hello"), error.smtp_code, words, settings)
        case smtplib.SMTPNotSupportedError():
            return ChannelError(scrub(str(error), settings), code="settings", permanent=True)
        case UnicodeError():
            return ChannelError("login or password holds letters outside ASCII", code="settings", permanent=True)
        case _:
            return ChannelError(type(error).__name__, code="network")
