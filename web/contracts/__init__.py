"""Screens of contracts, their documents, templates and money."""

from web.contracts import beside, drafts, ends, money, page, papers, register, steps, templates
from web.contracts.forms import screen

__all__ = ["beside", "drafts", "ends", "money", "page", "papers", "register", "screen", "steps", "templates"]
