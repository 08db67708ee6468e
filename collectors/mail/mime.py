"""The parts of a letter: a cheap look for poison, then Python's parser, then bodies and files apart."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message

from collectors.base import Attachment
from collectors.mail.decode import clean, decode, header_text
from collectors.mail.html import html_text

HEADER_CAP = 64 * 1024
DEPTH_CAP = 100
PARTS_CAP = 500
LINES_CAP = 3_000_000
WORK_CAP = 20_000_000  # lines × depth: Python's parser tries every open boundary on every line


_HEADER_LINE = re.compile(rb"From |[\x21-\x39\x3b-\x7e]*:|[\t ]")
_TYPE = re.compile(rb"^content-type\s*:((?:.*(?:\n[\t ].*)*))", re.IGNORECASE | re.MULTILINE)
_BOUNDARY = re.compile(rb"boundary(?:\*\d*\*?)?\s*=\s*(?:\"([^\"]*)\"|([^\s;\"]+))", re.IGNORECASE)
_KINDS = {"image": "photo", "video": "video", "audio": "audio"}


def check_shape(raw: bytes) -> None:
    """Raises ValueError for a letter that would cost the parser its stack or minutes (reliability §0.6)."""
    open_parts: list[bytes | None] = []  # boundaries; None stands for a letter inside a letter
    header: list[bytes] | None = []
    size = parts = deepest = count = 0
    for line in raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"):
        count += 1
        if line[:2] == b"--" and (level := _level(line.rstrip(), open_parts)):
            # What stood inside the part that ends here ends with it.
            del open_parts[level:]
            header, size, parts = [], 0, parts + 1
        elif header is not None:
            size += len(line) + 2
            if size > HEADER_CAP:
                raise ValueError(f"a header of the letter is longer than {HEADER_CAP} bytes")
            if line and _HEADER_LINE.match(line):
                header.append(line)
                continue
            inner = _opens(header)
            header, size = ([], 0) if inner == [None] else (None, 0)
            open_parts += inner
            deepest = max(deepest, len(open_parts))
        if deepest > DEPTH_CAP:
            raise ValueError(f"parts of the letter are nested deeper than {DEPTH_CAP}")
        if parts > PARTS_CAP:
            raise ValueError(f"the letter has more than {PARTS_CAP} parts")
        if count > LINES_CAP or count * (deepest + 1) > WORK_CAP:
            raise ValueError("the letter has too many lines for its nesting")


def _level(line: bytes, open_parts: list[bytes | None]) -> int:
    """Number of open parts that stay open after a boundary line; 0 when the line is no boundary."""
    for index in range(len(open_parts) - 1, -1, -1):
        boundary = open_parts[index]
        if boundary is not None and line in (b"--" + boundary, b"--" + boundary + b"--"):
            return index + 1
    return 0


def _opens(header: list[bytes]) -> list[bytes | None]:
    """What a part with this header opens: a boundary, a letter (None), or nothing."""
    found = _TYPE.search(b"\n".join(header))
    if found is None:
        return []
    value = found[1].strip()
    if value[:8].lower() == b"message/":
        return [None]
    boundary = _BOUNDARY.search(value)
    return [] if boundary is None else [(boundary[1] or boundary[2] or b"").rstrip()]


@dataclass
class Body:
    """A letter taken apart: what can be read, what is a file, what a mail server says of a delivery."""

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    calendar: list[str] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    returned: Message | None = None  # the header of the letter that a bounce gives back
    status: str = ""  # RFC 3464 status of a bounce, as 5.1.1

    @property
    def text(self) -> str:
        """The readable body: text, or else the text of the HTML, or else of the invitation."""
        for texts in (self.plain, self.html, self.calendar):
            joined = "\n\n".join(text.strip("\n") for text in texts if text.strip())
            if joined:
                return joined
        return ""


def read(raw: bytes) -> tuple[Message, Body]:
    """Parses a letter; ValueError with words for poison.

    The old policy (compat32) keeps headers as they came: the new one parses addresses recursively and raises on
    a From of a thousand brackets, and it throws away 8-bit bytes that decode.py can still read.
    """
    check_shape(raw)
    try:
        letter = message_from_bytes(raw)
        body = Body()
        for part in _leaves(letter):
            _sort_part(part, body)
    except RecursionError as error:
        raise ValueError("parts of the letter are nested too deeply") from error
    return letter, body


def raw_header(part: Message, name: str) -> str | None:
    """First header ``name`` exactly as it came, with bytes above 127 as lone surrogates."""
    lower = name.lower()
    return next((str(value) for key, value in part.raw_items() if key.lower() == lower), None)


def _children(part: Message) -> list[Message]:
    """Parts inside; asking a leaf for its payload would decode it by whatever charset it names."""
    children = part.get_payload() if part.is_multipart() else []
    return [child for child in children if isinstance(child, Message)]


def _leaves(part: Message) -> Iterator[Message]:
    """Parts that hold something; a letter inside a letter is one leaf."""
    if part.is_multipart() and part.get_content_maintype() != "message":
        for child in _children(part):
            yield from _leaves(child)
    else:
        yield part


def _sort_part(part: Message, body: Body) -> None:
    for header in ("Content-Type", "Content-Disposition"):
        value = raw_header(part, header)
        if value is not None and not value.isascii():
            # The parser would turn raw 8-bit file names into question marks.
            part.replace_header(header, decode(value.encode("utf-8", "surrogateescape"), None))
    kind = part.get_content_type()
    name = file_name(part)
    attached = part.get_content_disposition() == "attachment" or bool(name)
    if kind == "message/delivery-status":
        body.status = _status(part)
    elif kind in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers") and body.status:
        body.returned = _returned(part)
    elif kind.startswith("message/"):
        body.files.append(_letter_file(part, name))
    elif kind in ("text/plain", "text/html") and not attached:
        text = decode(_content(part), _param(part, "charset") or _meta_charset(part, kind))
        if kind == "text/html":
            body.html.append(html_text(text))
        else:
            body.plain.append(_unflow(part, clean(text)))
    else:
        content = _content(part)
        if kind == "text/calendar":
            body.calendar.append(_invitation(clean(decode(content, _param(part, "charset") or "utf-8"))))
            name = name or "invite.ics"
        if content or name:
            file_kind = _KINDS.get(part.get_content_maintype(), "document")
            body.files.append(Attachment(file_kind, name, content_type=kind, content=content))


def file_name(part: Message) -> str:
    """The name of an attached file without folders; RFC 2231, RFC 2047 and raw 8-bit forms."""
    for value in (_param(part, "filename", "content-disposition"), _param(part, "name")):
        name = header_text(value).replace("\\", "/").rpartition("/")[2]
        if name.strip(". "):
            return name[:255]
    return ""


def _param(part: Message, name: str, header: str = "content-type") -> str:
    """A parameter of a header; empty when it is missing or so broken that the parser gives up."""
    try:
        value = part.get_param(name, None, header)
    except (TypeError, ValueError, LookupError):
        return ""
    if isinstance(value, tuple):
        # RFC 2231 gives (charset, language, text), the text with each byte as one Latin-1 character.
        return decode(value[2].encode("latin-1", "replace"), value[0] or None)
    return str(value or "")


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _meta_charset(part: Message, kind: str) -> str | None:
    """The charset an HTML page names in itself, where the header of the part is silent."""
    if kind != "text/html":
        return None
    found = re.search(rb"<meta[^<>]{0,200}charset=[\"']?([\w-]{2,30})", _content(part)[:4096], re.IGNORECASE)
    return found[1].decode() if found else None


def _unflow(part: Message, text: str) -> str:
    """Joins the soft line breaks of format=flowed (RFC 3676 §4.2)."""
    if _param(part, "format").lower() != "flowed":
        return text
    delsp = _param(part, "delsp").lower() == "yes"
    lines: list[str] = []
    soft = False
    for line in text.split("\n"):
        level = len(line) - len(line.lstrip(">"))
        body = line[level:].removeprefix(" ")
        if soft and lines and level == len(lines[-1]) - len(lines[-1].lstrip(">")) and body != "-- ":
            lines[-1] = (lines[-1][:-1] if delsp else lines[-1]) + body
        else:
            lines.append(f"{'>' * level} {body}" if level else body)
        soft = body.endswith(" ") and body != "-- "
    return "\n".join(lines)


def _invitation(ics: str) -> str:
    """Summary and description of a calendar event (RFC 5545 §3.1: long lines are folded)."""
    unfolded = re.sub(r"\n[ \t]", "", ics)
    values = re.findall(r"^(?:SUMMARY|DESCRIPTION|LOCATION)(?:;[^:\n]*)?:(.*)$", unfolded, re.MULTILINE)
    return "\n".join(re.sub(r"\\([,;\\])", r"\1", value.replace("\\n", "\n")) for value in values)


def _letter_file(part: Message, name: str) -> Attachment:
    letter = next(iter(_children(part)), None)
    if letter is None:
        return Attachment("document", name, content_type=part.get_content_type(), content=_content(part))
    try:
        content = letter.as_bytes()
    except (LookupError, UnicodeError, TypeError, ValueError):
        content = b""
    title = name or f"{header_text(raw_header(letter, 'Subject'))[:100] or 'letter'}.eml"
    return Attachment("document", title.replace("/", "_"), content_type="message/rfc822", content=content)


def _status(part: Message) -> str:
    found = [raw_header(block, "Status") for block in _children(part)]
    return next((value.strip()[:20] for value in found if value), "?")


def _returned(part: Message) -> Message | None:
    if part.is_multipart():
        return next(iter(_children(part)), None)
    return message_from_bytes(_content(part)[:HEADER_CAP])
