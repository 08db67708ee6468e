"""«Клиенты»: the list with its search, a card, a new card of three fields, one line of time."""

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from models import Author, Client, utc_now
from services.accounts import list_staff
from services.crm import cards, clients, finding, segments
from services.crm.contacts import masked, phone_key, phone_words
from services.crm.timeline import SOURCES, timeline
from services.documents.russian import money
from services.errors import DeskError, Refused
from services.rights import actor_of
from web import contract_words
from web.crm import words as crm
from web.crm.forms import card_changes
from web.forms import go
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.toasts import tell
from web.words import explain, status_of

screen = Blueprint("clients", __name__, url_prefix="/clients")


@screen.app_context_processor
def _names() -> dict[str, object]:
    return {
        "crm": crm, "seen_contact": cards.seen_contact, "is_minor": clients.is_minor, "now": utc_now,
        "event_words": crm.event_words, "timeline_kinds": timeline_kinds, "known_contact": known_contact,
        "phone_for": phone_for,
    }  # fmt: skip


@screen.context_processor
def _papers() -> dict[str, object]:
    """What the line of time says of contracts."""
    return {"papers": contract_words, "money": money}


def known_contact(author: Author) -> str:
    """What an account itself tells of how to reach its owner."""
    prefix, _, rest = author.external_id.partition(":")
    if prefix == "phone" and current_actor().may("client.contacts"):
        return phone_words(phone_key(f"+{rest}") or rest)
    return rest if prefix in ("mail", "phone") else author.external_id if "@" in author.external_id else ""


def phone_for(number: str) -> str:
    """A number as the person may read it."""
    return phone_words(number) if current_actor().may("client.contacts") else masked("phone", number)


def timeline_kinds() -> list[str]:
    """Kinds of the line of time that the person may see."""
    return [kind for kind, source in SOURCES.items() if current_actor().may(source.act)]


def _wanted() -> finding.Wanted:
    segment = request.args.get("segment")
    owner = current_actor().staff_id if request.args.get("mine") else None
    state = "archived" if request.args.get("state") == "archived" else "live"
    known = segment if segment in segments.SEGMENTS else None
    return finding.Wanted(request.args.get("q", "").strip(), known, owner, state)


def _after() -> tuple[str, int] | None:
    key, _, number = request.args.get("after", "").rpartition("|")
    if not number:
        return None
    if not number.isdecimal() or len(number) > 18:
        raise Refused("page.key")
    return key, int(number)


@screen.get("")
def index() -> str:
    wanted = _wanted()
    with current_desk().database.read.begin() as session:
        actor = current_actor()
        page = finding.find_clients(session, actor, wanted)
        counts = finding.count_clients(session, actor)
    return render_template("clients/index.html", wanted=wanted, page=page, counts=counts)


@screen.get("/rows")
def rows() -> str:
    """The next page of the list, below the one that is shown."""
    wanted = _wanted()
    with current_desk().database.read.begin() as session:
        page = finding.find_clients(session, current_actor(), wanted, _after())
    return render_template("clients/rows.html", wanted=wanted, page=page)


@screen.get("/new")
def new() -> str:
    return render_template("clients/new.html", problem=None, taken=None, sent=request.args)


@screen.post("/new")
def add() -> Response | tuple[str, int]:
    form = request.form
    try:
        with current_desk().database.write.begin() as session:
            client = clients.create_client(
                session, current_actor(), name=form.get("name", ""), contact=form.get("contact", ""),
                note=form.get("note", "").strip(), kind=form.get("kind", "person"),
            )  # fmt: skip
    except DeskError as error:
        taken = error.data.get("client") if error.code == "contact.taken" else None
        page = render_template("clients/new.html", problem=explain(error), taken=taken, sent=form)
        return page, status_of(error)
    rang()
    tell(_("Saved: %(name)s", name=client.name))
    return go(url_for("clients.show", client_id=client.id))


@screen.get("/<int:client_id>")
def show(client_id: int) -> str | Response:
    with current_desk().database.read.begin() as session:
        actor = current_actor()
        view = cards.view_card(session, actor, client_id)
        page = timeline(session, actor, client_id)
    if view.client.id != client_id:
        return go(url_for("clients.show", client_id=view.client.id))
    return render_template("clients/show.html", view=view, client=view.client, page=page, kind=None)


@screen.get("/<int:client_id>/time")
def time(client_id: int) -> str:
    """The line of time: one kind or all, from a key on."""
    kind = request.args.get("kind")
    kinds = [kind] if kind and kind in crm.TIMELINE else []
    with current_desk().database.read.begin() as session:
        page = timeline(session, current_actor(), client_id, kinds=kinds, after=request.args.get("after") or None)
        client = session.get_one(Client, client_id)
    whole_list = not request.args.get("after")
    name = "clients/time.html" if whole_list else "clients/time_rows.html"
    return render_template(name, client=client, page=page, kind=kind)


@screen.get("/<int:client_id>/edit")
def edit(client_id: int) -> str:
    with current_desk().database.read.begin() as session:
        client = clients.get_client(session, current_actor(), client_id)
    return _form(client)


def _form(client: Client, problem: str | None = None) -> str:
    with current_desk().database.read.begin() as session:
        people = [one for one in list_staff(session) if actor_of(one).may("client.edit")]
    sent = request.form if problem else None
    return render_template("clients/edit.html", client=client, people=people, problem=problem, sent=sent)


@screen.post("/<int:client_id>/edit")
def save(client_id: int) -> Response | tuple[str, int]:
    version = request.form.get("version", 0, type=whole)
    try:
        with current_desk().database.write.begin() as session:
            changes = card_changes(request.form)
            client = clients.edit_client(session, current_actor(), client_id, version, changes)
    except DeskError as error:
        with current_desk().database.read.begin() as session:
            present = clients.get_client(session, current_actor(), client_id)
        return _form(present, explain(error)), status_of(error)
    rang()
    tell(_("Saved: %(name)s", name=client.name))
    return go(url_for("clients.show", client_id=client.id))


@screen.post("/<int:client_id>/archive")
def archive(client_id: int) -> Response:
    back = request.values.get("back") == "1"
    with current_desk().database.write.begin() as session:
        client = clients.archive_client(session, current_actor(), client_id, back=back)
    rang()
    if not back:
        undo = url_for("clients.archive", client_id=client.id, back=1)
        tell(_("Put into the archive: %(name)s", name=client.name), "undo", undo=undo, seconds=15)
    return go(url_for("clients.show", client_id=client.id))
