"""An account of a messenger becomes somebody's: a one-time word in a link, and the end of what it began."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from models import MessengerAccount, Notice, OneTimeLink, Staff, utc_now
from services.bots import MESSENGERS, Bot, accounts_of, bots_of
from services.deliveries import queue_letter
from services.entrance import end_account, find_link, is_good, make_link, spend_link
from services.errors import NotFound, Refused
from services.events import record
from services.rights import DESK, Actor, actor_of, require
from services.ways import choices_of, drop_channel, move_choice

WORD = "desk_"
"""How the word of our links begins; what else opens a dialogue is none of ours."""
LASTS = timedelta(minutes=15)
"""A link that a person makes for themselves and presses at once."""
LASTS_HANDED = timedelta(days=1)
"""One that is handed over, like an invitation."""
MOVED = "messenger.moved"
SHOWN_FOR = timedelta(days=14)
"""So long «Сотрудники» shows that somebody's account is a new one."""


@dataclass(frozen=True, slots=True)
class Tie:
    """How a person stands with one messenger: who writes there, and the account, which may be another bot's."""

    platform: str
    bot: Bot | None
    account: MessengerAccount | None

    @property
    def works(self) -> bool:
        return self.bot is not None and self.account is not None and self.account.source_id == self.bot.source.id


def ties_of(session: Session, staff_id: int) -> tuple[Tie, ...]:
    """Every messenger that has a bot or an account of the person."""
    bots, accounts = bots_of(session), accounts_of(session, staff_id)
    ties = (Tie(platform, bots.get(platform), accounts.get(platform)) for platform in MESSENGERS)
    return tuple(tie for tie in ties if tie.bot is not None or tie.account is not None)


def start_link(session: Session, actor: Actor, staff_id: int, platform: str) -> str:
    """The address that makes the account of whoever presses it the person's: one's own, or handed over by whoever
    keeps the staff. Links made before for the same stop working. Raises Refused where nobody writes."""
    if staff_id != actor.staff_id:
        require(actor, "staff.edit")
    staff = session.get(Staff, staff_id)
    if staff is None or not staff.active:
        raise NotFound("staff.unknown", id=staff_id)
    bot = bots_of(session).get(platform)
    if bot is None or not bot.reads:
        raise Refused("bot.none", platform=platform)
    purpose, now = purpose_of(platform), utc_now()
    session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.staff_id == staff_id, OneTimeLink.purpose == purpose, OneTimeLink.used_at.is_(None))
        .values(used_at=now)
    )
    lasts = LASTS if staff_id == actor.staff_id else LASTS_HANDED
    code = make_link(session, staff_id, purpose, lasts=lasts)
    record(session, "messenger.link", actor, object_id=staff_id, platform=platform)
    return bot.start_address(WORD + code)


def purpose_of(platform: str) -> str:
    return f"bind.{platform}"


def bind(
    session: Session, source_id: int, platform: str, code: str, *, account: str, chat: str, name: str
) -> MessengerAccount | None:
    """Whoever pressed the link: their account is the person's from now on and an account before it is not.

    A press that is told twice is one. What does not work is said in the dialogue, unless the code is nobody's.
    """
    link = find_link(session, code)
    bot = bots_of(session).get(platform)
    if link is None or link.purpose != purpose_of(platform) or bot is None or bot.source.id != source_id:
        return None
    staff = session.get_one(Staff, link.staff_id, with_for_update=True)
    same = (MessengerAccount.platform == platform, MessengerAccount.account == account)
    owner = session.scalar(_live().where(*same))
    if owner is not None and owner.staff_id == staff.id and owner.source_id == source_id and owner.chat == chat:
        if is_good(link):
            spend_link(session, code, link.purpose)
        return owner
    if not is_good(link) or not staff.active:
        _refuse(session, link, platform, chat, "old")
        return None
    if owner is not None and owner.staff_id != staff.id:
        _refuse(session, link, platform, chat, "taken")
        return None
    spend_link(session, code, link.purpose)
    mine = _live().where(MessengerAccount.staff_id == staff.id, MessengerAccount.platform == platform)
    before = session.scalars(mine).all()
    for one in before:
        end_account(session, Actor(staff.id), one)
    others = _former_owners(session, staff.id, platform, account)
    session.flush()
    made = MessengerAccount(
        staff_id=staff.id, platform=platform, source_id=source_id, account=account, chat=chat, name=name[:200]
    )
    session.add(made)
    session.flush()
    record(session, "messenger.bound", Actor(staff.id), object_id=made.id, staff=staff.id, platform=platform)
    if not any(choices_of(staff).wants("question", one) for one in MESSENGERS):
        move_choice(staff, "question", "mail", platform)
    queue_letter(session, staff.id, "bound", f"bound-{made.id}", {}, channel=platform)
    if before:
        _tell_moved(session, made, staff.id, "changed")
    for owner_id in others:
        _tell_moved(session, made, owner_id, "left")
    if before or others:
        _tell_keepers(session, made)
    return made


def _former_owners(session: Session, staff_id: int, platform: str, account: str) -> list[int]:
    """Other people whose the account was before, while they are here."""
    query = (
        select(MessengerAccount.staff_id)
        .join(Staff, Staff.id == MessengerAccount.staff_id)
        .where(MessengerAccount.platform == platform, MessengerAccount.account == account, Staff.active)
        .where(MessengerAccount.staff_id != staff_id)
    )
    return sorted(set(session.scalars(query)))


def _tell_moved(session: Session, made: MessengerAccount, staff_id: int, code: str) -> None:
    """By mail, whatever the person has chosen: the messenger is what somebody else may have got hold of."""
    data = {"code": code, "platform": made.platform, "name": made.name, "staff": made.staff_id}
    queue_letter(session, staff_id, "moved", f"moved-{made.id}-{staff_id}", data)
    record(session, "messenger.moved", DESK, object_id=made.id, staff=staff_id, platform=made.platform, code=code)


def _tell_keepers(session: Session, made: MessengerAccount) -> None:
    """Whoever keeps the staff sees it behind the bell, besides the mark on «Сотрудники»."""
    for person in session.scalars(select(Staff).where(Staff.active).order_by(Staff.id)):
        if actor_of(person).may("staff.edit"):
            session.add(Notice(staff_id=person.id, kind=MOVED, source_id=made.source_id, created_at=utc_now()))


def moved_lately(session: Session) -> dict[int, datetime]:
    """Account → when it came in place of another one, or to another person; those of the last days."""
    former = aliased(MessengerAccount)
    same_person = (former.staff_id == MessengerAccount.staff_id) & (former.platform == MessengerAccount.platform)
    same_account = (former.account == MessengerAccount.account) & (former.platform == MessengerAccount.platform)
    earlier = exists().where(former.id < MessengerAccount.id, or_(
        same_account & (former.staff_id != MessengerAccount.staff_id),
        same_person & (former.account != MessengerAccount.account),
    ))  # fmt: skip
    query = _live().where(MessengerAccount.created_at > utc_now() - SHOWN_FOR, earlier)
    return {row.id: row.created_at for row in session.scalars(query)}


def _live() -> Select[MessengerAccount]:
    return select(MessengerAccount).where(MessengerAccount.ended_at.is_(None))


def _refuse(session: Session, link: OneTimeLink, platform: str, chat: str, code: str) -> None:
    key = f"stale-{link.id}-{chat}"
    queue_letter(session, link.staff_id, "stale", key, {"chat": chat, "code": code}, channel=platform)
    record(session, "messenger.refused", DESK, object_id=link.id, staff=link.staff_id, code=code)


def unbind(session: Session, actor: Actor, staff_id: int, platform: str) -> None:
    """The account is nobody's any more; one's own, or anybody's for whoever may end sessions."""
    if staff_id != actor.staff_id:
        require(actor, "session.end")
    account = accounts_of(session, staff_id).get(platform)
    if account is None:
        return
    end_account(session, actor, account)
    drop_channel(session.get_one(Staff, staff_id), platform)
