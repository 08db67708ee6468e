"""Deals: the funnel from a wish to buy to the admitted student as a table (domain.md §6.5), the next step with its
date, the reason of a loss, and the contract that moves a deal by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Case, Client, Contract, Deal, DealMove, Event, Source, Staff, Task, utc_now
from models.base import storable
from services.calendars import Calendar, end_of_day, next_working_day
from services.crm.clients import check_use, get_client
from services.crm.tasks import FURTHEST, add_task, close_task
from services.errors import NotFound, Refused, Stale
from services.events import hear, record
from services.rights import DESK, Actor, require
from services.terms import policy_of

STAGES = ("lead", "qualified", "consulted", "offered", "sent", "signed", "paid", "admitted")
"""Новая заявка · Квалификация · Консультация · Предложение · Договор отправлен · подписан · Оплачено · Допущен."""
OTHERS = ("postponed", "lost")
OPEN = STAGES[:-1]
BEFORE_SIGNING = STAGES[:5]
LOSSES = ("price", "time", "other_school", "no_answer", "not_ours", "changed_mind", "duplicate", "other")
"""Why a deal is lost; «other» is said in words."""
LONGEST, MOST = 300, 10**13

MOVES: frozenset[tuple[str, str]] = frozenset(
    [
        # A stage may be passed over: who has paid at once was never consulted.
        *((before, after) for at, before in enumerate(STAGES) for after in STAGES[at + 1 :]),
        *((before, after) for at, before in enumerate(BEFORE_SIGNING) for after in BEFORE_SIGNING[:at]),
        *((before, "postponed") for before in BEFORE_SIGNING),
        *((before, "lost") for before in (*BEFORE_SIGNING, "signed", "postponed")),
        *(("postponed", after) for after in STAGES[:-1]),
        ("lost", "lead"),
    ]
)
"""Every change of stage that there is."""
FOLLOWS: Mapping[str, str] = {
    "contract.send": "sent", "contract.sign": "signed", "contract.accept": "signed", "payment.booked": "paid",
}  # fmt: skip
"""An event of the deal's contract → the stage that the deal goes on to, if it stands before it."""


@dataclass(frozen=True, slots=True)
class DealRow:
    """A card of the funnel."""

    deal: Deal
    client: Client
    staff: str | None
    step: Task | None


@dataclass(frozen=True, slots=True)
class Column:
    """A stage with its newest deals; ``count`` and ``amount`` (kopecks) are of all of them."""

    stage: str
    rows: tuple[DealRow, ...]
    count: int
    amount: int


def get_deal(session: Session, actor: Actor, deal_id: int, *, hold: bool = False) -> Deal:
    require(actor, "deal.view")
    deal = session.get(Deal, deal_id, with_for_update=hold)
    if deal is None:
        raise NotFound("deal.unknown", id=deal_id)
    return deal


def funnel(session: Session, actor: Actor, *, mine: bool = False, limit: int = 50) -> list[Column]:
    """The open stages, «postponed» behind them; what waits longest stands first."""
    require(actor, "deal.view")
    own = [Deal.staff_id == actor.staff_id] if mine else []
    shown = (*OPEN, "postponed")
    counted = session.execute(
        select(Deal.state, func.count(), func.coalesce(func.sum(Deal.amount), 0))
        .where(Deal.state.in_(shown), *own)
        .group_by(Deal.state)
    )
    sums = {row[0]: (row[1], int(row[2] or 0)) for row in counted}
    columns = []
    for stage in shown:
        query = select(Deal).where(Deal.state == stage, *own).order_by(Deal.moved_at, Deal.id).limit(limit)
        count, amount = sums.get(stage, (0, 0))
        columns.append(Column(stage, rows_of_deals(session, list(session.scalars(query))), count, amount))
    return columns


def rows_of_deals(session: Session, deals: Sequence[Deal]) -> tuple[DealRow, ...]:
    clients = {row.id: row for row in session.scalars(_picked(Client, [one.client_id for one in deals]))}
    people = {row.id: row.name for row in session.scalars(_picked(Staff, [one.staff_id for one in deals]))}
    steps = {row.id: row for row in session.scalars(_picked(Task, [one.task_id for one in deals]))}
    return tuple(
        DealRow(
            one, clients[one.client_id], people.get(one.staff_id or 0),
            step if (step := steps.get(one.task_id or 0)) is not None and step.state == "open" else None,
        )
        for one in deals
    )  # fmt: skip


def _picked(table: Any, ids: Sequence[int | None]) -> Any:
    return select(table).where(table.id.in_([one for one in ids if one is not None]))


def deals_of(session: Session, actor: Actor, client_id: int) -> tuple[DealRow, ...]:
    """Of one card, the newest first."""
    require(actor, "deal.view")
    query = select(Deal).where(Deal.client_id == client_id).order_by(Deal.id.desc())
    return rows_of_deals(session, list(session.scalars(query)))


def moves_of(session: Session, deal_id: int) -> list[tuple[DealMove, str | None]]:
    """(move, who made it), oldest first."""
    rows = session.execute(
        select(DealMove, Staff.name)
        .outerjoin(Staff, Staff.id == DealMove.staff_id)
        .where(DealMove.deal_id == deal_id)
        .order_by(DealMove.id)
    )
    return [(row[0], row[1]) for row in rows]


def reached(session: Session, actor: Actor, since: datetime, until: datetime) -> dict[str, int]:
    """Of the deals begun in [since, until): how many have come as far as each stage or beyond; «lost» beside."""
    require(actor, "deal.view")
    begun = select(Deal.id).where(Deal.created_at >= since, Deal.created_at < until)
    far: dict[int, int] = {}
    lost: set[int] = set()
    for deal_id, after in session.execute(
        select(DealMove.deal_id, DealMove.after).where(DealMove.deal_id.in_(begun)).order_by(DealMove.id)
    ):
        if after in STAGES:
            far[deal_id] = max(far.get(deal_id, 0), STAGES.index(after))
            lost.discard(deal_id)
        elif after == "lost":
            lost.add(deal_id)
    found = {stage: sum(one >= at for one in far.values()) for at, stage in enumerate(STAGES)}
    return {**found, "lost": len(lost)}


def open_deal(
    session: Session,
    actor: Actor,
    client_id: int,
    *,
    product: str = "",
    amount: int | None = None,
    case_id: int | None = None,
    form_key: str | None = None,
) -> Deal:
    """A wish to buy becomes a deal of who wrote it down; the same ``form_key`` twice is one deal."""
    require(actor, "deal.edit")
    known = session.scalar(select(Deal).where(Deal.form_key == form_key)) if form_key else None
    if known is not None:
        return known
    client = get_client(session, actor, client_id)
    check_use(client)
    origin = "other"
    if case_id is not None:
        case = session.get(Case, case_id)
        if case is None:
            raise NotFound("case.unknown", id=case_id)
        origin = session.get_one(Source, case.source_id).platform
    deal = Deal(
        client_id=client.id, case_id=case_id, origin=origin, product=_product(product), amount=_amount(amount),
        staff_id=actor.staff_id, form_key=form_key,
    )  # fmt: skip
    session.add(deal)
    session.flush()
    session.add(DealMove(deal_id=deal.id, after=deal.state, staff_id=actor.staff_id))
    record(session, "deal.opened", actor, client_id=client.id, case_id=case_id, object_id=deal.id)
    return deal


def edit_deal(
    session: Session, actor: Actor, deal_id: int, *, product: str, amount: int | None, staff_id: int | None
) -> Deal:
    require(actor, "deal.edit")
    deal = get_deal(session, actor, deal_id, hold=True)
    if staff_id is not None and session.get(Staff, staff_id) is None:
        raise Refused("staff.unknown", id=staff_id)
    deal.product, deal.amount, deal.staff_id = _product(product), _amount(amount), staff_id
    step = session.get(Task, deal.task_id) if deal.task_id else None
    if step is not None and step.state == "open":
        step.staff_id = staff_id  # whoever leads the deal now is reminded
    deal.version += 1
    record(session, "deal.edited", actor, client_id=deal.client_id, object_id=deal.id)
    return deal


def link_contract(session: Session, actor: Actor, deal_id: int, contract_id: int | None) -> Deal:
    """A contract of the same client moves the deal by itself from now on; what it has come to counts at once."""
    require(actor, "deal.edit")
    deal = get_deal(session, actor, deal_id, hold=True)
    contract = session.get(Contract, contract_id) if contract_id else None
    parties = (contract.client_id, contract.student_id, contract.payer_id) if contract else ()
    if contract_id and deal.client_id not in parties:
        raise NotFound("contract.unknown", id=contract_id)
    deal.contract_id = contract.id if contract else None
    deal.version += 1
    if contract is not None:
        come = {"sent": "sent", "signed": "signed", "force": "signed", "fulfilled": "signed"}.get(contract.state)
        if come:
            _go_on(session, deal, come)
    record(session, "deal.edited", actor, client_id=deal.client_id, object_id=deal.id)
    return deal


def move_deal(
    session: Session,
    actor: Actor,
    deal_id: int,
    to: str,
    *,
    version: int | None = None,
    resume_on: date | None = None,
    reason: str | None = None,
    note: str = "",
) -> Deal:
    """To another stage; postponed needs a day to come, lost a reason. Raises Refused for a pair not in MOVES."""
    require(actor, "deal.edit")
    deal = get_deal(session, actor, deal_id, hold=True)
    if version is not None and deal.version != version:
        raise Stale("deal.stale", state=deal.state)
    if (deal.state, to) not in MOVES:
        raise Refused("deal.move", state=deal.state, to=to)
    calendar = policy_of(session).calendars["desk"]
    if to == "postponed":
        today = calendar.local_day(utc_now())
        if resume_on is None or not today < resume_on <= today + FURTHEST:
            raise Refused("deal.day")
    if to == "lost" and (reason not in LOSSES or (reason == "other" and not note.strip())):
        raise Refused("deal.reason")
    deal.loss_reason, deal.loss_note = (reason, storable(note).strip()[:LONGEST]) if to == "lost" else (None, "")
    deal.resume_on = resume_on if to == "postponed" else None
    _move(session, actor, deal, to)
    if to in ("postponed", "lost", "admitted"):
        _end_step(session, actor, deal)
    if deal.resume_on is not None:
        _put_step(session, actor, deal, "Вернуться к отложенной сделке", _opens(calendar, deal.resume_on))
    return deal


def set_step(session: Session, actor: Actor, deal_id: int, text: str, due_at: datetime) -> Deal:
    """The next step as a task of who leads the deal; the one before it is over."""
    require(actor, "deal.edit")
    deal = get_deal(session, actor, deal_id, hold=True)
    if deal.state not in OPEN:
        raise Refused("deal.move", state=deal.state, to=deal.state)
    _end_step(session, actor, deal, done=True)
    _put_step(session, actor, deal, text, due_at)
    deal.version += 1
    return deal


def _opens(calendar: Calendar, day: date) -> datetime:
    """When work begins on that day, or on the next one that is worked."""
    span = calendar.span(day) or calendar.span(next_working_day(calendar, day))
    return span[0] if span else end_of_day(calendar, day)


def _put_step(session: Session, actor: Actor, deal: Deal, text: str, due_at: datetime) -> None:
    task = add_task(
        session, actor, text=text, due_at=due_at, client_id=deal.client_id, case_id=deal.case_id,
        staff_id=deal.staff_id,
    )  # fmt: skip
    deal.task_id = task.id


def _end_step(session: Session, actor: Actor, deal: Deal, *, done: bool = False) -> None:
    task = session.get(Task, deal.task_id, with_for_update=True) if deal.task_id else None
    if task is not None and task.state == "open":
        close_task(session, actor, task, "", "done" if done else "dropped")
    deal.task_id = None


def _move(session: Session, actor: Actor, deal: Deal, to: str) -> None:
    before, now = deal.state, utc_now()
    deal.state, deal.moved_at, deal.version = to, now, deal.version + 1
    deal.closed_at = now if to in ("lost", "admitted") else None
    session.add(DealMove(deal_id=deal.id, before=before, after=to, staff_id=actor.staff_id, at=now))
    record(
        session, "deal.moved", actor, client_id=deal.client_id, case_id=deal.case_id, object_id=deal.id,
        before=before, after=to,
    )  # fmt: skip


def _go_on(session: Session, deal: Deal, to: str) -> None:
    """By what its contract came to: only ever forward."""
    if deal.state in OPEN and STAGES.index(deal.state) < STAGES.index(to):
        _move(session, DESK, deal, to)
    elif deal.state == "postponed":
        deal.resume_on = None
        _end_step(session, DESK, deal)  # nobody need be reminded of it any more
        _move(session, DESK, deal, to)


def _follow_contracts(session: Session, events: Sequence[Event]) -> None:
    for one in events:
        contract_id = one.data.get("contract") or one.object_id
        waiting = select(Deal).where(Deal.contract_id == contract_id).order_by(Deal.id).with_for_update()
        for deal in session.scalars(waiting):
            _go_on(session, deal, FOLLOWS[one.kind])


hear(FOLLOWS, _follow_contracts)


def _product(typed: str) -> str:
    return " ".join(storable(typed).split())[:LONGEST]


def _amount(kopecks: int | None) -> int | None:
    if kopecks is not None and not 0 <= kopecks <= MOST:
        raise Refused("money.invalid")
    return kopecks
