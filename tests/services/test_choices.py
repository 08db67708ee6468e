"""«Мои уведомления»: the bell shows what was chosen, mail brings what was not seen, own quiet hours win."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from collectors.base import ChannelError, Sent
from models import Case, Delivery, Notice, Staff, utc_now
from services.choices import may_disturb, run_pass, save_choices, send_test
from services.errors import NotFound, Refused
from services.notices import count_notices, notices_of, see_all
from services.reports.cut import Cut
from services.reports.morning import morning
from services.rights import DESK, Actor
from services.terms import policy_of
from services.ways import CHANNELS, EVENTS, choices_of, event_of
from tests.services.test_cases import label_all
from web.words import NOTICES

DAY = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)  # noon in Moscow
NIGHT = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)  # 23:00 there
ALL = [(event, channel) for event in EVENTS for channel in CHANNELS]


def test_every_kind_of_notice_belongs_to_an_event() -> None:
    assert [kind for kind in NOTICES if event_of(kind) is None] == []
    assert event_of("first.2") == "deadline"
    assert event_of("no.such") is None


@pytest.fixture
def tell(cast, database):
    """A notice to the specialist, of an open case."""

    def _tell(kind: str = "first.1", staff: Actor | None = None) -> None:
        with database.read.begin() as session:
            is_first = session.scalar(select(Case.id)) is None
        if is_first:
            cast.write("Когда проверят? Звоните +7 912 345-67-89", "Анна Яр")
            label_all(database)
        with database.write.begin() as session:
            case_id = session.scalar(select(Case.id))
            staff_id = (staff or cast.smm).staff_id
            session.add(
                Notice(staff_id=staff_id, kind=kind, case_id=case_id, show_at=utc_now(), created_at=utc_now())
            )

    return _tell


def choose(database, actor, pairs, quiet=None) -> None:
    with database.write.begin() as session:
        save_choices(session, actor, pairs, quiet)


def count(database) -> int:
    with database.read.begin() as session:
        return session.scalar(select(func.count(Delivery.id)).where(Delivery.kind == "notices")) or 0


def test_nobody_who_chose_nothing_is_written_to(cast, database, tell, send, box) -> None:
    tell()
    assert run_pass(database) == 1
    assert run_pass(database) == 0
    assert (count(database), send()) == (0, 0)
    with database.read.begin() as session:
        assert count_notices(session, cast.smm) == 1


def test_what_waits_comes_as_one_letter_without_contacts(cast, database, tell, send, box) -> None:
    choose(database, cast.smm, ALL)
    with time_machine.travel(DAY, tick=False):
        tell()
        tell("note.mention")
        tell("first.1", cast.head)
        assert run_pass(database) == 3
        assert (count(database), send()) == (1, 1)
    to, subject, text, _token = box.letters[0]
    assert (to, subject) == ("smm@school.example", "Уведомления: 2")
    assert "Срок: " in text
    assert "Вас зовут: " in text
    assert "912 345" not in text
    assert "https://desk.example/notices" in text


def test_what_was_seen_meanwhile_is_not_written(cast, database, tell, send, box) -> None:
    choose(database, cast.smm, ALL)
    with time_machine.travel(DAY, tick=False):
        tell()
        run_pass(database)
        with database.write.begin() as session:
            see_all(session, cast.smm, 99)
        assert send() == 1
        assert box.letters == []
        tell()
        with database.write.begin() as session:
            see_all(session, cast.smm, 99)
        run_pass(database)
        assert count(database) == 1  # the first one, that was cancelled


def test_a_quiet_night_is_gathered_and_own_hours_win(cast, database, tell, send, box) -> None:
    choose(database, cast.smm, ALL, ("01:00", "13:00"))
    with time_machine.travel(NIGHT, tick=False):
        tell()
        run_pass(database)
        assert send() == 1  # 23:00 is not quiet for this person
    with time_machine.travel(DAY, tick=False) as clock:
        tell("task.due")
        tell("note.mention")
        run_pass(database)
        assert send() == 0
        clock.shift(timedelta(hours=1, minutes=1))
        assert send() == 1
    with time_machine.travel(DAY, tick=False):
        tell("crisis")
        run_pass(database)
        assert send() == 1


def test_the_bell_leaves_out_what_is_switched_off_but_never_a_threat_to_life(cast, database, tell) -> None:
    choose(database, cast.smm, [("deadline", "mail")])
    tell()
    tell("note.mention")
    tell("crisis")
    with database.read.begin() as session:
        assert [line.notice.kind for line in notices_of(session, cast.smm)] == ["crisis"]
        assert count_notices(session, cast.smm) == 1
        assert len(notices_of(session, cast.smm, bell=False)) == 3
        staff = session.get_one(Staff, cast.smm.staff_id)
        assert choices_of(staff).chosen == {("deadline", "mail"), ("crisis", "browser"), ("question", "mail")}
        assert may_disturb(staff, policy_of(session), NIGHT) > NIGHT


def test_what_cannot_be_chosen(cast, database) -> None:
    with database.write.begin() as session:
        for pairs, quiet in (([("x", "mail")], None), ([("task", "pigeon")], None), ([], ("9:00", "09:00")),
                             ([], ("утром", "9:00"))):  # fmt: skip
            with pytest.raises(Refused):
                save_choices(session, cast.smm, pairs, quiet)
        for nobody in (DESK, Actor(999)):
            with pytest.raises(NotFound):
                save_choices(session, nobody, [], None)


def test_a_test_is_sent_once_a_minute(cast, database, send, box) -> None:
    with time_machine.travel(DAY, tick=False) as clock:
        for _ in range(3):
            with database.write.begin() as session:
                send_test(session, cast.curator)
        assert send() == 1
        clock.shift(61)
        with database.write.begin() as session:
            send_test(session, cast.curator)
        assert send() == 1
    assert {letter[0] for letter in box.letters} == {"curator@school.example"}


def test_the_morning_names_whom_letters_do_not_reach(cast, database, send, box) -> None:
    def names() -> tuple[tuple[str, str], ...]:
        with database.read.begin() as session:
            today = Cut(utc_now().date(), utc_now().date(), "Europe/Moscow")
            return morning(session, cast.head, today, utc_now()).undelivered

    with time_machine.travel(DAY, tick=False) as clock:
        box.fail = ChannelError("no such mailbox", code="gone", permanent=True, sent=Sent.NO)
        with database.write.begin() as session:
            send_test(session, cast.curator)
        send()
        assert names() == (("Олег Сомов", "mail"),)
        box.fail = None
        clock.shift(61)
        with database.write.begin() as session:
            send_test(session, cast.curator)
        send()
        assert names() == ()
