"""The history of a case in sentences: one table from an event's kind to its words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from models import Department, Event
from services.inbox import CaseView
from web.crm.words import DEALS, TASKS
from web.dates import when
from web.language import _
from web.report_figures import CODES
from web.theme_words import SIGNALS, THEMES
from web.words import ACT_KINDS, CHANNEL_ERRORS, CLOCKS, CLOSE_REASONS, LABELS, LIFTS, STATES, department_name


@dataclass(frozen=True, slots=True)
class Sentence:
    """``who`` None: the desk itself."""

    at: datetime
    who: str | None
    text: str
    event_id: int
    kind: str


@dataclass(frozen=True, slots=True)
class Names:
    """What ids in events are called."""

    people: Mapping[int, str]
    departments: Mapping[int, Department]
    route_departments: Mapping[int, int]

    def person(self, staff_id: object) -> str:
        return self.people.get(staff_id, "—") if isinstance(staff_id, int) else "—"

    def department(self, department_id: object) -> str:
        unit = self.departments.get(department_id) if isinstance(department_id, int) else None
        return department_name(unit) if unit is not None else "—"

    def of_route(self, event: Event) -> str:
        return self.department(self.route_departments.get(event.object_id or 0))


def _moved(event: Event, _names: Names) -> str:
    reason = str(event.data.get("reason"))
    state = str(STATES.get(event.data.get("new", ""), event.data.get("new", "")))
    if reason in CLOSE_REASONS and reason not in ("answered", "spam"):
        return _("Closed: %(reason)s", reason=CLOSE_REASONS[reason])
    return _("Became: %(state)s", state=state)


def _assigned(event: Event, names: Names) -> str:
    if event.object_id is None:
        return _("Nobody leads any more")
    return _("Led by: %(name)s", name=names.person(event.object_id))


def _code(event: Event) -> str:
    code, said = event.data.get("code", ""), event.data.get("said")
    why = str(CHANNEL_ERRORS.get(code, code))
    return f"{why} («{said}»)" if said else why


def _retried(event: Event, _names: Names) -> str:
    if event.data.get("code") == "person":
        return _("Sent again by hand")
    return _("Will be tried again: %(why)s", why=_code(event))


def _snoozed(event: Event, _names: Names) -> str:
    until = event.data.get("until")
    if not until:
        return _("Put off until an answer")
    return _("Put off until %(time)s", time=when(datetime.fromisoformat(until)))


def _warned(event: Event, _names: Names) -> str:
    what = str(CLOCKS.get(event.data.get("code", ""), ""))
    if event.data.get("level") == 1:
        return _("80%% of the time is over: %(what)s", what=what)
    if event.data.get("level") == 2:
        return _("The time is over, the head is told: %(what)s", what=what)
    return _("Half as much again is over: %(what)s", what=what)


def _themes(event: Event, _names: Names) -> str:
    themes = ", ".join(str(THEMES.get(name, name)) for name in event.data.get("themes", ()))
    return _("Themes corrected: %(themes)s", themes=themes or "—")


def _signal(event: Event) -> str:
    code = event.data.get("code", "")
    return str(SIGNALS.get(code, code))


SENTENCES: Mapping[str, Callable[[Event, Names], str]] = {
    "case.opened": lambda e, n: _("The case is opened"),
    "case.split_off": lambda e, n: _("A part of the message became a case of its own"),
    "case.joined": lambda e, n: _("The case was joined with another of the same matter"),
    "case.parted": lambda e, n: _("The joining was taken back: they are two cases again"),
    "case.joined_again": lambda e, n: _("The part was joined with its message again"),
    "case.attached": lambda e, n: _("The author wrote again"),
    "case.moved": _moved,
    "case.assigned": _assigned,
    "contract.opened": lambda e, n: _("A contract was opened from here"),
    "amendment.opened": lambda e, n: _("An amendment was opened from here"),
    "termination.opened": lambda e, n: _("A termination was opened from here"),
    "decision.taken": lambda e, n: _("A decision was written down"),
    "case.reopened": lambda e, n: _("Opened again"),
    "case.lifted": lambda e, n: _("Lifted: %(why)s", why=LIFTS.get(e.data.get("reason", ""), "")),
    "case.snoozed": _snoozed,
    "clock.warned": _warned,
    "clock.bound": lambda e, n: _("The term by law binds"),
    "clock.unbound": lambda e, n: _("The term by law does not bind"),
    "themes.corrected": _themes,
    "signal.confirmed": lambda e, n: _("A person confirms: %(what)s", what=_signal(e)),
    "signal.dismissed": lambda e, n: _("A person says it is not so: %(what)s", what=_signal(e)),
    "ads.stopped": lambda e, n: _("Nothing is advertised to the author any more"),
    "ads.allowed": lambda e, n: _("Advertising to the author is allowed again"),
    "crisis.rung": lambda e, n: _("Called to a threat to life: %(name)s", name=n.person(e.object_id)),
    "case.woken": lambda e, n: _("Came back: the time has come") if e.data.get("reason") else _("Came back"),
    "label.corrected": lambda e, n: _("Kind corrected: %(kind)s", kind=LABELS.get(e.data.get("label", ""), "")),
    "message.edited": lambda e, n: _("The author edited the text"),
    "message.deleted": lambda e, n: _("The message was deleted on the platform"),
    "message.state": lambda e, n: _("The platform changed the message's state"),
    "wish.asked": lambda e, n: _("Put under a wish of the register"),
    "case.verdict": lambda e, n: _(
        "The complaint was decided: %(what)s", what=CODES.get(e.data.get("code", ""), "—")
    ),
    "case.printed": lambda e, n: _("Taken away as one PDF"),
    "case.tagged": lambda e, n: _("Marked"),
    "case.untagged": lambda e, n: _("A mark is taken off"),
    "note.added": lambda e, n: _("A note"),
    "message.brought": lambda e, n: _("The message was brought in by hand"),
    "reply.by_hand": lambda e, n: _("Published there by hand and marked here"),
    "reply.written": lambda e, n: _("A reply is written"),
    "route.asked": lambda e, n: _("Question to: %(unit)s", unit=n.department(e.data.get("department"))),
    "route.opened": lambda e, n: _("%(unit)s: seen", unit=n.of_route(e)),
    "route.answered": lambda e, n: _("%(unit)s: answered", unit=n.of_route(e)),
    "route.accepted": lambda e, n: _("%(unit)s: answer used in the reply", unit=n.of_route(e)),
    "route.declined": lambda e, n: _("%(unit)s: not their question", unit=n.of_route(e)),
    "route.returned": lambda e, n: _("%(unit)s: returned for more work", unit=n.of_route(e)),
    "route.clarify": lambda e, n: _("%(unit)s: asks back", unit=n.of_route(e)),
    "incident.told": lambda e, n: _("People were told how the incident stands"),
    "incident.joined": lambda e, n: _("Stands in an incident with others of the same trouble"),
    "incident.left": lambda e, n: _("Taken out of the incident"),
    "satisfaction.asked": lambda e, n: _("The author is asked for a mark under the reply"),
    "satisfaction.marked": lambda e, n: _("The author marked the answer: %(mark)s of 5", mark=e.data.get("mark")),
    "satisfaction.changed": lambda e, n: _("The author changed the mark: %(mark)s of 5", mark=e.data.get("mark")),
    "review.read": lambda e, n: _("The answer was read by the head"),
    "review.changed": lambda e, n: _("The answer was read by the head anew"),
    "review.skipped": lambda e, n: _("The answer was drawn to be read and skipped"),
    "rule.applied": lambda e, n: _("A rule held"),
    "route.clarified": lambda e, n: _("%(unit)s: told more", unit=n.of_route(e)),
    "route.freed": lambda e, n: _("%(unit)s: open to the whole department", unit=n.of_route(e)),
    "route.passed": lambda e, n: _(
        "%(unit)s: passed on to %(name)s", unit=n.of_route(e), name=n.person(e.data["staff"])
    ),
    "route.recalled": lambda e, n: _("%(unit)s: question taken back", unit=n.of_route(e)),
    "route.hurried": lambda e, n: _("%(unit)s: asked to hurry", unit=n.of_route(e)),
    "act.sending": lambda e, n: _("Being sent, attempt %(number)s", number=e.data.get("attempt", 1)),
    "act.accepted": lambda e, n: _("Taken by the platform"),
    "act.seen": lambda e, n: _("Visible on the platform"),
    "act.failed": lambda e, n: _("Could not be sent: %(why)s", why=_code(e)),
    "act.unknown": lambda e, n: _("Unclear whether it was published: %(why)s", why=_code(e)),
    "act.review": lambda e, n: _("Unclear whether it was published: a person must say"),
    "act.retried": _retried,
    "act.settled": lambda e, n: _("Marked as published"),
    "act.cancelled": lambda e, n: _("Sending is taken back"),
    "act.hurried": lambda e, n: _("Sent without waiting for the time to undo"),
    "act.removed": lambda e, n: _("Removed from the platform"),
    "act.edited": lambda e, n: _("Our reply is edited on the platform"),
    "reply.offered": lambda e, n: _("The reply waits for agreement"),
    "reply.approved": lambda e, n: _("The reply is agreed"),
    "reply.rejected": lambda e, n: _("The reply is sent back to be done better"),
    "reply.superseded": lambda e, n: _("Another reply was chosen"),
    "task.added": lambda e, n: _("Task: %(kind)s", kind=TASKS.get(e.data.get("code", ""), "")),
    "deal.opened": lambda e, n: _("A deal is opened"),
    "deal.moved": lambda e, n: _("Deal: %(stage)s", stage=DEALS.get(e.data.get("after", ""), "")),
    "task.done": lambda e, n: _("The task is done"),
    "task.dropped": lambda e, n: _("The task is not needed"),
    "call.answered": lambda e, n: _("Answered call"),
    "call.missed": lambda e, n: _("Missed call"),
    **{f"act.{kind}": (lambda e, n: str(ACT_KINDS[e.kind.partition(".")[2]])) for kind in ACT_KINDS},
}


def sentences_of(
    view: CaseView, people: Mapping[int, str], departments: Mapping[int, Department]
) -> tuple[Sentence, ...]:
    """The history, newest last; an event without words here is left out of it."""
    routes = {route.id: route.department_id for route, _unit, _name in view.routes}
    names = Names(people, departments, routes)
    return tuple(
        Sentence(event.at, who, SENTENCES[event.kind](event, names), event.id, event.kind)
        for event, who in view.history
        if event.kind in SENTENCES
    )
