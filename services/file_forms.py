"""What a file is, by its first bytes and never by its name; and a name that says so."""

from pathlib import PurePath

# (offset, first bytes, content type); the first that fits.
_SIGNS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"), (0, b"\x89PNG\r\n\x1a\n", "image/png"), (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"), (4, b"ftypheic", "image/heic"), (4, b"ftypmif1", "image/heic"),
    (4, b"ftypM4A", "audio/mp4"), (4, b"ftyp3gp", "audio/3gpp"), (4, b"ftyp", "video/mp4"),
    (0, b"OggS", "audio/ogg"), (0, b"ID3", "audio/mpeg"), (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf1", "audio/aac"),
    (8, b"WAVE", "audio/wav"), (0, b"\x1a\x45\xdf\xa3", "video/webm"), (0, b"#!AMR", "audio/amr"),
    (0, b"%PDF-", "application/pdf"), (0, b"PK\x03\x04", "application/zip"),
)  # fmt: skip


def content_type_of(content: bytes) -> str | None:
    """None for what bears no sign that is known here."""
    return next((kind for at, sign, kind in _SIGNS if content[at : at + len(sign)] == sign), None)


def ending_of(name: str) -> str:
    """The ending that a name was given, without its dot."""
    return PurePath(name.replace("\\", "/")).suffix.lstrip(".").lower()


def plain_name(given: str, ending: str, otherwise: str) -> str:
    """A name that no system takes for anything else: ``ending`` says what the content is."""
    stem = PurePath(given.replace("\\", "/")).stem
    plain = "".join(sign for sign in stem if sign.isalnum() or sign in " -_")[:60].strip()
    return f"{plain or otherwise}.{ending}"
