"""Two cases of one matter become one: what stands in them moves, the strictest deadline counts (domain.md §6.1)."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Act, Case, Message, Note, Reply, Route
from services.case_states import is_open, move
from services.cases import check_version, get_case, give_numbers
from services.errors import Refused
from services.events import record
from services.excerpts import MARK
from services.presets import ANSWERED_KINDS
from services.rights import Actor, require
from services.sla import take_clocks

MOVED = (Message, Route, Note, Reply, Act)
"""What stands in a case and goes on in another; its history stays where it was written."""


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
    for table in MOVED:
        session.execute(update(table).where(table.case_id == gone.id).values(case_id=kept.id))
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
