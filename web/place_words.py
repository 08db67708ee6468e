"""What «Площадки» says: states of a place, rights of an account, and what is wrong with a setting."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from markupsafe import Markup

from collectors import CHANNELS, channel_class
from models import Message, RawItem, Source, utc_now
from services.carriers import ADDRESS
from services.connections import Problem, fields_of
from web.dates import exact, when
from web.language import Lazy, _, _l, ngettext
from web.words import CHANNEL_ERRORS, platform_name

MOST_RAW = 40_000

TO_DO: Mapping[str, Lazy] = {
    "network": _l("Nothing need be done: the desk tries again by itself."),
    "server": _l("Nothing need be done: the desk tries again by itself."),
    "rate": _l("Nothing need be done: the desk reads on when the platform allows."),
    "quota": _l("Nothing need be done: the limit is free again tomorrow. A larger one is asked of the platform."),
    "auth": _l("Get a new key on the platform and enter it in the settings of the place."),
    "rights": _l("Give the account the missing right on the platform, then resume. «Check» shows which."),
    "gone": _l("Look whether the place is still there and whether its address or number is right."),
    "closed": _l("Open the comments on the platform, then resume."),
    "captcha": _l("Log in on the platform once by hand under this account, then resume."),
    "conflict": _l("Stop the other program or web hook that uses the same key, then resume."),
    "address": _l(
        "Correct the address; one inside your own network is listed in config.yaml, network.allow_private."
    ),
    "settings": _l("Open the settings of the place and correct them."),
    "undeclared": _l("Declare it in config.yaml again, or leave it as it is: what was read stays."),
}
"""Error code → what a person does about it."""

RIGHTS: Mapping[str, Lazy] = {
    "comments": _l("Read comments"),
    "media": _l("Read comments under videos and photos"),
    "messages": _l("Private messages"),
    "reply": _l("Answer"),
    "moderate": _l("Hide, delete and ban"),
    "held": _l("See comments that wait for approval"),
    "own": _l("The key belongs to this channel"),
    "own_comments_known": _l("Recognise our own comments"),
    "imap.read": _l("Read letters"),
    "smtp.send": _l("Send letters"),
    "imap.sent_folder": _l("Keep a copy among the sent letters"),
    "imap.idle": _l("New letters at once"),
    "no_foreign_webhook": _l("No other program takes the messages"),
    "member_of_group": _l("The bot is in the group"),
    "group_of_channel": _l("The group belongs to a channel"),
    "can_delete_messages": _l("Delete messages"),
    "can_restrict_members": _l("Ban people"),
    "can_read_all_group_messages": _l("See all messages of the group"),
    "moderate_comments": _l("Moderate comments"),
    "export": _l("People, orders and payments"),
}
"""Right as a channel names it → words."""

WITHOUT: Mapping[str, Lazy] = {
    "comments": _l("comments are not read"),
    "media": _l("comments under videos and photos are not read"),
    "messages": _l("private messages are not read and not answered"),
    "reply": _l("answers cannot be sent"),
    "moderate": _l("comments cannot be hidden or deleted from here"),
    "held": _l("comments that wait for approval stay unseen"),
    "own": _l("our own comments may look like those of viewers"),
    "read": _l("letters are not read"),
    "sent_copy": _l("answers are sent, but stand in no folder of the mailbox"),
    "instant": _l("letters are read once a minute, not at once"),
    "collect": _l("messages are not read, or not all of them"),
    "publications": _l("the posts that are commented on stay unknown"),
    "delete": _l("messages cannot be deleted from here"),
    "ban": _l("people cannot be banned from here"),
    "export": _l("cards are not filled and paid orders make no contracts"),
}
"""``Right.without`` → what does not work."""

DEPTHS: Mapping[str, Lazy] = {
    "all": _l("the whole history"),
    "year": _l("the last year"),
    "quarter": _l("the last three months"),
    "month": _l("the last month"),
    "new": _l("only what is new"),
}
"""How deep a place's history is read, see services.history."""
PURPOSES: Mapping[str, tuple[Lazy, Lazy]] = {
    "new": (_l("new comments"), _l("always first: as many as today's pace will need until the day ends")),
    "deep": (_l("re-reading and history"), _l("what the others leave; it waits when new comments need it")),
    "live": (_l("live chats"), _l("the broadcasts planned for today, to their ends")),
    "answers": (_l("answers"), _l("a reserve that reading never touches")),
}
"""What a day's units are spent on, see services.units."""
GRADES: Mapping[str, tuple[Lazy, Lazy]] = {
    "reread": (
        _l("compared"),
        _l("The platform's whole listing is read again and compared with what we hold."),
    ),
    "events": (
        _l("by events"),
        _l("Events tell what is new: those that the platform did not keep while the desk was off are a gap."),
    ),
    "manual": (_l("by hand"), _l("There is no lawful interface: people bring the texts.")),
}
"""Grade of proof → its word, and what it means."""

PLATFORM_HINTS: Mapping[str, Lazy] = {
    "youtube": _l("comments under the videos of a channel"),
    "vk": _l("comments and messages of a community"),
    "telegram": _l("comments of a channel's group and messages to a bot"),
    "wordpress": _l("comments of a site"),
    "isso": _l("comments of a site with Isso"),
    "feed": _l("comments that a site publishes as a feed; read only"),
    "mail": _l("letters of a mailbox"),
    "ok": _l("comments and messages of a group in Odnoklassniki"),
    "form": _l("messages from a form on your site"),
    "calls": _l("answered and missed calls of a telephone exchange"),
    "max": _l("private messages to a MAX bot and groups"),
    "manual": _l("Instagram, WhatsApp, Dzen, RuTube: people paste the texts"),
    "getcourse": _l("lesson comments, tickets and the help form of your school"),
    "room": _l("the chat of a webinar room, sent by the room"),
}

CHOICES: Mapping[str, Lazy] = {
    "tls": _l("TLS"),
    "starttls": _l("STARTTLS"),
    "none": _l("without encryption"),
    "instagram": _l("Instagram"),
    "whatsapp": _l("WhatsApp"),
    "dzen": _l("Dzen"),
    "rutube": _l("RuTube"),
    "other": _l("This place"),
}

PROBLEMS: Mapping[str, Lazy] = {
    "missing": _l("Fill this in."),
    "string_too_short": _l("Fill this in."),
    "string_too_long": _l("At most %(max_length)s characters."),
    "string_pattern_mismatch": _l("It does not look right: compare with the hint."),
    "int_parsing": _l("A whole number is needed."),
    "int_from_float": _l("A whole number is needed."),
    "greater_than": _l("It must be more than %(gt)s."),
    "greater_than_equal": _l("It must be at least %(ge)s."),
    "less_than_equal": _l("It must be at most %(le)s."),
    "date_from_datetime_parsing": _l("A date is needed, for example 2026-11-25."),
    "date_parsing": _l("A date is needed, for example 2026-11-25."),
    "literal_error": _l("Choose one of the list."),
}
"""pydantic's word for a mistake → ours."""

OWN_PROBLEMS: Mapping[str, Lazy] = {
    "an address like https://example.ru/ is needed": _l("An address like https://example.ru/ is needed."),
    "no line breaks or control characters here": _l("No line breaks or control characters here."),
    "an app password or an access token is needed": _l("An app password or an access token is needed."),
}
"""What the channels' own validators say → words; all else they say gets the general word."""


def problem_words(problem: Problem) -> str:
    """Why a setting is not taken."""
    known = PROBLEMS.get(problem.code) or OWN_PROBLEMS.get(str(problem.data.get("text")))
    return (
        str(known) % dict(problem.data)
        if known is not None
        else _("It does not look right: compare with the hint.")
    )


def field_names(names: Iterable[str]) -> list[str]:
    """Settings by the titles of the forms; one that several platforms have is called alike in all."""
    titles = {field.name: field.title for platform in CHANNELS for field in fields_of(platform)}
    return [f"«{_(titles.get(name, name))}»" for name in names]


def choice_name(value: str) -> str:
    return str(CHOICES.get(value, value))


def state_words(source: Source) -> tuple[str, str]:
    """(tone, state) of a place; tone: good · warn · bad · quiet."""
    error = str(CHANNEL_ERRORS.get(source.error_code or "", source.error_code or ""))
    error = error[:1].lower() + error[1:]
    if source.state == "paused":
        return "quiet", _("paused: %(why)s", why=error) if source.error_code else _("paused")
    if source.state == "manual" or channel_class(source.platform).can.grade == "manual":
        return "quiet", _("by hand: people bring the texts")
    if source.state == "stopped":
        return "bad", _("stopped: %(why)s", why=error)
    if source.error_code is not None:
        return "warn", _("not read: %(why)s. Next try: %(time)s", why=error, time=when(source.due_at))
    if source.read_at is None:
        return "quiet", _("being read for the first time")
    return "good", _("being read")


def why_not(source: Source, message: Message | None = None) -> str:
    """Why the desk cannot answer at this place by itself, or not this message."""
    if source.state == "manual":
        return _("This place is kept by hand now: copy the answer, publish it there and mark it here.")
    if channel_class(source.platform).can.grade == "manual":
        name = choice_name(str(source.settings.get("network", "")))
        return _(
            "%(place)s lets no program answer lawfully: copy the answer, publish it there and mark it here.",
            place=name,
        )
    carrier = channel_class(source.platform).can.answered_by
    if carrier and message is not None and not message.context.get(ADDRESS):
        return _("No e-mail was left to answer to. Answer by the telephone that was, and mark it here.")
    if carrier:
        return _(
            "Here one answers by letter. Connect a mailbox in «Places» and the answer goes from here; until then "
            "write from your own and mark it here."
        )
    return _(
        "One cannot reply on %(platform)s from here. Answer on the platform and mark it here.",
        platform=platform_name(source.platform),
    )


def what_to_do(source: Source) -> str | None:
    """The next step where something is wrong."""
    known = TO_DO.get(source.error_code or "")
    return str(known) if known is not None else None


def ago_tag(at: datetime) -> Markup:
    """«2 минуты назад» as a <time> element; a day and more back, the date."""
    minutes = int((utc_now() - at).total_seconds() // 60)
    if minutes < 1:
        text = _("just now")
    elif minutes < 60:
        text = ngettext("%(num)s minute ago", "%(num)s minutes ago", minutes)
    elif minutes < 24 * 60:
        text = ngettext("%(num)s hour ago", "%(num)s hours ago", minutes // 60)
    else:
        text = when(at)
    tag = Markup('<time datetime="{}" title="{}">{}</time>')
    return tag.format(at.isoformat(timespec="seconds"), exact(at), text)


LOST: tuple[tuple[re.Pattern[str], Lazy], ...] = (
    (re.compile("VK has lost a part of the events"), _l("VK did not keep a part of the events for us.")),
    (re.compile("VK has lost the events"), _l("VK did not keep the events of this time for us.")),
    (
        re.compile("the server does not give the letters with UID .*"),
        _l("The mail server does not give some letters."),
    ),
    (
        re.compile("more comments came between two readings than the feed shows"),
        _l("More comments came between two readings than the feed shows."),
    ),
    (
        re.compile("the bot was removed from chat .*"),
        _l("The bot was put out of a chat: what is written there is lost."),
    ),
    (
        re.compile("no contact from .*: Telegram keeps .*"),
        _l("Longer without contact than Telegram keeps messages."),
    ),
    (
        re.compile("MAX has ended the web hook: .*"),
        _l(
            "MAX ended the web hook, which nobody had answered for eight hours: events of that time may be missing."
        ),
    ),
    (
        re.compile("no contact from .*: MAX keeps .*"),
        _l("Longer without contact than MAX keeps events: new dialogues, edits and removals may be missing."),
    ),
)
"""How a channel tells of a gap → what a person reads; services.coverage keeps the channel's own words."""


def gap_words(reason: str) -> str:
    """Why there is a gap, several reasons one after another; an unknown one stands as it was told."""
    said = (
        next((str(words) for told, words in LOST if told.fullmatch(one)), one) for one in reason.split("; ") if one
    )
    return " ".join(dict.fromkeys(said))


def raw_text(raw: RawItem) -> str:
    """What a platform gave, as far as it is text."""
    return raw.body[:MOST_RAW].decode("utf-8", errors="replace")


def said_by_channels() -> Iterator[str]:
    """Titles and hints of all settings: msgids that stand in collectors/, which knows no translations."""
    for platform in CHANNELS:
        for field in fields_of(platform):
            yield from (text for text in (field.title, field.description) if text)
