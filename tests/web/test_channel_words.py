"""Every right, setting and mistake that a channel can name has words, and the words have their Russian."""

import ast
from pathlib import Path

import pytest

from collectors import CHANNELS
from services.connections import Problem, fields_of
from web.catalogues import catalogue_files, read_catalogue
from web.place_words import OWN_PROBLEMS, RIGHTS, WITHOUT, problem_words

COLLECTORS = Path(__file__).resolve().parents[2] / "collectors"


def calls(name: str):
    """Every call of ``name`` in the channels, with the constants that stand in its function."""
    for path in COLLECTORS.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
                        yield node, function


def constants(node: ast.expr | None, function: ast.FunctionDef) -> set[str]:
    """The texts that an argument can be: itself, or the loop's tuples where it is a variable."""
    if isinstance(node, ast.Constant):
        return {str(node.value)} - {""}
    if not isinstance(node, ast.Name):
        return set()
    found: set[str] = set()
    for loop in ast.walk(function):
        if isinstance(loop, ast.For) and isinstance(loop.target, ast.Tuple):
            names = [getattr(one, "id", "") for one in loop.target.elts]
            if node.id in names and isinstance(loop.iter, ast.Tuple):
                at = names.index(node.id)
                found |= {ast.literal_eval(pair)[at] for pair in loop.iter.elts}
    return found


def test_rights_and_what_fails_without_them_have_words():
    names: set[str] = set()
    losses: set[str] = set()
    for call, function in calls("Right"):
        names |= constants(call.args[0], function)
        given = {word.arg: word.value for word in call.keywords}
        losses |= constants(given.get("without", call.args[2] if len(call.args) > 2 else None), function)
    assert names == set(RIGHTS)
    assert losses == set(WITHOUT)


def test_sentences_of_our_own_validators_have_words():
    said = {
        node.args[0].value
        for node, _function in calls("ValueError")
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    assert set(OWN_PROBLEMS) <= said


@pytest.mark.parametrize("platform", sorted(CHANNELS))
def test_settings_have_their_russian(platform):
    (catalogue,) = [read_catalogue(path) for path in catalogue_files() if path.parts[-3] == "ru"]
    for field in fields_of(platform):
        for text in (field.title, field.description):
            if text:
                message = catalogue.get(text)
                assert message is not None, text
                assert message.string, text


def test_an_unknown_mistake_is_still_a_sentence(app):
    with app.test_request_context():
        assert problem_words(Problem("no_such_code", {})) == "Не похоже на правду: сверьтесь с подсказкой."
        assert problem_words(Problem("greater_than_equal", {"ge": 1})) == "Не меньше 1."
