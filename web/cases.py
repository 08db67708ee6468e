"""What people do with one case; each act is one form, and each answer says which case changed."""

from datetime import date, datetime

from flask import Blueprint, Response, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from collectors.base import ActKind
from models import Act, Reply
from services import cases, labelling, moderation, replies, routing, signals
from services.errors import NotFound, Refused, Stale
from services.inbox import message_of_case, view_case
from services.legal_clocks import bind_letter
from services.outbox import acts_of
from services.parting import correct_kind
from services.split import write_split
from web.addresses import back
from web.dates import typed_time, when
from web.forms import overrides
from web.language import _
from web.numbers import whole
from web.outbox_words import is_later
from web.security import current_actor, current_desk, is_htmx, rang
from web.theme_words import SIGNAL_NAMES
from web.toasts import tell, trigger
from web.words import ACT_KINDS, CLOSE_REASONS, LABELS

screen = Blueprint("cases", __name__, url_prefix="/inbox/<int:case_id>")


def done(case_id: int, **detail: object) -> AnyResponse:
    """The page refreshes what it shows of the case; without scripts the case is shown anew."""
    if not is_htmx():
        return redirect(url_for("inbox.show", case_id=case_id) if case_id else back())
    trigger("changed", case=case_id, **detail)
    return Response(status=204)


def _version() -> int | None:
    return request.form.get("version", type=whole)


@screen.post("/reply")
def reply(case_id: int) -> AnyResponse:
    desk, form = current_desk(), request.form
    seconds = 0.0 if form.get("now") else desk.config.desk.undo_seconds
    try:
        with desk.database.write.begin() as session:
            row = _write(session, case_id, seconds)
            act = next(act for act in acts_of(session, case_id) if act.reply_id == row.id)
    except Stale:
        _keep_text(case_id, form.get("text", ""))
        raise
    rang(outbox=True)
    _tell_sending(act, seconds)
    return done(case_id, sent=True)


def _write(session: Session, case_id: int, seconds: float) -> Reply:
    form, actor = request.form, current_actor()
    wish = replies.Wish(
        message_id=form.get("message_id", type=whole), then=_then(form.get("then")), undo_seconds=seconds,
        version=_version(), route_id=form.get("route_id", type=whole), overrides=overrides(),
        files=form.getlist("file_id", type=int),
        send_at=_send_at(form.get("send_at")), promised_until=_send_at(form.get("holding")),
    )  # fmt: skip
    text, unseen = form.get("text", ""), form.get("private_text", "")
    if unseen.strip():
        return write_split(session, actor, case_id, text, unseen, form["form_key"], wish)[0]
    return replies.write_reply(session, actor, case_id, text, form["form_key"], wish)


def _then(wanted: str | None) -> str:
    return wanted if wanted in replies.AFTERWARDS else "solve"


def _send_at(typed: str | None) -> datetime | None:
    if not typed:
        return None
    at = typed_time(typed)
    if at is None:
        raise Refused("date.invalid")
    return at


def _keep_text(case_id: int, text: str) -> None:
    """Also for a page without scripts: what was typed is not lost with the refusal."""
    with current_desk().database.write.begin() as session:
        replies.save_draft(session, current_actor(), case_id, text)


def _tell_sending(act: Act, seconds: float) -> None:
    if act.state != "held":
        tell(
            _("Waits for agreement: it goes when somebody has agreed")
            if act.state == "approval"
            else _("Being sent")
        )
        return
    later = is_later(act)
    said = _("Goes %(time)s", time=when(act.due_at)) if later else _("Being sent")
    now = None if later else url_for("acts.send_now", act_id=act.id)
    tell(said, "undo", undo=url_for("acts.take_back", act_id=act.id), now=now, seconds=8 if later else seconds)


@screen.post("/draft")
def draft(case_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        replies.save_draft(session, current_actor(), case_id, request.form.get("text", ""))
    return Response(status=204)


@screen.post("/note")
def note(case_id: int) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        cases.add_note(session, current_actor(), case_id, request.form.get("text", ""), request.form["form_key"])
    rang()
    return done(case_id)


@screen.post("/assign")
def assign(case_id: int) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        cases.assign(session, current_actor(), case_id, request.form.get("staff_id", type=whole), _version())
    rang()
    return done(case_id)


@screen.post("/route")
def route(case_id: int) -> AnyResponse:
    form = request.form
    with current_desk().database.write.begin() as session:
        routing.ask_department(
            session, current_actor(), case_id, form.get("department_id", 0, type=whole), form.get("question", ""),
            form["form_key"], _version(), urgent=form.get("urgent") == "1",
        )  # fmt: skip
    rang()
    tell(_("The question is with the department. The answer will lift the case."))
    return done(case_id)


@screen.post("/routes/<int:route_id>/recall")
def recall(case_id: int, route_id: int) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        routing.recall_route(session, current_actor(), route_id)
    rang()
    return done(case_id)


@screen.post("/routes/<int:route_id>/return")
def send_back(case_id: int, route_id: int) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        routing.return_route(session, current_actor(), route_id, request.form.get("reason", ""))
    rang()
    return done(case_id)


@screen.post("/routes/<int:route_id>/clarify")
def clarify(case_id: int, route_id: int) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        routing.clarify(session, current_actor(), route_id, request.form.get("text", ""))
    rang()
    return done(case_id)


@screen.post("/close")
def close(case_id: int) -> AnyResponse:
    reason = request.form.get("reason", "")
    with current_desk().database.write.begin() as session:
        cases.close(session, current_actor(), case_id, reason, _version())
    rang()
    tell(_("Closed: %(reason)s", reason=CLOSE_REASONS[reason]), "undo", seconds=8,
         undo=url_for("cases.reopen", case_id=case_id))  # fmt: skip
    return done(case_id, closed=True)


@screen.post("/reopen")
def reopen(case_id: int) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        cases.reopen_case(session, current_actor(), case_id)
    rang()
    return done(case_id)


@screen.post("/label/<int:message_id>")
def label(case_id: int, message_id: int) -> AnyResponse:
    chosen = request.form.get("label", "")
    with current_desk().database.write.begin() as session:
        message_of_case(session, current_actor(), case_id, message_id)
        correct_kind(session, current_actor(), case_id, message_id, chosen)
    rang()
    tell(_("Kind: %(kind)s. Remembered for training.", kind=LABELS[chosen]))
    return done(case_id)


@screen.post("/themes/<int:message_id>")
def themes(case_id: int, message_id: int) -> AnyResponse:
    chosen = request.form.getlist("theme")
    lead = request.form.get("lead", "")
    ordered = sorted(chosen, key=lambda theme: theme != lead)
    with current_desk().database.write.begin() as session:
        message_of_case(session, current_actor(), case_id, message_id)
        labelling.correct_themes(session, current_actor(), message_id, ordered)
    rang()
    tell(_("Themes are set. Remembered for training."))
    return done(case_id)


@screen.post("/signals/<int:message_id>/<name>/<any(yes, no):answer>")
def signal(case_id: int, message_id: int, name: str, answer: str) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        message_of_case(session, current_actor(), case_id, message_id)
        signals.decide_signal(session, current_actor(), message_id, name, answer == "yes")
    rang()
    other = url_for("cases.signal", case_id=case_id, message_id=message_id, name=name,
                    answer="no" if answer == "yes" else "yes")  # fmt: skip
    what = SIGNAL_NAMES[name]
    said = _("Yes: %(what)s", what=what) if answer == "yes" else _("No: %(what)s", what=what)
    tell(said, "undo", seconds=8, undo=other)
    return done(case_id)


@screen.post("/letter")
def letter(case_id: int) -> AnyResponse:
    """The date by which a state body wants its answer."""
    try:
        until = date.fromisoformat(request.form.get("until", ""))
    except ValueError:
        raise Refused("letter.date") from None
    with current_desk().database.write.begin() as session:
        bind_letter(session, current_actor(), case_id, until)
    rang()
    tell(_("The term of the letter is kept: %(day)s.", day=f"{until:%d.%m.%Y}"))
    return done(case_id)


@screen.post("/ads/<any(stop, allow):word>")
def ads(case_id: int, word: str) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        view = view_case(session, current_actor(), case_id)
        if view.author is None:
            raise NotFound("case.unknown", id=case_id)
        act = signals.stop_ads if word == "stop" else signals.allow_ads
        act(session, current_actor(), view.author.id, case_id)
    rang()
    return done(case_id)


@screen.post("/moderate/<int:message_id>/<any(hide, publish, spam, delete, ban, like):kind>")
def moderate(case_id: int, message_id: int, kind: str) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        was = message_of_case(session, current_actor(), case_id, message_id).state
        act_id = replies.moderate(session, current_actor(), message_id, ActKind(kind)).id
    rang(outbox=True)
    said = _("%(act)s: being sent to the platform", act=ACT_KINDS[kind])
    if kind in moderation.SETTING and was in moderation.BACK:
        tell(said, "undo", seconds=8, undo=url_for("acts.moderate_back", act_id=act_id, was=was))
    else:
        tell(said)
    return done(case_id)
