"""«Запросы отделам»: what the desk itself asks of departments, and what came home."""

from collections.abc import Mapping
from uuid import uuid4

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from models import Client, Route
from services.accounts import list_staff
from services.crm.clients import get_client
from services.errors import DeskError
from services.inquiries import (
    MOST,
    SHOW,
    accept_inquiry,
    ask_inquiry,
    clarify_inquiry,
    count_inquiries,
    hurry_inquiry,
    inquiry_view,
    list_inquiries,
    return_inquiry,
    withdraw_inquiry,
)
from services.rights import Scope
from services.route_files import FileIn, check_files
from services.routing import departments
from services.terms import policy_of
from web.case_pane import answerers_of
from web.forms import go
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk, is_htmx, rang
from web.toasts import tell
from web.words import explain, status_of

screen = Blueprint("inquiries", __name__, url_prefix="/inquiries")


@screen.get("")
def index() -> str:
    show = request.args.get("show", "")
    show, after = show if show in SHOW else "open", request.args.get("after", type=whole)
    with current_desk().database.read.begin() as session:
        rows = list_inquiries(session, current_actor(), show, after=after, limit=MOST + 1)
        counts = count_inquiries(session, current_actor())
    every = current_actor().scope("inquiry.view") is Scope.ALL
    more = rows[MOST - 1].route.id if len(rows) > MOST else None
    template = "inquiries/list.html" if is_htmx() else "inquiries/index.html"
    return render_template(
        template, rows=rows[:MOST], counts=counts, show=show, every=every, after=after, more=more
    )


@screen.get("/new")
def new() -> str:
    return _form()


def _form(problem: str | None = None) -> str:
    """The form, with what was typed before where it comes back, or the words of a request that was ``again``."""
    sent: Mapping[str, object] = request.values
    with current_desk().database.read.begin() as session:
        again = request.args.get("again", type=whole)
        if again is not None:
            view = inquiry_view(session, current_actor(), again)
            sent = {
                "text": view.text,
                "department_id": view.route.better_department_id,
                "client": view.route.client_id,
            }
        units, people = departments(session), list_staff(session)
        client = _client(session.get(Client, _number(sent.get("client"))))
        policy = policy_of(session)
        answerers = {unit.id: answerers_of(people, unit, policy) for unit in units}
        if client is not None:
            client = get_client(session, current_actor(), client.id)
    return render_template(
        "inquiries/new.html", units=units, answerers=answerers, client=client, problem=problem, sent=sent,
        form_key=request.form.get("form_key") or str(uuid4()),
    )  # fmt: skip


def _number(given: object) -> int:
    """What stands in the address or the form; 0 for what is no number."""
    return int(str(given)) if str(given).isdecimal() and len(str(given)) < 19 else 0


def _client(row: Client | None) -> Client | None:
    return row if row is not None and row.state == "live" else None


@screen.post("")
def ask() -> Response | tuple[str, int]:
    form = request.form
    files = [FileIn(one.filename or "", one.read()) for one in request.files.getlist("files") if one.filename]
    try:
        check_files(files)
        with current_desk().database.write.begin() as session:
            route = ask_inquiry(
                session, current_actor(), form.get("department_id", 0, type=whole), form.get("text", ""),
                form["form_key"][:60], client_id=form.get("client", type=whole), urgent=form.get("urgent") == "1",
                files=files,
            )  # fmt: skip
    except DeskError as error:
        if is_htmx() or status_of(error) == 403:
            raise
        return _form(explain(error)), status_of(error)
    return _done(
        route, _("The request is with the department. You will hear of the answer here and behind the bell.")
    )


@screen.get("/<int:route_id>")
def show(route_id: int) -> str:
    with current_desk().database.read.begin() as session:
        view = inquiry_view(session, current_actor(), route_id)
    return render_template("inquiries/show.html", view=view)


@screen.post("/<int:route_id>/accept")
def accept(route_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        route = accept_inquiry(session, current_actor(), route_id)
    return _done(route, _("The answer is accepted: the request is done."))


@screen.post("/<int:route_id>/return")
def send_back(route_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        route = return_inquiry(session, current_actor(), route_id, request.form.get("reason", ""))
    return _done(route, _("Returned for more work: the department is told what is missing."))


@screen.post("/<int:route_id>/clarify")
def say_more(route_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        route = clarify_inquiry(session, current_actor(), route_id, request.form.get("text", ""))
    return _done(route, _("Said. The department owes the answer again."))


@screen.post("/<int:route_id>/withdraw")
def withdraw(route_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        route = withdraw_inquiry(session, current_actor(), route_id)
    return _done(route, _("The request is taken back."))


@screen.post("/<int:route_id>/hurry")
def hurry(route_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        told = hurry_inquiry(session, current_actor(), route_id)
    rang()
    tell(_("The department is told that it is late.") if told else _("It is not late yet."))
    return go(url_for("inquiries.show", route_id=route_id))


def _done(route: Route, said: str) -> Response:
    rang()
    tell(said)
    return go(url_for("inquiries.show", route_id=route.id))
