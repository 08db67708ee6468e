"""The states of an act: only the moves of the table, every state reachable, the ends are ends."""

import ast
import itertools
from pathlib import Path

import pytest
from sqlalchemy import select

from models import Act, Event
from services.errors import Forbidden, Refused
from services.outbox import (
    MOVES,
    STATES,
    UNPROVEN,
    WAITING,
    cancel_act,
    claim_act,
    confirm_act,
    move_act,
    retry_act,
    send_now,
    unproven,
)

ROOT = Path(__file__).parents[2]


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


def test_whoever_changes_the_state_of_an_act_writes_an_event() -> None:
    """Every step of an act is told: a function that moves one, or claims it, records it too."""
    silent, moving = [], 0
    for path in sorted((ROOT / "services").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef) or node.name == "move_act":
                continue
            calls = {
                one.func.id
                for one in ast.walk(node)
                if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)
            }
            if "move_act" in calls:
                moving += 1
                silent += [] if calls & {"record", "_decide"} else [f"{path.name}:{node.name}"]
    assert moving > 8
    assert silent == []


def test_a_claim_is_told_with_its_attempt(database, cast) -> None:
    with database.write.begin() as session:
        act = Act(kind="reply", source_id=cast.source_id, text="Да", token="t" * 32, target={}, state="queued")
        session.add(act)
    with database.write.begin() as session:
        claimed = claim_act(session)
        assert claimed is not None
        [told] = session.scalars(select(Event).where(Event.kind == "act.sending"))
        assert (told.object_id, told.data, told.staff_id) == (claimed.id, {"attempt": 1}, None)


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
