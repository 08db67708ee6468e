"""The feedback form's channel: what is taken, what is missing, consents, repeats, strange bodies."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.limits import NoLimits
from collectors.base import ChannelError, Raw, Visibility, Walk
from collectors.form import CONTAINER, Form, Settings, page_address, version_of
from collectors.wire import Wire

CONSENT, NEWS = "Согласен на обработку имени и почты, чтобы получить ответ.", "Согласен получать новости школы."
JSON = {"Content-Type": "application/json", "X-Otklik-Address": "203.0.113.7"}
LETTER: dict[str, Any] = {
    "name": "Вера Полякова", "email": "Vera@example.ru", "topic": "Оплата", "text": "Не вижу оплату\r\nПомогите",
    "page": "https://blog.example/kurs/", "key": "k1", "consents": {"answer": True, "news": False},
}  # fmt: skip


def channel(news: str = NEWS) -> Form:
    return Form(Settings(consent=CONSENT, consent_news=news), Wire(), NoLimits())


def sent(**more: Any) -> list[Raw]:
    return channel().receive(json.dumps({**LETTER, **more}).encode(), JSON)


def test_a_letter_with_its_consent() -> None:
    (raw,) = sent()
    (message,) = channel().parse(raw)
    assert (message.text, message.subject) == ("Не вижу оплату\nПомогите", "Оплата")
    assert (message.author.external_id, message.author.name) == ("mail:vera@example.ru", "Вера Полякова")
    assert (message.visibility, message.container) == (Visibility.PRIVATE, CONTAINER)
    assert message.publication.url == "https://blog.example/kurs/"
    assert message.context["consents"] == f"answer@{version_of(CONSENT)}"
    assert message.context["consent_address"] == "203.0.113.7"
    body = json.loads(raw.body)
    assert body["consents"] == [{"purpose": "answer", "text": CONSENT, "version": version_of(CONSENT)}]
    assert body["at"] == message.published_at.isoformat(timespec="seconds") == message.context["consent_at"]


def test_a_browsers_form_says_the_same() -> None:
    fields = {name: value for name, value in LETTER.items() if name != "consents"}
    fields |= {"consent_answer": "1", "consent_news": "on"}
    head = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    (raw,) = channel().receive(urlencode(fields).encode(), head)
    assert raw.external_id == sent()[0].external_id
    assert [one["purpose"] for one in json.loads(raw.body)["consents"]] == ["answer", "news"]
    (raw,) = channel(news="").receive(urlencode(fields).encode(), head)
    assert [one["purpose"] for one in json.loads(raw.body)["consents"]] == ["answer"], (
        "what is not asked is not given"
    )


def test_repeats_have_one_identity_and_other_words_another() -> None:
    first = sent()[0].external_id
    assert sent()[0].external_id == first
    assert sent(text="Другое")[0].external_id != first
    assert sent(key="k2")[0].external_id != first
    assert sent(key=None)[0].external_id == sent(key="")[0].external_id


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        ({"text": " \n"}, "text"),
        ({"text": 5}, "text"),
        ({"email": "", "phone": None}, "contact"),
        ({"email": "vera"}, "email"),
        ({"email": "ve ra@example.ru"}, "email"),
        ({"email": 'a"b@example.ru'}, "email"),
        ({"consents": {}}, "consent"),
        ({"consents": {"answer": "no"}}, "consent"),
        ({"consents": {"news": True}}, "consent"),
        ({"consents": [1]}, "consent"),
        ({"text": "", "consents": None}, "text consent"),
    ],
)
def test_what_is_missing_is_named(more: dict[str, Any], missing: str) -> None:
    with pytest.raises(ChannelError) as caught:
        sent(**more)
    assert (caught.value.code, caught.value.message) == ("invalid", missing)


def test_a_phone_is_enough_and_line_breaks_stay_out_of_names() -> None:
    (raw,) = sent(email="", phone="+7 (999) 000-00-00", name="Вера\r\nBcc: all@example.ru\x00\ud800")
    (message,) = channel().parse(raw)
    assert message.author.external_id == "phone:79990000000"
    assert message.author.name == "Вера Bcc: all@example.ru"


def test_the_trap_is_taken_and_not_kept() -> None:
    assert sent(website="https://spam.example") == []


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"5", b"[" * 100_000, b"\xff\xfe", b'{"text":'])
def test_other_bodies_are_refused(body: bytes) -> None:
    with pytest.raises(ChannelError) as caught:
        channel().receive(body, JSON)
    assert caught.value.code == "invalid"


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*LETTER, "phone", "consent_answer", "website"]),
        st.one_of(
            st.text(max_size=300),
            st.none(),
            st.integers(),
            st.lists(st.text()),
            st.dictionaries(st.text(), st.booleans()),
        ),
    )
)
def test_whatever_comes_is_kept_and_understood_or_refused(told: dict[str, Any]) -> None:
    try:
        raws = channel().receive(json.dumps({**LETTER, **told}).encode(), JSON)
    except ChannelError as error:
        assert error.code == "invalid"  # noqa: PT017
        return
    for raw in raws:
        (message,) = channel().parse(raw)
        assert message.text
        assert len(raw.external_id) == 32


def test_there_is_nothing_to_walk_or_to_answer() -> None:
    for walk in Walk:
        (page,) = channel().walk(walk, {"a": 1})
        assert (page.raws, page.cursor, page.complete) == ((), {"a": 1}, True)
    assert not channel().can.acts
    assert channel().check().account == "Напишите нам"


def test_the_page_it_stood_on_keeps_no_secrets() -> None:
    assert page_address("https://blog.example/kurs/?token=1#x") == "https://blog.example/kurs/"
    for wrong in (None, "", "javascript:alert(1)", "https://a:b@blog.example/", "http://[", "blog.example"):
        assert page_address(wrong) == ""
