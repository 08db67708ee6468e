"""What people of the desk write to its bot: a link pressed, a reply to a question, and what is neither.

Whoever writes is believed by the account that a one-time link made theirs, the dialogue in which they pressed it,
and the rights they hold now. Nothing of it becomes a message of the inbox.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from collectors.base import Attachment, Channel, ChannelError, Incoming, SourceState, Visibility
from models import Delivery, Message, MessengerAccount, Staff, utc_now
from models.database import Database
from services.answers import answered_alone, lay_files, refuse, take_answer, told_taken
from services.bots import MESSENGERS
from services.columns import among
from services.deliveries import key_of, queue_letter
from services.letters import words
from services.messengers import WORD, bind
from services.route_files import MOST_BYTES, MOST_FILES, FileIn, is_taken

log = structlog.get_logger()
SLACK = timedelta(minutes=5)
"""A platform's clock may be behind ours: what it dates a little before the binding was written after it."""
HINT_EVERY = timedelta(minutes=10)
"""Five lines in a row are told once that they reach nobody."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One thing in the dialogue with the bot of ``source_id``."""

    source_id: int
    platform: str
    item: Incoming


def take_dialogues(session: Session, source_id: int, platform: str, incoming: Sequence[Incoming]) -> list[Incoming]:
    """What is left for the inbox: what the desk's own people write to its bot goes to the questions instead."""
    if platform not in MESSENGERS:
        return list(incoming)
    ours = _ours(session, source_id, incoming)
    return [item for item in incoming if not _take(session, Talk(source_id, platform, item), ours)]


def _ours(session: Session, source_id: int, items: Sequence[Incoming]) -> set[str]:
    """Of the chats of these items those that are or were somebody's own dialogue: few of a crowd of clients."""
    chats = {item.container for item in items}
    bound = (MessengerAccount.source_id == source_id, among(session, MessengerAccount.chat, chats))
    return set(session.scalars(select(MessengerAccount.chat).where(*bound)))


def run_fetch(database: Database, channel: Channel, source_id: int, items: Sequence[Incoming]) -> list[Incoming]:
    """The same with the content of files that come with replies of our own people; outside any transaction, for it
    asks the platform. A file that cannot be had stays without content."""
    wanted = [item for item in items if _may_carry(item)]
    if not channel.can.bot or not wanted:
        return list(items)
    with database.read.begin() as session:
        talks = [Talk(source_id, channel.kind, item) for item in wanted]
        ours = [talk.item for talk in talks if _account_at(session, talk) and not _is_done(session, talk)]
    return [_with_files(channel, item) if item in ours else item for item in items]


def _may_carry(item: Incoming) -> bool:
    return item.visibility is Visibility.PRIVATE and bool(item.attachments) and item.parent_external_id is not None


def _with_files(channel: Channel, item: Incoming) -> Incoming:
    found: list[Attachment] = []
    for file in item.attachments[:MOST_FILES]:
        try:
            found.append(replace(file, content=channel.fetch(file, MOST_BYTES)))
        except ChannelError as error:
            log.warning("answer.file", code=error.code)
            found.append(file)
    return replace(item, attachments=(*found, *item.attachments[MOST_FILES:]))


def _take(session: Session, talk: Talk, ours: set[str]) -> bool:
    item = talk.item
    if item.state is SourceState.DELETED and item.author is None:
        return _is_removal_of_ours(session, talk)
    if item.visibility is not Visibility.PRIVATE:
        return False
    if item.start is not None and item.start.startswith(WORD):
        _start(session, talk)
        ours.add(item.container)
        return True
    if item.start is not None and not item.text:
        return True  # a press on somebody's link, which says nothing
    if _is_our_word(session, talk):
        return True
    account = _account_at(session, talk) if item.container in ours else None
    if account is None or _is_stored(session, talk):
        return False
    wrote = item.author is not None and item.author.external_id == account.account
    if wrote and item.state is SourceState.PUBLISHED and account.ended_at is None and not _is_done(session, talk):
        _answer(session, talk, session.get_one(Staff, account.staff_id))
    return True  # what the bot itself wrote, what was taken back, what came after the end


def _is_removal_of_ours(session: Session, talk: Talk) -> bool:
    """A platform that tells no more than «this is gone», not even whether the chat is a private one."""
    theirs = select(MessengerAccount.id).where(
        MessengerAccount.source_id == talk.source_id, MessengerAccount.chat == talk.item.container
    )
    return session.scalar(theirs.limit(1)) is not None and not _is_stored(session, talk)


def _start(session: Session, talk: Talk) -> None:
    item = talk.item
    if item.author is not None and not item.automatic:
        bind(
            session, talk.source_id, talk.platform, (item.start or "").removeprefix(WORD),
            account=item.author.external_id, chat=item.container, name=item.author.name,
        )  # fmt: skip


def _account_at(session: Session, talk: Talk) -> MessengerAccount | None:
    """Whose dialogue with the bot it was when this was written."""
    at = talk.item.published_at
    query = select(MessengerAccount).where(
        MessengerAccount.source_id == talk.source_id,
        MessengerAccount.chat == talk.item.container,
        MessengerAccount.created_at <= at + SLACK,
        or_(MessengerAccount.ended_at.is_(None), MessengerAccount.ended_at >= at),
    )
    return session.scalar(query.order_by(MessengerAccount.id.desc()).limit(1))


def _is_our_word(session: Session, talk: Talk) -> bool:
    """What the bot told one of us, read back where a platform lists its own."""
    if talk.item.author is None or not talk.item.author.is_us:
        return False
    # Ids are counted in each dialogue apart: the same one may stand in a channel's private messages.
    theirs = select(MessengerAccount.staff_id).where(
        MessengerAccount.source_id == talk.source_id, MessengerAccount.chat == talk.item.container
    )
    told = select(Delivery).where(
        Delivery.source_id == talk.source_id, Delivery.external_id == talk.item.external_id
    )
    people = set(session.scalars(theirs))
    return any(
        row.staff_id in people or row.data.get("chat") == talk.item.container for row in session.scalars(told)
    )


def _is_stored(session: Session, talk: Talk) -> bool:
    """It was an ordinary message before the dialogue became ours: its edits and its end go on being so."""
    item = talk.item
    query = select(Message.id).where(
        Message.source_id == talk.source_id,
        Message.container == item.container,
        Message.external_id == item.external_id,
    )
    return session.scalar(query) is not None


def _key_of(talk: Talk) -> str:
    name = f"{talk.source_id} {talk.item.container} {talk.item.external_id}"
    return "b-" + hashlib.sha256(name.encode()).hexdigest()[:32]


def _is_done(session: Session, talk: Talk) -> bool:
    """An update comes more than once, and an edit under the same id: the first is the answer."""
    key = _key_of(talk)
    query = select(Delivery.id).where(
        Delivery.form_key.in_([key_of(key, talk.platform), key_of(f"{key}-x", talk.platform)])
    )
    return session.scalar(query.limit(1)) is not None


def _answer(session: Session, talk: Talk, staff: Staff) -> None:
    item, key = talk.item, _key_of(talk)
    if not staff.active:
        return
    delivery = _replied_to(session, talk, staff)
    if delivery is None or not delivery.data.get("routes"):
        _hint(session, talk, staff)
        return
    sent = [FileIn(one.name, one.content) for one in item.attachments if one.content]
    files = [one for one in sent if is_taken(one)]
    lost = len(item.attachments) - len(files)
    text = item.text.strip()
    if text or not files:
        if not text and lost:
            refuse(session, delivery, staff, key, "empty", None)
            return
        take_answer(session, delivery, staff, text, files, key, lost)
        return
    route = answered_alone(session, delivery, staff)
    if route is not None and "album" in item.context:  # its first photo was told of
        lay_files(session, staff, route.id, files)
        return
    if route is not None:
        told_taken(session, delivery, staff, [route.id], files, key, lost)
        return
    said = words().get(staff.locale, words()["ru"])["file_only"]
    take_answer(session, delivery, staff, said, files, key, lost)


def _replied_to(session: Session, talk: Talk, staff: Staff) -> Delivery | None:
    """What the bot wrote to this very person and this answers."""
    if talk.item.parent_external_id is None:
        return None
    query = select(Delivery).where(
        Delivery.source_id == talk.source_id,
        Delivery.external_id == talk.item.parent_external_id,
        Delivery.staff_id == staff.id,
    )
    return session.scalar(query.order_by(Delivery.id.desc()).limit(1))


def _hint(session: Session, talk: Talk, staff: Staff) -> None:
    lately = select(Delivery.id).where(
        Delivery.staff_id == staff.id, Delivery.kind == "hint", Delivery.channel == talk.platform,
        Delivery.created_at > utc_now() - HINT_EVERY,
    )  # fmt: skip
    if session.scalar(lately.limit(1)) is None:
        queue_letter(session, staff.id, "hint", _key_of(talk), {}, channel=talk.platform)
