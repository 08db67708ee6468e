"""Starting and stopping a desk: sandbox, web, scheduler and classifier, so that the page is there first."""

import contextlib
import gc
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from cli.ending import Ending
from cli.logs import set_up_logs
from cli.memory import ARENAS, give_back, run_give_back
from config import ROOT, Config

FIRST_PAGE_SECONDS = 0.4
"""What works behind the page begins so much later: on two cores it would be drawn in twice the time."""

GRACE_SECONDS = 5
"""So long those may go on who are answering when the desk stops; streams end at once."""


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
            env={**os.environ, "MALLOC_ARENA_MAX": str(ARENAS)},
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


class WorkDesk:
    """The work desk as a process beside the training desk; it ends with this one."""

    def __init__(self, desk: Any) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ""

    def start(self) -> str:
        """Its address; one that runs already is not started twice. Raises RuntimeError when it does not come up."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return self._address
            ready = Path(self._desk.var) / "work.ready"
            ready.unlink(missing_ok=True)
            port = free_port(self._desk.config.web.host, int(self._desk.port) + 1)
            environment = {**os.environ, "OTKLIK_PORT": str(port), "OTKLIK_READY_FILE": str(ready)}
            command = [sys.executable, "-m", "cli", "work"]
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)  # noqa: S603
            for _ in range(300):
                if ready.exists() and ready.read_text():
                    self._address = ready.read_text()
                    return self._address
                if self._process.poll() is not None:
                    break
                time.sleep(0.1)
        raise RuntimeError("the work desk did not start")

    def stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
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
    refuse_taken_port(config, stop) if web else None
    ending = Ending()
    ended = ending.ended
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
        if training:
            beside = WorkDesk(desk)
            desk.start_work = beside.start
            stack.callback(beside.stop)
        if web:
            stack.callback(serve(desk, config))
            _greet(desk, config, password.result() if password else None)
        hashing.shutdown()
        gc.freeze()
        gc.enable()
        threading.Thread(target=run_listen, args=[desk.database, partial(ring, desk), ended], daemon=True).start()
        if web:
            heard = [desk.database, desk.presence, ended]
            threading.Thread(target=run_presence, args=heard, daemon=True).start()
        kind = ("all" if scheduler else "web") if web else "scheduler"
        threading.Thread(target=_tell_alive, args=[desk, kind, ended], daemon=True).start()
        threading.Thread(target=_begin, args=[desk, sandbox, scheduler, stack, ended], daemon=True).start()
        threading.Thread(target=run_give_back, args=[ended], daemon=True).start()
        while not ending.wait():
            pass
        print("\nStopping…", flush=True)
    if desk.failed.is_set():
        sys.exit(1)


def ring(desk: Any) -> None:
    """Another process changed something: screens look anew, and what waits to be sent goes at once."""
    desk.bell.ring()
    desk.outbox_bell.ring()


def _tell_alive(desk: Any, kind: str, ended: threading.Event) -> None:
    from services.processes import run_alive

    if not ended.wait(FIRST_PAGE_SECONDS):
        run_alive(desk.database, kind, desk.name, ended)


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
            from services.training import hook_paths, seed_facts, seed_training

            places = sandbox.places()
            with desk.database.write.begin() as session:
                seed_training(session, desk.keyring, places)
                seed_clients(session)
                seed_facts(session)
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
    give_back()
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


def refuse_taken_port(config: Config, stop: type[Exception]) -> None:
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


def serve(desk: Any, config: Config) -> Callable[[], None]:
    """Starts waitress in threads; returns what stops it."""
    from waitress.server import create_server

    from web import create_app

    application = create_app(desk)
    server = create_server(
        application, host=config.web.host, port=config.web.port, threads=config.web.threads, connection_limit=1000,
        channel_timeout=120, ident=None,
        clear_untrusted_proxy_headers=False,  # by them a visit is known not to be local; see web.security
    )  # fmt: skip
    desk.port = server.effective_port if hasattr(server, "effective_port") else config.web.port
    thread = threading.Thread(target=_run_server, args=[server], name="web", daemon=True)
    thread.start()

    def close() -> None:
        desk.closing.set()
        desk.bell.ring()
        # Whoever still answers tells the server's loop when it has done so: the loop goes after them.
        server.task_dispatcher.shutdown(timeout=GRACE_SECONDS)
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
