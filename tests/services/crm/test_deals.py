"""Deals: every change of stage that the table has and no other, the next step, and the contract that leads."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models import Contract, Deal, DealMove, Event, Task, utc_now
from services.crm.clients import create_client
from services.crm.deals import (
    LOSSES,
    MOVES,
    OTHERS,
    STAGES,
    edit_deal,
    funnel,
    link_contract,
    move_deal,
    moves_of,
    open_deal,
    reached,
    set_step,
)
from services.errors import Forbidden, NotFound, Refused, Stale
from services.events import record
from services.rights import DESK

STATES = (*STAGES, *OTHERS)
SOON = timedelta(days=3)


@pytest.fixture
def client_id(cast, database) -> int:
    with database.write.begin() as session:
        return create_client(session, cast.smm, name="Яр Анна", contact="anna@school.example").id


def put(session, cast, client_id: int, state: str = "lead", **given) -> Deal:
    deal = open_deal(session, cast.smm, client_id, **given)
    deal.state = state
    session.flush()
    return deal


def day():
    return (utc_now() + SOON).date()


def test_every_pair_of_the_table_works_and_no_other(cast, database, client_id) -> None:
    for before in STATES:
        for after in STATES:
            with database.write.begin() as session:
                deal = put(session, cast, client_id, before)
                given = {"resume_on": day(), "reason": "price"}
                if (before, after) in MOVES:
                    move_deal(session, cast.smm, deal.id, after, **given)
                    assert deal.state == after
                    assert moves_of(session, deal.id)[-1][0].after == after
                    told = select(Event).where(Event.kind == "deal.moved", Event.object_id == deal.id)
                    assert session.scalars(told).one().data["before"] == before
                else:
                    with pytest.raises(Refused):
                        move_deal(session, cast.smm, deal.id, after, **given)
                    assert deal.state == before
                session.rollback()


def test_a_loss_has_its_reason_and_a_delay_its_day(cast, database, client_id) -> None:
    with database.write.begin() as session:
        deal = put(session, cast, client_id)
        for wrong in ({"reason": None}, {"reason": "whim"}, {"reason": "other"}, {"reason": "other", "note": " "}):
            with pytest.raises(Refused, match=r"deal\.reason"):
                move_deal(session, cast.smm, deal.id, "lost", **wrong)
        for away in (None, utc_now().date() - timedelta(days=1), utc_now().date() + timedelta(days=500)):
            with pytest.raises(Refused, match=r"deal\.day"):
                move_deal(session, cast.smm, deal.id, "postponed", resume_on=away)
        move_deal(session, cast.smm, deal.id, "postponed", resume_on=day())
        task = session.get_one(Task, deal.task_id)
        assert task.state == "open"
        assert task.due_at.date() >= day()
        with pytest.raises(Stale):
            move_deal(session, cast.smm, deal.id, "lead", version=1)
        move_deal(session, cast.smm, deal.id, "lost", reason=LOSSES[0], version=deal.version)
        assert (task.state, deal.task_id, deal.resume_on) == ("dropped", None, None)
        assert deal.closed_at is not None
        move_deal(session, cast.smm, deal.id, "lead")
        session.flush()
        session.refresh(deal)
        assert not deal.loss_reason
        assert not deal.closed_at


def test_the_next_step_is_a_task_of_whoever_leads(cast, database, client_id) -> None:
    with database.write.begin() as session:
        deal = put(session, cast, client_id)
        edit_deal(session, cast.smm, deal.id, product="Курс", amount=4_890_000, staff_id=cast.head.staff_id)
        set_step(session, cast.smm, deal.id, "Позвонить", utc_now() + SOON)
        first = session.get_one(Task, deal.task_id)
        assert (first.staff_id, first.client_id, first.text) == (cast.head.staff_id, client_id, "Позвонить")
        set_step(session, cast.smm, deal.id, "Отправить предложение", utc_now() + SOON)
        assert first.state == "done"
        [column] = [one for one in funnel(session, cast.smm) if one.stage == "lead"]
        assert (column.count, column.rows[0].step.text) == (1, "Отправить предложение")
        edit_deal(session, cast.smm, deal.id, product="Курс", amount=4_890_000, staff_id=cast.smm.staff_id)
        assert session.get_one(Task, deal.task_id).staff_id == cast.smm.staff_id
        edit_deal(session, cast.smm, deal.id, product="Курс", amount=4_890_000, staff_id=cast.head.staff_id)
        columns = {one.stage: one for one in funnel(session, cast.head, mine=True)}
        assert (columns["lead"].count, columns["lead"].amount) == (1, 4_890_000)
        assert columns["lead"].rows[0].step.text == "Отправить предложение"


def test_the_contract_leads_the_deal_forward_and_never_back(cast, database, client_id) -> None:
    with database.write.begin() as session:
        deal_id = put(session, cast, client_id).id
        contract = Contract(client_id=client_id, kind="person", dated=utc_now().date(), price=1)
        session.add(contract)
        session.flush()
        contract_id = contract.id
        link_contract(session, cast.smm, deal_id, contract_id)
        other = create_client(session, cast.smm, name="Чужой Пётр", contact="petr@school.example")
        stranger = open_deal(session, cast.smm, other.id)
        with pytest.raises(NotFound):
            link_contract(session, cast.smm, stranger.id, contract_id)
    for kind, state in (
        ("contract.submit", "lead"), ("contract.send", "sent"), ("contract.sign", "signed"),
        ("contract.send", "signed"), ("payment.booked", "paid"), ("payment.booked", "paid"),
    ):  # fmt: skip
        with database.write.begin() as session:
            record(session, kind, DESK, client_id=client_id, object_id=contract_id, contract=contract_id)
        with database.read.begin() as session:
            assert session.get_one(Deal, deal_id).state == state
    with database.read.begin() as session:
        assert [move.after for move, _name in moves_of(session, deal_id)] == ["lead", "sent", "signed", "paid"]


def test_the_funnel_counts_how_far_they_came(cast, database, client_id) -> None:
    with database.write.begin() as session:
        for last in ("lead", "offered", "signed", "lost"):
            deal = open_deal(session, cast.smm, client_id)
            if last == "lost":
                move_deal(session, cast.smm, deal.id, "qualified")
            if last != "lead":
                move_deal(session, cast.smm, deal.id, last, reason="time")
        now = utc_now()
        found = reached(session, cast.smm, now - SOON, now + SOON)
        assert found == {
            "lead": 4, "qualified": 3, "consulted": 2, "offered": 2, "sent": 1, "signed": 1, "paid": 0,
            "admitted": 0, "lost": 1,
        }  # fmt: skip
        assert set(reached(session, cast.smm, now + SOON, now + 2 * SOON).values()) == {0}


def test_one_form_is_one_deal_and_strangers_are_refused(cast, database, client_id) -> None:
    with database.write.begin() as session:
        first = open_deal(session, cast.smm, client_id, product=" Курс  года ", form_key="k1")
        assert open_deal(session, cast.smm, client_id, form_key="k1").id == first.id
        assert first.product == "Курс года"
        with pytest.raises(Refused):
            open_deal(session, cast.smm, client_id, amount=-1)
        with pytest.raises(Forbidden):
            open_deal(session, cast.curator, client_id)
        assert len(session.scalars(select(DealMove)).all()) == 1


def test_whoever_is_admitted_is_a_student_and_a_lost_deal_begins_anew() -> None:
    assert {after for before, after in MOVES if before == "admitted"} == set()
    assert {after for before, after in MOVES if before == "lost"} == {"lead"}
    assert {after for before, after in MOVES if before == "paid"} == {"admitted"}
    reached_from_lead, new = {"lead"}, {"lead"}
    while new := {after for before, after in MOVES if before in new} - reached_from_lead:
        reached_from_lead |= new
    assert reached_from_lead == set(STATES)


def test_a_postponed_deal_whose_contract_is_signed_reminds_nobody(cast, database, client_id) -> None:
    with database.write.begin() as session:
        deal = put(session, cast, client_id)
        contract = Contract(client_id=client_id, kind="person", dated=utc_now().date(), price=1)
        session.add(contract)
        session.flush()
        link_contract(session, cast.smm, deal.id, contract.id)
        move_deal(session, cast.smm, deal.id, "postponed", resume_on=day())
        task_id, deal_id, contract_id = deal.task_id, deal.id, contract.id
    with database.write.begin() as session:
        record(session, "contract.sign", DESK, client_id=client_id, object_id=contract_id, contract=contract_id)
    with database.read.begin() as session:
        deal = session.get_one(Deal, deal_id)
        assert (deal.state, deal.task_id, deal.resume_on) == ("signed", None, None)
        assert session.get_one(Task, task_id).state == "dropped"
