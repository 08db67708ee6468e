"""A reply to the desk's letter is the department's answer (day.md §3): whose it is.

Whoever writes is believed by three things together: the token in the Message-ID that only they were sent, their own
address as the sender, and the rights they hold now (reliability §4, «Forged mail identity»).
"""

import hashlib
import re
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors.base import Incoming
from models import Delivery, Staff
from services.answers import take_answer
from services.events import record
from services.rights import DESK
from services.route_files import FileIn, is_taken

NOTE_ID = re.compile(r"(?:^|[<\s])otklik-note\.([A-Za-z0-9_-]{32})@")
"""The Message-ID of a letter of ours, see collectors.mail.note."""


def take_answers(session: Session, incoming: Sequence[Incoming]) -> list[Incoming]:
    """What is left for the inbox: letters that answer the desk's own go to the question instead."""
    return [item for item in incoming if not _take(session, item)]


def _take(session: Session, item: Incoming) -> bool:
    if NOTE_ID.search(item.external_id):
        return True  # our own letter come back by a copy or a forward rule
    delivery = _delivery_of(session, item)
    if delivery is None:
        return False
    staff = session.get_one(Staff, delivery.staff_id)
    status = item.context.get("bounce_status", "")
    if status.startswith("5"):
        delivery.state, delivery.error_code = "dead", "gone"
        record(session, "delivery.dead", DESK, object_id=delivery.id, staff=staff.id, code="bounce")
        return True
    if item.automatic or item.author is None:
        return True  # «I am on holiday» answers no question
    if item.author.external_id.lower() != staff.email.lower():
        record(session, "answer.forged", DESK, object_id=delivery.id, staff=staff.id)
        return False
    key = "r-" + hashlib.sha256(f"{delivery.token} {item.external_id}".encode()).hexdigest()[:32]
    if session.scalar(select(Delivery.id).where(Delivery.form_key == key)) is None:
        sent = [FileIn(one.name, one.content) for one in item.attachments if one.content]
        files = [one for one in sent if is_taken(one)]
        take_answer(session, delivery, staff, item.text, files, key)
    return True


def _delivery_of(session: Session, item: Incoming) -> Delivery | None:
    named = " ".join((item.parent_external_id or "", item.context.get("references", "")))
    tokens = NOTE_ID.findall(named)
    if not tokens:
        return None
    return session.scalar(select(Delivery).where(Delivery.token.in_(tokens)).order_by(Delivery.id.desc()).limit(1))
