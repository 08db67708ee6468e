"""«Почта для уведомлений»: from which mailbox the desk writes to its people, and how its letters fare."""

import email
import email.policy
import re
import secrets
from collections.abc import Mapping

from flask import Blueprint, abort, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from services.deliveries import post_of, queue_letter, send_again
from services.errors import Refused
from services.mailbox import NAME, choose_mailbox, choose_smtp, mailboxes, stored_mail
from services.settings.history import last_change
from web.forms import go
from web.language import Lazy, _, _l
from web.numbers import whole
from web.security import current_actor, current_desk, current_staff, rang
from web.setting_saves import Answer, save_setting
from web.toasts import tell
from web.words import explain, status_of

screen = Blueprint("mailbox", __name__, url_prefix="/settings/mail")

STATES: Mapping[str, Lazy] = {
    "queued": _l("waits"),
    "sending": _l("is being sent"),
    "sent": _l("sent"),
    "dead": _l("could not be sent"),
    "cancelled": _l("not needed any more"),
}
KINDS: Mapping[str, Lazy] = {
    "questions": _l("Questions"),
    "again": _l("A new link"),
    "taken": _l("Answer taken"),
    "refused": _l("Answer not taken"),
    "invite": _l("Invitation"),
    "reset": _l("New password"),
    "test": _l("Test"),
    "notices": _l("Notices"),
    "digest": _l("Digest of a department"),
}
"""What each letter is about."""
OWN = ("address", "from_name", "smtp_host", "smtp_port", "smtp_security", "username", "password")


@screen.get("")
def index() -> str:
    return _page()


def _page(problem: str | None = None) -> str:
    desk = current_desk()
    with desk.database.read.begin() as session:
        last = last_change(session, NAME)
        boxes, chosen = mailboxes(session), stored_mail(session)
        post = post_of(session, current_actor())
    given = request.form if problem else chosen.get("smtp", {})
    return render_template(
        "mailbox/index.html", boxes=boxes, chosen=chosen, post=post, given=given, problem=problem, STATES=STATES,
        KINDS=KINDS, address=desk.address, last=last,
    )  # fmt: skip


@screen.post("")
def save() -> Answer:
    form = request.form
    source_id, given = form.get("source_id", type=whole), {name: form.get(name, "") for name in OWN}

    def change(session: Session) -> None:
        if source_id is not None:
            choose_mailbox(session, current_actor(), source_id)
        else:
            choose_smtp(session, current_actor(), current_desk().keyring, given)

    try:
        return save_setting(NAME, change)
    except Refused as error:
        return _page(explain(error)), status_of(error)


@screen.post("/test")
def test() -> Response:
    """«Отправить себе проверочное»."""
    staff = current_staff()
    if staff is None:
        abort(401)
    with current_desk().database.write.begin() as session:
        queue_letter(session, staff.id, "test", f"test-{secrets.token_hex(8)}", {})
    current_desk().defer("deliver")
    rang()
    tell(_("A test is on its way to %(mail)s.", mail=staff.email))
    return go(url_for("mailbox.index"))


@screen.post("/<int:delivery_id>/again")
def again(delivery_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        send_again(session, current_actor(), delivery_id)
    rang()
    return go(url_for("mailbox.index"))


@screen.get("/letters/<token>")
def letter(token: str) -> str:
    """The training desk's letters go nowhere: here they are read."""
    desk = current_desk()
    path = desk.var / "letters" / f"{token}.eml"
    if not desk.is_training or not re.fullmatch(r"[A-Za-z0-9_-]{32}", token) or not path.is_file():
        abort(404)
    read = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    return render_template(
        "mailbox/letter.html", subject=str(read["Subject"]), to=str(read["To"]), text=str(read.get_content())
    )
