"""DOOR FOR PEOPLE: the only room that knows Flask; one blueprint a screen, words, templates and static files."""

from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import structlog
from flask import Flask, redirect, render_template, request, session
from flask_babel import Babel
from flask_wtf.csrf import CSRFError
from jinja2 import FileSystemBytecodeCache
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response

from bootstrap import Desk
from services.again import is_passing, is_undone, words_of
from services.errors import DeskError
from services.room import is_disk_full
from web import addresses, dates, deadlines, live, navigation, numbers, outbox_words, security, toasts, words
from web.api.problems import problem, told
from web.catalogues import compile_catalogues
from web.language import install_words
from web.looks import initials, looks

__all__ = ["create_app"]

SCREENS = (
    "home",
    "login",
    "live",
    "presence",
    "inbox",
    "cases",
    "case_paper",
    "snoozes",
    "tags",
    "reply_files",
    "following",
    "bulks",
    "views",
    "acts",
    "rest",
    "search",
    "composing",
    "answered",
    "saved",
    "facts",
    "checks",
    "agreement",
    "palette",
    "outreach",
    "parting",
    "notices",
    "outbox",
    "department",
    "inquiries",
    "sources",
    "pastes",
    "connecting",
    "shifts",
    "staff",
    "terms",
    "sign_on",
    "first",
    "help",
    "health",
    "hooks",
    "mailbox",
    "messengers",
    "entrance",
    "devices",
    "morning",
    "reports",
    "crm.clients",
    "crm.cards",
    "crm.beside",
    "crm.tasks",
    "crm.deals",
    "crm.calls",
    "crm.imports",
    "crm.exports",
    "crm.privacy",
    "report_tables",
    "report_rows",
    "report_paper",
    "report_views",
    "report_months",
    "wishes",
    "asked",
    "contracts",
    "broadcasts",
    "visits",
    "settings",
    "setting_history",
    "duties",
    "absences",
    "rota",
    "quality",
    "reviews",
    "satisfaction",
    "journal",
    "rules",
    "incidents",
    "choices",
    "transfer",
    "state",
    "begin",
    "api",
    "api_keys",
    "tokens",
    "webhooks",
)
"""Files of this room that hold a blueprint called ``screen``."""
MAX_FORM = 12 * 1024 * 1024


def create_app(desk: Desk) -> Flask:
    """The web application over ``desk``; compiles stale translations, opens nothing by itself."""
    compile_catalogues()
    app = Flask(__name__, static_folder=None)
    app.url_rule_class = addresses.Rule
    app.extensions["otklik"] = desk
    _configure(app, desk)
    Babel(app, locale_selector=_locale, timezone_selector=lambda: desk.config.desk.time_zone)
    install_words(app)
    security.install(app)
    app.after_request(toasts.carry)
    numbers.install(app)
    addresses.install(app)
    live.install(app, desk)
    for name in SCREENS:
        if find_spec(f"web.{name}") is not None:
            app.register_blueprint(import_module(f"web.{name}").screen)
    _name_things(app)
    _handle_errors(app)
    if desk.is_training:
        desk.month_files = import_module("web.report_months").month_writer(app)
    if desk.config.web.trusted_proxies:
        believing = security.behind(app.wsgi_app, desk.config.web.trusted_proxies)
        setattr(app, "wsgi_app", believing)  # noqa: B010 (mypy takes the attribute for a method)
    return app


def _configure(app: Flask, desk: Desk) -> None:
    secure = (desk.config.web.public_url or "").startswith("https://")
    app.config.update(
        SECRET_KEY=desk.secret_key,
        SESSION_COOKIE_NAME=f"otklik_{desk.mode}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=desk.config.web.session_hours),
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_TIME_LIMIT=None,  # a page stays open all day; the session bounds the token
        MAX_CONTENT_LENGTH=MAX_FORM,
        BABEL_DEFAULT_LOCALE=desk.config.desk.locale,
        BABEL_TRANSLATION_DIRECTORIES=str(Path(__file__).parent / "translations"),
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    compiled = desk.var / "cache" / "templates"
    compiled.mkdir(mode=0o700, parents=True, exist_ok=True)  # it is code: nobody else may write there
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(compiled))


def _locale() -> str:
    staff = security.current_staff()
    if staff is not None:
        return staff.locale
    return str(session.get("locale") or security.current_desk().config.desk.locale)


def _name_things(app: Flask) -> None:
    app.jinja_env.globals.update(
        **security.template_names(), menu_of=navigation.menu_of,
        screens_of=navigation.screens_of, words=words, looks=looks, initials=initials,
        is_later=outbox_words.is_later, next_step=outbox_words.next_step,
        when=dates.when, day=dates.day, when_tag=dates.when_tag, age_tag=dates.age_tag, exact=dates.exact,
        deadline=deadlines.deadline, why_late=deadlines.why_late,
        spoken=toasts.spoken, locale=_locale, endpoints=lambda: app.view_functions,
    )  # fmt: skip


def _handle_errors(app: Flask) -> None:
    @app.errorhandler(DeskError)
    def _desk_error(error: DeskError) -> Response | tuple[str, int]:
        return told(error) if _is_program() else _refuse(words.explain(error), words.status_of(error))

    @app.errorhandler(CSRFError)
    def _csrf_error(_error: CSRFError) -> Response | tuple[str, int]:
        return _refuse(str(words.ERRORS["csrf"]), 400)

    @app.errorhandler(HTTPException)
    def _http_error(error: HTTPException) -> Response | tuple[str, int]:
        code = error.code or 500
        if _is_program():
            return problem(code, {404: "api.not_found", 405: "api.method"}.get(code, "unexpected"))
        known = {404: "not_found", 405: "not_found", 413: "file.total", 429: "link.often"}
        return _refuse(str(words.ERRORS[known.get(code, "unexpected")]), code)

    @app.errorhandler(DBAPIError)
    def _database_error(error: DBAPIError) -> Response | tuple[str, int]:
        if is_passing(error):
            return _tell_of_database(error)
        if not is_disk_full(error):
            raise error
        security.current_desk().room.note_full()
        if _is_program():
            return problem(503, "disk.full")
        return _refuse(str(words.ERRORS["disk.full"]), 503)

    @app.errorhandler(InternalServerError)
    def _unexpected(_error: InternalServerError) -> Response | tuple[str, int]:
        if _is_program():
            return problem(500, "unexpected")
        return _refuse(str(words.ERRORS["unexpected"]), 500)


def _tell_of_database(error: DBAPIError) -> Response | tuple[str, int]:
    """It undid the request for the sake of another, or is away: nothing was changed, and the same may be asked."""
    structlog.get_logger().warning("database.failed", path=request.path, trouble=words_of(error))
    code = "database.undone" if is_undone(error) else "database.away"
    if _is_program():
        return problem(503, code)
    return _refuse(str(words.ERRORS[code]), 503)


def _is_program() -> bool:
    return request.path.startswith("/api/")


def _refuse(text: str, status: int) -> Response | tuple[str, int]:
    """A toast for a fragment, a flash where a form was sent, a page of its own else."""
    if security.is_htmx():
        toasts.tell(text, "problem")
        return Response(status=status, headers={"HX-Reswap": "none"})
    if request.method == "POST" and status in (403, 409, 422) and security.current_staff() is not None:
        toasts.tell(text, "problem")
        return redirect(addresses.back())
    return render_template("error.html", text=text, status=status), status
