"""VK's people and communities, bans, and the Bots Long Poll of the school's community."""

import time
from typing import Any

from flask import Response, jsonify, request

from sandbox import keys
from sandbox.cast import VK_ADMIN
from sandbox.ground import number, store
from sandbox.vk_forms import Params, VkError, group, user

LONG_POLL_KEY = "sandbox-long-poll-key"
LONGEST_WAIT = 90
PERMISSIONS = {"manage": 262144, "messages": 4096, "photos": 4, "docs": 131072, "wall": 8192}


def users_get(params: Params) -> list[dict[str, Any]]:
    asked = [one for one in params.text("user_ids").split(",") if one]
    if not asked:
        return [user(store().person("vk", VK_ADMIN.id))] if params.kind == "user" else []
    everyone = {person.id: person for person in store().persons("vk") if not person.id.startswith("-")}
    by_handle = {person.handle: person for person in everyone.values()}
    found = [everyone.get(one.removeprefix("id")) or by_handle.get(one) for one in asked[:1000]]
    return [user(person) for person in found if person is not None]


def groups_get_by_id(params: Params) -> dict[str, Any]:
    names = f"{params.text('group_ids')},{params.text('group_id')}"
    asked = {one.strip().removeprefix("club") for one in names.split(",") if one.strip()}
    if not asked and params.kind != "community":
        raise VkError(100, "One of the parameters specified was missing or invalid: group_ids is undefined")
    known = not asked or asked & {str(keys.VK_GROUP), keys.SCREEN_NAME}
    return {"groups": [group()] if known else [], "profiles": []}


def token_permissions(params: Params) -> dict[str, Any]:
    permissions = [{"name": name, "setting": bit} for name, bit in PERMISSIONS.items()]
    return {"mask": sum(PERMISSIONS.values()), "permissions": permissions}


def resolve_screen_name(params: Params) -> dict[str, Any] | list[Any]:
    """An empty list for a name that is free: VK's own answer there."""
    name = params.text("screen_name")
    if name == keys.SCREEN_NAME:
        return {"object_id": keys.VK_GROUP, "type": "group"}
    for person in store().persons("vk"):
        if name and name in (person.handle, f"id{person.id}"):
            return {"object_id": int(person.id), "type": "user"}
    return []


def _own_group(params: Params) -> None:
    if params.required("group_id") != keys.VK_GROUP:
        raise VkError(203, "Access to group denied")


def _set_banned(params: Params, banned: bool) -> int:
    _own_group(params)
    person = store().person("vk", str(params.required("owner_id")))
    if not person.name:
        raise VkError(100, "One of the parameters specified was missing or invalid: owner_id is invalid")
    store().ban("vk", person.id, banned)
    return 1


def ban(params: Params) -> int:
    return _set_banned(params, True)


def unban(params: Params) -> int:
    return _set_banned(params, False)


# Long poll


def _newest() -> int:
    return int(store().scalar("SELECT coalesce(max(n), 0) FROM events WHERE platform = 'vk'"))


def long_poll_server(params: Params) -> dict[str, str]:
    _own_group(params)
    server = f"{params.host_url}vk/longpoll/{keys.VK_GROUP}"
    return {"key": LONG_POLL_KEY, "server": server, "ts": str(_newest())}


def long_poll() -> Response:
    """``a_check``: waits for events after ``ts``; failed 1 = take the given ts, failed 2 = ask for a new key."""
    if request.args.get("act") != "a_check" or request.args.get("key") != LONG_POLL_KEY:
        return jsonify(failed=2)
    after = number(request.args.get("ts"), -1, 0, 2**62)
    if after is None or after < 0 or after > _newest():
        return jsonify(failed=1, ts=_newest())
    seconds = number(request.args.get("wait"), 25, 0, LONGEST_WAIT)
    until = time.monotonic() + (25 if seconds is None else seconds)
    while True:
        revision = store().revision
        found = store().events("vk", after)
        left = until - time.monotonic()
        if found or left <= 0 or store().stopping.is_set():
            break
        store().wait(revision, left)
    updates = [{**body, "event_id": f"sandbox-{n}"} for n, body in found]
    return jsonify(ts=str(found[-1][0] if found else after), updates=updates)
