"""Takes every permission check of services and web away in turn; a test must turn red (`run.py test --deep`).

`python tests/mutate_rights.py [FILE …]`. Each mutant meets the table of permissions first, then the tests that call
its function; what was found, and by which test, is kept in var/mutants: a run may be ended and gone on with.
Everything is imported once, and a child that is forked for each mutant puts the changed function in the place of
the old one. A test that noticed something is asked once more over what was not changed.
"""

import ast
import copy
import gc
import hashlib
import importlib
import inspect
import os
import pkgutil
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.mutate import KEEP, PATIENCE, QUIETLY, ROOT, Mutant

TABLES = ["tests/services/test_permissions.py", "tests/data/permissions.yaml"]
FOLDERS = ("tests/services", "tests/web")
APART = ("storm", "sending_faults", "lies", "races", "backup", "mail_answers_real", "scenarios")
"""Where the tests are that run services and screens, and those of them that take long for other reasons."""
NEAR = os.environ.get("OTKLIK_NEAR") == "1"
"""Only the table and the tests of the same noun are asked: quick, and blind to what other tests notice."""
LEAST = 1.0
"""Share of mutants that the tests must kill; KNOWN are no mutants."""
KNOWN = {
    "services/reports/wishes.py always actor.may('wish.edit')": "it chooses a lock; the right is asked elsewhere",
}
"""File and what is taken away → why that is no check."""
OWN_SECONDS = 120.0
"""What the tests of a noun may take."""
_ALL = ast.parse('__import__("services.rights", fromlist=["Scope"]).Scope.ALL', mode="eval").body
_TRUE = ast.parse('__import__("sqlalchemy").true()', mode="eval").body
Change = tuple[str, ast.expr | None]
"""What is done, and what stands there instead; None: nothing."""


def targets() -> list[str]:
    """Files of services and web that hold a check, by name."""
    files = sorted(path for room in ("services", "web") for path in (ROOT / room).rglob("*.py"))
    names = [str(path.relative_to(ROOT)) for path in files]
    return [name for name in names if next(checks(name, (ROOT / name).read_text(encoding="utf-8")), None)]


def checks(target: str, source: str) -> Iterator[Mutant]:
    """Without each check: as if the actor had the right, in all of its scope."""
    tree = ast.parse(source)
    inside = {
        part: home for home in ast.walk(tree) if isinstance(home, ast.FunctionDef | ast.Lambda)
        for part in ast.walk(home)
    }  # fmt: skip
    guards = {
        part for one in ast.walk(tree) if isinstance(one, ast.If) and isinstance(one.body[0], ast.Raise)
        for part in ast.walk(one.test)
    }  # fmt: skip
    for number, node in enumerate(ast.walk(tree)):
        home = inside.get(node)
        change = _change(node, node in guards)
        if change is None or home is None or target == "services/rights.py":
            continue
        what, instead = change
        copied = copy.deepcopy(tree)
        twin: Any = next(one for place, one in enumerate(ast.walk(copied)) if place == number)
        if isinstance(twin, ast.If):
            twin.body = [ast.Pass()]
        elif instead is None:
            twin.value = ast.Constant(None)
        elif isinstance(twin, ast.Assign | ast.AnnAssign):
            twin.value = copy.deepcopy(instead)
        else:
            _put(copied, twin, copy.deepcopy(instead))
        text = ast.unparse(ast.fix_missing_locations(copied))
        line = getattr(node, "lineno", home.lineno)
        first = min([home.lineno, *(one.lineno for one in getattr(home, "decorator_list", ()))])
        yield Mutant(target, line, what, text, range(first, (home.end_lineno or first) + 1))


def _put(tree: ast.AST, old: ast.AST, new: ast.expr) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list):
                value[:] = [new if one is old else one for one in value]


def _change(node: ast.AST, guards: bool) -> Change | None:
    if isinstance(node, ast.Expr) and _is_require(node.value):
        return f"no {ast.unparse(node.value)}", None
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and _is_require(node.value):
        return f"all of {ast.unparse(node.value)}", _ALL
    if isinstance(node, ast.If) and _raises_forbidden(node):
        return f"no guard {ast.unparse(node.test)}", None
    if isinstance(node, ast.Call):
        return _change_call(node)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _change_compare(node, guards)
    return None


def _change_call(node: ast.Call) -> Change | None:
    words, name = ast.unparse(node), getattr(node.func, "attr", "")
    if name == "may":
        return f"always {words}", ast.Constant(True)
    if name == "scope" and len(node.args) == 1:
        return f"all of {words}", _ALL
    if name == "in_" and any(_of_actor(one, "departments") for one in node.args):
        return f"always {words}", _TRUE
    return None


def _change_compare(node: ast.Compare, guards: bool) -> Change | None:
    words, right = ast.unparse(node), node.comparators[0]
    sides = (node.left, right)
    is_no = isinstance(node.ops[0], ast.NotIn | ast.IsNot | ast.NotEq)
    if any(ast.unparse(one) == "Scope.ALL" for one in sides):
        return f"all where {words}", ast.Constant(not is_no)
    if _of_actor(right, "departments") or _of_actor(right, "roles"):
        return f"always {words}", ast.Constant(not is_no)
    if any(_of_actor(one, "staff_id") for one in sides) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
        is_column = any(isinstance(one, ast.Attribute) and ast.unparse(one)[0].isupper() for one in sides)
        return f"whoever {words}", _TRUE if is_column else ast.Constant(not guards)
    return None


def _is_require(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and str(getattr(node.func, "id", "")).startswith("require")


def _of_actor(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == name and "actor" in ast.unparse(node.value)


def _raises_forbidden(node: ast.If) -> bool:
    first = node.body[0]
    return isinstance(first, ast.Raise) and first.exc is not None and "Forbidden" in ast.unparse(first.exc)


class Session:
    """One pytest session of the tests of services and screens: collected once, asked by a child for each mutant.

    First the tests of the mutant's file; then, unless `NEAR`, all that call its function, as one watched run of
    everything has told.
    """

    def __init__(self, cases: list[Mutant]) -> None:
        self.cases = cases
        self.seen: set[tuple[str, int]] = set()
        self.found: dict[str, list[Mutant]] = {}
        self.names = {str(ROOT / target): target for target in targets()}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        # What all tests share is made once, before any child is forked: templates of databases and the like.
        self._run(session, [one for one in session.items if "sqlite" in one.name][:1], keep=True)
        if session.testsfailed:
            raise SystemExit("a test fails over what was not changed")
        files: dict[str, list[pytest.Item]] = {}
        for item in session.items:
            files.setdefault(str(item.path.relative_to(ROOT)), []).append(item)

        def own(mutant: Mutant) -> str:
            items = [item for name in own_tests(mutant.target) for item in files.get(name, [])]
            items.sort(key=lambda item: (names(item, mutant.target), speaks_of_rights(item)), reverse=True)
            return self._noticed(mutant, partial(self._run, session, items), OWN_SECONDS) if items else ""

        _bury(self.cases, own, lambda one: own_tests(one.target))
        left = _left(self.cases, "the tests of their own noun")
        if left and not NEAR:
            calls = self._watch(session)
            for one in left:
                wanted = {(one.target, line) for line in one.lines}
                near = sorted((seconds, at) for at, (seconds, lines) in enumerate(calls) if lines & wanted)
                items = [session.items[at] for _, at in near]
                seconds = sum(seconds for seconds, _ in near)
                if by := self._noticed(one, partial(self._run, session, items), seconds):
                    bury(one, by)
        self._ask_again(session)
        return True

    def _noticed(self, mutant: Mutant, look: Callable[[], str], seconds: float) -> str:
        by = noticed_by(mutant, look, seconds)
        if by:
            self.found.setdefault(by, []).append(mutant)
        return by

    def _ask_again(self, session: pytest.Session) -> None:
        """Digs out again what was noticed by a test that fails over what was not changed."""
        broken = []
        for item in session.items:
            if item.nodeid in self.found and noticed_by(None, partial(self._run, session, [item]), OWN_SECONDS):
                broken.append(item.nodeid)
                for one in self.found[item.nodeid]:
                    grave(one).unlink()
        if broken:
            raise SystemExit(f"fails over what was not changed: {', '.join(broken)}")

    def _run(self, session: pytest.Session, items: list[pytest.Item], keep: bool = False) -> str:
        """The first test that fails. ``keep``: what the session shares stays for others."""
        for item, after in zip(items, [*items[1:], session.items[-1] if keep else None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            if session.testsfailed:
                return item.nodeid
        return ""

    def _watch(self, session: pytest.Session) -> list[tuple[float, set[tuple[str, int]]]]:
        """Of each test: seconds, and the functions that it calls by their first lines."""
        print("· which test calls which functions", flush=True)
        calls = []
        for item, after in zip(session.items, [*session.items[1:], None], strict=True):
            self.seen, began = set(), time.monotonic()
            threading.settrace(self._trace)
            sys.settrace(self._trace)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after or item)
            sys.settrace(None)
            threading.settrace(None)
            calls.append((time.monotonic() - began, self.seen))
        return calls

    def _trace(self, frame: Any, event: str, argument: object) -> None:
        name = self.names.get(frame.f_code.co_filename)
        if name is not None:
            self.seen.add((name, frame.f_code.co_firstlineno))


def load_all() -> None:
    """Imports services and web, so that no child has to."""
    os.chdir(ROOT)
    for room in ("services", "web"):
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            importlib.import_module(module.name)


def put(mutant: Mutant) -> int:
    """Gives the functions of the running program the mutant's code; returns how many differ from what they were."""
    path = str(ROOT / mutant.target)
    new = dict(_codes(compile(mutant.source, path, "exec")))
    changed = 0
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename == path:
            code = new.get(one.__code__.co_qualname)
            if code is not None and (code.co_code, code.co_consts) != (
                one.__code__.co_code,
                one.__code__.co_consts,
            ):
                one.__code__ = code
                changed += 1
    return changed


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    """Functions of a module and methods of its classes; what is defined in a function comes with it."""
    for one in code.co_consts:
        if isinstance(one, CodeType):
            is_class = not one.co_flags & inspect.CO_OPTIMIZED
            if is_class:
                yield from _codes(one)
            else:
                yield one.co_qualname, one


def noticed_by(mutant: Mutant | None, look: Callable[[], str], seconds: float) -> str:
    """What ``look`` says in a child that runs the mutant: the test that fails, if any does.

    A child that gives no answer in time is named, and nothing has noticed it: on a busy machine slowness would pass
    for a test that fails.
    """
    ours, its = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setpgid(0, 0)
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            if mutant is not None:
                put(mutant)
            os.write(its, look().encode())
            status = 0
        finally:
            os._exit(status)
    os.close(its)
    until = time.monotonic() + PATIENCE + 10 * seconds
    done, status = os.waitpid(child, os.WNOHANG)
    while not done and time.monotonic() < until:
        time.sleep(0.02)
        done, status = os.waitpid(child, os.WNOHANG)
    if not done:
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
    with os.fdopen(ours, "rb") as said:
        by = said.read().decode()
    if done and status == 0:
        return by
    print(f"  no answer: {mutant.name if mutant is not None else 'the test alone'}", flush=True)
    return ""


def ask_tables() -> str:
    """tests/services/test_permissions.py without pytest around it, which takes longer than its tests; says what
    fails."""
    from tests.services import test_permissions as table

    try:
        for name, act in table.rows():
            table.test_without_the_right_it_is_refused(name, act)
        for role in table.EVERY_ROLE:
            table.test_a_role_is_refused_what_its_row_does_not_name(role)
    except AssertionError:
        return TABLES[0]
    return ""


def names(item: pytest.Item, target: str) -> bool:
    """Whether a test says that it is about this file, in its row, its docstring or that of its class."""
    said = [getattr(one, "__doc__", None) or "" for one in (item.function, getattr(item, "cls", None))]
    return any(target in words for words in (item.nodeid, *said))


def speaks_of_rights(item: pytest.Item) -> bool:
    """Whether a test is about who may: those are asked first."""
    try:
        source = inspect.getsource(item.function)
    except (AttributeError, OSError):
        return False
    return any(word in source for word in ("Forbidden", "NotFound", "403", "404", "may(", "curator", "Refused"))


@cache
def own_tests(target: str) -> list[str]:
    """Tests of the same noun, and those that name the file, as a word or among what they import."""
    noun, group = Path(target).stem, Path(target).parent.name.removesuffix("s")
    module = target.removesuffix(".py").replace("/", ".")
    room = module.rpartition(".")[0]
    named = re.compile(rf"from {re.escape(module)} import|from {re.escape(room)} import [^(\n]*\b{noun}\b")
    found = set()
    for path in (one for folder in FOLDERS for one in (ROOT / folder).rglob("test_*.py")):
        is_of_it = path.stem.startswith((f"test_{noun}", f"test_{group}_{noun}"))
        text = path.read_text(encoding="utf-8")
        if is_of_it or target in text or named.search(text):
            found.add(str(path.relative_to(ROOT)))
    return sorted(one for one in found if Path(one).stem.removeprefix("test_") not in APART)


def grave(mutant: Mutant) -> Path:
    """The file that says that a test has killed this mutant."""
    return KEEP / f"right-{hashlib.sha256(mutant.source.encode()).hexdigest()[:16]}"


def bury(mutant: Mutant, by: str) -> None:
    grave(mutant).write_text(f"{mutant.name}\n{by}\n", encoding="utf-8")


def main() -> int:
    """Prints the survivors; 1 when any lives."""
    chosen = sys.argv[1:] or targets()
    KEEP.mkdir(parents=True, exist_ok=True)
    cases = [one for name in chosen for one in checks(name, (ROOT / name).read_text(encoding="utf-8"))]
    cases = [one for one in cases if f"{one.target} {one.what}" not in KNOWN]
    load_all()
    if ask_tables():
        raise SystemExit("the tests fail over what was not changed")
    _bury(cases, lambda one: noticed_by(one, ask_tables, 5), lambda one: TABLES)
    left = _left(cases, "the table")
    if left:
        without = [f"--ignore=tests/services/test_{name}.py" for name in APART]
        pytest.main([*QUIETLY[1:], *FOLDERS, *without], plugins=[Session(left)])
    lived = [one.name for one in cases if not grave(one).exists()]
    print(*(f"  lives: {name}" for name in lived), sep="\n")
    killed = 1 - len(lived) / len(cases)
    print(f"checks {len(cases)}, noticed when taken away {killed:.1%}")
    return int(killed < LEAST)


def _left(cases: list[Mutant], by: str) -> list[Mutant]:
    left = [one for one in cases if not grave(one).exists()]
    print(f"checks {len(cases)}, noticed by {by} or before {len(cases) - len(left)}", flush=True)
    return left


def _bury(cases: list[Mutant], notice: Callable[[Mutant], str], tests: Callable[[Mutant], list[str]]) -> None:
    """``tests``: the files that are asked; the same ones are not asked twice about one mutant."""
    for one in cases:
        asked = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in tests(one))).hexdigest()[:12]
        lived = grave(one).with_suffix(f".{asked}")
        if grave(one).exists() or lived.exists():
            continue
        if by := notice(one):
            bury(one, by)
        else:
            lived.write_text(one.name, encoding="utf-8")
            print(f"  not yet: {one.name}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
