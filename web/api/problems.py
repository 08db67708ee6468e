"""How the API refuses: RFC 9457, with the desk's own words and a code that stays the same in every language."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import Response
from pydantic import ValidationError

from services.errors import DeskError
from web.api.shapes import Problem, Wrong
from web.words import ERRORS, explain, status_of

PROBLEM = "application/problem+json"
_OF_PROGRAMS = {"case.stale": "api.stale"}
"""Codes whose words on the screens speak of what only a screen does."""


class Malformed(Exception):
    """What was asked is not what the document says; ``errors`` tell where."""

    def __init__(self, code: str = "api.malformed", status: int = 422, errors: Sequence[Wrong] = ()) -> None:
        super().__init__(code)
        self.code, self.status, self.errors = code, status, list(errors)


def wrongs_of(error: ValidationError, where: str) -> list[Wrong]:
    """The places of an error without what stood there: a program may have sent somebody's words."""
    return [Wrong(where=[where, *one["loc"]], code=one["type"]) for one in error.errors(include_input=False)]


def problem(
    status: int,
    code: str,
    detail: str = "",
    errors: Sequence[Wrong] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer of a kind of its own; ``detail`` defaults to the words of ``code``."""
    told = Problem(
        type="about:blank", title=HTTPStatus(status).phrase, status=status, code=code,
        detail=detail or str(ERRORS.get(code, ERRORS["unexpected"])), errors=list(errors),
    )  # fmt: skip
    return Response(told.model_dump_json(), status, dict(headers or {}), content_type=PROBLEM)


def told(error: DeskError) -> Response:
    """A refusal of a service."""
    said = _OF_PROGRAMS.get(error.code)
    return problem(status_of(error), error.code, str(ERRORS[said]) if said else explain(error))
