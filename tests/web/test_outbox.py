"""«Исходящие»: every unproven act with its next step, and what a press does, once."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from collectors.base import Person
from models import Act, Case, Source, utc_now
from services.outbox import STATES, UNPROVEN
from services.replies import draft_of, write_reply
from web.outbox_words import ACTIONS, TO_DO
from web.words import CHANNEL_ERRORS


@pytest.fixture
def make_act(cast, database, open_case):
    """Writes a reply and puts its act into a state; returns the act's id."""

    def _make_act(state, text="В среду, в 19:00.", author="Анна Яр", **values):
        case_id = open_case("Когда вебинар?", author)
        with database.write.begin() as session:
            reply = write_reply(session, cast.smm, case_id, text, f"f-{case_id}")
            act = session.scalars(select(Act).where(Act.reply_id == reply.id)).one()
            for name, value in {"state": state, **values}.items():
                setattr(act, name, value)
            return act.id

    return _make_act


def stored(database, act_id):
    with database.read.begin() as session:
        return session.get_one(Act, act_id)


def test_nothing_unproven_is_said_so(smm):
    assert "Всё видно на площадках" in smm.get("/outgoing").text


def test_what_stands_proven_is_not_here(smm, make_act):
    for state in set(STATES) - set(UNPROVEN):
        make_act(state, author=f"Автор {state}")
    assert "Всё видно на площадках" in smm.get("/outgoing").text


def test_oldest_first_with_words_error_and_next_step(smm, make_act):
    make_act("dead", author="Пётр Лом", error_code="auth", error_text="invalid token", attempt=3)
    make_act("retry", author="Вера Жук", error_code="server", due_at=utc_now() + timedelta(minutes=5), attempt=1)
    page = smm.get("/outgoing").text
    assert page.index("Пётр Лом") < page.index("Вера Жук")
    for words in ("Отправить не удалось", "Площадка не принимает ключ", "invalid token", "3 попытки",
                  "Впишите новый ключ", "Попытка 2 из 12", "Как выучить сто слов", "В среду, в 19:00.",
                  "Дарья Лис"):  # fmt: skip
        assert words in page, words


@pytest.mark.parametrize("state", UNPROVEN)
def test_every_state_offers_what_the_service_takes(smm, make_act, database, state):
    act_id = make_act(state)
    page = smm.get("/outgoing").text
    offered = set(re.findall(rf"/outgoing/{act_id}/(\w+)\"", page))
    names = {"send_now": "now"}
    assert offered == {names.get(deed, deed) for deed in ACTIONS.get(state, ())}
    for deed in offered:
        assert smm.post(f"/outgoing/{act_id}/{deed}", htmx=True).status_code == 200
        with database.write.begin() as session:
            session.get_one(Act, act_id).state = state


def test_the_tables_speak_the_words_of_the_services():
    assert set(ACTIONS) <= set(UNPROVEN)
    assert set(TO_DO) <= set(CHANNEL_ERRORS)


def test_retry_sends_again_and_twice_is_refused(smm, make_act, database, desk):
    act_id = make_act("dead", error_code="network", attempt=2)
    before = desk.outbox_bell._count
    assert smm.post(f"/outgoing/{act_id}/retry").location == "/outgoing"
    assert stored(database, act_id).state == "queued"
    assert desk.outbox_bell._count > before
    again = smm.post(f"/outgoing/{act_id}/retry", htmx=True)
    assert (again.status_code, again.headers["HX-Reswap"]) == (422, "none")


@pytest.mark.parametrize("state", ["accepted", "seen"])
def test_what_was_sent_again_is_shown_when_the_platform_has_taken_it(smm, make_act, database, state):
    act_id = make_act("dead", error_code="network", attempt=2)
    make_act(state, "Ушло само, без нажатия", author="Вера Жук")
    smm.post(f"/outgoing/{act_id}/retry")
    assert f"gone-{act_id}" not in smm.get("/outgoing").text
    with database.write.begin() as session:
        act = session.get_one(Act, act_id)
        act.state, act.url = state, "https://school.example/a#comment-7"
    page = smm.get("/outgoing").text
    assert f"gone-{act_id}" in page
    assert 'href="https://school.example/a#comment-7"' in page
    assert "Ушло само, без нажатия" not in page
    with database.write.begin() as session:
        session.get_one(Act, act_id).due_at = utc_now() - timedelta(minutes=31)
    assert f"gone-{act_id}" not in smm.get("/outgoing").text


def test_cancel_gives_the_text_back(smm, cast, make_act, database):
    act_id = make_act("dead", "Ответ, который не ушёл", error_code="invalid")
    answer = smm.post(f"/outgoing/{act_id}/cancel", htmx=True)
    assert "Ответ, который не ушёл" not in answer.text
    act = stored(database, act_id)
    assert act.state == "cancelled"
    with database.read.begin() as session:
        assert draft_of(session, cast.smm, act.case_id or 0) == "Ответ, который не ушёл"
        assert session.get_one(Case, act.case_id).stage == "work"


class TestReview:
    @pytest.fixture
    def act_id(self, make_act):
        return make_act("review", "Наш текст ответа", attempt=1, first_attempt_at=utc_now(), error_code="network")

    def test_both_texts_stand_side_by_side(self, smm, act_id):
        page = smm.get("/outgoing").text
        assert page.index("Наш текст ответа") < page.index("На площадке") < page.index("Когда вебинар?")
        assert "Нашего ответа в этой ветке не видно" in page
        assert 'href="https://blog.example/17#c' in page

    def test_what_the_thread_shows_of_ours_is_shown(self, smm, cast, act_id, database):
        thread = stored(database, act_id).target["thread"]
        us = Person("desk", "Школа", is_us=True)
        cast.store(replace(cast.incoming("Наш текст, но другой"), author=us, thread=thread))
        page = smm.get("/outgoing").text
        assert "Наш текст, но другой" in page

    def test_published_already_keeps_the_link(self, smm, act_id, database):
        answer = smm.post(f"/outgoing/{act_id}/confirm", url=" https://blog.example/17#c99 ", htmx=True)
        assert "Всё видно на площадках" in answer.text
        act = stored(database, act_id)
        assert (act.state, act.url) == ("accepted", "https://blog.example/17#c99")

    def test_without_a_link_too(self, smm, act_id, database):
        smm.post(f"/outgoing/{act_id}/confirm", url="")
        assert (stored(database, act_id).state, stored(database, act_id).url) == ("accepted", None)

    @pytest.mark.parametrize("link", ["javascript:alert(1)", "blog.example", "data:text/html,x", "//evil.example"])
    def test_a_link_that_is_none_is_refused(self, smm, act_id, database, link):
        assert smm.post(f"/outgoing/{act_id}/confirm", url=link, htmx=True).status_code == 422
        assert stored(database, act_id).state == "review"

    def test_send_goes_again(self, smm, act_id, database):
        smm.post(f"/outgoing/{act_id}/retry")
        assert stored(database, act_id).state == "queued"


def test_an_act_of_a_paused_place_says_why_it_waits(smm, cast, make_act, database):
    make_act("queued")
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).state = "paused"
    assert "Площадка приостановлена" in smm.get("/outgoing").text


def test_hostile_words_stay_words(smm, make_act):
    make_act("dead", "<script>alert(1)</script>", author="<b>Вера</b>", error_text='"><img src=x onerror=alert(1)>')
    page = smm.get("/outgoing").text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "<b>Вера" not in page


def test_a_department_has_no_outbox(enter, make_act):
    act_id = make_act("dead")
    curator = enter("curator")
    assert curator.get("/outgoing").status_code == 403
    for deed in ("retry", "cancel", "confirm", "now"):
        assert curator.post(f"/outgoing/{act_id}/{deed}", htmx=True).status_code == 403


def test_an_unknown_act_is_not_there(smm):
    assert smm.post("/outgoing/999/retry", htmx=True).status_code == 404


def test_the_list_alone_comes_for_a_fragment(smm, make_act):
    make_act("dead")
    fragment = smm.get("/outgoing", htmx=True).text
    assert fragment.lstrip().startswith('<section id="outgoing"')
    assert "otklik:events from:document" in fragment


def test_what_the_limits_keep_waiting_says_when_it_goes(smm, make_act, database):
    for name in ("Анна", "Борис", "Вера", "Глеб"):
        make_act("queued", author=name, due_at=utc_now() - timedelta(seconds=1))
    late = make_act("queued", author="Дина", due_at=utc_now() + timedelta(minutes=40))
    with database.write.begin() as session:
        session.scalars(select(Source)).one().platform = "telegram"
        for act in session.scalars(select(Act)):
            act.target = {**act.target, "container": "-1001"}
    page = smm.get("/outgoing").text
    assert page.count("очередь площадки, перед ним") == 2
    assert "раньше площадка больше не пропускает" in page
    case = smm.get(f"/inbox/{stored(database, late).case_id}", htmx=True).text
    assert "раньше площадка больше не пропускает" in case


def test_a_limit_of_the_day_is_no_failure(smm, make_act):
    make_act("retry", error_code="share", due_at=utc_now() + timedelta(hours=5), attempt=14)
    page = smm.get("/outgoing").text
    assert "Остаток дневного лимита оставлен для обычных ответов" in page
    assert "Уйдёт примерно" in page
    assert "Попытка 15 из 12" not in page
