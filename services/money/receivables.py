"""Receivables: the stage of each line that is owed, reminders by days, and what stops them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models import (
    Amendment,
    Case,
    Client,
    Clock,
    Contract,
    Event,
    Identity,
    Instalment,
    Message,
    Signal,
    Staff,
    Termination,
    utc_now,
)
from models.database import Database
from services.contracts.machines import require_accounting
from services.contracts.telling import hush, tell
from services.crm.tasks import add_task
from services.errors import NotFound, Refused
from services.events import record
from services.money.schedules import schedule_of
from services.rights import DESK, Actor, require

STAGES = (
    "ahead", "today", "overdue", "promised", "restructured", "demanded", "accounting", "paid", "written_off",
)  # fmt: skip
MOVES: dict[str, tuple[str, ...]] = {
    "promise": ("today", "overdue", "promised", "demanded"),
    "restructure": ("overdue", "promised", "demanded"),
    "demand": ("overdue", "promised"),
    "hand_over": ("overdue", "promised", "demanded", "restructured"),
    "write_off": ("accounting",),
}
TO = {
    "promise": "promised", "restructure": "restructured", "demand": "demanded", "hand_over": "accounting",
    "write_off": "written_off",
}  # fmt: skip
REMIND = (-3, 0, 3, 7)
"""Days from the due day on which a reminder falls due (domain.md, P11)."""
GRACE = 2
"""So many days after such a day a reminder that was not given then (a weekend's stop, a claim) still comes."""
REMINDED = ("ahead", "today", "overdue")
"""At the other stages somebody talks to the client already, and nobody reminds."""
MOST_REMINDERS = 3
"""Not more often than that for one line, and never twice a day."""
OWING = ("signed", "force", "paused", "fulfilled")
"""Whoever has had all their lessons may owe for them still."""
CLOSED = ("paid", "written_off")
OPEN = tuple(stage for stage in STAGES if stage not in CLOSED)
"""Asked by name, stage by stage, so that the index is walked and not the whole table."""


@dataclass(frozen=True, slots=True)
class Debt:
    """A line that is owed: ``days`` past its day, negative while it lies ahead. ``handed``: who gave it to
    accounting, and when."""

    line: Instalment
    contract: Contract
    client: Client
    days: int
    stopped: str | None
    handed: tuple[str, datetime] | None = None

    @property
    def amount(self) -> int:
        return self.line.amount - self.line.paid


def debts(session: Session, actor: Actor, today: date, *, limit: int = 200) -> list[Debt]:
    """What was due before today and is not paid, the oldest first, with what stops reminders."""
    require(actor, "contract.view")
    rows = session.execute(
        select(Instalment, Contract, Client)
        .join(Contract, Contract.id == Instalment.contract_id)
        .join(Client, Client.id == Contract.client_id)
        .where(
            Instalment.current, Instalment.stage.in_(OPEN), Instalment.due_on < today,
            Instalment.paid < Instalment.amount, Contract.state.in_(OWING),
        )
        .order_by(Instalment.due_on, Instalment.id)
        .limit(limit)
    )  # fmt: skip
    found = [(line, contract, client) for line, contract, client in rows]
    handed = _handed(
        session, {line.id: client.id for line, _contract, client in found if line.stage == "accounting"}
    )
    return [
        Debt(line, contract, client, (today - line.due_on).days, stopped_by(session, contract), handed.get(line.id))
        for line, contract, client in found
    ]


def _handed(session: Session, lines: dict[int, int]) -> dict[int, tuple[str, datetime]]:
    """Line → who handed it over to accounting, and when; ``lines``: line → its client."""
    if not lines:
        return {}
    query = (
        select(Event.object_id, Staff.name, Event.at)
        .outerjoin(Staff, Staff.id == Event.staff_id)
        .where(
            Event.client_id.in_(set(lines.values())), Event.kind == "debt.hand_over",
            Event.object_id.in_(list(lines)),
        )
        .order_by(Event.id)
    )  # fmt: skip
    return {int(line_id or 0): (name or "", at) for line_id, name, at in session.execute(query)}


BUCKETS = ((7, "1–7"), (30, "8–30"), (60, "31–60"), (90, "61–90"), (10**6, ">90"))


def by_age(rows: list[Debt]) -> dict[str, int]:
    """Sums by age in days (report 19)."""
    sums = {name: 0 for _most, name in BUCKETS}
    for row in rows:
        sums[next(name for most, name in BUCKETS if row.days <= most)] += row.amount
    return sums


def stopped_by(session: Session, contract: Contract) -> str | None:
    """claim · ending · flag: why nobody reminds this client now; None when nothing stands against it."""
    ending = select(Termination.id).where(Termination.active_key == contract.id)
    if session.scalar(ending.limit(1)) is not None:
        return "ending"
    people = {contract.client_id, contract.student_id, contract.payer_id} - {None}
    for client in session.scalars(select(Client).where(Client.id.in_(people))):
        if {"dispute", "illness", "death"} & set(client.flags):
            return "flag"
    return "claim" if _has_claim(session, contract, people) else None


def _has_claim(session: Session, contract: Contract, people: set[int | None]) -> bool:
    """Whether any open case of theirs, in any channel, is a claim or looks like one that nobody has judged yet."""
    authors = select(Identity.linked_author_id).where(Identity.client_id.in_(people), Identity.state == "linked")
    theirs = or_(Case.author_id.in_(authors), Case.id == contract.case_id)
    cases = list(session.scalars(select(Case.id).where(theirs, Case.closed_at.is_(None))))
    if not cases:
        return False
    legal = select(Clock.id).where(Clock.case_id.in_(cases), Clock.done_at.is_(None), Clock.sla_class == "CLAIM")
    if session.scalar(legal.limit(1)) is not None:
        return True
    looks = select(Signal.id).join(Message, Message.id == Signal.message_id)
    looks = looks.where(Message.case_id.in_(cases), Signal.name == "legal_claim", Signal.state == "proposed")
    return session.scalar(looks.limit(1)) is not None


def step_debt(
    session: Session, actor: Actor, instalment_id: int, act: str, *, promised_on: date | None = None, today: date
) -> Instalment:
    """promise (by when) · restructure · demand (accounting's alone) · hand_over · write_off.

    Who restructures does it by an amendment: services.contracts.restructuring.
    """
    require(actor, "contract.view")
    row = session.get(Instalment, instalment_id, with_for_update=True)
    if row is None:
        raise NotFound("instalment.unknown", id=instalment_id)
    if act == "write_off" or not actor.may("contract.edit"):
        require(actor, "payment.edit")
    if act == "demand":
        require(actor, "demand.make")
        require_accounting(session, actor)
    if act not in MOVES or row.stage not in MOVES[act] or not row.current:
        raise Refused("debt.stage", state=row.stage, step=act)
    if act == "promise" and (promised_on is None or promised_on < today):
        raise Refused("date.past")
    row.promised_on = promised_on if act == "promise" else row.promised_on
    before, row.stage = row.stage, TO[act]
    contract = session.get_one(Contract, row.contract_id)
    record(
        session, f"debt.{act}", actor, client_id=contract.client_id, object_id=row.id, contract=contract.id,
        before=before,
    )  # fmt: skip
    if act == "hand_over":
        tell(session, actor, contract, "contract.debt")
    elif TO[act] == "written_off":
        hush(session, contract.id, "contract.debt")
    return row


def run_receivables(database: Database, today: date) -> int:
    """Once a day: stages by the calendar, promises that were broken, reminders; returns how many of these."""
    with database.read.begin() as session:
        near = today + timedelta(days=-REMIND[0])
        ids = list(
            session.scalars(
                select(Instalment.id).where(
                    Instalment.current, Instalment.stage.in_(OPEN), Instalment.due_on <= near,
                    Instalment.paid < Instalment.amount,
                )
            )
        )  # fmt: skip
    count = 0
    for instalment_id in ids:
        with database.write.begin() as session:
            row = session.get_one(Instalment, instalment_id, with_for_update=True)
            contract = session.get_one(Contract, row.contract_id)
            if contract.state in OWING:
                _age(session, row, today)
                count += _remind(session, row, contract, today)
    return count


def age_lines(session: Session, contract: Contract, today: date) -> None:
    """The stages of a schedule that has just come into force: what it wants of a past day is overdue at once."""
    for row in schedule_of(session, contract.id):
        if row.paid < row.amount:
            _age(session, row, today)


def _age(session: Session, row: Instalment, today: date) -> None:
    before = row.stage
    if row.stage == "promised" and row.promised_on is not None and row.promised_on < today:
        row.stage = "overdue"
    elif row.stage == "restructured" and not _is_amended(session, row.contract_id):
        row.stage = "overdue"  # the amendment was declined, annulled or never answered
    elif row.stage in ("ahead", "today"):
        row.stage = "ahead" if row.due_on > today else "today" if row.due_on == today else "overdue"
    if row.stage != before:
        record(
            session, "debt.aged", DESK, object_id=row.id, contract=row.contract_id, before=before, after=row.stage
        )


def _is_amended(session: Session, contract_id: int) -> bool:
    return session.scalar(select(Amendment.id).where(Amendment.active_key == contract_id)) is not None


def _remind(session: Session, row: Instalment, contract: Contract, today: date) -> int:
    """A task for the author of the contract on the days of REMIND; silence while a claim is open, a promise or an
    amendment runs, or the demand is out."""
    days = (today - row.due_on).days
    point = max((one for one in REMIND if one <= days), default=None)
    if point is None or days - point > GRACE or row.reminders >= MOST_REMINDERS or row.stage not in REMINDED:
        return 0
    if row.reminded_on is not None and row.reminded_on >= row.due_on + timedelta(days=point):
        return 0
    if stopped_by(session, contract) is not None:
        return 0
    row.reminded_on, row.reminders = today, row.reminders + 1
    by_noon = datetime.combine(today, time(12), UTC)
    add_task(
        session, DESK, client_id=contract.client_id, due_at=max(by_noon, utc_now() + timedelta(hours=1)),
        text=f"Напомнить об оплате: договор № {contract.number}, платёж {row.no}, срок {row.due_on:%d.%m.%Y}",
        staff_id=contract.author_id, form_key=f"debt:{row.id}:{today}",
    )  # fmt: skip
    record(session, "debt.reminder", DESK, client_id=contract.client_id, object_id=row.id, contract=contract.id)
    return 1
