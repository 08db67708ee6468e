"""The training school's people and places: a desk where everything is invented and nothing leaves the machine."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors import channel_class
from models import Fact, Setting, Source, utc_now
from services.accounts import create_staff, find_by_email, seed_departments
from services.bots import NAME as BOTS
from services.bots import keep_bot
from services.facts import save_fact
from services.hooks import source_token
from services.presets import HEAD_ROLES
from services.responsibility import fill_defaults
from services.rights import DESK, actor_of
from services.saved_replies import save_saved
from services.secrets import Keyring
from services.sources import sync_declared

HEAD_EMAIL, DIRECTOR_EMAIL = "head@school.example", "director@school.example"
TRAINING_CAST = {
    "smm": "smm@school.example",
    "curator": "curator@school.example",
    "head": HEAD_EMAIL,
    "director": DIRECTOR_EMAIL,
    "accounting": "accounting@school.example",
}
"""Role on the banner «Войти как» → whose desk it opens."""

_STAFF: tuple[tuple[str, str, tuple[str, ...], str | None], ...] = (
    (HEAD_EMAIL, "Марина Котова", HEAD_ROLES, None),
    (DIRECTOR_EMAIL, "Ирина Орлова", ("director",), None),
    ("smm@school.example", "Дарья Лис", ("smm",), None),
    ("curator@school.example", "Олег Сомов", ("manager",), "curators"),
    ("curator2@school.example", "Нина Рябинина", ("manager",), "curators"),
    ("technical@school.example", "Тимур Гараев", ("manager",), "technical"),
    ("accounting@school.example", "Вера Полянская", ("manager",), "accounting"),
    ("marketing@school.example", "Юлия Стриж", ("manager",), "marketing"),
)


def invented_people() -> frozenset[str]:
    """Mail addresses of those who exist in the training school alone."""
    return frozenset(row[0] for row in _STAFF)


BY_HAND: Mapping[str, Any] = {
    "platform": "manual", "title": "Instagram «Лингва-Парк»", "settings": {"network": "instagram"}, "secrets": {},
}  # fmt: skip
"""A place that no sandbox can stand for: whoever trains pastes into it themselves."""


def seed_people(session: Session) -> None:
    """Makes the training staff; safe to repeat."""
    seed_departments(session)
    for email, name, roles, department in _STAFF:
        if find_by_email(session, email) is None:
            create_staff(session, DESK, email=email, name=name, roles=roles, department=department)
    fill_defaults(session, DESK)


FACTS = (
    ("price-month", "Цена месяца занятий", "4 900 ₽", None),
    ("next-start", "Старт следующей группы", "12 января", 60),
    ("support-hours", "Часы поддержки", "по будням с 10:00 до 19:00", None),
    ("trial-link", "Пробный урок", "https://lingva-park.example/trial", 30),
)
"""Code, title, value, days of validity from the first start."""


REPLIES = (
    (
        "Где запись урока",
        "Здравствуйте, {{author.first|друзья}}! Запись появится в личном кабинете в течение суток после урока: "
        "«Мои курсы» → «Записи».",
    ),
    (
        "Когда старт",
        "Здравствуйте! Следующая группа стартует {{fact.next-start}}. Записаться: {{fact.trial-link}}",
    ),
    (
        "Как связаться с поддержкой",
        "Поддержка отвечает {{fact.support-hours}}. Напишите, что случилось, и мы поможем.",
    ),
)
"""Title and text of the saved replies that the training school has."""


def invented_replies() -> frozenset[str]:
    """Texts of saved replies that exist in the training school alone; a changed one is somebody's own."""
    return frozenset(text for _, text in REPLIES)


def seed_facts(session: Session) -> None:
    """The school's facts, owned by the head, and saved replies that carry them; once, and never again what somebody
    took away."""
    head = find_by_email(session, HEAD_EMAIL)
    if head is None or session.scalar(select(Fact.id).limit(1)) is not None:
        return
    for title, text in REPLIES:
        save_saved(session, actor_of(head), None, title=title, text=text)
    today = utc_now().date()
    for code, title, value, days in FACTS:
        until = today + timedelta(days=days) if days else None
        save_fact(
            session, actor_of(head), None, code=code, title=title, value=value, owner_id=head.id, valid_to=until
        )


def seed_training(session: Session, keyring: Keyring, places: Sequence[Mapping[str, Any]]) -> None:
    """Watches the sandbox's places and lets their bots write to the staff; safe to repeat, also at another port."""
    sync_declared(session, keyring, [
        {
            "name": f"sandbox-{place['platform']}", "platform": place["platform"], "title": place["title"],
            "every_seconds": _pause(place["platform"]), "values": {**place["settings"], **place["secrets"]},
        }
        for place in (*places, BY_HAND)
    ])  # fmt: skip
    if session.scalar(select(Setting.id).where(Setting.name == BOTS)) is None:
        for place in places:
            declared = select(Source.id).where(Source.declared_as == f"sandbox-{place['platform']}")
            if "bot" in place:
                keep_bot(session, DESK, place["platform"], session.scalar(declared), place["bot"])


def _pause(platform: str) -> int | None:
    """A place that is read is read often, so that a first look is a quick one; one that calls us keeps its pace."""
    return None if channel_class(platform).can.poll_seconds > 600 else 3


def hook_paths(session: Session, key: bytes) -> dict[str, str]:
    """Platform → the path of its hook on this desk, for the sandbox's places that call us."""
    found = session.scalars(select(Source).where(Source.declared_as.like("sandbox-%")))
    called = [one for one in found if channel_class(one.platform).can.receive]
    return {one.platform: f"/hooks/{one.platform}/{source_token(key, one.id)}" for one in called}
