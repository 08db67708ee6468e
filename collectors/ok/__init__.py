"""Odnoklassniki, in and out: comments of a group's discussions and, with the group's own key, its messages."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from collectors.asked import asked_once
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
    Proof,
    Publication,
    Raw,
    Receipt,
    Right,
    Sent,
    Verdict,
    Walk,
    normalise,
)
from collectors.html import clean
from collectors.ok.api import Api, Settings
from collectors.ok.items import COMMENT, DISCUSSIONS, comment, discussion, kept, message, moment, page
from collectors.wire import Wire

__all__ = ["Ok", "Settings"]

COUNT = 100
TYPES = "GROUP_TOPIC,GROUP_PHOTO,GROUP_MOVIE"
OVERLAP = 10 * 60 * 1000
"""Milliseconds before the newest known message that are read again."""
CLOCK_SLACK = timedelta(minutes=2)
CLOSED = ("gone", "closed", "rights")
"""What one discussion or chat may answer without harm to the others."""


class Ok(Channel):
    """A group. A discussion is read again when its number of comments changed, all of them by the deep walk."""

    kind = "ok"
    title = "Odnoklassniki"
    can = Capabilities(
        acts=frozenset({ActKind.REPLY, ActKind.MESSAGE, ActKind.EDIT, ActKind.DELETE, ActKind.BAN, ActKind.LIKE}),
        list_own=True,
        nested=False,
        max_length=4000,
        poll_seconds=120,
        deep_seconds=3 * 3600,
        settle_seconds=60,
    )
    Settings = Settings

    def __init__(self, settings: Any, wire: Wire, limiter: Limiter) -> None:
        super().__init__(settings, wire, limiter)
        self._api = Api(settings, wire, limiter)

    def close(self) -> None:
        self._api.close()

    @asked_once
    def _me(self) -> dict[str, Any]:
        me = self._api.call("users.getCurrentUser", fields="uid,name")
        if not isinstance(me, dict) or not me.get("uid"):
            raise ChannelError("no user in the answer", code="server")
        return me

    def check(self) -> Check:
        """Who the token belongs to; whether discussions and, where a key is set, messages can be read."""
        rights = [Right("comments", self._may(self._list_one), "comments")]
        messages = self.settings.bot_token is not None and self._may(self._chats)
        rights.append(Right("messages", messages, "messages"))
        return Check(str(self._me["uid"]), clean(str(self._me.get("name") or "")), tuple(rights))

    def _list_one(self) -> Any:
        return self._api.call("discussions.getList", types=TYPES, count=1)

    def _chats(self) -> list[str]:
        answer = self._api.graph("GET", "me/chats")
        listed = answer.get("chats") or [] if isinstance(answer, dict) else []
        return list(
            dict.fromkeys(str(one["chat_id"]) for one in listed if isinstance(one, dict) and one.get("chat_id"))
        )

    @staticmethod
    def _may(ask: Callable[[], Any]) -> bool:
        try:
            ask()
        except ChannelError as error:
            if error.code not in ("rights", "auth"):
                raise
            return False
        return True

    # In

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        """Discussions first, then messages.

        The cursor: ``counts`` (discussion → comments when it was last read), ``done`` (discussions that a deep walk
        under way has read), ``chats`` (chat → time of the newest message read, in milliseconds), ``open`` while a
        walk has not come to the end of what changed.
        """
        state: Cursor = dict(cursor)
        for found in self._discussions(walk, state):
            state = found.cursor
            yield found
        if self.settings.bot_token is not None:
            for found in self._messages(walk, state):
                state = found.cursor
                yield found
        ended = ("open",) if walk is Walk.NEW else ("open", "done")
        yield Page((), {name: value for name, value in state.items() if name not in ended}, complete=True)

    def _discussions(self, walk: Walk, state: Cursor) -> Iterator[Page]:
        counts: dict[str, int] = dict(state.get("counts", {}))
        done = set(state.get("done", []))
        names: dict[str, dict[str, str]] = {}
        was_open = bool(state.get("open"))  # a walk was cut short: what it had not reached stands further down
        for items in self._listed():
            changed = {key for key, one in items.items() if counts.get(key) != _total(one)}
            due = {
                key: one
                for key, one in items.items()
                if key in changed or (walk is not Walk.NEW and key not in done)
            }
            if walk is Walk.NEW and items and not due and counts and not was_open:
                return  # the list is ordered by activity: what follows has not changed either
            for key, one in due.items():
                raws = [kept("discussion", DISCUSSIONS, key, _told(one))]
                try:
                    comments, whole = self._comments(key)
                except ChannelError as error:
                    if error.code not in CLOSED:
                        raise
                    comments, whole = [], False
                raws += self._raws(key, comments, names)
                counts[key] = _total(one)
                ids = frozenset(str(told["id"]) for told in comments)
                state = {**state, "counts": dict(counts), "open": True}
                if walk is not Walk.NEW:
                    done.add(key)
                    state["done"] = sorted(done)
                agreed = whole and len(ids) == _total(one)
                yield Page(tuple(raws), state, listed={key: ids} if agreed and walk is not Walk.NEW else {})

    def _listed(self) -> Iterator[dict[str, dict[str, Any]]]:
        """Pages of the group's discussions, the most recently active first."""
        anchor: str | None = None
        seen: set[str] = set()
        while True:
            answer = self._api.call(
                "discussions.getList", types=TYPES, direction="FORWARD", count=COUNT, anchor=anchor
            )  # fmt: skip
            if not isinstance(answer, dict):
                raise ChannelError("a list of discussions was expected", code="server")
            found = [one for one in answer.get("discussions") or [] if isinstance(one, dict) and self._is_here(one)]
            yield {f"{one['object_type']}:{one['object_id']}": one for one in found if one.get("object_id")}
            anchor = str(answer.get("anchor") or "")
            if not answer.get("has_more") or not anchor or anchor in seen:
                return
            seen.add(anchor)

    def _is_here(self, one: dict[str, Any]) -> bool:
        """The account may take part in other groups too; a discussion that names no group is let in."""
        groups = [str(ref.get("id")) for ref in one.get("ref_objects") or [] if ref.get("type") == "GROUP"]
        return bool(one.get("object_type")) and (not groups or self.settings.group_id in groups)

    def _comments(self, key: str) -> tuple[list[dict[str, Any]], bool]:
        """(all comments of a discussion, whether it was read to its end)."""
        kind, _, number = key.partition(":")
        anchor, found, seen = "FIRST", dict[str, dict[str, Any]](), {"FIRST"}
        while True:
            answer = self._api.call(
                "discussions.getComments", discussionId=number, discussionType=kind, anchor=anchor,
                direction="FORWARD", count=COUNT, mark_as_read=False,
            )  # fmt: skip
            items = answer.get("comments") if isinstance(answer, dict) else None
            if not isinstance(items, list) and items is not None:
                raise ChannelError("a list of comments was expected", code="server")
            found |= {str(one["id"]): one for one in items or [] if isinstance(one, dict) and one.get("id")}
            following = str(answer.get("anchor") or "")
            if not answer.get("has_more"):
                return list(found.values()), True
            if not following or following in seen:
                return list(found.values()), False
            anchor = following
            seen.add(anchor)

    def _raws(self, key: str, comments: list[dict[str, Any]], names: dict[str, dict[str, str]]) -> list[Raw]:
        unknown = {str(one.get("author_id")) for one in comments if one.get("author_id")} - set(names)
        ordered = sorted(unknown)
        for start in range(0, len(ordered), 100):
            batch = ordered[start : start + 100]
            people = self._api.call("users.getInfo", uids=",".join(batch), fields="uid,name,url_profile")
            for who in people if isinstance(people, list) else []:
                names[str(who.get("uid"))] = {"name": who.get("name") or "", "url": who.get("url_profile")}
            for uid in batch:
                names.setdefault(uid, {"name": ""})
        ours = {str(self._me["uid"]), self.settings.group_id, *self.settings.our_ids}
        raws = []
        for one in comments:
            author = str(one.get("author_id"))
            told = {name: one[name] for name in COMMENT if name in one}
            body = {"comment": told, "author": names.get(author, {"name": ""}), "us": author in ours}
            raws.append(kept("comment", key, one["id"], body))
        return raws

    def _messages(self, walk: Walk, state: Cursor) -> Iterator[Page]:
        chats: dict[str, int] = dict(state.get("chats", {}))
        for chat in self._chats():
            known = chats.get(chat, 0)
            newest, raws = known, list[Raw]()
            try:
                for one in self._history(chat, 0 if walk is Walk.BACKFILL else known - OVERLAP):
                    newest = max(newest, int(one["timestamp"]))
                    raws.append(self._message_raw(chat, one))
            except ChannelError as error:
                if error.code not in CLOSED:
                    raise
            chats[chat] = newest
            state = {**state, "chats": dict(chats)}
            yield Page(tuple(raws), state)

    def _history(self, chat: str, floor: int) -> Iterator[dict[str, Any]]:
        """Messages newest first, down to ``floor`` in milliseconds; ``from`` is the upper bound."""
        upper: dict[str, Any] = {}
        seen: set[str] = set()
        while True:
            answer = self._api.graph("GET", f"me/messages/{chat}", count=COUNT, **upper)
            try:
                items = answer["messages"]
                fresh = [one for one in items if one["message"]["mid"] not in seen]
                seen |= {one["message"]["mid"] for one in fresh}
                oldest = min((int(one["timestamp"]) for one in items), default=floor - 1)
            except (KeyError, TypeError, ValueError):
                raise ChannelError("a list of messages was expected", code="server") from None
            yield from fresh
            if oldest < floor:
                return
            # Whether the bound is included is not told: pages overlap, and step back when nothing new came.
            upper = {"from": oldest + 1 if fresh else upper.get("from", oldest + 1) - 1}

    def _message_raw(self, chat: str, one: dict[str, Any]) -> Raw:
        told = {name: one[name] for name in ("sender", "message", "timestamp") if name in one}
        return kept("message", chat, one["message"]["mid"], {"message": told, "us": self._is_ours(one)})

    def _is_ours(self, one: dict[str, Any]) -> bool:
        """People write as ``user:…``; the group's own messages bear its id, or ours."""
        sender = str((one.get("sender") or {}).get("user_id") or "")
        return not sender.startswith("user:") or sender.removeprefix("user:") in self.settings.our_ids

    # Understanding

    def parse(self, raw: Raw) -> list[Incoming]:
        if raw.kind == "message":
            found = message(raw)
            return [] if found is None else [found]
        return [comment(raw, self._page(raw.container))] if raw.kind == "comment" else []

    def publication(self, raw: Raw) -> Publication | None:
        return discussion(raw, self._page(raw.external_id)) if raw.kind == "discussion" else None

    def _page(self, container: str) -> str:
        return page(self.settings.site_url, self.settings.group_id, container)

    # Out

    def act(self, act: Act) -> Receipt:
        target = act.target
        if act.kind not in self.can.acts:
            return super().act(act)
        if target.container.startswith("chat:"):
            return self._send(act)
        kind, _, number = target.container.partition(":")
        if not number or (act.kind is not ActKind.MESSAGE and not target.external_id):
            raise ChannelError("the target is not a comment of OK", code="invalid", permanent=True)
        where = {"discussionId": number, "discussionType": kind, "comment_id": target.external_id}
        match act.kind:
            case ActKind.EDIT:
                self._done(
                    self._api.call("discussions.editDiscussionComment", write=True, comment=act.text, **where)
                )
            case ActKind.LIKE:
                self._done(self._api.call("discussions.addCommentLike", write=True, **where))
            case ActKind.DELETE | ActKind.BAN:
                block = act.kind is ActKind.BAN
                self._delete(where, block=block)
            case _:
                return self._comment(act, kind, number)
        return Receipt(target.external_id, self._page(target.container), container=target.container)

    def _delete(self, where: dict[str, Any], *, block: bool) -> None:
        """OK bans an author only together with the comment that gave the reason."""
        try:
            method = "discussions.deleteDiscussionComment"
            self._done(self._api.call(method, write=True, mark_as_spam=False, block_author=block, **where))
        except ChannelError as error:
            if error.code != "gone" or block:
                raise

    @staticmethod
    def _done(answer: Any) -> None:
        """OK says ``true``, or an object with ``success``; anything else proves nothing."""
        told = answer.get("success") if isinstance(answer, dict) else answer
        if told not in (True, "true", 1):
            raise ChannelError("no success in the answer", code="server", sent=Sent.UNKNOWN)

    def _comment(self, act: Act, kind: str, number: str) -> Receipt:
        parent = act.target.external_id if act.kind is ActKind.REPLY else None
        answer = self._api.call(
            "discussions.addDiscussionComment", write=True, entityId=number, entityType=kind, comment=act.text,
            reply_to_comment_id=parent, as_admin=True,
        )  # fmt: skip
        own_id = answer.get("id") or answer.get("comment_id") if isinstance(answer, dict) else answer
        if not isinstance(own_id, str | int) or isinstance(own_id, bool) or not str(own_id):
            raise ChannelError("no comment in the answer", code="server", sent=Sent.UNKNOWN)
        return Receipt(str(own_id), self._page(act.target.container), container=act.target.container)

    def _send(self, act: Act) -> Receipt:
        if act.kind not in (ActKind.REPLY, ActKind.MESSAGE):
            raise ChannelError("messages of the group can only be answered", code="unsupported", permanent=True)
        chat = act.target.container
        body = {"recipient": {"chat_id": chat}, "message": {"text": act.text}}
        answer = self._api.graph("POST", f"me/messages/{chat}", body=body, write=True)
        mid = answer.get("message_id") if isinstance(answer, dict) else None
        if not isinstance(mid, str) or not mid:
            raise ChannelError("no message in the answer", code="server", sent=Sent.UNKNOWN)
        return Receipt(mid, container=chat)

    def lookup(self, act: Act) -> Proof:
        """Looks for our words under the same comment, or in the chat since the first attempt."""
        if act.kind not in (ActKind.REPLY, ActKind.MESSAGE):
            return Proof(Verdict.UNKNOWN)
        since = act.since - CLOCK_SLACK if act.since is not None else None
        if act.target.container.startswith("chat:"):
            for one in self._history(act.target.container, int(since.timestamp() * 1000) if since else 0):
                at = int(one["timestamp"]) / 1000
                recent = since is None or at >= since.timestamp()
                free = str(one["message"]["mid"]) not in act.taken
                if free and self._is_ours(one) and recent and _same(one["message"].get("text"), act.text):
                    return Proof(Verdict.SEEN, str(one["message"]["mid"]))
            return Proof(Verdict.ABSENT)
        comments, whole = self._comments(act.target.container)
        parent = act.target.external_id if act.kind is ActKind.REPLY else ""
        ours = {str(self._me["uid"]), self.settings.group_id}
        for one in comments:
            under = str(one.get("reply_to_comment_id") or "") == str(parent)
            recent = (since is None or moment(one) >= since) and str(one["id"]) not in act.taken
            if str(one.get("author_id")) in ours and under and recent and _same(one.get("text"), act.text):
                return Proof(Verdict.SEEN, str(one["id"]), self._page(act.target.container), moment(one))
        return Proof(Verdict.ABSENT if whole else Verdict.UNKNOWN)


def _same(stands: Any, sought: str) -> bool:
    return normalise(str(stands or "")) == normalise(sought)


def _total(one: dict[str, Any]) -> int:
    return int(one.get("total_comments_count") or 0)


def _told(one: dict[str, Any]) -> dict[str, str]:
    return {name: str(one[name]) for name in ("title", "message") if one.get(name)}
