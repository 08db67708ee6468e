"""Odnoklassniki in memory: it checks every signature, pages by anchor, and refuses parameters it does not know."""

import hashlib
import json
from typing import Any
from urllib.parse import parse_qsl

import httpx

from benchmarks.limits import NoLimits
from collectors.ok import Ok, Settings
from collectors.wire import Wire

GROUP, ME, CHAT = "70000001234567", "900", "chat:C1"
KEYS = {
    "application_key": "CPUB",
    "application_secret": "SECRET-OF-APP",
    "access_token": "tok-eternal",
    "bot_token": "tok-bot",
}
EPOCH = 1_790_000_000_000
COMMON = {"method", "application_key", "format", "sig", "access_token"}
METHODS: dict[str, set[str]] = {
    "users.getCurrentUser": {"fields"},
    "users.getInfo": {"uids", "fields"},
    "discussions.getList": {"types", "category", "anchor", "direction", "count", "fields"},
    "discussions.getComments": {
        "discussionId", "discussionType", "anchor", "direction", "count", "frmt", "fields", "mark_as_read",
        "includeRemoved",
    },
    "discussions.addDiscussionComment": {
        "entityId", "entityType", "comment", "reply_to_comment_id", "as_admin", "attachments",
    },
    "discussions.editDiscussionComment": {"discussionId", "discussionType", "comment_id", "comment"},
    "discussions.deleteDiscussionComment": {
        "discussionId", "discussionType", "comment_id", "mark_as_spam", "block_author",
    },
    "discussions.addCommentLike": {"discussionId", "discussionType", "comment_id"},
}  # fmt: skip

Told = dict[str, Any]


class OkPlatform:
    """A respx side effect. ``faults`` are given instead of answers, ``lost`` after the work was done."""

    def __init__(self, page: int = 100) -> None:
        self.page = page
        self.topics: dict[str, list[Told]] = {}
        self.active: list[str] = []
        self.messages: list[Told] = []
        self.number = 0
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.faults: list[httpx.Response | Exception] = []
        self.lost: list[httpx.Response | Exception] = []
        self.broken: set[str] = set()
        self.liked: list[str] = []
        self.blocked: list[str] = []

    def write(self, topic: str, text: str, author: str = "42", to: str | None = None) -> str:
        self.number += 1
        told = {"id": f"c{self.number}", "text": text, "author_id": author, "date_ms": EPOCH + self.number * 1000}
        told |= {"type": "ACTIVE_MESSAGE", "like_count": self.number} | ({"reply_to_comment_id": to} if to else {})
        self.topics.setdefault(topic, []).append(told)
        self.active = [topic, *(one for one in self.active if one != topic)]
        return str(told["id"])

    def say(self, text: str, sender: str = "user:42") -> Told:
        self.number += 1
        inner = {"mid": f"mid:{self.number}", "seq": self.number, "text": text}
        who = {"user_id": sender, "name": "Вера Полякова"}
        told = {
            "sender": who,
            "recipient": {"chat_id": CHAT},
            "message": inner,
            "timestamp": EPOCH + self.number // 2,
        }
        self.messages.append(told)
        return told

    def truth(self) -> dict[str, str]:
        comments = {one["id"]: one["text"] for topic in self.topics.values() for one in topic}
        return comments | {one["message"]["mid"]: one["message"]["text"] for one in self.messages}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/graph/"):
            method, told = request.url.path.removeprefix("/graph/"), dict(request.url.params)
            assert told.pop("access_token") == KEYS["bot_token"]
            told["body"] = request.content.decode()
        else:
            assert request.method == "POST"
            assert request.url.path == "/fb.do"
            assert not request.url.query, "keys in an address end in logs"
            told = dict(parse_qsl(request.content.decode(), keep_blank_values=True))
            method = told["method"]
            assert set(told) - COMMON <= METHODS[method], (method, told)
            assert told["sig"] == sign(told)
        self.calls.append((method, told))
        if self.faults:
            return given(self.faults.pop(0))
        before = self.truth(), len(self.liked)
        answer = self.graph(method, told) if request.url.path != "/fb.do" else self.rest(method, told)
        wrote = before != (self.truth(), len(self.liked))
        return given(self.lost.pop(0)) if self.lost and wrote else answer

    def rest(self, method: str, told: dict[str, str]) -> httpx.Response:
        match method:
            case "users.getCurrentUser":
                return httpx.Response(200, json={"uid": ME, "name": "Дарья Лис"})
            case "users.getInfo":
                uids = told["uids"].split(",")
                assert len(uids) <= 100
                people = [
                    {"uid": uid, "name": f"Человек {uid}", "url_profile": f"https://ok.ru/p/{uid}"} for uid in uids
                ]
                return httpx.Response(200, json=people)
            case "discussions.getList":
                return self.listed(told)
            case "discussions.getComments":
                return self.comments(told)
        topic = f"{told.get('discussionType') or told['entityType']}:{told.get('discussionId') or told['entityId']}"
        standing = self.topics.get(topic, [])
        if method == "discussions.addDiscussionComment":
            parent = told.get("reply_to_comment_id")
            if topic not in self.topics or (parent and parent not in {one["id"] for one in standing}):
                return refused(700)
            own = self.write(topic, told["comment"], GROUP if told.get("as_admin") == "true" else ME, parent)
            return httpx.Response(200, json={"id": own})
        one = next((one for one in standing if one["id"] == told["comment_id"]), None)
        if one is None:
            return refused(700)
        if method == "discussions.addCommentLike":
            self.liked.append(one["id"])
        elif method == "discussions.editDiscussionComment":
            one["text"] = told["comment"]
        else:
            standing.remove(one)
            self.blocked += [one["author_id"]] if told["block_author"] == "true" else []
        return httpx.Response(200, json={"success": True})

    def listed(self, told: dict[str, str]) -> httpx.Response:
        begin = int(told.get("anchor", 0))
        end = begin + min(self.page, int(told["count"]))
        found = [
            {
                "object_type": key.partition(":")[0], "object_id": key.partition(":")[2], "title": f"Тема {key}",
                "total_comments_count": len(self.topics[key]), "new_comments_count": 1,
                "ref_objects": [{"type": "GROUP", "id": "1" if key.endswith("9999") else GROUP}],
            }
            for key in self.active[begin:end]
        ]  # fmt: skip
        more = end < len(self.active)
        return httpx.Response(200, json={"discussions": found, "anchor": str(end), "has_more": more})

    def comments(self, told: dict[str, str]) -> httpx.Response:
        assert told["mark_as_read"] == "false"
        topic = f"{told['discussionType']}:{told['discussionId']}"
        if topic in self.broken:
            return refused(300)
        begin = 0 if told["anchor"] == "FIRST" else int(told["anchor"])
        end = begin + min(self.page, int(told["count"]))
        answer = {
            "comments": self.topics[topic][begin:end],
            "anchor": str(end),
            "has_more": end < len(self.topics[topic]),
        }
        return httpx.Response(200, json=answer)

    def graph(self, path: str, told: dict[str, str]) -> httpx.Response:
        if path == "me/chats":
            return httpx.Response(200, json={"chats": [{"chat_id": CHAT}] if self.messages else []})
        assert path == f"me/messages/{CHAT}"
        if told["body"]:
            body = json.loads(told["body"])
            assert set(body) == {"recipient", "message"}
            own = self.say(body["message"]["text"], f"group:{GROUP}")
            return httpx.Response(200, json={"success": True, "message_id": own["message"]["mid"]})
        upper = int(told.get("from", 2**62))
        found = [one for one in self.messages[::-1] if one["timestamp"] < upper]
        return httpx.Response(200, json={"messages": found[: max(2, min(self.page, int(told["count"])))]})


def sign(told: dict[str, str]) -> str:
    secret = hashlib.md5((KEYS["access_token"] + KEYS["application_secret"]).encode()).hexdigest()
    joined = "".join(f"{name}={told[name]}" for name in sorted(told) if name not in ("access_token", "sig"))
    return hashlib.md5((joined + secret).encode()).hexdigest()


def given(fault: httpx.Response | Exception) -> httpx.Response:
    if isinstance(fault, Exception):
        raise fault
    return fault


def refused(code: int, text: str = "REFUSED") -> httpx.Response:
    return httpx.Response(
        200, json={"error_code": code, "error_msg": f"{text} : {KEYS['access_token']}", "error_data": None}
    )


def channel(*, messages: bool = True) -> Ok:
    keys = dict(KEYS) if messages else {name: value for name, value in KEYS.items() if name != "bot_token"}
    settings = Settings(group_id=GROUP, base_url="https://ok.example/", our_ids=["77"], **keys)
    return Ok(settings, Wire(), NoLimits())
