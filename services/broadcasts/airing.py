"""On air and off it: by the platform's word or by a switch, through dropped streams, until the end."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from collectors.airing import Airing
from models import Broadcast, BroadcastPlace, Message, Publication, Source, utc_now
from models.database import Database
from services.broadcasts.places import (
    ROOM,
    link_of_room,
    places_of,
    planned_alike,
    publications_of,
    resolve,
    room_of,
    video_of,
)
from services.broadcasts.schedule import get_broadcast
from services.broadcasts.states import ON_AIR, PLANNED, WATCH, move
from services.errors import Refused
from services.events import record
from services.rights import DESK, Actor, require
from services.sla import end_airtime

USUAL_LENGTH = timedelta(hours=2)
"""Where the platform does not say when it ends."""
GRACE = timedelta(minutes=5)
"""A stream may drop for so long and is on air all the same."""
RETURN = timedelta(minutes=30)
"""A new stream of the same name that begins so soon after the last one is its continuation."""
FORGOTTEN = timedelta(hours=2)
"""After its planned end, when nobody says anything any more, a broadcast that nobody ended ends by itself."""
SILENT = timedelta(minutes=30)
SOON = timedelta(hours=1)
"""Links of what is further away are looked into later."""


def go_live(session: Session, actor: Actor, row: Broadcast, at: datetime | None = None) -> None:
    """It is on air: for the first time, or again after a drop."""
    if row.state == ON_AIR:
        return
    again = row.started_at is not None
    move(row, ON_AIR, actor)
    row.started_at = row.started_at or at or utc_now()
    row.ended_at = row.ended_by_id = None
    if again:
        row.drops += 1
    record(session, "broadcast.live", actor, object_id=row.id, again=again)


def end(session: Session, actor: Actor, row: Broadcast, at: datetime | None = None) -> None:
    """It is over; what is open is carried over by the desk's job. A person's word stands: see ``may_return``."""
    move(row, "ended", actor)
    row.ended_by_id = actor.staff_id
    row.ended_at = at or utc_now()
    for place in places_of(session, [row.id]).get(row.id, []):
        place.due_at = None
    session.flush()
    end_airtime(session, publications_of(session, row.id))
    record(session, "broadcast.ended", actor, object_id=row.id)


def may_return(row: Broadcast) -> bool:
    """Whether a platform's word or somebody who writes puts it on air (again). What a person ended only a person
    does: «спасибо!» a minute after the end is no new beginning, and a stream may run on with music."""
    return row.ended_by_id is None and row.state not in ("moved", "cancelled", "reported")


def switch(session: Session, actor: Actor, broadcast_id: int, to: str) -> Broadcast:
    """«В эфире» and «Закончить» by hand."""
    require(actor, WATCH)
    row = get_broadcast(session, actor, broadcast_id, hold=True)
    if to == ON_AIR:
        go_live(session, actor, row)
        for place in places_of(session, [row.id]).get(row.id, []):
            if place.chat is not None:
                place.due_at, place.ended_at = utc_now(), None
    elif to == "ended":
        end(session, actor, row)
    else:
        raise Refused("broadcast.state", state=row.state, to=to)
    return row


def take_airings(session: Session, source_id: int, platform: str, airings: Sequence[Airing]) -> int:
    """What a platform says of its own broadcasts; returns how many of them are new here."""
    fresh = 0
    now = utc_now()
    for airing in airings:
        place = _place_of(session, source_id, airing)
        if place is None:
            if airing.state == "over":
                continue
            fresh += 1
            place = _attach(session, source_id, platform, airing, now)
        _follow(session, place, airing, now)
    return fresh


def _place_of(session: Session, source_id: int, airing: Airing) -> BroadcastPlace | None:
    known = session.scalar(
        select(BroadcastPlace).where(
            BroadcastPlace.source_id == source_id, BroadcastPlace.publication == airing.publication
        )
    )
    if known is not None:
        return known
    # A link that a person entered before the platform knew of the broadcast.
    bare = select(BroadcastPlace).where(BroadcastPlace.publication.is_(None), BroadcastPlace.platform == "youtube")
    for place in session.scalars(bare):
        if video_of(place.url) == airing.external_id:
            place.source_id, place.publication = source_id, airing.publication
            session.flush()
            return place
    return None


def _attach(session: Session, source_id: int, platform: str, airing: Airing, now: datetime) -> BroadcastPlace:
    """A place for a broadcast that is new here: of the one that just dropped, or of a new line of the schedule."""
    row = _dropped(session, source_id, airing, now) or planned_alike(
        session, source_id, airing.title, airing.starts_at or airing.started_at or now
    )
    if row is None:
        starts = airing.starts_at or airing.started_at or now
        ends = airing.ends_at if airing.ends_at and airing.ends_at > starts else starts + USUAL_LENGTH
        row = Broadcast(
            kind="stream", title=airing.title or airing.external_id, state="planned",
            starts_at=starts, ends_at=ends, origin=f"{source_id}:{airing.publication}",
        )  # fmt: skip
        session.add(row)
        session.flush()
        record(session, "broadcast.planned", DESK, object_id=row.id, code="import")
    place = BroadcastPlace(
        broadcast_id=row.id, platform=platform, url=airing.url, source_id=source_id, publication=airing.publication
    )
    session.add(place)
    session.flush()
    return place


def _dropped(session: Session, source_id: int, airing: Airing, now: datetime) -> Broadcast | None:
    """The broadcast whose stream broke off a moment ago and goes on under a new address."""
    if airing.state != "live":
        return None
    query = (
        select(Broadcast)
        .join(BroadcastPlace, BroadcastPlace.broadcast_id == Broadcast.id)
        .where(
            BroadcastPlace.source_id == source_id, BroadcastPlace.ended_at > now - RETURN,
            Broadcast.state.in_((ON_AIR, "ended", "review")), Broadcast.title == airing.title,
        )
    )  # fmt: skip
    return session.scalars(query.order_by(Broadcast.id.desc()).limit(1)).first()


def _follow(session: Session, place: BroadcastPlace, airing: Airing, now: datetime) -> None:
    row = session.get_one(Broadcast, place.broadcast_id)
    place.chat = airing.chat or place.chat
    if row.origin is not None and row.state in PLANNED and airing.starts_at and airing.starts_at != row.starts_at:
        length = row.ends_at - row.starts_at
        row.starts_at, row.told_at = airing.starts_at, None
        row.ends_at = (
            airing.ends_at if airing.ends_at and airing.ends_at > row.starts_at else row.starts_at + length
        )
        record(session, "broadcast.changed", DESK, object_id=row.id)
    if airing.viewers is not None:
        row.viewers = max(row.viewers or 0, airing.viewers)
    if airing.state == "live" and may_return(row):
        if row.state != ON_AIR:
            go_live(session, DESK, row, airing.started_at)
        elif place.ended_at is not None or (place.read_at is None and _has_ended(session, row)):
            row.drops += 1
            record(session, "broadcast.live", DESK, object_id=row.id, again=True)
        place.ended_at = None
        if place.chat is not None and place.due_at is None:
            place.due_at = now
    elif airing.state == "over" and place.ended_at is None:
        place.ended_at, place.due_at = airing.ended_at or now, None


def _has_ended(session: Session, row: Broadcast) -> bool:
    return any(one.ended_at is not None for one in places_of(session, [row.id]).get(row.id, []))


def run_ends(database: Database, now: datetime | None = None) -> int:
    """Ends what its platforms call over for longer than a drop lasts, and what was forgotten; finds publications
    behind links. Returns how many broadcasts changed."""
    now = now or utc_now()
    changed = 0
    with database.read.begin() as session:
        lively = select(Broadcast.id).where(
            Broadcast.state.in_((*PLANNED, ON_AIR)), Broadcast.starts_at < now + SOON
        )
        if session.scalar(lively.limit(1)) is None:
            return 0
    with database.write.begin() as session:
        bare = (
            select(BroadcastPlace)
            .join(Broadcast, Broadcast.id == BroadcastPlace.broadcast_id)
            .where(BroadcastPlace.publication.is_(None), Broadcast.id.in_(lively))
        )
        changed += sum(resolve(session, place) for place in session.scalars(bare))
        for row in session.scalars(select(Broadcast).where(Broadcast.state == ON_AIR)):
            at = _ended_at(session, row, now)
            if at is not None:
                end(session, DESK, row, at)
                changed += 1
    return changed


def _ended_at(session: Session, row: Broadcast, now: datetime) -> datetime | None:
    chats = [place for place in places_of(session, [row.id]).get(row.id, []) if place.chat is not None]
    if chats and all(place.ended_at is not None for place in chats):
        last = max(place.ended_at for place in chats if place.ended_at is not None)
        return last if last <= now - GRACE else None
    if now < row.ends_at + FORGOTTEN:
        return None
    said = session.scalar(
        select(func.max(Message.ingested_at)).where(Message.publication_id.in_(publications_of(session, row.id)))
    )
    return row.ends_at if said is None or said < now - SILENT else None


def broadcast_for(session: Session, publication_id: int) -> Broadcast:
    """The broadcast of a publication in whose chat somebody speaks: one is made where nobody planned it."""
    place = session.get_one(Publication, publication_id)
    known = session.scalar(
        select(BroadcastPlace).where(
            BroadcastPlace.source_id == place.source_id, BroadcastPlace.publication == place.external_id
        )
    )
    if known is not None:
        return session.get_one(Broadcast, known.broadcast_id)
    source = session.get_one(Source, place.source_id)
    now = utc_now()
    room = room_of(place.external_id)
    row = _same_room(session, place, room, now) if room else None
    row = row or planned_alike(session, place.source_id, place.title or "", now, room)
    link = link_of_room(places_of(session, [row.id]).get(row.id, []), room) if row is not None else None
    if row is None:
        row = Broadcast(
            kind="stream", title=place.title or place.external_id, state="planned", starts_at=now,
            ends_at=now + USUAL_LENGTH, origin=f"{place.source_id}:{place.external_id}",
        )  # fmt: skip
        session.add(row)
        session.flush()
        record(session, "broadcast.planned", DESK, object_id=row.id, code="met")
    if link is None:
        link = BroadcastPlace(broadcast_id=row.id, url=place.url or "")
        session.add(link)
    link.platform, link.source_id, link.publication = source.platform, place.source_id, place.external_id
    if may_return(row):
        go_live(session, DESK, row, now)
    session.flush()
    return row


def _same_room(session: Session, place: Publication, room: str, now: datetime) -> Broadcast | None:
    """A room has a publication a day: one that speaks on over midnight speaks in the same broadcast."""
    query = (
        select(Broadcast, BroadcastPlace.publication)
        .join(BroadcastPlace, BroadcastPlace.broadcast_id == Broadcast.id)
        .where(
            BroadcastPlace.source_id == place.source_id, BroadcastPlace.publication.startswith(f"{ROOM}{room}"),
            or_(Broadcast.state == ON_AIR, Broadcast.ended_at > now - RETURN),
        )
    )  # fmt: skip
    found = session.execute(query.order_by(Broadcast.id.desc()))
    return next((row for row, publication in found if room_of(publication or "") == room), None)
