"""Report 17 (domain.md §8): how far the deals that began in the period have come, and why they were lost."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models import Deal, DealMove
from services.crm.deals import LOSSES, STAGES
from services.reports.cut import Cut
from services.reports.narrowed import of_deals
from services.reports.shape import Cell, Line, Lists, Table, by_key, counted

FUNNEL_COLUMNS = ("reached", "conversion", "stay_median", "stand_now", "deal_sum")
LOSS_COLUMNS = ("lost_deals", "part", "lost_sum")
DAY = 24 * 60 * 60


def funnel_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a stage, or a line a reason of those that are lost now."""
    moves = _moves(session, cut)
    lists = _lists(_deals(session, cut), moves)
    if by == "loss":
        return _losses(lists, by)
    reached = [len(lists["deals_reached"][stage]) for stage in STAGES]
    lines = [Line(stage, "", _cells(lists, reached, at, _stays(moves, stage))) for at, stage in enumerate(STAGES)]
    paid = _part(reached[STAGES.index("paid")], reached[0])
    beside = (
        ("deals_begun", counted(lists, "deals_begun")),
        ("lead_to_paid", Cell(paid, "share", "deals_reached", key="paid")),
        ("lost_deals", counted(lists, "deals_lost")),
    )  # fmt: skip
    return Table(FUNNEL_COLUMNS, by, tuple(lines) if lists["deals_begun"][None] else (), None, beside)


def funnel_lists(session: Session, cut: Cut, now: datetime) -> Lists:
    """The deals behind the figures: begun, by stage they came to, by where they stand, by why they were lost."""
    return _lists(_deals(session, cut), _moves(session, cut))


def _lists(deals: Sequence[Deal], moves: dict[int, list[Any]]) -> Lists:
    far = {key: max((STAGES.index(row.after) for row in rows if row.after in STAGES), default=0)
           for key, rows in moves.items()}  # fmt: skip
    reached: dict[str | None, list[Deal]] = {
        stage: [deal for deal in deals if far.get(deal.id, 0) >= at] for at, stage in enumerate(STAGES)
    }
    lost = [deal for deal in deals if deal.state == "lost"]
    return {
        "deals_begun": {None: deals}, "deals_reached": reached,
        "deals_standing": by_key(deals, lambda deal: deal.state),
        "deals_lost": by_key(lost, lambda deal: deal.loss_reason or "other"),
    }  # fmt: skip


def _deals(session: Session, cut: Cut) -> list[Deal]:
    return list(session.scalars(select(Deal).where(*_which(cut)).order_by(Deal.id)))


def _moves(session: Session, cut: Cut) -> dict[int, list[Any]]:
    moves: dict[int, list[Any]] = {}
    query = select(DealMove.deal_id, DealMove.after, DealMove.at).join(Deal, Deal.id == DealMove.deal_id)
    for row in session.execute(query.where(*_which(cut)).order_by(DealMove.id)):
        moves.setdefault(row.deal_id, []).append(row)
    return moves


def _which(cut: Cut) -> list[ColumnElement[bool]]:
    """Deals begun in the period."""
    return [*cut.within(Deal.created_at), *of_deals(cut)]


def _cells(lists: Lists, reached: Sequence[int], at: int, stays: Sequence[float]) -> tuple[Cell, ...]:
    stage, following = STAGES[at], STAGES[at + 1] if at + 1 < len(STAGES) else None
    further = (
        Cell(_part(reached[at + 1], reached[at]), "share", "deals_reached", key=following) if following else None
    )
    return (
        counted(lists, "deals_reached", stage), further or Cell(None, "share"),
        Cell(median(stays) if stays else None, "days", "deals_reached", key=stage),
        counted(lists, "deals_standing", stage),
        Cell(_sum(lists["deals_standing"].get(stage, ())), "money", "deals_standing", key=stage),
    )  # fmt: skip


def _stays(moves: dict[int, list[Any]], stage: str) -> list[float]:
    """Days from coming into the stage to leaving it, of those that have left."""
    found = []
    for rows in moves.values():
        for row, following in pairwise(rows):
            if row.after == stage:
                found.append((following.at - row.at).total_seconds() / DAY)
    return found


def _losses(lists: Lists, by: str) -> Table:
    lost = lists["deals_lost"]

    def cells(key: str | None) -> tuple[Cell, ...]:
        part, whole = _part(len(lost[key]), len(lost[None])), _sum(lost[key])
        return (
            counted(lists, "deals_lost", key), Cell(part, "share", "deals_lost", key=key),
            Cell(whole, "money", "deals_lost", key=key),
        )  # fmt: skip

    reasons = [key for key in lost if key is not None]
    ordered = sorted(reasons, key=lambda name: (-len(lost[name]), LOSSES.index(name) if name in LOSSES else 99))
    return Table(
        LOSS_COLUMNS,
        by,
        tuple(Line(name, "", cells(name)) for name in ordered),
        cells(None) if lost[None] else None,
    )


def _sum(deals: Sequence[Deal]) -> int:
    return sum(deal.amount or 0 for deal in deals)


def _part(some: int, whole: int) -> float | None:
    return some / whole if whole else None
