"""What requests to departments are called, and how a service's refusal about them is said."""

from collections.abc import Mapping

from web.language import Lazy, _l

INQUIRY_STATES: Mapping[str, Lazy] = {
    "sent": _l("The department has it"),
    "opened": _l("Seen by the department"),
    "clarify": _l("The department asks back"),
    "answered": _l("The answer has come"),
    "accepted": _l("Answer accepted"),
    "declined": _l("Not their business"),
    "recalled": _l("Request taken back"),
}
"""State of a route where the desk itself asks."""

ERRORS: Mapping[str, Lazy] = {
    "inquiry.unknown": _l("There is no such request to a department."),
    "inquiry.nobody": _l("Only a person can ask a department."),
}
