"""Digests by letter: curators and technicians each working day, marketing on Mondays, the end of an incident."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from models import BroadcastIncident, Case, CaseFact, Delivery, Department, Incident, Route, Staff, utc_now
from models.database import Database
from services.deliveries import key_of, queue_letter
from services.reports.asked import topics_of
from services.reports.cohorts import COHORTS
from services.reports.cut import NO_THEME, Cut
from services.reports.digests import themes_table
from services.rights import actor_of
from services.route_states import OWED
from services.sla import clocks_of_routes
from services.terms import Policy, policy_of
from services.thanks import thanks_of
from services.ways import CHANNELS, choices_of, ways_of

if TYPE_CHECKING:
    from services.letters import Page

KIND = "digest"
MORNING = time(9)
MOST_THEMES, MOST_INCIDENTS, MOST_QUOTED = 5, 20, 300
Found = tuple[str, list[str]]


@dataclass(frozen=True, slots=True)
class Digest:
    """``weekly``: on Mondays, of the seven days before; else each working day, of all since the last one."""

    unit: str
    weekly: bool = False


DIGESTS = (Digest("curators"), Digest("technical"), Digest("marketing", weekly=True))


def people_of(session: Session, department_id: int) -> list[Staff]:
    """Who answers for a department and wants its digest."""
    people = session.scalars(select(Staff).where(Staff.active).order_by(Staff.id))
    mine = [one for one in people if department_id in actor_of(one).departments]
    return [one for one in mine if choices_of(one).tells(KIND)]


def due_digests(policy: Policy, now: datetime, zone: str) -> list[Digest]:
    """Those whose hour of today has come: the department's first answering hour, nine where it has none."""
    there = now.astimezone(ZoneInfo(zone))
    works = policy.calendars["desk"].span(there.date()) is not None
    found = []
    for one in DIGESTS:
        begins = min(policy.unit(one.unit).hours, default=MORNING)
        is_day = there.weekday() == 0 if one.weekly else works
        if is_day and there.time() >= begins:
            found.append(one)
    return found


def period_of(policy: Policy, digest: Digest, day: date) -> tuple[date, date]:
    """First and last day of which a digest of ``day`` tells; after days off it tells of them all."""
    last = day - timedelta(days=1)
    if digest.weekly:
        return day - timedelta(days=7), last
    first = last
    while policy.calendars["desk"].span(first) is None and day - first < timedelta(days=15):
        first -= timedelta(days=1)
    return first, last


def run_digests(database: Database, zone: str) -> int:
    """Puts the digests of today on their way, each to each person once; returns how many."""
    now = utc_now()
    with database.read.begin() as session:
        wanted = _wanted(session, now, zone)
    if not wanted:
        return 0
    with database.write.begin() as session:
        wanted = _wanted(session, now, zone)
        for key, staff_id, unit, day in wanted:
            for way in ways_of(session, session.get_one(Staff, staff_id), KIND):
                queue_letter(session, staff_id, KIND, key, {"unit": unit, "day": day}, channel=way)
    return len(wanted)


def _wanted(session: Session, now: datetime, zone: str) -> list[tuple[str, int, str, str]]:
    day = now.astimezone(ZoneInfo(zone)).date().isoformat()
    units = {row.code: row.id for row in session.scalars(select(Department))}
    found = [
        (f"digest-{one.unit}-{day}-{staff.id}", staff.id, one.unit, day)
        for one in due_digests(policy_of(session), now, zone)
        if one.unit in units
        for staff in people_of(session, units[one.unit])
    ]
    keys = {key_of(row[0], channel): row[0] for row in found for channel in CHANNELS}
    query = select(Delivery.form_key).where(Delivery.form_key.in_(list(keys)))
    known = {keys[key] for key in session.scalars(query)}
    return [row for row in found if row[0] not in known]


def tell_of_end(session: Session, incident: Incident) -> None:
    """The department hears how an incident ended: how long it was and how many wrote."""
    if incident.department_id is not None:
        for staff in people_of(session, incident.department_id):
            for way in ways_of(session, staff, KIND):
                key = f"digest-i{incident.id}-{staff.id}"
                queue_letter(session, staff.id, KIND, key, {"incident": incident.id}, channel=way)


# ── what is written ──────────────────────────────────────────────────────────


def digest_letter(page: "Page") -> Found | None:
    """None where there is nothing to tell, or the person answers for the department no more."""
    data = page.row.data
    if "incident" in data:
        incident = page.session.get(Incident, data["incident"])
        if incident is None or incident.department_id not in actor_of(page.staff).departments:
            return None
        return page.say("digest_end_subject", title=incident.title), [_incident(page, incident)]
    unit = page.session.scalar(select(Department).where(Department.code == data["unit"]))
    digest = next((one for one in DIGESTS if one.unit == data["unit"]), None)
    if unit is None or digest is None or unit.id not in actor_of(page.staff).departments:
        return None
    first, last = period_of(policy_of(page.session), digest, date.fromisoformat(data["day"]))
    cut = Cut(first, last, page.zone)
    parts = _PARTS[digest.unit](page, unit, cut)
    if not parts:
        return None
    one_day = page.say("digest_day", day=page.day(first))
    period = one_day if first == last else page.say("report_period", first=page.day(first), last=page.day(last))
    name = unit.name if page.staff.locale == "ru" else unit.name_en or unit.name
    link = [page.say("digest_link", link=f"{page.address}/questions")] if page.address and not digest.weekly else []
    return page.say("digest_subject", unit=name), [period, *parts, *link]


def _curators(page: "Page", unit: Department, cut: Cut) -> list[str]:
    return [*_questions(page, unit, cut), *_about(page, unit, cut), *_thanks(page, unit, cut)]


def _thanks(page: "Page", unit: Department, cut: Cut) -> list[str]:
    """Once a week, in the first digest after Sunday: the thanks that named whoever reads (day.md §3)."""
    sunday = cut.last - timedelta(days=cut.last.isoweekday() % 7)
    if sunday < cut.first:
        return []
    week = Cut(sunday - timedelta(days=6), sunday, page.zone)
    mine = people_of(page.session, unit.id)
    found = thanks_of(page.session, page.staff, week.since, week.until, mine)
    lines = [
        f"{author}: «{excerpt}»" if author else f"«{excerpt}»"
        for author, text in found
        if (excerpt := " ".join(text.split())[:MOST_QUOTED])
    ]
    return ["\n".join([page.say("digest_thanks"), *lines])] if lines else []


def _technical(page: "Page", unit: Department, cut: Cut) -> list[str]:
    within = (Incident.started_at >= cut.since) & (Incident.started_at < cut.until)
    query = select(Incident).where(Incident.department_id == unit.id, or_(within, Incident.state == "open"))
    rows = list(page.session.scalars(query.order_by(Incident.id.desc()).limit(MOST_INCIDENTS)))
    onair = page.session.scalar(
        select(func.count())
        .select_from(BroadcastIncident)
        .where(BroadcastIncident.started_at >= cut.since, BroadcastIncident.started_at < cut.until)
    )
    lines = [_incident(page, row) for row in rows]
    if onair:
        lines.append(page.say("digest_onair", count=onair))
    return [*_questions(page, unit, cut), *(["\n".join(lines)] if lines else []), *_about(page, unit, cut)]


def _marketing(page: "Page", _unit: Department, cut: Cut) -> list[str]:
    lines = []
    for line in themes_table(page.session, cut, utc_now(), "theme").lines[: 2 * MOST_THEMES]:
        now, before = line.cells[0].value, line.cells[1].value
        lines.append(page.say("digest_theme", theme=_theme(page, line.key), now=now, before=before))
    topics = topics_of(page.session, cut, utc_now()) or ()
    new = [
        page.say(
            "digest_new", words=", ".join(one.words), people=one.people,
            first=page.say("digest_first") if one.is_first else "",
        )
        for one in topics[: 2 * MOST_THEMES]
    ]  # fmt: skip
    return ["\n".join(part) for part in (lines, new) if part]


_PARTS = {"curators": _curators, "technical": _technical, "marketing": _marketing}


def _questions(page: "Page", unit: Department, cut: Cut) -> list[str]:
    """What the department owes, and what it was asked and answered in the time."""
    mine = Route.department_id == unit.id
    owed = list(page.session.scalars(select(Route.id).where(mine, Route.state.in_(OWED))))
    now = utc_now()
    late = sum(1 for clock in clocks_of_routes(page.session, owed).values() if clock.due_at < now)
    asked = _count(page, mine, Route.asked_at >= cut.since, Route.asked_at < cut.until)
    answered = _count(page, mine, Route.answered_at >= cut.since, Route.answered_at < cut.until)
    if not (owed or asked or answered):
        return []
    return [
        page.say("digest_owed", count=len(owed), late=late)
        + "\n"
        + page.say("digest_asked", asked=asked, answered=answered)
    ]


def _count(page: "Page", *conditions: ColumnElement[bool]) -> int:
    return page.session.scalar(select(func.count()).select_from(Route).where(*conditions)) or 0


def _about(page: "Page", unit: Department, cut: Cut) -> list[str]:
    """Of what people wrote in the department's own field."""
    query = COHORTS["came"].query((CaseFact.theme,), cut, utc_now()).join(Case, Case.id == CaseFact.id)
    found: Sequence[str | None] = list(page.session.scalars(query.where(Case.department == unit.code)))
    if not found:
        return []
    most = Counter(found).most_common(MOST_THEMES)
    themes = ", ".join(f"{_theme(page, theme)} — {number}" for theme, number in most)
    return [page.say("digest_about", count=len(found), themes=themes)]


def _theme(page: "Page", name: object) -> str:
    return page.say("theme_" if name in (None, "", NO_THEME) else f"theme_{name}")


def _incident(page: "Page", row: Incident) -> str:
    minutes = max(1, int(((row.ended_at or utc_now()) - row.started_at).total_seconds() // 60))
    key = "digest_incident" if row.ended_at is not None else "digest_incident_open"
    return page.say(key, title=row.title, count=row.count, began=page.when(row.started_at), minutes=minutes)
