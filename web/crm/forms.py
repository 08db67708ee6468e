"""What the forms of cards send, as services want it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from services.crm.clients import DETAILS
from services.errors import Refused
from web.addresses import safe_next
from web.forms import go
from web.numbers import whole
from web.security import is_htmx, rang
from web.toasts import tell, trigger

_PLAIN = ("last_name", "first_name", "middle_name", "note", "origin")


def done(address: str, said: str | None = None) -> Response:
    """To ``address``, or where the form wants to go; a case whose pane sent it only refreshes what it shows."""
    rang()
    if said:
        tell(said)
    case_id = request.form.get("case_id", type=whole)
    if case_id and is_htmx():
        trigger("changed", case=case_id)
        return Response(status=204)
    return go(safe_next(request.form.get("next")) or address)


def typed_day(typed: str | None) -> date | None:
    """A day as a browser's field gives it; None when nothing was typed."""
    if not typed:
        return None
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise Refused("date.invalid") from None


def card_changes(form: Mapping[str, str]) -> dict[str, Any]:
    """Fields of services.crm.clients.FIELDS that the form has."""
    changes: dict[str, Any] = {name: form[name].strip() for name in _PLAIN if name in form}
    kind = form.get("kind", "person")
    changes["kind"] = kind
    if kind == "person":
        # A name in parts makes the whole one.
        if not any(changes.get(name) for name in ("last_name", "first_name")):
            changes["name"] = form.get("name", "")
    else:
        changes["name"] = form.get("name", "")
        changes["details"] = {name: form.get(f"details-{name}", "").strip() for name in DETAILS}
    if "birth_date" in form:
        changes["birth_date"] = typed_day(form.get("birth_date"))
    if "inn" in form:
        changes["inn"] = form["inn"].strip() or None
    if "gender" in form:
        changes["gender"] = form["gender"] if form["gender"] in ("f", "m") else None
    if "owner_id" in form:
        typed = form["owner_id"]
        changes["owner_id"] = int(typed) if typed.isdecimal() and len(typed) < 18 else None
    return changes
