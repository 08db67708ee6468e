"""Words of the reports on money, clients, complaints and digests, and how each unit of a figure is read."""

from collections.abc import Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from services.documents.russian import money
from services.incidents.troubles import COPIES
from services.reports.troubles import MASS
from web import listed_words
from web.broadcast_words import TROUBLES
from web.contract_words import CONTRACT_STATES, GROUNDS, SIGNATURES
from web.crm.words import DEALS, LOSSES, SEGMENTS
from web.dates import day
from web.language import Lazy, _, _l, format_datetime, here
from web.theme_words import THEMES
from web.words import label_name, platform_name

TITLES: Mapping[str, Lazy] = {
    "funnel": _l("Sales funnel"),
    "topics": _l("Digest of marketing: what people write about"),
    "incidents": _l("Digest of the technical department: troubles"),
    "groups": _l("Digest of curators: courses and groups"),
    "register": _l("Register of complaints and wishes"),
    "debts": _l("Receivables"),
    "contracts": _l("Register of contracts"),
    "terminations": _l("Terminations and refunds"),
    "obligations": _l("Obligations"),
    "calls": _l("Calls and applications"),
    "clients": _l("Clients"),
}

HOW: Mapping[str, Lazy] = {
    "topics": _l(
        "Cases that came, by their leading theme, where there were three or more in this period or in the one "
        "before. Growth = change ÷ cases before (at least 1). Mood = (positive − negative) ÷ cases, from −1 to 1."
    ),
    "incidents": _l(
        "Troubles of broadcasts and mass troubles of ordinary cases that began in the period, with the first "
        "message about them; minutes by the clock. Until noticed = to the question put to whoever mends it. Repair "
        "= to the end. Overdue: the department answered late, or owes beyond its term. Repeated: the same kind "
        "began within 30 days before."
    ),
    "groups": _l(
        "Cases that came from authors who are clients with a course that is not over. A case of a client with two "
        "courses stands in both lines, so the lines have no sum. Wishes wait while nobody has decided on them."
    ),
    "funnel": _l(
        "Deals that were begun in the period. Reached: deals that ever came to this stage or to a later one. Go on "
        "= reached the next stage ÷ reached this one; application to payment = paid ÷ all. Days in the stage: "
        "median of those that have left it."
    ),
    "register": _l(
        "Complaints or wishes that came in the period, oldest first. Justified = found justified ÷ all that were "
        "decided."
    ),
    "debts": _l(
        "As of the last day of the period, or of today: lines of schedules due before that day, less what came "
        "up to it; contracts that are signed, in force or paused. Overdue share = debt ÷ all that was "
        "due. "
        "Collected = paid in the period of what was overdue at its beginning ÷ that. Promises kept = paid whole by "
        "the promised day ÷ promised for a day of the period that is over; the last word of each payment counts."
    ),
    "contracts": _l(
        "Contracts with a number that are dated in the period. Paid = payments − refunds; debt = what was due "
        "before "
        "the last day of the period and is not paid. Gaps: numbers between the first and the last that no contract "
        "bears."
    ),
    "terminations": _l(
        "Terminations received in the period, by ground. Days run from the client's word to the last refund. Share "
        "of refunds = refunds of the period ÷ payments of the period."
    ),
    "obligations": _l(
        "Obligations due in the period, the lifted ones left out. In time = done by the day ÷ (done in time + "
        "late + "
        "overdue); not yet due is outside."
    ),
    "calls": _l(
        "Calls that came in the period. Answered ÷ (answered + missed). Called back: our first call to the number "
        "of a missed call within an hour of working time. Applications: working minutes to the first answer; to a "
        "deal = applications of the period from which a deal was opened ÷ all of them."
    ),
    "clients": _l(
        "Cards that are alive now, by segment; new: made in the period; complete: with a name and a contact. "
        "Repeat "
        "share = clients with two or more contracts paid whole ÷ with one or more."
    ),
}

COLUMNS: Mapping[str, Lazy] = {
    **listed_words.COLUMNS,
    "again_known": _l("Whose it is, is known"),
    "again_repeat": _l("Repeats within 14 days"),
    "repeat_share": _l("Share of repeats"),
    "delta": _l("Difference"),
    "growth": _l("Growth"),
    "authors": _l("Authors"),
    "mood": _l("Mood"),
    "incidents": _l("Troubles"),
    "mentions": _l("Said so"),
    "per_incident": _l("A trouble"),
    "detect_mean": _l("Until noticed"),
    "overdue_incidents": _l("Beyond the term"),
    "top_place": _l("Most at"),
    "wishes_waiting": _l("Wishes wait"),
    "reached": _l("Reached the stage"),
    "conversion": _l("Go on further"),
    "stay_median": _l("Days in the stage"),
    "stand_now": _l("Stand here now"),
    "deal_sum": _l("Their sum"),
    "deals_begun": _l("Deals begun"),
    "lead_to_paid": _l("Application to payment"),
    "lost_deals": _l("Lost"),
    "lost_sum": _l("Their sum"),
    "leads_came": _l("Applications came"),
    "lead_deals": _l("Deals opened from them"),
    "lead_share": _l("From application to deal"),
    "promises_kept": _l("Promises kept"),
    "repair_mean": _l("Repair on average"),
    "repair_most": _l("Longest repair"),
    "open_incidents": _l("Not ended"),
    "repeated": _l("Repeated within 30 days"),
    "curator": _l("Curator"),
    "answered_now": _l("Answered"),
    "themes": _l("Themes"),
    "dated": _l("Date"),
    "place": _l("Place"),
    "author": _l("Author"),
    "essence": _l("What it is about"),
    "unit": _l("Department"),
    "decision": _l("Decision"),
    "answered_on": _l("Answered on"),
    "term": _l("Term"),
    "measures": _l("Measures"),
    "in_register": _l("In the register"),
    "decided": _l("Decided"),
    "justified_share": _l("Found justified"),
    "wishes_decided": _l("Decided"),
    "debt_lines": _l("Payments"),
    "debt_contracts": _l("Contracts"),
    "debt_sum": _l("Debt"),
    "as_of": _l("As of"),
    "overdue_share": _l("Overdue share"),
    "collected": _l("Collected of what was overdue"),
    "client": _l("Client"),
    "programme": _l("Programme"),
    "price": _l("Price"),
    "paid": _l("Paid so far"),
    "debt": _l("Debt"),
    "state": _l("State"),
    "signature": _l("Signed how"),
    "amendments": _l("Amendments"),
    "ends": _l("Ends"),
    "contracts": _l("Contracts"),
    "number_gaps": _l("Gaps in the numbers"),
    "terminations": _l("Terminations"),
    "refund_agreed": _l("To be returned"),
    "refunded": _l("Returned"),
    "days_mean": _l("Days on average"),
    "days_most": _l("Most days"),
    "over_ten": _l("Longer than 10 days"),
    "slow_refunds": _l("Contracts with a refund after 10 days"),
    "refunds_in_period": _l("Refunds of the period"),
    "refund_share": _l("Share of payments"),
    "due": _l("Due"),
    "done_in_time": _l("Done in time"),
    "done_late": _l("Done late"),
    "overdue": _l("Overdue now"),
    "in_time_share": _l("Share in time"),
    "calls_in": _l("Calls"),
    "calls_answered": _l("Answered"),
    "calls_missed": _l("Missed"),
    "calls_share": _l("Answered share"),
    "talk_mean": _l("Talk on average"),
    "called_back": _l("Called back within an hour"),
    "called_back_share": _l("Of the missed"),
    "leads_answered": _l("Applications answered"),
    "lead_median": _l("Usual time to answer an application"),
    "clients": _l("Clients"),
    "clients_new": _l("New ones"),
    "complete_share": _l("Cards complete"),
    "repeat_share_clients": _l("Repeat share"),
    "paying": _l("Clients with a paid contract"),
    "merges": _l("Cards merged"),
}

SPLITS: Mapping[str, Lazy] = {
    "complaints": _l("Complaints"),
    "wishes": _l("Wishes"),
    "bucket": _l("Days overdue"),
    "contract": _l("Number"),
    "ground": _l("Ground"),
    "side": _l("Whose"),
    "line": _l("Telephone line"),
    "segment": _l("Segment"),
    "trouble": _l("Trouble"),
    "stage": _l("By stage"),
    "loss": _l("Why lost"),
    "group": _l("Course and group"),
}

SIDES: Mapping[str, Lazy] = {"school": _l("The school's"), "client": _l("Of clients")}
NAMED: Mapping[str, Mapping[Any, Lazy]] = {
    "ground": GROUNDS,
    "side": SIDES,
    "segment": SEGMENTS,
    "trouble": {
        **TROUBLES,
        **{f"{MASS}{code}": words for code, words in THEMES.items() if code},
        f"{MASS}{COPIES}": _l("Near copies of one text"),
    },
    "stage": DEALS,
    "loss": LOSSES,
    "line": {None: _l("line not told")},
}
"""Dimension → the words for its keys."""

CODES: Mapping[str, Lazy] = {
    **CONTRACT_STATES,
    **SIGNATURES,
    "justified": _l("Justified"),
    "partly": _l("Justified in part"),
    "no": _l("Not justified"),
    "wish_new": _l("Not decided"),
    "wish_accepted": _l("Accepted"),
    "wish_declined": _l("Declined by us"),
    "wish_done": _l("Done: it is there"),
    "met": _l("In time"),
    "late": _l("Late"),
    "runs": _l("Runs"),
    **listed_words.CODES,
    **{f"trouble.{code}": words for code, words in NAMED["trouble"].items()},
}
"""What stands in cells as a code."""

MENTIONS: Mapping[str, Lazy] = {
    "price": _l("Questions about price"),
    "new_product": _l("What they would buy: new courses"),
    "competitor": _l("Competitors"),
}
"""How the themes of «What people ask» are headed."""

LACKING: Mapping[str, Lazy] = {
    "retention": _l("Day until which the paper is kept: no term of keeping is set for contracts."),
    "shifts": _l("Minutes of duty: nobody is named under «Duties»."),
    "accept": _l("Opened in time: no term for opening a question is set."),
    "waiting_time": _l("How long callers waited: the exchange does not tell."),
    "unread": _l("Who wrote, what they wrote and what was done: for those who may read cases."),
    "more": _l("Lines beyond the first thousand: choose a shorter period to see them."),
    "homework": _l("Late checks of homework: the school's system does not tell of them."),
}
"""What a report of the Regulation asks for and has no source here; named under the table, never shown as 0."""

NOTES: Mapping[str, Lazy] = {
    "shifts": _l("Minutes of duty are of a person's whole day: of the filters only the person narrows them."),
    "broadcasts": _l(
        "Figures of a report that was handed in stand as they were; their lists show what is written down now. How "
        "many were watching the platform tells."
    ),
    "themes": _l("A case with several themes counts under each of them: the lines make more than the whole."),
}
"""What must be known to read the lines of a table."""


def read_cell(value: Any, unit: str) -> str | None:
    """A figure of these units as it is read; None for another unit. A text that is not there is nothing to say."""
    if unit == "kind":
        return label_name(value)
    if unit not in _READ:
        return None
    if value is None or value == "" or value == []:
        return "" if unit == "text" else "—"
    return str(_READ[unit](value))


def filed_cell(value: Any, unit: str) -> Any:
    """The same for a spreadsheet: money in roubles as a number, codes and names in words."""
    if value is None:
        return None
    if unit == "money":
        return Fraction(value, 100)
    if unit in ("code", "themes"):
        return _READ[unit](value)
    if unit in ("date", "moment") and isinstance(value, datetime):
        return value.astimezone(here())
    if unit in ("kind", "platform"):
        return _READ[unit](value)
    return value


def _date(value: date | datetime) -> str:
    return day(value.astimezone(here()).date() if isinstance(value, datetime) else value)


def _number(value: Any) -> str:
    return f"{float(value):.1f}".rstrip("0").rstrip(".").replace(".", ",").replace("-", "−")


def plain(value: Any) -> str:
    """A number as it is read, with a tenth where it has one."""
    return _number(value)


def _mark(value: Any) -> str:
    return f"{float(value):.2f}".replace(".", ",")


def _signed(value: Any) -> str:
    return f"+{_number(value)}" if value > 0 else _number(value)


def _growth(value: Any) -> str:
    return _("%(num)s %%", num=_signed(round(float(value) * 100)))


_READ: Mapping[str, Any] = {
    "money": money,
    "days": _number,
    "number": _number,
    "mark": _mark,
    "change": _signed,
    "ratio": _signed,
    "growth": _growth,
    "date": _date,
    "moment": lambda value: format_datetime(value, "d MMM y, H:mm"),
    "kind": label_name,
    "platform": platform_name,
    "text": str,
    "code": lambda value: str(CODES.get(value, value)),
    "themes": lambda value: ", ".join(str(THEMES.get(one, one)) for one in value),
}
