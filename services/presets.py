"""The preset «Небольшая школа» as data: departments and the roles people get (day.md §1.9, domain.md §6.7)."""

from typing import Any

DEPARTMENTS = (
    ("curators", "Кураторы", "Curators"),
    ("technical", "Технический отдел", "Technical department"),
    ("accounting", "Бухгалтерия", "Accounting"),
    ("marketing", "Отдел маркетинга", "Marketing"),
    ("head", "Руководитель отдела", "Head of the department"),
)
"""code, Russian name, English name, in the order of the dialogs."""

HEAD_ROLES = ("head", "administrator", "privacy")
"""The head is also administrator and in charge of personal data."""

CALENDARS: dict[str, dict[str, Any]] = {
    "desk": {"opens": "09:00", "closes": "18:00"},
    "duty": {"opens": "09:00", "closes": "21:00", "every_day": True},
    "always": {"opens": "00:00", "closes": "24:00", "every_day": True},
}
"""ОСН, ДЕЖ and around the clock (domain.md §6.6)."""

LINES = {
    "question": ("QPUB",),
    "complaint": ("CPUB", "CPRV"),
    "lead": ("LEAD",),
    "private": ("QPRV",),
    "technical": ("TECH",),
    "wish": ("WISH",),
}
"""The six lines of «Сроки» → the classes whose first response they set (day.md §1.10)."""

CLASS_OF: dict[str, str | tuple[str, str]] = {
    "complaint": ("CPUB", "CPRV"),
    "wish": "WISH",
    "praise": ("WISH", "QPRV"),
    "mention": "WISH",
    "application": "LEAD",
    "technical": "TECH",
    "document": "DOC",
    "claim": "CLAIM",
    "personal_data": "PDN",
    "stop_ads": "STOP",
    "state_body": "STATE",
    "crisis": "CRISIS",
}
"""Kind → class, or its classes in public and in private; what is not named is QPUB and QPRV (domain.md §6.7)."""

GRAVE_KINDS = ("crisis", "state_body", "personal_data")
"""Closed by the head alone, once a person has said that they are so (domain.md §1)."""
ANSWERED_KINDS = ("claim", *GRAVE_KINDS)
"""Never spam and never without an answer (domain.md §6.1)."""

LEGAL_KINDS = ("claim", "personal_data", "state_body")
AGREEMENT: dict[str, list[dict[str, Any]]] = {
    "small": [{"kind": kind} for kind in LEGAL_KINDS],
    "regulation": [
        *({"kind": kind} for kind in LEGAL_KINDS),
        {"kind": "complaint", "visibility": "public", "urgent": True},
        {"theme": "refund"},
    ],
}
"""Preset → the replies that wait besides those of trainees (day.md §1.6, domain.md §6.1)."""

_SMALL = {
    # class: (first response, its calendar, resolution) in minutes; None: no such term
    "QPUB": (240, "desk", 1080),
    "QPRV": (240, "desk", 1080),
    "LEAD": (60, "desk", None),
    "LIVE": (10, "always", None),
    "TECH": (120, "desk", 1080),
    "CPUB": (120, "desk", 1620),
    "CPRV": (120, "desk", 1620),
    "WISH": (1080, "desk", 5400),
}
_REGULATION = {
    "QPUB": (120, "desk", 540),
    "QPRV": (240, "desk", 1080),
    "LEAD": (30, "desk", None),
    "LIVE": (10, "always", None),
    "TECH": (60, "desk", 540),
    "TECH0": (15, "duty", None),
    "CPUB": (60, "duty", 1620),
    "CPRV": (120, "desk", 2700),
    "CLAIM": (540, "desk", None),
    "DOC": (240, "desk", 1620),
    "WISH": (540, "desk", 5400),
    "STOP": (60, "duty", None),
    "PDN": (540, "desk", None),
    "CALL": (60, "desk", None),
    "STATE": (15, "duty", None),
    "CRISIS": (15, "always", None),
}
SLA: dict[str, dict[str, Any]] = {
    "small": {
        "classes": _SMALL,
        # Documents have no line of their own in «Сроки»: they are answered like questions.
        "plain": ("DOC",),
        # code: (answer in minutes of the desk's calendar, answering hours)
        "departments": {
            "curators": (240, ("10:00", "17:00")),
            "technical": (240, ()),
            "accounting": (540, ()),
            "marketing": (1080, ()),
            "head": (240, ()),
        },
    },
    "regulation": {
        "classes": _REGULATION,
        "departments": {
            "curators": (540, ()),
            "technical": (540, ()),
            "accounting": (1080, ()),
            "marketing": (1620, ()),
            "head": (540, ()),
        },
        # code: minutes until the question is opened; «Небольшая школа» has no such clock (day.md §3)
        "accept": {"curators": 240, "technical": 120, "accounting": 540, "marketing": 540, "head": 120},
        # class → code: what it has for the answer instead, «расчёт возврата»
        "special": {"CLAIM": {"accounting": 1620}},
    },
}
"""«Небольшая школа» and «По Положению»; a class that a preset does not name takes the regulation's terms."""

UPDATES = (60, "duty")
"""How often people hear of a failure for everybody while it lasts: minutes and calendar (domain.md §6.6, TECH0)."""

LETTER = "STATE"
"""The class whose term by law stands in the letter itself."""
LEGAL_TERMS = {"CLAIM": ("calendar", 10), "PDN": ("working", 10)}
"""Class → how the law counts and how many days (domain.md §6.6); they never stand still."""
QUIET = ("21:00", "09:00")
