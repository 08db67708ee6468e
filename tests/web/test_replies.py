"""What surrounds a reply on the screen: the check, sending later, agreement, saved replies, facts."""

from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import select, update

from collectors.base import Receipt
from models import Act, Case, Draft, Fact, Notice, Reply, ReplyFile, SavedReply, Staff, utc_now
from services.lint import habits_of
from services.notices import notices_of
from services.outbox import claim_act
from services.outcomes import record_receipt
from services.people import create_staff
from services.rights import DESK, actor_of
from services.watch import run_watch


def act(database) -> Act:
    with database.read.begin() as session:
        return session.scalars(select(Act).order_by(Act.id.desc())).first()


def publish(database) -> int:
    with database.write.begin() as session:
        claimed = claim_act(session)
    with database.write.begin() as session:
        record_receipt(session, claimed, Receipt("901", "https://blog.example/17#901"))
    return claimed.id


def test_the_check_stands_under_the_text_and_stops_at_the_door(enter, open_case, database) -> None:
    case_id, smm = open_case(), enter("smm")
    address = f"/inbox/{case_id}/compose/lint"
    page = smm.post(address, text="Звоните +7 916 555-12-34, ответим СРОЧНО ОЧЕНЬ", htmx=True).text
    assert "Чужие личные данные" in page
    assert 'name="why-personal"' in page
    assert "Заглавные буквы" in page
    send = {"text": "Звоните +7 916 555-12-34", "form_key": "k1", "now": "1"}
    assert smm.post(f"/inbox/{case_id}/reply", htmx=True, **send).status_code == 422
    assert act(database) is None
    answer = smm.post(f"/inbox/{case_id}/reply", htmx=True, **send, **{"why-personal": "просила сама"})
    assert answer.status_code == 204
    with database.read.begin() as session:
        assert session.scalars(select(Reply.overrides)).one() == {"personal": "просила сама"}


@pytest.mark.parametrize(
    ("typed", "status"), [("2099-01-01T10:00", 422), ("вчера", 422), ("2020-01-01T10:00", 422)]
)
def test_a_time_that_makes_no_sense_is_refused(enter, open_case, typed, status) -> None:
    case_id = open_case()
    fields = {"text": "Ответ", "form_key": "k1", "send_at": typed}
    assert enter("smm").post(f"/inbox/{case_id}/reply", htmx=True, **fields).status_code == status


def test_a_later_reply_says_when_it_goes(enter, open_case, database) -> None:
    case_id, smm = open_case(), enter("smm")
    at = (utc_now() + timedelta(days=2)).isoformat(timespec="minutes")
    smm.post(f"/inbox/{case_id}/reply", htmx=True, text="Ответ", form_key="k1", send_at=at)
    assert act(database).state == "held"
    assert "Уйдёт: " in smm.get(f"/inbox/{case_id}", htmx=True).text
    assert "до этого можно отменить" in smm.get("/outgoing").text


def test_a_trainee_writes_and_the_head_agrees_or_sends_back(enter, open_case, database) -> None:
    case_id = open_case()
    head = enter("head")
    with database.read.begin() as session:
        person = session.scalars(select(Staff).where(Staff.email == "smm@school.example")).one()
    saved = {"name": person.name, "role": "smm", "trainee": "1"}
    assert head.post(f"/staff/{person.id}", **saved).status_code == 302
    smm = enter("smm")
    smm.post(f"/inbox/{case_id}/reply", htmx=True, text="Не знаю", form_key="k1")
    assert "Уйдёт, когда согласуют" in smm.get(f"/inbox/{case_id}", htmx=True).text
    assert "На согласовании" in head.get("/inbox").text
    assert smm.post(f"/acts/{act(database).id}/approve", htmx=True).status_code == 403
    assert head.post(f"/acts/{act(database).id}/reject", htmx=True, note="Спросите кураторов").status_code == 204
    page = smm.get(f"/inbox/{case_id}", htmx=True).text
    assert "Спросите кураторов" in page
    assert "Не отправлено: отменено" not in page
    with database.read.begin() as session:
        assert session.scalars(select(Draft.text)).one() == "Не знаю"
    smm.post(f"/inbox/{case_id}/reply", htmx=True, text="Кураторы ответят в 18:00", form_key="k2")
    assert head.post(f"/acts/{act(database).id}/approve", htmx=True).status_code == 204
    assert act(database).state == "queued"


def test_our_published_reply_is_edited_and_removed(enter, open_case, database) -> None:
    case_id, smm = open_case(), enter("smm")
    smm.post(f"/inbox/{case_id}/reply", htmx=True, text="В пятницу", form_key="k1", now="1")
    own = publish(database)
    page = smm.get(f"/inbox/{case_id}", htmx=True).text
    assert "Изменить на площадке" in page
    answer = smm.post(f"/acts/{own}/edit", htmx=True, text="В субботу", form_key="e1")
    assert answer.status_code == 204
    assert (act(database).kind, act(database).text, act(database).of_act_id) == ("edit", "В субботу", own)
    assert smm.post(f"/acts/{own}/remove", htmx=True, form_key="d1").status_code == 204
    assert act(database).kind == "delete"


def test_a_trainee_is_not_offered_what_needs_anothers_word(enter, open_case, database, cast) -> None:
    case_id, smm = open_case(), enter("smm")
    smm.post(f"/inbox/{case_id}/reply", htmx=True, text="В пятницу", form_key="k1", now="1")
    own = publish(database)
    with database.write.begin() as session:
        session.get_one(Staff, cast.smm.staff_id).trainee = True
    page = smm.get(f"/inbox/{case_id}", htmx=True).text
    assert "В пятницу" in page
    assert "Изменить на площадке" not in page
    assert smm.post(f"/acts/{own}/edit", htmx=True, text="В субботу", form_key="e1").status_code == 403


def test_saved_replies_are_written_found_used_and_removed(enter, open_case, database) -> None:
    case_id, smm = open_case(), enter("smm")
    assert "Заготовок пока нет" in smm.get("/saved").text
    smm.post("/saved/new", title="Старт", text="{{имя|Здравствуйте}}, начнём {{fact.start}}", scope="all")
    with database.read.begin() as session:
        saved = session.scalars(select(SavedReply)).one()
    assert "Старт" in smm.get(f"/inbox/{case_id}/compose/saved?q=начнём").text
    assert "Ничего не нашлось" in smm.get(f"/inbox/{case_id}/compose/saved?q=нетакого").text
    filled = smm.post(f"/inbox/{case_id}/compose/saved/{saved.id}", htmx=True).json
    assert filled["missing"] == ["fact.start"]
    assert "вставлена 1 раз" in smm.get("/saved").text
    assert smm.post(f"/saved/{saved.id}", title="", text="x").status_code == 422
    smm.post(f"/saved/{saved.id}/archive")
    assert "Старт" not in smm.get("/saved").text
    smm.post(f"/saved/{saved.id}/restore")
    assert "Старт" in smm.get("/saved").text


def test_a_changed_fact_corrects_published_replies(enter, open_case, database) -> None:
    case_id, head = open_case(), enter("head")
    fields = {"title": "Цена", "code": "price", "valid_to": "2026-12-31"}
    head.post("/facts/new", value="4 900 ₽", **fields)
    with database.read.begin() as session:
        fact_id = session.scalars(select(Fact.id)).one()
    head.post(f"/inbox/{case_id}/reply", htmx=True, text="Курс стоит 4 900 ₽", form_key="k1", now="1")
    own = publish(database)
    head.post(f"/facts/{fact_id}", value="5 400 ₽", **fields)
    assert "1 ответ с прежним значением" in head.get("/facts").text
    assert "«4 900 ₽» → «5 400 ₽»" in head.get(f"/facts/{fact_id}").text
    head.post(f"/facts/{fact_id}/correct", act_id=own, form_key="f1")
    assert (act(database).kind, act(database).text) == ("edit", "Курс стоит 5 400 ₽")
    assert head.post("/facts/new", value="1", title="Ещё", code="price").status_code == 422
    assert head.post("/facts/new", value="1", title="Ещё", code="b", valid_to="завтра").status_code == 422


def test_the_check_has_its_screen(enter, database) -> None:
    head = enter("head")
    page = head.get("/settings/checks?text=Гарантируем+результат").text
    assert "Обещание результата" in page
    head.post("/settings/checks", rule=["personal", "banned", "empty"], own="+7 800 555-01-02, help@school.example")
    with database.read.begin() as session:
        habits = habits_of(session)
        assert habits.own == {"+7 800 555-01-02", "help@school.example"}
        assert "promise" in habits.off
    assert enter("smm").get("/settings/checks").status_code == 403


def test_the_holding_reply_names_the_end_of_the_next_working_day(enter, open_case) -> None:
    said = enter("smm").get(f"/inbox/{open_case()}/compose/holding").json["text"]
    assert said.startswith("Взяли ваш вопрос в работу")
    assert said.endswith(", 17:00.")


def test_a_deputy_is_named_on_a_screen_and_agrees_when_it_is_time(enter, open_case, database, cast) -> None:
    case_id, head = open_case(), enter("head")
    with database.write.begin() as session:
        session.get_one(Staff, cast.smm.staff_id).trainee = True
        made = create_staff(
            session, DESK, email="anna@school.example", name="Анна Вяз", roles=("smm",), department=None
        )
        deputy_id = made.id
    assert "Анна Вяз" in head.get("/settings/agreement").text
    assert head.post("/settings/agreement", minutes="0", deputy=str(deputy_id)).status_code == 302
    assert head.post("/settings/agreement", htmx=True, minutes="много").status_code == 422
    assert enter("smm").get("/settings/agreement").status_code == 403
    enter("smm").post(f"/inbox/{case_id}/reply", htmx=True, text="Не знаю", form_key="k1")
    run_watch(database)
    with database.read.begin() as session:
        agreeing = actor_of(session.get_one(Staff, deputy_id))
        [line] = notices_of(session, agreeing, utc_now() + timedelta(days=1))
    assert line.notice.kind == "act.deputy"
    with database.write.begin() as session:  # the bell waits until morning in quiet hours
        session.execute(update(Notice).values(show_at=utc_now()))
    assert "Ответ ждёт согласования" in enter("head").get("/notices").text


def test_one_text_becomes_a_line_and_a_private_message(enter, open_case, database, cast) -> None:
    cast.private("Здравствуйте", author="Анна Яр")
    case_id, smm = open_case(), enter("smm")
    assert 'id="private-text"' in smm.get(f"/inbox/{case_id}", htmx=True).text
    fields = {"text": "Написали вам лично", "private_text": "Вернём 500 рублей", "form_key": "k1"}
    assert smm.post(f"/inbox/{case_id}/reply", htmx=True, **fields).status_code == 204
    with database.read.begin() as session:
        assert sorted(session.scalars(select(Act.text))) == ["Вернём 500 рублей", "Написали вам лично"]


def test_the_check_stands_in_the_dialog_of_an_edit_too(enter, open_case, database) -> None:
    case_id, smm = open_case(), enter("smm")
    smm.post(f"/inbox/{case_id}/reply", htmx=True, text="Ответ", form_key="k1", now="1")
    act_id = publish(database)
    fields = {"text": "Звоните +7 916 555-12-34", "form_key": "e1"}
    assert smm.post(f"/acts/{act_id}/edit", htmx=True, **fields).status_code == 422
    answer = smm.post(f"/acts/{act_id}/edit", htmx=True, **fields, **{"why-personal": "просила сама"})
    assert answer.status_code == 204
    with database.read.begin() as session:
        assert session.scalars(select(Reply.overrides)).one() == {"personal": "просила сама"}


def test_the_table_of_agreement_is_edited_and_the_composer_says_why_a_text_waits(
    enter, open_case, database
) -> None:
    case_id, head, smm = open_case(), enter("head"), enter("smm")
    page = head.get("/settings/agreement").text
    assert page.count('name="kind"') == 4  # three legal kinds and an empty row
    rows = {
        "kind": ["", "claim", ""],
        "visibility": ["public", "", ""],
        "theme": ["", "", ""],
        "urgent": ["1", "", ""],
    }
    assert head.post("/settings/agreement", minutes="30", **rows).status_code == 302
    assert head.get("/settings/agreement").text.count('name="kind"') == 3
    assert head.post("/settings/agreement", minutes="30", drop="0", **rows).status_code == 302
    assert head.get("/settings/agreement").text.count('name="kind"') == 2
    with database.write.begin() as session:
        session.get_one(Case, case_id).kind = "claim"
    page = smm.get(f"/inbox/{case_id}", htmx=True).text
    assert "Уйдёт, когда согласует руководитель (Претензия)" in page
    assert "На согласование" in page
    assert "Уйдёт, когда согласует руководитель" not in head.get(f"/inbox/{case_id}", htmx=True).text
    wrong = {**rows, "kind": ["", "pirate", ""]}
    assert head.post("/settings/agreement", htmx=True, minutes="30", **wrong).status_code == 422


def test_a_file_beside_the_draft_has_its_form_and_its_page(enter, open_case, database, cast) -> None:
    case_id, smm = open_case(), enter("smm")
    page = smm.get(f"/inbox/{case_id}", htmx=True).text
    assert "Здесь к ответу нельзя приложить файл" in page
    refused = smm.post(f"/inbox/{case_id}/files", htmx=True, file=(BytesIO(b"%PDF-1.4"), "цены.pdf"))
    assert refused.status_code == 422
    with database.write.begin() as session:
        row = ReplyFile(
            case_id=case_id, staff_id=cast.smm.staff_id, kind="document", name="цены.pdf", digest="d", size=2048,
            content_type="application/pdf", content=b"%PDF-1.4",
        )  # fmt: skip
        session.add(row)
        session.flush()
        file_id = row.id
    page = smm.get(f"/inbox/{case_id}", htmx=True).text
    assert "цены.pdf" in page
    assert "2,0 КБ" in page
    answer = smm.get(f"/inbox/{case_id}/files/{file_id}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert enter("head").get(f"/inbox/{case_id}/files/{file_id}").status_code == 404
    assert "цены.pdf" not in smm.post(f"/inbox/{case_id}/files/{file_id}/remove", htmx=True).text
