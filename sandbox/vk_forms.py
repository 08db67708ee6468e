"""How VK writes its objects and reads its parameters: comments, people, communities, errors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox import keys
from sandbox.ground import number, store
from sandbox.store import Item, Person

OWNER = -keys.VK_GROUP
PREVIEW = 90
KINDS = {"post": "wall", "video": "video", "photo": "photo", "dialog": "messages"}
PLACES = {"post": "post_id", "video": "video_id", "photo": "pid"}
EVENTS = {"wall": "wall_reply", "video": "video_comment", "photo": "photo_comment"}


class VkError(Exception):
    """An error of VK's table; the answer is still HTTP 200."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Params:
    """The parameters of one call and the kind of its token ("user", "community" or "service")."""

    method: str
    kind: str
    values: Mapping[str, str]
    host_url: str

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, default)

    def flag(self, name: str) -> bool:
        return self.values.get(name, "0") in ("1", "true")

    def whole(self, name: str, default: int, lowest: int = -(2**63), highest: int = 2**63) -> int:
        value = number(self.values.get(name), default, lowest, highest)
        if value is None:
            raise VkError(100, f"One of the parameters specified was missing or invalid: {name} is invalid")
        return value

    def required(self, name: str) -> int:
        if not self.values.get(name):
            raise VkError(100, f"One of the parameters specified was missing or invalid: {name} is undefined")
        return self.whole(name, 0)

    def owner(self) -> None:
        """Only the school's own community exists here."""
        if self.required("owner_id") != OWNER:
            raise VkError(15, "Access denied")


def comment(item: Item, preview: int = 0, likes: bool = False) -> dict[str, Any]:
    """A comment object; ``preview`` > 0 cuts the text to so many characters, as the platform does unasked."""
    db = store()
    answer: dict[str, Any] = {"id": int(item.id), "from_id": int(item.author), "date": int(item.at)}
    if item.state == "deleted":
        answer |= {"from_id": 0, "text": "", "deleted": True}
    else:
        cut = 0 < preview < len(item.text)
        answer["text"] = item.text[:preview] + "..." if cut else item.text
    answer |= {PLACES[item.kind]: int(item.publication), "owner_id": OWNER}
    if item.kind != "photo":
        answer["parents_stack"] = [int(item.root)] if item.root else []
    if item.parent:
        parent = db.item("vk", item.space, item.parent)
        answer["reply_to_comment"] = int(item.parent)
        answer["reply_to_user"] = int(parent.author) if parent else 0
    if likes:
        answer["likes"] = {"can_like": 1, "count": item.likes, "user_likes": int(is_liked(item))}
    return answer


def is_liked(item: Item) -> bool:
    return store().meta(f"vk:liked:{item.space}:{item.id}") is not None


def event(name: str, body: dict[str, Any]) -> None:
    """Queues one event for the long poll; inside `writing`, so it is never there without its item."""
    store().push("vk", {"group_id": keys.VK_GROUP, "type": name, "v": "5.199", "object": body})


def user(person: Person) -> dict[str, Any]:
    first, _, last = person.name.partition(" ")
    return {
        "id": int(person.id),
        "first_name": first or "DELETED",
        "last_name": last,
        "screen_name": person.handle or f"id{person.id}",
        "can_access_closed": True,
        "is_closed": False,
        "photo_50": "https://vk.example/images/camera_50.png",
    }


def group() -> dict[str, Any]:
    return {
        "id": keys.VK_GROUP,
        "name": keys.SCHOOL,
        "screen_name": keys.SCREEN_NAME,
        "is_closed": 0,
        "type": "group",
        "is_admin": 1,
        "admin_level": 3,
        "photo_50": "https://vk.example/images/community_50.png",
    }


def people(items: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """``profiles`` and ``groups`` of everybody named in some objects, as ``extended=1`` gives them."""
    found: set[int] = set()
    for item in items:
        found |= {int(item.get(name) or 0) for name in ("from_id", "reply_to_user")}
        inner = (item.get("thread") or {}).get("items", [])
        found |= {int(one.get(name) or 0) for one in inner for name in ("from_id", "reply_to_user")}
    profiles = [user(store().person("vk", str(one))) for one in sorted(found) if one > 0]
    return {"profiles": profiles, "groups": [group()] if any(one < 0 for one in found) else []}
