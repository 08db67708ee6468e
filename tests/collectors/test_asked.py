"""A question that is asked once: by each channel for itself, whoever else waits for an answer."""

import threading
from typing import Any

import pytest

from collectors.asked import asked_once


class Place:
    def __init__(self) -> None:
        self.answered, self.asked, self.times = threading.Event(), threading.Event(), 0

    @asked_once
    def name(self) -> str:
        """What the platform calls us."""
        self.times += 1
        self.asked.set()
        assert self.answered.wait(10)
        return f"school {self.times}"


def test_it_is_asked_once_and_an_error_is_no_answer() -> None:
    place = Place()
    place.answered.set()
    assert [place.name, place.name] == ["school 1", "school 1"]
    assert Place.name.__doc__ == "What the platform calls us."

    class Broken:
        @asked_once
        def name(self) -> str:
            raise OSError("no line")

    broken: Any = Broken()
    for _ in range(2):
        with pytest.raises(OSError, match="no line"):
            _ = broken.name


def test_one_that_hangs_holds_up_no_other() -> None:
    hangs, other = Place(), Place()
    other.answered.set()
    thread = threading.Thread(target=lambda: hangs.name)
    thread.start()
    assert hangs.asked.wait(10)
    names: list[str] = []
    second = threading.Thread(target=lambda: names.append(other.name))
    second.start()
    second.join(5)
    assert names == ["school 1"]
    hangs.answered.set()
    thread.join()
    second.join()
