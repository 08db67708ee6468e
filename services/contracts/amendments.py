"""Amendments: one at a time, agreed like the contract itself; in force each makes the next revision."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Amendment, Contract, Termination, utc_now
from models.database import Database
from services.contracts import approval
from services.contracts.acts import SIGNATURES, add_revision
from services.contracts.drafts import get_contract
from services.contracts.machines import move
from services.contracts.telling import hush, tell
from services.contracts.text import PARTIES, TERMS, hash_of, is_sealed, own_fields, put_fields, text_hash
from services.documents.fields import GROUPS
from services.errors import DeskError, NotFound, Refused, Stale
from services.events import record
from services.money.obligations import renew_payments, renew_terms
from services.money.payments import allocate
from services.money.receivables import age_lines
from services.money.schedules import problem_of, replace_schedule, schedule_of
from services.rights import DESK, Actor, require
from services.secrets import Keyring

ANSWER_DAYS = 30
"""Who does not answer a proposal for that long has declined it (ГК, article 452)."""
OPEN_STATES = ("signed", "force", "paused")
INDEXATION = "индексация"
"""The only ground on which a price may rise after the signature (273-ФЗ, article 54)."""


def amendments_of(session: Session, contract_id: int) -> list[Amendment]:
    query = select(Amendment).where(Amendment.contract_id == contract_id)
    return list(session.scalars(query.order_by(Amendment.number)))


def get_amendment(session: Session, actor: Actor, amendment_id: int, *, hold: bool = False) -> Amendment:
    require(actor, "contract.view")
    row = session.get(Amendment, amendment_id, with_for_update=hold)
    if row is None:
        raise NotFound("amendment.unknown", id=amendment_id)
    return row


def active_amendment(session: Session, contract_id: int) -> Amendment | None:
    return session.scalar(select(Amendment).where(Amendment.active_key == contract_id))


def open_amendment(
    session: Session, actor: Actor, contract_id: int, *, dated: date, ground: str = "", case_id: int | None = None
) -> Amendment:
    """A draft; raises Refused(«amendment.active») while another is under way."""
    require(actor, "contract.edit")
    contract = get_contract(session, actor, contract_id, hold=True)
    if contract.state not in OPEN_STATES:
        raise Refused("amendment.closed", state=contract.state)
    if session.scalar(select(Termination.id).where(Termination.active_key == contract.id)) is not None:
        raise Refused("contract.ending")
    number = (
        session.scalar(select(func.max(Amendment.number)).where(Amendment.contract_id == contract.id)) or 0
    ) + 1
    row = Amendment(
        contract_id=contract.id, number=number, dated=dated, effective_on=dated, ground=ground.strip(),
        active_key=contract.id, author_id=actor.staff_id, case_id=case_id, state="draft", version=1,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise Refused("amendment.active") from None
    record(
        session, "amendment.opened", actor, client_id=contract.client_id, case_id=case_id, object_id=row.id,
        contract=contract.id,
    )  # fmt: skip
    return row


def edit_amendment(
    session: Session,
    actor: Actor,
    keyring: Keyring,
    amendment_id: int,
    version: int,
    *,
    fields: Mapping[str, str],
    price: int | None = None,
    schedule: Sequence[tuple[date, int]] | None = None,
    effective_on: date | None = None,
    ground: str = "",
) -> Amendment:
    """Writes the changes anew: «client.last» → new text, a new price, a new schedule. An approval is void after it.

    Raises Refused(«amendment.price») when the price rises on any ground but indexation.
    """
    require(actor, "contract.edit")
    row = get_amendment(session, actor, amendment_id, hold=True)
    contract = get_contract(session, actor, row.contract_id)
    if row.version != version:
        raise Stale("contract.stale", id=contract.id)
    if price is not None and price > contract.price and INDEXATION not in ground.lower():
        raise Refused("amendment.price")
    kept = [one for one in row.changes if one.get("sealed")] if not actor.may("client.sensitive") else []
    changes = _changes(contract, keyring, own_fields(actor, fields))
    changes += [one for one in kept if one["field"] not in {new["field"] for new in changes}]
    if price is not None and price != contract.price:
        changes.append({"field": "price", "old": contract.price, "new": price})
    row.changes, row.ground = changes, ground.strip()
    lines = sorted(schedule or ())
    if price in (None, contract.price) and lines == [
        (one.due_on, one.amount) for one in schedule_of(session, contract.id)
    ]:
        lines = []  # the very schedule that stands
    row.schedule = [[day.isoformat(), amount] for day, amount in lines]
    row.effective_on = effective_on or row.effective_on
    row.text_hash = digest_of(row)
    approval.void(session, "amendment", row.id)
    move(session, actor, row, "edit")
    return row


def _changes(contract: Contract, keyring: Keyring, fields: Mapping[str, str]) -> list[dict[str, Any]]:
    secret = keyring.unseal(contract.sealed)
    found: list[dict[str, Any]] = []
    for name, text in fields.items():
        group, _, field = name.partition(".")
        if group not in (*PARTIES, *TERMS) or field not in GROUPS.get(group, {}):
            raise Refused("contract.field", word=name)
        is_secret = is_sealed(name)
        known = contract.parties if group in PARTIES else contract.terms
        old = secret.get(name, "") if is_secret else str(known.get(group, {}).get(field, ""))
        new = text.strip()
        if new != old:
            # A passport stays encrypted here too; the paper itself shows it.
            shown = {"old": keyring.seal({"": old}), "new": keyring.seal({"": new})} if is_secret else None
            found.append({"field": name, "old": old, "new": new, **(shown or {}), "sealed": is_secret})
    return found


def opened(change: Mapping[str, Any], keyring: Keyring) -> tuple[Any, Any]:
    """Old and new as people read them."""
    if change.get("sealed"):
        return keyring.unseal(change["old"]).get("", ""), keyring.unseal(change["new"]).get("", "")
    return change["old"], change["new"]


def digest_of(row: Amendment) -> str:
    return hash_of(
        {"changes": row.changes, "schedule": row.schedule, "ground": row.ground, "on": row.effective_on.isoformat()}
    )


def submit_amendment(session: Session, actor: Actor, amendment_id: int) -> Amendment:
    """To accounting; raises Refused for one that changes nothing, or whose schedule is not the price."""
    require(actor, "contract.edit")
    row = get_amendment(session, actor, amendment_id, hold=True)
    contract = get_contract(session, actor, row.contract_id)
    if not row.changes and not row.schedule:
        raise Refused("amendment.empty")
    if not row.ground:
        raise Refused("amendment.ground")
    price = next((change["new"] for change in row.changes if change["field"] == "price"), contract.price)
    lines = [(date.fromisoformat(day), amount) for day, amount in row.schedule]
    if lines or price != contract.price:
        problem = problem_of(lines, price, contract.funding)
        if problem:
            raise Refused(problem)
    row.text_hash = digest_of(row)
    move(session, actor, row, "submit")
    approval.ask(session, actor, "amendment", row.id, row.text_hash)
    tell(session, actor, contract, "contract.approval")
    return row


def decide_amendment(
    session: Session, actor: Actor, amendment_id: int, *, agreed: bool, remark: str = ""
) -> Amendment:
    require(actor, "contract.approve")
    row = get_amendment(session, actor, amendment_id, hold=True)
    move(session, actor, row, "approve" if agreed else "return")
    approval.decide(
        session, actor, "amendment", row.id, digest_of(row), agreed=agreed, remark=remark, author_id=row.author_id
    )
    hush(session, row.contract_id, "contract.approval")
    return row


def send_amendment(session: Session, actor: Actor, amendment_id: int, *, today: date) -> Amendment:
    require(actor, "contract.edit")
    row = get_amendment(session, actor, amendment_id, hold=True)
    agreed = approval.standing(session, "amendment", row.id)
    if agreed is None or agreed.hash != digest_of(row):
        raise Refused("approval.changed")
    row.sent_on = today
    move(session, actor, row, "send")
    return row


def sign_amendment(
    session: Session, actor: Actor, keyring: Keyring, amendment_id: int, *, signature: str, today: date
) -> Amendment:
    """Signed in the same form as the contract or a stronger one; in force at once when its day has come."""
    require(actor, "contract.edit")
    row = get_amendment(session, actor, amendment_id, hold=True)
    contract = get_contract(session, actor, row.contract_id)
    if signature not in SIGNATURES:
        raise Refused("contract.signature", word=signature)
    strength = ("acceptance", "simple", "paper", "qualified")
    if strength.index(signature) < strength.index(contract.signature or "acceptance"):
        raise Refused("amendment.form")
    row.signature, row.signed_at = signature, utc_now()
    move(session, actor, row, "sign")
    start_amendment(session, keyring, row, today)
    return row


def start_amendment(session: Session, keyring: Keyring, row: Amendment, today: date) -> bool:
    """The next revision of the contract, with its schedule and what is owed by it."""
    if row.state != "signed" or row.effective_on > today:
        return False
    contract = session.get_one(Contract, row.contract_id, with_for_update=True)
    fields = {c["field"]: str(opened(c, keyring)[1]) for c in row.changes if c["field"] != "price"}
    put_fields(contract, keyring, fields)
    if {"program.start", "program.end"} & set(fields):
        renew_terms(session, contract)
    for change in row.changes:
        if change["field"] == "price":
            contract.price = change["new"]
    contract.revision += 1
    contract.version += 1
    contract.updated_at = utc_now()
    if row.schedule:
        replace_schedule(session, contract, [(date.fromisoformat(day), amount) for day, amount in row.schedule])
        allocate(session, contract.id)
        renew_payments(session, contract, today)
        age_lines(session, contract, today)
    session.flush()
    contract.text_hash = contract.signed_hash = text_hash(session, contract)
    add_revision(session, contract, row)
    move(session, DESK, row, "start", revision=contract.revision)
    return True


def step_amendment(session: Session, actor: Actor, amendment_id: int, act: str) -> Amendment:
    """decline · annul"""
    require(actor, "contract.edit")
    if act not in ("decline", "annul"):
        raise Refused("state.closed", step=act)
    row = get_amendment(session, actor, amendment_id, hold=True)
    move(session, actor, row, act)
    return row


def drop_amendment(session: Session, contract_id: int) -> None:
    """The contract has ended: what was to change it changes nothing any more."""
    row = active_amendment(session, contract_id)
    if row is not None:
        approval.void(session, "amendment", row.id)
        move(session, DESK, row, "drop")


def run_amendments(database: Database, keyring: Keyring, today: date) -> int:
    """Starts those whose day has come; those without an answer for thirty days lapse."""
    with database.read.begin() as session:
        waiting = select(Amendment.id).where(Amendment.state == "signed", Amendment.effective_on <= today)
        silent = Amendment.sent_on < today - timedelta(days=ANSWER_DAYS)
        due = list(session.scalars(waiting))
        over = list(session.scalars(select(Amendment.id).where(Amendment.state == "sent", silent)))
    count = 0
    for amendment_id in [*due, *over]:
        try:
            with database.write.begin() as session:
                row = session.get_one(Amendment, amendment_id)
                if row.state == "sent":
                    move(session, DESK, row, "lapse")
                else:
                    start_amendment(session, keyring, row, today)
            count += 1
        except DeskError:
            continue  # somebody stepped first
    return count
