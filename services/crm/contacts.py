"""Phones and mail addresses in one spelling, and as those see them who may not see them whole."""

import re
from dataclasses import dataclass

from services.errors import Refused
from services.lemmas import fold

HOME = "RU"
"""A number without its country is read as one of this."""
KINDS = ("phone", "mail", "messenger", "address")
UNIQUE = frozenset({"phone", "mail"})
"""Kinds of which one living card alone holds each value."""
LEAST_TAIL = 4

_RUSSIAN = re.compile(r"[78]?([3489]\d{9})")
_PHONE_LIKE = re.compile(r"[+\d][\d\s().\-–]{2,30}")


@dataclass(frozen=True, slots=True)
class Written:
    """A contact as it is kept: ``value`` to read, ``key`` to compare by, ``tail`` a phone's digits from the end."""

    kind: str
    value: str
    key: str
    tail: str | None = None

    @property
    def live_key(self) -> str | None:
        return f"{self.kind}:{self.key}" if self.kind in UNIQUE else None


def phone_key(text: str) -> str | None:
    """«8 (916) 123-45-67», «+7 916 1234567», «9161234567» → «+79161234567»; None when it is no phone."""
    digits = re.sub(r"\D", "", text)
    home = _RUSSIAN.fullmatch(digits)
    if home and not text.strip().startswith("+8"):
        return f"+7{home[1]}"
    if not 7 <= len(digits) <= 15:
        return None
    import phonenumbers  # its tables of all countries; a Russian number needs none of them

    try:
        # A number from abroad often comes as digits alone.
        given = text if "+" in text or len(digits) <= 10 else f"+{digits}"
        number = phonenumbers.parse(given, HOME)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def phone_words(key: str) -> str:
    """«+7 916 123-45-67»."""
    if key.startswith("+7") and len(key) == 12:
        return f"+7 {key[2:5]} {key[5:8]}-{key[8:10]}-{key[10:]}"
    import phonenumbers

    try:
        number = phonenumbers.parse(key)
    except phonenumbers.NumberParseException:
        return key
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def mail_key(text: str) -> str | None:
    """The address in small letters, None when it is none; nobody is asked whether it exists."""
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return found.normalized.lower()


def read_contact(text: str, kind: str | None = None) -> Written:
    """A contact as somebody typed it; ``kind`` None: told by its looks. Raises Refused(contact.unreadable)."""
    text = " ".join(text.split())[:300]
    kind = kind or _kind_of(text)
    key: str | None
    if kind == "phone":
        key = phone_key(text)
        if key is not None:
            return Written("phone", phone_words(key), key, key[:0:-1])
    elif kind == "mail":
        key = mail_key(text)
        if key is not None:
            return Written("mail", key, key)
    elif kind in KINDS and text:
        return Written(kind, text, fold(text.removeprefix("@")) if kind == "messenger" else text.lower()[:200])
    raise Refused("contact.unreadable", contact=text, kind=kind)


def _kind_of(text: str) -> str:
    if text.startswith(("@", "https://t.me/", "t.me/")):
        return "messenger"
    return "mail" if "@" in text else "phone"


def is_phone_like(text: str) -> bool:
    """Whether a query looks for a phone: digits and the signs between them, at least ``LEAST_TAIL`` digits."""
    return bool(_PHONE_LIKE.fullmatch(text.strip())) and len(re.sub(r"\D", "", text)) >= LEAST_TAIL


def masked(kind: str, value: str) -> str:
    """What somebody sees of a contact who may not see it: enough to ask «ending in 67?»."""
    if kind == "phone":
        digits = re.sub(r"\D", "", value)
        return f"+{digits[:1]} ••• •••-••-{digits[-2:]}"
    if kind == "mail":
        local, _, domain = value.partition("@")
        return f"{local[:1]}•••@{domain}"
    return "••••"
