"""An account of a messenger becomes one's own by a link that is shown once; it is given up by a press."""

from flask import Blueprint, render_template, url_for
from werkzeug.wrappers import Response

from models import Staff
from services.bots import MESSENGERS
from services.choices import send_test
from services.messengers import Tie, start_link, ties_of, unbind
from services.people import get_person
from services.rights import DESK
from web.forms import go
from web.language import _
from web.messenger_words import CHANNELS, HAND_OVER, OPEN, TIE
from web.security import current_actor, current_desk, current_device, rang
from web.toasts import tell

screen = Blueprint("messengers", __name__, url_prefix="/messengers")
ONE = f"/<any({','.join(MESSENGERS)}):platform>"


@screen.post(f"{ONE}/link")
def link(platform: str) -> str:
    return _link(current_actor().staff_id or 0, platform)


@screen.post(f"/of/<int:staff_id>{ONE}/link")
def link_of(staff_id: int, platform: str) -> str:
    """For whoever has no mail at hand: handed over like an invitation."""
    return _link(staff_id, platform)


def _link(staff_id: int, platform: str) -> str:
    """In the answer itself: in a cookie or an address of ours the word would be kept."""
    with current_desk().database.write.begin() as session:
        address = start_link(session, current_actor(), staff_id, platform)
        person = get_person(session, DESK, staff_id)
    rang()
    mine = staff_id == current_actor().staff_id
    return render_template(
        "messengers/link.html", address=address, person=person, platform=platform, mine=mine, done=_home(),
        names=CHANNELS, OPEN=OPEN,
    )  # fmt: skip


@screen.post(f"{ONE}/end")
def end(platform: str) -> Response:
    return _end(current_actor().staff_id or 0, platform, _home())


@screen.post(f"/of/<int:staff_id>{ONE}/end")
def end_of(staff_id: int, platform: str) -> Response:
    return _end(staff_id, platform, url_for("devices.of_person", staff_id=staff_id))


def _end(staff_id: int, platform: str, back: str) -> Response:
    with current_desk().database.write.begin() as session:
        unbind(session, current_actor(), staff_id, platform)
    rang()
    tell(_("The account is not tied any more: questions come by mail."))
    return go(back)


@screen.post(f"{ONE}/test")
def test(platform: str) -> Response:
    with current_desk().database.write.begin() as session:
        send_test(session, current_actor(), platform)
    current_desk().defer("deliver")
    tell(_("A test is on its way."))
    return go(_home())


def _home() -> str:
    """The screen with one's own accounts: a device knows no other."""
    return url_for("devices.index" if current_device() is not None else "choices.index")


@screen.app_context_processor
def _names() -> dict[str, object]:
    return {"messenger_ties": _ties, "TIE": TIE, "HAND_OVER": HAND_OVER, "CHANNEL_NAMES": CHANNELS}


def _ties(person: Staff) -> tuple[Tie, ...]:
    with current_desk().database.read.begin() as session:
        return ties_of(session, person.id)
