"""The preset «Небольшая школа» as data: departments and the roles people get (day.md §1.9, domain.md §6.7)."""

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
