"""«Начать работу»: from the training banner to the work desk, its five questions, and what is still missing.

Opened once in the life of a desk: services.beginning is imported when it is asked.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from bootstrap import open_training
from models import Department
from services.errors import DeskError
from services.mailbox import stored_mail
from services.routing import departments
from web.forms import go
from web.language import Lazy, _, _l
from web.security import current_actor, current_desk, is_local_visit, may, rang
from web.toasts import tell
from web.words import explain, status_of

if TYPE_CHECKING:
    from services.beginning import Answers, Entrance, Item, Luggage

screen = Blueprint("begin", __name__, url_prefix="/begin")
ROWS = 3
ROLES: Mapping[str, Lazy] = {
    "smm": _l("answers clients"), "head": _l("also a head"), "director": _l("only looks at reports"),
}  # fmt: skip
CHECKS: Mapping[str, tuple[Lazy, Lazy, str]] = {
    "places": (_l("A place is watched"), _l("From where comments and letters come."), "sources.choose"),
    "units": (
        _l("Each department has somebody who answers"),
        _l("Whom of curators, accounting and the others a question goes to."), "staff.index",
    ),
    "mail": (
        _l("Mail for notices"),
        _l("From this mailbox departments get their questions."), "mailbox.index",
    ),
    "public_url": (
        _l("The desk has an address of its own"),
        _l("web.public_url in config.yaml: links in letters open from a phone, platforms call the desk themselves. "
           "Without it the desk asks the platforms, and departments answer by replying to the letter."),
        "state.index",
    ),
    "key": (
        _l("A copy of the key is kept apart"),
        _l("`python3 run.py check` prints where it lies. Put a copy where no backup lies."), "",
    ),
    "backup": (
        _l("A good backup not older than 26 hours"),
        _l("It is made every night while the desk runs; by hand: python3 run.py backup."), "state.index",
    ),
    "calendar": (
        _l("Working days of next year"),
        _l("The desk knows the public holidays; moved days come with its next version, or are entered by hand."),
        "terms.index",
    ),
}  # fmt: skip
"""Line of the check-list → what it is, how it is done, where."""
PLATFORMS = ("vk", "telegram", "youtube", "wordpress", "mail", "form", "max", "ok", "isso", "feed", "calls")


@screen.get("")
def index() -> Response | str:
    """On the training desk: what work is, and the door to it. On the work desk: its questions."""
    from services.beginning import luggage_of

    desk = current_desk()
    if not desk.is_training:
        return redirect(url_for("begin.questions"))
    with desk.database.read.begin() as session:
        luggage = luggage_of(session)
    return render_template("begin/training.html", luggage=luggage, address=None)


@screen.post("/open")
def open_desk() -> str:
    """Starts the work desk beside this one; only whoever sits at this machine may."""
    from services.beginning import luggage_of

    desk = current_desk()
    if not desk.is_training or not is_local_visit() or desk.start_work is None:
        abort(404)
    address = desk.start_work()
    with desk.database.read.begin() as session:
        return render_template("begin/training.html", luggage=luggage_of(session), address=address)


@screen.get("/questions")
def questions() -> Response | str:
    return _page(MultiDict())


@screen.post("/questions")
def answer() -> Response | str | tuple[str, int]:
    desk, given = current_desk(), request.form
    try:
        made = _begin(given)
    except DeskError as error:
        problem = explain(error)
        who = str(error.data.get("who", ""))
        return _page(given, f"{who}: {problem}" if who else problem), status_of(error)
    rang()
    platform = given.get("platform", "")
    desk.defer("backup")
    return render_template("begin/done.html", made=made, platform=platform if platform in PLATFORMS else "")


def _begin(given: MultiDict[str, str]) -> "list[Entrance]":
    from services.beginning import CARRIED, begin, carry_over

    desk, actor = current_desk(), current_actor()
    with desk.database.write.begin() as session:
        made = begin(session, actor, _answers(given, departments(session)))
        wanted = [one for one in CARRIED if given.get(f"carry_{one}")]
        training = open_training(desk.config) if wanted else None
        if training is not None:
            with training.read.begin() as there:
                made += carry_over(session, actor, there, wanted)
            training.engine.dispose()
    return made


def _answers(given: MultiDict[str, str], units: list[Department]) -> "Answers":
    from services.beginning import Answers, Newcomer

    people = [
        Newcomer(given.get(f"name_{row}", ""), given.get(f"email_{row}", ""), given.get(f"role_{row}", "smm"))
        for row in range(ROWS)
    ]
    people += [
        Newcomer(given.get(f"unit_name_{unit.code}", ""), given.get(f"unit_email_{unit.code}", ""), "", unit.code)
        for unit in units
        if unit.code != "head"
    ]
    return Answers(given.get("school", ""), given.get("opens", "09:00"), given.get("closes", "18:00"), people)


def _page(given: MultiDict[str, str], problem: str | None = None) -> str:
    desk = current_desk()
    with desk.database.read.begin() as session:
        units = [unit for unit in departments(session) if unit.code != "head"]
    return render_template(
        "begin/questions.html", given=given, problem=problem, units=units, rows=range(ROWS), roles=ROLES,
        platforms=PLATFORMS, luggage=_luggage(),
    )  # fmt: skip


def _luggage() -> "Luggage | None":
    from services.beginning import luggage_of

    training = open_training(current_desk().config)
    if training is None:
        return None
    with training.read.begin() as session:
        found = luggage_of(session)
    training.engine.dispose()
    return None if found.is_empty else found


def _checklist() -> "tuple[Item, ...]":
    """For the start page of whoever sets the desk up; nothing once everything is there."""
    from services.beginning import checklist

    desk = current_desk()
    if desk.is_training or not may("settings.edit"):
        return ()
    with desk.database.read.begin() as session:
        mail = bool(stored_mail(session))
        items = checklist(
            session, public=bool(desk.config.web.public_url), mail=mail, zone=desk.config.desk.time_zone
        )
    return () if all(item.done for item in items) else items


@screen.app_context_processor
def _names() -> dict[str, object]:
    return {"checklist": _checklist, "CHECKS": CHECKS}


@screen.post("/key")
def key_kept() -> Response:
    from services.beginning import note_key_kept

    with current_desk().database.write.begin() as session:
        note_key_kept(session, current_actor())
    rang()
    tell(_("Noted. Without this key a backup cannot open its passwords."))
    return go(url_for("morning.index"))
