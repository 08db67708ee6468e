"""WordPress, in and out: the comments of a site through its REST API."""

import html
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from collectors.base import (
    Act,
    ActKind,
    Capabilities,
    Channel,
    ChannelError,
    Check,
    Cursor,
    Incoming,
    Limiter,
    Page,
    Person,
    Proof,
    Publication,
    Raw,
    Receipt,
    Right,
    Sent,
    SourceState,
    Verdict,
    Walk,
    normalise,
)
from collectors.html import clean, html_text
from collectors.wire import Wire
from collectors.wordpress.api import Api, Refused
from collectors.wordpress.settings import Settings
from collectors.wordpress.walks import Walker

__all__ = ["Settings", "WordPress"]

STATES = {
    "approved": SourceState.PUBLISHED,
    "hold": SourceState.HELD,
    "spam": SourceState.SPAM,
    "trash": SourceState.DELETED,
}
STATUS_OF = {ActKind.HIDE: "hold", ActKind.PUBLISH: "approve", ActKind.SPAM: "spam"}
STANDS_AS = {ActKind.HIDE: "hold", ActKind.PUBLISH: "approved", ActKind.SPAM: "spam", ActKind.DELETE: "trash"}
CLOCK_SLACK = timedelta(minutes=2)


class WordPress(Channel):
    """The comments of one site. The author of what the desk writes is the user whose password it holds."""

    kind = "wordpress"
    title = "WordPress"
    can = Capabilities(
        acts=frozenset(
            {
                ActKind.REPLY,
                ActKind.MESSAGE,
                ActKind.EDIT,
                ActKind.DELETE,
                ActKind.HIDE,
                ActKind.PUBLISH,
                ActKind.SPAM,
            }
        ),
        list_own=True,
        duplicate_refused=True,
        max_length=65_525,
        count="bytes",
        poll_seconds=60,
        deep_seconds=3600,
        settle_seconds=60,
    )
    Settings = Settings
    remembers: ClassVar[tuple[str, ...]] = ("posts", "held")

    def __init__(self, settings: Any, wire: Wire, limiter: Limiter) -> None:
        super().__init__(settings, wire, limiter)
        self._api = Api(settings, wire, limiter)

    def close(self) -> None:
        self._api.close()

    def check(self) -> Check:
        """Asks users/me: with a wrong password the comments would still be listed, as to any reader."""
        me = self._api.me()
        return Check(str(me.id), me.name, (Right("moderate_comments", me.moderates, "held"),))

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        walker = Walker(self._api, self.settings)
        yield from walker.new(cursor) if walk is Walk.NEW else walker.deep(cursor)

    # Understanding

    def parse(self, raw: Raw) -> list[Incoming]:
        if raw.kind != "comment":
            return []
        body = json.loads(raw.body)
        comment: dict[str, Any] = body["comment"]
        content = comment["content"]
        stored = "raw" in content
        text = html_text(content["raw"] if stored else content["rendered"], newlines=stored)
        own_id, parent = str(comment["id"]), int(comment.get("parent") or 0)
        return [
            Incoming(
                container=raw.container,
                external_id=own_id,
                text=text,
                published_at=_moment(comment["date_gmt"]),
                author=self._author(comment, body["guest"], us=bool(body["us"])),
                publication_external_id=raw.container,
                parent_external_id=str(parent) if parent else None,
                thread=str(body["thread"]),
                url=comment.get("link") or self._link(raw.container, own_id),
                state=STATES.get(comment.get("status", "approved"), SourceState.HIDDEN),
            )
        ]

    def publication(self, raw: Raw) -> Publication | None:
        if raw.kind != "post":
            return None
        post: dict[str, Any] = json.loads(raw.body)["post"]
        date = post.get("date_gmt")
        return Publication(
            external_id=str(post["id"]),
            kind="article",
            title=html_text((post.get("title") or {}).get("rendered", "")),
            url=post.get("link") or None,
            text=html_text((post.get("excerpt") or {}).get("rendered", "")),
            published_at=_moment(date) if date else None,
        )

    def _author(self, comment: dict[str, Any], guest: str, *, us: bool) -> Person:
        """A user's number means something on its own site only; a guest is the same person on every site."""
        number = int(comment.get("author") or 0)
        site = urlsplit(self.settings.base_url).netloc.removeprefix("www.")
        return Person(
            external_id=f"{site}:{number}" if number else f"guest:{guest}",
            name=clean(html.unescape(str(comment.get("author_name") or ""))),
            url=comment.get("author_url") or None,
            is_us=us,
        )

    def _link(self, post: str, comment: str) -> str | None:
        site = self.settings.site_url.rstrip("/")
        return f"{site}/?p={post}#comment-{comment}" if site else None

    # Out

    def act(self, act: Act) -> Receipt:
        """Writes as our user. A duplicate that is refused is our own earlier attempt: its receipt is given."""
        target = act.target
        path = f"wp/v2/comments/{_number(target.external_id)}" if act.kind is not ActKind.MESSAGE else ""
        content = html.escape(act.text, quote=False)  # comments are stored as HTML
        match act.kind:
            case ActKind.REPLY | ActKind.MESSAGE:
                return self._write(act, path, content)
            case ActKind.EDIT:
                return self._receipt(self._api.send("POST", path, {"content": content}))
            case ActKind.HIDE | ActKind.PUBLISH | ActKind.SPAM:
                return self._set_status(act, path)
            case ActKind.DELETE:
                return self._trash(act, path)
        return super().act(act)

    def _write(self, act: Act, path: str, content: str) -> Receipt:
        parent = _number(act.target.external_id) if act.kind is ActKind.REPLY else 0
        if path:
            self._require(path)
        body = {"post": _number(act.target.container), "parent": parent, "content": content}
        try:
            return self._receipt(self._api.send("POST", "wp/v2/comments", body))
        except Refused as refused:
            if refused.told != "comment_duplicate":
                raise
            own = self._own(act, Walker(self._api, self.settings), since=None)
            if own is None:
                raise
            return self._receipt(own)

    def _require(self, path: str) -> None:
        """WordPress would take a reply to a deleted comment and show it nowhere."""
        parent = self._api.get(path).data
        if not isinstance(parent, dict) or parent.get("status") in ("trash", "spam"):
            raise ChannelError("the comment is in the trash", code="gone", permanent=True)

    def _set_status(self, act: Act, path: str) -> Receipt:
        """A comment that is spam already cannot be set to spam: WordPress fails where nothing would change."""
        try:
            return self._receipt(self._api.send("POST", path, {"status": STATUS_OF[act.kind]}))
        except Refused as refused:
            if refused.told != "rest_comment_failed_edit":
                raise
            comment = self._api.get(path).data
            if not _stands(comment, act.kind):
                raise
            return self._receipt(comment)

    def _trash(self, act: Act, path: str) -> Receipt:
        try:
            return self._receipt(self._api.send("DELETE", path))
        except Refused as refused:
            if refused.told not in ("rest_already_trashed", "rest_comment_invalid_id"):
                raise
            return Receipt(act.target.external_id, container=act.target.container)

    def _receipt(self, comment: Any) -> Receipt:
        try:
            own_id, post = str(int(comment["id"])), str(comment["post"])
            return Receipt(
                own_id,
                url=comment.get("link") or self._link(post, own_id),
                at=_moment(comment["date_gmt"]),
                visible=comment.get("status") == "approved",
                container=post,
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ChannelError("no comment in the answer", code="server", sent=Sent.UNKNOWN) from None

    def lookup(self, act: Act) -> Proof:
        """Looks for our comment under the same parent, or at the state of the comment acted upon."""
        if act.kind in (ActKind.REPLY, ActKind.MESSAGE):
            walker = Walker(self._api, self.settings)
            own = self._own(act, walker, since=act.since)
            if own is not None:
                return self._seen(own)
            # A comment that waits for approval is not listed for those who may not approve.
            return Proof(Verdict.ABSENT if walker.sees_all else Verdict.UNKNOWN)
        return self._proof_of_change(act)

    def _proof_of_change(self, act: Act) -> Proof:
        try:
            comment = self._api.get(f"wp/v2/comments/{_number(act.target.external_id)}").data
        except Refused as refused:
            if refused.told == "rest_comment_invalid_id" and act.kind is ActKind.DELETE:
                return Proof(Verdict.SEEN, act.target.external_id)
            raise
        if act.kind is not ActKind.EDIT and act.kind not in STANDS_AS:
            return Proof(Verdict.UNKNOWN)
        done = _same(comment, act.text) if act.kind is ActKind.EDIT else _stands(comment, act.kind)
        return self._seen(comment) if done else Proof(Verdict.ABSENT)

    def _own(self, act: Act, walker: Walker, since: datetime | None) -> dict[str, Any] | None:
        parent = _number(act.target.external_id) if act.kind is ActKind.REPLY else 0
        return next(
            (
                one
                for one in walker.matching(post=_number(act.target.container), parent=parent)
                if one.get("author") == walker.me
                and str(one["id"]) not in act.taken
                and _same(one, act.text)
                and (since is None or _moment(one["date_gmt"]) >= since - CLOCK_SLACK)
            ),
            None,
        )

    def _seen(self, comment: dict[str, Any]) -> Proof:
        receipt = self._receipt(comment)
        return Proof(Verdict.SEEN, receipt.external_id, receipt.url, receipt.at)


def _number(value: str | None) -> int:
    if value is None or not value.isdecimal():
        raise ChannelError("the target is not a WordPress comment", code="invalid", permanent=True)
    return int(value)


def _moment(gmt: str) -> datetime:
    """``date_gmt`` comes without a zone and is UTC."""
    return datetime.fromisoformat(gmt).replace(tzinfo=UTC)


def _stands(comment: Any, kind: ActKind) -> bool:
    """Whether a comment stands as an act of ``kind`` leaves it."""
    return isinstance(comment, dict) and comment.get("status") == STANDS_AS[kind]


def _same(comment: dict[str, Any], text: str) -> bool:
    """Whether a comment says ``text``: both are read as HTML, since the site rewrites what it stores."""
    content = comment.get("content") or {}
    stored = "raw" in content
    told = html_text(content["raw"] if stored else content.get("rendered", ""), newlines=stored)
    return normalise(told) == normalise(html_text(html.escape(text, quote=False), newlines=True))
