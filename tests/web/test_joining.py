"""The doors of joining, of a letter's date and of the hours until a question is opened."""

from sqlalchemy import select

from models import Case, Clock, Setting
from services.signals import decide_signal
from tests.conftest import one_person


def test_a_case_is_joined_by_its_number(enter, open_case, database, cast):
    first, second = open_case("Когда урок?", "Анна"), open_case("Почему отменили урок?", "anna_yar")
    one_person(database, cast.smm)
    smm = enter("smm")
    page = smm.get(f"/inbox/{first}")
    assert "Объединить с обращением о том же" in page.text
    assert smm.post(f"/inbox/{first}/merge", number="2026-99").status_code in (404, 422)
    with database.read.begin() as session:
        number = session.get_one(Case, second).number
    assert smm.post(f"/inbox/{first}/merge", number=number).status_code in (204, 302, 303)
    with database.read.begin() as session:
        assert session.get_one(Case, first).state == "merged"
    assert "Обращение объединили с другим о том же" in smm.get(f"/inbox/{second}").text


def test_the_date_of_a_letter(enter, open_case, database, cast):
    case_id, smm = open_case("Просим дать сведения?", "Управление"), enter("smm")
    assert "Ответить до, как сказано в письме" not in smm.get(f"/inbox/{case_id}").text
    with database.write.begin() as session:
        message_id = session.get_one(Case, case_id).first_message_id
        decide_signal(session, cast.smm, message_id, "state_body", True)
        opened = session.get_one(Case, case_id).opened_at
    assert "Ответить до, как сказано в письме" in smm.get(f"/inbox/{case_id}").text
    assert smm.post(f"/inbox/{case_id}/letter", until="скоро", htmx=True).status_code == 422
    until = opened.date().replace(year=opened.year + 1, month=1, day=20)
    assert smm.post(f"/inbox/{case_id}/letter", until=until.isoformat()).status_code in (204, 302, 303)
    with database.read.begin() as session:
        assert session.scalars(select(Clock.sla_class).where(Clock.kind == "legal")).all() == ["STATE"]


def test_the_hours_until_a_question_is_opened(enter, database):
    head = enter("head")
    assert "Часов до просмотра вопроса отделом" in head.get("/settings/terms").text
    words = {"preset": "small", "quiet_from": "21:00", "quiet_to": "09:00", "changes": ""}
    assert head.post("/settings/terms", **words, unit_curators="4", accept_curators="1,5").status_code == 302
    with database.read.begin() as session:
        kept = session.scalars(select(Setting.value).where(Setting.name == "sla")).one()
        assert kept["accept"] == {"curators": 90}
    assert 'name="accept_curators" inputmode="decimal" value="1,5"' in head.get("/settings/terms").text
