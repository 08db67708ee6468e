"""The hook of a webinar room: proved by secret or signature, read whatever the room calls its fields, once each."""

import contextlib
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.limits import NoLimits
from collectors.base import ChannelError, Raw
from collectors.room import Room, Settings

BODY = json.dumps(
    {
        "room": "demo-25",
        "title": "Вебинар о произношении",
        "messages": [
            {"id": "1", "author": "Анна Яр", "text": "Когда запись?", "at": "2026-11-25T19:03:00+03:00"},
            {"uid": 2, "username": "Борис", "message": "привет", "timestamp": 1795622580},
            {"id": "1", "author": "Анна Яр", "text": "Когда запись?", "at": "2026-11-25T19:03:00+03:00"},
            {"id": "3", "author": "Ведущая", "text": "Начинаем", "is_moderator": True},
            {"id": "4", "author": "Пустой", "text": "  "},
        ],
    },
    ensure_ascii=False,
).encode()


def room(secret: str = "") -> Room:
    return Room(Settings(secret=secret or None), None, NoLimits())


def signature(secret: str, body: bytes = BODY) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_messages_of_a_room_are_read_whatever_it_calls_its_fields() -> None:
    found = [item for raw in room().receive(BODY, {}) for item in room().parse(raw)]
    assert [(one.external_id, one.text, one.author.name, one.author.is_us) for one in found] == [
        ("1", "Когда запись?", "Анна Яр", False),
        ("2", "привет", "Борис", False),
        ("3", "Начинаем", "Ведущая", True),
    ]
    first, second = found[:2]
    assert (first.publication_external_id, second.publication_external_id) == (
        "room-demo-25.2026-11-25", "room-demo-25.2026-11-25"
    )  # fmt: skip
    assert first.author.external_id == "demo-25:Анна Яр"
    assert found[0].published_at.isoformat() == "2026-11-25T19:03:00+03:00"
    assert all(one.quiet for one in found)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Webhook-Secret": "тайна"}, {"x-signature": signature("тайна")},
        {"X-Signature": "sha256=" + signature("тайна").upper()},
    ],
)  # fmt: skip
def test_the_secret_or_a_signature_proves_the_room(headers: dict[str, str]) -> None:
    assert len(room("тайна").receive(BODY, headers)) == 3


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"X-Webhook-Secret": ""}, {"X-Webhook-Secret": "тайна "}, {"X-Signature": ""},
        {"X-Signature": signature("другая")}, {"X-Signature": signature("тайна", BODY + b" ")},
    ],
)  # fmt: skip
def test_nothing_else_does(headers: dict[str, str]) -> None:
    with pytest.raises(ChannelError) as refused:
        room("тайна").receive(BODY, headers)
    assert (refused.value.code, refused.value.permanent) == ("auth", True)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.dictionaries(st.sampled_from(["id", "author", "text", "at", "time", "staff"]), ANY, max_size=5)


@given(
    st.one_of(ANY, st.fixed_dictionaries({"room": st.text(max_size=9), "messages": st.lists(FIELDS, max_size=4)}))
)
def test_whatever_a_stranger_sends_is_messages_or_a_refusal(told: Any) -> None:
    raws: list[Raw] = []
    with contextlib.suppress(ChannelError):  # nothing else may come out of it
        raws = room().receive(json.dumps(told).encode(), {})
    for raw in raws:
        assert [item.text for item in room().parse(raw)] != [""]
