"""Screens of client relations: cards, calls, tasks, files in and out, personal data."""
