"""Events that platforms push, on both databases: the address, many deliveries at once, what comes out of order."""

import json
import threading
from typing import Any

import pytest
import respx
from sqlalchemy import func, select

from benchmarks.limits import NoLimits
from collectors import channel_class
from collectors.base import Channel, Raw
from collectors.wire import Wire
from models import Message, RawItem, Source, utc_now
from services.errors import NotFound, Refused
from services.hooks import Patience, Storms, find_source, run_receive, source_token, storms
from services.intake import forget_twins, run_collect, store_raws
from services.rights import DESK
from services.secrets import Keyring
from services.sources import add_source, check_settings, set_state
from tests.collectors.max_platform import DIALOGUE, MaxPlatform
from tests.collectors.max_platform import channel as max_channel

KEY = b"a key of the desk"
KEYRING = Keyring([b"0123456789abcdef0123456789abcdef0123456789a="])
CONSENT = "Согласен на обработку имени и почты, чтобы получить ответ."
SECRET = "hook-secret-1"
VALUES: dict[str, dict[str, Any]] = {
    "form": {"consent": CONSENT},
    "max": {"token": "f9LH", "webhook_secret": SECRET},
}
LETTER = {"email": "vera@example.ru", "text": "Когда начало?", "key": "k1", "consents": {"answer": True}}
AT = 1_790_000_000_000


def open_channel(source: Source) -> Channel:
    settings = check_settings(source.platform, {**source.settings, **KEYRING.unseal(source.secrets)})
    return channel_class(source.platform)(settings, Wire(), NoLimits())


@pytest.fixture
def place(cast, database):
    """A place of a kind; its number and the door to it."""

    def _place(kind: str):
        with database.write.begin() as session:
            number = add_source(session, DESK, KEYRING, platform=kind, title=kind, values=VALUES[kind]).id

        def push(body: dict[str, Any]) -> int:
            head = {"Content-Type": "application/json", "X-Max-Bot-Api-Secret": SECRET}
            token, payload = source_token(KEY, number), json.dumps(body).encode()
            return run_receive(database, KEY, open_channel, kind, token, payload, head)

        return number, push

    return _place


def counted(database, table, number) -> int:
    with database.read.begin() as session:
        return session.scalar(select(func.count()).select_from(table).where(table.source_id == number)) or 0


def update(kind: str, text: str = "Было", at: int = AT) -> dict[str, Any]:
    if kind == "message_removed":
        return {"update_type": kind, "timestamp": at, "chat_id": 5, "message_id": "mid.1", "user_id": 42}
    message = {
        "sender": {"user_id": 42, "first_name": "Вера", "is_bot": False}, "timestamp": AT,
        "recipient": {"chat_id": 5, "chat_type": "dialog"}, "body": {"mid": "mid.1", "seq": 1, "text": text},
    }  # fmt: skip
    return {"update_type": kind, "timestamp": at, "message": message}


def test_many_deliveries_at_once_are_one_message_and_no_error(database, place) -> None:
    number, push = place("form")
    barrier, told = threading.Barrier(6, timeout=20), list[Any]()

    def run() -> None:
        barrier.wait()
        try:
            told.append(push(LETTER))
        except Exception as error:
            told.append(error)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(told) == [0, 0, 0, 0, 0, 1]
    assert (counted(database, RawItem, number), counted(database, Message, number)) == (1, 1)


def test_an_edit_before_a_late_repeat_of_the_creation_stays(database, place) -> None:
    number, push = place("max")
    push(update("message_created"))
    push(update("message_edited", "Стало", AT + 5000))
    push(update("message_created"))
    with database.read.begin() as session:
        message = session.scalars(select(Message).where(Message.source_id == number)).one()
        assert (message.text, message.versions) == ("Стало", 2)


def test_a_removal_keeps_the_text(database, place) -> None:
    number, push = place("max")
    push(update("message_created"))
    push(update("message_removed", at=AT + 9000))
    with database.read.begin() as session:
        message = session.scalars(select(Message).where(Message.source_id == number)).one()
        assert (message.text, message.state) == ("Было", "deleted")


def test_a_storm_is_understood_by_another_thread_and_wholly(database, place) -> None:
    number, _ = place("max")
    heard, last = list[int](), threading.Event()

    def hear() -> None:
        heard.append(counted(database, Message, number))
        if heard[-1] == 60:
            last.set()

    def push(start: int) -> None:
        for n in range(start, start + 30):
            body = update("message_created", f"Вопрос {n}")
            body["message"]["body"]["mid"] = f"mid.{n}"
            head = {"Content-Type": "application/json", "X-Max-Bot-Api-Secret": SECRET}
            token, payload = source_token(KEY, number), json.dumps(body).encode()
            assert run_receive(database, KEY, open_channel, "max", token, payload, head, heard=hear) == 1

    threads = [threading.Thread(target=push, args=[start]) for start in (0, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert last.wait(30)
    storms.settle()
    assert len(heard) < 60
    with database.read.begin() as session:
        texts = sorted(session.scalars(select(Message.text).where(Message.source_id == number)))
        states = set(session.scalars(select(RawItem.state).where(RawItem.source_id == number)))
    assert texts == sorted(f"Вопрос {n}" for n in range(60))
    assert states == {"parsed"}


def test_few_events_are_understood_before_they_are_answered() -> None:
    own, read = Storms(most=3, seconds=60, pause=0.01), threading.Event()
    assert [own.take("a", read.set) for _ in range(3)] == [False] * 3
    assert not own.take("b", read.set)
    assert own.take("a", read.set)
    assert read.wait(10)


def test_only_addresses_given_out_lead_somewhere(database, place) -> None:
    number, push = place("form")
    token = source_token(KEY, number)
    with database.read.begin() as session:
        assert find_source(session, KEY, "form", token).id == number
        for kind, one in (
            ("max", token),
            ("form", ""),
            ("form", f"{number}-"),
            ("form", source_token(b"other", number)),
        ):
            with pytest.raises(NotFound):
                find_source(session, KEY, kind, one)
    with database.write.begin() as session:
        set_state(session, DESK, number, "paused")
    with pytest.raises(Refused):
        push(LETTER)
    assert counted(database, RawItem, number) == 0


def test_patience_is_for_each_name_and_ends() -> None:
    patience = Patience(2, 0.05)
    assert [patience.allows("a") for _ in range(3)] == [True, True, False]
    assert patience.allows("b")
    threading.Event().wait(0.06)
    assert patience.allows("a")


def test_the_deep_walk_reads_a_dialogue_that_only_a_hook_told_of(place, database) -> None:
    """MAX lists no dialogues: what a hook never brought would be lost, were the dialogue not read again."""
    number, push = place("max")
    platform = MaxPlatform()
    platform.write("Здравствуйте", DIALOGUE)
    push(platform.queue[0])
    lost = platform.write("И ещё: когда начало?", DIALOGUE)
    with database.write.begin() as session:
        source = session.get_one(Source, number)
        source.backfilled_at, source.deep_due_at = utc_now(), utc_now()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="max.example").mock(side_effect=platform)
        run_collect(database, number, lambda _: max_channel(webhook_secret=SECRET), "test")
        with database.write.begin() as session:
            source = session.get_one(Source, number)
            source.deep_due_at = source.due_at = utc_now()
        platform.edit(lost["body"]["mid"], "И ещё: когда же начало?")
        run_collect(database, number, lambda _: max_channel(webhook_secret=SECRET), "test")
    with database.read.begin() as session:
        texts = select(Message.external_id, Message.text).where(Message.source_id == number)
        assert dict(session.execute(texts).all()) == platform.truth()
        assert str(DIALOGUE) in session.get_one(Source, number).cursor["chats"]


def test_of_a_message_that_was_read_too_only_the_read_raw_is_forgotten(database, cast) -> None:
    kinds = ("comment", "heard", "reply", "voice")
    with database.write.begin() as session:
        for kind in kinds:
            store_raws(session, cast.source_id, tuple(Raw(kind, "v1", f"{n}", b"x") for n in (1, 2)))
        elsewhere = cast.add_source(session)
        store_raws(session, elsewhere.id, (Raw("comment", "v1", "1", b"x"),))
    with database.write.begin() as session:
        forget_twins(session, cast.source_id, (Raw("heard", "v1", "1", b"x"),))
    with database.read.begin() as session:
        emptied = session.execute(
            select(RawItem.source_id, RawItem.kind, RawItem.external_id).where(RawItem.digest == "")
        )
        assert {tuple(row) for row in emptied} == {
            (cast.source_id, kind, "1") for kind in ("comment", "reply", "voice")
        }
