"""Which messages are said in which broadcast: by the publication that they stand under."""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Broadcast, BroadcastPlace, Message, Publication, Source
from services.broadcasts.states import ON_AIR, PLANNED

YOUTUBE_LIVE = "live-"
ROOM = "room-"
_DAY = re.compile(r"\.\d{4}-\d\d-\d\d$")
CLOSE = timedelta(minutes=45)
"""A chat that speaks so long before or after the time of a plan belongs to it."""
_VK = re.compile(r"(?:wall|video|clip|photo)-?\d+_\d+")


def publications_on_air(session: Session, source_id: int) -> set[int]:
    """Publications of a place whose broadcast is on air: what is said under them is a chat and opens no case."""
    query = (
        select(Publication.id)
        .join(
            BroadcastPlace,
            (BroadcastPlace.source_id == Publication.source_id)
            & (BroadcastPlace.publication == Publication.external_id),
        )
        .join(Broadcast, Broadcast.id == BroadcastPlace.broadcast_id)
        .where(Broadcast.state == ON_AIR, BroadcastPlace.source_id == source_id)
    )
    return set(session.scalars(query))


def is_on_air(session: Session, source_id: int) -> bool:
    """Whether something of a place is on air now."""
    query = (
        select(BroadcastPlace.id)
        .join(Broadcast, Broadcast.id == BroadcastPlace.broadcast_id)
        .where(Broadcast.state == ON_AIR, BroadcastPlace.source_id == source_id)
    )
    return session.scalar(query.limit(1)) is not None


def broadcasts_of(session: Session, publication_ids: Collection[int]) -> dict[int, int]:
    """publication → its broadcast."""
    query = (
        select(Publication.id, BroadcastPlace.broadcast_id)
        .join(
            BroadcastPlace,
            (BroadcastPlace.source_id == Publication.source_id)
            & (BroadcastPlace.publication == Publication.external_id),
        )
        .where(Publication.id.in_(publication_ids))
    )
    return {row[0]: row[1] for row in session.execute(query)}


def publications_of(session: Session, broadcast_id: int) -> list[int]:
    """All publications whose comments are the chat of a broadcast."""
    query = (
        select(Publication.id)
        .join(
            BroadcastPlace,
            (BroadcastPlace.source_id == Publication.source_id)
            & (BroadcastPlace.publication == Publication.external_id),
        )
        .where(BroadcastPlace.broadcast_id == broadcast_id)
    )
    return list(session.scalars(query))


def places_of(session: Session, broadcast_ids: Collection[int]) -> dict[int, list[BroadcastPlace]]:
    found: dict[int, list[BroadcastPlace]] = {}
    query = select(BroadcastPlace).where(BroadcastPlace.broadcast_id.in_(broadcast_ids)).order_by(BroadcastPlace.id)
    for row in session.scalars(query):
        found.setdefault(row.broadcast_id, []).append(row)
    return found


def second_of(broadcast: Broadcast, published_at: datetime, context: Mapping[str, object]) -> int:
    """The second of the broadcast in which something was said; a recording brings its own."""
    told = str(context.get("second", ""))
    if told.isdigit():
        return int(told)
    return max(0, int((published_at - (broadcast.started_at or broadcast.starts_at)).total_seconds()))


def second_of_message(broadcast: Broadcast, message: Message) -> int:
    return second_of(broadcast, message.published_at, message.context)


def add_place(session: Session, broadcast: Broadcast, url: str) -> BroadcastPlace:
    """A link of a broadcast; what it leads to is found out now or when its publication is met."""
    place = BroadcastPlace(broadcast_id=broadcast.id, platform=platform_of(url), url=url)
    session.add(place)
    session.flush()
    resolve(session, place)
    return place


def platform_of(url: str) -> str:
    """The platform by the host of a link; «link» for any other."""
    host = (urlsplit(url).hostname or "").removeprefix("www.").removeprefix("m.")
    known = {
        "youtube.com": "youtube", "youtu.be": "youtube", "vk.com": "vk", "vk.ru": "vk", "vkvideo.ru": "vk",
        "t.me": "telegram", "telegram.me": "telegram", "ok.ru": "ok",
    }  # fmt: skip
    return known.get(host, "link")


def video_of(url: str) -> str | None:
    """The id of a YouTube video in a link to it."""
    parts = urlsplit(url)
    if parts.hostname and parts.hostname.endswith("youtu.be"):
        return parts.path.strip("/") or None
    if parts.path.startswith("/live/"):
        return parts.path.removeprefix("/live/").strip("/") or None
    return next(iter(parse_qs(parts.query).get("v", ())), None)


def resolve(session: Session, place: BroadcastPlace) -> bool:
    """Finds the watched place and the publication behind a link; False while they are not known."""
    if place.publication is not None:
        return True
    video = video_of(place.url) if place.platform == "youtube" else None
    if video is not None:
        return _claim(session, place, _only_source(session, "youtube"), f"{YOUTUBE_LIVE}{video}")
    named = _VK.search(place.url) if place.platform == "vk" else None
    if named is not None:
        return _resolve_vk(session, place, named[0])
    found = session.scalars(
        select(Publication).where(Publication.url.in_(addresses_of(place.url))).limit(1)
    ).first()
    if found is None:
        return False
    return _claim(session, place, found.source_id, found.external_id)


def _resolve_vk(session: Session, place: BroadcastPlace, name: str) -> bool:
    """VK's addresses name the post or the video itself, so that even its first comment is met as chat."""
    query = (
        select(Publication.source_id)
        .join(Source, Source.id == Publication.source_id)
        .where(Publication.external_id == name, Source.platform == "vk")
    )
    source_id = session.scalar(query.limit(1)) or _only_source(session, "vk")
    return _claim(session, place, source_id, name)


def addresses_of(url: str) -> list[str]:
    """How the same page may stand in a publication: as typed, and without what shared links carry along."""
    parts, platform = urlsplit(url), platform_of(url)
    found = [url.rstrip("/")]
    # Elsewhere the query may be the page itself («?p=12»).
    if platform != "link" or all(name.startswith("utm_") for name in parse_qs(parts.query)):
        found.append(f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/"))
    if platform == "telegram":
        found.append(f"https://t.me/{parts.path.strip('/').removeprefix('s/')}")
    return list(dict.fromkeys(found))


def planned_alike(session: Session, source_id: int, title: str, at: datetime, room: str = "") -> Broadcast | None:
    """The broadcast that a person planned and whose chat now speaks: one of its links names the room, or it has the
    same title and a time close by. One whose chat of this place is known already is another one."""
    query = select(Broadcast).where(
        Broadcast.state.in_((*PLANNED, ON_AIR)), Broadcast.starts_at <= at + CLOSE, Broadcast.ends_at >= at - CLOSE
    )
    near = list(session.scalars(query.order_by(Broadcast.starts_at, Broadcast.id)))
    places = places_of(session, [row.id for row in near])
    free = [row for row in near if all(one.source_id != source_id for one in places.get(row.id, []))]
    named = (row for row in free if link_of_room(places.get(row.id, []), room) is not None)
    return next(named, None) or next((row for row in free if _plain(row.title) == _plain(title)), None)


def room_of(publication: str) -> str:
    """The webinar room behind a publication («room-NAME.2026-11-25»), "" for any other."""
    return _DAY.sub("", publication.removeprefix(ROOM)) if publication.startswith(ROOM) else ""


def link_of_room(places: Iterable[BroadcastPlace], room: str) -> BroadcastPlace | None:
    """The link among ``places`` that leads to a room of this name and whose chat is not known yet."""
    if not room:
        return None
    word = re.compile(rf"(?<![\w-]){re.escape(room)}(?![\w-])", re.IGNORECASE)
    return next((one for one in places if one.publication is None and word.search(one.url)), None)


def _plain(title: str) -> str:
    return " ".join(re.findall(r"\w+", title.casefold()))


def _claim(session: Session, place: BroadcastPlace, source_id: int | None, publication: str) -> bool:
    """A publication belongs to one broadcast: the link of a second one stays a link."""
    taken = select(BroadcastPlace.id).where(
        BroadcastPlace.source_id == source_id, BroadcastPlace.publication == publication
    )
    if source_id is None or session.scalar(taken) is not None:
        return False
    place.source_id, place.publication = source_id, publication
    session.flush()
    return True


def _only_source(session: Session, platform: str) -> int | None:
    found = list(session.scalars(select(Source.id).where(Source.platform == platform).limit(2)))
    return found[0] if len(found) == 1 else None
