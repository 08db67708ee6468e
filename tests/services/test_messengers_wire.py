"""The whole way over the wire: a press, a question that the bot writes, a reply with a photo, the answer."""

from collections.abc import Iterator

import httpx
import pytest
import respx
from sqlalchemy import func, select

from models import Case, Delivery, Message, MessengerAccount, RawItem, Route, RouteFile, Source, utc_now
from services.bots import BotSender, run_choose_bot
from services.deliveries import run_deliveries
from services.errors import Forbidden, NotFound, Refused
from services.intake import run_collect
from services.letters import letter_writer
from services.messengers import start_link
from tests.collectors import max_platform, telegram_platform

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
WHO = 5001  # the dialogue of the MAX stand-in, and as good for Telegram


class TelegramSide:
    """What a person does in Telegram, and what the bot sees of it."""

    kind = "telegram"
    host = "bots.example"

    def __init__(self) -> None:
        self.platform = telegram_platform.TelegramPlatform()
        self.channel = telegram_platform.channel

    def press(self, word: str, who: int = WHO) -> None:
        self.say(f"/start {word}", who)

    def say(self, text: str, who: int = WHO, to: str | None = None, **more: object) -> None:
        answered = {"reply_to_message": {"message_id": int(to)}} if to else {}
        person = {"id": who, "is_bot": False, "first_name": "Олег"}
        chat = {"id": who, "type": "private", "first_name": "Олег"}
        self.platform.say(text, chat=chat, date=int(utc_now().timestamp()), **{"from": person, **answered, **more})

    def photo(self, text: str, to: str) -> None:
        self.platform.files["p2"] = ("photos/file_2.png", PNG)
        self.say(None, to=to, caption=text, photo=[{"file_id": "p1"}, {"file_id": "p2"}])

    def written(self) -> list[tuple[str, str]]:
        """(id, text) of what the bot wrote."""
        return [(str(one["message_id"]), one["text"]) for one in self.platform.sent]

    def block(self) -> None:
        self.platform.faults.append(telegram_platform.refused(403, "Forbidden: bot was blocked by the user"))


class MaxSide:
    """The same in MAX."""

    kind = "max"
    host = "max.example"

    def __init__(self) -> None:
        self.platform = max_platform.MaxPlatform()
        self.channel = max_platform.channel

    def press(self, word: str, who: int = WHO) -> None:
        person = {"user_id": who, "first_name": "Олег", "is_bot": False}
        self.platform.tell("bot_started", chat_id=who, user=person, payload=word, timestamp=_now())

    def say(self, text: str, who: int = WHO, to: str | None = None, **more: object) -> None:
        recipient = {"chat_id": who, "chat_type": "dialog"}
        self.platform.write(text, who, who, to, recipient=recipient, timestamp=_now(), **more)

    def photo(self, text: str, to: str) -> None:
        picture = {"type": "image", "payload": {"url": "https://files.example/2", "token": "t", "photo_id": 5}}
        self.say(text, to=to, body={"mid": "mid.photo", "seq": 9, "text": text, "attachments": [picture]})

    def written(self) -> list[tuple[str, str]]:
        own = [one for one in self.platform.messages.values() if one["sender"]["user_id"] == max_platform.BOT]
        return [(one["body"]["mid"], one["body"]["text"]) for one in own]

    def block(self) -> None:
        self.platform.faults.append(max_platform.refused(403, "chat.denied"))


def _now() -> int:
    return int(utc_now().timestamp() * 1000)


@pytest.fixture(params=[TelegramSide, MaxSide])
def side(request: pytest.FixtureRequest) -> Iterator[TelegramSide]:
    made = request.param()
    with respx.mock(assert_all_called=False) as router:
        router.route(host=made.host).mock(side_effect=made.platform)
        router.get("https://files.example/2").mock(return_value=httpx.Response(200, content=PNG))
        yield made


@pytest.fixture
def place(cast, database, side) -> int:
    with database.write.begin() as session:
        source = cast.add_source(session, side.kind)
        source_id, source.cursor = source.id, {"marker": 0} if side.kind == "max" else {}
    run_choose_bot(database, lambda source: side.channel(), cast.head, side.kind, source_id)
    return source_id


def read(database, side, place: int) -> None:
    with database.write.begin() as session:
        source = session.get_one(Source, place)
        source.due_at, source.lease_until = utc_now(), None
        source.backfilled_at, source.deep_due_at = utc_now(), utc_now().replace(year=2099)
    run_collect(database, place, lambda source: side.channel(), "test")


def deliver(database, side) -> int:
    def sender(channel: str) -> BotSender | None:
        return BotSender(side.channel, True) if channel == side.kind else None

    return run_deliveries(database, sender, letter_writer("https://desk.example", "Europe/Moscow"))


def test_from_the_press_to_the_answer(cast, database, side, place, ask) -> None:
    with database.write.begin() as session:
        link = start_link(session, cast.curator, cast.curator.staff_id, side.kind)
    assert "/slovo_bot?start=desk_" in link
    word = link.rpartition("=")[2]
    side.press(word)
    side.say("А я ученик, когда начало?", who=77)
    read(database, side, place)
    with database.read.begin() as session:
        account = session.scalars(select(MessengerAccount)).one()
        assert (account.staff_id, account.account, account.chat, account.name) == (
            cast.curator.staff_id, str(WHO), str(WHO), "Олег"
        )  # fmt: skip
        assert list(session.scalars(select(Message.text))) == ["А я ученик, когда начало?"]
    assert deliver(database, side) == 1
    route_id = ask("Когда проверят?", urgent=True)
    assert deliver(database, side) == 1
    question, text = side.written()[-1]
    assert text.startswith("Вопрос для вас\n\nКогда проверят?")
    side.photo("Завтра до обеда", to=question)
    side.say("И вот ещё что")
    read(database, side, place)
    read(database, side, place)
    with database.read.begin() as session:
        route = session.get_one(Route, route_id)
        assert (route.state, route.answer, route.answered_by_id) == (
            "answered", "Завтра до обеда", cast.curator.staff_id
        )  # fmt: skip
        assert session.scalars(select(RouteFile)).one().content == PNG
        own = select(func.count()).select_from(Message).where(Message.container == str(WHO))
        assert session.scalar(own) == 0
        assert (
            session.scalar(select(func.count()).select_from(Case).where(Case.source_id == place)) == 1
        )  # the other's
        assert set(session.scalars(select(RawItem.state))) == {"parsed"}
    assert deliver(database, side) == 2
    said = [text for _id, text in side.written()]
    assert any(one.startswith("Ответ принят") and "Файлов: 1" in one for one in said)
    assert any(one.startswith("Ответьте на сообщение с вопросом") for one in said)


def test_a_blocked_bot_leaves_the_question_to_mail(cast, database, side, place, ask) -> None:
    with database.write.begin() as session:
        link = start_link(session, cast.curator, cast.curator.staff_id, side.kind)
    side.press(link.rpartition("=")[2])
    read(database, side, place)
    deliver(database, side)
    ask("Когда проверят?", urgent=True)
    side.block()
    deliver(database, side)
    with database.read.begin() as session:
        rows = session.execute(select(Delivery.channel, Delivery.state, Delivery.error_code).order_by(Delivery.id))
        assert [tuple(row) for row in rows][1:] == [(side.kind, "dead", "closed"), ("mail", "queued", None)]


def test_an_answer_that_was_lost_on_the_way_is_sent_again(cast, database, side, place, ask) -> None:
    with database.write.begin() as session:
        link = start_link(session, cast.curator, cast.curator.staff_id, side.kind)
    side.press(link.rpartition("=")[2])
    read(database, side, place)
    deliver(database, side)
    route_id = ask("Когда проверят?", urgent=True)
    side.platform.lost.append(httpx.ReadTimeout("lost"))
    deliver(database, side)
    with database.write.begin() as session:
        for row in session.scalars(select(Delivery).where(Delivery.state == "queued")):
            row.due_at = utc_now()
    deliver(database, side)
    first, second = side.written()[-2:]
    side.say("Завтра", to=first[0])  # the desk does not know of it: a hint, and nothing is lost
    side.say("Завтра", to=second[0])
    read(database, side, place)
    with database.read.begin() as session:
        assert session.get_one(Route, route_id).answer == "Завтра"


def test_a_bot_without_a_name_or_of_another_place_is_not_chosen(cast, database, side, place) -> None:
    def choose(actor, platform, source_id) -> None:
        run_choose_bot(database, lambda source: side.channel(), actor, platform, source_id)

    for error, given in (
        (Forbidden, (cast.smm, side.kind, place)),
        (NotFound, (cast.head, "vk", place)),
        (Refused, (cast.head, side.kind, cast.source_id)),
        (Refused, (cast.head, "max" if side.kind == "telegram" else "telegram", place)),
    ):
        with pytest.raises(error):
            choose(*given)
    if side.kind == "telegram":
        side.platform.me.pop("username")
        side.platform.me["first_name"] = "Школа «Слово»"
        with pytest.raises(Refused):
            choose(cast.head, "telegram", place)
