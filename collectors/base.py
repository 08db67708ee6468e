"""What every platform's channel is: the contract that services and the wire meet on."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from threading import Event
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from collectors.airing import Airing as Airing
from collectors.airing import ChatBudget as ChatBudget
from collectors.airing import ChatPage as ChatPage
from collectors.airing import DayUnits as DayUnits
from collectors.errors import ERROR_CODES as ERROR_CODES
from collectors.errors import ChannelError as ChannelError
from collectors.errors import Sent as Sent
from collectors.errors import network_error as network_error
from collectors.files import ActFile as ActFile
from collectors.files import FileLimits as FileLimits
from collectors.wire import Wire

Cursor = dict[str, Any]
"""What a walk must remember, as JSON values only; an empty one means «never read»."""


class Walk(StrEnum):
    """How far a walk goes: NEW is cheap and often, DEEP re-reads for edits and late replies, BACKFILL once."""

    NEW = "new"
    DEEP = "deep"
    BACKFILL = "backfill"


class ActKind(StrEnum):
    """What the desk can do on a platform; each is one row of the outbox."""

    REPLY = "reply"
    MESSAGE = "message"
    EDIT = "edit"
    DELETE = "delete"
    HIDE = "hide"
    PUBLISH = "publish"
    SPAM = "spam"
    BAN = "ban"
    LIKE = "like"


class Visibility(StrEnum):
    """Who can read a message where it stands."""

    PUBLIC = "public"
    PRIVATE = "private"


class SourceState(StrEnum):
    """In what state a message stands on its platform."""

    PUBLISHED = "published"
    HELD = "held"
    HIDDEN = "hidden"
    SPAM = "spam"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do, as data that services and screens read; nobody asks for the kind."""

    acts: frozenset[ActKind] = frozenset()
    list_own: bool = False  # our own items can be listed, so lookup() can prove absence
    send_token: bool = False  # the platform recognises a repeated act by our token
    duplicate_refused: bool = False  # the platform refuses the same text twice in the same place
    listen: bool = False
    receive: bool = False
    files: FileLimits | None = None  # None: no file goes with a text
    nested: bool = True  # replies to replies stand as such on the platform
    max_length: int = 4000  # of one text, in units of ``count``
    count: str = "characters"  # characters · utf16 · bytes
    poll_seconds: int = 60  # a sensible pause between two NEW walks
    deep_seconds: int = 3600  # and between two DEEP ones
    settle_seconds: float = 60  # how long an accepted act may take to show up in a listing
    removal_is_final: bool = False  # what was removed never stands again: an event of its making is merely late
    grade: str = "reread"  # reread · events · manual: how it can be known that nothing is missing
    rate_scope: str = "account"  # account · container: what «too often» of the platform speaks of
    act_seconds: float = 0.3  # between two acts, by the platform's limits and by what a call takes
    answered_by: str = ""  # the platform that carries an answer to the address a visitor left
    place_context: frozenset[str] = frozenset()  # of a message's context what is true of its whole place
    chat: bool = False  # it has broadcasts of its own with a chat that is asked for: airings(), chat()
    # Only events tell of a dialogue: a deep walk is told which ones we know, acquaint(), and closes no gap.
    unlisted: bool = False
    bot: bool = False  # people open a dialogue with our bot by a link that brings a word: start_address()

    def length(self, text: str) -> int:
        """Length of ``text`` as this platform counts it."""
        match self.count:
            case "utf16":
                return len(text.encode("utf-16-le")) // 2
            case "bytes":
                return len(text.encode())
            case _:
                return len(text)


@dataclass(frozen=True, slots=True)
class Raw:
    """One thing as the platform gave it, kept before it is understood.

    ``kind`` is the channel's own word (comment, post, mail …). ``body`` is what parse() reads and nothing else:
    JSON in UTF-8 for the HTTP platforms, the whole letter for mail. Identity: (source, kind, container, id).
    """

    kind: str
    container: str
    external_id: str
    body: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the body in hex: the same digest means that nothing changed on the platform."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Page:
    """What one step of a walk brought; stored with ``cursor`` in one transaction.

    ``listed`` names the containers that this page ends a complete listing of, each with every id that stands
    there: what the desk holds and the listing lacks was deleted. A listing read by half is never named.
    ``gap`` says that the platform dropped something that cannot be read back, ``gap_since`` from when on (None:
    since the last reading of the place).
    """

    raws: tuple[Raw, ...]
    cursor: Cursor
    complete: bool = False
    listed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    gap: str | None = None
    gap_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """The outside person (or page) who wrote; ``external_id`` is stable on the platform."""

    external_id: str
    name: str
    url: str | None = None
    picture: str | None = None
    is_us: bool = False


@dataclass(frozen=True, slots=True)
class Publication:
    """The post, video, article or letter thread that is commented on."""

    external_id: str
    kind: str  # video · post · photo · article · dialogue · letter
    title: str
    url: str | None = None
    text: str = ""
    picture: str | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message: its address on the platform, or its bytes where mail carries them."""

    kind: str  # photo · video · audio · voice · sticker · document · link
    name: str = ""
    url: str | None = None
    content_type: str | None = None
    content: bytes | None = None
    ref: str | None = None  # by what the channel asks the platform for it, where there is no address


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as the desk understands it; all times are aware UTC.

    ``author`` None means that the platform does not say (a placeholder of a deleted comment).
    ``thread`` is the id of the top-level message of its thread (its own id when it is the top).
    ``start`` is the word of the link by which somebody opened the dialogue with our bot, where ``can.bot``.
    ``context`` is what the channel itself will need to act on this message later (strings only).
    ``publication`` None keeps what the desk already knows of the container's publication.
    """

    container: str
    external_id: str
    text: str
    published_at: datetime
    author: Person | None
    publication: Publication | None = None
    publication_external_id: str | None = None
    parent_external_id: str | None = None
    thread: str | None = None
    edited_at: datetime | None = None
    url: str | None = None
    visibility: Visibility = Visibility.PUBLIC
    state: SourceState = SourceState.PUBLISHED
    subject: str | None = None
    attachments: tuple[Attachment, ...] = ()
    automatic: bool = False  # sent by a machine: it is kept, but never answered by itself
    quiet: bool = False  # one of a thousand in a live chat: kept and found, opens no case by itself
    start: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """A row of the platform's own books beside its messages: a person, an order, a payment.

    ``fields`` are texts by our names (see services.crm.school); ``at`` is when it was made there.
    """

    kind: str  # person · order · payment
    external_id: str
    at: datetime | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """Where an act goes: the message answered, edited or hidden, as the desk stored it."""

    container: str
    external_id: str | None = None
    parent_external_id: str | None = None
    thread: str | None = None
    publication_external_id: str | None = None
    author_external_id: str | None = None
    author_name: str | None = None
    subject: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Act:
    """One act of the outbox, the same through all its attempts.

    ``key`` is a number made of ``token`` (1 … 2³¹−1), ``token`` a random string made with the row; neither changes
    between attempts. ``since`` is the time of the first attempt (None before it): lookup() looks no further back.
    ``taken`` are ids there that belong to other acts of ours: lookup() passes over them, whatever they say (R5).
    ``mass``: one of many, which leaves the last of a day's budget to single ones. ``files`` go with the text; of an
    edit they are what already stands beside it.
    """

    kind: ActKind
    key: int
    token: str
    target: Target
    text: str = ""
    since: datetime | None = None
    taken: frozenset[str] = frozenset()
    mass: bool = False
    files: tuple[ActFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform's word that an act was taken; ``visible`` False means «held for moderation»."""

    external_id: str | None
    url: str | None = None
    at: datetime | None = None
    visible: bool = True
    container: str | None = None


class Verdict(StrEnum):
    """What a look at the platform proved."""

    SEEN = "seen"
    ABSENT = "absent"  # only after a complete listing
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Proof:
    """The answer of lookup(): seen with the platform's id and time, absent, or unknown."""

    verdict: Verdict
    external_id: str | None = None
    url: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Right:
    """A right the account should have; ``without`` is a code of what does not work when it is missing."""

    name: str
    held: bool | None  # None: the platform does not tell
    without: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Who the credentials are and what they may do."""

    account_id: str
    account: str
    rights: tuple[Right, ...] = ()

    @property
    def missing(self) -> tuple[Right, ...]:
        return tuple(right for right in self.rights if right.held is False)


@dataclass(frozen=True, slots=True)
class Granted:
    """What a consent gave: settings to be stored, secrets among them, and when they end (None: not by themselves).

    ``token_until``: the desk renews it by renew(); ``consent_until``: then a person must consent again.
    """

    values: Mapping[str, str]
    title: str = ""
    token_until: datetime | None = None
    consent_until: datetime | None = None


class Limiter(Protocol):
    """A rate limit that all threads and processes of the desk share."""

    def wait(self, name: str, *, rate: float, cost: int = 1) -> None:
        """Blocks until ``cost`` calls of ``rate`` per second are allowed under ``name``."""

    def spend(self, name: str, day: str, units: int, *, limit: int, purpose: str = "") -> bool:
        """Takes ``units`` of a day's budget for a ``purpose``; False, and nothing taken, where more than ``limit``
        would be spent of the whole."""

    def spent_on(self, name: str, day: str, purpose: str | None = None) -> int:
        """Units of a day's budget that are taken, of one purpose or of all."""


class ChannelSettings(BaseModel):
    """Base of every channel's settings: unknown keys are refused, SecretStr fields are stored encrypted."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Channel(ABC):
    """One watched place on one platform: in (check, walk, listen, receive, parse) and out (act, lookup).

    A channel keeps nothing between calls but its connection; it knows no database. Every failure is ChannelError.
    """

    kind: ClassVar[str]  # == file name == config key == value in the database
    title: ClassVar[str]
    can: ClassVar[Capabilities]
    Settings: ClassVar[type[ChannelSettings]]
    keeps_first: ClassVar[bool] = False  # a pushed event that comes again never replaces what came first
    has_page: ClassVar[bool] = False  # we serve a page of this channel to visitors
    greets: ClassVar[bool] = False  # its platform asks a hook for a word before it sends events
    consent_needs: ClassVar[tuple[str, ...]] = ()  # settings filled in before «Connect»; empty: there is no button
    remembers: ClassVar[tuple[str, ...]] = ()  # lists in the cursor that two walks fill and neither may forget
    calls_by_get: ClassVar[bool] = False  # its platform calls a hook with a query instead of a body
    reads_letters: ClassVar[bool] = False  # its messages are told of by letters that lie in a mailbox
    tells_twice: ClassVar[bool] = False  # a letter and an event may tell of one message, see Incoming.context

    def __init__(self, settings: Any, wire: Wire, limiter: Limiter) -> None:
        self.settings = settings
        self.wire = wire
        self.limiter = limiter

    @classmethod
    def is_live(cls, container: str) -> bool:
        """Whether people talk there at this moment, so that a reply ten seconds later is late."""
        return False

    @classmethod
    def seconds_between(cls, container: str) -> float:
        """How far apart two acts in ``container`` are at least: what the queue before an act is reckoned by."""
        return cls.can.act_seconds

    @abstractmethod
    def check(self) -> Check:
        """Asks the platform who we are and which rights we hold; raises ChannelError(auth) when refused."""

    @abstractmethod
    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        """Yields pages; each page's cursor is enough to go on after a kill. Safe to repeat."""

    def acquaint(self, cursor: Cursor, dialogues: Iterable[str]) -> Cursor:
        """``cursor`` of a deep walk, where ``can.unlisted``, that also reads ``dialogues`` again."""
        return cursor

    @abstractmethod
    def parse(self, raw: Raw) -> list[Incoming]:
        """Pure: understands one raw. Any exception concerns this raw alone."""

    def publication(self, raw: Raw) -> Publication | None:
        """The publication that a raw describes by itself (a post that arrives apart from its comments)."""
        return None

    @classmethod
    def consent_address(
        cls, wire: Wire, values: Mapping[str, Any], redirect: str, state: str, verifier: str
    ) -> str:
        """The platform's page of consent, where ``consent_needs``; ``values`` are settings with their defaults."""
        raise ChannelError(f"{cls.kind} has no consent", code="unsupported", permanent=True)

    @classmethod
    def take_consent(
        cls, wire: Wire, values: Mapping[str, Any], answer: Mapping[str, str], redirect: str, verifier: str
    ) -> Granted:
        """Trades what the browser came back with for tokens; raises ChannelError(auth) when it is refused."""
        raise ChannelError(f"{cls.kind} has no consent", code="unsupported", permanent=True)

    def renew(self) -> Granted | None:
        """Fresh tokens before the stored ones end; None where a channel does so by itself or cannot."""
        return None

    @classmethod
    def from_letter(cls, settings: ChannelSettings, letter: Incoming) -> Incoming | None:
        """The message that a letter of some mailbox tells of, where ``reads_letters``; None for another letter."""
        return None

    @classmethod
    def is_same_event(cls, item: Incoming, text: str, context: Mapping[str, str]) -> bool:
        """Whether a stored message (its text and context) tells of ``item``'s event, where ``tells_twice``."""
        return False

    @classmethod
    def records(cls, raw: Raw) -> list[Record]:
        """People, orders and payments that a raw holds beside messages, where the platform has such books."""
        return []

    def act(self, act: Act) -> Receipt:
        """Does ``act`` once, without retries of its own."""
        raise ChannelError(f"{self.kind} cannot {act.kind}", code="unsupported", permanent=True)

    def lookup(self, act: Act) -> Proof:
        """Looks on the platform for what ``act`` should have left there."""
        return Proof(Verdict.UNKNOWN)

    @classmethod
    def start_address(cls, settings: Any, name: str, word: str) -> str:
        """Where a press opens the dialogue with the bot called ``name`` and brings ``word``, where ``can.bot``."""
        raise ChannelError(f"{cls.kind} has no bots", code="unsupported", permanent=True)

    def fetch(self, file: Attachment, limit: int) -> bytes:
        """The content of a file of a message, of ``limit`` bytes at most, where ``can.bot``."""
        raise ChannelError(f"{self.kind} gives no files", code="unsupported", permanent=True)

    def listen(self, cursor: Cursor, stop: Event) -> Iterator[Page]:
        """Waits for news until ``stop`` is set (long poll, IDLE), where ``can.listen``."""
        raise ChannelError(f"{self.kind} does not listen", code="unsupported", permanent=True)

    def receive(self, payload: bytes, headers: Mapping[str, str]) -> list[Raw]:
        """Reads a pushed event after its secret or signature was verified, where ``can.receive``."""
        raise ChannelError(f"{self.kind} takes no events", code="unsupported", permanent=True)

    def greeting(self, payload: bytes) -> str | None:
        """The word that the platform wants to hear instead of «ok», where ``greets``; None for any other event."""
        return None

    def airings(self, known: Sequence[str] = ()) -> list[Airing]:
        """What is on air or planned here, and what became of the broadcasts ``known``, where ``can.chat``."""
        raise ChannelError(f"{self.kind} has no broadcasts", code="unsupported", permanent=True)

    def chat(self, airing: Airing, cursor: Cursor) -> ChatPage:
        """Reads a live chat once, on from ``cursor``; it waits for nothing."""
        raise ChannelError(f"{self.kind} has no live chat", code="unsupported", permanent=True)

    def chat_budget(self) -> ChatBudget | None:
        """What may be spent on reading chats; None where nothing is counted."""
        return None

    def day_units(self) -> DayUnits | None:
        """The day's units and how they are meant to be spent; None where nothing is counted."""
        return None

    def close(self) -> None:
        """Gives connections back."""
        return None


def normalise(text: str) -> str:
    """Text as two copies of one reply are compared: one kind of space, no case of invisible marks."""
    return " ".join(text.replace("\u200b", "").split())
