"""The training school's people and places: a desk where everything is invented and nothing leaves the machine."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.accounts import create_staff, find_by_email, seed_departments
from services.presets import HEAD_ROLES
from services.rights import DESK
from services.secrets import Keyring
from services.sources import sync_declared

HEAD_EMAIL = "head@school.example"
TRAINING_CAST = {
    "smm": "smm@school.example",
    "curator": "curator@school.example",
    "head": HEAD_EMAIL,
    "accounting": "accounting@school.example",
}
"""Role on the banner «Войти как» → whose desk it opens."""

_STAFF: tuple[tuple[str, str, tuple[str, ...], str | None], ...] = (
    (HEAD_EMAIL, "Марина Котова", HEAD_ROLES, None),
    ("smm@school.example", "Дарья Лис", ("smm",), None),
    ("curator@school.example", "Олег Сомов", ("manager",), "curators"),
    ("curator2@school.example", "Нина Рябинина", ("manager",), "curators"),
    ("technical@school.example", "Тимур Гараев", ("manager",), "technical"),
    ("accounting@school.example", "Вера Полянская", ("manager",), "accounting"),
    ("marketing@school.example", "Юлия Стриж", ("manager",), "marketing"),
)


def seed_people(session: Session) -> None:
    """Makes the training staff; safe to repeat."""
    seed_departments(session)
    for email, name, roles, department in _STAFF:
        if find_by_email(session, email) is None:
            create_staff(session, DESK, email=email, name=name, roles=roles, department=department)


def seed_training(session: Session, keyring: Keyring, places: Sequence[Mapping[str, Any]]) -> None:
    """Watches the sandbox's places; safe to repeat, also at another port."""
    sync_declared(session, keyring, [
        {
            "name": f"sandbox-{place['platform']}", "platform": place["platform"], "title": place["title"],
            "every_seconds": 3, "values": {**place["settings"], **place["secrets"]},
        }
        for place in places
    ])  # fmt: skip
