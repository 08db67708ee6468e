"""What a settled termination leaves to do, who is told of what waits for them, and whose word a paper needs."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from models import Decision, Document, Event, Notice, Obligation, Source, Staff, Task, utc_now
from services.contracts import acts, terminations
from services.contracts.closing import school_page, tasks_of
from services.contracts.decisions import decide
from services.contracts.drafts import open_draft
from services.crm.tasks import end_task
from services.documents.issuing import approve_answer, documents_of, mark_signed, prepare, put_paper, run_make
from services.documents.templates import seed_template
from services.errors import Forbidden, NotFound, Refused
from services.money.payments import add_payment
from services.money.receivables import run_receivables, step_debt
from services.money.schedules import schedule_of
from services.notices import notices_of
from tests.services.contracts.conftest import TODAY
from tests.services.contracts.test_amendments import ended

ANSWER = {
    "claim.in_no": "7", "claim.date": "2026-11-20", "claim.facts": "занятие перенесено дважды",
    "claim.decision": "вернуть часть", "claim.norms": "ЗоЗПП, ст. 29", "claim.sum": "150000",
    "claim.appeal": "в суд по месту жительства",
}  # fmt: skip


def told(database, actor) -> list[str]:
    with database.read.begin() as session:
        return sorted(line.notice.kind for line in notices_of(session, actor, utc_now() + timedelta(days=3)))


def closed(office, session, *, refund: bool = True):
    """(contract, termination) signed by both, its refund not yet settled."""
    contract = office.signed(session)
    if refund:
        add_payment(session, office.accountant, contract, amount=6_000_000, paid_on=TODAY)
    row = ended(office, session, contract)
    terminations.send_termination(session, office.manager, row.id)
    terminations.close_paper(session, office.manager, row.id, "sign", proof="подписано")
    return contract, row


@pytest.mark.parametrize("refund", [True, False])
def test_order_and_access_become_tasks_by_themselves(office, database, refund) -> None:
    """Each with an owner, a day and a mark; without the access closed nothing is finished."""
    with database.write.begin() as session:
        contract, row = closed(office, session, refund=refund)
        assert tasks_of(session, [row.id]) == {}
        terminations.settle(session, office.accountant, row.id)
        order, access = tasks_of(session, [row.id])[row.id]
        assert "приказ об отчислении" in order.task.text
        assert "Закрыть доступ в GetCourse" in access.task.text
        for one in (order, access):
            assert (one.staff, one.task.client_id, one.task.state) == ("Яна Клиентова", contract.client_id, "open")
            assert str(contract.number) in one.task.text
        assert (order.task.due_at > access.task.due_at) is refund  # the order follows the money
        if refund:
            terminations.pay_back(session, office.accountant, row.id, paid_on=TODAY, receipt="п/п 5")
        terminations.finish(session, office.manager, row.id, "order", today=TODAY)
        assert order.task.state == "done"  # the step is the mark
        with pytest.raises(Refused, match=r"termination\.access"):
            terminations.finish(session, office.manager, row.id, "finish", today=TODAY)
        end_task(session, office.manager, access.task.id)
        terminations.finish(session, office.manager, row.id, "finish", today=TODAY)
        assert row.state == "finished"
        assert {task.state for task in session.scalars(select(Task))} == {"done"}


def test_the_access_is_closed_on_the_persons_own_page(office, database) -> None:
    with database.write.begin() as session:
        contract, row = closed(office, session)
        terminations.settle(session, office.accountant, row.id)
        client = tasks_of(session, [row.id])[row.id][1].client
        assert school_page(session, client) is None
        session.add(
            Source(
                platform="getcourse", title="Школа", settings={"account": "lingva.getcourse.ru"}, every_seconds=60
            )
        )
        session.flush()
        assert school_page(session, client) == "https://lingva.getcourse.ru/pl/user/user/index"
        client.external_id, client.origin = "4711", "getcourse"
        page = "https://lingva.getcourse.ru/user/control/user/update/id/4711"
        assert school_page(session, client) == page
        assert contract.state == "terminated"


def test_who_is_away_for_good_leaves_the_task_to_the_desk(office, database) -> None:
    with database.write.begin() as session:
        contract, row = closed(office, session)
        row.author_id = contract.author_id = office.accountant.staff_id  # who may keep no cards
        terminations.settle(session, office.accountant, row.id)
        assert {one.task.staff_id for one in tasks_of(session, [row.id])[row.id]} == {None}


def test_accounting_is_told_of_what_is_handed_over_to_it(office, database) -> None:
    with database.write.begin() as session:
        contract = office.draft(session)
        acts.submit(session, office.manager, office.keyring, contract.id)
    assert told(database, office.accountant) == ["contract.approval"]
    assert told(database, office.head) == []
    with database.read.begin() as session:
        (line,) = notices_of(session, office.accountant, utc_now() + timedelta(days=3))
        assert (line.text, line.number) == ("Яр Анна Сергеевна", f"№ {contract.number}")
    with database.write.begin() as session:
        acts.approve(session, office.accountant, contract.id)
    assert told(database, office.accountant) == []  # done is not asked for
    with database.write.begin() as session:
        acts.send(session, office.manager, contract.id, today=TODAY)
        acts.sign(session, office.manager, contract.id, signature="paper", today=TODAY, evidence={})
        line_id = schedule_of(session, contract.id)[0].id
    run_receivables(database, date(2026, 12, 9))
    with database.write.begin() as session:
        step_debt(session, office.manager, line_id, "hand_over", today=date(2026, 12, 9))
    assert told(database, office.accountant) == ["contract.debt"]


def test_a_refund_goes_from_hand_to_hand_and_each_is_told(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        add_payment(session, office.accountant, contract, amount=6_000_000, paid_on=TODAY)
        row = ended(office, session, contract, until="received")
        terminations.start_calculation(session, office.manager, row.id)
    assert told(database, office.accountant) == ["contract.calculation"]
    with database.write.begin() as session:
        terminations.save_calculation(
            session, office.accountant, row.id, 2, today=TODAY, facts="2 модуля", delivered=0, expenses=[],
            effective_on=TODAY,
        )  # fmt: skip
        terminations.submit_calculation(session, office.accountant, row.id, today=TODAY)
    assert told(database, office.accountant) == []
    assert told(database, office.head) == ["contract.head"]
    with database.write.begin() as session:
        terminations.agree(session, office.head, row.id, agreed=True, today=TODAY)
    assert told(database, office.head) == []
    with database.write.begin() as session:
        terminations.send_termination(session, office.manager, row.id)
        terminations.close_paper(session, office.manager, row.id, "sign", proof="подписано")
    assert told(database, office.accountant) == ["contract.settle"]
    with database.write.begin() as session:
        terminations.settle(session, office.accountant, row.id)
        assert (
            session.scalars(select(Notice).where(Notice.seen_at.is_(None), Notice.contract_id.is_not(None))).all()
            == []
        )


def test_a_demand_is_accountings_alone(office, database) -> None:
    with database.write.begin() as session:
        seed_template(session, "demand")
        contract = office.signed(session)
        line_id = schedule_of(session, contract.id)[0].id
    run_receivables(database, date(2026, 12, 9))
    with database.write.begin() as session:
        for actor in (office.manager, office.head):  # accounting has a login, so the head does not stand in for it
            with pytest.raises(Forbidden):
                prepare(
                    session, actor, office.keyring, contract, "demand", dated=date(2026, 12, 9),
                    given={"pay.due": "2026-12-20"},
                )  # fmt: skip
            with pytest.raises(Forbidden):
                put_paper(session, actor, contract, "demand", content=b"%PDF-1.4", note="", dated=TODAY)
            with pytest.raises(Forbidden):
                step_debt(session, actor, line_id, "demand", today=date(2026, 12, 9))
        assert documents_of(session, contract.id) == []
        ready = prepare(
            session, office.accountant, office.keyring, contract, "demand", dated=date(2026, 12, 9),
            given={"pay.due": "2026-12-20"},
        )  # fmt: skip
        step_debt(session, office.accountant, line_id, "demand", today=date(2026, 12, 9))
        with pytest.raises(Forbidden):  # and no other paper is
            prepare(session, office.accountant, office.keyring, contract, "application", dated=TODAY)
    run_make(database, office.accountant, ready)
    with database.read.begin() as session:
        assert session.get_one(Document, ready.document_id).state == "made"


def test_the_head_makes_it_where_accounting_has_no_login(office, database) -> None:
    with database.write.begin() as session:
        seed_template(session, "demand")
        contract = office.signed(session)
        session.get_one(Staff, office.accountant.staff_id).active = False
        session.flush()
        prepare(
            session, office.head, office.keyring, contract, "demand", dated=date(2026, 12, 9),
            given={"pay.due": "2026-12-20"},
        )  # fmt: skip
        with pytest.raises(Forbidden):
            prepare(session, office.manager, office.keyring, contract, "demand", dated=TODAY)


def test_an_answer_to_a_claim_goes_out_by_the_heads_word(office, database) -> None:
    """Whoever writes it, the decision is the head's, with the figures of the day of her word."""
    with database.write.begin() as session:
        seed_template(session, "claim_answer")
        contract = office.signed(session)
        add_payment(session, office.accountant, contract, amount=1_000_000, paid_on=TODAY)
        ready = prepare(
            session, office.manager, office.keyring, contract, "claim_answer", dated=TODAY, given=ANSWER
        )
    run_make(database, office.manager, ready)
    assert told(database, office.head) == ["contract.claim"]
    with database.write.begin() as session:
        assert session.scalars(select(Decision)).all() == []
        for act in (
            lambda: approve_answer(session, office.manager, ready.document_id, today=TODAY),
            lambda: mark_signed(session, office.manager, ready.document_id),
            lambda: decide(
                session, office.manager, contract, kind="claim_answer", ground="—", norm="—", outcome="—",
                today=TODAY,
            ),
        ):  # fmt: skip
            with pytest.raises(Forbidden):
                act()
        add_payment(session, office.accountant, contract, amount=500_000, paid_on=TODAY)
        approve_answer(session, office.head, ready.document_id, today=TODAY)
        approve_answer(session, office.head, ready.document_id, today=TODAY)  # pressed twice
        decision = session.scalars(select(Decision)).one()
        assert (decision.author_id, decision.norm) == (office.head.staff_id, "ЗоЗПП, ст. 29")
        assert (decision.figures["paid"], decision.figures["sum"]) == (1_500_000, 150_000)
        with pytest.raises(NotFound):
            approve_answer(session, office.head, 10**6, today=TODAY)
    assert told(database, office.head) == []


def test_a_form_pressed_twice_makes_one(office, database) -> None:
    with database.write.begin() as session:
        seed_template(session, "application")
        contract = office.signed(session)
        given = {"claim.request": "перенести", "claim.reason": "болезнь", "pay.details": "р/с 1"}
        ready = prepare(
            session,
            office.manager,
            office.keyring,
            contract,
            "application",
            dated=TODAY,
            given=given,
            form_key="k1",
        )
    with database.write.begin() as session, pytest.raises(Refused, match=r"form\.twice"):
        prepare(
            session,
            office.manager,
            office.keyring,
            contract,
            "application",
            dated=TODAY,
            given=given,
            form_key="k1",
        )
    with database.write.begin() as session:
        assert [row.id for row in documents_of(session, contract.id)] == [ready.document_id]
        second = prepare(
            session,
            office.manager,
            office.keyring,
            contract,
            "application",
            dated=TODAY,
            given=given,
            form_key="k2",
        )
        numbers = [row.serial for row in documents_of(session, contract.id)]
        assert numbers == [2, 1]  # the refused press took none
        assert second.document_id != ready.document_id
        paper = {"content": b"%PDF-1.4", "note": "", "dated": TODAY, "form_key": "k3"}
        puts = {put_paper(session, office.manager, contract, "claim", **paper).id for _ in range(2)}
        drafts = {
            open_draft(session, office.manager, office.client_id, kind="person", dated=TODAY, form_key="k4").id
            for _ in range(2)
        }
        said = {
            "kind": "discount",
            "ground": "акция",
            "norm": "",
            "outcome": "10 %",
            "today": TODAY,
            "form_key": "k5",
        }
        decisions = {decide(session, office.manager, contract, **said).id for _ in range(2)}
        assert (len(puts), len(drafts), len(decisions)) == (1, 1, 1)
        kinds = list(session.scalars(select(Event.kind)))
        assert [kinds.count(kind) for kind in ("document.put", "decision.taken")] == [1, 1]


def test_no_order_of_enrolment_before_the_contract(office, database) -> None:
    with database.write.begin() as session:
        seed_template(session, "order_enrol")
        sent, signed = office.sent(session), office.signed(session)
        for contract, dated in ((sent, TODAY), (signed, TODAY - timedelta(days=1))):
            with pytest.raises(Refused, match=r"order\.early"):
                prepare(
                    session, office.manager, office.keyring, contract, "order_enrol", dated=dated,
                    given={"order.ground": "договор"},
                )  # fmt: skip
        prepare(
            session, office.manager, office.keyring, signed, "order_enrol", dated=TODAY,
            given={"order.ground": "договор"},
        )  # fmt: skip


@pytest.mark.parametrize(("days", "state"), [(3, "done"), (4, "done_late")])
def test_the_certificate_is_done_by_being_made(office, database, days, state) -> None:
    """On the fourth day after the order it counts as late (clause 8.4.4)."""
    given = {"order.no": "3", "order.date": TODAY.isoformat(), "doc.addressee": "по месту требования"}
    with database.write.begin() as session:
        seed_template(session, "study_certificate")
        contract, row = closed(office, session, refund=False)
        terminations.settle(session, office.accountant, row.id)
        terminations.finish(session, office.manager, row.id, "order", today=TODAY)
        ready = prepare(
            session, office.manager, office.keyring, contract, "study_certificate",
            dated=TODAY + timedelta(days=days), given=given,
        )  # fmt: skip
    run_make(database, office.manager, ready)
    with database.read.begin() as session:
        owed = session.scalars(select(Obligation).where(Obligation.subject == "certificate")).one()
        assert (owed.state, owed.evidence) == (state, "№ 1-26")
