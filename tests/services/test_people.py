"""«Сотрудники»: one-time passwords, roles that nobody takes from themselves, and one first person only."""

import re
import threading

import pytest
from sqlalchemy import func, select

from models import Department, Event, Staff
from services.accounts import run_authenticate, set_active, staff_by_session
from services.errors import DeskError, Forbidden, NotFound, Refused
from services.people import add_person, create_first, edit_person, new_password, people, renew_password
from services.presets import HEAD_ROLES
from services.rights import actor_of

FIRST = {"name": "Марина Котова", "email": "head@school.example", "password": "долгий пароль"}


def test_a_made_password_is_easy_to_read_aloud() -> None:
    made = {new_password() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"[a-hj-kmnp-z2-9]{4}(-[a-hj-kmnp-z2-9]{4}){2}", word) for word in made)


def test_a_new_person_comes_in_with_the_one_time_password_and_must_change_it(cast, database) -> None:
    with database.write.begin() as session:
        staff, password = add_person(
            session, cast.head, name="Юлия Стриж", email="July@school.example", roles=["manager"],
            department="marketing",
        )  # fmt: skip
        assert staff.password is not None
        assert password not in staff.password
    known = run_authenticate(database, "july@school.example", password)
    assert known is not None
    assert known.must_change
    assert [(row.role, row.department_id) for row in known.roles] == [("manager", cast.departments["marketing"])]


@pytest.mark.parametrize("who", ["smm", "curator"])
@pytest.mark.parametrize(
    "ask",
    [
        lambda s, a: people(s, a),
        lambda s, a: add_person(s, a, name="Н", email="n@n.example", roles=["smm"], department=None),
        lambda s, a: edit_person(s, a, a.staff_id, name="Н", roles=["head"], department=None),
        lambda s, a: renew_password(s, a, a.staff_id),
    ],
)
def test_only_the_administrator_keeps_people(cast, database, who, ask) -> None:
    with database.write.begin() as session, pytest.raises(Forbidden):
        ask(session, getattr(cast, who))


def test_the_list_has_those_who_may_come_in_first(cast, database) -> None:
    with database.write.begin() as session:
        set_active(session, cast.head, cast.smm.staff_id, False)
        found = people(session, cast.head)
    assert [one.staff.name for one in found][-1] == "Дарья Лис"
    curator = next(one for one in found if one.staff.id == cast.curator.staff_id)
    assert (curator.roles, [unit.code for unit in curator.departments]) == (("manager",), ["curators"])


class TestEditing:
    def test_roles_and_department_change_and_keep_what_stays(self, cast, database) -> None:
        def roles() -> list[tuple[str, str | None]]:
            with database.read.begin() as session:
                codes = {unit.id: unit.code for unit in session.scalars(select(Department))}
                staff = session.get_one(Staff, cast.curator.staff_id)
                return sorted((row.role, codes.get(row.department_id or 0)) for row in staff.roles)

        def edit(wanted: list[str], unit: str | None) -> None:
            with database.write.begin() as session:
                edit_person(
                    session, cast.head, cast.curator.staff_id, name=" Олег Сомов ", roles=wanted, department=unit
                )

        edit(["manager", "smm"], "curators")
        assert roles() == [("manager", "curators"), ("smm", None)]
        edit(["manager", "smm"], "technical")
        assert roles() == [("manager", "technical"), ("smm", None)]
        edit(["observer"], None)
        assert roles() == [("observer", None)]

    @pytest.mark.parametrize(
        ("name", "roles", "unit", "code"),
        [
            (" ", ["smm"], None, "name.empty"),
            ("Олег", [], None, "role.unknown"),
            ("Олег", ["god"], None, "role.unknown"),
            ("Олег", ["smm", "god"], None, "role.unknown"),
            ("Олег", ["manager"], None, "department.unknown"),
            ("Олег", ["manager"], "nowhere", "department.unknown"),
        ],
    )
    def test_refusals(self, cast, database, name, roles, unit, code) -> None:
        with database.write.begin() as session, pytest.raises(Refused) as refused:
            edit_person(session, cast.head, cast.curator.staff_id, name=name, roles=roles, department=unit)
        assert refused.value.code == code

    def test_the_administrator_stays_one(self, cast, database) -> None:
        with pytest.raises(Refused), database.write.begin() as session:
            edit_person(session, cast.head, cast.head.staff_id, name="Марина", roles=["smm"], department=None)
        with database.read.begin() as session:
            assert actor_of(session.get_one(Staff, cast.head.staff_id)).may("staff.edit")

    def test_nobody_unknown(self, cast, database) -> None:
        with database.write.begin() as session, pytest.raises(NotFound):
            edit_person(session, cast.head, 999, name="Н", roles=["smm"], department=None)


def test_a_renewed_password_ends_sessions_and_lifts_the_lock(cast, database) -> None:
    with database.write.begin() as session:
        staff, first = renew_password(session, cast.head, cast.smm.staff_id)
        key = staff.session_key
    for _ in range(10):
        run_authenticate(database, "smm@school.example", "мимо")
    assert run_authenticate(database, "smm@school.example", first) is None
    with database.write.begin() as session:
        _staff, second = renew_password(session, cast.head, cast.smm.staff_id)
    assert run_authenticate(database, "smm@school.example", first) is None
    assert run_authenticate(database, "smm@school.example", second) is not None
    with database.write.begin() as session:
        assert staff_by_session(session, key) is None
        with pytest.raises(Refused):
            renew_password(session, cast.head, cast.head.staff_id)
        assert session.scalar(select(func.count()).where(Event.kind == "staff.password_renewed")) == 2


class TestFirst:
    def test_the_first_person_is_the_head_with_all_departments(self, database) -> None:
        with database.write.begin() as session:
            staff = create_first(session, **FIRST)
            assert {row.role for row in staff.roles} == set(HEAD_ROLES)
            assert session.scalar(select(func.count()).select_from(Department)) == 5
        assert run_authenticate(database, "head@school.example", "долгий пароль") is not None
        with database.write.begin() as session, pytest.raises(Refused) as refused:
            create_first(session, **{**FIRST, "email": "other@school.example"})
        assert refused.value.code == "first.taken"

    def test_a_mistake_leaves_the_place_free(self, database) -> None:
        for wrong in ({"password": "мало"}, {"email": "не почта"}, {"name": " "}):
            with pytest.raises(Refused), database.write.begin() as session:
                create_first(session, **{**FIRST, **wrong})
        with database.write.begin() as session:
            assert create_first(session, **FIRST).id

    def test_of_two_at_once_one_is_first(self, database) -> None:
        together = threading.Barrier(2, timeout=20)
        ended: list[str] = []

        def come(name: str) -> None:
            together.wait()
            try:
                with database.write.begin() as session:
                    create_first(session, name=name, email=f"{name}@school.example", password="долгий пароль")
                ended.append("in")
            except DeskError as error:
                ended.append(error.code)

        threads = [threading.Thread(target=come, args=[name]) for name in ("one", "two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ended) == ["first.taken", "in"]
        with database.read.begin() as session:
            assert session.scalar(select(func.count()).select_from(Staff)) == 1
