"""Notification letters of GetCourse: which event a letter tells of, whatever template the school has made of it."""

import re
from collections.abc import Mapping

from collectors.base import Incoming
from collectors.getcourse.events import Event
from collectors.getcourse.settings import Settings

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "lesson",
        re.compile(
            r"комментари\w*\s+(?:к|в|под)\s+урок|(?:к|в)\s+урок\w*\s.{0,80}комментари|"
            r"(?:ответ\w*|комментари\w*)\s+(?:на|к)\s+(?:задани|урок)|прокомментировал\w*\s+урок|"
            r"вопрос\s+(?:к|по|в)\s+урок|comment\w*\s+(?:on|to|in)\s+(?:the\s+)?lesson",
            re.IGNORECASE | re.DOTALL,
        ),
    ),
    (
        "form",
        re.compile(
            r"форм\w+\s+(?:помощи|обратной\s+связи|связи|вопрос)|обратн\w+\s+связ|"
            r"вопрос\s+(?:с\s+сайта|со\s+страницы|от\s+посетител)|help\s+form|contact\s+form|feedback\s+form",
            re.IGNORECASE,
        ),
    ),
    (
        "ticket",
        re.compile(
            r"тикет|обращени\w+|служб\w+\s+(?:поддержки|заботы)|техподдержк|(?:сообщени|вопрос)\w*\s+в\s+поддержк|"
            r"сообщени\w*\s+в\s+диалог|support\s+(?:ticket|request)|new\s+ticket",
            re.IGNORECASE,
        ),
    ),
)
"""Words of subject and heading → what was written to; the first that fits counts."""

_LABELS: Mapping[str, str] = {
    "имя": "name", "фио": "name", "имя и фамилия": "name", "пользователь": "name", "ученик": "name",
    "автор": "name",
    "от кого": "name", "от": "name", "клиент": "name", "name": "name", "user": "name", "from": "name",
    "email": "email", "e-mail": "email", "почта": "email", "эл. почта": "email", "электронная почта": "email",
    "телефон": "phone", "phone": "phone", "тел": "phone", "номер телефона": "phone",
    "урок": "place", "lesson": "place", "задание": "place", "тема": "place", "тема обращения": "place",
    "тренинг": "course", "курс": "course", "training": "course", "course": "course",
    "сообщение": "text", "текст": "text", "комментарий": "text", "вопрос": "text", "текст сообщения": "text",
    "текст комментария": "text", "текст обращения": "text", "ответ": "text", "message": "text", "comment": "text",
    "question": "text", "text": "text", "обращение": "text",
    "номер обращения": "place_id", "обращение №": "place_id", "тикет": "place_id", "id": "object_id",
}  # fmt: skip
"""What stands before a colon, in lower case → our field."""

_LABELLED = re.compile(r"^\s*([A-Za-zА-Яа-яЁё. №-]{1,30}?)\s*:\s*(.*)$")
_END = re.compile(
    r"^\s*(?:--\s*$|_{3,}|—\s*$|ответить\b|посмотреть\b|перейти\b|открыть\b|чтобы\s+ответить|для\s+ответа|"
    r"с\s+уважением|это\s+(?:автоматическое\s+)?письмо|вы\s+получили\s+это|отписаться|не\s+отвечайте|"
    r"письмо\s+отправлено|view\b|reply\b|open\b|unsubscribe|best\s+regards|\(?https?://)",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"^\s*(?:пользователь\s+|ученик\s+|ученица\s+|user\s+)?(?P<name>[^\n:«\"(<]{2,80}?)\s*"
    r"(?:[(<]\s*(?P<email>[^\s()<>]+@[^\s()<>]+)\s*[)>])?\s+"
    r"(?:оставил\w*|написал\w*|задал\w*|добавил\w*|прокомментировал\w*|отправил\w*|wrote|left|asked|commented)"
    r"[^\n]{0,200}$",
    re.IGNORECASE | re.MULTILINE,
)
_TITLE = re.compile(r"урок\w*\s+[«\"]([^»\"\n]{1,200})[»\"]|lesson\s+[«\"“]([^»\"”\n]{1,200})[»\"”]", re.IGNORECASE)
_COURSE = re.compile(r"(?:тренинг\w*|курс\w*|training)\s+[«\"]([^»\"\n]{1,200})[»\"]", re.IGNORECASE)
_NUMBER = re.compile(r"(?:обращени\w*|тикет\w*|ticket)\s*(?:№|#|n)?\s*(\d{1,12})", re.IGNORECASE)
_GREETING = re.compile(r"^\s*(?:здравствуйте|добрый\s+(?:день|вечер)|привет|hello|hi)\b[^\n]{0,60}$", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(r"https?://[^\s<>()\"']+")
LONGEST = 20_000


def event_of(letter: Incoming, settings: Settings) -> Event | None:
    """The event a letter tells of; None where it is no notification of this account or its words are not found.

    Believed only from a named sender, and only with a link into the account: anybody can write «new comment».
    """
    sender = letter.context.get("from", "") or (letter.author.external_id if letter.author else "")
    if not settings.is_sender(sender):
        return None
    subject, text = letter.subject or "", letter.text[:LONGEST]
    links = [link for link in _LINK.findall(text) if _host(link) == settings.account]
    head = f"{subject}\n{text[:400]}"
    thing = next((kind for kind, words in _KINDS if words.search(subject)), None) or next(
        (kind for kind, words in _KINDS if words.search(head)), None
    )
    if thing is None or not links:
        return None
    found = _fields(text)
    wrote = _WROTE.search(text)
    words = found.get("text") or _words(text, wrote)
    if not words:
        return None
    told = _told(links)
    title = _TITLE.search(f"{subject}\n{text}")
    course = _COURSE.search(f"{subject}\n{text}")
    number = _NUMBER.search(f"{subject}\n{text[:600]}") if thing == "ticket" else None
    return Event(
        thing=thing, text=words, at=letter.published_at, road="letter",
        told=letter.context.get("message_id") or letter.external_id,
        name=(found.get("name") or (wrote["name"].strip() if wrote else ""))[:120],
        email=_email(found, wrote, letter, settings), phone=found.get("phone", "")[:40],
        user_id=told.get("user", ""),
        object_id=told.get("object", "") or _digits(found.get("object_id", "")),
        place_id=told.get("lesson" if thing == "lesson" else "ticket", "")
        or (number[1] if number else _digits(found.get("place_id", ""))),
        place=(found.get("place") or next((one for one in (title.groups() if title else ()) if one), ""))[:200],
        course=(found.get("course") or (course[1] if course else ""))[:200],
        url=_best(links),
    )  # fmt: skip


def _host(link: str) -> str:
    return link.partition("//")[2].partition("/")[0].partition("?")[0].lower()


def _digits(text: str) -> str:
    found = re.search(r"\d{1,19}", text)
    return found[0] if found else ""


def _fields(text: str) -> dict[str, str]:
    """Labelled lines; the text goes on to the next label or to what ends a letter."""
    found: dict[str, list[str]] = {}
    at: str | None = None
    for line in text.split("\n"):
        labelled = _LABELLED.match(line)
        label = _LABELS.get(labelled[1].strip().lower()) if labelled else None
        if labelled and label and label not in found:
            found[label] = [labelled[2].strip()]
            at = label if label == "text" or not labelled[2].strip() else None
        elif at and (_END.match(line) or label):
            at = None
        elif at:
            found[at].append(line.rstrip())
            at = at if at == "text" or not line.strip() else None
    return {name: "\n".join(lines).strip() for name, lines in found.items()}


def _words(text: str, wrote: re.Match[str] | None) -> str:
    """What stands between «Анна написала …» and the end of the letter's own words."""
    rest = text[wrote.end() :] if wrote else text
    kept: list[str] = []
    for line in rest.split("\n"):
        if _END.match(line):
            if kept:
                break
            continue
        if not kept and (not line.strip() or _GREETING.match(line) or _LABELLED.match(line)):
            continue
        if not wrote and not kept and any(words.search(line) for _, words in _KINDS):
            continue  # the heading says what the letter is
        kept.append(line.rstrip().removeprefix("> ").removeprefix(">"))
    said = "\n".join(kept).strip()
    quoted = re.fullmatch(r"[«\"“](.*)[»\"”]", said, re.DOTALL)
    return (quoted[1] if quoted else said).strip()


def _email(found: Mapping[str, str], wrote: re.Match[str] | None, letter: Incoming, settings: Settings) -> str:
    """Whom the letter names; its Reply-To is the asker's address where the school has set it so."""
    named = (found.get("email", ""), (wrote["email"] or "") if wrote else "", found.get("name", ""))
    for text in (*named, letter.context.get("reply_to", "")):
        one = _MAIL.search(text)
        if one and not settings.is_sender(one[0]):
            return one[0].lower()
    return ""


def _told(links: list[str]) -> dict[str, str]:
    """Numbers out of links into the account."""
    found: dict[str, str] = {}
    patterns = {
        "user": r"/user/control/user/(?:update|view)/id/(\d+)|[?&]user_?id=(\d+)",
        "lesson": r"/lesson/(?:view|edit)(?:/id/|[^#]*?[?&]id=)(\d+)",
        "ticket": r"(?:ticket|conversation|talk|support|dialog|resp)[\w/-]*?(?:/id/|/|[?&]id=)(\d+)",
        "object": r"(?:#|[?&/])(?:comment|answer|message|resp)(?:_?id)?[-_=/]?(\d+)",
    }
    for link in links:
        for name, pattern in patterns.items():
            one = re.search(pattern, link, re.IGNORECASE)
            if one and name not in found:
                found[name] = next(part for part in one.groups() if part)
    return found


def _best(links: list[str]) -> str:
    """The page of what was written rather than of who wrote."""
    about = [link for link in links if not re.search(r"/user/control|unsubscribe|/cms/|/pl/user", link)]
    return (about or links)[0].rstrip(".,;")[:1000]
