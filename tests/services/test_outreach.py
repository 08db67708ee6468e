"""«Написать»: by the ways that are open and no other, once, and the answer comes to the same case."""

from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest
import time_machine
from sqlalchemy import func, select

from collectors import channel_class
from models import (
    Act,
    Author,
    Case,
    CaseFact,
    Clock,
    Contact,
    Event,
    Message,
    Outreach,
    Publication,
    Source,
    utc_now,
)
from services.cases import close
from services.crm.clients import add_contact, create_client
from services.crm.identities import client_of_author, link_author
from services.crm.subjects import block_client
from services.errors import Forbidden, NotFound, Refused
from services.events import record
from services.filters import Filters
from services.following import follow
from services.inbox import list_cases, view_case
from services.intake import run_collect
from services.outreach import begin, run_forget_unused, way_to_publication, ways_to_address, ways_to_client
from services.replies import save_draft, take_back, write_reply
from services.sending import run_outbox
from tests.collectors.mail_platform import US, MailPlatform
from tests.platforms import Meeting, meeting
from tests.services.test_cases import label_all
from tests.services.test_sending import PLATFORMS, question, standing, state

FIRST = "Здравствуйте! Нашли вашу запись, присылаем ссылку."


@pytest.fixture
def met(database, tmp_path):
    with meeting(database, tmp_path / "platforms") as found:
        yield found


@pytest.fixture
def post():
    platform = MailPlatform()
    yield platform
    platform.stop()


def says_alone(met: Meeting, platform: str, text: str) -> Message:
    place = next(one["publication"] for one in met.running.truth(platform) if one["kind"] == "dialog")
    met.collect(platform)
    said = met.running.says(platform, place, text, kind="dialog")
    met.collect(platform)
    label_all(met.database)
    return met.one(select(Message).where(Message.external_id == said["external_id"], Message.direction == "in"))


@pytest.mark.parametrize("platform", ["vk", "telegram", "max", "ok"])
def test_a_dialogue_goes_on_as_a_matter_of_its_own(met, platform) -> None:
    asked = says_alone(met, platform, "Где моя запись?")
    with met.database.write.begin() as session:
        close(session, met.smm, asked.case_id, "no_answer_needed")
        client = create_client(session, met.smm, name="Анна Яр")
        link_author(session, met.smm, client.id, asked.author_id, "confirmed")
        [way, _no_mail] = ways_to_client(session, met.smm, client.id)
        assert (way.kind, way.closed) == ("dialogue", None)
        case_id = begin(session, met.smm, [way], way.key).id
        assert begin(session, met.smm, [way], way.key).id == case_id != asked.case_id
        shown = view_case(session, met.smm, case_id)
        assert asked.id in [entry.message.id for entry in shown.thread]  # what was said before
        write_reply(session, met.smm, case_id, FIRST, "k1", undo_seconds=0, then="wait")
    met.send()
    [stands] = standing(met, platform, FIRST)
    assert (stands["kind"], stands["direction"], stands["parent_external_id"]) == ("dialog", "out", None)
    answered = says_alone(met, platform, "Спасибо! А надолго она открыта?")
    assert answered.case_id == case_id
    case = met.one(select(Case).where(Case.id == case_id))
    assert (case.state, case.first_message_id, case.first_reply_at) == ("work", answered.id, None)
    assert len(standing(met, platform, FIRST)) == 1


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_comment_of_ours_stands_under_the_publication_and_under_nobody(met, platform) -> None:
    asked = question(met, platform)
    with met.database.write.begin() as session:
        way = way_to_publication(session, met.smm, asked.publication_id)
        case_id = begin(session, met.smm, [way], way.key).id
        write_reply(session, met.smm, case_id, FIRST, "k1", undo_seconds=0)
        act_id = session.scalars(select(Act.id).order_by(Act.id.desc()).limit(1)).one()
    met.send()
    assert state(met, act_id) in ("accepted", "seen")
    [stands] = standing(met, platform, FIRST)
    first = next(one for one in met.running.truth(platform) if one["external_id"] == asked.external_id)
    assert stands["publication"] == first["publication"]
    assert asked.external_id not in (stands["parent_external_id"], stands["root_external_id"])
    met.collect(platform, deep=True)
    case = met.one(select(Case).where(Case.id == case_id))
    assert (case.state, case.author_id, case.visibility) == ("solved", None, "public")
    if platform != "telegram":
        ours = met.one(select(Message).where(Message.act_id == act_id))
        assert ours.case_id == case_id


def test_a_letter_goes_to_a_typed_address_and_its_answer_comes_home(cast, database, post) -> None:
    with database.write.begin() as session:
        mail_id = cast.add_source(session, "mail", address=US).id

    def channel(source: Source):
        return post.channel() if source.platform == "mail" else channel_class(source.platform)

    with database.write.begin() as session:
        [way] = ways_to_address(session, cast.smm, "Vera@Home.test")
        with pytest.raises(Refused, match=r"subject\.empty"):
            begin(session, cast.smm, [way], way.key, " ")
        case_id = begin(session, cast.smm, [way], way.key, "Ваша\r\nBcc: x@y.test запись").id
        write_reply(session, cast.smm, case_id, FIRST, "k1", undo_seconds=0, then="wait")
    run_outbox(database, channel)
    sent = message_from_bytes(post.smtp.taken[0], policy=default)
    assert (sent["To"], sent["Bcc"], sent["In-Reply-To"]) == ("vera@home.test", None, None)
    assert sent["Subject"] == "Ваша Bcc: x@y.test запись"
    for number, author in ((1, "vera@home.test"), (2, "other@home.test")):
        back = (
            f"From: {author}\r\nTo: {US}\r\nSubject: Re: запись\r\nDate: Wed, 25 Nov 2026 12:4{number}:00 +0300\r\n"
            f"Message-ID: <b{number}@home.test>\r\nIn-Reply-To: {sent['Message-ID']}\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n\r\nСпасибо! А сколько стоит?\r\n"
        )
        post.imap.folders["INBOX"].put(back.encode(), post.imap.now)
    run_collect(database, mail_id, channel, "test")
    label_all(database)
    with database.read.begin() as session:
        came = {one.external_id: one.case_id for one in session.scalars(select(Message))}
        assert came["b1@home.test"] == case_id
        assert came["b2@home.test"] not in (case_id, None)  # whoever forwards our letter has a case of their own
        case = session.get_one(Case, case_id)
        assert case.state == "work"
        assert session.get_one(Message, case.first_message_id).external_id == "b1@home.test"


def test_why_a_way_is_closed(cast, database) -> None:
    cast.write("Когда вебинар?", author="Анна Яр")
    with database.write.begin() as session:
        author = session.scalars(select(Author).where(Author.name == "Анна Яр")).one()
        client = create_client(session, cast.smm, name="Анна Яр", contact="+7 916 123-45-67")
        link_author(session, cast.smm, client.id, author.id, "confirmed")
        assert {way.closed for way in ways_to_client(session, cast.smm, client.id)} == {"comments", "address"}
        add_contact(session, cast.smm, client.id, "anna@home.test")
        assert {way.closed for way in ways_to_client(session, cast.smm, client.id)} == {"comments", "mailbox"}
        box = cast.add_source(session, "mail", address=US)
        [letter, other] = ways_to_client(session, cast.smm, client.id)
        assert (letter.kind, letter.closed, other.closed) == ("letter", None, "comments")
        with pytest.raises(Refused, match=r"way\.closed"):
            begin(session, cast.smm, [other], other.key)
        with pytest.raises(NotFound):
            begin(session, cast.smm, [letter], "letter:99:typed", "Тема")
        case = begin(session, cast.smm, [letter], letter.key, "Тема")
        known = client_of_author(session, case.author_id)
        assert known is not None
        assert known.id == client.id
        box.state = "paused"
        session.flush()
        assert ways_to_client(session, cast.smm, client.id)[0].closed is not None
        block_client(session, cast.head, client.id)
        with pytest.raises(Refused, match=r"client\.blocked"):
            ways_to_client(session, cast.smm, client.id)


def test_who_may_not_answer_may_not_begin(cast, database) -> None:
    cast.write("Когда вебинар?")
    with database.write.begin() as session:
        client = create_client(session, cast.smm, name="Анна Яр")
        place = session.scalars(select(Publication.id)).one()
        for ask in (
            lambda: ways_to_client(session, cast.curator, client.id),
            lambda: ways_to_address(session, cast.curator, "a@b.test"),
            lambda: way_to_publication(session, cast.curator, place),
        ):
            with pytest.raises(Forbidden):
                ask()
        with pytest.raises(Refused):
            ways_to_address(session, cast.smm, "не адрес")
        with pytest.raises(NotFound):
            way_to_publication(session, cast.smm, 99)


def test_nothing_is_seen_or_counted_before_it_is_written(cast, database) -> None:
    with database.write.begin() as session:
        cast.add_source(session, "mail", address=US)
        [way] = ways_to_address(session, cast.smm, "vera@home.test")
        case_id = begin(session, cast.smm, [way], way.key, "Запись").id
        assert begin(session, cast.smm, [way], way.key, "Другая тема").id == case_id
        assert list_cases(session, cast.smm, Filters()).rows == ()
        save_draft(session, cast.smm, case_id, "Здравствуйте")
    with time_machine.travel(utc_now() + timedelta(days=2)):
        assert run_forget_unused(database) == 0  # a draft is kept
        with database.write.begin() as session:
            save_draft(session, cast.smm, case_id, "")
        assert run_forget_unused(database) == 1
    with database.read.begin() as session:
        assert session.scalars(select(Case)).all() == session.scalars(select(Outreach)).all() == []


def test_what_somebody_follows_or_did_something_in_is_not_forgotten(cast, database) -> None:
    with database.write.begin() as session:
        cast.add_source(session, "mail", address=US)
        ways = ways_to_address(session, cast.smm, "vera@home.test")
        followed = begin(session, cast.smm, ways, ways[0].key, "Запись").id
        follow(session, cast.smm, followed)
    with database.write.begin() as session:
        left = begin(session, cast.head, ways, ways[0].key, "Запись").id
        record(session, "case.printed", cast.head, case_id=left)
    with time_machine.travel(utc_now() + timedelta(days=2)):
        assert run_forget_unused(database) == 0
    with database.read.begin() as session:
        assert set(session.scalars(select(Case.id))) == {followed, left}
        assert session.scalar(select(func.count(Event.id)).where(Event.case_id == left)) == 1


def test_no_clock_runs_and_no_report_knows_until_somebody_answers(cast, database, post) -> None:
    with database.write.begin() as session:
        mail_id = cast.add_source(session, "mail", address=US).id
        [way] = ways_to_address(session, cast.smm, "vera@home.test")
        case_id = begin(session, cast.smm, [way], way.key, "Запись").id
        write_reply(session, cast.smm, case_id, FIRST, "k1", undo_seconds=0, then="wait")
    run_outbox(database, lambda _source: post.channel())
    with database.read.begin() as session:
        assert session.scalar(select(func.count(Clock.id))) == session.scalar(select(func.count(CaseFact.id))) == 0
        [row] = list_cases(session, cast.smm, Filters()).rows
        assert (row.is_ours, row.text, row.case.state) == (True, FIRST, "author")
    sent = message_from_bytes(post.smtp.taken[0], policy=default)
    now = (utc_now() + timedelta(seconds=2)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    back = (
        f"From: vera@home.test\r\nTo: {US}\r\nSubject: Re: запись\r\nDate: {now}\r\nMessage-ID: <b@home.test>\r\n"
        f"References: {sent['Message-ID']}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nА сколько стоит?\r\n"
    )
    post.imap.folders["INBOX"].put(back.encode(), post.imap.now)
    run_collect(database, mail_id, lambda _source: post.channel(), "test")
    label_all(database)
    with database.read.begin() as session:
        clocks = set(session.scalars(select(Clock.kind).where(Clock.case_id == case_id, Clock.done_at.is_(None))))
        assert clocks == {"first", "resolution"}
        fact = session.scalars(select(CaseFact).where(CaseFact.id == case_id)).one()
        assert (fact.first_at, fact.holder, fact.answers) == (None, "desk", 0)
        assert fact.opened_at == session.get_one(Case, case_id).opened_at


def test_undo_gives_the_text_back(cast, database) -> None:
    with database.write.begin() as session:
        cast.add_source(session, "mail", address=US)
        [way] = ways_to_address(session, cast.smm, "vera@home.test")
        case_id = begin(session, cast.smm, [way], way.key, "Запись").id
        reply = write_reply(session, cast.smm, case_id, FIRST, "k1")
        act_id = session.scalars(select(Act.id).where(Act.reply_id == reply.id)).one()
        assert take_back(session, cast.smm, act_id) is reply
        write_reply(session, cast.smm, case_id, FIRST, "k2")
        assert session.scalars(select(Act.state).order_by(Act.id)).all() == ["cancelled", "held"]
        assert session.scalars(select(Contact)).all() == []  # a typed address makes no card
