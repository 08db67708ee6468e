"""The states of an act: only the moves of the table, every state reachable, the ends are ends."""

import itertools

import pytest

from models import Act
from services.errors import Forbidden, Refused
from services.outbox import (
    MOVES,
    STATES,
    UNPROVEN,
    WAITING,
    cancel_act,
    confirm_act,
    move_act,
    retry_act,
    send_now,
    unproven,
)


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


@pytest.mark.parametrize("deed", [retry_act, cancel_act, send_now, lambda s, a, i: confirm_act(s, a, i, None)])
def test_only_who_may_answer_decides_on_an_act(database, cast, deed) -> None:
    for actor in (cast.curator, cast.tech):
        with database.write.begin() as session, pytest.raises(Forbidden):
            deed(session, actor, 1)


def test_only_who_may_see_the_outbox_sees_it(database, cast) -> None:
    with database.read.begin() as session:
        assert unproven(session, cast.smm) == []
        with pytest.raises(Forbidden):
            unproven(session, cast.curator)
