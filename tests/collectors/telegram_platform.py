"""A Bot API in memory: its queue forgets what was confirmed, its methods refuse what their schema does not have."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from benchmarks.limits import NoLimits
from collectors.telegram import Settings, Telegram
from collectors.wire import Wire

BOT = 7001
TOKEN = f"{BOT}:AAsecretsecret"
GROUP, CHANNEL = -1001234567890, -1009876543210
EPOCH = 1_790_000_000
FORMS: dict[str, tuple[set[str], set[str]]] = {
    # method: parameters that must be there, parameters that may (core.telegram.org/bots/api)
    "getUpdates": (set(), {"offset", "limit", "timeout", "allowed_updates"}),
    "getFile": ({"file_id"}, set()),
    "getMe": (set(), set()),
    "getWebhookInfo": (set(), set()),
    "getChat": ({"chat_id"}, set()),
    "getChatMember": ({"chat_id", "user_id"}, set()),
    "sendMessage": (
        {"chat_id", "text"},
        {"reply_parameters", "message_thread_id", "direct_messages_topic_id", "link_preview_options"},
    ),
    "editMessageText": ({"chat_id", "message_id", "text"}, set()),
    "deleteMessage": ({"chat_id", "message_id"}, set()),
    "banChatMember": ({"chat_id", "user_id"}, {"until_date", "revoke_messages"}),
    "banChatSenderChat": ({"chat_id", "sender_chat_id"}, set()),
    "setMessageReaction": ({"chat_id", "message_id"}, {"reaction", "is_big"}),
}

Message = dict[str, Any]


class TelegramPlatform:
    """A respx side effect. ``faults`` are given instead of answers, ``lost`` after the work was done."""

    def __init__(self) -> None:
        self.queue: list[dict[str, Any]] = []
        self.update_id = 500
        self.message_id = 10
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.sent: list[Message] = []
        self.standing: set[int] = set()
        self.faults: list[httpx.Response | Exception] = []
        self.lost: list[httpx.Response | Exception] = []
        self.member: dict[str, Any] = {"status": "administrator", "can_delete_messages": True}
        self.me: dict[str, Any] = {"id": BOT, "is_bot": True, "first_name": "Стол", "username": "slovo_bot"}
        self.hook = ""
        self.files: dict[str, tuple[str, bytes]] = {}  # file_id → where it lies and what it holds
        self.before: Callable[[str], None] = lambda method: None

    # What happens there

    def arrive(self, message: Message, kind: str = "message") -> Message:
        self.update_id += 1
        self.queue.append({"update_id": self.update_id, kind: message})
        if isinstance(message, dict) and "message_id" in message:
            self.standing.add(message["message_id"])
        return message

    def say(self, text: str | None = "Здравствуйте", kind: str = "message", **more: Any) -> Message:
        """A message in the group; fields given replace or add to it, None takes one away."""
        self.message_id += 1
        message: Message = {
            "message_id": self.message_id,
            "from": {"id": 42, "is_bot": False, "first_name": "Вера", "last_name": "Полякова", "username": "vera"},
            "chat": group(),
            "date": EPOCH + self.message_id,
            "text": text,
            **more,
        }
        return self.arrive({key: value for key, value in message.items() if value is not None}, kind)

    def post(self, text: str | None = "Новый урок\n\nПро падежи", **more: Any) -> Message:
        """A channel post as it is forwarded into the discussion group."""
        number = self.message_id + 1
        origin = {"type": "channel", "chat": channel_chat(), "message_id": 77, "date": EPOCH}
        return self.say(
            text,
            **{
                "from": {"id": 777000, "is_bot": False, "first_name": "Telegram"},
                "sender_chat": channel_chat(),
                "is_automatic_forward": True,
                "forward_origin": origin,
                "message_thread_id": number,
                **more,
            },
        )

    def comment(
        self, post: Message, text: str | None = "А когда?", to: Message | None = None, **more: Any
    ) -> Message:
        answered = {key: value for key, value in (to or post).items() if key != "reply_to_message"}
        return self.say(text, message_thread_id=post["message_id"], reply_to_message=answered, **more)

    # The wire

    def __call__(self, request: httpx.Request) -> httpx.Response:
        lies = request.url.path.removeprefix(f"/file/bot{TOKEN}/")
        if lies != request.url.path:
            return httpx.Response(200, content=next(body for path, body in self.files.values() if path == lies))
        method = request.url.path.rpartition("/")[2]
        assert request.url.path == f"/bot{TOKEN}/{method}"
        params = json.loads(request.content)
        self.calls.append((method, params))
        self.before(method)
        required, optional = FORMS[method]
        assert required <= set(params) <= required | optional, (method, params)
        if self.faults:
            return _given(self.faults.pop(0))
        answer = self._answer(method, params)
        if self.lost and not method.startswith("get"):
            return _given(self.lost.pop(0))
        return answer

    def _answer(self, method: str, params: dict[str, Any]) -> httpx.Response:
        match method:
            case "getUpdates":
                return self._updates(params)
            case "getMe":
                return done(self.me)
            case "getWebhookInfo":
                return done({"url": self.hook, "pending_update_count": 0})
            case "getChat":
                return done({**group(), "linked_chat_id": CHANNEL})
            case "getChatMember":
                return done({"user": self.me, **self.member})
            case "sendMessage":
                return self._send(params)
            case "getFile" if params["file_id"] not in self.files:
                return refused(400, "Bad Request: invalid file_id")
            case "getFile":
                return done({"file_id": params["file_id"], "file_path": self.files[params["file_id"]][0]})
            case _ if "message_id" in params and params["message_id"] not in self.standing:
                return refused(400, f"Bad Request: message to {method[:6].lower().rstrip('m')} not found")
            case "editMessageText":
                message = {
                    "message_id": params["message_id"],
                    "chat": group(),
                    "date": EPOCH,
                    "edit_date": EPOCH + 9,
                }
                return done(message)
            case "deleteMessage":
                self.standing.discard(params["message_id"])
        return done(True)

    def _updates(self, params: dict[str, Any]) -> httpx.Response:
        if self.hook:
            return refused(409, "Conflict: can't use getUpdates method while webhook is active")
        assert 1 <= params["limit"] <= 100
        allowed = params["allowed_updates"]
        if "offset" in params:
            self.queue = [one for one in self.queue if one["update_id"] >= params["offset"]]
        shown = [one for one in self.queue if set(one) & set(allowed) or set(one) == {"update_id"}]
        return done(shown[: params["limit"]])

    def _send(self, params: dict[str, Any]) -> httpx.Response:
        if not 1 <= len(params["text"].encode("utf-16-le")) // 2 <= 4096:
            return refused(400, "Bad Request: message is too long")
        parent = params.get("reply_parameters", {}).get("message_id")
        if parent is not None and parent not in self.standing:
            return refused(400, "Bad Request: message to be replied not found")
        self.message_id += 1
        chat = (
            group() if params["chat_id"] < 0 else {"id": params["chat_id"], "type": "private", "first_name": "Вера"}
        )
        message = {"message_id": self.message_id, "from": self.me, "chat": chat, "date": EPOCH + self.message_id}
        message |= {"text": params["text"]} | (
            {"reply_to_message": {"message_id": parent, "chat": chat}} if parent else {}
        )
        self.standing.add(self.message_id)
        self.sent.append(message)
        return done(message)


def _given(fault: httpx.Response | Exception) -> httpx.Response:
    if isinstance(fault, Exception):
        raise fault
    return fault


def done(result: Any) -> httpx.Response:
    return httpx.Response(200, json={"ok": True, "result": result})


def refused(code: int, description: str, **parameters: Any) -> httpx.Response:
    body = {"ok": False, "error_code": code, "description": description}
    return httpx.Response(code, json=body | ({"parameters": parameters} if parameters else {}))


def group(**more: Any) -> dict[str, Any]:
    return {"id": GROUP, "type": "supergroup", "title": "Обсуждение", **more}


def channel_chat(**more: Any) -> dict[str, Any]:
    return {"id": CHANNEL, "type": "channel", "title": "Школа «Слово»", "username": "slovo_school", **more}


def private(number: int = 42) -> dict[str, Any]:
    return {"id": number, "type": "private", "first_name": "Вера", "username": "vera"}


def channel(**given: Any) -> Telegram:
    values = {"base_url": "https://bots.example/", "token": TOKEN, **given}
    return Telegram(Settings.model_validate(values), Wire(), NoLimits())
