"""Contracts with their revisions, amendments and terminations, and what was agreed and decided about them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now
from models.crm.client import Ordered


class Contract(Base):
    """``kind``: person · three · organisation · offer · consulting. ``state``: see services.contracts.machines.

    ``number`` is taken when it first goes to be approved: a draft that nobody needed leaves no gap. ``terms`` are
    the words of the contract by group («program», «contract»), ``programme`` the name among them in one line,
    ``parties`` the people and firms as they stood, ``sealed`` their passports and the like, encrypted. ``price`` in
    kopecks. ``text_hash`` is SHA-256 of all that the text is made of: an approval holds for one hash, and after
    signing it never changes but by a revision. ``site`` is what the school's site said on signing.
    """

    __tablename__ = "contract"
    __table_args__ = (
        UniqueConstraint("number"),
        UniqueConstraint("external_id"),
        Index("ix_contract_state", "state", "id"),
        Index(None, "client_id", "id"),
        Index(None, "case_id"),
        Index(None, "programme"),
        Index(None, "student_id"),
        Index(None, "form_key", unique=True),
    )

    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft")
    number: Mapped[str | None] = mapped_column(Ordered)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    student_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    payer_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    template_id: Mapped[int | None] = mapped_column(ForeignKey("template.id"))
    dated: Mapped[date]
    effective_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    offer_until: Mapped[date | None]  # what was sent is no longer offered after this day
    price: Mapped[int] = mapped_column(BigInteger, default=0)
    discount: Mapped[int] = mapped_column(BigInteger, default=0)
    funding: Mapped[str] = mapped_column(default="own")  # own · operator · bank
    terms: Mapped[dict[str, Any]] = mapped_column(default=dict)
    programme: Mapped[str] = mapped_column(default="")
    parties: Mapped[dict[str, Any]] = mapped_column(default=dict)
    sealed: Mapped[str] = mapped_column(Text, default="")
    site: Mapped[dict[str, Any]] = mapped_column(default=dict)
    text_hash: Mapped[str] = mapped_column(default="")
    signature: Mapped[str | None]  # paper · simple · qualified · acceptance
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    signed_at: Mapped[datetime | None]
    signed_hash: Mapped[str | None]
    revision: Mapped[int] = mapped_column(default=1)
    external_id: Mapped[str | None]  # the order that was paid
    form_key: Mapped[str | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


PROGRAMME_LENGTH = 200


@event.listens_for(Contract, "before_insert")
@event.listens_for(Contract, "before_update")
def _name_programme(_mapper: Any, _connection: Any, contract: Contract) -> None:
    """The name as lists and filters need it, whoever changes the terms."""
    name = ((contract.terms or {}).get("program") or {}).get("name") or ""
    contract.programme = " ".join(str(name).split())[:PROGRAMME_LENGTH]


class ContractRevision(Base):
    """The contract as it stood from one amendment to the next; revision 1 is what was signed first."""

    __tablename__ = "contract_revision"
    __table_args__ = (UniqueConstraint("contract_id", "revision"),)

    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    revision: Mapped[int]
    amendment_id: Mapped[int | None] = mapped_column(ForeignKey("amendment.id"))
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    hash: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(default=utc_now)


class Amendment(Base):
    """``active_key`` is the contract's id while it is under way: one at a time (domain.md §6.3).

    ``changes``: list of {field, old, new, clause}; ``schedule`` the new one, where there is one.
    """

    __tablename__ = "amendment"
    __table_args__ = (UniqueConstraint("contract_id", "number"), UniqueConstraint("active_key"))

    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(default="draft")
    active_key: Mapped[int | None]
    dated: Mapped[date]
    effective_on: Mapped[date]
    ground: Mapped[str] = mapped_column(Text)
    changes: Mapped[list[Any]] = mapped_column(default=list)
    schedule: Mapped[list[Any]] = mapped_column(default=list)
    text_hash: Mapped[str] = mapped_column(default="")
    sent_on: Mapped[date | None]
    signature: Mapped[str | None]
    signed_at: Mapped[datetime | None]
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Termination(Base):
    """``active_key`` is the contract's id while it is under way. Sums in kopecks; ``expenses``: list of
    {name, sum, document}; ``figures`` the calculation as it was agreed (services.money.refunds)."""

    __tablename__ = "termination"
    __table_args__ = (UniqueConstraint("active_key"), Index(None, "contract_id"), Index(None, "state", "id"))

    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    state: Mapped[str] = mapped_column(default="received")
    active_key: Mapped[int | None]
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    ground: Mapped[str]
    initiator: Mapped[str] = mapped_column(default="client")  # client · school · court
    paper: Mapped[str] = mapped_column(default="agreement")  # agreement · notice
    received_on: Mapped[date]
    effective_on: Mapped[date | None]
    answer_due: Mapped[date | None]
    facts: Mapped[str] = mapped_column(Text, default="")
    expenses: Mapped[list[Any]] = mapped_column(default=list)
    delivered: Mapped[int] = mapped_column(BigInteger, default=0)
    refund: Mapped[int] = mapped_column(BigInteger, default=0)
    refund_due: Mapped[date | None]
    no_refund_ground: Mapped[str] = mapped_column(Text, default="")
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    proof: Mapped[dict[str, Any]] = mapped_column(default=dict)
    text_hash: Mapped[str] = mapped_column(default="")
    author_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Approval(Base):
    """Somebody was asked to agree to a text with this ``hash``; ``decision``: agreed · returned · None.

    ``voided_at``: the text was changed since, and the decision counts no more.
    """

    __tablename__ = "approval"
    __table_args__ = (Index(None, "subject", "subject_id"),)

    subject: Mapped[str]  # contract · amendment · termination · template
    subject_id: Mapped[int]
    hash: Mapped[str]
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    asked_at: Mapped[datetime] = mapped_column(default=utc_now)
    decision: Mapped[str | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    remark: Mapped[str] = mapped_column(Text, default="")
    voided_at: Mapped[datetime | None]


class Decision(Base):
    """``kind``: refusal · refund · termination · discount · claim_answer. Never changed (clauses 8.4.2, 8.4.3).

    ``figures`` are the sums and dates as they stood when it was taken.
    """

    __tablename__ = "decision"
    __table_args__ = (Index(None, "contract_id"), Index(None, "kind", "id"), Index(None, "form_key", unique=True))

    kind: Mapped[str]
    contract_id: Mapped[int | None] = mapped_column(ForeignKey("contract.id"))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    ground: Mapped[str] = mapped_column(Text)
    norm: Mapped[str] = mapped_column(default="")
    outcome: Mapped[str] = mapped_column(Text)
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    form_key: Mapped[str | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime] = mapped_column(default=utc_now)


class LegalRef(Base):
    """A norm that templates cite, with the days it is in force; ``requires`` the items a contract must hold by it.

    ``confirmed_at``: the head has checked what cites it after ``valid_to``.
    """

    __tablename__ = "legal_ref"

    code: Mapped[str] = mapped_column(unique=True)
    act: Mapped[str]
    title: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    requires: Mapped[list[Any]] = mapped_column(default=list)
    note: Mapped[str] = mapped_column(Text, default="")
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    confirmed_at: Mapped[datetime | None]
