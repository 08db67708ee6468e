"""What the forms of contracts share: sums, days and lines as people type them; words for the templates."""

import json
import secrets
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from services.documents.fields import DATE, GROUPS, MONEY
from services.documents.russian import money
from services.errors import Refused, Stale
from services.money.arithmetic import read_money
from web import addresses, words
from web import contract_words as said
from web.forms import go
from web.security import current_actor, is_htmx
from web.toasts import tell

screen = Blueprint("contracts", __name__, url_prefix="/contracts")


@screen.context_processor
def _words() -> dict[str, Any]:
    """For the templates of these screens."""
    return {
        "said": said,
        "money": money,
        "day": day_words,
        "field_name": words.field_name,
        "typed": typed_of,
        "form_key": form_key,
    }


@screen.errorhandler(Stale)
def _faster(error: Stale) -> AnyResponse:
    """Somebody stepped first: the page comes anew as it stands now, and says so."""
    if not is_htmx():
        tell(words.explain(error), "problem")
        return redirect(addresses.back())
    flash(json.dumps({"text": words.explain(error), "kind": "problem"}))
    return Response(status=409, headers={"HX-Refresh": "true", "HX-Reswap": "none"})


def form_key(sort: str, number: int | None) -> str:
    """For a hidden field: another at each drawing, so that a form pressed twice is known as one."""
    return f"{sort}{number or 0}-{current_actor().staff_id}-{secrets.token_urlsafe(9)}"


def typed_key() -> str | None:
    return field("form_key")[:100] or None


def typed_of(name: str) -> str:
    """What a field of a document is: date · money · text, for its control."""
    group, _, field = name.partition(".")
    kind = GROUPS.get(group, {}).get(field)
    return "date" if kind == DATE else "money" if kind == MONEY else "text"


def day_words(value: date | str | None) -> str:
    """24.11.2026"""
    if value is None or value == "":
        return "—"
    return (date.fromisoformat(value) if isinstance(value, str) else value).strftime("%d.%m.%Y")


def field(name: str) -> str:
    return request.form.get(name, "").strip()


def typed_day(name: str) -> date | None:
    """Raises Refused(«date.invalid»); None where nothing was typed."""
    return read_day(field(name))


def read_day(text: str) -> date | None:
    if not text:
        return None
    for pattern in (text, "-".join(reversed(text.split(".")))):
        try:
            return date.fromisoformat(pattern)
        except ValueError:
            continue
    raise Refused("date.invalid")


def typed_money(name: str) -> int | None:
    """Kopecks; raises Refused(«money.invalid»)."""
    text = field(name)
    return read_sum(text) if text else None


def read_sum(text: str) -> int:
    try:
        return read_money(text)
    except ValueError:
        raise Refused("money.invalid") from None


def typed_version() -> int:
    text = field("version")
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def unless_stale(version: int) -> None:
    """Raises Stale where the page was drawn before somebody changed the thing: a step is taken on what was seen."""
    if "version" in request.form and typed_version() != version:
        raise Stale("state.stale")


def typed_schedule(name: str = "schedule") -> list[tuple[date, int]] | None:
    """Lines «01.12.2026 20000»; None where the field was not sent."""
    if name not in request.form:
        return None
    lines = []
    for text in request.form[name].splitlines():
        day, _, amount = text.strip().partition(" ")
        if day:
            due = read_day(day)
            if due is None or not amount.strip():
                raise Refused("schedule.empty")
            lines.append((due, read_sum(amount.strip())))
    return lines


def typed_students() -> list[dict[str, str]] | None:
    """Lines «ФИО; дата рождения; почта; программа»."""
    if "students" not in request.form:
        return None
    rows = []
    for text in request.form["students"].splitlines():
        parts = [part.strip() for part in text.split(";")]
        if parts[0]:
            born = read_day(parts[1]) if len(parts) > 1 else None
            rows.append({"full": parts[0], "birth_date": born.isoformat() if born else "", **_rest(parts)})
    return rows


def _rest(parts: list[str]) -> dict[str, str]:
    return {
        "email": parts[2] if len(parts) > 2 else "",
        "program": parts[3] if len(parts) > 3 else "",
    }


def typed_fields(*groups: str) -> dict[str, str]:
    """All «group.field» of the form that belong to the groups."""
    return {name: value for name, value in request.form.items() if name.partition(".")[0] in groups}


def given_fields(names: tuple[str, ...]) -> dict[str, str]:
    """What a document asks for, sums as kopecks."""
    found = {}
    for name in names:
        text = field(name)
        found[name] = str(read_sum(text)) if text and typed_of(name) == "money" else text
    return found


def to_contract(contract_id: int | None, place: str) -> AnyResponse:
    """The page of the contract at ``place``; a fragment's page is loaded anew where it stands.

    An address that differs from the present one by its anchor alone would not be loaded at all.
    """
    response = go(url_for("contracts.page", contract_id=contract_id, _anchor=place))
    if is_htmx():
        del response.headers["HX-Redirect"]
        response.headers["HX-Refresh"] = "true"
    return response
