"""Contracts beside a conversation and on a client's card: one line each, without sums (day.md §1.11)."""

from dataclasses import dataclass

from models import Case, Client, Contract, Task, Termination
from services.contracts.closing import ACCESS, school_page, termination_of
from services.contracts.register import contracts_of_client
from services.contracts.terminations import OPEN_STATES
from services.contracts.wishes import Wish, contracts_of_case, wish_of
from web.contracts.forms import screen
from web.security import current_actor, current_desk, may


@dataclass(frozen=True, slots=True)
class Beside:
    """``wish``: the client's message that asks for the money back or refuses."""

    contracts: list[Contract]
    wish: Wish | None

    @property
    def open(self) -> Contract | None:
        return next((row for row in self.contracts if row.state in OPEN_STATES), None)


@screen.app_template_global("contracts_beside")
def contracts_beside(case: Case) -> Beside | None:
    """For the pane of a case; None where nothing is known or the person may not see it."""
    if case.author_id is None or not may("contract.view"):
        return None
    with current_desk().database.read.begin() as session:
        rows = contracts_of_case(session, case.id)
        return Beside(rows, wish_of(session, case.id)) if rows else None


@dataclass(frozen=True, slots=True)
class TaskPlace:
    """Where a task of a termination is done: its contract, and for the access the page in GetCourse."""

    contract_id: int
    school: str | None


@screen.app_template_global("task_place")
def task_place(task: Task) -> TaskPlace | None:
    """For a line of the task list; None for a task that no termination left, or without a right to contracts."""
    known = termination_of(task)
    if known is None or not may("contract.view"):
        return None
    with current_desk().database.read.begin() as session:
        row = session.get(Termination, known[0])
        if row is None:
            return None
        client = session.get(Client, task.client_id) if task.client_id else None
        return TaskPlace(row.contract_id, school_page(session, client) if known[1] == ACCESS else None)


@screen.app_template_global("contracts_of_card")
def contracts_of_card(client_id: int) -> list[Contract]:
    """For a client's card: include «contracts/of_client.html» where ``client`` is known."""
    if not may("contract.view"):
        return []
    with current_desk().database.read.begin() as session:
        return contracts_of_client(session, current_actor(), client_id)
