"""The work desk in several processes: `web` under gunicorn, `scheduler` and `worker`, each started by itself."""

import os
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from cli.logs import set_up_logs
from cli.memory import run_give_back
from cli.up import refuse_taken_port, ring, run_up
from config import Config

LOOK_SECONDS = 5.0


def use_queue(desk: Any) -> None:
    """Lets this process hand work to workers; without PostgreSQL there is no queue, and nothing changes."""
    if desk.database.is_sqlite:
        return
    from services.queue import defer, hand_over
    from worker import make_tables

    make_tables(desk)
    hand_over(desk.database)

    def soon(name: str) -> None:
        with desk.database.write.begin() as session:
            defer(session, name)

    desk.defer = soon


def wait_for_classifier(desk: Any, ended: threading.Event) -> None:
    """Takes up what the scheduler's process trains; training it here too would be the same work once more."""
    while not desk.labeller.load():
        desk.labeller.state = "training"
        if ended.wait(LOOK_SECONDS):
            break
    desk.bell.ring()


def follow(desk: Any, ended: threading.Event, *, web: bool) -> None:
    """Threads that hear of other processes, and the sign of life that «Состояние» reads."""
    from services.events import run_listen
    from services.presence import run_presence
    from services.processes import run_alive

    kind = "web" if web else "worker"
    jobs: list[tuple[Callable[..., None], list[Any]]] = [
        (run_listen, [desk.database, partial(ring, desk), ended]),
        (run_alive, [desk.database, kind, desk.name, ended]),
        (wait_for_classifier, [desk, ended]),
        (run_give_back, [ended]),
    ]
    if web:
        jobs.append((run_presence, [desk.database, desk.presence, ended]))
    for target, given in jobs:
        threading.Thread(target=target, args=given, daemon=True).start()


def run_scheduler(config: Config, *, prepare: Callable[..., Any], stop: type[Exception]) -> None:
    """The clock alone; it hands its jobs to workers while one is alive."""

    def prepared(config: Config, **given: Any) -> Any:
        desk = prepare(config, **given)
        use_queue(desk)
        return desk

    run_up(config, training=False, prepare=prepared, stop=stop, web=False)


def run_one_worker(config: Config, concurrency: int, *, prepare: Callable[..., Any], stop: type[Exception]) -> None:
    """One worker; as many as wanted may run, on any machine that reaches the database and the folder ``var``."""
    set_up_logs(config)
    desk = prepare(config, training=False)
    if desk.database.is_sqlite:
        raise stop("`worker` needs PostgreSQL (database.url); on SQLite `work` does everything in one process.")
    from worker import run_worker

    use_queue(desk)
    ended = threading.Event()
    follow(desk, ended, web=False)
    print("  Отклик — исполнитель. Ctrl+C останавливает.", flush=True)
    _tell_ready("worker")
    try:
        run_worker(desk, concurrency=concurrency)
    finally:
        ended.set()
        desk.database.engine.dispose()


def run_web(config: Config, *, prepare: Callable[..., Any], stop: type[Exception]) -> None:
    """The pages alone, under gunicorn where it runs; SQLite allows one process, because bells ring inside it."""
    if os.name == "nt":
        run_up(config, training=False, prepare=prepare, stop=stop, scheduler=False)
        return
    set_up_logs(config)
    refuse_taken_port(config, stop)
    desk = prepare(config, training=False)  # once, before there are several processes: it may have to migrate
    processes = 1 if desk.database.is_sqlite else config.web.processes
    desk.database.engine.dispose()
    _gunicorn(config, processes, prepare, stop).run()


def _gunicorn(config: Config, processes: int, prepare: Callable[..., Any], stop: type[Exception]) -> Any:
    from gunicorn.app.base import BaseApplication
    from gunicorn.arbiter import Arbiter

    options = {
        "bind": f"{config.web.host}:{config.web.port}", "workers": processes, "threads": config.web.threads,
        "worker_class": "gthread", "keepalive": 75, "graceful_timeout": 5, "timeout": 120, "proc_name": "otklik",
        "loglevel": "warning", "forwarded_allow_ips": ",".join(config.web.trusted_proxies), "when_ready": _ready,
        "post_worker_init": _watch_end, "control_socket_disable": True,
    }  # fmt: skip

    class Pages(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
        def load_config(self) -> None:
            for name, value in options.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            try:
                return _pages(prepare(config, training=False), config)
            except stop as error:
                print(error, file=sys.stderr, flush=True)
                sys.exit(Arbiter.APP_LOAD_ERROR)  # the others end with it

    return Pages()


def _pages(desk: Any, config: Config) -> Any:
    """The application of one process of gunicorn, with the threads that belong to it."""
    from web import create_app

    desk.port = config.web.port
    use_queue(desk)
    follow(desk, desk.closing, web=True)
    return create_app(desk)


def _ready(server: Any) -> None:
    host, port = server.LISTENERS[0].sock.getsockname()[:2]
    print(f"\n  Отклик — страницы рабочего стола\n  http://{host}:{port}/\n", flush=True)
    _tell_ready(f"http://{host}:{port}/")


def _tell_ready(words: str) -> None:
    if os.environ.get("OTKLIK_READY_FILE"):
        Path(os.environ["OTKLIK_READY_FILE"]).write_text(words)


def _watch_end(worker: Any) -> None:
    """gunicorn waits for requests to end; streams of changes end when the desk says that it closes."""
    desk = worker.wsgi.extensions["otklik"]

    def watch() -> None:
        while worker.alive and os.getppid() == worker.ppid:
            time.sleep(0.2)
        desk.closing.set()
        desk.bell.ring()

    threading.Thread(target=watch, name="end", daemon=True).start()
