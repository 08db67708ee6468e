"""VK's comments: under posts with threads, under videos, under photos without threads; likes of comments."""

from collections.abc import Callable
from typing import Any

from sandbox import keys
from sandbox.cast import VK_ADMIN
from sandbox.ground import store
from sandbox.store import Draft, Item, Publication, Store
from sandbox.vk_forms import EVENTS, KINDS, OWNER, PREVIEW, Params, VkError, comment, event, is_liked, people

LONGEST_TEXT = 16_384
FIRST_IDS = {"wall": 200, "video": 0, "photo": 0, "messages": 0}
GONE = {
    "post": (212, "Access to post comments denied"),
    "video": (204, "Access denied"),
    "photo": (200, "Access denied"),
}
CLOSED = {
    "post": (213, "Access to status replies denied"),
    "video": (801, "Comments for this video are closed"),
    "photo": (200, "Access denied"),
}
LIKED = {"comment": "wall", "video_comment": "video", "photo_comment": "photo"}

# A deleted comment stays as a placeholder while somebody's reply stands under it.
VISIBLE = (
    "(state = 'published' OR (state = 'deleted' AND root IS NULL AND EXISTS (SELECT 1 FROM items r WHERE"
    " r.platform = 'vk' AND r.space = items.space AND r.root = items.id AND r.state = 'published')))"
)


def publish(db: Store, draft: Draft) -> Item:
    """Gives a comment or message the next number of its range and queues the event of it."""
    space = KINDS[draft.kind]
    id_ = str(db.count(f"vk:{space}", 1, FIRST_IDS[space]))
    parent = db.item("vk", space, draft.parent) if draft.parent else None
    threaded = parent is not None and draft.kind in ("post", "video")
    item = db.add(draft, space, id_, (parent.root or parent.id) if parent and threaded else None)
    return item


def announce(item: Item, what: str) -> None:
    """Queues ``what`` ("new", "edit", "restore" or "delete") happened to a comment."""
    body = comment(item)
    if item.kind == "photo":
        body["photo_id"] = body.pop("pid")
    if what == "delete":
        kept = ("id", "owner_id", "post_id", "video_id", "photo_id")
        body = {name: body[name] for name in kept if name in body}
        body["user_id" if item.kind == "post" else "deleter_id"] = int(VK_ADMIN.id)
    event(f"{EVENTS[item.space]}_{what}", body)


def place(kind: str, params: Params, name: str) -> Publication:
    params.owner()
    found = store().publication("vk", kind, str(params.required(name)))
    if found is None:
        raise VkError(*GONE[kind])
    return found


# Posts, videos and photos themselves


def comments_of(publication: Publication) -> int:
    sql = (
        "SELECT count(*) FROM items WHERE platform = 'vk' AND kind = ? AND publication = ? AND state = 'published'"
    )
    return int(store().scalar(sql, (publication.kind, publication.id)))


def post(one: Publication) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": int(one.id),
        "owner_id": OWNER,
        "from_id": OWNER,
        "date": int(one.at),
        "text": f"{one.title}\n\n{one.text}",
        "post_type": "post",
        "comments": {"count": comments_of(one), "can_post": int(one.open), "groups_can_post": one.open},
        "likes": {"count": 12, "can_like": 1, "user_likes": 0},
        "views": {"count": 900},
        "attachments": [],
    }
    return answer | ({"is_pinned": 1} if one.pinned else {})


def wall_get(params: Params) -> dict[str, Any]:
    params.owner()
    count, offset = params.whole("count", 20, 0, 100), params.whole("offset", 0, 0)
    posts = sorted(store().publications("vk", "post"), key=lambda one: not one.pinned)
    items = [post(one) for one in posts[offset : offset + count]]
    answer = {"count": len(posts), "items": items}
    return answer | people(items) if params.flag("extended") else answer


def video(one: Publication) -> dict[str, Any]:
    return {
        "id": int(one.id),
        "owner_id": OWNER,
        "title": one.title,
        "description": one.text,
        "date": int(one.at),
        "duration": 640,
        "comments": comments_of(one),
        "can_comment": int(one.open),
        "views": 400,
        "type": "video",
        "player": f"https://vk.example/video_ext.php?oid={OWNER}&id={one.id}",
    }


def videos_get(params: Params) -> dict[str, Any]:
    asked = [one for one in params.text("videos").split(",") if one]
    count, offset = params.whole("count", 50, 0, 200), params.whole("offset", 0, 0)
    if not asked:
        params.owner()
    found = [one for one in store().publications("vk", "video") if not asked or f"{OWNER}_{one.id}" in asked]
    items = [video(one) for one in found[offset : offset + count]]
    answer = {"count": len(found), "items": items}
    return answer | {"profiles": [], "groups": []} if params.flag("extended") else answer


def photo(one: Publication) -> dict[str, Any]:
    return {
        "id": int(one.id),
        "owner_id": OWNER,
        "album_id": -7,
        "user_id": 100,
        "date": int(one.at),
        "text": f"{one.title}. {one.text}",
        "comments": {"count": comments_of(one)},
        "sizes": [],
    }


def photos_by_id(params: Params) -> list[dict[str, Any]]:
    asked = [one.rsplit("_", 1)[-1] for one in params.text("photos").split(",") if one.startswith(f"{OWNER}_")]
    found = [store().publication("vk", "photo", one) for one in asked]
    return [photo(one) for one in found if one is not None]


def photos_all(params: Params) -> dict[str, Any]:
    params.owner()
    count, offset = params.whole("count", 20, 0, 200), params.whole("offset", 0, 0)
    found = store().publications("vk", "photo")
    return {"count": len(found), "items": [photo(one) for one in found[offset : offset + count]]}


# Listings


def listed(publication: Publication, params: Params, default: int, threads: bool) -> dict[str, Any]:
    """One page of one level: the comments themselves, or with ``comment_id`` the replies of one thread."""
    count = params.whole("count", default, 0, 100)
    inner = params.whole("thread_items_count", 0, 0, 10) if threads else 0
    preview = params.whole("preview_length", PREVIEW, 0) if publication.kind == "post" else 0
    sort, likes = params.text("sort", "asc"), params.flag("need_likes")
    if sort not in ("asc", "desc", "smart", "interest"):
        raise VkError(100, "One of the parameters specified was missing or invalid: sort is invalid")
    root = params.whole("comment_id", 0) if threads else 0
    where = f"platform = 'vk' AND kind = ? AND publication = ? AND root IS ? AND {VISIBLE}"
    values = [publication.kind, publication.id, str(root) if root else None]
    order = {"asc": "at, seq", "desc": "at DESC, seq DESC"}.get(sort, "likes DESC, at, seq")
    offset = _start(publication, params, where, values, sort) + params.whole("offset", 0)
    level = int(store().scalar(f"SELECT count(*) FROM items WHERE {where}", values))  # noqa: S608
    found = store().items(where, values, f"{order}", max(0, offset) + count)[max(0, offset) :]
    items = []
    for item in found:
        answer = comment(item, preview, likes)
        if threads and not root:
            answer["thread"] = _thread(item, inner, preview, likes)
        items.append(answer)
    answer = {"count": level if root else comments_of(publication), "items": items}
    if threads:
        open_ = {
            "can_post": publication.open,
            "show_reply_button": publication.open,
            "groups_can_post": publication.open,
        }
        answer |= {"current_level_count": level} | open_
    if params.values.get("start_comment_id"):
        answer["real_offset"] = max(0, offset)
    return answer | people(items) if params.flag("extended") else answer


def _start(publication: Publication, params: Params, where: str, values: list[Any], sort: str) -> int:
    start = params.whole("start_comment_id", 0)
    item = store().item("vk", KINDS[publication.kind], str(start)) if start else None
    if item is None:
        return 0
    before = "(at, seq) > (?, ?)" if sort == "desc" else "(at, seq) < (?, ?)"
    sql = f"SELECT count(*) FROM items WHERE {where} AND {before}"  # noqa: S608
    return int(store().scalar(sql, [*values, item.at, item.seq]))


def _thread(root: Item, shown: int, preview: int, likes: bool) -> dict[str, Any]:
    where = "platform = 'vk' AND space = ? AND root = ? AND state = 'published'"
    replies = store().items(where, (root.space, root.id))
    return {
        "count": len(replies),
        "items": [comment(one, preview, likes) for one in replies[:shown]],
        "can_post": True,
        "show_reply_button": True,
        "groups_can_post": True,
    }


def wall_comments(params: Params) -> dict[str, Any]:
    return listed(place("post", params, "post_id"), params, 10, threads=True)


def video_comments(params: Params) -> dict[str, Any]:
    video_ = place("video", params, "video_id")
    if not video_.open:
        raise VkError(*CLOSED["video"])
    return listed(video_, params, 20, threads=True)


def photo_comments(params: Params) -> dict[str, Any]:
    return listed(place("photo", params, "photo_id"), params, 20, threads=False)


def photo_all_comments(params: Params) -> dict[str, Any]:
    """Comments of all albums, newest first, without names: the method knows no ``extended``."""
    params.owner()
    count, offset = params.whole("count", 20, 0, 100), params.whole("offset", 0, 0)
    where = "platform = 'vk' AND kind = 'photo' AND state = 'published'"
    found = store().items(where, (), "at DESC, seq DESC", offset + count)[offset:]
    total = store().scalar(f"SELECT count(*) FROM items WHERE {where}")  # noqa: S608
    return {"count": total, "items": [comment(one, likes=params.flag("need_likes")) for one in found]}


def wall_comment(params: Params) -> dict[str, Any]:
    params.owner()
    item = store().item("vk", "wall", str(params.required("comment_id")))
    if item is None:
        raise VkError(211, "Access to wall's comment denied")
    items = [comment(item, likes=True)]
    answer = {"items": items, "can_post": True, "show_reply_button": True, "groups_can_post": True}
    return answer | people(items) if params.flag("extended") else answer


# Writing


def _author(params: Params) -> str:
    """For posts ``from_group`` is the community's id, for videos and photos a flag."""
    asked = params.whole("from_group", 0)
    own = asked in (keys.VK_GROUP, OWNER) if params.method.startswith("wall.") else asked == 1
    if asked and not own:
        raise VkError(100, "One of the parameters specified was missing or invalid: from_group is invalid")
    return str(OWNER) if own or params.kind == "community" else VK_ADMIN.id


def _create(kind: str, publication: Publication, params: Params) -> Item:
    text, guid = params.text("message"), params.text("guid") or None
    if not text.strip() and not params.text("attachments") and not params.text("sticker_id"):
        raise VkError(100, "One of the parameters specified was missing or invalid: message is undefined")
    if len(text) > LONGEST_TEXT:
        raise VkError(100, "One of the parameters specified was missing or invalid: message is too long")
    if not publication.open:
        raise VkError(*CLOSED[kind])
    if guid:
        again = store().items(
            "platform = 'vk' AND kind = ? AND publication = ? AND guid = ?", (kind, publication.id, guid)
        )
        if again:
            return again[0]
    parent = params.whole("reply_to_comment", 0)
    if parent:
        found = store().item("vk", KINDS[kind], str(parent))
        if found is None or found.state == "deleted" or found.publication != publication.id:
            raise VkError(211, "Access to wall's comment denied")
    draft = Draft(
        "vk", kind, publication.id, _author(params), text, str(parent) if parent else None, ours=True, guid=guid
    )
    item = publish(store(), draft)
    announce(item, "new")
    store().accept(params.method, item)
    return item


def wall_create(params: Params) -> dict[str, Any]:
    item = _create("post", place("post", params, "post_id"), params)
    return {"comment_id": int(item.id), "parents_stack": [int(item.root)] if item.root else []}


def video_create(params: Params) -> int:
    return int(_create("video", place("video", params, "video_id"), params).id)


def photo_create(params: Params) -> int:
    return int(_create("photo", place("photo", params, "photo_id"), params).id)


def _standing(space: str, params: Params, state: str = "published") -> Item:
    params.owner()
    item = store().item("vk", space, str(params.required("comment_id")))
    if item is None:
        raise VkError(211, "Access to wall's comment denied")
    if item.state != state and state == "deleted":
        raise VkError(243, "Comment has not been deleted")
    if item.state != state:
        raise VkError(211, "Access to wall's comment denied")
    return item


def editing(space: str) -> Callable[[Params], int]:
    def edit(params: Params) -> int:
        item = _standing(space, params)
        if not item.ours:
            raise VkError(15, "Access denied")
        text = params.text("message")
        if not text.strip():
            raise VkError(100, "One of the parameters specified was missing or invalid: message is undefined")
        item = store().edit(item, text)
        announce(item, "edit")
        store().accept(params.method, item)
        return 1

    return edit


def _moving(space: str, before: str, after: str, what: str) -> Callable[[Params], int]:
    def move(params: Params) -> int:
        item = store().set_state(_standing(space, params, before), after)
        announce(item, what)
        store().accept(params.method, item)
        return 1

    return move


def deleting(space: str) -> Callable[[Params], int]:
    return _moving(space, "published", "deleted", "delete")


def restoring(space: str) -> Callable[[Params], int]:
    return _moving(space, "deleted", "published", "restore")


def _like(params: Params, step: int) -> dict[str, int]:
    params.owner()
    space = LIKED.get(params.text("type"))
    if space is None:
        raise VkError(100, "One of the parameters specified was missing or invalid: type is invalid")
    item = store().item("vk", space, str(params.required("item_id")))
    if item is None or item.state != "published":
        raise VkError(100, "One of the parameters specified was missing or invalid: object not found")
    if is_liked(item) != (step > 0):
        store().execute("UPDATE items SET likes = likes + ? WHERE seq = ?", (step, item.seq))
        name = f"vk:liked:{space}:{item.id}"
        if step > 0:
            store().set_meta(name, "1")
        else:
            store().execute("DELETE FROM meta WHERE name = ?", (name,))
        store().accept(params.method, item)
    return {"likes": int(store().scalar("SELECT likes FROM items WHERE seq = ?", (item.seq,)))}


def likes_add(params: Params) -> dict[str, int]:
    return _like(params, 1)


def likes_delete(params: Params) -> dict[str, int]:
    return _like(params, -1)
