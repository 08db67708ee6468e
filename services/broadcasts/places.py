"""Which messages are said in which broadcast: by the publication that they stand under."""

from collections.abc import Collection, Mapping
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Broadcast, BroadcastPlace, Message, Publication, Source
from services.broadcasts.states import ON_AIR

YOUTUBE_LIVE = "live-"


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
        "t.me": "telegram", "ok.ru": "ok",
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
    found = session.scalars(select(Publication).where(Publication.url == place.url.rstrip("/")).limit(1)).first()
    if found is None:
        return False
    return _claim(session, place, found.source_id, found.external_id)


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
