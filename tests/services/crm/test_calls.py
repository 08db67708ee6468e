"""Calls: a known number's card, a missed call's three tries, tasks and who is told, the line of time."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from collectors.base import Incoming, Person, Publication, Visibility
from models import Call, Client, Notice, Task
from services.crm.calls import (
    add_call,
    list_calls,
    make_card,
    ringing,
    settle_call,
    try_call_back,
)
from services.crm.cards import beside, view_card
from services.crm.clients import add_contact, create_client
from services.crm.consents import give_consent, may_advertise, stop_advertising
from services.crm.identities import client_of_author
from services.crm.merging import merge_clients
from services.crm.tasks import add_task, end_task, list_tasks, move_task, run_remind
from services.crm.timeline import timeline
from services.errors import Refused
from services.messages import store_messages
from services.notices import count_notices, notices_of

TUESDAY = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # noon in Moscow


@pytest.fixture
def ring(cast, database):
    """The exchange tells of a call."""
    with database.write.begin() as session:
        source_id = cast.add_source(session, "calls", line="").id

    def told(number="79161234567", result="missed", call_id="c1", at=TUESDAY, out=False) -> int:
        item = Incoming(
            container=f"phone:{number}", external_id=call_id, text=f"Звонок {result}", published_at=at,
            author=Person("us", "", is_us=True) if out else Person(f"phone:{number}", f"+{number}"),
            publication=Publication(f"phone:{number}", "dialogue", number),
            publication_external_id=f"phone:{number}", visibility=Visibility.PRIVATE,
            context={"phone": number, "result": result, "seconds": "63", "line": "78000000000"},
        )  # fmt: skip
        with database.write.begin() as session:
            store_messages(session, source_id, "calls", [item])
            return session.scalars(select(Call.id).order_by(Call.id.desc())).first()

    return told


def test_a_known_number_is_its_card_at_once(cast, database, ring) -> None:
    with database.write.begin() as session:
        anna = create_client(session, cast.smm, name="Яр Анна", contact="8 916 123-45-67").id
    with time_machine.travel(TUESDAY, tick=False):
        ring(result="answered")
        with database.read.begin() as session:
            row = ringing(session, cast.smm)
            assert row.client.id == anna
            author = session.get_one(Call, row.call.id)
            assert client_of_author(session, 1).id == anna
            assert beside(session, cast.smm, 1).line.client.id == anna
            assert (author.seconds, author.line) == (63, "78000000000")


def test_an_unknown_number_gets_a_card_of_three_fields(cast, database, ring) -> None:
    ring(call_id="c0")
    call_id = ring(result="answered")
    with database.write.begin() as session:
        client = make_card(session, cast.smm, call_id, name="Олег Сом", topic="цена курса")
        assert view_card(session, cast.smm, client.id).contacts[0].value == "+7 916 123-45-67"
        assert {call.client_id for call in session.query(Call)} == {client.id}
        assert client_of_author(session, 1) is client


def test_a_missed_call_is_called_back_three_times_over_two_working_days(cast, database, ring) -> None:
    with time_machine.travel(TUESDAY, tick=False):
        ring()
        ring(call_id="c2")
        with database.write.begin() as session:
            (task,) = session.query(Task).all()
            assert task.due_at == TUESDAY + timedelta(hours=1)
            try_call_back(session, cast.smm, task.id, reached=False)
            assert task.due_at == datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
            try_call_back(session, cast.smm, task.id, reached=False)
            assert task.due_at == datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
            try_call_back(session, cast.smm, task.id, reached=False)
            assert (task.state, task.result, task.open_key) == ("done", "unreached", None)
            assert [one.kind for one in session.query(Task).filter_by(state="open")] == ["write"]
            with pytest.raises(Refused):
                try_call_back(session, cast.smm, task.id, reached=True)


def test_whoever_was_reached_need_not_be_called_back(cast, database, ring) -> None:
    ring()
    with database.read.begin() as session:
        page = list_calls(session, cast.smm, only="missed")
        assert [row.task.kind for row in page.rows] == ["call_back"]
    ring(result="missed", call_id="c2", out=True)
    ring(result="answered", call_id="c3", out=True)
    with database.read.begin() as session:
        task = session.query(Task).one()
        assert (task.state, task.tries) == ("done", 1)
        assert not list_calls(session, cast.smm, only="missed").rows


def test_what_the_exchange_corrects_is_corrected(cast, database, ring) -> None:
    ring(result="missed")
    ring(result="answered")
    with database.read.begin() as session:
        assert [call.result for call in session.query(Call)] == ["answered"]
        assert session.query(Task).one().state == "done"


def test_a_call_typed_by_hand_is_settled(cast, database) -> None:
    with database.write.begin() as session:
        call = add_call(session, cast.smm, number="89161234567", direction="in", result="answered")
        settle_call(session, cast.smm, call.id, outcome="call_back", topic="возврат", notice_given=True)
        assert session.query(Task).one().number == "+79161234567"
        with pytest.raises(Refused):
            settle_call(session, cast.smm, call.id, outcome="hm")
        client = create_client(session, cast.smm, name="Анна Яр")
        add_contact(session, cast.smm, client.id, "89161234567")
        assert session.query(Call).one().client_id == session.query(Task).one().client_id == client.id


def test_people_are_told_of_tasks_and_the_head_of_a_late_promise(cast, database) -> None:
    with time_machine.travel(TUESDAY, tick=False) as clock:
        with database.write.begin() as session:
            client = create_client(session, cast.smm, name="Анна Яр")
            due = TUESDAY + timedelta(hours=2)
            given = {"client_id": client.id, "kind": "promise", "staff_id": cast.smm.staff_id, "form_key": "f1"}
            task = add_task(session, cast.smm, text="вернуть деньги", due_at=due, **given).id
            again = add_task(session, cast.smm, text="вернуть деньги", due_at=due, form_key="f1")
            assert again.id == task
        assert run_remind(database) == 0
        clock.move_to(due)
        assert (run_remind(database), run_remind(database)) == (1, 0)
        with database.read.begin() as session:
            (line,) = notices_of(session, cast.smm, due)
            assert (line.author, line.text, line.task.id) == ("Анна Яр", "вернуть деньги", task)
            assert count_notices(session, cast.head, due) == 0
        morning = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
        clock.move_to(morning)
        assert run_remind(database) == 1
        with database.write.begin() as session:
            assert session.query(Notice).filter_by(staff_id=cast.head.staff_id, kind="task.late").count() == 1
            assert count_notices(session, cast.head, morning) == 1
            end_task(session, cast.smm, task, "вернули")
            assert count_notices(session, cast.head, morning) == 0
            with pytest.raises(Refused):
                move_task(session, cast.smm, task, due_at=morning + timedelta(days=1))


def test_a_task_of_nobody_is_everybodys(cast, database) -> None:
    with database.write.begin() as session:
        due = datetime.now(UTC) + timedelta(days=1)
        add_task(session, cast.smm, text="общая", due_at=due)
        add_task(session, cast.smm, text="чужая", due_at=due, staff_id=cast.head.staff_id)
        assert [row.task.text for row in list_tasks(session, cast.smm)] == ["общая"]
        assert len(list_tasks(session, cast.smm, whose="all")) == 2
        with pytest.raises(Refused):
            add_task(session, cast.smm, text="вчера", due_at=due - timedelta(days=9))


def test_advertising_stops_at_once(cast, database) -> None:
    with database.write.begin() as session:
        client = create_client(session, cast.smm, name="Анна Яр")
        assert not may_advertise(session, cast.smm, client.id)
        give_consent(session, cast.smm, client.id, "marketing", "Согласна на рассылку", how="paper")
        assert may_advertise(session, cast.smm, client.id)
        stop_advertising(session, cast.smm, client.id, "call")
        assert not may_advertise(session, cast.smm, client.id)
        consent = view_card(session, cast.smm, client.id).consents[0]
        assert (consent.withdrawn_how, len(consent.text_hash)) == ("call", 64)


def test_the_line_of_time_goes_page_by_page_and_over_a_merge(cast, database, ring) -> None:
    with database.write.begin() as session:
        anna = create_client(session, cast.smm, name="Яр Анна", contact="89161234567").id
        other = create_client(session, cast.smm, name="Анна Яр").id
        for number in range(4):
            add_task(session, cast.smm, text=f"дело {number}", due_at=datetime.now(UTC) + timedelta(days=1),
                     client_id=(anna, other)[number % 2])  # fmt: skip
        merge_clients(session, cast.head, anna, other)
    for number in range(3):
        ring(result="answered", call_id=f"c{number}")
    seen, after = [], None
    with database.read.begin() as session:
        whole = timeline(session, cast.smm, anna, limit=100)
        while True:
            page = timeline(session, cast.smm, anna, after=after, limit=3)
            seen += [(item.kind, item.id) for item in page.items]
            after = page.after
            if after is None:
                break
        assert seen == [(item.kind, item.id) for item in whole.items]
        kinds = {kind for kind, _ in seen}
        assert {"call", "message", "task", "event"} <= kinds
        assert len(seen) == len(set(seen))
        only = timeline(session, cast.smm, anna, kinds=["call"])
        assert {item.kind for item in only.items} == {"call"}
        with pytest.raises(Refused):
            timeline(session, cast.smm, anna, after="чушь")
        assert session.query(Client).count() == 2
