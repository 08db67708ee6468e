"""«Начать работу»: the door in the training banner, the questions of an empty work desk, the list."""

from pathlib import Path

import pytest
from sqlalchemy import select

from config import Config, PathsConfig, WebConfig
from models import Staff
from models.database import open_database
from services.accounts import create_staff
from services.rights import DESK
from services.schema import upgrade
from services.training import seed_people
from tests.web.test_first import GIVEN, desk, newcomer

__all__ = ["desk", "newcomer"]


@pytest.fixture
def begun(newcomer, desk, tmp_path: Path):
    """A work desk with its first person, beside a training desk where somebody real was added."""
    desk.config = Config(paths=PathsConfig(var=tmp_path))
    folder = tmp_path / "sandbox"
    folder.mkdir()
    training = open_database(f"sqlite:///{folder / 'otklik.db'}")
    upgrade(training)
    with training.write.begin() as session:
        seed_people(session)
        create_staff(session, DESK, email="own@iva.example", name="Своя Ирина", roles=("smm",))
    training.engine.dispose()
    assert newcomer.post("/first", **GIVEN).location == "/begin/questions"
    newcomer.token = lambda: (
        newcomer.client.get("/begin/questions").text.partition('csrf-token" content="')[2].partition('"')[0]
    )
    return newcomer


def test_the_questions_have_their_answers_already(begun) -> None:
    page = begun.get("/begin/questions").text
    for words in (
        "Как называется школа?",
        "Когда вы работаете?",
        "Кто отвечает в отделах?",
        "С какой площадки начнём?",
    ):
        assert words in page
    assert 'value="09:00"' in page
    assert "Взять с собой из учебного режима" in page
    assert "1 человек" in page
    assert "Руководитель отдела" not in page


def test_answering_makes_people_and_leads_to_the_place(begun, desk) -> None:
    page = begun.post(
        "/begin/questions", school="Школа «Ива»", opens="10:00", closes="19:00", name_0="Инна Рощина",
        email_0="inna@iva.example", role_0="smm", unit_name_technical="Павел Ким",
        unit_email_technical="kim@iva.example", platform="wordpress", carry_people="1",
    )  # fmt: skip
    assert page.status_code == 200
    assert page.text.count("<code>") == 3
    assert "/places/new/wordpress" in page.text
    with desk.database.read.begin() as session:
        mails = set(session.scalars(select(Staff.email)))
    assert mails == {"head@school.example", "inna@iva.example", "kim@iva.example", "own@iva.example"}


def test_a_wrong_answer_keeps_what_was_typed(begun, desk) -> None:
    page = begun.post(
        "/begin/questions", school="Ива", opens="09:00", closes="18:00", name_0="Инна Рощина", email_0="не почта"
    )
    assert page.status_code == 422
    assert "Инна Рощина: " in page.text
    assert 'value="Ива"' in page.text
    with desk.database.read.begin() as session:
        assert len(list(session.scalars(select(Staff)))) == 1


def test_the_list_stands_on_the_start_page_until_all_is_there(begun, desk) -> None:
    page = begun.get("/morning").text
    assert "Чего ещё не хватает" in page
    assert "web.public_url" in page
    assert begun.post("/begin/key").status_code == 302
    assert begun.get("/morning").text.count("Копия сделана") == 0
    desk.config = Config(paths=desk.config.paths, web=WebConfig(public_url="https://desk.iva.example"))
    assert "web.public_url" not in begun.get("/morning").text


def test_the_work_desk_has_no_door_to_itself(begun) -> None:
    assert begun.get("/begin").location == "/begin/questions"
    assert begun.post("/begin/open").status_code == 404
