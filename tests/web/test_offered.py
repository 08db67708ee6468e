"""What a screen offers whom: people who may do it, numbers and kinds that the looker may see, ways that open.

Each test names the files whose checks it asks for; tests/mutate_rights.py looks there first.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, g, template_rendered
from sqlalchemy import delete

from models import ApiKey, Author, Broadcast, Notice, StaffRole, utc_now
from models.database import Database
from services.accounts import create_staff
from services.crm.clients import create_client
from services.crm.deals import open_deal
from services.entrance import open_login
from services.reports.tables import REPORTS
from services.rights import DESK, RIGHTS, Actor
from services.routing import ask_department
from tests.web.conftest import Visitor
from tests.web.test_entrance import addresses
from web import live
from web.actions import ACTIONS, actions_of
from web.api import views
from web.crm.clients import known_contact, phone_for, timeline_kinds
from web.matrix import ANY_STAFF, MATRIX
from web.navigation import SHORT, menu_of

HEAD, SMM, CURATOR, TECH, SECOND = "Марина Котова", "Дарья Лис", "Олег Сомов", "Тимур Гараев", "Ия Второва"


@pytest.fixture
def shown(app: Flask) -> Iterator[Callable[[], dict[str, Any]]]:
    """What the page asked for last was drawn of."""
    seen: list[dict[str, Any]] = []

    def note(_app: Flask, template: Any, context: dict[str, Any], **_more: Any) -> None:
        seen.append(context)

    with template_rendered.connected_to(note, app):
        yield lambda: {name: value for context in seen for name, value in context.items()}


@pytest.fixture
def ids(cast: Any, database: Database, open_case: Callable[..., int]) -> dict[str, int]:
    """A case with a question to the curators, of whom there are two, a client and a deal."""
    case_id = open_case()
    with database.write.begin() as session:
        create_staff(
            session, DESK, email="second@school.example", name=SECOND, roles=["manager"], department="curators"
        )
        client = create_client(session, cast.head, name="Яр Анна", contact="8 916 123-45-67")
        deal = open_deal(session, cast.smm, client.id, product="Курс")
        route = ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда?", "r1")
        return {"case": case_id, "client": client.id, "deal": deal.id, "route": route.id, "smm": cast.smm.staff_id}


OFFERED = [
    ("web/absences.py", "head", "/staff/away", "heads", {HEAD}),
    ("web/agreement.py", "head", "/settings/agreement", "agreeing", {HEAD}),
    ("web/agreement.py", "head", "/settings/agreement", "others", {SMM}),
    ("web/case_pane.py", "smm", "/inbox/{case}", "pane.people", {HEAD, SMM}),
    ("web/crm/clients.py", "smm", "/clients/{client}/edit", "people", {HEAD, SMM}),
    ("web/crm/deals.py", "smm", "/clients/deals/{deal}", "people", {HEAD, SMM}),
    ("web/department.py", "curator", "/questions/{route}", "others", {SECOND}),
    ("web/inbox.py", "smm", "/inbox", "screen.people", {HEAD, SMM}),
    ("web/rota.py", "head", "/settings/rota", "people", {HEAD, SMM}),
    ("web/staff.py", "head", "/staff/{smm}/off", "heirs", {HEAD}),
]
"""The file, who looks, where, the name of the list, and who stands in it."""


@pytest.mark.parametrize(
    ("who", "address", "name", "people"), [row[1:] for row in OFFERED],
    ids=[f"{row[0]} {row[3]}" for row in OFFERED],
)  # fmt: skip
def test_those_are_offered_who_may_do_it(
    enter: Callable[[str], Visitor], shown: Any, ids: dict[str, int], who: str, address: str, name: str, people: Any
) -> None:
    assert enter(who).get(address.format(**ids)).status_code == 200
    first, _dot, rest = name.partition(".")
    found = shown()[first]
    assert {one.name for one in (getattr(found, rest) if rest else found)} == people


def test_of_each_department_those_are_offered_who_answer_for_it(
    enter: Callable[[str], Visitor], shown: Any, ids: dict[str, int]
) -> None:
    """web/duties.py, web/case_pane.py"""
    enter("head").get("/settings/duties")
    asked = {(unit.code, one.name) for unit, one in shown()["asked"]}
    assert asked == {("curators", CURATOR), ("curators", SECOND), ("technical", TECH)}
    enter("head").get(f"/inbox/{ids['case']}")
    pane = shown()["pane"]
    names = {unit.code: pane.answerers[unit.id].partition(" (")[0] for unit in pane.departments}
    assert {code: said for code, said in names.items() if said} == {
        "curators": f"{SECOND}, {CURATOR}", "technical": TECH,
    }  # fmt: skip


@pytest.fixture
def seen_by(app: Flask, cast: Any) -> Callable[..., Any]:
    """What a function of a screen answers to one of the cast."""

    def _seen_by(who: str, ask: Callable[..., Any], *given: Any) -> Any:
        with app.test_request_context():
            g.actor = getattr(cast, who)
            return ask(*given)

    return _seen_by


def test_numbers_are_masked_and_kinds_left_out(seen_by: Callable[..., Any]) -> None:
    """web/crm/clients.py"""
    author = Author(external_id="phone:79161234567")
    assert "123-45-67" in seen_by("head", phone_for, "+79161234567")
    assert "123-45-67" not in seen_by("smm", phone_for, "+79161234567")
    assert "123-45-67" in seen_by("head", known_contact, author)
    assert "123-45-67" not in seen_by("smm", known_contact, author)
    left_out = set(seen_by("head", timeline_kinds)) - set(seen_by("smm", timeline_kinds))
    assert left_out


def test_a_program_gets_what_its_person_sees(cast: Any, database: Database, ids: dict[str, int]) -> None:
    """web/api/views.py"""
    call: Any = None
    with database.read.begin() as session:
        assert {one.name for one in views.people(session, cast.smm, call).items} == {HEAD, SMM}
    text = "Позвоните +7 916 123-45-67"
    assert views._shown(cast.head)(text) == text
    assert "123-45-67" not in views._shown(cast.smm)(text)


def test_the_sheet_of_keys_holds_what_one_may_do(cast: Any) -> None:
    """web/actions.py"""
    assert len(actions_of(cast.smm)) == len(ACTIONS)
    assert {one.act for one in actions_of(cast.curator)} == {None}


def test_reports_of_money_are_for_who_may_see_them(
    enter: Callable[[str], Visitor], shown: Any, database: Database, cast: Any
) -> None:
    """web/report_tables.py"""
    enter("head").get("/reports/all")
    assert set(shown()["reports"]) == set(REPORTS)
    with database.write.begin() as session:
        session.execute(delete(StaffRole).where(StaffRole.staff_id == cast.smm.staff_id))
        session.add(StaffRole(staff_id=cast.smm.staff_id, role="observer"))
    enter("smm").get("/reports/all")
    assert set(shown()["reports"]) == {code for code, one in REPORTS.items() if one.right in RIGHTS["observer"]}
    assert len(shown()["reports"]) < len(REPORTS)


def test_cases_of_a_figure_are_given_over_by_who_may_assign(
    enter: Callable[[str], Visitor], shown: Any, database: Database, cast: Any
) -> None:
    """web/reports.py"""
    with database.write.begin() as session:
        session.execute(delete(StaffRole).where(StaffRole.staff_id == cast.smm.staff_id))
        session.add(StaffRole(staff_id=cast.smm.staff_id, role="director"))
    for who, may in (("head", True), ("smm", False)):
        assert enter(who).get("/reports/cases/late_now").status_code == 200
        assert shown()["acts"] is may


def test_a_notice_leads_where_its_reader_may_go(
    enter: Callable[[str], Visitor], database: Database, cast: Any, ids: dict[str, int]
) -> None:
    """web/notices.py"""
    broadcast = Broadcast(
        kind="webinar", title="Разбор", state="live", starts_at=utc_now(), ends_at=utc_now() + timedelta(hours=1)
    )
    with database.write.begin() as session:
        session.add(broadcast)
        session.flush()
        air = broadcast.id
    desk, plain = {"case_id": ids["case"]}, {"case_id": ids["case"], "route_id": ids["route"]}
    rows: list[tuple[str, dict[str, int], str, str]] = [
        ("webhook.failed", {}, "head", "/settings/api"), ("webhook.failed", {}, "smm", "/morning"),
        ("backup.late", {}, "head", "/state"), ("backup.late", {}, "smm", "/morning"),
        ("air", {"broadcast_id": air}, "smm", f"/broadcasts/{air}"),
        ("air", {"broadcast_id": air}, "curator", "/notices"),
        ("incident", desk, "smm", f"/incidents/of/{ids['case']}"),
        ("incident", plain, "curator", f"/questions/{ids['route']}"),
        ("contract.paid", {"contract_id": 7}, "head", "/contracts/7"),
        ("contract.paid", {"contract_id": 7}, "smm", "/notices"),
        ("messenger.moved", {}, "head", "/staff"), ("messenger.moved", {}, "smm", "/morning"),
        ("first.1", desk, "smm", f"/inbox/{ids['case']}"),
        ("first.1", plain, "curator", f"/questions/{ids['route']}"),
    ]  # fmt: skip
    for kind, about, who, to in rows:
        with database.write.begin() as session:
            row = Notice(staff_id=getattr(cast, who).staff_id, kind=kind, **about)
            session.add(row)
            session.flush()
            notice_id = row.id
        assert enter(who).post(f"/notices/{notice_id}").location == to, (kind, who)


def test_after_ending_what_is_ones_own_one_stays_on_the_own_page(
    enter: Callable[[str], Visitor], database: Database, cast: Any
) -> None:
    """web/devices.py, web/api_keys.py"""
    for actor, devices, keys in (
        (cast.head, "/devices", "/api-keys"),
        (cast.smm, f"/devices/of/{cast.smm.staff_id}", f"/api-keys/of/{cast.smm.staff_id}"),
    ):
        with database.write.begin() as session:
            login = open_login(session, actor.staff_id, "Firefox")
            key = ApiKey(
                staff_id=actor.staff_id, name="Отчёты", hint="otk_aaaa", digest=str(actor.staff_id) * 64,
                scopes=["cases:read"], expires_at=utc_now() + timedelta(days=30),
            )  # fmt: skip
            session.add(key)
            session.flush()
            key_id = key.id
        assert enter("head").post(f"/devices/{login}/end").location == devices
        assert enter("head").post(f"/api-keys/{key_id}/revoke").location == keys
    with_own = enter("head").get("/api-keys").text
    assert 'name="scope"' in with_own
    assert 'name="scope"' not in enter("head").get(f"/api-keys/of/{cast.smm.staff_id}").text


def test_a_curator_hears_of_no_cases_in_the_stream(
    app: Flask, enter: Callable[[str], Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """web/live.py"""
    heard: list[bool] = []

    def follow(_feed: live.Feed, _after: int | None, sees: bool) -> Iterator[str]:
        heard.append(sees)
        return iter(())

    monkeypatch.setattr(live.Feed, "follow", follow)
    for who in ("smm", "curator"):
        enter(who).get("/live")
    assert heard == [True, False]


def test_whoever_has_no_screen_is_told_so(enter: Callable[[str], Visitor], database: Database, cast: Any) -> None:
    """web/home.py, web/navigation.py, web/security.py"""
    assert enter("curator").get("/").location == "/questions"
    assert enter("curator").get("/inbox").status_code == 403
    with database.write.begin() as session:
        session.execute(delete(StaffRole).where(StaffRole.staff_id == cast.curator.staff_id))
    assert enter("curator").get("/").status_code == 403


@pytest.mark.parametrize("who", ["smm", "curator"])
def test_the_door_asks_for_the_right_whatever_is_behind_it(
    app: Flask, enter: Callable[[str], Visitor], cast: Any, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    """web/security.py"""
    visitor, actor = enter(who), getattr(cast, who)
    for endpoint, address in addresses(app, "GET"):
        monkeypatch.setitem(app.view_functions, endpoint, lambda **_given: "in")
        may = MATRIX[endpoint] == ANY_STAFF or actor.may(MATRIX[endpoint])
        assert (visitor.get(address).text == "in") is may, endpoint


def test_each_role_has_its_own_row_of_screens(app: Flask, enter: Callable[[str], Visitor]) -> None:
    """web/navigation.py, web/security.py"""
    for role, short in SHORT.items():
        actor = Actor(1, role, frozenset({role}))
        with app.test_request_context():
            g.actor = actor
            menu = menu_of(actor)
        in_sight, rows = [row.item.endpoint for row in menu.first], [*menu.first, *menu.more]
        assert set(in_sight) <= set(short), role
        assert {row.item.act for row in rows} <= set(RIGHTS[role]), role
        assert ("department.index" in [row.item.endpoint for row in rows]) is (role == "manager")
    rota = 'href="/settings/rota"'
    assert (rota in enter("head").get("/staff/away").text, rota in enter("smm").get("/staff/away").text) == (
        True,
        False,
    )


def test_clients_are_looked_for_by_who_may_see_them(
    enter: Callable[[str], Visitor], shown: Any, monkeypatch: pytest.MonkeyPatch, ids: dict[str, int]
) -> None:
    """web/outreach.py: today every role that writes sees cards, and a role that does not would find none."""
    assert enter("smm").get("/write?q=Яр").status_code == 200
    assert [one.client.id for one in shown()["found"]] == [ids["client"]]
    monkeypatch.delitem(RIGHTS["smm"], "client.view")
    assert enter("smm").get("/write?q=Яр").status_code == 200
    assert shown()["found"] == ()


def test_promises_are_followed_by_who_may_write_in_cards(
    enter: Callable[[str], Visitor], shown: Any, monkeypatch: pytest.MonkeyPatch, ids: dict[str, int]
) -> None:
    """web/composing.py: today every role that writes may, and a role that may not would be asked for nothing."""
    text = "Мы перезвоним вам завтра до 18:00."
    enter("smm").post(f"/inbox/{ids['case']}/compose/lint", text=text)
    assert shown()["promises"]
    monkeypatch.delitem(RIGHTS["smm"], "client.edit")
    enter("smm").post(f"/inbox/{ids['case']}/compose/lint", text=text)
    assert shown()["promises"] == []
