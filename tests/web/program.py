"""A program that speaks to the desk by a key, and holds every answer against the desk's own document."""

from typing import Any

from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models import ApiKey, utc_now
from models.database import Database
from services.api_keys import PREFIX, SCOPES
from services.entrance import digest_of
from services.rights import Actor

PROBLEM = "application/problem+json"


def strict(schema: Any) -> Any:
    """The same, but without room for a field that the document does not name."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed


class Program:
    """``client`` may bear a cookie: it must not matter."""

    def __init__(self, client: FlaskClient, secret: str) -> None:
        self.client, self.secret = client, secret
        self.document: dict[str, Any] = client.get("/api/v1/openapi.json").get_json()
        self._closed = strict(self.document["components"])

    def call(self, method: str, path: str, body: Any = None, once: str = "", **query: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        if once:
            headers["Idempotency-Key"] = once
        given = {"json": body} if body is not None else {}
        answer = self.client.open(
            f"/api/v1{path}", method=method, headers=headers, query_string=query or None, **given
        )
        self.check(method, path, answer)
        return answer

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.call("GET", path, **query)

    def post(self, path: str, body: Any = None, once: str = "") -> TestResponse:
        return self.call("POST", path, body, once)

    def check(self, method: str, path: str, answer: TestResponse) -> None:
        """The answer is what the document says of its status."""
        operation = self.operation(method, path)
        said = operation["responses"].get(str(answer.status_code), operation["responses"]["default"])
        assert list(said["content"]) == [answer.mimetype], (answer.status_code, answer.text)
        if answer.mimetype == PROBLEM:
            assert answer.get_json()["status"] == answer.status_code >= 400
        schema = {**said["content"][answer.mimetype]["schema"], "components": self._closed}
        Draft202012Validator(schema).validate(answer.get_json())

    def operation(self, method: str, path: str) -> dict[str, Any]:
        parts = path.split("/")
        for known, methods in self.document["paths"].items():
            named = known.split("/")
            same = len(parts) == len(named) and all(
                one == name or name.startswith("{") for one, name in zip(parts, named, strict=True)
            )
            if same and method.lower() in methods and (known == path or "{" in known):
                return dict(methods[method.lower()])
        return {
            "responses": {"default": {"content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}}
        }


def put_key(database: Database, actor: Actor, *scopes: str) -> str:
    """A key as it may stand in the table, also with scopes that its person could not give it today."""
    with database.write.begin() as session:
        return _put(session, actor, scopes or tuple(SCOPES))


def _put(session: Session, actor: Actor, scopes: tuple[str, ...]) -> str:
    number = session.query(ApiKey).count()
    secret = PREFIX + f"{number:043}"
    session.add(
        ApiKey(
            staff_id=actor.staff_id, name="робот", hint=secret[:8], digest=digest_of(secret), scopes=list(scopes),
            expires_at=utc_now().replace(year=utc_now().year + 1),
        )
    )  # fmt: skip
    return secret
