"""Reports 24 and 25 (domain.md §8): calls and applications, and the clients that there are."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from models import Call, Case, CaseFact, Client, Contact, Contract, Deal, Instalment, Merge
from services.calendars import Calendar, working_between
from services.crm.segments import SEGMENTS
from services.reports.cut import NONE, Cut
from services.reports.shape import Cell, Line, Table
from services.reports.spread import Spread, spread_of
from services.terms import policy_of

CALL_COLUMNS = (
    "calls_in", "calls_answered", "calls_missed", "calls_share", "talk_mean", "called_back", "called_back_share",
)  # fmt: skip
CLIENT_COLUMNS = ("clients", "clients_new", "complete_share")
HOUR = timedelta(hours=1)
PROMPT = ("answered", "missed")


def calls_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a telephone line; called back: the first call to the number within an hour of working time."""
    query = select(Call).where(Call.direction == "in", Call.result.in_(PROMPT), *cut.within(Call.started_at))
    if cut.staff_id is not None:
        query = query.where(Call.staff_id.is_(None) if cut.staff_id == NONE else Call.staff_id == cut.staff_id)
    rows = list(session.scalars(query.order_by(Call.started_at, Call.id)))
    back = _called_back(session, rows, policy_of(session).calendars["desk"])
    names = sorted({row.line for row in rows})
    lines = [
        Line(name or None, name, _call_cells([row for row in rows if row.line == name], back)) for name in names
    ]
    first = _lead_answers(session, cut)
    came, sold = _leads(session, cut)
    beside = (
        ("leads_answered", Cell(first.count)), ("lead_median", Cell(first.median, "minutes")),
        ("leads_came", Cell(came)), ("lead_deals", Cell(sold)), ("lead_share", Cell(_part(sold, came), "share")),
    )  # fmt: skip
    total = _call_cells(rows, back) if rows else None
    return Table(CALL_COLUMNS, by, tuple(lines), total, beside, ("waiting_time",))


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


def _call_cells(rows: Sequence[Call], back: dict[int, bool]) -> tuple[Cell, ...]:
    answered = [row for row in rows if row.result == "answered"]
    asked = [back[row.id] for row in rows if row.id in back]
    talk = Fraction(sum(row.seconds for row in answered), 60 * len(answered)) if answered else None
    return (
        Cell(len(rows)), Cell(len(answered)), Cell(len(rows) - len(answered)),
        Cell(len(answered) / len(rows) if rows else None, "share"), Cell(talk, "minutes"), Cell(sum(asked)),
        Cell(sum(asked) / len(asked) if asked else None, "share"),
    )  # fmt: skip


def _lead_answers(session: Session, cut: Cut) -> Spread:
    """How long applications waited for their first answer, of those answered in the period."""
    query = (
        select(CaseFact.first_minutes, func.count()).join(Case, Case.id == CaseFact.id)
        .where(CaseFact.counts, Case.kind == "application", *cut.within(CaseFact.first_at))
        .where(CaseFact.first_minutes.is_not(None), *cut.filters(CaseFact.department_id, CaseFact.staff_id))
        .group_by(CaseFact.first_minutes)
    )  # fmt: skip
    return spread_of((int(row[0] or 0), row[1]) for row in session.execute(query))


def _leads(session: Session, cut: Cut) -> tuple[int, int]:
    """Applications that came in the period and those from which a deal was opened."""
    query = (
        select(CaseFact.id).join(Case, Case.id == CaseFact.id)
        .where(CaseFact.counts, Case.kind == "application", *cut.within(CaseFact.opened_at))
        .where(*cut.filters(CaseFact.department_id, CaseFact.staff_id))
    )  # fmt: skip
    dealt = query.where(exists(select(Deal.id).where(Deal.case_id == CaseFact.id)))
    came, sold = (session.scalar(select(func.count()).select_from(one.subquery())) or 0 for one in (query, dealt))
    return came, sold


def _part(some: int, whole: int) -> float | None:
    return some / whole if whole else None


def clients_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a segment as it is now; complete: a name and a contact that lives."""
    living = Client.state.in_(("live", "archived"))
    reached = exists(select(Contact.id).where(Contact.client_id == Client.id, Contact.ended_at.is_(None)))
    numbers = {
        name: {row[0]: row[1] for row in session.execute(
            select(Client.segment, func.count()).where(living, *more).group_by(Client.segment)
        )}
        for name, more in (
            ("all", ()), ("new", tuple(cut.within(Client.created_at))), ("full", (Client.name != "", reached)),
        )
    }  # fmt: skip

    def cells(segments: Sequence[str]) -> tuple[Cell, ...]:
        there, new, full = (sum(numbers[name].get(one, 0) for one in segments) for name in ("all", "new", "full"))
        return Cell(there), Cell(new), Cell(full / there if there else None, "share")

    lines = tuple(Line(one, "", cells((one,))) for one in SEGMENTS)
    merges = select(func.count()).select_from(Merge).where(Merge.undone_at.is_(None), *cut.within(Merge.created_at))
    once, again = _paid_contracts(session)
    beside = (
        ("repeat_share_clients", Cell(again / once if once else None, "share")), ("paying", Cell(once)),
        ("merges", Cell(session.scalar(merges) or 0)),
    )  # fmt: skip
    return Table(CLIENT_COLUMNS, by, lines, cells(SEGMENTS), beside)


def _paid_contracts(session: Session) -> tuple[int, int]:
    """Clients with at least one contract that was paid whole, and with at least two."""
    paid = (
        select(Instalment.contract_id).where(Instalment.current).group_by(Instalment.contract_id)
        .having(func.sum(Instalment.paid) >= func.sum(Instalment.amount), func.sum(Instalment.amount) > 0)
    )  # fmt: skip
    per_client = (
        select(Contract.client_id, func.count().label("number"))
        .where(Contract.id.in_(paid), Contract.state != "annulled").group_by(Contract.client_id)
    )  # fmt: skip
    counts = [row[1] for row in session.execute(per_client)]
    return len(counts), sum(1 for number in counts if number > 1)
