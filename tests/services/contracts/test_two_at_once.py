"""Two people press at one moment: one wins, the other is told, and what they look at next is fresh."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import func, select

from models import Contract, Event, Payment, Termination
from models.database import Database
from services.contracts import acts, terminations
from services.errors import DeskError
from services.money.payments import add_payment
from tests.services.contracts.conftest import TODAY
from tests.services.contracts.test_closing import closed


def both(database: Database, press: Callable[[Any], object]) -> list[DeskError | None]:
    """The press of two people, each in a transaction of their own, begun together; how it ended for each."""
    gate = Barrier(2)
    found: list[DeskError | None] = []

    def _one() -> None:
        gate.wait(10)
        try:
            with database.write.begin() as session:
                press(session)
            found.append(None)
        except DeskError as error:
            found.append(error)

    threads = [Thread(target=_one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


def prepared(office, name: str) -> tuple[Callable[[Any], object], Callable[[Any], object]]:
    """(the press, what it leads to)."""
    with office.database.write.begin() as session:
        if name == "approve":
            contract = office.draft(session)
            acts.submit(session, office.manager, office.keyring, contract.id)
            number = contract.id
            return (
                lambda s: acts.approve(s, office.accountant, number),
                lambda s: s.get_one(Contract, number).state == "approved",
            )
        if name == "sign":
            number = office.sent(session).id
            return (
                lambda s: acts.sign(s, office.manager, number, signature="paper", today=TODAY, evidence={}),
                lambda s: s.get_one(Contract, number).state == "force",
            )
        if name == "settle":
            number = closed(office, session)[1].id
            return (
                lambda s: terminations.settle(s, office.accountant, number),
                lambda s: s.get_one(Termination, number).state == "refund_due",
            )
        if name == "pay_back":
            row = closed(office, session)[1]
            terminations.settle(session, office.accountant, row.id)
            number = row.id
            return (
                lambda s: terminations.pay_back(s, office.accountant, number, paid_on=TODAY, receipt="п/п 1"),
                lambda s: s.scalar(select(func.count(Payment.id)).where(Payment.is_refund)) == 1,
            )
        number = office.signed(session).id
        return (
            lambda s: add_payment(
                s, office.accountant, s.get_one(Contract, number), amount=2_000_000, paid_on=TODAY, seen=0
            ),
            lambda s: s.scalar(select(func.sum(Payment.amount))) == 2_000_000,
        )


@pytest.mark.parametrize("name", ["approve", "sign", "settle", "pay_back", "pay"])
def test_of_two_presses_at_one_moment_one_wins(office, database, name) -> None:
    press, came = prepared(office, name)
    with database.read.begin() as session:
        before = session.scalar(select(func.max(Event.id)))
    ends = both(database, press)
    assert len(ends) == 2
    assert ends.count(None) == 1
    lost = next(one for one in ends if one is not None)
    assert lost.code in ("state.closed", "state.stale", "payment.stale")
    if lost.code != "payment.stale":
        assert lost.data["state"] not in ("approval", "sent", "signed")  # what it told is the fresh state
    with database.read.begin() as session:
        assert came(session)
        kinds = list(session.scalars(select(Event.kind).where(Event.id > before)))
        steps = [
            kind for kind in kinds if kind.split(".")[1] in ("approve", "sign", "assign_refund", "refund", "booked")
        ]
        assert len(steps) == 1, kinds
