"""What the desk writes to its own people: how a letter is put together, from words in data files."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Case, Delivery, Department, Message, Route, Staff
from services.deliveries import MAIL, Letter, Write, waiting_for
from services.digests import digest_letter
from services.entrance import LINK_DAYS, device_actor, make_link
from services.excerpts import excerpts_of
from services.notices import notices_of
from services.questions import HIDDEN, first_name, question_view, without_contacts
from services.report_letters import report_letter
from services.rights import DESK, actor_of
from services.routing import lines_of
from services.sla import clocks_of_routes
from services.ways import choices_of, event_of

MOST_SHOWN, MOST_SHOWN_SHORT = 20, 5
QUOTED = 600
SUBJECT = 60
SHORT_TEXT = 3500
"""Letters of a whole message: what every messenger takes."""
_LINK = re.compile(r"(https?://\S+)")
_SUM = re.compile(r"(?<!\w)\d[\d \u00a0.,]*\s?(?:₽|руб\w*|р\b\.?|тыс\w*|млн\w*|\$|€)|[$€]\s?\d[\d \u00a0.,]*")


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """What is said, by language; a place without an address of its own leaves out what names a link."""
    import yaml

    found: Mapping[str, Mapping[str, str]] = yaml.safe_load(
        Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    )
    return found


@cache
def short_words() -> Mapping[str, Mapping[str, str]]:
    """The same for a messenger, where some things are said otherwise."""
    import yaml

    path = Path(__file__).with_name("letters_short.yaml")
    short: Mapping[str, Mapping[str, str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {language: {**said, **short[language]} for language, said in words().items()}


def letter_writer(public_url: str | None, zone: str) -> Write:
    """The function that writes the letter of a delivery for this desk."""
    address = (public_url or "").rstrip("/")

    def _write(session: Session, row: Delivery, staff: Staff, replies: bool) -> Letter | None:
        page = Page(session, row, staff, replies, address, zone)
        found = _KINDS[row.kind](page)
        if found is None:
            return None
        subject, lines = found
        if page.brief:
            parts = fitted([veiled(line) for line in [subject, *lines] if line])
            return Letter("", staff.name, subject, "\n\n".join(parts))
        text = "\n\n".join([page.say("hello", name=staff.name.split()[0]), *lines, page.say("end")]) + "\n"
        return Letter(staff.email, staff.name, " ".join(subject.split()), text)

    return _write


def veiled(text: str) -> str:
    """A text without contacts and sums of money, its links untouched: messengers are foreign houses."""
    parts = _LINK.split(text)
    return "".join(
        part if number % 2 else _SUM.sub(HIDDEN, without_contacts(part)) for number, part in enumerate(parts)
    )


def fitted(parts: list[str], limit: int = SHORT_TEXT) -> list[str]:
    """Paragraphs that fit a message: the longest is cut, so that what to press at the end stays whole."""
    while (excess := len("\n\n".join(parts)) - limit) > 0:
        longest = max(range(len(parts)), key=lambda number: len(parts[number]))
        kept = max(20, len(parts[longest]) - excess - 1)
        parts = [*parts[:longest], parts[longest][:kept].rstrip() + "…", *parts[longest + 1 :]]
    return parts


class Page:
    """One letter in the making; ``brief``: for a messenger."""

    def __init__(
        self, session: Session, row: Delivery, staff: Staff, replies: bool, address: str, zone: str
    ) -> None:
        self.session, self.row, self.staff, self.replies = session, row, staff, replies
        self.address, self.zone = address, zone
        self.brief = row.channel != MAIL
        said = short_words() if self.brief else words()
        self.words = said.get(staff.locale, said["ru"])

    def say(self, key: str, **given: object) -> str:
        return self.words[key].format(**given)

    def when(self, at: datetime) -> str:
        there = at.astimezone(ZoneInfo(self.zone))
        return format_datetime(there, self.words["format"], tzinfo=ZoneInfo(self.zone), locale=self.staff.locale)

    def day(self, on: date) -> str:
        return format_date(on, self.words["day"], locale=self.staff.locale)

    def link(self, purpose: str, route_id: int | None = None) -> str:
        return f"{self.address}/a/{make_link(self.session, self.staff.id, purpose, route_id)}"

    def way_in(self, route_id: int | None) -> list[str]:
        """How the page is reached: by a link without a password, by the door, or not at all."""
        if not self.address:
            return [] if self.replies else [self.say("by_desk")]
        if device_actor(self.staff).roles:
            return [self.say("by_link", link=self.link("device", route_id), days=LINK_DAYS["device"])]
        path = f"/questions/{route_id}" if route_id else "/questions"
        return [self.say("by_door", link=self.address + path)]


def short(text: str, limit: int = SUBJECT) -> str:
    """The beginning of a text on one line, without contacts."""
    line = " ".join(without_contacts(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _questions(page: Page) -> tuple[str, list[str]] | None:
    most = MOST_SHOWN_SHORT if page.brief else MOST_SHOWN
    routes = waiting_for(page.session, page.staff, page.row.data["routes"])[:most]
    if not routes:
        return None
    # A reply is matched to the numbers that this letter shows; one that may have left before keeps them.
    shown = list(page.row.data["routes"]) if page.row.attempts > 1 else [route.id for route in routes]
    page.row.data = {**page.row.data, "routes": shown}
    single = routes[0] if len(shown) == 1 else None
    others = len(waiting_for(page.session, page.staff)) - len(routes)
    lines = [page.say("why_many")] if single is None else []
    for route in routes:
        lines.append(_question(page, route, None if single else shown.index(route.id) + 1))
    if others > 0:
        lines.append(page.say("left", count=others))
    if page.replies:
        lines.append(page.say("by_reply" if single else "by_number"))
    lines += page.way_in(single.id if single else None)
    subject = page.say("one", short=short(single.question)) if single else page.say("many", count=len(routes))
    return subject, lines


def _question(page: Page, route: Route, number: int | None) -> str:
    view = question_view(page.session, DESK, route.id)
    clock = clocks_of_routes(page.session, [route.id]).get(route.id)
    unit = page.session.get_one(Department, route.department_id)
    head = f"{number}. " if number else ""
    lines = [f"{head}{short(view.question, QUOTED) if page.brief else view.question}"]
    said = _first_words(page.session, route)
    if said and said not in view.question:
        lines.append(page.say("said", text=said))
    if view.place:
        lines.append(page.say("about", place=view.place.title))
    if view.is_inquiry and view.author:
        lines.append(page.say("about_client", name=first_name(view.author) or "…"))
    if route.reason and route.returns:
        lines.append(page.say("returned", reason=without_contacts(route.reason)))
    said_back = lines_of(page.session, [route.id]).get(route.id, [])
    if said_back:
        lines.append(page.say("clarified", text=without_contacts(said_back[-1].text)))
    if route.urgent:
        lines.append(page.say("urgent"))
    if clock is not None:
        lines.append(page.say("due", due=page.when(clock.due_at)))
    if number is None:
        lines.append(page.say("why", unit=unit.name if page.staff.locale == "ru" else unit.name_en or unit.name,
                              asker=view.asked_by))  # fmt: skip
    return "\n".join(lines)


def _first_words(session: Session, route: Route) -> str:
    if route.case_id is None:
        return ""  # nobody wrote: the desk itself asks
    first = select(Message.text).join(Case, Case.first_message_id == Message.id).where(Case.id == route.case_id)
    words = excerpts_of(session, [route.case_id]).get(route.case_id) or session.scalar(first)
    return short(words or "", QUOTED)


def _again(page: Page) -> tuple[str, list[str]] | None:
    if not page.address or not device_actor(page.staff).roles:
        return None
    return page.say("again_subject"), [page.say("again"), *page.way_in(page.row.data.get("route"))]


def _taken(page: Page) -> tuple[str, list[str]] | None:
    routes = [route for key in page.row.data["routes"] if (route := page.session.get(Route, key)) is not None]
    if not routes:
        return None
    lines = [page.say("taken")]
    for route in routes:
        answer = route.answer or ""
        lines.append(f"«{short(route.question)}»\n{_quoted(answer[:QUOTED] if page.brief else answer)}")
    for key, said in (("files", "taken_file"), ("lost", "taken_lost")):
        if page.row.data.get(key):
            lines.append(page.say(said, count=page.row.data[key]))
    asker = page.session.get_one(Staff, routes[0].asked_by_id)
    lines.append(page.say("taken_end", asker=asker.name))
    return page.say("taken_subject", short=short(routes[0].question)), lines


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def _refused(page: Page) -> tuple[str, list[str]] | None:
    route = page.session.get(Route, page.row.data.get("route") or 0)
    why = page.say(f"refused_{page.row.data['code']}", short=short(route.question) if route else "…")
    lines = [page.say("refused"), why]
    if waiting_for(page.session, page.staff):
        lines += page.way_in(None)
    return page.say("refused_subject"), lines


def _door(kind: str) -> "_Kind":
    def _letter(page: Page) -> tuple[str, list[str]] | None:
        if not page.address:
            return None
        text = page.say(kind, link=page.link(kind), days=LINK_DAYS[kind])
        return page.say(f"{kind}_subject"), [text]

    return _letter


def _notices(page: Page) -> tuple[str, list[str]] | None:
    """What was told and is not seen yet, by event; the bell's own list, so that rights are those of now."""
    wanted = set(page.row.data["notices"])
    shown = [
        line for line in notices_of(page.session, actor_of(page.staff), bell=False) if line.notice.id in wanted
    ]
    if not shown:
        return None
    lines = []
    for line in shown[:MOST_SHOWN]:
        number = f"{line.number}. " if line.number else ""
        due = f" {page.say('due', due=page.when(line.notice.due_at))}" if line.notice.due_at else ""
        text = short(line.text, QUOTED)
        lines.append(f"{page.say('event_' + (event_of(line.notice.kind) or 'desk'))}: {number}{text}{due}".rstrip())
    if page.address:
        lines.append(page.say("notices_link", link=f"{page.address}/notices"))
    return page.say("notices_subject", count=len(shown)), [*lines, page.say("notices_end")]


def _test(page: Page) -> tuple[str, list[str]] | None:
    lines = [page.say("test"), page.say("test_reply" if page.replies else "test_no_reply")]
    return page.say("test_subject"), lines


def _hint(page: Page) -> tuple[str, list[str]] | None:
    return "", [page.say("hint"), *(page.way_in(None) if waiting_for(page.session, page.staff) else [])]


def _bound(page: Page) -> tuple[str, list[str]] | None:
    lines = [page.say("bound", name=page.staff.name.split()[0])]
    asked = bool(actor_of(page.staff).departments) and choices_of(page.staff).wants("question", page.row.channel)
    return "", [*lines, page.say("bound_questions")] if asked else lines


def _stale(page: Page) -> tuple[str, list[str]] | None:
    return "", [page.say(f"stale_{page.row.data['code']}")]


def _moved(page: Page) -> tuple[str, list[str]] | None:
    """Whose account it is now, and what to do when it was nobody of ours."""
    data = page.row.data
    owner = page.session.get(Staff, data["staff"])
    platform = {"telegram": "Telegram", "max": "MAX"}.get(data["platform"], data["platform"])
    said = page.say(
        f"moved_{data['code']}", platform=platform, name=data["name"], person=owner.name if owner else ""
    )
    lines = [said, page.say("moved_end")]
    if page.address:
        lines.append(page.say("notices_link", link=f"{page.address}/notices/mine"))
    return page.say("moved_subject", platform=platform), lines


_Kind = Callable[[Page], tuple[str, list[str]] | None]
_KINDS: dict[str, _Kind] = {
    "questions": _questions, "again": _again, "taken": _taken, "refused": _refused, "invite": _door("invite"),
    "reset": _door("reset"), "test": _test, "notices": _notices, "digest": digest_letter, "report": report_letter,
    "hint": _hint, "bound": _bound, "stale": _stale, "moved": _moved,
}  # fmt: skip
