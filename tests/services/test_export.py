"""Data out: every field the docs promise, versions in order, no live formulas."""

import csv
import io
import json
from dataclasses import replace

import pytest

from services.errors import Forbidden
from services.export import run_export
from services.rights import DESK
from tests.services.test_cases import label_all

FIELDS = {
    "source", "platform", "container_id", "external_id", "parent_external_id", "author_external_id", "author_name",
    "text", "versions", "state", "direction", "published_at", "edited_at", "url", "case", "label", "confidence",
}  # fmt: skip


def test_messages_as_lines(cast, database) -> None:
    first = cast.write("Когда вебинар?")
    cast.store(replace(first, text="Когда вебинар, в среду?"))
    cast.write("спасибо")
    label_all(database)
    out = io.StringIO()
    assert run_export(database, DESK, "messages", out) == 2
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert set(lines[0]) >= FIELDS
    assert lines[0]["versions"] == ["Когда вебинар?", "Когда вебинар, в среду?"]
    assert (lines[0]["label"], lines[0]["confidence"], lines[0]["direction"]) == ("question", 0.9, "in")
    assert lines[0]["case"].startswith("ОБ-2026-")
    out = io.StringIO()
    run_export(database, DESK, "cases", out)
    assert json.loads(out.getvalue())["stage"] == "new"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(cast, database, start) -> None:
    cast.write(f"{start}HYPERLINK(1)", author=f"{start}cmd")
    out = io.StringIO()
    run_export(database, DESK, "messages", out, format="csv")
    row = next(csv.DictReader(io.StringIO(out.getvalue(), newline="")))
    assert row["text"].startswith("'")
    assert row["author_name"].startswith("'")


def test_who_may(cast, database) -> None:
    with pytest.raises(Forbidden):
        run_export(database, cast.smm, "messages", io.StringIO())
