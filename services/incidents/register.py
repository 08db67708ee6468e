"""«Инциденты»: which are open and which are over, the cases of one, and what a person does with it by hand."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from models import (
    Author,
    Case,
    Clock,
    Department,
    Incident,
    IncidentCase,
    Message,
    Notice,
    Route,
    Source,
    Staff,
    utc_now,
)
from services.cases import get_case
from services.digests import tell_of_end
from services.errors import NotFound, Refused, Stale
from services.events import record
from services.incidents.gathering import NOTICE, ask, begin, count_of, join
from services.incidents.troubles import COPIES, TITLES, Trouble
from services.kinds import renew_kind
from services.responsibility import all_themes
from services.rights import Actor, require
from services.words_owed import UPDATE, end_updates, note_updated, update_clock

MOST_SHOWN = 500
MOST_TITLE = 200
SHOWN = {"open": ("open",), "over": ("over", "answered")}


@dataclass(frozen=True, slots=True)
class Member:
    """One case of an incident, as its page shows it."""

    case: Case
    author: str
    text: str
    place: str
    by: str | None = None  # who put it in by hand


@dataclass(frozen=True, slots=True)
class Line:
    """One incident of the list; ``waits``: how many of its cases are still open."""

    incident: Incident
    unit: Department | None
    waits: int


@dataclass(frozen=True, slots=True)
class IncidentView:
    """The page of one incident; ``told``: who was asked, ``out``: cases that a person took out."""

    incident: Incident
    unit: Department | None
    route: Route | None
    told: str | None
    opened_by: str | None
    ended_by: str | None
    members: tuple[Member, ...]
    out: tuple[Member, ...]
    word: Clock | None = None  # by when people are to hear how it stands

    @property
    def waits(self) -> int:
        return sum(one.case.open_key is not None for one in self.members)


def incidents_of(session: Session, actor: Actor, which: str = "open", limit: int = 100) -> list[Line]:
    """The newest first; ``which``: open · over."""
    require(actor, "case.view")
    waits = (
        select(func.count())
        .select_from(IncidentCase)
        .join(Case, Case.id == IncidentCase.case_id)
        .where(IncidentCase.incident_id == Incident.id, IncidentCase.out_at.is_(None), Case.open_key.is_not(None))
        .scalar_subquery()
    )
    query = select(Incident, Department, waits).outerjoin(Department, Department.id == Incident.department_id)
    rows = session.execute(query.where(Incident.state.in_(SHOWN[which])).order_by(Incident.id.desc()).limit(limit))
    return [Line(row[0], row[1], row[2]) for row in rows]


def counts_of(session: Session) -> dict[str, int]:
    """open · over → how many."""
    query = select(Incident.state, func.count()).group_by(Incident.state)
    found = {row[0]: row[1] for row in session.execute(query)}
    return {which: sum(found.get(state, 0) for state in states) for which, states in SHOWN.items()}


def incident_of(session: Session, case_id: int) -> Incident | None:
    """The incident in which the case stands."""
    query = select(Incident).join(IncidentCase, IncidentCase.incident_id == Incident.id)
    return session.scalar(query.where(IncidentCase.case_id == case_id, IncidentCase.out_at.is_(None)))


def open_incidents(session: Session) -> list[Incident]:
    """Those that a case may be put into."""
    return list(session.scalars(select(Incident).where(Incident.state == "open").order_by(Incident.id.desc())))


def view_incident(session: Session, actor: Actor, incident_id: int, most: int = MOST_SHOWN) -> IncidentView:
    """Raises NotFound for one that is not there."""
    require(actor, "case.view")
    incident = session.get(Incident, incident_id)
    if incident is None:
        raise NotFound("incident.unknown", id=incident_id)
    names = {row.id: row.name for row in session.execute(select(Staff.id, Staff.name))}
    route = session.get(Route, incident.route_id) if incident.route_id else None
    query = (
        select(IncidentCase, Case, Author.name, Message.text, Source.title)
        .join(Case, Case.id == IncidentCase.case_id)
        .join(Source, Source.id == Case.source_id)
        .outerjoin(Author, Author.id == Case.author_id)
        .outerjoin(Message, Message.id == Case.first_message_id)
        .where(IncidentCase.incident_id == incident.id)
        .order_by(Case.opened_at, Case.id)
        .limit(most)
    )
    members: list[Member] = []
    out: list[Member] = []
    for link, case, author, text, place in session.execute(query):
        member = Member(case, author or "", text or "", place, names.get(link.staff_id or 0))
        (members if link.out_at is None else out).append(member)
    return IncidentView(
        incident, session.get(Department, incident.department_id) if incident.department_id else None, route,
        names.get(route.staff_id or 0) if route else None, names.get(incident.opened_by_id or 0),
        names.get(incident.ended_by_id or 0), tuple(members), tuple(out),
        update_clock(session, incident.case_id) if incident.case_id else None,
    )  # fmt: skip


def hold_incident(session: Session, incident_id: int) -> Incident:
    incident = session.get(Incident, incident_id, with_for_update=True, populate_existing=True)
    if incident is None:
        raise NotFound("incident.unknown", id=incident_id)
    return incident


def open_by_hand(
    session: Session,
    actor: Actor,
    case_ids: Sequence[int],
    *,
    title: str = "",
    theme: str | None = None,
    department_id: int | None = None,
) -> Incident:
    """A person does not wait for the fifth. Of a theme whose incident is open the cases join that one.

    ``theme`` None: that of the first case. Raises Refused without a case, for a theme there is not, and for a case
    that stands in another incident.
    """
    require(actor, "case.route")
    wanted = sorted(set(case_ids))
    cases = [get_case(session, actor, case_id) for case_id in wanted]
    if not cases:
        raise Refused("incident.empty")
    theme = (cases[0].theme or COPIES) if theme is None else theme
    if theme != COPIES and theme not in all_themes():
        raise Refused("theme.unknown")
    unit = session.get(Department, department_id) if department_id else None
    trouble = Trouble(theme, department=unit.code if unit else None)
    # Cases without a theme gather under nothing: what a person put together is an incident of its own.
    key = theme or f"case:{cases[0].id}"
    # The incident before its cases, as everywhere: two who take them the other way about would wait for each other.
    incident = begin(session, actor, key, trouble, sorted(cases, key=lambda one: (one.opened_at, one.id)))
    for case in cases:
        session.expire(case)
    cases = [get_case(session, actor, case_id, hold=True) for case_id in wanted]
    _check_free(session, cases, incident.id)
    if incident.count == 0:
        incident.title = title.strip()[:MOST_TITLE] or TITLES.get(theme, TITLES[COPIES])
    _put(session, actor, incident, cases)
    ask(session, incident)
    return incident


def add_case(session: Session, actor: Actor, incident_id: int, case_id: int) -> Incident:
    """Puts a case in; raises Refused for one that stands in another, Stale where the incident is over."""
    require(actor, "case.route")
    incident = hold_incident(session, incident_id)
    if incident.state != "open":
        raise Stale("incident.over")
    case = get_case(session, actor, case_id, hold=True)
    _check_free(session, [case], incident.id)
    _put(session, actor, incident, [case])
    return incident


def case_by_number(session: Session, actor: Actor, number: str) -> Case:
    """By the number that people say; raises NotFound."""
    require(actor, "case.view")
    case = session.scalar(select(Case).where(Case.number == number.strip()))
    if case is None:
        raise NotFound("case.unknown", id=0)
    return case


def _check_free(session: Session, cases: Sequence[Case], incident_id: int | None) -> None:
    taken = select(IncidentCase.incident_id).where(
        IncidentCase.case_id.in_([one.id for one in cases]), IncidentCase.out_at.is_(None)
    )
    if any(found != incident_id for found in session.scalars(taken)):
        raise Refused("incident.elsewhere")


def _put(session: Session, actor: Actor, incident: Incident, cases: Sequence[Case]) -> None:
    """Also what a person had taken out, of this one or of another."""
    session.execute(
        update(IncidentCase)
        .where(IncidentCase.case_id.in_([one.id for one in cases]), IncidentCase.out_at.is_not(None))
        .values(incident_id=incident.id, staff_id=actor.staff_id, out_at=None)
        .execution_options(synchronize_session=False)
    )
    join(session, actor, incident, cases)


def take_out(session: Session, actor: Actor, incident_id: int, case_id: int) -> Incident:
    """The case is of something else; it does not come back by itself."""
    require(actor, "case.route")
    incident = hold_incident(session, incident_id)
    link = session.scalar(
        select(IncidentCase).where(IncidentCase.incident_id == incident.id, IncidentCase.case_id == case_id)
    )
    if link is None:
        raise NotFound("case.unknown", id=case_id)
    if link.out_at is None:
        link.out_at, link.staff_id = utc_now(), actor.staff_id
        session.flush()
        incident.count = count_of(session, incident.id)
        renew_kind(session, session.get_one(Case, case_id))
        record(session, "incident.left", actor, case_id=case_id, object_id=incident.id)
    return incident


def rename_incident(session: Session, actor: Actor, incident_id: int, title: str) -> Incident:
    require(actor, "case.route")
    incident = hold_incident(session, incident_id)
    if not title.strip():
        raise Refused("name.empty")
    incident.title = title.strip()[:MOST_TITLE]
    record(session, "incident.renamed", actor, object_id=incident.id)
    return incident


def told_people(session: Session, actor: Actor, incident_id: int) -> Incident:
    """People heard how it stands, by whatever way: the next word is due in an hour. Raises Stale for one that is
    over, Refused where no word is owed."""
    require(actor, "case.reply")
    incident = hold_incident(session, incident_id)
    if incident.state != "open":
        raise Stale("incident.over")
    case = get_case(session, actor, incident.case_id, hold=True) if incident.case_id is not None else None
    if case is None or not note_updated(session, case):
        raise Refused("incident.no_word")
    seen = update(Notice).where(
        Notice.kind.like(f"{UPDATE}.%"), Notice.case_id == case.id, Notice.seen_at.is_(None)
    )
    session.execute(seen.values(seen_at=utc_now()).execution_options(synchronize_session=False))
    record(session, "incident.told", actor, case_id=case.id, object_id=incident.id)
    return incident


def end_incident(session: Session, actor: Actor, incident_id: int) -> Incident:
    """«Закончить»: nothing joins it any more; the same words begin a new one."""
    require(actor, "case.route")
    incident = hold_incident(session, incident_id)
    if incident.state != "open":
        raise Stale("incident.over")
    incident.state, incident.open_key = "over", None
    incident.ended_at, incident.ended_by_id = utc_now(), actor.staff_id
    if incident.case_id is not None:
        end_updates(session, incident.case_id)
    kinds = or_(Notice.kind == NOTICE, Notice.kind.like(f"{UPDATE}.%"))
    told = update(Notice).where(kinds, Notice.case_id == incident.case_id, Notice.seen_at.is_(None))
    session.execute(told.values(seen_at=utc_now()).execution_options(synchronize_session=False))
    tell_of_end(session, incident)
    record(session, "incident.ended", actor, object_id=incident.id, count=incident.count)
    return incident
