"""«Журнал действий» speaks Russian: each event that the services write into a group of it has words."""

import ast
from collections.abc import Iterator
from pathlib import Path

import services
from models import Event
from services.journal import GROUPS
from web.journal_words import details, said

SHOWN = tuple(kind for kinds in GROUPS.values() for kind in kinds)


def recorded() -> Iterator[str]:
    """Kinds that stand as such in a call of `record`."""
    for path in Path(services.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "record" and len(call.args) > 1:
                kind = call.args[1]
                if isinstance(kind, ast.Constant) and isinstance(kind.value, str):
                    yield kind.value


def test_every_event_of_the_journal_has_words(app) -> None:
    shown = {kind for kind in recorded() if kind.startswith(SHOWN)}
    assert len(shown) > 100
    with app.test_request_context():
        assert {kind for kind in shown if said(Event(kind=kind, data={})) is None} == set()


def test_what_stands_beside_it(app) -> None:
    with app.test_request_context():
        event = Event(kind="settings.changed", data={"code": "facts", "before": 2, "after": 3})
        assert list(details(event, {})) == ["версия 2 → 3"]
        event = Event(kind="delivery.sent", data={"staff": 6, "code": "digest"})
        assert list(details(event, {6: "Дарья Лис"})) == ["сотрудник: Дарья Лис", "код: digest"]


def test_the_page_says_it(enter) -> None:
    head = enter("head")
    page = head.get("/settings/journal").text
    assert "Сотрудник: добавление" in page
    assert "<code>" not in page
