"""What the tests of broadcasts share: a schedule, a chat that is written into, and a platform with a live chat."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from collectors.airing import Airing, ChatBudget, ChatPage
from collectors.base import Incoming, Person, Publication, Raw
from collectors.room import Room
from models import Broadcast, BroadcastPlace, BroadcastQuestion, Message, Source
from services.broadcasts.airing import go_live
from services.broadcasts.lifting import run_lift
from services.broadcasts.places import publications_of
from services.broadcasts.schedule import Plan, plan_broadcast
from services.broadcasts.stream import books_of
from services.messages import store_messages
from services.rights import DESK
from tests.services.test_cases import Table

START = datetime(2026, 11, 25, 16, 0, tzinfo=UTC)


class Air:
    """One broadcast on air with a chat of its own, and hands that write into it."""

    def __init__(self, cast: Any, database: Any) -> None:
        self.cast, self.database, self.ids = cast, database, itertools.count(1)
        with database.write.begin() as session:
            self.source_id = cast.add_source(session, "room", secret="").id
            row = plan_broadcast(
                session, cast.smm, Plan("stream", "Как выучить сто слов", START, START + timedelta(hours=1))
            )
            self.id = row.id
        self.say("всем привет", second=0)
        with database.write.begin() as session:
            go_live(session, DESK, session.get_one(Broadcast, self.id), START)

    def say(self, text: str, author: str = "Анна Яр", second: int | None = None, **given: Any) -> str:
        return self.say_all([(text, author, second)], **given)[0]

    def say_all(self, lines: list[tuple[str, str, int | None]], **given: Any) -> list[str]:
        place = Publication("room-air", "broadcast", "Как выучить сто слов")
        items = []
        for text, author, second in lines:
            number = next(self.ids)
            at = START + timedelta(seconds=number if second is None else second)
            values: dict[str, Any] = {
                "container": "room-air", "external_id": f"m{number}", "text": text, "published_at": at,
                "author": Person(f"p-{author}", author), "publication": place, "quiet": True, **given,
            }  # fmt: skip
            items.append(Incoming(**values))
        with self.database.write.begin() as session:
            store_messages(session, self.source_id, "room", items)
            if not publications_of(session, self.id):
                session.add(
                    BroadcastPlace(
                        broadcast_id=self.id, platform="room", source_id=self.source_id, publication="room-air"
                    )
                )
        return [item.external_id for item in items]

    def look(self) -> int:
        return run_lift(self.database, Table())

    def ask(self, text: str = "Когда будет запись?", author: str = "Анна Яр", second: int | None = None) -> int:
        """Somebody asks; the id of the question that was lifted."""
        self.say(text, author, second)
        self.look()
        with self.database.read.begin() as session:
            return session.scalars(select(BroadcastQuestion.id).order_by(BroadcastQuestion.id.desc())).first()

    def question(self, question_id: int) -> BroadcastQuestion:
        with self.database.read.begin() as session:
            return session.get_one(BroadcastQuestion, question_id)

    def message(self, external_id: str) -> Message:
        with self.database.read.begin() as session:
            query = select(Message).where(Message.external_id == external_id, Message.source_id == self.source_id)
            return session.scalars(query).one()

    def row(self) -> Broadcast:
        with self.database.read.begin() as session:
            return session.get_one(Broadcast, self.id)

    def books(self) -> Any:
        with self.database.read.begin() as session:
            return books_of(session, self.id)


@pytest.fixture
def air(cast: Any, database: Any) -> Air:
    return Air(cast, database)


class Tube(Room):
    """A platform with a live chat: what was written and not read yet, the pause it demands, its day's units."""

    can = Room.can

    def __init__(self) -> None:
        self.said: list[tuple[str, str, str]] = []
        self.found: list[Airing] = []
        self.pause, self.ended = 5.0, False
        self.spent, self.limit = 0, 8000
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.trouble: Exception | None = None

    def airings(self, known: Any = ()) -> list[Airing]:
        return self.found

    def chat(self, airing: Airing, cursor: dict[str, Any]) -> ChatPage:
        self.asked.append((airing.chat or "", cursor))
        if self.trouble is not None:
            raise self.trouble
        self.spent += 5
        start = int(cursor.get("token") or 0)
        raws = tuple(self._line(airing.publication, name, author, text) for name, author, text in self.said[start:])
        return ChatPage(raws, {"token": len(self.said)}, self.pause, self.ended)

    def _line(self, publication: str, name: str, author: str, text: str) -> Raw:
        given = {"id": name, "author": author, "text": text, "at": START.isoformat()}
        found = self._raw(publication.removeprefix("room-"), "Эфир", given)
        assert found is not None
        return found

    def chat_budget(self) -> ChatBudget:
        return ChatBudget(max(0, self.limit - self.spent), self.spent, self.limit, 5, 3600.0)

    def close(self) -> None:
        return None


@pytest.fixture
def tube() -> Tube:
    return Tube()


@pytest.fixture
def on_tube(cast: Any, database: Any, tube: Tube) -> Callable[[Source], Tube]:
    """Opens the platform for whatever place asks."""
    return lambda _source: tube
