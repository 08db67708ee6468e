"""What both sides owe by a contract, with days: made from it when it is signed, followed until done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import Contract, Obligation
from models.database import Database
from services.errors import NotFound, Refused
from services.events import record
from services.leases import insert_missing
from services.money.schedules import schedule_of
from services.rights import DESK, Actor, require

OPEN = ("waiting", "late")
ACCESS_DAYS = 0
CERTIFICATE_DAYS = 3
"""A certificate of study is due that many days after an order of expulsion (273-ФЗ, article 60)."""


@dataclass(frozen=True, slots=True)
class Owed:
    """An overdue obligation with its contract."""

    obligation: Obligation
    contract: Contract
    days: int


def obligations_of(session: Session, contract_id: int) -> list[Obligation]:
    query = select(Obligation).where(Obligation.contract_id == contract_id)
    return list(session.scalars(query.order_by(Obligation.due_on, Obligation.id)))


def overdue(
    session: Session, actor: Actor, today: date, limit: int = 200, *, side: str | None = None,
    payments: bool = True,
) -> list[Owed]:  # fmt: skip
    """What is late, the oldest first: on the head's list from the morning after the day it was due; ``payments``:
    those of the schedules too, of which there may be many."""
    require(actor, "contract.view")
    sides = [Obligation.side == side] if side else []
    if not payments:
        sides.append(Obligation.subject != "payment")
    rows = session.execute(
        select(Obligation, Contract)
        .join(Contract, Contract.id == Obligation.contract_id)
        .where(Obligation.state.in_(OPEN), Obligation.due_on < today, *sides)
        .order_by(Obligation.due_on, Obligation.id)
        .limit(limit)
    )
    return [Owed(one, contract, (today - one.due_on).days) for one, contract in rows]


def count_overdue(session: Session, today: date) -> dict[str, int]:
    """Side (school · client) → how many of its obligations are late."""
    rows = session.execute(
        select(Obligation.side, func.count())
        .where(Obligation.state.in_(OPEN), Obligation.due_on < today)
        .group_by(Obligation.side)
    )
    return {row[0]: row[1] for row in rows}


def make_obligations(session: Session, contract: Contract) -> None:
    """Payments of the client; access, lessons and document of the school, as far as days are named."""
    rows: list[tuple[str, str, str, str, date]] = [
        (f"pay.{line.schedule}.{line.no}", "client", "payment", "4.3", line.due_on)
        for line in schedule_of(session, contract.id)
    ]
    _insert(session, contract.id, [*rows, *_of_school(contract)])


def _of_school(contract: Contract) -> list[tuple[str, str, str, str, date]]:
    """key, side, subject, clause, day"""
    rows = []
    start = contract.effective_on or contract.dated
    program = contract.terms.get("program", {})
    # Who has paid for an offer is let in by the shop itself.
    if contract.kind not in ("consulting", "offer"):
        begin = _day(program.get("start")) or start
        rows.append(("access", "school", "access", "3.1", begin + timedelta(days=ACCESS_DAYS)))
    end = _day(program.get("end")) or contract.ends_on
    if end is not None and program.get("doc_kind"):
        rows.append(("document", "school", "document", "1.4", end))
    return rows


def renew_terms(session: Session, contract: Contract) -> None:
    """After an amendment of the programme's days: what the school still owes is owed by the new ones."""
    rows = _of_school(contract)
    _insert(session, contract.id, rows)
    days = {key: due for key, _side, _subject, _clause, due in rows}
    for row in obligations_of(session, contract.id):
        if row.state in OPEN and row.key in days and row.due_on != days[row.key]:
            row.due_on, row.state = days[row.key], "waiting"


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _insert(session: Session, contract_id: int, rows: Sequence[tuple[str, str, str, str, date]]) -> None:
    if not rows:
        return
    insert_missing(
        session, Obligation,
        [
            {"contract_id": contract_id, "key": key, "side": side, "subject": subject, "clause": clause,
             "due_on": due, "state": "waiting", "evidence": ""}
            for key, side, subject, clause, due in rows
        ], "contract_id", "key",
    )  # fmt: skip


def renew_payments(session: Session, contract: Contract, today: date) -> None:
    """After an amendment: the former schedule is owed no more, the new one is."""
    lines = schedule_of(session, contract.id)
    keep = {f"pay.{line.schedule}.{line.no}" for line in lines}
    for row in obligations_of(session, contract.id):
        if row.key.startswith("pay.") and row.key not in keep and row.state in OPEN:
            row.state = "lifted"
    _insert(
        session, contract.id,
        [(f"pay.{line.schedule}.{line.no}", "client", "payment", "4.3", line.due_on) for line in lines],
    )  # fmt: skip
    follow_payments(session, contract.id, today)


def follow_payments(session: Session, contract_id: int, today: date) -> None:
    """A payment that is wholly there is an obligation done, and one that went back is owed again, unless the
    contract has ended and its money was given back."""
    session.flush()
    has_ended = session.get_one(Contract, contract_id).state == "terminated"
    rows = {row.key: row for row in obligations_of(session, contract_id)}
    for line in schedule_of(session, contract_id):
        row = rows.get(f"pay.{line.schedule}.{line.no}")
        if row is None or row.state == "lifted":
            continue
        if line.paid >= line.amount and row.state in OPEN:
            row.state = "done_late" if today > row.due_on else "done"
            row.done_on = today
        elif line.paid < line.amount and row.state in ("done", "done_late") and not has_ended:
            row.state, row.done_on = "waiting", None


def add_obligation(
    session: Session, actor: Actor, contract: Contract, *, key: str, side: str, subject: str, due_on: date
) -> None:
    """One more, made once by its ``key``: a certificate after an expulsion, a refund, a promise."""
    _insert(session, contract.id, [(key, side, subject, "", due_on)])
    record(session, "obligation.made", actor, client_id=contract.client_id, object_id=contract.id, key=key)


def finish_obligation(
    session: Session, actor: Actor, obligation_id: int, *, today: date, evidence: str, lift: bool = False
) -> Obligation:
    """Done, with what proves it; ``lift``: not owed any more, with the reason."""
    require(actor, "contract.edit")
    row = session.get(Obligation, obligation_id, with_for_update=True)
    if row is None:
        raise NotFound("obligation.unknown", id=obligation_id)
    if row.state not in OPEN:
        raise Refused("obligation.closed")
    if not evidence.strip():
        raise Refused("text.empty")
    row.state = "lifted" if lift else ("done_late" if today > row.due_on else "done")
    row.done_on, row.evidence, row.staff_id = today, evidence.strip(), actor.staff_id
    record(session, "obligation.lifted" if lift else "obligation.done", actor, object_id=row.id)
    return row


def finish_subject(
    session: Session, actor: Actor, contract_id: int, subject: str, *, on: date, evidence: str
) -> None:
    """What was owed is done by what was made: a certificate that is out need not be ticked besides."""
    for row in obligations_of(session, contract_id):
        if row.subject == subject and row.state in OPEN:
            row.state = "done_late" if on > row.due_on else "done"
            row.done_on, row.evidence, row.staff_id = on, evidence, actor.staff_id
            record(session, "obligation.done", actor, object_id=row.id)


def lift_all(session: Session, contract: Contract) -> None:
    """The contract has ended: neither side owes what lay ahead by its schedule."""
    session.execute(
        update(Obligation)
        .where(
            Obligation.contract_id == contract.id, Obligation.state.in_(OPEN),
            Obligation.key.like("pay.%") | Obligation.key.in_(("access", "document")),
        )
        .values(state="lifted")
    )  # fmt: skip


def run_obligations(database: Database, today: date) -> int:
    """Marks what has become late, once a day; returns how many."""
    with database.write.begin() as session:
        ids = list(
            session.scalars(select(Obligation.id).where(Obligation.state == "waiting", Obligation.due_on < today))
        )
        if ids:
            session.execute(update(Obligation).where(Obligation.id.in_(ids)).values(state="late"))
            record(session, "obligation.late", DESK, count=len(ids))
    return len(ids)
