"""What stands behind each figure that no list of cases yields: its rows are those that the report itself counts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, literal, select, tuple_
from sqlalchemy.orm import Session

from models import Case, CaseFact, Client, Merge, Message, WishCase
from services.errors import NotFound, Refused
from services.reports.asked import named_cases, topic_lists
from services.reports.cut import FILTERS, Cut
from services.reports.digests import group_lists, writer_lists
from services.reports.funnel import funnel_lists
from services.reports.load import led_spans, shift_lists
from services.reports.money import (
    contract_lists,
    debt_lists,
    obligation_lists,
    signed,
    termination_lists,
    which_payments,
)
from services.reports.onair import broadcast_lists, rows_on_air, visit_lists
from services.reports.people import call_lists, which_clients, which_merges
from services.reports.records import KINDS, Kind, Record
from services.reports.shape import Lists
from services.reports.tables import REPORTS
from services.reports.troubles import trouble_lists
from services.rights import Actor, require

PAGE = 40
PIECE = 500
MOST_ROWS = 1_048_575

Rows = Sequence[Any] | Select[Any]


@dataclass(frozen=True)
class Listed:
    """``find``: the rows as of a moment, of a line's key or of all. ``report``: whose figure it is, so that the
    same right is asked and the same filters narrow it; None of a page by itself. ``sums``: (figure's word, unit, of
    a row) what of the rows is added up to the figure. ``of_now``: no period."""

    kind: str
    find: Callable[[Session, Cut, datetime, str | None], Rows]
    report: str | None
    sums: tuple[str, str, Callable[[Any], int]] | None = None
    of_now: bool = False

    @property
    def right(self) -> str:
        return "report.view" if self.report is None else REPORTS[self.report].right

    @property
    def filters(self) -> tuple[str, ...]:
        """Fields of a cut that narrow it."""
        if self.report is not None:
            return REPORTS[self.report].filters
        return () if self.of_now else FILTERS

    @property
    def by_case(self) -> tuple[str, ...]:
        """Those of them that a row has only by the case it came from."""
        return () if self.report is None else REPORTS[self.report].by_case


@dataclass(frozen=True, slots=True)
class Row:
    """A record with when it was, the number of its case and where what was written stands on the platform."""

    at: date | datetime | None
    record: Record
    number: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """``called`` is the word over the names, ``columns`` those for the cells of each row. ``whole``: (figure, unit,
    sum over all rows)."""

    called: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    total: int
    whole: tuple[str, str, int] | None
    after: str | None
    of_now: bool
    filters: tuple[str, ...]
    by_case: tuple[str, ...]


def _of(lists: Callable[[Session, Cut, datetime], Lists], name: str) -> Callable[..., Rows]:
    return lambda session, cut, now, key: lists(session, cut, now)[name].get(key, ())


def _from(
    report: str, lists: Callable[..., Lists], kind: str, names: Sequence[str], **more: Any
) -> dict[str, Listed]:
    return {name: Listed(kind, _of(lists, name), report, **more) for name in names}


def _on_air(name: str, kind: str) -> Listed:
    return Listed(kind, lambda session, cut, now, key: rows_on_air(session, cut, now, name, key), "broadcasts")


def _cards(name: str, *, of_now: bool) -> Listed:
    def find(_session: Session, cut: Cut, _now: datetime, key: str | None) -> Rows:
        return select(Client).where(*which_clients(name, cut, key))

    return Listed("cards", find, "clients", of_now=of_now)


def _merges(_session: Session, cut: Cut, _now: datetime, _key: str | None) -> Rows:
    return select(Merge).where(*which_merges(cut))


def _wished(*where: Any) -> Listed:
    """Cases that stand under a wish."""

    def find(_session: Session, _cut: Cut, _now: datetime, key: str | None) -> Rows:
        under = select(WishCase.case_id).where(*where)
        if key is not None:
            under = under.where(WishCase.wish_id == (int(key) if key.isdecimal() and len(key) < 19 else 0))
        return select(CaseFact).where(CaseFact.id.in_(under))

    return Listed("cases", find, None, of_now=True)


def _refunds(session: Session, cut: Cut, _now: datetime, _key: str | None) -> Rows:
    return list(session.scalars(which_payments(cut, is_refund=True)))


_DEBT = ("debt_sum", "money", lambda one: one.debt)
_BACK = ("refunded", "money", lambda one: one.refunded)
LISTED: Mapping[str, Listed] = {
    **_from(
        "funnel", funnel_lists, "deals", ("deals_begun", "deals_reached", "deals_standing", "deals_lost"),
        sums=("deal_sum", "money", lambda deal: deal.amount or 0),
    ),
    **_from(
        "calls", call_lists, "calls", ("calls_in", "calls_answered", "calls_missed", "calls_known", "called_back")
    ),
    **_from(
        "debts", debt_lists, "owed", ("debts", "debts_due", "debts_before", "promised", "promises_kept"), sums=_DEBT
    ),
    **_from("debts", debt_lists, "debtors", ("debtors",), sums=_DEBT),
    **_from(
        "contracts", contract_lists, "contracts", ("contracts",), sums=("price", "money", lambda one: one.price)
    ),
    **_from("contracts", contract_lists, "payments", ("contract_payments",), sums=("paid", "money", signed)),
    **_from("contracts", contract_lists, "owed", ("contract_debts",), sums=_DEBT),
    **_from("contracts", contract_lists, "amendments", ("amendments",)),
    **_from(
        "terminations", termination_lists, "terminations", ("terminations",),
        sums=("refund_agreed", "money", lambda one: one.row.refund),
    ),
    **_from(
        "terminations", termination_lists, "terminations", ("terminations_paid", "refunds_slow"), sums=_BACK
    ),
    "refunds": Listed(
        "payments", _refunds, "terminations", ("refunds_in_period", "money", lambda one: one.amount)
    ),
    **_from(
        "obligations", obligation_lists, "obligations",
        ("obligations", "obligations_kept", "obligations_late", "obligations_over"),
    ),
    **{name: _cards(name, of_now=name != "clients_new") for name in
       ("clients", "clients_new", "clients_complete", "clients_paying", "clients_again")},
    "merges": Listed("merges", _merges, "clients"),
    **_from("broadcasts", broadcast_lists, "broadcasts", ("broadcasts", "broadcasts_held")),
    "broadcast_messages": _on_air("messages", "lines"),
    **{f"broadcast_{name}": _on_air(name, "questions") for name in ("asked", "aloud", "chat", "carried", "leads")},
    "broadcast_incidents": _on_air("incidents", "on_air"),
    **_from(
        "incidents", trouble_lists, "troubles",
        ("incidents", "incidents_noticed", "incidents_mended", "incidents_open", "incidents_overdue",
         "incidents_repeated"),
    ),
    "incidents_said": Listed(
        "troubles", _of(trouble_lists, "incidents"), "incidents", ("mentions", "count", lambda one: one.count)
    ),
    **_from("visits", visit_lists, "windows", ("windows", "windows_done")),
    **_from("visits", visit_lists, "looks", ("looks",)),
    "looks_found": Listed(
        "looks", _of(visit_lists, "looks"), "visits", ("looks_found", "count", lambda one: one.count)
    ),
    **_from("groups", group_lists, "cases", ("group_came", "group_answered", "group_late", "group_wishes")),
    **_from("topics", writer_lists, "writers", ("authors",)),
    "led_spans": Listed("spans", lambda _session, cut, now, _key: led_spans(cut, now), "staff"),
    **_from(
        "staff", shift_lists, "shifts", ("shifts",), sums=("shift_minutes", "minutes", lambda one: one.minutes)
    ),
    "topic_cases": Listed("cases", lambda session, cut, now, key: topic_lists(session, cut, now, key)[0], None),
    "topic_people": Listed("writers", lambda session, cut, now, key: topic_lists(session, cut, now, key)[1], None),
    "competitor_named": Listed("cases", named_cases, None),
    "wish_cases": _wished(),
    "wish_told": _wished(WishCase.told_at.is_not(None)),
}  # fmt: skip
"""Word in an address → the rows behind a figure."""


def row_page(
    session: Session, actor: Actor, name: str, cut: Cut, now: datetime, key: str | None = None,
    after: str | None = None,
) -> Page:  # fmt: skip
    """A page of the rows behind a figure, the newest first; raises NotFound for a word that there is not."""
    listed = _listed(actor, name)
    kind, found = KINDS[listed.kind], listed.find(session, cut, now, key)
    if isinstance(found, Select):
        total = session.scalar(select(func.count()).select_from(found.order_by(None).subquery())) or 0
        whole = None
        shown = list(session.scalars(_ordered(found, kind, after).limit(PAGE + 1)))
    else:
        total, shown = len(found), _following(found, kind, after)[: PAGE + 1]
        whole = listed.sums and (*listed.sums[:2], sum(listed.sums[2](row) for row in found))
    more = _key_of(kind, shown[PAGE - 1]) if len(shown) > PAGE else None
    columns, rows = _shown(session, actor, kind, shown[:PAGE])
    return Page(
        kind.called, columns, tuple(rows), total, whole, more, listed.of_now, listed.filters, listed.by_case
    )


def file_rows(
    session: Session, actor: Actor, name: str, cut: Cut, now: datetime, key: str | None = None
) -> tuple[str, tuple[str, ...], Iterator[Row]]:
    """The word over the names, the columns, and all rows, a piece at a time."""
    require(actor, "data.export")
    listed = _listed(actor, name)
    kind, found = KINDS[listed.kind], listed.find(session, cut, now, key)
    columns, _none = _shown(session, actor, kind, [])

    def pieces() -> Iterator[Row]:
        if isinstance(found, Select):
            ordered = list(session.scalars(_ordered(found, kind, None)))
        else:
            ordered = _following(found, kind, None)
        for start in range(0, min(len(ordered), MOST_ROWS), PIECE):
            yield from _shown(session, actor, kind, ordered[start : start + PIECE])[1]

    return kind.called, columns, pieces()


def _listed(actor: Actor, name: str) -> Listed:
    require(actor, "report.view")
    if name not in LISTED:
        raise NotFound("report.unknown", name=name[:40])
    require(actor, LISTED[name].right)
    return LISTED[name]


def _place(kind: Kind, row: Any) -> tuple[Any, ...]:
    return (getattr(row, kind.at), row.id) if kind.at else (row.id,)


def _key_of(kind: Kind, row: Any) -> str:
    *at, row_id = _place(kind, row)
    return "~".join([*(one.isoformat() for one in at), str(row_id)])


def _parsed(kind: Kind, after: str) -> tuple[Any, ...]:
    *at, row_id = after.split("~")
    try:
        if len(at) != bool(kind.at) or len(row_id) > 18:
            raise ValueError(after)
        told = [datetime.fromisoformat(one) if "T" in one else date.fromisoformat(one) for one in at]
        return (*told, int(row_id))
    except ValueError:
        raise Refused("page.key") from None


def _ordered(query: Select[Any], kind: Kind, after: str | None) -> Select[Any]:
    columns = [getattr(kind.table, kind.at), kind.table.id]
    if after:
        values = (literal(one, column.type) for one, column in zip(_parsed(kind, after), columns, strict=True))
        query = query.where(tuple_(*columns) < tuple_(*values))
    return query.order_by(*(column.desc() for column in columns))


def _following(rows: Sequence[Any], kind: Kind, after: str | None) -> list[Any]:
    ordered = sorted(rows, key=lambda row: _place(kind, row), reverse=True)
    if not after:
        return ordered
    stands = _parsed(kind, after)
    return [row for row in ordered if _place(kind, row) < stands]


def _shown(session: Session, actor: Actor, kind: Kind, rows: Sequence[Any]) -> tuple[tuple[str, ...], list[Row]]:
    """The columns that the person may see, and the rows with them."""
    reads = actor.may("case.view")
    seen = [place for place, name in enumerate(kind.columns) if reads or name not in kind.private]
    records = kind.show(session, rows) if rows else []
    cases, urls = _cases(session, records), _urls(session, records) if reads else {}
    told = []
    for row, one in zip(rows, records, strict=True):
        number, first = cases.get(one.case_id or 0, (None, None))
        record = replace(
            one, cells=tuple(one.cells[place] for place in seen), name=one.name if reads or not kind.names else ""
        )
        told.append(
            Row(getattr(row, kind.at) if kind.at else None, record, number, urls.get(one.message_id or first))
        )
    return tuple(kind.columns[place] for place in seen), told


def _cases(session: Session, records: Sequence[Record]) -> dict[int, tuple[str | None, int | None]]:
    """case → its number and first message."""
    wanted = {one.case_id for one in records if one.case_id is not None}
    query = select(Case.id, Case.number, Case.first_message_id).where(Case.id.in_(wanted))
    return {row[0]: (row[1], row[2]) for row in session.execute(query)} if wanted else {}


def _urls(session: Session, records: Sequence[Record]) -> dict[int | None, str | None]:
    """message → where it stands on its platform, of the records' own and of the first ones of their cases."""
    own = {one.message_id for one in records if one.message_id is not None}
    cases = {one.case_id for one in records if one.case_id is not None}
    first = select(Case.first_message_id).where(Case.id.in_(cases))
    query = select(Message.id, Message.url).where(Message.id.in_(own) | Message.id.in_(first))
    return {row[0]: row[1] for row in session.execute(query)} if own or cases else {}
