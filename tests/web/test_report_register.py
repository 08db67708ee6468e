"""The register of complaints: the head says what was found, others read, and who takes it is noted."""

import re
from datetime import date

import pytest
from sqlalchemy import select

from models import Case, CaseFact, Client, Contract, Event, Verdict
from tests.web.test_report_tables import PERIOD


@pytest.fixture
def complaint(database, open_case) -> int:
    case_id = open_case("Когда деньги не вернули?")
    with database.write.begin() as session:
        fact, case = session.get_one(CaseFact, case_id), session.get_one(Case, case_id)
        fact.kind, fact.counts, fact.opened_at = "complaint", True, case.opened_at
    return case_id


def test_the_head_decides_and_the_register_shows_it(complaint, database, enter) -> None:
    head = enter("head")
    period = "from=2026-11-01&to=2026-12-31"
    assert "деньги не вернули" in head.get(f"/reports/all/register?{period}").text
    answer = head.post(f"/reports/all/verdict/{complaint}", outcome="partly", measures="Вернули половину")
    assert answer.status_code in (302, 303)
    page = head.get(f"/reports/all/register?{period}").text
    assert "Обоснована частично" in page
    assert "Вернули половину" in page
    with database.read.begin() as session:
        assert session.scalars(select(Verdict.outcome)).one() == "partly"
        assert session.scalars(select(Event.kind).where(Event.kind == "case.verdict")).one()


def test_a_register_as_a_file_is_noted(complaint, database, enter) -> None:
    assert enter("head").get("/reports/all/register.xlsx?from=2026-11-01&to=2026-12-31").status_code == 200
    with database.read.begin() as session:
        assert (
            session.scalars(select(Event).where(Event.kind == "report.exported")).one().data["code"] == "register"
        )


def test_others_do_not_decide(complaint, database, enter) -> None:
    enter("smm").post(f"/reports/all/verdict/{complaint}", outcome="no")
    enter("head").post(f"/reports/all/verdict/{complaint}", outcome="maybe")
    with database.read.begin() as session:
        assert session.scalars(select(Verdict)).all() == []


@pytest.mark.parametrize(
    "code",
    ["topics", "incidents", "groups", "register", "debts", "contracts", "terminations", "obligations", "calls",
     "clients"],
)  # fmt: skip
def test_every_report_opens_and_leaves_as_a_file(enter, code) -> None:
    head = enter("head")
    assert head.get(f"/reports/all/{code}?{PERIOD}").status_code == 200
    assert head.get(f"/reports/all/{code}.csv?{PERIOD}").status_code == 200


def test_a_contract_opens_from_its_register(database, enter) -> None:
    with database.write.begin() as session:
        client = Client(name="Вера Соль", name_key="вера соль")
        session.add(client)
        session.flush()
        session.add(Contract(kind="person", number="2026-00001", client_id=client.id, dated=date(2026, 11, 30)))
    head = enter("head")
    page = head.get(f"/reports/all/contracts?{PERIOD}").text
    address = re.search(r'href="(/contracts/[0-9]+)"[^>]*>2026-00001', page)
    assert address is not None
    assert head.get(address[1]).status_code == 200
    assert head.get(f"/reports/paper/contracts.pdf?{PERIOD}").status_code == 200
