"""What versions keep of people and of who is away; read by whatever changes them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Absence, Staff, StaffRole, utc_now

STAFF = "staff"
ABSENCES = "absences"
_A_DAY = timedelta(days=1)


def staff_rows(session: Session) -> list[dict[str, Any]]:
    """Everybody: «roles» are pairs of a role and its department, those that are only lent left out."""
    return [
        {
            "id": one.id, "name": one.name, "active": one.active, "trainee": one.trainee,
            "roles": sorted([row.role, row.department_id] for row in one.roles if row.absence_id is None),
            "deputy_id": one.deputy_id, "hours": dict(one.hours),
        }
        for one in session.scalars(select(Staff).order_by(Staff.id))
    ]  # fmt: skip


def absence_rows(session: Session) -> list[dict[str, Any]]:
    """Absences that are on or to come; what is over stays as it was whatever is brought back."""
    yesterday = utc_now().date() - _A_DAY
    rows = session.scalars(select(Absence).where(Absence.to_day >= yesterday).order_by(Absence.id)).all()
    lent: dict[int, list[str]] = {}
    query = select(StaffRole).where(StaffRole.absence_id.in_([row.id for row in rows]))
    for role in session.scalars(query):
        lent.setdefault(role.absence_id or 0, []).append(role.role)
    return [
        {
            "id": row.id, "staff_id": row.staff_id, "from_day": row.from_day.isoformat(),
            "to_day": row.to_day.isoformat(), "reason": row.reason, "deputy_id": row.deputy_id,
            "hand_over": row.hand_over, "roles": sorted(lent.get(row.id, ())),
        }
        for row in rows
    ]  # fmt: skip
