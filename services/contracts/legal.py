"""The reference of norms, dated: what contracts must hold by them, and which of them end (R-01, R-02)."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import LegalRef, Template, utc_now
from services.errors import NotFound
from services.events import record
from services.rights import DESK, Actor, require

SOURCE = Path(__file__).with_name("legal.yaml")
WARN_DAYS = 30
"""A banner stands that many days before an act ends: for one that ends on 31 December, from the first of it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """An act that ends or has ended, with the templates in force that cite it."""

    ref: LegalRef
    templates: tuple[Template, ...]
    is_over: bool


def list_norms(session: Session) -> list[LegalRef]:
    return list(session.scalars(select(LegalRef).order_by(LegalRef.id)))


def ending_norms(session: Session, today: date) -> list[Ending]:
    """What needs the head's eye: acts that end within thirty days or are over, and are cited, and not confirmed."""
    found = []
    for ref in list_norms(session):
        if ref.valid_to is None or ref.confirmed_at is not None or ref.valid_to > today + timedelta(days=WARN_DAYS):
            continue
        citing = tuple(
            row
            for row in session.scalars(select(Template).where(Template.state == "force"))
            if ref.code in row.legal
        )
        if citing:
            found.append(Ending(ref, citing, ref.valid_to < today))
    return found


def blocked_by(session: Session, template: Template, day: date) -> list[LegalRef]:
    """Acts that the template cites and that are not in force on ``day``, unless the head has confirmed them."""
    return [
        ref
        for ref in list_norms(session)
        if ref.code in template.legal
        and ref.confirmed_at is None
        and (ref.valid_from > day or (ref.valid_to is not None and ref.valid_to < day))
    ]


def required_fields(session: Session, kind: str, day: date) -> list[str]:
    """Fields that a contract of this kind must hold by the acts in force on ``day``."""
    names: dict[str, None] = {}
    for ref in list_norms(session):
        if ref.valid_from <= day and (ref.valid_to is None or ref.valid_to >= day or ref.confirmed_at is not None):
            for rule in ref.requires:
                if kind in rule["kinds"]:
                    names.update(dict.fromkeys(rule["fields"]))
    return list(names)


def seed_norms(session: Session) -> None:
    """The acts of the data file that are not there yet; what people have changed stays."""
    there = set(session.scalars(select(LegalRef.code)))
    for row in yaml.safe_load(SOURCE.read_text(encoding="utf-8")):
        if row["code"] not in there:
            session.add(LegalRef(**row))
            record(session, "norm.seeded", DESK, code=row["code"])
    session.flush()


def confirm_norm(session: Session, actor: Actor, ref_id: int) -> LegalRef:
    """The head has checked what cites the act: it may be used beyond its end."""
    require(actor, "template.approve")
    ref = session.get(LegalRef, ref_id)
    if ref is None:
        raise NotFound("norm.unknown", id=ref_id)
    ref.confirmed_by_id, ref.confirmed_at = actor.staff_id, utc_now()
    record(session, "norm.confirmed", actor, object_id=ref.id, code=ref.code)
    return ref
