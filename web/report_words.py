"""What reports say: the names of lists, formulas beside the figures, periods, and minutes as people read them."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction

from web.deadlines import span
from web.language import Lazy, _, _l

LISTS: Mapping[str, Lazy] = {
    "came": _l("Cases that came"),
    "checked": _l("Cases whose kind a person said"),
    "answered": _l("Cases answered for the first time"),
    "waiting": _l("Cases that wait for the first answer"),
    "first_met": _l("First answer in time"),
    "first_late": _l("First answer late"),
    "resolved": _l("Cases resolved"),
    "resolution_met": _l("Resolved in time"),
    "resolution_late": _l("Resolved late, or late and open"),
    "legal_met": _l("Answered within the term by law"),
    "legal_late": _l("Beyond the term by law"),
    "legal_open": _l("Open with a term by law"),
    "queue": _l("Open cases"),
    "queue_desk": _l("Open cases that we have"),
    "queue_department": _l("Open cases that a department has"),
    "queue_client": _l("Open cases that wait for their author"),
    "late_now": _l("Late now"),
    "due_today": _l("Will be late today"),
    "led": _l("Open cases by who leads"),
    "unled": _l("Open cases that nobody leads"),
    "opened": _l("Cases opened"),
    "reopened": _l("Cases opened again"),
    "ended": _l("Cases resolved, each time"),
    "reclassified": _l("Cases set aside: spam, no answer needed, joined"),
    "answers": _l("Answers that stand on the platforms"),
    "asked": _l("Questions put to departments"),
    "ask_answered": _l("Questions that departments answered"),
    "ask_declined": _l("Questions that departments declined"),
    "ask_returned": _l("Questions sent back to be done better"),
    "ask_met": _l("Departments' answers in time"),
    "ask_late": _l("Departments' answers late"),
    "ask_overdue": _l("Questions that departments owe beyond their term"),
}
"""The list behind a figure → its title."""

FORMULAS: Mapping[str, Lazy] = {
    "came": _l(
        "Cases whose first message was written in the period. Spam, what needed no answer, what was joined, and "
        "what "
        "stood on the platform before its place was watched do not count."
    ),
    "answered": _l(
        "Cases whose first answer by a person was published in the period; automatic answers do not count."
    ),
    "waiting": _l("Open cases without an answer now, whatever the period."),
    "usual": _l(
        "Working minutes from the author's message to our first published answer, seconds dropped: as many cases "
        "took "
        "less as took more (the median)."
    ),
    "p90": _l("Nine cases of ten had their first answer within this working time."),
    "here": _l("The same, but since the message reached us: without the time the platform needed."),
    "in_time": _l(
        "Of the cases whose term for the first answer ended in the period: in time ÷ (in time + late). Not yet "
        "due is "
        "outside; an open case beyond its term is late."
    ),
    "resolution": _l(
        "Of the cases whose term for the end fell into the period: in time ÷ (in time + late). While a case "
        "waits for "
        "its author its term stands still."
    ),
    "delay": _l(
        "Working time of the cases resolved in the period, by who had them: we, a department, or the author."
    ),
    "unit": _l("Questions put to the department in the period; the working time from question to answer."),
    "people": _l(
        "Answers published in the period by who wrote them; the time and the share are of cases whose first answer "
        "was theirs."
    ),
    "checked": _l("Cases of the period whose kind a person said by hand ÷ all cases of the period."),
    "age": _l("Working time since the author's message, for what is open now."),
    "coverage": _l("Places read within three times their interval ÷ all places that are not paused."),
    "outgoing": _l("What we sent and no platform has shown us yet."),
}
"""Code of a figure → how it is reckoned, shown on hover and at the foot of the page."""

PERIODS: Mapping[str, Lazy] = {
    "today": _l("Today"),
    "week": _l("7 days"),
    "days30": _l("30 days"),
    "month": _l("This month"),
    "last_month": _l("Last month"),
    "quarter": _l("This quarter"),
    "year": _l("This year"),
}

AGES: tuple[Lazy, ...] = (_l("up to 4 h"), _l("4–9 h"), _l("9–27 h"), _l("27–45 h"), _l("over 45 h"))
"""The columns of the queue, in hours of working time."""


def minutes(value: Fraction | int | None) -> str:
    """«38 мин», «3 ч 20 мин»; «—» of nothing."""
    if value is None:
        return "—"
    return span(timedelta(minutes=int(value + Fraction(1, 2))))


def percent(value: float | None) -> str:
    """«92 %», with a tenth where it is needed not to say all or nothing; «—» of nothing."""
    if value is None:
        return "—"
    whole = round(value * 100)
    if whole in (0, 100) and value not in (0, 1):
        return _("%(num)s %%", num=f"{value * 100:.1f}".replace(".", ","))
    return _("%(num)s %%", num=whole)


def change(now: int, before: int) -> str:
    """«+12», «−3», «столько же» against the period before."""
    if now == before:
        return _("as many as before")
    return f"+{now - before}" if now > before else f"−{before - now}"
