"""The holding reply promises the end of the next working day, by the desk's own clock."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from collectors.base import Person, Receipt
from models import Act, Case, Clock, Message, Source, Staff
from services.cases import close
from services.holding import holding_reply, is_approved_text, promised_until
from services.outbox import claim_act
from services.outcomes import record_receipt
from services.replies import write_reply
from services.routing import ask_department
from services.sla import promise
from services.terms import save_terms


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (datetime(2026, 11, 25, 9, tzinfo=UTC), "2026-11-26T17:00"),  # Wednesday
        (datetime(2026, 11, 27, 9, tzinfo=UTC), "2026-11-30T17:00"),  # Friday
        (datetime(2026, 11, 25, 22, tzinfo=UTC), "2026-11-27T17:00"),  # already Thursday in Moscow
        (datetime(2026, 11, 3, 9, tzinfo=UTC), "2026-11-05T17:00"),  # before a holiday
        (datetime(2026, 12, 30, 9, tzinfo=UTC), "2027-01-11T17:00"),
    ],
)
def test_the_next_working_day(now, until) -> None:
    assert promised_until(now, "Europe/Moscow").strftime("%Y-%m-%dT%H:%M") == until


def test_the_text_names_the_day(database) -> None:
    with database.read.begin() as session:
        said = holding_reply(session, "Europe/Moscow", now=datetime(2026, 11, 25, 9, tzinfo=UTC)).text
    assert said == "Взяли ваш вопрос в работу, вернёмся с ответом до четверга, 17:00."


def test_the_schools_own_days_off_are_not_promised(cast, database) -> None:
    with database.write.begin() as session:
        save_terms(session, cast.head, {"changes": {"2026-11-26": "off"}})
        said = holding_reply(session, "Europe/Moscow", now=datetime(2026, 11, 25, 9, tzinfo=UTC)).text
    assert "до пятницы, 17:00" in said


@pytest.fixture
def case_id(database, cast) -> int:
    cast.write("Когда откроют третий урок?", author="Анна Яр")
    with database.read.begin() as session:
        return session.scalars(select(Message.case_id)).one()


def published(database, cast, case_id, form_key, number, **wishes):
    """Writes a reply that the platform takes at once."""
    with database.write.begin() as session:
        found = holding_reply(session, "Europe/Moscow", session.get_one(Case, case_id))
        if "text" not in wishes:
            wishes.update(text=found.text, promised_until=found.until, then="keep")
        write_reply(session, cast.smm, case_id, wishes.pop("text"), form_key, undo_seconds=0, **wishes)
    with database.write.begin() as session:
        act = claim_act(session)
    with database.write.begin() as session:
        record_receipt(session, act, Receipt(number, f"https://blog.example/17#{number}"))
    return found.until


def promises(database) -> list[Clock]:
    with database.read.begin() as session:
        return list(session.scalars(select(Clock).where(Clock.kind == "promise").order_by(Clock.id)))


def test_a_promise_runs_until_the_answer_stands_there(database, cast, case_id) -> None:
    until = published(database, cast, case_id, "f1", "901")
    [promise] = promises(database)
    assert (promise.due_at, promise.done_at) == (until, None)
    with database.read.begin() as session:
        case = session.get_one(Case, case_id)
        assert case.first_reply_at is not None
        assert case.due_at == until
    published(database, cast, case_id, "f2", "902", text="Откроем завтра", then="keep")
    assert promises(database)[0].done_at is not None


def test_the_second_promise_stands_for_the_first(database, cast, case_id) -> None:
    published(database, cast, case_id, "f1", "901")
    published(database, cast, case_id, "f2", "902")
    first, second = promises(database)
    assert first.done_at is not None
    assert second.done_at is None


def test_reading_back_an_old_reply_changes_no_promise(database, cast, case_id) -> None:
    published(database, cast, case_id, "f1", "901", text="Уточняем", then="keep")
    published(database, cast, case_id, "f2", "902")
    cast.write("Уточняем", author=Person("desk", "Школа", is_us=True), external_id="901")
    with database.read.begin() as session:
        assert session.scalars(select(Act.state).where(Act.external_id == "901")).one() == "seen"
    assert promises(database)[0].done_at is None


def test_a_promise_that_is_read_back_after_the_answer_is_not_made_anew(database, cast, case_id) -> None:
    published(database, cast, case_id, "f1", "901")
    published(database, cast, case_id, "f2", "902", text="Откроем завтра", then="keep")
    with database.read.begin() as session:
        said = session.scalars(select(Act.text).where(Act.external_id == "901")).one()
    cast.write(said, author=Person("desk", "Школа", is_us=True), external_id="901")
    [promise] = promises(database)
    assert promise.done_at is not None


def test_a_department_that_owes_gives_the_day(database, cast, case_id) -> None:
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).created_at = datetime(2026, 11, 1, tzinfo=UTC)
        ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда третий урок?", "r1")
        due = session.scalars(select(Clock.due_at).where(Clock.kind == "department")).one()
        found = holding_reply(session, "Europe/Moscow", session.get_one(Case, case_id))
    assert timedelta(0) <= found.until - due < timedelta(hours=1)
    assert found.until.minute == 0


@pytest.mark.parametrize("said", ["четверга, 17:00", "4 декабря, 9:30"])
def test_the_approved_text_is_known_with_any_day_in_it(database, said) -> None:
    with database.read.begin() as session:
        is_known = is_approved_text(session, f"Взяли ваш вопрос в работу, вернёмся с ответом до {said}.")
        assert is_known is (said != "4 декабря, 9:30")
        assert not is_approved_text(
            session, f"Взяли ваш вопрос в работу, вернёмся с ответом до {said}. Скидка 50 %"
        )


def test_a_trainee_needs_nobody_for_the_approved_text(database, cast, case_id) -> None:
    with database.write.begin() as session:
        session.get_one(Staff, cast.smm.staff_id).trainee = True
    published(database, cast, case_id, "f1", "901")
    assert len(promises(database)) == 1


@pytest.mark.parametrize("hour", [6, 9, 13, 20, 23])
def test_the_clock_ends_at_the_very_minute_that_was_named(database, cast, case_id, hour, monkeypatch) -> None:
    now = datetime(2026, 11, 26, hour, 17, 23, 640460, tzinfo=UTC)
    monkeypatch.setattr("services.sla.utc_now", lambda: now)
    with database.write.begin() as session:
        case = session.get_one(Case, case_id)
        until = holding_reply(session, "Europe/Moscow", case, now).until
        assert promise(session, case, until).due_at == until


def test_a_holding_reply_that_lands_after_the_case_was_closed_promises_nothing(database, cast, case_id) -> None:
    with database.write.begin() as session:
        found = holding_reply(session, "Europe/Moscow", session.get_one(Case, case_id))
        write_reply(
            session, cast.smm, case_id, found.text, "f1", undo_seconds=0, promised_until=found.until, then="keep"
        )
    with database.write.begin() as session:
        act = claim_act(session)
        close(session, cast.smm, case_id, "answered_in_thread")
    assert act is not None
    with database.write.begin() as session:
        record_receipt(session, act, Receipt("901"))
    assert promises(database) == []
    with database.read.begin() as session:
        assert session.get_one(Case, case_id).first_reply_at is not None


def test_what_we_wrote_without_a_reply_keeps_the_promise(database, cast, case_id) -> None:
    """An act of ours in the case that no composer wrote answers it all the same."""
    published(database, cast, case_id, "f1", "901")
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "Открыли", "f2", undo_seconds=0, then="keep")
        session.execute(update(Act).where(Act.text == "Открыли").values(reply_id=None))
    with database.write.begin() as session:
        act = claim_act(session)
    with database.write.begin() as session:
        record_receipt(session, act, Receipt("902"))
    assert promises(database)[0].done_at is not None
