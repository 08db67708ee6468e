"""Who asks: a key in the header and nothing else, its person as the tables have them now, its scopes, its pace."""

from flask import Response, g, request
from sqlalchemy.orm import Session

from models import ApiKey, Staff
from services.api_keys import find_key, is_unnoted, key_actor, note_used
from services.errors import Forbidden
from services.hooks import Patience
from services.second_factor import is_overdue
from web.api.endpoints import ENDPOINTS
from web.api.problems import problem
from web.matrix import ANY_STAFF, MATRIX, PUBLIC
from web.security import current_desk
from web.throttle import Throttle

MINUTE = 60
pace = Patience(most=300, seconds=MINUTE)
"""Requests of one key."""
wrong = Throttle(most=30, seconds=10 * MINUTE)
"""Unknown keys from one address."""
_SCOPES = {f"api.{endpoint.name}": endpoint.scopes for endpoint in ENDPOINTS}


def admit() -> Response | None:
    """Deny by default: what the matrix does not name is refused here too."""
    need = MATRIX.get(request.endpoint or "")
    if need == PUBLIC:
        return None
    scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        return problem(401, "key.missing", headers={"WWW-Authenticate": "Bearer"})
    desk = current_desk()
    with desk.database.read.begin() as session:
        found = find_key(session, secret.strip())
        barred = found is not None and not desk.is_training and _is_barred(session, found[1])
    if found is None:
        return _unknown()
    key, staff = found
    if not pace.allows(str(key.id)):
        return problem(429, "key.often", headers={"Retry-After": str(MINUTE)})
    g.staff, g.actor, g.api_key = staff, key_actor(staff, key), key
    if barred:
        return problem(403, "key.person")
    _note(key)
    return _judge(staff, key, need)


def _is_barred(session: Session, staff: Staff) -> bool:
    """On a screen nothing else would open before: neither does it to a program."""
    return staff.must_change or is_overdue(session, staff)


def _unknown() -> Response:
    address = request.remote_addr or ""
    if wrong.is_over(address):
        return problem(429, "key.often", headers={"Retry-After": str(10 * MINUTE)})
    wrong.miss(address)
    return problem(401, "key.unknown", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def _note(key: ApiKey) -> None:
    desk = current_desk()
    if is_unnoted(key) and not desk.room.is_full():
        with desk.database.write.begin() as session:
            note_used(session, key.id)


def _judge(staff: Staff, key: ApiKey, need: str | None) -> Response | None:
    wanted = _SCOPES.get(request.endpoint or "")
    if wanted is None or need is None:
        raise Forbidden("forbidden", act=need)
    if wanted and not set(wanted) & set(key.scopes):
        header = f'Bearer error="insufficient_scope", scope="{wanted[0]}"'
        return problem(403, "key.scope", headers={"WWW-Authenticate": header})
    if need != ANY_STAFF and not g.actor.may(need):
        raise Forbidden("forbidden", act=need)
    return None
