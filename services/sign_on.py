"""Which account of the school's own provider is which person."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from collectors.sign_on import Account
from models import Staff, StaffIdentity, utc_now
from services.errors import NotFound, Refused
from services.events import record
from services.rights import DESK, Actor, require


def identities_of(session: Session, actor: Actor, staff_id: int) -> list[StaffIdentity]:
    """A person's accounts; one's own, or anybody's for whoever ends sessions."""
    if staff_id != actor.staff_id:
        require(actor, "session.end")
    query = select(StaffIdentity).where(StaffIdentity.staff_id == staff_id)
    return list(session.scalars(query.order_by(StaffIdentity.id)))


def link_account(session: Session, actor: Actor, account: Account) -> StaffIdentity:
    """Says that the account is the person who is logged in: the only way by which one becomes theirs.

    Raises Refused for an account that is somebody else's.
    """
    if actor.staff_id is None:
        raise NotFound("staff.unknown", id=None)
    known = _known(session, account)
    if known is None:
        row = StaffIdentity(
            staff_id=actor.staff_id, issuer=account.issuer, subject=account.subject, label=account.label
        )
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:
            known = _known(session, account)
        else:
            record(session, "sign_on.linked", actor, object_id=row.id, staff=actor.staff_id)
            return row
    if known is None or known.staff_id != actor.staff_id:
        raise Refused("sign_on.taken")
    return known


def unlink_account(session: Session, actor: Actor, identity_id: int) -> None:
    """From now on the account opens nothing; one's own, or anybody's for whoever ends sessions."""
    row = session.get(StaffIdentity, identity_id, with_for_update=True)
    if row is None or (row.staff_id != actor.staff_id and not actor.may("session.end")):
        raise NotFound("sign_on.unknown", id=identity_id)
    record(session, "sign_on.unlinked", actor, object_id=row.id, staff=row.staff_id)
    session.delete(row)


def person_of(session: Session, account: Account) -> Staff:
    """Who the account is; raises Refused for one that nobody has linked, whatever address it bears."""
    known = _known(session, account)
    staff = session.get(Staff, known.staff_id) if known is not None else None
    if known is None or staff is None or not staff.active:
        raise Refused("sign_on.nobody")
    known.used_at, known.label = utc_now(), account.label or known.label
    record(session, "sign_on.used", DESK, object_id=known.id, staff=staff.id)
    return staff


def _known(session: Session, account: Account) -> StaffIdentity | None:
    query = select(StaffIdentity).where(
        StaffIdentity.issuer == account.issuer, StaffIdentity.subject == account.subject
    )
    return session.scalar(query.with_for_update())
