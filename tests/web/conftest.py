"""What the tests of the screens share: a training desk over a fresh database, its people, and viewers who write."""

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from bootstrap import Desk, Labeller, SharedLimiter
from classifier import Reason, Verdict
from collectors.wire import Guard, Wire
from config import Config
from models import Case, Message
from models.database import Database, open_database
from services.accounts import find_by_email, reset_password
from services.labelling import run_labelling
from services.secrets import open_keyring
from web import create_app

PASSWORD = "пароль для тестов"


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """Screens ask services, which are tested on both databases; here the quicker one is enough."""
    path = tmp_path / "otklik.db"
    shutil.copy(sqlite_template, path)
    opened = open_database(f"sqlite:///{path}")
    yield opened
    opened.engine.dispose()


@pytest.fixture
def desk(database: Database, tmp_path: Path, cast: Any) -> Desk:
    """A training desk with the cast's people; its labels come from ``label_all``."""
    return Desk(
        config=Config(),
        mode="training",
        var=tmp_path,
        database=database,
        keyring=open_keyring(tmp_path / "key"),
        wire=Wire(Guard(only=frozenset({"127.0.0.1:9"})), read_timeout=1),
        limiter=SharedLimiter(tmp_path / "limits.db"),
        labeller=Labeller(tmp_path / "classifier", state="ready"),
        secret_key=b"a secret of the tests, thirty-two",
        name="test:1",
        sandbox_url="http://127.0.0.1:9",
    )


@pytest.fixture
def app(desk: Desk) -> Flask:
    return create_app(desk)


class Visitor:
    """A browser without scripts: follows forms with their token, and can ask like htmx does."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, address: str, *, htmx: bool = False, **given: Any) -> TestResponse:
        return self.client.get(address, headers=_headers(htmx), buffered=True, **given)

    def post(self, address: str, /, *, htmx: bool = False, **fields: Any) -> TestResponse:
        data = {"csrf_token": self.token(), **fields}
        return self.client.post(address, data=data, headers=_headers(htmx))

    def token(self) -> str:
        page = self.client.get("/password").text or self.client.get("/login").text
        if "csrf-token" not in page:
            page = self.client.get("/login").text
        found = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert found is not None
        return found.group(1)

    def log_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        return self.post("/login", email=email, password=password)


def _headers(htmx: bool) -> dict[str, str]:
    return {"HX-Request": "true"} if htmx else {}


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """Somebody whom the desk does not know yet."""
    return Visitor(app.test_client())


@pytest.fixture
def enter(app: Flask, database: Database) -> Callable[[str], Visitor]:
    """The session of one of the cast, by the name before the @ of the mail address; without the slow password."""

    def _enter(who: str) -> Visitor:
        client = app.test_client()
        with database.read.begin() as db:
            staff = find_by_email(db, f"{who}@school.example")
        assert staff is not None
        with client.session_transaction() as session:
            session["key"] = staff.session_key
        return Visitor(client)

    return _enter


@pytest.fixture
def password(database: Database, cast: Any) -> str:
    """The password that smm@school.example may log in with."""
    with database.write.begin() as db:
        staff = find_by_email(db, "smm@school.example")
        assert staff is not None
        reset_password(db, staff, PASSWORD, must_change=False)
    return PASSWORD


@pytest.fixture
def smm(enter: Callable[[str], Visitor]) -> Visitor:
    return enter("smm")


class ByWords:
    """Labels by plain words of the text, in the shape that labelling asks for."""

    version, gate = "words", 0.3
    WORDS = (("?", "question"), ("не работает", "complaint"), ("сделайте", "wish"), ("спасибо", "praise"))

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        return [self._verdict(text) for text in texts]

    def _verdict(self, text: str) -> Verdict:
        low = text.lower()
        word, label = next(((w, name) for w, name in self.WORDS if w in low), ("", "other"))
        sure = "..." not in text
        best = 0.9 if sure else 0.45
        p = {
            "question": 0.04,
            "complaint": 0.03,
            "wish": 0.02,
            "praise": 0.01,
            "spam": 0.0,
            "other": 0.0,
            label: best,
        }
        at = low.find(word)
        why = (Reason(text[at : at + len(word)], at, at + len(word), 1.5),) if word else ()
        return Verdict(label, (label,), p, why, sure, p["question"] + p["complaint"] + p["wish"])


@pytest.fixture
def label_all(database: Database) -> Callable[[], None]:
    def _label_all() -> None:
        run_labelling(database, ByWords(), gate_open=True)

    return _label_all


@pytest.fixture
def open_case(cast: Any, database: Database, label_all: Callable[[], None]) -> Callable[..., int]:
    """A viewer writes; the id of the case that it opens."""

    def _open_case(text: str = "Когда вебинар?", author: str = "Анна Яр", **given: Any) -> int:
        item = cast.write(text, author, **given)
        label_all()
        with database.read.begin() as session:
            case_id = session.scalar(
                select(Case.id).join(Message, Message.case_id == Case.id).where(
                    Message.external_id == item.external_id
                )
            )  # fmt: skip
        assert case_id is not None
        return case_id

    return _open_case
