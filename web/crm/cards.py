"""What people do upon one card, each act one small form of it."""

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from services.crm import clients, consents, merging, notes, segments, ties
from services.crm.identities import link_author, refuse_match, unlink_author
from services.errors import Refused
from web.crm.forms import done as done_there
from web.crm.forms import typed_day
from web.forms import go
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.toasts import tell

screen = Blueprint("cards", __name__, url_prefix="/clients/<int:client_id>")


def done(client_id: int, said: str | None = None) -> Response:
    """To the card anew."""
    return done_there(url_for("clients.show", client_id=client_id), said)


@screen.post("/contact")
def contact(client_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        kind = request.form.get("kind") or None
        clients.add_contact(session, current_actor(), client_id, request.form.get("contact", ""), kind)
    return done(client_id, _("Added"))


@screen.post("/contact/<int:contact_id>/end")
def end_contact(client_id: int, contact_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        clients.end_contact(session, current_actor(), contact_id)
    return done(client_id)


@screen.post("/study")
def study(client_id: int) -> Response:
    form = request.form
    with current_desk().database.write.begin() as session:
        segments.save_study(
            session, current_actor(), client_id, form.get("study_id", type=whole), course=form.get("course", ""),
            group_name=form.get("group_name", ""), curator=form.get("curator", ""),
            started_on=typed_day(form.get("started_on")), access_until=typed_day(form.get("access_until")),
            ended_on=typed_day(form.get("ended_on")),
        )  # fmt: skip
    return done(client_id, _("Added"))


@screen.post("/tie")
def tie(client_id: int) -> Response:
    """The other card by its number or by a contact of it."""
    form, actor = request.form, current_actor()
    with current_desk().database.write.begin() as session:
        typed = form.get("other", "").strip()
        holder = clients.holder_of(session, typed)
        number = typed.rstrip("/").rpartition("/")[2].removeprefix("№")
        other = holder.id if holder else int(number) if number.isdecimal() and len(number) < 18 else None
        if other is None:
            raise Refused("tie.role")
        ties.tie_clients(
            session, actor, client_id, other, form.get("role", ""), form.get("relation", ""), form.get("basis", "")
        )
    return done(client_id, _("Added"))


@screen.post("/tie/<int:tie_id>/end")
def untie(client_id: int, tie_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        ties.untie(session, current_actor(), tie_id)
    return done(client_id)


@screen.post("/note")
def note(client_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        text, key = request.form.get("text", ""), request.form["form_key"]
        notes.add_client_note(session, current_actor(), client_id, text, key)
    return done(client_id)


@screen.post("/segment")
def segment(client_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        segments.set_segment(session, current_actor(), client_id, request.form.get("segment") or None)
    return done(client_id)


@screen.post("/merge")
def merge(client_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        other = request.form.get("other_id", 0, type=whole)
        row = merging.merge_clients(session, current_actor(), client_id, other)
    rang()
    undo = url_for("cards.unmerge", client_id=client_id, merge_id=row.id)
    tell(_("Two cards became one"), "undo", undo=undo, seconds=20)
    return go(url_for("clients.show", client_id=client_id))


@screen.post("/unmerge/<int:merge_id>")
def unmerge(client_id: int, merge_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        merging.unmerge(session, current_actor(), merge_id)
    return done(client_id, _("Both cards are as they were"))


@screen.post("/link")
def link(client_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        author = request.form.get("author_id", 0, type=whole)
        link_author(session, current_actor(), client_id, author, request.form.get("basis", "confirmed"))
    return done(client_id, _("The author is linked to the card"))


@screen.post("/unlink")
def unlink(client_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        unlink_author(session, current_actor(), client_id, request.form.get("author_id", 0, type=whole))
    return done(client_id, _("The author is no longer linked to the card"))


@screen.post("/not-the-same")
def refuse(client_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        refuse_match(session, current_actor(), client_id, request.form.get("author_id", 0, type=whole))
    return done(client_id)


@screen.post("/consent")
def consent(client_id: int) -> Response:
    form = request.form
    with current_desk().database.write.begin() as session:
        consents.give_consent(
            session, current_actor(), client_id, form.get("purpose", ""), form.get("text", ""),
            how=form.get("how", ""), evidence=form.get("evidence", ""),
        )  # fmt: skip
    return done(client_id, _("The consent is written down"))


@screen.post("/consent/<int:consent_id>/withdraw")
def withdraw(client_id: int, consent_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        consents.withdraw_consent(session, current_actor(), consent_id, request.form.get("how", ""))
    return done(client_id, _("The consent is withdrawn"))


@screen.post("/no-ads")
def no_ads(client_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        consents.stop_advertising(session, current_actor(), client_id, "desk")
    return done(client_id, _("No advertising goes to the client any more"))
