"""Mutated bodies at every hook and mutated letters: nothing of it is an error of ours, nothing unproven is kept."""

import random

import pytest

from benchmarks.hooks import DOORS, storm_of, storm_of_letters
from services.hooks import Patience
from web import hooks


@pytest.fixture(autouse=True)
def _patient(monkeypatch) -> None:
    monkeypatch.setattr(hooks, "patience", Patience(10**6, 600))


@pytest.mark.parametrize("kind", sorted(DOORS))
def test_mutated_bodies(app, desk, kind) -> None:
    told = storm_of(app, desk, kind, 120, random.Random(kind))
    assert set(told.statuses) <= {200, 400}
    assert told.statuses[200] > 0
    assert set(told.refused) <= {400, 403}
    assert bool(told.refused) == DOORS[kind].proven
    assert (told.stored_of_refused, told.unsettled) == (0, 0)


def test_mutated_letters(desk) -> None:
    raised, states = storm_of_letters(desk, 150, random.Random(7))
    assert raised == 0
    assert set(states) <= {"parsed", "quarantined"}
    assert sum(states.values()) == 150
