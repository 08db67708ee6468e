"""The states of a question to a department as a table (domain.md §6.2)."""

MOVES: dict[tuple[str, str], str] = {
    ("sent", "opened"): "route.answer",
    ("sent", "answered"): "route.answer",
    ("opened", "answered"): "route.answer",
    ("clarify", "answered"): "route.answer",
    ("opened", "clarify"): "route.answer",
    ("sent", "clarify"): "route.answer",
    ("clarify", "opened"): "case.route",
    ("sent", "declined"): "route.answer",
    ("opened", "declined"): "route.answer",
    ("answered", "accepted"): "case.route",
    ("answered", "sent"): "case.route",  # returned with a reason
    ("sent", "recalled"): "case.route",
    ("opened", "recalled"): "case.route",
    ("clarify", "recalled"): "case.route",
}
"""(from, to) → the right it needs. Opening is «увидела»; there is no «Принять» (day.md §3)."""

OF_INQUIRIES = {"case.route": "inquiry.ask"}
"""The right that a move of a request needs, where it belongs to no case: whoever asked it, and the head."""
OWED = ("sent", "opened", "clarify")
"""States in which the department owes something."""
STATES = tuple(sorted({state for pair in MOVES for state in pair}))
MAX_RETURNS = 3
