"""Potential, active, regular, former: a client's segment by one rule over what they study and studied."""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Client, Study, utc_now
from models.database import Database
from services.crm.clients import get_client, touch
from services.errors import NotFound, Refused
from services.events import record
from services.rights import DESK, Actor, require

SEGMENTS = ("potential", "active", "regular", "former")
FORMER_AFTER = timedelta(days=365)
"""So long after the last course somebody counts as gone (domain.md §3.6)."""
PIECE = 500


def segment_of(studies: Sequence[Study], today: date) -> str:
    """No course: potential; the first one running: active; one finished, not long ago: regular; else former."""
    over = [one for one in studies if _end(one) is not None and (_end(one) or today) < today]
    if not studies:
        return "potential"
    if not over:
        return "active"
    running = len(over) < len(studies)
    last = max(end for one in over if (end := _end(one)) is not None)
    return "regular" if running or last >= today - FORMER_AFTER else "former"


def _end(study: Study) -> date | None:
    return study.ended_on or study.access_until


def is_over(study: Study, today: date) -> bool:
    """Whether it ended, or its access did."""
    end = study.ended_on or study.access_until
    return end is not None and end < today


def studies_of(session: Session, client_id: int) -> list[Study]:
    """What they study and studied, the newest first."""
    return list(session.scalars(select(Study).where(Study.client_id == client_id).order_by(Study.id.desc())))


def set_segment(session: Session, actor: Actor, client_id: int, segment: str | None) -> Client:
    """By hand, or None: by the rule again."""
    require(actor, "client.edit")
    client = get_client(session, actor, client_id, hold=True)
    if segment is not None and segment not in SEGMENTS:
        raise Refused("client.segment")
    client.segment_by = "rule" if segment is None else "hand"
    client.segment = segment or segment_of(studies_of(session, client.id), utc_now().date())
    touch(client)
    record(session, "client.segment", actor, client_id=client.id, code=client.segment)
    return client


def save_study(
    session: Session,
    actor: Actor,
    client_id: int,
    study_id: int | None = None,
    *,
    course: str,
    group_name: str = "",
    curator: str = "",
    started_on: date | None = None,
    access_until: date | None = None,
    ended_on: date | None = None,
) -> Study:
    """A course of the client's, new or changed; the segment follows."""
    require(actor, "client.edit")
    client = get_client(session, actor, client_id, hold=True)
    row = session.get(Study, study_id) if study_id is not None else Study(client_id=client.id)
    if row is None or row.client_id != client.id:
        raise NotFound("study.unknown", id=study_id)
    course = " ".join(course.split())[:200]
    if not course:
        raise Refused("study.course")
    row.course, row.group_name, row.curator = course, group_name.strip()[:100], curator.strip()[:100]
    row.started_on, row.access_until, row.ended_on = started_on, access_until, ended_on
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise Refused("study.there") from None
    follow_rule(session, client)
    touch(client)
    record(session, "client.study", actor, client_id=client.id, object_id=row.id)
    return row


def follow_rule(session: Session, client: Client) -> bool:
    """Brings the segment up to the rule, unless somebody set it by hand; True when it changed."""
    wanted = segment_of(studies_of(session, client.id), utc_now().date())
    if client.segment_by == "hand" or client.segment == wanted:
        return False
    client.segment = wanted
    record(session, "client.segment", DESK, client_id=client.id, code=wanted)
    return True


def run_segments(database: Database) -> int:
    """Walks those who study or studied, piece by piece: time alone changes a segment. Returns how many changed."""
    changed, last = 0, 0
    while True:
        with database.write.begin() as session:
            ids = select(Study.client_id).where(Study.client_id > last).distinct()
            found = list(session.scalars(ids.order_by(Study.client_id).limit(PIECE)))
            if not found:
                return changed
            query = select(Client).where(Client.id.in_(found), Client.state == "live").order_by(Client.id)
            changed += sum(follow_rule(session, client) for client in session.scalars(query.with_for_update()))
        last = found[-1]
