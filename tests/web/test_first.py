"""The first person: asked for on an empty work desk, once, also when two come at the same moment."""

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bootstrap import Desk, Labeller, SharedLimiter
from collectors.wire import Guard, Wire
from config import Config
from models import Staff
from models.database import open_database
from services.presets import HEAD_ROLES
from services.secrets import open_keyring
from tests.web.conftest import Visitor
from web import create_app

GIVEN: dict[str, Any] = {"name": "Марина Котова", "email": "Head@school.example", "password": "долгий пароль",
         "again": "долгий пароль"}  # fmt: skip


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path):
    """A work desk that nobody has entered yet."""
    path = tmp_path / "work.db"
    shutil.copy(sqlite_template, path)
    database = open_database(f"sqlite:///{path}")
    yield Desk(
        config=Config(), mode="work", var=tmp_path, database=database, keyring=open_keyring(tmp_path / "key"),
        wire=Wire(Guard(), read_timeout=1), limiter=SharedLimiter(tmp_path / "limits.db"),
        labeller=Labeller(tmp_path / "classifier", state="ready"), secret_key=b"a secret of the tests, thirty-two",
        name="test:1",
    )  # fmt: skip
    database.engine.dispose()


@pytest.fixture
def newcomer(desk) -> "Newcomer":
    return Newcomer(create_app(desk).test_client())


class Newcomer(Visitor):
    def token(self) -> str:
        pages = [self.client.get(address).text for address in ("/first", "/login")]
        page = next(page for page in pages if "csrf-token" in page)
        return page.partition('name="csrf-token" content="')[2].partition('"')[0]


def count(desk) -> int:
    with desk.database.read.begin() as session:
        return session.scalar(select(func.count()).select_from(Staff)) or 0


@pytest.mark.parametrize("address", ["/", "/inbox", "/places", "/staff", "/questions/1"])
def test_every_page_leads_to_the_form(newcomer, address):
    to_login = newcomer.get(address)
    assert "/login" in to_login.location
    assert newcomer.get(to_login.location).location == "/first"
    assert "Первый человек" in newcomer.get("/first").text


def test_the_first_person_is_the_head_and_is_in(newcomer, desk):
    answer = newcomer.post("/first", **GIVEN)
    assert answer.location == "/begin/questions"
    assert newcomer.get("/places/new").status_code == 200
    with desk.database.read.begin() as session:
        staff = session.scalars(select(Staff)).one()
        assert (staff.email, {row.role for row in staff.roles}) == ("head@school.example", set(HEAD_ROLES))


def test_afterwards_the_door_is_an_ordinary_one(newcomer, desk):
    newcomer.post("/first", **GIVEN)
    stranger = Newcomer(create_app(desk).test_client())
    assert stranger.get("/first").location == "/login"
    assert stranger.get("/login").status_code == 200
    answer = stranger.post("/first", **(GIVEN | {"email": "second@school.example"}))
    assert answer.location == "/login"
    assert "Здесь уже есть люди" in stranger.get("/login").text
    assert stranger.get("/inbox").status_code == 302
    assert count(desk) == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"again": "другой пароль"}, "не совпадают"),
        ({"password": "мало", "again": "мало"}, "от 8 до 200"),
        ({"email": "не почта"}, "не похоже на адрес почты"),
        ({"name": " "}, "Введите имя"),
    ],
)
def test_a_mistake_is_said_and_the_door_stays_open(newcomer, desk, wrong, words):
    answer = newcomer.post("/first", **{**GIVEN, **wrong})
    assert answer.status_code == 422
    assert words in answer.text
    assert "долгий пароль" not in answer.text
    assert count(desk) == 0
    assert newcomer.post("/first", **GIVEN).location == "/begin/questions"


def test_of_two_at_once_one_gets_in(desk):
    app = create_app(desk)
    visitors = [Newcomer(app.test_client()) for _ in range(2)]
    forms = [{**GIVEN, "email": f"{n}@school.example", "csrf_token": one.token()} for n, one in enumerate(visitors)]
    together, went = threading.Barrier(2, timeout=20), []

    def come(visitor: Newcomer, form: dict[str, str]) -> None:
        together.wait()
        went.append(visitor.client.post("/first", data=form).location)

    threads = [threading.Thread(target=come, args=pair) for pair in zip(visitors, forms, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(went) == ["/begin/questions", "/login"]
    assert count(desk) == 1


def test_a_form_without_the_token_makes_nobody(newcomer, desk):
    assert newcomer.client.post("/first", data=GIVEN).status_code == 400
    assert count(desk) == 0
