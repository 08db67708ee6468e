"""A process that is told to stop, at whatever moment, stops."""

import signal
import subprocess
import sys

import pytest

from config import ROOT

TOLD = """
import os, signal, sys, threading
from cli.ending import Ending

ending = Ending()
heard = threading.Thread(target=ending.ended.wait)
heard.start()
print("ready", flush=True)
while not ending.wait(60):
    pass
heard.join()
print("ended", flush=True)
"""

# Signals at any moment of a short wait, so that many come while it takes or gives back what it locks.
TOLD_AT_ANY_MOMENT = """
import random, signal
from cli.ending import Ending

ending = Ending()
signal.signal(signal.SIGALRM, ending._hear)
heard = 0
for _ in range(20_000):
    signal.setitimer(signal.ITIMER_REAL, random.uniform(0.00001, 0.00012))
    heard += ending.wait(0.0001)
    ending.ended.clear()
signal.setitimer(signal.ITIMER_REAL, 0)
print("ended", heard > 0, flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_told_to_stop_wakes_whoever_waits_for_the_end(number) -> None:
    with subprocess.Popen([sys.executable, "-c", TOLD], cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout.readline() == "ready\n"
            child.send_signal(number)
            assert child.communicate(timeout=20)[0] == "ended\n"
        finally:
            child.kill()


def test_a_signal_that_comes_while_the_end_is_waited_for_stops_nothing_for_ever() -> None:
    """An Event that a handler sets while the same thread waits for it locks the thread out by itself."""
    done = subprocess.run(
        [sys.executable, "-c", TOLD_AT_ANY_MOMENT], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "ended True\n"
