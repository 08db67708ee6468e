"""Screens of broadcasts: the week, the desk of one, its questions, and its report."""

from web.broadcasts import desk, presses, reports, schedule
from web.broadcasts.forms import screen

__all__ = ["desk", "presses", "reports", "schedule", "screen"]
