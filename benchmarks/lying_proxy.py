"""A proxy that stands before an honest platform and lies: the write is done, or lost, and its answer falsified."""

import contextlib
import http.client
import random
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

LIES = ("timeout", "reset", "5xx", "html", "cut", "short")
"""How the answer is falsified: held beyond the caller's patience, RST, an error page, a page with 200, JSON cut to
its half, and a body shorter than its own Content-Length."""
HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host", "accept-encoding"})
PAGE = "<html><body>Проверка браузера…</body></html>".encode()


@dataclass
class Plan:
    """Which requests are lied to, how often, and whether what was asked reached the platform at all.

    ``writes`` is matched against «METHOD path?query body»; a request that does not match is a reading, of which
    ``reads`` are lied to. ``dropped``: the share of lies before which nothing was forwarded.
    """

    writes: re.Pattern[str]
    seed: int = 1
    share: float = 0.5
    dropped: float = 0.3
    reads: float = 0.15
    hold: float = 1.0
    told: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._rolled = random.Random(self.seed)
        self._lock = threading.Lock()
        self.lies = True

    def fate(self, request: str) -> tuple[str, bool]:
        """(lie or «honest», whether the request is forwarded)."""
        with self._lock:
            write = self.writes.search(request) is not None
            lied = self.lies and self._rolled.random() < (self.share if write else self.reads)
            lie = self._rolled.choice(LIES) if lied else "honest"
            forwarded = not lied or self._rolled.random() >= self.dropped
            if write:
                self.told[lie if forwarded else f"{lie}, lost"] += 1
            return lie, forwarded


class LyingProxy(ThreadingHTTPServer):
    """Listens on loopback in threads of its own; ``upstream`` is «http://host:port»."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, upstream: str, plan: Plan) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.plan = urlsplit(upstream), plan

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def forward(
        self, verb: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.upstream.hostname or "", self.upstream.port, timeout=30)
        try:
            connection.request(verb, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: LyingProxy

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        lie, forwarded = self.server.plan.fate(f"{self.command} {self.path} {body.decode('utf-8', 'replace')}")
        # The platform builds its links from the host it is asked for, so that name stays the caller's.
        kept = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        kept["Host"] = self.headers.get("Host", "")
        status, headers, answer = 0, list[tuple[str, str]](), b""
        if forwarded:
            status, headers, answer = self.server.forward(self.command, self.path, kept, body)
        match lie:
            case "honest":
                told = [(name, value) for name, value in headers if name.lower() not in HOP]
                self._say(status, told, answer, len(answer))
            case "timeout":
                time.sleep(self.server.plan.hold)
                self.close_connection = True
            case "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
            case "5xx":
                self._say(502, [("Content-Type", "text/html")], b"<html><h1>502 Bad Gateway</h1></html>")
            case "html":
                self._say(200, [("Content-Type", "text/html; charset=utf-8")], PAGE)
            case "cut":
                self._say(200, [("Content-Type", "application/json")], answer[: len(answer) // 2] or b'{"')
            case "short":
                half = answer[: len(answer) // 2]
                self._say(200, [("Content-Type", "application/json")], half, len(answer) + 9)
                self.close_connection = True

    def _say(self, status: int, headers: list[tuple[str, str]], body: bytes, length: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _pass

    def handle(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        return None


@contextlib.contextmanager
def lying_proxy(upstream: str, plan: Plan) -> Iterator[LyingProxy]:
    proxy = LyingProxy(upstream, plan)
    serving = threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True)
    serving.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
