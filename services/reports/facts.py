"""What happened to a case, reckoned from its rows and history into the facts that reports count."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import Session

from models import (
    Act,
    Author,
    Base,
    Case,
    CaseFact,
    Clock,
    Contract,
    Deal,
    Event,
    Identity,
    Label,
    LeadFact,
    Message,
    Route,
    RouteFact,
    Source,
)
from models.case_fact import person_key
from services.calendars import Calendar, working_between
from services.case_states import STAGES
from services.outbox import WRITING
from services.reports.programmes import programmes_of
from services.route_states import OWED
from services.sla import is_history
from services.terms import Policy, policy_of

HOLDERS = {"department": "department", "author": "client"}
"""State → who has the case; while it is put off, whoever had it before, else the desk."""
LEAVING = ("spam", "no_answer", "merged")
"""States that take a case out of the reports (domain.md §8: C)."""
STANDING = ("accepted", "seen", "removed")
"""States of an act whose text has stood on the platform."""
TERMS = ("first", "resolution", "legal")
"""Kinds of clocks by which a case counts; a promise or a department's clock is another's business."""
ASSIGNED = "case.assigned"
MINUTE = timedelta(minutes=1)

Values = dict[str, Any]
Found = Mapping[int, Sequence[Row[Any]]]


# Built once: composing a statement costs SQLAlchemy more than the database needs to run it.
_IDS: Any = bindparam("ids", expanding=True)
_CASES = (
    select(
        Case.id,
        Case.source_id,
        Case.state,
        Case.stage,
        Case.label,
        Case.theme,
        Case.sure,
        Case.assignee_id,
        Case.opened_at,
        Case.first_reply_at,
        Case.created_at,
        Source.platform,
        Source.created_at.label("watched_at"),
        Source.backfilled_at,
        select(Message.ingested_at)
        .where(Message.id == Case.first_message_id)
        .scalar_subquery()
        .label("ingested_at"),
        select(func.max(Contract.id)).where(Contract.case_id == Case.id).scalar_subquery().label("contract_id"),
        select(func.max(Deal.id)).where(Deal.case_id == Case.id).scalar_subquery().label("deal_id"),
        select(Identity.client_id)
        .where(Identity.linked_author_id == Case.author_id)
        .scalar_subquery()
        .label("client_id"),
        Case.author_id,
        select(Author.hidden_at).where(Author.id == Case.author_id).scalar_subquery().label("hidden_at"),
        select(CaseFact.programme).where(CaseFact.id == Case.id).scalar_subquery().label("kept"),
    )
    .join(Source, Source.id == Case.source_id)
    .where(Case.id.in_(_IDS), Case.number.is_not(None), Case.first_message_id.is_not(None))
    .order_by(Case.id)
    .with_for_update(key_share=True, of=Case)
)
_MOVES = (
    select(Event.case_id, Event.kind, Event.at, Event.staff_id, Event.object_id, Event.data)
    .where(Event.case_id.in_(_IDS), Event.kind.in_(("case.moved", "case.reopened", ASSIGNED)))
    .order_by(Event.id)
)
_CLOCKS = (
    select(
        Clock.case_id,
        Clock.route_id,
        Clock.kind,
        Clock.sla_class,
        Clock.calendar,
        Clock.started_at,
        Clock.due_at,
        Clock.done_at,
    )
    .where(Clock.case_id.in_(_IDS))
    .order_by(Clock.id)
)
_ROUTES = (
    select(
        Route.case_id,
        Route.id,
        Route.department_id,
        Route.state,
        Route.asked_at,
        Route.opened_at,
        Route.answered_at,
        Route.returns,
    )
    .where(Route.case_id.in_(_IDS))
    .order_by(Route.id)
)
_ANSWERS = (
    select(Act.case_id, Act.accepted_at, Act.staff_id)
    .where(
        Act.case_id.in_(_IDS),
        Act.kind.in_(WRITING),
        Act.message_id.is_not(None),
        Act.state.in_(STANDING),
        Act.accepted_at.is_not(None),
    )
    .order_by(Act.accepted_at, Act.id)
)
_LABELS = (
    select(Message.case_id, Label.message_id, Label.staff_id, Label.weak, Label.themes)
    .join(Label, Label.message_id == Message.id).where(Message.case_id.in_(_IDS))
    .order_by(Label.message_id, Label.id)
)  # fmt: skip


@dataclass
class Facts:
    """The rows that a case is to have."""

    fact: Values
    routes: list[Values] = field(default_factory=list)
    steps: list[Values] = field(default_factory=list)
    leads: list[Values] = field(default_factory=list)

    def rows(self, table: type[Base]) -> list[Values]:
        """Those of one of the tables of facts."""
        return {CaseFact: [self.fact], RouteFact: self.routes, LeadFact: self.leads}.get(table, self.steps)


def minutes_between(calendar: Calendar, start: datetime, end: datetime) -> int:
    """Whole minutes of working time; the seconds are dropped."""
    return working_between(calendar, start, end) // MINUTE


def reckon_facts(session: Session, case_ids: Sequence[int]) -> dict[int, Facts]:
    """case id → its facts, from what the tables say; cases without a number have none.

    The cases are held, lest two who change them at once each reckon without the other.
    """
    cases = session.execute(_CASES, {"ids": list(case_ids)}).all()
    if not cases:
        return {}
    ids = {"ids": [case.id for case in cases]}
    policy = policy_of(session)
    known = _Known(
        _by_case(session.execute(_MOVES, ids)),
        _by_case(session.execute(_CLOCKS, ids)),
        _by_case(session.execute(_ROUTES, ids)),
        _by_case(session.execute(_ANSWERS, ids)),
        _by_case(session.execute(_LABELS, ids)),
        programmes_of(session, cases, policy.calendars["desk"].zone),
    )
    return {case.id: _facts(policy, case, known) for case in cases}


@dataclass(frozen=True)
class _Known:
    moves: Found
    clocks: Found
    routes: Found
    answers: Found
    labels: Found
    programmes: Mapping[int, str]


class Running:
    """Working time up to one moment, quick for many rows: what whole days add is reckoned once a day."""

    def __init__(self, calendar: Calendar, now: datetime) -> None:
        self._calendar, self._now = calendar, now
        self._zone = ZoneInfo(calendar.zone)
        self._tails: dict[date, timedelta | None] = {}

    def since(self, start: datetime) -> int:
        """Whole minutes from ``start`` to the moment."""
        day = start.astimezone(self._zone).date()
        if day not in self._tails:
            self._follow(day)
        tail, span = self._tails[day], self._calendar.span(day)
        if tail is None:
            return minutes_between(self._calendar, start, self._now)
        if span is None or start >= span[1]:
            return tail // MINUTE
        return (span[1] - max(start, span[0]) + tail) // MINUTE

    def _follow(self, day: date) -> None:
        """What follows each day up to the moment, from ``day`` to the first that is known or not over."""
        days = []
        while day not in self._tails:
            days.append(day)
            day += timedelta(days=1)
            if datetime.combine(day, time.min, self._zone) >= self._now:
                self._tails[days.pop()] = None
                break
        for day in reversed(days):
            following = day + timedelta(days=1)
            span, tail = self._calendar.span(following), self._tails[following] or timedelta(0)
            if span is not None:
                tail += max(min(span[1], self._now) - span[0], timedelta(0))
            self._tails[day] = tail


def spent_of(fact: Any, running: Running) -> dict[str, int]:
    """desk · department · client → minutes so far, of a fact's columns: the present holder's time runs on."""
    spent = {who: int(getattr(fact, f"{who}_minutes")) for who in ("desk", "department", "client")}
    if fact.holder is not None and fact.held_since is not None:
        spent[fact.holder] += running.since(fact.held_since)
    return spent


def _by_case(rows: Iterable[Row[Any]]) -> dict[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.case_id, []).append(row)
    return found


def _facts(policy: Policy, case: Any, known: _Known) -> Facts:
    clocks, routes = known.clocks.get(case.id, ()), known.routes.get(case.id, ())
    answers = known.answers.get(case.id, ())
    ours = [clock for clock in clocks if clock.kind in TERMS]
    first = next((clock for clock in ours if clock.kind == "first"), None)
    resolution = next((clock for clock in reversed(ours) if clock.kind == "resolution"), None)
    legal = next((clock for clock in ours if clock.kind == "legal"), None)
    # History counts from the first message that was written after its place was added.
    old = is_history(case.watched_at, case.backfilled_at, case.opened_at, case.ingested_at)
    begun = min((clock.started_at for clock in ours), default=case.opened_at) if old else case.opened_at
    counts = bool(ours) or not old
    walked = _Walk(policy.calendars["desk"], begun)
    # What went before is our own: of history, or of a conversation that we began.
    told = known.moves.get(case.id, ())
    moves = [move for move in told if move.kind != ASSIGNED and move.at >= begun]
    for move, following in pairwise([*moves, None]):
        if move is not None and move.kind == "case.moved":
            walked.go(move, following is not None and following.kind == "case.reopened")
    calendar = policy.calendars[first.calendar if first is not None else "desk"]
    ingested = max(case.ingested_at or case.created_at, begun)
    leads = [(max(move.at, begun), move.object_id) for move in told if move.kind == ASSIGNED]
    labels = known.labels.get(case.id, ())
    answered_at, answered_by = case.first_reply_at, next((row.staff_id for row in answers), None)
    fact: Values = {
        "id": case.id, "source_id": case.source_id, "platform": case.platform,
        "kind": case.label if case.sure else None, "theme": case.theme, "themes": _themes(case.theme, labels),
        "programme": known.programmes.get(case.id),
        "person": person_key(case.client_id, case.author_id) if case.hidden_at is None else None, "again": None,
        "checked": any(label.staff_id is not None and not label.weak for label in labels),
        "department_id": routes[-1].department_id if routes else None,
        "staff_id": answered_by or case.assignee_id,
        "lead_id": case.assignee_id,
        "due_staff_id": answered_by or (_led_at(leads, first.due_at) if first is not None else case.assignee_id),
        "counts": counts and case.state not in LEAVING, "holder": walked.holder, "held_since": walked.since,
        "opened_at": begun, "ingested_at": ingested, "first_at": answered_at, "first_by_id": answered_by,
        "first_minutes": minutes_between(calendar, begun, answered_at) if answered_at else None,
        "first_clock_minutes": max(answered_at - begun, timedelta(0)) // MINUTE if answered_at else None,
        "first_here_minutes": minutes_between(calendar, ingested, answered_at) if answered_at else None,
        "first_due_at": first.due_at if first is not None else None,
        "resolved_at": walked.resolved_at,
        "resolution_due_at": resolution.due_at if resolution is not None else None,
        "legal_class": legal.sla_class if legal is not None else None,
        "legal_due_at": legal.due_at if legal is not None else None,
        "legal_done_at": legal.done_at if legal is not None else None,
        **{f"{who}_minutes": spent for who, spent in walked.minutes.items()},
        "reopened": sum(1 for step in walked.steps if step[0] == "reopened"), "answers": len(answers),
    }  # fmt: skip
    return Facts(
        fact,
        [_route(policy, row, [c for c in clocks if c.route_id == row.id]) for row in routes],
        list(_steps(case, walked, answers, leads)) if counts else [],
        [{"case_id": case.id, **lead} for lead in _leads(walked, leads)] if fact["counts"] else [],
    )


def _steps(
    case: Any, walked: "_Walk", answers: Sequence[Row[Any]], leads: Sequence[tuple[datetime, int | None]]
) -> Iterator[Values]:
    told: list[tuple[str, datetime, int | None]] = [
        *walked.steps,
        *(("answered", row.accepted_at, row.staff_id) for row in answers),
        *(("assigned", at, staff_id) for at, staff_id in leads if staff_id is not None),
    ]
    for kind, at, staff_id in told:
        yield {"case_id": case.id, "kind": kind, "at": at, "staff_id": staff_id, "source_id": case.source_id}


def _themes(leading: str | None, labels: Sequence[Row[Any]]) -> str:
    """All themes of its messages, the leading one first: of each a person's newest word, else the classifier's."""
    said: dict[int, Row[Any]] = {}
    for label in labels:
        before = said.get(label.message_id)
        if label.themes is not None and (label.staff_id is not None or before is None or before.staff_id is None):
            said[label.message_id] = label
    names = [*([leading] if leading else []), *(name for label in said.values() for name in label.themes)]
    return f" {' '.join(dict.fromkeys(names))} " if names else ""


def _led_at(leads: Sequence[tuple[datetime, int | None]], at: datetime) -> int | None:
    """Who led at a moment."""
    return next((staff_id for since, staff_id in reversed(leads) if since <= at), None)


def _leads(walked: "_Walk", leads: Sequence[tuple[datetime, int | None]]) -> Iterator[Values]:
    """Who led it from when to when while it was open."""
    for (since, staff_id), following in pairwise([*leads, None]):  # type: ignore[misc]
        for opened, ended in walked.spans if staff_id is not None else ():
            ends = [at for at in (ended, following[0] if following else None) if at is not None]
            begin, until = max(since, opened), min(ends, default=None)
            if until is None or begin < until:
                minutes = minutes_between(walked.calendar, begin, until) if until is not None else None
                yield {"staff_id": staff_id, "since": begin, "until": until, "minutes": minutes}


class _Walk:
    """The way of a case from hand to hand, and in and out of the backlog.

    An end that a reply taken back, or one that could not be sent, undid was none: it leaves no step, and the desk
    had the case meanwhile.
    """

    def __init__(self, calendar: Calendar, begun: datetime) -> None:
        self.calendar = calendar
        self.spans: list[tuple[datetime, datetime | None]] = [(begun, None)]
        self.holder: str | None = "desk"
        self.since: datetime | None = begun
        self.minutes = {"desk": 0, "department": 0, "client": 0}
        self.steps: list[tuple[str, datetime, int | None]] = [("opened", begun, None)]
        self._ended: datetime | None = None

    @property
    def resolved_at(self) -> datetime | None:
        """When it was solved last."""
        return next((at for kind, at, _staff in reversed(self.steps) if kind == "resolved"), None)

    def go(self, move: Row[Any], is_reopened: bool) -> None:
        was_open, stage = self.holder is not None, STAGES[move.data["new"]]
        if was_open and stage == "closed":
            self._pass(None, move.at)
            self._ended = move.at
            self.spans[-1] = (self.spans[-1][0], move.at)
            kind = "reclassified" if move.data["new"] in LEAVING else "resolved"
            self.steps.append((kind, move.at, move.staff_id))
        elif not was_open and stage != "closed":
            self.holder, self.since = "desk", move.at
            if is_reopened:
                self.steps.append(("reopened", move.at, move.staff_id))
                self.spans.append((move.at, None))
            else:
                self.steps.pop()
                self.spans[-1] = (self.spans[-1][0], None)
                self.since = self._ended
            self._hand_over(move)
        elif was_open:
            self._hand_over(move)

    def _hand_over(self, move: Row[Any]) -> None:
        if move.data["new"] != "snoozed":
            self._pass(HOLDERS.get(move.data["new"], "desk"), move.at)

    def _pass(self, holder: str | None, at: datetime) -> None:
        if holder != self.holder:
            if self.holder is not None and self.since is not None:
                self.minutes[self.holder] += minutes_between(self.calendar, self.since, at)
            self.holder, self.since = holder, at if holder is not None else None


def _route(policy: Policy, route: Row[Any], every: Sequence[Row[Any]]) -> Values:
    clocks = [clock for clock in every if clock.kind == "department"]
    accept = next((clock for clock in reversed(every) if clock.kind == "accept"), None)
    calendar, owed = policy.calendars["desk"], route.state in OWED
    answered = None if owed or route.state == "recalled" else route.answered_at
    return {
        "id": route.id, "case_id": route.case_id, "department_id": route.department_id, "asked_at": route.asked_at,
        "open_minutes": minutes_between(calendar, route.asked_at, route.opened_at) if route.opened_at else None,
        "answer_minutes": minutes_between(calendar, route.asked_at, answered) if answered else None,
        "due_at": clocks[-1].due_at if clocks else None,
        "accept_due_at": accept.due_at if accept is not None else None,
        "accept_done_at": accept.done_at if accept is not None else None,
        "late": any(clock.done_at is not None and clock.done_at > clock.due_at for clock in clocks),
        "outcome": None if owed else {"accepted": "answered"}.get(route.state, route.state),
        "returns": route.returns,
    }  # fmt: skip
