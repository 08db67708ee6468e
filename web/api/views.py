"""What each address of the API does: it asks the services that the screens ask, and puts what they say in shape."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from flask import g, url_for
from pydantic import BaseModel
from sqlalchemy.orm import Session

from models import Act, ApiKey
from models import Case as CaseRow
from models import Department as DepartmentRow
from models import Reply as ReplyRow
from models import Route as RouteRow
from services import cases, replies, routing
from services.accounts import list_staff
from services.errors import NotFound, Refused
from services.inbox import CaseView, Entry, Row, list_cases, rows_of, view_case
from services.questions import hand_back, question_rows, question_view, send_answer, without_contacts
from services.replies import find_reply, reply_by_form, write_reply
from services.rights import Actor, actor_of
from services.satisfaction import without_line
from web.api import shapes
from web.filters import read_filters, read_groups
from web.inbox import is_arriving
from web.marks import safe_link
from web.security import current_desk
from web.words import department_name

PAGE = 30


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked, looked through already. ``form_key`` is made of the Idempotency-Key where one is needed."""

    ids: Mapping[str, int]
    query: Any = None
    body: Any = None
    form_key: str = ""


class View(Protocol):
    def __call__(self, session: Session, actor: Actor, call: Call, /) -> BaseModel: ...


def form_key_of(actor: Actor, given: str) -> str:
    """One Idempotency-Key is one person's, whichever of their keys sends it again."""
    return f"api-{actor.staff_id}-{hashlib.sha256(given.encode()).hexdigest()[:40]}"


def me(session: Session, actor: Actor, call: Call) -> shapes.Me:
    key: ApiKey = g.api_key
    info = shapes.KeyInfo(id=key.id, name=key.name, scopes=key.scopes, expires_at=key.expires_at)
    return shapes.Me(id=actor.staff_id or 0, name=actor.name, roles=sorted(actor.roles), key=info)


def departments(session: Session, actor: Actor, call: Call) -> shapes.DepartmentList:
    units = routing.departments(session)
    items = [shapes.Department(id=unit.id, code=unit.code, name=department_name(unit)) for unit in units]
    return shapes.DepartmentList(items=items)


def people(session: Session, actor: Actor, call: Call) -> shapes.PersonList:
    """Who may lead a case."""
    found = [one for one in list_staff(session) if actor_of(one).may("case.reply")]
    return shapes.PersonList(items=[shapes.Person(id=one.id, name=one.name) for one in found])


def list_of_cases(session: Session, actor: Actor, call: Call) -> shapes.CasePage:
    given = call.query.model_dump(exclude_none=True)
    cursor, limit = given.pop("cursor", None), given.pop("limit", PAGE)
    _check_groups(given.get("any", ""))
    words = {name: "1" if value is True else str(value) for name, value in given.items() if value is not False}
    page = list_cases(session, actor, read_filters(words), after=cursor, limit=limit, arriving=is_arriving())
    return shapes.CasePage(items=[_case(actor, row) for row in page.rows], next=page.after)


def _check_groups(text: str) -> None:
    """A condition that is not understood would widen what is found: here it is refused."""
    asked = sum(1 for group in text.split("|") for one in group.split(";") if one.strip())
    if asked != sum(len(group) for group in read_groups(text)):
        raise Refused("api.malformed")


def one_case(session: Session, actor: Actor, call: Call) -> shapes.CaseDetail:
    view = view_case(session, actor, call.ids["case_id"])
    case = _case(actor, rows_of(session, [view.case])[0])
    return shapes.CaseDetail(**dict(case), messages=_messages(actor, view))


def messages(session: Session, actor: Actor, call: Call) -> shapes.MessageList:
    view = view_case(session, actor, call.ids["case_id"])
    return shapes.MessageList(items=_messages(actor, view))


def take(session: Session, actor: Actor, call: Call) -> shapes.Case:
    case = cases.assign(session, actor, call.ids["case_id"], actor.staff_id, call.body.version)
    return _changed(session, actor, case)


def assign(session: Session, actor: Actor, call: Call) -> shapes.Case:
    case = cases.assign(session, actor, call.ids["case_id"], call.body.staff_id, call.body.version)
    return _changed(session, actor, case)


def close(session: Session, actor: Actor, call: Call) -> shapes.Case:
    case = cases.close(session, actor, call.ids["case_id"], call.body.reason, call.body.version)
    return _changed(session, actor, case)


def reopen(session: Session, actor: Actor, call: Call) -> shapes.Case:
    return _changed(session, actor, cases.reopen_case(session, actor, call.ids["case_id"]))


def reply(session: Session, actor: Actor, call: Call) -> shapes.Reply:
    case_id, body = call.ids["case_id"], call.body
    known = reply_by_form(session, call.form_key)
    if known is not None and (known.case_id != case_id or without_line(session, known) != body.text.strip()):
        raise Refused("api.key_reused")
    row = write_reply(
        session, actor, case_id, body.text, call.form_key,
        replies.Wish(
            then=body.then, message_id=body.message_id, route_id=body.route_id, send_at=body.send_at,
            overrides=body.overrides, version=body.version, undo_seconds=current_desk().config.desk.undo_seconds,
        ),
    )  # fmt: skip
    return _reply(actor, *find_reply(session, actor, row.id))


def one_reply(session: Session, actor: Actor, call: Call) -> shapes.Reply:
    return _reply(actor, *find_reply(session, actor, call.ids["reply_id"]))


def routes_of_case(session: Session, actor: Actor, call: Call) -> shapes.RouteList:
    cases.get_case(session, actor, call.ids["case_id"])
    return shapes.RouteList(items=_routes(session, actor, routing.routes_of(session, call.ids["case_id"])))


def ask(session: Session, actor: Actor, call: Call) -> shapes.Route:
    case_id, body = call.ids["case_id"], call.body
    known = routing.route_by_form(session, call.form_key)
    if known is not None and (known.case_id != case_id or known.question != body.question.strip()):
        raise Refused("api.key_reused")
    route = routing.ask_department(
        session, actor, case_id, _unit_id(session, body.department), body.question, call.form_key, body.version,
        staff_id=body.staff_id, urgent=body.urgent,
    )  # fmt: skip
    return _routes(session, actor, [route])[0]


def my_questions(session: Session, actor: Actor, call: Call) -> shapes.RouteList:
    rows = question_rows(session, actor, done=bool(call.query.done))
    return shapes.RouteList(
        items=[_question(actor, row.route, row.question, row.department, row.asked_by) for row in rows]
    )


def one_question(session: Session, actor: Actor, call: Call) -> shapes.Question:
    view = question_view(session, actor, call.ids["route_id"])
    lines = [
        shapes.Line(
            id=one.id, name=one.name, text=one.text, at=one.at, ours=one.ours, asked=one.asked, deleted=one.deleted
        )
        for one in view.lines
    ]
    route = _question(actor, view.route, view.question, view.department, view.asked_by)
    return shapes.Question(**dict(route), platform=view.platform, author=view.author, lines=lines)


def answer(session: Session, actor: Actor, call: Call) -> shapes.Question:
    send_answer(session, actor, call.ids["route_id"], call.body.text, call.body.version)
    return one_question(session, actor, call)


def decline(session: Session, actor: Actor, call: Call) -> shapes.Question:
    better = _unit_id(session, call.body.department) if call.body.department is not None else None
    hand_back(session, actor, call.ids["route_id"], call.body.reason, better)
    return one_question(session, actor, call)


def _unit_id(session: Session, code: str) -> int:
    found = next((unit.id for unit in routing.departments(session) if unit.code == code), None)
    if found is None:
        raise NotFound("department.unknown")
    return found


def _shown(actor: Actor) -> Callable[[str], str]:
    """Texts for a program: phones, mail addresses and cards only where the person may see contacts."""
    return str if actor.may("client.contacts") else without_contacts


def _changed(session: Session, actor: Actor, case: CaseRow) -> shapes.Case:
    session.flush()
    return _case(actor, rows_of(session, [case])[0])


def _case(actor: Actor, row: Row) -> shapes.Case:
    case, shown = row.case, _shown(actor)
    led = shapes.Person(id=case.assignee_id, name=row.assignee or "") if case.assignee_id is not None else None
    return shapes.Case(
        **_same(case, shapes.Case),
        source=shapes.Place(id=case.source_id, platform=row.platform, title=row.source_title),
        publication=shown(row.publication),
        author=shapes.Author(id=case.author_id, name=shown(row.author)),
        text=shown(row.text),
        assignee=led,
        departments=list(row.departments),
        tags=[tag.name for tag in row.tags],
        url=_outside(url_for("inbox.show", case_id=case.id)),
    )


def _same(row: object, shape: type[BaseModel]) -> dict[str, Any]:
    """The fields that a row has by the same name."""
    return {name: getattr(row, name) for name in shape.model_fields if hasattr(row, name)}


def _outside(path: str) -> str:
    return (current_desk().address or "").rstrip("/") + path


def _messages(actor: Actor, view: CaseView) -> list[shapes.Message]:
    return [_message(actor, entry, view.case) for entry in view.thread]


def _message(actor: Actor, entry: Entry, case: CaseRow) -> shapes.Message:
    row, shown = entry.message, _shown(actor)
    files = [shapes.File(kind=one.kind, name=shown(one.name), size=one.size) for one in entry.attachments]
    name = entry.author.name if entry.author is not None else ""
    return shapes.Message(
        id=row.id, direction="out" if row.direction == "out" else "in", visibility=row.visibility, state=row.state,
        in_case=row.case_id == case.id or row.id == case.first_message_id,
        author=shapes.Author(id=row.author_id, name=shown(name)),
        subject=shown(row.subject) if row.subject is not None else None, text=shown(row.text),
        label=entry.label.label if entry.label is not None else None, url=safe_link(row.url), files=files,
        reply_id=entry.act.reply_id if entry.act is not None else None, published_at=row.published_at,
        edited_at=row.edited_at, deleted_at=row.deleted_at,
    )  # fmt: skip


def _reply(actor: Actor, row: ReplyRow, act: Act) -> shapes.Reply:
    return shapes.Reply(
        id=row.id, case_id=row.case_id, message_id=row.message_id, text=_shown(actor)(act.text or row.text),
        state=act.state, due_at=act.due_at, url=act.url, error=act.error_code, accepted_at=act.accepted_at,
        seen_at=act.seen_at, created_at=row.created_at,
    )  # fmt: skip


def _routes(session: Session, actor: Actor, rows: Sequence[RouteRow]) -> list[shapes.Route]:
    units = {unit.id: unit for unit in routing.departments(session)}
    names = {one.id: one.name for one in list_staff(session, active=False)}
    return [
        _question(actor, row, _shown(actor)(row.question), units[row.department_id], names.get(row.asked_by_id, ""))
        for row in rows
    ]


def _question(actor: Actor, row: RouteRow, question: str, unit: DepartmentRow, asked_by: str) -> shapes.Route:
    """A department knows the question, never the number of the case."""
    given = _same(row, shapes.Route) | {
        "case_id": row.case_id if actor.may("case.view") else None, "department": unit.code, "question": question,
        "asked_by": asked_by, "answer": _shown(actor)(row.answer) if row.answer is not None else None,
        "reason": _shown(actor)(row.reason) if row.reason is not None else None,
    }  # fmt: skip
    return shapes.Route(**given)
