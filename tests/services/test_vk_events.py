"""VK by polling, by Callback API and by Long Poll at once: whatever the order, one message each, as it stands."""

import json
import random
from typing import Any

import pytest
from sqlalchemy import select

from collectors.base import ChannelError
from models import Author, Message, Source
from services.hooks import run_greet, run_receive, source_token
from tests.platforms import Meeting, meeting

KEY, SECRET, WORD = b"a key of the desk", "callback-secret", "a1b2c3d4"
PLACES = {"post": "vk-mock", "video": "vk-video-listening", "photo": "vk-photo-graduates"}


class Routes:
    """The sandbox's events, brought to the hook as VK brings them: again and out of order."""

    def __init__(self, met: Meeting, seed: int) -> None:
        self.met, self.rolled = met, random.Random(seed)
        self.number = met.sources["vk"]
        self.ts = int(met.running.vk("groups.getLongPollServer", group_id=990000001)["response"]["ts"])

    def push(self, event: dict[str, Any], **more: Any) -> int:
        payload = json.dumps({**event, "secret": SECRET, **more}).encode()
        token = source_token(KEY, self.number)
        return run_receive(self.met.database, KEY, self.met.open_channel, "vk", token, payload, {})

    def callback(self) -> None:
        params = {"act": "a_check", "key": "sandbox-long-poll-key", "ts": self.ts, "wait": 0}
        told = self.met.running.http.get("/vk/longpoll/990000001", params=params).json()
        self.ts = int(told["ts"])
        events = [one for one in told["updates"] for _ in range(self.rolled.choice((1, 1, 2)))]
        self.rolled.shuffle(events)
        for event in events:
            self.push(event)

    def happen(self) -> None:
        """Something is written, edited or removed by a viewer."""
        run, rolled = self.met.running, self.rolled
        standing = [
            one for one in run.truth("vk", state="published", direction="in") if one["text"].startswith("случай")
        ]
        what = rolled.choice(("say", "say", "reply", "dialog", "edit", "delete")) if standing else "say"
        text = f"случай {rolled.random():.9f}"
        if what == "say":
            run.says("vk", rolled.choice(list(PLACES.values())), text, rolled.choice(("alina", "gleb", "zoya")))
        elif what == "dialog":
            run.says("vk", "dialog", text, "boris")
        else:
            one = rolled.choice(standing)
            entry = {"platform": "vk", "id": one["external_id"], "kind": one["kind"]}
            if what == "reply" and one["kind"] != "dialog":
                run.says("vk", f"{one['kind']}:{one['publication']}", text, "dina", parent=one["external_id"])
            elif what == "edit":
                run.http.post("/_sandbox/edit", json={**entry, "text": text})
            elif what == "delete" and one["kind"] != "dialog":
                run.http.post("/_sandbox/delete", json=entry)


@pytest.fixture
def met(database, tmp_path):
    with meeting(database, tmp_path / "platforms") as found:
        set_up(found, callback_secret=SECRET)
        yield found


def set_up(met: Meeting, **secrets: str) -> None:
    with met.database.write.begin() as session:
        source = session.get_one(Source, met.sources["vk"])
        source.settings = {**source.settings, "callback_confirmation": WORD, "long_poll": True}
        source.secrets = met.keyring.seal({**met.keyring.unseal(source.secrets), **secrets})


def test_three_routes_at_once_hold_what_stands_there_once(met) -> None:
    routes = Routes(met, 20261126)
    met.collect("vk", deep=True)
    for _ in range(8):
        for _ in range(routes.rolled.randint(1, 4)):
            routes.happen()
        for route in routes.rolled.sample((routes.callback, lambda: met.collect("vk")), 2):
            if routes.rolled.random() < 0.7:
                route()
    routes.callback()
    met.collect("vk", deep=True)
    truth = {(one["container_id"], one["external_id"]): one for one in met.running.truth("vk")}
    with met.database.read.begin() as session:
        rows = session.execute(
            select(Message, Author.name).outerjoin(Author, Author.id == Message.author_id)
            .where(Message.source_id == met.sources["vk"])
        ).all()  # fmt: skip
    held = {(row.container, row.external_id): (row, name) for row, name in rows}
    standing = {key for key, one in truth.items() if one["state"] == "published"}
    assert standing <= set(held) <= set(truth)
    for key, (row, name) in held.items():
        assert row.state == truth[key]["state"], key
        if key in standing:
            assert (row.text, name) == (truth[key]["text"], truth[key]["author_name"])
            assert row.direction == truth[key]["direction"]


def test_a_community_token_alone_hears_comments_that_it_may_not_read(met) -> None:
    set_up(met, user_token="")
    with met.database.write.begin() as session:
        source = session.get_one(Source, met.sources["vk"])
        held = met.keyring.unseal(source.secrets)
        source.secrets = met.keyring.seal({k: v for k, v in held.items() if v})
    met.collect("vk")  # the long poll begins here
    said = met.running.says("vk", "vk-mock", "Меня слышно без прав на чтение?", "gleb")
    met.collect("vk")
    message = met.one(select(Message).where(Message.external_id == said["external_id"]))
    assert (message.container, message.text) == (said["container_id"], said["text"])
    assert met.one(select(Author.name).where(Author.id == message.author_id)) == said["author_name"]


def test_a_hook_is_confirmed_and_strangers_are_refused(met) -> None:
    routes = Routes(met, 1)
    token = source_token(KEY, routes.number)
    asked = json.dumps({"type": "confirmation", "group_id": 990000001}).encode()
    assert run_greet(met.database, KEY, met.open_channel, "vk", token, asked) == WORD
    event = {"type": "wall_reply_new", "group_id": 990000001, "event_id": "e", "object": {}}
    for wrong in (
        {"secret": "callback-secre"},
        {"secret": ""},
        {"secret": None},
        {"group_id": 5},
        {"group_id": None},
    ):
        with pytest.raises(ChannelError) as refused:
            routes.push(event, **wrong)
        assert refused.value.code == "auth"
    assert routes.push({**event, "type": "group_join"}) == 0
    assert routes.push(event) == 1  # of a form that nobody knows: kept, and in quarantine after three tries
