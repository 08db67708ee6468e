"""Files on their way out: our channels send them to the sandbox as they would to the platforms, byte for byte."""

import hashlib
import struct
import zlib
from collections.abc import Iterator

import pytest

from collectors.base import Act, ActFile, ActKind, Channel, ChannelError, Sent, Target
from collectors.telegram import Telegram
from collectors.vk import Vk
from collectors.wire import Guard, Wire
from sandbox import keys
from tests.collectors.conftest import CountingLimiter
from tests.sandbox.running import Running


def png() -> bytes:
    """One grey point."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0\x7f"))
        + chunk(b"IEND", b"")
    )


def file(kind: str, name: str, content_type: str, content: bytes) -> ActFile:
    return ActFile(kind, name, content_type, hashlib.sha256(content).hexdigest(), len(content), content)


PHOTO = file("photo", "Расписание.png", "image/png", png())
PAPER = file("document", "Договор.pdf", "application/pdf", b"%PDF-1.4\n")


def wire_of(running: Running) -> Wire:
    pair = running.url.rstrip("/").removeprefix("http://")
    return Wire(Guard(allow_private=frozenset({pair})), read_timeout=10)


@pytest.fixture
def telegram(world: Running) -> Iterator[Channel]:
    settings = Telegram.Settings(
        base_url=f"{world.url.rstrip('/')}/telegram/", token=keys.TELEGRAM_TOKEN, chat_id=keys.TELEGRAM_GROUP
    )
    channel = Telegram(settings, wire_of(world), CountingLimiter())
    yield channel
    channel.close()


@pytest.fixture
def vk(world: Running) -> Iterator[Channel]:
    settings = Vk.Settings(
        base_url=f"{world.url.rstrip('/')}/vk/", group_id=keys.VK_GROUP, user_token=keys.VK_USER_TOKEN,
        community_token=keys.VK_COMMUNITY_TOKEN,
    )  # fmt: skip
    channel = Vk(settings, wire_of(world), CountingLimiter())
    yield channel
    channel.close()


def act(target: Target, *files: ActFile, kind: ActKind = ActKind.REPLY, key: int = 7, text: str = "Вот оно") -> Act:
    return Act(kind, key, f"token{key:04}", target, text, files=files)


@pytest.mark.parametrize("sent", [PHOTO, PAPER])
def test_telegram_takes_a_file_with_its_caption(world: Running, telegram: Channel, sent: ActFile) -> None:
    asked = world.says("telegram", "tg-up", "Где расписание?")
    receipt = telegram.act(act(Target(str(keys.TELEGRAM_GROUP), asked["external_id"]), sent))
    (item,) = world.truth("telegram", external_id=receipt.external_id, direction="out")
    assert (item["text"], item["parent_external_id"]) == ("Вот оно", asked["external_id"])
    assert [(one["kind"], one["name"], one["digest"]) for one in item["files"]] == [
        (sent.kind, sent.name, sent.digest)
    ]
    edit = act(Target(str(keys.TELEGRAM_GROUP), receipt.external_id), sent, kind=ActKind.EDIT, text="Новое")
    telegram.act(edit)
    assert world.truth("telegram", external_id=receipt.external_id, direction="out")[0]["text"] == "Новое"


def dialogue(world: Running) -> tuple[str, str]:
    item = world.says("vk", "dialog", "Пришлите договор", author="alina")
    return f"peer{item['publication']}", item["external_id"]


def test_vk_takes_pictures_and_papers_in_a_message(world: Running, vk: Channel) -> None:
    container, asked = dialogue(world)
    sent = act(Target(container, asked), PHOTO, PAPER, key=4711)
    receipt = vk.act(sent)
    (item,) = world.truth("vk", external_id=receipt.external_id, kind="dialog")
    assert [(one["kind"], one["digest"]) for one in item["files"]] == [
        ("photo", PHOTO.digest),
        ("doc", PAPER.digest),
    ]
    # The same act again uploads once more and sends nothing twice.
    assert vk.act(sent).external_id == receipt.external_id


def test_a_lost_answer_to_an_upload_means_that_nothing_was_sent(world: Running, vk: Channel) -> None:
    container, asked = dialogue(world)
    before = len(world.truth("vk", kind="dialog"))
    world.strike("vk", "docs.save", "reset_after")
    with pytest.raises(ChannelError) as caught:
        vk.act(act(Target(container, asked), PAPER, key=4712))
    assert caught.value.sent is Sent.NO
    assert len(world.truth("vk", kind="dialog")) == before


def test_vk_takes_no_file_under_a_post(vk: Channel) -> None:
    with pytest.raises(ChannelError) as caught:
        vk.act(act(Target(f"wall-{keys.VK_GROUP}_1", "1"), PHOTO))
    assert caught.value.code == "unsupported"
