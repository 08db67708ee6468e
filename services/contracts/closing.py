"""What a settled termination leaves to do: the order of expulsion, and the access that a person closes by hand."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Client, Contract, Source, Staff, Task, Termination, utc_now
from services.calendars import end_of_day
from services.crm.tasks import FURTHEST, TaskRow, add_task, close_task
from services.rights import DESK, Actor, actor_of
from services.terms import policy_of

ORDER, ACCESS = "order", "access"
SCHOOL = "getcourse"
PERSON = "/user/control/user/update/id/{}"
PEOPLE = "/pl/user/user/index"
"""Pages of a GetCourse account (platforms.md §9)."""


def key_of(termination_id: int, act: str) -> str:
    return f"termination:{termination_id}:{act}"


def termination_of(task: Task) -> tuple[int, str] | None:
    """(termination, order · access) of a task that a termination left; None for any other."""
    kind, _, rest = (task.form_key or "").partition(":")
    number, _, act = rest.partition(":")
    return (int(number), act) if kind == "termination" and number.isdecimal() else None


def tasks_of(session: Session, termination_ids: Sequence[int]) -> dict[int, list[TaskRow]]:
    """Termination → its tasks, done ones too."""
    keys = [key_of(one, act) for one in termination_ids for act in (ORDER, ACCESS)]
    query = select(Task, Client, Staff.name).outerjoin(Client, Client.id == Task.client_id)
    query = query.outerjoin(Staff, Staff.id == Task.staff_id).where(Task.form_key.in_(keys)).order_by(Task.id)
    found: dict[int, list[TaskRow]] = {}
    for task, client, name in session.execute(query):
        known = termination_of(task)
        if known is not None:
            found.setdefault(known[0], []).append(TaskRow(task, client, name))
    return found


def is_access_open(session: Session, row: Termination) -> bool:
    """Whether the task to close the access is still to be done."""
    query = select(Task.id).where(Task.form_key == key_of(row.id, ACCESS), Task.state == "open")
    return session.scalar(query) is not None


def school_page(session: Session, client: Client | None) -> str | None:
    """Where the client's access is closed: their page in GetCourse, or its list of people; None without such a
    place."""
    place = session.scalar(
        select(Source).where(Source.platform == SCHOOL, Source.state != "paused").order_by(Source.id).limit(1)
    )
    account = str(place.settings.get("account", "")).removeprefix("https://").strip("/") if place else ""
    if not account:
        return None
    known = client.external_id if client is not None and client.origin == SCHOOL else None
    return f"https://{account}{PERSON.format(known) if known else PEOPLE}"


def ask_to_close(session: Session, row: Termination, contract: Contract) -> None:
    """Two tasks, each once, of whoever leads the termination: until the day of the order and of the access."""
    day = row.effective_on or row.received_on
    owner = _owner(session, row, contract)
    if contract.kind != "consulting":
        after = max(day, row.refund_due) if row.refund and row.refund_due else day
        _add(session, row, contract, ORDER, f"Издать приказ об отчислении: {_what(contract)}", after, owner)
    _add(session, row, contract, ACCESS, f"Закрыть доступ в GetCourse: {_what(contract)}", day, owner)


def _what(contract: Contract) -> str:
    course = contract.terms.get("program", {}).get("name", "")
    return f"договор № {contract.number}" + (f", «{course}»" if course else "")


def _owner(session: Session, row: Termination, contract: Contract) -> int | None:
    """Who opened it, else who wrote the contract; nobody's where neither works here any more."""
    for staff_id in (row.author_id, contract.author_id):
        person = session.get(Staff, staff_id) if staff_id is not None else None
        if person is not None and actor_of(person).may("client.edit"):
            return person.id
    return None


def _add(
    session: Session, row: Termination, contract: Contract, act: str, text: str, day: date, owner: int | None
) -> None:
    calendar, now = policy_of(session).calendars["desk"], utc_now()
    due = end_of_day(calendar, max(day, calendar.local_day(now)))
    add_task(
        session, DESK, text=text[:1000], due_at=min(max(due, now), now + FURTHEST), client_id=contract.client_id,
        case_id=row.case_id, staff_id=owner, form_key=key_of(row.id, act),
    )  # fmt: skip


def order_is_out(session: Session, actor: Actor, row: Termination) -> None:
    """The step itself is the mark on the task."""
    task = session.scalar(select(Task).where(Task.form_key == key_of(row.id, ORDER), Task.state == "open"))
    if task is not None:
        close_task(session, actor, task, "")
