"""The school's bot as tests speak to it, and what they look up."""

from sqlalchemy import func, select

from collectors.base import Incoming, Person, Visibility
from models import MessengerAccount, Route, utc_now
from services.bots import keep_bot
from services.messenger_answers import take_dialogues
from services.messengers import start_link

CURATOR, STRANGER = "7001", "7999"


class Bot:
    """The school's bot of one platform as tests speak to it: what is written in dialogues, and what was sent."""

    def __init__(self, cast, database, platform: str) -> None:
        self.cast, self.database, self.platform = cast, database, platform
        self.number = 0
        with database.write.begin() as session:
            self.source_id = cast.add_source(session, platform, site_url="https://t.example").id
            keep_bot(session, cast.head, platform, self.source_id, "slovo_bot")

    def say(self, text: str, account: str = CURATOR, **given) -> list[Incoming]:
        """What is left for the inbox of one message in the dialogue of ``account``."""
        self.number += 1
        values = {
            "container": account, "external_id": f"u{self.number}", "text": text, "published_at": utc_now(),
            "author": Person(account, "Олег"), "visibility": Visibility.PRIVATE, **given,
        }  # fmt: skip
        with self.database.write.begin() as session:
            return take_dialogues(session, self.source_id, self.platform, [Incoming(**values)])

    def link(self, actor=None, staff_id: int | None = None) -> str:
        """The word of a fresh link."""
        actor = actor or self.cast.curator
        with self.database.write.begin() as session:
            address = start_link(session, actor, staff_id or actor.staff_id, self.platform)
        assert address.startswith("https://t.example/slovo_bot?start=desk_")
        return address.rpartition("=")[2]

    def press(self, word: str, account: str = CURATOR, **given) -> list[Incoming]:
        text = f"/start {word}" if self.platform == "telegram" else ""
        return self.say(text, account, start=word, **given)

    def bind(self, actor=None, account: str = CURATOR) -> None:
        assert self.press(self.link(actor), account) == []

    def owner(self, account: str = CURATOR) -> int | None:
        with self.database.read.begin() as session:
            return session.scalar(
                select(MessengerAccount.staff_id).where(
                    MessengerAccount.account == account, MessengerAccount.ended_at.is_(None)
                )
            )


def route(database, route_id: int) -> Route:
    with database.read.begin() as session:
        return session.get_one(Route, route_id)


def count(database, table) -> int:
    with database.read.begin() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0
