"""A contract from the draft to its end: what each step demands, freezes and writes down."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from models import Approval, Contract, ContractRevision, Event, LegalRef, Obligation
from services.contracts import acts
from services.contracts.approval import standing
from services.contracts.completeness import missing_items
from services.contracts.decisions import decide, list_decisions
from services.contracts.drafts import Changes, edit_draft, open_draft
from services.contracts.legal import confirm_norm, ending_norms
from services.contracts.register import contracts_of_client, counts, first_line, register_page
from services.contracts.text import text_hash
from services.documents.organisation import save_organisation
from services.errors import Forbidden, Refused, Stale
from services.money.schedules import even_schedule
from tests.services.contracts.conftest import ORGANISATION, TODAY


def test_from_the_draft_into_force(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        assert (contract.state, contract.number, contract.revision) == ("force", "2026-00001", 1)
        assert contract.signed_hash == text_hash(session, contract)
        assert acts.is_untouched(session, contract)
        kinds = list(session.scalars(select(Event.kind).where(Event.kind.like("contract.%")).order_by(Event.id)))
        assert kinds == [
            f"contract.{act}" for act in ("opened", "edit", "submit", "approve", "send", "sign", "start")
        ]
        owed = {row.key: row.side for row in session.scalars(select(Obligation))}
        assert owed == {"pay.1.1": "client", "pay.1.2": "client", "pay.1.3": "client", "access": "school",
                        "document": "school"}  # fmt: skip


def test_what_is_missing_is_named_and_nothing_goes_on(office, database) -> None:
    with database.write.begin() as session:
        contract = open_draft(session, office.manager, office.client_id, kind="person", dated=TODAY)
        with pytest.raises(Refused) as refused:
            acts.submit(session, office.manager, office.keyring, contract.id)
        items = refused.value.data["items"]
        assert {"field:program.name", "field:contract.pay_order", "field:client.address"} <= set(items)
        assert contract.state == "draft"
        assert contract.number is None
        contract = office.draft(session)
        assert missing_items(session, contract, office.keyring) == []
        save_organisation(session, office.head, {**ORGANISATION, "org.licence_no": ""})
        assert [(one.code, one.what) for one in missing_items(session, contract, office.keyring)] == [
            ("field", "org.licence_no")
        ]
        # Who says that there is no licence is not asked for one.
        plain = {name: value for name, value in ORGANISATION.items() if not name.startswith("org.licence")}
        save_organisation(session, office.head, {**plain, "more.licence": "no"})
        assert missing_items(session, contract, office.keyring) == []


def test_the_sums_of_a_schedule_must_be_the_price(office, database) -> None:
    with database.write.begin() as session:
        contract = office.draft(session)
        schedule = even_schedule(contract.price - 1, date(2026, 12, 1), 3)
        edit_draft(
            session, office.manager, office.keyring, contract.id, contract.version, Changes(schedule=schedule)
        )
        with pytest.raises(Refused) as refused:
            acts.submit(session, office.manager, office.keyring, contract.id)
        assert refused.value.data["items"] == ["schedule.sum:"]
        long = Changes(schedule=even_schedule(contract.price, date(2026, 12, 1), 8), funding="operator")
        edit_draft(session, office.manager, office.keyring, contract.id, contract.version, long)
        assert [one.code for one in missing_items(session, contract, office.keyring)] == ["schedule.operator"]


def test_a_change_after_approval_voids_it(office, database) -> None:
    """Scenario (c): the price is raised in a draft after approval, and the approval drops."""
    with database.write.begin() as session:
        contract = office.approved(session)
        assert standing(session, "contract", contract.id) is not None
        more = Changes(price=7_000_000, schedule=even_schedule(7_000_000, date(2026, 12, 1), 3))
        edit_draft(session, office.manager, office.keyring, contract.id, contract.version, more)
        assert contract.state == "draft"
        assert standing(session, "contract", contract.id) is None
        assert session.scalars(select(Approval)).one().voided_at is not None
        # An edit that changes nothing voids nothing.
        acts.submit(session, office.manager, office.keyring, contract.id)
        acts.approve(session, office.accountant, contract.id)
        edit_draft(session, office.manager, office.keyring, contract.id, contract.version, Changes(price=7_000_000))
        assert contract.state == "approved"
        assert contract.number == "2026-00001"


def test_nobody_approves_what_is_their_own(office, database) -> None:
    with database.write.begin() as session:
        contract = office.draft(session)
        acts.submit(session, office.manager, office.keyring, contract.id)
        for other in (office.manager, office.head):
            with pytest.raises(Forbidden):
                acts.approve(session, other, contract.id)
        contract.author_id = office.accountant.staff_id
        with pytest.raises(Forbidden, match=r"approval\.own"), session.begin_nested():
            acts.approve(session, office.accountant, contract.id)


def test_a_return_needs_a_word_and_leads_to_rework(office, database) -> None:
    with database.write.begin() as session:
        contract = office.draft(session)
        acts.submit(session, office.manager, office.keyring, contract.id)
        with pytest.raises(Refused, match=r"approval\.remark"), session.begin_nested():
            acts.send_back(session, office.accountant, contract.id, " ")
        session.refresh(contract)
        acts.send_back(session, office.accountant, contract.id, "Нет КПП")
        assert contract.state == "rework"
        acts_left = Changes(fields={"program.hours": "80"})
        assert edit_draft(
            session, office.manager, office.keyring, contract.id, contract.version, acts_left
        ).state == "draft"  # fmt: skip


def test_after_the_signature_nothing_changes(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        with pytest.raises(Refused, match=r"contract\.frozen"):
            edit_draft(session, office.manager, office.keyring, contract.id, contract.version, Changes(price=1))
        # Whoever changes the row behind the desk's back is found out by the hash.
        contract.terms = {**contract.terms, "program": {"name": "Другое"}}
        session.flush()
        assert not acts.is_untouched(session, contract)


def test_two_editors_of_one_draft(office, database) -> None:
    with database.write.begin() as session:
        contract = office.draft(session)
        seen = contract.version
        edit_draft(
            session, office.manager, office.keyring, contract.id, seen, Changes(fields={"program.hours": "1"})
        )
        with pytest.raises(Stale):
            edit_draft(session, office.head, office.keyring, contract.id, seen, Changes(price=5))


def test_a_passport_is_not_in_the_row(office, database) -> None:
    with database.write.begin() as session:
        contract = office.draft(session)
        assert "123456" not in str(contract.parties) + contract.sealed
        assert office.keyring.unseal(contract.sealed)["client.id_no"] == "123456"


def test_minors_need_a_guardian(office, database) -> None:
    with database.write.begin() as session:
        contract = office.draft(session)
        young = Changes(fields={"client.birth_date": "2011-01-01"})
        edit_draft(session, office.manager, office.keyring, contract.id, contract.version, young)
        assert [one.code for one in missing_items(session, contract, office.keyring)] == ["guardian"]


def test_a_discount_needs_a_decision(office, database) -> None:
    with database.write.begin() as session:
        contract = office.draft(session, discount=500_000)
        assert [one.code for one in missing_items(session, contract, office.keyring)] == ["discount"]
        with pytest.raises(Refused):
            decide(
                session, office.head, contract, kind="refusal", ground="нет", norm="", outcome="нет", today=TODAY
            )
        row = decide(
            session, office.head, contract, kind="discount", ground="второй курс", norm="", outcome="−5 000 ₽",
            today=TODAY,
        )  # fmt: skip
        assert row.figures["price"] == 6_000_000
        assert missing_items(session, contract, office.keyring) == []
        assert [one.decision.id for one in list_decisions(session, office.head)] == [row.id]
        with pytest.raises(Forbidden):
            list_decisions(session, office.manager)


def test_an_act_that_ends_raises_a_banner_and_blocks(office, database) -> None:
    """R-02: from 1 December a banner; contracts of 2027 by a template that cites it are blocked until confirmed."""
    with database.write.begin() as session:
        assert ending_norms(session, date(2026, 11, 30)) == []
        ending = ending_norms(session, date(2026, 12, 1))
        assert [(one.ref.code, one.is_over) for one in ending] == [("pp1441", False)]
        assert ending_norms(session, date(2027, 1, 1))[0].is_over
        contract = office.draft(session)
        late = Changes(dated=date(2027, 1, 11))
        edit_draft(session, office.manager, office.keyring, contract.id, contract.version, late)
        assert [one.code for one in missing_items(session, contract, office.keyring)] == ["norm"]
        ref = session.scalars(select(LegalRef).where(LegalRef.code == "pp1441")).one()
        with pytest.raises(Forbidden):
            confirm_norm(session, office.manager, ref.id)
        confirm_norm(session, office.head, ref.id)
        assert missing_items(session, contract, office.keyring) == []
        assert ending_norms(session, date(2027, 1, 1)) == []


def test_days_start_and_let_lapse(office, database) -> None:
    with database.write.begin() as session:
        later = office.signed(session, effective_on=date(2026, 12, 1))
        offered = office.sent(session)
        assert (later.state, offered.state) == ("signed", "sent")
        ids = later.id, offered.id
    assert acts.run_contract_day(database, date(2026, 11, 30)) == 0
    assert acts.run_contract_day(database, TODAY + timedelta(days=15)) == 2
    with database.read.begin() as session:
        assert [session.get_one(Contract, one).state for one in ids] == ["force", "lapsed"]


def test_the_register_finds_by_number_and_by_client(office, database) -> None:
    with database.write.begin() as session:
        ids = [office.signed(session).id for _ in range(3)]
        office.draft(session)
        page = register_page(session, office.manager, today=TODAY, limit=2)
        assert [row.contract.id for row in page] == [ids[-1] + 1, ids[-1]]
        rest = register_page(session, office.manager, today=TODAY, before=ids[-1])
        assert [row.contract.id for row in rest] == ids[-2::-1]
        by_number = register_page(session, office.manager, words="2026-00002", today=TODAY)
        assert [row.contract.id for row in by_number] == [ids[1]]
        assert len(register_page(session, office.manager, words="анна яр", today=TODAY)) == 4
        assert len(register_page(session, office.manager, words="8 910 000 00 01", today=TODAY)) == 4
        assert register_page(session, office.manager, words="9999-1", today=TODAY) == []
        assert counts(session, office.manager) == {"work": 1, "approval": 0, "force": 3, "ended": 0}
        assert len(contracts_of_client(session, office.manager, office.client_id)) == 4
        line = first_line(session, office.client_id, date(2027, 1, 1))
        assert (line.number, line.state, line.is_owing) == ("2026-00003", "force", True)
        with pytest.raises(Forbidden):
            register_page(session, office.cast.smm, today=TODAY)


def test_revisions_keep_what_was_signed(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        row = session.scalars(select(ContractRevision)).one()
        assert row.content["price"] == 6_000_000
        assert row.hash == contract.signed_hash
