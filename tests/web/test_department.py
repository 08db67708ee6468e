"""«Вопросы ко мне»: one department's questions, answered once, with nothing of the author but a first name."""

import html
import re

import pytest
from sqlalchemy import select

from collectors.base import Attachment
from models import Act, Event, Route, Study
from models import Attachment as Stored
from services.replies import write_reply
from services.routing import ask_department, return_route
from tests.conftest import one_person
from tests.web.test_hostile import EVIL, look

ASKED = "Анна спрашивает, когда проверят домашку."


@pytest.fixture
def case_id(open_case):
    return open_case("Когда проверят домашку? Мой телефон +7 912 345-67-89", "Анна Ярцева")


@pytest.fixture
def ask(cast, database, case_id):
    numbers = iter(range(100))

    def _ask(question: str = ASKED, unit: str = "curators") -> int:
        with database.write.begin() as session:
            key = f"r-{next(numbers)}"
            return ask_department(session, cast.smm, case_id, cast.departments[unit], question, key).id

    return _ask


@pytest.fixture
def curator(enter):
    return enter("curator")


def route(database, route_id):
    with database.read.begin() as session:
        return session.get_one(Route, route_id)


def test_the_day_of_a_curator_begins_here(curator, ask):
    ask()
    assert curator.get("/").location == "/questions"
    page = curator.get("/questions").text
    assert ASKED in page
    assert "Ярцева" not in page
    assert 'href="/inbox' not in page
    assert "/outgoing" not in page


def test_an_empty_list_says_so(curator):
    assert "Вопросов нет" in curator.get("/questions").text
    assert "Ответов пока нет" in curator.get("/questions?done=1").text


def test_the_page_says_who_asks_why_and_about_what(curator, ask, database):
    page = curator.get(f"/questions/{ask()}").text
    for words in ("Дарья Лис", "Кураторы", ASKED, "вы отвечаете за этот отдел", "Как выучить сто слов",
                  "Когда проверят домашку?", "под комментарием", "Отправить ответ", "Это не мне"):  # fmt: skip
        assert words in page, words
    for words in ("912 345", "Ярцева", "Пётр Лом"):
        assert words not in page, words


def test_the_page_says_in_which_group_the_author_is(curator, ask, database, cast):
    route_id = ask()
    assert "учится:" not in curator.get(f"/questions/{route_id}").text
    client_id = one_person(database, cast.head)
    with database.write.begin() as session:
        session.add(Study(client_id=client_id, course="Английский с нуля", group_name="А-12"))
    page = curator.get(f"/questions/{route_id}").text
    assert "учится: Английский с нуля, А-12" in page
    assert "Ярцева" not in page


def test_opening_marks_it_as_seen_once(curator, ask, database):
    route_id = ask()
    for _ in range(2):
        curator.get(f"/questions/{route_id}")
    assert route(database, route_id).state == "opened"
    with database.read.begin() as session:
        assert len(session.scalars(select(Event).where(Event.kind == "route.opened")).all()) == 1


def test_the_head_may_look_without_marking_for_the_department(enter, ask, cast, database):
    route_id = ask()
    head = enter("head")
    assert "Кураторы" in head.get("/questions").text
    assert head.get(f"/questions/{route_id}").status_code == 200
    assert route(database, route_id).state == "sent"


def test_another_department_finds_nothing(enter, ask, database):
    route_id = ask()
    stranger = enter("tech")
    assert ASKED not in stranger.get("/questions").text
    assert stranger.get(f"/questions/{route_id}").status_code == 404
    assert stranger.get(f"/questions/{route_id}/sent").status_code == 404
    assert stranger.get(f"/questions/{route_id}/files/1").status_code == 404
    assert stranger.post(f"/questions/{route_id}/answer", text="Наш").status_code == 404
    assert stranger.post(f"/questions/{route_id}/decline", reason="нет").status_code == 404
    assert route(database, route_id).state == "sent"


def test_an_smm_has_no_questions_and_a_curator_nothing_else(smm, curator, ask, case_id):
    assert smm.get(f"/questions/{ask()}").status_code == 403
    for address in ("/inbox", f"/inbox/{case_id}", "/rest", "/outgoing", "/places", "/staff"):
        assert curator.get(address).status_code == 403, address


def test_an_answer_comes_home_and_the_next_question_is_offered(curator, ask, database):
    first, second = ask(), ask("И когда вебинар?")
    version = re.search(r'name="version" value="(\d+)"', curator.get(f"/questions/{first}").text)
    assert version is not None
    answer = curator.post(f"/questions/{first}/answer", text=" До пятницы. ", version=version[1])
    assert answer.location == f"/questions/{first}/sent"
    assert (route(database, first).state, route(database, first).answer) == ("answered", "До пятницы.")
    page = curator.get(f"/questions/{first}/sent").text
    assert "Спасибо!" in page
    assert "ещё 1" in page
    assert f'href="/questions/{second}"' in page
    assert re.search(rf'data-forget="question:\d+:{first}"', page)


def test_the_last_answer_says_that_all_is_done(curator, ask):
    route_id = ask()
    curator.post(f"/questions/{route_id}/answer", text="До пятницы.")
    assert "На все вопросы вы ответили" in curator.get(f"/questions/{route_id}/sent").text


def test_a_fragment_is_led_to_the_thanks(curator, ask):
    route_id = ask()
    answer = curator.post(f"/questions/{route_id}/answer", htmx=True, text="До пятницы.")
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, f"/questions/{route_id}/sent")


def test_pressing_twice_answers_once(curator, ask, database):
    route_id = ask()
    for _ in range(2):
        assert curator.post(f"/questions/{route_id}/answer", text="До пятницы.", version="1").status_code == 302
    with database.read.begin() as session:
        assert len(session.scalars(select(Event).where(Event.kind == "route.answered")).all()) == 1


def test_what_was_typed_is_not_lost_when_somebody_was_quicker(curator, enter, ask, database):
    route_id = ask()
    enter("head").post(f"/questions/{route_id}/answer", text="Ответ руководителя")
    answer = curator.post(f"/questions/{route_id}/answer", text="Мой длинный ответ", version="1")
    assert answer.status_code == 409
    assert "Мой длинный ответ" in answer.text
    assert "Ответ руководителя" in answer.text
    assert route(database, route_id).answer == "Ответ руководителя"


def test_an_empty_answer_is_refused_in_place(curator, ask, database):
    route_id = ask()
    answer = curator.post(f"/questions/{route_id}/answer", text="  ")
    assert (answer.status_code, "Сначала напишите" in answer.text) == (422, True)
    fragment = curator.post(f"/questions/{route_id}/answer", htmx=True, text=" ")
    assert (fragment.status_code, fragment.headers["HX-Reswap"]) == (422, "none")


def test_a_returned_question_shows_the_reason(curator, ask, cast, database):
    route_id = ask()
    curator.post(f"/questions/{route_id}/answer", text="Скоро.")
    with database.write.begin() as session:
        return_route(session, cast.smm, route_id, "Нужна точная дата")
    page = curator.get(f"/questions/{route_id}").text
    assert "Вернули на доработку" in page
    assert "Нужна точная дата" in page
    assert "вернули на доработку" in curator.get("/questions").text


class TestNotMine:
    def test_handed_back_with_the_better_department(self, curator, ask, cast, database):
        first, second = ask(), ask("И ещё?")
        page = curator.get(f"/questions/{first}").text
        assert "Технический отдел" in page
        assert f'<option value="{cast.departments["curators"]}">' not in page
        answer = curator.post(f"/questions/{first}/decline", better=str(cast.departments["technical"]))
        assert answer.location == f"/questions/{second}"
        found = route(database, first)
        assert (found.state, found.better_department_id) == ("declined", cast.departments["technical"])
        assert "Лучше спросить: Технический отдел" in curator.get(f"/questions/{first}").text

    def test_the_last_one_leads_to_the_list(self, curator, ask):
        assert curator.post(f"/questions/{ask()}/decline", reason="Не про нас").location == "/questions"

    def test_neither_reason_nor_department_is_refused(self, curator, ask, database):
        route_id = ask()
        assert curator.post(f"/questions/{route_id}/decline", htmx=True).status_code == 422
        assert curator.post(f"/questions/{route_id}/decline", htmx=True, better="999").status_code == 404
        assert route(database, route_id).state == "sent"


def test_under_answered_stands_what_was_published(curator, ask, cast, case_id, database):
    route_id = ask()
    curator.post(f"/questions/{route_id}/answer", text="До пятницы")
    assert "Пока не опубликовано" in curator.get(f"/questions/{route_id}").text
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "Анна, проверим к субботе!", "f-1", route_id=route_id)
        act = session.scalars(select(Act)).one()
        act.state, act.url = "seen", "https://blog.example/17#c5"
    page = curator.get(f"/questions/{route_id}").text
    for words in ("Опубликовано с правкой", "Анна, проверим к субботе!", "Видно на площадке",
                  'href="https://blog.example/17#c5"'):  # fmt: skip
        assert words in page, words
    assert ASKED in curator.get("/questions?done=1").text


def test_a_file_of_the_thread_is_a_download(curator, ask, cast, label_all, database):
    shot = Attachment("photo", "экран.html", content_type="text/html", content=b"<script>alert(1)</script>")
    cast.write("Вот снимок?", "Анна Ярцева", attachments=(shot,))
    label_all()
    route_id = ask()
    with database.read.begin() as session:
        file_id = session.scalars(select(Stored.id)).one()
    assert f"/questions/{route_id}/files/{file_id}" in curator.get(f"/questions/{route_id}").text
    answer = curator.get(f"/questions/{route_id}/files/{file_id}")
    assert answer.data == b"<script>alert(1)</script>"
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_hostile_words_stay_words(curator, ask, cast, open_case, database):
    case_id = open_case(f"Когда? {EVIL}", EVIL, url="javascript:alert(4)", container="18",
                        attachments=(Attachment("document", EVIL, "javascript:alert(5)"),))  # fmt: skip
    with database.write.begin() as session:
        route_id = ask_department(session, cast.smm, case_id, cast.departments["curators"], EVIL, "evil").id
    for address in ("/questions", f"/questions/{route_id}"):
        page = curator.get(address).text
        tags = look(page)
        assert (tags.scripts, tags.images, tags.handlers) == (0, 0, []), address
        assert not [link for link in tags.links if not link.startswith(("/", "#", "http"))]
        assert "alert(1)" in html.unescape(page)
    curator.post(f"/questions/{route_id}/answer", text="</textarea>" + EVIL)
    tags = look(curator.get(f"/questions/{route_id}").text)
    assert (tags.scripts, tags.images, tags.handlers) == (0, 0, [])
