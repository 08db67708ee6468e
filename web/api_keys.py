"""«Ключи API»: a person's own keys for programs: made and shown once, last used, changed, taken away."""

from flask import Blueprint, Response, render_template, request, url_for

from models import ApiKey, utc_now
from services.api_keys import (
    DAYS,
    LONGEST_NAME,
    edit_key,
    get_key,
    keys_of,
    make_key,
    old_keys,
    revoke_key,
    scopes_for,
)
from services.errors import DeskError, NotFound
from services.people import get_person
from services.rights import DESK
from services.settings.history import Last, last_change
from services.settings.many import KEY, name_of
from web.api_words import SCOPES
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk
from web.setting_saves import Answer, save_setting
from web.words import explain, status_of

screen = Blueprint("api_keys", __name__, url_prefix="/api-keys")


@screen.get("")
def index() -> str:
    """With ``like`` the form for a new key has the name and the scopes of that one."""
    like = request.args.get("like", type=whole)
    return _page(current_actor().staff_id or 0, like=_mine(like) if like is not None else None)


@screen.get("/of/<int:staff_id>")
def of_person(staff_id: int) -> str:
    return _page(staff_id)


def _page(staff_id: int, problem: str = "", secret: str = "", made_id: int = 0, like: ApiKey | None = None) -> str:
    with current_desk().database.read.begin() as session:
        rows = keys_of(session, current_actor(), staff_id)
        old = old_keys(session, current_actor(), staff_id)
        person = get_person(session, DESK, staff_id)
    return render_template(
        "api_keys/index.html", rows=rows, old=old, person=person, problem=problem, secret=secret, made_id=made_id,
        mine=staff_id == current_actor().staff_id, scopes=scopes_for(current_actor()), names=SCOPES, days=DAYS,
        address=(current_desk().address or request.host_url).rstrip("/"), given=request.form, longest=LONGEST_NAME,
        now=utc_now(), like=like,
    )  # fmt: skip


@screen.post("")
def make() -> tuple[Response | str, int] | str:
    """The key stands in this one answer: no address leads to it, and a page loaded anew does not have it."""
    form, actor = request.form, current_actor()
    days = form.get("days", 0, type=whole)
    try:
        with current_desk().database.write.begin() as session:
            row, secret = make_key(session, actor, form.get("name", ""), form.getlist("scope"), days)
    except DeskError as error:
        return _page(actor.staff_id or 0, problem=explain(error)), status_of(error)
    return _page(actor.staff_id or 0, secret=secret, made_id=row.id)


def _mine(key_id: int) -> ApiKey:
    with current_desk().database.read.begin() as session:
        row = get_key(session, current_actor(), key_id)
    if row.staff_id != current_actor().staff_id:
        raise NotFound("key.gone", id=key_id)
    return row


@screen.get("/<int:key_id>")
def edit(key_id: int) -> str:
    return _form(_mine(key_id))


def _form(row: ApiKey, problem: str = "") -> str:
    with current_desk().database.read.begin() as session:
        last: Last = last_change(session, name_of(KEY, row.id))
    return render_template(
        "api_keys/form.html", row=row, last=last, problem=problem, given=request.form, names=SCOPES,
        scopes=scopes_for(current_actor()), longest=LONGEST_NAME, seen=request.form.get("seen") or last.number,
    )  # fmt: skip


@screen.post("/<int:key_id>")
def save(key_id: int) -> Answer:
    form, row = request.form, _mine(key_id)
    try:
        return save_setting(
            name_of(KEY, key_id),
            lambda session: edit_key(
                session, current_actor(), key_id, form.get("name", ""), form.getlist("scope")
            ),
        )  # fmt: skip
    except DeskError as error:
        return _form(row, explain(error)), status_of(error)


@screen.post("/<int:key_id>/revoke")
def revoke(key_id: int) -> Answer:
    """Whoever uses it is named first; there is no way back from it."""
    with current_desk().database.read.begin() as session:
        owner = get_key(session, current_actor(), key_id).staff_id
    mine = owner == current_actor().staff_id
    return save_setting(
        name_of(KEY, key_id), lambda session: revoke_key(session, current_actor(), key_id), final=True,
        to=url_for("api_keys.index") if mine else url_for("api_keys.of_person", staff_id=owner),
        words=_("The key is revoked: it opens nothing any more."),
    )  # fmt: skip
