"""The door for programs: JSON by personal keys, made of one table of addresses; never a cookie."""

import re
from typing import Any

from flask import Blueprint, Response, request
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import RequestEntityTooLarge

from services.errors import Refused
from web.api.document import ONCE_PATTERN, PREFIX, document, numbers_of
from web.api.endpoints import ENDPOINTS, Endpoint
from web.api.gate import admit
from web.api.problems import Malformed, problem, wrongs_of
from web.api.shapes import Wrong
from web.api.views import Call, form_key_of
from web.security import csrf, current_actor, current_desk, rang

__all__ = ["screen"]

MOST_BODY = 512 * 1024
JSON = "application/json"

screen = Blueprint("api", __name__, url_prefix=PREFIX)
csrf.exempt(screen)
screen.before_request(admit)


@screen.errorhandler(Malformed)
def _malformed(error: Malformed) -> Response:
    return problem(error.status, error.code, errors=error.errors)


@screen.get("/openapi.json", endpoint="document")
def show_document() -> dict[str, Any]:
    return document(current_desk().address or request.host_url)


def _serve(endpoint: Endpoint, ids: dict[str, int]) -> Response:
    call = _read(endpoint, ids)
    reads = endpoint.method == "GET"
    database = current_desk().database
    try:
        with (database.read if reads else database.write).begin() as session:
            answer = endpoint.view(session, current_actor(), call)
    except IntegrityError:
        if not endpoint.once:
            raise
        raise Refused("api.key_reused") from None  # at this very moment, for another case
    if not reads:
        rang(outbox=endpoint.outbox)
    return Response(answer.model_dump_json(), endpoint.status, content_type=JSON)


def _read(endpoint: Endpoint, ids: dict[str, int]) -> Call:
    query = _checked(endpoint.query, "query", _words()) if endpoint.query is not None else None
    if endpoint.query is None and request.args:
        raise Malformed(errors=[Wrong(where=["query", name], code="extra_forbidden") for name in request.args])
    body = _checked(endpoint.body, "body", _body(endpoint)) if endpoint.body is not None else None
    return Call(ids, query, body, _form_key() if endpoint.once else "")


def _words() -> dict[str, str]:
    twice = [name for name, values in request.args.lists() if len(values) > 1]
    if twice:
        raise Malformed(errors=[Wrong(where=["query", name], code="twice") for name in twice])
    return request.args.to_dict()


def _body(endpoint: Endpoint) -> bytes:
    request.max_content_length = MOST_BODY
    try:
        given = request.get_data()
    except RequestEntityTooLarge:
        raise Malformed("api.large", 413) from None
    if not given and not endpoint.needs_body:
        return b"{}"
    if request.mimetype != JSON:
        raise Malformed("api.json", 415)
    return given


def _checked(shape: type[BaseModel], where: str, given: dict[str, str] | bytes) -> BaseModel:
    try:
        return shape.model_validate_json(given) if isinstance(given, bytes) else shape.model_validate(given)
    except ValidationError as error:
        raise Malformed(errors=wrongs_of(error, where)) from None


def _form_key() -> str:
    given = request.headers.get("Idempotency-Key", "")
    if not re.fullmatch(ONCE_PATTERN, given):
        raise Malformed("api.key_missing", 400)
    return form_key_of(current_actor(), given)


def _add(endpoint: Endpoint) -> None:
    rule = endpoint.path
    for name in numbers_of(rule):
        rule = rule.replace(f"{{{name}}}", f"<int:{name}>")
    screen.add_url_rule(
        rule, endpoint.name, lambda **ids: _serve(endpoint, ids), methods=[endpoint.method],
        provide_automatic_options=False,
    )  # fmt: skip


for _one in ENDPOINTS:
    _add(_one)
