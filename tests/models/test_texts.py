"""What no database can store in a text is replaced, wherever the text comes from."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors.base import Person, Publication
from models import Author, Case, Draft, Message, Note, Reply, Route
from models import Publication as Place
from services.accounts import run_authenticate
from services.cases import add_note
from services.replies import save_draft, write_reply
from services.routing import ask_department
from tests.services.test_cases import label_all

EVIL = "а\x00б\ud83d!"
KEPT = "а\ufffdб\ufffd!"


def test_what_a_platform_brings_is_stored(cast, database) -> None:
    cast.write("Сосед?", author="Борис Лунин")
    item = cast.incoming(
        f"{EVIL}?", subject=EVIL, context={"token": EVIL}, publication=Publication("17", "post", EVIL, text=EVIL)
    )
    item = replace(item, author=Person("a-9", EVIL))
    cast.store(item)
    cast.store(item)
    with database.read.begin() as session:
        assert session.scalars(select(Message.text).where(Message.subject.is_not(None))).one() == f"{KEPT}?"
        assert KEPT in list(session.scalars(select(Author.name)))
        assert KEPT in list(session.scalars(select(Place.title)))


def test_what_people_write_is_stored(cast, database) -> None:
    cast.write("Когда вебинар?")
    label_all(database)
    with database.read.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
    acts: tuple[Callable[[Session], object], ...] = (
        lambda s: save_draft(s, cast.smm, case_id, EVIL),
        lambda s: add_note(s, cast.smm, case_id, EVIL, f"n{EVIL}"),
        lambda s: ask_department(s, cast.smm, case_id, cast.departments["curators"], EVIL, f"r{EVIL}"),
    )
    for act in acts:
        with database.write.begin() as session:
            act(session)
    with database.read.begin() as session:
        assert session.scalars(select(Draft.text)).one() == KEPT
        assert session.scalars(select(Note.text)).one() == KEPT
        assert session.scalars(select(Route.question)).one() == KEPT
    for _ in range(2):
        with database.write.begin() as session:
            write_reply(session, cast.smm, case_id, EVIL, f"f{EVIL}")
    with database.read.begin() as session:
        assert session.scalars(select(Reply.text)).one() == KEPT


@pytest.mark.parametrize("email", ["smm@school.example\x00", EVIL])
def test_nobody_comes_in_by_it(cast, database, email) -> None:
    assert run_authenticate(database, email, "пароль\x00") is None
