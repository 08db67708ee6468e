"""Signing in: the second step, links of invitations and forgotten passwords, browsers that are listed and ended."""

import re
import time
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import event, func, select

from models import Delivery, OneTimeLink, PasswordAsked, Staff, StaffSession, utc_now
from services.accounts import reset_password
from services.entrance import MOST_LETTERS, make_link, run_asked, send_link
from services.second_factor import GRACE, code_at
from tests.web.conftest import PASSWORD
from web.entrance import GUESSES
from web.login import ASKED

HEAD = "head@school.example"


def without_tokens(page):
    """The page without its signed tokens: each carries the second at which it was signed."""
    return re.sub(r"\b[\w-]{20,}\.[\w-]{6}\.[\w-]{27}\b", "", page.text)


@pytest.fixture(autouse=True)
def _calm():
    for throttle in (GUESSES, ASKED):
        throttle._misses.clear()


@pytest.fixture
def head_password(database, cast):
    with database.write.begin() as db:
        reset_password(db, db.get_one(Staff, cast.head.staff_id), PASSWORD, must_change=False)


def set_up(visitor) -> tuple[str, list[str]]:
    page = visitor.get("/second-step").text
    secret = re.findall(r'readonly value="([A-Z2-7]{32})"', page)[0]
    assert visitor.post("/second-step", code="1").status_code == 422
    done = visitor.post("/second-step", code=code_at(secret, int(time.time() // 30)))
    shown = done.text.partition('codes">')[2].partition("</pre>")[0]
    return secret, shown.split()


def test_the_second_step_stands_between_the_password_and_the_desk(visitor, head_password, app):
    visitor.log_in(HEAD)
    _secret, codes = set_up(visitor)
    assert len(codes) == 10
    other = type(visitor)(app.test_client())
    assert other.log_in(HEAD).location == "/login/code"
    assert "/login" in other.get("/inbox").location
    assert other.post("/login/code", code="000000").status_code == 422
    assert "/login" in other.get("/inbox").location
    assert other.post("/login/code", code=codes[0], next="//evil.example").location == "/"
    assert other.get("/inbox").status_code == 200
    assert other.get("/login/code").location == "/login"  # nothing is half open any more


def test_the_half_way_does_not_last(visitor, head_password, app):
    visitor.log_in(HEAD)
    _secret, codes = set_up(visitor)
    other = type(visitor)(app.test_client())
    other.log_in(HEAD)
    with other.client.session_transaction() as session:
        session["half"] = [*session["half"][:2], int(time.time()) - 600]
    assert other.post("/login/code", code=codes[0]).location == "/login"


def test_on_a_work_desk_it_is_needed_after_a_while(enter, desk, database, cast):
    head = enter("head")
    desk.mode = "work"
    with head.client.session_transaction() as session:
        key = session["key"]
    with database.write.begin() as db:
        db.get_one(Staff, cast.head.staff_id).created_at = utc_now() - GRACE - timedelta(days=1)
    assert head.get("/inbox").location == "/second-step"
    assert head.get("/second-step").status_code == 200
    desk.mode = "training"
    assert head.get("/inbox").status_code == 200
    assert key


def test_an_invitation_lets_choose_a_password_once(visitor, database, cast, app):
    with database.write.begin() as db:
        code = make_link(db, cast.smm.staff_id, "invite")
    assert "Придумайте пароль" in visitor.get(f"/a/{code}").text
    assert visitor.post(f"/a/{code}").status_code == 404  # it opens no device
    assert visitor.post(f"/a/{code}/password", new="коротко", again="коротко").status_code == 422
    assert visitor.post(f"/a/{code}/password", new=PASSWORD, again="другое слово").status_code == 422
    assert visitor.post(f"/a/{code}/password", new=PASSWORD, again=PASSWORD).location == "/login"
    assert visitor.post(f"/a/{code}/password", new=PASSWORD, again=PASSWORD).status_code == 422
    assert visitor.log_in("smm@school.example").status_code == 302


def test_a_link_to_questions_changes_no_password(visitor, database, cast):
    with database.write.begin() as db:
        code = make_link(db, cast.curator.staff_id, "device")
    assert visitor.post(f"/a/{code}/password", new=PASSWORD, again=PASSWORD).status_code == 404
    with database.read.begin() as db:
        assert db.get_one(Staff, cast.curator.staff_id).password is None
        assert db.scalars(select(OneTimeLink)).one().used_at is None


def test_a_forgotten_password_is_answered_alike_for_everybody(visitor, database, head_password, cast):
    known = visitor.post("/login/forgot", email=HEAD)
    unknown = visitor.post("/login/forgot", email="nobody@school.example")
    curator = visitor.post("/login/forgot", email="curator@school.example")
    assert without_tokens(known) == without_tokens(unknown) == without_tokens(curator)
    assert run_asked(database) == 3
    with database.read.begin() as db:
        rows = {row.staff_id: row.kind for row in db.scalars(select(Delivery))}
    assert rows == {cast.head.staff_id: "reset", cast.curator.staff_id: "again"}
    for _ in range(7):
        visitor.post("/login/forgot", email="nobody@school.example")
    assert visitor.post("/login/forgot", email=HEAD).status_code == 429


def test_a_forgotten_password_costs_alike_for_everybody(visitor, app, database, head_password, cast):
    """Known, unknown, switched off, sent too many links already, locked by wrong guesses, no address at all: the
    same statements in the same order, so that the time tells nothing."""
    with database.write.begin() as db:
        db.get_one(Staff, cast.tech.staff_id).active = False
        for _ in range(MOST_LETTERS):
            send_link(db, db.get_one(Staff, cast.smm.staff_id), "reset")
        db.get_one(Staff, cast.curator.staff_id).locked_until = utc_now() + timedelta(minutes=15)
    typed = (HEAD, "nobody@school.example", "tech@school.example", "smm@school.example",
             "curator@school.example", "", "\x00" * 999)  # fmt: skip
    said = []
    visitor.get("/login/forgot")  # what a first visit costs
    for email in typed:
        kept: list[str] = []
        listen = partial(_keep, kept)
        event.listen(database.engine, "before_cursor_execute", listen)
        page = without_tokens(visitor.post("/login/forgot", email=email))
        event.remove(database.engine, "before_cursor_execute", listen)
        said.append((page, kept))
    assert all(one == said[0] for one in said)
    assert sum("INSERT INTO password_asked" in statement for statement in said[0][1]) == 1
    with database.read.begin() as db:
        assert db.scalar(select(func.count()).select_from(PasswordAsked)) == len(typed)
        before = db.scalar(select(func.count()).select_from(Delivery))
    assert run_asked(database) == len(typed)
    with database.read.begin() as db:
        assert db.scalar(select(func.count()).select_from(PasswordAsked)) == 0
        assert db.scalar(select(func.count()).select_from(Delivery)) == before + 2  # the head and the curator


def _keep(kept, _connection, _cursor, statement, _parameters, _context, _many):
    kept.append(statement)


def test_a_reset_does_not_skip_the_second_step(visitor, head_password, app, database, cast):
    visitor.log_in(HEAD)
    set_up(visitor)
    with database.write.begin() as db:
        code = make_link(db, cast.head.staff_id, "reset")
    other = type(visitor)(app.test_client())
    other.post(f"/a/{code}/password", new="совсем новый пароль", again="совсем новый пароль")
    assert other.log_in(HEAD, "совсем новый пароль").location == "/login/code"
    assert "/login" in visitor.get("/inbox").location  # the sessions before it have ended


def test_browsers_are_listed_and_ended(visitor, password, app, database):
    other = type(visitor)(app.test_client())
    for one in (visitor, other):
        one.log_in("smm@school.example")
    assert visitor.get("/devices").text.count("по паролю") == 2
    with database.read.begin() as db:
        ids = list(db.scalars(select(StaffSession.id).order_by(StaffSession.id)))
    visitor.post(f"/devices/{ids[1]}/end")
    assert "/login" in other.get("/inbox").location
    assert visitor.get("/inbox").status_code == 200
    visitor.post("/logout")
    with database.read.begin() as db:
        assert all(row.ended_at is not None for row in db.scalars(select(StaffSession)))


def test_a_person_is_invited_by_mail(enter, database, cast):
    head = enter("head")
    head.post("/staff/new", name="Юлия Стриж", email="july@school.example", role="smm", by_mail="1")
    with database.read.begin() as db:
        staff = db.scalars(select(Staff).where(Staff.email == "july@school.example")).one()
        assert staff.password is None
        assert db.scalars(select(Delivery)).one().kind == "invite"
    assert head.post(f"/staff/{staff.id}/invitation").status_code == 302
    assert enter("smm").post(f"/staff/{staff.id}/invitation").status_code in (302, 403)
    with database.read.begin() as db:
        assert len(db.scalars(select(Delivery)).all()) == 2
