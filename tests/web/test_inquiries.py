"""«Запросы отделам»: the pages, whom they open to, and what is tried upon them."""

import re
from io import BytesIO
from itertools import count

import pytest
from sqlalchemy import func, select

from models import Clock, Notice, Route, RouteFile, utc_now
from services.accounts import create_staff
from services.crm.clients import create_client
from services.inquiries import MOST, ask_inquiry
from services.questions import send_answer
from services.rights import DESK
from tests.web.test_hostile import EVIL, look

PDF = b"%PDF-1.7\n" + b"0" * 40
POSTS = ("accept", "return", "clarify", "withdraw", "hurry")


@pytest.fixture
def other(database, cast, enter):
    with database.write.begin() as db:
        create_staff(db, DESK, email="smm2@school.example", name="Рита Ивина", roles=("smm",))
    return enter("smm2")


@pytest.fixture
def head(enter):
    return enter("head")


@pytest.fixture
def ask(cast, database):
    numbers = count()

    def _ask(text: str = "Пришлите справку о группе", **given) -> int:
        with database.write.begin() as db:
            key = f"i-{next(numbers)}"
            return ask_inquiry(db, cast.smm, cast.departments["curators"], text, key, **given).id

    return _ask


def answer(cast, database, route_id: int, text: str = "Вот она") -> None:
    with database.write.begin() as db:
        send_answer(db, cast.curator, route_id, text, None)


def state(database, route_id: int) -> str:
    with database.read.begin() as db:
        return db.get_one(Route, route_id).state


def test_from_the_form_to_the_accepted_answer(smm, cast, database, enter):
    page = smm.get("/inquiries")
    assert "Отделы ничего не должны" in page.text
    form = smm.get("/inquiries/new").text
    assert "Олег Сомов" in form  # who answers for the curators
    key = re.findall(r'name="form_key" value="([^"]+)"', form)[0]
    given = {"department_id": cast.departments["curators"], "text": "Сколько в группе людей?", "form_key": key}
    sent = smm.post("/inquiries", **given, files=(BytesIO(PDF), "образец.pdf"))
    assert sent.location == "/inquiries/1"
    assert smm.post("/inquiries", **given).location == "/inquiries/1"
    page = smm.get("/inquiries/1").text
    assert "Сколько в группе людей?" in page
    assert "образец.pdf" in page
    assert "Сколько в группе людей?" in smm.get("/inquiries").text
    curator = enter("curator")
    assert "Запрос коллеги" in curator.get("/questions").text
    question = curator.get("/questions/1").text
    assert "Сколько в группе людей?" in question
    assert "образец.pdf" in question
    assert "публиковать его никто не будет" in question
    for word in ("под комментарием", "Автор", "Ещё не опубликовано"):
        assert word not in question
    curator.post("/questions/1/answer", text="Двенадцать", version=2, files=(BytesIO(PDF), "список.pdf"))
    assert "Дарья Лис" in curator.get("/questions/1/sent").text
    page = smm.get("/inquiries/1").text
    assert "Двенадцать" in page
    assert "список.pdf" in page
    assert smm.get("/questions/photos/2").data == PDF
    assert "Двенадцать" not in smm.get("/inquiries").text
    assert "Сколько в группе" in smm.get("/inquiries?show=home").text
    smm.post("/inquiries/1/return", reason="А фамилии?")
    assert "А фамилии?" in curator.get("/questions/1").text
    curator.post("/questions/1/clarify", text="Все?")
    assert "Все?" in smm.get("/inquiries/1").text
    smm.post("/inquiries/1/clarify", text="Да, все")
    assert "Да, все" in curator.get("/questions/1").text
    curator.post("/questions/1/answer", text="Готово")
    assert smm.post("/inquiries/1/accept").location == "/inquiries/1"
    assert state(database, 1) == "accepted"
    assert "Сколько в группе" in smm.get("/inquiries?show=done").text


def test_what_was_typed_comes_back_with_the_reason(smm, cast):
    page = smm.post("/inquiries", department_id="999", text="Что у вас с группами?", form_key="k", urgent="1")
    assert page.status_code in (404, 422)
    assert "Что у вас с группами?" in page.text
    assert "Выберите отдел" in page.text
    page = smm.post("/inquiries", department_id=cast.departments["curators"], text=" ", form_key="k")
    assert page.status_code == 422


def test_the_bell_leads_whom_it_concerns_to_their_page(smm, cast, database, ask, enter):
    route_id = ask()
    answer(cast, database, route_id)
    with database.write.begin() as db:
        notice = db.scalars(select(Notice)).one()
        assert notice.staff_id == cast.smm.staff_id
        notice.show_at = notice.created_at  # at night a notice waits for the morning, and tests run at any hour
    assert "Отдел ответил на ваш запрос" in smm.get("/notices").text
    assert smm.post(f"/notices/{notice.id}").location == f"/inquiries/{route_id}"
    with database.write.begin() as db:
        db.add(Notice(staff_id=cast.curator.staff_id, kind="hurry", route_id=route_id))
        db.get_one(Route, route_id).state = "sent"
    with database.read.begin() as db:
        notice = db.scalars(select(Notice).order_by(Notice.id.desc())).first()
    curator = enter("curator")
    assert "Пришлите справку" in curator.get("/notices").text
    assert curator.post(f"/notices/{notice.id}").location == f"/questions/{route_id}"


def test_another_s_request_is_unknown_by_its_number(other, cast, database, ask):
    route_id = ask(files=())
    answer(cast, database, route_id, "Тайна")
    assert other.get(f"/inquiries/{route_id}").status_code == 404
    assert other.get(f"/inquiries/new?again={route_id}").status_code == 404
    for post in POSTS:
        sent = other.post(f"/inquiries/{route_id}/{post}", reason="x", text="x")
        assert sent.status_code == 404, post
    for show in ("open", "home", "late", "done"):
        assert "Пришлите справку" not in other.get(f"/inquiries?show={show}").text
    assert state(database, route_id) == "answered"


def test_looking_changes_nothing_and_nothing_is_done_without_a_token(smm, app, cast, database, ask):
    route_id = ask()
    answer(cast, database, route_id)
    for post in POSTS:
        assert smm.get(f"/inquiries/{route_id}/{post}").status_code == 405
        assert smm.client.post(f"/inquiries/{route_id}/{post}").status_code == 400
    assert state(database, route_id) == "answered"


def test_fields_that_nobody_asked_for_are_left_alone(smm, cast, database, ask):
    smm.post(
        "/inquiries", department_id=cast.departments["curators"], text="Что?", form_key="k", state="accepted",
        asked_by_id=cast.head.staff_id, case_id="1", staff_id=cast.tech.staff_id, answer="Сам себе", returns="-9",
    )  # fmt: skip
    with database.read.begin() as db:
        route = db.scalars(select(Route)).one()
        assert (route.state, route.asked_by_id, route.case_id) == ("sent", cast.smm.staff_id, None)
        assert (route.staff_id, route.answer, route.returns) == (None, None, 0)


def test_from_a_card_and_back_to_it(smm, head, cast, database):
    with database.write.begin() as db:
        client = create_client(db, cast.head, name="Яровая Анна").id
    assert f"/inquiries/new?client={client}" in smm.get(f"/clients/{client}").text
    assert "Яровая Анна" in smm.get(f"/inquiries/new?client={client}").text
    smm.post(
        "/inquiries", department_id=cast.departments["curators"], text="Группа?", form_key="k", client=str(client)
    )
    assert "Яровая Анна" in smm.get("/inquiries/1").text
    assert "Яровая Анна" in head.get("/inquiries").text
    for wrong in ("999", "x", "-1", "9" * 30):
        assert smm.get(f"/inquiries/new?client={wrong}").status_code in (200, 404, 422)


def test_the_morning_sees_late_ones_and_leads_to_the_list(head, cast, database, ask):
    route_id = ask()
    assert "show=late" not in head.get("/morning").text
    with database.write.begin() as db:
        db.scalars(select(Clock)).one().due_at = utc_now()
    page = head.get("/morning").text
    assert "Просрочен 1 запрос отделам" in page
    assert "/inquiries?show=late" in page
    assert "Пришлите справку" in head.get("/inquiries?show=late").text
    head.post("/morning/hurry", department=cast.departments["curators"])
    with database.read.begin() as db:
        assert db.scalar(select(func.count()).where(Notice.kind == "hurry", Notice.route_id == route_id)) == 1
    assert "Поторопить" in head.get(f"/inquiries/{route_id}").text


def test_a_declined_one_is_asked_of_another_with_its_words(smm, cast, database, ask, enter):
    route_id = ask()
    enter("curator").post(
        f"/questions/{route_id}/decline", better=str(cast.departments["technical"]), reason="Не к нам"
    )
    page = smm.get(f"/inquiries/{route_id}").text
    assert "Не к нам" in page
    form = smm.get(f"/inquiries/new?again={route_id}").text
    assert "Пришлите справку о группе" in form
    assert re.search(rf'value="{cast.departments["technical"]}" required checked', form)


def test_what_is_typed_stands_as_text(smm, cast, database, ask, enter):
    route_id = ask(EVIL)
    answer(cast, database, route_id, EVIL)
    pages = [
        smm.get(one)
        for one in (f"/inquiries/{route_id}", "/inquiries?show=home", f"/inquiries/new?again={route_id}")
    ]
    for page in (*pages, enter("curator").get(f"/questions/{route_id}")):
        tags = look(page.text)
        assert "alert(1)" in page.text
        assert (tags.scripts, tags.images, tags.handlers) == (0, 0, [])


def test_files_of_a_foreign_kind_are_refused_with_the_words_kept(smm, cast, database):
    page = smm.post(
        "/inquiries", department_id=cast.departments["curators"], text="Вот образец", form_key="k",
        files=(BytesIO(b"MZ" + b"0" * 40), "setup.pdf"),
    )  # fmt: skip
    assert page.status_code == 422
    assert "Вот образец" in page.text
    with database.read.begin() as db:
        assert db.scalar(select(func.count()).select_from(RouteFile)) == 0
        assert db.scalar(select(func.count()).select_from(Route)) == 0


def test_whose_a_request_is_stands_where_all_are_seen_and_who_only_looks_has_no_buttons(
    smm, head, enter, cast, database, ask
):
    route_id = ask()
    with database.write.begin() as db:
        create_staff(db, DESK, email="d@school.example", name="Директор", roles=("director",))
    director = enter("d")
    assert "спрашивает Дарья Лис" in head.get("/inquiries").text
    assert "спрашивает Дарья Лис" in director.get("/inquiries").text
    assert "спрашивает Дарья Лис" not in smm.get("/inquiries").text
    assert f"/inquiries/{route_id}/withdraw" in smm.get(f"/inquiries/{route_id}").text
    page = director.get(f"/inquiries/{route_id}").text
    assert "Пришлите справку о группе" in page
    assert f"/inquiries/{route_id}/" not in page


def test_a_long_list_goes_on_behind_the_last_of_a_page(smm, cast, database, ask):
    last = [ask(f"Справка {number}") for number in range(MOST + 1)][-1]
    page = smm.get("/inquiries").text
    further = f"/inquiries?show=open&amp;after={last - 1}"
    assert further in page
    assert f"Справка {MOST}<" not in page
    rest = smm.get(further.replace("&amp;", "&")).text
    assert f"Справка {MOST}<" in rest
    assert 'class="more"' not in rest
