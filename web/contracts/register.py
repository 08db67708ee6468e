"""The register of contracts, and the banner of acts that end."""

from flask import render_template, request

from services.contracts.legal import ending_norms
from services.contracts.register import PAGE, counts, register_page
from web.contracts.forms import screen
from web.dates import today
from web.numbers import whole
from web.security import current_actor, current_desk, is_htmx


@screen.get("")
def index() -> str:
    group, words = request.args.get("group", ""), request.args.get("q", "")
    before = request.args.get("before", type=whole)
    with current_desk().database.read.begin() as session:
        rows = register_page(
            session, current_actor(), group=group, words=words, before=before, today=today(), limit=PAGE
        )
        numbers = counts(session, current_actor()) if before is None else {}
        ending = ending_norms(session, today()) if before is None else []
    more = rows[-1].contract.id if len(rows) == PAGE else None
    name = "contracts/rows.html" if before is not None and is_htmx() else "contracts/index.html"
    return render_template(
        name, rows=rows, group=group, q=words, counts=numbers, ending=ending, more=more, today=today()
    )
