"""A mail relay that lies: the letter goes to the real server, or not, and the line drops after the final dot."""

import contextlib
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.lying_proxy import Plan

WORDS = {"html": b"<html>504 Gateway Time-out</html>\r\n", "cut": b"25", "short": b"250-still\r\n"}
"""What is said instead of the server's answer to the letter; 5xx is a broken number."""


class LyingSmtp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, upstream: int, plan: Plan) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.plan = upstream, plan


class _Handler(socketserver.StreamRequestHandler):
    server: LyingSmtp

    def handle(self) -> None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.server.upstream), 20) as far:
            self._talk(far, far.makefile("rb"))

    def _talk(self, far: socket.socket, replies: Any) -> None:
        self.wfile.write(_reply(replies))
        while line := self.rfile.readline():
            far.sendall(line)
            answer = _reply(replies)
            self.wfile.write(answer)
            if line.upper().startswith(b"DATA") and answer.startswith(b"354"):
                if not self._letter(far, replies):
                    return
            elif line.upper().startswith(b"QUIT"):
                return

    def _letter(self, far: socket.socket, replies: Any) -> bool:
        """Hands the letter on and tells the truth, or does not; False when the line is to be cut."""
        lie, forwarded = self.server.plan.fate("DATA")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        if not line:
            return False
        answer = b""
        if forwarded:
            far.sendall(b"".join(lines) + line)
            answer = _reply(replies)
        if lie == "honest":
            self.wfile.write(answer)
            return True
        if lie == "timeout":
            time.sleep(self.server.plan.hold)
        elif lie == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.wfile.write(WORDS.get(lie, b"999 what?\r\n"))
        return False


def _reply(replies: Any) -> bytes:
    lines = b""
    while line := replies.readline():
        lines += line
        if line[3:4] != b"-":
            break
    return lines


@contextlib.contextmanager
def lying_smtp(upstream: int, plan: Plan) -> Iterator[int]:
    """Gives the liar's port."""
    server = LyingSmtp(upstream, plan)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
