"""«Кто за что отвечает»: the one source of who leads a case, which department is asked and whom of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models import Case, Department, Message, Responsibility, Source, Staff
from services.absences import stand_ins
from services.crm.clients import fold_name
from services.crm.groups import leaders_of
from services.errors import NotFound, Refused
from services.events import record
from services.rights import DESK, Actor, actor_of, require
from services.settings.history import keeping
from services.targets import check_answers, covered

NAME = "duties"
ANY_PLACE, ANY_THEME = 0, ""
COLUMNS = ("place", "theme", "staff_id", "department_id", "asked_id")


@dataclass(frozen=True, slots=True)
class Duty:
    """What the table says of a text: who leads, which department is asked, whom of it; None: nobody is named."""

    staff_id: int | None = None
    department_id: int | None = None
    asked_id: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The whole of it: places in the rows, themes in the columns; ``cells`` only where something is said.

    ``gaps`` are places without anybody to lead what comes there.
    """

    places: tuple[Source, ...]
    themes: tuple[str, ...]
    cells: Mapping[tuple[int, str], Responsibility]
    gaps: tuple[Source, ...]


def all_themes() -> tuple[str, ...]:
    """Themes that the classifier can tell, in its order."""
    from classifier.phrases import theme_names  # its tables are read when somebody asks for a theme

    return theme_names()


def theme_of(text: str) -> str:
    """The leading theme of a text, empty when none is found."""
    from classifier.phrases import themes_of
    from classifier.text import read

    return next(iter(themes_of(read(text))), ANY_THEME)


def table_of(session: Session) -> Table:
    """The table as it stands."""
    places = tuple(
        session.scalars(
            select(Source).where(Source.state != "stopped", Source.removed_at.is_(None)).order_by(Source.id)
        )
    )
    cells = {(row.place, row.theme): row for row in session.scalars(select(Responsibility))}
    leads = {key for key, row in cells.items() if row.staff_id is not None}
    gaps = tuple(
        place for place in places if (place.id, ANY_THEME) not in leads and (ANY_PLACE, ANY_THEME) not in leads
    )
    return Table(places, all_themes(), cells, gaps)


def snapshot(session: Session) -> list[dict[str, Any]]:
    """The cells as a version keeps them."""
    rows = session.execute(
        select(*(getattr(Responsibility, name) for name in COLUMNS)).order_by(
            Responsibility.place, Responsibility.theme
        )
    )
    return [dict(row._mapping) for row in rows]


def duty_for(cells: Mapping[tuple[int, str], Responsibility], place: int, theme: str) -> Duty:
    """The nearest word on each: this place and theme, then the theme anywhere, then the place, then the whole."""
    keys = dict.fromkeys([(place, theme), (ANY_PLACE, theme), (place, ANY_THEME), (ANY_PLACE, ANY_THEME)])
    rows = [cells[key] for key in keys if key in cells]
    asking = next((row for row in rows if row.department_id is not None), None)
    return Duty(
        staff_id=next((row.staff_id for row in rows if row.staff_id is not None), None),
        department_id=asking.department_id if asking else None,
        asked_id=asking.asked_id if asking else None,
    )


def duty_of_case(session: Session, case: Case) -> Duty:
    """What the table says of a case, by its theme."""
    cells = {(row.place, row.theme): row for row in session.scalars(select(Responsibility))}
    if not cells:
        return Duty()
    theme = case.theme
    if theme is None:  # it was labelled before themes were kept
        theme = theme_of(session.scalar(select(Message.text).where(Message.id == case.first_message_id)) or "")
    return duty_for(cells, case.source_id, theme)


def assign_by_table(session: Session, cases: Sequence[Case]) -> None:
    """New cases go to whom the table names, or who stands in, if they may answer; nobody is taken off a case."""
    if session.scalar(select(Responsibility.id).where(Responsibility.staff_id.is_not(None)).limit(1)) is None:
        return
    usable = {
        one.id for one in session.scalars(select(Staff).where(Staff.active)) if actor_of(one).may("case.reply")
    }
    stand = stand_ins(session)
    for case in cases:
        if case.assignee_id is not None:
            continue
        found = duty_of_case(session, case).staff_id
        found = stand.get(found, found) if found is not None else None
        if found in usable:
            case.assignee_id = found
            record(session, "case.assigned", DESK, case_id=case.id, object_id=found)


def asked_person(session: Session, case: Case, department_id: int) -> int | None:
    """Whom of a department a question goes to, of those who answer for it: the one who leads the author's group,
    or whom the table names."""
    duty = duty_of_case(session, case)
    named = duty.asked_id if duty.department_id == department_id else None
    away = stand_ins(session)
    for staff_id in (_leader(session, case, department_id), named):
        person = session.get(Staff, away.get(staff_id, staff_id)) if staff_id is not None else None
        if person is not None and department_id in actor_of(person).departments:
            return person.id
    return None


def _leader(session: Session, case: Case, department_id: int) -> int | None:
    """Who of the department is the curator that the author's card names; None where it is none or more than one."""
    names = leaders_of(session, case.author_id)
    if not names:
        return None
    people = session.scalars(select(Staff).where(Staff.active).order_by(Staff.id))
    found = [
        one.id for one in people if fold_name(one.name) in names and department_id in actor_of(one).departments
    ]
    return found[0] if len(found) == 1 else None


def set_cell(
    session: Session,
    actor: Actor,
    place: int,
    theme: str,
    *,
    staff_id: int | None,
    department_id: int | None,
    asked_id: int | None = None,
) -> None:
    """Says who answers here; nothing in all three empties the cell. Raises Refused for whom it cannot be."""
    require(actor, "duty.edit")
    check_cell(session, place, theme, staff_id, department_id, asked_id)
    with covered(session), keeping(session, actor, NAME, snapshot):
        _put(session, place, theme, staff_id, department_id, asked_id)
    record(session, "duty.set", actor, place=place, theme=theme, staff=staff_id, department=department_id)


def _put(
    session: Session, place: int, theme: str, staff_id: int | None, department_id: int | None, asked_id: int | None
) -> None:
    row = session.scalar(select(Responsibility).where(Responsibility.place == place, Responsibility.theme == theme))
    if staff_id is None and department_id is None:
        if row is not None:
            session.delete(row)
    else:
        row = row or Responsibility(place=place, theme=theme)
        row.staff_id, row.department_id, row.asked_id = staff_id, department_id, asked_id
        session.add(row)
    session.flush()


def replace_cells(session: Session, actor: Actor, cells: Sequence[Mapping[str, Any]]) -> None:
    """The whole table becomes these rows of a snapshot; raises Refused naming whom or what it cannot be."""
    require(actor, "duty.edit")
    for one in cells:
        check_cell(session, **{name: one[name] for name in COLUMNS})
    with covered(session), keeping(session, actor, NAME, snapshot):
        session.execute(delete(Responsibility))
        session.expire_all()
        for one in cells:
            session.add(Responsibility(**{name: one[name] for name in COLUMNS}))


def fill_defaults(session: Session, actor: Actor) -> int:
    """Gives every theme that has no department yet the one that domain.md §6.7 names; returns how many."""
    from classifier import department_of

    require(actor, "duty.edit")
    with keeping(session, actor, NAME, snapshot):
        count = _fill(session, department_of)
    record(session, "duty.defaults", actor, count=count)
    return count


def _fill(session: Session, department_of: Callable[[str], str]) -> int:
    units = {unit.code: unit.id for unit in session.scalars(select(Department))}
    cells = {row.theme: row for row in session.scalars(select(Responsibility).where(Responsibility.place == 0))}
    count = 0
    for theme in all_themes():
        unit, row = units.get(department_of(theme)), cells.get(theme)
        if unit is not None and (row is None or row.department_id is None):
            row = row or Responsibility(place=ANY_PLACE, theme=theme)
            row.department_id = unit
            session.add(row)
            count += 1
    session.flush()
    return count


def check_cell(
    session: Session, place: int, theme: str, staff_id: int | None, department_id: int | None, asked_id: int | None
) -> None:
    """Raises Refused or NotFound for whom or what a cell cannot name."""
    if place != ANY_PLACE and session.get(Source, place) is None:
        raise NotFound("source.unknown", id=place)
    if theme and theme not in all_themes():
        raise Refused("duty.theme", theme=theme)
    if staff_id is not None:
        check_answers(session, staff_id)
    if department_id is not None and session.get(Department, department_id) is None:
        raise NotFound("department.unknown", id=department_id)
    if asked_id is not None:
        asked = session.get(Staff, asked_id)
        if asked is None or department_id not in actor_of(asked).departments:
            raise Refused("route.person", id=asked_id, name=asked.name if asked is not None else f"№ {asked_id}")


def hand_duties(session: Session, actor: Actor, staff_id: int, to_id: int | None) -> None:
    """Every cell that names a person names another, or nobody."""
    with keeping(session, actor, NAME, snapshot):
        session.execute(update(Responsibility).where(Responsibility.staff_id == staff_id).values(staff_id=to_id))
        session.execute(update(Responsibility).where(Responsibility.asked_id == staff_id).values(asked_id=None))
        session.expire_all()
