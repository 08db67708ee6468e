"""The card beside a conversation: its one line, those it may be, and a new one in three fields."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from models import Case
from services.cases import get_case
from services.crm.clients import create_client
from services.crm.identities import link_author
from services.errors import NotFound
from web.cases import done
from web.language import _
from web.security import current_actor, current_desk, rang
from web.toasts import tell

screen = Blueprint("beside", __name__, url_prefix="/inbox/<int:case_id>/client")


@screen.post("")
def make(case_id: int) -> Response:
    """«Завести карточку»: the author is linked to it at once."""
    form, actor = request.form, current_actor()
    with current_desk().database.write.begin() as session:
        case: Case = get_case(session, actor, case_id)
        if case.author_id is None:
            raise NotFound("author.unknown")
        client = create_client(
            session, actor, name=form.get("name", ""), contact=form.get("contact", ""),
            note=form.get("note", "").strip(),
        )  # fmt: skip
        link_author(session, actor, client.id, case.author_id, "said")
    rang()
    tell(_("The card is made: %(name)s", name=client.name))
    return done(case_id)
