"""«Мои уведомления»: each for themselves, event by channel, quiet hours, messengers, a test."""

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from models import Staff
from services.bots import MESSENGERS
from services.choices import save_choices, send_test
from services.mailbox import stored_mail
from services.messengers import ties_of
from services.terms import policy_of
from services.ways import CHANNELS, EVENTS, FIXED, LETTERS, choices_of
from web.forms import go
from web.language import _
from web.notice_words import EVENTS as EVENT_NAMES
from web.security import current_actor, current_desk, current_staff
from web.toasts import tell

screen = Blueprint("choices", __name__, url_prefix="/notices/mine")


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        staff = session.get_one(Staff, current_actor().staff_id)
        chosen, policy = choices_of(staff), policy_of(session)
        has_mail = current_desk().is_training or bool(stored_mail(session))
        ties = {tie.platform: tie for tie in ties_of(session, staff.id)}
    channels = tuple(one for one in CHANNELS if one not in MESSENGERS or one in ties)
    return render_template(
        "notices/mine.html", chosen=chosen, EVENTS=EVENTS, CHANNELS=channels, FIXED=FIXED,
        LETTERS=LETTERS, has_mail=has_mail, usual=policy.quiet, names=EVENT_NAMES, person=staff,
        shut={platform for platform, tie in ties.items() if tie.account is None},
    )  # fmt: skip


@screen.post("")
def save() -> Response:
    form = request.form
    pairs = [(event, channel) for event in EVENTS for channel in CHANNELS if form.get(f"{event}-{channel}")]
    quiet = (form.get("from", ""), form.get("to", "")) if form.get("own") else None
    with current_desk().database.write.begin() as session:
        save_choices(session, current_actor(), pairs, quiet)
    tell(_("Saved."))
    return go(url_for("choices.index"))


@screen.post("/test")
def test() -> Response:
    with current_desk().database.write.begin() as session:
        send_test(session, current_actor())
    current_desk().defer("deliver")
    staff = current_staff()
    tell(_("A test is on its way to %(mail)s.", mail=staff.email if staff else ""))
    return go(url_for("choices.index"))
