"""run.py speaks before anything is installed: old Pythons, wrong options."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def start(*words: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, str(ROOT / "run.py"), *words], capture_output=True, text=True, timeout=60, env=dict(os.environ)
    )


@pytest.mark.parametrize("words", [["--port", "many"], ["--port"], ["--port", "70000"], ["--var"]])
def test_wrong_options(words) -> None:
    done = start(*words)
    assert done.returncode == 2
    assert "--" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("python", ["python2.7", "python3.6", "python3.8", "python3.10"])
def test_an_old_python_is_told_so(python) -> None:
    found = shutil.which(python)
    if found is None or subprocess.run([found, "-c", ""], capture_output=True).returncode:
        pytest.skip(f"no {python} here")
    done = start(python=found)
    assert done.returncode == 2
    assert "3.11 or newer" in done.stderr
