"""Killed between any two steps of a broadcast, from its first word to its report: nothing lost, nothing double."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from collectors.airing import Airing
from models import (
    Broadcast,
    BroadcastIncident,
    BroadcastMention,
    BroadcastPlace,
    BroadcastQuestion,
    Case,
    Event,
    Label,
    Message,
    Notice,
    RawItem,
    Route,
    Task,
    utc_now,
)
from models.database import Database
from services.broadcasts import questions
from services.broadcasts.airing import end, run_ends, take_airings
from services.broadcasts.chats import run_chats
from services.broadcasts.lifting import run_lift
from services.broadcasts.schedule import run_notices
from services.broadcasts.stream import books_of
from services.broadcasts.wrapping import run_wraps
from services.errors import DeskError
from services.leases import free_the_dead
from services.rights import DESK
from tests.services.broadcasts.conftest import Tube
from tests.services.test_cases import Table

FIRST = ("всем привет", "Когда будет запись?", "нет звука", "Сколько стоит курс?", "звука нет", "не слышно")
SECOND = ("звук пропал", "нет звука!", "А домашка будет?", "спасибо за эфир", "нет звука")
AFTER = ("снова слышно", "Где ссылка на тетрадь?", "А рассрочка есть?")
ASKED = 5


class Killed(BaseException):
    """The process is gone: nobody catches it."""


class Steps:
    """Counts the steps of whoever writes, and ends them at one: before its commit, or right after it."""

    def __init__(self, last: int | None = None) -> None:
        self.count, self.last = 0, last

    def one(self) -> None:
        self.count += 1
        if self.count - 1 == self.last:
            raise Killed

    @contextmanager
    def begin(self, database: Database) -> Iterator[Any]:
        with database.write.begin() as session:
            yield session
            self.one()
        self.one()


class Mortal:
    """``database.write`` of a process that may die."""

    def __init__(self, database: Database, steps: Steps) -> None:
        self._database, self._steps = database, steps

    def begin(self) -> Any:
        return self._steps.begin(self._database)


class Night:
    """A broadcast that drops, comes back and ends, as jobs and presses; each may be done again after a kill."""

    def __init__(self, cast: Any, database: Database, number: int, steps: Steps) -> None:
        self.cast, self.real, self.name = cast, database, f"v{number}"
        self.steps, self.tube = steps, Tube()
        self.database = replace(database, write=Mortal(database, steps))
        self.process = 1
        with database.write.begin() as session:
            self.source_id = cast.add_source(session, "room", secret="").id

    def airing(self, **given: Any) -> Airing:
        told = {"title": f"Эфир {self.name}", "publication": f"room-{self.name}", "url": ""}
        return Airing(self.name, state="live", chat="c", **{**told, **given})

    def run(self) -> None:
        for job in self.jobs():
            while True:
                try:
                    job()
                    break
                except Killed:
                    self.start_again()

    def start_again(self) -> None:
        """Another process: it frees what the dead one held, as the desk's start does."""
        holder, self.process = f"host:{self.process}", self.process + 1
        with self.real.write.begin() as session:
            free_the_dead(session, lambda held: held.startswith(holder + ":"))

    def jobs(self) -> Iterator[Callable[[], object]]:
        yield self.look_out
        yield lambda: self.say("a", FIRST)
        yield self.read
        yield self.lift
        yield lambda: self.say("b", SECOND)
        yield self.read
        yield self.lift
        yield lambda: self.chat_ends(True)
        yield self.read
        yield lambda: run_ends(self.database)  # a drop is no end
        yield lambda: self.chat_ends(False)
        yield self.look_out
        yield lambda: self.say("c", AFTER)
        yield self.read
        yield self.lift
        yield lambda: self.press(0, questions.answer_aloud, 61)
        yield lambda: self.press(1, questions.ask, self.cast.departments["curators"], "Что сказать?")
        yield lambda: self.press(2, questions.dismiss, "repeat")
        yield self.finish
        yield lambda: run_notices(self.database)
        yield lambda: run_wraps(self.database)
        yield lambda: run_wraps(self.database)

    def say(self, mark: str, texts: tuple[str, ...]) -> None:
        self.tube.said += [(f"{self.name}{mark}{n}", f"Зритель {mark}{n}", text) for n, text in enumerate(texts)]

    def look_out(self) -> None:
        with self.steps.begin(self.real) as session:
            take_airings(session, self.source_id, "room", [self.airing()])

    def chat_ends(self, ends: bool) -> None:
        self.tube.ended = ends

    def read(self) -> None:
        with self.real.write.begin() as session:
            for place in session.scalars(select(BroadcastPlace).where(BroadcastPlace.due_at.is_not(None))):
                place.due_at = utc_now() - timedelta(seconds=1)
        run_chats(self.database, lambda _source: self.tube, f"host:{self.process}")

    def lift(self) -> None:
        run_lift(self.database, Table())

    def press(self, place: int, act: Callable[..., object], *given: Any) -> None:
        question_id = self.asked()[place].id
        try:
            with self.steps.begin(self.real) as session:
                act(session, self.cast.smm, question_id, *given)
        except DeskError:  # it was done before the kill, and the person is told so
            assert self.process > 1

    def finish(self) -> None:
        with self.steps.begin(self.real) as session:
            row = session.get_one(Broadcast, self.broadcast_id())
            if row.state == "live":
                end(session, DESK, row)

    def broadcast_id(self) -> int:
        with self.real.read.begin() as session:
            return session.scalars(
                select(BroadcastPlace.broadcast_id).where(BroadcastPlace.source_id == self.source_id)
            ).one()

    def asked(self) -> list[BroadcastQuestion]:
        with self.real.read.begin() as session:
            query = select(BroadcastQuestion).where(BroadcastQuestion.broadcast_id == self.broadcast_id())
            return list(session.scalars(query.order_by(BroadcastQuestion.id)))

    def left(self) -> dict[str, Any]:
        """What stands in the tables in the end, without ids and times."""
        home = self.broadcast_id()
        with self.real.read.begin() as session:
            row, books = session.get_one(Broadcast, home), books_of(session, home)
            said = list(session.scalars(select(Message).where(Message.source_id == self.source_id)))
            ids = [message.id for message in said]

            def count(table: Any, *where: Any) -> int:
                return session.scalar(select(func.count()).select_from(table).where(*where)) or 0

            cases = select(Case.id).where(Case.source_id == self.source_id, Case.number.is_not(None))
            return {
                "said": sorted((message.external_id, message.text, message.work) for message in said),
                "raws": count(RawItem, RawItem.source_id == self.source_id, RawItem.state == "parsed"),
                "row": (row.state, row.drops, row.ended_at is not None, row.report_due_at is not None),
                "books": (books.asked, books.open, dict(books.ends), books.balanced),
                "labels": count(Label, Label.message_id.in_(ids)),
                "mentions": count(BroadcastMention, BroadcastMention.broadcast_id == home),
                "incidents": session.execute(
                    select(BroadcastIncident.kind, BroadcastIncident.count).where(
                        BroadcastIncident.broadcast_id == home
                    )
                ).all(),
                "cases": count(Case, Case.id.in_(cases)), "routes": count(Route, Route.case_id.in_(cases)),
                "notices": count(Notice, Notice.broadcast_id == home),
                "tasks": count(Task, Task.open_key == f"broadcast:{home}"),
                "ends": count(Event, Event.kind == "broadcast.ended", Event.object_id == home),
            }  # fmt: skip


def test_the_night_without_a_kill(cast, database) -> None:
    night = Night(cast, database, 0, Steps())
    night.run()
    left = night.left()
    assert [text for _, text, _ in left["said"]] == [*FIRST, *SECOND, *AFTER]
    assert left["books"] == (
        ASKED, 0, {"aloud": 1, "chat": 0, "routed": 1, "carried": ASKED - 3, "dismissed": 1}, True
    )  # fmt: skip
    assert (left["row"], left["incidents"], left["mentions"]) == (("review", 1, True, True), [("sound", 6)], 6)
    assert (left["cases"], left["routes"], left["tasks"], left["ends"]) == (4, 2, 1, 1)


@pytest.mark.timeout(300)
def test_killed_between_any_two_steps_nothing_is_lost_and_nothing_double(cast, database) -> None:
    steps = Steps()
    night = Night(cast, database, 0, steps)
    night.run()
    wanted = night.left()
    # PostgreSQL lives every fourth of them: the steps are the same, and each costs a night.
    for last in range(0, steps.count, 1 if database.is_sqlite else 4):
        other = Night(cast, database, last + 1, Steps(last))
        other.run()
        left = other.left()
        assert other.process == 2, last
        left["said"] = [(name.replace(f"{other.name}", "v0", 1), *rest) for name, *rest in left["said"]]
        assert {key: (last, value) for key, value in left.items()} == {
            key: (last, value) for key, value in wanted.items()
        }
