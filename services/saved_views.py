"""Views of the inbox that people name: their own, or for the whole team."""

from collections.abc import Mapping

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models import SavedView
from services.errors import NotFound, Refused
from services.events import record
from services.rights import Actor, require

LONGEST_NAME = 40
MOST = 30


def views_of(session: Session, actor: Actor) -> list[SavedView]:
    """One's own and the team's, by name."""
    require(actor, "case.view")
    mine = or_(SavedView.team, SavedView.staff_id == actor.staff_id)
    return list(session.scalars(select(SavedView).where(mine).order_by(SavedView.team, SavedView.name)))


def save_view(session: Session, actor: Actor, name: str, query: Mapping[str, str], *, team: bool) -> SavedView:
    """Keeps the filters under a name; the same name of the same person is written over."""
    require(actor, "case.view")
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name:
        raise Refused("name.empty")
    own = select(SavedView).where(SavedView.staff_id == actor.staff_id)
    view = session.scalar(own.where(SavedView.name == name))
    if view is None:
        if (session.scalar(select(func.count()).select_from(own.subquery())) or 0) >= MOST:
            raise Refused("view.many", most=MOST)
        view = SavedView(staff_id=actor.staff_id, name=name)
        session.add(view)
    view.query, view.team = dict(query), team
    session.flush()
    record(session, "view.saved", actor, object_id=view.id, team=team)
    return view


def drop_view(session: Session, actor: Actor, view_id: int) -> None:
    """Its owner may, and of the team's whoever edits settings."""
    require(actor, "case.view")
    view = session.get(SavedView, view_id)
    if view is None or not (view.staff_id == actor.staff_id or (view.team and actor.may("settings.edit"))):
        raise NotFound("view.unknown", id=view_id)
    session.delete(view)
    record(session, "view.dropped", actor, object_id=view_id)
