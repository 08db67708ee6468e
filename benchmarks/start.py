"""Cold and warm start beside an install-only run of the same locks, and memory after a minute."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.figures import Figure, finish, header, row
from config import ROOT

PORT = 8797


def clone(folder: Path) -> Path:
    """A clean clone with an empty HOME, as a newcomer has it."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder / "otklik")], check=True)
    (folder / "home").mkdir()
    return folder / "otklik"


def environment(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OTKLIK_")}
    return {**kept, "HOME": str(folder / "home"), "UV_CACHE_DIR": str(folder / "cache"), "VIRTUAL_ENV": ""}


def install_only(folder: Path) -> float:
    """Seconds for venv, uv and the locked packages without anything of ours."""
    place = clone(folder)
    began = time.perf_counter()
    python = place / ".venv" / "bin" / "python"
    for command in (
        ["python3", "-m", "venv", str(place / ".venv")],
        [str(python), "-m", "pip", "install", "-q", "uv"],
        [str(python), "-m", "uv", "pip", "install", "-q", "--python", str(python), "--require-hashes",
         "--compile-bytecode", "-r", "requirements.lock"],
    ):  # fmt: skip
        subprocess.run(command, cwd=place, env=environment(folder), check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def start(place: Path, folder: Path) -> tuple[float, subprocess.Popen[bytes]]:
    """Seconds until the login page answers, and the running desk."""
    began = time.perf_counter()
    process = subprocess.Popen(
        ["python3", "run.py", "--port", str(PORT)], cwd=place, env=environment(folder),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None and time.perf_counter() - began < 300:
        # A whole client for every look would take the machine from what it measures.
        with (
            contextlib.suppress(OSError),
            contextlib.closing(HTTPConnection("127.0.0.1", PORT, timeout=30)) as line,
        ):
            line.request("GET", "/login")
            if line.getresponse().status == 200:
                return time.perf_counter() - began, process
        time.sleep(0.02)
    raise RuntimeError("the desk did not start")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    process.wait(20)


def memory(pid: int) -> float:
    """Proportional memory of the process and its children in MB."""
    total = 0
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    for each in (str(pid), *children):
        with contextlib.suppress(OSError):
            found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{each}/smaps_rollup").read_text(), re.MULTILINE)
            total += int(found[1]) if found else 0
    return total / 1024


def main() -> int:
    header()
    with tempfile.TemporaryDirectory(prefix="otklik-start-") as name:
        base = Path(name)
        for part in ("only", "cold"):
            (base / part).mkdir()
        only = install_only(base / "only")
        shutil.rmtree(base / "only")
        place = clone(base / "cold")
        cold, process = start(place, base / "cold")
        time.sleep(5 if "--quick" in sys.argv else 60)
        used = memory(process.pid)
        stop(process)
        warm = []
        for _ in range(5):
            seconds, process = start(place, base / "cold")
            warm.append(seconds)
            time.sleep(2)
            stop(process)
    row("install only", [only])
    row("cold start to the first page", [cold])
    row("warm start to the first page", warm)
    return finish([
        Figure("start.cold_to_install_only", cold / only, 2.0),
        Figure("start.warm_seconds", sorted(warm)[len(warm) // 2], 1.5),
        Figure("start.memory_mb_after_a_minute", used, 400),
    ])  # fmt: skip
