"""Second step of the classifier: tokens become named features that remember which span they came from."""

from collections.abc import Iterator
from functools import lru_cache

from classifier import patterns
from classifier.text import Reading

# Part of the artifact's recipe: raise it with any change of what this module or text.py produces.
RECIPE = 2

# A feature is "<block>:<value>". Blocks are normalised apart, so that a long text does not drown its marks.
BLOCKS = ("word", "char", "mark")
Feature = tuple[str, int, int]  # name, start, end; (-1, -1) when it speaks of the text as a whole

_CHARS = range(2, 6)
_STEM = 5
_SPELT = 40


def features(reading: Reading) -> list[Feature]:
    """Every occurrence of every feature of a text, with its span in the text as it came."""
    spelled = ((name, start, end) for word, start, end in spelling(reading) for name in grams(word))
    return [*said(reading), *spelled]


def said(reading: Reading) -> Iterator[Feature]:
    """The features of a text but for how its words are spelt."""
    yield from _words(reading)
    yield from _marks(reading)


def spelling(reading: Reading) -> list[Feature]:
    """The words of which `grams` are features, as far as they are looked at, with their spans."""
    return [(token.norm[:_SPELT], token.start, token.end) for token in reading.tokens if token.kind == "word"]


def _words(reading: Reading) -> Iterator[Feature]:
    """Words, pairs of neighbours, and pairs of beginnings, which stand in for lemmas."""
    before, stem_before, start_before = "^", "^", -1
    for token in reading.tokens:
        stem = token.norm[:_STEM]
        start = token.start if start_before < 0 else start_before
        yield f"word:{token.norm}", token.start, token.end
        yield f"word:{before} {token.norm}", start, token.end
        if token.kind == "word":
            yield f"word:{stem}*", token.start, token.end
        yield f"word:{stem_before}* {stem}*", start, token.end
        before, stem_before, start_before = token.norm, stem, token.start
    yield f"word:{before} $", start_before, reading.tokens[-1].end if reading.tokens else -1


@lru_cache(maxsize=10_000)
def grams(word: str) -> tuple[str, ...]:
    """The character n-grams of a word with its borders."""
    padded = f" {word} "
    return tuple(
        f"char:{padded[at : at + size]}" for size in _CHARS for at in range(max(len(padded) - size + 1, 0))
    )


def _marks(reading: Reading) -> Iterator[Feature]:
    """What the text looks like, and the patterns it contains."""
    text, tokens = reading.original, reading.tokens
    kinds = {token.kind for token in tokens}
    asks = "?" in text
    whole = [f"kind {kind}" for kind in sorted(kinds - {"word", "mark", "smile"})]
    whole.append(f"length {_bucket(sum(token.kind == 'word' for token in tokens))}")
    whole.append(_script(reading))
    letters = [char for char in text if char.isalpha()]
    if len(letters) > 7:
        share = sum(char.isupper() for char in letters) / len(letters)
        whole.append("shouts" if share > 0.6 else "capitals" if share > 0.25 else "calm")
    if letters and letters[0].islower():
        whole.append("starts small")
    if reading.disguised:
        whole.append("disguised")
        whole.append(f"disguised {min(reading.disguised, 3)}")
    if asks:
        whole += ["asks", "ends asking" if text.rstrip(" )(.!\n").endswith("?") else "asks inside"]
    if "!" in text:
        whole.append("exclaims")
    if "\n" in text:
        whole.append("lines")
    if sum(token.kind == "sign" for token in tokens) > 2:
        whole.append("many signs")
    if tokens:
        whole += [f"first {tokens[0].kind}", f"last {tokens[-1].kind}"]
    groups: set[str] = set()
    for sought, spans in ((reading.folded, True), (reading.view, False)):
        for group, name, start, end in patterns.find(sought) if sought else ():
            groups.add(group)
            span = (start, end) if spans else (tokens[0].start, tokens[-1].end)
            yield f"mark:{group}.{name}", *span
    whole += sorted(groups)
    whole.append(f"groups {len(groups)}")
    for name in whole:
        yield f"mark:{name}", -1, -1


def _bucket(words: int) -> str:
    return next((f"<{limit}" for limit in (1, 2, 4, 7, 12, 20, 40, 80) if words < limit), "long")


def _script(reading: Reading) -> str:
    if reading.view:
        return "translit"
    cyrillic = sum("а" <= char <= "я" for char in reading.folded)
    latin = sum("a" <= char <= "z" for char in reading.folded)
    return "no letters" if not cyrillic + latin else "cyrillic" if cyrillic > latin else "latin"
