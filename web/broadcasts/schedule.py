"""«Эфиры»: the week, the form of a broadcast, what can become of it, and the calendar's feed."""

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Response, abort, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from services.broadcasts import schedule
from services.broadcasts.feed import calendar_of, feed_token, person_of
from services.broadcasts.places import places_of
from services.broadcasts.schedule import Row
from services.errors import NotFound, Refused
from web.broadcasts.forms import monday_of, screen, typed_plan
from web.dates import today, typed_time
from web.forms import go
from web.language import _, here
from web.numbers import whole
from web.security import current_actor, current_desk, current_staff, rang
from web.toasts import tell

WEEK = timedelta(days=7)


@screen.get("")
def index() -> str:
    monday = monday_of(request.args.get("week", ""))
    since = datetime.combine(monday, time.min, here())
    with current_desk().database.read.begin() as session:
        rows = schedule.list_between(session, current_actor(), since, since + WEEK)
        live = schedule.on_air(session, current_actor())
    days: dict[date, list[Row]] = defaultdict(list)
    for row in rows:
        days[row.broadcast.starts_at.astimezone(here()).date()].append(row)
    week = [monday + timedelta(days=n) for n in range(7)]
    return render_template(
        "broadcasts/index.html", week=week, days=days, live=live, rows=rows, now_day=today(), feed=_feed_address(),
        before=(monday - WEEK).isoformat(), after=(monday + WEEK).isoformat(),
    )  # fmt: skip


def _feed_address() -> str | None:
    staff = current_staff()
    if staff is None:
        return None
    token = feed_token(current_desk().secret_key, staff)
    return url_for("broadcasts.feed", token=token, _external=True)


@screen.get("/feed/<token>.ics")
def feed(token: str) -> Response:
    desk = current_desk()
    with desk.database.read.begin() as session:
        try:
            person_of(session, desk.secret_key, token)
        except NotFound:
            abort(404)
        content = calendar_of(session, url_for("home.start", _external=True), _("Broadcasts"))
    return Response(content, mimetype="text/calendar")


@screen.route("/new", methods=["GET", "POST"])
def new() -> str | AnyResponse:
    if request.method == "GET":
        return _form(None)
    with current_desk().database.write.begin() as session:
        row = schedule.plan_broadcast(session, current_actor(), typed_plan())
        week = row.starts_at.astimezone(here()).date().isoformat()
    rang()
    tell(_("Planned."))
    return go(url_for("broadcasts.index", week=week))


@screen.route("/<int:broadcast_id>/edit", methods=["GET", "POST"])
def edit(broadcast_id: int) -> str | AnyResponse:
    if request.method == "GET":
        return _form(broadcast_id)
    version = request.form.get("version", 0, type=whole)
    with current_desk().database.write.begin() as session:
        schedule.change_broadcast(session, current_actor(), broadcast_id, typed_plan(), version)
    rang()
    tell(_("Saved."))
    return go(url_for("broadcasts.desk", broadcast_id=broadcast_id))


def _form(broadcast_id: int | None) -> str:
    with current_desk().database.read.begin() as session:
        shown = _known(session, broadcast_id) if broadcast_id else _proposed()
        return render_template(
            "broadcasts/edit.html", people=schedule.watchers(session), speakers=schedule.speakers(session), **shown
        )


def _known(session: Session, broadcast_id: int) -> dict[str, Any]:
    row = schedule.get_broadcast(session, current_actor(), broadcast_id)
    return {
        "broadcast": row, "places": places_of(session, [row.id]).get(row.id, []), "starts": _local(row.starts_at),
        "ends": _local(row.ends_at),
    }  # fmt: skip


def _proposed() -> dict[str, Any]:
    day = monday_of("") if not request.args.get("day") else date.fromisoformat(request.args["day"])
    at = datetime.combine(max(day, today()), time(19), here())
    return {
        "broadcast": None, "places": [], "starts": _local(at), "ends": _local(at + timedelta(minutes=90)),
    }  # fmt: skip


def _local(at: datetime) -> str:
    return at.astimezone(here()).strftime("%Y-%m-%dT%H:%M")


@screen.post("/<int:broadcast_id>/move")
def move(broadcast_id: int) -> AnyResponse:
    starts = typed_time(request.form.get("starts_at", ""))
    if starts is None:
        raise Refused("broadcast.times")
    with current_desk().database.write.begin() as session:
        made = schedule.move_broadcast(
            session, current_actor(), broadcast_id, starts, request.form.get("reason", "")
        )
        new_id = made.id
    rang()
    tell(_("Moved."))
    return go(url_for("broadcasts.desk", broadcast_id=new_id))


@screen.post("/<int:broadcast_id>/cancel")
def cancel(broadcast_id: int) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        schedule.cancel_broadcast(session, current_actor(), broadcast_id, request.form.get("reason", ""))
    return _back(broadcast_id, _("Cancelled."))


@screen.post("/<int:broadcast_id>/restore")
def restore(broadcast_id: int) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        schedule.restore_broadcast(session, current_actor(), broadcast_id)
    return _back(broadcast_id, _("It will be after all."))


@screen.post("/<int:broadcast_id>/watch")
def watch(broadcast_id: int) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        schedule.take_watch(session, current_actor(), broadcast_id)
    return _back(broadcast_id, _("You watch this broadcast."))


@screen.post("/<int:broadcast_id>/place/<int:place_id>/drop")
def drop_place(broadcast_id: int, place_id: int) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        schedule.drop_place(session, current_actor(), broadcast_id, place_id)
    rang()
    return go(url_for("broadcasts.edit", broadcast_id=broadcast_id))


def _back(broadcast_id: int, word: str) -> AnyResponse:
    rang()
    tell(word)
    return go(url_for("broadcasts.desk", broadcast_id=broadcast_id))
