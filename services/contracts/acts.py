"""The steps of a contract: to approval, to the client, to the signature, into force and to its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Amendment, Contract, ContractRevision, Termination, utc_now
from models.database import Database
from services.contracts import approval
from services.contracts.completeness import missing_items, text_template
from services.contracts.drafts import get_contract
from services.contracts.machines import move
from services.contracts.telling import hush, tell
from services.contracts.text import content_of, hash_of, text_hash
from services.documents.lending import take_sealed
from services.documents.placeholders import fields_of
from services.errors import DeskError, Refused
from services.leases import next_numbers
from services.money.obligations import make_obligations
from services.money.receivables import age_lines
from services.rights import DESK, Actor, require
from services.secrets import Keyring

OFFER_DAYS = 14
"""How long what was sent is offered (domain.md §6.3, a default)."""
SIGNATURES = ("paper", "simple", "qualified")


@dataclass(frozen=True, slots=True)
class Problem:
    """A contract that a clock could not move, and why."""

    contract_id: int
    code: str


def take_number(session: Session, contract: Contract) -> None:
    """The next number of the year's series, once: drafts that nobody needed leave no gap."""
    if contract.number is None:
        year = contract.dated.year
        contract.number = f"{year}-{next_numbers(session, f'contract.{year}')[0]:05d}"


def submit(session: Session, actor: Actor, keyring: Keyring, contract_id: int) -> Contract:
    """To accounting; raises Refused(«contract.incomplete») naming what is missing."""
    require(actor, "contract.edit")
    contract = get_contract(session, actor, contract_id, hold=True)
    missing = missing_items(session, contract, keyring)
    if missing:
        raise Refused("contract.incomplete", items=[f"{one.code}:{one.what}" for one in missing])
    template = text_template(session, contract)
    contract.template_id = template.id if template is not None else None
    take_sealed(session, keyring, contract, fields_of(template.tokens if template is not None else []))
    take_number(session, contract)
    contract.text_hash = text_hash(session, contract)
    move(session, actor, contract, "submit")
    approval.ask(session, actor, "contract", contract.id, contract.text_hash)
    tell(session, actor, contract, "contract.approval")
    return contract


def approve(session: Session, actor: Actor, contract_id: int) -> Contract:
    """Accounting agrees to this very text; raises Forbidden(«approval.own») to its author."""
    require(actor, "contract.approve")
    contract = get_contract(session, actor, contract_id, hold=True)
    move(session, actor, contract, "approve")
    digest = text_hash(session, contract)
    approval.decide(session, actor, "contract", contract.id, digest, agreed=True, author_id=contract.author_id)
    hush(session, contract.id, "contract.approval")
    return contract


def send_back(session: Session, actor: Actor, contract_id: int, remark: str) -> Contract:
    """To be reworked, with a word why."""
    require(actor, "contract.approve")
    contract = get_contract(session, actor, contract_id, hold=True)
    move(session, actor, contract, "return")
    digest = text_hash(session, contract)
    approval.decide(session, actor, "contract", contract.id, digest, agreed=False, remark=remark)
    hush(session, contract.id, "contract.approval")
    return contract


def _check_agreed(session: Session, contract: Contract) -> None:
    agreed = approval.standing(session, "contract", contract.id)
    if agreed is None or agreed.hash != text_hash(session, contract):
        raise Refused("approval.changed")


def send(session: Session, actor: Actor, contract_id: int, *, today: date) -> Contract:
    """To the client, offered for a fortnight."""
    require(actor, "contract.edit")
    contract = get_contract(session, actor, contract_id, hold=True)
    _check_agreed(session, contract)
    contract.offer_until = today + timedelta(days=OFFER_DAYS)
    move(session, actor, contract, "send")
    return contract


def sign(
    session: Session, actor: Actor, contract_id: int, *, signature: str, today: date, evidence: Mapping[str, Any]
) -> Contract:
    """The client has signed: the text is frozen by its hash, what both sides owe is written down.

    ``evidence``: for paper whether scan and original are here; for a simple signature how the rules were agreed.
    """
    require(actor, "contract.edit")
    contract = get_contract(session, actor, contract_id, hold=True)
    if signature not in SIGNATURES:
        raise Refused("contract.signature", word=signature)
    if contract.state == "sent":
        _check_agreed(session, contract)
    if signature == "simple" and not contract.terms.get("contract", {}).get("pep"):
        raise Refused("contract.pep")
    freeze(session, actor, contract, signature, today, evidence, "sign")
    start_if_due(session, contract, today)
    return contract


def freeze(
    session: Session, actor: Actor, contract: Contract, signature: str, today: date, evidence: Mapping[str, Any],
    act: str,
) -> None:  # fmt: skip
    """Signature, hash, first revision, obligations: the same for a pen and for a paid order."""
    contract.signature, contract.signed_at = signature, utc_now()
    contract.evidence = dict(evidence)
    contract.effective_on = contract.effective_on or today
    contract.text_hash = contract.signed_hash = text_hash(session, contract)
    move(session, actor, contract, act, signature=signature)
    add_revision(session, contract, None)
    make_obligations(session, contract)
    age_lines(session, contract, today)


def add_revision(session: Session, contract: Contract, amendment: Amendment | None) -> ContractRevision:
    """The contract as it stands now, kept under its number of revision."""
    content = content_of(session, contract)
    row = ContractRevision(
        contract_id=contract.id, revision=contract.revision, amendment_id=amendment.id if amendment else None,
        content=content, hash=hash_of(content),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def is_untouched(session: Session, contract: Contract) -> bool:
    """Whether the signed contract is still what its newest revision says: the proof that nothing was changed."""
    newest = session.scalar(
        select(ContractRevision)
        .where(ContractRevision.contract_id == contract.id)
        .order_by(ContractRevision.revision.desc())
        .limit(1)
    )
    return newest is not None and newest.hash == hash_of(newest.content) == text_hash(session, contract)


def start_if_due(session: Session, contract: Contract, today: date) -> bool:
    """Into force once its day has come."""
    if contract.state != "signed" or contract.effective_on is None or contract.effective_on > today:
        return False
    move(session, DESK, contract, "start")
    return True


def step(session: Session, actor: Actor, contract_id: int, act: str, *, reason: str = "") -> Contract:
    """The steps without a guard of their own: decline · pause · resume · fulfil · annul."""
    require(actor, "contract.edit")
    if act not in ("decline", "pause", "resume", "fulfil", "annul"):
        raise Refused("state.closed", step=act)
    contract = get_contract(session, actor, contract_id, hold=True)
    if act == "fulfil" and _is_being_ended(session, contract):
        raise Refused("contract.ending")
    if act == "fulfil" and session.scalar(select(Amendment.id).where(Amendment.active_key == contract.id)):
        raise Refused("amendment.active")
    move(session, actor, contract, act)
    if reason.strip():
        contract.evidence = {**contract.evidence, f"{act}_reason": reason.strip()}
    if act == "annul":
        approval.void(session, "contract", contract.id)
    return contract


def _is_being_ended(session: Session, contract: Contract) -> bool:
    return session.scalar(select(Termination.id).where(Termination.active_key == contract.id)) is not None


def run_contract_day(database: Database, today: date) -> int:
    """Starts what has become due, lets lapse what was offered too long; one contract a transaction."""
    due = Contract.state == "signed", Contract.effective_on <= today
    over = Contract.state == "sent", Contract.offer_until < today
    count = 0
    for where, act in ((due, "start"), (over, "lapse")):
        with database.read.begin() as session:
            ids = list(session.scalars(select(Contract.id).where(*where)))
        for contract_id in ids:
            try:
                with database.write.begin() as session:
                    move(session, DESK, session.get_one(Contract, contract_id), act)
                count += 1
            except DeskError:
                continue  # somebody stepped first
    return count
