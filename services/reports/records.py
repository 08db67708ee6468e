"""Rows that stand behind figures and are no cases: deals, payments, calls and the like, each with its own page."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import (
    Amendment,
    Author,
    Broadcast,
    BroadcastIncident,
    BroadcastQuestion,
    Call,
    Case,
    CaseFact,
    Client,
    Contract,
    Deal,
    LeadFact,
    Merge,
    Message,
    Obligation,
    Payment,
    Source,
    Staff,
    Visit,
    VisitedPlace,
)
from services.reports.asked import Writer
from services.reports.load import Shift
from services.reports.money import Debtor, Ended, Owed, signed
from services.reports.shape import Cell
from services.reports.troubles import Trouble
from services.visits import Window

ESSENCE = 200


@dataclass(frozen=True, slots=True)
class Record:
    """One row: ``name`` is what people call it, ``page`` what stands behind it as (word, id), ``case_id`` the case
    it belongs to, ``message_id`` what was written on a platform."""

    id: int
    name: str
    cells: tuple[Cell, ...]
    page: tuple[str, int] | None = None
    case_id: int | None = None
    message_id: int | None = None


Show = Callable[[Session, Sequence[Any]], list[Record]]


@dataclass(frozen=True, slots=True)
class Kind:
    """``called``: the word over the names of its rows, "" where they have none. ``at``: by which attribute of its
    rows they are ordered, "" where only their ids tell. ``table`` of those that are asked for by a query.
    ``private``: columns with what people wrote or who they are, and the name itself where ``names``, for whoever
    may read cases."""

    show: Show
    called: str
    columns: tuple[str, ...]
    at: str = "at"
    table: Any = None
    private: frozenset[str] = field(default_factory=frozenset)
    names: bool = False


def _by_id(session: Session, table: Any, ids: Iterable[int | None], column: Any) -> dict[int | None, Any]:
    """id → a column of its row, of those that are wanted."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    return {row[0]: row[1] for row in session.execute(select(table.id, column).where(table.id.in_(wanted)))}


def _clients(session: Session, ids: Iterable[int | None]) -> dict[int | None, str]:
    return _by_id(session, Client, ids, Client.name)


def _people(session: Session, ids: Iterable[int | None]) -> dict[int | None, str]:
    return _by_id(session, Staff, ids, Staff.name)


def _short(text: str | None) -> str:
    return " ".join((text or "").split())[:ESSENCE]


def _deals(session: Session, rows: Sequence[Deal]) -> list[Record]:
    clients = _clients(session, [row.client_id for row in rows])
    people = _people(session, [row.staff_id for row in rows])
    return [
        Record(
            row.id, clients.get(row.client_id, ""),
            (
                Cell(row.product, "text"), Cell(row.amount, "money"), Cell(f"deal.{row.state}", "code"),
                Cell(people.get(row.staff_id, ""), "text"),
            ),
            ("deal", row.id), row.case_id,
        )
        for row in rows
    ]  # fmt: skip


def _calls(session: Session, rows: Sequence[Call]) -> list[Record]:
    clients = _clients(session, [row.client_id for row in rows])
    people = _people(session, [row.staff_id for row in rows])
    return [
        Record(
            row.id, row.number,
            (
                Cell(clients.get(row.client_id, ""), "text"), Cell(row.line, "text"),
                Cell(f"call.{row.result}", "code"),
                Cell(Fraction(row.seconds, 60) if row.seconds else None, "minutes"),
                Cell(people.get(row.staff_id, ""), "text"),
            ),
            ("call", row.id), row.case_id, row.message_id,
        )
        for row in rows
    ]  # fmt: skip


def _contracts_of(session: Session, ids: Iterable[int]) -> Callable[[int], tuple[str, str]]:
    """contract → its number and its client's name."""
    query = select(Contract.id, Contract.number, Client.name).join(Client, Client.id == Contract.client_id)
    found = {row[0]: (row[1] or "", row[2]) for row in session.execute(query.where(Contract.id.in_(set(ids))))}
    return lambda contract_id: found.get(contract_id, ("", ""))


def _owed(session: Session, rows: Sequence[Owed]) -> list[Record]:
    told = _contracts_of(session, [row.line.contract_id for row in rows])
    return [
        Record(
            row.id, told(row.line.contract_id)[0],
            (
                Cell(told(row.line.contract_id)[1], "text"), Cell(row.line.amount, "money"),
                Cell(row.debt, "money"),
                Cell(row.days if row.debt and row.days > 0 else None, "days"), Cell(row.line.promised_on, "date"),
            ),
            ("contract", row.line.contract_id),
        )
        for row in rows
    ]  # fmt: skip


def _debtors(session: Session, rows: Sequence[Debtor]) -> list[Record]:
    told = _contracts_of(session, [row.id for row in rows])
    return [
        Record(
            row.id, told(row.id)[0], (Cell(told(row.id)[1], "text"), Cell(row.debt, "money")), ("contract", row.id)
        )
        for row in rows
    ]


def _contracts(session: Session, rows: Sequence[Contract]) -> list[Record]:
    clients = _clients(session, [row.client_id for row in rows])
    return [
        Record(
            row.id, row.number or "",
            (
                Cell(clients.get(row.client_id, ""), "text"),
                Cell(row.terms.get("program", {}).get("name", ""), "text"), Cell(row.price, "money"),
                Cell(row.state, "code"),
            ),
            ("contract", row.id), row.case_id,
        )
        for row in rows
    ]  # fmt: skip


def _payments(session: Session, rows: Sequence[Payment]) -> list[Record]:
    told = _contracts_of(session, [row.contract_id for row in rows])
    return [
        Record(
            row.id, told(row.contract_id)[0],
            (
                Cell(told(row.contract_id)[1], "text"), Cell(signed(row), "money"),
                Cell("refund" if row.is_refund else "payment", "code"),
            ),
            ("contract", row.contract_id),
        )
        for row in rows
    ]  # fmt: skip


def _amendments(session: Session, rows: Sequence[Amendment]) -> list[Record]:
    told = _contracts_of(session, [row.contract_id for row in rows])
    return [
        Record(
            row.id, told(row.contract_id)[0],
            (
                Cell(told(row.contract_id)[1], "text"), Cell(row.number, "number"),
                Cell(_short(row.ground), "text"),
                Cell(row.signed_at, "date"),
            ),
            ("contract", row.contract_id), row.case_id,
        )
        for row in rows
    ]  # fmt: skip


def _terminations(session: Session, rows: Sequence[Ended]) -> list[Record]:
    told = _contracts_of(session, [row.row.contract_id for row in rows])
    return [
        Record(
            row.id, told(row.row.contract_id)[0],
            (
                Cell(told(row.row.contract_id)[1], "text"), Cell(f"ground.{row.row.ground}", "code"),
                Cell(row.row.refund, "money"), Cell(row.refunded, "money"), Cell(row.days, "days"),
            ),
            ("contract", row.row.contract_id), row.row.case_id,
        )
        for row in rows
    ]  # fmt: skip


def _obligations(session: Session, rows: Sequence[Obligation]) -> list[Record]:
    told = _contracts_of(session, [row.contract_id for row in rows])
    return [
        Record(
            row.id, told(row.contract_id)[0],
            (
                Cell(told(row.contract_id)[1], "text"), Cell(f"side.{row.side}", "code"),
                Cell(f"subject.{row.subject}", "code"), Cell(row.done_on, "date"),
            ),
            ("contract", row.contract_id),
        )
        for row in rows
    ]  # fmt: skip


def _cards(session: Session, rows: Sequence[Client]) -> list[Record]:
    return [
        Record(row.id, row.name, (Cell(f"segment.{row.segment}", "code"),), ("client", row.id)) for row in rows
    ]  # fmt: skip


def _merges(session: Session, rows: Sequence[Merge]) -> list[Record]:
    clients = _clients(session, [one for row in rows for one in (row.kept_id, row.gone_id)])
    people = _people(session, [row.staff_id for row in rows])
    return [
        Record(
            row.id, clients.get(row.kept_id, ""),
            (Cell(clients.get(row.gone_id, ""), "text"), Cell(people.get(row.staff_id, ""), "text")),
            ("client", row.kept_id),
        )
        for row in rows
    ]  # fmt: skip


def _broadcasts(session: Session, rows: Sequence[Broadcast]) -> list[Record]:
    people = _people(session, [row.staff_id for row in rows])
    return [
        Record(
            row.id, row.title, (Cell(f"broadcast.{row.state}", "code"), Cell(people.get(row.staff_id, ""), "text")),
            ("broadcast", row.id),
        )
        for row in rows
    ]  # fmt: skip


def _lines(session: Session, rows: Sequence[Message]) -> list[Record]:
    authors = _by_id(session, Author, [row.author_id for row in rows], Author.name)
    return [
        Record(
            row.id, authors.get(row.author_id, ""), (Cell(_short(row.text), "text"),), None, row.case_id, row.id
        )
        for row in rows
    ]  # fmt: skip


def _questions(session: Session, rows: Sequence[BroadcastQuestion]) -> list[Record]:
    messages = {
        row.id: row
        for row in session.scalars(select(Message).where(Message.id.in_([row.message_id for row in rows])))
    }
    authors = _by_id(session, Author, [row.author_id for row in messages.values()], Author.name)
    return [
        Record(
            row.id, authors.get(messages[row.message_id].author_id, ""),
            (Cell(_short(messages[row.message_id].text), "text"), Cell(f"asked.{row.state}", "code")),
            ("broadcast", row.broadcast_id), row.case_id, row.message_id,
        )
        for row in rows
    ]  # fmt: skip


def _troubles(session: Session, rows: Sequence[Trouble]) -> list[Record]:
    return [
        Record(
            row.id, "",
            (
                Cell(f"trouble.{row.kind}", "code"), Cell(row.count), Cell(row.asked_at, "moment"),
                Cell(row.ended_at, "moment"),
            ),
            row.page, row.case_id,
        )
        for row in rows
    ]  # fmt: skip


def _on_air(session: Session, rows: Sequence[BroadcastIncident]) -> list[Record]:
    titles = _by_id(session, Broadcast, [row.broadcast_id for row in rows], Broadcast.title)
    return [
        Record(
            row.id, titles.get(row.broadcast_id, ""),
            (Cell(f"trouble.{row.kind}", "code"), Cell(row.count), Cell(row.ended_at, "moment")),
            ("broadcast", row.broadcast_id), row.case_id,
        )
        for row in rows
    ]  # fmt: skip


def _windows(session: Session, rows: Sequence[Window]) -> list[Record]:
    people = _people(session, [row.look.staff_id for row in rows if row.look is not None])
    return [
        Record(
            row.id, row.place.title,
            (
                Cell(row.ends, "moment"), Cell(row.look.at if row.look else None, "moment"),
                Cell(people.get(row.look.staff_id, "") if row.look else "", "text"),
            ),
            ("checks", row.place.id),
        )
        for row in rows
    ]  # fmt: skip


def _looks(session: Session, rows: Sequence[Visit]) -> list[Record]:
    places = _by_id(session, VisitedPlace, [row.place_id for row in rows], VisitedPlace.title)
    people = _people(session, [row.staff_id for row in rows])
    return [
        Record(
            row.id, places.get(row.place_id, ""),
            (Cell(f"look.{row.outcome}", "code"), Cell(row.count), Cell(people.get(row.staff_id, ""), "text")),
            ("checks", row.place_id),
        )
        for row in rows
    ]  # fmt: skip


def _writers(session: Session, rows: Sequence[Writer]) -> list[Record]:
    authors = {
        row.id: row for row in session.scalars(select(Author).where(Author.id.in_([row.id for row in rows])))
    }
    return [
        Record(
            row.id, authors[row.id].name if row.id in authors else "",
            (Cell(authors[row.id].platform if row.id in authors else "", "platform"),), None, row.case_id,
        )
        for row in rows
    ]  # fmt: skip


def _spans(session: Session, rows: Sequence[LeadFact]) -> list[Record]:
    people = _people(session, [row.staff_id for row in rows])
    return [
        Record(
            row.id, people.get(row.staff_id, ""), (Cell(row.until, "moment"), Cell(row.minutes, "minutes")), None,
            row.case_id,
        )
        for row in rows
    ]  # fmt: skip


def _shifts(session: Session, rows: Sequence[Shift]) -> list[Record]:
    people = _people(session, [row.staff_id for row in rows])
    return [Record(row.id, people.get(row.staff_id, ""), (Cell(row.minutes, "minutes"),)) for row in rows]


def _cases(session: Session, rows: Sequence[Any]) -> list[Record]:
    query = (
        select(Case.id, Case.number, CaseFact.kind, Author.name, Message.text, Source.title)
        .join(CaseFact, CaseFact.id == Case.id).join(Source, Source.id == CaseFact.source_id)
        .outerjoin(Author, Author.id == Case.author_id).outerjoin(Message, Message.id == Case.first_message_id)
        .where(Case.id.in_([row.id for row in rows]))
    )  # fmt: skip
    found = {row.id: row for row in session.execute(query)}
    return [
        Record(
            row.id, "",
            (
                Cell(found[row.id].title, "text"), Cell(found[row.id].kind, "kind"),
                Cell(found[row.id].name or "", "text"), Cell(_short(found[row.id].text), "text"),
            ),
            None, row.id,
        )
        for row in rows
    ]  # fmt: skip


_WROTE = frozenset({"author", "essence"})
KINDS: Mapping[str, Kind] = {
    "deals": Kind(_deals, "client", ("product", "amount", "stage", "person"), "created_at"),
    "calls": Kind(_calls, "phone", ("client", "line", "call_result", "talk", "person"), "started_at"),
    "owed": Kind(_owed, "contract", ("client", "amount", "debt", "days_late", "promised_on")),
    "debtors": Kind(_debtors, "contract", ("client", "debt")),
    "contracts": Kind(_contracts, "contract", ("client", "programme", "price", "state"), "dated"),
    "payments": Kind(_payments, "contract", ("client", "amount", "payment_kind"), "paid_on", Payment),
    "amendments": Kind(_amendments, "contract", ("client", "amendment_number", "ground", "signed_on"), "dated"),
    "terminations": Kind(
        _terminations, "contract", ("client", "ground", "refund_agreed", "refunded", "days_taken")
    ),
    "obligations": Kind(_obligations, "contract", ("client", "whose", "subject", "done_on"), "due_on"),
    "cards": Kind(_cards, "client", ("segment",), "created_at", Client),
    "merges": Kind(_merges, "client", ("merged_card", "person"), "created_at", Merge),
    "broadcasts": Kind(_broadcasts, "broadcast", ("state", "person"), "starts_at"),
    "lines": Kind(_lines, "author", ("essence",), "published_at", Message, _WROTE, names=True),
    "questions": Kind(_questions, "author", ("essence", "end"), "asked_at", BroadcastQuestion, _WROTE, names=True),
    "troubles": Kind(_troubles, "", ("trouble", "mentions", "noticed_at", "ended_at"), "started_at"),
    "on_air": Kind(_on_air, "broadcast", ("trouble", "mentions", "ended_at"), "started_at", BroadcastIncident),
    "windows": Kind(_windows, "place", ("window_ends", "looked_at", "person"), "begins"),
    "looks": Kind(_looks, "place", ("look", "looks_found", "person")),
    "writers": Kind(_writers, "author", ("channel",), "", names=True),
    "spans": Kind(_spans, "person", ("led_until", "led_minutes"), "since", LeadFact),
    "shifts": Kind(_shifts, "person", ("shift_minutes",)),
    "cases": Kind(_cases, "", ("place", "kind", "author", "essence"), "opened_at", CaseFact, _WROTE),
}
