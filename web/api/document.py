"""The OpenAPI 3.1 document, made of the table of addresses and of the shapes alone."""

import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.api_keys import SCOPES
from web.api.endpoints import ENDPOINTS, Endpoint
from web.api.problems import PROBLEM
from web.api.shapes import Problem
from web.api_words import SCOPES as SCOPE_NAMES
from web.language import _
from web.numbers import LARGEST

VERSION = "1"
PREFIX = f"/api/v{VERSION}"
_REF = "#/components/schemas/{model}"
_NUMBER = {"type": "integer", "minimum": 1, "maximum": LARGEST}
ONCE_PATTERN = "^[!-~]{1,200}$"


def document(address: str) -> dict[str, Any]:
    """The document in the language of who asks; ``address`` is the desk's own."""
    asked = {one for endpoint in ENDPOINTS for one in (endpoint.body,) if one is not None}
    answered = {endpoint.answer for endpoint in ENDPOINTS} | {Problem}
    inputs = [(one, "validation") for one in sorted(asked, key=_name)]
    outputs = [(one, "serialization") for one in sorted(answered, key=_name)]
    _where, made = models_json_schema([*inputs, *outputs], ref_template=_REF)  # type: ignore[list-item]
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {"title": _("Otklik"), "version": VERSION},
        "servers": [{"url": address.rstrip("/") + PREFIX}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": made["$defs"],
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "; ".join(f"{scope}: {SCOPE_NAMES[scope]}" for scope in SCOPES),
                }
            },
        },
    }


def numbers_of(path: str) -> list[str]:
    """The names in braces."""
    return re.findall(r"{(\w+)}", path)


def _name(shape: type[BaseModel]) -> str:
    return shape.__name__


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": str(endpoint.summary),
        "security": [{"key": [scope]} for scope in endpoint.scopes] or [{"key": []}],
        "parameters": [*map(_in_path, numbers_of(endpoint.path)), *_in_query(endpoint), *_in_header(endpoint)],
        "responses": {
            str(endpoint.status): {
                "description": "OK",
                "content": {"application/json": {"schema": {"$ref": _REF.format(model=_name(endpoint.answer))}}},
            },
            "default": {
                "description": "RFC 9457",
                "content": {PROBLEM: {"schema": {"$ref": _REF.format(model=_name(Problem))}}},
            },
        },
    }
    if endpoint.body is not None:
        schema = {"$ref": _REF.format(model=_name(endpoint.body))}
        told["requestBody"] = {
            "required": endpoint.needs_body,
            "content": {"application/json": {"schema": schema}},
        }
    return told


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _NUMBER}


def _in_query(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.query is None:
        return []
    fields = endpoint.query.model_json_schema()["properties"]
    return [
        {"name": name, "in": "query", "required": False, "schema": _bare(schema)} for name, schema in fields.items()
    ]


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    """In an address there is no null: what is left out is left out."""
    kinds = [one for one in schema["anyOf"] if one != {"type": "null"}]
    return dict(kinds[0])


def _in_header(endpoint: Endpoint) -> list[dict[str, Any]]:
    if not endpoint.once:
        return []
    schema = {"type": "string", "pattern": ONCE_PATTERN}
    return [{"name": "Idempotency-Key", "in": "header", "required": True, "schema": schema}]
