"""Report 17 (domain.md §8): how far the deals that began in the period have come, and why they were lost."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from models import Contract, Deal, DealMove
from services.crm.deals import LOSSES, STAGES
from services.reports.cut import NO_PROGRAMME, NONE, Cut
from services.reports.programmes import of_contracts
from services.reports.shape import Cell, Line, Table

FUNNEL_COLUMNS = ("reached", "conversion", "stay_median", "stand_now", "deal_sum")
LOSS_COLUMNS = ("lost_deals", "part", "lost_sum")
DAY = 24 * 60 * 60


def funnel_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a stage, or a line a reason of those that are lost now."""
    which = _which(cut)
    deals = list(session.scalars(select(Deal).where(*which).order_by(Deal.id)))
    if by == "loss":
        return _losses([deal for deal in deals if deal.state == "lost"], by)
    moves: dict[int, list[Any]] = {}
    query = select(DealMove.deal_id, DealMove.after, DealMove.at).join(Deal, Deal.id == DealMove.deal_id)
    for row in session.execute(query.where(*which).order_by(DealMove.id)):
        moves.setdefault(row.deal_id, []).append(row)
    far = {key: max((STAGES.index(row.after) for row in rows if row.after in STAGES), default=0)
           for key, rows in moves.items()}  # fmt: skip
    reached = [sum(1 for deal in deals if far.get(deal.id, 0) >= at) for at in range(len(STAGES))]
    lines = [
        Line(stage, "", _cells(reached, at, _stays(moves, stage), [deal for deal in deals if deal.state == stage]))
        for at, stage in enumerate(STAGES)
    ]
    paid = reached[STAGES.index("paid")]
    beside = (
        ("deals_begun", Cell(len(deals))), ("lead_to_paid", Cell(_part(paid, reached[0]), "share")),
        ("lost_deals", Cell(sum(1 for deal in deals if deal.state == "lost"))),
    )  # fmt: skip
    return Table(FUNNEL_COLUMNS, by, tuple(lines) if deals else (), None, beside)


def _which(cut: Cut) -> list[ColumnElement[bool]]:
    """Deals begun in the period; by programme those of a contract on it, or named after it."""
    found = cut.within(Deal.created_at)
    if cut.platform:
        found.append(Deal.origin == cut.platform)
    if cut.staff_id is not None:
        found.append(Deal.staff_id.is_(None) if cut.staff_id == NONE else Deal.staff_id == cut.staff_id)
    if cut.programme:
        on_it = select(Contract.id).where(*of_contracts(cut.programme))
        product = "" if cut.programme == NO_PROGRAMME else cut.programme
        found.append(or_(Deal.contract_id.in_(on_it), and_(Deal.contract_id.is_(None), Deal.product == product)))
    return found


def _cells(reached: Sequence[int], at: int, stays: Sequence[float], here: Sequence[Deal]) -> tuple[Cell, ...]:
    further = _part(reached[at + 1], reached[at]) if at + 1 < len(STAGES) else None
    return (
        Cell(reached[at]), Cell(further, "share"), Cell(median(stays) if stays else None, "days"), Cell(len(here)),
        Cell(sum(deal.amount or 0 for deal in here), "money"),
    )  # fmt: skip


def _stays(moves: dict[int, list[Any]], stage: str) -> list[float]:
    """Days from coming into the stage to leaving it, of those that have left."""
    found = []
    for rows in moves.values():
        for row, following in pairwise(rows):
            if row.after == stage:
                found.append((following.at - row.at).total_seconds() / DAY)
    return found


def _losses(lost: Sequence[Deal], by: str) -> Table:
    counted = Counter(deal.loss_reason or "other" for deal in lost)

    def cells(found: Sequence[Deal]) -> tuple[Cell, ...]:
        whole = sum(deal.amount or 0 for deal in found)
        return Cell(len(found)), Cell(_part(len(found), len(lost)), "share"), Cell(whole, "money")

    ordered = sorted(counted, key=lambda name: (-counted[name], LOSSES.index(name) if name in LOSSES else 99))
    lines = [Line(name, "", cells([d for d in lost if (d.loss_reason or "other") == name])) for name in ordered]
    return Table(LOSS_COLUMNS, by, tuple(lines), cells(lost) if lost else None)


def _part(some: int, whole: int) -> float | None:
    return some / whole if whole else None
