"""A VK in memory for tests: it holds every call against the tokens and parameters of schema 5.199."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx

from benchmarks.limits import NoLimits
from collectors.vk import Settings, Vk
from collectors.wire import Wire

GROUP = 77
BASE = "https://vkapi.example/"
EPOCH = 1_762_000_000
TOKENS = {"user-token": "user", "community-token": "community", "service-token": "service"}
_LISTING = "owner_id need_likes start_comment_id offset count sort extended fields"
# method → (kinds of tokens, parameters), transcribed from the 5.199 schema's methods.json files
SCHEMA: dict[str, tuple[str, str]] = {
    "wall.get": ("user service", "owner_id domain offset count filter extended fields"),
    "wall.getComments": ("user service", f"{_LISTING} post_id preview_length comment_id thread_items_count"),
    "wall.createComment": ("user group", "owner_id post_id from_group message reply_to_comment attachments guid"),
    "wall.editComment": ("user", "owner_id post_id comment_id message attachments"),
    "wall.deleteComment": ("user", "owner_id post_id comment_id"),
    "video.get": ("user", "owner_id videos album_id count offset extended fields sort_album"),
    "video.getComments": ("user", f"{_LISTING} video_id comment_id thread_items_count"),
    "video.createComment": ("user", "owner_id video_id message attachments from_group reply_to_comment guid"),
    "video.editComment": ("user", "owner_id comment_id message attachments"),
    "video.deleteComment": ("user", "owner_id comment_id"),
    "photos.getAllComments": ("user", "owner_id album_id need_likes offset count"),
    "photos.getById": ("user service", "photos extended photo_sizes"),
    "photos.getComments": ("user", f"{_LISTING} photo_id access_key"),
    "photos.createComment": ("user", "owner_id photo_id message attachments from_group reply_to_comment guid"),
    "photos.editComment": ("user", "owner_id comment_id message attachments"),
    "photos.deleteComment": ("user", "owner_id comment_id"),
    "likes.add": ("user", "type owner_id item_id access_key"),
    "groups.ban": ("user", "group_id owner_id end_date reason comment comment_visible"),
    "groups.getById": ("user group service", "group_ids group_id fields"),
    "groups.getTokenPermissions": ("group", ""),
    "messages.getConversations": ("user group", "offset count filter extended start_message_id fields group_id"),
    "messages.getHistory": ("user group", "offset count peer_id start_message_id rev extended fields group_id"),
    "messages.send": ("user group", "peer_id random_id message attachment reply_to forward group_id"),
    "messages.edit": ("user group", "peer_id message message_id cmid group_id"),
    "messages.delete": ("user group", "message_ids cmids peer_id delete_for_all group_id"),
}
KINDS = {"wall": "wall", "video": "video", "photos": "photo"}
PLACE = {"wall": "post_id", "video": "video_id", "photo": "photo_id"}


def channel(base: str = BASE, wire: Wire | None = None, **more: Any) -> Vk:
    """The real channel, pointed at ``base``."""
    told = {
        "group_id": GROUP,
        "base_url": base,
        "site_url": "https://site.example",
        "user_token": "user-token",
        "community_token": "community-token",
    }
    return Vk(Settings.model_validate({**told, **more}), wire or Wire(), NoLimits())


@dataclass
class Item:
    id: int
    container: str
    author: int
    text: str
    at: int
    root: int | None = None
    answered: int | None = None
    deleted: bool = False
    edited: int | None = None
    random_id: int = 0


class Refused(Exception):
    def __init__(self, code: int, message: str = "refused") -> None:
        super().__init__(code)
        self.answer = {"error": {"error_code": code, "error_msg": message, "request_params": [{"key": "secret"}]}}


@dataclass
class VkPlatform:
    """``before`` runs before each call is answered and may change what stands there or raise Refused."""

    biggest_page: int = 200
    overcount: int = 0  # VK counts comments that it does not show
    thread_overcount: int = 0
    names_parents: bool = True  # replies carry reply_to_comment and parents_stack
    posts: list[int] = field(default_factory=list)
    pinned: int | None = None
    videos: list[int] = field(default_factory=list)
    photos: list[int] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)  # container → error code
    canned: dict[str, Any] = field(default_factory=dict)
    log: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    before: Callable[[str, dict[str, str]], None] | None = None
    likes: int = 0
    _written: int = 0

    def write(self, container: str, text: str, answered: Item | None = None, author: int = 5, **more: Any) -> Item:
        self._written += 1
        root = (answered.root or answered.id) if answered and not container.startswith("photo") else None
        at = more.pop("at", EPOCH + self._written)
        item = Item(self._written, container, author, text, at, root, answered.id if answered else None, **more)
        self.items.append(item)
        return item

    def find(self, id_: int) -> Item:
        return next(item for item in self.items if item.id == id_)

    def remove(self, item: Item) -> None:
        """A comment with replies under it leaves a placeholder."""
        if any(one.root == item.id for one in self.items):
            item.deleted = True
        else:
            self.items.remove(item)
            if item.root and self.find(item.root).deleted:
                self.remove(self.find(item.root))

    # HTTP

    def __call__(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        method = request.url.path.removeprefix("/method/")
        kinds, parameters = SCHEMA[method]
        token, version = form.pop("access_token"), form.pop("v")
        assert version == "5.199"
        assert set(form) <= set(parameters.split()), (method, form)
        try:
            if token not in TOKENS:
                raise Refused(5, "User authorization failed: invalid access_token (4).")
            if TOKENS[token].replace("community", "group") not in kinds.split():
                raise Refused(27, "Group authorization failed: method is unavailable with group auth.")
            self.log.append((method, form))
            if self.before:
                self.before(method, form)
            if method in self.canned:
                return httpx.Response(200, content=json.dumps(self.canned[method]))
            group, _, name = method.partition(".")
            answer = self._do(group, name, form, TOKENS[token])
        except Refused as refused:
            return httpx.Response(200, json=refused.answer)
        return httpx.Response(200, content=json.dumps({"response": answer}))

    def _do(self, group: str, name: str, form: dict[str, str], token: str) -> Any:
        if group in KINDS and name.endswith("Comment"):
            return self._write_comment(KINDS[group], name, form, token)
        if group in KINDS and name == "getComments":
            return self._comments(KINDS[group], form)
        return getattr(self, f"_{group}_{name}".lower())(form)

    def _page(self, found: list[Any], form: dict[str, str], most: int) -> list[Any]:
        count, offset = int(form.get("count", 20)), int(form.get("offset", 0))
        assert 0 <= count <= most
        assert offset >= 0
        return found[offset : offset + min(count, self.biggest_page)]

    # Places

    def _wall_get(self, form: dict[str, str]) -> Any:
        assert form["owner_id"] == str(-GROUP)
        ordered = sorted(self.posts, key=lambda one: (one != self.pinned, -one))
        return {"count": len(ordered), "items": [self._post(one) for one in self._page(ordered, form, 100)]}

    def _post(self, id_: int) -> dict[str, Any]:
        self.likes += 1
        count = sum(one.container == f"wall-{GROUP}_{id_}" and not one.deleted for one in self.items)
        counts = {"comments": {"count": count}, "likes": {"count": self.likes}, "views": {"count": self.likes}}
        return {"id": id_, "owner_id": -GROUP, "date": EPOCH, "text": f"Запись {id_}\nтекст", **counts}

    def _video_get(self, form: dict[str, str]) -> Any:
        items = [
            {
                "id": one,
                "owner_id": -GROUP,
                "title": f"Ролик {one}",
                "date": EPOCH,
                "comments": sum(item.container == f"video-{GROUP}_{one}" for item in self.items),
            }
            for one in sorted(self.videos, reverse=True)
        ]
        return {"count": len(items), "items": self._page(items, form, 200)}

    def _photos_getbyid(self, form: dict[str, str]) -> Any:
        asked = [int(one.partition("_")[2]) for one in form["photos"].split(",")]
        return [{"id": one, "owner_id": -GROUP, "date": EPOCH, "text": f"Фото {one}"} for one in asked]

    def _photos_getallcomments(self, form: dict[str, str]) -> Any:
        found = [one for one in self.items if one.container.startswith("photo")]
        found.sort(key=lambda one: (one.at, one.id), reverse=True)
        items = [{**self._comment(one), "pid": int(one.container.partition("_")[2])} for one in found]
        return {"count": len(found), "items": self._page(items, form, 100)}

    # Comments

    def _comments(self, kind: str, form: dict[str, str]) -> Any:
        container = f"{kind}{form['owner_id']}_{form[PLACE[kind]]}"
        if container in self.refused:
            raise Refused(self.refused[container])
        if kind == "wall":
            assert form.get("preview_length") == "0"
        root = int(form["comment_id"]) if form.get("comment_id") else None
        everything = [one for one in self.items if one.container == container]
        level = sorted((one for one in everything if one.root == root), key=lambda one: (one.at, one.id))
        page = self._page(level, form, 100)
        items = [self._comment(one) for one in page]
        inline = int(form.get("thread_items_count", 0))
        assert inline <= 10
        if kind != "photo" and root is None:
            for item in items:
                replies = [one for one in everything if one.root == item["id"]]
                shown = [self._comment(one) for one in replies[:inline]]
                item["thread"] = {"count": len(replies) + self.thread_overcount, "items": shown}
        answer = {"count": len(everything), "items": items, **self._people([*page, *everything])}
        if kind == "photo":
            return answer
        return {**answer, "current_level_count": len(level) + (self.overcount if root is None else 0)}

    def _comment(self, one: Item) -> dict[str, Any]:
        self.likes += 1
        item: dict[str, Any] = {"id": one.id, "from_id": one.author, "date": one.at, "text": one.text}
        if one.deleted:
            item |= {"deleted": True, "text": "", "from_id": 0}
        if self.names_parents or one.container.startswith("photo"):
            item |= {"parents_stack": [one.root] if one.root else []}
            item |= {"reply_to_comment": one.answered} if one.answered else {}
        return {**item, "likes": {"count": self.likes}}

    def _people(self, items: list[Item]) -> dict[str, Any]:
        people = {one.author for one in items if one.author > 0}
        profiles = [
            {"id": one, "first_name": "Анна", "last_name": f"№{one}", "online": self.likes} for one in people
        ]
        return {"profiles": profiles, "groups": [{"id": GROUP, "name": "Школа"}]}

    def _write_comment(self, kind: str, name: str, form: dict[str, str], token: str) -> Any:
        if name == "createComment":
            container = f"{kind}{form['owner_id']}_{form[PLACE[kind]]}"
            assert form["from_group"] == (str(GROUP) if kind == "wall" else "1")
            if container in self.refused:
                raise Refused(self.refused[container])
            parent = self.find(int(form["reply_to_comment"])) if "reply_to_comment" in form else None
            made = self.write(container, form["message"], parent, -GROUP)
            stack = [made.root] if made.root else []
            return {"comment_id": made.id, "parents_stack": stack} if kind == "wall" else made.id
        item = self.find(int(form["comment_id"]))
        if name == "editComment":
            item.text = form["message"]
        else:
            self.remove(item)
        return 1

    def _likes_add(self, form: dict[str, str]) -> Any:
        return {"likes": 1}

    def _groups_ban(self, form: dict[str, str]) -> Any:
        return 1

    def _groups_getbyid(self, form: dict[str, str]) -> Any:
        known = form["group_id"] == str(GROUP)
        return {"groups": [{"id": GROUP, "name": "Школа", "is_admin": 1}] if known else [], "profiles": []}

    def _groups_gettokenpermissions(self, form: dict[str, str]) -> Any:
        return {"mask": 4096, "permissions": [{"name": "messages", "setting": 4096}]}

    # Messages

    def _messages_of(self, peer: int) -> list[Item]:
        return [one for one in self.items if one.container == f"peer{peer}"]

    def _message(self, one: Item) -> dict[str, Any]:
        peer = int(one.container.removeprefix("peer"))
        number = self._messages_of(peer).index(one) + 1
        item: dict[str, Any] = {
            "id": one.id,
            "conversation_message_id": number,
            "from_id": one.author,
            "peer_id": peer,
        }
        item |= {"date": one.at, "text": one.text, "out": int(one.author == -GROUP), "random_id": one.random_id}
        if peer > 2_000_000_000:
            item["id"] = 0
        return item | ({"update_time": one.edited} if one.edited else {})

    def _messages_getconversations(self, form: dict[str, str]) -> Any:
        last: dict[str, Item] = {}
        for one in self.items:
            if one.container.startswith("peer"):
                last[one.container] = one
        ordered = sorted(last.values(), key=lambda one: (one.at, one.id), reverse=True)
        items = [
            {"conversation": {"peer": {"id": int(one.container[4:])}}, "last_message": self._message(one)}
            for one in ordered
        ]
        return {"count": len(items), "items": self._page(items, form, 200), **self._people(self.items)}

    def _messages_gethistory(self, form: dict[str, str]) -> Any:
        if f"peer{form['peer_id']}" in self.refused:
            raise Refused(self.refused[f"peer{form['peer_id']}"])
        found = sorted(self._messages_of(int(form["peer_id"])), key=lambda one: (one.at, one.id), reverse=True)
        items = [self._message(one) for one in self._page(found, form, 200)]
        return {"count": len(found), "items": items, **self._people(found)}

    def _messages_send(self, form: dict[str, str]) -> Any:
        assert 0 < int(form["random_id"]) < 2**31
        same = [one for one in self.items if one.random_id == int(form["random_id"])]
        container = f"peer{form['peer_id']}"
        made = (
            same[0]
            if same
            else self.write(container, form["message"], None, -GROUP, random_id=int(form["random_id"]))
        )
        return 0 if int(form["peer_id"]) > 2_000_000_000 else made.id

    def _messages_edit(self, form: dict[str, str]) -> Any:
        item = self.find(int(form["message_id"]))
        item.text, item.edited = form["message"], item.at + 60
        return 1

    def _messages_delete(self, form: dict[str, str]) -> Any:
        for id_ in form["message_ids"].split(","):
            self.items.remove(self.find(int(id_)))
        return {form["message_ids"]: 1}
