"""What somebody is to do about a client: until when, who is told of it, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from models import Client, Notice, Staff, Task, utc_now
from models.database import Database
from services.calendars import end_of_day, next_working_day
from services.cases import same_form
from services.crm.clients import get_client
from services.errors import NotFound, Refused
from services.events import record
from services.rights import DESK, Actor, actor_of, require
from services.terms import Policy, policy_of

KINDS = ("todo", "call_back", "promise", "write")
"""«write»: they could not be reached by telephone, so a message goes."""
DESK_ROLES = ("client_manager", "sales", "smm")
LONGEST = 2000
BATCH = 200
FURTHEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A line of a list; ``client`` None where only a number is known."""

    task: Task
    client: Client | None
    staff: str | None


def list_tasks(
    session: Session, actor: Actor, *, whose: str = "mine", kind: str | None = None, limit: int = 100
) -> list[TaskRow]:
    """Open ones, the soonest due first; ``whose``: mine (and nobody's) · all."""
    require(actor, "client.view")
    query = (
        select(Task, Client, Staff.name)
        .outerjoin(Client, Client.id == Task.client_id)
        .outerjoin(Staff, Staff.id == Task.staff_id)
        .where(Task.state == "open")
    )
    if whose == "mine":
        query = query.where(or_(Task.staff_id == actor.staff_id, Task.staff_id.is_(None)))
    if kind:
        query = query.where(Task.kind == kind)
    rows = session.execute(query.order_by(Task.due_at, Task.id).limit(limit))
    return [TaskRow(task, client, name) for task, client, name in rows]


def get_task(session: Session, actor: Actor, task_id: int, *, hold: bool = False) -> Task:
    require(actor, "client.view")
    task = session.get(Task, task_id, with_for_update=hold)
    if task is None:
        raise NotFound("task.unknown", id=task_id)
    return task


def add_task(
    session: Session,
    actor: Actor,
    *,
    text: str,
    due_at: datetime,
    client_id: int | None = None,
    case_id: int | None = None,
    staff_id: int | None = None,
    kind: str = "todo",
    form_key: str | None = None,
) -> Task:
    """A task for somebody, or for whoever comes first; they are told when it is due."""
    require(actor, "client.edit")
    text = text.strip()
    known = session.scalar(select(Task).where(Task.form_key == form_key)) if form_key else None
    if known is not None:
        return same_form(known, known.text, text)
    if kind not in KINDS or not 0 < len(text) <= LONGEST:
        raise Refused("task.text")
    now = utc_now()
    if not now - timedelta(days=1) < due_at <= now + FURTHEST:
        raise Refused("task.due")
    if staff_id is not None and session.get(Staff, staff_id) is None:
        raise Refused("staff.unknown", id=staff_id)
    if client_id is not None:
        client_id = get_client(session, actor, client_id).id
    task = Task(
        kind=kind, text=text, client_id=client_id, case_id=case_id, staff_id=staff_id, due_at=due_at,
        remind_at=due_at, form_key=form_key, created_by=actor.staff_id,
    )  # fmt: skip
    session.add(task)
    session.flush()
    record(session, "task.added", actor, client_id=client_id, case_id=case_id, object_id=task.id, code=kind)
    return task


def end_task(session: Session, actor: Actor, task_id: int, result: str = "", *, dropped: bool = False) -> Task:
    """Done, or no longer needed; a second press changes nothing."""
    require(actor, "client.edit")
    task = get_task(session, actor, task_id, hold=True)
    if task.state == "open":
        close_task(session, actor, task, result, "dropped" if dropped else "done")
    return task


def close_task(session: Session, actor: Actor, task: Task, result: str, state: str = "done") -> None:
    """The row and its event; for services that end a task by what happened."""
    task.state, task.open_key, task.remind_at = state, None, None
    task.result, task.done_at, task.done_by = result.strip()[:LONGEST], utc_now(), actor.staff_id
    record(session, f"task.{state}", actor, client_id=task.client_id, case_id=task.case_id, object_id=task.id)


def move_task(
    session: Session, actor: Actor, task_id: int, *, due_at: datetime | None = None, staff_id: int | None = None
) -> Task:
    """Another term, another person."""
    require(actor, "client.edit")
    task = get_task(session, actor, task_id, hold=True)
    if task.state != "open":
        raise Refused("task.state")
    if due_at is not None:
        if not utc_now() < due_at <= utc_now() + FURTHEST:
            raise Refused("task.due")
        task.due_at = task.remind_at = due_at
    if staff_id is not None:
        if session.get(Staff, staff_id) is None:
            raise Refused("staff.unknown", id=staff_id)
        task.staff_id = staff_id
    record(session, "task.moved", actor, client_id=task.client_id, object_id=task.id)
    return task


def run_remind(database: Database) -> int:
    """Tells of every task that is due, once; of a promise that is late the head hears in the next working morning.
    Returns how many tasks were told of."""
    done = 0
    while True:
        now = utc_now()
        with database.write.begin() as session:
            due = _due(now)
            query = select(Task).where(*due).order_by(Task.remind_at, Task.id).limit(BATCH)
            tasks = list(session.scalars(query.with_for_update()))
            if not tasks:
                return done
            _tell(session, tasks, now)
        done += len(tasks)


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (Task.remind_at <= now, Task.state == "open")


def _tell(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    policy = policy_of(session)
    people = [actor_of(row) for row in session.scalars(select(Staff).where(Staff.active))]
    for task in tasks:
        late = task.remind_at is not None and task.remind_at > task.due_at
        for staff_id in _addressees(people, task, late):
            session.add(
                Notice(
                    staff_id=staff_id, kind="task.late" if late else "task.due", task_id=task.id,
                    due_at=task.due_at, show_at=policy.after_quiet(now), created_at=now,
                )
            )  # fmt: skip
        task.remind_at = _next_morning(policy, now) if task.kind == "promise" and not late else None
        record(session, "task.reminded", DESK, object_id=task.id)


def _next_morning(policy: Policy, now: datetime) -> datetime:
    calendar = policy.calendars["desk"]
    span = calendar.span(next_working_day(calendar, calendar.local_day(now)))
    return span[0] if span else now + timedelta(days=1)


def _addressees(people: Sequence[Actor], task: Task, late: bool) -> list[int]:
    """Whose it is; of nobody's task the desk; of a late promise also the head."""
    owner = [one for one in people if one.staff_id == task.staff_id]
    desk = owner or [one for one in people if one.roles.intersection(DESK_ROLES)]
    heads = [one for one in people if "head" in one.roles]
    told = [*desk, *heads] if late or not desk else desk
    return sorted({one.staff_id for one in told if one.staff_id is not None})


def in_working_days(session: Session, days: int) -> datetime:
    """The end of the working day so many working days from now, in UTC."""
    calendar = policy_of(session).calendars["desk"]
    day = calendar.local_day(utc_now())
    for _ in range(days):
        day = next_working_day(calendar, day)
    span = calendar.span(day)
    return span[1] if span else end_of_day(calendar, day)
