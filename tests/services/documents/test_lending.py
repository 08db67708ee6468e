"""A passport of the card in a paper: whole for whoever may see it, masked for others, each use a look."""

import pytest
from sqlalchemy import select

from models import Contract, Event
from services.contracts import acts, amendments
from services.contracts.completeness import missing_items
from services.contracts.drafts import Changes, edit_draft, open_draft
from services.crm.sensitive import set_field
from services.documents.issuing import file_of, prepare, run_make
from services.documents.lending import MASK, fields_of_card
from services.documents.templates import seed_template
from services.money.schedules import even_schedule
from tests.services.contracts.conftest import PERSON, PROGRAM, TODAY, Office
from tests.services.documents.test_issuing import ASKED, words_of

BARE = {name: text for name, text in PERSON.items() if not name.startswith("client.id_")}


@pytest.fixture
def office(database, cast) -> Office:
    office = Office(database, cast)
    with database.write.begin() as session:
        office.seller = office._staff(session, "seller@school.example", "Пётр Продажин", "sales")
        for kind in ("consent_data", "application"):
            seed_template(session, kind)
        for field, value in (
            ("passport", "70 10 № 123456"),
            ("passport_issued", "УМВД по Тульской обл. 01.02.2015"),
        ):
            set_field(session, office.keyring, office.manager, office.client_id, field, value)
    return office


def draft(office, session, actor) -> Contract:
    contract = open_draft(session, actor, office.client_id, kind="person", dated=TODAY)
    changes = Changes(
        price=6_000_000, schedule=even_schedule(6_000_000, TODAY, 3), fields={**PROGRAM, **BARE},
    )  # fmt: skip
    return edit_draft(session, actor, office.keyring, contract.id, contract.version, changes)


def looks(session) -> list[tuple[int | None, str]]:
    query = select(Event).where(Event.kind == "client.sensitive_seen").order_by(Event.id)
    return [(row.staff_id, row.data["code"]) for row in session.scalars(query)]


@pytest.mark.parametrize("kind", ["contract_person", "consent_data"])
@pytest.mark.parametrize("who", ["manager", "seller"])
def test_the_cards_passport_goes_into_a_paper_by_right(office, database, kind, who) -> None:
    actor = getattr(office, who)
    with database.write.begin() as session:
        contract = draft(office, session, actor)
        assert missing_items(session, contract, office.keyring) == []  # the card has it
        acts.submit(session, actor, office.keyring, contract.id)
        assert looks(session) == []  # sealed to sealed: nobody has seen it
        assert "123456" not in str(contract.parties) + contract.sealed
        ready = prepare(session, actor, office.keyring, contract, kind, dated=TODAY, given=ASKED)
    run_make(database, actor, ready)
    with database.write.begin() as session:
        row, _media, docx = file_of(session, actor, ready.document_id, "docx")
        text = words_of(docx)
        assert ("123456" in text) is (who == "manager")
        assert (MASK in text) is (who == "seller")
        assert "паспорт" in text
        if who == "manager":
            assert looks(session) == [
                (actor.staff_id, "passport"), (actor.staff_id, "passport_issued"), (actor.staff_id, "document"),
            ]  # fmt: skip
            assert row.data["sealed"] == ["client.id_issued_by", "client.id_no", "client.id_series"]
        else:
            assert looks(session) == []
            assert "sealed" not in row.data


def test_what_a_paper_does_not_name_is_not_looked_at(office, database) -> None:
    with database.write.begin() as session:
        contract = draft(office, session, office.manager)
        acts.submit(session, office.manager, office.keyring, contract.id)
        prepare(session, office.manager, office.keyring, contract, "application", dated=TODAY, given=ASKED)
        assert looks(session) == []


def test_whoever_sees_no_passport_cannot_empty_it_by_saving(office, database) -> None:
    with database.write.begin() as session:
        contract = office.draft(session)
        for actor, text, known in (
            (office.seller, "", "123456"), (office.seller, "654321", "654321"), (office.manager, "", None),
        ):  # fmt: skip
            changes = Changes(fields={"client.id_no": text})
            edit_draft(session, actor, office.keyring, contract.id, contract.version, changes)
            assert office.keyring.unseal(contract.sealed).get("client.id_no") == known


@pytest.mark.parametrize(
    ("kept", "series", "number"),
    [("70 10 № 123456", "7010", "123456"), ("7010 123456", "7010", "123456"), ("AB 77", "—", "AB 77")],
)
def test_a_passport_is_a_series_and_a_number(office, database, kept, series, number) -> None:
    with database.write.begin() as session:
        set_field(session, office.keyring, office.manager, office.client_id, "passport", kept)
        found = fields_of_card(session, office.keyring, office.client_id)
        assert (found["id_series"], found["id_no"]) == (series, number)
        assert found["id_date"] == "2015-02-01"


def test_an_amended_passport_is_shown_by_right_too(office, database) -> None:
    """Whoever may not see it cannot drop it by saving, and the paper that they make shows a mask."""
    with database.write.begin() as session:
        seed_template(session, "amendment")
        contract = office.signed(session)
        row = amendments.open_amendment(session, office.manager, contract.id, dated=TODAY)
        for actor, fields in (
            (office.manager, {"client.id_no": "777777"}),
            (office.seller, {"client.address": "Орёл", "client.id_no": ""}),
        ):  # fmt: skip
            amendments.edit_amendment(
                session, actor, office.keyring, row.id, row.version, fields=fields, ground="новый паспорт"
            )
        assert {change["field"] for change in row.changes} == {"client.address", "client.id_no"}
        made = {
            actor: prepare(
                session, actor, office.keyring, contract, "amendment", dated=TODAY, given=ASKED, amendment=row
            )
            for actor in (office.seller, office.manager)
        }
        assert looks(session) == [(office.manager.staff_id, "passport")]
    for actor, ready in made.items():
        run_make(database, actor, ready)
        with database.write.begin() as session:
            text = words_of(file_of(session, actor, ready.document_id, "docx")[2])
            assert ("777777" in text, MASK in text) == (actor is office.manager, actor is office.seller)
