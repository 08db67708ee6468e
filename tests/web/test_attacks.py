"""What went wrong at others: forms without a token, looks that change, ways out, fields that nobody asked for."""

import itertools
import re

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import inspect, select

from models import ApiKey, Base, Case, Department, Route, Source, Staff, VisitedPlace, Webhook
from services.accounts import find_by_email
from services.hooks import Patience
from services.routing import ask_department
from tests.web.program import Program, put_key
from web.addresses import safe_next
from web.api import gate
from web.api.endpoints import ENDPOINTS
from web.matrix import ANY_STAFF, MATRIX, PUBLIC

WITHOUT_TOKEN = {"hooks.receive", "hooks.send", "hooks.page", "presence.note"}
"""Public doors of machines, which bear a secret of their own."""
HOSTS = ("evil.example", "evil.example:443", "evil.example@desk.example", "evil%2eexample", "xn--e1awd7f.example")
SLASHES = (
    "//", "///", "/\\", "\\\\", "\\/", "/\t/", "/%09/", "/ /", "http://", "https://", "HtTpS://", "https:/",
    "https:", "//\\", "/.//", "ftp://", "javascript://", "data:text/html,",
    "\u2044\u2044", "\uff0f\uff0f", "/\r\n/", "\x00//",
    "////", "/%5c", "/%2f/", "\t//", " //", "//%00", "\n//",
    "@//", "?//", "#//", ".//", ":// ", "//@", "/;//",
    "https:\\\\", "https:///", "//https:", "//.",
)  # fmt: skip


def concrete(rule):
    plain = re.sub(r"<int:\w+>", "1", rule.rule)
    plain = re.sub(r"<any\((\w+)[^>]*>", r"\1", plain)
    return re.sub(r"<[^>]*>", "x", plain)


def test_no_form_is_taken_without_its_token(app, enter, open_case, cast):
    open_case()
    head, asked = enter("head"), 0
    for rule in app.url_map.iter_rules():
        for method in {"POST", "PUT", "PATCH", "DELETE"} & rule.methods:
            need = MATRIX[rule.endpoint]
            if rule.endpoint.startswith("api.") or rule.endpoint in WITHOUT_TOKEN:
                continue
            if need not in (PUBLIC, ANY_STAFF) and not cast.head.may(need):
                continue  # refused for want of the right, before anything is read
            for given in ({}, {"csrf_token": "x"}):
                answer = head.client.open(concrete(rule), method=method, data=given)
                assert answer.status_code in (400, 404), (
                    rule.endpoint,
                    method,
                    answer.status_code,
                    answer.location,
                )
                asked += 1
    assert asked > 300


def counts(database):
    """Table → (rows, the newest id, a sum that changes with any version or state)."""
    with database.read.begin() as session:
        return {
            table.name: tuple(map(str, session.execute(select(table)).all()))
            for table in Base.metadata.sorted_tables
            if table.name not in {"process", "lease", "limit"}
        }


NOTED = {"staff_session", "event", "counter", "draft", "setting"}
"""What a look may leave behind: when a browser was last here, that somebody looked at what is sensitive."""


def test_a_look_changes_nothing(app, enter, open_case, database, cast):
    """Programs that read mail ahead, and pictures in foreign pages, only ever GET."""
    case_id = open_case("Когда урок?")
    with database.write.begin() as session:
        ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда?", "r-1")
    head = enter("head")
    head.get("/")
    before = counts(database)
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods and rule.endpoint not in ("static", "live.stream"):
            answer = head.client.get(concrete(rule), buffered=True)
            assert answer.status_code < 500, (rule.endpoint, answer.status_code)
            after = counts(database)
            changed = {name for name in after if after[name] != before[name]} - NOTED
            assert not changed or rule.endpoint in SEES, (rule.endpoint, changed)
            before = after


SEES = {"department.show", "notices.follow", "home.start"}
"""Opening a question is «увидела», and following a notice has seen it: that is what these pages are for."""


@pytest.mark.parametrize("slashes", SLASHES)
def test_no_spelling_leads_out_of_the_desk(slashes, visitor):
    for host, tail in itertools.product(HOSTS, ("", "/", "/login?x=//a")):
        address = safe_next(slashes + host + tail)
        if address is not None:
            assert re.match(r"/(?![/\\])", address), address
            assert not re.search(r"[\\\x00-\x1f]", address), address


def test_the_login_takes_none_of_them(visitor, password):
    for slashes in SLASHES[:12]:
        answer = visitor.post("/login", email="smm@school.example", password=password, next=slashes + HOSTS[0])
        location = answer.location or "/"
        assert re.match(r"/(?![/\\])", location) or location.startswith("http://localhost/"), location
        visitor.post("/logout")


COLUMNS = sorted({column.key for table in (Case, Route, Staff) for column in inspect(table).column_attrs})
ODD = {"id": 999, "roles": ["administrator"], "role": "administrator", "is_desk": True, "actor": 1}


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if one.body is not None], ids=lambda one: one.name)
def test_a_field_that_nobody_asked_for_is_refused(endpoint, app, database, cast, open_case, monkeypatch):
    monkeypatch.setattr(gate, "pace", Patience(most=10**6, seconds=1))
    case_id = open_case()
    with database.write.begin() as session:
        route = ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда?", "r-1").id
    robot = Program(app.test_client(), put_key(database, cast.head))
    schema = robot.document["paths"][endpoint.path][endpoint.method.lower()]["requestBody"]
    name = schema["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    known = set(robot.document["components"]["schemas"][name]["properties"])
    path = (
        endpoint.path.replace("{case_id}", str(case_id))
        .replace("{route_id}", str(route))
        .replace("{reply_id}", "1")
    )
    before = counts(database)
    for column in [*COLUMNS, *ODD]:
        if column in known:
            continue
        body = {"text": "Да.", "reason": "other", "department": "curators", "question": "Да?", "staff_id": None}
        given = {key: value for key, value in body.items() if key in known} | {column: ODD.get(column, 7)}
        answer = robot.call(endpoint.method, path, given, f"once-{column}" if endpoint.once else "")
        assert answer.status_code == 422, (endpoint.name, column, answer.text)
    changed = {name for name, rows in counts(database).items() if rows != before[name]}
    assert changed <= {"event", "api_key", "api_answer", "api_call"}, changed


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("/profile/password", {}), ("/notifications", {}), ("/inbox/1/close", {"reason": "other"}),
        ("/inbox/1/notes", {"text": "так", "form_key": "n1"}), ("/inbox/1/assign", {"staff_id": ""}),
    ],
)  # fmt: skip
def test_a_form_cannot_write_columns(address, fields, enter, open_case, database):
    open_case()
    smm = enter("smm")
    extra = {"roles": "administrator", "role": "administrator", "is_us": "1", "number": "ОБ-1", "priority": "0",
             "password": "x", "session_key": "x", "must_change": "0", "active": "0", "version_id": "9"}  # fmt: skip
    smm.post(address, **fields, **extra)
    with database.read.begin() as session:
        staff = find_by_email(session, "smm@school.example")
        assert staff is not None
        assert {row.role for row in staff.roles} == {"smm"}
        assert (staff.active, staff.session_key == "x", staff.password == "x") == (True, False, False)
        case = session.get_one(Case, 1)
        assert (case.number.startswith("ОБ-20"), case.priority) == (True, 2)


def test_numbers_of_others_tell_nothing(enter, open_case, database, cast):
    """What is there and not yours looks like what is not there."""
    case_id = open_case()
    with database.write.begin() as session:
        unit = session.scalars(select(Department.id).where(Department.code == "technical")).one()
        route_id = ask_department(session, cast.smm, case_id, unit, "Когда?", "r-1").id
    curator = enter("curator")
    there, nowhere = curator.get(f"/questions/{route_id}"), curator.get("/questions/9999")
    assert there.status_code == nowhere.status_code == 404
    assert without_numbers(there.text) == without_numbers(nowhere.text)
    assert curator.get(f"/inbox/{case_id}").status_code == curator.get("/inbox/9999").status_code == 403


def without_numbers(page):
    """The page without ids and the token of its forms, which bears the second of its making."""
    plain = re.sub(r"[\w-]{20,}\.[\w-]{6}\.[\w-]{20,}", "", page)
    return re.sub(r"\d+|content=\"[^\"]+\"|value=\"[^\"]+\"", "", plain)


def test_of_a_hundred_guesses_ten_are_looked_at(visitor, password, monkeypatch, database, enter):
    """Then nobody's guess is, the right one included; who is in stays in meanwhile."""
    with database.read.begin() as session:
        staff = find_by_email(session, "smm@school.example")
        assert staff is not None
        own = staff.password
    looked = []

    def verify(_self, hashed, _password):
        looked.append(hashed)
        raise VerifyMismatchError

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    assert {visitor.log_in("smm@school.example", f"не то {n}").status_code for n in range(100)} <= {422, 429}
    assert looked.count(own) <= 10
    monkeypatch.undo()
    assert visitor.log_in("smm@school.example").status_code in (422, 429)
    assert enter("head").get("/inbox").status_code == 200


@pytest.mark.parametrize(
    ("table", "address", "fields", "may_change"),
    [
        (ApiKey, "/api-keys/1", {"name": "иначе", "scope": "cases:read"}, {"name"}),
        (ApiKey, "/api-keys/1/revoke", {}, {"revoked_at"}),
        (Webhook, "/settings/api/hooks/1", {"name": "Б", "url": "https://b.example/", "event": "case.closed"},
         {"name", "url", "events"}),
        (Webhook, "/settings/api/hooks/1/off", {}, {"state"}),
        (Source, "/places/1", {"title": "Б", "base_url": "http://127.0.0.1:9/wp-json/", "username": "иначе",
                               "password": "тайна"},
         {"title", "settings", "secrets", "typed", "due_at", "deep_due_at"}),
        (Source, "/places/1/pause", {}, {"state"}),
        (Source, "/places/1/remove", {}, {"state", "removed_at"}),
        (VisitedPlace, "/checks-of-places",
         {"place_id": "1", "title": "Б", "every": "60", "opens": "09:00", "closes": "20:00", "staff_id": "",
          "source_id": ""},
         {"title", "every_minutes", "opens", "closes"}),
    ],
)  # fmt: skip
def test_a_form_of_settings_writes_its_own_fields_alone(table, address, fields, may_change, enter, database, cast):
    """Each column of the row comes along as a field; ``may_change`` is what the form is for."""
    head = enter("head")
    put_key(database, cast.head, "cases:read")
    hook = {"name": "А", "url": "https://a.example/", "event": "case.opened"}
    head.post("/settings/api/hooks/new", **hook)
    head.post("/checks-of-places", title="А", every="120", opens="10:00", closes="21:00")
    before = columns_of(database, table)
    extra = {name: "2" for name in before if name not in ("name", "url", "title", "every_minutes")}
    head.post(address, **{**extra, **fields, "sure": "1"})
    after = columns_of(database, table)
    assert {name for name in after if after[name] != before[name]} == may_change


def columns_of(database, table):
    with database.read.begin() as session:
        row = session.get_one(table, 1)
        return {column.key: getattr(row, column.key) for column in inspect(table).columns}


def test_a_key_of_anothers_looks_like_none(enter, database, cast):
    """By its page, its history and what may be done to it; the administrator's right opens the history alone."""
    put_key(database, cast.head, "cases:read")
    smm, history = enter("smm"), "/settings/history/key:{}"
    for address in ("/api-keys/{}", "/api-keys?like={}", history, f"{history}/1/back"):
        there, nowhere = smm.get(address.format(1)), smm.get(address.format(9999))
        assert there.status_code == nowhere.status_code == 404
        assert without_numbers(there.text) == without_numbers(nowhere.text)
    given = {"name": "р", "scope": "cases:read"}
    for address in ("/api-keys/{}", "/api-keys/{}/revoke", f"{history}/1/back", f"{history}/1/undo"):
        there, nowhere = (smm.post(address.format(one), htmx=True, **given) for one in (1, 9999))
        assert there.status_code == nowhere.status_code == 404
        assert without_numbers(there.text) == without_numbers(nowhere.text)
