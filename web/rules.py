"""«Правила»: in the order they are asked, a test field, and what a rule would have caught before it is kept."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from flask import Blueprint, render_template, request
from sqlalchemy.orm import Session

from models import Rule
from services.errors import DeskError
from services.responsibility import all_themes, theme_of
from services.routing import departments
from services.rules import (
    LABELS,
    NAME,
    Matter,
    Trial,
    check_conditions,
    drop_rule,
    first_that_holds,
    get_rule,
    list_rules,
    move_rule,
    save_rule,
    switch_rule,
    try_rule,
)
from services.settings.history import last_change
from services.sources import list_sources
from services.workload import loads
from web.numbers import whole
from web.security import current_actor, current_desk
from web.setting_saves import Answer, save_setting
from web.words import THEMES, explain, status_of

screen = Blueprint("rules", __name__, url_prefix="/settings/rules")


@screen.get("")
def index() -> str:
    """With ``text`` it says where that text would go."""
    text = request.args.get("text", "").strip()[:5000]
    with current_desk().database.read.begin() as session:
        last = last_change(session, NAME)
        rules, names = list_rules(session), _names(session)
        matter = _matter(text) if text else None
    found = first_that_holds(rules, matter) if matter else None
    return render_template(
        "rules/index.html", last=last, rules=rules, text=text, matter=matter, found=found, THEMES=THEMES, **names
    )


def _matter(text: str) -> Matter:
    classifier = current_desk().labeller.classifier
    label = classifier.classify([text])[0].label if classifier is not None else None
    return Matter(
        text,
        request.args.get("place", 0, type=whole),
        request.args.get("visibility", "public"),
        label,
        theme_of(text),
    )


def _names(session: Session) -> dict[str, Any]:
    people = [load.staff for load in loads(session)]
    return {
        "people": people, "people_names": {one.id: one.name for one in people},
        "places": list_sources(session, current_actor()), "units": departments(session),
    }  # fmt: skip


@screen.get("/new")
def new() -> str:
    return _form(None)


@screen.get("/<int:rule_id>")
def edit(rule_id: int) -> str:
    with current_desk().database.read.begin() as session:
        rule = get_rule(session, rule_id)
    return _form(rule)


def _form(rule: Rule | None, problem: str | None = None, trial: Trial | None = None) -> str:
    with current_desk().database.read.begin() as session:
        last, names = last_change(session, NAME), _names(session)
    if request.method == "POST":
        last = replace(last, number=request.form.get("seen", last.number, type=whole))
    conditions, acts = _given() if request.method == "POST" else (rule.conditions, rule.acts) if rule else ({}, {})
    title = request.form.get("title", rule.title if rule else "")
    form_key = request.form.get("form_key") or str(uuid4())
    return render_template(
        "rules/form.html", last=last, rule=rule, conditions=conditions, acts=acts, title=title, problem=problem,
        form_key=form_key, trial=trial, LABELS=LABELS, themes=all_themes(), THEMES=THEMES, **names,
    )  # fmt: skip


def _given() -> tuple[dict[str, Any], dict[str, Any]]:
    form = request.form
    words = [word.strip() for word in form.get("words", "").replace("\n", ",").split(",")]
    conditions = {
        "place": form.get("place", type=whole), "visibility": form.get("visibility"), "label": form.get("label"),
        "theme": form.get("theme"), "words": [word for word in words if word],
    }  # fmt: skip
    return conditions, {name: form.get(name, type=whole) for name in ("staff_id", "department_id", "tell")}


@screen.post("/new")
def add() -> Answer:
    return _save(None)


@screen.post("/<int:rule_id>")
def save(rule_id: int) -> Answer:
    return _save(rule_id)


def _save(rule_id: int | None) -> Answer:
    conditions, acts = _given()
    rule = None
    try:
        if request.form.get("try") == "1":
            with current_desk().database.read.begin() as session:
                rule = get_rule(session, rule_id) if rule_id else None
                trial = try_rule(session, check_conditions(session, conditions))
            return _form(rule, trial=trial)
        title = request.form.get("title", "")
        return save_setting(NAME, lambda session: save_rule(
            session, current_actor(), rule_id, title=title, conditions=conditions, acts=acts,
            form_key=request.form.get("form_key", "")[:60],
        ), part=lambda rows: [row for row in rows if row["id"] == rule_id])  # fmt: skip
    except DeskError as error:
        return _form(rule, explain(error)), status_of(error)


@screen.post("/<int:rule_id>/<any(on, off, up, down, drop):what>")
def change(rule_id: int, what: str) -> Answer:
    def do(session: Session) -> None:
        if what in ("on", "off"):
            switch_rule(session, current_actor(), rule_id, what == "on")
        elif what == "drop":
            drop_rule(session, current_actor(), rule_id)
        else:
            move_rule(session, current_actor(), rule_id, what == "up")

    return save_setting(NAME, do)
