"""One act upon many cases: begun at once, done piece by piece, failures named one by one, taken back as a whole."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Act, Bulk, Case, Staff
from models.database import Database
from services.cases import assign, close, get_case, reopen_case
from services.errors import DeskError, NotFound, Refused
from services.events import record
from services.filters import Filters
from services.inbox import all_ids
from services.kinds import renew_kind
from services.leases import hold_cases
from services.moderation import moderate_back, moderate_case
from services.outbox import MASS
from services.parting import correct_kind
from services.replies import take_back, write_reply
from services.rights import Actor, actor_of, require
from services.routing import ask_department, recall_route
from services.saved_replies import fill_text
from services.tags import put_tag, tags_of, take_tag
from services.variations import vary

MOST = 5000
HELD_SECONDS = 60
PIECE = 20
"""Cases a transaction: a screen that writes meanwhile waits for one piece only."""

Before = dict[str, Any]


def _close(session: Session, actor: Actor, case: Case, value: Mapping[str, Any]) -> Before:
    close(session, actor, case.id, str(value.get("reason")))
    return {}


def _reopen(session: Session, actor: Actor, case: Case, _before: Mapping[str, Any]) -> Before:
    reopen_case(session, actor, case.id)
    return {}


def _assign(session: Session, actor: Actor, case: Case, value: Mapping[str, Any]) -> Before:
    before = {"staff_id": case.assignee_id}
    assign(session, actor, case.id, value.get("staff_id"))
    return before


def _label(session: Session, actor: Actor, case: Case, value: Mapping[str, Any]) -> Before:
    before = {"label": case.label if case.sure else None, "was": case.label, "sure": case.sure}
    if case.first_message_id is None:
        raise Refused("label.unknown")
    correct_kind(session, actor, case.id, case.first_message_id, str(value.get("label")))
    return before


def _unlabel(session: Session, actor: Actor, case: Case, before: Mapping[str, Any]) -> Before:
    """The former word stands again; what was uncertain is uncertain again."""
    if before.get("label") and case.first_message_id is not None:
        correct_kind(session, actor, case.id, case.first_message_id, str(before["label"]))
    else:
        case.label, case.sure = before.get("was"), bool(before.get("sure"))
        case.version += 1
        renew_kind(session, case)
    return {}


def _route(session: Session, actor: Actor, case: Case, value: Mapping[str, Any]) -> Before:
    key = f"bulk-{secrets.token_hex(8)}"
    route = ask_department(session, actor, case.id, int(value["department_id"]), str(value["question"]), key)
    return {"route_id": route.id}


def _recall(session: Session, actor: Actor, _case: Case, before: Mapping[str, Any]) -> Before:
    recall_route(session, actor, int(before["route_id"]))
    return {}


def _answer(session: Session, actor: Actor, case: Case, value: Mapping[str, Any]) -> Before:
    """One text for many, or each its own: what varies is chosen and placeholders are filled for each; held so long
    that all can be taken back."""
    own = value.get("texts", {}).get(str(case.id)) or vary(str(value["text"]), case.id)
    text = fill_text(session, actor, own, case.id).text
    key = f"bulk-{secrets.token_hex(8)}"
    reply = write_reply(session, actor, case.id, text, key, undo_seconds=HELD_SECONDS)
    act = session.scalars(select(Act).where(Act.reply_id == reply.id)).one()
    act.priority = MASS
    return {"act_id": act.id}


def _take_back(session: Session, actor: Actor, _case: Case, before: Mapping[str, Any]) -> Before:
    take_back(session, actor, int(before["act_id"]))
    return {}


def _tag(session: Session, actor: Actor, case: Case, value: Mapping[str, Any]) -> Before:
    """A mark that stood there already stays when all is taken back."""
    had = {tag.id for tag in tags_of(session, [case.id]).get(case.id, ())}
    tag = put_tag(session, actor, case.id, str(value.get("tag")))
    return {"tag_id": None if tag.id in had else tag.id}


def _untag(session: Session, actor: Actor, case: Case, before: Mapping[str, Any]) -> Before:
    if before.get("tag_id") is not None:
        take_tag(session, actor, case.id, int(before["tag_id"]))
    return {}


def _moderate(session: Session, actor: Actor, case: Case, value: Mapping[str, Any]) -> Before:
    return {"acts": moderate_case(session, actor, case.id, str(value.get("kind")))}


def _moderate_back(session: Session, actor: Actor, _case: Case, before: Mapping[str, Any]) -> Before:
    for act_id, was in before["acts"]:
        moderate_back(session, actor, int(act_id), str(was))
    return {}


Do = Callable[[Session, Actor, Case, Mapping[str, Any]], Before]
ACTS: Mapping[str, tuple[str, Do, Do]] = {
    "close": ("case.close", _close, _reopen),
    "assign": ("case.assign", _assign, _assign),
    "label": ("message.label", _label, _unlabel),
    "route": ("case.route", _route, _recall),
    "answer": ("case.reply", _answer, _take_back),
    "tag": ("case.note", _tag, _untag),
    "moderate": ("case.moderate", _moderate, _moderate_back),
}
"""Word → the right it needs, how it is done, how it is taken back."""


def get_bulk(session: Session, actor: Actor, bulk_id: int) -> Bulk:
    """A bulk act of one's own."""
    bulk = session.get(Bulk, bulk_id)
    if bulk is None or bulk.staff_id != actor.staff_id:
        raise NotFound("bulk.unknown", id=bulk_id)
    return bulk


def failures_of(session: Session, bulk: Bulk) -> list[tuple[Case, str]]:
    """(case, code of the refusal), for each that was not dealt with."""
    codes = {int(one["case"]): str(one["code"]) for one in bulk.results if "code" in one}
    cases = session.scalars(select(Case).where(Case.id.in_(list(codes))).order_by(Case.id))
    return [(case, codes[case.id]) for case in cases]


def begin_bulk(
    session: Session, actor: Actor, act: str, value: Mapping[str, Any], case_ids: Sequence[int] | Filters
) -> Bulk:
    """Notes what is to be done, with the cases as they fit now; ``run_bulk`` does it."""
    if act not in ACTS:
        raise Refused("bulk.act", act=act)
    require(actor, ACTS[act][0])
    if isinstance(case_ids, Filters):
        ids = all_ids(session, actor, case_ids, MOST + 1)
    else:
        ids = list(dict.fromkeys(case_ids))
    if not 0 < len(ids) <= MOST:
        raise Refused("bulk.size", most=MOST)
    bulk = Bulk(staff_id=actor.staff_id, act=act, value=dict(value), cases=ids)
    session.add(bulk)
    session.flush()
    record(session, "bulk.begun", actor, object_id=bulk.id, act=act, count=len(ids))
    return bulk


def undo_bulk(session: Session, actor: Actor, bulk_id: int) -> Bulk:
    """Takes back what was done, as a bulk of its own; once only."""
    bulk = get_bulk(session, actor, bulk_id)
    if bulk.state != "done" or bulk.of_bulk_id is not None:
        raise Refused("bulk.state")
    bulk.state = "undone"
    done = [one for one in bulk.results if "code" not in one]
    back = Bulk(
        staff_id=bulk.staff_id, act=bulk.act, of_bulk_id=bulk.id, cases=[int(one["case"]) for one in done],
        value={"before": {str(one["case"]): one["before"] for one in done}},
    )  # fmt: skip
    session.add(back)
    session.flush()
    record(session, "bulk.undone", actor, object_id=bulk.id, count=len(done))
    return back


def run_bulk(database: Database) -> int:
    """Does what was begun, oldest first; a kill costs one piece, which is then done again from its beginning."""
    count = 0
    while True:
        with database.read.begin() as session:
            bulk_id = session.scalar(select(Bulk.id).where(Bulk.state == "running").order_by(Bulk.id).limit(1))
        if bulk_id is None:
            return count
        with database.write.begin() as session:
            count += _do_piece(session, bulk_id)


def _do_piece(session: Session, bulk_id: int) -> int:
    bulk = session.get_one(Bulk, bulk_id, with_for_update=True)
    staff = session.get_one(Staff, bulk.staff_id)
    piece = bulk.cases[bulk.done : bulk.done + PIECE]
    hold_cases(session, [int(case_id) for case_id in piece])  # people choose them in any order
    results = [_do_one(session, actor_of(staff), bulk, int(case_id)) for case_id in piece]
    bulk.results = [*bulk.results, *results]
    bulk.done += len(piece)
    if bulk.done >= len(bulk.cases):
        bulk.state = "done"
        record(session, "bulk.done", actor_of(staff), object_id=bulk.id, count=bulk.done)
    return len(piece)


def _do_one(session: Session, actor: Actor, bulk: Bulk, case_id: int) -> dict[str, Any]:
    right, do, undo = ACTS[bulk.act]
    try:
        with session.begin_nested():
            require(actor, right)
            case = get_case(session, actor, case_id, hold=True)
            if bulk.of_bulk_id is None:
                return {"case": case_id, "before": do(session, actor, case, bulk.value)}
            return {"case": case_id, "before": undo(session, actor, case, bulk.value["before"][str(case_id)])}
    except DeskError as error:
        return {"case": case_id, "code": error.code}
