"""A reply to the desk's letter is the department's answer (day.md §3): who may, which question, what went in.

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
from services.deliveries import queue_letter
from services.errors import DeskError, Forbidden, NotFound
from services.events import record
from services.questions import send_answer
from services.rights import DESK, actor_of
from services.route_files import FileIn, add_files, is_taken

NOTE_ID = re.compile(r"(?:^|[<\s])otklik-note\.([A-Za-z0-9_-]{32})@")
"""The Message-ID of a letter of ours, see collectors.mail.note."""
_NUMBERED = re.compile(r"(?m)^\s*(\d{1,2})\s*[.):]\s*")
MOST_TEXT = 20_000


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
        _answer(session, delivery, staff, item, key)
    return True


def _delivery_of(session: Session, item: Incoming) -> Delivery | None:
    named = " ".join((item.parent_external_id or "", item.context.get("references", "")))
    tokens = NOTE_ID.findall(named)
    if not tokens:
        return None
    return session.scalar(select(Delivery).where(Delivery.token.in_(tokens)).order_by(Delivery.id.desc()).limit(1))


def _answer(session: Session, delivery: Delivery, staff: Staff, item: Incoming, key: str) -> None:
    found = split_answers(item.text, delivery.data.get("routes", []))
    taken: list[int] = []
    problem, about = ("empty", None) if not item.text.strip() else ("number", None)
    for route_id, text in found.items():
        try:
            with session.begin_nested():
                send_answer(session, actor_of(staff), route_id, text[:MOST_TEXT], None)
            taken.append(route_id)
        except (Forbidden, NotFound):
            problem, about = "rights", None
        except DeskError as error:
            problem, about = ("empty" if error.code == "text.empty" else "done"), route_id
    files = [
        FileIn(file.name, file.content) for file in item.attachments if file.content and is_taken(file.content)
    ]
    if taken:
        count = add_files(session, actor_of(staff), taken[0], files) if len(taken) == 1 else 0
        queue_letter(session, staff.id, "taken", key, {"routes": taken, "files": count})
        record(session, "answer.by_mail", actor_of(staff), object_id=delivery.id, routes=taken)
    if not taken or len(taken) < len(found):
        queue_letter(
            session, staff.id, "refused", key if not taken else f"{key}-x", {"code": problem, "route": about}
        )
        record(session, "answer.refused", actor_of(staff), object_id=delivery.id, code=problem)


def split_answers(text: str, routes: Sequence[int]) -> dict[int, str]:
    """Question → its answer. One question takes the whole text; of several each answer begins with its number."""
    if not text.strip() or not routes:
        return {}
    if len(routes) == 1:
        return {routes[0]: text.strip()}
    marks = [mark for mark in _NUMBERED.finditer(text) if 1 <= int(mark[1]) <= len(routes)]
    found: dict[int, str] = {}
    for mark, end in zip(marks, [*(later.start() for later in marks[1:]), len(text)], strict=False):
        part = text[mark.end() : end].strip()
        route_id = routes[int(mark[1]) - 1]
        if part and route_id not in found:
            found[route_id] = part
    return found
