"""The register of wishes: one wish however many asked, what was decided, and one answer to all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Bulk, Case, CaseFact, Message, Wish, WishCase, utc_now
from services.bulks import begin_bulk
from services.errors import NotFound, Refused
from services.events import record
from services.questions import without_contacts
from services.rights import Actor, require

STATES = ("new", "accepted", "declined", "done")
LONGEST_TITLE, QUOTED = 120, 200
MOST_LOOSE = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish with how many asked for it, how many of them were begun to be told, and the first words of one."""

    wish: Wish
    count: int
    told: int
    last_at: datetime | None
    example: str


@dataclass(frozen=True, slots=True)
class Loose:
    """A case of the kind «wish» that stands under none yet."""

    case: Case
    text: str


def wishes(session: Session, actor: Actor) -> list[Asked]:
    """All of the register, the most asked first."""
    require(actor, "report.view")
    query = (
        select(
            Wish, func.count(WishCase.id), func.count(WishCase.told_at), func.max(CaseFact.opened_at),
            func.min(WishCase.case_id),
        )
        .outerjoin(WishCase, WishCase.wish_id == Wish.id).outerjoin(CaseFact, CaseFact.id == WishCase.case_id)
        .group_by(Wish.id).order_by(func.count(WishCase.id).desc(), Wish.id)
    )  # fmt: skip
    rows = session.execute(query).all()
    texts = _texts(session, [row[4] for row in rows if row[4] is not None])
    return [Asked(row[0], row[1], row[2], row[3], texts.get(row[4], "")) for row in rows]


def loose(session: Session, actor: Actor) -> list[Loose]:
    """Wishes that nobody has put under a title yet, the newest first."""
    require(actor, "report.view")
    query = (
        select(Case).join(CaseFact, CaseFact.id == Case.id).outerjoin(WishCase, WishCase.case_id == Case.id)
        .where(CaseFact.counts, CaseFact.kind == "wish", WishCase.id.is_(None))
        .order_by(CaseFact.opened_at.desc(), Case.id.desc()).limit(MOST_LOOSE)
    )  # fmt: skip
    cases = list(session.scalars(query))
    texts = _texts(session, [case.id for case in cases])
    return [Loose(case, texts.get(case.id, "")) for case in cases]


def _texts(session: Session, case_ids: Sequence[int]) -> dict[int, str]:
    """case → its first words without contacts."""
    query = select(Case.id, Message.text).join(Message, Message.id == Case.first_message_id)
    rows = session.execute(query.where(Case.id.in_(case_ids)))
    return {row[0]: " ".join(without_contacts(row[1]).split())[:QUOTED] for row in rows}


def get_wish(session: Session, actor: Actor, wish_id: int) -> Wish:
    require(actor, "report.view")
    row = session.get(Wish, wish_id, with_for_update=actor.may("wish.edit"))
    if row is None:
        raise NotFound("wish.unknown", id=wish_id)
    return row


def put_under(session: Session, actor: Actor, case_id: int, wish_id: int | None, title: str = "") -> Wish:
    """The case asks for this wish, or for a new one of that title; a case stands under one."""
    require(actor, "wish.edit")
    if session.get(Case, case_id) is None:
        raise NotFound("case.unknown", id=case_id)
    title = " ".join(title.split())[:LONGEST_TITLE]
    if wish_id is None and not title:
        raise Refused("name.empty")
    wish = (
        get_wish(session, actor, wish_id) if wish_id is not None else Wish(title=title, created_by=actor.staff_id)
    )
    session.add(wish)
    session.flush()
    row = session.scalar(select(WishCase).where(WishCase.case_id == case_id))
    if row is None:
        row = WishCase(case_id=case_id)
        session.add(row)
    row.wish_id = wish.id
    session.flush()
    record(session, "wish.asked", actor, case_id=case_id, object_id=wish.id)
    return wish


def decide_wish(session: Session, actor: Actor, wish_id: int, state: str, answer: str) -> Wish:
    """accepted · declined · done, with what all who asked may be told; «new» takes a decision back."""
    require(actor, "wish.edit")
    if state not in STATES:
        raise Refused("wish.state")
    wish = get_wish(session, actor, wish_id)
    wish.state, wish.answer = state, answer.strip()
    wish.decided_by, wish.decided_at = (actor.staff_id, utc_now()) if state != "new" else (None, None)
    record(session, "wish.decided", actor, object_id=wish.id, code=state)
    return wish


def tell_all(session: Session, actor: Actor, wish_id: int) -> Bulk:
    """Begins the answer to everyone who asked and was not told yet, each in their own case; raises Refused where
    nothing is decided or nobody is left."""
    require(actor, "wish.edit")
    wish = get_wish(session, actor, wish_id)
    query = select(WishCase).where(WishCase.wish_id == wish_id, WishCase.told_at.is_(None)).order_by(WishCase.id)
    rows = list(session.scalars(query.with_for_update()))
    if wish.state == "new" or not wish.answer:
        raise Refused("wish.answer")
    if not rows:
        raise Refused("wish.told")
    for row in rows:
        row.told_at = utc_now()
    record(session, "wish.told", actor, object_id=wish.id, count=len(rows))
    return begin_bulk(session, actor, "answer", {"text": wish.answer}, [row.case_id for row in rows])
