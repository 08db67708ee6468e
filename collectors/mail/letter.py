"""One letter as the wire brought it → the message the desk understands."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime

from collectors.base import Attachment, Incoming, Person, Publication, Raw, Visibility
from collectors.mail import mime
from collectors.mail.decode import addresses, header_text
from collectors.mail.mime import Body, raw_header
from collectors.mail.quotes import FORWARD, written

LOOP_HEADER = "X-Otklik-Desk"
ARRIVED = "X-Otklik-Arrived"
"""Written above a letter that has neither Date nor Received: when the mailbox took it."""
OVERSIZE = "X-Otklik-Oversize"
"""Written above a header that stands for a letter too large to read: its size in bytes."""

_ID = re.compile(r"<\s*([^<>\s]{1,500})\s*>")
_ID_CAP = 500
_REFERENCES_CAP = 50
_CLOCK_SLACK = timedelta(days=7)
_PREFIX = re.compile(
    r"^\s*(?:(?:re|fwd?|aw|ha|на|отв|ответ|пересл|переслано|перенапр)\s*(?:\[\d+\]|\(\d+\))?\s*:\s*)+",
    re.IGNORECASE,
)
_AUTO_SUBJECT = re.compile(
    r"^\s*(?:автоответ|автоматический ответ|auto(?:matic)?[- ]?(?:reply|response)|out of office)\s*:", re.IGNORECASE
)
_ROBOT = re.compile(r"^(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)(?:[+=-].*)?@", re.IGNORECASE)

# Headers by which a machine owns up, each with what its value must look like (RFC 3834, RFC 2919, RFC 5321).
_AUTOMATIC = {
    "Auto-Submitted": re.compile(r"^(?!\s*no\b)", re.IGNORECASE),
    "Precedence": re.compile(r"^\s*(?:bulk|list|junk|auto_reply)\b", re.IGNORECASE),
    "Return-Path": re.compile(r"^\s*<\s*>\s*$"),
    **dict.fromkeys(
        (
            *("List-Id", "List-Unsubscribe", "X-Autoreply", "X-Autorespond", "X-Autoresponse"),
            *("X-Auto-Response-Suppress", "X-Loop", "X-FC-MachineGenerated", LOOP_HEADER),
        ),
        re.compile(r""),
    ),
}


def bare_id(value: str) -> str | None:
    """First Message-ID in ``value`` without its angle brackets, letter for letter; None when there is none."""
    match = _ID.search(value)
    bare = match[1] if match else value.strip().strip("<>").strip()
    return bare if bare and len(bare) <= _ID_CAP and not re.search(r"\s", bare) else None


def letter_id(head: bytes) -> str | None:
    """The Message-ID of a letter from its raw header, without the parser; None when it is missing or broken."""
    block = re.split(rb"\r?\n\r?\n", head[: mime.HEADER_CAP], maxsplit=1)[0]
    match = re.search(rb"^message-id[ \t]*:((?:.*(?:\r?\n[ \t].*)*))", block, re.IGNORECASE | re.MULTILINE)
    return bare_id(header_text(match[1].decode("ascii", "surrogateescape"))) if match else None


def ids(value: str | None) -> list[str]:
    """All Message-IDs of a References or In-Reply-To header, oldest first, each once."""
    return list(dict.fromkeys(_ID.findall(value or "")))


def fingerprint(raw: bytes) -> str:
    """SHA-256 of what the sender wrote; the trace that servers add on the way is left out.

    The same letter delivered twice, by a list and directly, differs in Received lines only.
    """
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = re.findall(rb"^(?:from|to|subject|date)[ \t]*:.*(?:\n[ \t].*)*", head, re.IGNORECASE | re.MULTILINE)
    return hashlib.sha256(b"\n".join(lines) + b"\n\n" + body.rstrip()).hexdigest()


def bare_subject(subject: str) -> str:
    """``subject`` without Re:, Fwd:, Отв: and their kin, however many."""
    return _PREFIX.sub("", subject).strip()


def read_letter(raw: Raw, ours: frozenset[str]) -> list[Incoming]:
    """The message of one letter; ``ours`` are lower-case addresses. ValueError for poison and for no date."""
    letter, body = mime.read(raw.body)
    subject = header_text(raw_header(letter, "Subject"))
    author = _author(letter, ours)
    references, parent = _ancestors(letter, body)
    thread = references[0] if references else parent or raw.external_id
    return [
        Incoming(
            container=raw.container,
            external_id=raw.external_id,
            text=written(body.text, forwarded=FORWARD.match(subject) is not None),
            published_at=_written_at(letter),
            author=author,
            publication=Publication(external_id=thread, kind="letter", title=bare_subject(subject)),
            publication_external_id=thread,
            parent_external_id=parent,
            thread=thread,
            visibility=Visibility.PRIVATE,
            subject=subject or None,
            attachments=(*_oversize_note(letter), *body.files),
            automatic=not (author and author.is_us) and _is_automatic(letter, subject, author),
            context=_context(letter, body, subject, references),
        )
    ]


def _author(letter: Message, ours: frozenset[str]) -> Person | None:
    found = addresses(raw_header(letter, "From")) or addresses(raw_header(letter, "Sender"))
    if not found:
        return None
    name, address = found[0]
    return Person(address.lower(), name or address, is_us=address.lower() in ours)


def _ancestors(letter: Message, body: Body) -> tuple[list[str], str | None]:
    """References and the id of the answered letter; a bounce belongs to the letter that it gives back."""
    references, answered = _links(letter)
    if body.returned is not None and not answered:
        bounced = bare_id(header_text(raw_header(body.returned, "Message-ID")))
        if bounced is not None:
            earlier, _ = _links(body.returned)
            return [*earlier, bounced], bounced
    return references, answered or (references[-1] if references else None)


def _links(letter: Message) -> tuple[list[str], str | None]:
    references = ids(header_text(raw_header(letter, "References")))
    answered = ids(header_text(raw_header(letter, "In-Reply-To")))
    return references, answered[0] if answered else None


def _context(letter: Message, body: Body, subject: str, references: list[str]) -> dict[str, str]:
    """What act() needs to answer this letter, and of a bounce its status."""
    senders = addresses(raw_header(letter, "From"))
    reply_to = addresses(raw_header(letter, "Reply-To"))
    values = {
        "message_id": bare_id(header_text(raw_header(letter, "Message-ID"))) or "",
        "references": " ".join(references[:1] + references[1:][-_REFERENCES_CAP:]),
        "subject": subject,
        "from": senders[0][1] if senders else "",
        "reply_to": reply_to[0][1] if reply_to else "",
        "bounce_status": body.status,
    }
    return {key: value for key, value in values.items() if value}


def _is_automatic(letter: Message, subject: str, author: Person | None) -> bool:
    if letter.get_content_type() == "multipart/report" or _AUTO_SUBJECT.match(subject):
        return True
    if author is not None and _ROBOT.match(author.external_id):
        return True
    found = ((raw_header(letter, name), pattern) for name, pattern in _AUTOMATIC.items())
    return any(value is not None and pattern.search(value) for value, pattern in found)


def _written_at(letter: Message) -> datetime:
    """The sender's time, unless his clock is a week off the time at which our server took the letter."""
    written_at = _time(raw_header(letter, "Date"))
    trace = (raw_header(letter, "Received") or "").rpartition(";")[2]
    received_at = _time(trace) or _time(raw_header(letter, ARRIVED))
    if written_at is None or (received_at is not None and abs(written_at - received_at) > _CLOCK_SLACK):
        written_at = received_at or written_at
    if written_at is None:
        raise ValueError("the letter has no readable date")
    return written_at


def _time(value: str | None) -> datetime | None:
    try:
        at = parsedate_to_datetime(header_text(value))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def has_date(head: bytes) -> bool:
    """True when a time of the letter can be read from its own header."""
    block = re.split(rb"\r?\n\r?\n", head[: mime.HEADER_CAP], maxsplit=1)[0]
    try:
        _written_at(BytesHeaderParser().parsebytes(block + b"\r\n\r\n"))
    except ValueError:
        return False
    return True


def _oversize_note(letter: Message) -> tuple[Attachment, ...]:
    size = raw_header(letter, OVERSIZE)
    if size is None or not size.strip().isdigit():
        return ()
    megabytes = int(size.strip()[:15]) // 1_000_000
    name = f"Письмо слишком большое ({megabytes} МБ): текст и файлы остались в почтовом ящике"
    return (Attachment("document", name, content_type="message/rfc822"),)
