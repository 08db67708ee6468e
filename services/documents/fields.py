"""What a template may name: groups, fields with their types, tables and filters (domain.md §7)."""

from collections.abc import Mapping

TEXT, DATE, MONEY, NAME, WORD = "text", "date", "money", "name", "word"
"""``date`` is kept as YYYY-MM-DD, ``money`` in kopecks; a ``name`` or a ``word`` (a post) can be declined."""

CASES = ("gen", "dat", "acc", "ins", "pre")
FILTERS: Mapping[str, tuple[str, ...]] = {
    TEXT: ("upper",),
    DATE: ("date_long",),
    MONEY: ("money", "words"),
    NAME: (*CASES, "initials"),
    WORD: CASES,
}
"""Type of a field → the filters it may be followed by."""


def _fields(**types: str) -> dict[str, str]:
    return {name: kind for kind, names in types.items() for name in names.split()}


_PERSON = _fields(
    text="last first middle gender address phone email id_type id_series id_no id_issued_by id_code snils inn",
    date="birth_date id_date", name="full",
)  # fmt: skip
_STUDY = _fields(text="edu_level edu_doc_series edu_doc_no edu_surname citizenship_oksm")

GROUPS: Mapping[str, Mapping[str, str]] = {
    "org": _fields(
        text="name_full name_short party_name inn kpp ogrn address_legal address_post phone email site "
        "bank_name bik acc corr licence_no licence_body vat_mode",
        date="licence_date",
    ),
    "sign": _fields(word="position", name="name", text="basis"),
    "client": _PERSON,
    "student": {**_PERSON, **_STUDY},
    "guardian": {**_fields(text="last first middle relation authority phone address", name="full")},
    "corp": _fields(
        text="name_full name_short inn kpp ogrn address bank_name bik acc corr signer_basis email phone",
        name="signer_name", word="signer_position", date="authority_date",
    ),
    "payer": _fields(text="inn address phone id_type id_series id_no", name="full", date="birth_date id_date"),
    "program": _fields(
        text="name kind level direction hours form dot term doc_kind qualification area services meetings",
        date="start end",
    ),
    "contract": _fields(
        text="no city kind pay_order offer_url offer_version offer_hash accept_at accept_ip accept_payment "
        "accept_email accept_phone consents pep",
        date="date valid_to", money="price discount",
    ),
    "amend": _fields(text="no ground", date="date effective"),
    "end": _fields(
        text="ground norm delivered delivery details demand_no refund_ground",
        date="date refund_date access_date demand_date effect_date received",
        money="delivered_sum refund paid expenses_sum debt",
    ),
    "claim": _fields(text="in_no facts decision norms appeal request reason", date="date", money="sum"),
    "pay": _fields(text="method receipt vat qr period details", date="due from to",
                   money="total paid penalty debt balance year_sum"),
    "doc": _fields(text="series no reg_no title addressee annex_no content year correction form_full_time",
                   date="date"),
    "order": _fields(text="no ground", date="date"),
    "group": _fields(text="code", date="start end", name="curator"),
    "consent": _fields(text="purpose data actions processors term withdrawal channels conditions evidence operator",
                       date="date"),
}  # fmt: skip

TABLES: Mapping[str, Mapping[str, str]] = {
    "pay.schedule": _fields(text="no", date="date", money="amount"),
    "pay.overdue": _fields(text="no days", date="date", money="amount"),
    "pay.lines": _fields(text="name qty vat", money="price sum"),
    "pay.turnover": _fields(text="what", date="date", money="debit credit"),
    "corp.students": _fields(text="no email program", name="full", date="birth_date"),
    "amend.changes": _fields(text="clause old new"),
    "end.expenses": _fields(text="name document", money="sum"),
    "order.students": _fields(text="no program contract", name="full", date="birth_date"),
    "doc.modules": _fields(text="name hours grade"),
}
"""Tables: ``{%tr for row in pay.schedule %}`` … ``{{ row.amount }}`` … ``{%tr endfor %}``."""


def type_of(group: str, field: str) -> str | None:
    """The type of ``{{ group.field }}``; None when a template may not name it."""
    return GROUPS.get(group, {}).get(field)
