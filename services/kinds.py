"""The kind of work on a case: one table of the department's over label, themes, signals, words and visibility."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from classifier import Kind, kind_of
from models import Case, IncidentCase, Label, Message, Setting, Signal
from services.errors import Refused
from services.excerpts import MARK, excerpt_of
from services.rights import Actor, require
from services.settings.history import keep
from services.sla import calm, reclassify

NAME = "kinds"
TECHNICAL = "technical"
HIGH = 1
"""The priority that a reopened case has at least (domain.md §6.7)."""


def own_table(session: Session) -> list[dict[str, Any]] | None:
    """The table as the department has edited it; None: as it came."""
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    return list(row.value["rows"]) if row else None


def confirmed_signals(session: Session, case_ids: Sequence[int]) -> dict[int, set[str]]:
    """case id → signals that a person confirmed: only those bind (day.md §1.5)."""
    found: dict[int, set[str]] = {}
    query = (
        select(Message.case_id, Signal.name)
        .join(Signal, Signal.message_id == Message.id)
        .where(Message.case_id.in_(case_ids), Signal.state == "yes")
    )
    for case_id, name in session.execute(query):
        found.setdefault(int(case_id or 0), set()).add(name)
    return found


def themes_of(session: Session, message_ids: Sequence[int]) -> dict[int, list[str]]:
    """message id → its themes, the leading one first: a person's newest word, else the classifier's."""
    query = select(Label).where(Label.message_id.in_(message_ids), Label.themes.is_not(None))
    return themes_among(session.scalars(query.order_by(Label.id)))


def themes_among(rows: Iterable[Label]) -> dict[int, list[str]]:
    """What `themes_of` finds, among these rows in the order of their ids."""
    found: dict[int, tuple[bool, list[str]]] = {}
    for row in rows:
        is_said = row.staff_id is not None
        if row.themes is not None and (is_said or not found.get(row.message_id, (False,))[0]):
            found[row.message_id] = (is_said, list(row.themes))
    return {message_id: themes for message_id, (_, themes) in found.items()}


def themes_said(session: Session, message_ids: Sequence[int]) -> dict[int, list[str]]:
    """message id → the themes that a person named, for those of which a person did."""
    query = (
        select(Label.message_id, Label.themes)
        .where(Label.message_id.in_(message_ids), Label.themes.is_not(None), Label.staff_id.is_not(None))
        .order_by(Label.id)
    )
    return {message_id: list(themes) for message_id, themes in session.execute(query)}


def set_kind(
    session: Session,
    case: Case,
    themes: Sequence[str],
    signals: Collection[str],
    text: str,
    table: list[dict[str, Any]] | None,
) -> None:
    """What follows from the case's label: kind, theme, department, priority; clocks that run get its terms."""
    found = kind_of(case.label or "other", themes, signals, table, text=text, visibility=case.visibility)
    if case.label is None and not signals:
        found = Kind("other", found.department)
    changed = case.kind != found.name
    case.kind = found.name if case.label is not None or signals else None
    case.theme, case.department = (themes[0] if themes else None), found.department
    case.priority, case.sentiment = found.priority, found.sentiment
    if case.kind == TECHNICAL and _is_mass(session, case):
        case.priority = 0
    elif case.reopened:
        case.priority = min(case.priority, HIGH)
    elif case.number is not None and case.due_at is None and case.first_reply_at is None:
        calm(case)
    if (changed or case.kind == TECHNICAL) and case.number is not None:
        reclassify(session, case)


def raise_mass(session: Session, case: Case) -> None:
    """A technical case that came into an incident is critical and has the terms of TECH0, from its receipt on."""
    if case.kind == TECHNICAL and case.priority > 0:
        case.priority = 0
        reclassify(session, case)


def _is_mass(session: Session, case: Case) -> bool:
    """Whether it stands in an incident: what fails for many at once is TECH0 (domain.md §6.7)."""
    if case.id is None:
        return False
    stands = exists().where(IncidentCase.case_id == case.id, IncidentCase.out_at.is_(None))
    return bool(session.scalar(select(stands)))


def renew_kind(session: Session, case: Case, message: Message | None = None) -> None:
    """Reckons the kind anew after a person's word on label, themes or signals; of the first message by default.

    A case that is about a part of a message has the kind of those words.
    """
    part = excerpt_of(session, case.id) if MARK in case.subject_key else None
    if part is not None:
        set_kind(session, case, [case.theme] if case.theme else (), (), part.text, own_table(session))
        return
    message = message or (session.get(Message, case.first_message_id) if case.first_message_id else None)
    if message is None:
        return
    themes = themes_of(session, [message.id]).get(message.id, [])
    signals = confirmed_signals(session, [case.id]).get(case.id, set())
    set_kind(session, case, themes, signals, message.text, own_table(session))


def save_table(session: Session, actor: Actor, rows: Sequence[dict[str, Any]] | None) -> None:
    """Keeps the department's own table, None brings back the one that came; it holds from now on."""
    from classifier.kinds import check_rows

    require(actor, "settings.edit")
    try:
        check_rows(rows or ())
    except ValueError as error:
        raise Refused("kinds.row", text=str(error)) from None
    keep(session, actor, NAME, None if rows is None else {"rows": list(rows)})
