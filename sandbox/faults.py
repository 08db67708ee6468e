"""Scripted misfortune: which call is refused, answered with rubbish, or carried out and its answer lost."""

import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

from flask import Response, request

from sandbox.ground import store

HOLD_SECONDS = 60.0
FAULTS = (
    "500_before", "500_after", "timeout_before", "timeout_after", "reset_before", "reset_after",
    "html200", "html200_after", "cut200_after", "429", "quota", "401",
)  # fmt: skip
Refusals = Mapping[str, Callable[[], Response]]


@dataclass(frozen=True, slots=True)
class Fault:
    """Strikes ``times`` calls of a method (``*`` = any), beginning with the ``nth`` from now (1 = the next)."""

    platform: str
    method: str
    fault: str
    nth: int = 1
    times: int = 1


class Faults:
    """The faults that still wait; forgotten when the process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def load(self, entries: list[dict[str, Any]]) -> int:
        """Replaces what waits; raises ValueError or TypeError for an entry that is not a fault."""
        waiting = [Fault(**entry) for entry in entries]
        for fault in waiting:
            if fault.fault not in FAULTS:
                raise ValueError(f"unknown fault {fault.fault!r}, known are {', '.join(FAULTS)}")
        with self._lock:
            self._waiting = waiting
        return len(waiting)

    def waiting(self) -> list[Fault]:
        with self._lock:
            return list(self._waiting)

    def take(self, platform: str, method: str) -> str | None:
        """Counts one call; returns the fault that strikes it, if one does."""
        struck: str | None = None
        with self._lock:
            kept = []
            for fault in self._waiting:
                if fault.platform == platform and fault.method in (method, "*"):
                    if fault.nth > 1:
                        fault = replace(fault, nth=fault.nth - 1)
                    elif struck is None:
                        struck = fault.fault
                        fault = replace(fault, times=fault.times - 1)
                if fault.times > 0:
                    kept.append(fault)
            self._waiting = kept
        return struck


faults = Faults()


def answered(platform: str, method: str, call: Callable[[], Response], refusals: Refusals) -> Response:
    """Carries a call out under the faults that wait for it.

    ``refusals`` gives the platform's own shapes of "429", "quota" and "401". A fault ending in ``_after``
    strikes when the write is already on the disk: only the answer is lost.
    """
    fault = faults.take(platform, method)
    if fault is None:
        return call()
    if fault in refusals:
        return refusals[fault]()
    done = call() if fault.endswith("_after") else None
    kind = fault.partition("_")[0]
    if kind == "500":
        return Response("<html><body><h1>500 Internal Server Error</h1></body></html>", 500, mimetype="text/html")
    if kind == "html200":
        return Response("<html><body>Проверка браузера…</body></html>", 200, mimetype="text/html")
    if kind == "cut200" and done is not None:
        body = done.get_data()
        return Response(body[: max(1, len(body) // 2)], 200, mimetype=done.mimetype)
    if kind == "timeout":
        _hold(HOLD_SECONDS)
    _reset()
    return Response(status=500)


def _hold(seconds: float) -> None:
    """Says nothing until the caller has gone, the process stops, or the seconds are over."""
    gone: Callable[[], bool] = request.environ["waitress.client_disconnected"]
    until = time.monotonic() + seconds
    while time.monotonic() < until and not gone():
        if store().stopping.wait(0.05):
            return


def _reset() -> None:
    """Cuts the connection without a word of HTTP.

    waitress gives no means for this, but its disconnect probe is a method of the channel. With a linger time
    of zero the kernel sends RST instead of FIN when the server's own loop closes the socket.
    """
    channel: Any = request.environ["waitress.client_disconnected"].__self__
    channel.socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    channel.will_close = True
    channel.server.pull_trigger()
    until = time.monotonic() + 1.0
    while channel.connected and time.monotonic() < until:
        time.sleep(0.002)
