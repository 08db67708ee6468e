"""What narrows a list of cases: each word of the address bar is a condition, joined by AND, their groups by OR."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, literal_column, not_, or_, select

from models import Act, Case, CaseTag, Message, Route, Signal, Source, utc_now
from services.kinds import HIGH
from services.rights import Actor
from services.route_states import OWED

MOST_GROUPS, MOST_CONDITIONS = 5, 6
"""Of a filter that joins by OR, and of each of its groups."""


@dataclass(frozen=True, slots=True)
class Condition:
    """``field`` is a key of FIELDS, ``value`` what it must be; ``negated``: must not be."""

    field: str
    value: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address bar says; None means «any»."""

    stage: str | None = None  # new · work · wait · later · closed; None: all open ones in sight
    label: str | None = None  # a label, or «unsure»
    platform: str | None = None
    source_id: int | None = None
    department_id: int | None = None  # waits for this department
    mine: bool = False
    unassigned: bool = False
    lift: str | None = None  # answer · failed · unknown
    author_id: int | None = None
    visibility: str | None = None  # public · private
    assignee_id: int | None = None
    older: int | None = None  # opened more than so many days ago
    newer: int | None = None  # opened within so many days
    sort: str = "new"  # new · wait: the longest wait first · due: the nearest deadline first
    burning: bool = False  # most of its time is over
    kind: str | None = None  # of work: services.kinds
    theme: str | None = None  # the leading one
    signal: str | None = None  # a name, or «any»: nobody has said no to it
    wave_id: int | None = None  # near copies of one message
    repeated: bool = False  # has near copies
    urgent: bool = False  # critical or high
    tag_id: int | None = None
    unended: bool = False  # a public complaint that was closed without a word of ours to be seen there
    groups: tuple[tuple[Condition, ...], ...] = ()  # besides all that: one of these groups holds wholly

    @property
    def is_personal(self) -> bool:
        """Whether it finds other cases for somebody else."""
        return self.mine or any(one.value == "me" for group in self.groups for one in group)


Fit = Callable[[Any, Actor], ColumnElement[bool]]


def _tagged(value: Any, _actor: Actor) -> ColumnElement[bool]:
    return Case.id.in_(select(CaseTag.case_id).where(CaseTag.tag_id == int(value)))


def _labelled(value: Any, _actor: Actor) -> ColumnElement[bool]:
    if value == "unsure":
        return or_(Case.label.is_(None), Case.sure.is_(False))
    return and_(Case.label == value, Case.sure)


def _led(value: Any, actor: Actor) -> ColumnElement[bool]:
    if value == "none":
        return Case.assignee_id.is_(None)
    return Case.assignee_id == (actor.staff_id if value == "me" else int(value))


def _owed(value: Any, _actor: Actor) -> ColumnElement[bool]:
    return Case.id.in_(select(Route.case_id).where(Route.department_id == int(value), Route.state.in_(OWED)))


def _raised(value: Any, _actor: Actor) -> ColumnElement[bool]:
    """Cases with a signal; of one named also those that a person has confirmed."""
    raised = select(Message.case_id).join(Signal, Signal.message_id == Message.id)
    standing = ("proposed", "yes") if value != "any" else ("proposed",)
    raised = raised.where(Signal.state.in_(standing), Message.case_id.is_not(None))
    if value != "any":
        raised = raised.where(Signal.name == value)
    return Case.id.in_(raised)


def _unended(_value: Any, _actor: Actor) -> ColumnElement[bool]:
    """Whoever reads along sees a complaint and no end of it (day.md §4)."""
    said = exists().where(Act.case_id == Case.id, Act.kind == "reply", Act.state.in_(("accepted", "seen")))
    return and_(
        Case.visibility == "public", Case.label == "complaint", Case.state.in_(("solved", "closed", "no_answer")),
        func.coalesce(Case.close_reason, "") != "answered_in_thread", ~said,
    )  # fmt: skip


FIELDS: Mapping[str, Fit] = {
    "label": _labelled,
    "platform": lambda value, _: Case.source_id.in_(select(Source.id).where(Source.platform == value)),
    "source": lambda value, _: Case.source_id == int(value),
    "tag": _tagged,
    "kind": lambda value, _: Case.kind == value,
    "theme": lambda value, _: Case.theme == value,
    "signal": _raised,
    "assignee": _led,
    "department": _owed,
    "stage": lambda value, _: Case.stage == value,
    "lift": lambda value, _: Case.lift == value,
    "visibility": lambda value, _: Case.visibility == value,
    "older": lambda value, _: Case.opened_at < utc_now() - timedelta(days=int(value)),
    "newer": lambda value, _: Case.opened_at >= utc_now() - timedelta(days=int(value)),
    "urgent": lambda _value, _: Case.priority <= HIGH,
    "author": lambda value, _: Case.author_id == int(value),
    "unended": _unended,
}
"""Name in the address bar → the condition of a value. Values come checked, see web.filters."""


def fits(condition: Condition, actor: Actor) -> ColumnElement[bool]:
    """A negated one also holds where the column is empty."""
    said = FIELDS[condition.field](condition.value, actor)
    return not_(func.coalesce(said, false())) if condition.negated else said


def branches(filters: Filters) -> tuple[tuple[Condition, ...], ...]:
    """The groups that a list is put together of: each is an AND that an index may walk by itself."""
    return filters.groups or ((),)


def narrowed(
    query: Select[Any], filters: Filters, actor: Actor, arriving: bool, group: tuple[Condition, ...] = ()
) -> Select[Any]:
    """``query`` over cases with all that ``filters`` want, and with one of its groups."""
    query = query.where(in_stage(filters.stage, arriving), *(fits(one, actor) for one in group))
    if filters.burning:
        query = query.where(Case.warn_at <= utc_now())
    if filters.sort == "due":
        query = query.where(Case.due_at.is_not(None))
    if filters.mine:
        query = query.where(Case.assignee_id == actor.staff_id)
    if filters.unassigned:
        query = query.where(Case.assignee_id.is_(None))
    if filters.wave_id:
        query = query.where(Case.wave_id == filters.wave_id)
    if filters.repeated:
        query = query.where(Case.wave_id.is_not(None))
    simple = {
        "label": filters.label, "platform": filters.platform, "source": filters.source_id, "lift": filters.lift,
        "author": filters.author_id, "visibility": filters.visibility, "assignee": filters.assignee_id,
        "older": filters.older, "newer": filters.newer, "kind": filters.kind, "theme": filters.theme,
        "urgent": filters.urgent, "signal": filters.signal, "department": filters.department_id,
        "tag": filters.tag_id, "unended": filters.unended,
    }  # fmt: skip
    return query.where(*(FIELDS[name](value, actor) for name, value in simple.items() if value))


def in_stage(stage: str | None, arriving: bool) -> ColumnElement[bool]:
    """Said so that the indexes of open cases fit: a list of stages would be sorted anew for every page."""
    if stage is None:
        hidden = ("later",) if arriving else ("later", "arriving")
        return and_(Case.open_key.is_not(None), Case.stage.not_in(hidden))
    if stage == "new" and arriving:
        return and_(Case.open_key.is_not(None), Case.stage.not_in(("later", "work", "wait")))
    if stage == "closed":
        return Case.stage == literal_column("'closed'")  # as the indexes of closed cases say it
    return Case.stage == stage
