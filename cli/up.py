"""Starting and stopping a desk: sandbox, web, scheduler and classifier, so that the page is there first."""

import contextlib
import gc
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from config import ROOT, Config

FIRST_PAGE_SECONDS = 0.4
"""What works behind the page begins so much later: on two cores it would be drawn in twice the time."""


def set_up_logs(config: Config) -> None:
    """One line an event; whatever looks like a secret is taken out before it is written."""
    import structlog

    logging.basicConfig(level=config.log.level.upper(), format="%(message)s", stream=sys.stderr)
    for noisy in ("alembic", "httpx", "httpcore", "apscheduler", "googleapiclient", "waitress", "pymorphy3"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if config.log.format == "text":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            _hide_secrets,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, config.log.level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _hide_secrets(_logger: Any, _method: str, event: Any) -> Any:
    for key in event:
        if any(word in key.lower() for word in ("token", "secret", "password", "authorization", "cookie")):
            event[key] = "•••"
    return event


def free_port(host: str, wanted: int) -> int:
    """``wanted`` if nobody listens there, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as sock, contextlib.suppress(OSError):
            # Connections of the last run may still linger there; what is read by its address must keep it.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            return int(sock.getsockname()[1])
    return 0


class Sandbox:
    """The platforms on loopback in a process of their own, which ends with this one however this one ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        remembered = folder / "port"
        wanted = int(remembered.read_text()) if remembered.exists() else 0
        self.port = free_port("127.0.0.1", wanted)
        remembered.write_text(str(self.port))
        self.url = f"http://127.0.0.1:{self.port}"
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "sandbox", "--dir", str(folder), "--port", str(self.port), "--parent-pipe"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def places(self) -> list[dict[str, Any]]:
        """The sandbox school's places with settings and keys, once the sandbox answers."""
        import httpx

        for _ in range(150):
            with contextlib.suppress(httpx.TransportError):
                return list(httpx.get(f"{self.url}/_sandbox/sources", timeout=5, trust_env=False).json())
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError("the sandbox did not start")

    def connect(self, address: str, paths: dict[str, str]) -> None:
        """Tells the sandbox's form and exchange where the desk takes letters and calls."""
        import httpx

        hooks = {platform: f"{address}{path}" for platform, path in paths.items()}
        httpx.post(f"{self.url}/_sandbox/hooks", json=hooks, timeout=5, trust_env=False).raise_for_status()

    def stop(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()


def run_up(
    config: Config,
    *,
    training: bool,
    prepare: Callable[..., Any],
    stop: type[Exception],
    web: bool = True,
    scheduler: bool = True,
) -> None:
    """Starts one desk and serves until SIGINT or SIGTERM; then stops everything it started."""
    # What is imported lives as long as the process: looking through it for garbage is a tenth of the start.
    gc.disable()
    from services.events import run_listen
    from services.presence import run_presence

    set_up_logs(config)
    _refuse_taken_port(config, stop) if web else None
    ended = threading.Event()

    def finish(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGINT, finish)
    signal.signal(signal.SIGTERM, finish)
    with contextlib.ExitStack() as stack:
        sandbox = None
        if training:
            sandbox = Sandbox(config.paths.var.expanduser().resolve() / "sandbox" / "platforms")
            stack.callback(sandbox.stop)
        desk = prepare(config, training=training, sandbox_url=sandbox.url if sandbox else None)
        stack.callback(desk.database.engine.dispose)
        # A password is hashed slowly by design: meanwhile the screens are loaded.
        hashing = ThreadPoolExecutor(1)
        password = hashing.submit(_first_person, desk) if training else None
        if web:
            stack.callback(_serve(desk, config))
            _greet(desk, config, password.result() if password else None)
        hashing.shutdown()
        gc.freeze()
        gc.enable()
        threading.Thread(target=run_listen, args=[desk.database, partial(_ring, desk), ended], daemon=True).start()
        if web:
            heard = [desk.database, desk.presence, ended]
            threading.Thread(target=run_presence, args=heard, daemon=True).start()
        threading.Thread(target=_begin, args=[desk, sandbox, scheduler, stack, ended], daemon=True).start()
        while not ended.wait(0.5):
            pass
        print("\nStopping…", flush=True)
    if desk.failed.is_set():
        sys.exit(1)


def _ring(desk: Any) -> None:
    """Another process changed something: screens look anew, and what waits to be sent goes at once."""
    desk.bell.ring()
    desk.outbox_bell.ring()


def _begin(
    desk: Any, sandbox: Sandbox | None, scheduler: bool, stack: contextlib.ExitStack, ended: threading.Event
) -> None:
    """What need not be there for the first page: the sandbox's places, the scheduler, the classifier."""
    import structlog

    log = structlog.get_logger()
    ended.wait(FIRST_PAGE_SECONDS)
    try:
        if sandbox is not None:
            from services.crm.training import seed_clients
            from services.training import hook_paths, seed_training

            places = sandbox.places()
            with desk.database.write.begin() as session:
                seed_training(session, desk.keyring, places)
                seed_clients(session)
                paths = hook_paths(session, desk.secret_key)
            if desk.port:
                sandbox.connect(f"http://{desk.config.web.host}:{desk.port}", paths)
        if scheduler and not ended.is_set():
            from scheduler import Scheduler

            clock = Scheduler(desk)
            clock.start()
            stack.callback(clock.stop)
    except Exception:
        log.exception("start.failed")
        desk.failed.set()
        ended.set()
        return
    try:
        desk.labeller.ensure()
    except Exception:  # without a classifier messages go to people unlabelled, the desk works on (F17)
        log.exception("classifier.failed")
    desk.bell.ring()


def _first_person(desk: Any) -> str | None:
    """The training desk's people; a fresh one-time password for the head until she has chosen her own."""
    from services.accounts import find_by_email, reset_password
    from services.training import HEAD_EMAIL, seed_people

    with desk.database.write.begin() as session:
        seed_people(session)
        head = find_by_email(session, HEAD_EMAIL)
        if head is None or (head.password is not None and not head.must_change):
            return None
        password = secrets.token_urlsafe(9)
        reset_password(session, head, password)
        return password


def _refuse_taken_port(config: Config, stop: type[Exception]) -> None:
    if config.web.port == 0:
        return
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((config.web.host, config.web.port))
        except OSError as error:
            raise stop(
                f"{config.web.host}:{config.web.port} cannot be opened: {error.strerror}. "
                "Another desk may be running. Stop it, or choose another port with --port N."
            ) from None


def _serve(desk: Any, config: Config) -> Callable[[], None]:
    """Starts waitress in threads; returns what stops it."""
    from waitress.server import create_server

    from web import create_app

    application = create_app(desk)
    server = create_server(
        application, host=config.web.host, port=config.web.port, threads=config.web.threads, connection_limit=1000,
        channel_timeout=120, ident=None, clear_untrusted_proxy_headers=True,
    )  # fmt: skip
    desk.port = server.effective_port if hasattr(server, "effective_port") else config.web.port
    thread = threading.Thread(target=_run_server, args=[server], name="web", daemon=True)
    thread.start()

    def close() -> None:
        desk.closing.set()
        desk.bell.ring()
        server.close()

    return close


def _run_server(server: Any) -> None:
    with contextlib.suppress(OSError):  # its socket is closed under it when the desk stops
        server.run()


def _greet(desk: Any, config: Config, password: str | None) -> None:
    from services.training import HEAD_EMAIL

    address = f"http://{config.web.host}:{desk.port}/"
    lines = ["", f"  Отклик — {'учебный режим' if desk.is_training else 'рабочий стол'}", f"  {address}"]
    if password is not None:
        lines += [f"  Руководитель: {HEAD_EMAIL}", f"  Одноразовый пароль: {password}"]
    if desk.sandbox_url:
        lines.append(f"  Учебные площадки: {desk.sandbox_url}/")
    lines += ["  Ctrl+C останавливает всё.", ""]
    print("\n".join(lines), flush=True)
    if os.environ.get("OTKLIK_READY_FILE"):
        Path(os.environ["OTKLIK_READY_FILE"]).write_text(address)
