"""What a person typed into the search box, taken apart: words, phrases, exclusions, filters in words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.lemmas import Word, fold, index, numbers_of, words_of

LONGEST = 400
MOST_TERMS = 12

KEYS: Mapping[str, str] = {
    "от": "author", "автор": "author", "from": "author",
    "площадка": "place", "place": "place",
    "вид": "kind", "kind": "kind",
    "до": "until", "before": "until",
    "после": "since", "с": "since", "after": "since",
    "отдел": "department", "department": "department",
}  # fmt: skip
"""Words before the colon, as people may write them in either language."""

KINDS: Mapping[str, str] = {
    "вопрос": "question", "жалоба": "complaint", "пожелание": "wish", "похвала": "praise",
    "благодарность": "praise", "спам": "spam", "прочий": "other", "другой": "other",
}  # fmt: skip
"""Dictionary form → label; the labels' own names are understood too."""

PLATFORM_WORDS: Mapping[str, str] = {
    "ютуб": "youtube", "ютьюб": "youtube", "вк": "vk", "вконтакте": "vk", "телеграм": "telegram",
    "телега": "telegram", "тг": "telegram", "сайт": "wordpress", "блог": "wordpress",
    "почта": "mail", "письмо": "mail",
}  # fmt: skip

_PART = re.compile(
    r"(?P<minus>-)?(?:(?P<key>[^\W\d_]+):(?P<value>\"[^\"]*\"?|«[^»]*»?|[^\s\"«]+)"
    r"|[\"“„](?P<phrase>[^\"”“]*)[\"”“]?|«(?P<quoted>[^»]*)»?|(?P<word>[^\s\"«]+))"
)
_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})(?:\.(\d{4}|\d{2}))?|(\d{4})-(\d{1,2})-(\d{1,2})")
_NEAR_DAYS = {"сегодня": 0, "вчера": 1, "позавчера": 2, "today": 0, "yesterday": 1}

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """One thing looked for: any of ``phrases`` will do, each a row of forms that stand side by side.

    ``prefix``: the word is only begun; ``text`` as it was typed.
    """

    text: str
    phrases: tuple[Phrase, ...]
    prefix: bool = False
    without: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """``place`` and ``department`` are still words; ``unclear`` lists filters that say nothing we know."""

    terms: tuple[Term, ...] = ()
    author: tuple[str, ...] = ()
    place: str | None = None
    kind: str | None = None
    department: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    unclear: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing that could be found: no words and no filter."""
        asked = (self.author, self.place, self.kind, self.department, self.since, self.until)
        return not any(asked) and not any(not term.without for term in self.terms)


@dataclass(slots=True)
class _Reading:
    terms: list[Term] = field(default_factory=list)
    found: dict[str, object] = field(default_factory=dict)
    unclear: list[str] = field(default_factory=list)


def read_query(text: str, *, zone: str, now: datetime, synonyms: Sequence[Sequence[str]] = ()) -> Query:
    """Takes ``text`` apart; days are days of ``zone``. Each row of ``synonyms`` is a group of equal words."""
    text = text[:LONGEST]
    reading = _Reading()
    for number in numbers_of(_without_filters(text)):
        if _is_phone(number):
            reading.terms.append(Term(text[number.start : number.end], (number.forms,)))
            text = text[: number.start] + " " * (number.end - number.start) + text[number.end :]
    for part in _PART.finditer(text):
        _read_part(reading, part, zone, now)
    terms = _widen(reading.terms, synonyms)[:MOST_TERMS]
    return Query(terms=tuple(terms), unclear=tuple(reading.unclear), **reading.found)  # type: ignore[arg-type]


def _without_filters(text: str) -> str:
    """The same length, with quotes and filters blanked: numbers are looked for in plain words only."""
    return re.sub(r"\"[^\"]*\"?|«[^»]*»?|[^\W\d_]+:\S+", lambda found: " " * len(found[0]), text)


def _is_phone(number: Word) -> bool:
    return len(number.forms[0]) == 10 and number.forms[0].isdecimal()


def _read_part(reading: _Reading, part: re.Match[str], zone: str, now: datetime) -> None:
    key = KEYS.get(fold(part["key"])) if part["key"] else None
    if key is not None and not part["minus"]:
        value = part["value"].strip('"«» ')
        known = _filter(key, value, zone, now)
        if known is None:
            reading.unclear.append(part[0])
        else:
            reading.found[key] = known
        return
    phrase = part["phrase"] if part["phrase"] is not None else part["quoted"]
    if phrase is not None:
        forms = tuple(word.forms[0] for word in words_of(phrase))
        if forms:
            reading.terms.append(Term(phrase, (forms,), without=bool(part["minus"])))
        return
    reading.terms.extend(_word_terms(part[0].lstrip("-"), without=bool(part["minus"])))


def _filter(key: str, value: str, zone: str, now: datetime) -> object | None:
    if key in ("since", "until"):
        day = _day(value, now.astimezone(ZoneInfo(zone)).date())
        if day is None:
            return None
        # «до: 3 марта» and «после: 3 марта» both take the day itself in.
        return datetime.combine(day + timedelta(days=key == "until"), datetime.min.time(), ZoneInfo(zone))
    if key == "kind":
        form = next((word.forms[0] for word in words_of(value)), "")
        return KINDS.get(form) or (form if form in KINDS.values() else None)
    if key == "author":
        return tuple(word.forms[0] for word in words_of(value)) or None
    return fold(value) or None


def _day(text: str, today: date) -> date | None:
    near = _NEAR_DAYS.get(fold(text))
    if near is not None:
        return today - timedelta(days=near)
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    day, month, year, iso_year, iso_month, iso_day = found.groups()
    try:
        if iso_year:
            return date(int(iso_year), int(iso_month), int(iso_day))
        if year:
            return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
        this = date(today.year, int(month), int(day))
        return this if this <= today else date(today.year - 1, int(month), int(day))
    except ValueError:
        return None


def _word_terms(text: str, *, without: bool) -> Iterator[Term]:
    """A word, or what is written with strokes: its parts side by side, or joined when digits are in it."""
    begun = text.endswith("*")
    words = list(words_of(text))
    if not words:
        return
    if len(words) == 1:
        word = words[0]
        forms = (fold(text[word.start : word.end]),) if begun else word.forms
        yield Term(text.rstrip("*"), tuple((form,) for form in forms), begun, without)
        return
    joined = [(form,) for number in numbers_of(text) for form in number.forms]
    side_by_side = tuple(word.forms[0] for word in words)
    yield Term(text, (side_by_side, *joined), without=without)


def _widen(terms: Sequence[Term], synonyms: Sequence[Sequence[str]]) -> list[Term]:
    """Words of a group become the whole group: «деньги назад» also finds «возврат»."""
    groups = [tuple(dict.fromkeys(index(member).words for member in group)) for group in synonyms]
    widened: list[Term] = []
    at = 0
    while at < len(terms):
        taken, term = _group_at(terms, at, groups)
        widened.append(term)
        at += taken
    return widened


def _group_at(terms: Sequence[Term], at: int, groups: Sequence[tuple[Phrase, ...]]) -> tuple[int, Term]:
    for group in groups:
        for member in sorted(group, key=len, reverse=True):
            run = terms[at : at + len(member)]
            if member and len(run) == len(member) and all(map(_says, run, member)):
                text = " ".join(term.text for term in run)
                own = run[0].phrases if len(run) == 1 else (member,)
                phrases = tuple(dict.fromkeys((*own, *(phrase for phrase in group if phrase))))
                return len(run), replace(run[0], text=text, phrases=phrases)
    return 1, terms[at]


def _says(term: Term, form: str) -> bool:
    return (form,) in term.phrases and not term.prefix and not term.without
