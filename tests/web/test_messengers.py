"""Accounts of messengers on screens: a link that is shown once, who may give them up, who sends."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
import respx
from sqlalchemy import select

from models import Delivery, MessengerAccount, OneTimeLink
from services.bots import bots_of, keep_bot
from services.entrance import make_link
from services.messengers import bind
from tests.collectors.telegram_platform import TOKEN, TelegramPlatform

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def place(cast, database) -> int:
    with database.write.begin() as session:
        source_id = cast.add_source(session, "telegram", site_url="https://t.example").id
        keep_bot(session, cast.head, "telegram", source_id, "slovo_bot")
    return source_id


def word_of(page: str) -> str:
    found = re.search(r"https://t\.example/slovo_bot\?start=desk_([\w-]{32})", page)
    assert found is not None
    return found[1]


def bound(database, place, code: str) -> None:
    with database.write.begin() as session:
        assert bind(session, place, "telegram", code, account="7001", chat="7001", name="Олег С.") is not None


def owner(database) -> int | None:
    with database.read.begin() as session:
        return session.scalar(select(MessengerAccount.staff_id).where(MessengerAccount.ended_at.is_(None)))


def test_a_link_is_made_by_a_press_and_an_account_given_up_by_another(enter, cast, database, place) -> None:
    curator = enter("curator")
    page = curator.get("/notices/mine").text
    assert "Привязать Telegram" in page
    assert "Привязать MAX" not in page  # nobody writes there
    assert "question-telegram" in page
    assert "question-max" not in page
    code = word_of(curator.post("/messengers/telegram/link").text)
    with database.read.begin() as session:
        assert session.scalars(select(OneTimeLink)).one().purpose == "bind.telegram"
    assert curator.get(f"/a/{code}").status_code == 404  # it opens nothing here
    assert curator.post(f"/a/{code}").status_code == 404
    bound(database, place, code)
    page = curator.get("/notices/mine").text
    assert "Олег С." in page
    curator.post("/messengers/telegram/test")
    with database.read.begin() as session:
        assert [row.kind for row in session.scalars(select(Delivery).order_by(Delivery.id))] == ["bound", "test"]
    curator.post("/messengers/telegram/end")
    assert owner(database) is None
    assert "Привязать Telegram" in curator.get("/notices/mine").text
    assert curator.post("/messengers/telegram/test", htmx=True).status_code == 422
    assert curator.post("/messengers/vk/link").status_code == 404
    assert curator.post("/messengers/max/link", htmx=True).status_code == 422


def test_looking_at_pages_ties_nothing(enter, database, place) -> None:
    curator = enter("curator")
    for address in ("/messengers/telegram/link", "/messengers/telegram/end", "/messengers/of/1/telegram/link"):
        assert curator.get(address).status_code == 405


def test_the_phone_without_a_password_ties_too(visitor, cast, database, place) -> None:
    with database.write.begin() as session:
        code = make_link(session, cast.curator.staff_id, "device")
    visitor.post(f"/a/{code}")
    assert "Привязать Telegram" in visitor.get("/devices").text
    bound(database, place, word_of(visitor.post("/messengers/telegram/link").text))
    assert owner(database) == cast.curator.staff_id
    answer = visitor.post("/messengers/telegram/end")
    assert answer.headers["Location"].endswith("/devices")
    assert owner(database) is None
    assert "/login" in visitor.post(f"/messengers/of/{cast.tech.staff_id}/telegram/link").headers["Location"]


def test_the_head_hands_a_link_over_and_ends_an_account(enter, cast, database, place) -> None:
    head, smm = enter("head"), enter("smm")
    assert "Ссылка для Telegram" in head.get("/staff").text
    address = f"/messengers/of/{cast.curator.staff_id}/telegram"
    assert smm.post(f"{address}/link", htmx=True).status_code == 403
    page = head.post(f"{address}/link").text
    assert "Передайте эту ссылку только этому человеку (Олег Сомов)" in page
    bound(database, place, word_of(page))
    assert "curator@school.example · Telegram" in head.get("/staff").text
    devices = head.get(f"/devices/of/{cast.curator.staff_id}").text
    assert "Олег С." in devices
    assert "Привязать" not in devices
    assert smm.post(f"{address}/end", htmx=True).status_code == 403
    head.post(f"{address}/end")
    assert owner(database) is None


@pytest.fixture
def bots() -> Iterator[TelegramPlatform]:
    platform = TelegramPlatform()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="bots.example").mock(side_effect=platform)
        yield platform


def test_who_sends_is_chosen_among_places_and_tried(enter, app, cast, database, desk, bots) -> None:
    with database.write.begin() as session:
        source = cast.add_source(session, "telegram", base_url="https://bots.example/")
        source.secrets = desk.keyring.seal({"token": TOKEN})
        source_id = source.id
    head = enter("head")
    page = head.get("/settings/mail").text
    assert "Кто отправляет уведомления" in page
    head.post("/settings/mail/bots/telegram", source_id=source_id)
    with database.read.begin() as session:
        assert bots_of(session)["telegram"].name == "slovo_bot"
    assert "@slovo_bot" in head.get("/settings/mail").text
    assert head.post("/settings/mail/test", channel="telegram", htmx=True).status_code == 422  # not tied yet
    bots.faults.append(httpx.Response(401, json={"ok": False, "error_code": 401, "description": "Unauthorized"}))
    assert head.post("/settings/mail/bots/telegram", source_id=source_id).status_code == 422
    assert head.post("/settings/mail/bots/telegram", source_id=999).status_code == 422
    head.post("/settings/mail/bots/telegram", source_id="")
    with database.read.begin() as session:
        assert bots_of(session) == {}


def test_the_list_of_letters_says_by_what_and_why_not(enter, cast, database, place) -> None:
    with database.write.begin() as session:
        row = Delivery(staff_id=cast.curator.staff_id, kind="questions", channel="telegram", form_key="q@telegram",
                       token="t", state="dead", error_code="closed")  # fmt: skip
        session.add(row)
        session.add(MessengerAccount(staff_id=cast.curator.staff_id, platform="telegram", source_id=place,
                                     account="7", chat="7", created_at=LONG_AGO))  # fmt: skip
    head = enter("head")
    page = head.get("/settings/mail").text
    assert "человек заблокировал бота" in page
    assert "Уведомления не доходят: Олег Сомов (Telegram)" in head.get("/morning").text
