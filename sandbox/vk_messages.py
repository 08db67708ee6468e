"""VK's messages of the community: conversations, history, sending with ``random_id``."""

from typing import Any

from sandbox import files, keys, vk_uploads
from sandbox.ground import store
from sandbox.store import Draft, Item, Publication
from sandbox.vk_comments import publish
from sandbox.vk_forms import OWNER, Params, VkError, event, people

LONGEST_TEXT = 9_000
SHOWN = "platform = 'vk' AND kind = 'dialog' AND state = 'published'"


def message(item: Item) -> dict[str, Any]:
    sql = "SELECT count(*) FROM items WHERE platform = 'vk' AND kind = 'dialog' AND publication = ? AND seq <= ?"
    random_id = int(item.guid.partition(":")[2]) if item.guid else 0
    answer = {
        "id": int(item.id),
        "date": int(item.at),
        "peer_id": int(item.publication),
        "from_id": int(item.author),
        "text": item.text,
        "random_id": random_id,
        "out": int(item.ours),
        "conversation_message_id": int(store().scalar(sql, (item.publication, item.seq))),
        "important": False,
        "is_hidden": False,
        "attachments": [vk_uploads.shown(file) for file in files.files_of(item)],
        "fwd_messages": [],
    }
    return answer | ({"update_time": int(item.edited)} if item.edited else {})


def announce(item: Item, edited: bool = False) -> None:
    """A message of a person comes with what their client can show, our own comes bare."""
    body = message(item)
    if edited:
        event("message_edit", body)
    elif item.ours:
        event("message_reply", body)
    else:
        client = {"button_actions": ["text", "open_link"], "keyboard": True, "inline_keyboard": True, "lang_id": 0}
        event("message_new", {"message": body, "client_info": client})


def _community(params: Params) -> None:
    """A person's token reads the community's messages only when it names the community."""
    if params.kind == "user" and params.whole("group_id", 0) != keys.VK_GROUP:
        raise VkError(15, "Access denied: group_id is required to read messages of a community")


def _messages(peer: str) -> list[Item]:
    return store().items(f"{SHOWN} AND publication = ?", (peer,))


def _unread(items: list[Item]) -> int:
    """Messages of the person after our last answer that nobody has marked as read."""
    if not items:
        return 0
    ours = [place for place, item in enumerate(items) if item.ours]
    read = int(store().meta(f"vk:read:{items[0].publication}") or 0)
    return sum(int(item.id) > read for item in items[ours[-1] + 1 if ours else 0 :])


def conversations(params: Params) -> dict[str, Any]:
    _community(params)
    count, offset = params.whole("count", 20, 0, 200), params.whole("offset", 0, 0)
    wanted = params.text("filter", "all")
    found = []
    for dialog in store().publications("vk", "dialog"):
        items = _messages(dialog.id)
        unread, answered = _unread(items), bool(items) and items[-1].ours
        hidden = (wanted == "unread" and not unread) or (wanted == "unanswered" and answered)
        if items and not hidden:
            found.append((items[-1], unread))
    found.sort(key=lambda pair: pair[0].seq, reverse=True)
    entries = [_conversation(last, unread) for last, unread in found[offset : offset + count]]
    answer = {"count": len(found), "unread_count": sum(unread > 0 for _, unread in found), "items": entries}
    return answer | people(_named(entries)) if params.flag("extended") else answer


def _named(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    peers = [{"from_id": entry["conversation"]["peer"]["id"]} for entry in entries]
    return [entry["last_message"] for entry in entries] + peers


def _conversation(last: Item, unread: int) -> dict[str, Any]:
    peer = int(last.publication)
    body = message(last)
    conversation: dict[str, Any] = {
        "peer": {"id": peer, "type": "user", "local_id": peer},
        "last_message_id": int(last.id),
        "last_conversation_message_id": body["conversation_message_id"],
        "in_read": int(last.id) if not unread else 0,
        "out_read": int(last.id),
        "is_marked_unread": False,
        "important": False,
        "can_write": {"allowed": True},
    }
    if unread:
        conversation["unread_count"] = unread
    return {"conversation": conversation, "last_message": body}


def history(params: Params) -> dict[str, Any]:
    _community(params)
    peer = params.whole("peer_id", params.whole("user_id", 0))
    if not peer:
        raise VkError(100, "One of the parameters specified was missing or invalid: peer_id is undefined")
    count, offset = params.whole("count", 20, 0, 200), params.whole("offset", 0)
    items = _messages(str(peer))
    ordered = items if params.flag("rev") else items[::-1]
    start = params.whole("start_message_id", 0)
    if start > 0:
        passed = [int(item.id) < start if params.flag("rev") else int(item.id) > start for item in ordered]
        offset += passed.index(False) if False in passed else len(passed)
    page = [message(item) for item in ordered[max(0, offset) : max(0, offset) + count]]
    answer = {"count": len(items), "items": page}
    return answer | people(page) if params.flag("extended") else answer


def by_id(params: Params) -> dict[str, Any]:
    _community(params)
    asked = [one for one in params.text("message_ids").split(",") if one][:100]
    found = [store().item("vk", "messages", one) for one in asked]
    items = [message(item) for item in found if item is not None and item.state == "published"]
    return {"count": len(items), "items": items}


def _dialog(peer: int) -> Publication:
    dialog = store().publication("vk", "dialog", str(peer))
    if dialog is not None and not store().person("vk", str(peer)).banned:
        return dialog
    if store().person("vk", str(peer)).name:
        raise VkError(901, "Can't send messages for users without permission")
    raise VkError(936, "Contact not found")


def _send(peer: int, text: str, random_id: int, attachment: str = "") -> Item:
    """The same ``random_id`` to the same person is the same message; 0 switches the check off."""
    dialog = _dialog(peer)
    guid = f"random:{random_id}" if random_id else None
    if guid:
        again = store().items(
            "platform = 'vk' AND kind = 'dialog' AND publication = ? AND guid = ?", (dialog.id, guid)
        )
        if again:
            return again[0]
    item = publish(store(), Draft("vk", "dialog", dialog.id, str(OWNER), text, ours=True, guid=guid))
    files.hang(item, vk_uploads.numbers(attachment))
    announce(item)
    store().accept("messages.send", item)
    return item


def send(params: Params) -> int | list[dict[str, Any]]:
    _community(params)
    text, random_id = params.text("message"), params.required("random_id")
    if not text.strip() and not params.text("attachment"):
        raise VkError(100, "One of the parameters specified was missing or invalid: message is empty or invalid")
    if len(text) > LONGEST_TEXT:
        raise VkError(914, "Message is too long")
    peers = [int(one) for one in params.text("peer_ids").split(",") if one.strip().lstrip("-").isdigit()]
    if not peers:
        peer = params.whole("peer_id", params.whole("user_id", 0))
        return int(_send(peer, text, random_id, params.text("attachment")).id)
    return [_sent_to(peer, text, random_id, params.text("attachment")) for peer in peers[:100]]


def _sent_to(peer: int, text: str, random_id: int, attachment: str) -> dict[str, Any]:
    try:
        item = _send(peer, text, random_id, attachment)
    except VkError as error:
        return {"peer_id": peer, "message_id": 0, "error": {"code": error.code, "description": str(error)}}
    body = message(item)
    return {"peer_id": peer, "message_id": body["id"], "conversation_message_id": body["conversation_message_id"]}


def _own(params: Params, id_: str) -> Item:
    _community(params)
    item = store().item("vk", "messages", id_)
    if item is None or not item.ours or item.state != "published":
        raise VkError(
            924, "Can't delete this message for everybody" if "delete" in params.method else "Access denied"
        )
    return item


def edit(params: Params) -> int:
    item = store().edit(_own(params, str(params.required("message_id"))), params.text("message"))
    announce(item, edited=True)
    store().accept(params.method, item)
    return 1


def delete(params: Params) -> dict[str, int]:
    asked = [one for one in params.text("message_ids").split(",") if one]
    for one in asked:
        store().accept(params.method, store().set_state(_own(params, one), "deleted"))
    return dict.fromkeys(asked, 1)


def mark_as_read(params: Params) -> int:
    _community(params)
    items = _messages(str(params.required("peer_id")))
    if items:
        store().set_meta(f"vk:read:{items[0].publication}", items[-1].id)
    return 1
