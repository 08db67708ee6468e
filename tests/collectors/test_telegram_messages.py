"""Telegram understood: posts and comments, who is us, files, links, and texts that no database would take."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import respx

from collectors.base import Attachment, ChannelError, Incoming, Raw, Visibility, Walk
from tests.collectors.desk import Desk
from tests.collectors.telegram_platform import EPOCH, GROUP, TelegramPlatform, channel, channel_chat, group, private

SECRET = "hook-secret_1"


@pytest.fixture
def bots() -> Iterator[TelegramPlatform]:
    platform = TelegramPlatform()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="bots.example").mock(side_effect=platform)
        yield platform


def read(bots: TelegramPlatform, **given: Any) -> Desk:
    desk = Desk(channel(**given))
    desk.read(Walk.NEW)
    return desk


def only(desk: Desk) -> Incoming:
    (message,) = desk.messages().values()
    return message


def test_a_comment_under_a_post(bots: TelegramPlatform) -> None:
    post = bots.post()
    first = bots.comment(post)
    nested = bots.comment(post, "И мне", to=first)
    desk = read(bots)
    one, other = (desk.messages()[str(it["message_id"])] for it in (first, nested))
    place = f"{GROUP}:{post['message_id']}"
    assert (one.publication_external_id, other.publication_external_id) == (place, place)
    assert (one.parent_external_id, one.thread) == (None, one.external_id)
    assert (other.parent_external_id, other.thread) == (one.external_id, None)
    assert one.url == f"https://t.me/slovo_school/77?comment={one.external_id}"
    assert other.url == f"https://t.me/c/1234567890/{other.external_id}?thread={post['message_id']}"
    assert one.visibility is Visibility.PUBLIC
    assert one.author is not None
    assert (one.author.external_id, one.author.name, one.author.url) == ("42", "Вера Полякова", "https://t.me/vera")
    raw = next(raw for raw in desk.raws.values() if raw.kind == "post")
    assert desk.channel.parse(raw) == []
    publication = desk.channel.publication(raw)
    assert publication is not None
    assert publication == one.publication
    assert (publication.external_id, publication.title, publication.kind) == (place, "Новый урок", "post")
    assert publication.url == "https://t.me/slovo_school/77"
    assert publication.published_at == datetime.fromtimestamp(EPOCH, UTC)
    assert other.publication is None


def test_an_edited_post_is_the_same_publication(bots: TelegramPlatform) -> None:
    post = bots.post()
    desk = read(bots)
    bots.arrive({**post, "text": "Урок перенесён", "edit_date": EPOCH + 5}, "edited_message")
    desk.read(Walk.NEW)
    (raw,) = desk.raws.values()
    publication = desk.channel.publication(raw)
    assert publication is not None
    assert publication.title == "Урок перенесён"


def test_a_post_of_a_private_channel_and_one_without_words(bots: TelegramPlatform) -> None:
    origin = {"type": "channel", "chat": channel_chat(username=""), "message_id": 8, "date": EPOCH}
    bots.post(text=None, photo=[{"file_id": "x"}], forward_origin=origin)
    desk = read(bots)
    publication = desk.channel.publication(next(iter(desk.raws.values())))
    assert publication is not None
    assert publication.url == "https://t.me/c/9876543210/8"
    assert publication.title == "Школа «Слово»"


def test_who_is_us(bots: TelegramPlatform) -> None:
    post = bots.post()
    fake = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    viewer = bots.comment(post, "Зритель")
    bots.comment(post, "Аноним", to=viewer, sender_chat=group(), **{"from": fake})
    bots.comment(post, "Канал", to=viewer, sender_chat=channel_chat(), **{"from": fake})
    bots.comment(
        post, "Чужой канал", to=viewer, sender_chat=channel_chat(id=-1005, title="Другой"), **{"from": fake}
    )
    bots.comment(post, "Бот", **{"from": bots.me})
    bots.comment(post, "Коллега", **{"from": {"id": 43, "is_bot": False, "first_name": "Ия"}})
    bots.comment(post, "Чужой бот", **{"from": {"id": 44, "is_bot": True, "first_name": "Бот"}})
    messages = {one.text: one for one in read(bots, our_ids=[43]).messages().values()}
    assert {text for text, one in messages.items() if one.author and one.author.is_us} == {
        "Аноним", "Канал", "Бот", "Коллега"
    }  # fmt: skip
    assert {text for text, one in messages.items() if one.automatic} == {"Бот", "Чужой бот"}
    stranger = messages["Чужой канал"].author
    assert stranger is not None
    assert (stranger.external_id, stranger.name, stranger.url) == ("-1005", "Другой", "https://t.me/slovo_school")


def test_the_channel_is_us_even_before_its_first_post(bots: TelegramPlatform) -> None:
    bots.say("От имени канала", sender_chat=channel_chat())
    author = only(read(bots, chat_id=GROUP)).author
    assert author is not None
    assert author.is_us
    assert [method for method, _ in bots.calls] == ["getChat", "getUpdates"]


def test_a_channel_answering_under_its_post_is_us_by_web_hook(bots: TelegramPlatform) -> None:
    message = bots.comment(bots.post(), "Канал", sender_chat=channel_chat())
    hooked = channel(webhook_secret=SECRET)
    payload = json.dumps({"update_id": 1, "message": message}).encode()
    (raw,) = hooked.receive(payload, {"x-telegram-bot-api-secret-token": SECRET})
    author = hooked.parse(raw)[0].author
    assert author is not None
    assert author.is_us


def test_a_dialogue_is_private(bots: TelegramPlatform) -> None:
    bots.say("Верните деньги", chat=private())
    one = only(read(bots))
    assert (one.visibility, one.container, one.url) == (Visibility.PRIVATE, "42", None)
    assert one.publication is not None
    assert (one.publication.kind, one.publication.title, one.publication_external_id) == ("dialogue", "Вера", "42")


def test_topics_and_direct_messages_of_a_channel(bots: TelegramPlatform) -> None:
    created = {"message_id": 5, "forum_topic_created": {"name": "Домашка", "icon_color": 1}, "date": EPOCH}
    bots.say("В теме", message_thread_id=5, is_topic_message=True, reply_to_message=created)
    direct = {"topic_id": 9, "user": {"id": 42, "first_name": "Вера"}}
    bots.say("В личку канала", chat=group(id=-1008, is_direct_messages=True), direct_messages_topic=direct)
    messages = {one.text: one for one in read(bots).messages().values()}
    topic, direct_message = messages["В теме"], messages["В личку канала"]
    assert topic.publication is not None
    assert (topic.publication.title, topic.publication_external_id, topic.parent_external_id) == (
        "Домашка",
        f"{GROUP}:5",
        None,
    )
    assert topic.context == {"topic": "5"}
    assert (direct_message.visibility, direct_message.context) == (Visibility.PRIVATE, {"direct_topic": "9"})
    assert direct_message.publication is not None
    assert (direct_message.publication.title, direct_message.publication_external_id) == ("Вера", "-1008:9")


def test_albums_captions_and_files(bots: TelegramPlatform) -> None:
    photo = [{"file_id": "a", "width": 90}, {"file_id": "b", "width": 900}]
    bots.say(text=None, caption="Вот чек", photo=photo, media_group_id="g1")
    bots.say(text=None, photo=photo, media_group_id="g1")
    bots.say(text=None, sticker={"emoji": "👍", "file_id": "s"})
    bots.say(text=None, voice={"mime_type": "audio/ogg", "duration": 3})
    bots.say(text=None, animation={"file_name": "a.mp4"}, document={"file_name": "a.mp4"})
    bots.say(text=None, document={"file_name": "договор\x00.pdf", "mime_type": "application/pdf"})
    bots.say(text=None, poll={"question": "Когда?", "options": [{"text": "Утром"}, {"text": "Вечером"}]})
    bots.say(text=None, contact={"first_name": "Пётр", "phone_number": "+70000000000"})
    album, rest, sticker, voice, gif, paper, poll, contact = read(bots).messages().values()
    assert (album.text, rest.text, album.context, rest.context) == ("Вот чек", "", {"album": "g1"}, {"album": "g1"})
    kinds = [[file.kind for file in one.attachments] for one in (album, rest, sticker, voice, gif, paper)]
    assert kinds == [["photo"], ["photo"], ["sticker"], ["voice"], ["video"], ["document"]]
    assert (sticker.attachments[0].name, paper.attachments[0].name) == ("👍", "договор.pdf")
    assert voice.attachments[0].content_type == "audio/ogg"
    assert (poll.text, contact.text) == ("Когда?\n- Утром\n- Вечером", "Пётр +70000000000")


def test_service_notices_are_no_messages(bots: TelegramPlatform) -> None:
    bots.say(text=None, new_chat_members=[{"id": 1, "first_name": "x"}])
    bots.say(text=None, pinned_message=bots.say("Закреплено"))
    assert list(read(bots).texts().values()) == ["Закреплено"]


def test_links_behind_words_keep_their_address(bots: TelegramPlatform) -> None:
    links = [
        {"type": "bold", "offset": 0, "length": 3},
        {"type": "text_link", "offset": 9, "length": 5, "url": "https://b.example/"},
        {"type": "text_link", "offset": 3, "length": 3, "url": "https://a.example/"},
    ]
    bots.say("😀 тут и там🙂", entities=links)
    assert only(read(bots)).text == "😀 тут (https://a.example/) и там🙂 (https://b.example/)"


def test_text_is_cleaned_and_may_be_long(bots: TelegramPlatform) -> None:
    body = {"message": {**bots.say(), "text": "a\x00б\ud83d" + "я" * 250_000}, "us": False}
    raw = Raw("message", str(GROUP), "1", json.dumps(body).encode())
    assert channel().parse(raw)[0].text == "aб" + "я" * 250_000


def test_half_a_surrogate_pair_is_kept_in_the_raw() -> None:
    update = (
        b'{"update_id":1,"message":{"message_id":5,"date":1,"chat":{"id":1,"type":"private"},"text":"a\\ud800"}}'
    )
    hooked = channel(webhook_secret=SECRET)
    (raw,) = hooked.receive(update, {"x-telegram-bot-api-secret-token": SECRET})
    assert hooked.parse(raw)[0].text == "a"


@pytest.mark.parametrize(
    ("text", "chat", "word"),
    [
        ("/start desk_Ab-9", None, "desk_Ab-9"),
        ("/start@school_bot promo", None, "promo"),
        ("/start", None, None),
        ("/start two words", None, None),
        ("/start при", None, None),
        ("/start " + "a" * 65, None, None),
        ("/start desk_Ab-9", "group", None),
    ],
)
def test_the_word_of_a_deep_link_is_known_in_a_dialogue(bots: TelegramPlatform, text, chat, word) -> None:
    bots.say(text, chat=group() if chat else private())
    assert only(read(bots)).start == word


def test_a_file_of_a_message_is_fetched(bots: TelegramPlatform) -> None:
    sizes = [{"file_id": "small", "file_size": 3}, {"file_id": "large", "file_size": 9}]
    bots.say(None, chat=private(), photo=sizes)
    desk = read(bots)
    (file,) = only(desk).attachments
    assert (file.kind, file.ref) == ("photo", "large")
    bots.files["large"] = ("photos/file_1.jpg", b"\xff\xd8\xffpicture")
    assert desk.channel.fetch(file, 100) == b"\xff\xd8\xffpicture"
    for path, content, limit in (("../../getMe", b"x", 10), ("a/b", b"x" * 11, 10), ("", b"", 10)):
        bots.files["large"] = (path, content)
        with pytest.raises(ChannelError):
            desk.channel.fetch(file, limit)
    with pytest.raises(ChannelError) as failed:
        desk.channel.fetch(Attachment("photo", ref="unknown"), 100)
    assert "bot" not in failed.value.message
    with pytest.raises(ChannelError):
        desk.channel.fetch(Attachment("photo"), 100)


def test_the_address_that_opens_the_dialogue_with_the_bot(bots: TelegramPlatform) -> None:
    made = channel()
    assert made.start_address(made.settings, "school_bot", "desk_1") == "https://t.me/school_bot?start=desk_1"
