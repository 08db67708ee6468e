"""Calls: whose number it is, what came of it, and who calls back whom nobody answered (domain.md §3 P9)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Author, Call, Client, Message, Staff, Task, utc_now
from services.calendars import add_working
from services.crm.clients import create_client, get_client, holder_of_key
from services.crm.contacts import phone_key
from services.crm.identities import client_of_author, link_author
from services.crm.tasks import close_task, get_task, in_working_days
from services.errors import NotFound, Refused
from services.events import record
from services.rights import DESK, Actor, require
from services.terms import policy_of

OUTCOMES = ("solved", "case", "lead", "call_back", "wrong")
"""What came of a call: answered at once · a case · an application · we call back · a wrong number."""
TRIES = (timedelta(hours=1), timedelta(hours=9), timedelta(hours=18))
"""By when each try is due after the missed call, in working time: three over two working days (domain.md §6.6)."""
PAGE = 50
FRESH = timedelta(minutes=2)
"""So long a call that just came in offers its card by itself."""


@dataclass(frozen=True, slots=True)
class CallRow:
    """A line of the list of calls."""

    call: Call
    client: Client | None
    staff: str | None
    task: Task | None = None


@dataclass(frozen=True, slots=True)
class CallPage:
    rows: tuple[CallRow, ...]
    after: tuple[datetime, int] | None


def list_calls(
    session: Session,
    actor: Actor,
    *,
    only: str | None = None,
    after: tuple[datetime, int] | None = None,
    limit: int = PAGE,
) -> CallPage:
    """Newest first; ``only``: missed (with a call-back still open) · new (nobody said what it was)."""
    require(actor, "client.view")
    query = (
        select(Call, Client, Staff.name)
        .outerjoin(Client, Client.id == Call.client_id)
        .outerjoin(Staff, Staff.id == Call.staff_id)
    )
    if only == "missed":
        waiting = select(Task.number).where(Task.state == "open", Task.kind == "call_back")
        query = query.where(Call.result == "missed", Call.direction == "in", Call.number.in_(waiting))
    elif only == "new":
        query = query.where(Call.outcome.is_(None), Call.result == "answered")
    if after is not None:
        query = query.where(tuple_(Call.started_at, Call.id) < after)
    found = session.execute(query.order_by(Call.started_at.desc(), Call.id.desc()).limit(limit + 1)).all()
    tasks = {
        task.number: task
        for task in session.scalars(
            select(Task).where(
                Task.open_key.in_([f"call_back:{call.number}" for call, _client, _name in found if call.number])
            )
        )
    }
    rows = [CallRow(call, client, name, tasks.get(call.number)) for call, client, name in found[:limit]]
    last = found[limit - 1][0] if len(found) > limit else None
    return CallPage(tuple(rows), (last.started_at, last.id) if last else None)


def get_call(session: Session, actor: Actor, call_id: int) -> CallRow:
    require(actor, "client.view")
    call = session.get(Call, call_id)
    if call is None:
        raise NotFound("call.unknown", id=call_id)
    client = session.get(Client, call.client_id) if call.client_id is not None else None
    task = session.scalar(select(Task).where(Task.open_key == f"call_back:{call.number}")) if call.number else None
    return CallRow(call, client, None, task)


def ringing(session: Session, actor: Actor, now: datetime | None = None) -> CallRow | None:
    """The newest call that came in a moment ago and of which nobody has said anything yet."""
    require(actor, "client.view")
    since = (now or utc_now()) - FRESH
    query = select(Call).where(Call.created_at >= since, Call.started_at >= since - FRESH, Call.direction == "in")
    call = session.scalar(query.where(Call.outcome.is_(None)).order_by(Call.started_at.desc()).limit(1))
    return get_call(session, actor, call.id) if call is not None else None


def note_call(session: Session, message: Message) -> Call:
    """The call that a message of the exchange tells of; what it says later replaces what it said before."""
    context = message.context or {}
    number = phone_key(f"+{context['phone']}") if context.get("phone") else None
    result = str(context.get("result") or "answered")
    call = session.scalar(select(Call).where(Call.message_id == message.id))
    is_new = call is None
    if call is None:
        call = Call(message_id=message.id, direction=message.direction, number=number or "")
        session.add(call)
    was = call.result if not is_new else None
    call.result, call.started_at, call.case_id = result, message.published_at, message.case_id
    call.seconds, call.line = int(context.get("seconds") or 0), str(context.get("line") or "")
    client = holder_of_key(session, f"phone:{number}") if number else None
    if client is not None and call.client_id is None:
        call.client_id = client.id
        _know_author(session, client, message.author_id)
    session.flush()
    if is_new or was != result:
        follow_up(session, DESK, call)
        record(session, f"call.{result}", DESK, case_id=call.case_id, client_id=call.client_id, object_id=call.id)
    return call


def _know_author(session: Session, client: Client, author_id: int | None) -> None:
    """A number that is a card's contact is that client's account of the telephone."""
    author = session.get(Author, author_id) if author_id is not None else None
    if author is not None and not author.is_us and client_of_author(session, author.id) is None:
        link_author(session, DESK, client.id, author.id, "call")


def follow_up(session: Session, actor: Actor, call: Call) -> None:
    """A missed call asks for a call back; whoever was reached need not be called back any more."""
    if not call.number:
        return
    task = session.scalar(select(Task).where(Task.open_key == f"call_back:{call.number}").with_for_update())
    if call.result == "answered":
        if task is not None:
            close_task(session, actor, task, "reached")
    elif call.direction == "out":
        if task is not None:
            count_try(session, actor, task)
    elif task is None:
        ask_call_back(session, actor, call)


def ask_call_back(session: Session, actor: Actor, call: Call) -> Task:
    """The task to call a number back; one a number, however often it rang."""
    calendar = policy_of(session).calendars["desk"]
    client = session.get(Client, call.client_id) if call.client_id is not None else None
    due = add_working(calendar, call.started_at, TRIES[0])
    task = Task(
        kind="call_back", text="", number=call.number, open_key=f"call_back:{call.number}", call_id=call.id,
        client_id=call.client_id, case_id=call.case_id, staff_id=client.owner_id if client else None,
        due_at=due, remind_at=due, created_by=actor.staff_id,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(task)
    except IntegrityError:
        return session.scalars(select(Task).where(Task.open_key == f"call_back:{call.number}")).one()
    record(session, "task.added", actor, client_id=task.client_id, object_id=task.id, code="call_back")
    return task


def try_call_back(session: Session, actor: Actor, task_id: int, *, reached: bool, note: str = "") -> Task:
    """Somebody called back: it is done, or the next try gets its time; after the third a message goes."""
    require(actor, "client.edit")
    task = get_task(session, actor, task_id, hold=True)
    if task.state != "open" or task.kind != "call_back":
        raise Refused("task.state")
    if reached:
        close_task(session, actor, task, note or "reached")
    else:
        count_try(session, actor, task)
    return task


def count_try(session: Session, actor: Actor, task: Task) -> None:
    """One more call that reached nobody."""
    task.tries += 1
    call = session.get(Call, task.call_id) if task.call_id is not None else None
    since = call.started_at if call is not None else task.created_at
    record(session, "task.tried", actor, client_id=task.client_id, object_id=task.id, count=task.tries)
    if task.tries < len(TRIES):
        calendar = policy_of(session).calendars["desk"]
        term = TRIES[task.tries]
        # Who began late still gets a while between two tries.
        task.due_at = max(add_working(calendar, since, term), add_working(calendar, utc_now(), TRIES[0]))
        task.remind_at = task.due_at
        return
    close_task(session, actor, task, "unreached")
    due = in_working_days(session, 1)
    session.add(
        Task(
            kind="write", text="", number=task.number, client_id=task.client_id, case_id=task.case_id,
            call_id=task.call_id, staff_id=task.staff_id, due_at=due, remind_at=due, created_by=actor.staff_id,
        )
    )  # fmt: skip


def add_call(
    session: Session,
    actor: Actor,
    *,
    number: str,
    direction: str,
    result: str,
    started_at: datetime | None = None,
    topic: str = "",
    note: str = "",
    notice_given: bool = False,
) -> Call:
    """A call that no exchange told of, typed by hand."""
    require(actor, "client.edit")
    key = phone_key(number)
    if key is None:
        raise Refused("contact.unreadable", contact=number)
    if direction not in ("in", "out") or result not in ("answered", "missed"):
        raise Refused("call.kind")
    client = holder_of_key(session, f"phone:{key}")
    call = Call(
        direction=direction, number=key, started_at=started_at or utc_now(), result=result, topic=topic[:200],
        note=note[:2000], notice_given=notice_given, staff_id=actor.staff_id,
        client_id=client.id if client else None,
    )  # fmt: skip
    session.add(call)
    session.flush()
    record(session, f"call.{result}", actor, client_id=call.client_id, object_id=call.id)
    follow_up(session, actor, call)
    return call


def settle_call(
    session: Session,
    actor: Actor,
    call_id: int,
    *,
    outcome: str,
    topic: str = "",
    note: str = "",
    notice_given: bool = False,
) -> Call:
    """What it was about and what came of it."""
    require(actor, "client.edit")
    call = get_call(session, actor, call_id).call
    if outcome not in OUTCOMES:
        raise Refused("call.outcome")
    call.outcome, call.topic, call.note = outcome, topic.strip()[:200], note.strip()[:2000]
    call.notice_given, call.staff_id = notice_given, call.staff_id or actor.staff_id
    if outcome == "call_back" and call.number:
        ask_call_back(session, actor, call)
    record(session, "call.settled", actor, client_id=call.client_id, object_id=call.id, code=outcome)
    return call


def make_card(session: Session, actor: Actor, call_id: int, *, name: str, topic: str = "") -> Client:
    """The quick card of an unknown number: name, number, topic."""
    call = get_call(session, actor, call_id).call
    if call.client_id is not None:
        return get_client(session, actor, call.client_id)
    client = create_client(session, actor, name=name, contact=call.number, note=topic.strip()[:200])
    call.topic = topic.strip()[:200] or call.topic
    if call.message_id is not None:
        _know_author(session, client, session.get_one(Message, call.message_id).author_id)
    return client
