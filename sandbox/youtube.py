"""YouTube Data API v3 on loopback: channels, videos, comment threads, replies, moderation, the OAuth token."""

import base64
import contextlib
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import keys, youtube_forms, youtube_live
from sandbox.consents import TESTING, spend_code
from sandbox.faults import answered
from sandbox.ground import store
from sandbox.store import Draft, Item, Store
from sandbox.youtube_forms import Answer
from sandbox.youtube_request import (
    REFUSALS,
    Refused,
    Walk,
    charge,
    choice,
    ids,
    is_owner,
    is_plain,
    owner_only,
    page_size,
    parts,
    refusal,
)

wire = Blueprint("youtube", __name__, url_prefix="/youtube")

SPACE = "youtube"
LONGEST_TEXT = 10_000
SHOWN_REPLIES = 5
STATES = {"published": "published", "heldForReview": "held", "likelySpam": "spam", "rejected": "hidden"}


@wire.post("/token")
def token() -> tuple[Response, int] | Response:
    """OAuth 2.0 (RFC 6749 §4.1.3, §6): a code or a refresh token gives an access token that lives an hour."""
    form = request.form
    wanted = (keys.YOUTUBE_CLIENT_ID, keys.YOUTUBE_CLIENT_SECRET)
    if (form.get("client_id"), form.get("client_secret")) != wanted:
        return jsonify(error="invalid_client", error_description="The OAuth client was not found."), 401
    more: dict[str, Any] = {}
    if form.get("grant_type") == "authorization_code":
        if spend_code("youtube", form) is None:
            return jsonify(error="invalid_grant", error_description="Bad Request"), 400
        more = {"refresh_token": keys.YOUTUBE_REFRESH_TOKEN, "refresh_token_expires_in": TESTING}
    elif form.get("grant_type") != "refresh_token" or form.get("refresh_token") != keys.YOUTUBE_REFRESH_TOKEN:
        return jsonify(error="invalid_grant", error_description="Token has been expired or revoked."), 400
    access = f"sandbox-access-{secrets.token_urlsafe(16)}"
    with store().writing():
        store().execute("DELETE FROM meta WHERE name LIKE 'youtube:access:%' AND value < ?", (str(time.time()),))
        store().set_meta(f"youtube:access:{access}", str(time.time() + 3600))
    scope = "https://www.googleapis.com/auth/youtube.force-ssl"
    return jsonify(access_token=access, expires_in=3599, scope=scope, token_type="Bearer", **more)  # noqa: S106


def listed(where: str, values: list[Any], size: int, relevance: bool = False) -> tuple[list[Item], str | None]:
    """One page of items, newest first, and the token of the next page (None on the last one)."""
    listing = hashlib.sha256(json.dumps([where, values, relevance]).encode()).hexdigest()[:12]
    walk = Walk.of_request(listing)
    if relevance:
        shown = walk.shown if walk else 0
        found = store().items(where, values, "likes DESC, at DESC, seq DESC")[shown : shown + size + 1]
        more = len(found) > size
        return found[:size], Walk(listing, shown=shown + size).token() if more else None
    if walk:
        where = f"({where}) AND (at < ? OR (at = ? AND seq < ?))"
        values = [*values, walk.at, walk.at, walk.seq]
    found = store().items(where, values, "at DESC, seq DESC", size + 1)
    if len(found) <= size:
        return found, None
    last = found[size - 1]
    return found[:size], Walk(listing, last.at, last.seq).token()


# Reading


def channels_list() -> Answer:
    wanted = parts()
    mine = request.args.get("mine") == "true"
    if mine:
        owner_only()
    asked = mine or keys.YOUTUBE_CHANNEL in ids() or request.args.get("forHandle", "").lstrip("@") == "lingva-park"
    items = [youtube_forms.channel(store(), wanted)] if asked else []
    return youtube_forms.page("channelListResponse", items, 5)


def videos_list() -> Answer:
    wanted = parts()
    found = [store().publication("youtube", "video", one) for one in ids()[:50]]
    items = [youtube_forms.video(store(), one, wanted) for one in found if one is not None]
    items += youtube_live.details(ids()[:50])
    return youtube_forms.page("videoListResponse", items, page_size(5, 1, 50))


def playlist_items_list() -> Answer:
    wanted, size = parts(), page_size(5, 0, 50)
    if request.args.get("playlistId") != keys.YOUTUBE_UPLOADS:
        raise Refused(404, "playlistNotFound", "The playlist cannot be found.", "youtube.playlistItem")
    walk = Walk.of_request("uploads")
    shown = walk.shown if walk else 0
    videos = store().publications("youtube", "video")
    items = [
        youtube_forms.playlist_item(video, shown + place, wanted)
        for place, video in enumerate(videos[shown : shown + size])
    ]
    more = shown + size < len(videos) and size > 0
    token_ = Walk("uploads", shown=shown + size).token() if more else None
    return youtube_forms.page("playlistItemListResponse", items, size, token_, len(videos))


def threads_list() -> Answer:
    wanted, plain, by_owner = parts(), is_plain(), is_owner()
    filters = [
        name for name in ("allThreadsRelatedToChannelId", "channelId", "videoId", "id") if request.args.get(name)
    ]
    if len(filters) != 1:
        message = "No filter selected. Expected one of: allThreadsRelatedToChannelId, videoId, id"
        raise Refused(400, "missingRequiredParameter", message, "youtube.parameter")
    if filters == ["id"]:
        return _threads_by_id(wanted, plain, by_owner)
    status = choice("moderationStatus", "published", tuple(STATES))
    if status != "published" and not by_owner:
        raise Refused(403, "forbidden", "The request is not properly authorized.", "youtube.commentThread")
    where, values = _threads_where(filters[0], STATES[status])
    size = page_size()
    order = choice("order", "time", ("time", "relevance"))
    found, next_page = listed(where, values, size, relevance=order == "relevance")
    form = youtube_forms.Form(store(), plain, by_owner, STATES[status], shown_replies=SHOWN_REPLIES)
    items = [form.thread(top, wanted) for top in found]
    return youtube_forms.page("commentThreadListResponse", items, size, next_page)


def _threads_where(name: str, state: str) -> tuple[str, list[Any]]:
    values: list[Any] = [state]
    where = "platform = 'youtube' AND root IS NULL AND state = ?"
    if state != "published":
        # A thread is shown when its first comment or at least one reply stands in the asked state.
        where = (
            "platform = 'youtube' AND root IS NULL AND state != 'deleted' AND (state = ? OR EXISTS (SELECT 1"
            " FROM items r WHERE r.platform = 'youtube' AND r.root = items.id AND r.state = ?))"
        )
        values = [state, state]
    target = request.args[name]
    if name == "videoId":
        video = store().publication("youtube", "video", target)
        if video is None:
            message = "The video identified by the videoId parameter could not be found."
            raise Refused(404, "videoNotFound", message, "youtube.commentThread")
        if not video.open:
            message = "The video identified by the videoId parameter has disabled comments."
            raise Refused(403, "commentsDisabled", message, "youtube.commentThread")
        where, values = f"{where} AND publication = ?", [*values, target]
    elif target != keys.YOUTUBE_CHANNEL:
        message = "The channel identified by the request could not be found."
        raise Refused(404, "channelNotFound", message, "youtube.commentThread")
    elif name == "channelId":
        # Only comments on the channel page itself, and the school's channel has no such page any more.
        where = f"{where} AND kind = 'channel'"
    terms = request.args.get("searchTerms")
    if terms:
        where, values = f"{where} AND instr(text, ?) > 0", [*values, terms]
    return where, values


def _threads_by_id(wanted: list[str], plain: bool, by_owner: bool) -> Answer:
    clashing = [
        name
        for name in ("maxResults", "moderationStatus", "order", "pageToken", "searchTerms")
        if name in request.args
    ]
    if clashing:
        message = f"The parameters cannot be combined: id, {', '.join(clashing)}"
        raise Refused(400, "incompatibleParameters", message, "youtube.parameter")
    found = [
        item for item in (_visible(one, by_owner) for one in ids()[:50]) if item is not None and item.root is None
    ]
    if not found:
        message = "One or more of the specified comment threads cannot be found."
        raise Refused(404, "commentThreadNotFound", message, "youtube.commentThread")
    form = youtube_forms.Form(store(), plain, by_owner, None, shown_replies=SHOWN_REPLIES)
    return youtube_forms.page("commentThreadListResponse", [form.thread(top, wanted) for top in found], len(found))


def _visible(id_: str, by_owner: bool) -> Item | None:
    item = store().item("youtube", SPACE, id_)
    seen = ("published", "held", "spam") if by_owner else ("published",)
    return item if item is not None and item.state in seen else None


def comments_list() -> Answer:
    wanted, plain, by_owner, size = parts(), is_plain(), is_owner(), page_size()
    parent, asked = request.args.get("parentId"), ids()
    if bool(parent) == bool(asked):
        message = "No filter selected. Expected one of: id, parentId"
        raise Refused(400, "missingRequiredParameter", message, "youtube.parameter")
    if asked:
        form = youtube_forms.Form(store(), plain, by_owner, None)
        found = [item for item in (_visible(one, by_owner) for one in asked[:50]) if item is not None]
        return youtube_forms.page("commentListResponse", [form.comment(one, wanted) for one in found], len(found))
    if _visible(str(parent), by_owner) is None:
        raise Refused(404, "commentNotFound", "One or more of the specified comments cannot be found.")
    form = youtube_forms.Form(store(), plain, by_owner, "published")
    found, next_page = listed("platform = 'youtube' AND root = ? AND state = 'published'", [parent], size)
    return youtube_forms.page("commentListResponse", [form.comment(one, wanted) for one in found], size, next_page)


# Writing


def body() -> dict[str, Any]:
    content = request.get_json(silent=True)
    if not isinstance(content, dict) or not isinstance(content.get("snippet"), dict):
        raise Refused(400, "invalidCommentMetadata", "The request metadata is invalid.")
    return content


def checked(text: object) -> str:
    if not isinstance(text, str) or not text.strip():
        raise Refused(
            400, "commentTextRequired", "The comment resource that is being inserted must specify a text."
        )
    if len(text) > LONGEST_TEXT:
        raise Refused(400, "commentTextTooLong", "The comment resource contains too many characters.")
    return text


def publish(db: Store, draft: Draft) -> Item:
    """Gives a comment an identity of YouTube's form; an answer to a reply becomes a reply of the thread."""
    seed = draft.key or secrets.token_hex(16)
    digest = base64.urlsafe_b64encode(hashlib.sha256(f"comment:{seed}".encode()).digest()).decode()
    parent = db.item("youtube", SPACE, draft.parent) if draft.parent else None
    if parent is None:
        return db.add(draft, SPACE, f"Ug{digest.replace('-', 'x')[:18]}AaABAg", None)
    root = parent.root or parent.id
    return db.add(draft, SPACE, f"{root}.{digest.replace('-', 'x')[:22]}", root)


def comments_insert() -> Answer:
    owner_only()
    wanted, snippet = parts(), body()["snippet"]
    text = checked(snippet.get("textOriginal"))
    parent_id = snippet.get("parentId")
    if not isinstance(parent_id, str) or not parent_id:
        raise Refused(400, "parentIdMissing", "The parent ID of the comment to be inserted is missing.")
    parent = store().item("youtube", SPACE, parent_id)
    if parent is None or parent.state == "deleted":
        raise Refused(404, "parentCommentNotFound", "The specified parent comment could not be found.")
    if parent.root is not None or parent.state == "hidden":
        message = "The API user is not able to insert a comment in reply to the comment identified by parentId."
        raise Refused(400, "operationNotSupported", message)
    draft = Draft("youtube", "video", parent.publication, keys.YOUTUBE_CHANNEL, text, parent.id, ours=True)
    item = publish(store(), draft)
    store().accept("comments.insert", item)
    return youtube_forms.Form(store(), True, True, None).comment(item, wanted)


def threads_insert() -> Answer:
    owner_only()
    wanted, snippet = parts(), body()["snippet"]
    text = checked(((snippet.get("topLevelComment") or {}).get("snippet") or {}).get("textOriginal"))
    video = store().publication("youtube", "video", str(snippet.get("videoId")))
    if video is None:
        raise Refused(404, "videoNotFound", "The specified video could not be found.", "youtube.commentThread")
    if not video.open:
        message = "The video has disabled comments."
        raise Refused(403, "commentsDisabled", message, "youtube.commentThread")
    item = publish(store(), Draft("youtube", "video", video.id, keys.YOUTUBE_CHANNEL, text, ours=True))
    store().accept("commentThreads.insert", item)
    return youtube_forms.Form(store(), True, True, None).thread(item, wanted)


def _standing(id_: object) -> Item:
    item = store().item("youtube", SPACE, str(id_))
    if item is None or item.state == "deleted":
        raise Refused(404, "commentNotFound", "The specified comment could not be found.")
    return item


def comments_update() -> Answer:
    owner_only()
    wanted, content = parts(), body()
    item = _standing(content.get("id"))
    if item.author != keys.YOUTUBE_CHANNEL:
        raise Refused(403, "forbidden", "The comment cannot be updated, the request is not properly authorized.")
    item = store().edit(item, checked(content["snippet"].get("textOriginal")))
    store().accept("comments.update", item)
    return youtube_forms.Form(store(), True, True, None).comment(item, wanted)


def comments_delete() -> None:
    owner_only()
    item = store().set_state(_standing(request.args.get("id")), "deleted")
    for reply in store().items("platform = 'youtube' AND root = ?", (item.id,)):
        store().set_state(reply, "deleted")
    store().accept("comments.delete", item)


def comments_moderate() -> None:
    owner_only()
    status = request.args.get("moderationStatus", "")
    if status not in STATES or status == "likelySpam":
        raise Refused(400, "invalidParameter", f"Invalid value '{status}' for moderationStatus.", "global")
    ban = request.args.get("banAuthor") == "true"
    if ban and status != "rejected":
        message = "The banAuthor parameter can only be used if the moderationStatus parameter value is rejected."
        raise Refused(400, "banWithoutReject", message)
    for item in [_standing(one) for one in ids()]:
        store().set_state(item, STATES[status])
        if ban:
            store().ban("youtube", item.author, True)
        store().accept("comments.setModerationStatus", item, status)


# method, path, costs: https://developers.google.com/youtube/v3/determine_quota_cost
ROUTES: dict[tuple[str, str], tuple[str, Callable[[], Answer | None], int]] = {
    ("GET", "channels"): ("channels.list", channels_list, 1),
    ("GET", "videos"): ("videos.list", videos_list, 1),
    ("GET", "playlistItems"): ("playlistItems.list", playlist_items_list, 1),
    ("GET", "commentThreads"): ("commentThreads.list", threads_list, 1),
    ("POST", "commentThreads"): ("commentThreads.insert", threads_insert, 50),
    ("GET", "comments"): ("comments.list", comments_list, 1),
    ("POST", "comments"): ("comments.insert", comments_insert, 50),
    ("PUT", "comments"): ("comments.update", comments_update, 50),
    ("DELETE", "comments"): ("comments.delete", comments_delete, 50),
    ("GET", "liveBroadcasts"): ("liveBroadcasts.list", youtube_live.broadcasts_list, 1),
    ("GET", "liveChat/messages"): ("liveChatMessages.list", youtube_live.messages_list, 5),
    ("POST", "liveChat/messages"): ("liveChatMessages.insert", youtube_live.messages_insert, 50),
    ("DELETE", "liveChat/messages"): ("liveChatMessages.delete", youtube_live.messages_delete, 50),
    ("POST", "liveChat/bans"): ("liveChatBans.insert", youtube_live.bans_insert, 50),
    ("POST", "comments/setModerationStatus"): ("comments.setModerationStatus", comments_moderate, 50),
}


@wire.route("/youtube/v3/<path:resource>", methods=["GET", "POST", "PUT", "DELETE"])
def call(resource: str) -> Response:
    entry = ROUTES.get((request.method, resource))
    if entry is None:
        return refusal(Refused(404, "notFound", "Not Found", "global"))
    method, act, units = entry

    def carry_out() -> Response:
        try:
            is_owner()
            charge(units)
            with contextlib.nullcontext() if request.method == "GET" else store().writing():
                content = act()
        except Refused as error:
            return refusal(error)
        return Response(status=204) if content is None else jsonify(content)

    return answered("youtube", method, carry_out, REFUSALS)
