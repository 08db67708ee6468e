"""Files for a message of VK: uploaded first, then named in the message (platforms.md §3.5)."""

from typing import Any

from collectors.base import ActFile, ChannelError
from collectors.vk.api import Api

Step = tuple[str, str, str]
STEPS: dict[str, Step] = {
    # kind: where to upload, the part of the form, what makes an attachment of it
    "photo": ("photos.getMessagesUploadServer", "photo", "photos.saveMessagesPhoto"),
    "document": ("docs.getMessagesUploadServer", "file", "docs.save"),
}


def uploaded(api: Api, files: tuple[ActFile, ...], peer: int) -> str:
    """``attachment`` of messages.send. Whatever fails here, no message was sent, and the uploads hang nowhere."""
    return ",".join(_upload(api, file, peer) for file in files)


def _upload(api: Api, file: ActFile, peer: int) -> str:
    kind = file.kind if file.kind in STEPS else "document"
    where, part, save = STEPS[kind]
    server = api.call(where, peer_id=peer, type="doc" if kind == "document" else None)
    address = server.get("upload_url") if isinstance(server, dict) else None
    if not isinstance(address, str):
        raise ChannelError(f"{where} names no address", code="server")
    told = api.upload(address, part, file)
    wanted = ("photo", "server", "hash") if kind == "photo" else ("file",)
    if not all(told.get(name) not in (None, "", "[]") for name in wanted):
        # VK says so of a picture that it cannot read: an empty list instead of an error.
        raise ChannelError(f"VK did not take {file.name}", code="invalid", permanent=True)
    params: dict[str, Any] = {name: told[name] for name in wanted}
    return _named(api.call(save, title=file.name if kind == "document" else None, **params))


def _named(saved: Any) -> str:
    """«photo-1_2_key»: a list of photos, or a document under its type."""
    one = saved[0] if isinstance(saved, list) and saved else saved
    kind = str(one.get("type")) if isinstance(one, dict) and one.get("type") in ("doc", "photo") else "photo"
    thing = one.get(kind, one) if isinstance(one, dict) else {}
    owner, number = thing.get("owner_id"), thing.get("id")
    if not isinstance(owner, int) or not isinstance(number, int):
        raise ChannelError("VK saved a file without naming it", code="server")
    key = thing.get("access_key")
    return f"{kind}{owner}_{number}" + (f"_{key}" if key else "")
