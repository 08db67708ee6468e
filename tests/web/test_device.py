"""The curator's phone: a link of a letter, a press, a cookie; what it opens and what it never does."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
from flask import g
from sqlalchemy import select
from werkzeug.routing import AnyConverter

from models import Case, Delivery, OneTimeLink, Route, RouteFile, Staff, StaffRole, StaffSession, utc_now
from services.entrance import make_link
from services.errors import Forbidden
from services.rights import Actor
from services.routing import ask_department
from web.entrance import GUESSES
from web.matrix import MATRIX
from web.security import BY_DEVICE, DEVICE_ACTS, _admit_device

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture(autouse=True)
def _calm():
    GUESSES._misses.clear()
    yield
    GUESSES._misses.clear()


@pytest.fixture
def route_id(cast, database, open_case):
    case_id = open_case("Когда проверят домашку?")
    with database.write.begin() as session:
        return ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда?", "r-1").id


@pytest.fixture
def code(cast, database, route_id):
    with database.write.begin() as session:
        return make_link(session, cast.curator.staff_id, "device", route_id)


@pytest.fixture
def phone(visitor, code):
    assert visitor.post(f"/a/{code}").status_code == 302
    return visitor


def test_looking_at_the_link_changes_nothing(visitor, code, database):
    for _ in range(3):
        page = visitor.get(f"/a/{code}")
        assert page.status_code == 200
        assert "Открыть вопросы" in page.text
    for words in ("Когда", "Олег", "curator@"):
        assert words not in page.text
    with database.read.begin() as session:
        assert session.scalars(select(OneTimeLink)).one().used_at is None
        assert session.scalars(select(StaffSession)).all() == []


def test_the_press_trades_the_code_for_a_cookie_and_leads_to_the_question(visitor, code, route_id, app):
    answer = visitor.post(f"/a/{code}")
    assert answer.location == f"/questions/{route_id}"
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if "_device=" in one)
    for words in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"):
        assert words in cookie, words
    assert code not in cookie
    assert "Когда проверят домашку?" in visitor.get(answer.location).text


def test_without_the_token_of_the_form_nothing_opens(visitor, code):
    assert visitor.client.post(f"/a/{code}").status_code == 400


def test_a_spent_link_offers_a_new_one_to_the_same_mail(visitor, code, app, database, cast):
    visitor.post(f"/a/{code}")
    stranger = type(visitor)(app.test_client())
    page = stranger.get(f"/a/{code}")
    assert "Прислать новую" in page.text
    assert stranger.post(f"/a/{code}").status_code == 422
    sent = stranger.post(f"/a/{code}/again", email="evil@example.com")
    assert "Ссылка отправлена" in sent.text
    assert "@" not in re.sub(r"<[^>]+>", "", sent.text)
    with database.read.begin() as session:
        row = session.scalars(select(Delivery).where(Delivery.kind == "again")).one()
        assert row.staff_id == cast.curator.staff_id
    for _ in range(4):
        stranger.post(f"/a/{code}/again")
    assert stranger.post(f"/a/{code}/again").status_code == 422


def test_on_a_remembered_phone_the_link_leads_on_without_being_spent(phone, cast, database, route_id):
    with database.write.begin() as session:
        fresh = make_link(session, cast.curator.staff_id, "device", route_id)
    assert phone.get(f"/a/{fresh}").location == f"/questions/{route_id}"
    with database.read.begin() as session:
        assert session.scalars(select(OneTimeLink).order_by(OneTimeLink.id.desc())).first().used_at is None


@pytest.mark.parametrize("wrong", ["x", "%20", "%00", "A" * 32, "а" * 32, "A" * 5000, "..%2f..%2fetc"])
def test_what_is_no_code_is_not_there(visitor, wrong):
    assert visitor.get(f"/a/{wrong}").status_code == 404
    assert visitor.post(f"/a/{wrong}").status_code == 404
    assert visitor.post(f"/a/{wrong}/again").status_code == 404


def test_whoever_guesses_waits(visitor, code):
    for number in range(30):
        visitor.get(f"/a/{number:032}")
    assert visitor.get(f"/a/{code}").status_code == 429
    assert visitor.get("/login").status_code == 200


def test_the_phone_opens_the_questions_and_nothing_else(phone, app, route_id):
    shut = set()
    for rule in app.url_map.iter_rules():
        # Those two end the very device that looks, and the stream does not end.
        if rule.endpoint in ("static", "live.stream", "login.log_out", "devices.end"):
            continue
        if MATRIX[rule.endpoint] == "public" or rule.endpoint.startswith("api."):  # a key opens those, no cookie
            continue
        values = {
            name: sorted(kind.items)[0] if isinstance(kind, AnyConverter) else 1
            for name, kind in rule._converters.items()
        }
        with app.test_request_context():
            address = app.url_for(rule.endpoint, **values)
        answer = phone.get(address) if "GET" in rule.methods else phone.post(address)
        refused = "/login" in (answer.location or answer.headers.get("HX-Redirect", ""))
        allowed = rule.endpoint in BY_DEVICE or MATRIX[rule.endpoint] in DEVICE_ACTS
        assert refused is not allowed, (rule.endpoint, answer.status_code)
        if refused:
            shut.add(rule.endpoint)
    assert {"inbox.index", "staff.index", "search.index", "login.password", "cases.reply"} <= shut


def test_a_device_of_the_head_does_not_open_the_inbox(visitor, database, cast):
    with database.write.begin() as session:
        head = session.get_one(Staff, cast.head.staff_id)
        head.roles.append(StaffRole(role="manager", department_id=cast.departments["head"]))
        session.flush()
        code = make_link(session, head.id, "device")
    assert visitor.post(f"/a/{code}").location == "/questions"
    assert visitor.get("/questions").status_code == 200
    assert "/login" in visitor.get("/inbox").location
    assert visitor.get("/login").status_code == 200  # and the password is asked for, not passed by


def test_what_is_withdrawn_is_shut_at_once(phone, database, cast, route_id):
    with database.write.begin() as session:
        session.get_one(Staff, cast.curator.staff_id).roles = []
    assert "/login" in phone.get(f"/questions/{route_id}").location


def test_a_device_opens_no_more_than_its_person_may(app):
    """web/security.py: the door asks too, though every service behind it does."""
    with app.test_request_context("/questions"):
        g.actor = Actor(1, "Олег Сомов")
        with pytest.raises(Forbidden):
            _admit_device(StaffSession(), "route.view")
        g.actor = Actor(1, "Олег Сомов", frozenset({"manager"}))
        assert _admit_device(StaffSession(), "route.view") is None


def test_logging_out_ends_the_device_and_the_head_can_too(phone, visitor, enter, database, cast, route_id):
    head = enter("head")
    page = head.get(f"/devices/of/{cast.curator.staff_id}")
    assert "Олег Сомов" in page.text
    with database.read.begin() as session:
        device_id = session.scalars(select(StaffSession.id)).one()
    assert enter("smm").get(f"/devices/of/{cast.curator.staff_id}").status_code == 403
    assert enter("smm").post(f"/devices/{device_id}/end").status_code in (302, 403)
    assert phone.get("/questions").status_code == 200
    head.post(f"/devices/{device_id}/end")
    assert "/login" in phone.get("/questions").location


def test_a_device_at_rest_for_thirty_days_is_forgotten(phone, database):
    with database.write.begin() as session:
        session.scalars(select(StaffSession)).one().seen_at = utc_now() - timedelta(days=31)
    assert "/login" in phone.get("/questions").location


def test_a_device_in_use_is_remembered_on(phone, database):
    with database.write.begin() as session:
        session.scalars(select(StaffSession)).one().seen_at = utc_now() - timedelta(days=29)
    answer = phone.get("/questions")
    assert any("_device=" in one for one in answer.headers.getlist("Set-Cookie"))
    with database.read.begin() as session:
        assert session.scalars(select(StaffSession)).one().seen_at > utc_now() - timedelta(minutes=1)


def test_the_pin_is_asked_for_again_after_a_rest(phone, route_id, monkeypatch):
    assert phone.post("/devices/pin", pin="4711").status_code == 302
    assert phone.get("/questions").status_code == 200
    with phone.client.session_transaction() as session:
        session["unlocked"] = [session["unlocked"][0], 0]
    assert "/devices/unlock" in phone.get(f"/questions/{route_id}").location
    assert phone.post("/devices/unlock", pin="1111").status_code == 422
    assert phone.post("/devices/unlock", pin="4711", next="//evil.example").location == "/"
    assert phone.get("/questions").status_code == 200


def test_photo_and_voice_go_along_and_only_they(phone, database, route_id, enter):
    def send(name: str, content: bytes, text: str = ""):
        data = {"csrf_token": phone.token(), "text": text, "files": (BytesIO(content), name)}
        return phone.client.post(f"/questions/{route_id}/answer", data=data, content_type="multipart/form-data")

    assert send("page.svg", b"<svg onload=alert(1)>").status_code == 422
    assert send("run.exe", b"MZ").status_code == 422
    assert send("снимок.html", PNG).status_code == 302
    with database.read.begin() as session:
        file = session.scalars(select(RouteFile)).one()
        assert (file.name, file.content_type) == ("снимок.png", "image/png")
        assert session.get_one(Route, route_id).answer == "Ответ в приложенных файлах."
    for who, status in (("smm", 200), ("curator", 200), ("tech", 404)):
        answer = enter(who).get(f"/questions/photos/{file.id}")
        assert answer.status_code == status
    shown = enter("smm").get(f"/questions/photos/{file.id}")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    with database.read.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
    assert "снимок.png" in enter("smm").get(f"/inbox/{case_id}").text


def test_this_is_not_for_me_goes_to_a_colleague(phone, database, cast, route_id):
    from services.accounts import create_staff
    from services.rights import DESK

    with database.write.begin() as session:
        nina = create_staff(session, DESK, email="nina@school.example", name="Нина Рябинина", roles=("manager",),
                            department="curators").id  # fmt: skip
    assert "Нина Рябинина" in phone.get(f"/questions/{route_id}").text
    phone.post(f"/questions/{route_id}/decline", better=f"p{nina}")
    with database.read.begin() as session:
        route = session.get_one(Route, route_id)
        assert (route.staff_id, route.state) == (nina, "opened")
    assert "Когда?" not in phone.get("/questions").text


def test_the_administrator_chooses_the_mail_and_sees_its_fate(enter, database, cast, desk):
    head = enter("head")
    assert "Писем пока нет" in head.get("/settings/mail").text
    assert enter("smm").get("/settings/mail").status_code == 403
    bad = head.post("/settings/mail", address="нет", smtp_host="smtp.example")
    assert bad.status_code == 422
    good = {
        "address": "desk@school.example",
        "smtp_host": "smtp.example",
        "smtp_port": "465",
        "smtp_security": "tls",
    }
    assert head.post("/settings/mail", password="тайна-7", **good).status_code == 302
    assert head.post("/settings/mail", from_name="Школа", **good).status_code == 302
    page = head.get("/settings/mail").text
    assert "Школа" in page
    assert "тайна" not in page
    moved = head.post("/settings/mail", **{**good, "smtp_host": "evil.example"})
    assert moved.status_code == 422  # the password does not go along to another server
    head.post("/settings/mail/test")
    assert "Проверка" in head.get("/settings/mail").text
