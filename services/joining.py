"""Two cases of one matter become one: what stands in them moves, the strictest deadline counts (domain.md §6.1)."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, inspect, or_, select, update
from sqlalchemy.orm import Session

from models import (
    Act,
    Amendment,
    BroadcastIncident,
    BroadcastQuestion,
    Call,
    Case,
    CaseTag,
    Clock,
    Contract,
    Deal,
    Decision,
    Draft,
    Excerpt,
    Follower,
    Incident,
    IncidentCase,
    Joining,
    Mention,
    Message,
    Note,
    Notice,
    PrivacyRequest,
    Reply,
    ReplyFile,
    Review,
    ReviewMark,
    Route,
    Satisfaction,
    Snooze,
    Source,
    Task,
    Termination,
    Verdict,
    WishCase,
    utc_now,
)
from services.case_states import MOVES, is_open, move, wake
from services.cases import check_version, get_case, give_numbers
from services.crm.identities import client_of_author
from services.errors import Refused
from services.events import last_event_id, record
from services.excerpts import MARK
from services.incidents.gathering import count_of
from services.presets import ANSWERED_KINDS
from services.rights import Actor, require
from services.sla import take_clocks

MOVED: tuple[Any, ...] = (
    Message.case_id, Route.case_id, Note.case_id, Mention.case_id, Notice.case_id, Reply.case_id, ReplyFile.case_id,
    Act.case_id, Task.case_id, Call.case_id, Deal.case_id, Contract.case_id, Amendment.case_id, Termination.case_id,
    Decision.case_id, PrivacyRequest.case_id, BroadcastQuestion.case_id, BroadcastIncident.case_id,
    Incident.case_id, Review.case_id, ReviewMark.case_id, Excerpt.from_case_id,
)  # fmt: skip
"""What stands in a case and goes on in another; its history stays where it was written."""
ONCE: tuple[tuple[Any, Any], ...] = (
    (Follower.case_id, Follower.staff_id),
    (CaseTag.case_id, CaseTag.tag_id),
    (WishCase.case_id, None),
    (IncidentCase.case_id, None),
    (Verdict.case_id, None),
    (Satisfaction.case_id, None),
)
"""What a case has once of each (who follows it, its marks) or once at all: it goes on where there is none yet."""
STAY = ("case_fact.id", "case_step.case_id", "lead_fact.case_id", "route_fact.case_id", "clock.case_id",
        "snooze.case_id", "outreach.case_id", "excerpt.case_id", "draft.case_id", "joining.gone_id",
        "joining.kept_id")  # fmt: skip
"""What is reckoned anew, ends, moves by rules of its own (services.sla, below), or belongs to cases that are not
joined. Every column that names a case stands in one of the three tables."""


def find_case(session: Session, actor: Actor, number: str) -> Case | None:
    """The case of a number as people write it: «ОБ-2026-000123» or «2026-123»."""
    require(actor, "case.view")
    year, _dash, count = number.strip().upper().removeprefix("ОБ-").partition("-")
    if not (year.isdecimal() and count.isdecimal()):
        return None
    return session.scalar(select(Case).where(Case.number == f"ОБ-{int(year)}-{int(count):06d}"))


def join_cases(session: Session, actor: Actor, case_id: int, into_id: int, version: int | None = None) -> Case:
    """Everything of the first case goes on in the second, which is returned; whoever wrote where is answered there.

    Refuses cases of two people (accounts of one card are one), a part of a message (it is joined to its own), a
    case that is over, and one of a legal kind into another kind: then the other way about.
    """
    require(actor, "case.assign")
    if case_id == into_id:
        raise Refused("join.same")
    hold_rows(session, case_id, into_id)
    first, second = (get_case(session, actor, one, hold=True) for one in sorted((case_id, into_id)))
    gone, kept = (first, second) if first.id == case_id else (second, first)
    check_version(gone, version)
    _check(session, gone, kept)
    give_numbers(session, [gone, kept], actor)
    before = state_of(session, gone, kept)
    moved = _move_rows(session, gone, kept)
    lift, answered, was = kept.lift or gone.lift, gone.first_reply_at, gone.state
    opened = max(min(gone.opened_at, kept.opened_at), session.get_one(Source, kept.source_id).created_at)
    kept.opened_at = min(kept.opened_at, opened)
    kept.last_message_at = max(gone.last_message_at, kept.last_message_at)
    kept.priority = min(gone.priority, kept.priority)
    if answered is not None and kept.kind != "crisis":
        kept.first_reply_at = min(answered, kept.first_reply_at or answered)
    kept.version += 1
    _carry_state(session, kept, was, actor, lift)
    kept.lift = lift
    take_clocks(session, gone, kept)
    move(session, gone, "merged", actor)
    for case, other in ((gone, kept), (kept, gone)):
        record(session, "case.joined", actor, case_id=case.id, object_id=other.id)
    session.flush()
    session.add(
        Joining(
            gone_id=gone.id, kept_id=kept.id, staff_id=actor.staff_id, moved=moved, before=before,
            after=state_of(session, gone, kept), event_id=last_event_id(session),
        )
    )  # fmt: skip
    session.flush()
    return kept


def hold_rows(session: Session, *case_ids: int) -> None:
    """In the order in which everybody takes them: incidents, rows of a case as labelling and the outbox hold them,
    and only then the case."""
    named = select(IncidentCase.incident_id).where(IncidentCase.case_id.in_(case_ids))
    held = select(Incident.id).where(or_(Incident.id.in_(named), Incident.case_id.in_(case_ids)))
    session.execute(held.order_by(Incident.id).with_for_update())
    for column in (Message.case_id, Act.case_id):
        rows = select(column.class_.id).where(column.in_(case_ids)).order_by(column.class_.id)
        session.execute(rows.with_for_update())


CASE_KEPT = ("state", "lift", "opened_at", "last_message_at", "first_reply_at", "priority")


def state_of(session: Session, *cases: Case) -> dict[str, Any]:
    """case id → what a joining may change in the case itself; «clocks»: clock id → its columns; «incidents»: which
    hold which of the cases. A case that was put off is where it was before that."""
    session.flush()
    ids = [case.id for case in cases]
    query = select(Snooze.case_id, Snooze.state).where(Snooze.case_id.in_(ids))
    off = {row[0]: row[1] for row in session.execute(query)}
    found: dict[str, Any] = {}
    for case in cases:
        values = {name: _plain(getattr(case, name)) for name in CASE_KEPT}
        if case.state == "snoozed":
            values["state"] = off.get(case.id) or "work"
        found[str(case.id)] = values
    clocks = session.scalars(select(Clock).where(Clock.case_id.in_(ids)).order_by(Clock.id))
    found["clocks"] = {
        str(clock.id): {column.key: _plain(getattr(clock, column.key)) for column in inspect(Clock).column_attrs}
        for clock in clocks
    }
    links = select(IncidentCase.id, IncidentCase.incident_id).where(
        IncidentCase.case_id.in_(ids), IncidentCase.out_at.is_(None)
    )
    found["incidents"] = {str(row[0]): row[1] for row in session.execute(links)}
    return found


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _check(session: Session, gone: Case, kept: Case) -> None:
    if MARK in gone.subject_key or MARK in kept.subject_key:
        raise Refused("join.part")
    if gone.first_message_id is None or kept.first_message_id is None:
        raise Refused("join.part")
    if not is_open(gone) or not is_open(kept):
        raise Refused("join.over")
    if gone.kind in ANSWERED_KINDS and gone.kind != kept.kind:
        raise Refused("join.grave", kind=gone.kind)
    if gone.author_id != kept.author_id:
        clients = [client_of_author(session, one.author_id) for one in (gone, kept)]
        if clients[0] is None or clients[0] is not clients[1]:
            raise Refused("join.people")  # what one wrote is neither shown nor put out with the other


def _move_rows(session: Session, gone: Case, kept: Case) -> dict[str, list[int]]:
    """Column → ids of the rows that went over."""
    moved: dict[str, list[int]] = {}
    for column in MOVED:
        moved[str(column)] = _move(session, column, select(column.class_.id).where(column == gone.id), kept)
    for of_case, of_other in ONCE:
        wanted = select(of_case.class_.id).where(of_case == gone.id)
        if of_other is not None:
            wanted = wanted.where(of_other.not_in(select(of_other).where(of_case == kept.id).scalar_subquery()))
        elif session.scalar(select(of_case.class_.id).where(of_case == kept.id).limit(1)) is not None:
            continue
        moved[str(of_case)] = _move(session, of_case, wanted, kept)
    moved[str(Draft.case_id)] = _take_drafts(session, gone, kept)
    session.flush()
    session.expire_all()
    left = session.scalar(
        select(IncidentCase).where(IncidentCase.case_id == gone.id, IncidentCase.out_at.is_(None))
    )
    if left is not None:
        left.out_at = utc_now()
        session.flush()
        incident = session.get_one(Incident, left.incident_id)
        incident.count = count_of(session, incident.id)
    return {column: ids for column, ids in moved.items() if ids}


def _move(session: Session, column: Any, wanted: Select[Any], kept: Case) -> list[int]:
    ids = list(session.scalars(wanted.order_by(column.class_.id)))
    if ids:
        session.execute(update(column.class_).where(column.class_.id.in_(ids)).values({column: kept.id}))
    return ids


def _carry_state(session: Session, kept: Case, was: str, actor: Actor, lift: str | None) -> None:
    """What the other case waited for goes on; what nobody had answered there is nobody's wait here."""
    wake(session, kept, actor, lift)
    if was in ("approval", "department"):
        if (kept.state, was) in MOVES:
            move(session, kept, was, actor)
    elif kept.state == "author" and was not in ("author", "snoozed"):
        move(session, kept, "work", actor)


def _take_drafts(session: Session, gone: Case, kept: Case) -> list[int]:
    """What somebody was writing goes on below what they have begun there; returns the drafts that went over."""
    moved = []
    begun = {row.staff_id: row for row in session.scalars(select(Draft).where(Draft.case_id == kept.id))}
    for draft in session.scalars(select(Draft).where(Draft.case_id == gone.id)).all():
        known = begun.get(draft.staff_id)
        if known is None:
            draft.case_id = kept.id
            moved.append(draft.id)
        else:
            known.text = "\n\n".join(part for part in (known.text, draft.text) if part.strip())
            session.delete(draft)
    return moved
