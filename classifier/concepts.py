"""What is weighed beside words when signals are sought: phrases found, classes of words, two of them together."""

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path

import yaml

from classifier.phrases import found
from classifier.text import Reading

# Below this many letters a word is compared whole, not by its beginning.
_WHOLE = 4
_LONGEST = 14
# Classes this many words apart at most stand beside one another.
_BESIDE = 3
_NOT = frozenset(("не", "ни", "нет", "not", "dont", "don't", "без", "никогда", "no"))
# Phrases are evidence of more weight than a class of words; measured on parts held out.
_PHRASE, _CLASS = 0.5, 0.5

# As a person spells who writes what they hear: «отпешите», «ростаргнуть».
_HEARD = str.maketrans(
    {
        **dict.fromkeys("еэяыёйіїє", "и"),
        "о": "а",
        "ю": "у",
        "б": "п",
        "д": "т",
        "г": "к",
        "в": "ф",
        "з": "с",
        "ж": "ш",
        "щ": "ш",
        "ь": None,
        "ъ": None,
    }
)
_DOUBLE = re.compile(r"(\w)\1+")


def evidence(reading: Reading, hits: Mapping[str, list[int]] | None = None) -> dict[str, float]:
    """Names with their values: `p:` a phrase of signals.yaml, `s:` a signal's phrases, `c:` `b:` `n:` classes.

    `hits` are `found("signals", reading)` where they are known already.
    """
    values: dict[str, float] = {}
    for signal, numbers in (found("signals", reading) if hits is None else hits).items():
        values |= {f"p:{number}": _PHRASE for number in numbers}
        if numbers:
            values[f"s:{signal}"] = _PHRASE
        if len(numbers) > 1:
            values[f"s:{signal}+"] = _PHRASE
    placed = list(_classes(reading))
    alone = sorted({name for _, name in placed})
    together = [f"b:{one}&{other}" for at, one in enumerate(alone) for other in alone[at + 1 :]]
    beside = {
        f"n:{one}>{other}"
        for at, (here, one) in enumerate(placed)
        for there, other in placed[at + 1 : at + 12]
        if 0 < there - here <= _BESIDE
    }
    for names in ([f"c:{name}" for name in alone], together, sorted(beside)):
        values |= {name: _CLASS / len(names) ** 0.5 for name in names}
    return values


def _classes(reading: Reading) -> Iterator[tuple[int, str]]:
    """Place and class of each word that has one; a class denied is another one."""
    denied = -_LONGEST
    for at, token in enumerate(reading.tokens):
        if token.kind == "word":
            if token.norm in _NOT:
                denied = at
            for name in classes_of(token.norm):
                yield at, f"не {name}" if at - denied <= 2 and name != "none" else name
        elif token.kind in ("number", "mail", "url", "at"):
            yield at, f"number{len(token.norm)}" if token.kind == "number" else token.kind


@lru_cache(maxsize=20_000)
def classes_of(word: str) -> tuple[str, ...]:
    """The classes of a folded word, by how it is written or else by how it sounds."""
    whole, written, heard = _tables()
    names = set(whole.get(word, ()))
    for size in range(_WHOLE, min(len(word), _LONGEST) + 1):
        names |= written.get(word[:size], frozenset())
    if not names and len(word) > _WHOLE + 1:
        sound = _sound(word)
        for size in range(_WHOLE + 1, min(len(sound), _LONGEST) + 1):
            names |= heard.get(sound[:size], frozenset())
    return tuple(sorted(names))


def _sound(word: str) -> str:
    return _DOUBLE.sub(r"\1", word.replace("тьс", "ц").replace("тс", "ц").replace("стн", "сн").translate(_HEARD))


@cache
def _tables() -> tuple[dict[str, frozenset[str]], ...]:
    """Words compared whole, beginnings as written, and as heard, each with its classes."""
    content: dict[str, str] = yaml.safe_load(Path(__file__).with_name("concepts.yaml").read_text(encoding="utf-8"))
    tables: tuple[dict[str, frozenset[str]], ...] = ({}, {}, {})
    for name, words in content.items():
        for word in words.split():
            table = tables[0 if len(word) < _WHOLE else 1]
            table[word] = table.get(word, frozenset()) | {name}
            if len(word) > _WHOLE + 1 and word[0] > "z":
                sound = _sound(word)
                tables[2][sound] = tables[2].get(sound, frozenset()) | {name}
    return tables
