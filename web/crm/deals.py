"""«Сделки»: the funnel by stages, one deal with its next step, and how far those of a quarter have come."""

from datetime import timedelta

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from models import Client, utc_now
from services.accounts import list_staff
from services.contracts.keeping import contracts_of
from services.crm import deals
from services.documents.russian import money
from services.errors import Refused
from services.rights import actor_of
from web import contract_words
from web.contracts.forms import typed_money
from web.crm.forms import done, typed_day
from web.dates import typed_time
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk

screen = Blueprint("deals", __name__, url_prefix="/clients/deals")
LOOK_BACK = timedelta(days=90)


@screen.app_context_processor
def _names() -> dict[str, object]:
    return {"deals_of": _deals_of, "money": money}


def _deals_of(client_id: int) -> tuple[deals.DealRow, ...]:
    with current_desk().database.read.begin() as session:
        return deals.deals_of(session, current_actor(), client_id)


@screen.get("")
def index() -> str:
    mine = request.args.get("whose") != "all"
    now = utc_now()
    with current_desk().database.read.begin() as session:
        columns = deals.funnel(session, current_actor(), mine=mine)
        reached = deals.reached(session, current_actor(), now - LOOK_BACK, now)
    return render_template("clients/deals.html", columns=columns, reached=reached, mine=mine, STAGES=deals.STAGES)


@screen.get("/<int:deal_id>")
def show(deal_id: int) -> str:
    with current_desk().database.read.begin() as session:
        deal = deals.get_deal(session, current_actor(), deal_id)
        [row] = deals.rows_of_deals(session, [deal])
        people = [one for one in list_staff(session) if actor_of(one).may("deal.edit")]
        moves = deals.moves_of(session, deal.id)
        contracts = contracts_of(session, [deal.client_id])[::-1]
        client = session.get_one(Client, deal.client_id)
    later = [stage for stage in deals.STAGES if (deal.state, stage) in deals.MOVES]
    at = deals.STAGES.index(deal.state) if deal.state in deals.STAGES else -1
    return render_template(
        "clients/deal.html", row=row, deal=deal, client=client, people=people, moves=moves, contracts=contracts,
        papers=contract_words, STAGES=deals.STAGES, LOSSES=deals.LOSSES, can_go=later,
        following=[stage for stage in later if deals.STAGES.index(stage) > at][:1],
        may_postpone=(deal.state, "postponed") in deals.MOVES, may_lose=(deal.state, "lost") in deals.MOVES,
    )  # fmt: skip


@screen.post("")
def add() -> Response:
    """From a card or from the pane of a case."""
    form = request.form
    with current_desk().database.write.begin() as session:
        deal = deals.open_deal(
            session, current_actor(), form.get("client_id", 0, type=whole), product=form.get("product", ""),
            amount=typed_money("amount"), case_id=form.get("case_id", type=whole), form_key=form["form_key"],
        )  # fmt: skip
    return _done(deal.id, _("The deal is opened"))


@screen.post("/<int:deal_id>")
def edit(deal_id: int) -> Response:
    form = request.form
    with current_desk().database.write.begin() as session:
        deals.edit_deal(
            session, current_actor(), deal_id, product=form.get("product", ""), amount=typed_money("amount"),
            staff_id=form.get("staff_id", type=whole),
        )  # fmt: skip
    return _done(deal_id)


@screen.post("/<int:deal_id>/move")
def move(deal_id: int) -> Response:
    form = request.form
    with current_desk().database.write.begin() as session:
        deals.move_deal(
            session, current_actor(), deal_id, form.get("to", ""), version=form.get("version", type=whole),
            resume_on=typed_day(form.get("resume_on")), reason=form.get("reason"), note=form.get("note", ""),
        )  # fmt: skip
    return _done(deal_id)


@screen.post("/<int:deal_id>/step")
def step(deal_id: int) -> Response:
    at = typed_time(request.form.get("due", ""))
    if at is None:
        raise Refused("date.invalid")
    with current_desk().database.write.begin() as session:
        deals.set_step(session, current_actor(), deal_id, request.form.get("text", ""), at)
    return _done(deal_id)


@screen.post("/<int:deal_id>/contract")
def contract(deal_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        deals.link_contract(session, current_actor(), deal_id, request.form.get("contract_id", type=whole))
    return _done(deal_id)


def _done(deal_id: int, said: str | None = None) -> Response:
    return done(url_for("deals.show", deal_id=deal_id), said)
