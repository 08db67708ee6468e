"""VK's uploads for messages: a server to upload to, the upload itself, and the saving of what was uploaded."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import files, keys
from sandbox.ground import store
from sandbox.vk_forms import OWNER, Params, VkError

wire = Blueprint("vk_uploads", __name__, url_prefix="/vk/upload")
PARTS = {"photo": "photo", "doc": "file"}


def server_of(kind: str, params: Params) -> dict[str, Any]:
    params.required("peer_id")
    return {"upload_url": f"{params.host_url}vk/upload/{kind}", "album_id": -64, "group_id": keys.VK_GROUP}


def photo_server(params: Params) -> dict[str, Any]:
    return server_of("photo", params)


def doc_server(params: Params) -> dict[str, Any]:
    return server_of("doc", params)


@wire.post("/<kind>")
def upload(kind: str) -> Response:
    sent = request.files.get(PARTS.get(kind, ""))
    if sent is None:
        return jsonify(error="no file was sent")
    with store().writing():
        number = files.keep(kind, sent)
    if kind == "photo":
        return jsonify(server=1, photo=f"[{number}]", hash="h")
    return jsonify(file=f"{number}|doc")


def save_photo(params: Params) -> list[dict[str, Any]]:
    number = params.text("photo").strip("[]")
    if not number.isdigit():
        raise VkError(100, "One of the parameters specified was missing or invalid: photos_list is invalid")
    return [{"id": int(number), "owner_id": OWNER, "album_id": -64, "access_key": "k"}]


def save_doc(params: Params) -> dict[str, Any]:
    number = params.text("file").partition("|")[0]
    if not number.isdigit():
        raise VkError(100, "One of the parameters specified was missing or invalid: file is undefined")
    return {"type": "doc", "doc": {"id": int(number), "owner_id": OWNER, "title": params.text("title")}}


def numbers(attachment: str) -> list[int]:
    """Of our own uploads among «photo-1_2_k,doc-1_3»."""
    found = []
    for one in filter(None, attachment.split(",")):
        owner, _, rest = one.removeprefix("photo").removeprefix("doc").partition("_")
        number = rest.partition("_")[0]
        if owner != str(OWNER) or not number.isdigit():
            raise VkError(100, "One of the parameters specified was missing or invalid: attachment is invalid")
        found.append(int(number))
    return found


def shown(file: files.File) -> dict[str, Any]:
    """An attachment of a message as the history gives it."""
    kind = "photo" if file.kind == "photo" else "doc"
    return {"type": kind, kind: {"id": file.id, "owner_id": OWNER, "title": file.name}}
