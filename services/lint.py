"""The reply linter (domain.md §6.8, day.md §1.7): three rules block, the others are one grey line under the text.

A finding names a rule and a place in the text; the words for people are made in the web.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models import Fact, Setting, utc_now
from services.errors import Refused
from services.rights import Actor, require
from services.settings.history import keep

NAME = "lint"
"""Row of the setting table that holds the department's choices."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``rule`` is a key of RULES, ``start`` and ``end`` are offsets in the text; ``blocks``: needs a reason."""

    rule: str
    start: int
    end: int
    blocks: bool


@dataclass(frozen=True)
class Habits:
    """What the department has decided; ``own`` are its contacts, ``off`` the rules that rest.

    ``prices``: the sums of «Справочник фактов» that hold today, as whole numbers.
    """

    own: frozenset[str] = frozenset()
    banned_hosts: frozenset[str] = frozenset(
        {"instagram.com", "facebook.com", "fb.com", "threads.net", "threads.com"}
    )
    competitors: frozenset[str] = frozenset()
    latin: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()
    promo_denied: frozenset[str] = frozenset({"youtube", "telegram"})
    prices: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Place:
    """Where the text is going: ``public`` or to one person, on which platform; ``asked`` is what it answers."""

    public: bool
    platform: str = ""
    asked: str = ""
    given: frozenset[str] = frozenset()  # phone · mail · name · order: what the person gave already


@dataclass(frozen=True)
class Rule:
    """``find`` yields spans; ``blocks`` is one of the three that stop a reply; ``public_only`` rests in private."""

    find: Callable[[str, Place, Habits], Iterator[tuple[int, int]]]
    blocks: bool = False
    public_only: bool = False


_PHONE = re.compile(r"(?<![\w+])(?:\+7|8|\+\d{1,3})[\s(.-]*\d{3}[\s).-]*\d{3}[\s.-]*\d{2}[\s.-]*\d{2}(?!\w)")
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_CARD = re.compile(r"(?<!\d)\d{4}[\s-]\d{4}[\s-]\d{4}[\s-]\d{4}(?!\d)")
_PASSPORT = re.compile(r"(?i)паспорт\w*\D{0,20}\d{2}\s?\d{2}\s?\d{6}")
_ORDER = re.compile(r"(?i)(?:заказ\w*|договор\w*|order)\s*(?:№|#|N)\s*\d{3,}")
_FULL_NAME = re.compile(
    r"[А-ЯЁ][а-яё]+(?:-[А-ЯЁ][а-яё]+)?\s+[А-ЯЁ][а-яё]+\s+[А-ЯЁ][а-яё]+(?:вич|вна|ична|инична|оглы|кызы)\b"
)
_SUM = re.compile(r"(?i)\d[\d\s\u00a0]*(?:[.,]\d+)?\s*(?:₽|руб\b|рубл|р\.|тыс)")
_PRICE = re.compile(
    r"(?i)\b(?:сто[ия]т\w*|стоимост\w*|цен[аыуе]\w*|тариф\w*|обойд[её]тся|price|costs?)\b[^.!?\n]{0,40}?"
    + _SUM.pattern.removeprefix("(?i)")
)
_LINK = re.compile(
    r"(?i)\b(?:https?://|www\.)[^\s<>()«»\"']{1,2000}"
    r"|(?<![\w.@-])[\w-]{1,63}(?:\.[\w-]{1,63}){0,5}\.(?:com|net|ru|рф|org|me|io)\b(?:/\S{0,2000})?"
)
_EMPTY = re.compile(
    r"\{\{[^{}]*\}\}|\[(?:имя|дата|ссылка|сумма|телефон|вставить[^\]]*)\]|_{4,}|<(?:имя|дата|ссылка)>"
)
_PROMISE = re.compile(r"(?i)\bгарантиру\w+|\b100\s?%|\bстопроцентн\w+|\bобещаем\s+результат\w*")
_HEALS = re.compile(r"(?i)\b(?:вылеч\w+|исцел\w+|излеч\w+|избавит?\w*\s+от\s+(?:болезн|боли|тревог|депресс)\w*)")
_REFUND = re.compile(
    r"(?i)не\s+возвраща\w+|возврат\w*\s+(?:невозможен|не\s+предусмотрен\w*)|возврат\w*\s+только\s+в\s+течение"
    r"|услуг\w+\s+счита\w+\s+оказанн\w+\s+с\s+момента"
)
_OFFER = re.compile(
    r"(?i)\b(?:скидк\w+|акци[яию]\b|купит?\w*|успей\w*|записывай\w*|оплат\w+ сейчас|только сегодня|промокод\w*)"
)
_LATIN = re.compile(r"(?<![\w@./:+-])[A-Za-z]{3,}(?![\w@./:-])")
_SHOUT = re.compile(r"\b[А-ЯЁA-Z]{4,}(?:\s+[А-ЯЁA-Z]{2,})+\b|!{2,}|\?{3,}")
_RUDE = re.compile(
    r"(?i)\b(?:сами\s+виноват\w*|читайте\s+внимательн\w*|неужели\s+(?:трудно|сложно)|это\s+ваши\s+проблем\w*)"
)


_PLEASE = (
    r"(?i)\b(?:напишите|укажите|оставьте|пришлите|сообщите|подскажите|дайте|назовите|уточните|отправьте|продублируйте)"
    r"[^.!?\n]{0,60}?\b"
)
_ASKS = {
    "phone": re.compile(_PLEASE + r"(?:телефон\w*|номер(?!\w*\s+(?:заказ|договор)))\b"),
    "mail": re.compile(_PLEASE + r"(?:почт\w+|e-?mail\w*|имейл\w*|адрес\w*\s+(?:эл\w*\s+)?почт\w+)"),
    "name": re.compile(_PLEASE + r"(?:фамили\w+|фио|полное\s+имя)\b"),
    "order": re.compile(_PLEASE + r"номер\w*\s+(?:заказ\w*|договор\w*)"),
}


def _spans(pattern: re.Pattern[str]) -> Callable[[str, Place, Habits], Iterator[tuple[int, int]]]:
    def find(text: str, place: Place, habits: Habits) -> Iterator[tuple[int, int]]:
        yield from (match.span() for match in pattern.finditer(text))

    return find


def phones_in(text: str) -> list[str]:
    """Phones as they stand in a text."""
    return _PHONE.findall(text[:20_000])


def mails_in(text: str) -> list[str]:
    """Mail addresses as they stand in a text."""
    return _MAIL.findall(text[:20_000])


def orders_in(text: str) -> list[str]:
    """Numbers of orders and contracts as they stand in a text."""
    return _ORDER.findall(text[:20_000])


def _bare(text: str) -> str:
    return re.sub(r"[\s().+-]", "", text).lower()


def _personal(text: str, place: Place, habits: Habits) -> Iterator[tuple[int, int]]:
    """Phones, letters' addresses, cards, passports and order numbers that are not the school's own (L1)."""
    own = {_bare(contact) for contact in habits.own}
    own |= {"7" + contact[1:] for contact in own if contact.startswith("8")}
    for pattern in (_PHONE, _MAIL, _CARD, _PASSPORT, _ORDER):
        for match in pattern.finditer(text):
            bare = _bare(match.group())
            if bare not in own and ("7" + bare[1:] if bare.startswith("8") else bare) not in own:
                yield match.span()
    for match in _FULL_NAME.finditer(text):
        if _SUM.search(text):
            yield match.span()


def _banned(text: str, place: Place, habits: Habits) -> Iterator[tuple[int, int]]:
    """Links to hosts of the stop-list, with their subdomains (L2, R-22, R-23)."""
    for match in _LINK.finditer(text):
        host = _host(match.group())
        if any(host == banned or host.endswith("." + banned) for banned in habits.banned_hosts):
            yield match.span()


def _host(address: str) -> str:
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:  # an unfinished IPv6 address
        return ""
    return host.removeprefix("www.")


def _promo(text: str, place: Place, habits: Habits) -> Iterator[tuple[int, int]]:
    """Advertising words where promotion is denied (L3); an answer to a question about the price is none."""
    if place.platform in habits.promo_denied and not re.search(
        r"(?i)цен|сто(?:ит|имост)|скидк|акци|price", place.asked
    ):
        yield from (match.span() for match in _OFFER.finditer(text))


def _price(text: str, place: Place, habits: Habits) -> Iterator[tuple[int, int]]:
    """A price that «Справочник фактов» does not know, or knows no more (L9); silent while it knows none at all."""
    if habits.prices:
        for match in _PRICE.finditer(text):
            if not sums_in(match.group()) & habits.prices:
                yield match.span()


def sums_in(text: str) -> frozenset[str]:
    """Sums of money in a text as whole numbers: «4 900,00 ₽» is «4900»."""
    found = (re.sub(r"\D", "", re.split(r"[.,]\d", match.group())[0]) for match in _SUM.finditer(text))
    return frozenset(one.lstrip("0") for one in found)


def _asked(text: str, place: Place, habits: Habits) -> Iterator[tuple[int, int]]:
    """Asking for what the person gave already, in whatever channel."""
    for kind in place.given & set(_ASKS):
        yield from (match.span() for match in _ASKS[kind].finditer(text))


def _named(text: str, place: Place, habits: Habits) -> Iterator[tuple[int, int]]:
    for name in habits.competitors:
        yield from (match.span() for match in re.finditer(re.escape(name), text, re.IGNORECASE))


def _foreign(text: str, place: Place, habits: Habits) -> Iterator[tuple[int, int]]:
    """Latin words in a Russian text (R-32); a text that is mostly Latin answers somebody in his language."""
    letters = [char for char in text if char.isalpha()]
    if sum("а" <= char.lower() <= "я" or char in "ёЁ" for char in letters) * 2 < len(letters):
        return
    links = [match.span() for pattern in (_LINK, _MAIL) for match in pattern.finditer(text)]
    for match in _LATIN.finditer(text):
        inside = any(start <= match.start() < end for start, end in links)
        if not inside and match.group().lower() not in habits.latin:
            yield match.span()


RULES: Mapping[str, Rule] = {
    "personal": Rule(_personal, blocks=True, public_only=True),
    "banned": Rule(_banned, blocks=True),
    "empty": Rule(_spans(_EMPTY), blocks=True),
    "asked": Rule(_asked),
    "price": Rule(_price),
    "promo": Rule(_promo, public_only=True),
    "promise": Rule(_spans(_PROMISE)),
    "heals": Rule(_spans(_HEALS)),
    "competitor": Rule(_named),
    "refund": Rule(_spans(_REFUND)),
    "latin": Rule(_foreign),
    "rude": Rule(_spans(_RUDE)),
    "loud": Rule(_spans(_SHOUT)),
}
"""In the order in which findings are told."""


def lint(text: str, place: Place, habits: Habits) -> tuple[Finding, ...]:
    """Everything that the rules find in ``text``, the blocking rules first; each span of a rule once."""
    found = []
    for name, rule in RULES.items():
        if name in habits.off or (rule.public_only and not place.public):
            continue
        for start, end in sorted(set(rule.find(text[:20_000], place, habits))):
            found.append(Finding(name, start, end, rule.blocks))
    return tuple(found)


def check_text(text: str, place: Place, habits: Habits, override: Mapping[str, str]) -> dict[str, str]:
    """At the door: raises Refused("text.lint") for a blocking rule without a reason in ``override``.

    Returns the reasons that were needed, rule → reason, to be kept with the reply.
    """
    needed = {
        finding.rule: override.get(finding.rule, "").strip()
        for finding in lint(text, place, habits)
        if finding.blocks
    }
    missing = [rule for rule, reason in needed.items() if not reason]
    if missing:
        raise Refused("text.lint", rules=missing)
    return needed


def habits_of(session: Session) -> Habits:
    """The department's choices, or the defaults, with the prices of today."""
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    chosen = {k: frozenset(v) for k, v in row.value.items() if k in Habits.__dataclass_fields__} if row else {}
    holds = or_(Fact.valid_to.is_(None), Fact.valid_to >= utc_now().date())
    values = session.scalars(select(Fact.value).where(holds))
    return Habits(**{**chosen, "prices": frozenset(one for value in values for one in sums_in(value))})


def check_habits(values: Mapping[str, Sequence[str]]) -> None:
    unknown = set(values.get("off", ())) - set(RULES)
    if unknown:
        raise Refused("lint.unknown", rules=sorted(unknown))


def save_habits(session: Session, actor: Actor, values: Mapping[str, Sequence[str]]) -> None:
    """Keeps the choices; ``values`` has fields of Habits. Raises Refused for a rule that there is not."""
    require(actor, "settings.edit")
    check_habits(values)
    kept = {key: sorted({value.strip() for value in given if value.strip()}) for key, given in values.items()}
    keep(session, actor, NAME, kept)
