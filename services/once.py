"""A form that comes twice makes one thing: the rows that keep the key of the form they came by."""

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Contract, Decision, Document

T = TypeVar("T", Contract, Decision, Document)


def add_once(session: Session, row: T) -> T:
    """``row``, or what the same form has made before, also where both presses came at one moment."""
    known = _by_form(session, row)
    if known is not None:
        return known
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        known = _by_form(session, row)
        if known is None:
            raise
        return known
    return row


def _by_form(session: Session, row: T) -> T | None:
    if not row.form_key:
        return None
    table = type(row)
    return session.scalar(select(table).where(table.form_key == row.form_key))
