"""Cards, calls and tasks of the training school: invented people to try everything on."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Client, Staff, utc_now
from services.crm.calls import add_call
from services.crm.clients import add_contact, create_client
from services.crm.consents import give_consent
from services.crm.deals import move_deal, open_deal, set_step
from services.crm.notes import add_client_note
from services.crm.segments import save_study
from services.crm.tasks import add_task, in_working_days
from services.crm.ties import tie_clients
from services.rights import Actor, actor_of

_PEOPLE = (
    # name, phone, mail, course, group, curator, days of access left
    ("Лисицына Анна Петровна", "+79160000101", "lisicyna", "Английский с нуля", "А-12", "Олег Сомов", 95),
    ("Дроздов Павел Ильич", "+79160000102", "drozdov", "Английский с нуля", "А-12", "Олег Сомов", 95),
    ("Синицына Ольга Марковна", "+79160000103", "sinicyna", "Разговорный клуб", "К-3", "Нина Рябинина", -40),
    ("Гусев Тимофей Львович", "+79160000104", "", "", "", "", 0),
    ("Котик Вера Степановна", "+79160000105", "kotik", "Немецкий B1", "Н-2", "Нина Рябинина", 20),
)  # fmt: skip


_DEALS = (
    # whose card, what, roubles, stages on its way, next step, in how many days
    (3, "Английский с нуля", 48_900, (), "Перезвонить: спрашивал про вечер", 1),
    (0, "Летний интенсив для Петра", 21_500, ("qualified", "consulted", "offered"), "Узнать, что решили", 3),
    (2, "Разговорный клуб, продление", 12_000, ("qualified",), "", 0),
    (4, "Немецкий B2", 54_000, ("qualified", "consulted", "lost"), "", 0),
)


def _seed_deals(session: Session, actor: Actor, people: Sequence[Client]) -> None:
    for whose, product, roubles, stages, step, days in _DEALS:
        deal = open_deal(session, actor, people[whose].id, product=product, amount=roubles * 100)
        for stage in stages:
            move_deal(session, actor, deal.id, stage, reason="time", note="Ждёт вечерней группы")
        if step:
            set_step(session, actor, deal.id, step, in_working_days(session, days))


def seed_clients(session: Session) -> None:
    """Fills an empty list of clients; safe to repeat."""
    head = session.scalars(select(Staff).order_by(Staff.id)).first()
    if head is None or session.scalar(select(Client.id).limit(1)) is not None:
        return
    actor, now = actor_of(head), utc_now()
    made: list[Client] = []
    for name, phone, mail, course, group, curator, days in _PEOPLE:
        client = create_client(session, actor, name=name, contact=phone)
        if mail:
            add_contact(session, actor, client.id, f"{mail}@school.example")
        if course:
            until = (now + timedelta(days=days)).date()
            save_study(
                session, actor, client.id, course=course, group_name=group, curator=curator, access_until=until
            )
        made.append(client)
    anna, pavel, olga, *_others = made
    child = create_client(session, actor, name="Лисицын Пётр", birth_date=(now - timedelta(days=4000)).date())
    tie_clients(session, actor, child.id, anna.id, "guardian", "мать")
    create_client(session, actor, name="ООО «Северный ветер»", kind="organisation", contact="info@veter.example")
    add_client_note(session, actor, pavel.id, "Просит писать, а не звонить.", "training-note")
    give_consent(session, actor, olga.id, "marketing", "Согласна получать новости школы.", how="paper")
    due = now + timedelta(days=2)
    add_task(session, actor, text="вернуть деньги за неделю простоя", due_at=due, client_id=olga.id, kind="promise",
             form_key="training-promise")  # fmt: skip
    _seed_deals(session, actor, made)
    add_call(session, actor, number="+79160000104", direction="in", result="missed", started_at=now)
    add_call(session, actor, number="+79160000199", direction="in", result="answered", topic="сколько стоит курс")
