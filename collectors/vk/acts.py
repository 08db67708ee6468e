"""An act as one call of VK's API, and VK's answer as a receipt."""

import json
from typing import Any

from collectors.base import Act, ActKind, ChannelError, Receipt, Sent
from collectors.vk.items import container_parts, permalink

CHATS = 2_000_000_000
"""peer_id of group chats begins above this."""
GROUPS = {"wall": "wall", "video": "video", "photo": "photos"}
PARAMETERS = {"wall": "post_id", "video": "video_id", "photo": "photo_id"}
LIKED = {"wall": "comment", "video": "video_comment", "photo": "photo_comment"}

Call = tuple[str, dict[str, Any]]


def parts_of(act: Act) -> tuple[str, int, int]:
    """(kind, owner, id) of the act's place; raises ChannelError(invalid)."""
    try:
        return container_parts(act.target.container)
    except ValueError as error:
        raise ChannelError(str(error), code="invalid", permanent=True) from None


def call_of(act: Act, group: int) -> Call:
    """The method and parameters that do ``act``; raises ChannelError for what VK cannot do there."""
    kind, owner, id_ = parts_of(act)
    if act.kind is ActKind.BAN:
        if not act.target.author_external_id:
            raise ChannelError("nobody is named to be banned", code="invalid", permanent=True)
        return "groups.ban", {"group_id": group, "owner_id": act.target.author_external_id}
    if act.kind is not ActKind.MESSAGE and not act.target.external_id:
        raise ChannelError(f"{act.kind} needs a message", code="invalid", permanent=True)
    return _message_call(act, owner) if kind == "peer" else _comment_call(act, kind, owner, id_, group)


def _comment_call(act: Act, kind: str, owner: int, id_: int, group: int) -> Call:
    comment, methods = act.target.external_id, GROUPS[kind]
    match act.kind:
        case ActKind.REPLY | ActKind.MESSAGE:
            return f"{methods}.createComment", {
                "owner_id": owner,
                PARAMETERS[kind]: id_,
                # The community's number for posts, but a flag for videos and photos.
                "from_group": group if kind == "wall" else 1,
                "message": act.text,
                "reply_to_comment": comment if act.kind is ActKind.REPLY else None,
                "guid": act.token,
            }
        case ActKind.EDIT:
            return f"{methods}.editComment", {"owner_id": owner, "comment_id": comment, "message": act.text}
        case ActKind.DELETE:
            return f"{methods}.deleteComment", {"owner_id": owner, "comment_id": comment}
        case _:
            return "likes.add", {"type": LIKED[kind], "owner_id": owner, "item_id": comment}


def _message_call(act: Act, peer: int) -> Call:
    message, cmid = act.target.external_id or "", act.target.context.get("cmid")
    is_chat = peer > CHATS
    match act.kind:
        case ActKind.REPLY | ActKind.MESSAGE:
            quote = {"peer_id": peer, "conversation_message_ids": [int(cmid)], "is_reply": True} if cmid else None
            return "messages.send", {
                "peer_id": peer,
                "message": act.text,
                "random_id": act.key,
                # In a dialogue of two the answer needs no quotation.
                "forward": json.dumps(quote) if quote and is_chat and act.kind is ActKind.REPLY else None,
            }
        case ActKind.EDIT:
            which = {"cmid": cmid} if message.startswith("c") else {"message_id": message}
            return "messages.edit", {"peer_id": peer, "message": act.text, **which}
        case ActKind.DELETE:
            which = {"cmids": cmid} if message.startswith("c") else {"message_ids": message}
            return "messages.delete", {"peer_id": peer, "delete_for_all": 1, **which}
        case _:
            raise ChannelError("VK takes no likes of messages", code="unsupported", permanent=True)


def receipt_of(act: Act, answer: Any, site: str) -> Receipt:
    """Raises UNKNOWN for an answer that does not say what was made: it may or may not stand there."""
    container = act.target.container
    if act.kind not in (ActKind.REPLY, ActKind.MESSAGE):
        return Receipt(act.target.external_id, container=container)
    made, stack = answer, None
    if isinstance(answer, dict):
        made, stack = answer.get("comment_id"), answer.get("parents_stack")
    if not isinstance(made, int) or isinstance(made, bool):
        raise ChannelError("the answer names no comment", code="server", sent=Sent.UNKNOWN)
    if container.startswith("peer"):
        # In chats VK gives 0: the message gets its identity when the collector meets it.
        return Receipt(str(made) if made else None, container=container)
    root = str(stack[0]) if isinstance(stack, list) and stack else None
    return Receipt(str(made), permalink(site, container, str(made), root), container=container)
