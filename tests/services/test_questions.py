"""What a department sees of a question: the thread and a first name, nothing of the card, nothing of others."""

import pytest
from sqlalchemy import func, select

from collectors.base import Attachment, Publication, Visibility
from models import Act, Case, Message, Route
from models import Attachment as Stored
from services.errors import Forbidden, NotFound, Refused, Stale
from services.questions import (
    HIDDEN,
    first_name,
    hand_back,
    question_file,
    question_rows,
    question_view,
    send_answer,
    without_contacts,
)
from services.replies import take_back, write_reply
from services.routing import ask_department, open_route, return_route
from tests.services.test_cases import label_all

ASKED = "Анна спрашивает о домашке. Её телефон +7 912 345-67-89."


@pytest.fixture
def case_id(cast, database) -> int:
    item = cast.write("Когда проверят домашку? Мой номер 8 (912) 345-67-89", "Анна Ярцева", thread="c1")
    cast.write("И мне скажите", "Пётр Ломов", thread="c1", parent_external_id=item.external_id)
    label_all(database)
    with database.read.begin() as session:
        return session.scalars(select(Message.case_id).where(Message.external_id == item.external_id)).one() or 0


@pytest.fixture
def route_id(cast, database, case_id) -> int:
    with database.write.begin() as session:
        return ask_department(session, cast.smm, case_id, cast.departments["curators"], ASKED, "r-1").id


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Анна Ярцева", "Анна"),
        ("Анна-Мария Ярцева", "Анна-Мария"),
        ("Ярцева Анна", "Анна"),
        ("Котик Вера Степановна", "Вера"),
        ("Вера Степановна Котик", "Вера"),
        ("Роман Олег", "Роман"),
        ("anna.yartseva", None),
        ("@annayar", None),
        ("anna@mail.example", None),
        ("user4711", None),
        ("", None),
        (None, None),
    ],
)
def test_a_first_name_is_a_name_and_nothing_more(name, shown) -> None:
    assert first_name(name) == shown


@pytest.mark.parametrize(
    "contact",
    [
        "+7 912 345-67-89",
        "8 (912) 345-67-89",
        "89123456789",
        "8(495)123-45-67",
        "912 345 67 89",
        "+380 44 123 45 67",
        "2200 1234 5678 9010",
        "2200123456789010",
        "anna.yar+school@mail.example.ru",
    ],
)
def test_contacts_are_taken_out(contact) -> None:
    assert without_contacts(f"Пишите: {contact}, жду") == f"Пишите: {HIDDEN}, жду"


@pytest.mark.parametrize(
    "text", ["Оплатила 45 000 рублей 12.11.2026", "Урок 12, модуль 3", "заказ 4711", "в 10:00 и 17:00"]
)
def test_other_numbers_stay(text) -> None:
    assert without_contacts(text) == text


def test_the_view_shows_the_thread_by_first_names_and_hides_contacts(cast, database, route_id) -> None:
    with database.read.begin() as session:
        view = question_view(session, cast.curator, route_id)
    assert (view.asked_by, view.author, view.department.code) == ("Дарья Лис", "Анна", "curators")
    assert [(line.name, line.asked) for line in view.lines] == [("Анна", True), ("Пётр", False)]
    assert view.place is not None
    assert view.place.title == "Как выучить сто слов"
    told = f"{view.question} {view.lines} {view.place}"
    assert "912" not in told
    assert "Ярцева" not in told
    assert "Ломов" not in told


def test_another_departments_question_is_not_there(cast, database, route_id) -> None:
    with database.read.begin() as session:
        for ask in (question_view, lambda s, a, r: question_file(s, a, r, 1)):
            with pytest.raises(NotFound):
                ask(session, cast.tech, route_id)
            with pytest.raises(Forbidden):
                ask(session, cast.smm, route_id)
        assert question_rows(session, cast.tech) == ()
        assert [row.author for row in question_rows(session, cast.curator)] == ["Анна"]
        assert question_view(session, cast.head, route_id).can_answer


def test_other_cases_of_the_author_stay_out(cast, database, route_id) -> None:
    cast.write(
        "А вот ещё вопрос?", "Анна Ярцева", container="18", publication=Publication("18", "article", "Другая")
    )
    label_all(database)
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Case)) > 1
        texts = [line.text for line in question_view(session, cast.curator, route_id).lines]
    assert len(texts) == 2
    assert "А вот ещё вопрос?" not in texts


def test_a_dialogue_shows_this_case_only_and_no_name_in_its_title(cast, database) -> None:
    first = cast.write(
        "Здравствуйте, сколько стоит курс?", "Анна Ярцева", container="d7", thread="d7",
        publication=Publication("d7", "dialogue", "Анна Ярцева"), visibility=Visibility.PRIVATE,
    )  # fmt: skip
    label_all(database)
    with database.write.begin() as session:
        case = session.scalars(select(Case)).one()
        message = session.scalars(select(Message).where(Message.external_id == first.external_id)).one()
        # An older matter in the same dialogue, long closed, with another case of its own.
        older = Message(
            source_id=message.source_id, container=message.container, external_id="old", thread="d7",
            direction="in", visibility="private", state="published", work="labelled", text="Верните 90 000",
            published_at=message.published_at, author_id=message.author_id,
        )  # fmt: skip
        session.add(older)
        route = ask_department(session, cast.smm, case.id, cast.departments["curators"], "Цена?", "r-9")
    with database.read.begin() as session:
        view = question_view(session, cast.curator, route.id)
    assert view.private
    assert [line.text for line in view.lines] == ["Здравствуйте, сколько стоит курс?"]
    assert view.place is None


def test_messages_that_the_platform_hides_are_not_shared(cast, database, route_id) -> None:
    with database.write.begin() as session:
        other = session.scalars(select(Message).where(Message.text == "И мне скажите")).one()
        other.state = "hidden"
    with database.read.begin() as session:
        assert len(question_view(session, cast.curator, route_id).lines) == 1


def test_files_of_the_thread_and_no_others(cast, database, route_id) -> None:
    shot = Attachment("photo", "экран.png", content_type="image/png", content=b"png")
    cast.write("Вот снимок, куда нажать?", "Анна Ярцева", thread="c1", attachments=(shot,))
    cast.write(
        "Чужой", "Лев", container="19", publication=Publication("19", "article", "Не та"), attachments=(shot,)
    )
    label_all(database)
    with database.read.begin() as session:
        ours, foreign = session.scalars(select(Stored.id).order_by(Stored.id))
        assert question_file(session, cast.curator, route_id, ours).content == b"png"
        with pytest.raises(NotFound):
            question_file(session, cast.curator, route_id, foreign)


def test_pressing_twice_is_one_answer_and_another_text_is_stale(cast, database, route_id) -> None:
    for _ in range(2):
        with database.write.begin() as session:
            send_answer(session, cast.curator, route_id, "До пятницы. ", 1)
    with database.write.begin() as session, pytest.raises(Stale):
        send_answer(session, cast.curator, route_id, "До субботы.", 1)
    with database.read.begin() as session:
        assert session.get_one(Route, route_id).answer == "До пятницы."


def test_a_returned_question_can_be_answered_again_with_the_same_words(cast, database, route_id) -> None:
    with database.write.begin() as session:
        send_answer(session, cast.curator, route_id, "Скоро.", 1)
        route = return_route(session, cast.smm, route_id, "Нужна дата")
        assert send_answer(session, cast.curator, route_id, "Скоро.", route.version).state == "answered"


def test_handing_back_names_a_department_that_there_is(cast, database, route_id) -> None:
    with database.write.begin() as session:
        with pytest.raises(NotFound):
            hand_back(session, cast.curator, route_id, "", 999)
        with pytest.raises(Refused):
            hand_back(session, cast.curator, route_id, "", cast.departments["curators"])
        with pytest.raises(Refused):
            hand_back(session, cast.curator, route_id, " ", None)
        with pytest.raises(NotFound):
            hand_back(session, cast.tech, route_id, "", cast.departments["technical"])
        for _ in range(2):
            hand_back(session, cast.curator, route_id, "", cast.departments["technical"])
    with database.read.begin() as session:
        view = question_view(session, cast.curator, route_id)
        assert (view.route.state, view.is_owed) == ("declined", False)
        assert view.better is not None
        assert view.better.code == "technical"


def test_afterwards_she_sees_what_was_published_and_how_it_was_edited(cast, database, case_id, route_id) -> None:
    with database.write.begin() as session:
        open_route(session, cast.curator, route_id)
        send_answer(session, cast.curator, route_id, "До пятницы", None)
        write_reply(session, cast.smm, case_id, "Анна, здравствуйте! До пятницы.", "f-1", route_id=route_id)
    with database.read.begin() as session:
        (published,) = question_view(session, cast.curator, route_id).published
        assert (published.edited, published.act.state) == (False, "held")
    with database.write.begin() as session:
        take_back(session, cast.smm, session.scalars(select(Act.id)).one())
        write_reply(session, cast.smm, case_id, "Проверим к субботе.", "f-2", route_id=route_id)
    with database.read.begin() as session:
        (published,) = question_view(session, cast.curator, route_id).published
        assert (published.text, published.edited) == ("Проверим к субботе.", True)


def test_the_next_question_is_the_oldest_that_waits(cast, database, case_id, route_id) -> None:
    with database.write.begin() as session:
        second = ask_department(session, cast.smm, case_id, cast.departments["curators"], "И ещё?", "r-2").id
        ask_department(session, cast.smm, case_id, cast.departments["technical"], "Не вам", "r-3")
    with database.read.begin() as session:
        view = question_view(session, cast.curator, route_id)
        assert (view.next_id, view.left) == (second, 1)


def test_a_private_question_says_so(cast, database) -> None:
    cast.private("Когда начало курса?")
    label_all(database)
    with database.write.begin() as session:
        case = session.scalars(select(Case).where(Case.visibility == Visibility.PRIVATE.value)).one()
        route = ask_department(session, cast.smm, case.id, cast.departments["curators"], "Когда?", "r-4")
        assert question_view(session, cast.curator, route.id).private
