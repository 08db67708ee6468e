"""Files that go out with a text: what a platform takes, as data, and one file as an act carries it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MEGABYTE = 1024 * 1024
KINDS = ("photo", "video", "audio", "document")


@dataclass(frozen=True, slots=True)
class FileLimits:
    """``largest`` names the kinds that are taken, with the bytes of one file at most; ``most`` files go with one
    text, of ``together`` bytes. ``text``: the longest text beside them, where it is shorter than without.
    ``private_only``: a public comment takes none. ``edits``: a text with files can be edited where it stands.
    """

    largest: Mapping[str, int] = field(hash=False)
    most: int = 1
    together: int | None = None
    text: int | None = None
    private_only: bool = False
    edits: bool = False


@dataclass(frozen=True, slots=True)
class ActFile:
    """``digest`` is the SHA-256 of the content in hex; the content is there when the act is sent, and only then."""

    kind: str  # photo · video · audio · document
    name: str
    content_type: str
    digest: str
    size: int = 0
    content: bytes = field(default=b"", repr=False)
