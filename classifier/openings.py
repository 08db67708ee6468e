"""Which of many expressions a text can match at all, told by how its words begin: the rest is not searched."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

_LONG = 4
# From here on a list of beginnings costs more than the search that it saves.
_MANY = 2_000
_WORD = re.compile(r"\w+")
_Found = set[tuple[str, bool]]  # beginning, may it go on


class Expressions:
    """A list of expressions that is searched as one: `possible` leaves out those that cannot match."""

    def __init__(self, sources: Iterable[str]) -> None:
        self.compiled = tuple(re.compile(source) for source in sources)
        index: dict[str, list[int]] = defaultdict(list)
        always = []
        for number, expression in enumerate(self.compiled):
            found = beginnings(expression.pattern)
            if found is None:
                always.append(number)
            for beginning in found or ():
                index[beginning].append(number)
        self._index = dict(index)
        self._always = tuple(always)

    def possible(self, text: str) -> list[int]:
        """Numbers of the expressions that may occur in a folded text, in order; what is left out cannot."""
        numbers = set(self._always)
        for head in _heads(text) & self._index.keys():
            numbers.update(self._index[head])
        return sorted(numbers)


@lru_cache(maxsize=8)
def _heads(text: str) -> frozenset[str]:
    """One to four characters from the beginning of every word, the space after a short one among them."""
    starts = {match.start() for match in _WORD.finditer(text)}
    return frozenset(text[start : start + size] for start in starts for size in range(1, _LONG + 1))


def beginnings(source: str) -> frozenset[str] | None:
    """Up to four characters with one of which every match begins, at the beginning of a word; None: unknown."""
    parser: Any = getattr(re, "_parser", None)  # what `re` itself parses with; without it all are searched
    if parser is None:
        return None
    branches = _branches(list(parser.parse(source)))
    if any(not branch or str(branch[0]) != "(AT, AT_BOUNDARY)" for branch in branches):
        return None
    found = {text for branch in branches for text, _ in _begin(branch)}
    if len(found) > _MANY or any(not text or not _WORD.match(text[0]) for text in found):
        return None
    return frozenset(found)


def _branches(parsed: Sequence[Any]) -> list[list[Any]]:
    """The alternatives of the whole expression, `\\b` in front of each where it stands in front of all."""
    head, rest = (parsed[:1], parsed[1:]) if parsed and str(parsed[0][0]) == "AT" else ([], parsed)
    if rest and str(rest[0][0]) == "BRANCH":
        return [[*head, *branch, *rest[1:]] for branch in rest[0][1][1]]
    return [list(parsed)]


def _begin(parsed: Iterable[Any]) -> _Found:
    found: _Found = {("", True)}
    for operation, value in parsed:
        if len(found) > _MANY or not any(is_open for _, is_open in found):
            break
        found = _join(found, _one(str(operation), value))
    return found


def _one(operation: str, value: Any) -> _Found:
    """How one piece of an expression may begin; what cannot be told ends the beginning before it."""
    if operation == "LITERAL":
        return {(chr(value), True)}
    if operation in ("AT", "ASSERT", "ASSERT_NOT"):
        return {("", True)}
    if operation == "IN" and all(str(kind) == "LITERAL" for kind, _ in value):
        return {(chr(code), True) for _, code in value}
    if operation == "BRANCH":
        return set().union(*(_begin(branch) for branch in value[1]))
    if operation == "SUBPATTERN":
        return _begin(value[-1])
    if operation in ("MAX_REPEAT", "MIN_REPEAT"):
        least, most, inside = value
        once = _begin(inside)
        found: _Found = {("", True)} if least == 0 else set()
        turn: _Found = {("", True)}
        for times in range(1, min(int(most), _LONG) + 1):
            turn = _join(turn, once)
            if times >= min(least, _LONG):
                found |= turn
        return found
    return {("", False)}


def _join(before: _Found, after: _Found) -> _Found:
    joined: _Found = set()
    for text, is_open in before:
        if not is_open:
            joined.add((text, False))
            continue
        for more, goes_on in after:
            whole = (text + more)[:_LONG]
            joined.add((whole, goes_on and len(whole) < _LONG))
    return joined
