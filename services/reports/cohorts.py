"""The lists behind the figures: each figure counts one of them, and a click shows just that list."""

import functools
import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal_column, or_, select
from sqlalchemy.orm import Session

from models import (
    Act,
    Case,
    CaseFact,
    CaseStep,
    Deal,
    Review,
    ReviewMark,
    RouteFact,
    Satisfaction,
    Verdict,
    Wish,
    WishCase,
)
from models.base import aside
from services.criteria import MOST as MOST_CRITERIA
from services.outbox import WRITING
from services.reports.cut import Cut
from services.reports.facts import STANDING
from services.reports.tally import ALL, Pieces, tallies

Conditions = list[Any]


@dataclass(frozen=True)
class Cohort:
    """``at``: the time by which the list is ordered. ``table``: CaseFact, or what is joined to it and counted.

    ``late``: its rows say why they are late. ``staff``, ``department``: the columns that say whose a row is, None:
    the case's own. ``through``: a table, and by what it is joined, that ``at`` and ``where`` speak of.
    """

    at: Any
    where: Callable[[Cut, datetime], Conditions]
    table: Any = CaseFact
    late: bool = False
    staff: Any = None
    department: Any = None
    through: tuple[Any, Any] | None = None

    def query(self, columns: tuple[Any, ...], cut: Cut, now: datetime) -> Select[Any]:
        conditions = [*self.where(cut, now), *self.filters(cut)]
        query = select(*columns).where(*conditions)
        # A step or a question always has its case's facts: they are read only where somebody asks for one of them.
        is_asked = self.table is CaseFact or CaseFact.__table__ in query.get_final_froms()
        query = query.select_from(self.table)
        if is_asked and self.table is not CaseFact:
            query = query.join(CaseFact, CaseFact.id == self.table.case_id)
        return query if self.through is None else query.join(*self.through)

    def pieces(self, columns: tuple[Any, ...], cuts: Sequence[Cut], now: datetime, *extra: Any) -> Pieces:
        """The same of cuts that follow one another."""
        whole = replace(cuts[0], last=cuts[-1].last)
        *parts, query = (self.query(columns, cut, now).where(*extra) for cut in (*cuts, whole))
        return Pieces(parts, query, self.at, [cut.since for cut in cuts[1:]])

    def filters(self, cut: Cut) -> Conditions:
        """What the cut asks besides its period. A case is found by its time: filters are answered by that index."""
        found = cut.filters(self.unit, self.person, self.place)
        return [aside(one) for one in found] if self.table is CaseFact else found

    @property
    def unit(self) -> Any:
        """The column that says whose department's a row is."""
        return CaseFact.department_id if self.department is None else self.department

    @property
    def place(self) -> Any:
        """The column that says where a row is from; a step knows it without its case."""
        return CaseStep.source_id if self.table is CaseStep else CaseFact.source_id

    @property
    def person(self) -> Any:
        """The column that says whose a row is."""
        return CaseFact.staff_id if self.staff is None else self.staff


COUNTED = CaseFact.counts
OPEN = and_(CaseFact.counts, CaseFact.holder.is_not(None))
FIRST_LATE = CaseFact.first_at > CaseFact.first_due_at
UNANSWERED = and_(CaseFact.first_at.is_(None), CaseFact.holder.is_not(None))
DONE = and_(CaseFact.holder.is_(None), CaseFact.resolved_at.is_not(None))


def _first_late(now: datetime) -> ColumnElement[bool]:
    return or_(FIRST_LATE, and_(CaseFact.first_at.is_(None), CaseFact.first_due_at < now))


def _resolution_late(now: datetime) -> ColumnElement[bool]:
    """A case that waits for its author is not late: its term stands still (domain.md §6.6)."""
    running = and_(CaseFact.holder.in_(("desk", "department")), CaseFact.resolution_due_at < now)
    return or_(and_(DONE, CaseFact.resolved_at > CaseFact.resolution_due_at), running)


def late_now(now: datetime) -> ColumnElement[bool]:
    """Open, and our term for the first answer or for the end is over."""
    return and_(
        OPEN,
        or_(
            and_(CaseFact.first_at.is_(None), CaseFact.first_due_at < now),
            and_(CaseFact.holder != "client", CaseFact.resolution_due_at < now),
            and_(CaseFact.legal_done_at.is_(None), CaseFact.legal_due_at < now),
        ),
    )


def _due_today(cut: Cut, now: datetime) -> Conditions:
    """What is in time and will not be by the end of the day."""
    end = cut.until
    near = or_(
        and_(CaseFact.first_at.is_(None), CaseFact.first_due_at >= now, CaseFact.first_due_at < end),
        and_(CaseFact.holder != "client", CaseFact.resolution_due_at >= now, CaseFact.resolution_due_at < end),
        and_(CaseFact.legal_done_at.is_(None), CaseFact.legal_due_at >= now, CaseFact.legal_due_at < end),
    )
    return [OPEN, near, ~func.coalesce(late_now(now), False)]


def _steps(kind: str, *, of_case: bool = False) -> Cohort:
    """``of_case``: it is the step of whoever the case is, not of whoever made it."""
    is_own = kind in ("answered", "resolved", "assigned") and not of_case
    return Cohort(
        CaseStep.at, lambda cut, _now: [CaseStep.kind == kind, *cut.within(CaseStep.at)], CaseStep,
        staff=CaseStep.staff_id if is_own else None,
    )  # fmt: skip


SIGNS: Mapping[str, int] = {"opened": 1, "reopened": 1, "resolved": -1, "reclassified": -1}
"""Kind of a step → what it does to the backlog."""


def _open_at(moment: datetime) -> ColumnElement[bool]:
    """What the steps before a moment left open: the backlog of report 7, case by case."""
    sign = case(*((CaseStep.kind == kind, sign) for kind, sign in SIGNS.items()), else_=0)
    earlier = select(CaseStep.case_id).where(CaseStep.kind.in_(SIGNS), CaseStep.at < moment)
    return CaseFact.id.in_(earlier.group_by(CaseStep.case_id).having(func.sum(sign) > 0))


def _application() -> ColumnElement[bool]:
    """In the words of the index of applications: of a parameter no database knows that it is meant."""
    return CaseFact.id.in_(select(Case.id).where(Case.kind == literal_column("'application'")))


REGISTERS: Mapping[str, tuple[str, Any]] = {
    "complaints": ("complaint", None),
    "complaints_decided": ("complaint", select(Verdict.id).where(Verdict.case_id == CaseFact.id)),
    "complaints_justified": (
        "complaint", select(Verdict.id).where(Verdict.case_id == CaseFact.id, Verdict.outcome == "justified")
    ),
    "wishes": ("wish", None),
    "wishes_decided": (
        "wish",
        select(WishCase.id).join(Wish, Wish.id == WishCase.wish_id)
        .where(WishCase.case_id == CaseFact.id, Wish.state.in_(("accepted", "declined", "done"))),
    ),
}  # fmt: skip
"""Figure of the register → of which kind its cases are, and what there must be of them."""


def _registered(kind: str, being: Any) -> Cohort:
    more = [] if being is None else [being.exists()]
    return Cohort(
        CaseFact.opened_at,
        lambda cut, _now: [COUNTED, CaseFact.kind == kind, *more, *cut.within(CaseFact.opened_at)],
    )


def _routes(*where: ColumnElement[bool]) -> Cohort:
    return Cohort(
        RouteFact.asked_at, lambda cut, _now: [*where, *cut.within(RouteFact.asked_at)], RouteFact,
        department=RouteFact.department_id,
    )  # fmt: skip


def _route_late(now: datetime) -> ColumnElement[bool]:
    return or_(RouteFact.late, and_(RouteFact.outcome.is_(None), RouteFact.due_at < now))


def _in_queue(holder: str | None = None) -> Cohort:
    own = [] if holder is None else [CaseFact.holder == holder]
    return Cohort(CaseFact.opened_at, lambda _cut, _now: [OPEN, *own])


def _asked_marks(*where: ColumnElement[bool]) -> Cohort:
    """Answers with the line that the platforms took in the period, and what came of them."""
    return Cohort(
        Act.accepted_at,
        lambda cut, _now: [
            Act.kind.in_(WRITING), Act.state.in_(STANDING), *where, *cut.within(Act.accepted_at)
        ],
        Satisfaction, staff=Satisfaction.staff_id, through=(Act, Act.reply_id == Satisfaction.reply_id),
    )  # fmt: skip


def _judged(*where: ColumnElement[bool]) -> Cohort:
    """Marks that readers gave to answers of the period, one by one."""
    return Cohort(
        Review.answered_at,
        lambda cut, _now: [Review.state == "read", *where, *cut.within(Review.answered_at)],
        ReviewMark, staff=Review.staff_id, through=(Review, Review.id == ReviewMark.review_id),
    )  # fmt: skip


COHORTS: Mapping[str, Cohort] = {
    "came": Cohort(CaseFact.opened_at, lambda cut, _now: [COUNTED, *cut.within(CaseFact.opened_at)]),
    "checked": Cohort(
        CaseFact.opened_at, lambda cut, _now: [COUNTED, CaseFact.checked, *cut.within(CaseFact.opened_at)]
    ),
    "answered": Cohort(CaseFact.first_at, lambda cut, _now: [COUNTED, *cut.within(CaseFact.first_at)]),
    "waiting": Cohort(CaseFact.opened_at, lambda _cut, _now: [OPEN, UNANSWERED]),
    "first_met": Cohort(
        CaseFact.first_due_at,
        lambda cut, _now: [
            COUNTED, CaseFact.first_at <= CaseFact.first_due_at, *cut.within(CaseFact.first_due_at)
        ],
        staff=CaseFact.due_staff_id,
    ),
    "first_late": Cohort(
        CaseFact.first_due_at,
        lambda cut, now: [COUNTED, _first_late(now), *cut.within(CaseFact.first_due_at)], late=True,
        staff=CaseFact.due_staff_id,
    ),
    "resolved": Cohort(CaseFact.resolved_at, lambda cut, _now: [COUNTED, *cut.within(CaseFact.resolved_at)]),
    "resolution_met": Cohort(
        CaseFact.resolution_due_at,
        lambda cut, _now: [
            COUNTED, DONE, CaseFact.resolved_at <= CaseFact.resolution_due_at,
            *cut.within(CaseFact.resolution_due_at),
        ],
    ),
    "resolution_late": Cohort(
        CaseFact.resolution_due_at,
        lambda cut, now: [COUNTED, _resolution_late(now), *cut.within(CaseFact.resolution_due_at)], late=True,
    ),
    "legal_met": Cohort(
        CaseFact.legal_due_at,
        lambda cut, _now: [
            COUNTED, CaseFact.legal_done_at <= CaseFact.legal_due_at, *cut.within(CaseFact.legal_due_at)
        ],
    ),
    "legal_late": Cohort(
        CaseFact.legal_due_at,
        lambda cut, now: [
            COUNTED,
            or_(
                CaseFact.legal_done_at > CaseFact.legal_due_at,
                and_(CaseFact.legal_done_at.is_(None), CaseFact.legal_due_at < now),
            ),
            *cut.within(CaseFact.legal_due_at),
        ],
        late=True,
    ),
    "legal_open": Cohort(
        CaseFact.legal_due_at,
        lambda _cut, now: [OPEN, CaseFact.legal_done_at.is_(None), CaseFact.legal_due_at >= now],
    ),
    "queue": _in_queue(),
    "history": Cohort(
        CaseFact.opened_at, lambda _cut, _now: [CaseFact.counts.is_(False), CaseFact.holder.is_not(None)]
    ),
    "queue_desk": _in_queue("desk"),
    "queue_department": _in_queue("department"),
    "queue_client": _in_queue("client"),
    "late_now": Cohort(CaseFact.opened_at, lambda _cut, now: [late_now(now)], late=True),
    "due_today": Cohort(CaseFact.opened_at, _due_today),
    "led": Cohort(CaseFact.opened_at, lambda _cut, _now: [OPEN], staff=CaseFact.lead_id),
    "unled": Cohort(CaseFact.opened_at, lambda _cut, _now: [OPEN, CaseFact.lead_id.is_(None)]),
    "opened": _steps("opened"),
    "reopened": _steps("reopened"),
    "ended": _steps("resolved"),
    "reclassified": _steps("reclassified"),
    "answers": _steps("answered"),
    "assigned": _steps("assigned"),
    "again_known": Cohort(
        CaseFact.opened_at,
        lambda cut, _now: [COUNTED, *cut.within(CaseFact.opened_at), CaseFact.again.is_not(None)],
    ),
    "again_repeat": Cohort(
        CaseFact.opened_at, lambda cut, _now: [COUNTED, *cut.within(CaseFact.opened_at), CaseFact.again]
    ),
    "backlog": Cohort(CaseFact.opened_at, lambda cut, _now: [_open_at(cut.since)]),
    "resolved_cases": _steps("resolved", of_case=True),
    **{f"register_{name}": _registered(*rest) for name, rest in REGISTERS.items()},
    "applications": Cohort(
        CaseFact.opened_at, lambda cut, _now: [COUNTED, _application(), *cut.within(CaseFact.opened_at)]
    ),
    "applications_answered": Cohort(
        CaseFact.first_at, lambda cut, _now: [COUNTED, _application(), *cut.within(CaseFact.first_at)]
    ),
    "applications_dealt": Cohort(
        CaseFact.opened_at,
        lambda cut, _now: [
            COUNTED, _application(), select(Deal.id).where(Deal.case_id == CaseFact.id).exists(),
            *cut.within(CaseFact.opened_at),
        ],
    ),
    "asked": _routes(),
    "ask_answered": _routes(RouteFact.outcome == "answered"),
    "ask_declined": _routes(RouteFact.outcome == "declined"),
    "ask_returned": _routes(RouteFact.returns > 0),
    "ask_opened": _routes(RouteFact.accept_done_at <= RouteFact.accept_due_at),
    "ask_unopened": Cohort(
        RouteFact.asked_at,
        lambda cut, now: [
            func.coalesce(RouteFact.accept_done_at, now) > RouteFact.accept_due_at,
            or_(RouteFact.accept_done_at.is_not(None), RouteFact.outcome.is_(None)),
            *cut.within(RouteFact.asked_at),
        ],
        RouteFact, late=True, department=RouteFact.department_id,
    ),
    "ask_met": _routes(RouteFact.outcome == "answered", ~RouteFact.late, RouteFact.due_at.is_not(None)),
    "ask_late": Cohort(
        RouteFact.asked_at,
        lambda cut, now: [_route_late(now), RouteFact.due_at.is_not(None), *cut.within(RouteFact.asked_at)],
        RouteFact, late=True, department=RouteFact.department_id,
    ),
    "ask_overdue": Cohort(
        RouteFact.asked_at, lambda _cut, now: [RouteFact.outcome.is_(None), RouteFact.due_at < now], RouteFact,
        late=True, department=RouteFact.department_id,
    ),
    "mark_asked": _asked_marks(),
    "marked": _asked_marks(Satisfaction.mark.is_not(None)),
    "mark_good": _asked_marks(Satisfaction.mark >= 4),
    "reviewed": Cohort(
        Review.answered_at, lambda cut, _now: [Review.state == "read", *cut.within(Review.answered_at)], Review,
        staff=Review.staff_id,
    ),
    "judged": _judged(ReviewMark.mark.is_not(None)),
    "unjudged": _judged(ReviewMark.mark.is_(None)),
    **{
        f"{name}_{number}": _judged(ReviewMark.criterion == number, condition)
        for number in range(1, MOST_CRITERIA + 1)
        for name, condition in (
            ("judged", ReviewMark.mark.is_not(None)), ("unjudged", ReviewMark.mark.is_(None)),
        )
    },
}  # fmt: skip
"""Word in an address → the list. «now» lists do not ask for the period."""


def parts(
    session: Session, whole: str, names: Sequence[str], by: Any, cut: Cut, now: datetime, took: Any = None
) -> tuple[dict[str, Counter[Any]], dict[Any, Counter[int]]]:
    """``whole`` and lists that are parts of it → how many rows each has for a value of ``by``; and for each value
    how long it took (``took``, a column of minutes) in the first of the parts. One walk."""
    cohort, found = COHORTS[whole], {name: Counter[Any]() for name in (whole, *names)}
    bits = (case((and_(*COHORTS[name].where(cut, now)), 1 << place), else_=0) for place, name in enumerate(names))
    measure: Any = functools.reduce(operator.add, bits)
    if took is not None:  # above the bits, and one more, because 0 is of what has none
        measure += (func.coalesce(took, -1) + 1) * (1 << len(names))
    lengths: dict[Any, Counter[int]] = {}
    (told,) = tallies(session, cohort.query((by, measure), cut, now), (by,), measure)
    for value, numbers in told.items():
        for mask, number in numbers.items() if value is not ALL else ():
            for name in (whole, *(name for place, name in enumerate(names) if mask >> place & 1)):
                found[name][value] += number
            if mask & 1 and mask >> len(names):
                lengths.setdefault(value, Counter())[(mask >> len(names)) - 1] += number
    return found, lengths


OF_NOW = frozenset(
    ["waiting", "queue", "history", "queue_desk", "queue_department", "queue_client", "late_now", "due_today",
     "led", "unled", "legal_open", "ask_overdue"]
)  # fmt: skip


def count(session: Session, name: str, cut: Cut, now: datetime, *extra: ColumnElement[bool]) -> int:
    """How many rows the list has."""
    cohort = COHORTS[name]
    return session.scalar(cohort.query((func.count(),), cut, now).where(*extra)) or 0


def counts(session: Session, name: str, by: Any, cut: Cut, now: datetime) -> dict[Any, int]:
    """How many rows the list has for each value of ``by``."""
    (found,) = tallies(session, COHORTS[name].query((by,), cut, now), (by,))
    return {value: sum(numbers.values()) for value, numbers in found.items() if value is not ALL}
