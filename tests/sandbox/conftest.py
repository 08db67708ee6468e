"""Sandbox processes for the tests, on copies of one planted school."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.running import Running


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the school planted, to be copied."""
    folder = tmp_path_factory.mktemp("planted")
    Running(folder, "--no-trickle").close()
    return folder


@pytest.fixture(scope="session")
def world(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One process for all tests that do not mind what others wrote."""
    folder = tmp_path_factory.mktemp("world") / "copy"
    shutil.copytree(planted, folder)
    running = Running(folder, "--no-trickle", "--no-rate-limits")
    yield running
    running.close()


@pytest.fixture
def alone(planted: Path, tmp_path: Path) -> Iterator[Running]:
    """A process of the test's own, with the platforms' limits on."""
    folder = tmp_path / "alone"
    shutil.copytree(planted, folder)
    running = Running(folder, "--no-trickle")
    yield running
    running.close()
