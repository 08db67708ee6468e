"""Contracts beside the person: in the line of time, in the export of everything, kept by law, put out after it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models import Base, Client, Contract, Document, Payment, StoredFile, utc_now
from services.contracts.keeping import kept_until
from services.crm.erasing import run_erase
from services.crm.holdings import as_json, holdings_of
from services.crm.timeline import timeline
from services.money.payments import add_payment

WORDS = ("710500000000", "Тула, Мира", "123456", "чек-канарейка", "справка-канарейка")


def everything(database) -> str:
    """All that stands in any table, files too."""
    words: list[str] = []
    with database.read.begin() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(table.select()).mappings() if table.name not in ("event", "erasure") else ():
                words += [
                    one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in row.values()
                ]
    return "\n".join(words)


@pytest.fixture
def contract_id(office, database) -> int:
    with database.write.begin() as session:
        contract = office.signed(session)
        add_payment(
            session,
            office.accountant,
            contract,
            amount=2_000_000,
            paid_on=contract.dated,
            receipt="чек-канарейка",
        )
        file = StoredFile(hash="a" * 64, media="application/pdf", size=3, content="справка-канарейка".encode())
        session.add(file)
        session.flush()
        session.add(
            Document(
                kind="invoice", contract_id=contract.id, client_id=office.client_id, dated=contract.dated,
                data={"more": "справка-канарейка"}, pdf_id=file.id, state="made", number="1",
            )
        )  # fmt: skip
        return contract.id


def test_the_line_of_time_tells_contracts_and_money_to_whom_they_concern(office, database, contract_id) -> None:
    with database.read.begin() as session:
        kinds = {one.kind for one in timeline(session, office.manager, office.client_id).items}
        assert {"contract", "document", "payment"} <= kinds
        seen = {one.kind for one in timeline(session, office.cast.smm, office.client_id).items}
        assert not seen & {"contract", "document", "payment", "decision"}
        only = timeline(session, office.manager, office.client_id, kinds=("payment",)).items
        assert [(one.kind, one.row.amount) for one in only] == [("payment", 2_000_000)]


def test_the_export_holds_every_part_of_a_contract(office, database, contract_id) -> None:
    with database.write.begin() as session:
        found = holdings_of(session, office.keyring, office.head, office.client_id)
        text = as_json(found)
    assert all(word in text for word in WORDS)
    assert [row["id"] for row in found["contract"]] == [contract_id]
    assert len(found["instalments"]) == 3
    assert found["contract_sealed"][0]["contract_id"] == contract_id


def test_what_is_in_force_is_blocked_and_named(office, database, contract_id, tmp_path) -> None:
    row = run_erase(database, tmp_path, office.head, office.client_id, "withdrawal")
    assert row.method == "blocked"
    assert "действует" in row.kept[0]
    left = everything(database)
    assert all(word in left for word in ("Тула, Мира", "чек-канарейка"))
    assert left.count("справка-канарейка") == 2  # in what the paper was filled with, and in the paper


def test_five_years_after_the_year_of_its_end_it_goes_and_the_sums_stay(
    office, database, contract_id, tmp_path
) -> None:
    def end(days: int) -> None:
        with database.write.begin() as session:
            contract = session.get_one(Contract, contract_id)
            contract.state, contract.ends_on = "fulfilled", (utc_now() - timedelta(days=days)).date()

    end(3 * 365)
    row = run_erase(database, tmp_path, office.head, office.client_id, "request")
    assert row.method == "blocked"
    assert "хранится до 31.12." in row.kept[0]
    end(7 * 365)
    with database.read.begin() as session:
        until = kept_until(session, session.get_one(Contract, contract_id))
    assert until is not None
    assert (until.month, until.day) == (12, 31)
    assert until < utc_now().date()
    with database.write.begin() as session:
        session.get_one(Client, office.client_id).blocked_at = None
    row = run_erase(database, tmp_path, office.head, office.client_id, "request")
    assert (row.method, row.categories["contract"], row.categories["payment"]) == ("erased", 1, 1)
    left = everything(database)
    assert [word for word in (*WORDS, "Яр Анна", "канарейка") if word in left] == []
    with database.read.begin() as session:
        assert session.scalar(select(Payment.amount)) == 2_000_000
        assert session.get_one(Contract, contract_id).price == 6_000_000


def test_a_draft_that_nobody_signed_goes_at_once(office, database, tmp_path) -> None:
    with database.write.begin() as session:
        office.draft(session)
    assert run_erase(database, tmp_path, office.head, office.client_id, "request").method == "erased"
    assert "Тула, Мира" not in everything(database)
