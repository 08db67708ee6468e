"""Processes that are started together on an empty machine: whatever one of them makes, the others find."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from models import Department
from services.accounts import seed_departments
from services.presets import DEPARTMENTS
from services.secrets import open_keyring


def together(work: Callable[[], None], times: int = 4) -> list[BaseException]:
    """Runs ``work`` in several threads that begin at one moment; what they raised."""
    raised: list[BaseException] = []
    line = threading.Barrier(times)

    def run() -> None:
        line.wait()
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_departments_are_made_once(database) -> None:
    def start() -> None:
        with database.write.begin() as session:
            seed_departments(session)
            time.sleep(0.2)  # nobody else sees them before the commit

    assert together(start) == []
    with database.read.begin() as session:
        codes = session.scalars(select(Department.code).order_by(Department.position)).all()
    assert list(codes) == [code for code, _, _ in DEPARTMENTS]


def test_all_have_the_key_of_the_first(tmp_path: Path) -> None:
    for number in range(20):
        path, sealed = tmp_path / str(number) / "key", list[str]()

        def start(path: Path = path, sealed: list[str] = sealed) -> None:
            sealed.append(open_keyring(path).seal({"a": "b"}))

        assert together(start) == []
        keyring = open_keyring(path)
        assert [keyring.unseal(one) for one in sealed] == [{"a": "b"}] * 4
        assert (path.stat().st_mode & 0o777, [one.name for one in path.parent.iterdir()]) == (0o600, ["key"])
