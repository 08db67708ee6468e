"""Schemathesis over the API's own document: cases that fit it and cases that do not, and none breaks the desk."""

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from services.hooks import Patience
from services.routing import ask_department
from tests.web.program import Program, put_key
from web.api import gate
from web.api.endpoints import ENDPOINTS

EXAMPLES = int(os.environ.get("OTKLIK_EXAMPLES", "8"))
"""Of each endpoint, those that fit the document and as many that do not; `run.py test --deep` asks for hundreds."""
ASKS = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def robots(app, database, cast, open_case, monkeypatch) -> list[Program]:
    """Of the head and of a curator, over a desk where there is something to ask about."""
    monkeypatch.setattr(gate, "pace", Patience(most=10**6, seconds=1))
    for number in range(3):
        case_id = open_case(f"Когда урок {number}?", f"Автор {number}")
    with database.write.begin() as session:
        ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда?", "r-1")
    return [Program(app.test_client(), put_key(database, actor)) for actor in (cast.head, cast.curator)]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_nothing_of_it_is_an_error_of_ours(robots, mode):
    """One desk for all of them: what one changed, the next meets."""
    schema = schemathesis.openapi.from_dict(robots[0].document)
    for endpoint in ENDPOINTS:
        operation = schema[endpoint.path][endpoint.method]

        @ASKS
        @given(case=operation.as_strategy(generation_mode=mode), who=st.integers(0, 1))
        def ask(case: Any, who: int) -> None:
            answer = send(robots[who], case)
            assert answer.status_code < 500, (case.formatted_path, case.query, case.body, answer.text)

        ask()


def send(robot: Program, case: Any) -> Any:
    """In process: what schemathesis made, with the robot's key."""
    told = case.as_transport_kwargs(base_url="http://localhost/api/v1")
    headers = {
        name: str(value).encode("latin-1", "replace").decode("latin-1") for name, value in told["headers"].items()
    }
    headers["Authorization"] = f"Bearer {robot.secret}"
    given = {name: told[name] for name in ("json", "data") if told.get(name) is not None}
    address = told["url"].removeprefix("http://localhost")
    return robot.client.open(
        address, method=told["method"], headers=headers, query_string=told.get("params"), **given
    )  # fmt: skip
