"""Broadcasts of the training school: one is on air, so that a newcomer sees a filled desk, others are planned."""

from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Broadcast, Staff, utc_now
from models.database import Database
from services.broadcasts import schedule, tapes
from services.broadcasts.schedule import Plan
from services.rights import DESK, actor_of
from services.visits import Form, save_place

RECORDING = Path(__file__).with_name("recording.csv")
ORIGIN = "training"
HEARD_SECONDS = 795
"""So much of the recording has been said when the desk is seen first: the wave of «нет звука» is just over."""
TITLE = "Английский за 15 минут в день"


def run_examples(database: Database) -> bool:
    """Asks first, so that nothing is locked once the schedule is filled."""
    with database.read.begin() as session:
        if session.scalar(select(Broadcast.id).where(Broadcast.origin == ORIGIN)) is not None:
            return False
    with database.write.begin() as session:
        return seed_broadcasts(session)


def seed_broadcasts(session: Session) -> bool:
    """Fills the schedule of the school; safe to repeat. The recording begins to play."""
    if session.scalar(select(Broadcast.id).where(Broadcast.origin == ORIGIN)) is not None:
        return False
    people = {row.email: row for row in session.scalars(select(Staff))}
    smm = people.get("smm@school.example")
    if smm is None:
        return False
    actor, now = actor_of(smm), utc_now()
    began = now - timedelta(seconds=HEARD_SECONDS)
    row = schedule.plan_broadcast(
        session, DESK, Plan("stream", TITLE, began, began + timedelta(hours=1), "Ольга Вяземская", smm.id), ORIGIN
    )
    tape = tapes.add_tape(session, DESK, row.id, RECORDING.name, RECORDING.read_bytes())
    tapes.play(session, DESK, tape.id, 1, HEARD_SECONDS)
    row.started_at, row.told_at = began, now
    for code in ("picture", "link", "moderation"):
        schedule.tick(session, actor, row.id, code, True)
    schedule.tick(session, actor, row.id, "sound", False)
    _plan_week(session, now, smm.id)
    for title, every in (("Отзывы на сайте-агрегаторе", 120), ("Чат выпускников в мессенджере", 240)):
        save_place(session, DESK, Form(title, every_minutes=every, opens="09:00", closes="21:00", staff_id=smm.id))
    return True


def _plan_week(session: Session, now: datetime, staff_id: int) -> None:
    here = ZoneInfo("Europe/Moscow")
    for days, hour, kind, title, speaker, watcher in (
        (1, 19, "lesson", "Разговорный клуб: в кафе", "Нина Рябинина", staff_id),
        (2, 12, "webinar", "Как поставить произношение", "Ольга Вяземская", None),
        (3, 18, "stream", "Вопросы и ответы о весеннем потоке", "Марина Котова", staff_id),
    ):
        day = (now.astimezone(here) + timedelta(days=days)).date()
        at = datetime.combine(day, time(hour), here)
        schedule.plan_broadcast(
            session, DESK, Plan(kind, title, at, at + timedelta(minutes=90), speaker, watcher), f"{ORIGIN}-{days}"
        )
