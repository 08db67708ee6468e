"""«Согласование»: whose replies wait for somebody, and who stands in when nobody agrees in time."""

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from services.accounts import list_staff
from services.candidates import agreement_of, save_agreement
from services.errors import Refused
from services.rights import actor_of
from web.forms import go
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk
from web.toasts import tell

screen = Blueprint("agreement", __name__, url_prefix="/settings/agreement")


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        agreement = agreement_of(session)
        people = [one for one in list_staff(session) if actor_of(one).may("case.reply")]
    agreeing = [one for one in people if actor_of(one).may("reply.approve")]
    trainees = [one for one in people if one.trainee]
    return render_template(
        "agreement/index.html", agreement=agreement, agreeing=agreeing, trainees=trainees,
        others=[one for one in people if one not in agreeing and one not in trainees],
    )  # fmt: skip


@screen.post("")
def save() -> Response:
    minutes = request.form.get("minutes", type=whole)
    if minutes is None:
        raise Refused("agreement.minutes")
    deputies = request.form.getlist("deputy", type=whole)
    with current_desk().database.write.begin() as session:
        save_agreement(session, current_actor(), {"minutes": minutes, "deputies": deputies})
    tell(_("Saved."))
    return go(url_for("agreement.index"))
