"""Who may do what: one table role × act → scope, and the actor whom services ask about."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from models import Staff, StaffRole, utc_now
from services.errors import Forbidden


class Scope(IntEnum):
    """How far a right reaches; the greater includes the lesser."""

    OWN = 1  # what the person wrote or was given
    DEPARTMENT = 2  # what was shared with the person's departments
    ALL = 3


ROLES = ("smm", "client_manager", "sales", "manager", "head", "director", "privacy", "administrator", "observer")
"""domain.md §1; «manager» answers for one department and is the only role bound to one."""

DESK_ROLES = ("smm", "client_manager", "sales")
"""Who works in the inbox."""

DERIVED = ("accounting",)
"""Not given but held by whoever answers for the department of that name: money is theirs to confirm."""

_DESK = {
    "case.view": Scope.ALL,
    "case.reply": Scope.ALL,
    "saved.edit": Scope.ALL,
    "case.note": Scope.ALL,
    "case.assign": Scope.ALL,
    "case.route": Scope.ALL,
    "case.close": Scope.ALL,
    "case.moderate": Scope.ALL,
    "message.label": Scope.ALL,
    "outbox.view": Scope.ALL,
    "source.view": Scope.ALL,
    "broadcast.view": Scope.ALL,
    "broadcast.watch": Scope.ALL,
    "broadcast.edit": Scope.ALL,
    "visit.view": Scope.ALL,
    "visit.note": Scope.ALL,
    "absence.view": Scope.ALL,
    "review.view": Scope.OWN,
    "inquiry.view": Scope.OWN,
    "inquiry.ask": Scope.OWN,
}

_CARDS = {
    "client.view": Scope.ALL,
    "client.edit": Scope.ALL,
    "client.contacts": Scope.ALL,
    "client.merge": Scope.ALL,
}
"""«client.view» is a card's first line and what everybody may know; without «client.contacts» phones and mail are
masked, without «client.sensitive» passports and the like; see services.crm."""

_DEALS = {"deal.view": Scope.ALL, "deal.edit": Scope.ALL}

_CONTRACTS = {"contract.view": Scope.ALL, "contract.edit": Scope.ALL}
"""Drafts, sending, signing; whose word each step needs stands in services.contracts.machines.

«demand.make»: a demand to whoever owes, accounting's alone (the head stands in where accounting has no login).
«claim.answer»: the word with which an answer to a claim goes out, the head's alone (domain.md §7.1).
"""

_PRIVACY = {"privacy.view": Scope.ALL, "privacy.act": Scope.ALL, "client.export": Scope.ALL}

RIGHTS: dict[str, dict[str, Scope]] = {
    "smm": {**_DESK, **_DEALS, "client.view": Scope.ALL, "client.edit": Scope.ALL},
    "client_manager": {
        **_DESK,
        **_CARDS,
        **_CONTRACTS,
        **_DEALS,
        "client.sensitive": Scope.ALL,
        "template.edit": Scope.ALL,
    },
    "sales": {**_DESK, **_CARDS, **_CONTRACTS, **_DEALS},
    "manager": {"route.view": Scope.DEPARTMENT, "route.answer": Scope.DEPARTMENT},
    "accounting": {
        "client.view": Scope.ALL,
        "contract.view": Scope.ALL,
        "contract.approve": Scope.ALL,
        "payment.edit": Scope.ALL,
        "demand.make": Scope.ALL,
    },
    "head": {
        **_DESK,
        **_CARDS,
        **_CONTRACTS,
        **_DEALS,
        "contract.approve": Scope.ALL,
        "payment.edit": Scope.ALL,
        "demand.make": Scope.ALL,
        "claim.answer": Scope.ALL,
        "template.edit": Scope.ALL,
        "template.approve": Scope.ALL,
        "decision.view": Scope.ALL,
        **_PRIVACY,
        "client.sensitive": Scope.ALL,
        "client.import": Scope.ALL,
        "client.export.allow": Scope.ALL,
        "reply.approve": Scope.ALL,
        "case.close_grave": Scope.ALL,
        "classifier.train": Scope.ALL,
        "fact.edit": Scope.ALL,
        "route.view": Scope.ALL,
        "route.answer": Scope.ALL,
        "inquiry.view": Scope.ALL,
        "inquiry.ask": Scope.ALL,
        "report.view": Scope.ALL,
        "report.sign": Scope.ALL,
        "review.view": Scope.ALL,
        "review.mark": Scope.ALL,
        "wish.edit": Scope.ALL,
        "data.export": Scope.ALL,
        "staff.view": Scope.ALL,
        "session.end": Scope.ALL,
        "duty.edit": Scope.ALL,
        "absence.edit": Scope.ALL,
        "absence.view": Scope.ALL,
        "journal.view": Scope.ALL,
        "visit.edit": Scope.ALL,
    },
    "director": {
        "absence.view": Scope.ALL,
        "case.view": Scope.ALL,
        "route.view": Scope.ALL,
        "inquiry.view": Scope.ALL,
        "report.view": Scope.ALL,
        "report.acquaint": Scope.ALL,
        "source.view": Scope.ALL,
        "broadcast.view": Scope.ALL,
        "visit.view": Scope.ALL,
        "client.view": Scope.ALL,
        "client.contacts": Scope.ALL,
        "contract.view": Scope.ALL,
        "deal.view": Scope.ALL,
        "decision.view": Scope.ALL,
        "privacy.view": Scope.ALL,
    },
    "privacy": {
        "report.view": Scope.ALL,
        "client.view": Scope.ALL,
        "client.contacts": Scope.ALL,
        "client.sensitive": Scope.ALL,
        **_PRIVACY,
    },
    "administrator": {
        "source.view": Scope.ALL,
        "source.edit": Scope.ALL,
        "visit.view": Scope.ALL,
        "visit.edit": Scope.ALL,
        "staff.view": Scope.ALL,
        "staff.edit": Scope.ALL,
        "session.end": Scope.ALL,
        "duty.edit": Scope.ALL,
        "absence.edit": Scope.ALL,
        "absence.view": Scope.ALL,
        "journal.view": Scope.ALL,
        "settings.edit": Scope.ALL,
        "health.view": Scope.ALL,
    },
    "observer": {"report.view": Scope.ALL},
}
"""Deny by default: an act that a role's row does not name is refused."""

ACTS = frozenset(act for row in RIGHTS.values() for act in row)


@dataclass(frozen=True, slots=True)
class Actor:
    """The person, or the desk itself, on whose behalf a service acts.

    ``only`` narrows what the person may do to these acts, where a key of theirs (``key_id``) asks.
    """

    staff_id: int | None
    name: str = ""
    roles: frozenset[str] = frozenset()
    departments: frozenset[int] = frozenset()
    is_desk: bool = False
    only: frozenset[str] | None = None
    key_id: int | None = None

    def scope(self, act: str) -> Scope | None:
        """The widest scope in which the actor may do ``act``; None when not at all."""
        if act not in ACTS:
            raise KeyError(act)
        if self.is_desk:
            return Scope.ALL
        if self.only is not None and act not in self.only:
            return None
        return max((RIGHTS[role][act] for role in self.roles if act in RIGHTS[role]), default=None)

    def may(self, act: str) -> bool:
        return self.scope(act) is not None


DESK = Actor(None, "Отклик", is_desk=True)
"""The desk itself: jobs act in its name."""


def holds(row: StaffRole, now: datetime | None = None) -> bool:
    """Whether a role is held at this moment: one that is lent has its days."""
    if row.starts_at is None or row.ends_at is None:
        return True
    return row.starts_at <= (now or utc_now()) < row.ends_at


def actor_of(staff: Staff, now: datetime | None = None) -> Actor:
    """The actor for a person as the tables have them now; an inactive person has no roles."""
    if not staff.active:
        return Actor(staff.id, staff.name)
    rows = [row for row in staff.roles if holds(row, now)]
    units = {row.department.code for row in rows if row.role == "manager" and row.department is not None}
    return Actor(
        staff.id,
        staff.name,
        frozenset({row.role for row in rows if row.role in ROLES} | (units & set(DERIVED))),
        frozenset(row.department_id for row in rows if row.department_id is not None),
    )


def require(actor: Actor, act: str) -> Scope:
    """The scope in which ``actor`` may do ``act``; raises Forbidden otherwise."""
    scope = actor.scope(act)
    if scope is None:
        raise Forbidden("forbidden", act=act)
    return scope
