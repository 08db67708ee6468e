"""Russian words of documents: cases of names and posts, dates, sums in words."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache

from pytrovich.enums import Case, Gender, NamePart
from pytrovich.maker import PetrovichDeclinationMaker

from services.lemmas import readings

MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября",
    "декабря",
)  # fmt: skip
_CASES = {
    "gen": Case.GENITIVE, "dat": Case.DATIVE, "acc": Case.ACCUSATIVE, "ins": Case.INSTRUMENTAL,
    "pre": Case.PREPOSITIONAL,
}  # fmt: skip
_GRAMMEMES = {"gen": "gent", "dat": "datv", "acc": "accs", "ins": "ablt", "pre": "loct"}
_PARTS = (NamePart.LASTNAME, NamePart.FIRSTNAME, NamePart.MIDDLENAME)
_WORD = re.compile(r"[А-Яа-яЁё]+(?:-[А-Яа-яЁё]+)*")


@lru_cache(1)
def _maker() -> PetrovichDeclinationMaker:
    return PetrovichDeclinationMaker()


def decline_name(full: str, case: str, *, gender: str = "", overrides: Mapping[str, str] | None = None) -> str:
    """«Фамилия Имя Отчество» in ``case`` (gen · dat · acc · ins · pre); what a person wrote by hand wins.

    A name in other letters than Cyrillic is left as it is.
    """
    if overrides and overrides.get(case):
        return overrides[case]
    words = full.split()
    if not words or not all(_WORD.fullmatch(word) for word in words) or len(words) > 3:
        return full
    sex = _gender(words, gender)
    made = [_maker().make(part, sex, _CASES[case], word) for part, word in zip(_PARTS, words, strict=False)]
    return " ".join(made)


def _gender(words: list[str], known: str) -> Gender:
    """By the card, else by the patronymic, else by the first name."""
    if known in ("m", "f"):
        return Gender.MALE if known == "m" else Gender.FEMALE
    if len(words) > 2:
        return Gender.FEMALE if words[2].lower().endswith(("на", "кызы")) else Gender.MALE
    if len(words) > 1:
        found = [parse for parse in readings(words[1]) if "Name" in parse.tag]
        if found:
            return Gender.FEMALE if "femn" in found[0].tag else Gender.MALE
    return Gender.FEMALE if words[0].lower().endswith(("ова", "ева", "ина", "ая")) else Gender.MALE


def decline_words(text: str, case: str, overrides: Mapping[str, str] | None = None) -> str:
    """A post such as «генеральный директор» in ``case``; words after the noun stay as they are."""
    if overrides and overrides.get(case):
        return overrides[case]
    parts, is_done = re.split(r"(\s+)", text), False
    for place, word in enumerate(parts):
        if is_done or not _WORD.fullmatch(word):
            continue
        fit = next((r for r in readings(word) if "nomn" in r.tag and "sing" in r.tag), None)
        form = fit.inflect({_GRAMMEMES[case]}) if fit is not None else None
        if fit is None or form is None:
            continue
        is_done = fit.tag.POS == "NOUN"
        parts[place] = form.word.capitalize() if word[:1].isupper() else form.word
    return "".join(parts)


def initials(full: str) -> str:
    """«Иванова А. П.»"""
    last, *rest = full.split() or [""]
    return " ".join([last, *(f"{word[0].upper()}." for word in rest)])


def date_short(value: str) -> str:
    return date.fromisoformat(value).strftime("%d.%m.%Y")


def date_long(value: str) -> str:
    """«23» ноября 2026 г."""
    day = date.fromisoformat(value)
    return f"«{day.day:02d}» {MONTHS[day.month - 1]} {day.year} г."


def money(kopecks: int) -> str:
    """86 400,00 ₽ with spaces that do not break."""
    sign = "−" if kopecks < 0 else ""
    roubles, rest = divmod(abs(kopecks), 100)
    return f"{sign}{roubles:,}".replace(",", "\u00a0") + f",{rest:02d}\u00a0₽"


def money_words(kopecks: int) -> str:
    """«Восемьдесят шесть тысяч четыреста рублей 50 копеек» (domain.md, AC-T2): kopecks by figures."""
    roubles, rest = divmod(abs(kopecks), 100)
    from num2words import num2words  # every language it knows comes with it

    # num2words takes a whole number for kopecks, hence Decimal.
    words = num2words(Decimal(roubles), lang="ru", to="currency", currency="RUB").split(",")[0]
    sign = "Минус " if kopecks < 0 else ""
    text = sign + (words if sign else words[:1].upper() + words[1:])
    return f"{text} {rest:02d} {plural(rest, 'копейка', 'копейки', 'копеек')}"


def plural(number: int, one: str, few: str, many: str) -> str:
    """The form of a noun after ``number``."""
    if number % 100 in range(11, 15):
        return many
    return one if number % 10 == 1 else few if number % 10 in (2, 3, 4) else many
