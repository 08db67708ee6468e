"""«Написать» as a person uses it: whom, by which way, and the text in the case it opens."""

import json

from sqlalchemy import select

from models import Act, Case, Outreach, Reply
from services.crm.clients import create_client
from tests.collectors.mail_platform import US


def test_from_the_card_by_letter(enter, cast, database) -> None:
    with database.write.begin() as session:
        cast.add_source(session, "mail", address=US)
        client = create_client(session, cast.smm, name="Вера Лис", contact="vera@home.test")
        client_id = client.id
    smm = enter("smm")
    assert f"/write?client={client_id}" in smm.get(f"/clients/{client_id}").text
    found = smm.get("/write?q=Вера").text
    assert f"/write?client={client_id}" in found
    page = smm.get(f"/write?client={client_id}").text
    way = page.split('name="way" value="')[1].split('"')[0]
    assert "vera@home.test" not in way
    nameless = smm.post("/write", client=client_id, way=way, subject=" ", htmx=True)
    assert nameless.status_code == 422
    assert "Укажите тему письма" in str(json.loads(nameless.headers["HX-Trigger"]))
    answer = smm.post("/write", client=client_id, way=way, subject="Ваша запись")
    with database.read.begin() as session:
        case = session.scalars(select(Case)).one()
    assert answer.headers["Location"].endswith(f"/inbox/{case.id}")
    page = smm.get(f"/inbox/{case.id}").text
    assert "Разговор начинаем мы" in page
    assert "Ваша запись" in page
    assert "data-begin" in page
    key = page.split('name="form_key" value="')[1].split('"')[0]
    sent = smm.post(f"/inbox/{case.id}/reply", text="Здравствуйте!", form_key=key, then="wait", message_id="")
    assert sent.status_code in (204, 302)
    with database.read.begin() as session:
        act = session.scalars(select(Act)).one()
        assert (act.kind, act.state, act.message_id) == ("message", "held", None)
        assert session.scalars(select(Reply.message_id)).one() is None
    shown = smm.get("/inbox?stage=wait").text
    assert "написали первыми" in shown
    assert "Здравствуйте!" in smm.get(f"/inbox/{case.id}").text


def test_to_an_address_and_under_a_publication(enter, cast, database) -> None:
    cast.write("Когда вебинар?")
    smm = enter("smm")
    assert "Почтовый ящик не подключён" in smm.get("/write?q=vera@home.test").text
    assert "Никто не нашёлся" in smm.get("/write?q=Нет такого").text
    with database.read.begin() as session:
        case = session.scalars(select(Case)).one()
    page = smm.get(f"/inbox/{case.id}").text
    way = f"publication:{case.publication_id}"
    assert f'name="way" value="{way}"' in page
    smm.post("/write", publication=case.publication_id, way=way)
    with database.read.begin() as session:
        begun = session.scalars(select(Outreach)).one()
        ours = session.get_one(Case, begun.case_id)
    assert (begun.kind, ours.visibility, ours.author_id) == ("publication", "public", None)
    assert "Новый наш комментарий" in smm.get(f"/inbox/{ours.id}").text
    assert smm.post("/write", publication=999, way=way).status_code == 404
    assert smm.post("/write", address="vera@home.test", way="letter:1:typed", subject="x").status_code == 404
    assert enter("curator").get("/write").status_code == 403
