"""What calls the desk by itself: the form on the school's site and its telephone exchange, over hooks."""

import json
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from flask import Flask

from sandbox import keys
from sandbox.ground import store
from sandbox.store import Draft, Item, Store

SPACES = {"form": "letters", "calls": "calls", "getcourse": "events"}
PAUSE = 2.0
"""Seconds between two looks; a hook that does not answer is tried again after as many."""
PATIENCE = 10
_LASTED = re.compile(r"(\d+):(\d\d)")


def publish(db: Store, draft: Draft) -> Item:
    space = SPACES[draft.platform]
    return db.add(draft, space, str(db.count(f"{draft.platform}:item", 1, 0)), None)


def announce(item: Item, what: str) -> None:
    """Queues what is to be told to the desk; neither a letter nor a call can be edited or taken back."""
    if what == "new" and not item.ours:
        store().push(item.platform, letter(item) if item.platform == "form" else call(item))


def letter(item: Item) -> dict[str, Any]:
    """What the form on a site sends (docs/channels/form.md)."""
    person = store().person("form", item.author)
    return {
        "name": person.name, "email": person.id, "text": item.text, "key": f"sandbox-{item.id}",
        "page": "https://lingva-park.example/contacts/", "consents": {"answer": True},
    }  # fmt: skip


def call(item: Item) -> dict[str, Any]:
    """What an exchange tells when a call has ended; the words of a call stay between those who spoke."""
    person = store().person("calls", item.author)
    lasted = _LASTED.search(item.text)
    seconds = int(lasted[1]) * 60 + int(lasted[2]) if lasted else 0
    return {
        "call_id": f"sandbox-{item.id}", "from": person.id, "to": keys.PHONE, "direction": "in",
        "status": "answered" if lasted else "missed", "duration": seconds, "started_at": item.at,
        "contact_name": person.name,
    }  # fmt: skip


def connect(hooks: dict[str, str]) -> None:
    """The desk says where its hooks are; what waits is told from then on."""
    with store().writing():
        for platform in SPACES:
            if platform in hooks:
                store().set_meta(f"hook:{platform}", hooks[platform])


class Deliverer(threading.Thread):
    """Tells the desk what waits, one after another, and again until it says that it has taken it."""

    def __init__(self, app: Flask) -> None:
        super().__init__(name="deliverer", daemon=True)
        self._app = app
        # No proxy: the hooks are on this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def run(self) -> None:
        with self._app.app_context():
            while not store().stopping.is_set():
                revision = store().revision
                if sum(self.deliver(platform) for platform in SPACES) == len(SPACES):
                    store().wait(revision, 60)
                else:
                    store().stopping.wait(PAUSE)

    def deliver(self, platform: str) -> bool:
        """False when something still waits."""
        hook = store().meta(f"hook:{platform}")
        if not hook:
            return True
        after = int(store().meta(f"told:{platform}") or 0)
        for n, body in store().events(platform, after):
            if not self._tell(platform, hook, body):
                return False
            with store().writing():
                store().set_meta(f"told:{platform}", str(n))
        return True

    def _tell(self, platform: str, hook: str, body: dict[str, Any]) -> bool:
        if platform == "getcourse":  # its processes call by GET, with all they say in the query
            return self._open(urllib.request.Request(f"{hook}?{urllib.parse.urlencode(body)}"))  # noqa: S310
        headers = {"Content-Type": "application/json", "X-Webhook-Secret": keys.PHONE_SECRET}
        return self._open(urllib.request.Request(hook, json.dumps(body).encode(), headers))  # noqa: S310

    def _open(self, asked: urllib.request.Request) -> bool:
        try:
            with self._opener.open(asked, timeout=PATIENCE):
                return True
        except urllib.error.HTTPError as error:
            error.close()
            return 400 <= error.code < 500 and error.code != 429  # refused for good: the next one's turn
        except OSError:
            return False
