"""The screens of deals: opened on a card, moved, given a step, lost with a reason; a case of an application too."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models import Case, Deal, utc_now
from services.crm.clients import create_client
from services.crm.identities import link_author


@pytest.fixture
def anna(cast, database) -> int:
    with database.write.begin() as session:
        return create_client(session, cast.head, name="Яр Анна", contact="8 916 123-45-67").id


def deal_of(database) -> Deal:
    with database.read.begin() as session:
        return session.scalars(select(Deal)).one()


def test_a_deal_from_a_card_through_the_funnel(enter, database, anna) -> None:
    smm = enter("smm")
    assert "Сделок пока нет" in smm.get("/clients/deals").text
    assert "Новая сделка" in smm.get(f"/clients/{anna}").text
    sent = {"client_id": anna, "product": "Курс «Речь»", "amount": "48 900,50", "form_key": "k1"}
    assert smm.post("/clients/deals", **sent).status_code == 302
    deal = deal_of(database)
    assert deal.amount == 4_890_050
    board = smm.get("/clients/deals").text
    assert "Курс «Речь»" in board
    assert "нет следующего шага" in board
    due = (utc_now() + timedelta(days=2)).strftime("%Y-%m-%dT10:00")
    assert smm.post(f"/clients/deals/{deal.id}/step", text="Позвонить", due=due).status_code == 302
    assert (
        smm.post(f"/clients/deals/{deal.id}/step", text="Позвонить", htmx=True, due="когда-нибудь").status_code
        == 422
    )
    assert smm.post(f"/clients/deals/{deal.id}/move", htmx=True, to="admitted2").status_code == 422
    assert smm.post(f"/clients/deals/{deal.id}/move", to="offered").status_code == 302
    version = deal_of(database).version
    assert smm.post(f"/clients/deals/{deal.id}/move", htmx=True, to="lost", version=version).status_code == 422
    lost = {"to": "lost", "version": version, "reason": "other", "note": "переезжают"}
    assert smm.post(f"/clients/deals/{deal.id}/move", **lost).status_code == 302
    page = smm.get(f"/clients/deals/{deal.id}").text
    assert "Другая причина: переезжают" in page
    assert "Сделка: Курс «Речь»" in smm.get(f"/clients/{anna}").text
    assert smm.get("/clients/deals/999").status_code == 404
    assert enter("curator").get("/clients/deals").status_code == 403


def test_an_application_beside_a_card_offers_a_deal(enter, open_case, database, cast, anna) -> None:
    case_id, smm = open_case(), enter("smm")
    with database.write.begin() as session:
        case = session.get_one(Case, case_id)
        case.kind = "application"
        link_author(session, cast.head, anna, case.author_id, "said")
    assert "Завести сделку" in smm.get(f"/inbox/{case_id}", htmx=True).text
    sent = {"client_id": anna, "case_id": case_id, "form_key": f"case-{case_id}"}
    for _ in range(2):
        assert smm.post("/clients/deals", htmx=True, **sent).status_code == 204
    assert deal_of(database).case_id == case_id
