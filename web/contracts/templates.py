"""Templates that staff edit in Word, the acts they cite, and the school's requisites."""

import io

from flask import render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from services.contracts.legal import confirm_norm, list_norms
from services.documents.fields import FILTERS, GROUPS, TABLES
from services.documents.files import DOCX
from services.documents.kinds import KINDS
from services.documents.organisation import NAME, read_organisation, save_organisation
from services.documents.templates import (
    add_template,
    approve_template,
    archive_template,
    check_upload,
    get_template,
    list_templates,
    template_content,
)
from services.errors import DeskError
from services.settings.history import last_change
from web.contracts.forms import field, screen, typed_day, typed_fields
from web.dates import today
from web.forms import go
from web.language import _
from web.security import current_actor, current_desk, rang
from web.setting_saves import Answer, save_setting
from web.toasts import tell
from web.words import explain, status_of


@screen.get("/templates")
def templates() -> str:
    return _library()


def _library(problem: str | None = None) -> str:
    with current_desk().database.read.begin() as session:
        found = list_templates(session, current_actor())
        norms = list_norms(session)
    return render_template(
        "contracts/templates.html", templates=found, kinds=KINDS, norms=norms, problem=problem, today=today(),
        groups=GROUPS, tables=TABLES, filters=FILTERS, chosen=field("kind"),
    )  # fmt: skip


@screen.post("/templates")
def upload() -> Response | tuple[str, int]:
    """The file is read in the limited child before anything of it is kept."""
    file = request.files.get("file")
    try:
        content = file.read() if file is not None else b""
        checked = check_upload(field("kind"), (file.filename if file else "") or "template.docx", content)
        with current_desk().database.write.begin() as session:
            add_template(session, current_actor(), checked, valid_from=typed_day("valid_from") or today())
    except DeskError as error:
        return _library(explain(error)), status_of(error)
    rang()
    tell(_("The template is read and waits for approval"))
    return go(url_for("contracts.templates"))


@screen.get("/templates/<int:template_id>.docx")
def download(template_id: int) -> Response:
    with current_desk().database.read.begin() as session:
        row = get_template(session, template_id)
        content = template_content(session, row)
    return send_file(
        io.BytesIO(content), mimetype=DOCX, as_attachment=True, download_name=f"{row.kind}-{row.version}.docx"
    )


@screen.post("/templates/<int:template_id>/<act>")
def step_template(template_id: int, act: str) -> Response:
    with current_desk().database.write.begin() as session:
        if act == "approve":
            approve_template(session, current_actor(), template_id)
        else:
            archive_template(session, current_actor(), template_id)
    rang()
    return go(url_for("contracts.templates"))


@screen.post("/norms/<int:norm_id>/confirm")
def confirm(norm_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        confirm_norm(session, current_actor(), norm_id)
    rang()
    tell(_("Confirmed"))
    return go(url_for("contracts.templates"))


@screen.get("/organisation")
def organisation() -> str:
    return _organisation()


def _organisation(problem: str | None = None) -> str:
    with current_desk().database.read.begin() as session:
        last, known = last_change(session, NAME), read_organisation(session)
    return render_template(
        "contracts/organisation.html", known=known, groups={name: GROUPS[name] for name in ("org", "sign")},
        problem=problem, sent=request.form, last=last,
    )  # fmt: skip


@screen.post("/organisation")
def keep_organisation() -> Answer:
    given = typed_fields("org", "sign", "more")
    try:
        return save_setting(NAME, lambda session: save_organisation(session, current_actor(), given))
    except DeskError as error:
        return _organisation(explain(error)), status_of(error)
