"""What is asked at the same moment is read once, and never before it was asked."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from sqlalchemy import select, update

from models import Tag
from models.database import open_database
from services import together as module
from services.together import Together


@pytest.fixture
def slow():
    """A reading that waits to be let go, and says how many of it there were."""

    class Slow:
        def __init__(self):
            self.began, self.go, self._count = threading.Semaphore(0), threading.Semaphore(0), count(1)

        def read(self):
            number = next(self._count)
            self.began.release()
            assert self.go.acquire(timeout=10)
            return number

    return Slow()


def waiting(together, key, number):
    """Until so many wait for the next reading: the one who will do it, and those who joined."""
    for _ in range(1000):
        if key in together._next and len(together._next[key]._condition._waiters) >= number:
            return
        threading.Event().wait(0.005)
    raise AssertionError("nobody waits")


def test_those_who_come_meanwhile_share_the_next_one(slow):
    together = Together(object)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(together.ask, "list", slow.read)
        assert slow.began.acquire(timeout=10)
        others = [pool.submit(together.ask, "list", slow.read) for _ in range(6)]
        waiting(together, "list", 5)  # the sixth waits for the first one's end
        slow.go.release()
        assert first.result(10) == 1
        assert slow.began.acquire(timeout=10)
        slow.go.release()
        assert [one.result(10) for one in others] == [2] * 6
    assert (together._next, together._running) == ({}, {})


def test_another_question_does_not_wait(slow):
    together = Together(object)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(together.ask, "list", slow.read)
        assert slow.began.acquire(timeout=10)
        assert together.ask("numbers", lambda: 7) == 7
        slow.go.release()
        assert first.result(10) == 1


def test_an_error_is_everybodys_and_the_next_reading_is_anew():
    together = Together(lambda: 1)

    def fail():
        raise ValueError("away")

    with pytest.raises(ValueError, match="away"):
        together.ask("list", fail)
    assert together.ask("list", lambda: 1) == 1


def test_the_answer_stays_while_nothing_changes(monkeypatch):
    state, number = [1], count(1)
    together = Together(lambda: state[0])
    assert [together.ask("list", lambda: next(number)) for _ in range(3)] == [1, 1, 1]
    state[0] = 2
    assert together.ask("list", lambda: next(number)) == 2
    monkeypatch.setattr(module, "FRESH", 0.0)
    state[0] = 3
    assert [together.ask("list", lambda: next(number)) for _ in range(2)] == [3, 4]  # what is late becomes so


def test_a_change_while_it_is_read_is_not_overlooked():
    state = [1]
    together = Together(lambda: state[0])

    def read():
        state[0] += 1  # somebody commits after this reading began
        return state[0]

    assert together.ask("list", read) == 2
    assert together.ask("list", lambda: "anew") == "anew"


def test_it_keeps_no_more_than_the_last():
    together = Together(lambda: 1)
    for number in range(200):
        together.ask(number, lambda: None)
    assert list(together._kept) == list(range(200 - module.MOST_KEPT, 200))


def test_nobody_is_given_what_was_read_before_they_asked(database):
    """Real commits, by real connections, and those who ask as fast as they can."""
    with database.write.begin() as session:
        session.add(Tag(name="0", key="0"))
    together, sure, wrong, ends = Together(database.state), [0], [], threading.Event()

    def change():
        for number in range(1, 120):
            with database.write.begin() as session:
                session.execute(update(Tag).values(name=str(number)))
            sure[0] = number
        ends.set()

    def read():
        with database.read.begin() as session:
            return int(session.scalars(select(Tag.name)).one())

    def look():
        while not ends.is_set():
            before = sure[0]
            found = together.ask("now", read)
            if found < before:
                wrong.append((before, found))

    threads = [threading.Thread(target=one) for one in (change, look, look, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_state_of_a_database_is_that_of_all_who_write(database):
    """Another thread's connection, and one of another engine as of another process."""
    before = database.state()
    assert database.state() == before
    with database.read.begin() as session:
        session.scalars(select(Tag)).all()
    assert database.state() == before
    other = open_database(database.engine.url.render_as_string(hide_password=False))
    for number, one in enumerate((database, other)):
        with one.write.begin() as session:
            session.add(Tag(name=str(number), key=str(number)))
            session.flush()
            meanwhile = database.state()
        assert database.state() not in (before, meanwhile if not database.is_sqlite else before)
        before = database.state()
    other.engine.dispose()
