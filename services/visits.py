"""The log of checks: places that a person looks into as often as required, each look with person and time (P15)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models import Source, Staff, Task, Visit, VisitedPlace, utc_now
from models.database import Database
from services.crm.tasks import close_task
from services.errors import NotFound, Refused
from services.events import record
from services.leases import insert_missing
from services.rights import DESK, Actor, require
from services.settings.history import keeping
from services.terms import policy_of, read_hour

NAME = "visits"
"""Under it the versions of the whole plan are kept."""
COLUMNS = ("title", "url", "every_minutes", "opens", "closes", "staff_id", "source_id", "active")
OUTCOMES = ("nothing", "found", "unreachable")
AUTO = "auto"
LEAST_MINUTES, MOST_MINUTES = 10, 24 * 60
SHOWN = 60
ALL_DAY = "24:00"


@dataclass(frozen=True, slots=True)
class Form:
    """What a person enters about a place."""

    title: str
    url: str = ""
    every_minutes: int = 120
    opens: str = "09:00"
    closes: str = "21:00"
    staff_id: int | None = None
    source_id: int | None = None


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A place with its next look; ``due_at`` None: outside its hours nothing is due."""

    place: VisitedPlace
    due_at: datetime | None
    last: Visit | None
    last_by: str
    person: str
    source: Source | None

    def is_late(self, now: datetime) -> bool:
        return self.due_at is not None and self.due_at < now


@dataclass(frozen=True, slots=True)
class Looked:
    """A line of the log."""

    visit: Visit
    place: str
    staff: str


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time in which somebody had to look, and the first look within it."""

    place: VisitedPlace
    begins: datetime
    ends: datetime
    look: Visit | None

    @property
    def id(self) -> int:
        return self.place.id


@dataclass(frozen=True, slots=True)
class Coverage:
    """domain.md §8, 15: ``windows`` of the period that are over, and the looks of people."""

    place: VisitedPlace
    windows: tuple[Window, ...]
    by_hand: tuple[Visit, ...]

    @property
    def done(self) -> tuple[Window, ...]:
        return tuple(one for one in self.windows if one.look is not None)

    @property
    def found(self) -> int:
        return sum(visit.count for visit in self.by_hand)


def list_places(session: Session, actor: Actor, now: datetime | None = None) -> list[PlaceRow]:
    """Active ones, the longest due first."""
    require(actor, "visit.view")
    now = now or utc_now()
    places = list(session.scalars(select(VisitedPlace).where(VisitedPlace.active).order_by(VisitedPlace.id)))
    people = {row.id: row.name for row in session.scalars(select(Staff))}
    sources = {row.id: row for row in session.scalars(select(Source))}
    zone = _zone(session)
    rows = []
    for place in places:
        query = select(Visit).where(Visit.place_id == place.id).order_by(Visit.at.desc(), Visit.id.desc()).limit(1)
        last = session.scalars(query).first()
        rows.append(
            PlaceRow(
                place, due_of(place, now, zone), last, people.get(last.staff_id or 0, "") if last else "",
                people.get(place.staff_id or 0, ""), sources.get(place.source_id or 0),
            )
        )  # fmt: skip
    return sorted(rows, key=lambda row: (row.due_at is None, row.due_at or now))


def log_of(session: Session, actor: Actor, limit: int = SHOWN) -> list[Looked]:
    """The latest looks of people."""
    require(actor, "visit.view")
    query = (
        select(Visit, VisitedPlace.title, Staff.name)
        .join(VisitedPlace, VisitedPlace.id == Visit.place_id)
        .outerjoin(Staff, Staff.id == Visit.staff_id)
        .where(Visit.outcome != AUTO)
        .order_by(Visit.at.desc(), Visit.id.desc())
        .limit(limit)
    )
    return [Looked(visit, title, name or "") for visit, title, name in session.execute(query)]


def get_place(session: Session, actor: Actor, place_id: int) -> VisitedPlace:
    require(actor, "visit.view")
    found = session.get(VisitedPlace, place_id)
    if found is None:
        raise NotFound("visit.unknown", id=place_id)
    return found


def due_of(place: VisitedPlace, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When the next look is due: so long after the last one, or after the place's hours began today."""
    span = hours_of(place, now.astimezone(zone).date(), zone)
    if not span[0] <= now < span[1]:
        return None
    since = max(span[0], place.last_at or place.created_at)
    return min(since + timedelta(minutes=place.every_minutes), span[1])


def hours_of(place: VisitedPlace, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    opens = datetime.combine(day, read_hour(place.opens), zone)
    if place.closes == ALL_DAY:
        return opens, datetime.combine(day + timedelta(days=1), time.min, zone)
    return opens, datetime.combine(day, read_hour(place.closes), zone)


def windows_of(place: VisitedPlace, day: date, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """The stretches of a day in each of which somebody has to look once; a last one that is cut short counts."""
    start, end = hours_of(place, day, zone)
    step = timedelta(minutes=place.every_minutes)
    found = []
    while start < end:
        found.append((start, min(start + step, end)))
        start += step
    return found


def coverage(
    session: Session, first: date, last: date, now: datetime, zone: ZoneInfo | None = None, *,
    where: Sequence[ColumnElement[bool]] = (),
) -> list[Coverage]:  # fmt: skip
    """Each active place over the days of a period, up to this moment; ``where`` says which places."""
    zone = zone or _zone(session)
    since = datetime.combine(first, time.min, zone)
    until = datetime.combine(last + timedelta(days=1), time.min, zone)
    looks: dict[int, list[Visit]] = {}
    for visit in session.scalars(select(Visit).where(Visit.at >= since, Visit.at < until).order_by(Visit.at)):
        looks.setdefault(visit.place_id, []).append(visit)
    rows = []
    places = select(VisitedPlace).where(VisitedPlace.active, *where).order_by(VisitedPlace.id)
    for place in session.scalars(places):
        there = looks.get(place.id, [])
        windows = (
            Window(place, begins, ends, next((visit for visit in there if begins <= visit.at < ends), None))
            for offset in range((last - first).days + 1)
            for begins, ends in windows_of(place, first + timedelta(days=offset), zone)
            if ends <= now and begins >= place.created_at
        )
        by_hand = (visit for visit in there if visit.outcome != AUTO)
        rows.append(Coverage(place, tuple(windows), tuple(by_hand)))
    return rows


def save_place(session: Session, actor: Actor, form: Form, place_id: int | None = None) -> VisitedPlace:
    """A new place, or another requirement for one; raises Refused for hours or a frequency that are none."""
    require(actor, "visit.edit")
    with keeping(session, actor, NAME, snapshot):
        return _save(session, actor, form, place_id)


def _save(session: Session, actor: Actor, form: Form, place_id: int | None) -> VisitedPlace:
    title = form.title.strip()[:200]
    if not title:
        raise Refused("visit.title")
    if form.url and not form.url.startswith(("https://", "http://")):
        raise Refused("broadcast.link")
    if not LEAST_MINUTES <= form.every_minutes <= MOST_MINUTES:
        raise Refused("visit.every", least=LEAST_MINUTES)
    _check_hours(form)
    for table, key in ((Staff, form.staff_id), (Source, form.source_id)):
        if key is not None and session.get(table, key) is None:
            raise Refused("visit.unknown", id=key)
    place = get_place(session, actor, place_id) if place_id else VisitedPlace(created_at=utc_now())
    place.title, place.url, place.every_minutes = title, form.url.strip(), form.every_minutes
    place.opens, place.closes = form.opens, form.closes
    place.staff_id, place.source_id = form.staff_id, form.source_id
    session.add(place)
    session.flush()
    record(session, "visit.place", actor, object_id=place.id)
    return place


def _check_hours(form: Form) -> None:
    opens = read_hour(form.opens)
    closes = time.max if form.closes == ALL_DAY else read_hour(form.closes)
    if not opens < closes:
        raise Refused("visit.hours")


def drop_place(session: Session, actor: Actor, place_id: int) -> None:
    """It need not be looked into any more; what was noted stays."""
    require(actor, "visit.edit")
    place = get_place(session, actor, place_id)
    with keeping(session, actor, NAME, snapshot):
        place.active = False
        _end_task(session, actor, place)
    record(session, "visit.place", actor, object_id=place.id, code="dropped")


def snapshot(session: Session) -> list[dict[str, Any]]:
    """The plan as a version keeps it, with what is checked no more; when somebody looked is no part of it."""
    rows = session.scalars(select(VisitedPlace).order_by(VisitedPlace.id))
    return [{"id": row.id, **{name: getattr(row, name) for name in COLUMNS}} for row in rows]


def replace_places(session: Session, actor: Actor, rows: Sequence[Mapping[str, Any]]) -> None:
    """The plan becomes that of a version, by the checks of today: what was added since is checked no more. Raises
    Refused naming whoever does not come in any more."""
    require(actor, "visit.edit")
    people = {row.id: row for row in session.scalars(select(Staff))}
    wanted = {row["id"]: row for row in rows if row["active"]}
    with keeping(session, actor, NAME, snapshot):
        for place in list(session.scalars(select(VisitedPlace).order_by(VisitedPlace.id))):
            row = wanted.get(place.id)
            if row is None:
                if place.active:
                    drop_place(session, actor, place.id)
                continue
            looker = people.get(row["staff_id"] or 0)
            if row["staff_id"] is not None and (looker is None or not looker.active):
                raise Refused("visit.left", name=looker.name if looker is not None else f"№ {row['staff_id']}")
            place.active = True
            _save(session, actor, Form(**{name: row[name] for name in COLUMNS if name != "active"}), place.id)


def note_visit(
    session: Session, actor: Actor, place_id: int, outcome: str, count: int = 0, note: str = ""
) -> Visit:
    """«Новых нет», «Есть новые», «Не открывается»: person and time; the task of it is done."""
    require(actor, "visit.note")
    place = get_place(session, actor, place_id)
    if outcome not in OUTCOMES or not 0 <= count <= 10_000:
        raise Refused("visit.outcome")
    visit = Visit(
        place_id=place.id, staff_id=actor.staff_id, outcome=outcome,
        count=max(1, count) if outcome == "found" else 0, note=note.strip()[:500], at=utc_now(),
    )  # fmt: skip
    session.add(visit)
    place.last_at = visit.at
    _end_task(session, actor, place)
    session.flush()
    record(session, "visit.noted", actor, object_id=place.id, code=outcome)
    return visit


def _end_task(session: Session, actor: Actor, place: VisitedPlace) -> None:
    task = session.scalar(select(Task).where(Task.open_key == f"visit:{place.id}"))
    if task is not None:
        close_task(session, actor, task, "")


def run_visits(database: Database, now: datetime | None = None) -> int:
    """Notes where a connector has read, and makes a task of what is overdue; returns how many places changed."""
    now = now or utc_now()
    with database.read.begin() as session:
        zone = _zone(session)
        places = list(session.scalars(select(VisitedPlace).where(VisitedPlace.active)))
        late = [one.id for one in places if (due := due_of(one, now, zone)) is not None and due <= now]
        read = [one.id for one in places if one.source_id is not None]
    changed = 0
    if not late and not read:
        return 0
    with database.write.begin() as session:
        for place_id in read:
            changed += _note_reading(session, session.get_one(VisitedPlace, place_id), now, zone)
        changed += _want(session, late, now, zone)
    return changed


def _note_reading(session: Session, place: VisitedPlace, now: datetime, zone: ZoneInfo) -> bool:
    """One line a window, however often the connector reads."""
    source = session.get(Source, place.source_id)
    if source is None or source.read_at is None or source.error_code is not None or source.state != "active":
        return False
    at = source.read_at
    window = next(
        (one for one in windows_of(place, now.astimezone(zone).date(), zone) if one[0] <= at < one[1]), None
    )
    if window is None or (place.last_at is not None and place.last_at >= window[0]):
        return False
    session.add(Visit(place_id=place.id, outcome=AUTO, at=at))
    place.last_at = at
    _end_task(session, DESK, place)
    record(session, "visit.noted", DESK, object_id=place.id, code=AUTO)
    return True


def _want(session: Session, late: Sequence[int], now: datetime, zone: ZoneInfo) -> int:
    """One task a place, until somebody has looked."""
    made = 0
    for place in session.scalars(select(VisitedPlace).where(VisitedPlace.id.in_(late))):
        due = due_of(place, now, zone)
        key = f"visit:{place.id}"
        if due is None or due > now or session.scalar(select(Task.id).where(Task.open_key == key)) is not None:
            continue
        new = {
            "kind": "todo", "text": f"Проверить вручную: {place.title}"[:500], "state": "open", "tries": 0,
            "open_key": key, "staff_id": place.staff_id, "due_at": due, "remind_at": due, "result": "",
            "created_at": now,
        }  # fmt: skip
        insert_missing(session, Task, [new], "open_key")
        record(session, "visit.late", DESK, object_id=place.id)
        made += 1
    return made


def _zone(session: Session) -> ZoneInfo:
    return ZoneInfo(policy_of(session).calendars["desk"].zone)
