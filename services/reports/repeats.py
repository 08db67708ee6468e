"""Repeats (domain.md §8, report 10): whose case on a theme had another of theirs that ended shortly before."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, bindparam, cast, or_, select, update
from sqlalchemy.orm import Session, aliased

from models import CaseFact
from services.reports.moments import DaysBefore

SAME_MATTER_DAYS = 14
"""A case on a theme of which another of the same person was resolved so short before is a repeat."""
BATCH = 500

_BEFORE = aliased(CaseFact)
_EARLIER = (
    select(_BEFORE.id)
    .where(
        _BEFORE.person == CaseFact.person, _BEFORE.theme == CaseFact.theme, _BEFORE.counts,
        _BEFORE.id != CaseFact.id, _BEFORE.resolved_at <= CaseFact.opened_at,
        _BEFORE.resolved_at >= DaysBefore(CaseFact.opened_at, SAME_MATTER_DAYS),
    )
    .exists()
)  # fmt: skip
_PEOPLE: Any = bindparam("people", expanding=True)
_SINCE: Any = bindparam("since", type_=CaseFact.opened_at.type)
# Whatever ended before the first change cannot have another's end shortly before it.
_THEIRS = select(CaseFact.id, CaseFact.again, cast(_EARLIER, Boolean).label("is_repeat")).where(
    CaseFact.person.in_(_PEOPLE), or_(CaseFact.resolved_at.is_(None), CaseFact.resolved_at >= _SINCE),
    CaseFact.opened_at >= _SINCE,
).order_by(CaseFact.id)  # fmt: skip
_MARK = (
    update(CaseFact).where(CaseFact.id == bindparam("case_id")).values(again=bindparam("is_repeat"))
    .execution_options(synchronize_session=False)
)  # fmt: skip


def mark_repeats(session: Session, changed: Iterable[Mapping[str, Any]]) -> None:
    """Says of every case anew whether it is a repeat, that rows of facts, as they were and as they are, may have to
    do with."""
    people: dict[int, datetime] = {}
    for row in changed:
        if row["person"] is not None:
            since = min(at for at in (row["opened_at"], row["resolved_at"]) if at is not None)
            people[row["person"]] = min(since, people.get(row["person"], since))
    ordered = sorted(people)
    for start in range(0, len(ordered), BATCH):
        part = ordered[start : start + BATCH]
        asked = {"people": part, "since": min(people[one] for one in part)}
        differing = [
            {"case_id": row.id, "is_repeat": row.is_repeat}
            for row in session.execute(_THEIRS, asked)
            if row.again is not row.is_repeat
        ]
        if differing:
            session.connection().execute(_MARK, differing)
