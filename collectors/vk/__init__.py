"""VK: comments and private messages of a community, by its API's plain HTTP."""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from collectors.base import (
    Act,
    ActKind,
    Capabilities,
    Channel,
    ChannelError,
    Check,
    Cursor,
    FileLimits,
    Granted,
    Incoming,
    Limiter,
    Page,
    Proof,
    Raw,
    Receipt,
    Right,
    Walk,
)
from collectors.files import MEGABYTE
from collectors.vk import consent
from collectors.vk.acts import call_of, parts_of, receipt_of
from collectors.vk.api import Api
from collectors.vk.events import EVENT, GONE, event_raws, parse_event, prove, told_event
from collectors.vk.items import parse_raw
from collectors.vk.lookup import Lookup
from collectors.vk.reader import MALFORMED, Reader
from collectors.vk.settings import Settings
from collectors.vk.uploads import uploaded
from collectors.vk.walks import Walking
from collectors.wire import Wire

__all__ = ["Settings", "Vk"]


class Vk(Channel):
    """One community: containers are wall-<group>_<post>, video-…, photo-… and peer<peer_id> (private)."""

    kind = "vk"
    title = "VK"
    Settings = Settings
    # send_token stays off: random_id of messages is sure, guid of comments is doubted, and looking first fits both.
    can: ClassVar[Capabilities] = Capabilities(
        acts=frozenset({ActKind.REPLY, ActKind.MESSAGE, ActKind.EDIT, ActKind.DELETE, ActKind.BAN, ActKind.LIKE}),
        list_own=True,
        receive=True,
        max_length=9000,
        poll_seconds=60,
        deep_seconds=6 * 3600,
        # A community's token uploads for messages alone; an edit of VK's would drop what hangs on a message.
        files=FileLimits({"photo": 10 * MEGABYTE, "document": 20 * MEGABYTE}, most=10, private_only=True),
    )

    greets: ClassVar[bool] = True
    consent_needs: ClassVar[tuple[str, ...]] = ("group_id", "app_id")

    def __init__(self, settings: Any, wire: Wire, limiter: Limiter) -> None:
        super().__init__(settings, wire, limiter)
        self.api = Api(settings, wire, limiter)

    @classmethod
    def consent_address(
        cls, wire: Wire, values: Mapping[str, Any], redirect: str, state: str, verifier: str
    ) -> str:
        return consent.address(wire, values, redirect, state, verifier)

    @classmethod
    def take_consent(
        cls, wire: Wire, values: Mapping[str, Any], answer: Mapping[str, str], redirect: str, verifier: str
    ) -> Granted:
        return consent.granted(wire, values, answer, redirect, verifier)

    def renew(self) -> Granted | None:
        """By the refresh token of VK ID, where the access came by the button."""
        settings = self.settings
        if settings.refresh_token is None or not settings.app_id:
            return None
        values = {
            "consent_url": settings.consent_url, "app_id": settings.app_id, "device_id": settings.device_id,
            "refresh_token": settings.refresh_token.get_secret_value(),
        }  # fmt: skip
        return consent.renewed(self.wire, values, secrets.token_urlsafe(24))

    def check(self) -> Check:
        """Asks with each token that was given; raises ChannelError(auth) when one of them is refused.

        Rights: ``comments``, ``media`` (comments under videos and photos), ``messages``, ``reply`` (to comments)
        and ``moderate`` (delete, ban, like).
        """
        group, can = self.settings.group_id, self.api.can
        names = {kind: self._group(kind) for kind in self.api.kinds}
        if not names:
            raise ChannelError("no token is set", code="settings", permanent=True)
        user, permitted = names.get("user", {}), self._permissions()
        manages = bool(user.get("is_admin")) if "is_admin" in user else None
        rights = (
            Right("comments", can("wall.getComments"), without="comments"),
            Right("media", can("video.getComments"), without="media"),
            Right("messages", "messages" in permitted, without="messages"),
            Right("reply", can("wall.createComment"), without="reply"),
            Right("moderate", manages if can("wall.deleteComment") else False, without="moderate"),
        )
        told = next(iter(names.values()))
        return Check(str(-group), str(told.get("name") or group), rights)

    def _group(self, kind: str) -> dict[str, Any]:
        """The community as a token of this kind sees it."""
        group = self.settings.group_id
        answer = self.api.call("groups.getById", token_kind=kind, group_id=group)
        found = answer.get("groups") if isinstance(answer, dict) else answer
        for entry in found or []:
            if isinstance(entry, dict) and entry.get("id") == group:
                return entry
        raise ChannelError(f"there is no community {group}", code="settings", permanent=True)

    def _permissions(self) -> frozenset[str]:
        """What the community's token may do, by VK's own words."""
        if not self.api.can("groups.getTokenPermissions"):
            return frozenset()
        answer = self.api.call("groups.getTokenPermissions")
        return frozenset(str(one.get("name")) for one in answer.get("permissions") or [])

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        """NEW of a community never read takes the newest posts and all dialogues; the rest is for BACKFILL."""
        try:
            yield from Walking(Reader(self.api), walk, cursor).pages()
        except MALFORMED as error:
            raise ChannelError(f"an answer of an unknown form: {error!r}"[:200], code="server") from error

    def greeting(self, payload: bytes) -> str | None:
        """VK enters a hook only after it was told the community's own confirmation string."""
        event = told_event(payload, self.settings.group_id)
        return self.settings.callback_confirmation if event["type"] == "confirmation" else None

    def receive(self, payload: bytes, headers: Mapping[str, str]) -> list[Raw]:
        """One event of the Callback API; raises ChannelError(auth) unless community and secret are ours."""
        event = told_event(payload, self.settings.group_id)
        secret = self.settings.callback_secret
        prove(event, secret.get_secret_value() if secret else "")
        return event_raws(event, Reader(self.api))

    def parse(self, raw: Raw) -> list[Incoming]:
        if raw.kind == GONE or raw.kind.endswith(EVENT):
            return list(parse_event(raw, self.settings.site_url))
        return list(parse_raw(raw, self.settings.site_url))

    def act(self, act: Act) -> Receipt:
        if act.kind not in self.can.acts:
            raise ChannelError(f"VK has no method for {act.kind}", code="unsupported", permanent=True)
        method, params = call_of(act, self.settings.group_id)
        if act.files:
            kind, peer, _ = parts_of(act)
            if kind != "peer" or method != "messages.send":
                raise ChannelError("VK takes files in messages only", code="unsupported", permanent=True)
            params["attachment"] = uploaded(self.api, act.files, peer)
        return receipt_of(act, self.api.call(method, write=True, **params), self.settings.site_url)

    def lookup(self, act: Act) -> Proof:
        try:
            return Lookup(self.api, act).proof()
        except MALFORMED as error:
            raise ChannelError(f"an answer of an unknown form: {error!r}"[:200], code="server") from error

    def close(self) -> None:
        self.api.close()
