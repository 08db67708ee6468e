"""Who is where: busiest window counts, silence is forgotten, other processes hear of it, nothing is written."""

import threading
import time

from sqlalchemy import select

from models import Case, Event
from services.presence import FORGOTTEN_AFTER, Here, Presence, drafts_of, run_presence, tell_others
from services.replies import save_draft
from tests.services.test_cases import label_all


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_busiest_window_of_a_person_counts() -> None:
    presence = Presence(Clock())
    presence.note("a1", 1, "Дарья Лис", 7, "write")
    presence.note("a2", 1, "Дарья Лис", 7, "look")
    presence.note("b1", 2, "Марина Котова", 7, "look")
    presence.note("b2", 2, "Марина Котова", 8, "look")
    darya, marina = Here(1, "Дарья Лис", "write"), Here(2, "Марина Котова", "look")
    assert presence.now() == {7: [darya, marina], 8: [marina]}
    presence.note("a1", 1, "Дарья Лис", None, "look")
    assert presence.now()[7] == [Here(1, "Дарья Лис", "look"), marina]


def test_silence_is_forgotten_and_a_sign_of_life_is_no_news() -> None:
    clock = Clock()
    presence = Presence(clock)
    presence.note("a", 1, "Дарья Лис", 7, "look")
    assert presence.changed() == {7: [Here(1, "Дарья Лис", "look")]}
    clock.now += FORGOTTEN_AFTER - 1
    presence.note("a", 1, "Дарья Лис", 7, "look")
    assert presence.changed() is None
    clock.now += FORGOTTEN_AFTER + 1
    assert presence.changed() == {}
    assert presence.changed() is None


def test_an_unknown_mode_is_nobody() -> None:
    presence = Presence(Clock())
    presence.note("a", 1, "Дарья Лис", 7, "sleep")
    assert presence.now() == {}


def test_other_processes_hear_of_it_where_there_are_some(database) -> None:
    here, there = Presence(), Presence()
    stop = threading.Event()
    if database.is_sqlite:
        tell_others(database, here, "a", 1, "Дарья Лис", 7, "look")
        run_presence(database, there, stop)  # comes back at once
        assert there.now() == {}
        return
    listeners = [threading.Thread(target=run_presence, args=[database, one, stop]) for one in (here, there)]
    for listener in listeners:
        listener.start()
    end = time.monotonic() + 15
    while there.now() == {} and time.monotonic() < end:
        tell_others(database, here, "a", 1, "Дарья Лис", 7, "write")
        time.sleep(0.1)
    assert there.now() == {7: [Here(1, "Дарья Лис", "write")]}
    assert here.now() == {}  # what a process said itself it does not hear
    stop.set()
    for listener in listeners:
        listener.join(10)
        assert not listener.is_alive()
    with database.read.begin() as session:
        assert list(session.scalars(select(Event))) == []


def test_unsent_drafts_of_everybody(cast, database) -> None:
    cast.write("Когда вебинар?", "Анна Яр")
    label_all(database)
    with database.write.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
        for actor in (cast.smm, cast.head):
            save_draft(session, actor, case_id, "Начало")
    with database.read.begin() as session:
        found = drafts_of(session, cast.smm, [case_id])
    assert sorted(found[case_id]) == sorted(
        [(cast.smm.staff_id, "Дарья Лис"), (cast.head.staff_id, "Марина Котова")]
    )
