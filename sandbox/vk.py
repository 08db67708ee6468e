"""VK API 5.199 on loopback: the one door of its methods, with kinds of tokens, limits and errors."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import keys, vk_comments, vk_community, vk_messages, vk_uploads
from sandbox.faults import answered
from sandbox.ground import store
from sandbox.rates import Rate
from sandbox.vk_forms import Params, VkError

wire = Blueprint("vk", __name__, url_prefix="/vk")

TOKENS = {
    keys.VK_USER_TOKEN: "user",
    keys.VK_COMMUNITY_TOKEN: "community",
    keys.VK_SERVICE_TOKEN: "service",
}
# Reported by client libraries rather than by the schema: 3 a second for a person, 20 for a community or a service.
# The span is a little short of a second, so that a client that counts exactly is never refused by jitter.
RATES = {"user": Rate(3, 0.95), "community": Rate(20, 0.95), "service": Rate(20, 0.95)}

USER, READ, WRITE, ANY = {"user"}, {"user", "service"}, {"user", "community"}, {"user", "community", "service"}
# method: (kinds of tokens that may call it, what it does); kinds from access_token_type of the 5.199 schema
METHODS: dict[str, tuple[set[str], Callable[[Params], Any]]] = {
    "users.get": (ANY, vk_community.users_get),
    "groups.getById": (ANY, vk_community.groups_get_by_id),
    "groups.getTokenPermissions": ({"community"}, vk_community.token_permissions),
    "groups.ban": (USER, vk_community.ban),
    "groups.unban": (USER, vk_community.unban),
    "groups.getLongPollServer": (WRITE, vk_community.long_poll_server),
    "utils.resolveScreenName": (ANY, vk_community.resolve_screen_name),
    "wall.get": (READ, vk_comments.wall_get),
    "wall.getComments": (READ, vk_comments.wall_comments),
    "wall.getComment": (USER, vk_comments.wall_comment),
    "wall.createComment": (WRITE, vk_comments.wall_create),
    "wall.editComment": (USER, vk_comments.editing("wall")),
    "wall.deleteComment": (USER, vk_comments.deleting("wall")),
    "wall.restoreComment": (USER, vk_comments.restoring("wall")),
    "video.get": (USER, vk_comments.videos_get),
    "video.getComments": (USER, vk_comments.video_comments),
    "video.createComment": (USER, vk_comments.video_create),
    "video.editComment": (USER, vk_comments.editing("video")),
    "video.deleteComment": (USER, vk_comments.deleting("video")),
    "video.restoreComment": (USER, vk_comments.restoring("video")),
    "photos.getById": (USER, vk_comments.photos_by_id),
    "photos.getAll": (USER, vk_comments.photos_all),
    "photos.getComments": (USER, vk_comments.photo_comments),
    "photos.getAllComments": (USER, vk_comments.photo_all_comments),
    "photos.createComment": (USER, vk_comments.photo_create),
    "photos.editComment": (USER, vk_comments.editing("photo")),
    "photos.deleteComment": (USER, vk_comments.deleting("photo")),
    "photos.restoreComment": (USER, vk_comments.restoring("photo")),
    "likes.add": (USER, vk_comments.likes_add),
    "likes.delete": (USER, vk_comments.likes_delete),
    "messages.getConversations": (WRITE, vk_messages.conversations),
    "messages.getHistory": (WRITE, vk_messages.history),
    "messages.getById": (WRITE, vk_messages.by_id),
    "messages.send": (WRITE, vk_messages.send),
    "messages.edit": (WRITE, vk_messages.edit),
    "messages.delete": (WRITE, vk_messages.delete),
    "messages.markAsRead": (WRITE, vk_messages.mark_as_read),
    "photos.getMessagesUploadServer": (WRITE, vk_uploads.photo_server),
    "photos.saveMessagesPhoto": (WRITE, vk_uploads.save_photo),
    "docs.getMessagesUploadServer": (WRITE, vk_uploads.doc_server),
    "docs.save": (WRITE, vk_uploads.save_doc),
}
READING = ("get", "resolve")


def refusal(error: VkError) -> Response:
    """VK repeats the parameters of a refused request, all but the token."""
    params = [{"key": key, "value": value} for key, value in request.values.items() if key != "access_token"]
    shape = {"error_code": error.code, "error_msg": str(error), "request_params": params}
    return jsonify(error=shape)


REFUSALS: dict[str, Callable[[], Response]] = {
    "429": lambda: refusal(VkError(6, "Too many requests per second")),
    "quota": lambda: refusal(VkError(29, "Rate limit reached")),
    "401": lambda: refusal(VkError(5, "User authorization failed: invalid access_token (4).")),
}


def kind_of_caller() -> str:
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    token = request.values.get("access_token") or (bearer if scheme == "Bearer" else "")
    if not token:
        raise VkError(5, "User authorization failed: no access_token passed.")
    kind = TOKENS.get(token)
    if kind is None:
        raise VkError(5, "User authorization failed: invalid access_token (4).")
    return kind


def carry_out(method: str) -> Response:
    try:
        if method not in METHODS:
            raise VkError(3, "Unknown method passed")
        if not request.values.get("v"):
            raise VkError(8, "Invalid request: v is required")
        kind = kind_of_caller()
        kinds, act = METHODS[method]
        if kind not in kinds and kind == "community":
            raise VkError(27, "Group authorization failed: method is unavailable with group auth.")
        if kind not in kinds and kind == "service":
            raise VkError(28, "Application authorization failed: method is unavailable with service token.")
        if kind not in kinds:
            raise VkError(15, "Access denied: method is available only with group auth.")
        if RATES[kind].wait(kind):
            raise VkError(6, "Too many requests per second")
        params = Params(method, kind, request.values, request.host_url)
        if method.partition(".")[2].startswith(READING):
            return jsonify(response=act(params))
        with store().writing():
            answer = act(params)
        return jsonify(response=answer)
    except VkError as error:
        return refusal(error)


@wire.route("/method/<method>", methods=["GET", "POST"])
def call(method: str) -> Response:
    return answered("vk", method, lambda: carry_out(method), REFUSALS)


@wire.get("/longpoll/<int:group>")
def long_poll(group: int) -> Response:
    return answered("vk", "a_check", vk_community.long_poll, REFUSALS)
