"""«Качество»: how right the suggestions are, texts to be checked blind, trainings and the table of kinds."""

import json
from typing import Any

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from classifier import LABELS, ClassifierError, kind_of, theme_names
from classifier.kinds import rows as house_rows
from services import audit, learning
from services.errors import Refused
from services.kinds import NAME, own_table, save_table
from services.settings.history import Last, last_change
from web import theme_words
from web.forms import go
from web.language import Lazy, _, _l
from web.security import current_actor, current_desk, rang
from web.setting_saves import Answer, save_setting
from web.toasts import tell

screen = Blueprint("quality", __name__, url_prefix="/quality")

TRAINING_STATES: dict[str, Lazy] = {
    "asked": _l("begins soon"), "running": _l("under way"), "live": _l("in use since then"),
    "refused": _l("kept back: it was worse"), "failed": _l("did not succeed"),
}  # fmt: skip
REASONS: dict[str, Lazy] = {
    "corrections": _l("enough corrections"), "night": _l("at night"), "hand": _l("by hand"),
    "return": _l("gone back"), "first": _l("first"),
}  # fmt: skip


@screen.get("")
def index() -> str:
    labeller = current_desk().labeller
    gate = labeller.classifier.gate if labeller.classifier else 0.0
    with current_desk().database.read.begin() as session:
        rows = audit.checked(session, "all")
        told = {
            "rows": rows, "accuracy": audit.accuracy(rows), "confusion": audit.confusion(rows),
            "precision": {label: audit.precision_of(rows, label) for label in LABELS},
            "recall": {label: audit.recall_of(rows, label) for label in LABELS},
            "missed": audit.miss_rate(session, gate), "by_people": audit.spoken_for(session),
            "proven": audit.is_proven(session, gate), "waiting": audit.waiting(session),
            "trainings": learning.trainings(session), "fresh": learning.new_corrections(session),
        }  # fmt: skip
    return render_template(
        "quality/index.html", **told, facts=_facts(), versions=labeller.versions(), labeller=labeller,
        STATES=TRAINING_STATES, REASONS=REASONS, ENOUGH=learning.ENOUGH, LEAST=audit.LEAST,
    )  # fmt: skip


def _facts() -> dict[str, Any]:
    try:
        return current_desk().labeller.facts_of()
    except ClassifierError:
        return {}


@screen.get("/check")
def next_text() -> str:
    """One text at a time; nothing tells what the classifier thinks of it."""
    with current_desk().database.read.begin() as session:
        task = audit.next_task(session, current_actor())
    return render_template("quality/check.html", task=task)


@screen.post("/check/<int:audit_id>")
def answer(audit_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        audit.check_text(session, current_actor(), audit_id, request.form.get("label", ""))
    rang()
    return go(url_for("quality.next_text"))


@screen.post("/train")
def train() -> Response:
    with current_desk().database.write.begin() as session:
        learning.ask_training(session, current_actor())
    current_desk().defer("learn")
    tell(_("The training begins soon. The desk works on meanwhile."))
    return go(url_for("quality.index"))


@screen.post("/back/<version>")
def go_back(version: str) -> Response:
    with current_desk().database.write.begin() as session:
        learning.return_to(session, current_actor(), current_desk().labeller, version)
    tell(_("Version %(version)s is in use again.", version=version))
    return go(url_for("quality.index"))


@screen.get("/kinds")
def kinds() -> str:
    """The table «label × theme × signal × words → kind», and a field to try it."""
    with current_desk().database.read.begin() as session:
        last, own = last_change(session, NAME), own_table(session)
    rows = list(own if own is not None else house_rows())
    return _kinds_page(rows, own is not None, last)


def _kinds_page(rows: list[dict[str, Any]], is_own: bool, last: Last) -> str:
    text, visibility = request.args.get("try", ""), request.args.get("visibility", "public")
    classifier = current_desk().labeller.classifier
    found = None
    if text.strip() and classifier is not None:
        verdict = classifier.classify([text])[0]
        found = (
            verdict,
            kind_of(verdict.label, verdict.themes, verdict.signals, rows, text=text, visibility=visibility),
        )
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return render_template(
        "quality/kinds.html", last=last, rows=rows, lines=lines, is_own=is_own, found=found, text=text,
        visibility=visibility, about=theme_words, themes=theme_names(),
    )  # fmt: skip


@screen.post("/kinds")
def save_kinds() -> Answer:
    rows = None if request.form.get("house") else _read_rows(request.form.get("lines", ""))
    return save_setting(NAME, lambda session: save_table(session, current_actor(), rows))


def _read_rows(text: str) -> list[dict[str, Any]]:
    """A row a line, each a JSON object."""
    rows = []
    for number, line in enumerate(filter(str.strip, text.splitlines()), 1):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise Refused("kinds.row", text=str(number))
        rows.append(row)
    return rows
