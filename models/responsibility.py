"""«Кто за что отвечает»: who leads what comes on a place about a theme, and whom of which department it asks."""

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Responsibility(Base):
    """One cell. ``place``: the source's id, 0 for any; ``theme``: a name of the classifier's, empty for
    any. ``staff_id`` leads the case; ``department_id`` is asked, and of it ``asked_id``.
    """

    __tablename__ = "responsibility"
    __table_args__ = (UniqueConstraint("place", "theme"),)

    place: Mapped[int] = mapped_column(default=0)
    theme: Mapped[str] = mapped_column(default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    asked_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
