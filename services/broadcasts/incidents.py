"""Five «нет звука» are one incident with one question to the technical department, until somebody ends it."""

from collections.abc import Collection

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import (
    Broadcast,
    BroadcastIncident,
    BroadcastMention,
    Case,
    Department,
    Message,
    Notice,
    Setting,
    Staff,
    utc_now,
)
from services.broadcasts.states import WATCH, move_incident
from services.cases import lift_message
from services.errors import NotFound
from services.events import record
from services.leases import insert_missing
from services.rights import DESK, Actor, actor_of, require
from services.routing import ask_department
from services.signals import decide_signal
from services.words_owed import end_updates, start_updates

ENOUGH, WINDOW_SECONDS, AUTHORS = 5, 600, 2
"""domain.md §6.7: five alike within ten minutes; said by two people at least.

A setting «broadcasts» changes them."""
TECHNICAL = "technical"
FAILURE = "broadcast_failure"
WORDS = {
    "sound": "нет звука", "picture": "нет картинки", "stream": "трансляция зависает",
    "link": "не открывается ссылка", "payment": "не проходит оплата",
}  # fmt: skip
ASKED = "Эфир «{title}»: зрители пишут, что {what} ({count} за {minutes} мин). Проверьте, пожалуйста."
"""What the department is asked, in the language of the school's people."""


def incidents_of(session: Session, broadcast_id: int) -> list[BroadcastIncident]:
    query = select(BroadcastIncident).where(BroadcastIncident.broadcast_id == broadcast_id)
    return list(session.scalars(query.order_by(BroadcastIncident.id)))


def rumours(session: Session, row: Broadcast, now_second: int) -> dict[str, int]:
    """kind → how often it was mentioned within the window, where it is no incident yet."""
    query = (
        select(BroadcastMention.kind, func.count())
        .where(
            BroadcastMention.broadcast_id == row.id, BroadcastMention.incident_id.is_(None),
            BroadcastMention.second > now_second - WINDOW_SECONDS,
        )
        .group_by(BroadcastMention.kind)
    )  # fmt: skip
    return {row[0]: row[1] for row in session.execute(query)}


def limits(session: Session) -> tuple[int, int, int]:
    """How many, within how many seconds, of how many people."""
    row = session.scalar(select(Setting).where(Setting.name == "broadcasts"))
    told = row.value if row else {}
    return (
        int(told.get("enough", ENOUGH)), int(told.get("window_seconds", WINDOW_SECONDS)),
        int(told.get("authors", AUTHORS)),
    )  # fmt: skip


def raise_incidents(session: Session, row: Broadcast, kinds: Collection[str]) -> None:
    """After new mentions: they join the incident that is open, or make one when there are enough of them."""
    for kind in sorted(kinds):
        known = session.scalar(select(BroadcastIncident).where(BroadcastIncident.open_key == f"{row.id}:{kind}"))
        if known is None:
            known = _begin(session, row, kind)
        if known is not None:
            _join(session, known)


def _begin(session: Session, row: Broadcast, kind: str) -> BroadcastIncident | None:
    enough, window, authors = limits(session)
    free = (BroadcastMention.broadcast_id == row.id, BroadcastMention.kind == kind)
    waiting = (*free, BroadcastMention.incident_id.is_(None))
    last = session.scalar(select(func.max(BroadcastMention.second)).where(*waiting))
    found = list(
        session.scalars(
            select(BroadcastMention)
            .where(*waiting, BroadcastMention.second > (last or 0) - window)
            .order_by(BroadcastMention.second, BroadcastMention.id)
        )
    )
    if len(found) < enough or len({one.author_id for one in found}) < authors:
        return None
    return begin_incident(session, DESK, row, kind, found)


def begin_incident(
    session: Session, actor: Actor, row: Broadcast, kind: str, found: list[BroadcastMention]
) -> BroadcastIncident:
    """One incident and one question, whoever begins it and how many at once: its key is unique."""
    key, now = f"{row.id}:{kind}", utc_now()
    new = {
        "broadcast_id": row.id, "kind": kind, "state": "open", "open_key": key, "count": 0, "cause": "",
        "second": found[0].second if found else 0, "started_at": now,
    }  # fmt: skip
    insert_missing(session, BroadcastIncident, [new], "open_key")
    query = select(BroadcastIncident).where(BroadcastIncident.open_key == key).with_for_update()
    incident = session.scalars(query).one()
    if incident.route_id is None and found:
        _ask(session, row, incident, found)
        record(session, "broadcast.incident", actor, object_id=row.id, code=kind, incident=incident.id)
    return incident


def _join(session: Session, incident: BroadcastIncident) -> None:
    """Every mention of its kind from its first one on."""
    session.execute(
        update(BroadcastMention)
        .where(
            BroadcastMention.broadcast_id == incident.broadcast_id, BroadcastMention.kind == incident.kind,
            BroadcastMention.incident_id.is_(None), BroadcastMention.second >= incident.second,
        )
        .values(incident_id=incident.id)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    incident.count = (
        session.scalar(
            select(func.count()).select_from(BroadcastMention).where(BroadcastMention.incident_id == incident.id)
        )
        or 0
    )


def _ask(session: Session, row: Broadcast, incident: BroadcastIncident, found: list[BroadcastMention]) -> None:
    """The one notice: an urgent question to the technical department, on a case made of the first mention."""
    department = session.scalar(select(Department).where(Department.code == TECHNICAL))
    asker = _asker(session, row)
    if department is None or asker is None:
        return
    message = session.get_one(Message, found[0].message_id)
    case = lift_message(session, DESK, message.id)
    case.label, case.sure = "complaint", True
    decide_signal(session, DESK, message.id, FAILURE, True)  # many said so: a failure for everybody, class TECH0
    minutes = max(1, (found[-1].second - found[0].second + 59) // 60)
    text = ASKED.format(title=row.title, what=WORDS[incident.kind], count=len(found), minutes=minutes)
    route = ask_department(
        session, asker, case.id, department.id, text, f"incident-{incident.id}", urgent=True
    )  # fmt: skip
    incident.case_id, incident.route_id = case.id, route.id
    start_updates(session, case)
    for staff_id in {row.staff_id, row.speaker_id} - {None}:
        session.add(Notice(staff_id=staff_id, kind="broadcast.incident", broadcast_id=row.id, created_at=utc_now()))


def _asker(session: Session, row: Broadcast) -> Actor | None:
    """Whoever watches; without one the first of those who may."""
    people = session.scalars(select(Staff).where(Staff.active).order_by(Staff.id))
    able = [one for one in (actor_of(person) for person in people) if one.may("case.route")]
    watching = [one for one in able if one.staff_id == row.staff_id]
    return next(iter([*watching, *able]), None)


def report_trouble(session: Session, actor: Actor, broadcast_id: int, kind: str) -> BroadcastIncident:
    """A person does not wait for the fifth «нет звука»."""
    require(actor, WATCH)
    row = session.get(Broadcast, broadcast_id)
    if row is None or kind not in WORDS:
        raise NotFound("broadcast.unknown", id=broadcast_id)
    query = select(BroadcastMention).where(
        BroadcastMention.broadcast_id == row.id,
        BroadcastMention.kind == kind,
        BroadcastMention.incident_id.is_(None),
    )
    found = list(session.scalars(query.order_by(BroadcastMention.second, BroadcastMention.id)))[-ENOUGH:]
    incident = begin_incident(session, actor, row, kind, found)
    _join(session, incident)
    return incident


def change_incident(
    session: Session, actor: Actor, incident_id: int, to: str, cause: str = ""
) -> BroadcastIncident:
    """«Локализован», «Устранён», «Разобран» with its cause; once fixed, the same words begin a new one."""
    require(actor, WATCH)
    row = session.get(BroadcastIncident, incident_id, with_for_update=True)
    if row is None:
        raise NotFound("broadcast.unknown", id=incident_id)
    move_incident(row, to)
    if to == "fixed":
        row.ended_at, row.open_key = utc_now(), None
        if row.case_id is not None:
            end_updates(session, row.case_id)
        session.execute(
            update(BroadcastMention)
            .where(BroadcastMention.broadcast_id == row.broadcast_id, BroadcastMention.kind == row.kind)
            .where(BroadcastMention.incident_id.is_(None))
            .values(incident_id=row.id)
        )
    elif to == "open":
        row.ended_at, row.open_key = None, f"{row.broadcast_id}:{row.kind}"
        if row.case_id is not None:
            start_updates(session, session.get_one(Case, row.case_id))
    row.cause = cause.strip() or row.cause
    record(session, "broadcast.incident", actor, object_id=row.broadcast_id, code=to, incident=row.id)
    return row
