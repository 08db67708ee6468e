"""The books over random histories: asked = aloud + chat + routed + carried + dismissed + open, whatever happens."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from collectors.base import ActKind, Capabilities, ChannelError, SourceState
from collectors.room import Room
from models import Act, BroadcastQuestion, Case, Message, Route
from services.broadcasts import questions
from services.broadcasts.airing import switch
from services.broadcasts.states import REASONS, SETTLED
from services.broadcasts.stream import books_of
from services.broadcasts.wrapping import run_wraps
from services.errors import DeskError
from services.outcomes import record_error
from tests.services.broadcasts.conftest import Air

PRESSES = ("aloud", "chat", "dismiss", "route", "merge", "back", "hold", "release", "hide", "end", "live")
HAPPENS = ("ask", "talk", "trouble", "lift", "edit", "remove", "sent", "fails", "wrap")
STEPS = st.lists(
    st.tuples(st.sampled_from([*PRESSES, *PRESSES, *HAPPENS]), st.integers(0, 9), st.booleans()), max_size=24
)
ENDINGS = ("accepted", "seen", "dead", "cancelled")


@pytest.fixture
def replying(monkeypatch: pytest.MonkeyPatch) -> None:
    """A room that takes answers and removes messages."""
    acts = frozenset({ActKind.REPLY, ActKind.DELETE})
    monkeypatch.setattr(Room, "can", Capabilities(acts=acts, receive=True, grade="events", max_length=200))


class History:
    """One broadcast, and what happens to it."""

    def __init__(self, cast: Any, database: Any) -> None:
        self.air, self.database = Air(cast, database), database
        self.said = [self.air.say(f"Вопрос {n}?", f"Автор {n}") for n in range(4)]
        self.air.look()
        self.asked = 4

    def ids(self) -> list[int]:
        with self.database.read.begin() as session:
            query = select(BroadcastQuestion.id).where(BroadcastQuestion.broadcast_id == self.air.id)
            return list(session.scalars(query.order_by(BroadcastQuestion.id)))

    def step(self, what: str, number: int, second_person: bool) -> None:
        actor = self.air.cast.head if second_person else self.air.cast.smm
        ids = self.ids()
        one, other = ids[number % len(ids)], ids[(number + 1) % len(ids)]
        if what in ("sent", "fails"):
            self.settle_act(number, ok=what == "sent")
        elif what == "wrap":
            run_wraps(self.database)
        elif what in PRESSES:
            try:
                with self.database.write.begin() as session:
                    self.press(session, actor, what, one, other, number)
            except DeskError:
                pass
        else:
            self.speak(what, number, actor)
        self.check()

    def press(self, session: Any, actor: Any, what: str, one: int, other: int, number: int) -> None:
        match what:
            case "aloud":
                questions.answer_aloud(session, actor, one, number)
            case "chat":
                questions.answer_in_chat(session, actor, one, f"Ответ {number}")
            case "dismiss":
                questions.dismiss(session, actor, one, REASONS[number % len(REASONS)])
            case "route":
                questions.ask(session, actor, one, self.air.cast.departments["curators"], "Что сказать?")
            case "merge":
                questions.merge(session, actor, one, other)
            case "end" | "live":
                switch(session, actor, self.air.id, "ended" if what == "end" else "live")
            case _:
                plain = {"back": questions.put_back, "hold": questions.hold, "release": questions.release}
                plain.get(what, questions.hide)(session, actor, one)

    def speak(self, what: str, number: int, actor: Any) -> None:
        match what:
            case "ask":
                self.said.append(self.air.say(f"А вопрос {len(self.said)}?", f"Автор {number}"))
                self.asked += 1
            case "talk" | "trouble":
                self.air.say("нет звука" if what == "trouble" else "спасибо", f"Автор {number}")
            case "lift":
                talk = self.air.message(self.air.say(f"расскажите про {number}", f"Автор {number}"))
                with self.database.write.begin() as session:
                    questions.lift(session, actor, talk.id)
                self.asked += 1
            case "edit" | "remove":
                name = self.said[number % len(self.said)]
                self.change(name, number, gone=what == "remove")
        self.air.look()

    def change(self, name: str, number: int, *, gone: bool) -> None:
        """The platform shows another text of a message, or that it is gone."""
        with self.database.write.begin() as session:
            query = select(Message).where(Message.external_id == name, Message.source_id == self.air.source_id)
            message = session.scalars(query).one()
            if gone:
                message.state = SourceState.DELETED.value
            elif message.state != SourceState.DELETED.value:
                message.text, message.work = f"Вопрос изменён {number}?", "live"

    def settle_act(self, number: int, *, ok: bool) -> None:
        with self.database.write.begin() as session:
            query = select(Act).where(Act.source_id == self.air.source_id, Act.state.not_in(ENDINGS))
            acts = list(session.scalars(query.order_by(Act.id)))
            if not acts:
                return
            act = acts[number % len(acts)]
            if ok:
                act.state = "accepted"
            else:
                act.state = "sending"
                session.flush()
                record_error(session, act, ChannelError("no", code="closed", permanent=True))

    def check(self) -> None:
        with self.database.read.begin() as session:
            books = books_of(session, self.air.id)
            query = select(BroadcastQuestion).where(BroadcastQuestion.broadcast_id == self.air.id)
            rows = {row.id: row for row in session.scalars(query)}
            assert books.asked == self.asked == len(rows)
            assert books.asked == books.open + sum(books.ends.values())
            replies = select(Act.message_id, func.count()).where(
                Act.source_id == self.air.source_id, Act.kind == "reply", Act.state.not_in(("dead", "cancelled"))
            )
            assert all(count == 1 for _, count in session.execute(replies.group_by(Act.message_id)))
        for row in rows.values():
            head = rows[row.into_id] if row.into_id else row
            assert row.state == head.state
            assert head.into_id is None
            if row is head:
                assert (row.act_id is not None) == (row.state == "chat")
                assert (row.route_id is not None) == (row.state == "routed")
            assert row.case_id is not None or row.state != "carried"
            assert (row.settled_at is not None) == (row.state in SETTLED)

    def finish(self) -> None:
        """The end: what is on its way arrives, and nothing stays open."""
        if self.air.row().state == "live":
            with self.database.write.begin() as session:
                switch(session, self.air.cast.smm, self.air.id, "ended")
        with self.database.write.begin() as session:
            for act in session.scalars(select(Act).where(Act.source_id == self.air.source_id)):
                act.state = act.state if act.state in ENDINGS else "accepted"
        run_wraps(self.database)
        self.check()
        assert self.air.books().balanced
        assert self.air.row().state == "review"
        with self.database.read.begin() as session:
            routed = select(func.count()).select_from(BroadcastQuestion).where(
                BroadcastQuestion.broadcast_id == self.air.id, BroadcastQuestion.route_id.is_not(None)
            )  # fmt: skip
            asked = select(func.count()).select_from(Route).where(
                Route.form_key.startswith("live-"),
                Route.case_id.in_(select(Case.id).where(Case.source_id == self.air.source_id)),
            )  # fmt: skip
            assert session.scalar(routed) == session.scalar(asked)


@pytest.mark.usefixtures("replying")
@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_happens_the_books_balance(cast, database, steps) -> None:
    history = History(cast, database)
    for what, number, second_person in steps:
        history.step(what, number, second_person)
    history.finish()
