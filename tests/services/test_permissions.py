"""Every act of the services asks for the right that tests/data/permissions.yaml names, before it looks about.

The table is written down apart from the code: a check that is taken out of a service is missed here.
`PYTHONPATH=. python tests/services/test_permissions.py` prints what the services ask for now.
"""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import services
from services.errors import Forbidden
from services.rights import ACTS, DERIVED, RIGHTS, ROLES, Actor

TABLE = Path(__file__).resolve().parent.parent / "data" / "permissions.yaml"
EVERY_ROLE = frozenset({*ROLES, *DERIVED})
SOMEWHERE = frozenset({10**6})
"""A department that there is not."""


@cache
def acts_of_services() -> dict[str, Callable[..., Any]]:
    """«module.function» → everything public in services that is done in an actor's name."""
    found = {}
    for module in pkgutil.walk_packages(services.__path__, "services."):
        for name, value in vars(importlib.import_module(module.name)).items():
            own = inspect.isfunction(value) and value.__module__ == module.name and not name.startswith("_")
            if own and "actor" in inspect.signature(value).parameters:
                found[f"{module.name.removeprefix('services.')}.{name}"] = value
    return found


def refusal(function: Callable[..., Any], actor: Actor) -> str | None:
    """The act for which the actor is refused; without a database, so that nothing but the check can answer."""
    given: dict[str, Any] = {}
    for name, one in inspect.signature(function).parameters.items():
        wanted = str(one.annotation)
        if name == "actor":
            given[name] = actor
        elif one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            given[name] = 1 if "int" in wanted else "x" if wanted == "str" else None
    try:
        answer = function(**given)
        if inspect.isgenerator(answer):
            next(answer)
    except Forbidden as error:
        return str(error.data["act"])
    except Exception:
        return None  # it went past its checks and fell over what is not there
    return None


def everything_but(act: str) -> Actor:
    return Actor(10**6, "Кто угодно", EVERY_ROLE, SOMEWHERE, only=ACTS - {act})


def asked_of(function: Callable[..., Any]) -> list[str]:
    """The acts of which none may be lacking."""
    return [act for act in sorted(ACTS) if refusal(function, everything_but(act)) == act]


def tables() -> tuple[dict[str, list[str]], list[str]]:
    """function → acts that it asks for; functions that ask nothing by themselves."""
    asked = {name: asked_of(function) for name, function in acts_of_services().items()}
    return (
        {name: acts for name, acts in sorted(asked.items()) if acts},
        sorted(name for name, acts in asked.items() if not acts),
    )


@cache
def written() -> dict[str, Any]:
    return dict(yaml.safe_load(TABLE.read_text(encoding="utf-8")) or {})


def rows() -> list[tuple[str, str]]:
    return [(name, act) for name, acts in written().get("services", {}).items() for act in acts.split()]


@pytest.mark.parametrize(("name", "act"), rows())
def test_without_the_right_it_is_refused(name: str, act: str) -> None:
    assert refusal(acts_of_services()[name], everything_but(act)) == act


@pytest.mark.parametrize("role", sorted(EVERY_ROLE))
def test_a_role_is_refused_what_its_row_does_not_name(role: str) -> None:
    """Role × service act: whoever lacks one of the rights is refused, whoever has them all gets past the checks."""
    actor = Actor(10**6, "Кто угодно", frozenset({role}), SOMEWHERE)
    for name, acts in written()["services"].items():
        refused = refusal(acts_of_services()[name], actor)
        lacks = [act for act in acts.split() if act not in RIGHTS[role]]
        assert (refused in lacks) if lacks else refused is None, (name, refused)


def test_the_table_names_every_act_of_the_services() -> None:
    """A new act stands in one of the two lists: what it asks for, or that it asks nothing by itself."""
    assert {*written()["services"], *written()["unasked"]} == set(acts_of_services())
    assert not {*written()["services"]} & {*written()["unasked"]}


def main() -> None:
    """Prints the table as the code has it now."""
    asked, unasked = tables()
    lines = ["services:", *(f"  {name}: {' '.join(acts)}" for name, acts in asked.items()), "unasked:"]
    lines += [f"  - {name}" for name in unasked]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
