"""What surrounds a reply: sending later, approval, changing what is published, saved replies, facts."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from collectors.base import Person, Receipt
from models import Act, Case, Draft, FactUse, Message, Reply, Staff, TextVersion, utc_now
from services.approval import approve, reject
from services.candidates import offered
from services.errors import Forbidden, NotFound, Refused, Stale
from services.facts import is_over, outdated_replies, save_fact
from services.outbox import claim_act
from services.outcomes import record_receipt
from services.replies import change_published, take_back, write_reply
from services.saved_replies import archive_saved, count_use, fill, save_saved, saved_replies


@pytest.fixture
def case_id(database, cast) -> int:
    cast.write("Когда откроют третий урок?", author="Анна Яр")
    with database.read.begin() as session:
        return session.scalars(select(Message.case_id)).one()


def only_act(session) -> Act:
    return session.scalars(select(Act)).one()


def publish(database) -> int:
    """The platform takes what is due."""
    with database.write.begin() as session:
        act = claim_act(session)
    with database.write.begin() as session:
        record_receipt(session, act, Receipt("901", "https://blog.example/17#901"))
        return act.id


def test_a_reply_may_wait_for_its_hour_and_be_taken_back(database, cast, case_id) -> None:
    tomorrow = utc_now() + timedelta(days=1)
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "Откроем в пятницу", "f1", send_at=tomorrow)
    with database.write.begin() as session:
        act = only_act(session)
        assert (act.state, act.due_at) == ("held", tomorrow)
        assert claim_act(session) is None
        assert claim_act(session, now=tomorrow + timedelta(seconds=1)) is not None
        session.rollback()
    with database.write.begin() as session:
        take_back(session, cast.smm, only_act(session).id)
        assert session.scalars(select(Draft.text)).one() == "Откроем в пятницу"


@pytest.mark.parametrize("away", [timedelta(minutes=-1), timedelta(days=91)])
def test_an_hour_that_is_over_or_too_far_is_refused(database, cast, case_id, away) -> None:
    with database.write.begin() as session, pytest.raises(Refused, match=r"reply\.time"):
        write_reply(session, cast.smm, case_id, "Ответ", "f1", send_at=utc_now() + away)


def test_a_blocked_text_needs_a_reason_which_stays_with_the_reply(database, cast, case_id) -> None:
    text = "Звоните +7 916 555-12-34"
    with database.write.begin() as session, pytest.raises(Refused, match=r"text\.lint"):
        write_reply(session, cast.smm, case_id, text, "f1")
    with database.write.begin() as session:
        reply = write_reply(session, cast.smm, case_id, text, "f1", overrides={"personal": "её просьба"})
        assert reply.overrides == {"personal": "её просьба"}


# Approval


@pytest.fixture
def trainee(database, cast):
    with database.write.begin() as session:
        session.get_one(Staff, cast.smm.staff_id).trainee = True
    return cast.smm


def test_a_trainees_reply_waits_and_goes_when_somebody_agrees(database, cast, case_id, trainee) -> None:
    with database.write.begin() as session:
        write_reply(session, trainee, case_id, "Откроем в пятницу", "f1")
    with database.write.begin() as session:
        case = session.get_one(Case, case_id)
        assert (only_act(session).state, case.state, case.lift) == ("approval", "approval", "approval")
        assert claim_act(session, now=utc_now() + timedelta(days=1)) is None
        with pytest.raises(Forbidden):
            approve(session, trainee, only_act(session).id)
        approve(session, cast.head, only_act(session).id, "Откроем в пятницу, в 12:00")
        assert (only_act(session).state, only_act(session).text) == ("queued", "Откроем в пятницу, в 12:00")
        assert (case.state, case.assignee_id) == ("solved", trainee.staff_id)
        with pytest.raises(Refused):
            approve(session, cast.head, only_act(session).id)


def test_a_rejected_text_goes_back_with_a_note(database, cast, case_id, trainee) -> None:
    with database.write.begin() as session:
        write_reply(session, trainee, case_id, "Не знаю", "f1")
    with database.write.begin() as session:
        with pytest.raises(Refused):
            reject(session, cast.head, only_act(session).id, " ")
        reply = reject(session, cast.head, only_act(session).id, "Спросите кураторов")
        assert reply.verdict_note == "Спросите кураторов"
    with database.read.begin() as session:
        draft = session.scalars(select(Draft)).one()
        assert (draft.staff_id, draft.text) == (trainee.staff_id, "Не знаю")
        case = session.get_one(Case, case_id)
        assert (case.state, case.lift, only_act(session).state) == ("work", "rejected", "cancelled")


def test_of_two_candidates_one_goes_and_the_other_is_superseded(database, cast, case_id, trainee) -> None:
    with database.write.begin() as session:
        for number in (1, 2):
            write_reply(session, trainee, case_id, f"Ответ {number}", f"f{number}")
    with database.write.begin() as session:
        first, second = (act.id for act, _ in offered(session, case_id))
        approve(session, cast.head, second)
        states = {act.id: act.state for act in session.scalars(select(Act))}
        assert states == {first: "cancelled", second: "queued"}


def test_agreeing_to_an_older_state_of_the_case_is_stale(database, cast, case_id, trainee) -> None:
    with database.write.begin() as session:
        write_reply(session, trainee, case_id, "Ответ", "f1")
        seen = session.get_one(Case, case_id).version
    with database.write.begin() as session:
        session.get_one(Case, case_id).version += 1
    with database.write.begin() as session, pytest.raises(Stale):
        approve(session, cast.head, only_act(session).id, version=seen)


# What is published


def test_our_reply_is_edited_where_it_stands_and_the_old_text_stays(database, cast, case_id) -> None:
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "В пятницу", "f1", undo_seconds=0)
    own = publish(database)
    cast.store(cast.incoming("В пятницу", external_id="901", author=Person("us", "Школа", is_us=True)))
    with database.write.begin() as session:
        edit = change_published(session, cast.smm, own, "e1", text="В субботу", undo_seconds=0)
        again = change_published(session, cast.smm, own, "e1", text="В субботу", undo_seconds=0)
        assert edit.id == again.id
        assert (edit.kind, edit.target["external_id"]) == ("edit", "901")
    publish(database)
    with database.read.begin() as session:
        message = session.scalars(select(Message).where(Message.external_id == "901")).one()
        assert message.text == "В субботу"
        assert session.scalars(select(TextVersion.text)).one() == "В пятницу"


def test_our_reply_is_removed_once_and_says_so(database, cast, case_id) -> None:
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "В пятницу", "f1", undo_seconds=0)
    own = publish(database)
    with database.write.begin() as session:
        change_published(session, cast.smm, own, "d1", text=None, undo_seconds=0)
    publish(database)
    with database.write.begin() as session:
        assert session.get_one(Act, own).state == "removed"
        with pytest.raises(Refused):
            change_published(session, cast.smm, own, "d2", text=None)


def test_what_is_not_published_cannot_be_changed(database, cast, case_id) -> None:
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "В пятницу", "f1", undo_seconds=0)
        with pytest.raises(Refused):
            change_published(session, cast.smm, only_act(session).id, "e1", text="В субботу")
        with pytest.raises(NotFound):
            change_published(session, cast.smm, 999, "e1", text="В субботу")


# Saved replies and facts


def test_a_saved_reply_is_filled_and_names_what_is_missing(database, cast, case_id) -> None:
    with database.write.begin() as session:
        save_fact(session, cast.head, None, code="price", title="Цена курса", value="4 900 ₽")
        saved = save_saved(
            session, cast.smm, None, title="Цена",
            text="{{имя|Здравствуйте}}, курс стоит {{fact.price}}, до {{fact.until}}. {{я}}",
        )  # fmt: skip
        filled = fill(session, cast.smm, saved.id, case_id)
    assert filled.text == "Анна, курс стоит 4 900 ₽, до {{fact.until}}. Дарья Лис"
    assert filled.missing == ("fact.until",)


def test_a_nickname_is_no_name_to_greet_with(database, cast) -> None:
    cast.write("А где запись?", author="@dina.khas")
    with database.write.begin() as session:
        case_id = session.scalars(select(Message.case_id)).one()
        saved = save_saved(session, cast.smm, None, title="Привет", text="{{имя|Здравствуйте}}!")
        assert fill(session, cast.smm, saved.id, case_id).text == "Здравствуйте!"


def test_saved_replies_are_found_by_words_and_own_ones_stay_own(database, cast) -> None:
    with database.write.begin() as session:
        first = save_saved(session, cast.smm, None, title="Ещё о возврате", text="Вернём за 10 дней")
        save_saved(session, cast.smm, None, title="Моё", text="Черновая мысль", scope="own")
        count_use(session, cast.smm, first.id)
        assert [row.title for row in saved_replies(session, cast.head)] == ["Ещё о возврате"]
        assert [row.title for row in saved_replies(session, cast.smm, "еще ДНЕЙ")] == ["Ещё о возврате"]
        assert len(saved_replies(session, cast.smm)) == 2
        archive_saved(session, cast.smm, first.id)
        assert saved_replies(session, cast.head) == []
        archive_saved(session, cast.smm, first.id, back=True)
        assert [row.uses for row in saved_replies(session, cast.head)] == [1]
        with pytest.raises(Forbidden):
            saved_replies(session, cast.curator)


def test_a_changed_fact_lists_published_replies_with_the_old_value(database, cast, case_id) -> None:
    with database.write.begin() as session:
        fact = save_fact(session, cast.head, None, code="price", title="Цена", value="4 900 ₽")
        write_reply(session, cast.smm, case_id, "Курс стоит 4 900 ₽", "f1", undo_seconds=0)
        assert session.scalars(select(FactUse.value)).one() == "4 900 ₽"
        assert outdated_replies(session, fact) == []
    publish(database)
    with database.write.begin() as session:
        fact = save_fact(session, cast.head, fact.id, code="price", title="Цена", value="5 400 ₽")
        [old] = outdated_replies(session, fact)
        assert (old.value, old.can_edit, old.reply.id) == ("4 900 ₽", True, session.scalars(select(Reply.id)).one())


def test_a_fact_has_one_code_and_a_last_day(database, cast) -> None:
    with database.write.begin() as session:
        fact = save_fact(
            session, cast.head, None, code="start", title="Старт", value="1 декабря", valid_to=date(2026, 12, 1)
        )
        assert (is_over(fact, date(2026, 12, 1)), is_over(fact, date(2026, 12, 2))) == (False, True)
        with pytest.raises(Refused):
            save_fact(session, cast.head, None, code="START", title="Ещё", value="1 января")
        with pytest.raises(Refused):
            save_fact(session, cast.head, None, code="не код", title="Ещё", value="1 января")
        with pytest.raises(Forbidden):
            save_fact(session, cast.smm, None, code="x", title="Ещё", value="1 января")


def test_a_corrected_reply_is_outdated_no_more(database, cast, case_id) -> None:
    with database.write.begin() as session:
        fact = save_fact(session, cast.head, None, code="price", title="Цена", value="4 900 ₽")
        write_reply(session, cast.smm, case_id, "Курс стоит 4 900 ₽", "f1", undo_seconds=0)
    own = publish(database)
    with database.write.begin() as session:
        fact = save_fact(session, cast.head, fact.id, code="price", title="Цена", value="5 400 ₽")
        change_published(session, cast.smm, own, "e1", text="Курс стоит 5 400 ₽", undo_seconds=0)
    publish(database)
    with database.read.begin() as session:
        assert outdated_replies(session, fact) == []
        assert session.scalars(select(Reply.text)).one() == "Курс стоит 5 400 ₽"
        assert session.scalars(select(FactUse.value)).one() == "5 400 ₽"
        assert session.get_one(Act, own).text == "Курс стоит 4 900 ₽"


def test_the_door_is_the_same_for_an_edit_and_for_an_approver(database, cast, case_id) -> None:
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "В пятницу", "f1", undo_seconds=0)
    own = publish(database)
    for text, code in (("Звоните +7 916 555-12-34", "text.lint"), (" ", "text.empty"), ("я" * 70_000, "text.long")):
        with database.write.begin() as session, pytest.raises(Refused, match=code):
            change_published(session, cast.smm, own, "e1", text=text)
    with database.write.begin() as session:
        session.get_one(Staff, cast.smm.staff_id).trainee = True
    with database.write.begin() as session:
        with pytest.raises(Forbidden):
            change_published(session, cast.smm, own, "e1", text="В субботу")
        write_reply(session, cast.smm, case_id, "В воскресенье", "f2")
    with database.write.begin() as session:
        act_id = session.scalars(select(Act.id).where(Act.state == "approval")).one()
        with pytest.raises(Refused, match=r"text\.empty"):
            approve(session, cast.head, act_id, "  ")
