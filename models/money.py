"""Money of contracts in whole kopecks: schedules, payments with what they paid, obligations, services rendered."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class Instalment(Base):
    """One line of a payment schedule; a schedule that an amendment replaced stays with its ``schedule`` number.

    ``current`` marks the lines of the schedule in force. ``stage`` is a word of services.money.receivables.STAGES.
    """

    __tablename__ = "instalment"
    __table_args__ = (
        UniqueConstraint("contract_id", "schedule", "no"),
        CheckConstraint("amount >= 0", "not_negative"),
        Index("ix_instalment_due", "current", "stage", "due_on", "id"),
    )

    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    schedule: Mapped[int] = mapped_column(default=1)
    no: Mapped[int]
    due_on: Mapped[date]
    amount: Mapped[int] = mapped_column(BigInteger)
    paid: Mapped[int] = mapped_column(BigInteger, default=0)
    current: Mapped[bool] = mapped_column(default=True)
    stage: Mapped[str] = mapped_column(default="ahead")
    promised_on: Mapped[date | None]
    reminded_on: Mapped[date | None]
    reminders: Mapped[int] = mapped_column(default=0)


class Payment(Base):
    """Money that came, or went back (``is_refund``); ``amount`` is positive. ``external_id`` as the payer's system
    or the order has it, so that an import cannot book it twice."""

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("external_id"),
        CheckConstraint("amount > 0", "positive"),
        Index(None, "contract_id", "paid_on"),
        Index(None, "paid_on"),
    )

    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    payer_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    paid_on: Mapped[date]
    amount: Mapped[int] = mapped_column(BigInteger)
    is_refund: Mapped[bool] = mapped_column(default=False)
    method: Mapped[str] = mapped_column(default="transfer")  # card · transfer · cash · operator · bank
    receipt: Mapped[str] = mapped_column(default="")
    external_id: Mapped[str | None]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Allocation(Base):
    """So much of a payment went to this line; what is on no line is the client's overpayment."""

    __tablename__ = "allocation"
    __table_args__ = (
        UniqueConstraint("payment_id", "instalment_id"),
        CheckConstraint("amount > 0", "positive"),
        Index(None, "instalment_id"),
    )

    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"))
    instalment_id: Mapped[int] = mapped_column(ForeignKey("instalment.id"))
    amount: Mapped[int] = mapped_column(BigInteger)


class Obligation(Base):
    """``side``: school · client. ``state``: waiting · done · late · done_late · lifted. ``key`` names what made it,
    so that it is made once."""

    __tablename__ = "obligation"
    __table_args__ = (
        UniqueConstraint("contract_id", "key"),
        Index("ix_obligation_due", "state", "due_on", "id"),
    )

    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    key: Mapped[str]
    side: Mapped[str]
    subject: Mapped[str] = mapped_column(Text)
    clause: Mapped[str] = mapped_column(default="")
    due_on: Mapped[date]
    state: Mapped[str] = mapped_column(default="waiting")
    done_on: Mapped[date | None]
    evidence: Mapped[str] = mapped_column(Text, default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class ServiceRecord(Base):
    """A line of the register of rendered services; locked once accounting has ``accepted_at``."""

    __tablename__ = "service_record"
    __table_args__ = (UniqueConstraint("contract_id", "period"), Index(None, "period", "id"))

    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    period: Mapped[str]  # YYYY-MM
    volume: Mapped[str] = mapped_column(default="")
    amount: Mapped[int] = mapped_column(BigInteger)
    accepted_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    accepted_at: Mapped[datetime | None]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
