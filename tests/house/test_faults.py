"""The table of faults names tests that exist, and every fault that concerns sending has one."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
OF_SENDING = {f"F{n}" for n in (*range(1, 10), *range(11, 16), 19, 20, 22, 24)}


def test_every_fault_of_sending_has_tests_that_exist() -> None:
    page = (ROOT / "docs/dev/faults.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (F\d+) \|.*\|([^|]*)\|$", page, re.MULTILINE))
    assert rows.keys() == OF_SENDING
    missing = []
    for fault, cell in rows.items():
        named = re.findall(r"`([^`]+)::(test_\w+)`", cell)
        assert named, fault
        missing += [f"{fault}: {file}::{name}" for file, name in named if name not in _tests_in(file)]
    assert missing == []


def _tests_in(file: str) -> set[str]:
    path = ROOT / file
    if not path.exists():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
