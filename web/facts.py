"""«Справочник фактов»: one value, its owner and last day, and the published replies that still carry an old one."""

import secrets
from datetime import date

from flask import Blueprint, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from models import Fact
from services.accounts import list_staff
from services.errors import DeskError, Refused
from services.facts import NAME, get_fact, is_over, list_facts, outdated_replies, save_fact
from services.replies import change_published
from services.settings.history import Last, last_change
from web.dates import today
from web.forms import go
from web.language import ngettext
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.setting_saves import Answer, save_setting
from web.toasts import tell
from web.words import explain, status_of

screen = Blueprint("facts", __name__, url_prefix="/facts")


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        last, facts = last_change(session, NAME), list_facts(session)
        old = {fact.id: len(outdated_replies(session, fact)) for fact in facts}
        people = {person.id: person.name for person in list_staff(session, active=False)}
    return render_template(
        "facts/index.html", facts=facts, old=old, people=people, is_over=is_over, today=today(), last=last
    )


@screen.get("/new")
def new() -> str:
    return _form(None)


@screen.get("/<int:fact_id>")
def edit(fact_id: int) -> str:
    with current_desk().database.read.begin() as session:
        last, fact = last_change(session, NAME), get_fact(session, fact_id)
    return _form(fact, last=last)


def _form(fact: Fact | None, problem: str | None = None, last: Last | None = None) -> str:
    """``last``: the version that the fact was read of; of a refused form it is what was sent."""
    with current_desk().database.read.begin() as session:
        people = list_staff(session)
        old = outdated_replies(session, fact) if fact is not None and problem is None else []
    return render_template(
        "facts/form.html", fact=fact, people=people, old=old, problem=problem, sent=request.form, last=last
    )


@screen.post("/new")
def add() -> Answer:
    return _save(None)


@screen.post("/<int:fact_id>")
def save(fact_id: int) -> Answer:
    return _save(fact_id)


def _save(fact_id: int | None) -> Answer:
    """Published replies that carry the old value are shown at once."""
    old: list[int] = []

    def change(session: Session) -> None:
        form = request.form
        fact = save_fact(
            session, current_actor(), fact_id, code=form.get("code", ""), title=form.get("title", ""),
            value=form.get("value", ""), owner_id=form.get("owner_id", type=whole),
            valid_to=_day(form.get("valid_to", "")),
        )  # fmt: skip
        old.extend([fact.id] if outdated_replies(session, fact) else [])

    try:
        answer = save_setting(NAME, change, part=lambda rows: [row for row in rows or () if row["id"] == fact_id])
    except DeskError as error:
        return _form(None, explain(error)), status_of(error)
    return go(url_for("facts.edit", fact_id=old[0])) if isinstance(answer, Response) and old else answer


def _day(typed: str) -> date | None:
    if not typed:
        return None
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise Refused("date.invalid") from None


@screen.post("/<int:fact_id>/correct")
def correct(fact_id: int) -> Response:
    """Edits the chosen published replies: the old value gives way to the new one."""
    chosen = {int(value) for value in request.form.getlist("act_id") if value.isdecimal() and len(value) < 19}
    with current_desk().database.write.begin() as session:
        fact = get_fact(session, fact_id)
        rows = [row for row in outdated_replies(session, fact) if row.act.id in chosen and row.can_edit]
        for row in rows:
            text = row.reply.text.replace(row.value, fact.value)
            key = request.form.get("form_key") or secrets.token_hex(8)
            change_published(session, current_actor(), row.act.id, key, text=text, undo_seconds=0)
    rang(outbox=True)
    tell(ngettext("%(num)s reply is being corrected", "%(num)s replies are being corrected", len(rows)))
    return go(url_for("facts.edit", fact_id=fact_id))
