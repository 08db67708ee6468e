"""What the person wrote, without the letters quoted below or above it."""

import re

from mailparser_reply.constants import MAIL_LANGUAGES, QUOTED_MATCH_INCLUDE
from mailparser_reply.parser import EmailMessage

_LINE_CAP = 200  # the patterns of the library need the square of a line's length
_LINES_CAP = 800
_SIGNATURE_CAP = 10  # a signature is short; more than that below «--» is text
_HISTORIES_CAP = 5  # answers between quotations of several letters

_DAY = r"(?:\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{1,2} [а-я]{3,9}\.? \d{4}(?: ?г\.?)?|\d{4}-\d{2}-\d{2})"
_WEEKDAY = r"(?:(?:пн|вт|ср|чт|пт|сб|вс|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье)[,.] *)?"
_TIME = r"\d{1,2}:\d{2}(?::\d{2})?"
_WHEN = rf"{_WEEKDAY}{_DAY},? *(?:в )?{_TIME}(?: ?(?:[+-]\d\d:?\d\d|\(?(?:GMT|UTC|MSK|МСК)[^\s,:]{{0,8}}))?"
_WROTE = r"(?:написала?|пишет|писала?|написал\(а\)|написали|сообщила?)"

# A header is one line, or two or three where the program wraps it.
_NAME = r"[^\n]{0,150}?(?:\n[^\n]{0,150}?){0,2}?"
_RUSSIAN = (
    rf"{_WHEN},{_NAME}{_WROTE} *:",  # Apple, Thunderbird: «25 нояб. 2026 г., в 12:40, … написал(а):»
    rf"{_WHEN},? (?:от|пользователь) {_NAME}:",  # Mail.ru, old Gmail: «Среда, 25 ноября 2026, 12:40 +03:00 от …:»
    rf"{_WHEN},?{_NAME}<\s?[^<>\n]+@[^<>\n]+>(?: *\([^()\n]*\))? *:",  # Yandex, Gmail: «…, 12:40, "…" <…>:»
    rf"(?:Вы|Ты) (?:писали|писал\(?а?\)?),? {_WHEN} *:",  # The Bat
    rf"[^\n:]{{2,60}} {_WROTE} {_WHEN} *:",
    rf"[^\n:<>]{{2,60}}<[^<>\s]+@[^<>\s]+> {_WROTE} *:",
)
_OUTLOOK = (
    # «От:» alone may be a line of a form, so two more lines of such a header must follow.
    rf"(?:[* ]*От:.*\n(?:.*\n)?{QUOTED_MATCH_INCLUDE}[* ]*(?:Отправлено|Дата|Кому|Копия):.*"
    rf"(?:\n(?:.*\n)?{QUOTED_MATCH_INCLUDE}[* ]*(?:Отправлено|Дата|Кому|Копия|Тема):.*)+)"
)
_SEPARATORS = (
    r"-{2,} ?(?:Original Message|Исходное сообщение|Исходное письмо|Первоначальное сообщение) ?-{2,}",
    r"[-—]{8,}\n(?:Кому|От кого|Тема|Копия): .*",
)

MAIL_LANGUAGES.setdefault(
    "ru",
    {
        "wrote_header": rf"^({QUOTED_MATCH_INCLUDE}(?:{'|'.join(_RUSSIAN)}))[ \t]*$",
        "from_header": rf"^({QUOTED_MATCH_INCLUDE}(?:{_OUTLOOK}|{'|'.join(_SEPARATORS)}))",
        "disclaimers": [],
        "signatures": [],
        "sent_from": "Отправлено",
    },
)
_HEADER = EmailMessage(text="", languages=["ru", "en", "de"]).HEADER_REGEX

_PROGRAM_LINE = re.compile(
    r"^(?:--\s*)?(?:Отправлено (?:с|из|от)\b.{0,120}|Sent from (?:my|Mail|Outlook|Yandex)\b.{0,120}|"
    r"(?:Get|Скачать|Загрузить|Получить) Outlook (?:for|для)\b.{0,120}|_{20,}|--)$",
    re.IGNORECASE,
)
FORWARD = re.compile(r"^\s*(?:fwd?|пересл|переслано|перенапр)\s*(?:\[\d+\])?:", re.IGNORECASE)


def written(text: str, *, forwarded: bool = False) -> str:
    """The newest words of a letter; the whole text when nothing else would be left.

    ``forwarded``: what stands below the header is news to us then, so it is kept.
    """
    lines = [line.rstrip() for line in re.sub(r"\n{3,}", "\n\n", text).strip("\n").split("\n")]
    if forwarded:
        return "\n".join(lines).strip()
    kept: list[str] = []
    for _ in range(_HISTORIES_CAP):
        found = _first_header(lines)
        if found is None:
            break
        start, end = found
        kept += lines[:start]
        below = [line for line in lines[end:] if line]
        if not below or not below[0].startswith(">"):
            # The history is not marked line by line, so everything below the header belongs to it.
            lines = []
            break
        lines = lines[end:]
        history = next((i for i, line in enumerate(lines) if line and not line.startswith(">")), len(lines))
        lines = lines[history:]
    kept += lines
    own = "\n".join(line for line in kept if not line.startswith(">"))
    own = _without_program_lines(re.sub(r"\n{3,}", "\n\n", own).strip())
    return own or _without_program_lines(text.strip()) or text.strip()


def _first_header(lines: list[str]) -> tuple[int, int] | None:
    """First and after-last line of the first header of a quoted letter."""
    shadow = "\n".join(line[:_LINE_CAP].replace("\xa0", " ") for line in lines[:_LINES_CAP])
    match = _HEADER.search(shadow)
    if match is None:
        return None
    begin = match.start() + len(match[0]) - len(match[0].lstrip("\n"))
    first = shadow.count("\n", 0, begin)
    return first, first + match[0].strip("\n").count("\n") + 1


def _without_program_lines(text: str) -> str:
    """``text`` without what the mail program adds at its end by itself: a signature, «sent from my phone»."""
    lines = text.split("\n")
    signature = next((i for i, line in enumerate(lines) if line.strip() == "--"), 0)
    if signature and len(lines) - signature <= _SIGNATURE_CAP:
        del lines[signature:]
    while lines and (not lines[-1].strip() or _PROGRAM_LINE.match(lines[-1].strip())):
        lines.pop()
    return "\n".join(lines)
