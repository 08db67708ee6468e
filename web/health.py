"""What a monitor asks: whether the desk lives, for anybody; its figures, for this machine and administrators."""

from flask import Blueprint, Response, abort, jsonify, request
from sqlalchemy.exc import SQLAlchemyError

from services.health import look
from web.security import current_desk, is_local_visit, may

screen = Blueprint("health", __name__)


@screen.get("/health")
def state() -> tuple[Response, int]:
    """200 while the desk answers, also where «status» says that it lags; 503 without a database."""
    try:
        with current_desk().database.read.begin() as session:
            found = look(session)
    except SQLAlchemyError:
        return jsonify(status="failed"), 503
    full = current_desk().room.is_full()
    status = "ok" if found.is_well and not full else "degraded"
    told = {"revision": found.revision, "scheduler": found.scheduler, "stuck_acts": found.stuck_acts,
            "disk": "full" if full else "ok"}  # fmt: skip
    return jsonify(status=status, classifier=current_desk().labeller.state, **told, **_probed()), 200


def _probed() -> dict[str, object]:
    """To whoever looks from outside: that it is this desk, and how the question reached it."""
    if "probe" not in request.args:
        return {}
    from services.address import proof

    answer = proof(current_desk().secret_key, request.args.get("probe", ""))
    return {"proof": answer, "seen": {"scheme": request.scheme, "host": request.host}} if answer else {}


@screen.get("/metrics")
def metrics() -> Response:
    """Prometheus' text format; for a stranger, also behind the reverse proxy, there is no such page."""
    if not is_local_visit() and not may("settings.edit"):
        abort(404)
    # A tenth of a second that no start needs.
    from services.metrics import TYPE, exposition
    from services.state import snapshot

    desk = current_desk()
    with desk.database.read.begin() as session:
        body = exposition(snapshot(session), free=desk.room.free_bytes(), full=desk.room.is_full())
    return Response(body, content_type=TYPE)
