"""Everything that CI checks, in the order of speed: format, lint, arrows, types, tests."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

SAME_DICE = ["-p", "randomly", "--randomly-seed=1441", "--hypothesis-profile=same"]
"""The ordinary run judges the change, not the dice: one order, one set of examples; `--deep` throws them anew."""

STEPS: tuple[tuple[str, list[str]], ...] = (
    ("format", ["ruff", "format", "--check", "."]),
    ("lint", ["ruff", "check", "."]),
    ("arrows", ["lint-imports"]),
    ("types", ["mypy", "."]),
    ("tests", ["pytest", "-n", "2", "--dist", "loadgroup", *SAME_DICE]),
)
DEEP: tuple[tuple[str, list[str]], ...] = (
    ("dice", ["pytest", "-n", "2", "--dist", "loadgroup", "-m", "not journey"]),
    ("storm", ["pytest", "tests/services/test_storm.py", "tests/services/test_sending_faults.py"]),
    ("lies", ["pytest", "tests/services/test_lies.py"]),
    ("schema", ["pytest", "tests/web/test_api_schema.py", "tests/web/test_api_random.py"]),
    ("mutants", ["python", "tests/mutate.py"]),
    ("rights", ["python", "tests/mutate_rights.py"]),
)
"""Besides, with `--deep`: a hundred kills a kind of channel, a hundred replies through a liar before every channel,
hundreds of asks at each endpoint of the API, every guard of the send protocol and every permission check deleted in
turn."""
HUNDREDS = {
    "storm": {"OTKLIK_KILLS": "100"}, "lies": {"OTKLIK_LIES": "100"}, "schema": {"OTKLIK_EXAMPLES": "300"},
}  # fmt: skip


def main() -> int:
    """Runs every step, also after a failure, so that one run tells everything; 0 when all passed.

    Further words go to pytest and leave the other steps out: `python3 run.py test tests/web -k login`.
    """
    deep = "--deep" in sys.argv
    chosen = [word for word in sys.argv[1:] if word != "--deep"]
    browser = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("!! No Chromium on this machine: the journeys in the browser are skipped (they fail in CI).\n"
              "!! On Debian: apt install chromium", flush=True)  # fmt: skip
    failed = []
    for name, command in (*STEPS, *(DEEP if deep else ())):
        if chosen and name != "tests":
            continue
        began = time.monotonic()
        print(f"· {name}", flush=True)
        words = ["pytest", *chosen] if chosen else command
        variables = {**os.environ, **HUNDREDS.get(name, {})}
        code = subprocess.call([str(BIN / words[0]), *words[1:]], cwd=ROOT, env=variables)
        print(f"  {name}: {'ok' if code == 0 else 'FAILED'} in {time.monotonic() - began:.1f} s", flush=True)
        if code:
            failed.append(name)
    if failed:
        print(f"FAILED: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
