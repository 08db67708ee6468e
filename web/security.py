"""Who is asking and whether the screen is theirs: deny by default, headers, the forms' token."""

from collections.abc import Callable, Collection, Iterable
from time import time
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as AnyResponse

from bootstrap import Desk
from models import Staff, StaffSession
from services.accounts import staff_by_session
from services.entrance import device_actor, device_of, is_stale, login_of, note_seen
from services.errors import Forbidden, ReadOnly
from services.rights import Actor, actor_of
from services.second_factor import is_overdue
from web.device_cookie import read_cookie, set_cookie
from web.matrix import ANY_STAFF, MATRIX, PUBLIC

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

csrf = CSRFProtect()

# Inline styles stay allowed: htmx and the browsers' own widgets set them; scripts come from files only.
CSP = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
BEFORE_PASSWORD = frozenset({"login.password", "login.log_out", "home.choose_language"})
"""What a person may reach before changing a password that somebody else made."""


BY_DEVICE = frozenset(
    {
        "home.start", "home.menu", "home.labeller", "live.stream", "login.log_out", "help.index", "help.page",
        "help.picture", "notices.index", "notices.bell", "notices.follow", "notices.seen", "devices.index",
        "devices.end", "devices.save_pin", "devices.ask_pin", "department.photo",
        "messengers.link", "messengers.end", "messengers.test",
    }
)  # fmt: skip
"""Screens without a right of their own that a device cookie opens, besides those of the department's rights."""
DEVICE_ACTS = frozenset({"route.view", "route.answer"})
READING = frozenset({"GET", "HEAD", "OPTIONS"})
BEFORE_PIN = frozenset({"devices.ask_pin", "login.log_out"})
PIN_MINUTES = 15
"""A device left alone for so long asks for its PIN again."""
BY_KEY = "api"
"""The blueprint that programs come to with a key: it has a gate of its own and knows no cookie."""
LARGE_FORMS = {"department.answer": 48 * 1024 * 1024, "reply_files.add": 24 * 1024 * 1024}
"""Where photos and voice come along."""


def current_desk() -> Desk:
    """The desk this application serves."""
    return cast(Desk, current_app.extensions["otklik"])


def current_staff() -> Staff | None:
    """The person logged in, as the tables have them now."""
    return cast("Staff | None", g.get("staff"))


def current_device() -> StaffSession | None:
    """The device whose cookie let the person in, without a password; None after a login."""
    return cast("StaffSession | None", g.get("device"))


def current_actor() -> Actor:
    """The actor for services; aborts with 401 where nobody is logged in."""
    if "actor" not in g:
        abort(401)
    return cast(Actor, g.actor)


def may(act: str) -> bool:
    """For templates: whether the person logged in may do ``act`` at all."""
    return "actor" in g and cast(Actor, g.actor).may(act)


def is_htmx() -> bool:
    """Whether the page asks for a fragment and not for itself."""
    restores = "HX-History-Restore-Request" in request.headers
    return request.headers.get("HX-Request") == "true" and not restores


def install(app: Flask) -> None:
    """Order matters: who is asking is settled before the token is looked at."""
    app.before_request(_load_staff)
    app.before_request(_admit)
    csrf.init_app(app)
    app.after_request(_harden)
    app.after_request(_keep_device)


def _load_staff() -> None:
    if request.endpoint in LARGE_FORMS:
        request.max_content_length = LARGE_FORMS[request.endpoint]
    key = session.get("key")
    if request.endpoint == "static" or request.blueprint == BY_KEY:
        return
    if not key:
        _load_device()
        return
    with current_desk().database.read.begin() as db:
        staff = staff_by_session(db, key)
        login = login_of(db, session["sid"], staff.id) if staff is not None and "sid" in session else None
        late = staff is not None and not current_desk().is_training and is_overdue(db, staff)
    if staff is None or (login is None and "sid" in session):
        session.pop("key", None)
        session.pop("sid", None)
        _load_device()
        return
    if login is not None and is_stale(login) and not current_desk().room.is_full():
        with current_desk().database.write.begin() as db:
            note_seen(db, login.id)
    g.needs_second = late
    g.staff, g.actor = staff, actor_of(staff)
    if request.method == "POST":
        session.modified = True  # what a person does prolongs the session; a page that refreshes itself does not


def _load_device() -> None:
    token = read_cookie(current_desk())
    if not token:
        return
    with current_desk().database.read.begin() as db:
        found = device_of(db, token)
    if found is None:
        return
    g.device, g.staff = found
    g.actor = device_actor(found[1])
    if is_stale(found[0]) and not current_desk().room.is_full():
        with current_desk().database.write.begin() as db:
            note_seen(db, found[0].id)
        g.device_token = token


def _keep_device(response: Response) -> Response:
    """A cookie in use lives on."""
    if "device_token" in g:
        set_cookie(response, current_desk(), g.device_token)
    return response


def _admit_device(device: StaffSession, need: str | None) -> AnyResponse | None:
    """A device opens the department's screens; whoever wants more gives a password."""
    endpoint = request.endpoint or ""
    if endpoint not in BY_DEVICE and need not in DEVICE_ACTS:
        return _to_login()
    if device.pin is not None and endpoint not in BEFORE_PIN and not _is_unlocked(device):
        wanted = request.full_path.rstrip("?") if request.method == "GET" and not is_htmx() else None
        return _send(url_for("devices.ask_pin", next=wanted))
    if endpoint in BY_DEVICE or current_actor().may(need or ""):
        return None
    raise Forbidden("forbidden", act=need)


def _is_unlocked(device: StaffSession) -> bool:
    known, at = session.get("unlocked") or (None, 0)
    now = int(time())
    if known != device.id or now - at > PIN_MINUTES * 60:
        return False
    if now - at > 60:
        session["unlocked"] = [known, now]
    return True


def _admit() -> AnyResponse | None:
    endpoint = request.endpoint
    if endpoint is None:
        return None  # no such address: 404 tells nothing
    if request.method not in READING and current_desk().room.is_full():
        raise ReadOnly("disk.full")
    need = MATRIX.get(endpoint)
    if need == PUBLIC or request.blueprint == BY_KEY:
        return None
    staff = current_staff()
    if staff is None:
        return _to_login()
    device = current_device()
    if device is not None:
        return _admit_device(device, need)
    came_by_door = session.get("door") and current_desk().is_training
    if staff.must_change and not came_by_door and endpoint not in BEFORE_PASSWORD:
        return _send(url_for("login.password"))
    if g.get("needs_second") and endpoint not in BEFORE_PASSWORD | {"login.second_step"}:
        return _send(url_for("login.second_step"))
    if need == ANY_STAFF or (need is not None and current_actor().may(need)):
        return None
    raise Forbidden("forbidden", act=need)


def _to_login() -> AnyResponse:
    if request.endpoint == "live.stream":
        return Response(status=401)
    wanted = request.full_path.rstrip("?") if request.method == "GET" and not is_htmx() else None
    return _send(url_for("login.log_in", next=wanted))


def _send(address: str) -> AnyResponse:
    """A redirect that also works when only a fragment was asked for."""
    return Response(status=204, headers={"HX-Redirect": address}) if is_htmx() else redirect(address)


def _harden(response: AnyResponse) -> AnyResponse:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.add("Vary", "HX-Request")
    return response


def behind(app: "WSGIApplication", proxies: Collection[str]) -> "WSGIApplication":
    """``app`` that believes forwarding headers, but only those that a named proxy sets."""
    believing = ProxyFix(app, x_for=1, x_proto=1, x_host=1)

    def _choose(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        return (believing if environ.get("REMOTE_ADDR") in proxies else app)(environ, start)

    return _choose


def is_local_visit() -> bool:
    """Whether the browser runs on this machine and nothing forwards to us."""
    forwarded = any(request.headers.get(name) for name in ("X-Forwarded-For", "Forwarded", "X-Real-Ip"))
    return request.remote_addr in ("127.0.0.1", "::1") and not forwarded


def template_names() -> dict[str, Callable[..., Any]]:
    """Names that every template may use."""
    return {
        "actor": current_actor, "may": may, "staff": current_staff, "desk": current_desk,
        "is_local_visit": is_local_visit,
    }  # fmt: skip


def rang(*, outbox: bool = False) -> None:
    """After a write: wakes the screens, and the sender where there is something to send."""
    desk = current_desk()
    if outbox:
        desk.outbox_bell.ring()
    desk.bell.ring()
