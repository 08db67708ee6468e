"""What a change of one place, key or web hook does to the work that stands on it."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Act, ApiKey, Case, MessengerAccount, RawItem, Staff, WebhookCall
from services.bots import bots_of
from services.filters import Condition
from services.outbox import WAITING
from services.settings.reckoning import Effect


def place_effects(session: Session, before: Any, after: Any) -> list[Effect]:
    """Of a place that is not read or not written to any more: what is open, not read yet, not sent yet."""
    if before is None or after is None or after["state"] in ("on", before["state"]):
        return []
    number, state = after["id"], after["state"]
    there = Condition("source", str(number))
    open_cases = (Case.source_id == number, Case.open_key.is_not(None), Case.number.is_not(None))
    unread = (RawItem.source_id == number, RawItem.state.in_(("new", "quarantined")))
    unsent = (Act.source_id == number, Act.state.in_(("approval", *WAITING)))
    found = [
        Effect("place.cases", *_count(session, Case.id, *open_cases), groups=((there,),)),
        Effect("place.unread", *_count(session, RawItem.id, *unread)),
        Effect("place.by_hand" if state == "manual" else "place.unsent", *_count(session, Act.id, *unsent)),
    ]
    if state != "paused" and any(bot.source.id == number for bot in bots_of(session).values()):
        bound = (MessengerAccount.source_id == number, MessengerAccount.ended_at.is_(None))
        found.append(Effect("place.bot", *_count(session, MessengerAccount.id, *bound)))
    return found


def key_effects(session: Session, before: Any, after: Any) -> list[Effect]:
    """Of a key that opens less: that a program uses it, whose and when last."""
    if before is None or after is None:
        return []
    row, lost = session.get_one(ApiKey, after["id"]), set(before["scopes"]) - set(after["scopes"])
    ends = after["revoked"] and not before["revoked"]
    if row.used_at is None or not (ends or lost):
        return []
    who = session.get_one(Staff, row.staff_id).name
    said = {"who": who, "key": before["name"], "at": row.used_at, "scopes": sorted(lost)}
    return [Effect("key.ends" if ends else "key.loses", 1, 1, 1, data=said)]


def hook_effects(session: Session, before: Any, after: Any) -> list[Effect]:
    """Of an address that is told no more, or in another place: what waits to be told."""
    if before is None or after is None or before["state"] != "on":
        return []
    waiting = (WebhookCall.webhook_id == after["id"], WebhookCall.state.in_(("queued", "sending")))
    if after["state"] != "on":
        return [Effect("hook.waits", *_count(session, WebhookCall.id, *waiting))]
    if after["url"] != before["url"]:
        return [Effect("hook.moves", *_count(session, WebhookCall.id, *waiting))]
    return []


def _count(session: Session, column: Any, *conditions: Any) -> tuple[int, int, int]:
    """(how many, of how many looked at, of how many there are): all of them."""
    count = session.scalar(select(func.count(column)).where(*conditions)) or 0
    return count, count, count
