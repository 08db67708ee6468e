"""How long what platforms gave is kept as it came: by days, longer while nobody could read it, bounded by size."""

from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import RawItem, utc_now
from models.database import Database
from services.events import record
from services.rights import DESK

PIECE = 500
EMPTY = b""


def kept_bytes(session: Session) -> int:
    """The bodies as they lie in the database, packed."""
    return int(session.scalar(select(func.sum(func.length(RawItem.body)))) or 0)


def run_trim(database: Database, *, days: int, quarantine_days: int, most_bytes: int) -> dict[str, int]:
    """Lets go of old bodies, piece by piece: of what was understood after ``days``, of what was not after
    ``quarantine_days``, and of the oldest understood ones above ``most_bytes``.

    Rows and digests stay: what a platform still shows is known again. Returns how many of each kind went.
    """
    now = utc_now()
    gone = {
        "old": _let_go(database, RawItem.state == "parsed", RawItem.received_at < now - timedelta(days=days)),
        "quarantined": _give_up(database, quarantine_days),
        "size": 0,
    }
    with database.read.begin() as session:
        above = kept_bytes(session) - most_bytes
    while above > 0:
        with database.write.begin() as session:
            rows = _oldest(session, RawItem.state == "parsed")
            above -= sum(size for _raw_id, size in rows)
            _empty(session, [raw_id for raw_id, _size in rows])
        if not rows:
            break
        gone["size"] += len(rows)
    return gone


def _let_go(database: Database, *which: object) -> int:
    count = 0
    while True:
        with database.write.begin() as session:
            rows = _oldest(session, *which)
            _empty(session, [raw_id for raw_id, _size in rows])
        if not rows:
            return count
        count += len(rows)


def _oldest(session: Session, *which: object) -> list[tuple[int, int]]:
    size = func.length(RawItem.body)
    query = select(RawItem.id, size).where(*which, size > 0)  # type: ignore[arg-type]
    return [(row[0], row[1]) for row in session.execute(query.order_by(RawItem.received_at).limit(PIECE))]


def _empty(session: Session, ids: list[int]) -> None:
    if ids:
        session.execute(update(RawItem).where(RawItem.id.in_(ids)).values(body=EMPTY))


def _give_up(database: Database, days: int) -> int:
    """What nobody could read for so long goes with its words; that it was there stays in the log."""
    count = 0
    while True:
        with database.write.begin() as session:
            before = utc_now() - timedelta(days=days)
            late = select(RawItem).where(RawItem.state == "quarantined", RawItem.received_at < before)
            rows = list(session.scalars(late.limit(PIECE)))
            for row in rows:
                row.body, row.state = EMPTY, "parsed"
                record(session, "raw.forgotten", DESK, object_id=row.id, source_id=row.source_id)
        if not rows:
            return count
        count += len(rows)
