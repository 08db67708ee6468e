"""«Написать»: to a client, to an address, or under a publication; the text is written in the case that it opens."""

from collections.abc import Sequence

from flask import Blueprint, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from models import Client
from services.crm import finding
from services.crm.clients import Reach, get_client
from services.errors import Refused
from services.outreach import Way, begin, way_to_publication, ways_to_address, ways_to_client
from web.forms import go
from web.numbers import whole
from web.outreach_words import CLOSED
from web.security import current_actor, current_desk
from web.words import explain

screen = Blueprint("outreach", __name__, url_prefix="/write")
MOST_FOUND = 12


@screen.get("")
def index() -> str:
    """Whom to write to, then by which way."""
    asked, actor = request.args.get("q", "").strip()[:200], current_actor()
    client: Client | None = None
    ways: Sequence[Way] = ()
    found: tuple[Reach, ...] = ()
    problem = None
    with current_desk().database.read.begin() as session:
        try:
            if request.args.get("client"):
                client = get_client(session, actor, request.args.get("client", 0, type=whole))
                ways = ways_to_client(session, actor, client.id)
            elif asked and actor.may("client.view"):
                found = finding.find_clients(session, actor, finding.Wanted(asked), limit=MOST_FOUND).rows
            if not client and not found and "@" in asked.strip("@"):
                ways = ways_to_address(session, actor, asked)
        except Refused as refused:
            problem = explain(refused)
    return render_template(
        "outreach/index.html", client=client, ways=ways, found=found, asked=asked, problem=problem, CLOSED=CLOSED
    )


@screen.post("")
def start() -> Response:
    form = request.form
    with current_desk().database.write.begin() as session:
        case = begin(session, current_actor(), _ways(session), form.get("way", ""), form.get("subject", ""))
    return go(url_for("inbox.show", case_id=case.id))


def _ways(session: Session) -> list[Way]:
    form, actor = request.form, current_actor()
    if form.get("publication"):
        return [way_to_publication(session, actor, form.get("publication", 0, type=whole))]
    if form.get("client"):
        return ways_to_client(session, actor, form.get("client", 0, type=whole))
    return ways_to_address(session, actor, form.get("address", ""))
