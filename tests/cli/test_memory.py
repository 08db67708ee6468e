"""How little memory a process of the desk keeps: two heaps for its threads, no encoder where none is wanted."""

import subprocess
import sys

import pytest

from bootstrap import Labeller
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


@pytest.mark.parametrize(("meaning", "words"), [(False, ["--words"]), (True, [])])
def test_training_is_told_of_words_alone(tmp_path, monkeypatch, meaning, words) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\nexit 1\n')
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(RuntimeError):
        Labeller(tmp_path / "classifier", meaning).train()
    assert (tmp_path / "asked").read_text().split() == ["-m", "classifier", *words, str(tmp_path / "classifier")]
