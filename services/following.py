"""Who follows a case, and who was called to it by @ in a note: both are told behind the bell."""

import re
from collections.abc import Collection, Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models import Event, Follower, Mention, Note, Notice, Staff, utc_now
from services.absences import quiet_until
from services.case_states import STAGES
from services.cases import get_case
from services.events import hear
from services.leases import insert_missing
from services.rights import Actor, actor_of, require
from services.terms import policy_of

MENTION, FOLLOWED = "note.mention", "case.followed"
"""Kinds of notices."""
NEWS = frozenset(
    {"case.attached", "note.added", "route.answered", "route.declined", "case.reopened", "act.failed", "case.moved"}
)
"""Events of a case that its followers are told of; of its moves only the one that ends it."""


def follow(session: Session, actor: Actor, case_id: int) -> None:
    """Whoever follows a case is told what happens to it; twice is once."""
    require(actor, "case.note")
    case = get_case(session, actor, case_id)
    row = {"case_id": case.id, "staff_id": actor.staff_id, "created_at": utc_now()}
    insert_missing(session, Follower, [row], "case_id", "staff_id")


def unfollow(session: Session, actor: Actor, case_id: int) -> None:
    require(actor, "case.note")
    case = get_case(session, actor, case_id)
    mine = delete(Follower).where(Follower.case_id == case.id, Follower.staff_id == actor.staff_id)
    session.execute(mine)


def followers_of(session: Session, case_id: int) -> list[tuple[int, str]]:
    """(staff id, name) by name."""
    rows = session.execute(
        select(Staff.id, Staff.name)
        .join(Follower, Follower.staff_id == Staff.id)
        .where(Follower.case_id == case_id)
        .order_by(Staff.name)
    )
    return [(row[0], row[1]) for row in rows]


def called_in(text: str, people: Sequence[Staff]) -> list[Staff]:
    """Those whom «@Имя Фамилия» in a text calls; the first name alone calls whoever bears it alone."""
    found: dict[int, Staff] = {}
    rest = text
    for person in sorted(people, key=lambda one: -len(one.name)):
        rest, times = re.subn(rf"(?i)(?<!\w)@{re.escape(person.name)}(?!\w)", " ", rest)
        if times:
            found[person.id] = person
    for word in re.findall(r"(?<!\w)@(\w+)", rest):
        bearers = [one for one in people if one.name.split()[:1] and one.name.split()[0].lower() == word.lower()]
        if len(bearers) == 1:
            found[bearers[0].id] = bearers[0]
    return sorted(found.values(), key=lambda one: one.id)


def _tell_news(session: Session, events: Sequence[Event]) -> None:
    of_cases = [one for one in events if one.case_id is not None]
    news = [one for one in of_cases if one.kind != "case.moved" or STAGES[one.data["new"]] == "closed"]
    by = {one.case_id: one.staff_id for one in news}
    called: dict[int, set[int]] = {}
    for one in news:
        if one.kind == "note.added":
            called.setdefault(one.case_id or 0, set()).update(_call(session, one.case_id or 0, one.object_id or 0))
    if not by:
        return
    rows = session.execute(select(Follower.case_id, Follower.staff_id).where(Follower.case_id.in_(by)))
    for case_id, staff_id in rows.all():
        if staff_id != by[case_id] and staff_id not in called.get(case_id, ()):
            _tell(session, [staff_id], FOLLOWED, case_id)


hear(NEWS, _tell_news)


def _call(session: Session, case_id: int, note_id: int) -> Collection[int]:
    """Those who may see the case; the writer is not called by themselves."""
    note = session.get(Note, note_id)
    if note is None or "@" not in note.text:
        return ()
    people = [one for one in session.scalars(select(Staff).where(Staff.active)) if actor_of(one).may("case.view")]
    called = [one.id for one in called_in(note.text, people) if one.id != note.staff_id]
    session.add_all(Mention(note_id=note.id, case_id=case_id, staff_id=staff_id) for staff_id in called)
    _tell(session, called, MENTION, case_id)
    return called


def _tell(session: Session, staff_ids: Sequence[int], kind: str, case_id: int) -> None:
    """One line a case and kind: the new one stands for those before it."""
    now, policy = utc_now(), policy_of(session)
    for staff_id in staff_ids:
        session.execute(
            update(Notice)
            .where(Notice.staff_id == staff_id, Notice.kind == kind, Notice.case_id == case_id)
            .where(Notice.seen_at.is_(None))
            .values(seen_at=now)
        )
        show_at = quiet_until(session.get(Staff, staff_id), policy, now)
        session.add(Notice(staff_id=staff_id, kind=kind, case_id=case_id, show_at=show_at, created_at=now))
