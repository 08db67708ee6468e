"""What a monitor asks: one public address without a name or a word of anybody."""

from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from services.health import look
from web.security import current_desk

screen = Blueprint("health", __name__)


@screen.get("/health")
def state() -> tuple[Response, int]:
    """200 while the desk answers, also where «status» says that it lags; 503 without a database."""
    try:
        with current_desk().database.read.begin() as session:
            found = look(session)
    except SQLAlchemyError:
        return jsonify(status="failed"), 503
    status = "ok" if found.is_well else "degraded"
    told = {"revision": found.revision, "scheduler": found.scheduler, "stuck_acts": found.stuck_acts}
    return jsonify(status=status, classifier=current_desk().labeller.state, **told), 200
