"""One row of an imported file as a card: which column is what, and what is wrong with it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.crm.clients import LONGEST_NAME, is_inn
from services.crm.contacts import Written, read_contact
from services.errors import Refused
from services.lemmas import fold

FIELDS = (
    "name", "last_name", "first_name", "middle_name", "phone", "mail", "messenger", "birth_date", "note", "origin",
    "course", "group_name", "curator", "access_until", "inn", "external_id",
)  # fmt: skip
HEADINGS: Mapping[str, tuple[str, ...]] = {
    # our field: beginnings of headings, folded; GetCourse's own among them
    "external_id": ("id", "ид", "номер в системе", "id пользователя", "user id"),
    "mail": ("email", "e-mail", "почта", "эл. почта", "электронная почта", "mail"),
    "last_name": ("фамилия", "last name", "surname"),
    "middle_name": ("отчество", "middle name"),
    "first_name": ("имя", "first name"),
    "name": ("фио", "имя и фамилия", "клиент", "ученик", "full name", "name"),
    "phone": ("телефон", "тел", "мобильный", "phone"),
    "messenger": ("telegram", "телеграм", "мессенджер"),
    "birth_date": ("дата рождения", "день рождения", "birthday"),
    "origin": ("откуда", "источник", "utm_source"),
    "note": ("комментарий", "заметка", "примечание", "note"),
    "course": ("курс", "тренинг", "предложение", "продукт", "программа", "course"),
    "group_name": ("группа", "поток", "group"),
    "curator": ("куратор", "преподаватель"),
    "access_until": ("доступ до", "окончание доступа", "дата окончания"),
    "inn": ("инн", "inn"),
}


@dataclass(slots=True)
class Card:
    """What a row says; ``code`` is a word of the refusals when it is wrong."""

    number: int
    fields: dict[str, object] = field(default_factory=dict)
    contacts: list[Written] = field(default_factory=list)
    study: dict[str, object] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    code: str = ""

    @property
    def keys(self) -> list[str]:
        return [one.live_key for one in self.contacts if one.live_key]


def guess_mapping(heading: Sequence[str]) -> dict[str, str]:
    """column number → field, each field once; what nobody knows is left out."""
    found: dict[str, str] = {}
    folded = [" ".join(fold(word) for word in title.split()) for title in heading]
    for exact in (True, False):
        for name, starts in HEADINGS.items():
            for at, title in enumerate(folded):
                fits = title in starts if exact else any(title.startswith(f"{one} ") for one in starts)
                if fits and name not in found.values() and str(at) not in found:
                    found[str(at)] = name
                    break
    return found


def check_mapping(mapping: Mapping[str, str]) -> dict[str, str]:
    """Only known fields, each once; raises Refused without anything that names or reaches a person."""
    kept: dict[str, str] = {}
    for column, name in mapping.items():
        if name in FIELDS and name not in kept.values() and column.isdecimal():
            kept[column] = name
    if not {"name", "last_name", "first_name", "phone", "mail"} & set(kept.values()):
        raise Refused("import.mapping")
    return kept


def read_card(number: int, cells: Sequence[str], mapping: Mapping[str, str], heading: Sequence[str]) -> Card:
    """The card of one row; never raises: what is wrong stands in ``code``."""
    card = Card(
        number, cells={heading[at] if at < len(heading) else str(at): cell for at, cell in enumerate(cells)}
    )
    given = {name: cells[int(at)] for at, name in mapping.items() if int(at) < len(cells) and cells[int(at)]}
    try:
        _fill(card, given)
    except Refused as error:
        card.code = error.code
    return card


def _fill(card: Card, given: Mapping[str, str]) -> None:
    for kind in ("phone", "mail", "messenger"):
        if kind in given:
            # Several stand in one cell now and then.
            for text in re.split(r"[;,|]\s*|\s{2,}", given[kind])[:5]:
                if text.strip():
                    card.contacts.append(read_contact(text, kind))
    parts = [given.get(name, "") for name in ("last_name", "first_name", "middle_name")]
    name = given.get("name") or " ".join(part for part in parts if part)
    if not name and card.contacts:
        name = card.contacts[0].value
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise Refused("client.name")
    card.fields["name"] = name
    if any(parts) and not given.get("name"):
        card.fields |= dict(zip(("last_name", "first_name", "middle_name"), parts, strict=True))
    if "birth_date" in given:
        card.fields["birth_date"] = _day(given["birth_date"])
    if "inn" in given:
        if not is_inn(given["inn"]):
            raise Refused("client.inn")
        card.fields["inn"] = given["inn"]
    card.fields |= {name: given[name] for name in ("note", "origin", "external_id") if name in given}
    if "course" in given:
        card.study = {name: given.get(name, "")[:200] for name in ("course", "group_name", "curator")}
        card.study["access_until"] = _day(given["access_until"]) if "access_until" in given else None


def _day(text: str) -> date:
    """«05.12.1990», «1990-12-05», with a time behind it or without."""
    words = text.split()
    found = re.fullmatch(r"(\d{1,2})[./](\d{1,2})[./](\d{4})", words[0]) if words else None
    try:
        if found:
            return date(int(found[3]), int(found[2]), int(found[1]))
        return date.fromisoformat(words[0][:10])
    except (ValueError, IndexError):
        raise Refused("date.invalid") from None
