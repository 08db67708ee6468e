"""Bringing a text in by hand, and saying that its answer stands where it was asked."""

import pytest
from sqlalchemy import select

from collectors.base import Visibility
from models import Act, Case, Message, Source
from services.messages import store_messages
from services.rights import DESK
from services.sources import set_state

PASTE = "anna_yar\nКогда следующий поток?\nОтветить\nhttps://www.instagram.com/p/Abc/"


@pytest.fixture
def place(cast, database) -> int:
    with database.write.begin() as session:
        return cast.add_source(session, "manual", network="instagram", page_url="").id


def test_without_a_place_the_page_says_what_to_do(smm, enter) -> None:
    assert "Площадок, которые ведут вручную, нет" in smm.get("/places/paste").text
    assert "/places/new/manual" in enter("head").get("/places/paste").text


def test_one_paste_is_taken_apart_and_kept(smm, place, database, label_all) -> None:
    page = smm.post("/places/paste/read", pasted=PASTE, source=place)
    assert 'value="anna_yar"' in page.text
    assert "Ответить</textarea>" not in page.text
    kept = smm.post(
        "/places/paste", source=place, author="anna_yar", text="Когда следующий поток?",
        url="https://www.instagram.com/p/Abc/",
    )  # fmt: skip
    label_all()
    with database.read.begin() as session:
        case = session.scalars(select(Case)).one()
        assert kept.location.endswith(f"/inbox/{case.id}")
    shown = smm.get(f"/inbox/{case.id}").text
    assert "не даёт программам отвечать законно" in shown
    assert f"/inbox/{case.id}/published" in shown
    shared = smm.get("/places/paste?text=anna_yar%0AГде?%0Ahttps://x.example/1").text
    assert 'value="https://x.example/1"' in shared


def test_what_is_wrong_is_said_beside_what_was_typed(smm, place) -> None:
    answer = smm.post("/places/paste", source=place, author="anna", text="Где?", url="ссылка")
    assert answer.status_code == 409 or answer.status_code == 422
    assert "Ссылка начинается с https://" in answer.text
    assert "Где?</textarea>" in answer.text


def test_published_closes_the_case(smm, place, database, label_all) -> None:
    smm.post("/places/paste", source=place, author="anna", text="Когда начало?")
    label_all()
    with database.read.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
    link = "https://www.instagram.com/p/Abc/c/1"
    answer = smm.post(f"/inbox/{case_id}/published", text="Завтра в 19:00", form_key="k1", url=link, then="solve")
    assert answer.status_code == 302
    with database.read.begin() as session:
        assert session.scalars(select(Act.url)).one() == link
        assert session.get_one(Case, case_id).state == "solved"
    assert "Отмечено как опубликовано" in smm.get(f"/inbox/{case_id}").text


def test_curators_bring_nothing(enter, place) -> None:
    assert enter("curator").get("/places/paste").status_code == 403


def test_a_stopped_place_is_given_into_people_s_hands(enter, smm, cast, database) -> None:
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).state = "stopped"
    head = enter("head")
    assert "Вести вручную" in head.get("/places").text
    head.post(f"/places/{cast.source_id}/by-hand")
    assert "вручную: тексты вносят люди" in head.get("/places").text
    smm.post("/places/paste", source=cast.source_id, text="Когда начало?")
    with database.write.begin() as session:
        assert session.scalars(select(Message.source_id)).one() == cast.source_id
        set_state(session, DESK, cast.source_id, "active")


def test_a_form_says_by_what_one_answers(smm, cast, database, label_all) -> None:
    with database.write.begin() as session:
        form = cast.add_source(session, "form", heading="Напишите нам", consent="Согласен на ответ").id
        items = [
            cast.incoming("Когда старт?", "Вера", visibility=Visibility.PRIVATE, context={"email": "v@home.test"}),
            cast.incoming("Когда старт?", "Олег", visibility=Visibility.PRIVATE, context={"phone": "+79001"}),
        ]
        store_messages(session, form, "form", items)
    label_all()
    with database.read.begin() as session:
        mailed, phoned = session.scalars(select(Case.id).order_by(Case.id))
    assert "Подключите почту" in smm.get(f"/inbox/{mailed}").text
    with database.write.begin() as session:
        cast.add_source(session, "mail", address="desk@school.example").title = "Почта школы"
    page = smm.get(f"/inbox/{mailed}").text
    assert "Письмом" in page
    assert "на v@home.test, из «Почта школы»" in page
    assert "по оставленному телефону" in smm.get(f"/inbox/{phoned}").text
