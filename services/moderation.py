"""What a moderator's press means after it: the way back, and one press on all that a case holds."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors.base import ActKind
from models import Act, Message
from services.cases import get_case
from services.errors import NotFound, Refused
from services.outbox import MASS, WAITING, cancel_act
from services.replies import moderate
from services.rights import Actor, require

BACK: Mapping[str, ActKind] = {
    "published": ActKind.PUBLISH,
    "held": ActKind.HIDE,
    "hidden": ActKind.HIDE,
    "spam": ActKind.SPAM,
}
"""State of a message on its platform → the act that brings it there."""
SETTING = frozenset(BACK.values())
"""Acts that only say how a message stands: each is taken back by another one of them."""


def moderate_back(session: Session, actor: Actor, act_id: int, was: str) -> Act:
    """Undo: what has not gone out is cancelled, what is done is followed by the act that makes it ``was`` again.

    Raises Refused(act.state) while nobody can tell whether it was done.
    """
    require(actor, "case.moderate")
    act = session.get(Act, act_id)
    if act is None or act.message_id is None or act.kind not in SETTING or was not in BACK:
        raise NotFound("act.unknown", id=act_id)
    if act.case_id is not None:
        get_case(session, actor, act.case_id, hold=True)
    if act.state in (*WAITING, "dead"):
        return cancel_act(session, actor, act_id)
    if act.accepted_at is None:
        raise Refused("act.state", state=act.state)
    return moderate(session, actor, act.message_id, BACK[was])


def moderate_case(session: Session, actor: Actor, case_id: int, kind: str) -> list[tuple[int, str]]:
    """One act on every message of a case that still stands there; gives (act, how its message stood before)."""
    require(actor, "case.moderate")
    if kind not in SETTING:
        raise Refused("bulk.act", act=kind)
    messages = session.execute(
        select(Message.id, Message.state)
        .where(Message.case_id == case_id, Message.direction == "in", Message.state != "deleted")
        .order_by(Message.id)
    ).all()
    if not messages:
        raise Refused("message.deleted")
    acts = []
    for message_id, was in messages:
        act = moderate(session, actor, message_id, ActKind(kind))
        act.priority = MASS
        acts.append((act.id, was))
    return acts
