"""Leaving out expressions that cannot match changes nothing that is found."""

import pytest

from classifier import patterns, read_corpus
from classifier.openings import Expressions, beginnings
from classifier.phrases import found
from classifier.text import read


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (r"\b(звук|эфир)\w* нет", {"звук", "эфир"}),
        (r"\bне (могу|хочу)", {"не м", "не х"}),
        (r"\b(а |и )?как\b", {"а ка", "и ка", "как"}),
        (r"\bа?хах", {"ахах", "хах"}),
        (r"\bда\b|\bнет\b", {"да", "нет"}),
        (r"\bх{2,}", {"хх", "ххх", "хххх"}),
        (r"\bда\b|нет", None),
        (r"\w+ нет", None),
        (r"\b\d+", None),
        (r"\b( да)?", None),
    ],
)
def test_beginnings(source: str, expected: set[str] | None) -> None:
    assert beginnings(source) == (None if expected is None else frozenset(expected))


def test_an_expression_that_matches_is_always_possible() -> None:
    expressions = Expressions([r"\bне (могу|хочу)", r"нет$", r"\b(звук|эфир)\w*"])
    assert expressions.possible("а звук нет") == [1, 2]
    assert expressions.possible("не") == [1]
    assert expressions.possible("") == [1]


def test_nothing_is_lost_on_the_corpus() -> None:
    readings = [read(example.text) for example in read_corpus()[::10]]
    for reading in readings:
        everything = [
            (group, name, match.start(), match.end())
            for group, name, expression in patterns.patterns()
            if (match := expression.search(reading.folded)) and match.end() > match.start()
        ]
        assert list(patterns.find(reading.folded)) == everything
        for table in ("signals", "themes"):
            assert all(numbers == sorted(numbers) for numbers in found(table, reading).values())
