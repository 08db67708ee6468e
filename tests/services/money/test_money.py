"""Money in whole kopecks: what is laid is what came, over any history of payments, refunds and amendments."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from models import (
    Allocation,
    Case,
    Client,
    Contract,
    Event,
    Instalment,
    Message,
    Notice,
    Obligation,
    Signal,
    utc_now,
)
from services.contracts import acts, amendments
from services.contracts.restructuring import restructure
from services.contracts.terminations import open_termination
from services.crm.identities import link_author
from services.documents.issuing import DEMAND, require_right
from services.errors import Forbidden, Refused
from services.money import receivables
from services.money.arithmetic import Line, lay, net_payments, split
from services.money.obligations import finish_obligation, overdue, run_obligations
from services.money.payments import add_payment, balance_of, payments_of
from services.money.rendered import accept_month, months, put_record
from services.money.schedules import (
    add_months,
    even_schedule,
    problem_of,
    put_schedule,
    replace_schedule,
    schedule_of,
)
from services.reports.cut import Cut
from services.reports.money import debts_table
from services.rights import DESK, Actor
from services.signals import decide_signal
from tests.services.contracts.conftest import TODAY, Office

amounts = st.integers(1, 10**9)


@pytest.fixture
def office(database, cast) -> Office:
    return Office(database, cast)


@given(st.integers(0, 10**12), st.integers(1, 60))
def test_parts_add_up_and_differ_by_a_kopeck(total, parts) -> None:
    got = split(total, parts)
    assert sum(got) == total
    assert max(got) - min(got) <= 1


@settings(max_examples=200, deadline=None)
@given(st.lists(amounts, max_size=8), st.lists(st.tuples(st.booleans(), amounts), max_size=10))
def test_no_history_loses_a_kopeck(schedule, history) -> None:
    check_history(schedule, history)


def test_ten_thousand_histories_lose_no_kopeck() -> None:
    """Beside the odd ones that are looked for above, many ordinary ones."""
    dice = random.Random(1126)
    for _ in range(10_000):
        most = 10 ** dice.randint(1, 9)
        schedule = [dice.randint(1, most) for _ in range(dice.randint(0, 8))]
        check_history(schedule, [(dice.random() < 0.3, dice.randint(1, most)) for _ in range(dice.randint(0, 10))])


def check_history(schedule, history) -> None:
    """After every step: laid + left = came − back, no line takes more than it is, lines fill in their order."""
    came: list[Line] = []
    back = 0
    for is_refund, amount in history:
        standing = sum(one.amount for one in came) - back
        if is_refund:
            back += min(amount, standing)
        else:
            came.append(Line(len(came), amount))
        lines = [Line(no, part) for no, part in enumerate(schedule)]
        net = net_payments(came, back)
        laid, left = lay(lines, net)
        assert sum(part for _p, _l, part in laid) + left == sum(one.amount for one in came) - back
        assert sum(one.amount for one in net) == sum(one.amount for one in came) - back
        on_line = {line.key: sum(part for _p, key, part in laid if key == line.key) for line in lines}
        assert all(on_line[line.key] <= line.amount for line in lines)
        assert all(part > 0 for _p, _l, part in laid)
        # Lines are filled in their order: behind one that is not full nothing lies.
        full = [on_line[line.key] == line.amount for line in lines]
        first = full.index(False) if False in full else len(full)
        assert all(on_line[line.key] == 0 for line in lines[first + 1 :])
        assert left == 0 or all(full)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("pay"), amounts),
            st.tuples(st.just("back"), amounts),
            st.tuples(st.just("amend"), st.integers(1, 12)),
        ),
        max_size=7,
    )
)
def test_the_rows_hold_it_too(cast, database, history) -> None:
    """The same through the services and the database, with schedules replaced in between."""
    with database.write.begin() as session:
        client = Client(name="Анна", name_key="анна")
        session.add(client)
        session.flush()
        contract = Contract(kind="person", client_id=client.id, dated=TODAY, price=6_000_001, state="force")
        session.add(contract)
        session.flush()
        put_schedule(session, contract, even_schedule(contract.price, TODAY, 3))
        standing = 0
        for what, number in history:
            if what == "amend":
                replace_schedule(session, contract, even_schedule(contract.price, TODAY, number))
                from services.money.payments import allocate

                allocate(session, contract.id)
            else:
                is_refund = what == "back"
                if is_refund and number > standing:
                    with pytest.raises(Refused):
                        add_payment(session, DESK, contract, amount=number, paid_on=TODAY, is_refund=True)
                    continue
                add_payment(session, DESK, contract, amount=number, paid_on=TODAY, is_refund=is_refund)
                standing += -number if is_refund else number
            _hold(session, contract, standing)
        session.rollback()


def _hold(session, contract, standing) -> None:
    balance = balance_of(session, contract, TODAY)
    lines = schedule_of(session, contract.id)
    laid = session.scalar(
        select(func.coalesce(func.sum(Allocation.amount), 0))
        .join(Instalment)
        .where(Instalment.contract_id == contract.id)
    )
    assert balance.paid == standing == laid + balance.over
    assert sum(row.paid for row in lines) == laid
    assert balance.owed == contract.price - laid
    assert sum(row.amount for row in lines) == contract.price
    assert (
        sum(-row.amount if row.is_refund else row.amount for row in payments_of(session, contract.id)) == standing
    )


def test_the_same_payment_is_booked_once(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        given = {"amount": 100, "paid_on": TODAY, "external_id": "bank-1"}
        add_payment(session, office.accountant, contract, **given)
        with pytest.raises(Refused, match=r"payment\.twice"):
            add_payment(session, office.accountant, contract, **given)
        assert balance_of(session, contract, TODAY).paid == 100
        with pytest.raises(Forbidden):
            add_payment(session, office.manager, contract, amount=1, paid_on=TODAY)


def test_an_overpayment_is_seen(office, database) -> None:
    """Scenario (d): more came than the last instalment wanted."""
    with database.write.begin() as session:
        contract = office.signed(session)
        add_payment(session, office.accountant, contract, amount=6_300_000, paid_on=TODAY)
        balance = balance_of(session, contract, TODAY)
        assert (balance.owed, balance.over) == (0, 300_000)


@pytest.mark.parametrize(
    ("lines", "price", "funding", "problem"),
    [
        ([(date(2026, 12, 1), 100)], 100, "own", None),
        ([(date(2026, 12, 1), 99)], 100, "own", "schedule.sum"),
        ([], 100, "own", "schedule.empty"),
        ([], 0, "own", None),
        ([(date(2026, 12, 1), 50), (date(2026, 11, 1), 50)], 100, "own", "schedule.order"),
        ([(date(2026, 12, 1), 50), (date(2027, 6, 1), 50)], 100, "operator", None),
        ([(date(2026, 12, 1), 50), (date(2027, 6, 2), 50)], 100, "operator", "schedule.operator"),
    ],
)
def test_what_a_schedule_may_not_be(lines, price, funding, problem) -> None:
    assert problem_of(lines, price, funding) == problem


def test_months_end_where_they_end() -> None:
    assert add_months(date(2026, 10, 31), 4) == date(2027, 2, 28)
    assert add_months(date(2027, 10, 31), 4) == date(2028, 2, 29)
    assert add_months(date(2026, 12, 5), 1) == date(2027, 1, 5)


def test_reminders_come_on_their_days_and_stop_on_a_claim(office, database) -> None:
    due = date(2026, 12, 1)
    with database.write.begin() as session:
        contract = office.signed(session)
        other = office.signed(session)
        open_termination(session, office.manager, other.id, ground="consumer", received_on=TODAY)
        ids = contract.id, other.id
    reminded = {}
    for days in range(-5, 10):
        day = due + timedelta(days=days)
        reminded[days] = receivables.run_receivables(database, day)
        assert receivables.run_receivables(database, day) == 0, "twice on one day"
    assert [days for days, count in reminded.items() if count] == [-3, 0, 3]
    with database.read.begin() as session:
        told = list(session.scalars(select(Event).where(Event.kind == "debt.reminder")))
        assert {event.data["contract"] for event in told} == {ids[0]}
        first = schedule_of(session, ids[0])[0]
        assert (first.stage, first.reminders) == ("overdue", 3)
        rows = receivables.debts(session, office.manager, date(2026, 12, 9))
        assert {(row.contract.id, row.days, row.stopped) for row in rows} == {
            (ids[0], 8, None),
            (ids[1], 8, "ending"),
        }
        assert receivables.by_age(rows)["8–30"] == 4_000_000


def test_a_claim_in_any_channel_stops_reminders(office, cast, database) -> None:
    """It came by another case than the contract grew from; one that nobody has judged yet counts too."""
    cast.private("Добрый день, хочу узнать про договор")
    with database.write.begin() as session:
        contract = office.signed(session)
        message = session.scalars(select(Message)).one()
        link_author(session, office.manager, contract.client_id, message.author_id, "said")
        assert receivables.stopped_by(session, contract) is None
        session.add(Signal(message_id=message.id, name="legal_claim"))
        session.flush()
        assert receivables.stopped_by(session, contract) == "claim"
        decide_signal(session, cast.head, message.id, "legal_claim", False)
        assert receivables.stopped_by(session, contract) is None
        decide_signal(session, cast.head, message.id, "legal_claim", True)
        assert receivables.stopped_by(session, contract) == "claim"
        session.get_one(Case, message.case_id).closed_at = utc_now()
        session.flush()
        assert receivables.stopped_by(session, contract) is None


def test_a_reminder_of_a_weekend_still_comes_and_none_while_somebody_talks(office, database) -> None:
    with database.write.begin() as session:
        office.signed(session)
        other = schedule_of(session, office.signed(session).id)[0].id
    assert receivables.run_receivables(database, date(2026, 11, 29)) == 2  # a day late: the machine stood still
    assert receivables.run_receivables(database, date(2026, 12, 3)) == 2
    with database.write.begin() as session:
        receivables.step_debt(session, office.accountant, other, "demand", today=date(2026, 12, 3))
    assert receivables.run_receivables(database, date(2026, 12, 4)) == 1


def test_another_schedule_comes_by_an_amendment_and_nobody_reminds_meanwhile(office, database) -> None:
    day = date(2026, 12, 3)
    with database.write.begin() as session:
        contract_id = office.signed(session).id
        line_id = schedule_of(session, contract_id)[0].id
    receivables.run_receivables(database, day)
    with database.write.begin() as session:
        with pytest.raises(Forbidden):
            restructure(session, office.accountant, line_id, today=day)
        row = restructure(session, office.manager, line_id, today=day)
        assert (row.contract_id, row.state, session.get_one(Instalment, line_id).stage) == (
            contract_id, "draft", "restructured",
        )  # fmt: skip
        amendment_id = row.id
    assert receivables.run_receivables(database, date(2026, 12, 4)) == 0
    with database.write.begin() as session:
        amendments.step_amendment(session, office.head, amendment_id, "annul")
    receivables.run_receivables(database, date(2026, 12, 5))
    with database.read.begin() as session:
        assert session.get_one(Instalment, line_id).stage == "overdue"


def test_accounting_sees_who_handed_a_debt_over(office, database, cast) -> None:
    day = date(2026, 12, 9)
    with database.write.begin() as session:
        line_id = schedule_of(session, office.signed(session).id)[0].id
    receivables.run_receivables(database, day)
    with database.write.begin() as session:
        director = Actor(None, "Директор", frozenset({"director"}))
        with pytest.raises(Forbidden):
            receivables.step_debt(session, director, line_id, "hand_over", today=day)
        receivables.step_debt(session, office.manager, line_id, "hand_over", today=day)
        [row] = [row for row in receivables.debts(session, office.accountant, day) if row.line.id == line_id]
        assert row.handed is not None
        assert row.handed[0] == "Яна Клиентова"


def test_a_demand_is_accountings_alone_and_not_of_a_key_without_it(office, database) -> None:
    day = date(2026, 12, 9)
    with database.write.begin() as session:
        line_id = schedule_of(session, office.signed(session).id)[0].id
    receivables.run_receivables(database, day)
    bound = replace(office.accountant, only=frozenset({"contract.view", "contract.edit", "payment.edit"}))
    for actor in (office.head, office.manager, bound):
        with database.write.begin() as session:
            with pytest.raises(Forbidden):
                receivables.step_debt(session, actor, line_id, "demand", today=day)
            with pytest.raises(Forbidden):
                require_right(session, actor, DEMAND)
    with database.write.begin() as session:
        require_right(session, office.accountant, DEMAND)
        receivables.step_debt(session, office.accountant, line_id, "demand", today=day)


def test_nobody_is_told_of_what_they_handed_over_themselves(office, database) -> None:
    day = date(2026, 12, 9)
    with database.write.begin() as session:
        lines = [schedule_of(session, office.signed(session).id)[0].id for _ in range(2)]
    receivables.run_receivables(database, day)
    for line_id, actor, told in zip(lines, (office.accountant, office.manager), (0, 1), strict=True):
        with database.write.begin() as session:
            row = receivables.step_debt(session, actor, line_id, "hand_over", today=day)
            mine = (Notice.kind == "contract.debt", Notice.contract_id == row.contract_id)
            session.flush()
            found = session.scalars(select(Notice.staff_id).where(*mine)).all()
            assert list(found) == [office.accountant.staff_id] * told


def test_who_has_had_all_lessons_may_still_owe(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session, price=300)
        contract.state = "force"
        acts.step(session, office.manager, contract.id, "fulfil")
        assert {row.contract.id for row in receivables.debts(session, office.head, date(2026, 12, 9))} == {
            contract.id
        }


def test_one_receipt_is_one_payment_whoever_books_it(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        add_payment(session, office.accountant, contract, amount=100, paid_on=TODAY, receipt="п/п 7")
        with pytest.raises(Refused, match=r"payment\.twice"):
            add_payment(session, office.head, contract, amount=100, paid_on=TODAY, receipt=" п/п 7 ")
        add_payment(session, office.head, contract, amount=100, paid_on=TODAY, receipt="п/п 8")
        add_payment(session, office.head, contract, amount=100, paid_on=TODAY)
        add_payment(session, office.head, contract, amount=100, paid_on=TODAY)


def test_a_promise_silences_until_it_is_broken(office, database) -> None:
    day = date(2026, 12, 2)
    with database.write.begin() as session:
        contract = office.signed(session)
        line_id = schedule_of(session, contract.id)[0].id
    receivables.run_receivables(database, day)
    with database.write.begin() as session:
        with pytest.raises(Refused):
            receivables.step_debt(session, office.manager, line_id, "promise", promised_on=TODAY, today=day)
        receivables.step_debt(
            session, office.manager, line_id, "promise", promised_on=date(2026, 12, 10), today=day
        )
        with pytest.raises(Refused):
            receivables.step_debt(session, office.accountant, line_id, "write_off", today=day)
    assert receivables.run_receivables(database, date(2026, 12, 4)) == 0
    receivables.run_receivables(database, date(2026, 12, 11))
    with database.write.begin() as session:
        assert session.get_one(Instalment, line_id).stage == "overdue"
        receivables.step_debt(session, office.accountant, line_id, "demand", today=day)
        receivables.step_debt(session, office.manager, line_id, "hand_over", today=day)
        add_payment(
            session, office.accountant, session.get_one(Contract, contract.id), amount=2_000_000, paid_on=day
        )
        assert session.get_one(Instalment, line_id).stage == "paid"


def test_what_is_owed_is_late_the_next_morning(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        keys = {row.key: row.id for row in session.scalars(select(Obligation))}
    assert run_obligations(database, date(2026, 12, 1)) == 0
    assert run_obligations(database, date(2026, 12, 2)) == 2  # the first payment and the access
    assert run_obligations(database, date(2026, 12, 2)) == 0
    with database.write.begin() as session:
        late = overdue(session, office.head, date(2026, 12, 2))
        assert {row.obligation.key for row in late} == {"pay.1.1", "access"}
        done = finish_obligation(
            session, office.manager, keys["access"], today=date(2026, 12, 3), evidence="доступ открыт"
        )
        assert done.state == "done_late"
        with pytest.raises(Refused):
            finish_obligation(session, office.manager, keys["access"], today=TODAY, evidence="ещё раз")
        with pytest.raises(Refused):
            finish_obligation(session, office.manager, keys["document"], today=TODAY, evidence=" ")
        assert contract.id == late[0].contract.id


def test_the_register_of_services_is_locked_when_accounting_has_it(office, database) -> None:
    with database.write.begin() as session:
        contract, other = office.signed(session), office.signed(session)
        put_record(session, office.manager, contract, period="2026-11", volume="2 модуля", amount=2_000_000)
        put_record(session, office.manager, contract, period="2026-11", volume="3 модуля", amount=3_000_000)
        put_record(session, office.manager, other, period="2026-11", volume="1 модуль", amount=1)
        with pytest.raises(Refused, match=r"register\.above"):
            put_record(session, office.manager, contract, period="2026-12", volume="4", amount=3_000_001)
        assert [(m.period, m.count, m.total, m.accepted) for m in months(session, office.manager)] == [
            ("2026-11", 2, 3_000_001, False)
        ]
        with pytest.raises(Forbidden):
            accept_month(session, office.manager, "2026-11")
        assert accept_month(session, office.accountant, "2026-11") == 2
        with pytest.raises(Refused, match=r"register\.locked"):
            put_record(session, office.manager, contract, period="2026-11", volume="4", amount=1)
        assert months(session, office.manager)[0].accepted


def test_a_promise_is_kept_by_what_came_up_to_its_day(office, database) -> None:
    promised = date(2026, 12, 10)
    with database.write.begin() as session:
        contract = office.signed(session, parts=3)
        kept, late, waiting = schedule_of(session, contract.id)
        for line in (kept, late):
            line.promised_on = promised
        waiting.promised_on = date(2026, 12, 20)
        for line, day in ((kept, promised), (late, promised + timedelta(days=1))):
            add_payment(session, office.accountant, contract, amount=line.amount, paid_on=day, method="transfer")
    now = datetime(2026, 12, 15, 12, tzinfo=UTC)
    with database.read.begin() as session:
        beside = dict(debts_table(session, Cut(date(2026, 12, 1), date(2026, 12, 31)), now, "bucket").beside)
        assert beside["promises_kept"].value == 0.5
        beside = dict(debts_table(session, Cut(date(2026, 11, 1), date(2026, 11, 30)), now, "bucket").beside)
        assert beside["promises_kept"].value is None
