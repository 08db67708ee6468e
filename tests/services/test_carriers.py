"""A form is answered by letter: out by the mailbox, and what comes back stands in the same case."""

import json
from email import message_from_bytes
from email.policy import default

import pytest
from sqlalchemy import select

from benchmarks.limits import NoLimits
from collectors import channel_class
from collectors.base import Raw
from collectors.form import Form
from models import Act, Case, Message, Source
from services.by_hand import Published, mark_published
from services.errors import Refused
from services.intake import run_collect, run_parse, store_raws
from services.replies import write_reply
from services.sending import run_outbox
from services.sources import check_settings
from tests.collectors.mail_platform import US, MailPlatform

CONSENT = "Согласен на обработку данных для ответа"
ASKED = {
    "name": "Вера",
    "email": "Client@home.test",
    "text": "Когда старт? Купите у нас http://spam.example",
    "topic": "Курсы",
}


@pytest.fixture
def post():
    platform = MailPlatform()
    yield platform
    platform.stop()


def ask_by_form(database, cast, **told) -> int:
    """What a visitor sends, taken by the form's channel; returns its case."""
    with database.write.begin() as session:
        source_id = cast.add_source(session, "form", heading="Напишите нам", consent=CONSENT).id
    form = Form(check_settings("form", {"heading": "Напишите нам", "consent": CONSENT}), None, NoLimits())
    body = json.dumps({**ASKED, **told, "consents": {"answer": True}}).encode()
    raws: list[Raw] = form.receive(body, {"content-type": "application/json"})
    with database.write.begin() as session:
        store_raws(session, source_id, tuple(raws))
    run_parse(database, source_id, form)
    with database.read.begin() as session:
        case_id = session.scalars(select(Message.case_id).where(Message.source_id == source_id)).one()
    assert case_id is not None
    return case_id


def test_the_answer_goes_by_letter_and_the_next_word_comes_home(cast, database, post) -> None:
    case_id = ask_by_form(database, cast)
    with database.write.begin() as session:
        box = cast.add_source(session, "mail", address=US)
        box.title, mail_id = "Почта школы", box.id

    def channel(source: Source):
        return post.channel() if source.platform == "mail" else channel_class(source.platform)

    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "Старт в марте.", "k1", undo_seconds=0)
    run_outbox(database, channel)
    with database.read.begin() as session:
        act = session.scalars(select(Act)).one()
        assert (act.state, act.source_id) == ("accepted", mail_id)
    sent = message_from_bytes(post.smtp.taken[0], policy=default)
    assert sent["To"] == "Вера <Client@home.test>"
    assert "Старт в марте." in sent.get_content()
    assert "spam.example" not in sent.as_string() + sent.get_content()

    back = (
        f"From: client@home.test\r\nTo: {US}\r\nSubject: {sent['Subject']}\r\n"
        f"Date: Wed, 25 Nov 2026 12:40:00 +0300\r\n"
        f"Message-ID: <b1@home.test>\r\nIn-Reply-To: {sent['Message-ID']}\r\nReferences: {sent['Message-ID']}\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\nСпасибо! А сколько стоит?\r\n"
    )
    strange = back.replace("client@home.test", "other@home.test").replace("<b1@", "<b2@")
    post.imap.folders["INBOX"].put(back.encode(), post.imap.now)
    post.imap.folders["INBOX"].put(strange.encode(), post.imap.now)
    assert run_collect(database, mail_id, channel, "test") == 2
    with database.read.begin() as session:
        came = {
            one.external_id: one.case_id
            for one in session.scalars(select(Message).where(Message.source_id == mail_id))
        }
        assert came["b1@home.test"] == case_id
        assert came["b2@home.test"] not in (case_id, None)
        assert session.get_one(Case, case_id).last_message_at is not None


def test_without_a_mailbox_or_an_address_a_person_answers(cast, database) -> None:
    case_id = ask_by_form(database, cast)
    phoned = ask_by_form(database, cast, email="", phone="+7 900 100-20-30")
    with database.write.begin() as session, pytest.raises(Refused, match=r"source\.no_reply"):
        write_reply(session, cast.smm, case_id, "Старт в марте.", "k1")
    with database.write.begin() as session:
        cast.add_source(session, "mail", address=US)
    with database.write.begin() as session, pytest.raises(Refused, match=r"source\.no_reply"):
        write_reply(session, cast.smm, phoned, "Старт в марте.", "k2")
    with database.write.begin() as session:
        mark_published(session, cast.smm, phoned, "Позвонили.", "k3", Published(url=""))
    with database.write.begin() as session, pytest.raises(Refused, match=r"source\.can_send"):
        mark_published(session, cast.smm, case_id, "Написали.", "k4", Published(url=""))
