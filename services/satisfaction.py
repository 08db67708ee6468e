"""One-tap satisfaction: the line under a private answer, the mark its link gives, and who hears of a low one."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors import channel_class
from models import Act, Message, Notice, Reply, Satisfaction, Setting, Source, Staff, utc_now
from models.base import storable
from models.database import Database
from services.absences import instead, quiet_until, stand_ins
from services.errors import NotFound, Refused
from services.events import record
from services.rights import DESK, Actor, actor_of, require
from services.settings.history import keep
from services.terms import policy_of

NAME = "satisfaction"
NOTICE = "mark.low"
MARKS = (1, 2, 3, 4, 5)
LOW = 2
"""A mark up to this is told to the head."""
CHANGEABLE = timedelta(days=7)
LONGEST_COMMENT = 1000
LONGEST_LINE = 160
TEXT = "Помогли ли мы? Оцените ответ:"
MAIL = "mail"
KINDS: Mapping[str, str] = {MAIL: "mail"}
"""Platform that carries the answer → the word of the setting; every other is a private message."""
MESSAGES = "messages"
ONE_TAP = frozenset({MAIL})
"""Where each mark has its link: a letter has room for five of them, a message would be all links."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Whether authors are asked, and how. ``address``: of the desk from outside; without one nobody is asked."""

    mail: bool = False
    messages: bool = False
    text: str = TEXT
    address: str | None = None

    def wants(self, platform: str) -> bool:
        """Whether an answer that goes by this platform bears the line."""
        return bool(self.address) and bool(getattr(self, KINDS.get(platform, MESSAGES)))


def asking_of(session: Session) -> Asking:
    """As the department has it; off by default."""
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    return Asking(**row.value) if row is not None else Asking()


def save_asking(
    session: Session, actor: Actor, *, mail: bool, messages: bool, text: str, address: str | None
) -> Asking:
    """Raises Refused where it is switched on without an address that opens from outside, and for no words."""
    require(actor, "settings.edit")
    text = " ".join(storable(text).split())
    if not text or len(text) > LONGEST_LINE:
        raise Refused("satisfaction.text", most=LONGEST_LINE)
    if (mail or messages) and not address:
        raise Refused("satisfaction.address")
    wanted = Asking(mail, messages, text, address.rstrip("/") if address else None)
    _keep(session, actor, wanted)
    return wanted


def run_address(database: Database, address: str | None) -> bool:
    """Follows web.public_url: links in later answers lead where the desk is reached now."""
    address = address.rstrip("/") if address else None
    with database.read.begin() as session:
        row = session.scalar(select(Setting.value).where(Setting.name == NAME))
    if row is None or row.get("address") == address:
        return False
    with database.write.begin() as session:
        _keep(session, DESK, replace(asking_of(session), address=address))
    return True


def _keep(session: Session, actor: Actor, wanted: Asking) -> None:
    keep(session, actor, NAME, {
        "mail": wanted.mail, "messages": wanted.messages, "text": wanted.text, "address": wanted.address
    })  # fmt: skip


def of_case(session: Session, case_id: int) -> Satisfaction | None:
    """What the author was asked, and said if they did."""
    return session.scalar(select(Satisfaction).where(Satisfaction.case_id == case_id))


def ask_under(session: Session, reply: Reply, message: Message, carrier: Source, room: int) -> None:
    """Writes the line under a private answer that ends its case, once a case; the caller holds the case.

    What is kept is what is sent: the line stands in the reply from the beginning. ``room``: the longest text that
    the place takes; where the line has no room in it, the answer goes without.
    """
    asking = asking_of(session)
    if message.visibility != "private" or not asking.wants(carrier.platform):
        return
    if reply.afterwards != "solved" or reply.promised_until is not None:
        return
    row = of_case(session, reply.case_id)
    if row is not None and not _is_void(session, row):
        return
    token = secrets.token_urlsafe(16)
    line = line_of(asking, carrier.platform, token)
    if channel_class(carrier.platform).can.length(reply.text + line) > room:
        return
    if row is None:
        row = Satisfaction(case_id=reply.case_id)
        session.add(row)
    row.reply_id, row.staff_id, row.line, row.token_hash = reply.id, reply.staff_id, line, hash_of(token)
    reply.text += line
    session.flush()
    record(session, "satisfaction.asked", DESK, case_id=reply.case_id, object_id=reply.id)


def line_of(asking: Asking, platform: str, token: str) -> str:
    """What stands under the text, the empty line above it included."""
    link = f"{asking.address}/o/{token}"
    if KINDS.get(platform, MESSAGES) not in ONE_TAP:
        return f"\n\n{asking.text} {link}"
    return "\n".join([f"\n\n{asking.text}", *(f"{mark}: {link}/{mark}" for mark in reversed(MARKS))])


def _is_void(session: Session, row: Satisfaction) -> bool:
    """The answer that asked was taken back before anybody could have read it."""
    state, tried = session.execute(
        select(Act.state, Act.first_attempt_at).where(Act.reply_id == row.reply_id)
    ).one()
    return row.mark is None and state == "cancelled" and tried is None


def without_line(session: Session, reply: Reply, text: str | None = None) -> str:
    """``text``, or that of the reply, as its writer wrote it: the line asks one author and nobody else."""
    text = reply.text if text is None else text
    line = session.scalar(select(Satisfaction.line).where(Satisfaction.reply_id == reply.id))
    if not line:
        return text
    if text.endswith(line):
        return text.removesuffix(line)
    for piece in line.strip().splitlines():
        text = text.replace(piece, "")
    return text.rstrip()


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def find_asked(session: Session, token: str, *, hold: bool = False) -> Satisfaction:
    """By the code of its link; raises NotFound for one that was never given out."""
    query = select(Satisfaction).where(Satisfaction.token_hash == hash_of(token))
    row = session.scalar(query.with_for_update().execution_options(populate_existing=True) if hold else query)
    if row is None:
        raise NotFound("satisfaction.unknown", id=0)
    return row


def is_open(row: Satisfaction, now: datetime | None = None) -> bool:
    """Whether the mark may still be given, or changed."""
    return row.marked_at is None or (now or utc_now()) <= row.marked_at + CHANGEABLE


def give_mark(
    session: Session, token: str, mark: int | None, comment: str = "", now: datetime | None = None
) -> Satisfaction:
    """The author's word by the link; a second one within CHANGEABLE stands for the first.

    Raises Refused for a mark that is none, and when it is too late to change it.
    """
    now = now or utc_now()
    row = find_asked(session, token, hold=True)
    if mark not in MARKS:
        raise Refused("satisfaction.mark")
    if not is_open(row, now):
        raise Refused("satisfaction.late", days=CHANGEABLE.days)
    before = row.mark
    row.mark, row.comment = mark, storable(comment).strip()[:LONGEST_COMMENT]
    row.marked_at, row.changed_at = row.marked_at or now, now
    kind = "satisfaction.marked" if before is None else "satisfaction.changed"
    record(session, kind, DESK, case_id=row.case_id, object_id=row.reply_id, mark=mark)
    if mark <= LOW and (before is None or before > LOW):
        _tell(session, row, now)
    return row


def _tell(session: Session, row: Satisfaction, now: datetime) -> None:
    """The head hears of it; one line a case."""
    staff = {one.id: one for one in session.scalars(select(Staff).where(Staff.active).order_by(Staff.id))}
    heads = [one.id for one in staff.values() if "head" in actor_of(one, now).roles]
    policy = policy_of(session)
    for staff_id in instead(stand_ins(session, now), heads):
        waits = select(Notice.id).where(
            Notice.staff_id == staff_id, Notice.kind == NOTICE, Notice.case_id == row.case_id,
            Notice.seen_at.is_(None),
        )  # fmt: skip
        if session.scalar(waits) is None:
            show_at = quiet_until(staff[staff_id], policy, now)
            session.add(
                Notice(staff_id=staff_id, kind=NOTICE, case_id=row.case_id, show_at=show_at, created_at=now)
            )
