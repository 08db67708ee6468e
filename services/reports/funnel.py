"""Report 17 (domain.md §8): how far the deals that began in the period have come, and why they were lost."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Deal, DealMove
from services.crm.deals import LOSSES, STAGES
from services.reports.cut import Cut
from services.reports.shape import Cell, Line, Table

FUNNEL_COLUMNS = ("reached", "conversion", "stay_median", "stand_now", "deal_sum")
LOSS_COLUMNS = ("lost_deals", "part", "lost_sum")
DAY = 24 * 60 * 60


def funnel_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a stage, or a line a reason of those that are lost now."""
    deals = list(session.scalars(select(Deal).where(*cut.within(Deal.created_at)).order_by(Deal.id)))
    if by == "loss":
        return _losses([deal for deal in deals if deal.state == "lost"], by)
    moves: dict[int, list[Any]] = {}
    query = select(DealMove.deal_id, DealMove.after, DealMove.at).join(Deal, Deal.id == DealMove.deal_id)
    for row in session.execute(query.where(*cut.within(Deal.created_at)).order_by(DealMove.id)):
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
