"""Reports counted a second time, slowly and by other means: minute by minute, from the rows that people made."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Act, Case, Clock, Event, Identity, Label, Message, Route, Source, Study
from services.reports.cut import NO_PROGRAMME, NO_THEME, NONE, UNSURE, Cut

MOSCOW = ZoneInfo("Europe/Moscow")
DAYS_OFF = {date(2026, 11, 4), date(2027, 1, 1)}
SHORT_DAYS = {date(2026, 11, 3), date(2026, 12, 31)}
STANDS = ("accepted", "seen", "removed")
OUT = ("spam", "no_answer", "merged")
ENDED = (*OUT, "solved", "closed")


def is_working(minute: datetime) -> bool:
    """Whether a minute counts: Monday to Friday, nine to six, an hour less before a holiday."""
    day = minute.date()
    last = 17 if day in SHORT_DAYS else 18
    return day.weekday() < 5 and day not in DAYS_OFF and 9 <= minute.hour < last


def working_minutes(start: datetime, end: datetime) -> int:
    """Counts seconds of the edges and every minute between, then drops what is no whole minute."""
    start, end = start.astimezone(MOSCOW), end.astimezone(MOSCOW)
    seconds, at = 0.0, start
    while at < end:
        following = min((at + timedelta(minutes=1)).replace(second=0, microsecond=0), end)
        if is_working(at):
            seconds += (following - at).total_seconds()
        at = following
    return int(seconds // 60)


@dataclass
class Seen:
    """What became of one case."""

    case: Case
    platform: str
    begun: datetime
    counts: bool
    kind: str | None
    checked: bool
    answers: list[Act]
    due: datetime | None
    resolution_due: datetime | None
    department_id: int | None
    routes: list[Any] = field(default_factory=list)
    steps: list[tuple[str, datetime, int | None]] = field(default_factory=list)
    spent: dict[str, int] = field(default_factory=dict)
    holder: str | None = "desk"
    programme: str | None = None
    themes: set[str] = field(default_factory=set)
    given: list[tuple[datetime, int | None]] = field(default_factory=list)
    open: list[tuple[datetime, datetime | None]] = field(default_factory=list)

    @property
    def owner(self) -> int | None:
        """Who answered, or else led when the term ended."""
        if self.answers and self.answers[0].staff_id:
            return self.answers[0].staff_id
        if self.due is None:
            return self.case.assignee_id
        led = [who for at, who in self.given if at <= self.due]
        return led[-1] if led else None

    @property
    def first(self) -> datetime | None:
        return self.answers[0].accepted_at if self.answers else None

    @property
    def staff_id(self) -> int | None:
        return (self.answers[0].staff_id if self.answers else None) or self.case.assignee_id

    @property
    def done(self) -> datetime | None:
        """When it ended, unless it is open again."""
        return self.resolved if self.holder is None else None

    @property
    def resolved(self) -> datetime | None:
        return max((at for kind, at, _who in self.steps if kind == "resolved"), default=None)


def look(session: Session) -> list[Seen]:
    """Every case with a number, told from its history alone."""
    return [_look(session, case) for case in session.scalars(select(Case).where(Case.number.is_not(None)))]


def _look(session: Session, case: Case) -> Seen:
    source = session.get_one(Source, case.source_id)
    first = session.get_one(Message, case.first_message_id or 0)
    clocks = session.scalars(
        select(Clock).where(Clock.case_id == case.id, Clock.kind.in_(("first", "resolution", "legal")))
    ).all()
    old = first.published_at < source.created_at and (
        source.backfilled_at is None or first.ingested_at <= source.backfilled_at
    )
    replies = session.scalars(
        select(Act).where(Act.case_id == case.id, Act.kind == "reply", Act.state.in_(STANDS))
    ).all()
    labels = session.scalars(select(Label).join(Message, Message.id == Label.message_id).where(
        Message.case_id == case.id, Label.staff_id.is_not(None)
    ))  # fmt: skip
    asked = session.scalars(select(Route).where(Route.case_id == case.id).order_by(Route.id)).all()
    seen = Seen(
        case=case, platform=source.platform,
        begun=min(clock.started_at for clock in clocks) if old and clocks else case.opened_at,
        counts=not (old and not clocks), kind=case.label if case.sure else None,
        checked=any(not label.weak for label in labels),
        answers=sorted(replies, key=lambda act: (act.accepted_at, act.id)),
        due=next((clock.due_at for clock in sorted(clocks, key=_age) if clock.kind == "first"), None),
        resolution_due=next(
            (clock.due_at for clock in sorted(clocks, key=_age, reverse=True) if clock.kind == "resolution"), None
        ),
        department_id=asked[-1].department_id if asked else None, routes=list(asked),
    )  # fmt: skip
    _follow(session, seen)
    seen.themes, seen.programme = _themes(session, case), _programme(session, seen)
    return seen


def _themes(session: Session, case: Case) -> set[str]:
    """What any of its messages is about, by a person's last word or else the classifier's."""
    found = {case.theme} if case.theme else set()
    for message in session.scalars(select(Message).where(Message.case_id == case.id)):
        told = session.scalars(select(Label).where(Label.message_id == message.id).order_by(Label.id)).all()
        by_hand = [label for label in told if label.staff_id is not None and label.themes is not None]
        by_desk = [label for label in told if label.staff_id is None and label.themes is not None]
        for label in (by_hand or by_desk)[-1:]:
            found |= set(label.themes or ())
    return found


def _programme(session: Session, seen: Seen) -> str | None:
    """The course that its author was on, the one that was noted last."""
    day = seen.case.opened_at.astimezone(MOSCOW).date()
    known = session.scalars(select(Identity).where(Identity.linked_author_id == seen.case.author_id)).one_or_none()
    if known is None:
        return None
    courses = [
        study.course
        for study in session.scalars(select(Study).where(Study.client_id == known.client_id).order_by(Study.id))
        if (study.started_on or day) <= day <= (study.ended_on or day)
    ]
    return courses[-1] if courses else None


def _age(clock: Clock) -> int:
    return clock.id


def _follow(session: Session, seen: Seen) -> None:
    events = session.scalars(select(Event).where(Event.case_id == seen.case.id).order_by(Event.id)).all()
    story = [event for event in events if event.kind in ("case.moved", "case.reopened")]
    seen.given = [(max(event.at, seen.begun), event.object_id) for event in events if event.kind == "case.assigned"]
    # An end that was undone is struck out together with the return that undid it.
    kept: list[tuple[datetime, str, int | None]] = []
    for number, event in enumerate(story):
        if event.kind != "case.moved":
            continue
        returns = event.data["old"] in ENDED and event.data["new"] not in ENDED
        followed = number + 1 < len(story) and story[number + 1].kind == "case.reopened"
        if returns and not followed:
            kept.pop()
            kept.append((event.at, event.data["new"], event.staff_id))
        elif not (event.data["old"] in ENDED and event.data["new"] in ENDED):
            kept.append((event.at, event.data["new"], event.staff_id))
    spans: list[tuple[str | None, datetime]] = [("desk", seen.begun)]
    for at, state, staff_id in kept:
        was_ended, is_ended = spans[-1][0] is None, state in ENDED
        if is_ended:
            seen.steps.append(("reclassified" if state in OUT else "resolved", at, staff_id))
        elif was_ended:
            seen.steps.append(("reopened", at, staff_id))
        if state == "snoozed" and not was_ended:
            continue
        who = None if is_ended else {"department": "department", "author": "client"}.get(state, "desk")
        if who != spans[-1][0]:
            spans.append((who, at))
    seen.spent = dict.fromkeys(("desk", "department", "client"), 0)
    for (who, since), (_next, until) in pairwise(spans):
        if who is not None:
            seen.spent[who] += working_minutes(since, until)
    seen.holder = spans[-1][0]
    begun: datetime | None = None
    for who, at in spans:
        if who is None and begun is not None:
            seen.open.append((begun, at))
        if who is None or begun is None:
            begun = at if who is not None else None
    if begun is not None:
        seen.open.append((begun, None))


def fits(seen: Seen, cut: Cut, staff_id: int | None = None, department_id: int | None = None) -> bool:
    """Whether the filters let it through."""
    if cut.platform and seen.platform != cut.platform:
        return False
    if cut.source_id is not None and seen.case.source_id != cut.source_id:
        return False
    if cut.theme and (seen.case.theme or NO_THEME) != cut.theme:
        return False
    if cut.kind and (seen.kind or UNSURE) != cut.kind:
        return False
    if cut.programme and (seen.programme or NO_PROGRAMME) != cut.programme:
        return False
    if cut.about and cut.about not in (seen.themes or {NO_THEME}):
        return False
    pairs = ((cut.department_id, department_id or seen.department_id), (cut.staff_id, staff_id or seen.staff_id))
    return all(wanted is None or (found or NONE) == wanted for wanted, found in pairs)


def kept(done: datetime | None, due: datetime | None) -> bool:
    return done is not None and due is not None and done <= due


def missed(done: datetime | None, due: datetime | None, now: datetime) -> bool:
    return due is not None and (now if done is None else done) > due


def usual(values: Iterable[int]) -> tuple[Fraction | None, int | None]:
    """Median and nine of ten by sorting."""
    ordered = sorted(values)
    if not ordered:
        return None, None
    half = len(ordered) // 2
    middle = ordered[half] if len(ordered) % 2 else Fraction(ordered[half - 1] + ordered[half], 2)
    enough = next(value for value in ordered if sum(1 for one in ordered if one <= value) * 10 >= len(ordered) * 9)
    return Fraction(middle), enough


def report(session: Session, cut: Cut, now: datetime) -> dict[str, Any]:
    """Figures of the report on answers and of the flow, by name."""
    told = look(session)
    everything = [seen for seen in told if seen.counts]

    def within(at: datetime | None) -> bool:
        return at is not None and cut.since <= at < cut.until

    inside = [seen for seen in everything if seen.case.state not in OUT and fits(seen, cut)]
    answered = [seen for seen in inside if within(seen.first)]
    median, most = usual(working_minutes(seen.begun, seen.first or now) for seen in answered)
    due = [
        seen for seen in everything
        if seen.case.state not in OUT and within(seen.due) and fits(seen, cut, staff_id=seen.owner or NONE)
    ]  # fmt: skip
    resolved = [seen for seen in inside if within(seen.resolved)]
    ended = [seen for seen in inside if within(seen.resolution_due)]
    flow = {
        kind: sum(
            1
            for seen in everything
            if fits(seen, cut)
            for step, at, _who in seen.steps
            if step == kind and within(at)
        )
        for kind in ("reopened", "resolved", "reclassified")
    }
    flow["ended"] = flow.pop("resolved")
    return {
        "came": sum(1 for seen in inside if within(seen.begun)),
        "checked": sum(1 for seen in inside if within(seen.begun) and seen.checked),
        "answered": len(answered), "median": median, "p90": most,
        "waiting": sum(1 for seen in inside if seen.first is None and seen.holder is not None),
        "first_met": len([seen for seen in due if kept(seen.first, seen.due)]),
        "first_late": len([seen for seen in due if missed(seen.first, seen.due, now)]),
        "resolved": len(resolved),
        "resolution_met": len([seen for seen in ended if kept(seen.done, seen.resolution_due)]),
        "resolution_late": sum(
            seen.holder != "client" and missed(seen.done, seen.resolution_due, now) for seen in ended
        ),
        "spent": tuple(sum(seen.spent[who] for seen in resolved) for who in ("desk", "department", "client")),
        "opened": sum(1 for seen in everything if fits(seen, cut) and within(seen.begun)), **flow,
        "backlog": sum(
            _open_at(seen, cut.until) for seen in everything if fits(seen, cut)
        ),
        "answers": sum(
            1 for seen in everything for act in seen.answers
            if within(act.accepted_at) and fits(seen, cut, staff_id=act.staff_id or NONE)
        ),
        **_hands(everything, cut, now),
        "asked": sum(
            1 for seen in told for route in seen.routes
            if within(route.asked_at) and fits(seen, cut, department_id=route.department_id)
        ),
        "again_known": sum(1 for seen in inside if within(seen.begun)),
        "again_repeat": sum(1 for seen in inside if within(seen.begun) and _is_repeat(seen, everything)),
        "queue": sum(1 for seen in inside if seen.holder is not None),
    }  # fmt: skip


def _hands(everything: list[Seen], cut: Cut, now: datetime) -> dict[str, int]:
    """How often cases were given to somebody in the period, and how long they lay with whom."""
    return {
        "assigned": sum(
            1 for seen in everything for at, who in seen.given
            if who is not None and cut.since <= at < cut.until and fits(seen, cut, staff_id=who)
        ),
        "led": sum(
            _led(seen, who, since, until, cut, now) for seen in everything if seen.case.state not in OUT
            for (since, who), (until, _next) in pairwise([*seen.given, (None, None)])
            if who is not None and since is not None and fits(seen, cut, staff_id=who)
        ),
    }  # fmt: skip


def _led(seen: Seen, who: int, since: datetime, until: datetime | None, cut: Cut, now: datetime) -> int:
    """Working minutes of the period that a stretch of leading took while the case was open."""
    end = min(cut.until, now)
    stretches = ((max(since, a, cut.since), min(until or end, b or end, end)) for a, b in seen.open)
    return sum(working_minutes(a, b) for a, b in stretches if a < b)


def _is_repeat(seen: Seen, everything: list[Seen]) -> bool:
    """Whether the author had another case of the theme that ended within fourteen days before."""
    return seen.case.theme is not None and any(
        other.case.id != seen.case.id
        and other.case.author_id == seen.case.author_id
        and other.case.theme == seen.case.theme
        and other.case.state not in OUT
        and other.resolved is not None
        and timedelta(0) <= seen.begun - other.resolved <= timedelta(days=14)
        for other in everything
    )


def _open_at(seen: Seen, at: datetime) -> int:
    """1 while it stands in the backlog, from its first message on and between an end and its return not."""
    changes = [(seen.begun, 1), *((when, 1 if step == "reopened" else -1) for step, when, _who in seen.steps)]
    return sum(sign for when, sign in changes if when < at)
