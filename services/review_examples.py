"""Invented answers of the last week in the training school, with marks of their authors and reviews by the head."""

import secrets
from datetime import datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors.manual import Pasted
from models import Act, Case, Clock, Event, Reply, ReviewDraw, Satisfaction, Source, utc_now
from models.database import Database
from services.absences import zone_of
from services.accounts import find_by_email
from services.by_hand import Published, bring_message, mark_published
from services.criteria import DEFAULTS
from services.reviews import draw_week, mark_answer, next_review, week_before
from services.rights import actor_of
from services.satisfaction import LOW, give_mark, hash_of
from services.terms import policy_of

WRITER, HEAD = "smm@school.example", "head@school.example"
TALKS = (
    # author, what they wrote, what was answered, the author's mark (None: none was given) and words
    ("Мария Ветрова", "Не могу найти запись вчерашнего урока, где она?",
     "Мария, здравствуйте! Запись лежит в кабинете: «Мои курсы» → «Записи». Напишите, если не открывается.", 5, ""),
    ("Игорь Платов", "Оплатил два дня назад, а доступа всё нет.",
     "Игорь, здравствуйте! Платёж дошёл, доступ открыли: проверьте, пожалуйста, кабинет.", 4, "Быстро, спасибо"),
    ("Елена Чижова", "Можно перейти в вечернюю группу?",
     "Елена, добрый день! В вечерней группе есть места, перевели вас с понедельника.", 5, ""),
    ("Антон Громов", "Куратор не отвечает третий день, это нормально?",
     "Антон, мы передали ваш вопрос куратору.", 2, "Так и не ответили, что с моей работой"),
    ("Светлана Юдина", "Когда будет сертификат?",
     "Светлана, здравствуйте! Сертификат готовят пять рабочих дней после итоговой работы.", None, ""),
    ("Роман Ильин", "Как вернуть деньги за последний месяц?",
     "Роман, здравствуйте! Условия возврата есть в договоре, раздел 5. Пришлём форму заявления.", None, ""),
)  # fmt: skip
READ: tuple[tuple[tuple[int | None, ...], str], ...] = (
    ((5, 5, 4, 5, 5), "Коротко и с дорогой к записи: хорошо."),
    ((5, 5, 5, 4, 5), ""),
    ((3, 4, 2, 4, 4), "Человек не узнал, что будет дальше и когда. Называйте срок."),
    ((4, 5, 4, None, 5), ""),
)
"""Marks by the criteria in their order, and the note; what is left of the draw waits for whoever trains."""


def run_review_examples(database: Database) -> None:
    """Makes them once, before the first draw; safe to repeat."""
    with database.read.begin() as session:
        if session.scalar(select(ReviewDraw.id).limit(1)) is not None:
            return
    with database.write.begin() as session:
        seed_reviews(session)


def seed_reviews(session: Session) -> None:
    """In one transaction; nothing where a week was drawn already."""
    if session.scalar(select(ReviewDraw.id).limit(1)) is not None:
        return
    writer, head = find_by_email(session, WRITER), find_by_email(session, HEAD)
    place = session.scalar(select(Source).where(Source.platform == "manual").order_by(Source.id))
    if writer is None or head is None or place is None:
        return
    actor, zone = actor_of(writer), zone_of(policy_of(session))
    monday = week_before(session)
    for number, (name, asked, answer, mark, words) in enumerate(TALKS):
        at = datetime.combine(monday + timedelta(days=number % 5), time(11, 7 * number), zone)
        pasted = Pasted(asked, name, at=at - timedelta(minutes=25 + 6 * number), private=True)
        message = bring_message(session, actor, place.id, pasted)
        if message.case_id is None:
            continue
        act = mark_published(session, actor, message.case_id, answer, f"training-review-{number}", Published())
        message.work = "labelled"  # it is answered: a kind told later would open the case again
        put_back(session, act, at, "complaint" if mark is not None and mark <= LOW else "question")
        _ask(session, session.get_one(Reply, act.reply_id), mark, words, min(at + timedelta(hours=3), utc_now()))
    draw_week(session)
    for marks, note in READ:
        row = next_review(session, actor_of(head))
        if row is not None:
            given = {one.number: mark for one, mark in zip(DEFAULTS, marks, strict=True)}
            mark_answer(session, actor_of(head), row.id, given, note)


def put_back(session: Session, act: Act, at: datetime, label: str) -> None:
    """What was done just now was done then, or reports would tell of answers that are a week late."""
    session.flush()
    act.accepted_at = act.created_at = at
    case = session.get_one(Case, act.case_id)
    case.label = case.kind = label
    case.sure = True
    case.first_reply_at, case.lift, case.due_at, case.warn_at = at, None, None, None
    case.closed_at = at if case.closed_at is not None else None
    session.get_one(Reply, act.reply_id).created_at = at
    for event in session.scalars(select(Event).where(Event.case_id == case.id)):
        event.at = at
    for clock in session.scalars(select(Clock).where(Clock.case_id == case.id)):
        clock.done_at, clock.next_at = at, None
    session.flush()


def _ask(session: Session, reply: Reply, mark: int | None, words: str, at: datetime) -> None:
    token = secrets.token_urlsafe(16)
    session.add(
        Satisfaction(
            case_id=reply.case_id, reply_id=reply.id, staff_id=reply.staff_id, token_hash=hash_of(token), line=""
        )
    )
    session.flush()
    if mark is not None:
        give_mark(session, token, mark, words, at)
