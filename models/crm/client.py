"""The card of a client: who it is, how to reach them, who stands beside them, what they study."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now, where

# A search by the beginning of a word walks an index only in the order of bytes; on SQLite that is the only one.
Ordered = String().with_variant(String(collation="C"), "postgresql")


class Client(Base):
    """``kind``: person · organisation · entrepreneur. ``state``: live · archived · merged · erased.

    ``name`` is what people read: surname, first and middle name, or the organisation's short name; ``name_key`` is
    it folded, for the list in its order. ``segment``: potential · active · regular · former, see
    services.crm.segments; ``segment_by`` rule or hand. ``details`` holds what only an organisation or entrepreneur
    has (services.crm.clients.DETAILS). ``version`` counts changes: of two editors the second is told. ``hold``
    forbids erasure, ``blocked_at`` any use but keeping.
    """

    __tablename__ = "client"
    __table_args__ = (
        Index("ix_client_list", "state", "name_key", "id"),
        Index("ix_client_segment", "segment", "state", "name_key", "id"),
        Index("ix_client_owner", "owner_id", "state", "name_key", "id"),
        Index(None, "created_at"),
        Index(None, "merged_into_id"),
        Index(None, "inn"),
        Index(None, "import_id"),
    )

    kind: Mapped[str] = mapped_column(default="person")
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Ordered)
    last_name: Mapped[str] = mapped_column(default="")
    first_name: Mapped[str] = mapped_column(default="")
    middle_name: Mapped[str] = mapped_column(default="")
    gender: Mapped[str | None]  # f · m
    birth_date: Mapped[date | None]
    inn: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    note: Mapped[str] = mapped_column(Text, default="")
    segment: Mapped[str] = mapped_column(default="potential")
    segment_by: Mapped[str] = mapped_column(default="rule")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    origin: Mapped[str] = mapped_column(default="")  # where they came from: a word of the school's own
    time_zone: Mapped[str | None]
    preferred_channel: Mapped[str | None]
    flags: Mapped[list[Any]] = mapped_column(default=list)
    state: Mapped[str] = mapped_column(default="live")
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    import_id: Mapped[int | None]  # the import that made it
    external_id: Mapped[str | None] = mapped_column(unique=True)  # the number in the school's own system
    hold: Mapped[bool] = mapped_column(default=False)
    blocked_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class ClientWord(Base):
    """One word of a card's names, by whose beginning it is found."""

    __tablename__ = "client_word"
    __table_args__ = (UniqueConstraint("client_id", "word"), Index(None, "word", "client_id"))

    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    word: Mapped[str] = mapped_column(Ordered)


class Contact(Base):
    """``kind``: phone · mail · address · messenger; ``value`` as people read it, ``key`` as it is compared.

    ``live_key`` is «phone:+7…» or «mail:…» while card and contact live and None after, so that the database itself
    forbids the same contact on two living cards. ``tail`` is a phone's digits from the end, for a search by the
    last of them.
    """

    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("live_key"),
        Index(None, "client_id"),
        Index(None, "key"),
        Index(
            "ix_contact_tail",
            "tail",
            "client_id",
            **where("tail IS NOT NULL"),
        ),
    )

    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    kind: Mapped[str]
    value: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Ordered)
    live_key: Mapped[str | None]
    tail: Mapped[str | None] = mapped_column(Ordered)
    is_main: Mapped[bool] = mapped_column(default=False)
    verified_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ClientTie(Base):
    """``other_id`` is the ``role`` of ``client_id``: guardian · payer · employer · contact."""

    __tablename__ = "client_tie"
    __table_args__ = (UniqueConstraint("client_id", "other_id", "role"), Index(None, "other_id"))

    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    role: Mapped[str]
    relation: Mapped[str] = mapped_column(default="")  # mother, employer …
    basis: Mapped[str] = mapped_column(Text, default="")  # the document of authority
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Study(Base):
    """One course of a client as the first line of the card tells it."""

    __tablename__ = "study"
    __table_args__ = (UniqueConstraint("client_id", "course", "group_name"), Index(None, "course"))

    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    course: Mapped[str]
    group_name: Mapped[str] = mapped_column(default="")
    curator: Mapped[str] = mapped_column(default="")
    started_on: Mapped[date | None]
    access_until: Mapped[date | None]
    ended_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
