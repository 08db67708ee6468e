"""The role table: deny by default, and every act has a holder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import Forbidden
from services.rights import ACTS, DERIVED, DESK, RIGHTS, ROLES, Actor, Scope, require


def test_every_role_has_a_row() -> None:
    assert set(RIGHTS) == {*ROLES, *DERIVED}


@given(st.sets(st.sampled_from(ROLES)), st.sampled_from(sorted(ACTS)))
def test_an_actor_may_what_one_of_the_roles_may(roles: set[str], act: str) -> None:
    actor = Actor(1, roles=frozenset(roles))
    allowed = [RIGHTS[role][act] for role in roles if act in RIGHTS[role]]
    if allowed:
        assert require(actor, act) is max(allowed)
    else:
        with pytest.raises(Forbidden):
            require(actor, act)


@given(st.sampled_from(sorted(ACTS)))
def test_nobody_may_nothing_and_the_desk_all(act: str) -> None:
    assert not Actor(1).may(act)
    assert DESK.scope(act) is Scope.ALL


def test_an_unknown_act_is_a_mistake_of_the_program() -> None:
    with pytest.raises(KeyError):
        Actor(1, roles=frozenset({"head"})).may("case.veiw")


def test_the_administrator_reads_no_cases_and_the_manager_only_questions_of_the_department() -> None:
    assert not Actor(1, roles=frozenset({"administrator"})).may("case.view")
    manager = Actor(1, roles=frozenset({"manager"}))
    assert not manager.may("case.view")
    assert manager.scope("route.answer") is Scope.DEPARTMENT
