"""«Сотрудники»: who may look, who may change, and passwords that are shown once."""

import re

import pytest
from sqlalchemy import select

from models import Staff
from services.rights import ROLES
from web.staff import ROLE_HINTS


@pytest.fixture
def head(enter):
    return enter("head")


def person(database, email):
    with database.read.begin() as session:
        return session.scalars(select(Staff).where(Staff.email == email)).one()


def test_every_role_can_be_given():
    assert set(ROLE_HINTS) == set(ROLES)


def test_the_list_has_names_roles_and_departments(head):
    page = head.get("/staff").text
    for words in ("Дарья Лис", "SMM-специалист", "Олег Сомов", "Кураторы", "(это вы)", "curator@school.example"):
        assert words in page, words


@pytest.mark.parametrize("who", ["smm", "curator"])
def test_others_do_not_even_look(enter, who, cast, database):
    somebody = enter(who)
    assert somebody.get("/staff").status_code == 403
    assert somebody.get("/staff/new").status_code == 403
    made = somebody.post("/staff/new", htmx=True, name="Я", email="i@i.example", role="administrator")
    assert made.status_code == 403
    for deed in ("password", "off", "on"):
        assert somebody.post(f"/staff/{cast.head.staff_id}/{deed}", htmx=True).status_code == 403
    assert person(database, "head@school.example").active
    with database.read.begin() as session:
        assert session.scalar(select(Staff.id).where(Staff.email == "i@i.example")) is None


def test_a_head_without_administration_looks_only(enter, database, cast):
    with database.write.begin() as session:
        staff = session.get_one(Staff, cast.head.staff_id)
        staff.roles = [row for row in staff.roles if row.role == "head"]
    head = enter("head")
    page = head.get("/staff").text
    assert "Дарья Лис" in page
    assert "/staff/new" not in page
    assert head.get("/staff/new").status_code == 403


def add(head, **fields):
    given = {"name": "Юлия Стриж", "email": "july@school.example", "role": ["smm"], **fields}
    return head.post("/staff/new", **given)


class TestAdding:
    def test_the_password_is_shown_once_and_opens_the_door(self, head, visitor, database):
        answer = add(head)
        found = re.search(r'id="once">([^<]+)<', answer.text)
        assert found is not None
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert found[1] not in head.get("/staff").text
        assert "Set-Cookie" not in answer.headers or found[1] not in answer.headers["Set-Cookie"]
        assert visitor.log_in("july@school.example", found[1]).status_code == 302
        assert visitor.get("/inbox").location == "/password"

    def test_a_manager_gets_a_department(self, head, database, cast):
        assert "Выберите отдел" in add(head, role=["manager"]).text
        add(head, role=["manager"], department="accounting")
        roles = person(database, "july@school.example").roles
        assert [(row.role, row.department_id) for row in roles] == [("manager", cast.departments["accounting"])]

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"name": " "}, "Введите имя"),
            ({"email": "не почта"}, "не похоже на адрес почты"),
            ({"email": "SMM@school.example"}, "уже есть"),
            ({"role": []}, "Выберите роль"),
            ({"role": ["god"]}, "Выберите роль"),
        ],
    )
    def test_a_mistake_keeps_what_was_typed(self, head, fields, words):
        answer = add(head, **fields)
        assert answer.status_code == 422
        assert words in answer.text
        if "name" not in fields:
            assert 'value="Юлия Стриж"' in answer.text

    def test_sending_twice_makes_one_person(self, head, database):
        add(head)
        assert add(head).status_code == 422

    def test_hostile_names_stay_words(self, head, database):
        add(head, name='<b>"Юлия</b>')
        page = head.get("/staff").text
        assert "<b>&#34;" not in page
        assert "&lt;b&gt;" in page
        staff_id = person(database, "july@school.example").id
        assert '<b>"' not in head.get(f"/staff/{staff_id}").text


class TestChanging:
    def test_name_roles_and_department(self, head, cast, database):
        staff_id = cast.curator.staff_id
        assert 'value="curators" selected' in head.get(f"/staff/{staff_id}").text
        answer = head.post(f"/staff/{staff_id}", name="Олег С.", role=["manager", "smm"], department="technical")
        assert answer.location == "/staff"
        staff = person(database, "curator@school.example")
        assert (staff.name, {row.role for row in staff.roles}) == ("Олег С.", {"manager", "smm"})

    def test_nobody_locks_the_administrator_out(self, head, cast, database):
        answer = head.post(f"/staff/{cast.head.staff_id}", name="Марина", role=["smm"])
        assert (answer.status_code, "Снять роль администратора" in answer.text) == (422, True)
        head.post(f"/staff/{cast.head.staff_id}/off")
        assert person(database, "head@school.example").active
        assert head.get("/staff").status_code == 200

    def test_switching_off_ends_the_session_at_once(self, head, smm, cast):
        assert smm.get("/inbox").status_code == 200
        assert head.post(f"/staff/{cast.smm.staff_id}/off").location == "/staff"
        assert smm.get("/inbox").status_code == 302
        assert "вход закрыт" in head.get("/staff").text
        head.post(f"/staff/{cast.smm.staff_id}/on")
        assert "вход закрыт" not in head.get("/staff").text

    def test_a_new_one_time_password(self, head, smm, visitor, cast):
        found = re.search(r'id="once">([^<]+)<', head.post(f"/staff/{cast.smm.staff_id}/password").text)
        assert found is not None
        assert smm.get("/inbox").status_code == 302
        assert visitor.log_in("smm@school.example", found[1]).status_code == 302

    def test_an_unknown_person(self, head):
        assert head.get("/staff/999").status_code == 404
        assert head.post("/staff/999", name="Н", role=["smm"]).status_code == 404
        assert head.post("/staff/999/password", htmx=True).status_code == 404
