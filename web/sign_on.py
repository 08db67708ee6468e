"""«Войти через …»: to the provider and back, and which of its accounts is one's own."""

from time import time
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from collectors.sign_on import Provider, SignOn, SignOnError
from models import Staff
from services.errors import Refused
from services.sign_on import identities_of, link_account, person_of, unlink_account
from web.addresses import safe_next
from web.forms import go
from web.language import _
from web.login import begin_session
from web.security import current_actor, current_desk, current_device, current_staff, is_htmx
from web.throttle import Throttle
from web.toasts import tell
from web.words import explain

screen = Blueprint("sign_on", __name__)
KEPT = "sign_on"
tries = Throttle(most=30, seconds=600)
"""Ways to the provider from one address: each makes the desk ask it."""


@screen.app_context_processor
def _names() -> dict[str, object]:
    return {"sign_on_title": title}


def title() -> str:
    """What stands on the button; empty where there is no provider, and in training, which nothing leaves."""
    wanted = current_desk().config.oidc
    return wanted.title or wanted.issuer if wanted.issuer and current_desk().mode != "training" else ""


def _provider() -> SignOn:
    wanted = current_desk().config.oidc
    if not title():
        abort(404)
    secret = wanted.client_secret.get_secret_value() if wanted.client_secret else ""
    return SignOn(Provider(wanted.issuer, wanted.client_id, secret, title()), current_desk().wire)


def _back() -> str:
    return (current_desk().address or request.host_url).rstrip("/") + url_for("sign_on.back")


@screen.get("/login/sign-on")
def leave() -> Response | tuple[str, int]:
    return _leave("login")


@screen.post("/sign-on")
def link() -> Response | str | tuple[str, int]:
    """To link an account one is logged in already, and comes back as the same person."""
    gone = _leave("link")
    if not isinstance(gone, Response):
        return gone
    if is_htmx():
        return Response(status=204, headers={"HX-Redirect": gone.location or ""})
    # A form may lead to this desk alone (form-action of the policy): without scripts a link goes further.
    return render_template("login/leave.html", address=gone.location)


def _leave(purpose: str) -> Response | tuple[str, int]:
    provider, visitor = _provider(), request.remote_addr or ""
    if tries.is_over(visitor):
        abort(429)
    tries.miss(visitor)
    try:
        address, kept = provider.begin(_back())
    except SignOnError as error:
        return _refused(purpose, _said(error))
    staff = current_staff() if purpose == "link" else None
    session[KEPT] = {**kept, "for": staff.id if staff else None, "next": safe_next(request.values.get("next"))}
    return redirect(address)


@screen.get("/login/sign-on/back")
def back() -> Response | tuple[str, int]:
    """What was begun in this session is ended in it, once."""
    kept: dict[str, Any] = session.pop(KEPT, None) or {}
    purpose = "link" if kept.get("for") else "login"
    try:
        account = _provider().finish(_back(), kept, request.args)
        with current_desk().database.write.begin() as db:
            if purpose == "login":
                staff = person_of(db, account)
            else:
                staff = _same_person(kept)
                link_account(db, current_actor(), account)
    except SignOnError as error:
        return _refused(purpose, _said(error))
    except Refused as refused:
        return _refused(purpose, refused)
    if purpose == "link":
        tell(_("The account is linked: you can log in by it now."))
        return redirect(url_for("sign_on.index"))
    return _let_in(staff, kept.get("next"))


def _said(error: SignOnError) -> Refused:
    return Refused(f"sign_on.{error.code}", why=error.why)


def _same_person(kept: dict[str, Any]) -> Staff:
    staff = current_staff()
    if staff is None or current_device() is not None or staff.id != kept["for"]:
        raise Refused("sign_on.stale")
    return staff


def _let_in(staff: Staff, wanted: str | None) -> Response:
    """The second step of the desk is asked for after the provider too."""
    if staff.totp is not None:
        session["half"] = [staff.id, staff.session_key, int(time())]
        return redirect(url_for("login.code", next=wanted))
    begin_session(staff)
    return redirect(wanted or url_for("home.start"))


def _refused(purpose: str, refused: Refused) -> tuple[str, int]:
    if purpose == "link":
        return _shown(explain(refused)), 422
    return render_template("login/login.html", next=None, sign_on_problem=explain(refused)), 422


@screen.get("/sign-on")
def index() -> str:
    _provider()
    return _shown(None)


def _shown(problem: str | None) -> str:
    staff = current_staff()
    if staff is None:
        abort(401)
    with current_desk().database.read.begin() as db:
        rows = identities_of(db, current_actor(), staff.id)
    return render_template("login/sign_on.html", rows=rows, problem=problem)


@screen.post("/sign-on/<int:identity_id>/unlink")
def unlink(identity_id: int) -> Response:
    with current_desk().database.write.begin() as db:
        unlink_account(db, current_actor(), identity_id)
    tell(_("The account opens nothing here any more."))
    return go(url_for("sign_on.index"))
