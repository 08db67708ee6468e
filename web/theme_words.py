"""Words for what a text is about: kinds of work, themes, signals, priorities, languages."""

from collections.abc import Mapping

from web.language import Lazy, _l

KINDS: Mapping[str, Lazy] = {
    "question": _l("Question"),
    "complaint": _l("Complaint"),
    "wish": _l("Wish"),
    "application": _l("Application"),
    "document": _l("Documents"),
    "technical": _l("Technical"),
    "claim": _l("Legal claim"),
    "personal_data": _l("Personal data request"),
    "stop_ads": _l("No advertising"),
    "state_body": _l("State body"),
    "crisis": _l("Threat to life"),
    "praise": _l("Praise"),
    "mention": _l("Mention"),
    "spam": _l("Spam"),
    "other": _l("Other"),
}

THEMES: Mapping[str, Lazy] = {
    "application": _l("Enrolment"),
    "learning": _l("Learning"),
    "homework": _l("Homework"),
    "curator": _l("Curator"),
    "schedule": _l("Schedule"),
    "video": _l("Video and broadcasts"),
    "access": _l("Access and account"),
    "site": _l("Site"),
    "app": _l("App"),
    "payment": _l("Payment"),
    "refund": _l("Refund"),
    "installments": _l("Instalments and debt"),
    "automatic_charge": _l("Automatic charge"),
    "contract_form": _l("Contract"),
    "contract_sum": _l("Sum of the contract"),
    "education_documents": _l("Certificates and documents"),
    "document_request": _l("Request for a document"),
    "price": _l("Price and promotions"),
    "new_product": _l("New product"),
    "competitor": _l("Competitor"),
    "advertising": _l("Advertising and mailing"),
    "staff": _l("Staff"),
    "personal_data": _l("Personal data"),
}

SIGNALS: Mapping[str, Lazy] = {
    "crisis": _l("a threat to life"),
    "legal_claim": _l("a claim or a refusal of the contract"),
    "stop_ads": _l("a demand to stop advertising"),
    "personal_data": _l("a personal data request"),
    "state_body": _l("a letter of a state body"),
    "broadcast_failure": _l("a failing broadcast"),
    "exposed_data": _l("personal data in sight of all"),
}
"""After «Похоже на: …», in the order of urgency."""

SIGNAL_NAMES: Mapping[str, Lazy] = {
    "crisis": _l("Threat to life"),
    "legal_claim": _l("Legal claim"),
    "stop_ads": _l("No advertising"),
    "personal_data": _l("Personal data request"),
    "state_body": _l("State body"),
    "broadcast_failure": _l("Broadcast fails"),
    "exposed_data": _l("Personal data in sight"),
}
"""On chips and in menus."""

SIGNAL_ICONS: Mapping[str, str] = {
    "crisis": "heart", "legal_claim": "alert-triangle", "stop_ads": "bell", "personal_data": "lock",
    "state_body": "note", "broadcast_failure": "antenna", "exposed_data": "eye-off",
}  # fmt: skip

LANGUAGES: Mapping[str, Lazy] = {
    "en": _l("English"), "uk": _l("Ukrainian"), "translit": _l("Latin letters"),
}  # fmt: skip
"""Said beside a text that is not plain Russian."""

PRIORITIES: Mapping[int, Lazy] = {0: _l("Critical"), 1: _l("High"), 2: _l("Ordinary"), 3: _l("Low")}
SENTIMENTS: Mapping[int, str] = {-1: "−", 0: "0", 1: "+"}
