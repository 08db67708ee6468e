"""The language of a text, told by its letters and by the commonest words."""

import re

from classifier.text import Reading

_UKRAINIAN = re.compile(
    r"[їєґ]|[а-я]*і[а-я]*|\b(дякую|дуже|будь ласка|чому|коли|якщо|треба|можна|немає|працює|що|це|ви|гроші)\b"
)
_RUSSIAN = re.compile(r"[ыэъ]|\b(что|это|как|спасибо|почему|когда|если|нужно|очень|только|где|есть)\b")


def language_of(reading: Reading) -> str:
    """`ru`, `en`, `uk`, `translit` (Russian in Latin letters), or an empty string when there are no letters."""
    if reading.view:
        return "translit"
    cyrillic = sum("а" <= char <= "я" or char in "іїєґ" for char in reading.folded)
    latin = sum("a" <= char <= "z" for char in reading.folded)
    if not cyrillic + latin:
        return ""
    if latin > cyrillic:
        return "en"
    ukrainian, russian = (len(words.findall(reading.folded)) for words in (_UKRAINIAN, _RUSSIAN))
    return "uk" if ukrainian > russian else "ru"
