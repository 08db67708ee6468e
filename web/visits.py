"""The log of checks: which places a person looks into, what is due, «новых нет» by one press."""

from functools import partial
from typing import Any

from flask import Blueprint, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from models import Source, utc_now
from services import visits
from services.broadcasts.schedule import watchers
from services.settings.history import last_change
from services.visits import Form
from web.broadcast_words import lasted
from web.forms import go
from web.language import _
from web.listed_words import LOOKS
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.setting_saves import Answer, save_setting
from web.toasts import tell

screen = Blueprint("visits", __name__, url_prefix="/checks-of-places")


@screen.get("")
def index() -> str:
    return _page(None)


@screen.get("/<int:place_id>")
def edit(place_id: int) -> str:
    return _page(place_id)


def _page(place_id: int | None) -> str:
    actor = current_actor()
    with current_desk().database.read.begin() as session:
        return render_template(
            "visits/index.html", rows=visits.list_places(session, actor), log=visits.log_of(session, actor),
            place=visits.get_place(session, actor, place_id) if place_id else None, people=watchers(session),
            sources=list(session.scalars(select(Source).order_by(Source.id))), outcomes=LOOKS, now=utc_now(),
            lasted=lasted, last=last_change(session, visits.NAME),
        )  # fmt: skip


@screen.post("/<int:place_id>/note")
def note(place_id: int) -> Response:
    form = request.form
    with current_desk().database.write.begin() as session:
        count = form.get("count", 1, type=whole)
        visits.note_visit(session, current_actor(), place_id, form.get("outcome", ""), count, form.get("note", ""))
    rang()
    tell(_("Noted."))
    return go(url_for("visits.index"))


@screen.post("")
def save() -> Answer:
    form = request.form
    given = Form(
        form.get("title", ""), form.get("url", ""), form.get("every", 120, type=whole), form.get("opens", ""),
        form.get("closes", ""), form.get("staff_id", type=whole), form.get("source_id", type=whole),
    )  # fmt: skip
    place_id = form.get("place_id", type=whole)
    return save_setting(
        visits.NAME, lambda session: visits.save_place(session, current_actor(), given, place_id),
        part=partial(_one, place_id),
    )  # fmt: skip


def _one(place_id: int | None, rows: Any) -> list[Any]:
    """Of the plan, this place: two people who change two of them are no conflict."""
    return [row for row in rows or () if row["id"] == place_id]


@screen.post("/<int:place_id>/drop")
def drop(place_id: int) -> Answer:
    return save_setting(
        visits.NAME, lambda session: visits.drop_place(session, current_actor(), place_id),
        part=partial(_one, place_id),
    )  # fmt: skip
