"""The page of wishes: a loose one gets a title, a decision, and an answer for everyone who asked."""

from sqlalchemy import select, update

from models import Bulk, CaseFact, Wish


def test_from_a_loose_wish_to_the_answer(database, open_case, enter) -> None:
    case_id = open_case("Когда сделаете тёмную тему?")
    with database.write.begin() as session:
        session.execute(update(CaseFact).values(kind="wish", counts=True))
    head = enter("head")
    assert "Не разобраны" in head.get("/reports/wishes").text
    head.post(f"/reports/wishes/put/{case_id}", title="Тёмная тема")
    with database.read.begin() as session:
        wish_id = session.scalars(select(Wish.id)).one()
    head.post(f"/reports/wishes/{wish_id}", state="done", answer="Готово")
    assert "Ответить 1 просившему" in head.get("/reports/wishes").text
    head.post(f"/reports/wishes/{wish_id}/tell")
    with database.read.begin() as session:
        assert session.scalars(select(Bulk.act)).one() == "answer"
    assert "сообщили 1 человеку" in head.get("/reports/wishes").text
    assert "Сделано" in head.get("/reports/all/register?by=wishes&from=2026-11-01&to=2027-12-31").text


def test_what_people_ask_is_shown_to_who_sees_reports(enter) -> None:
    page = enter("head").get("/reports/asked?period=month").text
    assert "Новые темы" in page
    assert "Вопросы о цене" in page
    assert enter("curator").get("/reports/asked").status_code == 403
