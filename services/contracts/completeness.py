"""What a contract still lacks before it may be approved: by the norms in force, by its template, by its sums."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Client, Contract, Decision, Template
from services.contracts.legal import blocked_by, required_fields
from services.contracts.text import values_of
from services.crm.clients import is_inn, is_minor
from services.documents.kinds import CONTRACT_KINDS
from services.documents.lending import on_card
from services.documents.organisation import has_licence
from services.documents.placeholders import missing_of
from services.documents.rendering import Values
from services.documents.templates import is_in_force, template_for
from services.errors import Refused
from services.money.schedules import problem_of, schedule_of
from services.secrets import Keyring

NUMBERED_LATER = "contract.no"
"""The number is taken when the contract goes to be approved."""


@dataclass(frozen=True, slots=True)
class Missing:
    """``code``: field · norm · template · schedule.… · guardian · discount · authority · inn · site; ``what`` is
    which of them."""

    code: str
    what: str = ""


def text_template(session: Session, contract: Contract) -> Template | None:
    """The template of the contract's text: the chosen one, else the one in force on its date."""
    if contract.template_id is not None:
        return session.get(Template, contract.template_id)
    try:
        return template_for(session, CONTRACT_KINDS[contract.kind], contract.dated)
    except Refused:
        return None


def missing_items(session: Session, contract: Contract, keyring: Keyring) -> list[Missing]:
    """Everything that keeps the contract from being complete, each once."""
    values = values_of(session, contract, keyring)
    names: dict[str, None] = {}
    for name in required_fields(session, contract.kind, contract.dated):
        if not _has(values, name) and not _is_waived(session, name):
            names[name] = None
    found: list[Missing] = []
    template = text_template(session, contract)
    if template is None or not is_in_force(template, contract.dated):
        found.append(Missing("template"))
    else:
        found += [Missing("norm", ref.act) for ref in blocked_by(session, template, contract.dated)]
        lacking = [name for name in missing_of(template.tokens, values) if name != NUMBERED_LATER]
        sealed = on_card(session, contract) if lacking else set()
        names |= dict.fromkeys(name for name in lacking if name not in sealed)
    found += [Missing("field", name) for name in names]
    return found + _sums(session, contract) + _people(session, contract, values)


def _has(values: Values, name: str) -> bool:
    group, _, field = name.partition(".")
    return str(values.get(group, {}).get(field) or "").strip() != ""


def _is_waived(session: Session, name: str) -> bool:
    """Who has said that there is no licence is not asked for its number."""
    return name.startswith("org.licence_") and has_licence(session) is False


def _sums(session: Session, contract: Contract) -> list[Missing]:
    lines = [(row.due_on, row.amount) for row in schedule_of(session, contract.id)]
    problem = problem_of(lines, contract.price, contract.funding)
    found = [Missing(problem)] if problem else []
    if contract.discount > 0:
        decided = select(Decision.id).where(Decision.contract_id == contract.id, Decision.kind == "discount")
        if session.scalar(decided.limit(1)) is None:
            found.append(Missing("discount"))
    said = contract.site.get("price")
    if said is not None and said != contract.price + contract.discount:
        found.append(Missing("site", str(said)))
    return found


def _people(session: Session, contract: Contract, values: Values) -> list[Missing]:
    found = []
    if contract.kind == "organisation":
        corp = values["corp"]
        if corp.get("inn") and not is_inn(str(corp["inn"])):
            found.append(Missing("inn"))
        authority = str(corp.get("authority_date") or "")
        if authority and date.fromisoformat(authority) > contract.dated:
            found.append(Missing("authority"))
        return found
    student = values["student"] or values["client"]
    born = str(student.get("birth_date") or "")
    card = session.get(Client, contract.student_id or contract.client_id)
    birthday = date.fromisoformat(born) if born else (card.birth_date if card is not None else None)
    if is_minor(birthday, contract.dated) and contract.kind != "three":
        found.append(Missing("guardian"))
    return found
