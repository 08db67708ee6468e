"""The habits of the house that a machine can check: sizes, docs, words about the product alone."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_LINES, MOST_FUNCTION = 500, 60


def tracked(*endings: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if name.endswith(endings) and (ROOT / name).exists()]


def test_no_file_is_longer_than_a_room_allows() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in tracked(".py", ".html", ".js", ".css")
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert not long


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in tracked(".py")
        if "migrations/versions" not in str(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > MOST_FUNCTION
    ]
    assert not long


def test_every_module_says_its_place() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in tracked(".py")
        if path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent


def test_every_command_stands_in_the_docs() -> None:
    from cli import app

    page = (ROOT / "docs" / "dev" / "commands.md").read_text(encoding="utf-8")
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        assert f"`{name}`" in page, name


def test_every_key_of_the_configuration_stands_in_the_docs() -> None:
    from pydantic import BaseModel

    from config import Config, SourceConfig

    page = (ROOT / "docs" / "dev" / "config.md").read_text(encoding="utf-8")
    sections = [
        (name, type(field.default))
        for name, field in Config.model_fields.items()
        if isinstance(field.default, BaseModel)
    ]
    for name, model in [*sections, ("sources[]", SourceConfig)]:
        for key in model.model_fields:
            assert f"`{name}.{key}`" in page, f"{name}.{key}"


DESK_REMEMBERS = {
    "services/access.py", "services/beginning.py", "services/moving.py", "services/nightly.py",
    "services/recount.py", "services/relabel.py", "services/reports/upkeep.py", "services/search_index.py",
}  # fmt: skip
"""Who keeps a state of the desk's own in the table of settings: nothing that a person decides."""


def test_a_setting_is_written_through_one_door() -> None:
    writing = {
        str(path.relative_to(ROOT))
        for path in tracked(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Setting"
    }
    written = {name for name in writing if not name.startswith("tests/")}
    assert written == {"services/settings/history.py", *DESK_REMEMBERS}


def test_every_job_has_its_time_and_every_time_its_job() -> None:
    from jobs import JOBS
    from scheduler import SCHEDULE

    written = {
        node.name for node in ast.parse((ROOT / "jobs.py").read_text()).body if isinstance(node, ast.FunctionDef)
    }
    timed = [name for name, _seconds, _instances in SCHEDULE]
    assert sorted(timed) == sorted(JOBS)
    assert {name for name in written if not name.startswith("_")} - {"run_job"} == set(JOBS)
