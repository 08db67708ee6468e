"""A platform in a process of its own that accepts and then drops the line; what it took is the truth of the storm.

``python -m benchmarks.liar PORT SEED [--honest]``: GET /ready · POST /posts · POST /posts/ID (edits) · GET /truth ·
GET /posts?parent=
"""

import contextlib
import json
import random
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LATEST = 0.03
"""Seconds that an act takes at most."""
LATER = 0.12
"""Seconds by which an act may be carried out after its caller has gone (reliability.md §0.1)."""


class Liar(ThreadingHTTPServer):
    """``posts`` in the order of acceptance; ``tokens`` recognises a repeated act where the caller sends one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, seed: int, honest: bool) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.posts: list[dict[str, Any]] = []
        self.tokens: dict[str, dict[str, Any]] = {}
        self.lock = threading.Lock()
        self.rolled = random.Random(seed)
        self.honest = honest

    def fate(self) -> str:
        """5 % too often, 5 % refused, 15 % carried out and the answer lost or turned into an error."""
        with self.lock:
            share = 1.0 if self.honest else self.rolled.random()
        return "429" if share < 0.05 else "refused" if share < 0.10 else "lost" if share < 0.25 else "taken"

    def late(self) -> float:
        with self.lock:
            return 0.0 if self.honest else self.rolled.uniform(0, LATEST)

    def take(self, body: dict[str, Any], changes: str = "") -> dict[str, Any]:
        with self.lock:
            if changes:
                post = self.posts[int(changes) - 1]
                post["text"] = body["text"]
                return post
            token = body.get("token")
            if token and token in self.tokens:
                return self.tokens[token]
            post = {**body, "id": str(len(self.posts) + 1), "at": datetime.now(UTC).isoformat()}
            self.posts.append(post)
            if token:
                self.tokens[token] = post
            return post


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: in two, each answer waits 40 ms for an acknowledgement
    disable_nagle_algorithm = True
    server: Liar

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(20)

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/posts":
            parent = parse_qs(address.query).get("parent", [""])[0]
            with self.server.lock:
                found = [post for post in self.server.posts if post["parent"] == parent]
            self._say(200, found)
        elif address.path == "/truth":
            with self.server.lock:
                self._say(200, list(self.server.posts))
        else:
            self._say(200, {})

    def do_POST(self) -> None:
        told = self.rfile.read(int(self.headers["Content-Length"]))
        if len(told) < int(self.headers["Content-Length"]):  # the caller was killed while it spoke
            self.close_connection = True
            return
        body = json.loads(told)
        changes = urlsplit(self.path).path.removeprefix("/posts").strip("/")
        fate = self.server.fate()
        if fate == "429":
            self._say(429, {"error": "rate"})
            return
        if fate == "refused":
            self._say(503, {"error": "server"})
            return
        if fate == "taken":
            time.sleep(self.server.late())
            self._say(200, self.server.take(body, changes))
            return
        # The caller hears nothing, or of an error, before the act is carried out.
        late = self.server.late() * LATER / LATEST
        threading.Timer(late, self.server.take, [body, changes]).start()
        if self.server.late() < LATEST / 2:
            self.close_connection = True
        else:
            self._say(502, {"error": "server"})

    def _say(self, status: int, body: Any) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # callers are killed in the middle of a call
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:
        return None


if __name__ == "__main__":
    liar = Liar(int(sys.argv[1]), int(sys.argv[2]), "--honest" in sys.argv)
    print(liar.server_address[1], flush=True)
    liar.serve_forever()
