"""Views of reports that people name, their own or for everybody, and the letters in which they come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import ReportOrder, ReportView, Staff, utc_now
from models.database import Database
from services.deliveries import queue_letter
from services.errors import NotFound, Refused
from services.events import record
from services.reports.tables import REPORTS
from services.rights import Actor, actor_of, require

ANSWERS = "answers"
PAGES = ("morning", "week", "month")
"""What comes by mail besides views: the five lines of the day, and the director's week and month."""
RHYTHMS = ("day", "week", "month")
LONGEST_NAME, MOST = 60, 50


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a person has: views, theirs and common ones, and the letters that they ordered."""

    views: tuple[ReportView, ...]
    orders: tuple[ReportOrder, ...]

    def order_of(self, what: str, view_id: int | None = None) -> ReportOrder | None:
        return next((one for one in self.orders if (one.what, one.view_id) == (what, view_id)), None)


def shelf_of(session: Session, actor: Actor) -> Shelf:
    """Views by name, of those reports that the person may see."""
    require(actor, "report.view")
    mine = or_(ReportView.common, ReportView.staff_id == actor.staff_id)
    views = session.scalars(select(ReportView).where(mine).order_by(ReportView.name, ReportView.id))
    orders = session.scalars(select(ReportOrder).where(ReportOrder.staff_id == actor.staff_id))
    return Shelf(tuple(one for one in views if _may(actor, one.code)), tuple(orders))


def _may(actor: Actor, code: str) -> bool:
    return actor.may("report.view") and (code == ANSWERS or (code in REPORTS and actor.may(REPORTS[code].right)))


def save_view(
    session: Session, actor: Actor, name: str, code: str, query: Mapping[str, str], *, common: bool
) -> ReportView:
    """Keeps period and filters under a name; the same name of the same person is written over."""
    if not _may(actor, code):
        raise NotFound("report.unknown", name=code[:40])
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name:
        raise Refused("name.empty")
    own = select(ReportView).where(ReportView.staff_id == actor.staff_id)
    view = session.scalar(own.where(ReportView.name == name))
    if view is None:
        if (session.scalar(select(func.count()).select_from(own.subquery())) or 0) >= MOST:
            raise Refused("view.many", most=MOST)
        view = ReportView(staff_id=actor.staff_id or 0, name=name)
        session.add(view)
    view.code, view.query, view.common = code, dict(query), common
    session.flush()
    record(session, "report.view_saved", actor, object_id=view.id, code=code, team=common)
    return view


def drop_view(session: Session, actor: Actor, view_id: int) -> None:
    """Its owner may, and of a common one whoever edits settings; its letters end with it."""
    require(actor, "report.view")
    view = session.get(ReportView, view_id)
    if view is None or not (view.staff_id == actor.staff_id or (view.common and actor.may("settings.edit"))):
        raise NotFound("view.unknown", id=view_id)
    session.execute(delete(ReportOrder).where(ReportOrder.view_id == view_id))
    session.delete(view)
    record(session, "report.view_dropped", actor, object_id=view_id)


def order_letter(
    session: Session, actor: Actor, what: str, view_id: int | None, rhythm: str, hour: int, zone: str
) -> ReportOrder:
    """The person's own letter: «morning» comes each day, «week» and «month» at their beginnings, a view by
    ``rhythm``; ordered again it is changed."""
    shelf = shelf_of(session, actor)
    if what in PAGES:
        rhythm, view_id = {"morning": "day"}.get(what, what), None
    elif what != "view" or not any(one.id == view_id for one in shelf.views):
        raise NotFound("view.unknown", id=view_id)
    if rhythm not in RHYTHMS or not 0 <= hour <= 23:
        raise Refused("order.when")
    row = shelf.order_of(what, view_id)
    if row is None:
        row = ReportOrder(staff_id=actor.staff_id or 0, what=what, view_id=view_id, created_by=actor.staff_id)
        session.add(row)
    row.rhythm, row.hour = rhythm, hour
    row.next_at = next_moment(rhythm, hour, utc_now(), zone)
    try:
        session.flush()
    except IntegrityError as error:  # pressed twice at once
        raise Refused("order.when") from error
    record(session, "report.ordered", actor, object_id=row.id, code=what)
    return row


def cancel_letter(session: Session, actor: Actor, order_id: int) -> None:
    row = session.get(ReportOrder, order_id)
    if row is None or row.staff_id != actor.staff_id:
        raise NotFound("view.unknown", id=order_id)
    session.delete(row)
    record(session, "report.order_cancelled", actor, object_id=order_id)


def next_moment(rhythm: str, hour: int, after: datetime, zone: str) -> datetime:
    """The first such moment later than ``after``: a day's, a Monday's, or a month's first day's hour, local."""
    here = ZoneInfo(zone)
    day = after.astimezone(here).date()
    while True:
        at = datetime.combine(day, time(hour), here)
        if at > after and _begins(rhythm, day):
            return at
        day += timedelta(days=1)


def _begins(rhythm: str, day: date) -> bool:
    return {"day": True, "week": day.weekday() == 0, "month": day.day == 1}[rhythm]


def run_orders(database: Database, zone: str) -> int:
    """Puts the letters that are due on their way; each moves on to its next moment in the same transaction, so that
    none goes twice, and what was missed while the desk slept comes once. Returns how many."""
    count = 0
    now = utc_now()
    with database.read.begin() as session:
        ids = list(
            session.scalars(select(ReportOrder.id).where(ReportOrder.next_at <= now).order_by(ReportOrder.id))
        )
    for order_id in ids:
        with database.write.begin() as session:
            count += _send(session, order_id, now, zone)
    return count


def _send(session: Session, order_id: int, now: datetime, zone: str) -> int:
    row = session.scalar(select(ReportOrder).where(ReportOrder.id == order_id).with_for_update())
    if row is None or row.next_at > now:
        return 0
    due, row.next_at = row.next_at, next_moment(row.rhythm, row.hour, now, zone)
    staff = session.get_one(Staff, row.staff_id)
    view = session.get(ReportView, row.view_id) if row.view_id is not None else None
    code = view.code if view is not None else ANSWERS
    if not _may(actor_of(staff), code):
        return 0
    day = now.astimezone(ZoneInfo(zone)).date().isoformat()
    data: dict[str, Any] = {"what": row.what, "view": row.view_id, "day": day}
    queue_letter(session, row.staff_id, "report", f"report-{row.id}-{due.isoformat()}", data)
    return 1
