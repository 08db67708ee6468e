"""Starts the sandbox: ``python -m sandbox --dir DIR --port N``; one process, loopback only."""

import argparse
import ipaddress
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from waitress.server import create_server

from sandbox import outside, seed
from sandbox.app import create_app
from sandbox.store import Store

# A long poll or a scripted time-out holds its thread, so there are more of them than callers.
THREADS = 24


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m sandbox", description="Platforms on loopback with an invented school."
    )
    parser.add_argument("--dir", type=Path, required=True, help="folder of platforms.db, made when missing")
    parser.add_argument("--port", type=int, required=True, help="0 chooses a free port")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--pace", type=float, default=20.0, help="seconds between comments that trickle in")
    parser.add_argument("--no-trickle", action="store_true", help="nobody writes by themselves")
    parser.add_argument("--no-rate-limits", action="store_true", help="platforms take any number of calls a second")
    parser.add_argument("--parent-pipe", action="store_true", help="end when standard input ends")
    return parser.parse_args(words)


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def main(words: list[str]) -> int:
    """Returns 0 after a clean stop, 2 when it cannot start."""
    given = arguments(words)
    if not is_loopback(given.host):
        print(f"sandbox: {given.host} is not a loopback address", file=sys.stderr)
        return 2
    given.dir.mkdir(parents=True, exist_ok=True)
    store = Store(given.dir / "platforms.db")
    app = create_app(store, rate_limits=not given.no_rate_limits)
    try:
        # With a look-ahead waitress goes on reading a busy connection and so learns that the caller has gone.
        server = create_server(app, host=given.host, port=given.port, threads=THREADS, channel_request_lookahead=1)
    except OSError as error:
        print(f"sandbox: port {given.port} of {given.host} cannot be opened: {error}", file=sys.stderr)
        return 2
    with app.app_context():
        seed.plant()
    outside.Deliverer(app).start()
    if not given.no_trickle:
        seed.Trickle(app, given.pace).start()

    def stop(number: int, frame: FrameType | None) -> None:
        store.stop()
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if given.parent_pipe:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    # With one address waitress makes one server, whose port its stubs do not know.
    port: int = getattr(server, "effective_port")  # noqa: B009
    host = f"[{given.host}]" if ":" in given.host else given.host
    print(f"sandbox ready http://{host}:{port}", flush=True)
    server.run()
    server.close()
    store.close()
    return 0


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
