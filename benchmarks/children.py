"""Processes that a storm starts, tells to stop and kills: none outlives the round that started it."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def child(work: Callable[[], object]) -> Iterator[int]:
    """The id of a forked process that does ``work`` and ends: 0 when it came through, 1 when it failed.

    What is still alive on leaving is killed and reaped: it would keep open whatever it was born with, and who waits
    for the end of such a pipe waits for ever.
    """
    born = os.fork()
    if born == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    try:
        yield born
    finally:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):  # the round has reaped it
            os.kill(born, signal.SIGKILL)
            os.waitpid(born, 0)
