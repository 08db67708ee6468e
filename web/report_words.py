"""What reports say: the names of lists, formulas beside the figures, periods, and minutes as people read them."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any

from services.reports.shape import Table
from web import listed_words, report_figures, review_words
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
    "history": _l("Open cases from before their place was watched"),
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
    "assigned": _l("Cases given to a person"),
    "again_known": _l("Cases whose author is known"),
    "again_repeat": _l("Repeats within 14 days of an end"),
    "asked": _l("Questions put to departments"),
    "ask_opened": _l("Questions that departments opened in time"),
    "ask_unopened": _l("Questions that departments opened late or not yet"),
    "ask_answered": _l("Questions that departments answered"),
    "ask_declined": _l("Questions that departments declined"),
    "ask_returned": _l("Questions sent back to be done better"),
    "ask_met": _l("Departments' answers in time"),
    "ask_late": _l("Departments' answers late"),
    "ask_overdue": _l("Questions that departments owe beyond their term"),
    "backlog": _l("Cases that were open at the beginning of the day"),
    "resolved_cases": _l("Cases resolved, each time"),
    "register_complaints": _l("Complaints of the period"),
    "register_complaints_decided": _l("Complaints that were decided"),
    "register_complaints_justified": _l("Complaints found justified"),
    "register_wishes": _l("Wishes of the period"),
    "register_wishes_decided": _l("Wishes that were decided"),
    "applications": _l("Applications that came"),
    "applications_answered": _l("Applications answered for the first time"),
    "applications_dealt": _l("Applications from which a deal was opened"),
    **listed_words.LISTS,
    **review_words.LISTS,
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
        "Answers published in the period by who wrote them; the time is of cases whose first answer was theirs, "
        "the share also of those that were theirs when the term ended without one."
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


def against(value: Any, before: Any, unit: str) -> str:
    """«▲ +3», «▼ −20 мин», «=» against the period before; "" where there is nothing to compare."""
    if value is None or before is None or not (value or before):
        return ""
    found = value - before
    said = _difference(abs(found), unit)
    if said == _difference(0, unit):
        return "="
    return f"▲ +{said}" if found > 0 else f"▼ −{said}"


def _difference(found: Any, unit: str) -> str:
    if unit == "share":
        return _("%(num)s pp", num=f"{found * 100:.0f}")
    return cell(found, unit) if unit in ("minutes", "money", "days", "number") else report_figures.plain(found)


TITLES: Mapping[str, Lazy] = {
    **report_figures.TITLES,
    "first_answer": _l("Time to the first answer"),
    "in_time": _l("Share in time"),
    "resolution": _l("Time to the end"),
    "legal": _l("Terms by law"),
    "structure": _l("What cases are about"),
    "queue": _l("The queue and its age"),
    "flow": _l("Inflow and outflow"),
    "staff": _l("Load of people"),
    "departments": _l("Departments and their questions"),
    "again": _l("Repeats and cases opened again"),
    "broadcasts": _l("Broadcasts"),
    "visits": _l("Coverage of places by checks"),
    "marks": review_words.TITLE,
}
"""Reports of «Все отчёты»."""

HOW: Mapping[str, Lazy] = {
    **report_figures.HOW,
    "first_answer": _l(
        "Cases whose first answer by a person was published in the period; working minutes from the author's "
        "message "
        "to it. «Since it reached us» leaves out what the platform needed."
    ),
    "in_time": _l(
        "Cases whose term ended in the period. In time: done by the term. Late: done after it, or not done "
        "and it is "
        "over. Not yet due is outside. Share = in time ÷ (in time + late)."
    ),
    "resolution": _l(
        "Cases resolved in the period, by their last end. Working minutes without the time that the author had; "
        "«with the author's time» counts it too. «We» and «departments»: how long on average each had such a case."
    ),
    "legal": _l(
        "Claims and requests whose term by law ended in the period: answered by it or not; what is open now, and "
        "days until the nearest term of it."
    ),
    "structure": _l(
        "Cases that came in the period, each counted once, by its leading theme; under «All themes» a case counts "
        "under each of its themes. Part = of all of them."
    ),
    "queue": _l("What is open now, by working time since the author's message."),
    "flow": _l(
        "Backlog at the end = at the beginning + opened + opened again − resolved − set aside. An end that "
        "was taken "
        "back, or that could not be sent, was none."
    ),
    "staff": _l(
        "Given: times that a case became theirs. Answers that stand on the platforms and cases resolved, by who "
        "did it; time of cases whose first answer was theirs, share in time also of those that were theirs when "
        "the term ended without one. Led on average = working minutes that open cases lay with them ÷ working "
        "minutes of the period. Quality = marks ÷ the highest possible. Duty: minutes of the days that «Duties» "
        "gave them."
    ),
    "departments": _l(
        "Questions put in the period. Answered, declined and sent back as parts of them; opened in time ÷ (in time "
        "+ late) where opening has a term; answered in time ÷ (in time + late); "
        "working minutes until the question was opened and answered."
    ),
    "again": _l(
        "Repeats: cases that came in the period whose author, or another account of the same client, had a case of "
        "the same theme resolved in the 14 days before ÷ cases whose author is known. Opened again ÷ resolved, "
        "each "
        "time counted."
    ),
    "broadcasts": _l(
        "Broadcasts that were to begin in the period and how many were held; check-list = passed ÷ 8; aloud and in "
        "the chat as parts of the questions asked."
    ),
    "visits": _l(
        "Windows of the period = hours of the place ÷ required frequency; done: somebody looked, or the connector "
        "read, within it; coverage = done ÷ windows."
    ),
    "marks": review_words.HOW,
}

COLUMNS: Mapping[str, Lazy] = {
    **report_figures.COLUMNS,
    **review_words.COLUMNS,
    "answered": _l("Answered"),
    "median": _l("Usually"),
    "p90": _l("9 of 10"),
    "mean": _l("On average"),
    "longest": _l("Longest"),
    "here_median": _l("Since it reached us"),
    "first_met": _l("Answer in time"),
    "first_late": _l("Answer late"),
    "first_share": _l("Share in time"),
    "resolution_met": _l("Resolved in time"),
    "resolution_late": _l("Resolved late"),
    "resolution_share": _l("Share resolved in time"),
    "resolved": _l("Resolved"),
    "gross_median": _l("Usually, with the author's time"),
    "gross_mean": _l("On average, with the author's time"),
    "legal_met": _l("In time"),
    "legal_late": _l("Late"),
    "legal_open": _l("open now"),
    "legal_share": _l("Share in time"),
    "legal_days": _l("Days to the nearest"),
    "desk_mean": _l("We, on average"),
    "department_mean": _l("Departments, on average"),
    "assigned": _l("Given"),
    "wip": _l("Led on average"),
    "qa_share": _l("Quality"),
    "shift_minutes": _l("Duty"),
    "accept_share": _l("Opened in time"),
    "planned": _l("Planned"),
    "came": _l("Came"),
    "part": _l("Part"),
    "came_before": _l("Period before"),
    "checked": _l("Checked by people"),
    "queue": _l("open now"),
    "waiting": _l("without an answer"),
    "late_now": _l("late"),
    "queue_department": _l("a department has it"),
    "queue_client": _l("waits for the author"),
    "backlog_start": _l("At the beginning"),
    "opened": _l("Opened"),
    "reopened": _l("Opened again"),
    "ended": _l("Resolved"),
    "reclassified": _l("Set aside"),
    "backlog_end": _l("At the end"),
    "answers": _l("Answers"),
    "led": _l("Leads open"),
    "asked": _l("Asked"),
    "ask_answered": _l("Answered"),
    "ask_declined": _l("Declined"),
    "ask_returned": _l("Sent back"),
    "ask_share": _l("In time"),
    "ask_late": _l("Late"),
    "open_median": _l("Until opened"),
    "answer_median": _l("Until answered"),
    "ask_overdue": _l("Overdue now"),
    "again_share": _l("Share"),
    "held": _l("Held"),
    "checks_share": _l("Check-list"),
    "chat_messages": _l("Messages in the chat"),
    "questions": _l("Questions asked"),
    "aloud_share": _l("answered aloud"),
    "chat_share": _l("answered in the chat"),
    "carried": _l("carried over into cases"),
    "broadcast_incidents": _l("Incidents"),
    "leads": _l("Applications"),
    "viewers": _l("Viewers"),
    "windows": _l("Checks required"),
    "windows_done": _l("Done"),
    "coverage_share": _l("Coverage"),
    "looks": _l("By people"),
    "looks_found": _l("New ones found"),
}

IN_ALL = _l("In all")
FILTERS: Mapping[str, Lazy] = {
    "platform": _l("channel"),
    "source_id": _l("place"),
    "kind": _l("kind"),
    "theme": _l("theme"),
    "department_id": _l("department"),
    "staff_id": _l("person"),
    "programme": _l("programme"),
    "about": _l("theme"),
}
"""Field of a cut → the filter, within a sentence."""
NOBODY: Mapping[str, Lazy] = {
    "theme": _l("without a theme"),
    "department": _l("without a department"),
    "staff": _l("nobody"),
    "programme": _l("without a programme"),
    "themes": _l("without a theme"),
}

SPLITS: Mapping[str, Lazy] = {
    **report_figures.SPLITS,
    "source": _l("By place"),
    "platform": _l("By channel"),
    "kind": _l("By kind"),
    "theme": _l("By theme"),
    "department": _l("By department"),
    "staff": _l("By person"),
    "programme": _l("By programme"),
    "themes": _l("All themes"),
    "age": _l("By age"),
    "broadcast": _l("Broadcast"),
    "visited": _l("Place"),
    "criterion": review_words.SPLIT,
}

MISSING: Mapping[str, Lazy] = {
    "plan": _l("Plan and fact of sales: no plan is kept here yet."),
    "documents": _l("Documents issued in time: terms of documents are not counted yet."),
    "privacy": _l("Personal data and consents: the registers stand under «Clients», their counts not here yet."),
}
"""What a report of the Regulation lacks here; such a report is named, never shown as 0."""

CASE_COLUMNS: Mapping[str, Lazy] = {
    "number": _l("Number"),
    "at": _l("Counted at"),
    "channel": _l("Channel"),
    "place": _l("Place"),
    "kind": _l("Kind"),
    "author": _l("Author"),
    "text": _l("Text"),
    "link": _l("Link"),
    "written": _l("Written"),
    "first_at": _l("First answer"),
    "first_minutes": _l("Working minutes to it"),
    "first_clock_minutes": _l("Minutes by the clock"),
    "first_due_at": _l("Its term"),
    "resolved_at": _l("Resolved"),
    "resolution_due_at": _l("Term of the end"),
    "person": _l("Person"),
    "department": _l("Department"),
    "desk_minutes": _l("Our minutes"),
    "department_minutes": _l("Department's minutes"),
    "client_minutes": _l("Author's minutes"),
}


RHYTHMS: Mapping[str, Lazy] = {
    "day": _l("Every day"),
    "week": _l("On Mondays"),
    "month": _l("On the first of a month"),
}
PAGES: Mapping[str, Lazy] = {
    "morning": _l("Morning: five lines"),
    "week": _l("The past week for the director"),
    "month": _l("The past month for the director"),
}
"""What comes by mail besides views."""


def first_heading(table: Table) -> str:
    """Over the names of the lines: what they are split by, of a register the number."""
    return _("Number") if any(line.place for line in table.lines) else str(SPLITS[table.by])


def cell(value: object, unit: str) -> str:
    """A figure of a table as it is read."""
    found = report_figures.read_cell(value, unit)
    if found is not None:
        return found
    if unit == "minutes":
        return minutes(value if isinstance(value, int | Fraction) else None)
    if unit == "share":
        return percent(value if isinstance(value, float | int) else None)
    return "—" if value is None else str(value)
