"""The parts of a person's name as it was typed in one line."""

import re

from services.lemmas import fold, is_first_name

_PATRONYMIC = re.compile(r".{2,}(вич|вна|ична|инична|оглы|кызы|ьич)$", re.IGNORECASE)
_WORDS = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def parts_of(name: str) -> tuple[str, str, str]:
    """(surname, first, middle name) of «Иванова Анна Петровна» or «Анна Иванова»; a guess that people correct."""
    words = name.split()
    if not words:
        return "", "", ""
    if len(words) == 1:
        return "", words[0], ""
    for place in (2, 1):
        if len(words) > place and _PATRONYMIC.fullmatch(words[place]):
            if place == 2:
                return words[0], words[1], " ".join(words[2:])
            # «Анна Петровна Иванова»; a surname such as «Абрамович» alone after a first name stays a surname.
            if len(words) > 2:
                return " ".join(words[2:]), words[0], words[1]
    if len(words) == 2 and is_first_name(words[0]) and not is_first_name(words[1]):
        return words[1], words[0], ""
    return words[0], words[1], " ".join(words[2:])


def search_words(*names: str) -> set[str]:
    """What a card is found by, folded."""
    return {fold(word) for name in names for word in _WORDS.findall(name)} - {""}
