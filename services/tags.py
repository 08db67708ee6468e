"""Marks that people put on cases by hand, for lists of their own making."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import CaseTag, Tag, utc_now
from models.base import storable
from services.cases import get_case, give_numbers
from services.errors import Refused
from services.events import record
from services.leases import insert_missing
from services.rights import Actor, require

LONGEST, MOST, MOST_OF_A_CASE = 40, 500, 10


def tags(session: Session, actor: Actor) -> list[Tag]:
    """All that some case bears, by name."""
    require(actor, "case.view")
    worn = select(CaseTag.id).where(CaseTag.tag_id == Tag.id).exists()
    return list(session.scalars(select(Tag).where(worn).order_by(Tag.key)))


def tags_of(session: Session, case_ids: Sequence[int]) -> dict[int, list[Tag]]:
    """Case → its marks by name; cases without any are left out."""
    rows = session.execute(
        select(CaseTag.case_id, Tag)
        .join(Tag, Tag.id == CaseTag.tag_id)
        .where(CaseTag.case_id.in_(case_ids))
        .order_by(Tag.key)
    )
    found: dict[int, list[Tag]] = {}
    for case_id, tag in rows:
        found.setdefault(case_id, []).append(tag)
    return found


def put_tag(session: Session, actor: Actor, case_id: int, name: str) -> Tag:
    """Marks a case; a name that nobody has used makes a new mark. The same twice is one."""
    require(actor, "case.note")
    name = " ".join(storable(name).lstrip("# ").split())[:LONGEST].strip()
    if not name:
        raise Refused("name.empty")
    case = get_case(session, actor, case_id, hold=True)
    key = name.casefold().replace("ё", "е")
    tag = session.scalar(select(Tag).where(Tag.key == key))
    if tag is None:
        if (session.scalar(select(func.count()).select_from(Tag)) or 0) >= MOST:
            raise Refused("tag.many", most=MOST)
        insert_missing(session, Tag, [{"name": name, "key": key, "created_at": utc_now()}], "key")
        tag = session.scalars(select(Tag).where(Tag.key == key)).one()
    worn = list(session.scalars(select(CaseTag.tag_id).where(CaseTag.case_id == case.id)))
    if tag.id in worn:
        return tag
    if len(worn) >= MOST_OF_A_CASE:
        raise Refused("tag.many", most=MOST_OF_A_CASE)
    give_numbers(session, [case], actor)
    session.add(CaseTag(case_id=case.id, tag_id=tag.id, staff_id=actor.staff_id))
    record(session, "case.tagged", actor, case_id=case.id, object_id=tag.id)
    return tag


def take_tag(session: Session, actor: Actor, case_id: int, tag_id: int) -> None:
    """Takes a mark off; one that no case bears any more is offered nowhere."""
    require(actor, "case.note")
    case = get_case(session, actor, case_id, hold=True)
    worn = session.scalar(select(CaseTag).where(CaseTag.case_id == case.id, CaseTag.tag_id == tag_id))
    if worn is None:
        return
    session.delete(worn)
    record(session, "case.untagged", actor, case_id=case.id, object_id=tag_id)
