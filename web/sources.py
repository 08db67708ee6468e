"""«Площадки»: which places are watched, how they do, and a form drawn from the platform's own settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from collectors import CHANNELS, channel_class
from collectors.base import ChannelError, Check
from models import Source
from services import connections, sources
from services.connections import Field
from services.coverage import accept_gap, coverage_rows, judge_coverage
from services.errors import DeskError, NotFound, Refused
from services.history import choose_depth, depth_of
from services.places import remove_place
from services.settings.history import Last, last_change
from services.settings.many import PLACE, name_of
from services.settings.places import is_resting, keeping_place
from services.units import day_of_units
from web.charts import units_chart
from web.dates import day
from web.deadlines import span
from web.forms import go
from web.help import has_page
from web.hooks import hook_address, page_of_form
from web.language import _, format_decimal, here
from web.numbers import whole
from web.place_words import (
    DEPTHS,
    GRADES,
    PLATFORM_HINTS,
    PURPOSES,
    RIGHTS,
    TO_DO,
    WITHOUT,
    ago_tag,
    choice_name,
    gap_words,
    problem_words,
    raw_text,
    state_words,
    what_to_do,
)
from web.security import current_actor, current_desk, is_htmx, rang
from web.setting_saves import Answer, save_setting
from web.toasts import tell
from web.words import CHANNEL_ERRORS, explain, platform_name, status_of

screen = Blueprint("sources", __name__, url_prefix="/places")


@dataclass
class Form:
    """One place's form: what is asked, what stands in it, what is wrong, what a check has shown."""

    platform: str
    fields: tuple[Field, ...]
    values: Mapping[str, str]
    title: str = ""
    source: Source | None = None
    kept: frozenset[str] = frozenset()
    problems: dict[str, str] = field(default_factory=dict)
    problem: str | None = None
    check: Check | None = None
    error: ChannelError | None = None
    depth: str = "all"
    last: Last | None = None


@screen.app_context_processor
def _names() -> dict[str, object]:
    return {
        "state_words": state_words, "what_to_do": what_to_do, "choice_name": choice_name, "ago_tag": ago_tag,
        "advice_for": lambda code: TO_DO.get(code), "raw_text": raw_text, "has_help": has_page,
        "PLATFORM_HINTS": PLATFORM_HINTS, "hook_address": hook_address, "page_of_form": page_of_form,
        "RIGHT_WORDS": RIGHTS, "WITHOUT_WORDS": WITHOUT, "DEPTHS": DEPTHS,
    }  # fmt: skip


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        rows = connections.place_rows(session, current_actor())
    listed = [row for row in rows if row.source.removed_at is None]
    removed = [row for row in rows if row.source.removed_at is not None]
    return render_template("sources/list.html" if is_htmx() else "sources/index.html", rows=listed, removed=removed)


@screen.get("/coverage")
def coverage() -> str:
    """What is held, what stands there, and how well we know it."""
    with current_desk().database.read.begin() as session:
        rows = coverage_rows(session, current_actor())
    return render_template(
        "sources/coverage.html",
        rows=rows,
        verdict=judge_coverage(rows),
        GRADES=GRADES,
        day_of=lambda at: day(at.astimezone(here()).date()),
        span=span,
        budgets=current_desk().limiter.spent(),
        is_resting=is_resting,
        gap_words=gap_words,
        number=format_decimal,
    )


@screen.get("/<int:source_id>/units")
def units(source_id: int) -> str:
    """How the day's calls of a place are planned and spent."""
    desk = current_desk()
    with desk.database.read.begin() as session:
        source = sources.get_source(session, current_actor(), source_id)
        channel = desk.open_channel(source)
        try:
            told = channel.day_units()
        finally:
            channel.close()
        if told is None:
            raise NotFound("source.unknown", id=source_id)
        spending = desk.limiter.spending(told.name, told.day)
        found = day_of_units(session, current_actor(), source, told, spending)
        return render_template(
            "sources/units.html",
            source=source,
            found=found,
            chart=units_chart(found),
            PURPOSES=PURPOSES,
            number=format_decimal,
        )


@screen.post("/<int:source_id>/history")
def history(source_id: int) -> Answer:
    """Puts the reading of history to rest, or goes on with it; what is new is read all the while."""
    rests = request.form.get("rests") == "yes"
    going_on = _("History is read on from the same page.")
    return save_setting(
        name_of(PLACE, source_id),
        lambda session: sources.rest_history(session, current_actor(), source_id, rests),
        to=url_for("sources.coverage", _anchor=f"coverage-{source_id}"),
        words=_("History rests; what is new goes on coming.") if rests else going_on,
    )


@screen.post("/gaps/<int:gap_id>")
def accept(gap_id: int) -> AnyResponse:
    """A person knows of the gap: it warns no more."""
    with current_desk().database.write.begin() as session:
        accept_gap(session, current_actor(), gap_id)
    return redirect(url_for("sources.coverage"), 303)


@screen.get("/new")
def choose() -> str:
    platforms = sorted(CHANNELS, key=lambda kind: platform_name(kind))
    return render_template("sources/choose.html", platforms=platforms)


@screen.get("/new/<platform>")
def new(platform: str) -> str:
    fields = connections.fields_of(platform)
    return _show(Form(platform, fields, {one.name: one.default for one in fields}))


@screen.get("/<int:source_id>")
def edit(source_id: int) -> str:
    """With ``checked`` the platform is asked at once, as after «Connect»."""
    source = _find(source_id)
    form = _stored_form(source)
    if request.args.get("checked"):
        _ask(form, source)
    return _show(form)


@screen.post("/new/<platform>")
def add(platform: str) -> Answer:
    return _save(_sent_form(platform, None))


@screen.post("/<int:source_id>")
def save(source_id: int) -> Answer:
    source = _find(source_id)
    if source.declared_as is not None:
        raise Refused("source.declared", name=source.declared_as)
    return _save(_sent_form(source.platform, source))


@screen.post("/check/<platform>")
def check(platform: str) -> str | tuple[str, int]:
    """Tries what stands in the form, saved or not; of a declared place, what config.yaml says."""
    source_id = request.form.get("source_id", type=whole)
    source = _find(source_id) if source_id else None
    if source is not None and source.declared_as is not None:
        form = _stored_form(source)
        _ask(form, source)
    else:
        form = _sent_form(platform, source)
        _try(form)
    return _show(form)


def _find(source_id: int) -> Source:
    with current_desk().database.read.begin() as session:
        return sources.get_source(session, current_actor(), source_id)


def _stored_form(source: Source) -> Form:
    fields = connections.fields_of(source.platform)
    values = {**{one.name: one.default for one in fields}, **connections.show_values(source)}
    kept = connections.kept_secrets(current_desk().keyring, source)
    return Form(source.platform, fields, values, source.title, source, kept, depth=depth_of(source))


def _sent_form(platform: str, source: Source | None) -> Form:
    fields = connections.fields_of(platform)
    if source is not None and source.platform != platform:
        raise Refused("source.platform", platform=platform)
    kept = connections.kept_secrets(current_desk().keyring, source) if source is not None else frozenset()
    shown = {one.name: request.form.get(one.name, "") for one in fields if one.kind != "secret"}
    depth = request.form.get("depth") or (depth_of(source) if source is not None else "all")
    return Form(platform, fields, shown, request.form.get("title", "").strip(), source, kept, depth=depth)


def _show(form: Form) -> str:
    template = "sources/form_body.html" if is_htmx() else "sources/form.html"
    if form.source is not None:
        with current_desk().database.read.begin() as session:
            form.last = last_change(session, name_of(PLACE, form.source.id))
    seen = request.form.get("seen") or (form.last.number if form.last is not None else None)
    return render_template(template, form=form, seen=seen, can=channel_class(form.platform).can)


def _forgotten(form: Form) -> list[str]:
    return [name for name in request.form.getlist("forget") if name in form.kept]


def _draft(form: Form) -> tuple[dict[str, Any], Source] | None:
    """The values and the place they make; None, with the problems in the form, where they make none."""
    values = connections.read_form(form.platform, request.form)
    try:
        return values, connections.draft_source(
            current_desk().keyring, form.platform, values, form.source, _forgotten(form)
        )
    except Refused as error:
        problems = error.data.get("problems", {})
        form.problem = explain(error)
        form.problems = {name: problem_words(problem) for name, problem in problems.items()}
        form.problems.update(dict.fromkeys(error.data.get("fields", ()), ""))
        return None


def _try(form: Form) -> dict[str, Any] | None:
    """Asks the platform; the values where the settings are well formed, whatever it answered."""
    drafted = _draft(form)
    if drafted is None:
        return None
    values, draft = drafted
    _ask(form, draft)
    return values


def _ask(form: Form, source: Source) -> None:
    try:
        form.check = connections.check_connection(current_desk().open_channel, source)
    except ChannelError as error:
        form.error = error


def _save(form: Form) -> Answer:
    """An address that the desk may not reach is not saved; any other trouble of today may be gone tomorrow."""
    values = _try(form)
    if values is None or (form.error is not None and form.error.code == "address"):
        return _show(form), 422
    try:
        answer = _add(form, values) if form.source is None else _edit(form, form.source, values)
    except DeskError as error:
        form.problem = explain(error)
        return _show(form), status_of(error)
    current_desk().defer("collect")
    if form.error is not None and not isinstance(answer, tuple):
        reason = CHANNEL_ERRORS.get(form.error.code, form.error.code)
        tell(_("Saved, but the check failed: %(why)s", why=reason), "problem")
    return answer


def _add(form: Form, values: dict[str, Any]) -> AnyResponse:
    desk = current_desk()
    title = form.title or (form.check.account if form.check else platform_name(form.platform))
    with desk.database.write.begin() as session:
        connections.add_place(
            session, current_actor(), desk.keyring, platform=form.platform, title=title, values=values,
            depth=form.depth,
        )  # fmt: skip
    rang()
    if form.error is None:
        tell(_("Saved. Reading begins at once."))
    return go(url_for("sources.index"))


def _edit(form: Form, source: Source, values: dict[str, Any]) -> Answer:
    return save_setting(
        name_of(PLACE, source.id), lambda session: _change(session, form, source, values),
        words=_("Saved. Reading begins at once.") if form.error is None else _("Saved."),
    )  # fmt: skip


def _change(session: Session, form: Form, source: Source, values: dict[str, Any]) -> None:
    keyring, actor = current_desk().keyring, current_actor()
    stored = sources.get_source(session, actor, source.id)
    sources.name_held(stored, keyring.unseal(stored.secrets))
    with keeping_place(session, actor, source.id):
        connections.forget_secrets(session, actor, keyring, source.id, _forgotten(form))
        sources.edit_source(session, actor, keyring, source.id, title=form.title or source.title, values=values)
        choose_depth(session, actor, source.id, form.depth)


def _switch(source_id: int, change: Callable[[Session], object], words: str) -> Answer:
    """What the state of a place becomes, after its word on what stands there."""
    answer = save_setting(name_of(PLACE, source_id), change, words=words)
    current_desk().defer("collect")
    return answer


def _listed(text: str) -> AnyResponse | str:
    rang()
    current_desk().defer("collect")
    tell(text)
    return index() if is_htmx() else go(url_for("sources.index"))


@screen.post("/<int:source_id>/pause")
def pause(source_id: int) -> Answer:
    return _switch(
        source_id, lambda session: sources.set_state(session, current_actor(), source_id, "paused"),
        _("Paused: nothing is read or sent there until it is resumed."),
    )  # fmt: skip


@screen.post("/<int:source_id>/resume")
def resume(source_id: int) -> Answer:
    return _switch(
        source_id, lambda session: sources.set_state(session, current_actor(), source_id, "active"),
        _("Resumed: reading goes on from where it stood."),
    )  # fmt: skip


@screen.post("/<int:source_id>/by-hand")
def by_hand(source_id: int) -> Answer:
    """Into people's hands, while the platform lets no program in."""
    return _switch(
        source_id, lambda session: sources.set_state(session, current_actor(), source_id, "manual"),
        _("Kept by hand now: texts are pasted, answers are published by you and marked here."),
    )  # fmt: skip


@screen.post("/<int:source_id>/remove")
def remove(source_id: int) -> Answer:
    """Off the lists; what came from it stays."""
    return _switch(
        source_id, lambda session: remove_place(session, current_actor(), source_id),
        _("Removed from the list: nothing is read or sent there, and all that came from it stays."),
    )  # fmt: skip


@screen.post("/<int:source_id>/read")
def read(source_id: int) -> AnyResponse | str:
    with current_desk().database.write.begin() as session:
        connections.read_now(session, current_actor(), source_id)
    return _listed(_("Being read now."))


@screen.get("/<int:source_id>/unread")
def unread(source_id: int) -> str:
    source = _find(source_id)
    with current_desk().database.read.begin() as session:
        raws = connections.unread_raws(session, current_actor(), source_id)
    return render_template("sources/unread.html", source=source, raws=raws)


@screen.post("/<int:source_id>/unread")
def read_again(source_id: int) -> AnyResponse:
    """One raw, or all that stand there."""
    chosen = [int(value) for value in request.form.getlist("raw_id") if value.isdecimal() and len(value) < 19]
    with current_desk().database.write.begin() as session:
        count = connections.retry_raws(session, current_actor(), source_id, chosen)
    rang()
    current_desk().defer("collect")
    tell(_("Will be read again: %(count)s", count=count))
    return go(url_for("sources.unread", source_id=source_id))
