"""Links and devices: one press a code, one purpose a link, a cookie that ends, and a department's rights only."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from models import Delivery, OneTimeLink, Staff, StaffSession, utc_now
from services.accounts import set_active
from services.entrance import (
    IDLE,
    MOST_DEVICES,
    MOST_LETTERS,
    PIN_TRIES,
    ask_again,
    check_pin,
    device_actor,
    device_of,
    end_session,
    find_link,
    is_good,
    make_link,
    note_seen,
    open_device,
    sessions_of,
    set_pin,
    spend_link,
)
from services.errors import DeskError, Forbidden, NotFound, Refused


@pytest.fixture
def code(cast, database) -> str:
    with database.write.begin() as session:
        return make_link(session, cast.curator.staff_id, "device")


def test_a_code_opens_one_device_once(cast, database, code) -> None:
    with database.write.begin() as session:
        token, link = open_device(session, code, "Телефон")
        assert link.staff_id == cast.curator.staff_id
    with database.read.begin() as session:
        found = device_of(session, token)
        assert found is not None
        assert (found[0].agent, found[1].id) == ("Телефон", cast.curator.staff_id)
    with database.write.begin() as session, pytest.raises(Refused, match=r"link\.spent"):
        open_device(session, code, "Другой")


def test_neither_code_nor_cookie_is_stored(cast, database, code) -> None:
    with database.write.begin() as session:
        token, _link = open_device(session, code, "")
    with database.read.begin() as session:
        kept = [*session.scalars(select(OneTimeLink.digest)), *session.scalars(select(StaffSession.digest))]
        assert code not in kept
        assert token not in kept
        assert len({len(one) for one in kept}) == 1


@pytest.mark.parametrize("wrong", ["", " ", "\x00", "%00", "null", "None", "а" * 32, "A" * 31, "A" * 33, "A" * 32])
def test_what_is_no_code_opens_nothing(cast, database, code, wrong) -> None:
    with database.write.begin() as session:
        assert find_link(session, wrong) is None
        assert device_of(session, wrong) is None
        with pytest.raises(NotFound):
            open_device(session, wrong, "")
        with pytest.raises(NotFound):
            ask_again(session, wrong)


def test_a_link_of_another_purpose_opens_no_device(cast, database) -> None:
    with database.write.begin() as session:
        for purpose in ("invite", "reset"):
            with pytest.raises(NotFound):
                open_device(session, make_link(session, cast.curator.staff_id, purpose), "")
        with pytest.raises(NotFound):
            spend_link(session, make_link(session, cast.curator.staff_id, "device"), "reset")


def test_an_old_link_opens_nothing(cast, database) -> None:
    with database.write.begin() as session:
        old = make_link(session, cast.curator.staff_id, "device", now=utc_now() - timedelta(days=8))
        assert not is_good(find_link(session, old))
        with pytest.raises(Refused):
            open_device(session, old, "")


def test_of_two_presses_at_once_one_wins(cast, database, code) -> None:
    won, start = [], threading.Barrier(2)

    def press() -> None:
        start.wait()
        try:
            with database.write.begin() as session:
                open_device(session, code, "")
            won.append(True)
        except DeskError:
            won.append(False)

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False, True]


def test_a_device_answers_for_the_department_and_no_more(cast, database) -> None:
    with database.write.begin() as session:
        head = session.get_one(Staff, cast.head.staff_id)
        assert not device_actor(head).roles
        with pytest.raises(Refused, match=r"link\.nobody"):
            open_device(session, make_link(session, head.id, "device"), "")
        actor = device_actor(session.get_one(Staff, cast.curator.staff_id))
    assert actor.may("route.answer")
    assert not actor.may("case.view")


def test_a_cookie_ends_with_its_person_its_rights_its_rest(cast, database, code) -> None:
    with database.write.begin() as session:
        token, _link = open_device(session, code, "")
    with database.read.begin() as session:
        assert device_of(session, token, utc_now() + IDLE - timedelta(minutes=1)) is not None
        assert device_of(session, token, utc_now() + IDLE + timedelta(minutes=1)) is None
    with database.write.begin() as session:
        set_active(session, cast.head, cast.curator.staff_id, False)
        assert device_of(session, token) is None
        set_active(session, cast.head, cast.curator.staff_id, True)
    with database.read.begin() as session:
        assert device_of(session, token) is None  # switching off ended it for good


def test_a_device_of_a_person_without_a_department_is_none(cast, database, code) -> None:
    with database.write.begin() as session:
        token, _link = open_device(session, code, "")
        session.get_one(Staff, cast.curator.staff_id).roles = []
        session.flush()
        assert device_of(session, token) is None


def test_oneself_and_the_head_end_a_device_and_nobody_else(cast, database, code) -> None:
    with database.write.begin() as session:
        token, _link = open_device(session, code, "")
        device = session.scalars(select(StaffSession)).one()
        for stranger in (cast.tech, cast.smm):
            with pytest.raises(Forbidden):
                end_session(session, stranger, device.id)
            with pytest.raises(Forbidden):
                sessions_of(session, stranger, cast.curator.staff_id)
        assert sessions_of(session, cast.head, cast.curator.staff_id) == [device]
        end_session(session, cast.curator, device.id)
        note_seen(session, device.id)
        assert device_of(session, token) is None
        assert sessions_of(session, cast.curator, cast.curator.staff_id) == []
        end_session(session, cast.head, device.id)


def test_five_wrong_pins_end_the_device(cast, database, code) -> None:
    with database.write.begin() as session:
        token, _link = open_device(session, code, "")
        device = session.scalars(select(StaffSession)).one()
        with pytest.raises(Refused):
            set_pin(session, device, "12")
        set_pin(session, device, "4711")
        assert device.pin != "4711"
        for _ in range(PIN_TRIES - 1):
            assert not check_pin(session, device, "0000")
        assert check_pin(session, device, "4711")
        for _ in range(PIN_TRIES):
            assert not check_pin(session, device, "0000")
        assert device_of(session, token) is None
        assert not check_pin(session, device, "4711")


def test_new_links_come_to_the_same_person_and_not_too_often(cast, database, code) -> None:
    with database.write.begin() as session:
        spend_link(session, code, "device")
        for _ in range(MOST_LETTERS):
            ask_again(session, code)
        with pytest.raises(Refused, match=r"link\.often"):
            ask_again(session, code)
        rows = session.scalars(select(Delivery)).all()
        assert {row.staff_id for row in rows} == {cast.curator.staff_id}
        assert len(rows) == MOST_LETTERS


def test_a_person_keeps_so_many_devices(cast, database) -> None:
    with database.write.begin() as session:
        for _ in range(MOST_DEVICES + 2):
            open_device(session, make_link(session, cast.curator.staff_id, "device"), "")
        ended = select(func.count()).select_from(StaffSession).where(StaffSession.ended_at.is_not(None))
        assert session.scalar(ended) == 2
