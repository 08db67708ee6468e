"""Like cases find one another: enough of them begin an incident with one question, later ones join in silence."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from models import Case, Department, Incident, IncidentCase, Notice, Staff, utc_now
from models.database import Database
from services.absences import instead, stand_ins
from services.events import record
from services.incidents.troubles import COPIES, TITLES, Trouble, troubles_of
from services.kinds import raise_mass
from services.leases import insert_missing
from services.rights import DESK, Actor, actor_of
from services.rota import duty_now
from services.routing import ask_department
from services.words_owed import start_updates

FRESH = timedelta(hours=1)
"""What was said longer ago is history that is being read, not a trouble of now."""
TECHNICAL = "technical"
NOTICE = "incident"
ASKED = (
    "Инцидент «{title}»: {count} похожих обращений за {minutes} мин. "
    "Проверьте, пожалуйста, и напишите, когда исправите."
)
"""What the department is asked, in the language of the school's people."""


def key_of(case: Case, troubles: Sequence[Trouble]) -> tuple[str, Trouble] | None:
    """Under what the case gathers with its like, and by which row; None: under nothing."""
    for one in troubles:
        if not one.active or case.label not in one.labels:
            continue
        if one.theme == COPIES and case.wave_id is not None:
            return f"wave:{case.wave_id}", one
        if one.theme != COPIES and case.theme == one.theme:
            return one.theme, one
    return None


def waiting_cases(session: Session, now: datetime) -> list[Case]:
    """Cases of the last hour that stand in no incident and were taken out of none, the oldest first."""
    stands = exists().where(IncidentCase.case_id == Case.id)
    query = select(Case).where(
        Case.last_message_at > now - FRESH, Case.opened_at > now - FRESH, Case.number.is_not(None),
        Case.label.is_not(None), Case.state.not_in(("spam", "merged")), ~stands,
    )  # fmt: skip
    return list(session.scalars(query.order_by(Case.opened_at, Case.id)))


def run_incidents(database: Database) -> int:
    """Puts like cases together, one incident a transaction; returns how many cases it put."""
    with database.read.begin() as session:
        troubles = troubles_of(session)
        wanted = _grouped(waiting_cases(session, utc_now()), troubles)
        open_keys = set(session.scalars(select(Incident.open_key).where(Incident.open_key.is_not(None))))
    found = [key for key, (trouble, cases) in wanted.items() if key in open_keys or first_run(cases, trouble)]
    done = 0
    for key in sorted(found):
        with database.write.begin() as session:
            done += _gather(session, key, troubles)
    return done


def _grouped(cases: Sequence[Case], troubles: Sequence[Trouble]) -> dict[str, tuple[Trouble, list[Case]]]:
    groups: dict[str, tuple[Trouble, list[Case]]] = {}
    for case in cases:
        under = key_of(case, troubles)
        if under is not None:
            groups.setdefault(under[0], (under[1], []))[1].append(case)
    return groups


def first_run(cases: Sequence[Case], trouble: Trouble) -> list[Case]:
    """The first ``enough`` of ``cases`` (by time) within ``minutes`` and from ``authors`` people, with whatever
    follows them; empty where there are none such."""
    span = timedelta(minutes=trouble.minutes)
    for at in range(len(cases) - trouble.enough + 1):
        within = [one for one in cases[at:] if one.opened_at - cases[at].opened_at <= span]
        people = {one.author_id if one.author_id is not None else -one.id for one in within}
        if len(within) >= trouble.enough and len(people) >= trouble.authors:
            return list(cases[at:])
    return []


def _gather(session: Session, key: str, troubles: Sequence[Trouble]) -> int:
    """Read anew: an incident may have been begun, ended, or a case taken since the first look."""
    incident = session.scalar(select(Incident).where(Incident.open_key == key).with_for_update())
    trouble, cases = _grouped(waiting_cases(session, utc_now()), troubles).get(key, (None, []))
    if trouble is None:
        return 0
    if incident is None:
        cases = first_run(_after_the_last(session, trouble.theme, cases), trouble)
        if not cases:
            return 0
        incident = begin(session, DESK, key, trouble, cases)
    added = join(session, DESK, incident, [one for one in cases if one.opened_at >= incident.started_at])
    ask(session, incident)
    return added


def _after_the_last(session: Session, theme: str, cases: Sequence[Case]) -> list[Case]:
    """What was said before the end of the last incident of a theme speaks of that one."""
    query = select(func.max(Incident.ended_at)).where(Incident.theme == theme, Incident.ended_at.is_not(None))
    ended = session.scalar(query) if theme != COPIES else None
    return [one for one in cases if ended is None or one.opened_at > ended]


def begin(session: Session, actor: Actor, key: str, trouble: Trouble, cases: Sequence[Case]) -> Incident:
    """One incident, whoever begins it and how many at once: its key is unique."""
    unit = _unit(session, trouble, cases)
    new = {
        "theme": trouble.theme, "title": TITLES.get(trouble.theme, TITLES[COPIES]), "state": "open",
        "open_key": key, "count": 0, "department_id": unit.id if unit else None, "opened_by_id": actor.staff_id,
        "closing": "", "started_at": cases[0].opened_at, "last_at": cases[-1].opened_at,
    }  # fmt: skip
    insert_missing(session, Incident, [new], "open_key")
    incident = session.scalars(select(Incident).where(Incident.open_key == key).with_for_update()).one()
    if incident.count == 0:
        record(session, "incident.begun", actor, object_id=incident.id, code=trouble.theme)
    return incident


def _unit(session: Session, trouble: Trouble, cases: Sequence[Case]) -> Department | None:
    led = next((one.department for one in cases if one.department), None)
    for code in (trouble.department or led, TECHNICAL):
        unit = session.scalar(select(Department).where(Department.code == code))
        if unit is not None:
            return unit
    return None


def join(session: Session, actor: Actor, incident: Incident, cases: Sequence[Case]) -> int:
    """Puts the cases in that stand nowhere; returns how many came to it. The incident is held by the caller."""
    before = incident.count
    rows = [
        {"incident_id": incident.id, "case_id": one.id, "staff_id": actor.staff_id, "created_at": utc_now()}
        for one in sorted(cases, key=lambda one: one.id)
    ]
    if rows:
        insert_missing(session, IncidentCase, rows, "case_id")
    link = select(IncidentCase.case_id).where(
        IncidentCase.incident_id == incident.id, IncidentCase.case_id.in_([one.id for one in cases])
    )
    mine = set(session.scalars(link))
    incident.count = count_of(session, incident.id)
    for one in cases:
        if one.id in mine:
            incident.last_at = max(incident.last_at, one.opened_at)
            raise_mass(session, one)
            record(session, "incident.joined", actor, case_id=one.id, object_id=incident.id)
    return incident.count - before


def count_of(session: Session, incident_id: int) -> int:
    query = select(func.count()).select_from(IncidentCase)
    return session.scalar(query.where(IncidentCase.incident_id == incident_id, IncidentCase.out_at.is_(None))) or 0


def ask(session: Session, incident: Incident) -> None:
    """The one notice: an urgent question to the department, upon the first case; head and duty hear too."""
    first = session.scalar(
        select(IncidentCase.case_id)
        .where(IncidentCase.incident_id == incident.id, IncidentCase.out_at.is_(None))
        .order_by(IncidentCase.id)
        .limit(1)
    )
    asker = _asker(session)
    if incident.route_id is not None or incident.department_id is None or first is None or asker is None:
        return
    minutes = max(1, -(-int((incident.last_at - incident.started_at).total_seconds()) // 60))
    text = ASKED.format(title=incident.title, count=incident.count, minutes=minutes)
    route = ask_department(
        session, asker, first, incident.department_id, text, f"trouble-{incident.id}", urgent=True
    )  # fmt: skip
    incident.case_id, incident.route_id = first, route.id
    start_updates(session, session.get_one(Case, first))
    for staff_id in _told(session):
        session.add(Notice(staff_id=staff_id, kind=NOTICE, case_id=first, created_at=utc_now()))


def _asker(session: Session) -> Actor | None:
    """In whose name the desk asks: whoever has the duty, else the head, else the first who may."""
    people = [actor_of(one) for one in session.scalars(select(Staff).where(Staff.active).order_by(Staff.id))]
    able = [one for one in people if one.may("case.route")]
    duty = duty_now(session)
    named = [one for one in able if one.staff_id == duty]
    return next(iter([*named, *(one for one in able if "head" in one.roles), *able]), None)


def _told(session: Session) -> list[int]:
    people = [actor_of(one) for one in session.scalars(select(Staff).where(Staff.active))]
    wanted = {one.staff_id for one in people if "head" in one.roles and one.staff_id is not None}
    duty = duty_now(session)
    return instead(stand_ins(session), wanted | ({duty} if duty else set()))
