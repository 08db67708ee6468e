"""Generated from the tables: each listed step works for the named party with an event, every other is refused."""

from datetime import date

import pytest
from sqlalchemy import func, select

from models import Amendment, Client, Contract, Event, Termination
from services.accounts import create_staff
from services.contracts.machines import (
    DESK_PARTY,
    ENDS,
    MACHINES,
    PARTIES,
    acts_of,
    has_accounting,
    move,
    parties_of,
    states_of,
    steps_of,
)
from services.errors import Forbidden, Refused, Stale
from services.rights import DESK, Actor, actor_of

DAY = date(2026, 11, 26)


def thing_in(session, machine: str, state: str = "draft"):
    """A fresh contract, amendment or termination in ``state``."""
    client = Client(name="Анна Яр", name_key="анна яр")
    session.add(client)
    session.flush()
    contract = Contract(kind="person", client_id=client.id, dated=DAY, state=state)
    session.add(contract)
    session.flush()
    if machine == "contract":
        return contract
    active = None if state in ENDS[machine] else contract.id
    made: Amendment | Termination
    if machine == "amendment":
        made = Amendment(contract_id=contract.id, number=1, dated=DAY, effective_on=DAY, ground="—")
    else:
        made = Termination(contract_id=contract.id, ground="consumer", received_on=DAY)
    made.state, made.active_key = state, active
    session.add(made)
    session.flush()
    return made


def actor_for(party: str) -> Actor:
    return DESK if party == DESK_PARTY else Actor(None, party, frozenset({party}))


@pytest.mark.parametrize("machine", MACHINES)
def test_every_pair_of_state_and_step_for_every_party(cast, database, machine) -> None:
    """All of state × act × party: the table says yes or no, and nothing else does."""
    moves, tried, allowed = MACHINES[machine], 0, 0
    with database.write.begin() as session:
        create_staff(
            session, DESK, email="acc@school.example", name="Вера", roles=("manager",), department="accounting"
        )
        for state in sorted(states_of(machine)):
            thing = thing_in(session, machine, state)
            for act in sorted(acts_of(machine)):
                for party in PARTIES:
                    who, to = moves.get((state, act), (frozenset(), ""))
                    events = session.scalar(select(func.count()).select_from(Event))
                    point = session.begin_nested()
                    tried += 1
                    if party in who:
                        move(session, actor_for(party), thing, act)
                        assert thing.state == to
                        written = session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()
                        assert (written.kind, written.object_id) == (f"{machine}.{act}", thing.id)
                        assert written.data["before"] == state
                        allowed += 1
                    else:
                        with pytest.raises(Forbidden if who else Refused):
                            move(session, actor_for(party), thing, act)
                        assert thing.state == state
                        assert session.scalar(select(func.count()).select_from(Event)) == events
                    point.rollback()
                    session.expire_all()
    assert tried == len(states_of(machine)) * len(acts_of(machine)) * len(PARTIES)
    assert allowed == sum(len(who & set(PARTIES)) for who, _to in moves.values())


@pytest.mark.parametrize("machine", MACHINES)
def test_every_state_can_be_reached_and_only_ends_have_no_way_on(machine) -> None:
    moves = MACHINES[machine]
    start = {"contract": "draft", "amendment": "draft", "termination": "received"}[machine]
    reached, border = {start}, [start]
    while border:
        here = border.pop()
        for (state, _act), (_who, to) in moves.items():
            if state == here and to not in reached:
                reached.add(to)
                border.append(to)
    assert reached == states_of(machine)
    assert {state for state in reached if not any(s == state for s, _ in moves)} == ENDS[machine]


def test_of_two_steps_at_once_one_wins(database, cast) -> None:
    with database.write.begin() as session:
        contract_id = thing_in(session, "contract", "sent").id
    with database.write.begin() as first:
        seen = first.get(Contract, contract_id)
        first.expunge(seen)
    with database.write.begin() as session:
        move(session, cast.head, session.get_one(Contract, contract_id), "sign")
    with database.write.begin() as session:
        session.add(seen)
        with pytest.raises(Stale):
            move(session, cast.head, seen, "decline")
        assert seen.state == "signed"


def test_the_head_stands_in_for_an_accounting_without_a_login(database, cast) -> None:
    with database.write.begin() as session:
        assert not has_accounting(session)
        assert "accounting" in parties_of(session, cast.head)
        assert "accounting" not in parties_of(session, cast.smm)  # nor does anybody else stand in
        contract = thing_in(session, "contract", "approval")
        assert {step.act for step in steps_of(session, cast.head, contract)} >= {"approve", "return"}
        person = create_staff(
            session, DESK, email="acc@school.example", name="Вера", roles=("manager",), department="accounting"
        )
        session.expire_all()
        accountant = actor_of(person)
        assert "accounting" in accountant.roles
        assert accountant.may("contract.approve")
        assert "accounting" not in parties_of(session, cast.head)
        assert "accounting" not in cast.curator.roles
        assert {step.act for step in steps_of(session, accountant, contract)} == {"approve", "return"}
