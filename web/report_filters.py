"""The address bar of reports: period and filters to and from a query string."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import request, url_for
from sqlalchemy.orm import Session

from classifier import LABELS
from collectors import CHANNELS
from models.contract import PROGRAMME_LENGTH
from services.accounts import list_staff
from services.reports.cut import FILTERS, NO_PROGRAMME, NO_THEME, NONE, UNSURE, Cut
from services.reports.listed import LISTED
from services.reports.periods import USUAL, days_of, own_days
from services.reports.programmes import programmes
from services.reports.shape import Cell
from services.rights import DESK
from services.routing import departments
from services.sources import list_sources
from web.dates import today
from web.language import _
from web.report_words import FILTERS as FILTER_WORDS
from web.report_words import PERIODS
from web.security import current_desk
from web.theme_words import THEMES
from web.words import department_name, label_name, platform_name

DEFAULT = USUAL


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer: (value, words) each."""

    platforms: list[tuple[str, str]]
    sources: list[tuple[int, str]]
    kinds: list[tuple[str, str]]
    themes: list[tuple[str, str]]
    departments: list[tuple[int, str]]
    people: list[tuple[int, str]]
    programmes: list[tuple[str, str]]


def read_cut(args: Mapping[str, str], on: date, zone: str) -> Cut:
    """What the address says; words it does not know are left out, a period that is none becomes the usual one."""
    first, last = _period(args, on)
    return Cut(
        first, last, zone,
        platform=args.get("platform") if args.get("platform") in CHANNELS else None,
        source_id=_number(args.get("source")),
        kind=args.get("kind") if args.get("kind") in (*LABELS, UNSURE) else None,
        theme=args.get("theme") if args.get("theme") in (*THEMES, NO_THEME) else None,
        department_id=_number(args.get("department")), staff_id=_number(args.get("staff")),
        programme=args.get("programme", "")[:PROGRAMME_LENGTH] or None,
        about=args.get("about") if args.get("about") in (*THEMES, NO_THEME) else None,
    )  # fmt: skip


def period_of(args: Mapping[str, str]) -> str:
    """Which of the named periods the address asks for; "" for days of its own."""
    if args.get("period") in PERIODS:
        return args["period"]
    return "" if _day(args.get("from")) and _day(args.get("to")) else DEFAULT


def _period(args: Mapping[str, str], on: date) -> tuple[date, date]:
    name = period_of(args)
    first, last = _day(args.get("from")), _day(args.get("to"))
    own = own_days(first, last)
    if not name and own is not None:
        return own
    return days_of(name, on)


def query_of(cut: Cut, **changes: Any) -> dict[str, str]:
    """The query string that ``read_cut`` understands, with days rather than a name, so that it lasts."""
    cut = replace(cut, **changes)
    values = {
        "from": cut.first.isoformat(), "to": cut.last.isoformat(), "platform": cut.platform,
        "source": cut.source_id, "kind": cut.kind, "theme": cut.theme,
        "department": cut.department_id, "staff": cut.staff_id, "programme": cut.programme, "about": cut.about,
    }  # fmt: skip
    return {name: str(value) for name, value in values.items() if value is not None}


def list_address(name: str, query: Mapping[str, Any]) -> str:
    """Where the list behind a figure is: its cases, or rows of another kind."""
    page = "report_rows.show" if name in LISTED else "reports.cases"
    return url_for(page, name=name, **query)


def cell_address(cell: Cell, cut: Cut) -> str:
    """Where the list behind a cell of a table is; "" where there is none."""
    if cell.list is None or cell.value is None:
        return ""
    narrowed = {"age": cell.age, "key": cell.key}
    return list_address(
        cell.list, query_of(cut, **cell.changes) | {k: v for k, v in narrowed.items() if v is not None}
    )


def filters_on(cut: Cut, names: Sequence[str]) -> list[str]:
    """Those of the filters that are on, in words for a sentence."""
    found = (name for name in names if getattr(cut, name) is not None)
    return list(dict.fromkeys(str(FILTER_WORDS[name]) for name in found))


def idle_filters(cut: Cut, narrows: Sequence[str]) -> list[str]:
    """Filters that are on and that nothing is narrowed by, in words."""
    return filters_on(cut, [name for name in FILTERS if name not in narrows])


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None


def asked_cut() -> Cut:
    """What the address bar asks for."""
    return read_cut(request.args, today(), current_desk().config.desk.time_zone)


def choices(session: Session) -> Choices:
    places = list_sources(session, DESK)
    return Choices(
        platforms=[(name, platform_name(name)) for name in sorted({place.platform for place in places})],
        sources=[(place.id, place.title) for place in places],
        kinds=[*((name, label_name(name)) for name in LABELS), (UNSURE, label_name(None))],
        themes=[*((code, str(words)) for code, words in THEMES.items()), (NO_THEME, _("without a theme"))],
        departments=[
            (NONE, _("without a department")), *((unit.id, department_name(unit)) for unit in departments(session))
        ],
        people=[(NONE, _("nobody")), *((person.id, person.name) for person in list_staff(session))],
        programmes=[
            *((name, name) for name in programmes(session)), (NO_PROGRAMME, _("without a programme")),
        ],
    )  # fmt: skip


def filter_words(cut: Cut, offered: Choices, narrows: Sequence[str] = FILTERS) -> list[tuple[str, str]]:
    """(field of the cut, words) for every filter that is on and narrows what is shown."""
    named: list[tuple[str, Any, list[Any]]] = [
        ("platform", cut.platform, offered.platforms), ("source_id", cut.source_id, offered.sources),
        ("kind", cut.kind, offered.kinds), ("theme", cut.theme, offered.themes),
        ("department_id", cut.department_id, offered.departments),
        ("staff_id", cut.staff_id, offered.people), ("programme", cut.programme, offered.programmes),
        ("about", cut.about, [(value, _("about: %(theme)s", theme=words)) for value, words in offered.themes]),
    ]  # fmt: skip
    return [
        (name, dict(options).get(value, str(value))) for name, value, options in named
        if value is not None and name in narrows
    ]  # fmt: skip
