"""What is held of a person, in words that they can read: sections and the fields worth reading."""

from collections.abc import Mapping
from typing import Any

from web.language import Lazy, _l

SECTIONS: Mapping[str, Lazy] = {
    "card": _l("Card"),
    "contact": _l("Contacts"),
    "sensitive": _l("Passport, SNILS and the like"),
    "study": _l("Courses"),
    "consent": _l("Consents"),
    "consent_texts": _l("Texts of the consents"),
    "accounts": _l("Accounts on platforms"),
    "messages": _l("Messages"),
    "versions": _l("Earlier texts"),
    "files": _l("Files"),
    "cases": _l("Cases"),
    "replies": _l("Our replies"),
    "notes": _l("Notes beside cases"),
    "questions": _l("Questions to departments"),
    "route": _l("Requests to departments"),
    "drafts": _l("Drafts"),
    "call": _l("Calls"),
    "client_note": _l("Notes beside the card"),
    "task": _l("Tasks"),
    "privacy_request": _l("Requests"),
    "contract": _l("Contracts"),
    "contract_sealed": _l("Passport and the like in contracts"),
    "amendments": _l("Amendments"),
    "terminations": _l("Terminations"),
    "instalments": _l("Payment schedules"),
    "payments": _l("Money"),
    "obligations": _l("Obligations"),
    "documents": _l("Documents"),
    "decisions": _l("Decisions"),
    "log": _l("What was done with the card"),
}
"""Section → its heading; what has none here stands in the JSON only."""
_READ = (
    "name", "kind", "value", "field", "course", "group_name", "purpose", "given_at", "withdrawn_at", "text",
    "subject", "published_at", "platform", "url", "number", "started_at", "topic", "note", "birth_date", "inn",
    "origin", "created_at", "at", "due_at", "answer", "question", "access_until", "dated", "due_on", "paid_on",
    "ground", "outcome", "client.id_series", "client.id_no", "client.id_issued_by", "client.inn",
)  # fmt: skip


def readable(found: Mapping[str, Any]) -> dict[str, list[list[str]]]:
    """Section → rows of what there is to read in them."""
    return {
        name: [[str(row[key]) for key in _READ if row.get(key) not in (None, "", [], {})] for row in found[name]]
        for name in SECTIONS
        if found.get(name)
    }
