"""«Согласование»: the table of replies that wait for another person, and who stands in for the head."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from classifier import theme_names
from classifier.kinds import KINDS, VISIBILITIES
from models import Case, Setting, Staff
from services.errors import Refused
from services.kinds import HIGH
from services.presets import AGREEMENT
from services.rights import Actor, require
from services.settings.history import keep, value_of
from services.targets import check_answers
from services.terms import policy_of

NAME = "agreement"
MOST_MINUTES = 24 * 60
MOST_ROWS = 50


@dataclass(frozen=True, slots=True)
class Row:
    """Which replies wait: every condition that is named must hold; ``urgent``: priority high or critical."""

    kind: str | None = None
    visibility: str | None = None
    theme: str | None = None
    urgent: bool = False

    def holds(self, case: Case) -> bool:
        return (
            self.kind in (None, case.kind)
            and self.visibility in (None, case.visibility)
            and self.theme in (None, case.theme)
            and (not self.urgent or case.priority <= HIGH)
        )


@dataclass(frozen=True, slots=True)
class Agreement:
    """``minutes``: after so long a reply passes to ``deputies`` (ids of staff) as well (day.md §1.6)."""

    minutes: int = 30
    deputies: frozenset[int] = frozenset()
    rows: tuple[Row, ...] = ()


Cause = Literal["trainee"] | Row
"""Why a reply waits: its writer is a trainee, or a row of the table."""


def agreement_of(session: Session) -> Agreement:
    """As the department has it; the rows of its preset where it has none of its own."""
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    values = row.value if row else {}
    return read_agreement({"rows": AGREEMENT[policy_of(session).preset], **values})


def read_agreement(values: Mapping[str, Any]) -> Agreement:
    """Raises Refused for a time that is none or longer than a day, and for a row that means nothing."""
    minutes = values.get("minutes", 30)
    if not isinstance(minutes, int) or not 0 <= minutes <= MOST_MINUTES:
        raise Refused("agreement.minutes", most=MOST_MINUTES)
    return Agreement(
        minutes, frozenset(int(one) for one in values.get("deputies", ())), _read_rows(values.get("rows", ()))
    )


def _read_rows(given: Sequence[Mapping[str, Any]]) -> tuple[Row, ...]:
    rows = [Row(**{key: value for key, value in one.items() if value}) for one in given]
    known = {"kind": KINDS, "visibility": VISIBILITIES, "theme": theme_names()}
    for row in rows:
        if any(getattr(row, key) not in (None, *names) for key, names in known.items()):
            raise Refused("agreement.row")
    if len(rows) > MOST_ROWS:
        raise Refused("agreement.row")
    return tuple(dict.fromkeys(rows))


def save_agreement(session: Session, actor: Actor, values: Mapping[str, Any]) -> Agreement:
    """Keeps the table, who stands in for the head and after how long; raises Refused for a wrong row, and for a
    deputy who answers nobody."""
    require(actor, "settings.edit")
    wanted = read_agreement({"rows": [asdict(one) for one in agreement_of(session).rows], **values})
    check_agreement(session, values)
    keep(session, actor, NAME, {
        "minutes": wanted.minutes, "deputies": sorted(wanted.deputies),
        "rows": [asdict(one) for one in wanted.rows],
    })  # fmt: skip
    return wanted


def check_agreement(session: Session, values: Mapping[str, Any]) -> None:
    """Raises Refused for what cannot be kept, naming a deputy who answers nobody."""
    for staff_id in sorted(read_agreement(values).deputies):
        check_answers(session, staff_id, "agreement.deputy")


def hand_agreement(session: Session, actor: Actor, staff_id: int) -> None:
    """Nobody counts on a person who goes."""
    value = value_of(session, NAME) or {}
    if staff_id in value.get("deputies", ()):
        keep(session, actor, NAME, {**value, "deputies": [one for one in value["deputies"] if one != staff_id]})


def cause_to_wait(session: Session, actor: Actor, *cases: Case) -> Cause | None:
    """Why what the actor writes in one of ``cases`` waits for another person; None: it goes.

    Trainees always wait; whoever agrees to others' replies needs nobody for the rows of the table.
    """
    staff = session.get(Staff, actor.staff_id) if actor.staff_id else None
    if staff is not None and staff.trainee:
        return "trainee"
    if actor.may("reply.approve"):
        return None
    rows = agreement_of(session).rows
    return next((row for case in cases for row in rows if row.holds(case)), None)
