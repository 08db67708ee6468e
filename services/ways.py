"""Which event reaches whom by which channel: what each has chosen, and what of it can be reached now."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from models import Staff
from services.bots import MESSENGERS, reach_of

EVENTS: Mapping[str, tuple[str, ...]] = {
    "question": (),
    "crisis": ("crisis",),
    "deadline": ("first", "resolution", "department", "accept", "legal", "promise", "hurry"),
    "reply": ("act",),
    "incident": ("incident", "update"),
    "call": ("note", "case", "rule", "inquiry"),
    "task": ("task", "contract"),
    "broadcast": ("broadcast",),
    "desk": ("backup", "source", "webhook", "messenger"),
    "mark": ("mark",),
    "digest": ("digest",),
}
"""Event → how the kinds of its notices begin; a kind that stands nowhere here is shown by the bell alone."""
CHANNELS = ("browser", "mail", *MESSENGERS)
FIXED = frozenset({("crisis", "browser")})
"""A threat to life rings until somebody says «вижу»: that cannot be switched off."""
LETTERS = frozenset({"question", "digest"})
"""Written out of themselves: the bell never rings for them."""
ALWAYS = frozenset({"question"})
"""Reach a person by one channel at least: by mail where none was chosen."""


@dataclass(frozen=True, slots=True)
class Choices:
    """``chosen``: (event, channel) pairs; ``quiet``: hours in the desk's zone as «21:00», None: the desk's own."""

    chosen: frozenset[tuple[str, str]]
    quiet: tuple[str, str] | None = None

    def wants(self, event: str, channel: str) -> bool:
        return (event, channel) in self.chosen

    def tells(self, event: str) -> bool:
        """By a channel that writes, besides the bell."""
        return any(self.wants(event, channel) for channel in CHANNELS if channel != "browser")


DEFAULT = Choices(frozenset((event, "mail" if event in LETTERS else "browser") for event in EVENTS))


def event_of(kind: str) -> str | None:
    """The event that a kind of notice belongs to."""
    first = kind.partition(".")[0]
    return next((event for event, kinds in EVENTS.items() if first in kinds), None)


def choices_of(staff: Staff) -> Choices:
    """What the person has chosen; the bell alone where nothing is."""
    if not staff.choices:
        return DEFAULT
    pairs = {(event, channel) for event, channels in staff.choices["events"].items() for channel in channels}
    known = {(event, channel) for event, channel in pairs if event in EVENTS and channel in CHANNELS}
    quiet = staff.choices.get("quiet")
    return Choices(completed(known), (quiet[0], quiet[1]) if quiet else None)


def completed(pairs: set[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """With what cannot be switched off."""
    found = pairs | FIXED
    return frozenset(found | {(event, "mail") for event in ALWAYS if not any(one == event for one, _ in found)})


def keep_choices(staff: Staff, pairs: set[tuple[str, str]], quiet: list[str] | None) -> None:
    """Writes down what was chosen."""
    whole = completed(pairs)
    events = {event: [one for one in CHANNELS if (event, one) in whole] for event in EVENTS}
    staff.choices = {"events": events, **({"quiet": quiet} if quiet else {})}


def move_choice(staff: Staff, event: str, before: str, after: str) -> None:
    """What came by ``before`` comes by ``after`` from now on."""
    now = choices_of(staff)
    keep_choices(staff, {*now.chosen, (event, after)} - {(event, before)}, list(now.quiet) if now.quiet else None)


def drop_channel(staff: Staff, channel: str) -> None:
    """Nothing comes by a channel any more that the person has given up."""
    now = choices_of(staff)
    if any(one == channel for _, one in now.chosen):
        kept = {(event, one) for event, one in now.chosen if one != channel}
        keep_choices(staff, kept, list(now.quiet) if now.quiet else None)


def ways_of(session: Session, staff: Staff, event: str) -> tuple[str, ...]:
    """By which channels an event is written to a person now; mail stands in for what is out of reach."""
    wanted = [one for one in CHANNELS if one != "browser" and choices_of(staff).wants(event, one)]
    messengers = [one for one in wanted if one in MESSENGERS]
    reach = reach_of(session, staff.id) if messengers else {}
    found = {one for one in wanted if one == "mail" or one in reach}
    if len(found) < len(wanted):
        found.add("mail")
    return tuple(one for one in CHANNELS if one in found)
