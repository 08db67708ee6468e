"""A refusal or a wish for money back in a client's messages: what it opens, filled in from their words."""

import re
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Case, Contract, Identity, Message

REFUSES = re.compile(
    r"расторг|расторж|отказываюсь от (договор|курс|обучени|услуг)|отказ\w* от (договор|обучени|услуг)"
    r"|верн(ите|уть|ёте|ете)\b.{0,60}(деньг|оплат|средств|сумм)|(деньги|оплату|средства)\b.{0,30}верн"
    r"|возврат\w* (денег|средств|оплат|сумм|денежн|за )|прошу возврат|сделать возврат"
)
LATE = re.compile(r"нарушен\w* срок|срок\w* нарушен|так и не (начал|открыл|провел)")
DEFECT = re.compile(r"ненадлежащ|существенн\w+ недостат|некачествен")
QUOTED = 500
"""So much of the client's own words goes into the form."""


@dataclass(frozen=True, slots=True)
class Wish:
    """``ground`` a word of services.contracts.terminations.GROUNDS; ``words`` what the client wrote."""

    ground: str
    words: str
    received_on: date
    case_id: int


def wish_of(session: Session, case_id: int | None) -> Wish | None:
    """The newest message of the case that refuses or wants the money back; None when none does."""
    case = session.get(Case, case_id) if case_id is not None else None
    if case is None:
        return None
    query = select(Message).where(Message.case_id == case.id, Message.direction == "in").order_by(Message.id.desc())
    for message in session.scalars(query.limit(20)):
        text = (message.text or "").casefold().replace("ё", "е")
        if REFUSES.search(text):
            ground = "late" if LATE.search(text) else "defect" if DEFECT.search(text) else "consumer"
            return Wish(ground, message.text[:QUOTED], message.published_at.date(), case.id)
    return None


def contracts_of_case(session: Session, case_id: int) -> list[Contract]:
    """Contracts of the client behind the case's author, the newest first."""
    query = (
        select(Contract)
        .join(Identity, Identity.client_id == Contract.client_id)
        .join(Case, Case.author_id == Identity.linked_author_id)
        .where(Case.id == case_id, Identity.state == "linked")
        .order_by(Contract.id.desc())
    )
    return list(session.scalars(query.limit(20)))
