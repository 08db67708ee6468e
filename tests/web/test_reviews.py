"""«Разбор ответов», «Мои разборы» and the page of an author's mark, as people use them."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from models import Act, Case, Event, Notice, Review, ReviewMark, Satisfaction, utc_now
from services.replies import write_reply
from services.reviews import draw_week
from services.satisfaction import save_asking
from web.matrix import MATRIX
from web.satisfaction import GUESSES

DESK = "https://desk.example"


@pytest.fixture(autouse=True)
def nobody_guessed():
    GUESSES._misses.clear()
    yield
    GUESSES._misses.clear()


@pytest.fixture
def drawn(cast, database, label_all) -> list[int]:
    """Three answers of last week, drawn."""
    now = utc_now()
    for number in range(3):
        cast.write(f"Где запись {number}?", f"Автор {number}")
    label_all()
    with database.write.begin() as session:
        for number, case_id in enumerate(session.scalars(select(Case.id).order_by(Case.id)).all()):
            write_reply(session, cast.smm, case_id, f"В кабинете, {number}.", f"r-{number}")
        last = now - timedelta(days=now.weekday() + 3)
        for act in session.scalars(select(Act)):
            act.state, act.accepted_at = "accepted", last
        session.flush()
        assert draw_week(session, now) == 3
        return list(session.scalars(select(Review.id).order_by(Review.id)))


def marks(value: int = 5, **given: object) -> dict[str, object]:
    return {**{f"mark-{number}": value for number in range(1, 6)}, "was": "drawn", **given}


def test_the_head_reads_one_after_another(enter, database, drawn) -> None:
    head = enter("head")
    page = head.get("/reviews").text
    assert "1 из 3" in page
    assert "В кабинете, 0." in page
    assert "Где запись 0?" in page
    assert "По правилам" in page
    answer = head.post(f"/reviews/{drawn[0]}", **marks(4, **{"mark-3": 0}), note="Суховато")
    assert answer.status_code == 302
    assert answer.location.endswith(f"/reviews?after={drawn[0]}")
    assert "2 из 3" in head.get(answer.location).text
    assert head.post(f"/reviews/{drawn[1]}/skip", reason="").status_code in (302, 422)
    head.post(f"/reviews/{drawn[1]}/skip", reason="Спасибо на спасибо")
    head.post(f"/reviews/{drawn[2]}", **marks(5))
    assert "Все ответы недели разобраны" in head.get("/reviews").text
    week = head.get("/reviews/week").text
    assert "Спасибо на спасибо" in week
    assert "4,00" in week
    with database.read.begin() as session:
        given = session.scalars(
            select(ReviewMark.mark).where(ReviewMark.review_id == drawn[0]).order_by(ReviewMark.criterion)
        ).all()
        assert given == [4, 4, None, 4, 4]


def test_half_a_form_keeps_nothing(enter, database, drawn) -> None:
    enter("head").post(f"/reviews/{drawn[0]}", **{"mark-1": 5, "was": "drawn"})
    with database.read.begin() as session:
        assert session.get_one(Review, drawn[0]).state == "drawn"


def test_each_sees_their_own_and_nobody_elses(enter, drawn) -> None:
    head, smm, curator = enter("head"), enter("smm"), enter("curator")
    assert "Разборов пока нет" in smm.get("/reviews/mine").text
    head.post(f"/reviews/{drawn[0]}", **marks(3), note="Назовите срок")
    page = smm.get("/reviews/mine").text
    assert "Назовите срок" in page
    assert "В кабинете, 0." in page
    assert "В кабинете, 1." not in page
    assert "Назовите срок" not in head.get("/reviews/mine").text
    for address in ("/reviews", "/reviews/week", f"/reviews/{drawn[0]}", "/reviews/criteria"):
        assert smm.get(address).status_code == 403
    assert smm.post(f"/reviews/{drawn[1]}", **marks()).status_code in (302, 403)
    assert curator.get("/reviews/mine").status_code == 403
    assert "Мои разборы" in smm.get("/reviews/mine").text
    assert "Мои разборы" not in curator.get("/department").text


def test_the_matrix_keeps_marks_to_the_head_and_the_page_of_authors_open() -> None:
    rows = {name: need for name, need in MATRIX.items() if name.startswith(("reviews.", "satisfaction."))}
    assert {name for name, need in rows.items() if need == "public"} == {"satisfaction.show", "satisfaction.give"}
    assert {name for name, need in rows.items() if need == "review.view"} == {"reviews.mine"}
    assert set(rows.values()) == {"public", "review.view", "review.mark", "settings.edit"}


def test_criteria_are_edited_as_a_table(enter, database) -> None:
    head = enter("head")
    head.post(
        "/reviews/criteria", number=["1", "2", ""], title=["По делу", "Вежливо", "С заботой"],
        **{"active-1": "1"},
    )  # fmt: skip
    page = head.get("/reviews/criteria").text
    assert "С заботой" in page
    assert page.count("checked") == 2


@pytest.fixture
def asked(cast, database, label_all) -> str:
    """The code of a link that went out under a private answer."""
    cast.private("Оплатил, а доступа нет")
    label_all()
    with database.write.begin() as session:
        save_asking(session, cast.head, mail=False, messages=True, text="Оцените ответ:", address=DESK)
        case_id = session.scalars(select(Case.id)).one()
        text = write_reply(session, cast.smm, case_id, "Доступ открыт.", "form-1").text
    return text.rpartition("/o/")[2]


def given(database) -> tuple[int | None, str]:
    with database.read.begin() as session:
        row = session.scalars(select(Satisfaction)).one()
        return row.mark, row.comment


def test_looking_records_nothing_and_one_press_does(visitor, database, asked) -> None:
    for address in (f"/o/{asked}", f"/o/{asked}/2", f"/o/{asked}/77"):
        for method in (visitor.client.get, visitor.client.head):
            assert method(address).status_code == 200
    assert given(database) == (None, "")
    page = visitor.get(f"/o/{asked}/4").text
    assert re.search(r'value="4" required checked', page)
    answer = visitor.post(f"/o/{asked}", mark=4, comment="Спасибо!")
    assert answer.status_code == 200
    assert "Спасибо! Ваша оценка: 4" in answer.text
    assert given(database) == (4, "Спасибо!")
    assert visitor.post(f"/o/{asked}", mark=9).status_code == 422
    assert given(database) == (4, "Спасибо!")


def test_the_page_tells_a_stranger_nothing(visitor, asked) -> None:
    page = visitor.get(f"/o/{asked}").text
    for secret in ("Анна", "Доступ открыт", "ОБ-", "Дарья"):
        assert secret not in page
    assert visitor.get("/o/" + "A" * 22).status_code == 404
    assert visitor.client.post("/o/" + "A" * 22, data={"mark": 5}).status_code in (400, 404)


def test_whoever_guesses_is_stopped(visitor, asked) -> None:
    answers = [visitor.get(f"/o/{'B' * 21}{number % 10}").status_code for number in range(35)]
    assert answers[0] == 404
    assert answers[-1] == 429


def test_a_week_later_the_mark_stands(visitor, database, asked) -> None:
    visitor.post(f"/o/{asked}", mark=5)
    with database.write.begin() as session:
        row = session.scalars(select(Satisfaction)).one()
        row.marked_at -= timedelta(days=8)
    assert "они прошли" in visitor.get(f"/o/{asked}").text
    assert visitor.post(f"/o/{asked}", mark=1).status_code == 422
    assert given(database)[0] == 5


def test_a_colleague_marks_for_nobody_at_work(enter, desk, database, asked) -> None:
    desk.mode = "work"
    smm = enter("smm")
    assert "оценка от вас не принимается" in smm.get(f"/o/{asked}").text
    assert smm.post(f"/o/{asked}", mark=5).status_code in (302, 403)
    assert given(database)[0] is None


def test_the_case_and_the_bell_show_a_low_mark(enter, visitor, database, asked) -> None:
    visitor.post(f"/o/{asked}", mark=1, comment="Ничего не открылось")
    with database.read.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
        assert session.scalars(select(Event.data).where(Event.kind == "satisfaction.marked")).one() == {"mark": 1}
    page = enter("smm").get(f"/inbox/{case_id}").text
    assert "Оценка автора: 1 из 5" in page
    assert "Ничего не открылось" in page
    with database.write.begin() as session:
        session.scalars(select(Notice)).one().show_at = utc_now()  # whatever hour it is
    assert "Автор поставил низкую оценку" in enter("head").get("/notices").text


def test_the_setting_says_what_it_lacks(enter, desk) -> None:
    head = enter("head")
    assert "web.public_url" in head.get("/settings/satisfaction").text
    head.post("/settings/satisfaction", messages="1", text="Оцените:")
    assert "checked" not in head.get("/settings/satisfaction").text
    desk.config.web.public_url = DESK
    head.post("/settings/satisfaction", messages="1", mail="1", text="Оцените:")
    page = head.get("/settings/satisfaction").text
    assert page.count("checked") == 2
    assert f"{DESK}/o/" in page
