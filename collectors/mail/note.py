"""The desk's own letters to its people: sent over SMTP, or laid in a drawer where nothing may leave."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from collectors.base import ChannelError
from collectors.mail.decode import clean
from collectors.mail.letter import LOOP_HEADER
from collectors.mail.settings import SenderSettings
from collectors.mail.smtp import POLICY, address_of, deliver, loop_id
from collectors.wire import Wire

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")
DRAWER = SenderSettings(
    address="desk@school.example", from_name="Отклик", password="none", smtp_host="drawer.invalid"  # noqa: S106
)  # fmt: skip


def write_note(settings: SenderSettings, to: str, name: str, subject: str, text: str, token: str) -> EmailMessage:
    """The letter; ChannelError(invalid) when it cannot be addressed.

    ``token`` in the Message-ID comes back in In-Reply-To and References of a reply (RFC 5322 §3.6.4). The letter
    owns up to be a machine's (RFC 3834), lest holiday robots answer it.
    """
    if not _TOKEN.fullmatch(token):
        raise ChannelError("the token cannot stand in a Message-ID", code="invalid", permanent=True)
    letter = EmailMessage(policy=POLICY)
    try:
        letter["From"] = address_of(settings.from_name, settings.address)
        letter["To"] = address_of(" ".join(clean(name).split()), to)
    except ValueError as error:
        raise ChannelError(f"the letter cannot be addressed: {error}", code="invalid", permanent=True) from error
    letter["Subject"] = " ".join(clean(subject).split())
    letter["Date"] = format_datetime(datetime.now(UTC))
    letter["Message-ID"] = f"<otklik-note.{token}@{settings.id_domain}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter[LOOP_HEADER] = loop_id(settings)
    letter.set_content(clean(text))
    return letter


@dataclass(frozen=True)
class NoteSender:
    """Sends over SMTP; ``replies``: the desk reads the mailbox it writes from."""

    settings: SenderSettings
    wire: Wire
    replies: bool

    def send(self, to: str, name: str, subject: str, text: str, token: str) -> None:
        """Hands the letter over once; raises ChannelError."""
        letter = write_note(self.settings, to, name, subject, text, token)
        deliver(self.settings, self.wire, letter["To"].addresses[0].addr_spec, letter.as_bytes())


@dataclass(frozen=True)
class NoteDrawer:
    """The training desk's mail: letters to invented people, to be read by whoever learns."""

    folder: Path
    replies: bool = False

    def send(self, to: str, name: str, subject: str, text: str, token: str) -> None:
        """Lays the letter into the folder under its token."""
        letter = write_note(DRAWER, to, name, subject, text, token)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{token}.eml").write_bytes(letter.as_bytes())
