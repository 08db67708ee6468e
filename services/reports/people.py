"""Reports 24 and 25 (domain.md §8): calls and applications, and the clients that there are."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from models import Call, CaseFact, Client, Contact, Contract, Instalment, Merge
from services.calendars import Calendar, working_between
from services.crm.segments import SEGMENTS
from services.reports.cohorts import count
from services.reports.cut import Cut
from services.reports.narrowed import of_calls, of_clients
from services.reports.shape import Cell, Line, Lists, Table, by_key, counted
from services.reports.spread import spreads
from services.reports.tally import ALL
from services.terms import policy_of

CALL_COLUMNS = (
    "calls_in", "calls_answered", "calls_missed", "calls_share", "talk_mean", "called_back", "called_back_share",
)  # fmt: skip
CLIENT_COLUMNS = ("clients", "clients_new", "complete_share")
HOUR = timedelta(hours=1)
PROMPT = ("answered", "missed")


def calls_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a telephone line; called back: the first call to the number within an hour of working time."""
    lists = call_lists(session, cut, now)
    names = sorted(name for name in lists["calls_in"] if name is not None)
    lines = [Line(name or None, name, _call_cells(lists, name)) for name in names]
    came, sold = (count(session, name, cut, now) for name in ("applications", "applications_dealt"))
    first = spreads(session, "applications_answered", CaseFact.first_minutes, None, cut, now)[ALL]
    beside = (
        ("leads_answered", Cell(first.count, "count", "applications_answered")),
        ("lead_median", Cell(first.median, "minutes", "applications_answered")),
        ("leads_came", Cell(came, "count", "applications")),
        ("lead_deals", Cell(sold, "count", "applications_dealt")),
        ("lead_share", Cell(_part(sold, came), "share", "applications_dealt")),
    )
    total = _call_cells(lists, None) if names else None
    return Table(CALL_COLUMNS, by, tuple(lines), total, beside, ("waiting_time",))


def call_lists(session: Session, cut: Cut, now: datetime) -> Lists:
    """The calls behind the figures, by telephone line; ``calls_known``: missed ones whose number is known."""
    query = select(Call).where(
        Call.direction == "in", Call.result.in_(PROMPT), *cut.within(Call.started_at), *of_calls(cut)
    )
    rows = list(session.scalars(query.order_by(Call.started_at, Call.id)))
    back = _called_back(session, rows, policy_of(session).calendars["desk"])
    chosen: Mapping[str, Callable[[Call], bool]] = {
        "calls_in": lambda row: True,
        "calls_answered": lambda row: row.result == "answered",
        "calls_missed": lambda row: row.result == "missed",
        "calls_known": lambda row: row.id in back,
        "called_back": lambda row: back.get(row.id, False),
    }
    return {name: by_key(filter(is_one, rows), lambda row: row.line) for name, is_one in chosen.items()}


def _called_back(session: Session, rows: Sequence[Call], calendar: Calendar) -> dict[int, bool]:
    """missed call whose number is known → whether we called back in time."""
    missed = [row for row in rows if row.result == "missed" and row.number]
    if not missed:
        return {}
    query = select(Call.number, Call.started_at).where(
        Call.direction == "out", Call.number.in_({row.number for row in missed}),
        Call.started_at >= missed[0].started_at,
    ).order_by(Call.started_at)  # fmt: skip
    ours: dict[str, list[datetime]] = {}
    for number, at in session.execute(query):
        ours.setdefault(number, []).append(at)
    found = {}
    for row in missed:
        first = next((at for at in ours.get(row.number, []) if at >= row.started_at), None)
        found[row.id] = first is not None and working_between(calendar, row.started_at, first) <= HOUR
    return found


def _call_cells(lists: Lists, key: str | None) -> tuple[Cell, ...]:
    rows, answered, known, back = (
        lists[name].get(key, ()) for name in ("calls_in", "calls_answered", "calls_known", "called_back")
    )
    talk = Fraction(sum(row.seconds for row in answered), 60 * len(answered)) if answered else None
    return (
        *(counted(lists, name, key) for name in ("calls_in", "calls_answered", "calls_missed")),
        Cell(_part(len(answered), len(rows)), "share", "calls_answered", key=key),
        Cell(talk, "minutes", "calls_answered", key=key),
        counted(lists, "called_back", key),
        Cell(_part(len(back), len(known)), "share", "calls_known", key=key),
    )


def _part(some: int, whole: int) -> float | None:
    return some / whole if whole else None


def clients_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a segment as it is now; complete: a name and a contact that lives."""
    numbers: dict[str, dict[str | None, int]] = {}
    for name in ("clients", "clients_new", "clients_complete"):
        query = select(Client.segment, func.count()).where(*which_clients(name, cut)).group_by(Client.segment)
        numbers[name] = {row[0]: row[1] for row in session.execute(query)}
        numbers[name][None] = sum(numbers[name].values())

    def cells(key: str | None) -> tuple[Cell, ...]:
        there, new, full = (numbers[name].get(key, 0) for name in numbers)
        return (
            Cell(there, "count", "clients", key=key), Cell(new, "count", "clients_new", key=key),
            Cell(_part(full, there), "share", "clients_complete", key=key),
        )  # fmt: skip

    lines = tuple(Line(one, "", cells(one)) for one in SEGMENTS)
    merges = select(func.count()).select_from(Merge).where(*which_merges(cut))
    once, again = (
        session.scalar(select(func.count()).select_from(Client).where(*which_clients(name, cut))) or 0
        for name in ("clients_paying", "clients_again")
    )
    beside = (
        ("repeat_share_clients", Cell(_part(again, once), "share", "clients_again")),
        ("paying", Cell(once, "count", "clients_paying")),
        ("merges", Cell(session.scalar(merges) or 0, "count", "merges")),
    )
    return Table(CLIENT_COLUMNS, by, lines, cells(None), beside)


def which_clients(name: str, cut: Cut, segment: str | None = None) -> list[Any]:
    """The cards behind a figure, of a segment or of all: alive now, made in the period, complete; those who paid a
    contract whole, and those who paid more than one, whatever became of their cards."""
    reached = exists(select(Contact.id).where(Contact.client_id == Client.id, Contact.ended_at.is_(None)))
    living = Client.state.in_(("live", "archived"))
    more: Mapping[str, list[Any]] = {
        "clients": [living], "clients_new": [living, *cut.within(Client.created_at)],
        "clients_complete": [living, Client.name != "", reached],
        "clients_paying": [Client.id.in_(_paid_contracts(1))], "clients_again": [Client.id.in_(_paid_contracts(2))],
    }  # fmt: skip
    return [*more[name], *of_clients(cut), *([] if segment is None else [Client.segment == segment])]


def which_merges(cut: Cut) -> list[Any]:
    """Cards that were joined in the period and stayed so."""
    kept = of_clients(cut)
    theirs = [Merge.kept_id.in_(select(Client.id).where(*kept))] if kept else []
    return [Merge.undone_at.is_(None), *cut.within(Merge.created_at), *theirs]


def _paid_contracts(least: int) -> Any:
    """Clients with at least so many contracts that were paid whole."""
    paid = (
        select(Instalment.contract_id).where(Instalment.current).group_by(Instalment.contract_id)
        .having(func.sum(Instalment.paid) >= func.sum(Instalment.amount), func.sum(Instalment.amount) > 0)
    )  # fmt: skip
    return (
        select(Contract.client_id).where(Contract.id.in_(paid), Contract.state != "annulled")
        .group_by(Contract.client_id).having(func.count() >= least)
    )  # fmt: skip
