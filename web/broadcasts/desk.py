"""The desk of one broadcast: the page, its column of questions, and what the chat says on."""

from typing import Any

from flask import Response, jsonify, render_template, request, url_for

from collectors import CHANNELS
from services.broadcasts.schedule import on_air
from services.broadcasts.stream import PAGE, Said, View, books_of, said_after, view_broadcast
from services.broadcasts.tapes import SPEEDS
from services.routing import departments
from web.broadcasts.forms import screen
from web.numbers import whole
from web.security import current_actor, current_desk, may
from web.words import platform_name


@screen.get("/<int:broadcast_id>")
def desk(broadcast_id: int) -> str:
    with current_desk().database.read.begin() as session:
        view = view_broadcast(session, current_actor(), broadcast_id)
        lines = said_after(session, current_actor(), broadcast_id)
        units = departments(session)
    return render_template(
        "broadcasts/desk.html", view=view, lines=lines, units=units, speeds=SPEEDS, rate=rate_of(view),
        platforms=[*CHANNELS],
    )  # fmt: skip


@screen.get("/<int:broadcast_id>/column")
def column(broadcast_id: int) -> str:
    return render_column(broadcast_id)


def render_column(broadcast_id: int) -> str:
    """The part of the page that changes with every question: also the answer to every press."""
    with current_desk().database.read.begin() as session:
        view = view_broadcast(session, current_actor(), broadcast_id)
    return render_template("broadcasts/column.html", view=view, rate=rate_of(view), speeds=SPEEDS)


def rate_of(view: View) -> float:
    """Seconds of the broadcast that pass in one second, for the clocks of the page."""
    if view.tape is not None and view.tape.state == "running":
        return min(view.tape.speed, 60.0)
    if view.tape is not None and view.tape.state in ("paused", "done"):
        return 0.0
    return 1.0 if view.broadcast.state == "live" else 0.0


@screen.get("/<int:broadcast_id>/news")
def news(broadcast_id: int) -> Response:
    """Lines newer than ``after``; ``more``: there are further ones already."""
    after = request.args.get("after", 0, type=whole)
    with current_desk().database.read.begin() as session:
        lines = said_after(session, current_actor(), broadcast_id, after)
    return jsonify(lines=[_line(line) for line in lines], more=len(lines) == PAGE)


def _line(line: Said) -> dict[str, Any]:
    return {
        "id": line.id, "second": line.second, "author": line.author, "text": line.text, "platform": line.platform,
        "place": platform_name(line.platform), "ours": line.ours, "gone": line.gone, "question": line.question_id,
        "trouble": line.trouble,
        "lift": url_for("broadcasts.lift", message_id=line.id) if may("broadcast.watch") else None,
    }  # fmt: skip


@screen.get("/strip")
def strip() -> str:
    """One row a broadcast above the inbox."""
    with current_desk().database.read.begin() as session:
        rows = [(row, books_of(session, row.broadcast.id)) for row in on_air(session, current_actor())]
    return render_template("broadcasts/strip.html", rows=rows)
