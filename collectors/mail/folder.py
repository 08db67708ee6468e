"""The walk over one folder: which letters are new, and under which identity each is kept."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime

from imap_tools.errors import UnexpectedCommandStatusError

from collectors.base import Cursor, Page, Raw
from collectors.mail import letter, mime
from collectors.mail.imap import Mailbox, Weight

BATCH = 50
BATCH_BYTES = 32 * 1024 * 1024
LETTER_CAP = 25 * 1024 * 1024
OVERLAP = timedelta(days=2)
_SEARCH_TOGETHER = 10
_LIST_TOGETHER = 500
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
_SEARCHABLE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")


@dataclass(frozen=True, slots=True)
class Spot:
    """How far a folder is read; UIDs mean nothing once ``uidvalidity`` has changed (RFC 3501 §2.3.1.1)."""

    folder: str
    uidvalidity: int
    uid: int = 0

    @classmethod
    def of(cls, cursor: Cursor, folder: str, uidvalidity: int) -> "Spot":
        same = cursor.get("folder") == folder and cursor.get("uidvalidity") == uidvalidity
        return cls(folder, uidvalidity, int(cursor.get("uid", 0)) if same else 0)

    def after(self, uid: int) -> Cursor:
        return {"folder": self.folder, "uidvalidity": self.uidvalidity, "uid": max(self.uid, uid)}


class FolderReader:
    """Reads one folder of an open mailbox into pages."""

    def __init__(self, box: Mailbox, folder: str, since: date | None) -> None:
        self.box, self.folder, self.since = box, folder, since

    def pages(self, cursor: Cursor, *, overlap: bool = False) -> Iterator[Page]:
        """Pages of letters in order of arrival; the last one is ``complete``.

        ``overlap`` reads the last two days again, for servers that show a lower UID after a higher one.
        """
        state = self.box.examine(self.folder)
        spot = Spot.of(cursor, self.folder, state.uidvalidity)
        uids: set[int] = set()
        if state.uidnext is None or state.uidnext > spot.uid + 1:
            # «n:*» always names the newest letter, even one below n, hence the filter.
            found = self.box.search(f"UID {spot.uid + 1}:*{_since(self.since)}")
            uids.update(uid for uid in found if uid > spot.uid)
        if overlap:
            recent = (datetime.now(UTC) - OVERLAP).date()
            uids.update(self.box.search(_since(max(self.since or recent, recent)).strip()))
        read = 0
        for batch in self._batches(sorted(uids)):
            read = max(batch)
            raws, gap = self._raws(batch)
            yield Page(raws, spot.after(read), gap=gap)
        yield Page((), spot.after(max(read, (state.uidnext or 1) - 1)), complete=True)

    def listing(self, cursor: Cursor, sent: str) -> Page | None:
        """Every id that stands in the folder, and ours in Sent; None when it changed while it was read.

        Our answers stand in Sent only, so a listing without it would take them for deleted ones.
        """
        here = self._ids_of(self.folder)
        ours = self._ids_of(sent) if here is not None and sent != self.folder else frozenset[str]()
        if here is None or ours is None:
            return None
        return Page((), cursor, complete=True, listed={self.folder: here | ours})

    def _ids_of(self, folder: str) -> frozenset[str] | None:
        self.box.examine(folder)
        uids = self.box.search("ALL")
        known: dict[int, str | None] = {}
        for start in range(0, len(uids), _LIST_TOGETHER):
            known.update(self.box.message_ids(uids[start : start + _LIST_TOGETHER]))
        if set(known) != set(uids):
            return None
        names = list(known.values())
        counts: dict[str | None, int] = {}
        for name in names:
            counts[name] = counts.get(name, 0) + 1
        listed = {name for name in names if name is not None}
        # A missing id is made from the letter itself, and a repeated one may hide another letter.
        doubtful = [uid for uid, name in known.items() if name is None or counts[name] > 1]
        for batch in self._batches(doubtful):
            listed.update(self._identities(self._bodies(batch)).values())
        return frozenset(listed)

    def _batches(self, uids: list[int]) -> Iterator[dict[int, Weight]]:
        """At most fifty letters and 32 MB at a time; what was removed meanwhile is left out."""
        for start in range(0, len(uids), BATCH):
            batch: dict[int, Weight] = {}
            size = 0
            for uid, weight in sorted(self.box.weigh(uids[start : start + BATCH]).items()):
                cost = min(weight.size, LETTER_CAP)
                if batch and size + cost > BATCH_BYTES:
                    yield batch
                    batch, size = {}, 0
                batch[uid] = weight
                size += cost
            if batch:
                yield batch

    def _raws(self, batch: dict[int, Weight]) -> tuple[tuple[Raw, ...], str | None]:
        bodies = self._bodies(batch)
        names = self._identities(bodies)
        raws = tuple(
            Raw("mail", self.folder, names[uid], _marked(body, batch[uid])) for uid, body in sorted(bodies.items())
        )
        unreadable = sorted(set(batch) - set(bodies)) if len(bodies) < len(batch) else []
        still_there = self.box.weigh(unreadable)
        gap = f"the server does not give the letters with UID {sorted(still_there)}" if still_there else None
        return raws, gap

    def _bodies(self, batch: dict[int, Weight]) -> dict[int, bytes]:
        """Letters as they came, of those above 25 MB the header only.

        A letter that the server cannot give does not stop its neighbours; when it gives none, the walk fails.
        """
        small = [uid for uid, weight in batch.items() if weight.size <= LETTER_CAP]
        large = [uid for uid in batch if uid not in set(small)]
        try:
            bodies = self.box.letters(small)
        except UnexpectedCommandStatusError as error:
            bodies = self._one_by_one(small, error)
        return bodies | self.box.heads(large, mime.HEADER_CAP + 1)

    def _one_by_one(self, uids: list[int], error: UnexpectedCommandStatusError) -> dict[int, bytes]:
        bodies: dict[int, bytes] = {}
        for uid in uids:
            try:
                bodies |= self.box.letters([uid])
            except UnexpectedCommandStatusError as refused:
                error = refused
        if not bodies:
            raise error
        return bodies

    def _identities(self, bodies: dict[int, bytes]) -> dict[int, str]:
        """External id of each letter.

        Among letters of one Message-ID the earliest keeps it; another text under the same id is kept beside it as
        «id#fingerprint», and a second delivery of the same text is the same letter.
        """
        named = {uid: letter.letter_id(body) for uid, body in bodies.items()}
        first: dict[str, tuple[int, str | None]] = {}
        for uid, name in self._earlier(named) + sorted((uid, name) for uid, name in named.items() if name):
            if name not in first or uid < first[name][0]:
                first[name] = (uid, None)
        result: dict[int, str] = {}
        for uid in sorted(named):
            own = named[uid]
            if own is None:
                result[uid] = f"sha256:{hashlib.sha256(bodies[uid]).hexdigest()}"
            elif first[own][0] == uid:
                result[uid] = own
            else:
                result[uid] = self._name_beside(first, own, bodies, uid)
        return result

    def _name_beside(
        self, first: dict[str, tuple[int, str | None]], name: str, bodies: dict[int, bytes], uid: int
    ) -> str:
        original, mark = first[name]
        if mark is None:
            body = bodies.get(original) or self._bodies(self.box.weigh([original])).get(original, b"")
            mark = letter.fingerprint(body)
            first[name] = (original, mark)
        own = letter.fingerprint(bodies[uid])
        return name if own == mark else f"{name}#{own[:12]}"

    def _earlier(self, named: dict[int, str | None]) -> list[tuple[int, str]]:
        """Letters outside the batch that carry one of its Message-IDs, as (uid, id)."""
        wanted = sorted({name for name in named.values() if name and _SEARCHABLE.fullmatch(name)})
        hits: set[int] = set()
        for start in range(0, len(wanted), _SEARCH_TOGETHER):
            keys = [f'HEADER Message-ID "{name}"' for name in wanted[start : start + _SEARCH_TOGETHER]]
            hits.update(self.box.search("OR " * (len(keys) - 1) + " ".join(keys)))
        found = self.box.message_ids(hits - set(named)) if hits - set(named) else {}
        asked = set(wanted)
        return [(uid, name) for uid, name in found.items() if name in asked and name is not None]


def _marked(body: bytes, weight: Weight) -> bytes:
    """The letter, with a line above it where the header alone would not tell enough."""
    lines = b""
    if weight.size > LETTER_CAP:
        lines += f"{letter.OVERSIZE}: {weight.size}\r\n".encode()
    if weight.arrived is not None and not letter.has_date(body):
        lines += f"{letter.ARRIVED}: {format_datetime(weight.arrived)}\r\n".encode()
    return lines + body


def _since(day: date | None) -> str:
    """A search key by time of arrival; months are English whatever the locale."""
    return "" if day is None else f" SINCE {day.day}-{_MONTHS.split()[day.month - 1]}-{day.year}"
