"""Documents of a contract: made from templates, put in as files, opened, annulled."""

import io
from typing import TypeVar

from flask import render_template, request, send_file
from werkzeug.wrappers import Response

from services.contracts.amendments import amendments_of
from services.contracts.drafts import get_contract
from services.contracts.terminations import terminations_of
from services.documents.files import DOCX, PDF
from services.documents.issuing import (
    DEMAND,
    annul,
    approve_answer,
    file_of,
    mark_signed,
    prepare,
    put_paper,
    require_right,
    run_make,
)
from services.documents.kinds import KINDS, PAPERS
from services.errors import DeskError, Forbidden, NotFound
from web.contract_words import DOCUMENTS
from web.contracts.forms import field, given_fields, screen, to_contract, typed_key
from web.dates import today
from web.language import _
from web.security import current_actor, current_desk, rang
from web.toasts import tell
from web.words import explain, status_of

ENDINGS = {PDF: "pdf", DOCX: "docx", "image/jpeg": "jpg", "image/png": "png"}
SHOWN = (PDF, "image/jpeg", "image/png")
"""What a browser may show by itself; anything else is saved."""
T = TypeVar("T")


@screen.get("/<int:contract_id>/documents/new")
def paper(contract_id: int) -> str:
    return _form(contract_id, request.args.get("kind", ""))


@screen.get("/<int:contract_id>/demand")
def demand(contract_id: int) -> str:
    """A demand is accounting's to make: its own door, with its own right."""
    return _form(contract_id, DEMAND)


def _form(contract_id: int, kind: str, problem: str | None = None) -> str:
    if kind not in KINDS and kind not in PAPERS:
        raise NotFound("document.unknown", id=kind)
    with current_desk().database.read.begin() as session:
        require_right(session, current_actor(), kind)
        contract = get_contract(session, current_actor(), contract_id)
    made = KINDS.get(kind)
    return render_template(
        "contracts/paper.html", contract=contract, kind=kind, asks=made.asks if made else (), problem=problem,
        can_make=made is not None, sent=request.form, today=today(),
    )  # fmt: skip


@screen.post("/<int:contract_id>/documents/new")
def make_paper(contract_id: int) -> Response | tuple[str, int]:
    return _make(contract_id, field("kind"))


@screen.post("/<int:contract_id>/demand")
def make_demand(contract_id: int) -> Response | tuple[str, int]:
    return _make(contract_id, DEMAND)


def _make(contract_id: int, kind: str) -> Response | tuple[str, int]:
    """The number with the row in one transaction; the text is made outside of any. The second press of a form finds
    what the first has made."""
    desk, actor = current_desk(), current_actor()
    if kind not in KINDS:
        raise NotFound("document.unknown", id=kind)
    try:
        given = given_fields(KINDS[kind].asks)
        with desk.database.write.begin() as session:
            contract = get_contract(session, actor, contract_id)
            ready = prepare(
                session, actor, desk.keyring, contract, kind, dated=today(), given=given,
                amendment=_newest(amendments_of(session, contract.id), KINDS[kind].of == "amendment"),
                termination=_newest(terminations_of(session, contract.id), KINDS[kind].of == "termination"),
                form_key=typed_key(),
            )  # fmt: skip
        run_make(desk.database, actor, ready)
    except DeskError as error:
        if error.code == "form.twice":
            return to_contract(contract_id, "papers")
        if isinstance(error, Forbidden):
            raise
        return _form(contract_id, kind, explain(error)), status_of(error)
    rang()
    tell(_("Made: %(name)s", name=str(DOCUMENTS[kind])))
    return to_contract(contract_id, "papers")


def _newest(rows: list[T], is_wanted: bool) -> T | None:
    return rows[-1] if rows and is_wanted else None


@screen.post("/<int:contract_id>/documents/file")
def add_paper(contract_id: int) -> Response:
    content = request.files["file"].read() if "file" in request.files else b""
    with current_desk().database.write.begin() as session:
        contract = get_contract(session, current_actor(), contract_id)
        put_paper(
            session, current_actor(), contract, field("kind"), content=content, note=field("note"), dated=today(),
            form_key=typed_key(),
        )  # fmt: skip
    rang()
    tell(_("Saved"))
    return to_contract(contract_id, "papers")


@screen.get("/documents/<int:document_id>.<form>")
def open_paper(document_id: int, form: str) -> Response:
    with current_desk().database.write.begin() as session:  # a look at a passport is written down
        row, media, content = file_of(session, current_actor(), document_id, form)
    name = f"{DOCUMENTS.get(row.kind, row.kind)} {row.number or row.id}.{ENDINGS.get(media, 'bin')}"
    return send_file(
        io.BytesIO(content), mimetype=media, as_attachment=media not in SHOWN, download_name=name.replace("/", "-")
    )


@screen.post("/documents/<int:document_id>/annul")
def annul_paper(document_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        row = annul(session, current_actor(), document_id, field("reason"))
    rang()
    return to_contract(row.contract_id, "papers")


@screen.post("/documents/<int:document_id>/signed")
def sign_paper(document_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        row = mark_signed(session, current_actor(), document_id)
    rang()
    return to_contract(row.contract_id, "papers")


@screen.post("/documents/<int:document_id>/answer")
def approve_claim_answer(document_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        row = approve_answer(session, current_actor(), document_id, today=today())
    rang()
    tell(_("Approved: the answer may go to the client"))
    return to_contract(row.contract_id, "papers")
