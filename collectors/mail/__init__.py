"""Mail: one folder of a mailbox in over IMAP, answers out over SMTP."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event
from typing import ClassVar

from collectors.base import (
    Act,
    ActKind,
    Capabilities,
    Channel,
    ChannelError,
    ChannelSettings,
    Check,
    Cursor,
    FileLimits,
    Incoming,
    Page,
    Proof,
    Raw,
    Receipt,
    Right,
    Verdict,
    Walk,
)
from collectors.files import KINDS, MEGABYTE
from collectors.mail.folder import FolderReader
from collectors.mail.imap import Mailbox, open_mailbox
from collectors.mail.letter import read_letter
from collectors.mail.settings import Settings as MailSettings
from collectors.mail.smtp import compose, deliver, probe, sent_id
from collectors.wire import Wire

__all__ = ["Mail", "Settings"]

Settings = MailSettings

# RFC 2177 asks for less than 29 minutes; home routers forget a silent connection after ten.
IDLE_SECONDS = 9 * 60

log = logging.getLogger(__name__)


class Mail(Channel):
    """One folder of one mailbox; container is the folder, an item is a letter named by its Message-ID."""

    kind: ClassVar[str] = "mail"
    title: ClassVar[str] = "Mail"
    can: ClassVar[Capabilities] = Capabilities(
        acts=frozenset({ActKind.REPLY, ActKind.MESSAGE}),
        listen=True,
        max_length=100_000,
        settle_seconds=900,
        # Most servers take letters of 25 MB, in which files stand a third longer than they are.
        files=FileLimits(dict.fromkeys(KINDS, 15 * MEGABYTE), most=10, together=15 * MEGABYTE),
    )
    Settings: ClassVar[type[ChannelSettings]] = MailSettings
    settings: MailSettings

    def _slow_down(self, side: str) -> None:
        """Providers count commands and logins per mailbox; five a second is far below what any of them allows."""
        self.limiter.wait(f"mail:{side}:{self.settings.login}", rate=5)

    def _wire_for(self, side: str) -> Wire:
        self._slow_down(side)
        return self.wire

    def check(self) -> Check:
        """Logs in on both sides and opens the folder; nothing is sent and nothing changes."""
        settings = self.settings
        with open_mailbox(settings, self._wire_for("imap")) as box:
            box.examine(settings.folder)
            sent = box.sent_folder()
            idle = box.offers("IDLE")
        try:
            probe(settings, self._wire_for("smtp"))
            sends = True
        except ChannelError as error:
            if error.code not in ("auth", "rights"):
                raise
            sends = False
        rights = (
            Right("imap.read", True, "read"),
            Right("smtp.send", sends, "reply"),
            Right("imap.sent_folder", sent is not None, "sent_copy"),
            Right("imap.idle", idle, "instant"),
        )
        return Check(account_id=settings.address.lower(), account=settings.address, rights=rights)

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        """NEW and BACKFILL read on from the cursor; DEEP also re-reads two days and lists what stands there."""
        settings = self.settings
        with open_mailbox(settings, self._wire_for("imap")) as box:
            reader = FolderReader(box, settings.folder, settings.since)
            for page in reader.pages(cursor, overlap=walk is Walk.DEEP):
                if page.complete and walk is Walk.DEEP:
                    sent = box.sent_folder()
                    listing = reader.listing(page.cursor, sent) if sent is not None else None
                    page = listing or page
                yield page
                self._slow_down("imap")

    def listen(self, cursor: Cursor, stop: Event) -> Iterator[Page]:
        """Yields what comes while IDLE lasts; a lost connection is ChannelError, the caller starts again."""
        settings = self.settings
        with open_mailbox(settings, self._wire_for("imap")) as box:
            reader = FolderReader(box, settings.folder, settings.since)
            while not stop.is_set():
                for page in reader.pages(cursor):
                    if page.raws or page.gap or page.cursor != cursor:
                        yield page
                    cursor = page.cursor
                    if stop.is_set():
                        return
                box.wait_for_news(stop, IDLE_SECONDS)

    def parse(self, raw: Raw) -> list[Incoming]:
        """The message of one letter; ValueError with words for poison."""
        return read_letter(raw, self.settings.ours)

    def act(self, act: Act) -> Receipt:
        """Sends a letter once, then puts a copy into Sent; the copy never decides over the send."""
        if act.kind not in self.can.acts:
            return super().act(act)
        now = datetime.now(UTC)
        letter = compose(act, self.settings, now)
        content = letter.as_bytes()
        deliver(self.settings, self._wire_for("smtp"), letter["To"].addresses[0].addr_spec, content)
        message_id = sent_id(act, self.settings)
        try:
            with open_mailbox(self.settings, self._wire_for("imap")) as box:
                self._keep_copy(box, message_id, content)
        except ChannelError as error:
            log.warning("no copy in Sent: %s", error.code)
        return Receipt(message_id, at=now, container=self.settings.folder)

    def _keep_copy(self, box: Mailbox, message_id: str, content: bytes) -> None:
        """Gmail and some others put the copy there themselves, so it is looked for first."""
        sent = box.sent_folder()
        if sent is not None and box.find(sent, message_id) is None:
            box.append(content, sent, flag_set=("\\Seen",))

    def lookup(self, act: Act) -> Proof:
        """SEEN when the letter stands in Sent or in the folder, else UNKNOWN.

        Never ABSENT: the copy in Sent is made after the server has accepted the letter, so a kill in between
        leaves a letter that was sent and stands nowhere.
        """
        message_id = sent_id(act, self.settings)
        with open_mailbox(self.settings, self._wire_for("imap")) as box:
            folders = dict.fromkeys(name for name in (box.sent_folder(), self.settings.folder) if name)
            for folder in folders:
                uid = box.find(folder, message_id)
                if uid is not None:
                    weight = box.weigh([uid]).get(uid)
                    return Proof(Verdict.SEEN, message_id, at=weight.arrived if weight else None)
        return Proof(Verdict.UNKNOWN)
