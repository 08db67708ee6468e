"""YouTube: comments of a channel and its videos, through Google's own client on the desk's wire."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from collectors.airing import Airing, ChatBudget, ChatPage, DayUnits
from collectors.base import (
    Act,
    ActKind,
    Capabilities,
    Channel,
    ChannelError,
    Check,
    Cursor,
    Granted,
    Incoming,
    Limiter,
    Page,
    Proof,
    Raw,
    Receipt,
    Right,
    Sent,
    Target,
    Verdict,
    Walk,
    normalise,
)
from collectors.wire import Wire
from collectors.youtube import consent
from collectors.youtube.api import Api
from collectors.youtube.items import is_comment, moment, parse_comment, permalink
from collectors.youtube.live import LIVE, PREFIX, find_airings, live_call, parse_live, read_chat
from collectors.youtube.settings import Settings
from collectors.youtube.walks import ELSEWHERE, NOT_A_THREAD, Reader, Walking, next_token

__all__ = ["Settings", "YouTube"]

CLOCK_SLACK = timedelta(minutes=2)
HIDDEN_LISTINGS = ("heldForReview", "likelySpam")
SHOWN_REPLIES = 5
"""As many replies a thread shows at most; of held ones no listing gives the rest."""


class YouTube(Channel):
    """One channel with all its videos, or some videos of it.

    A raw's container is the video's id, or the channel's own id for comments on the channel itself.
    """

    kind = "youtube"
    title = "YouTube"
    Settings = Settings
    remembers: ClassVar[tuple[str, ...]] = ("places",)
    consent_needs: ClassVar[tuple[str, ...]] = ("client_id", "client_secret")
    can: ClassVar[Capabilities] = Capabilities(
        acts=frozenset(set(ActKind) - {ActKind.LIKE, ActKind.SPAM}),
        list_own=True,
        nested=False,
        max_length=10_000,
        poll_seconds=120,
        deep_seconds=6 * 3600,
        chat=True,
    )

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

    def check(self) -> Check:
        """Rights: ``comments`` (reading), ``reply`` (all writing), ``held`` (held comments and moderation).

        ``own``: the account is the watched channel itself; another one's answers would not be known as ours.
        """
        authorised, wanted = self.settings.authorised, self.settings.channel_id
        which: dict[str, Any] = {"mine": True} if authorised else {"id": wanted}
        found = self.api.call(lambda tube: tube.channels().list(part="snippet", **which)).get("items") or []
        if not found and not authorised:
            raise ChannelError(f"there is no channel {wanted}", code="settings", permanent=True)
        me: dict[str, Any] = found[0] if found else {"id": "", "snippet": {}}
        rights = (
            Right("comments", True, without="comments"),
            # An account without a channel of its own cannot write: ineligibleAccount.
            Right("reply", authorised and bool(found), without="reply"),
            Right("held", authorised and self._sees_held(), without="held"),
            Right("own", me["id"] == wanted, without="own"),
        )
        return Check(str(me["id"]), str(me["snippet"].get("title") or me["id"]), rights)

    def _sees_held(self) -> bool:
        try:
            self._reader("new").threads(self._filter(self.settings.channel_id), "heldForReview", None, size=1)
        except ChannelError as error:
            if error.code in ELSEWHERE:
                return False
            raise
        return True

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        """NEW of a channel never read goes to the end of its listings, as BACKFILL does."""
        try:
            yield from Walking(self._reader("new" if walk is Walk.NEW else "deep"), walk, cursor).pages()
        except NOT_A_THREAD as error:
            raise ChannelError(f"an answer of an unknown form: {error!r}"[:200], code="server") from error

    def _reader(self, purpose: str = "answers") -> Reader:
        return Reader(self.api, purpose)

    def _filter(self, container: str) -> dict[str, str]:
        own = container == self.settings.channel_id
        return {"allThreadsRelatedToChannelId": container} if own else {"videoId": container}

    def parse(self, raw: Raw) -> list[Incoming]:
        if raw.kind in (LIVE, "live_gone"):
            return list(parse_live(raw, self.settings.site_url))
        return list(parse_comment(raw, self.settings.site_url))

    # Live

    def airings(self, known: Sequence[str] = ()) -> list[Airing]:
        return find_airings(self.api, known) if self._hears() else []

    def chat(self, airing: Airing, cursor: Cursor) -> ChatPage:
        if not self._hears():
            raise ChannelError("a live chat needs OAuth", code="settings", permanent=True)
        return read_chat(self.api, airing, cursor)

    def chat_budget(self) -> ChatBudget | None:
        return self.api.chat_budget()

    def day_units(self) -> DayUnits | None:
        return self.api.day_units()

    def _hears(self) -> bool:
        return bool(self.settings.live_chat and self.settings.authorised)

    # Out

    @classmethod
    def is_live(cls, container: str) -> bool:
        return container.startswith(PREFIX)

    def act(self, act: Act) -> Receipt:
        if act.kind not in self.can.acts:
            raise ChannelError(f"YouTube has no method for {act.kind}", code="unsupported", permanent=True)
        if not self.settings.authorised:
            raise ChannelError("writing needs OAuth, not an API key", code="settings", permanent=True)
        if act.kind is not ActKind.MESSAGE and not act.target.external_id:
            raise ChannelError(f"{act.kind} needs a comment", code="invalid", permanent=True)
        if self.is_live(act.target.container):
            made = self.api.call(live_call(act), write=True, mass=act.mass)
            own_id = made.get("id") if act.kind in (ActKind.REPLY, ActKind.MESSAGE) else act.target.external_id
            if not own_id:
                raise ChannelError("the answer does not hold the message", code="server", sent=Sent.UNKNOWN)
            return Receipt(str(own_id), container=act.target.container)
        answer = self.api.call(_CALLS[act.kind](act, self.settings.channel_id), write=True, mass=act.mass)
        if act.kind in (ActKind.REPLY, ActKind.MESSAGE, ActKind.EDIT):
            return self._receipt(act, answer)
        return Receipt(act.target.external_id, container=act.target.container)

    def _receipt(self, act: Act, answer: dict[str, Any]) -> Receipt:
        """Raises UNKNOWN for an answer without the comment: it may or may not stand there."""
        comment = answer
        try:
            if act.kind is ActKind.MESSAGE:
                comment = answer["snippet"]["topLevelComment"]
            snippet, id_ = comment["snippet"], str(comment["id"])
            written = snippet.get("updatedAt" if act.kind is ActKind.EDIT else "publishedAt")
            at = moment(written) if written else None
            shown = snippet.get("moderationStatus") in (None, "published")
        except (*NOT_A_THREAD, ValueError):
            told = "the answer does not hold the comment"
            raise ChannelError(told, code="server", sent=Sent.UNKNOWN) from None
        return Receipt(id_, self._url(act.target.container, id_), at, shown, act.target.container)

    def _url(self, container: str, id_: str) -> str:
        return permalink(self.settings.site_url, self.settings.channel_id, container, id_)

    def lookup(self, act: Act) -> Proof:
        """Absent only when the held and spam listings, where our reply may stand too, could be read as well."""
        if self.is_live(act.target.container):
            return Proof(Verdict.UNKNOWN)  # YouTube shows of a chat only what comes after the last call
        try:
            match act.kind:
                case ActKind.REPLY | ActKind.MESSAGE:
                    return self._find_text(act)
                case ActKind.EDIT | ActKind.DELETE:
                    return self._find_comment(act)
                case _:
                    # The state of one comment cannot be asked for; setting it again changes nothing.
                    return Proof(Verdict.UNKNOWN)
        except NOT_A_THREAD as error:
            raise ChannelError(f"an answer of an unknown form: {error!r}"[:200], code="server") from error

    def _find_comment(self, act: Act) -> Proof:
        id_ = act.target.external_id or ""
        found = self._reader().comment(id_)
        if act.kind is ActKind.DELETE:
            return Proof(Verdict.ABSENT) if found else Proof(Verdict.SEEN, id_)
        if found is None or normalise(_text(found)) != normalise(act.text):
            return Proof(Verdict.ABSENT)
        return Proof(Verdict.SEEN, id_, self._url(act.target.container, id_), moment(found["snippet"]["updatedAt"]))

    def _find_text(self, act: Act) -> Proof:
        """R5: parent + own account + text + time; of several the nearest to the first attempt."""
        floor = act.since - CLOCK_SLACK if act.since else None
        complete = True
        ours: dict[str, datetime] = {}
        for candidates in self._places_of(act, floor):
            try:
                for comment in candidates:
                    at = moment(comment["snippet"]["publishedAt"])
                    if self._is_ours(comment, act) and (floor is None or at >= floor):
                        ours[comment["id"]] = at
            except ChannelError as error:
                if error.code not in ELSEWHERE:
                    raise
                complete = complete and error.code == "gone"
            if ours:
                id_ = min(ours, key=lambda one: abs(ours[one] - act.since) if act.since else timedelta())
                return Proof(Verdict.SEEN, id_, self._url(act.target.container, id_), ours[id_])
        return Proof(Verdict.ABSENT if complete else Verdict.UNKNOWN)

    def _is_ours(self, comment: dict[str, Any], act: Act) -> bool:
        author = (comment["snippet"].get("authorChannelId") or {}).get("value")
        free = comment["id"] not in act.taken
        return free and author == self.settings.channel_id and normalise(_text(comment)) == normalise(act.text)

    def _places_of(self, act: Act, floor: datetime | None) -> Iterator[Iterator[dict[str, Any]]]:
        """Where the text may stand, the likeliest place first."""
        reader = self._reader()
        if act.kind is ActKind.REPLY:
            yield reader.replies(_top(act.target))
        else:
            yield self._comments(act, "published", floor)
        for status in HIDDEN_LISTINGS:
            yield self._comments(act, status, None)

    def _comments(self, act: Act, status: str, floor: datetime | None) -> Iterator[dict[str, Any]]:
        """Comments of one listing under the act's parent, newest threads first, not further back than ``floor``."""
        reader = self._reader()
        token: str | None = None
        parent = _top(act.target) if act.kind is ActKind.REPLY else None
        while True:
            answer = reader.threads(self._filter(act.target.container), status, token)
            for thread in answer.get("items") or []:
                top = thread["snippet"]["topLevelComment"]
                if parent is None:
                    yield top
                    if floor is not None and moment(top["snippet"]["publishedAt"]) < floor:
                        return
                elif thread["id"] == parent:
                    shown = (thread.get("replies") or {}).get("comments") or []
                    yield from filter(is_comment, shown)
                    if len(shown) >= SHOWN_REPLIES:
                        raise ChannelError("YouTube shows only some of the held replies", code="unsupported")
            token = next_token(answer, token)
            if not token:
                return

    def close(self) -> None:
        self.api.close()


def _text(comment: dict[str, Any]) -> str:
    return str(comment["snippet"].get("textOriginal") or comment["snippet"].get("textDisplay") or "")


def _top(target: Target) -> str:
    """The thread's first comment: a reply to a reply is refused, YouTube has one level of them."""
    return target.thread or target.parent_external_id or (target.external_id or "").partition(".")[0]


Call = Callable[[Any], Any]


def _reply(act: Act, channel_id: str) -> Call:
    body = {"snippet": {"parentId": _top(act.target), "textOriginal": act.text}}
    return lambda tube: tube.comments().insert(part="snippet", body=body)


def _message(act: Act, channel_id: str) -> Call:
    snippet: dict[str, Any] = {"channelId": channel_id, "topLevelComment": {"snippet": {"textOriginal": act.text}}}
    if act.target.container != channel_id:
        snippet["videoId"] = act.target.container
    return lambda tube: tube.commentThreads().insert(part="snippet", body={"snippet": snippet})


def _edit(act: Act, channel_id: str) -> Call:
    body = {"id": act.target.external_id, "snippet": {"textOriginal": act.text}}
    return lambda tube: tube.comments().update(part="snippet", body=body)


def _delete(act: Act, channel_id: str) -> Call:
    return lambda tube: tube.comments().delete(id=act.target.external_id)


def _moderate(**how: Any) -> Callable[[Act, str], Call]:
    def ask(act: Act, channel_id: str) -> Call:
        return lambda tube: tube.comments().setModerationStatus(id=act.target.external_id, **how)

    return ask


_CALLS: dict[ActKind, Callable[[Act, str], Call]] = {
    ActKind.REPLY: _reply,
    ActKind.MESSAGE: _message,
    ActKind.EDIT: _edit,
    ActKind.DELETE: _delete,
    ActKind.HIDE: _moderate(moderationStatus="heldForReview"),
    ActKind.PUBLISH: _moderate(moderationStatus="published"),
    ActKind.BAN: _moderate(moderationStatus="rejected", banAuthor=True),
}
