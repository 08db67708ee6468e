"""«Кто отправляет уведомления»: which bot writes to the desk's own people, and whose account each of them knows."""

import zlib
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors import channel_class
from collectors.base import Act, ActKind, Channel, ChannelError, Target
from models import MessengerAccount, Source
from models.database import Database
from services.errors import DeskError, NotFound, Refused
from services.rights import Actor, require
from services.settings.history import keep, value_of

NAME = "bots"
MESSENGERS = ("telegram", "max")
"""Platforms with bots that may tell people, in the order of screens; what each can, its channel says."""
SILENT = ("stopped", "manual")
"""States of a place in which nothing is sent there."""
OpenChannel = Callable[[Source], Channel]


@dataclass(frozen=True, slots=True)
class Bot:
    """Who writes on one platform; ``name`` is how it is found there, without @."""

    source: Source
    name: str

    @property
    def reads(self) -> bool:
        """Whether what is answered to it comes to the desk."""
        return self.source.state == "active"

    def start_address(self, word: str) -> str:
        """Where a press opens the dialogue with it and brings ``word``."""
        settings = _plain_settings(self.source)
        return channel_class(self.source.platform).start_address(settings, self.name, word)


def _plain_settings(source: Source) -> object:
    """The settings without their secrets, which an address of a page does not need."""
    return channel_class(source.platform).Settings.model_construct(**source.settings)


def bot_sources(session: Session, platform: str) -> list[Source]:
    """Places whose bot could be chosen."""
    query = select(Source).where(
        Source.platform == platform, Source.state.not_in(SILENT), Source.removed_at.is_(None)
    )
    return list(session.scalars(query.order_by(Source.id)))


def bots_of(session: Session) -> dict[str, Bot]:
    """Platform → who writes there; nobody where none was chosen or the place is gone."""
    value = value_of(session, NAME) or {}
    found: dict[str, Bot] = {}
    for platform in MESSENGERS:
        chosen = value.get(platform)
        if chosen is None:
            continue
        source = session.get(Source, chosen["source_id"])
        if source is not None and source.platform == platform and source.state not in SILENT:
            found[platform] = Bot(source, chosen["name"])
    return found


def accounts_of(session: Session, staff_id: int) -> dict[str, MessengerAccount]:
    """Platform → the person's account there."""
    query = select(MessengerAccount).where(
        MessengerAccount.staff_id == staff_id, MessengerAccount.ended_at.is_(None)
    )
    return {row.platform: row for row in session.scalars(query)}


def reach_of(session: Session, staff_id: int) -> dict[str, MessengerAccount]:
    """Platform → the account that the bot of now may write to: a bot knows those alone who opened a dialogue."""
    accounts = accounts_of(session, staff_id)
    bots = bots_of(session) if accounts else {}
    return {
        platform: account
        for platform, account in accounts.items()
        if platform in bots and bots[platform].source.id == account.source_id
    }


def everybody_bound(session: Session) -> dict[int, list[MessengerAccount]]:
    """Person → their accounts, for the screen of staff."""
    found: dict[int, list[MessengerAccount]] = {}
    query = select(MessengerAccount).where(MessengerAccount.ended_at.is_(None)).order_by(MessengerAccount.id)
    for row in session.scalars(query):
        found.setdefault(row.staff_id, []).append(row)
    return found


def run_choose_bot(
    database: Database, open_channel: OpenChannel, actor: Actor, platform: str, source_id: int | None
) -> None:
    """Names the place whose bot writes from now on, None: nobody does. Asks the platform what the bot is called.

    Raises Refused for a place that cannot, ChannelError where the platform does not let us in.
    """
    require(actor, "settings.edit")
    if platform not in MESSENGERS:
        raise NotFound("bot.unknown", platform=platform)
    name = ""
    if source_id is not None:
        with database.read.begin() as session:
            source = next((one for one in bot_sources(session, platform) if one.id == source_id), None)
        if source is None:
            raise Refused("bot.unknown", id=source_id)
        with closing(open_channel(source)) as channel:
            name = channel.check().account.removeprefix("@")
        if not name.isascii() or not name.replace("_", "").replace("-", "").isalnum():
            raise Refused("bot.nameless")
    with database.write.begin() as session:
        keep_bot(session, actor, platform, source_id, name)


def keep_bot(session: Session, actor: Actor, platform: str, source_id: int | None, name: str) -> None:
    """Writes the choice down."""
    value = {key: kept for key, kept in (value_of(session, NAME) or {}).items() if key != platform}
    if source_id is not None:
        value[platform] = {"source_id": source_id, "name": name}
    keep(session, actor, NAME, value)


def check_bots(session: Session, value: Mapping[str, Any]) -> None:
    """Raises Refused for a bot whose place is there no more."""
    for platform, chosen in value.items():
        if platform not in MESSENGERS or chosen["source_id"] not in {
            one.id for one in bot_sources(session, platform)
        }:
            raise Refused("bot.unknown", id=chosen["source_id"])


@dataclass(frozen=True)
class BotSender:
    """How what the desk tells its people leaves by a messenger; ``replies``: the desk reads what is answered."""

    open: Callable[[], Channel]
    replies: bool

    def send(self, to: str, name: str, subject: str, text: str, token: str) -> str | None:
        """Writes once into the dialogue ``to`` and gives the message's id there; raises ChannelError."""
        act = Act(ActKind.MESSAGE, zlib.crc32(token.encode()) % (2**31 - 1) + 1, token, Target(to), text)
        try:
            channel = self.open()
        except DeskError as error:
            raise ChannelError(error.code, code="settings", permanent=True) from error
        with closing(channel):
            return channel.act(act).external_id
