"""Calls told by an exchange: names of fields, results, directions, the secret, strange bodies."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.limits import NoLimits
from collectors.base import ChannelError, Incoming, Raw, Visibility
from collectors.calls import NAMES, Calls, Settings
from collectors.wire import Wire

CALL = {
    "call_id": "c-1",
    "from": "8 (999) 000-00-01",
    "to": "+74950000000",
    "status": "missed",
    "start": "2026-11-25T12:00:00+03:00",
}


def channel(**more: Any) -> Calls:
    return Calls(Settings(**more), Wire(), NoLimits())


def told(call: dict[str, Any], hook: Calls | None = None, **headers: str) -> list[Raw]:
    return (hook or channel()).receive(json.dumps(call).encode(), headers)


def understood(call: dict[str, Any]) -> Incoming:
    (raw,) = told(call)
    (message,) = channel().parse(raw)
    return message


def test_a_missed_call() -> None:
    message = understood(CALL)
    assert (message.text, message.visibility) == ("Пропущенный звонок", Visibility.PRIVATE)
    assert (message.author.external_id, message.author.name) == ("phone:79990000001", "+79990000001")
    assert message.published_at == datetime(2026, 11, 25, 9, tzinfo=UTC)


def test_what_is_told_later_replaces_it_under_the_same_identity() -> None:
    later = {
        **CALL,
        "status": "ANSWERED",
        "duration": 155,
        "record_url": "https://calls.example/1.mp3",
        "name": "Вера",
    }
    assert told(later)[0].external_id == told(CALL)[0].external_id
    message = understood(later)
    assert message.text == "Звонок принят, разговор 2:35"
    assert [file.url for file in message.attachments] == ["https://calls.example/1.mp3"]


def test_our_own_call_is_ours_and_stands_in_the_same_dialogue() -> None:
    message = understood(
        {**CALL, "direction": "outbound", "from": CALL["to"], "to": CALL["from"], "status": "no-answer"}
    )
    assert (message.text, message.author.is_us) == ("Мы не дозвонились", True)
    assert message.container == understood(CALL).container


def test_other_names_and_a_nested_event() -> None:
    nested = {
        "event": "call",
        "data": {"UNIQUEID": 7, "SRC": 79990000001, "dst": "1", "Disposition": "NO ANSWER", "time": 1_790_000_000},
    }
    del nested["event"]
    assert understood(nested).published_at == datetime.fromtimestamp(1_790_000_000, UTC)
    assert understood({**CALL, "from": ""}).author.name == "Номер скрыт"


def test_what_is_no_end_of_a_call_or_not_our_line_is_left_alone() -> None:
    assert told({**CALL, "status": "ringing"}) == []
    assert told(CALL, channel(line="+7 495 111-11-11")) == []
    assert len(told(CALL, channel(line="8 495 000-00-00"))) == 1


def test_the_secret_is_proven_by_header_or_signature() -> None:
    hook, body = channel(secret="s3cret"), json.dumps(CALL).encode()
    sign = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    for good in ({"X-Webhook-Secret": "s3cret"}, {"x-signature": sign}, {"X-Signature": f"sha256={sign.upper()}"}):
        assert len(hook.receive(body, good)) == 1
    wrong = (
        {},
        {"X-Webhook-Secret": "s3cre"},
        {"X-Webhook-Secret": ""},
        {"X-Signature": sign[:-1]},
        {"X-Signature": ""},
    )
    for headers in wrong:
        with pytest.raises(ChannelError) as caught:
            hook.receive(body, headers)
        assert caught.value.code == "auth"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"[" * 100_000, b"\xff", b'{"status": "missed"}'])
def test_other_bodies_are_refused(body: bytes) -> None:
    with pytest.raises(ChannelError) as caught:
        channel().receive(body, {})
    assert caught.value.code == "invalid"


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([name for names in NAMES.values() for name in names]),
        st.one_of(st.text(max_size=40), st.integers(), st.floats(), st.none(), st.lists(st.text(max_size=3))),
    )
)
def test_whatever_is_told_can_be_understood(more: dict[str, Any]) -> None:
    try:
        raws = told({**more, "status": "missed", "call_id": "c"})
    except ChannelError as error:
        assert error.code == "invalid"  # noqa: PT017
        return
    for raw in raws:
        assert channel().parse(raw)[0].text
