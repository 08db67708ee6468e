"""A reply to what the desk wrote is the department's answer (day.md §3): which question, what went in, what not.

Whoever brings a reply here has proven whose it is; the rights are those that the person holds now.
"""

import re
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Delivery, Route, Staff
from services.deliveries import queue_letter
from services.errors import DeskError, Forbidden, NotFound, Refused
from services.events import record
from services.questions import send_answer
from services.rights import actor_of
from services.route_files import FileIn, add_files

_NUMBERED = re.compile(r"(?m)^\s*(\d{1,2})\s*[.):]\s*")
MOST_TEXT = 20_000


def take_answer(
    session: Session, delivery: Delivery, staff: Staff, text: str, files: Sequence[FileIn], key: str, lost: int = 0
) -> None:
    """Answers what ``delivery`` asked and tells by the same channel what went in, or why nothing did.

    ``key`` names the reply: what comes twice is taken once. ``lost`` files came along and could not be read.
    """
    found = split_answers(text, delivery.data.get("routes", []))
    taken: list[int] = []
    problem, about = ("empty", None) if not text.strip() else ("number", None)
    for route_id, part in found.items():
        try:
            with session.begin_nested():
                send_answer(session, actor_of(staff), route_id, part[:MOST_TEXT], None)
            taken.append(route_id)
        except (Forbidden, NotFound):
            problem, about = "rights", None
        except DeskError as error:
            problem, about = ("empty" if error.code == "text.empty" else "done"), route_id
    if taken:
        told_taken(session, delivery, staff, taken, files, key, lost)
        record(session, f"answer.by_{delivery.channel}", actor_of(staff), object_id=delivery.id, routes=taken)
    if not taken or len(taken) < len(found):
        refuse(session, delivery, staff, key if not taken else f"{key}-x", problem, about)


def told_taken(
    session: Session, delivery: Delivery, staff: Staff, taken: list[int], files: Sequence[FileIn], key: str,
    lost: int,
) -> None:  # fmt: skip
    """Lays the files beside the answer and tells what went in; what is too large or too much is told too."""
    count, refused = lay_files(session, staff, taken[0], files) if len(taken) == 1 else (0, 0)
    data = {"routes": taken, "files": count, "lost": lost + refused}
    queue_letter(session, staff.id, "taken", key, data, channel=delivery.channel)


def lay_files(session: Session, staff: Staff, route_id: int, files: Sequence[FileIn]) -> tuple[int, int]:
    """(how many lie beside the answer now, how many were too large or too many)."""
    count = refused = 0
    for file in files:
        try:
            count = add_files(session, actor_of(staff), route_id, [file])
        except Refused:
            refused += 1
    return count, refused


def refuse(session: Session, delivery: Delivery, staff: Staff, key: str, code: str, route_id: int | None) -> None:
    """Says by the same channel why a reply did not become an answer."""
    data = {"code": code, "route": route_id}
    queue_letter(session, staff.id, "refused", key, data, channel=delivery.channel)
    record(session, "answer.refused", actor_of(staff), object_id=delivery.id, code=code)


def answered_alone(session: Session, delivery: Delivery, staff: Staff) -> Route | None:
    """The one question of ``delivery`` when this very person has answered it: more photos may still join it."""
    routes = delivery.data.get("routes", [])
    query = select(Route).where(Route.id == routes[0]).with_for_update() if len(routes) == 1 else None
    route = session.scalar(query) if query is not None else None
    if route is None or route.state not in ("answered", "accepted") or route.answered_by_id != staff.id:
        return None
    return route if route.department_id in actor_of(staff).departments else None


def split_answers(text: str, routes: Sequence[int]) -> dict[int, str]:
    """Question → its answer. One question takes the whole text; of several each answer begins with its number."""
    if not text.strip() or not routes:
        return {}
    if len(routes) == 1:
        return {routes[0]: text.strip()}
    marks = [mark for mark in _NUMBERED.finditer(text) if 1 <= int(mark[1]) <= len(routes)]
    if len({int(mark[1]) for mark in marks}) < len(marks):
        return {}  # an answer with a list of its own: nobody can tell which number is whose
    found: dict[int, str] = {}
    for mark, end in zip(marks, [*(later.start() for later in marks[1:]), len(text)], strict=False):
        part = text[mark.end() : end].strip()
        route_id = routes[int(mark[1]) - 1]
        if part and route_id not in found:
            found[route_id] = part
    return found
