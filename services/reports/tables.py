"""«Все отчёты» as data: the number and code of each (domain.md §8), its columns, and what it asks of the facts."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models import CaseFact, CaseStep, Department, Review, RouteFact, Satisfaction, Source, Staff
from models.database import ask_much
from services.errors import NotFound
from services.reports import narrowed
from services.reports.answers import Share, queue, shares
from services.reports.cohorts import COHORTS, Cohort, count, counts, parts
from services.reports.cohorts import SIGNS as STEPS
from services.reports.compared import beside_before
from services.reports.cut import NO_PROGRAMME, NO_THEME, NONE, UNSURE, Cut
from services.reports.digests import groups_table, themes_before, themes_table
from services.reports.funnel import funnel_table
from services.reports.load import staff_table
from services.reports.marks import criteria_table, mean
from services.reports.money import contracts_table, debts_table, obligations_table, terminations_table
from services.reports.onair import broadcasts_table, visits_table
from services.reports.people import calls_table, clients_table
from services.reports.programmes import case_programmes
from services.reports.register import register_before, register_table
from services.reports.shape import Ask, Cell, Line, Report, Table
from services.reports.spread import Spread, spread_of, spreads
from services.reports.tally import ALL, tallies, tally
from services.reports.troubles import incidents_table
from services.rights import Actor, require

DIMENSIONS: Mapping[str, tuple[Any, str]] = {
    "source": (CaseFact.source_id, "source_id"),
    "platform": (CaseFact.platform, "platform"),
    "kind": (CaseFact.kind, "kind"),
    "theme": (CaseFact.theme, "theme"),
    "department": (CaseFact.department_id, "department_id"),
    "staff": (CaseFact.staff_id, "staff_id"),
    "programme": (CaseFact.programme, "programme"),
}
"""Word in an address → what a report is split by, and the filter that one of its lines is."""
_NOBODY = {"kind": UNSURE, "theme": NO_THEME, "department": NONE, "staff": NONE, "programme": NO_PROGRAMME}


def run_table(
    session: Session, actor: Actor, code: str, cut: Cut, now: datetime, by: str | None = None, *,
    compared: bool = False,
) -> Table:  # fmt: skip
    """The figures of a report, ``compared``: with those of the period before; raises NotFound for one that there is
    not."""
    require(actor, "report.view")
    if code not in REPORTS:
        raise NotFound("report.unknown", name=code[:40])
    report = REPORTS[code]
    require(actor, report.right)
    ask_much(session)
    by = by if by in report.splits else report.splits[0]
    table = report.ask(session, cut, now, by)
    if compared and report.compared:
        before = (report.earlier or report.ask)(session, cut.before(), now, by)
        table = beside_before(table, before, apart=report.apart)
    return table if actor.may("case.view") else _without(table, report.words)


def _without(table: Table, columns: Collection[str]) -> Table:
    """The table with nothing in some of its columns, and a note of it."""
    if not set(columns) & set(table.columns):
        return table
    lines = (
        replace(line, cells=tuple(
            Cell(None, "text") if name in columns else cell
            for name, cell in zip(table.columns, line.cells, strict=True)
        ))
        for line in table.lines
    )  # fmt: skip
    return replace(table, lines=tuple(lines), missing=(*table.missing, "unread"))


def checked_share(session: Session, cut: Cut, now: datetime) -> Share:
    """Cases of the period whose kind a person said, and those of which nobody has."""
    checked = count(session, "checked", cut, now)
    return Share(checked, count(session, "came", cut, now) - checked)


def column_of(by: str, name: str = "came") -> Any:
    """By which column a list is split."""
    return {"staff": COHORTS[name].person, "source": COHORTS[name].place}.get(by, DIMENSIONS[by][0])


def _share(met: int, late: int) -> float | None:
    return met / (met + late) if met + late else None


def _names(session: Session, by: str) -> dict[Any, str]:
    if by == "source":
        return {row.id: row.title for row in session.scalars(select(Source))}
    if by == "staff":
        return {row.id: row.name for row in session.scalars(select(Staff))}
    if by == "programme":
        return {name: name for name in case_programmes(session)}
    if by == "department":
        return {row.id: row.name for row in session.scalars(select(Department))}
    return {}


def _table(
    session: Session, by: str, columns: tuple[str, ...], keys: Mapping[Any, int],
    cells: Callable[[Any, Mapping[str, Any]], tuple[Cell, ...]],
) -> Table:  # fmt: skip
    """Lines for ``keys`` (key → size, the largest first) and the whole under ALL."""
    names, name = _names(session, by), DIMENSIONS[by][1]
    ordered = sorted((key for key in keys if key is not ALL), key=lambda key: (-keys[key], str(key)))
    lines = [
        Line(key, names.get(key, ""), cells(key, {name: _NOBODY.get(by) if key is None else key}))
        for key in ordered
    ]
    return Table(columns, by, tuple(lines), cells(ALL, {}))


def _first_answer(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    column = DIMENSIONS[by][0]
    took = spreads(session, "answered", CaseFact.first_minutes, column, cut, now)
    here = spreads(session, "answered", CaseFact.first_here_minutes, column, cut, now)

    def cells(key: Any, changes: Mapping[str, Any]) -> tuple[Cell, ...]:
        found = took.get(key, Spread())
        return (
            Cell(found.count, "count", "answered", changes),
            *_spread_cells(found, "answered", changes),
            Cell(here.get(key, Spread()).median, "minutes", "answered", changes),
        )

    columns = ("answered", "median", "p90", "mean", "longest", "here_median")
    return _table(session, by, columns, {key: found.count for key, found in took.items()}, cells)


def _spread_cells(found: Spread, name: str, changes: Mapping[str, Any]) -> tuple[Cell, ...]:
    return tuple(
        Cell(value, "minutes", name, changes) for value in (found.median, found.p90, found.mean, found.longest)
    )


def _in_time(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    found = {
        what: shares(session, what, column_of(by, f"{what}_met"), cut, now) for what in ("first", "resolution")
    }

    def cells(key: Any, changes: Mapping[str, Any]) -> tuple[Cell, ...]:
        return tuple(
            cell
            for what, numbers in found.items()
            for cell in (
                Cell(numbers.get(key, Share()).met, "count", f"{what}_met", changes),
                Cell(numbers.get(key, Share()).late, "count", f"{what}_late", changes),
                Cell(numbers.get(key, Share()).value, "share", f"{what}_met", changes),
            )
        )

    columns = ("first_met", "first_late", "first_share", "resolution_met", "resolution_late", "resolution_share")
    sizes: Counter[Any] = Counter()
    for numbers in found.values():
        sizes.update({key: share.met + share.late for key, share in numbers.items()})
    return _table(session, by, columns, sizes, cells)


def _counted(session: Session, name: str, by: str, cut: Cut, now: datetime) -> dict[Any, int]:
    """How many rows a list has for each value, and under ALL: each row has one value, be it that of none."""
    found = counts(session, name, column_of(by, name), cut, now)
    return {**found, ALL: sum(found.values())}


def _resolution(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    net, gross, whose = _spent(session, DIMENSIONS[by][0], cut, now)

    def cells(key: Any, changes: Mapping[str, Any]) -> tuple[Cell, ...]:
        found, whole = net.get(key, Spread()), gross.get(key, Spread())
        return (
            Cell(found.count, "count", "resolved", changes),
            *_spread_cells(found, "resolved", changes),
            Cell(whole.median, "minutes", "resolved", changes),
            Cell(whole.mean, "minutes", "resolved", changes),
            *(Cell(minutes, "minutes", "resolved", changes) for minutes in whose.get(key, (None, None))),
        )

    columns = (
        "resolved", "median", "p90", "mean", "longest", "gross_median", "gross_mean", "desk_mean",
        "department_mean",
    )  # fmt: skip
    return _table(session, by, columns, {ALL: 0, **{key: found.count for key, found in net.items()}}, cells)


def _spent(
    session: Session, column: Any, cut: Cut, now: datetime
) -> tuple[dict[Any, Spread], dict[Any, Spread], dict[Any, tuple[Fraction, Fraction]]]:
    """Of resolved cases the time without and with the author's, and the means of ours and of the departments'."""
    columns = (column, CaseFact.desk_minutes, CaseFact.department_minutes, CaseFact.client_minutes)
    net: dict[Any, Counter[int]] = {}
    gross: dict[Any, Counter[int]] = {}
    sums: dict[Any, list[int]] = {}
    for key, desk, unit, client, number in tally(session, COHORTS["resolved"].query(columns, cut, now), columns):
        for group in (key, ALL):
            net.setdefault(group, Counter())[desk + unit] += number
            gross.setdefault(group, Counter())[desk + unit + client] += number
            total = sums.setdefault(group, [0, 0, 0])
            total[0] += number
            total[1] += desk * number
            total[2] += unit * number
    spread = ({key: spread_of(found.items()) for key, found in one.items()} for one in (net, gross))
    means = {key: (Fraction(desk, number), Fraction(unit, number)) for key, (number, desk, unit) in sums.items()}
    return (*spread, means)  # type: ignore[return-value]


def _legal(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    names = ("legal_met", "legal_late", "legal_open")
    left = _days_left(session, cut, now, by)
    found = {name: _counted(session, name, by, cut, now) for name in names}

    def cells(key: Any, changes: Mapping[str, Any]) -> tuple[Cell, ...]:
        number = {name: found[name].get(key, 0) for name in names}
        return (
            *(Cell(number[name], "count", name, changes) for name in names),
            Cell(_share(number["legal_met"], number["legal_late"]), "share", "legal_met", changes),
            Cell(left.get(key), "days", "legal_open", changes),
        )

    sizes = {key: sum(found[name].get(key, 0) for name in names) for name in names for key in found[name]}
    return _table(session, by, (*names, "legal_share", "legal_days"), sizes, cells)


def _days_left(session: Session, cut: Cut, now: datetime, by: str) -> dict[Any, int]:
    """Days that are left until the nearest term by law of what is open."""
    here, column = ZoneInfo(cut.zone), DIMENSIONS[by][0]
    query = COHORTS["legal_open"].query((column, func.min(CaseFact.legal_due_at)), cut, now).group_by(column)
    today = now.astimezone(here).date()
    found = {key: (due.astimezone(here).date() - today).days for key, due in session.execute(query)}
    return {**found, ALL: min(found.values())} if found else {}


def _structure(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """By kind, leading theme and the like each case counts once; by «themes» once for each that it has."""
    if by == "themes":
        return _themes(session, cut, now, by)
    came = _counted(session, "came", by, cut, now)
    before = _counted(session, "came", by, cut.before(), now)
    checked = _counted(session, "checked", by, cut, now)

    def cells(key: Any, changes: Mapping[str, Any]) -> tuple[Cell, ...]:
        number = came.get(key, 0)
        return (
            Cell(number, "count", "came", changes),
            Cell(number / came[ALL] if came[ALL] else None, "share", "came", changes),
            Cell(before.get(key, 0), "count", "came", {**changes, **cut.days_before()}),
            Cell(checked.get(key, 0) / number if number else None, "share", "checked", changes),
        )

    return _table(session, by, STRUCTURE_COLUMNS, {**before, **came}, cells)


STRUCTURE_COLUMNS = ("came", "part", "came_before", "checked")


def _themes(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """The part is of all cases, so that the parts of the lines exceed the whole."""
    came, before, checked = (
        _each_theme(session, name, one, now)
        for name, one in (("came", cut), ("came", cut.before()), ("checked", cut))
    )

    def cells(key: Any, changes: Mapping[str, Any]) -> tuple[Cell, ...]:
        number = came.get(key, 0)
        return (
            Cell(number, "count", "came", changes),
            Cell(number / came[ALL] if came[ALL] else None, "share", "came", changes),
            Cell(before.get(key, 0), "count", "came", {**changes, **cut.days_before()}),
            Cell(checked.get(key, 0) / number if number else None, "share", "checked", changes),
        )

    keys = sorted({*before, *came} - {ALL}, key=lambda key: (-came.get(key, 0), str(key)))
    lines = [Line(key, "", cells(key, {"about": key or NO_THEME})) for key in keys]
    return Table(STRUCTURE_COLUMNS, by, tuple(lines), cells(ALL, {}), (), (), ("themes",))


def _each_theme(session: Session, name: str, cut: Cut, now: datetime) -> dict[Any, int]:
    """theme → how many cases of a list are about it, among others or not; None: about none."""
    found: dict[Any, int] = {ALL: 0}
    for themes, number in counts(session, name, CaseFact.themes, cut, now).items():
        for key in (*(themes.split() or (None,)), ALL):
            found[key] = found.get(key, 0) + number
    return found


def _queue(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    lists = {
        "total": "queue", "unanswered": "waiting", "late": "late_now", "department": "queue_department",
        "client": "queue_client",
    }  # fmt: skip
    ages = queue(session, cut, now)
    lines = [
        Line(number, "", tuple(Cell(getattr(age, name), "count", lists[name], {}, number) for name in lists))
        for number, age in enumerate(ages)
    ]
    total = tuple(Cell(count(session, lists[name], cut, now), "count", lists[name]) for name in lists)
    return Table(tuple(lists.values()), by, tuple(lines), total)


SIGNS: Mapping[str, int] = {{"resolved": "ended"}.get(kind, kind): sign for kind, sign in STEPS.items()}
"""Column of the report → what its steps do to the backlog."""
_MOVES = Cohort(CaseStep.at, lambda _cut, _now: [CaseStep.kind.in_(STEPS)], CaseStep)
_MOVE = case({kind: number for number, kind in enumerate(STEPS)}, value=CaseStep.kind, else_=len(STEPS))
Moves = Callable[..., dict[Any, dict[str, int]]]


def _flow(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """The backlog at both ends is what all steps before them leave: in what was opened, out what was ended."""
    signs = SIGNS
    column = _MOVES.place if by == "source" else DIMENSIONS[by][0]

    def moves(*when: Any) -> dict[Any, dict[str, int]]:
        query = _MOVES.query((column, _MOVE), cut, now).where(*when)
        (found,) = tallies(session, query, (column,), _MOVE)
        return {
            key: {name: moved.get(number, 0) for number, name in enumerate(signs)} for key, moved in found.items()
        }

    within, ends = moves(*cut.within(CaseStep.at)), _backlog(session, by, cut, moves, now)

    def cells(key: Any, changes: Mapping[str, Any]) -> tuple[Cell, ...]:
        moved, end = within.get(key, dict.fromkeys(signs, 0)), ends.get(key, 0)
        start = end - sum(sign * moved[name] for name, sign in signs.items())
        steps = (Cell(moved[name], "count", {"ended": "resolved_cases"}.get(name, name), changes) for name in signs)
        morrow = cut.last + timedelta(days=1)
        after = {**changes, "first": morrow, "last": morrow}
        return (Cell(start, "count", "backlog", changes), *steps, Cell(end, "count", "backlog", after))

    sizes = {**dict.fromkeys(ends, 0), **{key: sum(found.values()) for key, found in within.items()}}
    return _table(session, by, ("backlog_start", *signs, "backlog_end"), sizes, cells)


def _backlog(session: Session, by: str, cut: Cut, moves: Moves, now: datetime) -> dict[Any, int]:
    """What was open at the end of the period: all that went in and out until then, or what is open now less what
    did since; whichever has less to be read."""
    first = session.scalar(select(func.min(CaseStep.at)).where(CaseStep.kind == "opened"))
    if first is None or cut.until - first < now - cut.until:
        return {key: _net(found) for key, found in moves(CaseStep.at < cut.until).items()}
    since = {key: _net(found) for key, found in moves(CaseStep.at >= cut.until).items()}
    is_open = _counted(session, "queue", by, cut, now)
    return {key: is_open.get(key, 0) - since.get(key, 0) for key in {**is_open, **since}}


def _net(moved: Mapping[str, int]) -> int:
    return sum(sign * moved[name] for name, sign in SIGNS.items())


_ASKED = (
    "asked", "ask_opened", "ask_unopened", "ask_answered", "ask_declined", "ask_returned", "ask_met", "ask_late",
)  # fmt: skip


def _departments(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    column = RouteFact.department_id
    found, _ = parts(session, "asked", _ASKED[1:], column, cut, now)
    found["ask_overdue"] = Counter(counts(session, "ask_overdue", column, cut, now))
    whole = {name: sum(numbers.values()) for name, numbers in found.items()}
    opened = spreads(session, "asked", RouteFact.open_minutes, column, cut, now)
    took = spreads(session, "ask_answered", RouteFact.answer_minutes, column, cut, now)

    def cells(key: Any, changes: Mapping[str, Any]) -> tuple[Cell, ...]:
        number = whole if key is ALL else {name: numbers.get(key, 0) for name, numbers in found.items()}
        sent = number["asked"]
        parts = ("ask_answered", "ask_declined", "ask_returned")
        return (
            Cell(sent, "count", "asked", changes),
            Cell(_share(number["ask_opened"], number["ask_unopened"]), "share", "ask_opened", changes),
            *(Cell(number[name] / sent if sent else None, "share", name, changes) for name in parts),
            Cell(_share(number["ask_met"], number["ask_late"]), "share", "ask_met", changes),
            Cell(number["ask_late"], "count", "ask_late", changes),
            Cell(opened.get(key, Spread()).median, "minutes", "asked", changes),
            Cell(took.get(key, Spread()).median, "minutes", "ask_answered", changes),
            Cell(number["ask_overdue"], "count", "ask_overdue", changes),
        )

    columns = (
        "asked", "accept_share", "ask_answered", "ask_declined", "ask_returned", "ask_share", "ask_late",
        "open_median", "answer_median", "ask_overdue",
    )  # fmt: skip
    keys = {**found["ask_overdue"], **found["asked"]}
    table = _table(session, "department", columns, {**keys, ALL: 0}, cells)
    is_asked = whole["ask_opened"] + whole["ask_unopened"] > 0
    return table if is_asked or not whole["asked"] else replace(table, missing=("accept",))


def _again(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    names = ("reopened", "ended", "again_known", "again_repeat")
    found = {name: _counted(session, name, by, cut, now) for name in names}

    def cells(key: Any, changes: Mapping[str, Any]) -> tuple[Cell, ...]:
        back, ended = found["reopened"].get(key, 0), found["ended"].get(key, 0)
        known, repeats = found["again_known"].get(key, 0), found["again_repeat"].get(key, 0)
        return (
            Cell(known, "count", "again_known", changes),
            Cell(repeats, "count", "again_repeat", changes),
            Cell(repeats / known if known else None, "share", "again_repeat", changes),
            Cell(back, "count", "reopened", changes),
            Cell(ended, "count", "ended", changes),
            Cell(back / ended if ended else None, "share", "reopened", changes),
        )

    sizes = {key: found["ended"].get(key, 0) for name in names for key in found[name]}
    return _table(
        session,
        by,
        ("again_known", "again_repeat", "repeat_share", "reopened", "ended", "again_share"),
        sizes,
        cells,
    )


def _marks(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """An answer belongs to its writer here, whoever leads the case."""
    if by == "criterion":
        return criteria_table(session, cut, now, by)
    tables = {"mark_asked": Satisfaction, "marked": Satisfaction, "mark_good": Satisfaction, "reviewed": Review}

    def column(table: Any) -> Any:
        return table.staff_id if by == "staff" else DIMENSIONS[by][0]

    found = {
        name: {**counts(session, name, column(table), cut, now), ALL: count(session, name, cut, now)}
        for name, table in tables.items()
    }
    means = {**mean(session, "judged", cut, now, column(Review)), **mean(session, "judged", cut, now, all_of=ALL)}

    def cells(key: Any, changes: Mapping[str, Any]) -> tuple[Cell, ...]:
        asked, marked, good, read = (found[name].get(key, 0) for name in tables)
        return (
            Cell(asked, "count", "mark_asked", changes),
            Cell(marked, "count", "marked", changes),
            Cell(marked / asked if asked else None, "share", "marked", changes),
            Cell(good, "count", "mark_good", changes),
            Cell(good / marked if marked else None, "share", "mark_good", changes),
            Cell(read, "count", "reviewed", changes),
            Cell(means.get(key), "mark", "judged", changes),
        )

    columns = ("mark_asked", "marked", "response_share", "mark_good", "csat", "reviewed", "qa_mean")
    sizes = {key: sum(found[name].get(key, 0) for name in tables) for name in tables for key in found[name]}
    return _table(session, by, columns, sizes, cells)


def _of_contracts(number: int, code: str, ask: Ask, by: str) -> Report:
    return Report(number, code, ask, (by,), "contract.view", by_case=narrowed.BY_CASE)


_WITHOUT_STAFF = ("source", "platform", "kind", "theme", "department", "programme")
REPORTS: Mapping[str, Report] = {
    report.code: report
    for report in (
        Report(1, "first_answer", _first_answer),
        Report(2, "in_time", _in_time),
        Report(3, "resolution", _resolution),
        Report(4, "legal", _legal),
        Report(
            5, "structure", _structure,
            ("kind", "theme", "themes", "source", "platform", "department", "staff", "programme"),
        ),
        Report(6, "queue", _queue, ("age",), compared=False),
        Report(7, "flow", _flow, _WITHOUT_STAFF),
        Report(8, "staff", staff_table, ("staff",)),
        Report(9, "departments", _departments, ("department",)),
        Report(10, "again", _again, _WITHOUT_STAFF),
        Report(11, "topics", themes_table, ("theme",), earlier=themes_before),
        Report(12, "incidents", incidents_table, ("trouble",), filters=narrowed.TROUBLES),
        Report(13, "groups", groups_table, ("group",)),
        Report(14, "broadcasts", broadcasts_table, ("broadcast",), filters=narrowed.BROADCASTS, apart=True),
        Report(15, "visits", visits_table, ("visited",), filters=narrowed.CHECKS),
        Report(
            16, "register", register_table, ("complaints", "wishes"), earlier=register_before,
            words=("author", "essence", "measures"),
        ),
        Report(17, "funnel", funnel_table, ("stage", "loss"), "deal.view", by_case=narrowed.DEALS_BY_CASE),
        _of_contracts(19, "debts", debts_table, "bucket"),
        replace(_of_contracts(20, "contracts", contracts_table, "contract"), compared=False),
        _of_contracts(21, "terminations", terminations_table, "ground"),
        _of_contracts(23, "obligations", obligations_table, "side"),
        Report(24, "calls", calls_table, ("line",), "client.view", by_case=narrowed.CALLS_BY_CASE),
        Report(25, "clients", clients_table, ("segment",), "client.view", narrowed.CLIENTS),
        Report(27, "marks", _marks, ("staff", *_WITHOUT_STAFF, "criterion")),
    )
}  # fmt: skip
LEFT_OUT: Mapping[int, str] = {18: "plan", 22: "documents", 26: "privacy"}
"""Reports of domain.md §8 that have no source here yet → what is missing; they are named, never shown as 0."""
