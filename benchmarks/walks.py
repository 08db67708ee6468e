"""Thousands of histories of each shape of walk, with the desk's rules of keeping in memory instead of a database.

`bench channels` runs fewer of them through the services and both databases; here only the walks are in question, so
that 5,000 a shape can be lived: time-ordered, offset pages, id-ordered, event stream, UID.
"""

import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from benchmarks.channels import History, Killed
from collectors import channel_class
from collectors.base import Channel, ChannelError, Incoming, Page, SourceState, Walk
from collectors.mail.letter import fingerprint, letter_id
from services.sources import go_on_from
from tests.collectors.mail_platform import MailPlatform, letter

SHAPES = {"youtube": "time-ordered", "vk": "offset pages", "wordpress": "id-ordered", "telegram": "event stream",
          "mail": "UID"}  # fmt: skip
Key = tuple[str, str]


@dataclass
class Held:
    """A message as the desk keeps it."""

    text: str
    state: str
    since: int
    edited: Any = None


@dataclass
class Shelf:
    """What services.intake and services.messages keep of a place, by the same rules."""

    channel: type[Channel]
    digests: dict[tuple[str, str, str], str] = field(default_factory=dict)
    messages: dict[Key, Held] = field(default_factory=dict)
    cursor: dict[str, Any] = field(default_factory=dict)
    deep_cursor: dict[str, Any] = field(default_factory=dict)
    is_filled: bool = False
    reading: int = 0

    def read(self, channel: Channel, *, deep: bool) -> None:
        """One reading, as run_collect makes it; a failure of the platform leaves what was kept until then."""
        self.reading += 1
        walk = Walk.DEEP if deep and self.is_filled else Walk.NEW if self.is_filled else Walk.BACKFILL
        cursor = self.deep_cursor if deep and self.deep_cursor else self.cursor
        try:
            for page in channel.walk(walk, dict(cursor)):
                self.keep(channel, page, walk)
        finally:
            channel.close()
        if walk is not Walk.NEW:
            self.cursor, self.deep_cursor = go_on_from(self.cursor, self.deep_cursor, self.channel.remembers), {}
            self.is_filled = True

    def keep(self, channel: Channel, page: Page, walk: Walk) -> None:
        for raw in page.raws:
            key = (raw.kind, raw.container, raw.external_id)
            if self.digests.get(key) == raw.digest:
                continue
            self.digests[key] = raw.digest
            for item in channel.parse(raw):
                self.put(item)
        if walk is Walk.DEEP:
            self.deep_cursor = page.cursor
        else:
            self.cursor = page.cursor
        for container, present in page.listed.items():
            for name, row in self.messages.items():
                gone = name[0] == container and name[1] not in present and row.since < self.reading
                if gone and row.state != SourceState.DELETED:
                    row.state = SourceState.DELETED
                    self.digests = {k: ("" if k[1:] == name else d) for k, d in self.digests.items()}

    def put(self, item: Incoming) -> None:
        row = self.messages.get((item.container, item.external_id))
        if row is None:
            self.messages[item.container, item.external_id] = Held(
                item.text, item.state.value, self.reading, item.edited_at
            )
        elif item.state is SourceState.DELETED:
            row.state = SourceState.DELETED
        elif row.state == SourceState.DELETED and self.channel.can.removal_is_final:
            row.text = row.text or item.text
        elif row.edited is None or (item.edited_at or item.published_at) >= row.edited:
            row.text, row.state, row.edited = item.text, item.state.value, item.edited_at or row.edited


class Light(History):
    """A history whose desk is a shelf."""

    def watch(self) -> int:
        self.shelf = Shelf(channel_class(self.kind))
        return 0

    def read(self, source_id: int, *, deep: bool) -> None:
        self.readings += 1
        self.failure = ""
        try:
            self.shelf.read(self.open_channel(None), deep=deep)
        except Killed:
            pass
        except ChannelError as error:
            self.failure = f"{error.code} {error.message}"

    def failed(self, source_id: int) -> str:
        return self.failure

    def held(self, source_id: int) -> dict[Key, tuple[str, str]]:
        return {key: (row.text, row.state) for key, row in self.shelf.messages.items()}


class MailHistory:
    """A folder that letters come to and leave, whose UIDs are renumbered and whose server hangs up."""

    def __init__(self, seed: int, *, control: bool = False) -> None:
        self.rolled, self.control = random.Random(f"mail:{seed}"), control

    def live(self) -> list[str]:
        platform = MailPlatform()
        try:
            return self._live(platform)
        finally:
            platform.stop()

    def _live(self, platform: MailPlatform) -> list[str]:
        rolled, shelf = self.rolled, Shelf(channel_class("mail"))
        for _ in range(rolled.randint(2, 6)):
            for _ in range(rolled.randint(0, 5)):
                self._happen(platform)
            platform.imap.cut_after = rolled.choice((None, None, rolled.randint(0, 14)))
            if rolled.random() < 0.15:
                platform.imap.refusals = {rolled.choice(("FETCH", "SEARCH", "EXAMINE")): "NO [UNAVAILABLE] later"}
            self._read(platform, shelf, deep=rolled.random() < 0.4, kill_after=rolled.choice((0, 0, 1, 2)))
            platform.imap.cut_after, platform.imap.refusals = None, {}
        for deep in (False, True, True, False):
            self._read(platform, shelf, deep=deep, kill_after=0)
        stands = {
            (str(letter_id(raw)), fingerprint(raw)) for raw in platform.imap.folders["INBOX"].letters.values()
        }
        held = [key for key, row in shelf.messages.items() if row.state != SourceState.DELETED]
        wrong = [] if len(held) == len(stands) else [f"held {len(held)}, standing {len(stands)}"]
        ids = {key[1].partition("#")[0] for key in held}
        return wrong + [f"missing: {name}" for name in {one[0] for one in stands} ^ ids]

    def _happen(self, platform: MailPlatform) -> None:
        inbox = platform.imap.folders["INBOX"]
        match self.rolled.choice(("deliver", "deliver", "deliver", "remove", "renumber")):
            case "deliver":
                platform.imap.deliver(letter(self.rolled.randint(0, 9), f"текст {self.rolled.randint(0, 2)}"))
            case "remove" if inbox.letters:
                inbox.letters.pop(self.rolled.choice(sorted(inbox.letters)))
            case "renumber" if self.rolled.random() < 0.3:
                platform.imap.renumber()

    def _read(self, platform: MailPlatform, shelf: Shelf, *, deep: bool, kill_after: int) -> None:
        channel = platform.channel()
        walk = channel.walk

        def walked(how: Walk, cursor: Any) -> Iterator[Page]:
            for number, page in enumerate(walk(how, cursor), 1):
                yield page
                if kill_after == number:
                    raise Killed

        channel.walk = walked  # type: ignore[method-assign, assignment]
        if self.control:
            shelf.messages = {(f"{k[0]}#", k[1]): v for k, v in shelf.messages.items()}
            shelf.digests = {}
        with suppress(ChannelError, Killed):
            shelf.read(channel, deep=deep)


def run_walks(kind: str, count: int, *, first: int = 0, control: bool = False) -> list[str]:
    """What went wrong in ``count`` light histories of a shape, with the seed of each."""
    bad: list[str] = []
    for seed in range(first, first + count):
        one: Any = (
            MailHistory(seed, control=control) if kind == "mail" else Light(None, kind, seed, control)  # type: ignore[arg-type]
        )
        wrong: list[str] = one.live()
        bad += [f"{kind} seed {seed}: {line}" for line in wrong[:3]]
    return bad
