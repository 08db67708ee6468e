"""Texts that people bring and answers that they publish, on both databases."""

import pytest
from sqlalchemy import func, select

from collectors.manual import Pasted
from models import Act, Case, Draft, Event, Message, RawItem, Reply, Source, Staff
from services.by_hand import Published, bring_message, is_by_hand, mark_published, places_by_hand
from services.carriers import carrier_of
from services.cases import get_case
from services.errors import Forbidden, Refused, Stale
from services.replies import save_draft, write_reply
from services.rights import DESK
from services.sources import due_sources, set_state
from tests.services.test_cases import label_all

ASKED = Pasted("Когда следующий поток?", "anna_yar", "https://www.instagram.com/p/Abc/")


@pytest.fixture
def place(cast, database) -> int:
    with database.write.begin() as session:
        return cast.add_source(session, "manual", network="instagram", page_url="").id


@pytest.fixture
def brought(cast, database, place) -> int:
    """The case of a message that was brought."""
    with database.write.begin() as session:
        bring_message(session, cast.smm, place, ASKED)
    label_all(database)
    with database.read.begin() as session:
        return session.scalars(select(Case.id)).one()


def test_a_paste_is_a_message_once(cast, database, place) -> None:
    for _ in range(2):
        with database.write.begin() as session:
            message = bring_message(session, cast.smm, place, ASKED)
            assert (message.text, message.visibility, message.direction) == (ASKED.text, "public", "in")
    with database.read.begin() as session:
        assert session.scalars(select(RawItem.state)).all() == ["parsed"]
        assert session.scalar(select(func.count()).select_from(Message)) == 1


def test_what_is_refused(cast, database, place) -> None:
    with database.write.begin() as session:
        for pasted, code in ((Pasted(" "), "text.empty"), (Pasted("x", url="javascript:alert(1)"), "paste.link")):
            with pytest.raises(Refused) as refused:
                bring_message(session, cast.smm, place, pasted)
            assert refused.value.code == code
        with pytest.raises(Refused) as refused:
            bring_message(session, cast.smm, cast.source_id, ASKED)
        assert refused.value.code == "source.not_by_hand"
        with pytest.raises(Forbidden):
            bring_message(session, cast.curator, place, ASKED)


def test_the_desk_refuses_to_send_there(cast, database, brought) -> None:
    with database.write.begin() as session, pytest.raises(Refused) as refused:
        write_reply(session, cast.smm, brought, "Поток 5 декабря.", "k1")
    assert refused.value.code == "source.no_reply"


def test_published_is_the_answer(cast, database, brought) -> None:
    link = "https://www.instagram.com/p/Abc/c/18/"
    for _ in range(2):
        with database.write.begin() as session:
            act = mark_published(session, cast.smm, brought, "Поток 5 декабря.", "k1", Published(url=link))
            assert (act.state, act.url, act.external_id) == ("accepted", link, None)
    with database.read.begin() as session:
        case = session.get_one(Case, brought)
        assert (case.state, case.first_reply_at is not None) == ("solved", True)
        assert session.scalar(select(func.count()).select_from(Reply)) == 1
        assert session.scalars(select(Event.kind).where(Event.kind == "reply.by_hand")).all() == ["reply.by_hand"]


def test_only_by_the_person_s_word_where_the_desk_cannot_send(cast, database, brought) -> None:
    cast.write("Когда начало?", "Вера")
    label_all(database)
    with database.write.begin() as session:
        other = session.scalars(select(Case.id).where(Case.id != brought)).one()
        with pytest.raises(Refused) as refused:
            mark_published(session, cast.smm, other, "Завтра", "k2", Published())
        assert refused.value.code == "source.can_send"
        with pytest.raises(Stale):
            mark_published(session, cast.smm, brought, "Завтра", "k3", Published(version=99))
        with pytest.raises(Refused):
            mark_published(session, cast.smm, brought, "Завтра", "k4", Published(url="ftp://x"))
        assert get_case(session, cast.smm, brought).state != "solved"
    with database.read.begin() as session:
        assert session.scalars(select(Act)).all() == []


def test_a_place_goes_into_people_s_hands_and_back(cast, database, place) -> None:
    with database.write.begin() as session:
        source = session.get_one(Source, cast.source_id)
        assert carrier_of(session, source, None) is source
        set_state(session, DESK, source.id, "manual")
        assert is_by_hand(source)
        assert carrier_of(session, source, None) is None
        assert {one.id for one in places_by_hand(session, cast.smm)} == {place, source.id}
        assert source.id not in due_sources(session)
        bring_message(session, cast.smm, source.id, Pasted("Где ссылка на оплату?", "Вера"))
        set_state(session, DESK, source.id, "active")
        assert source.id in due_sources(session)


def test_what_would_wait_for_agreement_does_not_stand_there_already(cast, database, brought) -> None:
    """services/by_hand.py"""
    with database.write.begin() as session:
        session.get_one(Staff, cast.smm.staff_id).trainee = True
    with database.write.begin() as session, pytest.raises(Forbidden) as refused:
        mark_published(session, cast.smm, brought, "В среду", "f1", Published())
    assert refused.value.data["act"] == "reply.approve"
    with database.write.begin() as session:
        mark_published(session, cast.head, brought, "В среду", "f1", Published())


def test_what_another_has_begun_to_write_stays(cast, database, brought) -> None:
    """services/by_hand.py"""
    with database.write.begin() as session:
        for actor in (cast.smm, cast.head):
            save_draft(session, actor, brought, "В среду или")
        mark_published(session, cast.smm, brought, "В среду", "f1", Published())
    with database.read.begin() as session:
        assert session.scalars(select(Draft.staff_id)).all() == [cast.head.staff_id]
