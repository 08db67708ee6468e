"""A sale on its way, from the first wish to buy until the student is admitted."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class Deal(Base):
    """``state`` is a word of services.crm.deals.STAGES or OTHERS; ``amount`` in kopecks. ``origin`` is the platform
    of the case that it came from, or «other». ``task_id`` is the next step as an open task; a postponed one comes
    back on ``resume_on``.
    """

    __tablename__ = "deal"
    __table_args__ = (
        Index(None, "state", "moved_at", "id"),
        Index(None, "client_id", "id"),
        Index(None, "contract_id"),
        Index(None, "case_id"),
        Index(None, "product"),
    )

    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    contract_id: Mapped[int | None] = mapped_column(ForeignKey("contract.id"))
    task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    origin: Mapped[str] = mapped_column(default="other")
    product: Mapped[str] = mapped_column(default="")
    amount: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(default="lead")
    resume_on: Mapped[date | None]
    loss_reason: Mapped[str | None]
    loss_note: Mapped[str] = mapped_column(Text, default="")
    form_key: Mapped[str | None] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(default=1)
    moved_at: Mapped[datetime] = mapped_column(default=utc_now)
    closed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class DealMove(Base):
    """A change of stage; the first one has no ``before``."""

    __tablename__ = "deal_move"
    __table_args__ = (Index(None, "deal_id", "id"), Index(None, "after", "at"))

    deal_id: Mapped[int] = mapped_column(ForeignKey("deal.id"))
    before: Mapped[str | None]
    after: Mapped[str]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime] = mapped_column(default=utc_now)
