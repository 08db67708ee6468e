"""The schedule: what is planned, by whom it is watched, and the week of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import Broadcast, BroadcastCheck, BroadcastPlace, BroadcastQuestion, Notice, Staff, utc_now
from models.database import Database
from services.broadcasts.places import add_place, places_of
from services.broadcasts.states import CHECKS, EDIT, KINDS, PLANNED, WATCH, move
from services.errors import NotFound, Refused
from services.events import record
from services.leases import insert_missing
from services.rights import DESK, Actor, actor_of, require

LONGEST = timedelta(hours=24)
NOTICE_BEFORE = timedelta(minutes=15)
LINKS = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person enters."""

    kind: str
    title: str
    starts_at: datetime
    ends_at: datetime
    speaker: str = ""
    staff_id: int | None = None
    links: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A broadcast as the week shows it; ``passed`` of the eight points, ``open``: questions that still wait."""

    broadcast: Broadcast
    places: tuple[BroadcastPlace, ...]
    watcher: str
    passed: int
    open: int


def get_broadcast(session: Session, actor: Actor, broadcast_id: int, *, hold: bool = False) -> Broadcast:
    require(actor, "broadcast.view")
    found = session.get(Broadcast, broadcast_id, with_for_update=hold or None)
    if found is None:
        raise NotFound("broadcast.unknown", id=broadcast_id)
    return found


def list_between(session: Session, actor: Actor, since: datetime, until: datetime) -> list[Row]:
    """Those that begin within a time, in order of it."""
    require(actor, "broadcast.view")
    query = select(Broadcast).where(Broadcast.starts_at >= since, Broadcast.starts_at < until)
    return rows_of(session, list(session.scalars(query.order_by(Broadcast.starts_at, Broadcast.id))))


def rows_of(session: Session, broadcasts: Sequence[Broadcast]) -> list[Row]:
    ids = [one.id for one in broadcasts]
    places, people = places_of(session, ids), {row.id: row.name for row in session.scalars(select(Staff))}
    passed = _counted(session, BroadcastCheck.broadcast_id, ids, BroadcastCheck.passed)
    waiting = _counted(session, BroadcastQuestion.broadcast_id, ids, BroadcastQuestion.state == "open")
    return [
        Row(
            one, tuple(places.get(one.id, ())), people.get(one.staff_id or 0, ""), passed.get(one.id, 0),
            waiting.get(one.id, 0),
        )
        for one in broadcasts
    ]  # fmt: skip


def _counted(session: Session, column: object, ids: Sequence[int], wanted: object) -> dict[int, int]:
    query = select(column, func.count()).where(column.in_(ids), wanted).group_by(column)  # type: ignore[attr-defined, call-overload]
    return {row[0]: row[1] for row in session.execute(query)}


def on_air(session: Session, actor: Actor) -> list[Row]:
    """What is on air, or over with questions that wait: the rows above the inbox."""
    if not actor.may("broadcast.view"):
        return []
    query = select(Broadcast).where(Broadcast.state.in_(("live", "ended")))
    return rows_of(session, list(session.scalars(query.order_by(Broadcast.starts_at, Broadcast.id))))


def watchers(session: Session) -> list[Staff]:
    """Who may watch a broadcast, by name."""
    people = session.scalars(select(Staff).where(Staff.active).order_by(Staff.name))
    return [one for one in people if actor_of(one).may(WATCH)]


def speakers(session: Session) -> list[str]:
    """Names that the form offers: who works here and who spoke before."""
    people = session.scalars(select(Staff.name).where(Staff.active).order_by(Staff.name))
    before = session.scalars(select(Broadcast.speaker).where(Broadcast.speaker != "").distinct().limit(100))
    return list(dict.fromkeys([*people, *before]))


def _speaker(session: Session, name: str) -> int | None:
    """The one person of the staff who is called so; None for a guest and for namesakes."""
    query = select(Staff.id).where(Staff.active, Staff.name == name.strip())
    found = list(session.scalars(query.limit(2)))
    return found[0] if len(found) == 1 else None


def _check(session: Session, plan: Plan) -> None:
    if not plan.title.strip() or plan.kind not in KINDS:
        raise Refused("broadcast.title")
    if not plan.starts_at < plan.ends_at <= plan.starts_at + LONGEST:
        raise Refused("broadcast.times")
    if any(not link.startswith(("https://", "http://")) for link in plan.links) or len(plan.links) > LINKS:
        raise Refused("broadcast.link")
    if plan.staff_id is not None and plan.staff_id not in [one.id for one in watchers(session)]:
        raise Refused("staff.unknown", id=plan.staff_id)


def plan_broadcast(session: Session, actor: Actor, plan: Plan, origin: str | None = None) -> Broadcast:
    """A new line of the schedule."""
    require(actor, EDIT)
    _check(session, plan)
    row = Broadcast(
        kind=plan.kind, title=plan.title.strip(), speaker=plan.speaker.strip(),
        speaker_id=_speaker(session, plan.speaker), staff_id=plan.staff_id,
        state="duty" if plan.staff_id else "planned", starts_at=plan.starts_at, ends_at=plan.ends_at,
        created_by=actor.staff_id, origin=origin,
    )  # fmt: skip
    session.add(row)
    session.flush()
    for link in dict.fromkeys(link.strip() for link in plan.links):
        add_place(session, row, link)
    record(session, "broadcast.planned", actor, object_id=row.id, code=plan.kind)
    return row


def change_broadcast(session: Session, actor: Actor, broadcast_id: int, plan: Plan, version: int) -> Broadcast:
    """What was planned otherwise; the time of one that has begun stays, except its planned end."""
    require(actor, EDIT)
    row = get_broadcast(session, actor, broadcast_id, hold=True)
    if row.version != version:
        raise Refused("broadcast.stale")
    _check(session, plan)
    row.kind, row.title, row.speaker = plan.kind, plan.title.strip(), plan.speaker.strip()
    row.speaker_id, row.ends_at = _speaker(session, plan.speaker), plan.ends_at
    if row.state in PLANNED and row.starts_at != plan.starts_at:
        row.starts_at, row.told_at = plan.starts_at, None
    if row.staff_id != plan.staff_id:
        row.staff_id, row.told_at = plan.staff_id, None
    if row.state in PLANNED and row.state != ("duty" if plan.staff_id else "planned"):
        move(row, "duty" if plan.staff_id else "planned", actor)
    there = {place.url for place in places_of(session, [row.id]).get(row.id, [])}
    for link in dict.fromkeys(link.strip() for link in plan.links):
        if link not in there:
            add_place(session, row, link)
    row.version += 1
    record(session, "broadcast.changed", actor, object_id=row.id)
    return row


def drop_place(session: Session, actor: Actor, broadcast_id: int, place_id: int) -> None:
    """Takes a link away, as long as nothing was read there."""
    require(actor, EDIT)
    place = session.get(BroadcastPlace, place_id)
    if place is None or place.broadcast_id != broadcast_id:
        raise NotFound("broadcast.unknown", id=broadcast_id)
    if place.read_at is not None:
        raise Refused("broadcast.place_used")
    session.delete(place)
    record(session, "broadcast.changed", actor, object_id=broadcast_id)


def move_broadcast(
    session: Session, actor: Actor, broadcast_id: int, starts_at: datetime, reason: str = ""
) -> Broadcast:
    """«Перенести»: the line stays as moved, a new one of the same length takes its places and its watcher."""
    row = get_broadcast(session, actor, broadcast_id, hold=True)
    move(row, "moved", actor)
    if starts_at == row.starts_at:
        raise Refused("broadcast.times")
    made = plan_broadcast(
        session, actor,
        Plan(row.kind, row.title, starts_at, starts_at + (row.ends_at - row.starts_at), row.speaker, row.staff_id),
    )  # fmt: skip
    session.execute(
        update(BroadcastPlace).where(BroadcastPlace.broadcast_id == row.id).values(broadcast_id=made.id)
    )
    made.origin, row.origin = row.origin, None
    row.moved_to_id, row.reason = made.id, reason.strip()
    record(session, "broadcast.moved", actor, object_id=row.id, to=made.id)
    return made


def cancel_broadcast(session: Session, actor: Actor, broadcast_id: int, reason: str) -> Broadcast:
    """«Отменить»: it will not be; why is said, because somebody will ask."""
    row = get_broadcast(session, actor, broadcast_id, hold=True)
    if not reason.strip():
        raise Refused("broadcast.reason")
    move(row, "cancelled", actor)
    row.reason = reason.strip()
    record(session, "broadcast.cancelled", actor, object_id=row.id)
    return row


def restore_broadcast(session: Session, actor: Actor, broadcast_id: int) -> Broadcast:
    """A cancelled one will be after all."""
    row = get_broadcast(session, actor, broadcast_id, hold=True)
    move(row, "planned", actor)
    if row.staff_id is not None:
        move(row, "duty", actor)
    row.reason = ""
    record(session, "broadcast.restored", actor, object_id=row.id)
    return row


def take_watch(session: Session, actor: Actor, broadcast_id: int) -> Broadcast:
    """«Дежурю я»."""
    require(actor, WATCH)
    row = get_broadcast(session, actor, broadcast_id, hold=True)
    row.staff_id = actor.staff_id
    if row.state == "planned":
        row.state = "duty"
    row.version += 1
    record(session, "broadcast.watched", actor, object_id=row.id)
    return row


def checks_of(session: Session, broadcast_id: int) -> dict[str, BroadcastCheck]:
    query = select(BroadcastCheck).where(BroadcastCheck.broadcast_id == broadcast_id)
    return {row.code: row for row in session.scalars(query)}


def tick(session: Session, actor: Actor, broadcast_id: int, code: str, passed: bool) -> None:
    """One point of the check-list; the last word counts."""
    require(actor, WATCH)
    get_broadcast(session, actor, broadcast_id)
    if code not in CHECKS:
        raise Refused("broadcast.check")
    now = utc_now()
    values = {"passed": passed, "staff_id": actor.staff_id, "at": now}
    new = {"broadcast_id": broadcast_id, "code": code, **values}
    insert_missing(session, BroadcastCheck, [new], "broadcast_id", "code")
    session.execute(
        update(BroadcastCheck)
        .where(BroadcastCheck.broadcast_id == broadcast_id, BroadcastCheck.code == code)
        .values(**values)
    )
    record(session, "broadcast.checked", actor, object_id=broadcast_id, code=code, passed=passed)


def run_notices(database: Database, now: datetime | None = None) -> int:
    """Tells whoever watches and speaks a quarter of an hour before, the desk where nobody watches; once."""
    now = now or utc_now()
    with database.read.begin() as session:
        near = (Broadcast.starts_at <= now + NOTICE_BEFORE, Broadcast.told_at.is_(None), Broadcast.ends_at > now)
        if session.scalar(select(Broadcast.id).where(Broadcast.state.in_(PLANNED), *near).limit(1)) is None:
            return 0
    with database.write.begin() as session:
        soon = list(
            session.scalars(
                select(Broadcast).where(
                    Broadcast.state.in_(PLANNED), Broadcast.starts_at <= now + NOTICE_BEFORE,
                    Broadcast.ends_at > now, Broadcast.told_at.is_(None),
                )
            )
        )  # fmt: skip
        everybody = [one.id for one in watchers(session)] if soon else []
        for row in soon:
            row.told_at = now
            watching = [row.staff_id] if row.staff_id is not None else everybody
            for staff_id in {*watching, row.speaker_id} - {None}:
                session.add(
                    Notice(
                        staff_id=staff_id, kind="broadcast.soon", broadcast_id=row.id, due_at=row.starts_at,
                        show_at=now, created_at=now,
                    )
                )  # fmt: skip
            record(session, "broadcast.told", DESK, object_id=row.id)
    return len(soon)
