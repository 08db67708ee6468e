"""Cases of a publication that is on air: while it lasts they have the terms of its chat (domain.md §6.6, LIVE)."""

from collections.abc import Sequence

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from models import Broadcast, BroadcastPlace, Case, Publication

ON_AIR = "on_air"
AFTER = "after"
"""What was asked on air and outlived it."""


def airtimes(session: Session, cases: Sequence[Case]) -> dict[int, str]:
    """Case id → ON_AIR or AFTER, for those that came while their publication was on air."""
    ids = [case.id for case in cases if case.publication_id is not None]
    if not ids:
        return {}
    rows = session.execute(
        select(Case.id, Broadcast.ended_at)
        .join(Publication, Publication.id == Case.publication_id)
        .join(
            BroadcastPlace,
            and_(
                BroadcastPlace.source_id == Publication.source_id,
                BroadcastPlace.publication == Publication.external_id,
            ),
        )
        .join(Broadcast, Broadcast.id == BroadcastPlace.broadcast_id)
        .where(
            Case.id.in_(ids), Broadcast.started_at <= Case.opened_at,
            Case.opened_at <= func.coalesce(Broadcast.ended_at, Case.opened_at),
        )
    )  # fmt: skip
    return {id_: ON_AIR if ended_at is None else AFTER for id_, ended_at in rows}
