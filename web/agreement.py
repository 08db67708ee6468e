"""«Согласование»: which replies wait for somebody, and who stands in when nobody agrees in time."""

from flask import Blueprint, render_template, request

from services.accounts import list_staff
from services.agreement import NAME, Cause, agreement_of, save_agreement
from services.errors import Refused
from services.rights import actor_of
from services.settings.history import last_change
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk
from web.setting_saves import Answer, save_setting
from web.theme_words import KINDS, THEMES

screen = Blueprint("agreement", __name__, url_prefix="/settings/agreement")


def why_it_waits(cause: Cause) -> str:
    """What stands beside a text before it is sent: why it will wait for somebody."""
    if cause == "trainee":
        return _("Your replies wait until somebody agrees.")
    what = [str(KINDS[cause.kind])] if cause.kind else []
    what += [str(THEMES.get(cause.theme, cause.theme))] if cause.theme else []
    if not what:
        return _("It waits until the head agrees.")
    return _("It waits until the head agrees (%(what)s).", what=", ".join(what))


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        last, agreement = last_change(session, NAME), agreement_of(session)
        people = [one for one in list_staff(session) if actor_of(one).may("case.reply")]
    agreeing = [one for one in people if actor_of(one).may("reply.approve")]
    trainees = [one for one in people if one.trainee]
    return render_template(
        "agreement/index.html", last=last, agreement=agreement, agreeing=agreeing, trainees=trainees, KINDS=KINDS,
        THEMES=THEMES, others=[one for one in people if one not in agreeing and one not in trainees],
    )  # fmt: skip


@screen.post("")
def save() -> Answer:
    minutes = request.form.get("minutes", type=whole)
    if minutes is None:
        raise Refused("agreement.minutes")
    values = {"minutes": minutes, "deputies": request.form.getlist("deputy", type=whole), "rows": _rows()}
    return save_setting(NAME, lambda session: save_agreement(session, current_actor(), values))


def _rows() -> list[dict[str, object]]:
    """The rows of the table as they were sent; one in which nothing is chosen, or that was struck out, is none."""
    form = request.form
    columns = zip(
        form.getlist("kind"),
        form.getlist("visibility"),
        form.getlist("theme"),
        form.getlist("urgent"),
        strict=False,
    )
    rows = [{"kind": k, "visibility": v, "theme": t, "urgent": u == "1"} for k, v, t, u in columns]
    struck = set(form.getlist("drop", type=whole))
    return [row for number, row in enumerate(rows) if any(row.values()) and number not in struck]
