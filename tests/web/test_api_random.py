"""Whatever a program sends, the API answers as its document says and never breaks."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.hooks import Patience
from services.routing import ask_department
from tests.web.program import Program, put_key
from web.api import gate
from web.api.endpoints import ENDPOINTS

ODD = st.one_of(
    st.text(max_size=20), st.sampled_from(["", "\x00", "\ud7ff", "null", "-1", "1e9", "9" * 30, "' OR 1", "%"])
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | ODD,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(ODD, inner, max_size=2),
    max_leaves=4,
)


def fitting(schema: dict[str, Any], document: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the schema allows, the small ones often: ids of rows that are there."""
    if "$ref" in schema:
        return fitting(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([fitting(one, document) for one in schema["anyOf"]])
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        needed = set(schema.get("required", ()))
        fields = {name: fitting(one, document) for name, one in schema["properties"].items()}
        return st.fixed_dictionaries(
            {name: one for name, one in fields.items() if name in needed},
            optional={name: one for name, one in fields.items() if name not in needed},
        )
    if kind == "object":
        return st.dictionaries(st.text(max_size=8), fitting(schema["additionalProperties"], document), max_size=2)
    if kind == "integer":
        least, most = schema.get("minimum", 0), schema.get("maximum", 2**63 - 1)
        return st.integers(least, min(least + 3, most)) | st.integers(least, most)
    if kind == "string" and schema.get("format") == "date-time":
        return st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat())
    if kind == "string":
        return st.sampled_from(["curators", "Да."]) | st.text(min_size=schema.get("minLength", 0), max_size=30)
    return {"boolean": st.booleans(), "null": st.none()}[str(kind)]


def spoiled(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Often right, sometimes with one field that is not."""
    return values | st.tuples(values, ODD, JUNK).map(
        lambda one: {**one[0], one[1]: one[2]} if isinstance(one[0], dict) else one[2]
    )


@pytest.fixture
def robots(app, database, cast, open_case, monkeypatch):
    monkeypatch.setattr(gate, "pace", Patience(most=10**6, seconds=1))
    for number in range(3):
        case_id = open_case(f"Когда урок {number}?", f"Автор {number}")
    with database.write.begin() as session:
        ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда?", "r-1")
    return [Program(app.test_client(), put_key(database, actor)) for actor in (cast.head, cast.curator)]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.name)
def test_nothing_breaks_it(robots, endpoint):
    document = robots[0].document
    operation = document["paths"][endpoint.path][endpoint.method.lower()]
    words = {
        one["name"]: fitting(one["schema"], document) for one in operation["parameters"] if one["in"] == "query"
    }
    body: st.SearchStrategy[Any] = st.none()
    if endpoint.body is not None:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        body = spoiled(fitting(schema, document)) | JUNK

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        number=st.integers(1, 4) | st.integers(0, 2**70),
        query=spoiled(st.fixed_dictionaries({}, optional=words)),
        body=body,
        once=st.sampled_from(["a", "b", ""]) | st.text("!~кx", min_size=1, max_size=9),
        who=st.integers(0, 1),
    )
    def ask(number: int, query: Any, body: Any, once: str, who: int) -> None:
        path = endpoint.path
        for name in ("{case_id}", "{reply_id}", "{route_id}"):
            path = path.replace(name, str(number))
        asked = {str(name): str(value) for name, value in query.items()} if isinstance(query, dict) else {}
        key = once.encode().decode("latin-1") if endpoint.once else ""
        answer = robots[who].call(endpoint.method, path, body, key, **asked)
        assert answer.status_code < 500, (path, asked, body, answer.text)

    ask()
