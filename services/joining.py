"""Two cases of one matter become one: what stands in them moves, the strictest deadline counts (domain.md §6.1)."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import (
    Act,
    Call,
    Case,
    CaseTag,
    Draft,
    Excerpt,
    Follower,
    Mention,
    Message,
    Note,
    Reply,
    ReplyFile,
    Route,
    Task,
)
from services.case_states import is_open, move
from services.cases import check_version, get_case, give_numbers
from services.errors import Refused
from services.events import record
from services.excerpts import MARK
from services.presets import ANSWERED_KINDS
from services.rights import Actor, require
from services.sla import take_clocks

MOVED: tuple[tuple[Any, Any], ...] = (
    *((table, table.case_id) for table in (Message, Route, Note, Mention, Reply, ReplyFile, Act, Task, Call)),
    (Excerpt, Excerpt.from_case_id),
)
"""What stands in a case and goes on in another, and by which column; its history stays where it was written."""
ONCE: tuple[tuple[Any, Any, Any], ...] = (
    (Follower, Follower.case_id, Follower.staff_id),
    (CaseTag, CaseTag.case_id, CaseTag.tag_id),
)
"""What a case has once of each: who follows it, its marks."""


def find_case(session: Session, actor: Actor, number: str) -> Case | None:
    """The case of a number as people write it: «ОБ-2026-000123» or «2026-123»."""
    require(actor, "case.view")
    year, _dash, count = number.strip().upper().removeprefix("ОБ-").partition("-")
    if not (year.isdecimal() and count.isdecimal()):
        return None
    return session.scalar(select(Case).where(Case.number == f"ОБ-{int(year)}-{int(count):06d}"))


def join_cases(session: Session, actor: Actor, case_id: int, into_id: int, version: int | None = None) -> Case:
    """Everything of the first case goes on in the second, which is returned; whoever wrote where is answered there.

    Refuses a part of a message (it is joined to its own), a case that is over, and one of a legal kind into
    another kind: then the other way about.
    """
    require(actor, "case.assign")
    if case_id == into_id:
        raise Refused("join.same")
    first, second = (get_case(session, actor, one, hold=True) for one in sorted((case_id, into_id)))
    gone, kept = (first, second) if first.id == case_id else (second, first)
    check_version(gone, version)
    if MARK in gone.subject_key or gone.first_message_id is None or kept.first_message_id is None:
        raise Refused("join.part")
    if not is_open(gone) or not is_open(kept):
        raise Refused("join.over")
    if gone.kind in ANSWERED_KINDS and gone.kind != kept.kind:
        raise Refused("join.grave", kind=gone.kind)
    give_numbers(session, [gone, kept], actor)
    for table, column in MOVED:
        session.execute(update(table).where(column == gone.id).values({column: kept.id}))
    for once, of_case, of_other in ONCE:
        known = select(of_other).where(of_case == kept.id).scalar_subquery()
        query = update(once).where(of_case == gone.id, of_other.not_in(known))
        session.execute(query.values({of_case: kept.id}))
    _take_drafts(session, gone, kept)
    session.flush()
    session.expire_all()
    take_clocks(session, gone, kept)
    kept.opened_at, kept.last_message_at = (
        min(gone.opened_at, kept.opened_at),
        max(gone.last_message_at, kept.last_message_at),
    )
    kept.priority, kept.lift = min(gone.priority, kept.priority), kept.lift or gone.lift
    kept.version += 1
    if gone.state == "department" and kept.state != "department":
        move(session, kept, "department", actor)
    move(session, gone, "merged", actor)
    for case, other in ((gone, kept), (kept, gone)):
        record(session, "case.joined", actor, case_id=case.id, object_id=other.id)
    return kept


def _take_drafts(session: Session, gone: Case, kept: Case) -> None:
    """What somebody was writing goes on below what they have begun there."""
    begun = {row.staff_id: row for row in session.scalars(select(Draft).where(Draft.case_id == kept.id))}
    for draft in session.scalars(select(Draft).where(Draft.case_id == gone.id)).all():
        known = begun.get(draft.staff_id)
        if known is None:
            draft.case_id = kept.id
        else:
            known.text = "\n\n".join(part for part in (known.text, draft.text) if part.strip())
            session.delete(draft)
