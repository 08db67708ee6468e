"""Templates: put in by staff, checked before anything else, approved by another, in force from a day on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Staff, StaffRole, Template, utc_now
from models.database import Database
from services.documents.files import DOCX, get_file, store_file
from services.documents.kinds import KINDS
from services.documents.placeholders import fields_of
from services.documents.rendering import read_fields
from services.documents.starters.build import build
from services.errors import NotFound, Refused
from services.events import record
from services.rights import DESK, Actor, require

BEGINNING = date(2021, 1, 1)
"""From when a starter template may be used: contracts of former years are typed in too."""
CITES = {
    kind: ["pp1441", "273fz"] for kind in ("contract_person", "contract_three", "contract_org", "acceptance")
} | {"consent_data": ["152fz"], "consent_publication": ["152fz"], "consent_ads": ["38fz"]}
"""What the starter templates rest on, by the codes of the reference of norms."""


@dataclass(frozen=True, slots=True)
class Checked:
    """An uploaded template that passed, with what was read in it."""

    kind: str
    name: str
    content: bytes
    tokens: list[list[str]]


def list_templates(session: Session, actor: Actor) -> dict[str, list[Template]]:
    """All versions by kind, the newest first."""
    require(actor, "contract.view")
    found: dict[str, list[Template]] = {kind: [] for kind in KINDS}
    for row in session.scalars(select(Template).order_by(Template.version.desc())):
        found.setdefault(row.kind, []).append(row)
    return found


def get_template(session: Session, template_id: int) -> Template:
    row = session.get(Template, template_id)
    if row is None:
        raise NotFound("template.unknown", id=template_id)
    return row


def template_for(session: Session, kind: str, day: date) -> Template:
    """The template in force for a document dated ``day``; raises Refused(«template.none»)."""
    row = session.scalar(
        select(Template)
        .where(
            Template.kind == kind, Template.state == "force", Template.valid_from <= day,
            Template.valid_to.is_(None) | (Template.valid_to >= day),
        )
        .order_by(Template.version.desc())
        .limit(1)
    )  # fmt: skip
    if row is None:
        raise Refused("template.none", kind=kind)
    return row


def is_in_force(template: Template, day: date) -> bool:
    return (
        template.state == "force"
        and template.valid_from <= day
        and (template.valid_to is None or template.valid_to >= day)
    )


def check_upload(kind: str, name: str, content: bytes) -> Checked:
    """Reads the file in the limited child; raises Refused(«template.<why>») with what offends."""
    if kind not in KINDS:
        raise Refused("template.kind", kind=kind)
    read = read_fields(content)
    lacking = [need for need in KINDS[kind].needs if need not in fields_of(read.tokens)]
    if lacking:
        raise Refused("template.lacks", what=", ".join(lacking))
    for words in KINDS[kind].forbids:
        if words in read.text:
            raise Refused("template.words", what=words)
    return Checked(kind, name, content, read.tokens)


def add_template(
    session: Session, actor: Actor, checked: Checked, *, valid_from: date, legal: Sequence[str] = ()
) -> Template:
    """A new version, waiting for approval."""
    require(actor, "template.edit")
    row = _put(session, checked, valid_from, list(legal) or CITES.get(checked.kind, []))
    row.author_id = actor.staff_id
    row.state = "approval"
    session.flush()
    record(session, "template.added", actor, object_id=row.id, version=row.version)
    return row


def _put(session: Session, checked: Checked, valid_from: date, legal: list[Any]) -> Template:
    newest = session.scalar(select(func.max(Template.version)).where(Template.kind == checked.kind)) or 0
    file = store_file(session, checked.content, DOCX)
    row = Template(
        kind=checked.kind, version=newest + 1, file_id=file.id, name=checked.name, tokens=checked.tokens,
        legal=legal, valid_from=valid_from,
    )  # fmt: skip
    session.add(row)
    return row


def approve_template(session: Session, actor: Actor, template_id: int) -> Template:
    """Puts it in force; the version before it ends the day before. Raises Refused(«template.own») for one's own,
    where somebody else could approve it."""
    require(actor, "template.approve")
    row = get_template(session, template_id)
    if row.state != "approval":
        raise Refused("template.state", state=row.state)
    if row.author_id is not None and row.author_id == actor.staff_id and _others_may(session, actor):
        raise Refused("template.own")
    row.state, row.approver_id, row.approved_at = "force", actor.staff_id, utc_now()
    former = select(Template).where(
        Template.kind == row.kind, Template.state == "force", Template.id != row.id, Template.valid_to.is_(None)
    )
    for old in session.scalars(former):
        old.valid_to = row.valid_from - timedelta(days=1)
        if old.valid_to < old.valid_from:
            old.state = "archived"
    record(session, "template.approved", actor, object_id=row.id, version=row.version)
    return row


def archive_template(session: Session, actor: Actor, template_id: int) -> Template:
    """It is offered no more; what was made by it stands."""
    require(actor, "template.approve")
    row = get_template(session, template_id)
    row.state = "archived"
    record(session, "template.archived", actor, object_id=row.id)
    return row


def _others_may(session: Session, actor: Actor) -> bool:
    query = (
        select(Staff.id).join(StaffRole).where(Staff.active, StaffRole.role == "head", Staff.id != actor.staff_id)
    )
    return session.scalar(query.limit(1)) is not None


def template_content(session: Session, template: Template) -> bytes:
    return get_file(session, template.file_id).content


@cache
def _starter(kind: str) -> Checked:
    content = build(kind)
    # In the child like a stranger's, so that no process keeps the libraries of .docx.
    return Checked(kind, f"{kind}.docx", content, read_fields(content).tokens)


def seed_template(session: Session, kind: str) -> Template:
    """The starter of a kind, in force, where the kind has no template yet."""
    there = session.scalar(select(Template).where(Template.kind == kind).limit(1))
    if there is not None:
        return there
    row = _put(session, _starter(kind), BEGINNING, CITES.get(kind, []))
    row.state, row.approved_at = "force", utc_now()
    session.flush()
    record(session, "template.seeded", DESK, object_id=row.id)
    return row


def run_seed(database: Database) -> int:
    """Makes the starters that are missing, one a transaction; returns how many."""
    with database.read.begin() as session:
        there = set(session.scalars(select(Template.kind).distinct()))
    missing = [kind for kind in KINDS if kind not in there]
    for kind in missing:
        _starter(kind)  # composed and read before the transaction: SQLite's writers wait for nobody's document
        with database.write.begin() as session:
            seed_template(session, kind)
    return len(missing)
