"""Words of broadcasts: kinds, states, the check-list, ends of questions, troubles, and what services refuse."""

from collections.abc import Mapping

from web.language import Lazy, _, _l, ngettext

KINDS: Mapping[str, Lazy] = {"stream": _l("Live broadcast"), "lesson": _l("Lesson"), "webinar": _l("Autowebinar")}
STATES: Mapping[str, Lazy] = {
    "planned": _l("Planned, nobody watches"),
    "duty": _l("Planned"),
    "live": _l("On air"),
    "ended": _l("Over"),
    "review": _l("Report is due"),
    "reported": _l("Report handed in"),
    "moved": _l("Moved"),
    "cancelled": _l("Cancelled"),
}
TONES: Mapping[str, str] = {
    "planned": "chip-warn", "live": "chip-bad", "review": "chip-warn", "reported": "chip-good",
}  # fmt: skip
CHECKS: Mapping[str, Lazy] = {
    "sound": _l("Sound is heard"),
    "picture": _l("Picture and slides are seen"),
    "link": _l("The link opens"),
    "pay_button": _l("The payment button works"),
    "moderation": _l("The chat is moderated"),
    "speaker": _l("The speaker answers the chat"),
    "questions": _l("Questions were taken to the end"),
    "recording": _l("The recording is kept"),
}
ENDS: Mapping[str, Lazy] = {
    "open": _l("waits"),
    "aloud": _l("answered aloud"),
    "chat": _l("answered in the chat"),
    "routed": _l("handed to a department"),
    "carried": _l("carried over into cases"),
    "dismissed": _l("needed no answer"),
}
REASONS: Mapping[str, Lazy] = {
    "answered_by_viewers": _l("Viewers have answered"),
    "not_a_question": _l("Not a question"),
    "repeat": _l("Already answered"),
    "rude": _l("Rude"),
    "off_topic": _l("Not about us"),
    "hidden": _l("Hidden"),
}
TROUBLES: Mapping[str, Lazy] = {
    "sound": _l("No sound"),
    "picture": _l("No picture"),
    "stream": _l("The stream freezes"),
    "link": _l("A link does not open"),
    "payment": _l("Payment does not work"),
}
INCIDENTS: Mapping[str, Lazy] = {
    "open": _l("not fixed yet"),
    "contained": _l("contained"),
    "fixed": _l("fixed"),
    "reviewed": _l("looked into"),
}
STEPS: Mapping[str, tuple[tuple[str, Lazy], ...]] = {
    "open": (("contained", _l("Contained")), ("fixed", _l("Fixed"))),
    "contained": (("fixed", _l("Fixed")),),
    "fixed": (("reviewed", _l("Looked into")), ("open", _l("Not fixed after all"))),
}
"""State of an incident → what a press can make of it."""
KEYS: tuple[tuple[str, str, Lazy], ...] = (
    ("KeyJ", "J", _l("next question")),
    ("KeyK", "K", _l("previous question")),
    ("KeyV", "V", _l("answered aloud, with the timecode")),
    ("KeyR", "R", _l("answer in the chat")),
    ("KeyD", "D", _l("to a department")),
    ("KeyM", "M", _l("merge with the like one")),
    ("KeyX", "X", _l("needs no answer")),
    ("KeyH", "H", _l("hide on the platform")),
    ("KeyZ", "Z", _l("take the last press back")),
)
"""Place on the keyboard, letter, what it does; the page's script knows them by the place."""
FORMS: Mapping[str, Lazy] = {
    "youtube": _l("YouTube"),
    "text": _l("text with times"),
    "csv": _l("table of a webinar room"),
}
TAPES: Mapping[str, Lazy] = {
    "ready": _l("not played yet"),
    "running": _l("plays"),
    "paused": _l("stands"),
    "done": _l("played to the end"),
}
FIGURES: Mapping[str, Lazy] = {
    "viewers": _l("Viewers, at most at once"),
    "messages": _l("Messages in the chat"),
    "people": _l("People who wrote"),
    "asked": _l("Questions asked"),
    "aloud": _l("answered aloud"),
    "chat": _l("answered in the chat"),
    "routed": _l("handed to departments"),
    "carried": _l("carried over into cases"),
    "dismissed": _l("needed no answer"),
    "open": _l("still open"),
    "in_time": _l("Answered within ten minutes"),
    "leads": _l("Applications"),
    "incidents": _l("Incidents"),
    "drops": _l("Times the stream dropped"),
}

ERRORS: Mapping[str, Lazy] = {
    "broadcast.unknown": _l("There is no such broadcast."),
    "broadcast.title": _l("Enter a title."),
    "broadcast.times": _l("The end must be after the beginning, within a day."),
    "broadcast.link": _l("A link begins with https://."),
    "broadcast.stale": _l("Somebody has changed this broadcast meanwhile. Look again."),
    "broadcast.state": _l("This cannot be done with the broadcast in its present state."),
    "broadcast.reason": _l("Say why: somebody will ask."),
    "broadcast.place_used": _l("The chat of this link is already part of the broadcast."),
    "broadcast.check": _l("There is no such point in the check-list."),
    "broadcast.viewers": _l("Enter the number of viewers, a whole number."),
    "broadcast.open": _l("Some questions are still open: %(count)s. Give each of them an end first."),
    "question.unknown": _l("There is no such question."),
    "question.state": _l("This question already has its end."),
    "question.taken": _l("%(name)s was quicker: the question is taken."),
    "question.merged": _l("This question was merged with a like one meanwhile."),
    "question.second": _l("Enter the time as 1:02:03 or 62:03."),
    "question.reason": _l("Choose why it needs no answer."),
    "question.self": _l("A question cannot be merged with itself."),
    "incident.state": _l("This cannot be done with the incident in its present state."),
    "tape.large": _l("The file is larger than %(limit)s MB."),
    "tape.form": _l(
        "This file is not a recording: YouTube's JSON, a text with times, or a CSV with time, author, text."
    ),
    "tape.empty": _l("There is not one message in this file."),
    "tape.long": _l("There are more than %(limit)s messages in this file."),
    "tape.speed": _l("Choose one of the offered speeds."),
    "tape.done": _l("The recording was played to the end."),
    "tape.unknown": _l("There is no such recording."),
    "visit.left": _l("%(name)s, who is to look, does not come in any more: choose somebody else."),
    "visit.unknown": _l("There is no such place to check."),
    "visit.title": _l("Enter a title."),
    "visit.every": _l("Check at most once in %(least)s minutes, at least once a day."),
    "visit.hours": _l("The hours must begin before they end."),
    "visit.outcome": _l("Choose what the check has shown."),
}


def clock(seconds: int | float | None) -> str:
    """«1:02:03» or «2:03»: a time of a broadcast."""
    if seconds is None:
        return "—"
    hours, rest = divmod(max(0, int(seconds)), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def lasted(seconds: int | None) -> str:
    """«1 ч 20 мин»: how long something took."""
    if seconds is None:
        return "—"
    if seconds < 60:
        return _("%(num)s s", num=seconds)
    hours, minutes = divmod(seconds // 60, 60)
    if not hours:
        return _("%(num)s min", num=minutes)
    if not minutes:
        return ngettext("%(num)s h", "%(num)s h", hours)
    return _("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes)
