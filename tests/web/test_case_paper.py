"""One case as one PDF: everything that was written and done stands on it, its taking too, and not for everybody."""

import io
from datetime import timedelta

import pypdfium2
import pytest
from sqlalchemy import select

from collectors.base import Receipt
from models import Act, Case, CaseFact, Decision, Event, Message, RouteLine, Source, TextVersion, Verdict, utc_now
from services.approval import approve, reject
from services.by_hand import Published, mark_published
from services.cases import close
from services.documents.sheets import bars, draw_sheet, quote, table
from services.outbox import claim_act
from services.outcomes import record_receipt
from services.parting import split_off
from services.replies import write_reply
from services.reports.facts import Running, spent_of
from services.routing import answer_route, ask_department
from services.terms import policy_of

ODD = "Когда вебинар? {{ 7*7 }} <b>&amp; 🙂 \x07\ufffe конец"


def words_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    return "".join("".join(page.get_textpage().get_text_range() for page in document).split())


@pytest.fixture
def case_id(cast, database, open_case) -> int:
    """Asked, edited, handed over, answered by a department and then by us, with proof; a claim was decided."""
    case_id = open_case(ODD)
    with database.write.begin() as session:
        message = session.scalars(select(Message).where(Message.case_id == case_id)).one()
        session.add(TextVersion(message_id=message.id, number=1, text="Первые слова", stood_until=utc_now()))
        message.versions, message.edited_at = 2, utc_now()
        route = ask_department(session, cast.smm, case_id, cast.departments["curators"], "Что ответить?", "q1")
        answer_route(session, cast.curator, route.id, "В среду в 19:00")
        write_reply(session, cast.smm, case_id, "Вебинар в среду", "f1", undo_seconds=0)
        session.add(
            Verdict(case_id=case_id, outcome="partly", measures="Дежурный по чату", staff_id=cast.head.staff_id)
        )
        session.add(RouteLine(route_id=route.id, staff_id=cast.curator.staff_id, text="Какой из вебинаров?"))
        session.add(
            Decision(kind="claim_answer", case_id=case_id, ground="Пункт 8.4", outcome="Вернуть половину",
                     author_id=cast.head.staff_id)
        )  # fmt: skip
    with database.write.begin() as session:
        claimed = claim_act(session)
    with database.write.begin() as session:
        record_receipt(session, claimed, Receipt("901", "https://blog.example/17#901"))
    return case_id


def taken(visitor, case_id: int):
    answer = visitor.post(f"/inbox/{case_id}/paper")
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    return words_of(answer.data)


def test_all_of_the_case_stands_on_it_and_its_taking_is_known(case_id, database, enter) -> None:
    sheet = taken(enter("head"), case_id)
    for words in (
        "Когдавебинар?{{7*7}}<b>&amp;", "конец", "Первыеслова", "Чтоответить?", "Всредув19:00", "Вебинарвсреду",
        "901", "https://blog.example/17#901", "Вернутьполовину", "Пункт8.4", "АннаЯр", "ВзятооднимPDF", "Москва",
        "Обоснованачастично", "Меры:Дежурныйпочату", "Какойизвебинаров?",
    ):  # fmt: skip
        assert words in sheet, words
    with database.read.begin() as session:
        assert session.query(Event).where(Event.kind == "case.printed", Event.case_id == case_id).count() == 1


def test_a_decision_is_only_for_who_may_see_decisions(case_id, enter) -> None:
    sheet = taken(enter("smm"), case_id)
    assert "Вебинарвсреду" in sheet
    assert "Вернутьполовину" not in sheet


def test_who_may_not_see_the_case_takes_nothing(case_id, database, enter) -> None:
    assert enter("curator").post(f"/inbox/{case_id}/paper").status_code in (302, 403)
    assert enter("smm").post("/inbox/99999/paper", htmx=True).status_code == 404
    with database.read.begin() as session:
        assert session.query(Event).where(Event.kind == "case.printed").count() == 0


def test_the_menu_of_the_case_offers_it(case_id, enter) -> None:
    assert f'action="/inbox/{case_id}/paper"' in enter("smm").get(f"/inbox/{case_id}").text


def test_a_long_case_is_drawn_within_the_limits_of_the_child() -> None:
    rows = [[f"{number}", "Слова " * 20, "Кто"] for number in range(400)]
    sheet = draw_sheet("Долгое", "", [
        table(["№", "Что", "Кто"], rows, wide=(1, 5, 2)), bars([("а", 3, "3"), ("б", 0, "0")]),
        *(quote(f"Автор {number}", "Вопрос " * 60) for number in range(200)),
    ])  # fmt: skip
    assert "Автор199" in words_of(sheet)


def test_a_term_that_no_answer_ended_was_kept_by_nobody(cast, database, open_case, enter) -> None:
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).created_at = utc_now() - timedelta(days=900)
    case_id = open_case("Когда вебинар?")
    with database.write.begin() as session:
        close(session, cast.smm, case_id, "no_answer_needed")
    sheet = taken(enter("smm"), case_id)
    assert "кончилсябезответа" in sheet


def test_of_an_open_case_the_present_holders_time_runs_on(cast, database, open_case, enter) -> None:
    case_id = open_case("Когда вебинар?")
    with database.write.begin() as session:
        fact = session.get_one(CaseFact, case_id)
        fact.held_since, fact.holder = utc_now() - timedelta(days=21), "desk"
        calendar = policy_of(session).calendars["desk"]
        spent = spent_of(fact, Running(calendar, utc_now()))
    assert spent["desk"] > 9 * 60 * 10
    assert f"мы{spent['desk'] // 60}ч" in taken(enter("smm"), case_id)


def test_who_agreed_to_an_answer_and_who_sent_one_back(cast, database, open_case, enter) -> None:
    case_id = open_case("Когда вернёте деньги?")
    with database.write.begin() as session:
        session.get_one(Case, case_id).kind = "claim"

    def waiting(text: str, key: str) -> int:
        reply = write_reply(session, cast.smm, case_id, text, key, undo_seconds=0)
        return session.scalars(select(Act.id).where(Act.reply_id == reply.id)).one()

    with database.write.begin() as session:
        reject(session, cast.head, waiting("Не вернём", "f1"), "Назовите пункт договора")
        approve(session, cast.head, waiting("Вернём половину", "f2"))
    sheet = taken(enter("smm"), case_id)
    agreement = sheet[sheet.index("Согласованиеответов") :]
    for words in (
        "Невернём",
        "возвращённадоработку:Назовитепунктдоговора",
        "Вернёмполовину",
        "согласован",
        "МаринаКотова",
    ):
        assert words in agreement, words


def test_what_was_split_off_stands_on_both_sheets(cast, database, open_case, enter) -> None:
    case_id = open_case("Когда вебинар? И верните деньги за март.")
    with database.write.begin() as session:
        message_id = session.scalars(select(Message.id).where(Message.case_id == case_id)).one()
        part = split_off(session, cast.smm, case_id, message_id, "верните деньги за март", "f1", None)
        part_id, part_number = part.id, part.number
        number = session.get_one(Case, case_id).number
    smm = enter("smm")
    assert f"Выделеновобращение{part_number}:«вернитеденьгизамарт»" in taken(smm, case_id)
    sheet = taken(smm, part_id)
    assert f"Частьобращения{number}" in sheet
    assert "Этообращение—ословах:«вернитеденьгизамарт»" in sheet


def test_what_a_person_published_no_platform_took(cast, database, open_case, enter) -> None:
    case_id = open_case("Когда вебинар?")
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).platform = "manual"
        mark_published(session, cast.smm, case_id, "Вебинар в среду", "f1", Published())
    sheet = taken(enter("smm"), case_id)
    assert "Опубликованотамвручную" in sheet
    assert "Насколькодоказано" in sheet
    proof = sheet[sheet.index("Насколькодоказано") :]
    assert "Принятоплощадкой" not in proof
