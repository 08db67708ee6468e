"""A debt that cannot be paid as it was agreed: another schedule, by an amendment and in no other way."""

from datetime import date

from sqlalchemy.orm import Session

from models import Amendment, Instalment
from services.contracts.amendments import active_amendment, open_amendment
from services.errors import NotFound
from services.money.receivables import step_debt
from services.rights import Actor, require

GROUND = "изменение графика платежей по просьбе заказчика"


def restructure(session: Session, actor: Actor, instalment_id: int, *, today: date) -> Amendment:
    """The amendment under way, or a new draft that asks for the schedule; until it is over nobody reminds."""
    require(actor, "contract.edit")
    line = session.get(Instalment, instalment_id)
    if line is None:
        raise NotFound("instalment.unknown", id=instalment_id)
    row = active_amendment(session, line.contract_id)
    if row is None:
        row = open_amendment(session, actor, line.contract_id, dated=today, ground=GROUND)
    step_debt(session, actor, instalment_id, "restructure", today=today)
    return row
