"""Telling the addresses: signed as Standard Webhooks say, at least once, again with growing pauses for a day."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, or_, select
from sqlalchemy.orm import Session

from collectors.webhook import Told
from models import Notice, Staff, Webhook, WebhookCall, WebhookTry, utc_now
from models.database import Database
from services.absences import quiet_until
from services.again import run_again
from services.errors import DeskError
from services.events import record
from services.leases import lease_over
from services.rights import DESK, actor_of
from services.secrets import Keyring
from services.terms import policy_of
from services.webhooks import TEST, give_up

Post = Callable[[str, Mapping[str, str], bytes], Told]
"""(address, headers, body) → what came of it; never raises for what the other side does."""
LEASE = timedelta(minutes=5)
"""Longer than an address may take to answer."""
DAY = timedelta(hours=24)
PAUSES = (5, 60, 300, 900, 1800, 3600, 7200, 10800, 14400, 21600)
"""Seconds after the n-th failure; the last attempt is made when the day is over."""
MOST_AT_ONCE = 200
KEPT = timedelta(days=30)
NOTICE = "webhook.failed"
GONE = 410
"""«Standard Webhooks»: whoever answers so wants to hear nothing any more."""
ANSWER = 300
"""Letters of an answer that the log keeps."""


def sign(secret: str, message_id: str, at: int, body: bytes) -> str:
    """The header «webhook-signature»: v1 and HMAC-SHA256 over id, time and body, each parted by a point."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def body_of(call: WebhookCall) -> bytes:
    """The same letters at every attempt."""
    return json.dumps(call.body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def headers_of(call: WebhookCall, secret: str, body: bytes, now: datetime) -> dict[str, str]:
    """The time is that of the attempt: whoever is told late must not take it for one sent anew by a stranger."""
    at = int(now.timestamp())
    return {
        "Content-Type": "application/json", "webhook-id": call.message_id, "webhook-timestamp": str(at),
        "webhook-signature": sign(secret, call.message_id, at, body),
    }  # fmt: skip


def run_webhooks(database: Database, keyring: Keyring, post: Post) -> int:
    """Tells what is due, one commit before and one after each call; returns how many calls were made.

    An address that fails is left alone until the next run, so that the others do not wait for it. A sender that
    died leaves a call that may have been heard: it goes again under the same id.
    """
    done, failing = 0, set[int]()
    while done < MOST_AT_ONCE:
        with database.read.begin() as session:
            if session.scalar(_due(failing).limit(1)) is None:
                return done
        with database.write.begin() as session:
            claimed = _claim(session, failing)
        if claimed is None:
            return done
        done += 1
        call, hook = claimed
        began = monotonic()
        told = _tell(call, hook, keyring, post)
        took = round((monotonic() - began) * 1000)
        run_again(database, partial(_note, claimed=call, told=told, milliseconds=took))
        if not told.is_well:
            failing.add(hook.id)
    return done


def _tell(call: WebhookCall, hook: Webhook, keyring: Keyring, post: Post) -> Told:
    try:
        secret = keyring.unseal(hook.secret)["secret"]
    except (DeskError, KeyError):  # none, of an address that was brought back
        return Told(None, code="key")
    body = body_of(call)
    return post(hook.url, headers_of(call, secret, body, utc_now()), body)


def _waits(now: datetime) -> ColumnElement[bool]:
    lost = and_(WebhookCall.state == "sending", lease_over(WebhookCall.lease_until, now, LEASE.total_seconds()))
    return or_(and_(WebhookCall.state == "queued", WebhookCall.due_at <= now), lost)


def _due(failing: Collection[int]) -> Select[Any]:
    query = select(WebhookCall.id).join(Webhook, Webhook.id == WebhookCall.webhook_id)
    told = or_(Webhook.state == "on", WebhookCall.kind == TEST)
    query = query.where(_waits(utc_now()), Webhook.dropped_at.is_(None), told)
    return query.where(WebhookCall.webhook_id.not_in(failing)) if failing else query


def _claim(session: Session, failing: Collection[int]) -> tuple[WebhookCall, Webhook] | None:
    found = _due(failing).order_by(WebhookCall.due_at, WebhookCall.id).limit(1)
    call_id = session.scalar(found.with_for_update(skip_locked=True, of=WebhookCall))
    if call_id is None:
        return None
    call, now = session.get_one(WebhookCall, call_id), utc_now()
    call.state, call.lease_until = "sending", now + LEASE
    call.first_at = call.first_at or now
    call.attempts += 1
    call.tries += 1
    return call, session.get_one(Webhook, call.webhook_id)


def _note(session: Session, claimed: WebhookCall, told: Told, milliseconds: int) -> None:
    hook = session.get_one(Webhook, claimed.webhook_id, with_for_update=True)
    call = session.get_one(WebhookCall, claimed.id, with_for_update=True)
    now = utc_now()
    session.add(
        WebhookTry(
            call_id=call.id, number=claimed.attempts, at=now, status=told.status, code=told.code,
            answer=told.answer[:ANSWER], milliseconds=milliseconds,
        )
    )  # fmt: skip
    if call.state != "sending" or call.attempts != claimed.attempts:
        return  # its lease was over and somebody else has it, or a person gave it up
    call.lease_until = None
    if told.is_well:
        call.state, call.sent_at = "sent", now
        hook.failing_since = None if call.kind != TEST else hook.failing_since
        return
    if call.kind == TEST:
        call.state = "dead"
        return
    hook.failing_since = hook.failing_since or (call.first_at if call.tries == 1 else now)
    _put_off(call, now)
    if told.status == GONE or (hook.failing_since is not None and now - hook.failing_since >= DAY):
        _switch_off(session, hook, now, told)


def _put_off(call: WebhookCall, now: datetime) -> None:
    end = (call.first_at or now) + DAY
    if now >= end:
        call.state = "dead"
        return
    pause = PAUSES[min(call.tries, len(PAUSES)) - 1]
    call.state, call.due_at = "queued", min(now + timedelta(seconds=pause), end)


def _switch_off(session: Session, hook: Webhook, now: datetime, told: Told) -> None:
    """What waited can be sent again by hand, once the address is switched on."""
    session.flush()
    hook.state = "failed"
    give_up(session, hook, "dead")
    record(session, "webhook.failed", DESK, object_id=hook.id, status=told.status, code=told.code)
    policy = policy_of(session)
    for staff in session.scalars(select(Staff).where(Staff.active)):
        if actor_of(staff).may("settings.edit"):
            show_at = quiet_until(staff, policy, now)
            session.add(Notice(staff_id=staff.id, kind=NOTICE, show_at=show_at, created_at=now))


def run_forget(database: Database) -> int:
    """Lets go of the log of what was settled long ago; returns how many calls."""
    with database.write.begin() as session:
        old = select(WebhookCall.id).where(
            WebhookCall.created_at < utc_now() - KEPT, WebhookCall.state.in_(("sent", "dead", "cancelled"))
        )
        ids = list(session.scalars(old.order_by(WebhookCall.id).limit(5000)))
        session.execute(delete(WebhookTry).where(WebhookTry.call_id.in_(ids)))
        session.execute(delete(WebhookCall).where(WebhookCall.id.in_(ids)))
    return len(ids)
