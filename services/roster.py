"""The people of the desk as a version has them: names, roles, departments, deputies, hours, and the way back."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Department, Staff
from services.absences import set_schedule
from services.accounts import set_active
from services.errors import Refused
from services.people import edit_person
from services.rights import Actor, require
from services.settings.history import keeping
from services.settings.people import STAFF, staff_rows
from services.workload import holdings_of


def replace_staff(session: Session, actor: Actor, rows: Sequence[Mapping[str, Any]]) -> None:
    """People become what a version says of them, by the checks of today. Whoever was added since stays as they are;
    nobody who still has something to do is switched off by it. Passwords and logins are no part of a version."""
    require(actor, "staff.edit")
    with keeping(session, actor, STAFF, staff_rows):
        now = {row["id"]: row for row in staff_rows(session)}
        changed = [row for row in rows if row["id"] in now and row != now[row["id"]]]
        # First who comes back, then who changes, then who goes: so that somebody is left at every step.
        for row in sorted(changed, key=lambda row: (not row["active"], row["id"])):
            _put(session, actor, row, now[row["id"]])


def _put(session: Session, actor: Actor, row: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    staff = session.get_one(Staff, row["id"])
    if row["active"] and not now["active"]:
        set_active(session, actor, staff.id, True)
    if any(row[name] != now[name] for name in ("name", "roles", "trainee")):
        units = {unit.id: unit.code for unit in session.scalars(select(Department))}
        roles = [role for role, _unit in row["roles"]]
        unit = next((units.get(unit) for role, unit in row["roles"] if role == "manager"), None)
        edit_person(
            session, actor, staff.id, name=row["name"], roles=roles, department=unit, trainee=row["trainee"]
        )
    if any(row[name] != now[name] for name in ("hours", "deputy_id")):
        hours = row["hours"]
        set_schedule(
            session, actor, staff.id, days=hours.get("days", ()), begin=hours.get("from", ""),
            end=hours.get("to", ""), deputy_id=row["deputy_id"],
        )  # fmt: skip
    if now["active"] and not row["active"]:
        if not holdings_of(session, staff.id).is_empty:
            raise Refused("staff.holds", name=staff.name)
        set_active(session, actor, staff.id, False)
