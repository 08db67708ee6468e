"""Consents, one purpose a row: which text, when, from where; withdrawn at once (152-ФЗ art. 9, 38-ФЗ art. 18)."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models import Consent, ConsentText, Message, Source, utc_now
from services.crm.clients import get_client, touch
from services.crm.identities import client_of_author
from services.errors import NotFound, Refused
from services.events import record
from services.rights import DESK, Actor, require

PURPOSES = ("answer", "contract_other", "marketing", "dissemination", "recording", "third_parties")
"""What somebody may agree to: an answer to a letter · a contract in somebody else's favour · advertising · showing
a review in public · recording of calls · passing data on."""
HOWS = ("form", "paper", "site", "call", "letter", "import")
OF_FORM = {"answer": "answer", "news": "marketing"}
"""Purpose as collectors.form names it → ours."""
NO_ADS = "no_ads"
"""The flag of a card that forbids advertising whatever consents say."""


def text_hash(text: str) -> str:
    return hashlib.sha256(text.strip().encode("utf-8", "replace")).hexdigest()


def is_standing(consent: Consent, now: datetime) -> bool:
    return consent.withdrawn_at is None and (consent.valid_to is None or consent.valid_to > now)


def standing_consents(session: Session, client_id: int, purpose: str | None = None) -> list[Consent]:
    """What the client agrees to now."""
    now = utc_now()
    query = select(Consent).where(
        Consent.client_id == client_id, Consent.withdrawn_at.is_(None),
        or_(Consent.valid_to.is_(None), Consent.valid_to > now),
    )  # fmt: skip
    if purpose is not None:
        query = query.where(Consent.purpose == purpose)
    return list(session.scalars(query.order_by(Consent.id)))


def may_advertise(session: Session, actor: Actor, client_id: int) -> bool:
    """Whether advertising may go to the client: a standing consent, and no word against it."""
    client = get_client(session, actor, client_id)
    if NO_ADS in client.flags or client.blocked_at is not None:
        return False
    return bool(standing_consents(session, client.id, "marketing"))


def give_consent(
    session: Session,
    actor: Actor,
    client_id: int,
    purpose: str,
    text: str,
    *,
    how: str,
    given_at: datetime | None = None,
    valid_to: datetime | None = None,
    evidence: str = "",
) -> Consent:
    """What a client agreed to on paper, by telephone or in a letter."""
    require(actor, "client.edit")
    client = get_client(session, actor, client_id)
    if purpose not in PURPOSES or how not in HOWS:
        raise Refused("consent.purpose")
    if not text.strip():
        raise Refused("consent.text")
    now = utc_now()
    if given_at is not None and given_at > now:
        raise Refused("date.invalid")
    row = Consent(
        client_id=client.id, purpose=purpose, text_id=text_row(session, purpose, text).id,
        text_hash=text_hash(text), given_at=given_at or now, how=how, valid_to=valid_to, staff_id=actor.staff_id,
        evidence={"paper": evidence[:200]} if evidence else {},
    )  # fmt: skip
    session.add(row)
    if purpose == "marketing" and NO_ADS in client.flags:
        client.flags = [flag for flag in client.flags if flag != NO_ADS]
        touch(client)
    session.flush()
    record(session, "consent.given", actor, client_id=client.id, object_id=row.id, code=purpose)
    return row


def withdraw_consent(session: Session, actor: Actor, consent_id: int, how: str = "") -> Consent:
    """At once; the row stays as proof of what was given and taken back."""
    require(actor, "client.edit")
    row = session.get(Consent, consent_id)
    if row is None:
        raise NotFound("consent.unknown", id=consent_id)
    if row.withdrawn_at is None:
        row.withdrawn_at, row.withdrawn_how = utc_now(), how[:100]
        record(session, "consent.withdrawn", actor, client_id=row.client_id, object_id=row.id, code=row.purpose)
    return row


def stop_advertising(session: Session, actor: Actor, client_id: int, how: str = "") -> None:
    """«Не присылать рекламу»: every consent to it is withdrawn in this transaction, and the card says so (R-20)."""
    require(actor, "client.edit")
    client = get_client(session, actor, client_id, hold=True)
    for row in standing_consents(session, client.id, "marketing"):
        withdraw_consent(session, actor, row.id, how)
    if NO_ADS not in client.flags:
        client.flags = [*client.flags, NO_ADS]
        touch(client)
        record(session, "client.no_ads", actor, client_id=client.id)


def note_form(session: Session, message: Message, source: Source) -> Sequence[Consent]:
    """What a visitor of the form agreed to, kept apart from the letter it came with."""
    context = message.context or {}
    texts = {"answer": source.settings.get("consent", ""), "news": source.settings.get("consent_news", "")}
    client = client_of_author(session, message.author_id)
    made = []
    for one in str(context.get("consents") or "").split():
        named, _, version = one.partition("@")
        purpose = OF_FORM.get(named, named)
        known = select(Consent.id).where(Consent.message_id == message.id, Consent.purpose == purpose)
        if session.scalar(known) is not None:
            continue
        text = str(texts.get(named) or "")
        # The text may have been changed since the visitor read it: then its version alone is kept.
        row_of_text = text_row(session, purpose, text) if text_hash(text).startswith(version) else None
        made.append(
            Consent(
                client_id=client.id if client else None, author_id=message.author_id, message_id=message.id,
                purpose=purpose, text_id=row_of_text.id if row_of_text else None,
                text_hash=row_of_text.hash if row_of_text else version, given_at=message.published_at, how="form",
                address=str(context.get("consent_address") or "") or None,
            )
        )  # fmt: skip
    session.add_all(made)
    session.flush()
    for row in made:
        record(session, "consent.given", DESK, client_id=row.client_id, object_id=row.id, code=row.purpose)
    return made


def text_row(session: Session, purpose: str, text: str) -> ConsentText:
    """The row of a text, made when it is new."""
    digest = text_hash(text)
    row = session.scalar(select(ConsentText).where(ConsentText.purpose == purpose, ConsentText.hash == digest))
    if row is None:
        row = ConsentText(purpose=purpose, hash=digest, text=text.strip())
        session.add(row)
        session.flush()
    return row
