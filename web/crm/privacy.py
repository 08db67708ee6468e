"""«Персональные данные»: requests with their clocks, all that is held of somebody, erasure, terms of keeping."""

from flask import Blueprint, Response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from services.crm import erasing, holdings, retention, sensitive, subjects
from services.crm.clients import get_client
from services.crm.subjects import TERMS
from services.settings.history import last_change
from web.crm.holding_words import SECTIONS, readable
from web.dates import typed_time
from web.forms import go
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.setting_saves import Answer, save_setting
from web.toasts import tell

screen = Blueprint("privacy", __name__, url_prefix="/clients/privacy")


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        actor, last = current_actor(), last_change(session, retention.NAME)
        requests, acts = subjects.list_requests(session, actor), erasing.list_erasures(session, actor)
        would, terms, on = retention.dry_run(session, actor), retention.terms_of(session), retention.is_on(session)
    return render_template(
        "clients/privacy.html",
        requests=requests,
        acts=acts,
        would=would,
        terms=terms,
        on=on,
        TERMS=TERMS,
        last=last,
    )


@screen.post("")
def receive() -> AnyResponse:
    form = request.form
    with current_desk().database.write.begin() as session:
        row = subjects.receive_request(
            session, current_actor(), kind=form.get("kind", ""), client_id=form.get("client_id", type=whole),
            channel=form.get("channel", ""), text=form.get("text", ""),
            received_at=typed_time(form.get("received_at", "")),
        )  # fmt: skip
    rang()
    return go(url_for("privacy.show", request_id=row.id))


@screen.get("/<int:request_id>")
def show(request_id: int) -> str:
    with current_desk().database.read.begin() as session:
        actor = current_actor()
        row = subjects.get_request(session, actor, request_id)
        client = get_client(session, actor, row.client_id) if row.client_id is not None else None
    return render_template("clients/request.html", row=row, client=client, MOVES=subjects.MOVES, TERMS=TERMS)


@screen.post("/<int:request_id>/<any(identify, begin, prolong, answer, close):what>")
def move(request_id: int, what: str) -> AnyResponse:
    text = request.form.get("text", "")
    with current_desk().database.write.begin() as session:
        actor = current_actor()
        if what == "identify":
            subjects.identify(session, actor, request_id, text)
        elif what == "prolong":
            subjects.prolong(session, actor, request_id, text)
        elif what == "answer":
            subjects.answer_request(session, actor, request_id, text)
        else:
            {"begin": subjects.begin_request, "close": subjects.close_request}[what](session, actor, request_id)
    rang()
    return go(url_for("privacy.show", request_id=request_id))


@screen.get("/of/<int:client_id>")
def holdings_page(client_id: int) -> str:
    with current_desk().database.read.begin() as session:
        client = get_client(session, current_actor(), client_id)
    return render_template("clients/holdings.html", client=client, grounds=erasing.GROUNDS)


@screen.post("/of/<int:client_id>/take")
def take(client_id: int) -> Response | str:
    """Everything held, as JSON or as a page to be read and printed; gathering it is written down."""
    desk = current_desk()
    with desk.database.write.begin() as session:
        found = holdings.holdings_of(session, desk.keyring, current_actor(), client_id)
    if request.form.get("format") == "json":
        headers = {"Content-Disposition": f'attachment; filename="card-{client_id}.json"'}
        return Response(holdings.as_json(found), headers=headers, mimetype="application/json")
    return render_template("clients/held.html", found=readable(found), SECTIONS=SECTIONS, client_id=client_id)


@screen.post("/of/<int:client_id>/block")
def block(client_id: int) -> AnyResponse:
    back = request.form.get("back") == "1"
    with current_desk().database.write.begin() as session:
        subjects.block_client(session, current_actor(), client_id, back=back)
    rang()
    return go(url_for("clients.show", client_id=client_id))


@screen.post("/of/<int:client_id>/erase")
def erase(client_id: int) -> AnyResponse:
    desk = current_desk()
    row = erasing.run_erase(
        desk.database, desk.var, current_actor(), client_id, request.form.get("ground", ""),
        request.form.get("request_id", type=whole),
    )  # fmt: skip
    rang()
    if row.method == "blocked":
        tell(_("The law bids to keep it: the card is blocked. Act %(number)s", number=row.number))
    else:
        tell(_("Erased. Act %(number)s", number=row.number))
    return go(url_for("privacy.index"))


@screen.post("/terms")
def save_terms() -> Answer:
    days = {name: request.form.get(f"days-{name}", 0, type=whole) for name in retention.RULES}
    on = request.form.get("on") == "1"
    return save_setting(
        retention.NAME, lambda session: retention.save_retention(session, current_actor(), days, on=on)
    )


@screen.get("/sealed/<int:client_id>")
def sealed(client_id: int) -> str:
    return _sealed(client_id)


def _sealed(client_id: int, seen: sensitive.Kept | None = None) -> str:
    with current_desk().database.read.begin() as session:
        client = get_client(session, current_actor(), client_id)
        fields = sensitive.kept_fields(session, current_actor(), client_id)
    return render_template("clients/sealed.html", client=client, fields=fields, seen=seen)


@screen.post("/sealed/<int:client_id>/see")
def see(client_id: int) -> str:
    """One field in clear, on this answer only; the look is written down."""
    desk = current_desk()
    with desk.database.write.begin() as session:
        name = request.form.get("field", "")
        seen = sensitive.see_field(session, desk.keyring, current_actor(), client_id, name)
    return _sealed(client_id, seen)


@screen.post("/sealed/<int:client_id>")
def seal(client_id: int) -> AnyResponse:
    desk, form = current_desk(), request.form
    with desk.database.write.begin() as session:
        actor = current_actor()
        sensitive.set_field(session, desk.keyring, actor, client_id, form.get("field", ""), form.get("value", ""))
    tell(_("Saved."))
    return go(url_for("privacy.sealed", client_id=client_id))
