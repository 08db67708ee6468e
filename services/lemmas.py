"""The words of a text as search sees them: dictionary forms, ё as е, phones and numbers in one spelling."""

import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from services.morphology import open_dictionary

LONGEST_WORD = 60
MOST_WORDS = 10_000
"""What a letter says after that many words is not searched; a position of a tsvector ends at 16,383."""
RARE_READING = 0.005
"""A reading of a word that is likelier than this counts too: «стали» is «стать», and now and then «сталь»."""

_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f])*")
_PHONE = re.compile(
    r"(?<![\w+])\+\d[\d\s()\-]{8,17}\d(?!\d)"
    r"|(?<![\w+])(?:[78][\s(\-]{0,2}\d|9)\d{2}[\s)\-]{0,2}\d{3}[\s\-]?\d{2}[\s\-]?\d{2}(?!\d)"
)
_SUM = re.compile(r"(?<![\w.,])\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)")
_CODE = re.compile(r"(?<![^\W_])(?=[^\W_]*(?:[-/.][^\W_]+)*\d)[^\W_]+(?:[-/.][^\W_]+)+")
_ENDINGS = (
    "иями", "ыми", "ими", "ями", "ами", "ого", "его", "ому", "ему", "иях", "ием", "ией", "ешь", "ишь", "ила",
    "или", "ило", "ала", "али", "ало", "ать", "ить", "ять", "еть", "ах", "ях", "ам", "ям", "ом", "ем", "ой",
    "ей", "ою", "ею", "ов", "ев", "ий", "ый", "ая", "яя", "ое", "ее", "ые", "ие", "ым", "им", "ых", "их", "ую",
    "юю", "ия", "ии", "ию", "ет", "ют", "ут", "ит", "ят", "ил", "ал", "ла", "ло", "ли", "а", "я", "о", "е", "и",
    "ы", "у", "ю", "ь", "й",
)  # fmt: skip
"""Endings that fall off a word which the dictionary does not know («вебинаром» → «вебинар»), longest first."""
LEAST_STEM = 3
_SAY_NOTHING = (
    "а без бы быть в ваш весь во вопрос вот все вы где да для до добрый день если есть еще же за здравствовать "
    "здравствуйте и из или их к как какой когда кто ли мой можно мы на над наш не нет но ну о об он она они оно от "
    "очень по под подсказать пожалуйста почему при про с сам свой себя сказать скажите со так такой там то тот "
    "только ты у уже хотеть что чтобы это этот я привет спасибо вечер утро вообще просто куда сколько зачем"
)
_STOP = frozenset(_SAY_NOTHING.split())


@dataclass(frozen=True, slots=True)
class Word:
    """A word at ``start``…``end`` of its text; the first of ``forms`` is the likeliest."""

    start: int
    end: int
    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Indexed:
    """A text as the index keeps it: one form a word in order, and all else that it may be found by."""

    words: tuple[str, ...]
    extra: tuple[str, ...]


_loading = threading.Lock()


@cache
def _dictionary() -> Any:
    # A tenth of a second and some 10 MB, which a start without any text need not pay.
    return open_dictionary()


def readings(word: str) -> Any:
    """What the dictionary takes ``word`` for, likeliest first, each with its grammar and other forms."""
    return _dictionary().parse(word)


def fold(word: str) -> str:
    """Small letters, ё as е, no accents over letters; letters beyond Cyrillic as their numbers.

    Both databases then see the same token: their own tables of letters differ in age.
    """
    return _fold_known(word) if len(word) <= LONGEST_WORD else _fold(word)


def _fold(word: str) -> str:
    folded = "".join(ch for ch in unicodedata.normalize("NFC", word.lower()) if not "\u0300" <= ch <= "\u036f")
    folded = folded.replace("ё", "е")[:LONGEST_WORD]
    if folded.isascii() or all(ch < "\u0530" for ch in folded):
        return folded
    return "".join(ch if ch < "\u0530" else f"u{ord(ch):x}" for ch in folded)[:LONGEST_WORD]


_fold_known = lru_cache(maxsize=20_000)(_fold)


@lru_cache(maxsize=20_000)
def forms_of(word: str) -> tuple[str, ...]:
    """Dictionary forms of a folded word, likeliest first; a stem where the dictionary does not know it."""
    if len(word) < 3 or not "а" <= word[0] <= "я" or not word.isalpha():
        return (word,)
    with _loading:
        dictionary = _dictionary()
    if not dictionary.word_is_known(word):
        return (_stem(word),)
    readings: dict[str, float] = {}
    for reading in dictionary.parse(word):
        form = fold(reading.normal_form)
        readings[form] = readings.get(form, 0) + reading.score
    ordered = sorted(readings, key=lambda form: -readings[form])
    return tuple(form for form in ordered[:4] if readings[form] >= RARE_READING) or (ordered[0],)


def is_known(word: str) -> bool:
    """Whether the dictionary has the folded word."""
    with _loading:
        dictionary = _dictionary()
    return bool(dictionary.word_is_known(word))


@lru_cache(maxsize=5_000)
def is_first_name(word: str) -> bool:
    """Whether the dictionary knows the word as a person's first name."""
    with _loading:
        readings = _dictionary().parse(word.lower())
    return any("Name" in one.tag for one in readings[:5])


@lru_cache(maxsize=5_000)
def is_noun(word: str) -> bool:
    """Whether the likeliest reading of the word is a noun, or the dictionary knows no part of speech for it."""
    with _loading:
        readings = _dictionary().parse(word.lower())
    return not readings or readings[0].tag.POS in ("NOUN", None)


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= LEAST_STEM:
            return word[: -len(ending)]
    return word


def content_of(words: Iterable[str]) -> list[str]:
    """Of the words of a text those that say what it is about."""
    return [word for word in words if word not in _STOP and len(word) > 1]


def words_of(text: str) -> Iterator[Word]:
    """The words in order, with the places where they stand."""
    for found in _WORD.finditer(text):
        word = fold(found[0])
        if word:
            yield Word(found.start(), found.end(), forms_of(word))


def numbers_of(text: str) -> Iterator[Word]:
    """Phones, sums and codes that are written in parts, each as one word: «8 (912) 345-67-89» is 9123456789."""
    if _DIGIT.search(text) is None:
        return
    for found in _PHONE.finditer(text):
        digits = "".join(ch for ch in found[0] if ch.isdecimal())
        yield Word(found.start(), found.end(), (digits[-10:],))
    for pattern in (_SUM, _CODE):
        for found in pattern.finditer(text):
            joined = fold("".join(ch for ch in found[0] if ch.isalnum()))
            yield Word(found.start(), found.end(), (joined,))


@lru_cache(maxsize=5_000)
def index_name(name: str) -> Indexed:
    """A person's name as the index keeps it: the same people write again and again."""
    return index(name)


def index(text: str) -> Indexed:
    """``text`` as the index keeps it."""
    words: list[str] = []
    extra: dict[str, None] = {}
    for word in map(fold, _WORD.findall(text)):
        if len(words) == MOST_WORDS:
            break
        if word:
            likeliest, *others = forms_of(word)
            words.append(likeliest)
            extra.update(dict.fromkeys(others))
    extra.update(dict.fromkeys(form for number in numbers_of(text) for form in number.forms))
    return Indexed(tuple(words), tuple(extra))
