"""The states of a broadcast, of a question and of an incident as tables: every change that there is, and whose."""

from collections.abc import Mapping

from models import Broadcast, BroadcastIncident, BroadcastQuestion
from services.errors import Refused
from services.rights import Actor, require

KINDS = ("stream", "lesson", "webinar")
PLANNED = ("planned", "duty")
STATES = (*PLANNED, "live", "ended", "review", "reported", "moved", "cancelled")
"""domain.md §6.5: запланирован, дежурный назначен, идёт, завершён, разбор, отчёт сдан, перенесён, отменён."""
ON_AIR = "live"
OVER = ("ended", "review", "reported")
EDIT, WATCH = "broadcast.edit", "broadcast.watch"

MOVES: Mapping[tuple[str, str], str] = {
    ("planned", "duty"): EDIT,
    ("duty", "planned"): EDIT,
    **{(state, "live"): WATCH for state in PLANNED},
    **{(state, "moved"): EDIT for state in PLANNED},
    **{(state, "cancelled"): EDIT for state in PLANNED},
    ("cancelled", "planned"): EDIT,
    ("live", "ended"): WATCH,
    ("ended", "live"): WATCH,  # the stream came back: it is one broadcast
    ("ended", "review"): WATCH,
    ("review", "live"): WATCH,
    ("review", "reported"): WATCH,
}
"""(from, to) → the right that it takes; another pair is refused."""

CHECKS = ("sound", "picture", "link", "pay_button", "moderation", "speaker", "questions", "recording")
"""The check-list of eight: sound, picture, link, payment button, moderation, the speaker reacts, questions taken to
the end, the recording is kept (P10)."""

SETTLED = ("aloud", "chat", "routed", "carried", "dismissed")
QUESTION_MOVES: frozenset[tuple[str, str]] = frozenset(
    [*(("open", state) for state in SETTLED), *((state, "open") for state in ("aloud", "chat", "dismissed"))]
)
"""What was routed or carried over has become a case and ends there."""
REASONS = ("answered_by_viewers", "not_a_question", "repeat", "rude", "off_topic", "hidden")

INCIDENT_MOVES: frozenset[tuple[str, str]] = frozenset(
    [("open", "contained"), ("open", "fixed"), ("contained", "fixed"), ("fixed", "reviewed"), ("fixed", "open")]
)
"""domain.md §5: открыт, локализован, устранён, разобран."""


def move(broadcast: Broadcast, to: str, actor: Actor) -> None:
    """Changes the state; raises Refused for a pair that is not in MOVES, Forbidden without the right to it."""
    right = MOVES.get((broadcast.state, to))
    if right is None:
        raise Refused("broadcast.state", state=broadcast.state, to=to)
    require(actor, right)
    broadcast.state = to
    broadcast.version += 1


def check_question(question: BroadcastQuestion, to: str) -> None:
    if (question.state, to) not in QUESTION_MOVES:
        raise Refused("question.state", state=question.state)


def move_incident(incident: BroadcastIncident, to: str) -> None:
    if (incident.state, to) not in INCIDENT_MOVES:
        raise Refused("incident.state", state=incident.state)
    incident.state = to
