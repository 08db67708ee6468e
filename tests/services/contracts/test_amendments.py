"""Amendments and terminations: revisions, one at a time, grounds, refunds, what is owed afterwards."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from models import Contract, ContractRevision, Decision, Instalment, Obligation, Payment
from services.contracts import acts, amendments, terminations
from services.contracts.closing import tasks_of
from services.contracts.drafts import Changes, edit_draft
from services.contracts.text import forms_of
from services.crm.tasks import end_task
from services.errors import Forbidden, Refused
from services.money.arithmetic import delivered_value, refund_of
from services.money.payments import add_payment, balance_of
from services.money.schedules import even_schedule, schedule_of
from tests.services.contracts.conftest import TODAY

NEW_NAME = {"client.full": "Сомова Анна Сергеевна", "client.last": "Сомова", "client.address": "Орёл, Новая, 1"}


def amended(office, session, contract_id: int, *, until: str = "signed", **more: object):
    row = amendments.open_amendment(session, office.manager, contract_id, dated=TODAY)
    values = {"fields": {}, "ground": "заявление заказчика", **more}
    amendments.edit_amendment(session, office.manager, office.keyring, row.id, row.version, **values)
    if until == "draft":
        return row
    amendments.submit_amendment(session, office.manager, row.id)
    amendments.decide_amendment(session, office.accountant, row.id, agreed=True)
    amendments.send_amendment(session, office.manager, row.id, today=TODAY)
    if until == "signed":
        amendments.sign_amendment(session, office.manager, office.keyring, row.id, signature="paper", today=TODAY)
    return row


def test_another_surname_is_revision_two(office, database) -> None:
    """Scenario (a): the client signs, then asks to change surname and address."""
    with database.write.begin() as session:
        contract = office.signed(session)
        before = contract.signed_hash
        row = amended(office, session, contract.id, fields={**NEW_NAME, "client.id_no": "654321"})
        assert (row.state, contract.revision) == ("force", 2)
        assert contract.parties["client"]["full"] == "Сомова Анна Сергеевна"
        assert office.keyring.unseal(contract.sealed)["client.id_no"] == "654321"
        assert "654321" not in str(row.changes)
        rows = list(session.scalars(select(ContractRevision).order_by(ContractRevision.revision)))
        assert [one.revision for one in rows] == [1, 2]
        assert rows[0].hash == before != rows[1].hash
        assert rows[0].content["parties"]["client"]["full"] == "Яр Анна Сергеевна"
        assert acts.is_untouched(session, contract)


def test_a_new_surname_leaves_nothing_of_the_former_one(office, database) -> None:
    """Surname apart and cases written by hand belonged to the former name; a document would still have said it."""
    with database.write.begin() as session:
        contract = office.draft(session)
        hand = {"forms.client.full|gen": "Яр Анны Сергеевны"}
        edit_draft(session, office.manager, office.keyring, contract.id, contract.version, Changes(fields=hand))
        assert forms_of(session, contract) == {"client.full": {"gen": "Яр Анны Сергеевны"}}
        changes = Changes(fields={"client.full": "Яр Анна Олеговна", **hand})
        edit_draft(session, office.manager, office.keyring, contract.id, contract.version, changes)
        assert forms_of(session, contract) == {}
        assert contract.parties["client"]["middle"] == "Олеговна"
        signed = office.signed(session)
        edited = amended(office, session, signed.id, fields={"client.full": "Сомова Анна Сергеевна"})
        assert edited.state == "force"
        assert signed.parties["client"]["last"] == "Сомова"


def test_a_reopened_amendment_keeps_its_schedule_and_the_same_schedule_is_no_change(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        same = [(line.due_on, line.amount) for line in schedule_of(session, contract.id)]
        row = amended(office, session, contract.id, until="draft", schedule=same)
        assert row.schedule == []
        with pytest.raises(Refused, match=r"amendment\.empty"):
            amendments.submit_amendment(session, office.manager, row.id)


def test_an_amendment_ends_with_its_contract(office, database) -> None:
    """Signed for a later day, it would have changed a contract that is terminated by then."""
    later = TODAY + timedelta(days=30)
    with database.write.begin() as session:
        contract = office.signed(session)
        add_payment(session, office.accountant, contract, amount=2_000_000, paid_on=TODAY)
        row = amended(office, session, contract.id, fields=NEW_NAME, effective_on=later)
        assert row.state == "signed"
        with pytest.raises(Refused, match=r"amendment\.active"):
            acts.step(session, office.manager, contract.id, "fulfil")
        ending = terminations.open_termination(
            session, office.manager, contract.id, ground="consumer", received_on=TODAY
        )
        terminations.start_calculation(session, office.manager, ending.id)
        terminations.save_calculation(
            session, office.accountant, ending.id, ending.version, today=TODAY, facts="ничего", delivered=0,
            expenses=[], effective_on=TODAY,
        )  # fmt: skip
        terminations.submit_calculation(session, office.accountant, ending.id, today=TODAY)
        terminations.agree(session, office.head, ending.id, agreed=True, today=TODAY)
        terminations.send_termination(session, office.manager, ending.id)
        terminations.close_paper(session, office.manager, ending.id, "sign", proof="подписано")
        assert (contract.state, row.state, row.active_key) == ("terminated", "annulled", None)
        assert terminations.settle(session, office.accountant, ending.id).state == "refund_due"
        terminations.pay_back(session, office.accountant, ending.id, paid_on=TODAY, receipt="п/п 3")
        first = session.scalars(select(Obligation).where(Obligation.key == "pay.1.1")).one()
        assert first.state == "done", "what was given back by the agreement is not owed again"
    assert amendments.run_amendments(database, office.keyring, later) == 0
    with database.read.begin() as session:
        assert session.get_one(Contract, contract.id).revision == 1


def test_other_days_of_the_programme_are_owed_anew(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        amended(office, session, contract.id, fields={"program.start": "2027-01-15", "program.end": "2027-06-30"})
        days = {row.key: row.due_on for row in session.scalars(select(Obligation)) if row.side == "school"}
        assert days == {"access": date(2027, 1, 15), "document": date(2027, 6, 30)}


def test_one_amendment_at_a_time(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        amended(office, session, contract.id, until="draft", fields=NEW_NAME)
        with pytest.raises(Refused, match=r"amendment\.active"):
            amendments.open_amendment(session, office.manager, contract.id, dated=TODAY)
        draft = office.draft(session)
        with pytest.raises(Refused, match=r"amendment\.closed"):
            amendments.open_amendment(session, office.manager, draft.id, dated=TODAY)


def test_a_change_after_approval_voids_it_here_too(office, database) -> None:
    with database.write.begin() as session:
        row = amendments.open_amendment(session, office.manager, office.signed(session).id, dated=TODAY)
        edit = {"fields": NEW_NAME, "ground": "заявление"}
        amendments.edit_amendment(session, office.manager, office.keyring, row.id, row.version, **edit)
        amendments.submit_amendment(session, office.manager, row.id)
        amendments.decide_amendment(session, office.accountant, row.id, agreed=True)
        edit["fields"] = {**NEW_NAME, "client.phone": "+7 999 000-00-00"}
        amendments.edit_amendment(session, office.manager, office.keyring, row.id, row.version, **edit)
        assert row.state == "draft"
        with pytest.raises(Refused):
            amendments.send_amendment(session, office.manager, row.id, today=TODAY)


def test_a_price_rises_only_by_indexation_and_in_the_same_form(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        row = amendments.open_amendment(session, office.manager, contract.id, dated=TODAY)
        given = {"fields": {}, "price": 7_000_000, "schedule": even_schedule(7_000_000, date(2026, 12, 1), 3)}
        with pytest.raises(Refused, match=r"amendment\.price"):
            amendments.edit_amendment(
                session, office.manager, office.keyring, row.id, row.version, ground="так решили", **given
            )
        amendments.edit_amendment(
            session, office.manager, office.keyring, row.id, row.version, ground="Индексация 5 %", **given
        )
        amendments.submit_amendment(session, office.manager, row.id)
        amendments.decide_amendment(session, office.accountant, row.id, agreed=True)
        amendments.send_amendment(session, office.manager, row.id, today=TODAY)
        with pytest.raises(Refused, match=r"amendment\.form"):
            amendments.sign_amendment(
                session, office.manager, office.keyring, row.id, signature="simple", today=TODAY
            )


def test_a_new_schedule_takes_over_what_was_paid(office, database) -> None:
    """Restructuring: the former lines stay to be read, payments are laid on the new ones, both sides owe anew."""
    with database.write.begin() as session:
        contract = office.signed(session)
        add_payment(session, office.accountant, contract, amount=2_500_000, paid_on=TODAY)
        assert [row.paid for row in schedule_of(session, contract.id)] == [2_000_000, 500_000, 0]
        amended(office, session, contract.id, schedule=even_schedule(6_000_000, date(2027, 1, 10), 6))
        lines = schedule_of(session, contract.id)
        assert [row.schedule for row in lines] == [2] * 6
        assert [row.paid for row in lines] == [1_000_000, 1_000_000, 500_000, 0, 0, 0]
        assert session.query(Instalment).filter_by(contract_id=contract.id).count() == 9
        states = {row.key: row.state for row in session.scalars(select(Obligation)) if row.key.startswith("pay")}
        assert states["pay.1.1"] == "done"
        assert states["pay.1.2"] == states["pay.1.3"] == "lifted"
        assert [states[f"pay.2.{no}"] for no in (1, 2, 3)] == ["done", "done", "waiting"]


def test_an_amendment_waits_for_its_day_or_lapses(office, database) -> None:
    with database.write.begin() as session:
        first, second = office.signed(session), office.signed(session)
        later = amended(office, session, first.id, fields=NEW_NAME, effective_on=date(2026, 12, 15))
        silent = amended(office, session, second.id, fields=NEW_NAME, until="sent")
        assert (later.state, silent.state, first.revision) == ("signed", "sent", 1)
        ids = later.id, silent.id
    assert amendments.run_amendments(database, office.keyring, TODAY) == 0
    assert amendments.run_amendments(database, office.keyring, TODAY + timedelta(days=31)) == 2
    with database.read.begin() as session:
        assert [session.get_one(type(later), one).state for one in ids] == ["force", "lapsed"]
        assert session.get_one(Contract, first.id).revision == 2


EXPENSES = [{"name": "Учебные пособия", "document": "накладная 12", "sum": 300_000}]


def ended(office, session, contract: Contract, *, until: str = "agreed", **more: object):
    row = terminations.open_termination(
        session, office.manager, contract.id, ground=more.pop("ground", "consumer"), received_on=TODAY,
        initiator=more.pop("initiator", "client"),
    )  # fmt: skip
    if until == "received":
        return row
    terminations.start_calculation(session, office.manager, row.id)
    figures = {"facts": "пройдено 2 модуля из 6", "delivered": 2_000_000, "expenses": EXPENSES,
               "effective_on": TODAY, **more}  # fmt: skip
    terminations.save_calculation(session, office.accountant, row.id, row.version, today=TODAY, **figures)
    terminations.submit_calculation(session, office.accountant, row.id, today=TODAY)
    terminations.agree(session, office.head, row.id, agreed=True, today=TODAY)
    return row


def test_from_the_wish_to_the_money_back(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        add_payment(session, office.accountant, contract, amount=6_000_000, paid_on=TODAY)
        row = ended(office, session, contract)
        assert row.refund == 6_000_000 - 2_000_000 - 300_000
        assert row.answer_due == TODAY + timedelta(days=10)
        decision = session.scalars(select(Decision)).one()
        assert (decision.kind, decision.figures["refund"], decision.figures["paid"]) == (
            "refund",
            3_700_000,
            6_000_000,
        )
        terminations.send_termination(session, office.manager, row.id)
        terminations.close_paper(session, office.manager, row.id, "sign", proof="подписано 26.11")
        assert contract.state == "terminated"
        terminations.settle(session, office.accountant, row.id)
        terminations.pay_back(session, office.accountant, row.id, paid_on=TODAY, receipt="чек 5")
        assert balance_of(session, contract, TODAY).paid == 2_300_000
        assert session.scalars(select(Payment).where(Payment.is_refund)).one().amount == 3_700_000
        terminations.finish(session, office.manager, row.id, "order", today=TODAY)
        due = {one.key.split(".")[0]: one for one in session.scalars(select(Obligation))}
        assert due["refund"].state == "done"
        assert due["certificate"].due_on == TODAY + timedelta(days=3)  # scenario (b)
        assert due["document"].state == "lifted"
        end_task(session, office.manager, tasks_of(session, [row.id])[row.id][1].task.id)  # the access
        terminations.finish(session, office.manager, row.id, "finish", today=TODAY)
        assert (row.state, row.active_key) == ("finished", None)


def test_an_expense_needs_its_document_and_figures_must_be_todays(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        add_payment(session, office.accountant, contract, amount=6_000_000, paid_on=TODAY)
        row = ended(office, session, contract, until="received")
        terminations.start_calculation(session, office.manager, row.id)
        figures = {"facts": "2 модуля", "delivered": 0, "effective_on": TODAY, "today": TODAY}
        bare = [{"name": "Аренда", "document": " ", "sum": 1}]
        with pytest.raises(Refused, match=r"termination\.document"):
            terminations.save_calculation(session, office.accountant, row.id, row.version, expenses=bare, **figures)
        terminations.save_calculation(session, office.accountant, row.id, row.version, expenses=[], **figures)
        add_payment(session, office.accountant, contract, amount=100, paid_on=TODAY, is_refund=True)
        with pytest.raises(Refused, match=r"termination\.changed"):
            terminations.submit_calculation(session, office.accountant, row.id, today=TODAY)


def test_a_refusal_of_refund_names_its_ground(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        add_payment(session, office.accountant, contract, amount=1_000_000, paid_on=TODAY)
        with pytest.raises(Refused, match=r"termination\.no_refund"):
            ended(office, session, contract)
        row = terminations.active_termination(session, contract.id)
        terminations.save_calculation(
            session, office.accountant, row.id, row.version, today=TODAY, facts=row.facts, delivered=2_000_000,
            expenses=EXPENSES, effective_on=TODAY, no_refund_ground="оказано больше, чем оплачено",
        )  # fmt: skip
        terminations.submit_calculation(session, office.accountant, row.id, today=TODAY)
        terminations.agree(session, office.head, row.id, agreed=True, today=TODAY)
        decision = session.scalars(select(Decision)).one()
        assert (decision.kind, decision.norm) == ("refusal", "ЗоЗПП, ст. 32; ГК РФ, ст. 782")
        assert row.figures["debt"] == 1_300_000


def test_the_schools_own_refusal_needs_a_demand_or_the_head(office, database) -> None:
    """R-05"""
    with database.write.begin() as session:
        contract = office.signed(session)
        row = ended(office, session, contract, ground="school", initiator="school")
        with pytest.raises(Refused, match=r"termination\.demand"):
            terminations.send_termination(session, office.manager, row.id, confirmed=True)
        terminations.send_termination(session, office.head, row.id, confirmed=True)
        with pytest.raises(Refused, match=r"termination\.paper"):
            terminations.close_paper(session, office.manager, row.id, "sign", proof="—")
        terminations.close_paper(session, office.manager, row.id, "deliver", proof="РПО 8000")
        assert contract.state == "terminated"


def test_it_can_be_withdrawn_before_it_is_sent(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        row = ended(office, session, contract)
        with pytest.raises(Refused, match=r"termination\.active"):
            ended(office, session, contract, until="received")
        terminations.finish(session, office.manager, row.id, "withdraw", today=TODAY)
        assert (row.state, contract.state) == ("withdrawn", "force")
        with pytest.raises(Forbidden):
            terminations.open_termination(
                session, office.cast.smm, contract.id, ground="consumer", received_on=TODAY
            )
        ended(office, session, contract, until="received")


@pytest.mark.parametrize(
    ("ground", "due", "debt"),
    [
        ("consumer", 3_700_000, 0), ("agreement", 3_700_000, 0), ("defect", 6_000_000, 0), ("late", 6_000_000, 0),
        ("school", 4_000_000, 0), ("gone", 4_000_000, 0),
    ],
)  # fmt: skip
def test_what_each_ground_keeps(ground, due, debt) -> None:
    got = refund_of(ground, price=6_000_000, paid=6_000_000, delivered=2_000_000, expenses=[300_000])
    assert (got.due, got.debt) == (due, debt)


sums = st.integers(0, 10**10)


@given(st.sampled_from(terminations.GROUNDS), sums, sums, sums, st.lists(sums, max_size=4))
def test_a_refund_is_never_more_than_was_paid(ground, price, paid, delivered, expenses) -> None:
    got = refund_of(ground, price=price, paid=paid, delivered=delivered, expenses=expenses)
    assert 0 <= got.due <= paid
    assert got.due - got.debt == paid - got.kept
    assert got.due == 0 or got.debt == 0


@given(sums, st.integers(0, 50), st.integers(0, 50))
def test_what_was_delivered_is_never_more_than_the_price(price, done, whole) -> None:
    assert 0 <= delivered_value(price, done, whole) <= price
