"""The part of a text that shows why it was found."""

from collections.abc import Iterable

from services.lemmas import numbers_of, words_of
from services.search_query import Phrase, Query

SNIPPET = 220


def snippet(said: str, query: Query) -> tuple[tuple[str, bool], ...]:
    """Some SNIPPET characters around the first hit, parted where hits begin and end."""
    spans = spans_of(said, query)
    start = max(0, (spans[0][0] if spans else 0) - SNIPPET // 3)
    if start:
        start = said.find(" ", start) + 1 or start
    end = min(len(said), start + SNIPPET)
    pieces: list[tuple[str, bool]] = [("…", False)] if start else []
    at = start
    for first, last in spans:
        if first < at or last > end:
            continue
        pieces += [(said[at:first], False), (said[first:last], True)]
        at = last
    pieces.append((said[at:end] + ("…" if end < len(said) else ""), False))
    return tuple(piece for piece in pieces if piece[0])


def spans_of(said: str, query: Query) -> list[tuple[int, int]]:
    """Where in a text stands what is looked for; words beside one another are one span."""
    words = list(words_of(said))
    found: list[tuple[int, int]] = []
    for term in (one for one in query.terms if not one.without):
        for phrase in term.phrases:
            for at in range(len(words) - len(phrase) + 1):
                run = words[at : at + len(phrase)]
                if all(_fits(word.forms, form, term.prefix) for word, form in zip(run, phrase, strict=True)):
                    found.append((run[0].start, run[-1].end))
    found += _number_spans(said, query)
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _fits(forms: Phrase, form: str, prefix: bool) -> bool:
    return any(one.startswith(form) if prefix else one == form for one in forms)


def _number_spans(said: str, query: Query) -> Iterable[tuple[int, int]]:
    wanted = {phrase[0] for term in query.terms for phrase in term.phrases if len(phrase) == 1}
    return ((word.start, word.end) for word in numbers_of(said) if word.forms[0] in wanted)
