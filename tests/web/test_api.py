"""The API by its own document: each answer fits it, keys open what they say, the rules are those of the screens."""

import re

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from models import Act, ApiKey, Case, Event, Reply, Route, Staff
from services import replies
from services.api_keys import SCOPES
from services.hooks import Patience
from services.outreach import begin, way_to_publication
from services.parting import split_off
from services.routing import ask_department
from services.satisfaction import save_asking
from tests.services.test_cases import label_all
from tests.web.program import Program, put_key
from web.api import gate, views
from web.api.document import numbers_of
from web.api.endpoints import ENDPOINTS
from web.matrix import MATRIX
from web.throttle import Throttle

READ, WRITE = "cases:read", "replies:write"


@pytest.fixture(autouse=True)
def fresh_pace(monkeypatch):
    monkeypatch.setattr(gate, "pace", Patience(most=300, seconds=60))
    monkeypatch.setattr(gate, "wrong", Throttle(most=30, seconds=600))


@pytest.fixture
def program(app, database, cast):
    def _program(actor=None, *scopes: str, secret: str | None = None) -> Program:
        return Program(
            app.test_client(), put_key(database, actor or cast.smm, *scopes) if secret is None else secret
        )

    return _program


@pytest.fixture
def route_id(cast, database, open_case):
    def _route_id(unit: str = "curators", text: str = "Когда проверят? Мой телефон +7 912 345-67-89") -> int:
        case_id = open_case(text)
        with database.write.begin() as session:
            return ask_department(
                session, cast.smm, case_id, cast.departments[unit], f"Вопрос {unit}?", f"r-{unit}"
            ).id

    return _route_id


def raise_unique(*given):
    raise IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed: reply.form_key"))


def only(database, table):
    with database.read.begin() as session:
        return session.scalars(select(table)).one()


class TestDocument:
    def test_it_is_made_of_the_table_and_sound(self, program):
        document = program(secret="").document
        assert document["openapi"] == "3.1.0"
        operations = [one for methods in document["paths"].values() for one in methods.values()]
        assert sorted(one["operationId"] for one in operations) == sorted(one.name for one in ENDPOINTS)
        for name, schema in document["components"]["schemas"].items():
            Draft202012Validator.check_schema(schema)
            for reference in re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(schema)):
                assert reference in document["components"]["schemas"], name
        for path, methods in document["paths"].items():
            for one in methods.values():
                named = [given["name"] for given in one["parameters"] if given["in"] == "path"]
                assert named == numbers_of(path)
                for given in one["parameters"]:
                    Draft202012Validator.check_schema(given["schema"])

    def test_every_route_of_the_api_is_in_it(self, app, program):
        document = program(secret="").document
        for rule in app.url_map.iter_rules():
            if rule.endpoint.startswith("api.") and rule.endpoint != "api.document":
                path = re.sub(r"<int:(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1"))
                assert set(document["paths"][path]) >= {one.lower() for one in rule.methods - {"HEAD"}}
                assert rule.endpoint in MATRIX

    def test_it_speaks_russian_and_names_the_desk(self, program):
        document = program(secret="").document
        assert document["paths"]["/me"]["get"]["summary"] == "Чей это ключ и что он может"
        assert document["servers"][0]["url"].endswith("/api/v1")


class TestKeys:
    def test_who_comes_without_a_key_is_told_how(self, program):
        answer = program(secret="").get("/me")
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert answer.get_json()["code"] == "key.missing"

    def test_a_cookie_is_no_key(self, app, enter, cast):
        browser = enter("head")
        assert browser.get("/inbox").status_code == 200
        for endpoint in ENDPOINTS:
            address = "/api/v1" + re.sub(r"{\w+}", "1", endpoint.path)
            answer = browser.client.open(address, method=endpoint.method)
            assert answer.status_code == 401, endpoint.name

    def test_no_token_of_forms_is_asked(self, program, open_case):
        assert program().post(f"/cases/{open_case()}/take").status_code == 200

    def test_me(self, program, cast):
        told = program(cast.head, READ).get("/me").get_json()
        assert (told["name"], told["key"]["scopes"]) == ("Марина Котова", [READ])

    def test_whoever_guesses_waits_and_the_right_key_does_not(self, program, cast):
        right, wrong = program(), program(secret="otk_" + "x" * 43)
        for _ in range(30):
            assert wrong.get("/me").get_json()["code"] == "key.unknown"
        answer = wrong.get("/me")
        assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)
        assert right.get("/me").status_code == 200

    def test_one_key_has_its_pace(self, program, monkeypatch):
        monkeypatch.setattr(gate, "pace", Patience(most=3, seconds=60))
        slow, other = program(), program()
        assert [slow.get("/me").status_code for _ in range(4)] == [200, 200, 200, 429]
        assert slow.get("/me").headers["Retry-After"] == "60"
        assert other.get("/me").status_code == 200

    def test_the_use_is_noted_once(self, program, database):
        robot = program()
        for _ in range(3):
            robot.get("/me")
        assert only(database, ApiKey).used_at is not None
        with database.read.begin() as session:
            assert len(session.scalars(select(Event).where(Event.kind == "token.used")).all()) == 1

    def test_a_person_who_must_set_up_the_password_sends_no_robot(self, program, database, cast, desk):
        robot = program()
        with database.write.begin() as session:
            session.get_one(Staff, cast.smm.staff_id).must_change = True
        assert robot.get("/cases").status_code == 200  # by the training door one comes in without a password
        desk.mode = "work"
        answer = robot.get("/cases")
        assert (answer.status_code, answer.get_json()["code"]) == (403, "key.person")

    def test_what_a_program_did_bears_its_key(self, program, database, open_case):
        program().post(f"/cases/{open_case()}/take")
        with database.read.begin() as session:
            events = session.scalars(select(Event).where(Event.kind == "case.assigned")).all()
            assert [event.data["api_key"] for event in events] == [only(database, ApiKey).id]

    def test_a_full_disk_reads_on(self, program, desk, open_case):
        case_id, robot = open_case(), program()
        desk.room.note_full()
        assert robot.get(f"/cases/{case_id}").status_code == 200
        answer = robot.post(f"/cases/{case_id}/take")
        assert (answer.status_code, answer.get_json()["code"]) == (503, "disk.full")


class TestScopes:
    BODIES = {  # noqa: RUF012
        "assign_case": {"staff_id": None}, "close_case": {"reason": "other"}, "write_reply": {"text": "Да."},
        "ask_department": {"department": "curators", "question": "Да?"}, "answer_question": {"text": "Да."},
        "decline_question": {"reason": "не наш"},
    }  # fmt: skip

    def ask(self, robot, endpoint, number=1):
        path = re.sub(r"{\w+}", str(number), endpoint.path)
        body = self.BODIES.get(endpoint.name, {}) if endpoint.body else None
        return robot.call(endpoint.method, path, body, "once" if endpoint.once else "")

    @pytest.mark.parametrize("scope", SCOPES)
    def test_a_key_opens_what_its_scope_names(self, program, cast, scope, route_id):
        route_id()
        robot = program(cast.head, scope)
        for endpoint in ENDPOINTS:
            answer = self.ask(robot, endpoint)
            lacks = bool(endpoint.scopes) and scope not in endpoint.scopes
            refused = answer.status_code == 403 and answer.get_json()["code"] == "key.scope"
            assert refused is lacks, (endpoint.name, answer.text)
            assert lacks or answer.status_code != 403, (endpoint.name, answer.text)

    @pytest.mark.parametrize("who", ["smm", "curator", "head"])
    def test_a_key_with_all_scopes_opens_what_its_person_may(self, program, cast, who, route_id):
        route_id()
        actor = getattr(cast, who)
        robot = program(actor)
        for endpoint in ENDPOINTS:
            need = MATRIX[f"api.{endpoint.name}"]
            allowed = need == "any_staff" or actor.may(need)
            assert (self.ask(robot, endpoint).status_code != 403) is allowed, endpoint.name

    def test_a_role_that_was_taken_is_taken_from_the_key(self, program, cast, database):
        robot = program()
        assert robot.get("/cases").status_code == 200
        with database.write.begin() as session:
            staff = session.get_one(Staff, cast.smm.staff_id)
            staff.roles.clear()
        answer = robot.get("/cases")
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")

    def test_an_endpoint_without_a_row_is_shut(self, program, monkeypatch):
        """web/api/gate.py"""
        monkeypatch.delitem(gate._SCOPES, "api.list_cases")
        answer = program(None, READ).get("/cases")
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")


class TestCases:
    def test_pages_go_by_cursor_and_meet_everything_once(self, program, open_case):
        ids = [open_case(f"Когда урок {number}?", f"Автор {number}") for number in range(7)]
        robot, met, cursor = program(), [], {}
        while True:
            page = robot.get("/cases", limit=3, **cursor).get_json()
            met += [case["id"] for case in page["items"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert met == ids[::-1]

    def test_the_filters_are_those_of_the_inbox(self, program, open_case, cast):
        asked, angry = open_case("Когда урок?"), open_case("Сайт не работает", "Пётр")
        robot = program(None, READ, "cases:write")
        robot.post(f"/cases/{angry}/take")

        def met(**query):
            return [case["id"] for case in robot.get("/cases", **query).get_json()["items"]]

        assert met(label="complaint") == [angry]
        assert met(unassigned="true") == [asked]
        assert met(mine="1") == [angry]
        assert met(any="label:question|-label:complaint") == [asked]
        assert met(stage="closed") == []

    @pytest.mark.parametrize(
        "query",
        [{"stage": "old"}, {"limit": "0"}, {"limit": "101"}, {"labels": "question"}, {"source": "-1"},
         {"cursor": "x"}, {"any": "label:nothing"}, {"any": "size:5|label:question"}, {"mine": "perhaps"}],
    )  # fmt: skip
    def test_what_is_not_understood_is_refused_and_widens_nothing(self, program, open_case, query):
        open_case()
        assert program().get("/cases", **query).status_code == 422

    def test_one_with_its_messages(self, program, open_case, cast):
        case_id = open_case("Когда вебинар?")
        told = program().get(f"/cases/{case_id}").get_json()
        assert (told["text"], told["source"]["platform"]) == ("Когда вебинар?", "wordpress")
        assert [one["text"] for one in told["messages"]] == ["Когда вебинар?"]
        assert told["url"].endswith(f"/inbox/{case_id}")
        assert program().get(f"/cases/{case_id}/messages").get_json()["items"] == told["messages"]

    def test_a_case_of_a_part_of_a_message_shows_the_part(self, program, open_case, database, cast):
        case_id = open_case("Когда урок? И почему не работает сайт?")
        with database.write.begin() as session:
            message_id = session.get_one(Case, case_id).first_message_id
            part = split_off(session, cast.smm, case_id, message_id, "почему не работает сайт?", "s", None).id
        told = program().get(f"/cases/{part}").get_json()
        assert told["text"] == "почему не работает сайт?"
        assert [one["in_case"] for one in told["messages"]] == [True]

    def test_contacts_are_shown_as_the_role_says(self, program, open_case, cast):
        case_id = open_case("Когда перезвоните на +7 912 345-67-89?")
        assert "912 345" not in program().get(f"/cases/{case_id}").text
        assert "912 345" not in program().get("/cases").text
        assert "+7 912 345-67-89" in program(cast.head).get(f"/cases/{case_id}").text
        assert "912 345" in program(cast.head, READ).get("/cases").text

    def test_what_is_not_there_is_told_of_in_the_desks_words(self, program):
        answer = program().get("/cases/77")
        assert (answer.status_code, answer.get_json()["code"]) == (404, "case.unknown")
        assert program().get("/cases/99999999999999999999").status_code == 404
        assert program().get("/nothing").get_json()["code"] == "api.not_found"
        assert program().client.delete("/api/v1/cases").get_json()["code"] == "api.method"

    def test_taken_assigned_closed_reopened(self, program, open_case, cast):
        case_id, robot = open_case(), program()
        assert robot.post(f"/cases/{case_id}/take").get_json()["assignee"]["name"] == "Дарья Лис"
        assert robot.post(f"/cases/{case_id}/assign", {"staff_id": cast.head.staff_id}).get_json()["assignee"] == {
            "id": cast.head.staff_id, "name": "Марина Котова",
        }  # fmt: skip
        assert robot.post(f"/cases/{case_id}/assign", {"staff_id": cast.curator.staff_id}).status_code == 404
        assert robot.post(f"/cases/{case_id}/assign", {"staff_id": None}).get_json()["assignee"] is None
        closed = robot.post(f"/cases/{case_id}/close", {"reason": "no_answer_needed"}).get_json()
        assert (closed["stage"], closed["close_reason"]) == ("closed", "no_answer_needed")
        assert robot.post(f"/cases/{case_id}/reopen").get_json()["stage"] == "work"
        assert robot.post(f"/cases/{case_id}/close", {"reason": "because"}).get_json()["code"] == "case.reason"

    def test_who_looked_at_an_older_state_is_told(self, program, open_case):
        case_id, robot = open_case(), program()
        version = robot.get(f"/cases/{case_id}").get_json()["version"]
        assert robot.post(f"/cases/{case_id}/take", {"version": version}).status_code == 200
        answer = robot.post(f"/cases/{case_id}/close", {"reason": "other", "version": version})
        assert (answer.status_code, answer.get_json()["code"]) == (409, "case.stale")
        assert answer.get_json()["detail"] == "Обращение тем временем изменили: прочитайте его заново."

    @pytest.mark.parametrize(
        ("body", "kind", "status"),
        [(b"", "application/json", 422), (b"{", "application/json", 422), (b"[]", "application/json", 422),
         (b"\xff", "application/json", 422), (b'{"reason":"other","x":1}', "application/json", 422),
         (b'{"reason":"\\ud800"}', "application/json", 422), (b"reason=other", None, 415),
         (b"{}" + b" " * 600_000, "application/json", 413)],
    )  # fmt: skip
    def test_a_body_that_is_none(self, program, open_case, body, kind, status):
        robot, path = program(), f"/cases/{open_case()}/close"
        headers = {"Authorization": f"Bearer {robot.secret}"}
        answer = robot.client.post(f"/api/v1{path}", data=body, content_type=kind, headers=headers)
        robot.check("POST", path, answer)
        assert answer.status_code == status, answer.text


class TestReplies:
    def test_a_reply_goes_through_the_ledger_and_its_state_is_told(self, program, open_case, database, cast):
        case_id, robot = open_case(), program(None, WRITE)
        answer = robot.post(f"/cases/{case_id}/replies", {"text": "Завтра в семь."}, "k-1")
        told = answer.get_json()
        assert (answer.status_code, told["state"]) == (201, "held")
        act = only(database, Act)
        assert (act.text, act.staff_id, act.reply_id) == ("Завтра в семь.", cast.smm.staff_id, told["id"])
        assert robot.get(f"/replies/{told['id']}").get_json() == told
        with database.read.begin() as session:
            assert session.get_one(Case, case_id).stage == "closed"

    def test_the_same_key_twice_is_one_reply_whichever_key_of_the_person_sends_it(
        self, program, open_case, database
    ):
        case_id = open_case()
        first, second = program(None, WRITE), program(None, WRITE)
        told = [one.post(f"/cases/{case_id}/replies", {"text": "Да."}, "k") for one in (first, second, first)]
        assert {one.status_code for one in told} == {201}
        assert len({one.get_json()["id"] for one in told}) == 1
        only(database, Reply)

    def test_the_same_key_is_one_reply_also_where_the_author_is_asked_for_a_mark(
        self, program, cast, database, open_case
    ):
        with database.write.begin() as session:
            save_asking(
                session, cast.head, mail=True, messages=True, text="Оцените:", address="https://desk.example"
            )
        cast.private("Оплатил, а доступа нет")
        label_all(database)
        with database.read.begin() as session:
            case_id = session.scalars(select(Case.id).where(Case.visibility == "private")).one()
        told = [program().post(f"/cases/{case_id}/replies", {"text": "Открыли."}, "k") for _ in range(2)]
        assert [one.status_code for one in told] == [201, 201]
        assert "https://desk.example/o/" in only(database, Reply).text

    def test_the_same_key_for_something_else_is_refused(self, program, open_case, database):
        robot, one, other = program(), open_case(), open_case("Когда урок?", "Пётр")
        robot.post(f"/cases/{one}/replies", {"text": "Да."}, "k")
        for case_id, text in ((one, "Нет."), (other, "Да.")):
            answer = robot.post(f"/cases/{case_id}/replies", {"text": text}, "k")
            assert (answer.status_code, answer.get_json()["code"]) == (422, "api.key_reused")
        only(database, Reply)

    def test_two_people_may_use_one_word(self, program, open_case, cast, database):
        one, other = open_case(), open_case("Когда урок?", "Пётр")
        assert program().post(f"/cases/{one}/replies", {"text": "Да."}, "k").status_code == 201
        assert program(cast.head).post(f"/cases/{other}/replies", {"text": "Да."}, "k").status_code == 201

    @pytest.mark.parametrize("once", ["", "с пробелом", "x" * 201])
    def test_without_a_key_nothing_is_written(self, program, open_case, once, database):
        robot, path = program(), f"/cases/{open_case()}/replies"
        headers = {"Authorization": f"Bearer {robot.secret}", "Idempotency-Key": once.encode().decode("latin-1")}
        answer = robot.client.post(f"/api/v1{path}", json={"text": "Да."}, headers=headers)
        robot.check("POST", path, answer)
        assert (answer.status_code, answer.get_json()["code"]) == (400, "api.key_missing")
        with database.read.begin() as session:
            assert session.scalars(select(Reply)).all() == []

    def test_the_rules_are_those_of_the_screen(self, program, open_case, database, cast):
        robot, case_id = program(), open_case()
        assert robot.post(f"/cases/{case_id}/replies", {"text": "  "}, "a").get_json()["code"] == "text.empty"
        late = {"text": "Да.", "send_at": "2020-01-01T00:00:00Z"}
        assert robot.post(f"/cases/{case_id}/replies", late, "b").get_json()["code"] == "reply.time"
        other = {"text": "Да.", "message_id": 10**9}
        assert robot.post(f"/cases/{case_id}/replies", other, "c").status_code == 404
        with database.write.begin() as session:
            session.get_one(Staff, cast.smm.staff_id).trainee = True
        assert robot.post(f"/cases/{case_id}/replies", {"text": "Да."}, "d").get_json()["state"] == "approval"

    def test_where_we_write_first_there_is_no_message(self, program, open_case, database, cast):
        case_id = open_case()
        with database.write.begin() as session:
            publication_id = session.get_one(Case, case_id).publication_id
            way = way_to_publication(session, cast.smm, publication_id)
            ours = begin(session, cast.smm, [way], way.key).id
        robot = program(None, READ, WRITE)
        assert robot.get(f"/cases/{ours}").get_json()["messages"] == []
        told = robot.post(f"/cases/{ours}/replies", {"text": "Запись уже в кабинете."}, "k").get_json()
        assert (told["message_id"], told["state"]) == (None, "held")
        assert robot.get("/cases", stage="closed").get_json()["items"][0]["text"] == "Запись уже в кабинете."

    def test_one_key_at_one_moment_for_two_cases_is_refused(self, program, open_case, monkeypatch):
        one, other, robot = open_case(), open_case("Когда урок?", "Пётр"), program()
        robot.post(f"/cases/{one}/replies", {"text": "Да."}, "k")
        monkeypatch.setattr(
            views, "reply_by_form", lambda session, form_key: None
        )  # as both looked, none was there
        monkeypatch.setattr(replies, "same_form", raise_unique)
        answer = robot.post(f"/cases/{other}/replies", {"text": "Да."}, "k")
        assert (answer.status_code, answer.get_json()["code"]) == (422, "api.key_reused")

    def test_a_reply_that_is_not_there(self, program):
        assert program().get("/replies/5").get_json()["code"] == "reply.unknown"


class TestRoutes:
    def test_a_department_is_asked_once_and_answers(self, program, open_case, cast, database):
        case_id, robot = open_case("Когда проверят?"), program()
        body = {"department": "curators", "question": "Когда?", "urgent": True}
        first = robot.post(f"/cases/{case_id}/routes", body, "q")
        assert (first.status_code, first.get_json()["state"]) == (201, "sent")
        assert robot.post(f"/cases/{case_id}/routes", body, "q").get_json()["id"] == first.get_json()["id"]
        only(database, Route)
        curator = program(cast.curator)
        mine = curator.get("/routes").get_json()["items"]
        assert [(one["question"], one["case_id"]) for one in mine] == [("Когда?", None)]
        route_id = mine[0]["id"]
        assert curator.get(f"/routes/{route_id}").get_json()["lines"][0]["name"] == "Анна"
        for _ in range(2):
            told = curator.post(f"/routes/{route_id}/answer", {"text": "Завтра."})
            assert (told.status_code, told.get_json()["state"]) == (200, "answered")
        assert curator.post(f"/routes/{route_id}/answer", {"text": "Послезавтра."}).status_code == 422
        assert curator.get("/routes").get_json()["items"] == []
        assert len(curator.get("/routes", done="true").get_json()["items"]) == 1
        told = robot.get(f"/cases/{case_id}/routes").get_json()["items"]
        assert [(one["answer"], one["department"]) for one in told] == [("Завтра.", "curators")]

    def test_of_another_department_there_is_nothing(self, program, cast, route_id):
        theirs = route_id("technical")
        curator = program(cast.curator)
        assert curator.get(f"/routes/{theirs}").status_code == 404
        assert curator.post(f"/routes/{theirs}/answer", {"text": "Да."}).status_code == 404
        assert curator.post(f"/routes/{theirs}/decline", {"reason": "не мы"}).status_code == 404
        assert curator.get("/routes").get_json()["items"] == []
        assert curator.get("/cases/1").status_code == curator.get("/cases/77").status_code == 403

    def test_a_department_sees_no_contacts(self, program, cast, route_id):
        told = program(cast.curator).get(f"/routes/{route_id()}").text
        assert "912 345" not in told
        assert "•••" in told

    def test_it_is_handed_back(self, program, cast, route_id):
        curator, mine = program(cast.curator), route_id()
        assert curator.post(f"/routes/{mine}/decline", {"department": "nobody"}).status_code == 404
        assert curator.post(f"/routes/{mine}/decline", {}).status_code == 422
        told = curator.post(f"/routes/{mine}/decline", {"department": "technical"}).get_json()
        assert told["state"] == "declined"

    def test_departments_are_named_by_their_codes(self, program, cast):
        codes = [one["code"] for one in program(cast.curator).get("/departments").get_json()["items"]]
        assert set(codes) == set(cast.departments)

    def test_who_may_lead_a_case(self, program, cast):
        names = {one["name"] for one in program().get("/staff").get_json()["items"]}
        assert names == {"Марина Котова", "Дарья Лис"}
