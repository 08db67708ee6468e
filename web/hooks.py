"""The door of platforms that call us, and of the feedback form: no session, no token, an address as a key."""

import secrets

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from bootstrap import Desk
from collectors import CHANNELS, channel_class
from collectors.base import ChannelError
from collectors.form import ADDRESS_HEADER, page_address, version_of
from models import Source
from services.errors import DeskError, NotFound
from services.hooks import Patience, find_source, run_greet, run_receive, source_token
from services.sources import check_settings
from web.language import _
from web.security import CSP, csrf, current_desk

screen = Blueprint("hooks", __name__)
csrf.exempt(screen)

MOST_BODY = 1024 * 1024
STATUS = {"auth": 403, "settings": 403, "invalid": 400, "unsupported": 404}
"""ChannelError code → status; any other is our own trouble, and the platform tries again."""
AGAIN = {"Retry-After": "60"}
patience = Patience(most=20, seconds=600)
"""Letters of one address through the form; hooks of platforms are not counted, they come in bursts."""


@screen.route("/hooks/<kind>/<token>", methods=["GET", "POST"])
def receive(kind: str, token: str) -> Response:
    """Answers «ok» once the raw is stored, and never before.

    A GET is taken only from a platform that knows no other way to call (GetCourse): its query is the event.
    """
    if request.method == "GET" and not (kind in CHANNELS and channel_class(kind).calls_by_get):
        return Response("POST only", 405, {"Allow": "POST"}, mimetype="text/plain")
    status, text = _take(kind, token)
    return Response(text, status, AGAIN if status == 503 else None, mimetype="text/plain")


def _take(kind: str, token: str) -> tuple[int, str]:
    """(status, word) of one event; the words tell a stranger nothing."""
    desk = current_desk()
    try:
        request.max_content_length = MOST_BODY
        payload = request.query_string if request.method == "GET" else request.get_data(cache=True)
        headers = {**dict(request.headers), ADDRESS_HEADER: request.remote_addr or ""}
        word = run_greet(desk.database, _key(), desk.open_channel, kind, token, payload)
        if word is not None:
            return 200, word
        run_receive(
            desk.database, _key(), desk.open_channel, kind, token, payload, headers, heard=lambda: _tell(desk)
        )
    except RequestEntityTooLarge:
        return 413, "too large"
    except NotFound:
        return 404, "not found"
    except ChannelError as error:
        status = STATUS.get(error.code, 503)
        return status, error.message if status == 400 else "refused"
    except (SQLAlchemyError, DeskError):
        return 503, "later"
    return 200, "ok"


def _tell(desk: Desk) -> None:
    """Something new is understood; may come from a thread that answers nobody."""
    desk.bell.ring()
    desk.defer("label")


def _key() -> bytes:
    return current_desk().secret_key


def hook_address(source: Source) -> str:
    """Where a platform sends its events of this place."""
    return _outside(url_for("hooks.receive", kind=source.platform, token=source_token(_key(), source.id)))


def page_of_form(source: Source) -> str | None:
    """The public page of a place, where its channel has one."""
    if not channel_class(source.platform).has_page:
        return None
    return _outside(url_for("hooks.page", token=source_token(_key(), source.id)))


def _outside(path: str) -> str:
    """A whole address, as the outer world reaches the desk."""
    return (current_desk().config.web.public_url or request.host_url).rstrip("/") + path


@screen.get("/f/<token>")
def page(token: str) -> AnyResponse | tuple[AnyResponse, int]:
    return _page(token, sent=request.args.get("sent") == "1")


@screen.post("/f/<token>")
def send(token: str) -> AnyResponse:
    """A visitor's letter; what is wrong is told on the page, with all that was written kept there."""
    if not patience.allows(f"{token}:{request.remote_addr}"):
        return _page(token, problem="often", status=429)
    status, text = _take("form", token)
    if status == 200:
        return redirect(url_for("hooks.page", token=token, sent=1), 303)
    return _page(token, problem=text if status == 400 else "later", status=status)


def _page(token: str, *, sent: bool = False, problem: str = "", status: int = 200) -> Response:
    try:
        with current_desk().database.read.begin() as session:
            source = find_source(session, _key(), "form", token)
        settings = check_settings("form", source.settings)
    except SQLAlchemyError:
        return Response(_("The form does not work right now. Please try again in some minutes."), 503, AGAIN)
    given = request.form if request.method == "POST" else {}
    html = render_template(
        "hooks/form.html", settings=settings, sent=sent, problems=problem.split(), given=given, token=token,
        version_of=version_of, key=given.get("key") or secrets.token_urlsafe(18),
        stands_on=given.get("page") or page_address(request.referrer), closed=source.state == "paused",
    )  # fmt: skip
    response = Response(html, status)
    # The form is meant to stand inside other sites; browsers then do not look at X-Frame-Options (CSP level 3).
    response.headers["Content-Security-Policy"] = CSP.replace("frame-ancestors 'none'", "frame-ancestors *")
    return response
