"""Making documents: a number with the row, the text in the child outside of transactions, files with their hash."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Amendment, Contract, Document, Template, Termination, utc_now
from models.database import Database
from services.contracts.amendments import opened
from services.contracts.completeness import text_template
from services.contracts.decisions import decide
from services.contracts.legal import blocked_by
from services.contracts.machines import parties_of, require_accounting
from services.contracts.telling import hush, tell
from services.contracts.terminations import NORMS
from services.contracts.text import forms_of, values_of
from services.documents import bills
from services.documents.fields import DATE, GROUPS, MONEY
from services.documents.files import DOCX, PDF, get_file, store_file
from services.documents.kinds import CONTRACT_KINDS, KINDS, PAPERS
from services.documents.lending import MASK, OF_CARD, card_of, lend_sealed, note_look
from services.documents.placeholders import fields_of, missing_of
from services.documents.rendering import Values, make
from services.documents.russian import money
from services.documents.templates import template_content, template_for
from services.documents.titles import title_of
from services.errors import NotFound, Refused
from services.events import record
from services.leases import next_numbers
from services.money.obligations import finish_subject
from services.once import add_once
from services.rights import DESK, Actor, require
from services.secrets import Keyring

MOST_FILE = 20 * 2**20
CLAIM_ANSWER, DEMAND = "claim_answer", "demand"
TEXT, SEALED = "text", "sealed"
"""Keys of ``Document.data``: the hash of the contract's text that the paper shows; names of the fields in it that
are kept sealed."""
SIGNS = {b"%PDF": PDF, b"PK\x03\x04": DOCX, b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png"}
"""What an uploaded paper may begin with; its name is not asked."""


@dataclass(frozen=True, slots=True)
class Ready:
    """All that the child needs, gathered in one transaction and used outside of it."""

    document_id: int
    content: bytes
    values: Values
    forms: Mapping[str, Mapping[str, str]]


def documents_of(session: Session, contract_id: int) -> list[Document]:
    """The newest first."""
    query = select(Document).where(Document.contract_id == contract_id)
    return list(session.scalars(query.order_by(Document.id.desc())))


def get_document(session: Session, actor: Actor, document_id: int) -> Document:
    require(actor, "contract.view")
    row = session.get(Document, document_id)
    if row is None:
        raise NotFound("document.unknown", id=document_id)
    return row


def may_make(session: Session, actor: Actor, kind: str) -> bool:
    """Whether documents of this kind are the actor's to make: a demand is accounting's alone, and where accounting
    has no login the head stands in for it (domain.md §7.1)."""
    if kind == DEMAND:
        return actor.may("demand.make") and "accounting" in parties_of(session, actor)
    return actor.may("contract.edit")


def require_right(session: Session, actor: Actor, kind: str) -> None:
    """Raises Forbidden for a kind that is not the actor's."""
    if kind == DEMAND:
        require(actor, "demand.make")
        require_accounting(session, actor)
    else:
        require(actor, "contract.edit")


def prepare(
    session: Session,
    actor: Actor,
    keyring: Keyring,
    contract: Contract,
    kind: str,
    *,
    dated: date,
    given: Mapping[str, str] | None = None,
    amendment: Amendment | None = None,
    termination: Termination | None = None,
    form_key: str | None = None,
) -> Ready:
    """The row with its number, and what its text is made of.

    Raises Refused(«document.missing») naming each field that is not known: then no number is taken; and
    Refused(«form.twice») where the same form has made it already.
    """
    require_right(session, actor, kind)
    if kind == "order_enrol" and (contract.signed_at is None or dated < contract.dated):
        raise Refused("order.early")  # for paid learning the contract comes first (273-ФЗ, article 53)
    template = _template(session, contract, kind, dated)
    data = _data(kind, given or {})
    if kind == "annex":  # numbered within its contract: two at once would take one number
        session.get_one(Contract, contract.id, with_for_update=True)
    values = _values(session, keyring, contract, kind, dated, data, amendment, termination)
    lent = lend_sealed(session, keyring, actor, contract, values, fields_of(template.tokens))
    if amendment is not None:
        lent += _changes(session, keyring, actor, contract, amendment, values)
    if lent:
        data[SEALED] = lent
    lacking = [name for name in missing_of(template.tokens, values) if name not in ("doc.reg_no", "order.no")]
    if lacking:
        raise Refused("document.missing", fields=lacking)
    if kind == CONTRACT_KINDS[contract.kind]:
        data[TEXT] = contract.text_hash
    row = Document(
        kind=kind, contract_id=contract.id, client_id=contract.client_id, template_id=template.id, dated=dated,
        amendment_id=amendment.id if amendment else None, staff_id=actor.staff_id, data=data, state="making",
        termination_id=termination.id if termination else None, form_key=form_key or None,
    )  # fmt: skip
    if add_once(session, row) is not row:
        raise Refused("form.twice")
    _number(session, row)
    session.flush()
    values["doc"]["reg_no"] = values["order"]["no"] = row.number
    if kind == "study_certificate":
        values["order"]["no"] = data.get("order.no", "")
    record(
        session, "document.begun", actor, client_id=row.client_id, object_id=row.id, sort=kind, contract=contract.id
    )
    return Ready(row.id, template_content(session, template), values, forms_of(session, contract))


def is_outdated(contract: Contract, row: Document) -> bool:
    """Whether the contract's text was changed, before its signature, after this paper of it was made."""
    if row.uploaded or contract.signed_at is not None or row.kind != CONTRACT_KINDS[contract.kind]:
        return False
    return str(row.data.get(TEXT, contract.text_hash)) != contract.text_hash


def _template(session: Session, contract: Contract, kind: str, dated: date) -> Template:
    if kind == CONTRACT_KINDS[contract.kind]:
        template = text_template(session, contract)
        if template is None:
            raise Refused("template.none", kind=kind)
    else:
        template = template_for(session, kind, dated)
    blocked = blocked_by(session, template, contract.dated if kind.startswith("contract_") else dated)
    if blocked:
        raise Refused("norm.over", what=", ".join(ref.act for ref in blocked))
    return template


def _data(kind: str, given: Mapping[str, str]) -> dict[str, Any]:
    """What a person filled in, by the types of the fields; sums come in kopecks."""
    data: dict[str, Any] = {}
    for name in KINDS[kind].asks:
        text = given.get(name, "").strip()
        group, _, field = name.partition(".")
        if not text:
            continue
        if GROUPS[group][field] == MONEY:
            data[name] = int(text)
        elif GROUPS[group][field] == DATE:
            try:
                data[name] = date.fromisoformat(text).isoformat()
            except ValueError:
                raise Refused("date.invalid") from None
        else:
            data[name] = text
    return data


def _values(
    session: Session, keyring: Keyring, contract: Contract, kind: str, dated: date, data: Mapping[str, Any],
    amendment: Amendment | None, termination: Termination | None,
) -> Values:  # fmt: skip
    values = values_of(session, contract, keyring)
    for group in GROUPS:
        values.setdefault(group, {})
    day = dated.isoformat()
    values["doc"] |= {"date": day, "reg_no": "—", "correction": "0", "form_full_time": "нет"}
    values["order"] |= {"date": day, "no": "—", "students": _students(values, contract)}
    values["consent"] |= {"date": day, "operator": values["org"].get("name_full", "")}
    values["claim"] |= {"date": day}
    if amendment is not None:
        values["amend"] |= _amendment(amendment)
        if amendment.schedule and amendment.state != "force":
            # The paper is signed before the schedule is in force: it shows the new one.
            values["pay"] |= _schedule(amendment)
    if termination is not None:
        values["end"] |= _termination(termination, contract)
    if not values["student"] and not kind.startswith("contract_"):
        values["student"] = dict(values["client"])
    # Grade sheets come later: until then the programme stands as one line, without a mark.
    whole = {"name": values["program"].get("name", ""), "hours": values["program"].get("hours", "—")}
    values["doc"]["modules"] = [{**whole, "grade": "не аттестован"}]
    if kind == "annex":
        values["doc"]["annex_no"] = str(1 + len(_same(session, contract.id, kind)))
    for name, value in data.items():
        group, _, field = name.partition(".")
        values[group][field] = value
    bills.put(session, contract, kind, dated, values)
    return values


def _same(session: Session, contract_id: int, kind: str) -> list[Document]:
    return [row for row in documents_of(session, contract_id) if row.kind == kind]


def _students(values: Values, contract: Contract) -> list[dict[str, Any]]:
    program = values["program"].get("name", "")
    if contract.kind == "organisation":
        return [
            {**row, "program": row.get("program") or program, "contract": contract.number or "—"}
            for row in values["corp"]["students"]
        ]
    one = values["student"] or values["client"]
    return [
        {"no": "1", "full": one.get("full", ""), "birth_date": one.get("birth_date", ""), "program": program,
         "contract": contract.number or "—"}
    ]  # fmt: skip


def _amendment(row: Amendment) -> dict[str, Any]:
    return {
        "no": str(row.number), "date": row.dated.isoformat(), "ground": row.ground,
        "effective": row.effective_on.isoformat(),
    }  # fmt: skip


def _changes(
    session: Session, keyring: Keyring, actor: Actor, contract: Contract, row: Amendment, values: Values
) -> list[str]:
    """Puts in what was and what will be; returns the fields of it that are kept sealed and are shown."""
    lines, lent = [], []
    for change in row.changes:
        name = change["field"]
        old, new = opened(change, keyring)
        if change.get("sealed") and not actor.may("client.sensitive"):
            old, new = MASK, MASK
        elif change.get("sealed"):
            lent.append(name)
            group, _, field = name.partition(".")
            note_look(session, actor, contract, card_of(contract, group), OF_CARD[field])
        if name == "price":
            old, new = money(old), money(new)
        if old != MASK and GROUPS.get(name.partition(".")[0], {}).get(name.partition(".")[2]) == DATE:
            old, new = (date.fromisoformat(day).strftime("%d.%m.%Y") if day else "" for day in (old, new))
        lines.append({"clause": change.get("clause") or title_of(name), "old": old or "—", "new": new or "—"})
    if row.schedule:
        lines.append({"clause": "График платежей", "old": "прежний", "new": "см. пункт 3"})
    values["amend"]["changes"] = lines
    return lent


GROUND_WORDS = {
    "agreement": "соглашение сторон", "consumer": "отказ потребителя от договора",
    "defect": "существенный недостаток услуги", "late": "нарушение срока оказания услуги",
    "school": "отказ исполнителя от договора", "court": "решение суда", "gone": "прекращение обязательства",
}  # fmt: skip


def _schedule(row: Amendment) -> dict[str, Any]:
    lines = [
        {"no": str(no), "date": day, "amount": amount} for no, (day, amount) in enumerate(sorted(row.schedule), 1)
    ]
    return {"schedule": lines, "total": sum(line["amount"] for line in lines)}


def _termination(row: Termination, contract: Contract) -> dict[str, Any]:
    day = row.effective_on or row.received_on
    figures = row.figures or {}
    known: dict[str, Any] = {
        "date": day.isoformat(), "effect_date": day.isoformat(), "access_date": day.isoformat(),
        "received": row.received_on.isoformat(), "norm": NORMS[row.ground],
        "ground": f"{GROUND_WORDS[row.ground]} ({NORMS[row.ground]})", "delivered": row.facts,
        "delivered_sum": row.delivered, "refund": row.refund, "paid": figures.get("paid"),
        "debt": figures.get("debt"), "expenses": row.expenses,
        "details": row.proof.get("details", "по счёту оплаты"),
    }  # fmt: skip
    if row.expenses:
        known["expenses_sum"] = sum(expense["sum"] for expense in row.expenses)
    if not row.refund and row.no_refund_ground:
        known["refund_ground"] = row.no_refund_ground
    if row.refund and row.refund_due:
        known["refund_date"] = row.refund_due.isoformat()
    return known


def _number(session: Session, row: Document) -> None:
    """The next number of the year's series: counter and row stand or fall together, no number is lost."""
    series = KINDS[row.kind].series
    if not series or series == "annex":
        return
    row.series = f"{series}.{row.dated.year}"
    row.serial = next_numbers(session, f"document.{row.series}")[0]
    row.number = f"{row.serial}-{row.dated.year % 100:02d}"


def finish(session: Session, actor: Actor, ready: Ready, docx: bytes, pdf: bytes) -> Document:
    """The files beside the row; from here on their hash proves them."""
    row = session.get_one(Document, ready.document_id)
    row.docx_id = store_file(session, docx, DOCX).id
    row.pdf_id = store_file(session, pdf, PDF).id
    row.state = "made"
    record(session, "document.made", actor, client_id=row.client_id, object_id=row.id, sort=row.kind)
    if row.kind == "study_certificate" and row.contract_id is not None:
        finish_subject(session, actor, row.contract_id, "certificate", on=row.dated, evidence=f"№ {row.number}")
    if row.kind == CLAIM_ANSWER and row.contract_id is not None:
        tell(session, actor, session.get_one(Contract, row.contract_id), "contract.claim")
    return row


def run_make(database: Database, actor: Actor, ready: Ready) -> int:
    """Fills and draws outside of any transaction; a failure leaves the row with its number, to be made again."""
    try:
        made = make(ready.content, ready.values, ready.forms)
    except Refused as error:
        with database.write.begin() as session:
            row = session.get_one(Document, ready.document_id)
            row.state, row.note = "failed", error.code
            record(session, "document.failed", DESK, object_id=row.id, code=error.code)
        raise
    with database.write.begin() as session:
        finish(session, actor, ready, made.docx, made.pdf)
    return ready.document_id


def annul(session: Session, actor: Actor, document_id: int, reason: str) -> Document:
    """Its number stays taken and seen."""
    require(actor, "contract.edit")
    row = get_document(session, actor, document_id)
    if row.signed_at is not None:
        raise Refused("document.signed")
    if not reason.strip():
        raise Refused("text.empty")
    row.state, row.note = "annulled", reason.strip()
    record(session, "document.annulled", actor, client_id=row.client_id, object_id=row.id)
    return row


def mark_signed(session: Session, actor: Actor, document_id: int) -> Document:
    """This very file was signed; an answer to a claim is the head's: ``approve_answer``."""
    require(actor, "contract.edit")
    row = get_document(session, actor, document_id)
    if row.kind == CLAIM_ANSWER:
        require(actor, "claim.answer")
    return _sign(session, actor, row)


def _sign(session: Session, actor: Actor, row: Document) -> Document:
    if row.state != "made":
        raise Refused("document.state", state=row.state)
    row.signed_at = row.signed_at or utc_now()
    record(session, "document.signed", actor, client_id=row.client_id, object_id=row.id)
    return row


def approve_answer(session: Session, actor: Actor, document_id: int, *, today: date) -> Document:
    """The head's word to an answer to a claim: now it may go, and it stands among the decisions with the figures of
    its day. A second press changes nothing."""
    require(actor, "claim.answer")
    row = session.get(Document, document_id, with_for_update=True)
    if row is None or row.kind != CLAIM_ANSWER or row.contract_id is None:
        raise NotFound("document.unknown", id=document_id)
    if row.signed_at is not None:
        return row
    _sign(session, actor, row)
    contract, said = session.get_one(Contract, row.contract_id), row.data
    decide(
        session, actor, contract, kind=CLAIM_ANSWER, ground=said.get("claim.facts", "—"),
        norm=said.get("claim.norms", ""), outcome=said.get("claim.decision", "—"), today=today,
        case_id=contract.case_id, figures={"document": row.number, "sum": said.get("claim.sum", 0)},
    )  # fmt: skip
    hush(session, contract.id, "contract.claim")
    return row


def put_paper(
    session: Session, actor: Actor, contract: Contract, kind: str, *, content: bytes, note: str, dated: date,
    form_key: str | None = None,
) -> Document:  # fmt: skip
    """A paper with a file that somebody put in; raises Refused(«file.kind») for what is no document or picture."""
    require_right(session, actor, kind)
    if kind not in PAPERS and kind not in KINDS:
        raise Refused("template.kind", kind=kind)
    media = next((media for sign, media in SIGNS.items() if content.startswith(sign)), None)
    if media is None or len(content) > MOST_FILE:
        raise Refused("file.kind")
    file = store_file(session, content, media)
    row = Document(
        kind=kind, contract_id=contract.id, client_id=contract.client_id, dated=dated, uploaded=True, state="made",
        pdf_id=file.id, note=note.strip(), staff_id=actor.staff_id, data={}, form_key=form_key or None,
    )  # fmt: skip
    known = add_once(session, row)
    if known is not row:
        return known
    record(session, "document.put", actor, client_id=row.client_id, object_id=row.id, sort=kind)
    return row


def file_of(session: Session, actor: Actor, document_id: int, form: str) -> tuple[Document, str, bytes]:
    """(row, media type, bytes) of «docx» or «pdf»; a look at one that shows a passport is written down."""
    row = get_document(session, actor, document_id)
    if row.data.get(SEALED):
        record(
            session, "client.sensitive_seen", actor, client_id=row.client_id, code="document", object_id=row.id,
            sort=row.kind,
        )  # fmt: skip
    file_id = row.docx_id if form == "docx" else row.pdf_id
    if file_id is None:
        raise NotFound("document.unknown", id=document_id)
    file = get_file(session, file_id)
    return row, file.media, file.content
