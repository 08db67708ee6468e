"""What the tests of all channels share: a limiter that counts and servers that really listen."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.serving import BaseWSGIServer, make_server


class CountingLimiter:
    """Lets everything through and remembers who asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, float, int]] = []

    def wait(self, name: str, *, rate: float, cost: int = 1) -> None:
        self.calls.append((name, rate, cost))

    def spend(self, name: str, day: str, units: int, *, limit: int, purpose: str = "") -> bool:
        return True

    def spent_on(self, name: str, day: str, purpose: str | None = None) -> int:
        return 0


@pytest.fixture
def limiter() -> CountingLimiter:
    return CountingLimiter()


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Starts WSGI applications on loopback; gives the address of each, with a slash at its end."""
    servers: list[BaseWSGIServer] = []

    def start(app: Any) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
