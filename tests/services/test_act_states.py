"""The states of an act: only the moves of the table, every state reachable, the ends are ends."""

import itertools

import pytest

from models import Act
from services.errors import Refused
from services.outbox import MOVES, STATES, UNPROVEN, WAITING, move_act


@pytest.mark.parametrize(("before", "to"), [*itertools.product(STATES, STATES)])
def test_only_the_moves_of_the_table_happen(before: str, to: str) -> None:
    act = Act(state=before)
    if (before, to) in MOVES:
        move_act(act, to)
        assert act.state == to
    else:
        with pytest.raises(Refused, match=r"act\.state"):
            move_act(act, to)
        assert act.state == before


def test_every_state_can_be_reached_from_the_beginnings() -> None:
    reached = {"approval", "held", "queued"}
    while more := {to for before, to in MOVES if before in reached} - reached:
        reached |= more
    assert reached == set(STATES)


def test_what_was_given_up_never_goes_and_what_may_be_out_is_never_claimed() -> None:
    assert not [move for move in MOVES if move[0] == "cancelled"]
    assert {before for before, to in MOVES if to == "sending"} == set(WAITING)
    assert {"sending", "unknown", "review"}.isdisjoint(WAITING)
    assert set(WAITING) <= set(UNPROVEN)
