"""The screens of clients: a card of three fields, the line beside a conversation, calls, tasks, who sees what."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from models import Author, Client, ClientNote, Contact, Identity, Task
from services.crm.calls import add_call
from services.crm.clients import create_client
from services.crm.identities import link_author
from services.crm.segments import save_study
from services.crm.tasks import add_task


@pytest.fixture
def head(enter):
    return enter("head")


@pytest.fixture
def anna(cast, database) -> int:
    with database.write.begin() as session:
        client = create_client(session, cast.head, name="Яр Анна", contact="8 916 123-45-67", note="после 18")
        save_study(
            session, cast.head, client.id, course="Английский с нуля", group_name="А-12", curator="Олег Сомов"
        )
        return client.id


def test_three_fields_make_a_card_and_a_taken_contact_names_the_other(smm, database) -> None:
    assert "Карточек пока нет" in smm.get("/clients").text
    sent = {"name": "Яр Анна", "contact": "89161234567", "note": "после 18"}
    answer = smm.post("/clients/new", **sent)
    assert answer.status_code == 302
    page = smm.get(answer.location).text
    assert "Яр Анна" in page
    again = smm.post("/clients/new", name="Олег Сом", contact="+7 (916) 123-45-67")
    assert again.status_code == 422
    assert f'href="{answer.location}"' in again.text
    assert "Олег Сом" in again.text
    with database.read.begin() as session:
        assert session.scalars(select(Client.name)).all() == ["Яр Анна"]


def test_the_list_finds_in_any_spelling_and_masks_for_smm(smm, head, anna) -> None:
    for words in ("яр", "8-916-123-45-67", "4567"):
        assert "Яр Анна" in smm.get("/clients", query_string={"q": words}).text
    assert "123-45-67" not in smm.get(f"/clients/{anna}").text
    assert "123-45-67" in head.get(f"/clients/{anna}").text
    assert "Никто не нашёлся" in smm.get("/clients", query_string={"q": "нетак"}).text


def test_a_card_is_changed_by_one_at_a_time(head, database, anna) -> None:
    form = {"version": 2, "kind": "person", "last_name": "Ярова", "first_name": "Анна", "note": "раз"}
    assert head.post(f"/clients/{anna}/edit", **form).status_code == 302
    late = head.post(f"/clients/{anna}/edit", **{**form, "note": "два"})
    assert late.status_code == 409
    assert "изменил коллега" in late.text
    assert "два" in late.text
    with database.read.begin() as session:
        assert session.get_one(Client, anna).note == "раз"
        assert session.get_one(Client, anna).name == "Ярова Анна"


def test_what_people_do_on_a_card(head, database, anna) -> None:
    at = f"/clients/{anna}"
    head.post(f"{at}/contact", contact="anna@school.example")
    head.post(f"{at}/note", text="Просит писать", form_key="n1")
    head.post(f"{at}/note", text="Просит писать", form_key="n1")
    head.post(f"{at}/study", course="Клуб", access_until="2027-03-01")
    head.post(f"{at}/segment", segment="regular")
    head.post(f"{at}/consent", purpose="marketing", how="paper", text="Согласна на рассылку")
    head.post("/clients/new", name="Яр Пётр")
    head.post(f"{at}/tie", role="contact", other="2", relation="сын")
    page = head.get(at).text
    for words in ("anna@school.example", "Просит писать", "Клуб", "Постоянный", "Реклама", "Яр Пётр", "сын"):
        assert words in page, words
    head.post(f"{at}/no-ads")
    page = head.get(at).text
    assert "отозвано" in page
    with database.read.begin() as session:
        assert session.query(ClientNote).count() == 1
        contact = session.scalars(select(Contact.id).where(Contact.kind == "mail")).one()
    head.post(f"{at}/contact/{contact}/end")
    assert "anna@school.example" not in head.get(at).text


def test_two_cards_become_one_and_two_again(head, smm, database, anna) -> None:
    head.post("/clients/new", name="Аня Яр", contact="anna@school.example")
    assert smm.post(f"/clients/{anna}/merge", other_id=2).status_code == 302
    with database.read.begin() as session:
        assert session.get_one(Client, 2).state == "live"
    head.post(f"/clients/{anna}/merge", other_id=2)
    assert head.get("/clients/2").location.endswith(f"/clients/{anna}")
    page = head.get(f"/clients/{anna}").text
    assert "anna@school.example" in page
    head.post(f"/clients/{anna}/unmerge/1")
    assert "anna@school.example" not in head.get(f"/clients/{anna}").text
    assert "anna@school.example" in head.get("/clients/2").text


def test_the_line_of_time_goes_on_by_kinds(head, cast, database, anna, open_case) -> None:
    open_case("Когда вебинар?")
    with database.write.begin() as session:
        author = session.scalars(select(Author.id).where(Author.name == "Анна Яр")).one()
        link_author(session, cast.head, anna, author, "said")
        for number in range(40):
            due = datetime.now(UTC) + timedelta(days=1)
            add_task(session, cast.head, text=f"дело {number}", due_at=due, client_id=anna)
    page = head.get(f"/clients/{anna}").text
    assert "Раньше" in page
    (more, *_) = re.findall(r'hx-get="(/clients/\d+/time\?[^"]+after=[^"]+)"', page)
    more = more.replace("&amp;", "&")
    assert "Когда вебинар?" in head.get(more, htmx=True).text
    only = head.get(f"/clients/{anna}/time?kind=message", htmx=True).text
    assert "Когда вебинар?" in only
    assert "дело" not in only


def test_a_card_is_made_beside_the_conversation(smm, database, open_case) -> None:
    case_id = open_case("Когда вебинар?")
    page = smm.get(f"/inbox/{case_id}").text
    assert "Карточки пока нет" in page
    assert "Завести карточку" in page
    answer = smm.post(f"/inbox/{case_id}/client", htmx=True, name="Яр Анна", contact="anna@school.example")
    assert answer.status_code == 204
    page = smm.get(f"/inbox/{case_id}").text
    assert "Яр Анна" in page
    assert "Потенциальный" in page
    smm.post("/clients/1/unlink", htmx=True, author_id=1, case_id=case_id)
    assert "Карточки пока нет" in smm.get(f"/inbox/{case_id}").text


def test_a_similar_card_is_offered_with_its_evidence(smm, database, cast, label_all, anna) -> None:
    cast.private("Это Анна, мой телефон 8 916 123-45-67")
    label_all()
    page = smm.get("/inbox/1").text
    assert "Похожая карточка" in page
    assert "контакт карточки есть в сообщении" in page
    smm.post(f"/clients/{anna}/link", htmx=True, author_id=1, basis="said", case_id=1)
    page = smm.get("/inbox/1").text
    assert "Английский с нуля" in page
    assert "Олег Сомов" in page
    with database.read.begin() as session:
        assert session.query(Identity).one().basis == "said"


def test_calls_and_their_cards(head, smm, cast, database, anna) -> None:
    with database.write.begin() as session:
        add_call(session, cast.head, number="89161234567", direction="in", result="missed")
        add_call(session, cast.head, number="89035550011", direction="in", result="answered", topic="цена")
    page = head.get("/clients/calls").text
    assert "Яр Анна" in page
    assert "+7 903 555-00-11" in page
    assert "555-00-11" not in smm.get("/clients/calls").text
    assert "Яр Анна" in head.get("/clients/calls?only=missed").text
    assert "быстрая карточка" in head.get("/clients/calls/2").text
    assert head.post("/clients/calls/2/card", name="Олег Сом", topic="цена").status_code == 302
    head.post("/clients/calls/2/settle", outcome="lead", topic="цена курса")
    assert "Хочет купить" in head.get("/clients/calls").text
    assert "call-pop" in head.get("/clients/calls/ringing", htmx=True).text


def test_tasks_are_done_and_tried(head, cast, database, anna) -> None:
    due = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="minutes")
    head.post("/clients/tasks", text="прислать счёт", due=due, client_id=anna, form_key="f1", kind="promise")
    head.post("/clients/calls", number="89161234567", direction="in", result="missed")
    page = head.get("/clients/tasks").text
    assert "прислать счёт" in page
    assert "Обратный звонок" in page
    for _ in range(3):
        head.post("/clients/tasks/2/tried")
    assert "Написать: не дозвонились" in head.get("/clients/tasks").text
    head.post("/clients/tasks/1/done")
    with database.read.begin() as session:
        assert session.get_one(Task, 1).state == "done"
    assert head.post("/clients/tasks", text="x", due="завтра", form_key="f2").status_code == 302


def test_a_curator_sees_no_clients(enter, anna) -> None:
    curator = enter("curator")
    for address in ("/clients", f"/clients/{anna}", "/clients/calls", "/clients/tasks"):
        assert curator.get(address).status_code == 403


def test_a_file_is_looked_at_taken_in_and_taken_back(head, smm, database) -> None:
    from io import BytesIO

    from services.crm.imports import run_imports

    assert smm.get("/clients/imports").status_code == 403
    content = "Имя;Телефон\nЯр Анна;89161234567\nГусь;не телефон\n".encode()
    answer = head.client.post(
        "/clients/imports", data={"csrf_token": head.token(), "file": (BytesIO(content), "школа.csv")}
    )
    page = head.get(answer.location).text
    for words in ("Яр Анна", "Новая карточка", "не телефон"):
        assert words in page, words
    head.post(f"{answer.location}/map", **{"column-0": "name", "column-1": "phone", "start": "1"})
    run_imports(database)
    page = head.get(f"{answer.location}/progress", htmx=True).text
    assert "заведено карточек" in page
    report = head.get(f"{answer.location}/refused.csv")
    assert "Гусь" in report.data.decode("utf-8-sig")
    head.post(f"{answer.location}/undo")
    run_imports(database)
    assert "Отменена" in head.get(answer.location).text
    with database.read.begin() as session:
        assert session.query(Client).count() == 0


def test_a_file_of_cards_leaves_with_its_mark(head, smm, database, anna) -> None:
    from services.crm.exports import run_exports

    assert smm.get("/clients/exports").status_code == 403
    head.post("/clients/exports", reason="сверка с бухгалтерией", kind="csv")
    run_exports(database)
    assert "сверка с бухгалтерией" in head.get("/clients/exports").text
    file = head.post("/clients/exports/1/file")
    assert "Яр Анна" in file.data.decode("utf-8-sig")
    assert "OTK-" in file.headers["Content-Disposition"]


def test_a_request_goes_its_way_to_the_erasure(head, smm, database, anna) -> None:
    assert smm.get("/clients/privacy").status_code == 403
    assert "Обращений нет" in head.get("/clients/privacy").text
    at = head.post("/clients/privacy", kind="erasure", client_id=anna, text="удалите меня").location
    head.post(f"{at}/answer", text="рано")
    assert "Получено" in head.get(at).text
    head.post(f"{at}/identify", text="по паспорту")
    head.post(f"{at}/begin")
    assert "В работе" in head.get(at).text
    head.post(f"/clients/privacy/sealed/{anna}", field="snils", value="112-233-445 95")
    page = head.get(f"/clients/privacy/sealed/{anna}").text
    assert "112-233" not in page
    assert "112-233-445 95" in head.post(f"/clients/privacy/sealed/{anna}/see", field="snils").text
    assert smm.post(f"/clients/privacy/sealed/{anna}/see", field="snils").status_code == 302
    assert "Просмотрено закрытое поле: СНИЛС" in head.get(f"/clients/{anna}").text
    held = head.post(f"/clients/privacy/of/{anna}/take", format="page").text
    assert "+7 916 123-45-67" in held
    assert "112-233-445 95" in held
    assert head.post(f"/clients/privacy/of/{anna}/take", format="json").json["card"][0]["name"] == "Яр Анна"
    head.post(f"/clients/privacy/of/{anna}/erase", ground="request")
    page = head.get("/clients/privacy").text
    assert "УД-" in page
    assert head.get(f"/clients/{anna}").status_code == 404
    assert "Яр Анна" not in head.get("/clients").text


def test_terms_of_keeping_are_only_counted_until_switched_on(head, database) -> None:
    from services.crm.retention import is_on, terms_of

    page = head.get("/clients/privacy").text
    assert "только считаем" in page
    days = {"days-authors": "400", "days-calls": "365", "days-imports": "90", "days-raw": "365", "on": "1"}
    head.post("/clients/privacy/terms", **days)
    with database.read.begin() as session:
        assert is_on(session)
        assert terms_of(session)["authors"] == 400
