"""Contracts among what is held of a person: in the export of everything, in the erasure, and what the law bids to
keep (402-ФЗ art. 29 and the archive list: five years after the year in which a contract ended)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from models import (
    Amendment,
    Approval,
    Contract,
    ContractRevision,
    Decision,
    Document,
    Instalment,
    Obligation,
    Payment,
    ServiceRecord,
    StoredFile,
    Template,
    Termination,
    utc_now,
)
from services.crm.erasing import FORGETTERS, KEEPERS
from services.crm.holdings import HOLDERS, rows_of
from services.secrets import Keyring

YEARS = 5
NEVER_SIGNED = ("draft", "approval", "rework", "approved", "sent", "declined", "lapsed", "annulled")
PARTS: Mapping[str, tuple[Any, Any]] = {
    "contract_revisions": (ContractRevision, ContractRevision.contract_id),
    "amendments": (Amendment, Amendment.contract_id),
    "terminations": (Termination, Termination.contract_id),
    "instalments": (Instalment, Instalment.contract_id),
    "payments": (Payment, Payment.contract_id),
    "obligations": (Obligation, Obligation.contract_id),
    "services": (ServiceRecord, ServiceRecord.contract_id),
    "documents": (Document, Document.contract_id),
    "decisions": (Decision, Decision.contract_id),
}
"""Section of the export → its table and the column that names the contract."""


def contracts_of(session: Session, clients: Sequence[int]) -> list[Contract]:
    """Contracts in which these cards are the client, the student or the payer."""
    named = or_(Contract.client_id.in_(clients), Contract.student_id.in_(clients), Contract.payer_id.in_(clients))
    return list(session.scalars(select(Contract).where(named).order_by(Contract.id)))


def ended_on(session: Session, contract: Contract) -> date | None:
    """The day on which a signed contract ended; None while it is in force."""
    if contract.state == "fulfilled":
        return contract.ends_on or contract.updated_at.date()
    if contract.state != "terminated":
        return None
    query = select(Termination.effective_on).where(
        Termination.contract_id == contract.id, Termination.effective_on.is_not(None)
    )
    return session.scalar(query.order_by(Termination.id.desc()).limit(1)) or contract.updated_at.date()


def kept_until(session: Session, contract: Contract) -> date | None:
    """The last day of keeping; None for one in force, which has no such day yet."""
    ended = ended_on(session, contract)
    return date(ended.year + YEARS, 12, 31) if ended else None


def reasons_to_keep(session: Session, clients: Sequence[int]) -> list[str]:
    """Why these cards may not be erased, for the act of destruction: in the language of the school's people."""
    found = []
    for contract in contracts_of(session, clients):
        if contract.state in NEVER_SIGNED:
            continue
        until = kept_until(session, contract)
        if until is None:
            found.append(f"договор {contract.number or contract.id} действует")
        elif until >= utc_now().date():
            found.append(f"договор {contract.number or contract.id} хранится до {until:%d.%m.%Y}")
    return found


def held_of_contracts(session: Session, keyring: Keyring, clients: Sequence[int]) -> dict[str, Any]:
    """All parts of the contracts, sealed fields opened; the contracts themselves are named by the card."""
    contracts = contracts_of(session, clients)
    ids = [one.id for one in contracts]
    if not ids:
        return {}
    found = {name: rows_of(session, table.__table__, column.in_(ids)) for name, (table, column) in PARTS.items()}
    sealed = {one.id: keyring.unseal(one.sealed) for one in contracts if one.sealed}
    found["contract_sealed"] = [{"contract_id": key, **fields} for key, fields in sealed.items()]
    return found


def forget_contracts(session: Session, clients: Sequence[int]) -> dict[str, int]:
    """Puts the person out of contracts that need not be kept any more: dates and sums stay, words and papers go."""
    contracts = contracts_of(session, clients)
    ids = [one.id for one in contracts]
    papers = or_(Document.contract_id.in_(ids), Document.client_id.in_(clients))
    files = {
        file_id
        for row in session.execute(select(Document.docx_id, Document.pdf_id).where(papers))
        for file_id in row if file_id is not None
    }  # fmt: skip
    for contract in contracts:
        contract.terms, contract.parties, contract.evidence, contract.site = {}, {}, {}, {}
        contract.sealed, contract.external_id = "", None
    of = {name: column.in_(ids) for name, (_table, column) in PARTS.items()}
    amendments = select(Amendment.id).where(of["amendments"])
    subjects = ((("contract",), ids), (("amendment",), amendments))
    for names, numbers in subjects:
        session.execute(
            update(Approval).where(Approval.subject.in_(names), Approval.subject_id.in_(numbers)).values(remark="")
        )
    blank: tuple[tuple[Any, Any, dict[str, Any]], ...] = (
        (ContractRevision, of["contract_revisions"], {"content": {}}),
        (Amendment, of["amendments"], {"changes": [], "ground": ""}),
        (Termination, of["terminations"], {"facts": "", "expenses": [], "proof": {}, "no_refund_ground": ""}),
        (Payment, of["payments"], {"receipt": "", "external_id": None}),
        (Obligation, of["obligations"], {"subject": "", "evidence": ""}),
        (Document, papers, {"data": {}, "note": "", "docx_id": None, "pdf_id": None}),
        (Decision, or_(of["decisions"], Decision.client_id.in_(clients)), {"ground": "", "outcome": ""}),
    )
    counts = {"contract": len(contracts)}
    for table, where, values in blank:
        done = session.execute(
            update(table).where(where).values(**values).execution_options(synchronize_session=False)
        )
        counts[table.__tablename__] = done.rowcount  # type: ignore[attr-defined]
    session.flush()
    used = exists().where(or_(Document.docx_id == StoredFile.id, Document.pdf_id == StoredFile.id))
    as_template = exists().where(Template.file_id == StoredFile.id)
    session.execute(delete(StoredFile).where(StoredFile.id.in_(files), ~used, ~as_template))
    session.expire_all()
    return counts


KEEPERS.append(reasons_to_keep)
FORGETTERS.append(forget_contracts)
HOLDERS.append(held_of_contracts)
