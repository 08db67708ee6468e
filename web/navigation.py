"""The short menu of the header: one table, each row shown to whom its right belongs (day.md §1.9)."""

from dataclasses import dataclass

from flask import current_app

from services.outbox import count_unproven
from services.rights import Actor, Scope
from services.routing import count_owed
from web.language import Lazy, _l
from web.security import current_desk


@dataclass(frozen=True, slots=True)
class Item:
    """``scope``: the exact reach for which the row stands, None for any; ``only_counted``: hidden at zero."""

    endpoint: str
    title: Lazy
    icon: str
    act: str
    scope: Scope | None = None
    counter: str | None = None
    only_counted: bool = False
    covers: tuple[str, ...] = ()  # other screens that belong to it

    def is_here(self, blueprint: str | None) -> bool:
        return blueprint in (self.endpoint.partition(".")[0], *self.covers)


@dataclass(frozen=True, slots=True)
class Shown:
    """A row as the header draws it."""

    item: Item
    count: int


MENU = (
    Item("morning.index", _l("Morning"), "sun", "report.view", Scope.ALL),
    Item("inbox.index", _l("Inbox"), "inbox", "case.view", covers=("rest",)),
    Item("outbox.index", _l("Outgoing"), "send", "outbox.view", counter="outbox", only_counted=True),
    Item("department.index", _l("Questions to me"), "messages", "route.view", Scope.DEPARTMENT, "owed"),
    Item("inquiries.index", _l("Requests to departments"), "building", "inquiry.view"),
    Item(
        "clients.index",
        _l("Clients"),
        "users-group",
        "client.view",
        covers=("tasks", "calls", "imports", "exports", "privacy"),
    ),
    Item("contracts.index", _l("Contracts"), "file-text", "contract.view"),
    Item("broadcasts.index", _l("Broadcasts"), "broadcast", "broadcast.view"),
    Item(
        "reports.index",
        _l("Reports"),
        "chart-bar",
        "report.view",
        covers=("report_tables", "report_rows", "report_months", "report_views", "report_paper", "asked", "wishes"),
    ),
    Item("sources.index", _l("Places"), "antenna", "source.view", covers=("visits",)),
    Item("saved.index", _l("Saved replies"), "template", "case.reply", covers=("facts",)),
    Item(
        "settings.index",
        _l("Settings"),
        "settings",
        "duty.edit",
        covers=(
            "terms",
            "setting_history",
            "duties",
            "rota",
            "rules",
            "checks",
            "agreement",
            "mailbox",
            "journal",
            "tokens",
            "webhooks",
            "transfer",
            "state",
        ),
    ),
    Item("incidents.index", _l("Mass incidents"), "flame", "case.view"),
    Item("absences.index", _l("Who is away"), "calendar", "absence.view"),
    Item("reviews.index", _l("Review of answers"), "list-check", "review.mark"),
    Item("reviews.mine", _l("My reviews"), "list-check", "review.view", Scope.OWN),
    Item("quality.index", _l("Quality of kinds"), "checklist", "case.view"),
    Item("staff.index", _l("Staff"), "users", "staff.view"),
)

_DESK = ("inbox.index", "outbox.index", "clients.index", "sources.index")
SHORT: dict[str, tuple[str, ...]] = {
    "head": (
        "morning.index",
        "inbox.index",
        "outbox.index",
        "contracts.index",
        "reports.index",
        "settings.index",
    ),
    "director": ("morning.index", "contracts.index", "reports.index"),
    "smm": _DESK,
    "client_manager": (*_DESK, "contracts.index"),
    "sales": (*_DESK, "contracts.index"),
    "manager": ("department.index",),
    "accounting": ("department.index", "contracts.index"),
    "privacy": ("clients.index", "reports.index"),
    "administrator": ("sources.index", "settings.index", "staff.index"),
    "observer": ("reports.index",),
}
"""What each role has in sight; the rest of its rows stand under «Ещё» (day.md §1.9).

Of a person with several roles the first here fills the row first.
"""
MOST_IN_SIGHT = 6


@dataclass(frozen=True, slots=True)
class Menu:
    """``first``: the rows in sight; ``more``: those under «Ещё»."""

    first: list[Shown]
    more: list[Shown]

    def told(self, bells: int) -> str:
        """All numbers of the header as one word: as long as it is the same, nothing is drawn anew."""
        return ".".join(str(number) for number in (*(row.count for row in (*self.first, *self.more)), bells))


def menu_of(actor: Actor) -> Menu:
    """The rows for ``actor``, with numbers where a row has one."""
    there = screens_of(actor)
    numbers = _numbers(actor) if any(item.counter for item in there) else {}
    rows = [Shown(item, numbers.get(item.counter or "", 0)) for item in there]
    rows = [row for row in rows if row.count or not row.item.only_counted]
    wanted = [endpoint for role, row in SHORT.items() if role in actor.roles for endpoint in row]
    there_now = {row.item.endpoint for row in rows}
    in_sight = [endpoint for endpoint in dict.fromkeys(wanted) if endpoint in there_now][:MOST_IN_SIGHT]
    first = [row for row in rows if row.item.endpoint in in_sight]
    return Menu(first, [row for row in rows if row not in first])


def screens_of(actor: Actor) -> list[Item]:
    """Where ``actor`` may go, without numbers."""
    return [item for item in MENU if _is_for(actor, item)]


def first_screen(actor: Actor) -> str | None:
    """The endpoint that a person's day begins on; None for somebody without a screen."""
    return next((i.endpoint for i in MENU if _is_for(actor, i) and not i.only_counted), None)


def _is_for(actor: Actor, item: Item) -> bool:
    if item.endpoint not in current_app.view_functions:
        return False
    reach = actor.scope(item.act)
    return reach is not None and item.scope in (None, reach)


def _numbers(actor: Actor) -> dict[str, int]:
    with current_desk().database.read.begin() as session:
        return {"outbox": sum(count_unproven(session).values()), "owed": count_owed(session, actor)}
