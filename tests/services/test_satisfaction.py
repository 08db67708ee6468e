"""The line under a private answer: where it stands, that it is sent as kept, and what its link records."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from collectors.base import ChannelError, Person, Receipt, Sent, Visibility
from models import Act, Author, Case, Event, Message, Notice, Reply, Satisfaction, Source, Staff, utc_now
from services.approval import approve
from services.crm.forgetting import forget_words
from services.errors import Forbidden, NotFound, Refused
from services.notices import notices_of
from services.outbox import channel_act, claim_act
from services.outcomes import record_error, record_receipt
from services.replies import draft_of, take_back, write_reply
from services.satisfaction import (
    CHANGEABLE,
    Asking,
    ask_under,
    asking_of,
    find_asked,
    give_mark,
    is_open,
    line_of,
    run_address,
    save_asking,
    without_line,
)
from tests.services.test_cases import label_all

DESK = "https://desk.example"
NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
TEXT = "Доступ открыт, проверьте кабинет."


@pytest.fixture
def asking(cast, database):
    with database.write.begin() as session:
        save_asking(session, cast.head, mail=True, messages=True, text="Оцените ответ:", address=f"{DESK}/")


@pytest.fixture
def case_id(cast, database) -> int:
    cast.private("Оплатил, а доступа нет")
    label_all(database)
    with database.read.begin() as session:
        return session.scalars(select(Case.id)).one()


def write(database, actor, case_id, text=TEXT, key="form-1", **wishes) -> str:
    with database.write.begin() as session:
        return write_reply(session, actor, case_id, text, key, **wishes).text


def token_of(text: str) -> str:
    found = re.search(rf"{DESK}/o/([\w-]{{22}})", text)
    assert found is not None, text
    return found.group(1)


def test_nobody_is_asked_until_it_is_switched_on(cast, database, case_id) -> None:
    assert write(database, cast.smm, case_id) == TEXT
    with database.read.begin() as session:
        assert asking_of(session) == Asking()


def come_home(cast, text, external_id, parent) -> None:
    us = Person("us", "Школа", is_us=True)
    cast.store(
        cast.incoming(
            text, us, external_id=external_id, container="dialogue", publication=None,
            visibility=Visibility.PRIVATE, published_at=utc_now(), parent_external_id=parent,
        )
    )  # fmt: skip


@pytest.mark.parametrize("proven", [True, False])
def test_what_is_kept_is_what_is_sent_and_read_back(cast, database, asking, case_id, proven) -> None:
    """The line is in the reply from the beginning: the outbox, the platform and the thread have one text, by which
    also an act is known again whose receipt was lost."""
    text = write(database, cast.smm, case_id, undo_seconds=0)
    assert text.startswith(f"{TEXT}\n\nОцените ответ: {DESK}/o/")
    assert write(database, cast.smm, case_id, undo_seconds=0) == text  # pressed twice: one reply, one line
    with database.write.begin() as session:
        act = claim_act(session)
        assert act is not None
        assert channel_act(act).text == act.text == text
        if proven:
            record_receipt(session, act, Receipt("m-77", None))
        else:
            record_error(session, act, ChannelError("lost", sent=Sent.UNKNOWN))
        parent = act.target["external_id"]
    come_home(cast, text, "m-77", parent)
    with database.read.begin() as session:
        act = session.scalars(select(Act)).one()
        ours = session.scalars(select(Message).where(Message.external_id == "m-77")).one()
        assert (act.state, ours.act_id, ours.direction) == ("seen", act.id, "out")
        assert session.scalars(select(Reply.text)).one() == text
        row = session.scalars(select(Satisfaction)).one()
        assert (row.case_id, row.staff_id, row.mark) == (case_id, cast.smm.staff_id, None)
        assert token_of(text) not in row.token_hash


def test_public_answers_and_unfinished_ones_never_have_it(cast, database, asking, case_id) -> None:
    cast.write("Когда вебинар?", "Пётр")
    label_all(database)
    with database.read.begin() as session:
        public = session.scalars(select(Case.id).where(Case.visibility == "public")).one()
    assert write(database, cast.smm, public, "В среду.", "p-1") == "В среду."
    for number, then in enumerate(("wait", "keep")):
        assert write(database, cast.smm, case_id, "Уточните почту.", f"w-{number}", then=then) == "Уточните почту."
    until = NOW + timedelta(days=1)
    assert write(database, cast.smm, case_id, "Взяли в работу.", "h-1", promised_until=until) == "Взяли в работу."


def test_a_case_is_asked_about_once(cast, database, asking, case_id) -> None:
    assert DESK in write(database, cast.smm, case_id)
    assert write(database, cast.smm, case_id, "И ещё одно.", "form-2") == "И ещё одно."


def test_each_kind_of_channel_is_switched_apart(cast, database, case_id) -> None:
    with database.write.begin() as session:
        save_asking(session, cast.head, mail=True, messages=False, text="Оцените:", address=DESK)
    assert write(database, cast.smm, case_id) == TEXT


def test_a_letter_has_five_links_and_a_message_one() -> None:
    asking = Asking(True, True, "Оцените:", DESK)
    assert line_of(asking, "telegram", "t") == f"\n\nОцените: {DESK}/o/t"
    assert line_of(asking, "mail", "t").splitlines()[2:] == [
        "Оцените:", *(f"{mark}: {DESK}/o/t/{mark}" for mark in (5, 4, 3, 2, 1))
    ]  # fmt: skip


def test_without_room_the_answer_goes_without_it(cast, database, asking, case_id) -> None:
    with database.write.begin() as session:
        reply = write_reply(session, cast.smm, case_id, TEXT, "form-1", then="keep")
        reply.afterwards = "solved"
        message, source = session.get_one(Message, reply.message_id), session.get_one(Case, case_id).source_id
        ask_under(session, reply, message, session.get_one(Source, source), room=len(TEXT) + 20)
        assert reply.text == TEXT
        assert session.scalars(select(Satisfaction)).all() == []


def test_undo_gives_the_bare_text_back_and_the_next_answer_asks_anew(cast, database, asking, case_id) -> None:
    first = token_of(write(database, cast.smm, case_id))
    with database.write.begin() as session:
        take_back(session, cast.smm, session.scalars(select(Act.id)).one())
        assert draft_of(session, cast.smm, case_id) == TEXT
    second = token_of(write(database, cast.smm, case_id, "Доступ уже открыт.", "form-2"))
    assert second != first
    with database.write.begin() as session:
        assert session.scalars(select(Satisfaction)).one().reply_id == session.scalars(
            select(Reply.id).order_by(Reply.id.desc()).limit(1)
        ).one()  # fmt: skip
        with pytest.raises(NotFound):
            find_asked(session, first)


def test_who_agrees_sees_the_line_and_it_goes_as_agreed(cast, database, asking, case_id) -> None:
    with database.write.begin() as session:
        session.get_one(Staff, cast.smm.staff_id).trainee = True
    text = write(database, cast.smm, case_id)
    assert DESK in text
    with database.write.begin() as session:
        act = session.scalars(select(Act)).one()
        assert act.state == "approval"
        approve(session, cast.head, act.id, text.replace("Доступ", "Ваш доступ"))
        assert act.text == text.replace("Доступ", "Ваш доступ")
        assert (
            without_line(session, session.scalars(select(Reply)).one()) == "Ваш доступ открыт, проверьте кабинет."
        )


def test_one_mark_a_case_changeable_for_a_week(cast, database, asking, case_id) -> None:
    token = token_of(write(database, cast.smm, case_id))
    with database.write.begin() as session:
        give_mark(session, token, 4, "  Спасибо  ", NOW)
        row = give_mark(session, token, 5, "", NOW + CHANGEABLE)
        assert (row.mark, row.comment, row.marked_at, row.changed_at) == (5, "", NOW, NOW + CHANGEABLE)
        assert not is_open(row, NOW + CHANGEABLE + timedelta(seconds=1))
        with pytest.raises(Refused, match=r"satisfaction\.late"):
            give_mark(session, token, 1, "", NOW + CHANGEABLE + timedelta(seconds=1))
        for wrong in (None, 0, 6, -1):
            with pytest.raises(Refused, match=r"satisfaction\.mark"):
                give_mark(session, token, wrong)
        with pytest.raises(NotFound):
            give_mark(session, "A" * 22, 5)
        told = session.execute(
            select(Event.kind, Event.data).where(Event.kind.startswith("satisfaction.mar") | Event.kind.startswith(
                "satisfaction.ch")).order_by(Event.id)
        ).all()  # fmt: skip
        assert [tuple(one) for one in told] == [
            ("satisfaction.marked", {"mark": 4}),
            ("satisfaction.changed", {"mark": 5}),
        ]


def test_a_low_mark_reaches_the_head_once_even_of_a_closed_case(cast, database, asking, case_id) -> None:
    token = token_of(write(database, cast.smm, case_id))
    with database.write.begin() as session:
        give_mark(session, token, 3, now=NOW)
        assert session.scalars(select(Notice)).all() == []
        give_mark(session, token, 2, "Не помогло", NOW)
        give_mark(session, token, 1, "Совсем", NOW)
        told = session.scalars(select(Notice)).all()
        assert [(one.kind, one.staff_id, one.case_id) for one in told] == [
            ("mark.low", cast.head.staff_id, case_id)
        ]
        session.get_one(Case, case_id).open_key = None
        lines = notices_of(session, cast.head, max(one.show_at for one in told))
        assert [line.notice.kind for line in lines] == ["mark.low"]


def test_the_setting_needs_an_address_a_right_and_words(cast, database) -> None:
    with database.write.begin() as session:
        with pytest.raises(Forbidden):
            save_asking(session, cast.smm, mail=True, messages=False, text="Оцените", address=DESK)
        with pytest.raises(Refused, match=r"satisfaction\.address"):
            save_asking(session, cast.head, mail=True, messages=False, text="Оцените", address=None)
        for text in ("  ", "д" * 161):
            with pytest.raises(Refused, match=r"satisfaction\.text"):
                save_asking(session, cast.head, mail=False, messages=False, text=text, address=DESK)
    assert run_address(database, DESK) is False  # nobody has set anything
    with database.write.begin() as session:
        save_asking(session, cast.head, mail=True, messages=True, text="Оцените", address=DESK)
    assert run_address(database, f"{DESK}/") is False
    assert run_address(database, None) is True
    with database.read.begin() as session:
        assert not asking_of(session).wants("mail")


def test_who_is_put_out_leaves_no_word_and_no_link(cast, database, asking, case_id) -> None:
    token = token_of(write(database, cast.smm, case_id))
    with database.write.begin() as session:
        give_mark(session, token, 2, "Я, Анна Яр, недовольна", NOW)
        forget_words(session, list(session.scalars(select(Author.id))))
        row = session.scalars(select(Satisfaction)).one()
        assert (row.comment, row.line, row.mark) == ("", "", 2)
        with pytest.raises(NotFound):
            find_asked(session, token)
