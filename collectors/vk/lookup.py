"""Whether an act whose outcome is unknown left its trace on VK (reliability R5)."""

from datetime import datetime, timedelta
from html import unescape
from typing import Any

from collectors.base import Act, ActKind, ChannelError, Proof, Verdict, normalise
from collectors.vk.acts import parts_of
from collectors.vk.api import Api
from collectors.vk.items import Place, bare, message_id, moment, permalink
from collectors.vk.reader import SHELVES, Comment, Reader

CLOCK_SLACK = timedelta(minutes=2)
TEXTS = (ActKind.REPLY, ActKind.MESSAGE)


class Lookup:
    """One look; SEEN by parent, own name, text and time, ABSENT only after everything was read."""

    def __init__(self, api: Api, act: Act) -> None:
        self.reader = Reader(api)
        self.group = api.settings.group_id
        self.site = api.settings.site_url
        self.act = act
        self.floor = act.since - CLOCK_SLACK if act.since else None

    def proof(self) -> Proof:
        kind, owner, id_ = parts_of(self.act)
        if self.act.kind in (ActKind.BAN, ActKind.LIKE):
            # Neither can be asked for, and doing it again changes nothing.
            return Proof(Verdict.UNKNOWN)
        try:
            return self._among_messages(owner) if kind == "peer" else self._among(Place(kind, owner, id_, None, {}))
        except ChannelError as error:
            if error.code in ("settings", "rights", "closed"):
                return Proof(Verdict.UNKNOWN)  # nobody here may read there
            raise

    # Comments

    def _among(self, where: Place) -> Proof:
        comments, whole = self._comments(where)
        if self.act.kind in TEXTS:
            found = {str(one.item["id"]): one for one in comments if self._is_our_comment(one)}
            return self._nearest({id_: moment(one.item["date"]) for id_, one in found.items()}, found, whole)
        target = self.act.target.external_id
        standing = [one.item for one in comments if str(one.item["id"]) == target and not one.item.get("deleted")]
        return self._of_one(standing, whole)

    def _comments(self, where: Place) -> tuple[list[Comment], bool]:
        """The comments among which ours must be, and whether these are all."""
        found: list[Comment] = []
        thread = self.act.target.thread
        if self.act.kind is ActKind.REPLY and thread and SHELVES[where.kind].has_threads:
            complete = False
            for step in self.reader.replies(where, int(thread)):
                found += [Comment(item, int(thread)) for item in step.items]
                complete = step.whole
            return found, complete
        whole = True
        for page in self.reader.comments(where):
            found += page.found
            whole = whole and page.whole and (page.step.whole or not page.step.is_last)
        return found, whole

    def _is_our_comment(self, one: Comment) -> bool:
        item = one.item
        parent = item.get("reply_to_comment") or one.root
        wanted = self.act.target.external_id if self.act.kind is ActKind.REPLY else None
        return (
            item.get("from_id") == -self.group
            and str(item["id"]) not in self.act.taken
            and (str(parent) if parent else None) == wanted
            and self._is_our_text(item)
            and self._is_late_enough(item)
        )

    def _is_our_text(self, item: dict[str, Any]) -> bool:
        told, meant = (normalise(bare(unescape(text))) for text in (str(item.get("text") or ""), self.act.text))
        return told == meant

    def _is_late_enough(self, item: dict[str, Any]) -> bool:
        return self.floor is None or moment(item["date"]) >= self.floor

    def _nearest(self, times: dict[str, datetime], comments: dict[str, Comment], whole: bool) -> Proof:
        """Of several equal ones the nearest to the first attempt."""
        if not times:
            return Proof(Verdict.ABSENT if whole else Verdict.UNKNOWN)
        since = self.act.since
        id_ = min(times, key=lambda one: abs(times[one] - since) if since else timedelta())
        url = None
        if id_ in comments:
            root = comments[id_].root
            url = permalink(self.site, self.act.target.container, id_, str(root) if root else None)
        return Proof(Verdict.SEEN, id_, url, times[id_])

    def _of_one(self, standing: list[dict[str, Any]], whole: bool) -> Proof:
        """An edit is seen by its text; a deletion when the message is nowhere in a complete listing."""
        missing = Verdict.ABSENT if self.act.kind is ActKind.EDIT else Verdict.SEEN
        if not standing:
            return Proof(missing if whole else Verdict.UNKNOWN, self.act.target.external_id)
        seen = self.act.kind is ActKind.EDIT and self._is_our_text(standing[0])
        return Proof(Verdict.SEEN if seen else Verdict.ABSENT, self.act.target.external_id)

    # Messages

    def _among_messages(self, peer: int) -> Proof:
        found: dict[str, datetime] = {}
        whole = False
        for step in self.reader.history(peer):
            if self.act.kind not in TEXTS:
                target = self.act.target.external_id
                standing = [one for one in step.items if message_id(one) == target and not one.get("deleted")]
                if standing or step.is_last:
                    return self._of_one(standing, step.whole)
                continue
            found |= {message_id(one): moment(one["date"]) for one in step.items if self._is_our_message(one)}
            passed = any(not self._is_late_enough(one) for one in step.items)
            whole = step.whole or passed
            if passed:
                break
        return self._nearest(found, {}, whole)

    def _is_our_message(self, item: dict[str, Any]) -> bool:
        """VK gives the sender back its random_id, which is the outbox row's own; without it the text decides."""
        if item.get("out") != 1 and item.get("from_id") != -self.group:
            return False
        if message_id(item) in self.act.taken:
            return False
        same = item["random_id"] == self.act.key if item.get("random_id") else self._is_our_text(item)
        return same and self._is_late_enough(item)
