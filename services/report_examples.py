"""Two months of invented answers in the training school: its reports have something to tell, topics that came up,
wishes, complaints that were found justified or not, and a month that the head has signed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from collectors.manual import Pasted
from models import Case, Clock, Department, Event, Notice, Reply, Route, Snapshot, Source, Wish, utc_now
from models.database import Database
from services.absences import local_day, zone_of
from services.accounts import find_by_email
from services.by_hand import Published, bring_message, mark_published
from services.calendars import add_working
from services.reports.register import say_verdict
from services.reports.shape import Table
from services.reports.summary import month_cut, summary, take_snapshot
from services.reports.wishes import decide_wish, put_under
from services.review_examples import HEAD, WRITER, put_back
from services.rights import Actor, actor_of
from services.routing import answer_route, ask_department
from services.terms import policy_of

ANSWERING: Mapping[str, str] = {
    "curators": "curator@school.example", "accounting": "accounting@school.example",
    "technical": "technical@school.example",
}  # fmt: skip
Files = Callable[[Session, str, Mapping[str, Table], tuple[str, str]], Mapping[str, bytes]]
"""(session, month, its figures, conclusions and proposals) → the files that are signed with it."""
CONCLUSIONS = (
    "На большинство вопросов отвечаем в тот же день. Опоздания — там, где ответ зависел от кураторов и бухгалтерии."
)
PROPOSALS = "Договориться с кураторами о втором часе ответов, 17:00. Записать ответ о вечерних группах в заготовки."


@dataclass(frozen=True, slots=True)
class Talk:
    """``days`` ago, answered after ``minutes``; ``unit``: a department that was asked meanwhile; ``then``: the
    title of the wish that it stands under, or what a complaint was found to be."""

    days: int
    name: str
    label: str
    theme: str | None
    asked: str
    answer: str
    minutes: int = 30
    unit: str = ""
    then: str = ""


EVENING = "Вечерняя группа по субботам"
DARK = "Тёмная тема в кабинете"
TALKS = (
    Talk(58, "Павел Ручьёв", "question", "schedule", "Во сколько начинается занятие в четверг?",
         "Павел, здравствуйте! В четверг начинаем в 19:00."),
    Talk(57, "Нина Осокина", "question", "price", "Сколько стоит месяц занятий для двоих?",
         "Нина, добрый день! Для двоих есть скидка: цену прислали в личные сообщения.", 45),
    Talk(55, "Глеб Кораблёв", "complaint", "curator", "Куратор проверяет работу уже неделю, когда это кончится?",
         "Глеб, простите за ожидание: работу проверили, ответ в кабинете.", 200, "curators", "justified"),
    Talk(54, "Вера Полевая", "question", "access", "После оплаты курс не появился в кабинете, что делать?",
         "Вера, здравствуйте! Открыли доступ, проверьте, пожалуйста.", 25),
    Talk(52, "Артур Белов", "question", "homework", "Домашнее задание третьего урока не отправляется.",
         "Артур, файл был больше 20 МБ. Уменьшите его или пришлите ссылкой.", 50),
    Talk(50, "Лидия Стрелкова", "wish", "schedule", "Сделайте, пожалуйста, вечернюю группу по субботам!",
         "Лидия, спасибо! Записали пожелание, решим до конца месяца.", 60, "", EVENING),
    Talk(48, "Семён Ольхов", "question", "education_documents", "Когда пришлют сертификат за курс?",
         "Семён, сертификат готовят пять рабочих дней после итоговой работы.", 35),
    Talk(47, "Алла Зимина", "question", "payment", "Оплатила дважды, как вернуть вторую оплату?",
         "Алла, вторую оплату вернём на карту, бухгалтерия уже оформила.", 300, "accounting"),
    Talk(45, "Юрий Соболь", "question", "video", "Где лежит запись вторничного эфира?",
         "Юрий, запись в кабинете: «Мои курсы» → «Записи».", 20),
    Talk(43, "Инна Чайкина", "wish", "site", "Глазам тяжело: добавьте тёмную тему в кабинет.",
         "Инна, спасибо, передали тем, кто делает кабинет.", 40, "", DARK),
    Talk(41, "Марк Ветлин", "question", "schedule", "Можно перенести занятие на пятницу?",
         "Марк, на эту неделю перенесли, на следующую напишите заранее.", 30),
    Talk(40, "Ольга Рощина", "complaint", "payment", "Списали деньги, хотя я отказалась от продления.",
         "Ольга, проверили: отказ пришёл после списания, деньги за месяц вернули.", 150, "", "partly"),
    Talk(38, "Даниил Северин", "question", "access", "Не приходит письмо с паролем от кабинета.",
         "Даниил, письмо было в «Спаме»; выслали новое.", 15),
    Talk(36, "Рита Лугова", "question", "homework", "Сколько проверяют домашнее задание?",
         "Рита, куратор отвечает в течение двух дней.", 55),
    Talk(35, "Виктор Дымов", "question", "price", "Есть ли скидка, если платить сразу за год?",
         "Виктор, при оплате за год — минус 15 %.", 40),
    Talk(34, "Ева Тропина", "question", "curator", "Как сменить куратора?",
         "Ева, напишите, что не подошло: подберём другого до понедельника.", 90, "curators"),
    Talk(32, "Борис Кленов", "question", "video", "На эфире не было звука, будет повтор?",
         "Борис, звук в записи есть, она уже в кабинете.", 25),
    Talk(30, "Майя Раева", "wish", "schedule", "Хочу ходить вечером в субботу, откроете такую группу?",
         "Майя, записали: вы не первая, кто просит.", 45, "", EVENING),
    Talk(28, "Степан Ярцев", "question", "access", "Кабинет просит новый пароль каждый день.",
         "Степан, это исправили, входить заново больше не нужно.", 70),
    Talk(26, "Зоя Калинова", "question", "education_documents", "Можно получить справку об обучении?",
         "Зоя, справку пришлём до среды.", 35),
    Talk(24, "Тимур Озеров", "complaint", "staff", "Менеджер нагрубил по телефону.",
         "Тимур, мы послушали разговор и поговорили с менеджером. Простите.", 110, "", "justified"),
    Talk(22, "Клара Вешнева", "question", "learning", "С какого уровня начинать, если учила в школе?",
         "Клара, пройдите пробный урок: он покажет уровень.", 30),
    Talk(20, "Фёдор Лисин", "question", "price", "Почему у «Лингвиста» дешевле?",
         "Фёдор, у нас куратор и проверка работ входят в цену.", 40),
    Talk(17, "Агата Новикова", "question", "new_product", "Будет ли курс итальянского? Пошла бы сразу.",
         "Агата, планируем на весну, напишем вам первой.", 50),
    Talk(15, "Родион Мостовой", "question", "video", "Запись прошлого эфира обрывается на середине.",
         "Родион, залили запись заново, теперь она целая.", 280, "technical"),
    Talk(9, "Яна Крылова", "question", "payment", "Промокод ОСЕНЬ не работает при оплате.",
         "Яна, промокод действует с понедельника, скидку сделали вручную.", 20),
    Talk(8, "Лев Суворин", "question", "payment", "Ввожу промокод из рассылки, а скидки нет.",
         "Лев, исправили: введите промокод ещё раз.", 30),
    Talk(6, "Софья Ларина", "question", "payment", "Промокод подошёл только на один курс, а на второй нет?",
         "Софья, промокод на один курс, на второй сделали скидку отдельно.", 35),
    Talk(5, "Егор Плотников", "complaint", "payment", "Обещали промокод за отзыв и не прислали.",
         "Егор, промокод отправили на вашу почту, простите за задержку.", 95, "", "justified"),
)  # fmt: skip


def run_report_examples(database: Database, files: Files | None) -> None:
    """Makes what is missing of them, a case a transaction; then the last month is signed, unless somebody has
    signed one meanwhile. Safe to repeat."""
    with database.read.begin() as session:
        made = session.scalar(select(Reply.id).where(Reply.form_key == _key(len(TALKS) - 1))) is not None
        if made and (files is None or _is_signed(session)):
            return
        place = _place(session)
        if place is None or place.backfilled_at is None:  # before that all is history, which no report counts
            return
    for number, talk in enumerate(TALKS):
        with database.write.begin() as session:
            _seed(session, number, talk)
    with database.write.begin() as session:
        _decide(session)
        if files is not None and not _is_signed(session):
            _sign(session, files)


def _is_signed(session: Session) -> bool:
    return session.scalar(select(Snapshot.id).limit(1)) is not None


def _place(session: Session) -> Source | None:
    return session.scalar(select(Source).where(Source.platform == "manual").order_by(Source.id))


def _known(session: Session, email: str) -> Actor:
    person = find_by_email(session, email)
    if person is None:
        raise LookupError(email)
    return actor_of(person)


def _key(number: int) -> str:
    return f"training-report-{number}"


def _seed(session: Session, number: int, talk: Talk) -> None:
    place, key = _place(session), _key(number)
    if place is None or session.scalar(select(Reply.id).where(Reply.form_key == key)) is not None:
        return
    writer, head = _known(session, WRITER), _known(session, HEAD)
    came = _moment(session, talk.days, number)
    message = bring_message(session, writer, place.id, Pasted(talk.asked, talk.name, at=came, private=True))
    if message.case_id is None:
        return
    marks = [_last_event(session)]
    route = _ask(session, writer, message.case_id, talk, key) if talk.unit else None
    marks.append(_last_event(session))
    at = came + timedelta(minutes=talk.minutes)
    act = mark_published(session, writer, message.case_id, talk.answer, key, Published())
    message.work = "labelled"  # it is answered: a kind told later would open the case again
    put_back(session, act, at, talk.label)
    case = session.get_one(Case, message.case_id)
    case.theme = talk.theme
    if route is not None:
        _route_back(session, route, came, at, marks)
    if talk.label == "wish":
        title = talk.then
        known = session.scalar(select(Wish.id).where(Wish.title == title))
        put_under(session, head, case.id, known, title)
    elif talk.then:
        say_verdict(session, head, case.id, talk.then, "Разобрали с теми, кого это касалось.")


def _last_event(session: Session) -> int:
    session.flush()
    return session.scalar(select(func.max(Event.id))) or 0


def _moment(session: Session, days: int, number: int) -> datetime:
    """Some working hour of so many days ago, or of the Friday before a weekend."""
    day = local_day(session) - timedelta(days=days)
    day -= timedelta(days=max(0, day.weekday() - 4))
    return datetime.combine(day, time(10 + number % 3, 7 * number % 60), zone_of(policy_of(session)))


def _ask(session: Session, actor: Actor, case_id: int, talk: Talk, key: str) -> Route:
    unit = session.scalars(select(Department).where(Department.code == talk.unit)).one()
    route = ask_department(session, actor, case_id, unit.id, talk.asked, key)
    return answer_route(session, _known(session, ANSWERING[talk.unit]), route.id, talk.answer)


def _route_back(session: Session, route: Route, came: datetime, at: datetime, marks: Sequence[int]) -> None:
    """The question went out ten minutes after the message and came back ten before the answer."""
    asked, answered = came + timedelta(minutes=10), at - timedelta(minutes=10)
    route.asked_at, route.opened_at, route.answered_at = asked, asked + timedelta(minutes=5), answered
    session.flush()
    ids = list(
        session.scalars(
            select(Event.id).where(Event.case_id == route.case_id, Event.id > marks[0], Event.id <= marks[1])
            .order_by(Event.id)
        )
    )  # fmt: skip
    back = session.scalar(select(Event.id).where(Event.kind == "route.answered", Event.object_id == route.id)) or 0
    for event_id in ids:
        moment = asked if event_id < back else answered
        session.execute(update(Event).where(Event.id == event_id).values(at=moment))
    policy = policy_of(session)
    for clock in session.scalars(select(Clock).where(Clock.route_id == route.id)):
        term = clock.due_at - clock.started_at
        clock.started_at = asked
        clock.due_at = add_working(policy.calendars["desk"], asked, min(term, timedelta(hours=4)))
        clock.done_at = answered
    for notice in session.scalars(select(Notice).where(Notice.case_id == route.case_id)):
        session.delete(notice)
    session.flush()


def _decide(session: Session) -> None:
    wish = session.scalar(select(Wish).where(Wish.title == EVENING))
    if wish is not None and wish.state == "new":
        answer = "Открываем вечернюю группу по субботам с 17:00. Записаться можно в личном кабинете."
        decide_wish(session, _known(session, HEAD), wish.id, "accepted", answer)


def _sign(session: Session, files: Files) -> None:
    actor, today = _known(session, HEAD), local_day(session)
    zone = zone_of(policy_of(session)).key
    month = f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"
    tables = summary(session, actor, month_cut(month, zone), utc_now(), compared=True)
    words = (CONCLUSIONS, PROPOSALS)
    take_snapshot(session, actor, month, tables, files(session, month, tables, words), *words, today, zone)
