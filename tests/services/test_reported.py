"""A letter and a process of GetCourse tell of one message; its books make cards and contracts."""

import itertools
import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select

from benchmarks.limits import NoLimits
from collectors import CHANNELS, channel_class
from collectors.base import Channel, Page, Raw
from collectors.wire import Wire
from models import Author, Case, Client, Contract, Message, Payment, RawItem, RawTie, Source, Study
from services.crm.forgetting import forget_words
from services.crm.holdings import conversation_of
from services.hooks import run_receive, source_token
from services.intake import run_parse, store_page
from services.reported import READERS
from services.rights import DESK
from services.secrets import Keyring
from services.sources import add_source, check_settings

KEY = b"a key of the desk"
KEYRING = Keyring([b"0123456789abcdef0123456789abcdef0123456789a="])
OFFER = {"offer_version": "3", "offer_hash": "ab" * 32}
LETTER = """From: GetCourse <no-reply@getcourse.ru>
To: desk@lingva.example
Subject: =?utf-8?q?{subject}?=
Date: Wed, 25 Nov 2026 12:30:00 +0300
Message-ID: <{number}@gc>
List-Unsubscribe: <https://lingva.getcourse.ru/unsubscribe>
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Анна Яр (anna@people.example) оставила комментарий к уроку «Времена»:

{text}

Ответить: https://lingva.getcourse.ru/pl/teach/control/lesson/view?id=314{anchor}
"""
SUBJECT = "=D0=9A=D0=BE=D0=BC=D0=BC=D0=B5=D0=BD=D1=82=D0=B0=D1=80=D0=B8=D0=B9_=D0=BA_=D1=83=D1=80=D0=BE=D0=BA=D1=83"
WORDS = "Не поняла третье упражнение, там точно Past Simple?"


def open_channel(source: Source) -> Channel:
    settings = check_settings(source.platform, {**source.settings, **KEYRING.unseal(source.secrets)})
    return channel_class(source.platform)(settings, Wire(), NoLimits())


class School:
    """A mailbox and a GetCourse account, watched side by side."""

    def __init__(self, database) -> None:
        self.database = database
        self.numbers = itertools.count(1)
        mailbox = {"address": "desk@lingva.example", "password": "x", "smtp_host": "h", "imap_host": "h"}
        with database.write.begin() as session:
            for platform, values in (("mail", mailbox), ("getcourse", {"account": "lingva.getcourse.ru", **OFFER})):
                source = add_source(session, DESK, KEYRING, platform=platform, title=platform, values=values)
                setattr(self, platform, source.id)

    def write(self, text: str = WORDS, *, anchor: str = "", number: int | None = None) -> None:
        number = number or next(self.numbers)
        body = LETTER.format(subject=SUBJECT, number=number, text=text, anchor=anchor).encode()
        self.keep(self.mail, Raw("mail", "INBOX", f"{number}@gc", body))

    def keep(self, source_id: int, *raws: Raw) -> None:
        with self.database.write.begin() as session:
            store_page(session, source_id, Page(raws, {}))
            source = session.get_one(Source, source_id)
        run_parse(self.database, source_id, open_channel(source))

    def call(self, text: str = WORDS, **more: str) -> int:
        said = {"event": "lesson_comment", "email": "anna@people.example", "name": "Анна Яр", "lesson_id": "314"}
        said |= {"text": text, "time": "2026-11-25 12:30:04", **more}
        token = source_token(KEY, self.getcourse)
        return run_receive(
            self.database, KEY, open_channel, "getcourse", token, urlencode(said).encode(), {}
        )  # fmt: skip

    def messages(self, source_id: int) -> list[Message]:
        with self.database.read.begin() as session:
            found = list(
                session.scalars(select(Message).where(Message.source_id == source_id).order_by(Message.id))
            )
            session.expunge_all()
        return found


@pytest.fixture
def school(cast, database) -> School:
    return School(database)


def test_readers_are_those_whose_channels_read_letters() -> None:
    assert set(READERS) == {kind for kind in CHANNELS if channel_class(kind).reads_letters}


def test_a_letter_becomes_the_comment_that_it_tells_of(school, database) -> None:
    school.write()
    (found,) = school.messages(school.getcourse)
    assert (found.text, found.automatic) == (WORDS, False)
    assert school.messages(school.mail) == []
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 1
        assert session.scalars(select(Author.name)).one() == "Анна Яр"


@pytest.mark.parametrize("first", ["letter", "hook"])
@pytest.mark.parametrize("ids", [{}, {"id": "2718"}])
def test_letter_and_process_of_one_event_are_one_message(school, first, ids) -> None:
    anchor = "#comment2718" if ids else ""
    roads = {"letter": lambda: school.write(anchor=anchor, number=5), "hook": lambda: school.call(**ids)}
    for road in (first, *roads, *roads):  # each of them, and each again
        roads[road]()
    (found,) = school.messages(school.getcourse)
    assert (found.text, found.versions) == (WORDS, 1)
    assert {"letter", "hook"} <= set(found.context)


def test_the_same_words_of_another_time_are_another_message(school) -> None:
    school.write(number=1)
    school.write(number=2)
    school.call(id="1")
    school.call(id="2")
    assert len(school.messages(school.getcourse)) == 2


def test_a_letter_that_shows_only_the_beginning(school) -> None:
    whole = f"{WORDS} И ещё: где ключи к упражнениям со второго по пятое?"
    school.write(whole[:70])
    school.call(whole)
    (found,) = school.messages(school.getcourse)
    assert found.text == whole


def test_other_letters_stay_in_the_mailbox(school) -> None:
    body = (
        b"From: vera@people.example\nSubject: q\nDate: Wed, 25 Nov 2026 12:30:00 +0300\nMessage-ID: <1@x>\n\nWhen?"
    )
    school.keep(school.mail, Raw("mail", "INBOX", "1@x", body))
    assert [one.text for one in school.messages(school.mail)] == ["When?"]


def test_erasure_finds_the_letter_and_the_event(school, database) -> None:
    school.write()
    school.call()
    with database.write.begin() as session:
        author = session.scalars(select(Author.id)).one()
        assert {row["kind"] for row in conversation_of(session, [author])["raw"]} == {"mail", "hook"}
        assert session.scalar(select(func.count()).select_from(RawTie)) == 2
        forget_words(session, [author])
    with database.read.begin() as session:
        assert set(session.scalars(select(RawItem.body))) == {b""}


def rows(status: str = "Получен") -> list[Raw]:
    who = {"Email": "anna@people.example"}
    books = (
        ("person", "42", {"id": "42", "Имя": "Анна", "Фамилия": "Яр", "Группы": "Поток 5"}),
        ("order", "900", {"Номер": "900", "Состав заказа": "Английский с нуля", "Стоимость, RUB": "2900",
                          "Пользователь": "Анна Яр"}),
        ("payment", "7", {"ID": "7", "Заказ": "900", "Статус": status, "Сумма": "2900",
                          "Создан": "2026-11-25 12:00"}),
    )  # fmt: skip
    return [
        Raw(kind, "export", key, json.dumps({**who, **row}, ensure_ascii=False).encode())
        for kind, key, row in books
    ]


def test_people_orders_and_payments(school, database) -> None:
    for raw in rows():
        school.keep(school.getcourse, raw)
    with database.read.begin() as session:
        client = session.scalars(select(Client)).one()
        assert (client.name, client.external_id, client.origin) == ("Анна Яр", "42", "getcourse")
        assert set(session.scalars(select(Study.course))) == {"Поток 5", "Английский с нуля"}
        students = select(Client.segment).where(Client.id.in_(select(Study.client_id)))
        assert set(session.scalars(students)) == {"active"}
        contract = session.scalars(select(Contract)).one()
        assert (contract.kind, contract.external_id, contract.price) == ("offer", "order:900", 290_000)
        payment = session.scalars(select(Payment)).one()
        assert (payment.amount, payment.paid_on) == (290_000, datetime(2026, 11, 25, tzinfo=UTC).date())
    with database.write.begin() as session:
        session.query(RawItem).update({"state": "new"})
        source = session.get_one(Source, school.getcourse)
    run_parse(database, school.getcourse, open_channel(source))
    with database.read.begin() as session:
        counts = [
            session.scalar(select(func.count()).select_from(one)) for one in (Client, Contract, Payment, Study)
        ]
        assert counts == [1, 1, 1, 2]


def test_money_that_has_not_come_makes_no_contract(school, database) -> None:
    for raw in rows("Ожидается"):
        school.keep(school.getcourse, raw)
    with database.read.begin() as session:
        assert session.scalars(select(Contract)).all() == []
