"""«Проверка ответов»: which rules speak, what is the school's own, what is forbidden; a field to try a text in."""

from dataclasses import fields

from flask import Blueprint, render_template, request
from sqlalchemy.orm import Session

from services.lint import NAME, RULES, Habits, Place, habits_of, lint, save_habits
from services.settings.history import last_change
from web.security import current_actor, current_desk
from web.setting_saves import Answer, save_setting
from web.words import LINT

screen = Blueprint("checks", __name__, url_prefix="/settings/checks")
LISTS = tuple(field.name for field in fields(Habits) if field.name not in ("off", "promo_denied"))


@screen.get("")
def index() -> str:
    typed = request.args.get("text", "")
    with current_desk().database.read.begin() as session:
        last, habits = last_change(session, NAME), habits_of(session)
    found = lint(typed, Place(request.args.get("private") != "1", "vk"), habits) if typed else ()
    return render_template(
        "checks/index.html", last=last, habits=habits, RULES=RULES, LINT=LINT, typed=typed, found=found
    )


@screen.post("")
def save() -> Answer:
    form = request.form
    values = {name: form.get(name, "").replace(",", "\n").splitlines() for name in LISTS}
    values["off"] = [name for name in RULES if name not in form.getlist("rule")]

    def change(session: Session) -> None:
        denied = sorted(habits_of(session).promo_denied)
        save_habits(session, current_actor(), {**values, "promo_denied": denied})

    return save_setting(NAME, change)
