"""Clocks on cases and questions: when they start, stand still, end, and why something came late."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from models import Case, Clock, Department, Message, Route, Source, utc_now
from services.airtime import airtimes
from services.calendars import (
    add_working,
    add_working_days,
    end_of_day,
    legal_dates,
    next_answering,
    previous_working_day,
    working_between,
)
from services.leases import hold_cases
from services.presets import LEGAL_KINDS, LEGAL_TERMS
from services.terms import LIVE, LIVE_SHARE, MASS, Policy, Term, class_of, policy_of

ORDINARY = 2
"""A priority, see models.Case."""
SHARES = (0.8, 1.0, 1.5)
"""Of its term: to the owner, to the head, to the director (domain.md §6.6)."""
PAUSED_BY = ("author",)
"""States of a case in which its resolution stands still; the first response and the law's terms never do."""
DAY_SECONDS = 86400
INQUIRY = "QPRV"
"""The class of a request to a department that belongs to no case."""
OURS = ("first", "resolution", "legal", "promise")
_WATCHED_SINCE = select(Source.created_at).where(Source.id == bindparam("source_id"))


@dataclass(frozen=True, slots=True)
class Share:
    """A piece of the time that passed: whose it was (None: ours), and how much working time."""

    department: Department | None
    spent: timedelta


def clocks_of(session: Session, case_ids: Sequence[int]) -> dict[int, list[Clock]]:
    """case id → its clocks, in the order they were started."""
    found: dict[int, list[Clock]] = {}
    if not case_ids:
        return found
    for clock in session.scalars(select(Clock).where(Clock.case_id.in_(case_ids)).order_by(Clock.id)):
        if clock.case_id is not None:
            found.setdefault(clock.case_id, []).append(clock)
    return found


def nearest(clocks: Iterable[Clock]) -> Clock | None:
    """The clock of ours that runs out first; one that stands still is none."""
    running = [c for c in clocks if c.kind in OURS and c.done_at is None and c.paused_at is None]
    return min(running, key=lambda clock: (clock.due_at, clock.id), default=None)


def clocks_of_routes(session: Session, route_ids: Sequence[int]) -> dict[int, Clock]:
    """question → the clock of its department, where one runs."""
    if not route_ids:
        return {}
    query = select(Clock).where(Clock.route_id.in_(route_ids), Clock.done_at.is_(None), Clock.kind == "department")
    query = query.order_by(Clock.id)
    return {clock.route_id: clock for clock in session.scalars(query) if clock.route_id is not None}


def running_clock(session: Session, route: Route, kind: str = "department") -> Clock | None:
    """The clock of the department, while it owes the answer; ``accept``: while it has not opened the question."""
    return session.scalar(
        select(Clock).where(Clock.route_id == route.id, Clock.done_at.is_(None), Clock.kind == kind)
    )


def lateness(session: Session, case: Case, now: datetime | None = None) -> list[Share]:
    """Who the time since receipt was spent by, longest first, by the calendar of the term that was not kept;
    nothing while the case is in time.

    Of two departments asked at once the first asked has the time they share; waiting for the author is nobody's.
    """
    now = now or utc_now()
    clocks = clocks_of(session, [case.id]).get(case.id, [])
    ours = [clock for clock in clocks if clock.kind in OURS]
    late = [clock for clock in ours if (clock.done_at or now) > clock.due_at and clock.paused_at is None]
    if not late:
        return []
    begin, end = min(clock.started_at for clock in late), max(clock.done_at or now for clock in late)
    calendars = policy_of(session).calendars
    calendar = calendars.get(late[0].calendar, calendars["desk"])
    total = working_between(calendar, begin, end)
    paused = max((timedelta(seconds=clock.paused_seconds) for clock in late), default=timedelta(0))
    spent: dict[int, timedelta] = {}
    asked = [clock for clock in clocks if clock.kind == "department"]
    units = _departments_of(session, [clock.route_id for clock in asked if clock.route_id is not None])
    reached = begin
    for clock in asked:
        since, until = max(clock.started_at, reached), min(clock.done_at or now, end)
        if since < until:
            unit = units[clock.route_id or 0]
            spent[unit.id] = spent.get(unit.id, timedelta(0)) + working_between(calendar, since, until)
            reached = until
    named = {unit.id: unit for unit in units.values()}
    shares = [Share(named[key], value) for key, value in spent.items() if value]
    ours_left = max(total - paused - sum(spent.values(), timedelta(0)), timedelta(0))
    return [*sorted(shares, key=lambda share: -share.spent), Share(None, ours_left)]


def _departments_of(session: Session, route_ids: Sequence[int]) -> dict[int, Department]:
    query = select(Route.id, Department).join(Department, Department.id == Route.department_id)
    return {row[0]: row[1] for row in session.execute(query.where(Route.id.in_(route_ids)))}


def start_clocks(session: Session, cases: Sequence[Case]) -> None:
    """The clocks of cases that became real, from the time of receipt at the source; history has none."""
    ids = [case.id for case in cases]
    known = clocks_of(session, ids)
    # A conversation that we began has none before somebody answers.
    fresh = [case for case in cases if case.id not in known and case.first_message_id is not None]
    if not fresh:
        return
    policy = policy_of(session)
    history = _history(session, fresh)
    for case in fresh:
        if case.id in history:
            calm(case)
        elif case.stage not in ("closed", "arriving"):
            _start(session, policy, case, case.opened_at)


def calm(case: Case) -> None:
    """What waited before we came, without a clock, does not stand before today's; unless somebody is in danger, or
    the law gives a term all the same."""
    if case.priority > 0 and case.kind not in LEGAL_KINDS:
        case.priority = max(case.priority, ORDINARY)


def _history(session: Session, cases: Sequence[Case]) -> set[int]:
    """Cases whose first message was there before the place was added: they came with its first whole reading."""
    sources = select(Source).where(Source.id.in_({case.source_id for case in cases}))
    places = {source.id: source for source in session.scalars(sources)}
    first = select(Message.id, Message.ingested_at).where(
        Message.id.in_([case.first_message_id for case in cases if case.first_message_id])
    )
    came = {row[0]: row[1] for row in session.execute(first)}
    return {
        case.id
        for case in cases
        if is_history(
            places[case.source_id].created_at, places[case.source_id].backfilled_at, case.opened_at,
            came.get(case.first_message_id or 0),
        )
    }  # fmt: skip


def is_history(
    watched_at: datetime, backfilled_at: datetime | None, published_at: datetime, ingested_at: datetime | None
) -> bool:
    """Whether a message stood there before its place was added, and came with the first whole reading."""
    if published_at >= watched_at:
        return False
    return backfilled_at is None or (ingested_at is not None and ingested_at <= backfilled_at)


def _start(session: Session, policy: Policy, case: Case, at: datetime) -> None:
    name = class_of(policy, case, airtimes(session, [case]).get(case.id))
    terms = policy.classes[name]
    for kind, term in (("first", terms.first), ("resolution", terms.resolution)):
        if term is not None:
            add_clock(session, policy, case, kind, name, term, at)
    session.flush()
    _show(session, case)


def add_clock(
    session: Session, policy: Policy, case: Case, kind: str, name: str, term: Term, at: datetime
) -> Clock:
    """A clock of the case that runs ``term`` from ``at``."""
    clock = Clock(
        case_id=case.id, kind=kind, sla_class=name, calendar=term.calendar, level=0, paused_seconds=0,
        term_seconds=term.minutes * 60, started_at=at,
    )  # fmt: skip
    reckon(policy, clock)
    session.add(clock)
    session.flush()
    return clock


def reckon(policy: Policy, clock: Clock) -> None:
    """Sets what follows from start, term and pauses: due, warning, and what the sweep looks for next."""
    if clock.kind == "legal":
        _reckon_legal(policy, clock)
        return
    calendar = policy.calendars[clock.calendar]
    paused, term = timedelta(seconds=clock.paused_seconds), timedelta(seconds=clock.term_seconds)
    clock.due_at = add_working(calendar, clock.started_at, term + paused)
    clock.warn_at = add_working(calendar, clock.started_at, term * SHARES[0] + paused)
    if clock.done_at is not None or clock.paused_at is not None or clock.level >= len(SHARES):
        clock.next_at = None
    else:
        clock.next_at = add_working(calendar, clock.started_at, term * SHARES[clock.level] + paused)


def _reckon_legal(policy: Policy, clock: Clock) -> None:
    calendar = policy.calendars["desk"]
    received = calendar.local_day(clock.started_at)
    how, days = LEGAL_TERMS.get(clock.sla_class, ("letter", clock.term_seconds // DAY_SECONDS))
    if how == "calendar":
        last, control = legal_dates(calendar, received, days)
    elif how == "letter":
        last = received + timedelta(days=days)
        control = max(previous_working_day(calendar, previous_working_day(calendar, last)), received)
    else:
        last = add_working_days(calendar, received, days)
        control = previous_working_day(calendar, last)
    clock.due_at, clock.warn_at = end_of_day(calendar, last), end_of_day(calendar, control)
    moments = (clock.warn_at, clock.due_at)
    clock.next_at = moments[clock.level] if clock.done_at is None and clock.level < len(moments) else None


def promise(session: Session, case: Case, until: datetime) -> Clock:
    """A holding reply told the author by when we are back: it runs beside the terms, the latest promise alone."""
    # Terms are whole seconds: counted from a fraction, one would end a moment before the hour that was named.
    policy, now = policy_of(session), utc_now().replace(microsecond=0)
    keep_promise(session, case)
    spent = working_between(policy.calendars["desk"], now, until)
    clock = Clock(
        case_id=case.id, kind="promise", sla_class=class_of(policy, case), calendar="desk", started_at=now, level=0,
        term_seconds=int(spent.total_seconds()), paused_seconds=0,
    )  # fmt: skip
    reckon(policy, clock)
    session.add(clock)
    session.flush()
    _show(session, case)
    return clock


def keep_promise(session: Session, case: Case) -> None:
    """The answer that was promised is there."""
    for clock in clocks_of(session, [case.id]).get(case.id, []):
        if clock.kind == "promise" and clock.done_at is None:
            end_clock(policy_of(session), clock, utc_now())
            session.flush()
            _show(session, case)


def follow_move(session: Session, case: Case, was_open: bool) -> None:
    """A case changed its state: its clocks end with it, stand still while the author owes, go on, or start anew."""
    if case.state == "snoozed" or case.number is None:
        return
    clocks = [clock for clock in clocks_of(session, [case.id]).get(case.id, []) if clock.kind in OURS]
    policy, now = policy_of(session), utc_now()
    if not was_open and case.stage != "closed":
        _open_again(session, policy, case, clocks)
    for clock in clocks:
        if case.stage == "closed":
            # A reply that is on its way ends the first one at the platform's time, see note_answered.
            if clock.kind != "first" or case.state != "solved":
                end_clock(policy, clock, now)
        elif clock.kind == "resolution" and clock.done_at is None:
            (_pause if case.state in PAUSED_BY else _go_on)(policy, clock, now)
    session.flush()
    _show(session, case)


def _open_again(session: Session, policy: Policy, case: Case, clocks: Sequence[Clock]) -> None:
    """By a new message the terms run anew from its receipt; else what had ended goes on as if it never had."""
    newest = session.scalar(
        select(func.max(Message.published_at)).where(Message.case_id == case.id, Message.direction == "in")
    )
    ended = max((clock.done_at for clock in clocks if clock.done_at is not None), default=None)
    if newest is not None and (newest > ended if ended else not clocks and _is_news(session, case, newest)):
        for clock in clocks:
            end_clock(policy, clock, utc_now())
        _start(session, policy, case, newest)
        return
    resolutions = [clock for clock in clocks if clock.kind == "resolution"]
    for clock in resolutions[-1:]:
        clock.done_at = None
        reckon(policy, clock)


def _is_news(session: Session, case: Case, published_at: datetime) -> bool:
    return published_at >= session.execute(_WATCHED_SINCE, {"source_id": case.source_id}).scalar_one()


def note_answered(session: Session, case: Case, at: datetime | None) -> None:
    """An answer reached the author, ``at`` the platform's own time; a case that came back has a first term anew."""
    for clock in clocks_of(session, [case.id]).get(case.id, []):
        if clock.kind == "first" and clock.done_at is None:
            clock.done_at, clock.next_at = at or utc_now(), None
    session.flush()
    _show(session, case)


def note_author(
    session: Session, case: Case, published_at: datetime, clocks: Sequence[Clock] | None = None
) -> None:
    """The author wrote again: what stood still goes on, and a case of the history begins to count.

    ``clocks``: those of the case, where they are known.
    """
    if clocks is None:
        clocks = clocks_of(session, [case.id]).get(case.id, [])
    if not clocks and case.number is not None and _is_news(session, case, published_at):
        _start(session, policy_of(session), case, published_at)
        return
    standing = [clock for clock in clocks if clock.paused_at is not None]
    if standing:
        policy = policy_of(session)
        for clock in standing:
            _go_on(policy, clock, utc_now())
        session.flush()
    _put(case, nearest(clocks))


def reclassify(session: Session, case: Case) -> None:
    """The kind changed: what still runs has the new terms from the same receipt."""
    policy = policy_of(session)
    name = class_of(policy, case, airtimes(session, [case]).get(case.id))
    terms = policy.classes[name]
    clocks = clocks_of(session, [case.id]).get(case.id, [])
    for clock in clocks:
        term = {"first": terms.first, "resolution": terms.resolution}.get(clock.kind)
        if term is not None and clock.done_at is None and clock.sla_class != name:
            clock.sla_class, clock.calendar, clock.term_seconds = name, term.calendar, term.minutes * 60
            clock.level = 0
            reckon(policy, clock)
    has_terms = any(clock.kind == "first" for clock in clocks)
    if terms.resolution is None:
        for clock in clocks:
            if clock.kind == "resolution" and clock.done_at is None and clock.sla_class != name:
                session.delete(clock)  # a class without a term for the end: it never ran
        session.flush()
    elif has_terms and case.open_key is not None and not any(clock.kind == "resolution" for clock in clocks):
        clock = add_clock(session, policy, case, "resolution", name, terms.resolution, case.opened_at)
        if case.state in PAUSED_BY:
            _pause(policy, clock, utc_now())
    _show(session, case)


def take_clocks(session: Session, gone: Case, kept: Case) -> None:
    """``gone`` goes on in ``kept``: clocks of departments and of the law move, of the others the sooner counts."""
    policy, now = policy_of(session), utc_now()
    running = [clock for clock in clocks_of(session, [kept.id]).get(kept.id, []) if clock.done_at is None]
    ours = {_sort_of(clock): clock for clock in running}
    for clock in clocks_of(session, [gone.id]).get(gone.id, []):
        known = ours.get(_sort_of(clock))
        if clock.route_id is not None or (clock.done_at is None and known is None):
            clock.case_id = kept.id
            ours.setdefault(_sort_of(clock), clock)
        elif clock.done_at is None and known is not None and clock.due_at < known.due_at:
            for name in ("sla_class", "calendar", "term_seconds", "started_at", "paused_seconds", "paused_at"):
                setattr(known, name, getattr(clock, name))
            reckon(policy, known)
        if clock.case_id == gone.id:
            end_clock(policy, clock, now)
    for clock in ours.values():
        if clock.kind == "resolution" and clock.done_at is None:
            (_pause if kept.state in PAUSED_BY else _go_on)(policy, clock, now)
    session.flush()
    _show(session, kept)


def _sort_of(clock: Clock) -> tuple[str, str]:
    """Of which a case has one that runs; the law's terms are told apart by their class."""
    return clock.kind, clock.sla_class if clock.kind == "legal" else ""


def end_airtime(session: Session, publication_ids: Sequence[int]) -> None:
    """The broadcast of these publications is over: what was asked and is still open has ordinary terms."""
    query = (
        select(Case.id).join(Clock, Clock.case_id == Case.id)
        .where(
            Case.publication_id.in_(publication_ids), Case.open_key.is_not(None), Clock.kind == "first",
            Clock.sla_class == LIVE,
        )
    )  # fmt: skip
    for case in hold_cases(session, set(session.scalars(query))):
        reclassify(session, case)


def start_department(session: Session, route: Route) -> Clock | None:
    """The department's own clock, up to its next answering hour; a case of the history has none, a request that
    belongs to no case has a private question's."""
    policy, now = policy_of(session), utc_now()
    unit, name = policy.unit(session.get_one(Department, route.department_id).code), INQUIRY
    if route.case_id is not None:
        case = session.get_one(Case, route.case_id)
        if _history(session, [case]):
            return None
        name = class_of(policy, case, airtimes(session, [case]).get(case.id))
    minutes, hours, days, accept = unit.answer(name), unit.hours, "desk", unit.accept
    at_once = policy.classes[name].first if name == LIVE else None
    mass = policy.classes[name].first if name == MASS else None
    if at_once is not None:
        minutes, hours, days, accept = max(int(at_once.minutes * LIVE_SHARE), 1), (), at_once.calendar, None
    elif mass is not None:
        # The technical department owes its word as soon as the desk does, and has no answering hours then.
        minutes, hours, days, accept = mass.minutes, (), mass.calendar, None
    if accept is not None:
        _add_route_clock(session, policy, route, "accept", name, "desk", accept * 60)
    calendar = policy.calendars[days]
    due = next_answering(calendar, add_working(calendar, now, timedelta(minutes=minutes)), hours)
    seconds = max(int(working_between(calendar, now, due).total_seconds()), minutes * 60)
    return _add_route_clock(session, policy, route, "department", name, days, seconds, now)


def _add_route_clock(
    session: Session,
    policy: Policy,
    route: Route,
    kind: str,
    sla_class: str,
    calendar: str,
    seconds: int,
    at: datetime | None = None,
) -> Clock:
    clock = Clock(
        case_id=route.case_id, route_id=route.id, kind=kind, sla_class=sla_class, calendar=calendar,
        term_seconds=seconds, started_at=at or utc_now(), level=0, paused_seconds=0,
    )  # fmt: skip
    reckon(policy, clock)
    session.add(clock)
    session.flush()
    return clock


def end_department(session: Session, route: Route) -> None:
    """The department owes no more: it answered, declined, or was released."""
    for kind in ("accept", "department"):
        clock = running_clock(session, route, kind)
        if clock is not None:
            end_clock(policy_of(session), clock, utc_now())


def note_opened(session: Session, route: Route) -> None:
    """The department has looked at the question: it has taken it."""
    clock = running_clock(session, route, "accept")
    if clock is not None:
        end_clock(policy_of(session), clock, utc_now())


def end_clock(policy: Policy, clock: Clock, now: datetime) -> None:
    """It runs no more; one that has ended stays as it is."""
    if clock.done_at is None:
        _go_on(policy, clock, now)
        clock.done_at, clock.next_at = now, None


def _pause(policy: Policy, clock: Clock, now: datetime) -> None:
    if clock.paused_at is None:
        clock.paused_at, clock.next_at = now, None


def _go_on(policy: Policy, clock: Clock, now: datetime) -> None:
    if clock.paused_at is not None:
        stood = working_between(policy.calendars[clock.calendar], clock.paused_at, now)
        clock.paused_seconds += int(stood.total_seconds())
        clock.paused_at = None
        reckon(policy, clock)


def _show(session: Session, case: Case) -> None:
    """The nearest deadline stands on the case itself, where lists are sorted by it."""
    _put(case, nearest(clocks_of(session, [case.id]).get(case.id, [])))


def _put(case: Case, clock: Clock | None) -> None:
    case.due_at, case.warn_at = (clock.due_at, clock.warn_at) if clock is not None else (None, None)


def recount(policy: Policy, clock: Clock) -> bool:
    """Gives a clock the terms of ``policy`` from its old start; True when its deadline moved."""
    before = clock.due_at
    terms = policy.classes[clock.sla_class]
    term = {"first": terms.first, "resolution": terms.resolution}.get(clock.kind)
    if term is not None:
        clock.calendar, clock.term_seconds = term.calendar, term.minutes * 60
    reckon(policy, clock)
    return clock.due_at != before


def show_all(session: Session, case_ids: Sequence[int]) -> None:
    """The nearest deadlines of many cases."""
    clocks = clocks_of(session, case_ids)
    for case in session.scalars(select(Case).where(Case.id.in_(case_ids))):
        _put(case, nearest(clocks.get(case.id, [])))
