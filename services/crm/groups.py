"""Where an author studies now, and who of us leads that group (day.md §3)."""

from sqlalchemy.orm import Session

from models import Study, utc_now
from services.crm.clients import fold_name
from services.crm.identities import client_of_author
from services.crm.segments import is_over, studies_of


def groups_of(session: Session, author_id: int | None) -> list[Study]:
    """What runs of the card that the author is linked to; empty for somebody unknown."""
    client = client_of_author(session, author_id)
    if client is None or client.state != "live":
        return []
    today = utc_now().date()
    return [one for one in studies_of(session, client.id) if not is_over(one, today)]


def leaders_of(session: Session, author_id: int | None) -> set[str]:
    """Folded names of the curators of those groups."""
    return {fold_name(one.curator) for one in groups_of(session, author_id) if one.curator}
