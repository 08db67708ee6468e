"""Deletes every guard and branch of the send protocol in turn; the tests must notice (`run.py test --deep`)."""

import ast
import copy
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = (
    *(f"tests/services/test_{name}.py" for name in ("rights", "act_states", "replies", "reply_care", "sending")),
    "tests/web/test_outbox.py",
    *(f"tests/services/test_{name}.py" for name in ("backup", "races", "storm")),
)
TARGETS = ("services/outbox.py", "services/outcomes.py", "services/sending.py", "services/rights.py")
LEAST = 0.9
"""Share of mutants that the tests must kill."""
LEFT_OUT = (".venv", "var", ".git", "node_modules", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """(line, what was deleted, the source without it) for every guard, branch and permission check."""
    tree = ast.parse(source)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.If | ast.Expr)]
    for number, node in enumerate(nodes):
        if isinstance(node, ast.Expr):
            call = node.value
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "require":
                yield node.lineno, "permission", _without(tree, number, "value")
            continue
        yield node.lineno, "branch", _without(tree, number, "body")
        if node.orelse and not isinstance(node.orelse[0], ast.If):
            yield node.orelse[0].lineno, "else", _without(tree, number, "orelse")


def _without(tree: ast.Module, number: int, part: str) -> str:
    copied = copy.deepcopy(tree)
    nodes = [node for node in ast.walk(copied) if isinstance(node, ast.If | ast.Expr)]
    node = nodes[number]
    setattr(node, part, ast.Constant(None) if part == "value" else [ast.Pass()])
    return ast.unparse(ast.fix_missing_locations(copied))


def survives(folder: Path, target: str, source: str) -> bool:
    """True when all tests pass over the mutated file: nobody noticed."""
    path = folder / target
    kept = path.read_text(encoding="utf-8")
    path.write_text(source, encoding="utf-8")
    try:
        words = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-k", "not postgresql"]
        done = subprocess.run(
            [sys.executable, *words, *TESTS], cwd=folder, capture_output=True, timeout=900, check=False,
            env={**os.environ, "OTKLIK_KILLS": "4"},
        )  # fmt: skip
        return done.returncode == 0
    except subprocess.TimeoutExpired:
        return False  # it hangs, and CI would say so
    finally:
        path.write_text(kept, encoding="utf-8")


def main(workers: int = 2) -> int:
    """Prints the survivors; 1 when too many live."""
    cases = [
        (target, line, what, source)
        for target in TARGETS
        for line, what, source in mutants((ROOT / target).read_text(encoding="utf-8"))
    ]
    with tempfile.TemporaryDirectory(prefix="otklik-mutants-") as place:
        folders = [Path(place) / str(number) for number in range(workers)]
        for folder in folders:
            shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)

        def share(number: int) -> list[str]:
            lived = []
            for target, line, what, source in cases[number::workers]:
                if survives(folders[number], target, source):
                    lived.append(f"{target}:{line} {what}")
                    print(f"  lives: {lived[-1]}", flush=True)
            return lived

        with ThreadPoolExecutor(workers) as pool:
            lived = [one for found in pool.map(share, range(workers)) for one in found]
    killed = 1 - len(lived) / len(cases)
    print(f"mutants {len(cases)}, killed {killed:.1%}")
    return int(killed < LEAST)


if __name__ == "__main__":
    sys.exit(main())
