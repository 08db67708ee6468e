"""Steps of a contract and decisions about it, each one press."""

from collections.abc import Callable

from flask import url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from services.contracts import acts
from services.contracts.decisions import KINDS, decide
from services.contracts.drafts import get_contract
from services.errors import Refused
from web.contract_words import CONTRACT_STATES
from web.contracts.forms import field, screen, typed_key, unless_stale
from web.dates import today
from web.forms import go
from web.language import _
from web.security import current_actor, current_desk, rang
from web.toasts import tell

STEPS: dict[str, Callable[[Session, int], object]] = {
    "submit": lambda session, one: acts.submit(session, current_actor(), current_desk().keyring, one),
    "approve": lambda session, one: acts.approve(session, current_actor(), one),
    "return": lambda session, one: acts.send_back(session, current_actor(), one, field("remark")),
    "send": lambda session, one: acts.send(session, current_actor(), one, today=today()),
    "sign": lambda session, one: acts.sign(
        session, current_actor(), one, signature=field("signature"), today=today(),
        evidence={"scan": bool(field("scan")), "original": bool(field("original")), "note": field("note")},
    ),
}  # fmt: skip
"""Steps with a guard of their own; the others go through ``acts.step``."""


@screen.post("/<int:contract_id>/step/<act>")
def step(contract_id: int, act: str) -> Response:
    with current_desk().database.write.begin() as session:
        unless_stale(get_contract(session, current_actor(), contract_id, hold=True).version)
        taken = STEPS.get(act)
        if taken is not None:
            taken(session, contract_id)
        else:
            acts.step(session, current_actor(), contract_id, act, reason=field("reason"))
        state = get_contract(session, current_actor(), contract_id).state
    rang()
    tell(str(CONTRACT_STATES[state]))
    return go(url_for("contracts.page", contract_id=contract_id))


@screen.post("/<int:contract_id>/decisions")
def add_decision(contract_id: int) -> Response:
    if field("kind") not in KINDS:
        raise Refused("decision.kind", word=field("kind"))
    with current_desk().database.write.begin() as session:
        contract = get_contract(session, current_actor(), contract_id)
        decide(
            session, current_actor(), contract, kind=field("kind"), ground=field("ground"), norm=field("norm"),
            outcome=field("outcome"), today=today(), form_key=typed_key(),
        )  # fmt: skip
    rang()
    tell(_("Saved"))
    return go(url_for("contracts.page", contract_id=contract_id))
