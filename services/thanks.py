"""«Спасибо Марине!»: what people wrote in a week that thanks one of us by name (day.md §3)."""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models import Author, Label, Message, Staff
from services.lemmas import fold, forms_of, is_first_name, readings, words_of
from services.questions import first_name, without_contacts

MOST = 10
"""Thanks that one letter tells of."""
_THANKS = re.compile(r"спасиб|благодар|признател", re.IGNORECASE)
_STEMS = ("спасиб", "Спасиб", "СПАСИБ", "лагодар", "ЛАГОДАР", "ризнател", "РИЗНАТЕЛ")
"""The same for databases, of which SQLite knows no capital letters but Latin ones."""
_BEGINS = re.compile(r"(?:^|[.!?…\n])[\s«\"(—-]*$")
"""What stands before the first word of a sentence."""
_CALLED = re.compile(r"^\s*,\s*(?:огромное |большое )?(?:спасиб|благодар)", re.IGNORECASE)
"""«Вера, спасибо»: whoever is called and thanked is a person, wherever the word stands."""
_SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]*")
_GRUDGES = ("complaint", "spam")


def names(text: str, name: str) -> bool:
    """Whether ``text`` calls ``name`` («Марина Котова») in any case: by the first name, which must have a capital
    letter away from the beginning of a sentence where it is an ordinary word as well («вера», «роман»), unless the
    person is called and thanked; or by both names."""
    mine, family = _parts(name)
    if not mine:
        return False
    words = list(words_of(text))
    for number, word in enumerate(words):
        if mine not in forms_of(fold(text[word.start : word.end])):
            continue
        beside = words[max(number - 1, 0) : number] + words[number + 1 : number + 2]
        if family and any(family in forms_of(fold(text[one.start : one.end])) for one in beside):
            return True
        if not _is_ordinary(mine):
            return True
        capital = text[word.start].isupper() and not text[word.start : word.end].isupper()
        if capital and (not _BEGINS.search(text[: word.start]) or _CALLED.match(text[word.end :])):
            return True
    return False


def thanks_of(
    session: Session, staff: Staff, since: datetime, until: datetime, colleagues: Sequence[Staff] = ()
) -> list[tuple[str | None, str]]:
    """(first name of the author, the sentences that thank or name, without contacts) of what came in between and
    thanks ``staff``, oldest first: what else a client wrote was not shared with the department. A namesake among
    ``colleagues`` is told apart by the family name alone; what complains is no thanks."""
    mine = _parts(staff.name)
    shared = any(_parts(one.name)[0] == mine[0] for one in colleagues if one.id != staff.id)
    query = (
        select(Message.id, Message.text, Author.name)
        .outerjoin(Author, Author.id == Message.author_id)
        .where(Message.ingested_at >= since, Message.ingested_at < until, Message.direction == "in")
        .where(Message.state == "published", or_(*(Message.text.contains(stem) for stem in _STEMS)))
        .order_by(Message.ingested_at, Message.id)
    )
    found: list[tuple[str | None, str]] = []
    for message_id, text, author in session.execute(query):
        if not _THANKS.search(text) or not names(text, staff.name):
            continue
        if shared and not _says(text, mine[1]):
            continue
        newest = select(Label.label).where(Label.message_id == message_id).order_by(Label.id.desc()).limit(1)
        if session.scalar(newest) not in _GRUDGES:
            found.append((first_name(author), without_contacts(_quoted(text, staff.name))))
        if len(found) == MOST:
            break
    return found


def _quoted(text: str, name: str) -> str:
    said = (one.strip() for one in _SENTENCE.findall(text))
    return " ".join(one for one in said if _THANKS.search(one) or names(one, name))


def _parts(name: str) -> tuple[str, str]:
    """(first name, family name) in their dictionary forms, whichever stands first; the family name may be empty."""
    words = [fold(word) for word in name.split()[:2]]
    if len(words) == 2 and is_first_name(words[1]) and not is_first_name(words[0]):
        words.reverse()
    first, family, *_rest = [*(_own_form(word) for word in words), "", ""]
    return first, family


def _own_form(word: str) -> str:
    """The form under which a text's words are looked up; a name that has none among them is looked up as it is."""
    forms = forms_of(word)
    return word if word in forms else forms[0]


def _says(text: str, family: str) -> bool:
    return bool(family) and any(family in forms_of(fold(text[one.start : one.end])) for one in words_of(text))


def _is_ordinary(word: str) -> bool:
    """Whether the dictionary knows the name as another word too."""
    return any("Name" not in one.tag and fold(one.normal_form) == word for one in readings(word))
