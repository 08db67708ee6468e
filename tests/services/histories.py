"""Random histories of cases: viewers write, people answer, ask, undo, close and put off, and time goes by."""

import itertools
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import time_machine
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors.base import ChannelError, Receipt, Sent
from models import Act, Case, Identity, Route, Source, utc_now
from services.cases import assign, close, reopen_case
from services.crm.clients import create_client
from services.crm.identities import link_author, unlink_author
from services.crm.segments import save_study
from services.errors import DeskError
from services.labelling import correct_label, correct_themes
from services.legal_clocks import bind_legal
from services.outbox import claim_act
from services.outcomes import record_error, record_receipt
from services.replies import take_back, write_reply
from services.routing import (
    answer_route,
    ask_department,
    decline_route,
    open_route,
    recall_route,
    return_route,
)
from services.snoozes import end_snooze, snooze
from tests.services.test_cases import label_all

BEGIN = datetime.fromisoformat("2026-11-02T09:00+03:00")
WORDS = ("Когда вебинар?", "спасибо за урок", "Ничего не открывается", "А запись будет?")
GAPS = (1, 7, 25, 60, 190, 700, 2000)
"""Minutes that pass before a thing is done."""


class History:
    """Does what it is told, one thing in a transaction, as the doors do; what the desk refuses is not done."""

    def __init__(self, cast: Any, database: Any) -> None:
        self.cast, self.database = cast, database
        self.clock = time_machine.travel(BEGIN, tick=False)
        self.now = BEGIN
        self._keys = itertools.count(1)
        with database.write.begin() as session:
            session.get_one(Source, cast.source_id).created_at = BEGIN - timedelta(days=2)

    def play(self, plan: Sequence[tuple[str, int, int]]) -> None:
        """``plan``: (what is done, upon which of the cases, how long after what was before)."""
        with time_machine.travel(self.now, tick=False) as clock:
            for name, number, gap in plan:
                self.now += timedelta(minutes=GAPS[gap % len(GAPS)], seconds=number)
                clock.move_to(self.now)
                self._do(name, number)

    def _do(self, name: str, number: int) -> None:
        if name == "write":
            late = timedelta(minutes=number % 40 if number % 11 else 60 * 24 * 4)
            self.cast.write(WORDS[number % len(WORDS)], f"Автор {number % 13}", published_at=utc_now() - late)
            label_all(self.database, gate_open=True)
            return
        deed: Callable[[Session, Any, int], object] = getattr(self, f"_{name}")
        try:
            with self.database.write.begin() as session:
                table = Route if name in ("opened", "answered", "declined", "returned", "recalled") else Case
                ids = list(session.scalars(select(table.id).order_by(table.id.desc()).limit(9)))
                if ids:
                    deed(session, ids[number % len(ids)], number)
        except DeskError:
            pass

    def _who(self, number: int) -> Any:
        return self.cast.smm if number % 3 else self.cast.head

    def _reply(self, session: Session, case_id: int, number: int) -> None:
        then = ("solve", "wait", "keep")[number % 3]
        write_reply(session, self._who(number), case_id, "В среду", f"f{next(self._keys)}", then=then)

    def _send(self, session: Session, _case_id: int, number: int) -> None:
        row = claim_act(session, now=utc_now() + timedelta(minutes=1))
        if row is None:
            return
        if number % 5 == 0:
            record_error(session, row, ChannelError("no", permanent=True, sent=Sent.NO))
        else:
            record_receipt(session, row, Receipt(f"r{row.id}", None, utc_now()))

    def _undo(self, session: Session, _case_id: int, number: int) -> None:
        held = session.scalars(select(Act.id).where(Act.state == "held").order_by(Act.id.desc())).first()
        if held is not None:
            take_back(session, self._who(number), held)

    def _ask(self, session: Session, case_id: int, number: int) -> None:
        unit = self.cast.departments["curators" if number % 2 else "technical"]
        ask_department(session, self._who(number), case_id, unit, "Когда?", f"q{next(self._keys)}")

    def _opened(self, session: Session, route_id: int, _number: int) -> None:
        open_route(session, self.cast.head, route_id)

    def _answered(self, session: Session, route_id: int, _number: int) -> None:
        answer_route(session, self.cast.head, route_id, "В среду")

    def _declined(self, session: Session, route_id: int, _number: int) -> None:
        decline_route(session, self.cast.head, route_id, "Не наш", None)

    def _returned(self, session: Session, route_id: int, _number: int) -> None:
        return_route(session, self.cast.smm, route_id, "Когда именно?")

    def _recalled(self, session: Session, route_id: int, _number: int) -> None:
        recall_route(session, self.cast.smm, route_id)

    def _close(self, session: Session, case_id: int, number: int) -> None:
        close(session, self._who(number), case_id, "spam" if number % 4 == 0 else "no_answer_needed")

    def _reopen(self, session: Session, case_id: int, number: int) -> None:
        reopen_case(session, self._who(number), case_id)

    def _assign(self, session: Session, case_id: int, number: int) -> None:
        assign(session, self.cast.head, case_id, self._who(number).staff_id if number % 4 else None)

    def _snooze(self, session: Session, case_id: int, number: int) -> None:
        snooze(session, self._who(number), case_id, None)

    def _wake(self, session: Session, case_id: int, number: int) -> None:
        end_snooze(session, self._who(number), case_id)

    def _label(self, session: Session, case_id: int, number: int) -> None:
        message_id = session.get_one(Case, case_id).first_message_id
        correct_label(session, self._who(number), message_id or 0, ("complaint", "wish", "question")[number % 3])

    def _theme(self, session: Session, case_id: int, number: int) -> None:
        message_id = session.get_one(Case, case_id).first_message_id
        themes = (["access"], ["price", "access"], [])[number % 3]
        correct_themes(session, self._who(number), message_id or 0, themes)

    def _study(self, session: Session, case_id: int, number: int) -> None:
        author_id = session.get_one(Case, case_id).author_id
        known = session.scalar(select(Identity).where(Identity.linked_author_id == author_id))
        if known is not None and number % 4 == 0:
            unlink_author(session, self.cast.head, known.client_id, known.author_id)
            return
        if known is None:
            client_id = create_client(session, self.cast.head, name=f"Автор {next(self._keys)}").id
            link_author(session, self.cast.head, client_id, author_id or 0, "said")
        else:
            client_id = known.client_id
        course = ("Английский", "Испанский")[number % 2]
        began = (utc_now() - timedelta(days=number % 5)).date() if number % 3 else None
        save_study(session, self.cast.head, client_id, course=course, group_name=str(number), started_on=began)

    def _bind(self, session: Session, case_id: int, number: int) -> None:
        bind_legal(session, self._who(number), session.get_one(Case, case_id), "CLAIM")


DEEDS = (
    "write", "write", "write", "reply", "reply", "send", "send", "send", "undo", "ask", "ask", "opened", "answered",
    "answered", "declined", "returned", "recalled", "close", "reopen", "assign", "snooze", "wake", "label", "bind",
    "theme", "study", "study",
)  # fmt: skip
PLANS = st.lists(
    st.tuples(st.sampled_from(DEEDS), st.integers(0, 59), st.integers(0, len(GAPS) - 1)), min_size=5, max_size=40
)
