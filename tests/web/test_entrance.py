"""Who gets in: the matrix, the password, its lock, the training doors, the token of forms, the headers."""

import gzip
import re

import httpx
import pytest
from flask import request
from sqlalchemy import select

from cli.up import serve
from models import Staff
from services.accounts import reset_password
from services.rights import ACTS
from web import create_app
from web.matrix import ANY_STAFF, MATRIX, PUBLIC


def test_every_address_has_a_row_and_every_row_an_address(app):
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert endpoints == set(MATRIX)


def test_the_matrix_speaks_the_words_of_rights():
    assert set(MATRIX.values()) <= ACTS | {PUBLIC, ANY_STAFF}


def addresses(app, method):
    """(endpoint, an address of it) for all that is not public; what asks for a key is tested in test_api."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("api."):
            continue
        if method in rule.methods and MATRIX[rule.endpoint] != PUBLIC:
            plain = re.sub(r"<int:\w+>", "1", rule.rule)
            plain = re.sub(r"<any\((\w+)[^>]*>", r"\1", plain)
            yield rule.endpoint, re.sub(r"<[^>]*>", "x", plain)


def test_a_stranger_is_sent_to_the_login_from_everywhere(app, visitor):
    for endpoint, address in addresses(app, "GET"):
        answer = visitor.get(address)
        if endpoint == "live.stream":
            assert answer.status_code == 401
        else:
            assert (answer.status_code, "/login" in answer.location) == (302, True), address


def test_a_stranger_changes_nothing(app, visitor):
    for _endpoint, address in addresses(app, "POST"):
        answer = visitor.post(address)
        assert answer.status_code == 302, address
        assert "/login" in answer.location, address


def test_a_curator_has_no_inbox(enter):
    curator = enter("curator")
    assert curator.get("/inbox").status_code == 403
    assert curator.get("/inbox", htmx=True).status_code == 403


def test_a_fragment_of_a_stranger_leads_the_whole_page_to_the_login(visitor):
    answer = visitor.get("/inbox", htmx=True)
    assert answer.headers["HX-Redirect"].startswith("/login")


def test_the_wanted_page_comes_after_the_login(visitor, password):
    answer = visitor.post("/login", email="smm@school.example", password=password, next="/rest")
    assert answer.location == "/rest"


@pytest.mark.parametrize("address", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:1"])
def test_a_login_never_leads_out_of_the_desk(visitor, password, address):
    answer = visitor.post("/login", email="smm@school.example", password=password, next=address)
    assert answer.location == "/"


def test_a_wrong_password_and_a_wrong_address_look_alike(visitor, password):
    wrong = visitor.log_in("smm@school.example", "not it")
    unknown = visitor.log_in("nobody@school.example", "not it")
    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert "Почта или пароль не подходят" in wrong.text
    assert "Почта или пароль не подходят" in unknown.text


def test_ten_misses_close_the_entrance(visitor, password):
    for _ in range(10):
        visitor.log_in("smm@school.example", "not it")
    assert visitor.log_in("smm@school.example").status_code == 422


def test_leaving_ends_the_session(smm):
    assert smm.get("/inbox").status_code == 200
    smm.post("/logout")
    assert smm.get("/inbox").status_code == 302


def test_a_new_session_key_ends_every_session(smm, database):
    with database.write.begin() as session:
        staff = session.scalars(select(Staff).where(Staff.email == "smm@school.example")).one()
        reset_password(session, staff, "другой пароль", must_change=False)
    assert smm.get("/inbox").status_code == 302


def test_a_made_password_must_be_changed_first(enter, visitor, database):
    with database.write.begin() as session:
        staff = session.scalars(select(Staff).where(Staff.email == "smm@school.example")).one()
        reset_password(session, staff, "сделан за неё")
    visitor.log_in("smm@school.example", "сделан за неё")
    assert visitor.get("/inbox").location == "/password"
    short = visitor.post("/password", old="сделан за неё", new="семь777", again="семь777")
    assert short.status_code == 422
    assert "от 8 до 200" in short.text
    differ = visitor.post("/password", old="сделан за неё", new="восемь знаков", again="восемь знаков!")
    assert "не совпадают" in differ.text
    assert (
        visitor.post("/password", old="сделан за неё", new="восемь знаков", again="восемь знаков").location == "/"
    )
    assert visitor.get("/inbox").status_code == 200


class TestTrainingDoors:
    def test_open_on_loopback(self, visitor):
        assert "Войти как" not in visitor.get("/login").text
        assert visitor.get("/login").text.count("/login/as/") == 5
        assert visitor.post("/login/as/smm").location == "/"
        assert visitor.get("/inbox").status_code == 200

    def test_shut_for_strangers(self, visitor):
        token = visitor.token()
        answer = visitor.client.post(
            "/login/as/smm", data={"csrf_token": token}, environ_base={"REMOTE_ADDR": "10.0.0.7"}
        )
        assert answer.status_code == 404

    def test_shut_behind_a_proxy(self, visitor):
        token = visitor.token()
        answer = visitor.client.post(
            "/login/as/smm", data={"csrf_token": token}, headers={"X-Forwarded-For": "127.0.0.1"}
        )
        assert answer.status_code == 404

    def test_shut_on_the_work_desk(self, desk, visitor):
        desk.mode = "work"
        assert visitor.post("/login/as/smm").status_code == 404
        assert "/login/as/" not in visitor.get("/login").text

    def test_no_other_roles(self, visitor):
        assert visitor.post("/login/as/administrator").status_code == 404


def test_a_form_without_the_token_is_refused(smm):
    answer = smm.client.post("/inbox/1/close", data={"reason": "spam"})
    assert answer.status_code == 400
    assert "Страница устарела" in answer.text


def test_headers_of_a_page(smm):
    answer = smm.get("/inbox")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy  # so that scripts follow default-src: files of ours only
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_the_cookie_belongs_to_one_desk_and_to_no_script(visitor, password):
    cookie = visitor.log_in("smm@school.example").headers["Set-Cookie"]
    assert cookie.startswith("otklik_training=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_files_are_kept_under_their_version_only(visitor):
    page = visitor.get("/login").text
    address = next(part for part in page.split('"') if part.endswith("css/otklik.css"))
    assert "immutable" in visitor.get(address).headers["Cache-Control"]
    assert visitor.get("/static/old/css/otklik.css").headers["Cache-Control"] == "no-cache"
    assert visitor.get("/static/old/../matrix.py").status_code == 404


def test_styles_and_scripts_come_packed_to_whoever_takes_them_so(visitor):
    page = visitor.get("/login").text
    for ending, kind in (
        ("css/otklik.css", "text/css"),
        ("js/app.js", "javascript"),
        ("tabler.min.css", "text/css"),
    ):
        address = next(part for part in page.split('"') if part.endswith(ending))
        plain = visitor.client.get(address)
        whole = plain.data
        thin = visitor.client.get(address, headers={"Accept-Encoding": "gzip, br"})
        assert plain.headers.get("Content-Encoding") is None
        plain.close()  # a file is sent as it is read
        assert thin.headers["Content-Encoding"] == "gzip"
        assert kind in thin.headers["Content-Type"]
        assert gzip.decompress(thin.data) == whole
        assert "Accept-Encoding" in thin.headers["Vary"]
    packed = {"headers": {"Accept-Encoding": "gzip"}}
    assert visitor.client.get("/static/old/../matrix.py", **packed).status_code == 404
    assert visitor.client.get("/static/old/js/none.js", **packed).status_code == 404


def test_all_modules_of_a_page_are_asked_for_at_once(smm):
    page = smm.get("/inbox").text
    named = re.findall(r'rel="modulepreload" href="/static/\w+/([^"]+)"', page)
    assert {"js/inbox.js", "js/keys.js", "js/ahead.js", "vendor/tinykeys.mjs"} <= set(named)


def test_no_page_has_a_script_of_its_own_or_asks_a_foreign_host(smm, open_case):
    case_id = open_case()
    for address in ("/inbox", f"/inbox/{case_id}", "/rest", "/password"):
        page = smm.get(address).text
        assert "<script>" not in page
        assert " onclick=" not in page
        assert 'src="http' not in page
        assert '<link rel="stylesheet" href="http' not in page


class TestProxies:
    def seen_by(self, desk, trusted):
        desk.config.web.trusted_proxies = trusted
        app = create_app(desk)
        with app.test_client() as client:
            client.get("/health", headers={"X-Forwarded-For": "10.9.8.7"})
            return request.remote_addr

    def test_a_named_proxy_is_believed(self, desk):
        assert self.seen_by(desk, ["127.0.0.1"]) == "10.9.8.7"

    @pytest.mark.parametrize("trusted", [["127.0.0.1"], ["10.0.0.1"], []])
    def test_behind_a_proxy_nothing_is_local(self, desk, trusted):
        """By the real server: it must not take the headers away by which a visit through a proxy is known."""
        desk.config.web.trusted_proxies, desk.config.web.port = trusted, 0
        stop = serve(desk, desk.config)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{desk.port}", trust_env=False) as client:
                assert client.get("/metrics").status_code == 200
                assert 'class="doors"' in client.get("/login").text
                for name in ("X-Forwarded-For", "Forwarded", "X-Real-Ip"):
                    told = {name: "for=10.9.8.7" if name == "Forwarded" else "10.9.8.7"}
                    assert client.get("/metrics", headers=told).status_code == 404
                    assert 'class="doors"' not in client.get("/login", headers=told).text
        finally:
            stop()

    def test_nobody_else_is(self, desk):
        assert self.seen_by(desk, ["10.0.0.1"]) == "127.0.0.1"
        assert self.seen_by(desk, []) == "127.0.0.1"
