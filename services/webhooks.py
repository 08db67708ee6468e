"""Web hooks: which addresses outside are told of which events; what is to be told is queued with the act itself."""

import base64
import ipaddress
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from collectors.wire import Guard, is_public
from models import Act, Case, Department, Event, Route, Webhook, WebhookCall, WebhookTry, utc_now
from services.case_states import STAGES
from services.cases import newest_incoming
from services.errors import NotFound, Refused
from services.events import hear, record
from services.excerpts import MARK
from services.outbox import WRITING
from services.rights import Actor, require
from services.secrets import Keyring
from services.settings.history import note_made
from services.settings.many import HOOK, name_of
from services.settings.programs import hook_row, keeping_hook

KINDS: Mapping[str, tuple[str, ...]] = {
    "case.opened": ("case.opened",),
    "message.received": ("case.opened", "case.attached", "case.reopened"),
    "case.assigned": ("case.assigned",),
    "case.closed": ("case.moved",),
    "case.reopened": ("case.reopened",),
    "reply.written": ("reply.written",),
    "reply.sent": ("act.accepted", "act.settled"),
    "reply.seen": ("act.seen",),
    "reply.failed": ("act.failed", "act.review"),
    "route.asked": ("route.asked",),
    "route.answered": ("route.answered",),
    "route.declined": ("route.declined",),
}
"""What an address may be told of → the events of the desk that mean it."""
TEST = "webhook.test"
MOST_HOOKS = 20
MOST_NAME, MOST_URL = 60, 2000
PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """An address as the list shows it."""

    hook: Webhook
    last: WebhookCall | None
    waiting: int


def list_hooks(session: Session, actor: Actor) -> list[Line]:
    """All addresses that were not dropped, each with the newest call and how many wait."""
    require(actor, "settings.edit")
    hooks = list(session.scalars(select(Webhook).where(Webhook.dropped_at.is_(None)).order_by(Webhook.id)))
    newest = select(func.max(WebhookCall.id)).group_by(WebhookCall.webhook_id)
    last = {row.webhook_id: row for row in session.scalars(select(WebhookCall).where(WebhookCall.id.in_(newest)))}
    counted = select(WebhookCall.webhook_id, func.count()).where(WebhookCall.state.in_(("queued", "sending")))
    waiting = {row[0]: row[1] for row in session.execute(counted.group_by(WebhookCall.webhook_id))}
    return [Line(one, last.get(one.id), waiting.get(one.id, 0)) for one in hooks]


def dropped_hooks(session: Session, actor: Actor) -> list[Webhook]:
    """The newest addresses that were dropped: their history brings them back."""
    require(actor, "settings.edit")
    query = select(Webhook).where(Webhook.dropped_at.is_not(None))
    return list(session.scalars(query.order_by(Webhook.dropped_at.desc(), Webhook.id.desc()).limit(MOST_HOOKS)))


def get_hook(session: Session, actor: Actor, webhook_id: int, *, hold: bool = False) -> Webhook:
    """Raises NotFound for one that was dropped too."""
    require(actor, "settings.edit")
    hook = session.get(Webhook, webhook_id, with_for_update=True if hold else None)
    if hook is None or hook.dropped_at is not None:
        raise NotFound("webhook.unknown", id=webhook_id)
    return hook


def calls_of(
    session: Session, actor: Actor, webhook_id: int, before: int | None = None
) -> list[tuple[WebhookCall, list[WebhookTry]]]:
    """The log of an address, newest call first, each with its attempts, oldest first."""
    hook = get_hook(session, actor, webhook_id)
    query = select(WebhookCall).where(WebhookCall.webhook_id == hook.id)
    if before is not None:
        query = query.where(WebhookCall.id < before)
    calls = list(session.scalars(query.order_by(WebhookCall.id.desc()).limit(PAGE)))
    tries: dict[int, list[WebhookTry]] = {}
    wanted = select(WebhookTry).where(WebhookTry.call_id.in_([one.id for one in calls]))
    for one in session.scalars(wanted.order_by(WebhookTry.id)):
        tries.setdefault(one.call_id, []).append(one)
    return [(one, tries.get(one.id, [])) for one in calls]


def check_url(url: str, guard: Guard) -> str:
    """The address, if it may be told at all. A name is resolved when it is called, and looked at then."""
    url = _plain(url.strip())
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
    except ValueError:
        raise Refused("webhook.address") from None
    is_plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= MOST_URL
    if not is_plain or parts.scheme != "https" or not host or parts.username is not None or parts.fragment:
        raise Refused("webhook.address")
    if _is_private(host) and f"{host}:{port}" not in guard.allow_private:
        raise Refused("webhook.private")
    return url


def _plain(url: str) -> str:
    """«https://школа.рф/…» as the network spells it."""
    try:
        parts = urlsplit(url)
        if parts.netloc.isascii() or "@" in parts.netloc:
            return url
        host = (parts.hostname or "").encode("idna").decode()
        return urlunsplit(parts._replace(netloc=host if parts.port is None else f"{host}:{parts.port}"))
    except ValueError:  # of which an error of spelling is one
        raise Refused("webhook.address") from None


def _is_private(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not is_public(str(ipaddress.ip_address(host)))
    except ValueError:
        return False


def add_hook(
    session: Session, actor: Actor, keyring: Keyring, guard: Guard, name: str, url: str, events: Collection[str]
) -> tuple[Webhook, str]:
    """(the address, its secret, which is shown once)."""
    require(actor, "settings.edit")
    _check_room(session)
    hook = Webhook(created_by_id=actor.staff_id, **_checked(name, url, events, guard))
    secret = _give_secret(hook, keyring)
    session.add(hook)
    session.flush()
    record(session, "webhook.added", actor, object_id=hook.id, events=hook.events)
    note_made(session, actor, name_of(HOOK, hook.id), hook_row(session, hook.id))
    return hook, secret


def _check_room(session: Session) -> None:
    there = select(func.count()).select_from(Webhook).where(Webhook.dropped_at.is_(None))
    if (session.scalar(there) or 0) >= MOST_HOOKS:
        raise Refused("webhook.many", most=MOST_HOOKS)


def edit_hook(
    session: Session, actor: Actor, guard: Guard, webhook_id: int, name: str, url: str, events: Collection[str]
) -> Webhook:
    """What is queued already goes to the new address."""
    get_hook(session, actor, webhook_id)
    with keeping_hook(session, actor, webhook_id):  # its row of versions is held before the hook everywhere
        hook = get_hook(session, actor, webhook_id, hold=True)
        for field, value in _checked(name, url, events, guard).items():
            setattr(hook, field, value)
    record(session, "webhook.edited", actor, object_id=hook.id, events=hook.events)
    return hook


def _checked(name: str, url: str, events: Collection[str], guard: Guard) -> dict[str, Any]:
    name = name.strip()
    if not name or len(name) > MOST_NAME:
        raise Refused("webhook.name", most=MOST_NAME)
    if not events or not set(events) <= set(KINDS):
        raise Refused("webhook.events")
    return {"name": name, "url": check_url(url, guard), "events": [kind for kind in KINDS if kind in events]}


def renew_secret(session: Session, actor: Actor, keyring: Keyring, webhook_id: int) -> tuple[Webhook, str]:
    """The old one signs nothing from now on."""
    get_hook(session, actor, webhook_id)
    with keeping_hook(session, actor, webhook_id):
        hook = get_hook(session, actor, webhook_id, hold=True)
        secret = _give_secret(hook, keyring)
    record(session, "webhook.secret", actor, object_id=hook.id)
    return hook, secret


def _give_secret(hook: Webhook, keyring: Keyring) -> str:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    hook.secret, hook.secret_at = keyring.seal({"secret": secret}), utc_now()
    return secret


def switch_hook(session: Session, actor: Actor, webhook_id: int, on: bool) -> Webhook:
    """Off: nothing is told and what waits is given up. On: what happens from now on is told."""
    get_hook(session, actor, webhook_id)
    with keeping_hook(session, actor, webhook_id):
        hook = get_hook(session, actor, webhook_id, hold=True)
        wanted = "on" if on else "off"
        if on:
            _check_secret(hook)
        if hook.state != wanted:
            hook.state, hook.failing_since = wanted, None
            if not on:
                give_up(session, hook, "cancelled")
            record(session, "webhook.switched", actor, object_id=hook.id, code=wanted)
    return hook


def _check_secret(hook: Webhook) -> None:
    """One that was brought back has none: what was known outside is gone for good."""
    if not hook.secret:
        raise Refused("webhook.secretless", name=hook.name)


def drop_hook(session: Session, actor: Actor, webhook_id: int) -> None:
    """The log stays, the secret does not."""
    get_hook(session, actor, webhook_id)
    with keeping_hook(session, actor, webhook_id):
        hook = get_hook(session, actor, webhook_id, hold=True)
        hook.state, hook.dropped_at, hook.secret, hook.secret_at = "off", utc_now(), "", None
        give_up(session, hook, "cancelled")
    record(session, "webhook.dropped", actor, object_id=hook.id)


def put_hook(
    session: Session, actor: Actor, guard: Guard, webhook_id: int, value: Mapping[str, Any] | None
) -> None:
    """The address becomes what a version says, by the checks of today. One that was dropped comes back switched off
    and without a secret: a new one has to be made."""
    require(actor, "settings.edit")
    found = session.get(Webhook, webhook_id)
    if found is None:
        raise NotFound("webhook.unknown", id=webhook_id)
    if value is None:
        raise Refused("webhook.begun", name=found.name)
    with keeping_hook(session, actor, webhook_id):
        hook = session.get_one(Webhook, webhook_id, with_for_update=True)
        was_dropped = hook.dropped_at is not None
        if was_dropped:
            _check_room(session)
            hook.dropped_at = None
        edit_hook(session, actor, guard, webhook_id, value["name"], value["url"], value["events"])
        if value["state"] == "dropped":
            drop_hook(session, actor, webhook_id)
        elif not was_dropped:
            switch_hook(session, actor, webhook_id, value["state"] == "on")
    record(session, "webhook.returned", actor, object_id=webhook_id)


def give_up(session: Session, hook: Webhook, state: str) -> None:
    """What waits for this address is not told any more."""
    waiting = update(WebhookCall).where(WebhookCall.webhook_id == hook.id)
    session.execute(
        waiting.where(WebhookCall.state.in_(("queued", "sending"))).values(state=state, lease_until=None)
    )


def send_test(session: Session, actor: Actor, webhook_id: int) -> WebhookCall:
    """«Проверочное»: one attempt, also to an address that is switched off."""
    hook = get_hook(session, actor, webhook_id)
    _check_secret(hook)
    call = _call(hook, TEST, {"type": TEST, "timestamp": utc_now().isoformat(), "data": {}})
    session.add(call)
    session.flush()
    return call


def send_again(session: Session, actor: Actor, call_id: int) -> WebhookCall:
    """«Отправить ещё раз», under the same webhook-id: whoever has it already can tell."""
    require(actor, "settings.edit")
    call = session.get(WebhookCall, call_id, with_for_update=True)
    if call is None:
        raise NotFound("webhook.call", id=call_id)
    hook = get_hook(session, actor, call.webhook_id)
    _check_secret(hook)
    if hook.state != "on" and call.kind != TEST:
        raise Refused("webhook.off")
    if call.state in ("sent", "dead", "cancelled"):
        call.state, call.due_at, call.tries, call.first_at = "queued", utc_now(), 0, None
        record(session, "webhook.again", actor, object_id=hook.id, call=call.id)
    return call


def _call(hook: Webhook, kind: str, body: dict[str, Any]) -> WebhookCall:
    return WebhookCall(webhook_id=hook.id, message_id=f"msg_{secrets.token_hex(16)}", kind=kind, body=body)


_MEANT: dict[str, tuple[str, ...]] = {
    heard: tuple(kind for kind, events in KINDS.items() if heard in events)
    for heard in {one for events in KINDS.values() for one in events}
}
"""Event of the desk → what it may mean outside."""


def _queue(session: Session, events: Sequence[Event]) -> None:
    hooks = list(session.scalars(select(Webhook).where(Webhook.state == "on", Webhook.dropped_at.is_(None))))
    wanted = {kind for hook in hooks for kind in hook.events}
    meant = [(kind, event) for event in events for kind in _MEANT[event.kind] if kind in wanted]
    meant = [(kind, event) for kind, event in meant if _is_meant(kind, event)]
    if not meant:
        return
    facts = _Facts.of(session, [event for _kind, event in meant])
    for kind, event in meant:
        data = facts.data(session, kind, event)
        if data is not None:
            body = {"type": kind, "timestamp": event.at.isoformat(), "data": data}
            session.add_all(_call(hook, kind, body) for hook in hooks if kind in hook.events)


hear(_MEANT, _queue)


def _is_meant(kind: str, event: Event) -> bool:
    if event.case_id is None:
        return False
    if kind == "case.closed":
        return STAGES[event.data["new"]] == "closed" and STAGES[event.data["old"]] != "closed"
    if kind == "message.received" and event.kind == "case.reopened":
        return event.staff_id is None  # the author wrote; a person who opens it again brings no message
    return True


@dataclass(frozen=True, slots=True)
class _Facts:
    """What stands behind the numbers in events, with one query a table."""

    cases: dict[int, Case]
    acts: dict[int, Act]
    routes: dict[int, tuple[Route, str]]

    @classmethod
    def of(cls, session: Session, events: Sequence[Event]) -> "_Facts":
        acts = [one.object_id for one in events if one.kind.startswith("act.")]
        asked = [one.object_id for one in events if one.kind.startswith("route.")]
        cases = session.scalars(select(Case).where(Case.id.in_({one.case_id for one in events})))
        rows = session.execute(
            select(Route, Department.code)
            .join(Department, Department.id == Route.department_id)
            .where(Route.id.in_(asked))
        )
        return cls(
            {one.id: one for one in cases},
            {one.id: one for one in session.scalars(select(Act).where(Act.id.in_(acts)))} if acts else {},
            {row[0].id: (row[0], row[1]) for row in rows} if asked else {},
        )

    def data(self, session: Session, kind: str, event: Event) -> dict[str, Any] | None:
        """Ids and codes; None where the event is of something else that nobody outside asked for."""
        case = self.cases.get(event.case_id or 0)
        if case is None:
            return None
        data: dict[str, Any] = {
            "event_id": event.id, "case_id": case.id, "case_number": case.number, "staff_id": event.staff_id,
        }  # fmt: skip
        noun = kind.partition(".")[0]
        if noun == "case":
            return {**data, **_of_case(kind, event, case)}
        if noun == "message":
            message_id = _message_id(session, event, case)
            return {**data, "message_id": message_id} if message_id is not None else None  # nobody wrote
        if noun == "route":
            route, department = self.routes[event.object_id or 0]
            return {**data, "route_id": route.id, "department": department}
        if kind == "reply.written":
            return {**data, "reply_id": event.object_id}
        act = self.acts.get(event.object_id or 0)
        if act is None or act.kind not in WRITING or act.reply_id is None:
            return None
        return {**data, "reply_id": act.reply_id, "act_state": act.state, "error": act.error_code}


def _of_case(kind: str, event: Event, case: Case) -> dict[str, Any]:
    if kind == "case.assigned":
        return {"assignee_id": event.object_id}
    if kind == "case.closed":
        return {"state": event.data["new"], "reason": event.data.get("reason")}
    return {"label": case.label, "kind": case.kind, "visibility": case.visibility, "priority": case.priority}


def _message_id(session: Session, event: Event, case: Case) -> int | None:
    if event.kind == "case.attached":
        return event.object_id
    if event.kind == "case.opened":
        return None if MARK in case.subject_key else case.first_message_id  # split off: that message was told of
    newest = newest_incoming(session, case.id)
    return newest.id if newest is not None else None
