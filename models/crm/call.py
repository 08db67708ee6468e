"""A telephone call: who with whom, how it ended, what came of it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class Call(Base):
    """``direction``: in · out. ``result``: answered · missed. ``outcome`` is a word of services.crm.calls.OUTCOMES,
    None until somebody has said what it was about. ``number`` is a phone as services.crm.contacts.phone_key gives
    it, empty when hidden. ``label`` is what the other side's telephone shows of our line, ``notice_given`` whether
    the recording was announced. ``message_id`` is the message that told of it, None when typed by hand.
    """

    __tablename__ = "call"
    __table_args__ = (
        Index(None, "client_id", "started_at"),
        Index(None, "number", "started_at"),
        Index(None, "started_at", "id"),
    )

    direction: Mapped[str]
    number: Mapped[str]
    line: Mapped[str] = mapped_column(default="")
    label: Mapped[str] = mapped_column(default="")
    started_at: Mapped[datetime]
    seconds: Mapped[int] = mapped_column(default=0)
    result: Mapped[str]
    topic: Mapped[str] = mapped_column(default="")
    outcome: Mapped[str | None]
    note: Mapped[str] = mapped_column(Text, default="")
    notice_given: Mapped[bool] = mapped_column(default=False)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
