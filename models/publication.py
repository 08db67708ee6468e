"""The post, video, article or dialogue that messages stand under."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text


class Publication(Base):
    __tablename__ = "publication"
    __table_args__ = (UniqueConstraint("source_id", "external_id"),)

    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    external_id: Mapped[str]
    kind: Mapped[str]
    title: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text, default="")
    url: Mapped[str | None] = mapped_column(Text)
    picture: Mapped[str | None] = mapped_column(Text)
    published_at: Mapped[datetime | None]
