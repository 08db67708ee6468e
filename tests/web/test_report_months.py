"""The page of the month: signed by the head with its paper, read by the director."""

import json
from datetime import timedelta

from services.accounts import create_staff
from services.rights import DESK
from tests.web.test_case_paper import words_of
from web.dates import today


def test_a_month_is_signed_seen_and_its_paper_kept(app, database, enter) -> None:
    with database.write.begin() as session:
        create_staff(session, DESK, email="boss@school.example", name="Ян Немов", roles=("director",))
    head = enter("head")
    assert "Дебиторская задолженность" in head.get("/reports/summary?period=week").text
    assert "Ни один месяц" in head.get("/reports/months").text
    with app.test_request_context():
        month = f"{today().replace(day=1) - timedelta(days=1):%Y-%m}"
    made = head.post("/reports/months", month=month, conclusions="Успели почти всё", proposals="Ещё один человек")
    page = head.get(made.location).text
    assert "Успели почти всё" in page
    assert "данные дают сегодня те же числа" in page
    paper = head.get(f"{made.location}/otklik-{month}.pdf")
    words = words_of(paper.data)
    assert "Ещёодинчеловек" in words
    assert "МесяцМесяцраньшеРазница" in words
    told = json.loads(head.get(f"{made.location}/otklik-{month}.json").data)
    assert set(told["month_before"]) == set(told) - {"month_before"}
    assert told["month_before"]["first_answer"]["answered"] == 0
    director = enter("boss")
    assert "Прочитано" in director.get(made.location).text
    director.post(f"{made.location}/seen")
    assert "ознакомлен: Ян Немов" in head.get("/reports/months").text
    assert head.get(f"{made.location}/other.pdf").status_code == 404
