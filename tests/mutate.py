"""Deletes every guard and branch of the send protocol in turn; the tests must notice (`run.py test --deep`).

`python tests/mutate.py [FILE …]`. What was found is kept in var/mutants: a run may be ended and gone on with.
"""

import ast
import copy
import hashlib
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
TESTS = (
    *(
        f"tests/services/test_{name}.py"
        for name in (
            "rights", "act_states", "act_steps", "outbox", "outcomes", "ours", "replies", "reply_care", "agreement",
            "agreeing", "pacing", "holding", "split", "sending", "backup", "races", "watch", "health",
        )
    ),
    "tests/web/test_outbox.py",
)  # fmt: skip
_STORM = "tests/services/test_storm.py::test_"
LAST = (
    f"{_STORM}kills_lose_nothing_and_double_nothing[sqlite-list]",
    f"{_STORM}kills_lose_nothing_and_double_nothing[sqlite-none]",
    f"{_STORM}a_worker_frozen_past_its_lease_does_not_call[sqlite]",
)
"""Work in processes of their own, where nobody sees which lines they run: asked about what the others let live."""
TARGETS = tuple(
    f"services/{name}.py"
    for name in ("outbox", "outcomes", "sending", "rights", "agreement", "candidates", "approval")
)
LAST_SECONDS, PATIENCE = 120.0, 60.0
"""What the last may take; how much longer than that a mutant may hang before it counts as killed."""
LEAST = 0.9
"""Share of mutants that the tests must kill."""
LEFT_OUT = (".venv", "var", ".git", "node_modules", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")
QUIETLY = [
    "-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--hypothesis-profile=same", "--tb=no", "-k",
    "not postgresql",
]  # fmt: skip
KEEP = ROOT / "var" / "mutants"
PRELOADED = (
    "alembic.command", "alembic.config", "cryptography.fernet", "flask", "flask_babel", "flask_login", "flask_wtf",
    "httpx", "playwright.sync_api", "pydantic_settings", "pyrate_limiter", "pysqlite3.dbapi2", "rich",
    "sqlalchemy.dialects.sqlite", "sqlalchemy.orm", "structlog", "waitress",
)  # fmt: skip
Seen = dict[str, tuple[float, set[tuple[str, int]]]]
"""Test → seconds that it takes, and (file, line) of the targets that it runs."""


@dataclass(frozen=True)
class Mutant:
    """``lines``: where it differs; a test that runs none of them cannot notice."""

    target: str
    line: int
    what: str
    source: str
    lines: range

    @property
    def name(self) -> str:
        return f"{self.target}:{self.line} {self.what}"


def mutants(target: str, source: str) -> Iterator[Mutant]:
    """Without each guard, branch, permission check, condition of a query, operand of «and» and «or»."""
    tree = ast.parse(source)
    # «x or default» is no guard.
    asked = {
        part for node in ast.walk(tree) if isinstance(node, ast.If | ast.IfExp) for part in ast.walk(node.test)
    }
    homes = {
        part: range(home.lineno, (home.end_lineno or home.lineno) + 1)
        for home in ast.walk(tree) if isinstance(home, ast.stmt)
        for part in ast.walk(home)
    }  # fmt: skip
    for number, node in enumerate(ast.walk(tree)):
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and node not in asked:
            continue
        for what, at, change in _changes(node):
            copied = copy.deepcopy(tree)
            change(next(one for place, one in enumerate(ast.walk(copied)) if place == number))
            text = ast.unparse(ast.fix_missing_locations(copied))
            yield Mutant(target, at.lineno, what, text, homes[at])


def _changes(node: ast.AST) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(node, ast.If):
        yield "branch", node, lambda one: setattr(one, "body", [ast.Pass()])
        if node.orelse and not isinstance(node.orelse[0], ast.If):
            yield "else", node.orelse[0], lambda one: setattr(one, "orelse", [ast.Pass()])
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        name = getattr(node.value.func, "id", "")
        if name.startswith("require") or name in ("move_act", "note_reply", "lift", "_lift", "record"):
            yield f"call of {name}", node, lambda one: setattr(one, "value", ast.Constant(None))
    elif isinstance(node, ast.BoolOp):
        for at, value in enumerate(node.values):
            yield f"operand {at + 1}", value, lambda one, at=at: one.values.pop(at)
    elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "where" and len(node.args) > 1:
        for at, value in enumerate(node.args):
            yield f"condition {at + 1}", value, lambda one, at=at: one.args.pop(at)


class Watcher:
    """In the mapping run: which test runs which lines of the targets, and how long it takes."""

    def __init__(self, place: Path, out: Path) -> None:
        self.names = {str(place / target): target for target in TARGETS}
        self.out = out
        self.lines: dict[str, tuple[float, list[tuple[str, int]]]] = {}
        self.seen: set[tuple[str, int]] = set()

    def trace(self, frame: Any, event: str, argument: object) -> Any:
        name = self.names.get(frame.f_code.co_filename)
        if name is None:
            return None

        def line(frame: Any, event: str, argument: object) -> Any:
            self.seen.add((name, frame.f_lineno))
            return line

        self.seen.add((name, frame.f_lineno))
        return line

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        self.seen, began = set(), time.monotonic()
        threading.settrace(self.trace)
        sys.settrace(self.trace)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)
            self.lines[item.nodeid] = (time.monotonic() - began, sorted(self.seen))

    def pytest_sessionfinish(self) -> None:
        self.out.write_text(json.dumps(self.lines), encoding="utf-8")


def read_map(folder: Path) -> Seen:
    """Test → (seconds, lines of the targets that it runs); made anew when a target or a test has changed."""
    digest = hashlib.sha256()
    for name in sorted((*TARGETS, *TESTS, "tests/conftest.py", "tests/mutate.py")):
        digest.update((ROOT / name).read_bytes())
    kept = KEEP / f"map-{digest.hexdigest()[:12]}.json"
    if not kept.exists():
        print("· which test runs which lines", flush=True)
        script = f"import pytest, sys; sys.path.insert(0, '.'); from tests.mutate import *\n" \
                 f"w = Watcher(Path({str(folder)!r}), Path({str(kept)!r}))\n" \
                 f"sys.exit(pytest.main({[*QUIETLY[1:], *TESTS]!r}, plugins=[w]))"  # fmt: skip
        done = subprocess.run([sys.executable, "-c", script], cwd=folder, check=False)
        if done.returncode:
            kept.unlink(missing_ok=True)
            raise SystemExit("the tests fail as they are")
    told = json.loads(kept.read_text(encoding="utf-8"))
    return {name: (seconds, {(file, line) for file, line in lines}) for name, (seconds, lines) in told.items()}


def survives(folder: Path, mutant: Mutant, tests: list[str], seconds: float) -> bool:
    """True when all tests pass over the mutated file: nobody noticed. ``seconds``: what they take when watched."""
    path = folder / mutant.target
    kept = path.read_text(encoding="utf-8")
    path.write_text(mutant.source, encoding="utf-8")
    child = os.fork()
    if child == 0:
        _test_here(folder, tests)
    try:
        until = time.monotonic() + PATIENCE + 2 * seconds
        while time.monotonic() < until:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status) in (0, 5)
            time.sleep(0.1)
        os.killpg(child, signal.SIGKILL)  # it hangs, and CI would say so
        os.waitpid(child, 0)
        return False
    finally:
        path.write_text(kept, encoding="utf-8")


def _test_here(folder: Path, tests: list[str]) -> None:
    """In a child, which finds everything but the project's own files imported already."""
    try:
        os.setpgid(0, 0)
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        os.environ["OTKLIK_KILLS"] = "4"
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os._exit(int(pytest.main([*QUIETLY, *tests])))
    finally:
        os._exit(3)


def preload() -> None:
    """What every run imports first takes longer than most of the tests."""
    for name in PRELOADED:
        importlib.import_module(name)


def is_killed(folder: Path, mutant: Mutant, seen: Seen) -> bool:
    """The quick tests that run its lines first, then the slow ones, then those that nobody can watch."""
    wanted = {(mutant.target, line) for line in mutant.lines}
    near = sorted((seconds, name) for name, (seconds, lines) in seen.items() if lines & wanted)
    if not near:  # it runs when the module is imported: whatever uses the file may notice
        near = sorted((seconds, name) for name, (seconds, lines) in seen.items() if _uses(mutant, lines))
    names = [name for _, name in near]
    for some in (names[:120], names[120:]):
        if some and not survives(folder, mutant, some, sum(seen[name][0] for name in some)):
            return True
    return mutant.target != "services/rights.py" and not survives(folder, mutant, list(LAST), LAST_SECONDS)


def _uses(mutant: Mutant, lines: set[tuple[str, int]]) -> bool:
    return any(file == mutant.target for file, _ in lines)


def _grave(mutant: Mutant, seen: Iterable[str]) -> Path:
    """The file that says that these tests have killed this mutant."""
    return KEEP / hashlib.sha256(f"{mutant.source}{sorted(seen)}".encode()).hexdigest()[:16]


def _share(cases: list[Mutant], folder: Path, seen: Seen) -> int:
    """A process that tries these mutants one after another."""
    child = os.fork()
    if child:
        return child
    try:
        for mutant in cases:
            if _grave(mutant, seen).exists():
                continue
            if is_killed(folder, mutant, seen):
                _grave(mutant, seen).write_text(mutant.name, encoding="utf-8")
            else:
                print(f"  lives: {mutant.name}", flush=True)
    finally:
        os._exit(0)


def main(workers: int = int(os.environ.get("OTKLIK_WORKERS", "2"))) -> int:
    """Prints the survivors; 1 when too many live."""
    chosen = sys.argv[1:] or TARGETS
    KEEP.mkdir(parents=True, exist_ok=True)
    cases = [one for name in chosen for one in mutants(name, (ROOT / name).read_text(encoding="utf-8"))]
    with tempfile.TemporaryDirectory(prefix="otklik-mutants-") as place:
        folders = [Path(place) / str(number) for number in range(workers)]
        for folder in folders:
            shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
        seen = read_map(folders[0])

        preload()
        as_it_is = Mutant(TARGETS[0], 0, "nothing", (ROOT / TARGETS[0]).read_text(encoding="utf-8"), range(0))
        if not survives(folders[0], as_it_is, sorted(seen)[:20], LAST_SECONDS):
            raise SystemExit("the tests fail over what was not changed")
        children = [_share(cases[number::workers], folders[number], seen) for number in range(workers)]
        for child in children:
            os.waitpid(child, 0)
    lived = [mutant.name for mutant in cases if not _grave(mutant, seen).exists()]
    killed = 1 - len(lived) / len(cases)
    print(f"mutants {len(cases)}, killed {killed:.1%}")
    return int(killed < LEAST)


if __name__ == "__main__":
    sys.exit(main())
