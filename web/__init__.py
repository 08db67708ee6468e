"""DOOR FOR PEOPLE: the only room that knows Flask; one blueprint a screen, words, templates and static files."""

from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from flask import Flask, redirect, render_template, request, session
from flask_babel import Babel
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response

from bootstrap import Desk
from services.errors import DeskError
from web import addresses, dates, deadlines, live, navigation, numbers, outbox_words, security, toasts, words
from web.catalogues import compile_catalogues
from web.looks import initials, looks

__all__ = ["create_app"]

SCREENS = (
    "home", "login", "live", "presence", "inbox", "cases", "snoozes", "bulks", "views", "acts", "rest",
    "search", "composing", "saved", "facts", "checks", "agreement", "palette", "notices", "outbox",
    "department", "sources", "staff", "terms", "first", "help", "health", "hooks", "mailbox", "entrance",
    "devices", "morning", "reports", "settings", "duties", "otklik", "wsgi_app", "Lax", "translations",
    "locale",
)  # fmt: skip


def _handle_errors(app: Flask) -> None:
    @app.errorhandler(DeskError)
    def _desk_error(error: DeskError) -> Response | tuple[str, int]:
        return _refuse(words.explain(error), words.status_of(error))

    @app.errorhandler(CSRFError)
    def _csrf_error(_error: CSRFError) -> Response | tuple[str, int]:
        return _refuse(str(words.ERRORS["csrf"]), 400)

    @app.errorhandler(HTTPException)
    def _http_error(error: HTTPException) -> Response | tuple[str, int]:
        code = error.code or 500
        known = {404: "not_found", 405: "not_found", 413: "file.total", 429: "link.often"}
        return _refuse(str(words.ERRORS[known.get(code, "unexpected")]), code)

    @app.errorhandler(InternalServerError)
    def _unexpected(_error: InternalServerError) -> Response | tuple[str, int]:
        return _refuse(str(words.ERRORS["unexpected"]), 500)


def _refuse(text: str, status: int) -> Response | tuple[str, int]:
    """A toast for a fragment, a flash where a form was sent, a page of its own else."""
    if security.is_htmx():
        toasts.tell(text, "problem")
        return Response(status=status, headers={"HX-Reswap": "none"})
    if request.method == "POST" and status in (403, 409, 422) and security.current_staff() is not None:
        toasts.tell(text, "problem")
        return redirect(addresses.back())
    return render_template("error.html", text=text, status=status), status
