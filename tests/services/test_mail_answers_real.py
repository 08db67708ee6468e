"""The whole way of a question by mail: out through a real server, answered by a mail program, home over IMAP."""

import contextlib
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default

import pytest
from sqlalchemy import func, select

from benchmarks.limits import NoLimits
from collectors.mail import Mail, Settings
from collectors.mail.note import NoteSender
from collectors.wire import Guard, Wire
from models import Message, Route, Source, Staff
from services.deliveries import run_deliveries
from services.intake import run_collect
from services.letters import letter_writer
from tests.mail_servers import CLIENT, DESK, PASSWORD, running_mail_servers

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


@pytest.fixture
def servers(request):
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(words: str) -> None:
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            print(words, flush=True)

    with running_mail_servers(say) as running:
        yield running


def mail(servers) -> tuple[Settings, Wire]:
    local = "127.0.0.1"
    settings = Settings(
        address=DESK, from_name="Школа «Слово»", password=PASSWORD, imap_host=local, smtp_host=local,
        imap_port=servers.imap[DESK], imap_security="none", smtp_port=servers.smtp, smtp_security="none",
    )  # fmt: skip
    pairs = frozenset({f"{local}:{servers.imap[DESK]}", f"{local}:{servers.smtp}"})
    return settings, Wire(Guard(allow_private=pairs), read_timeout=10)


def test_a_question_goes_out_and_its_answer_comes_home(cast, ask, database, servers) -> None:
    with database.write.begin() as session:
        session.get_one(Staff, cast.curator.staff_id).email = CLIENT
        box = cast.add_source(session, "mail", address=DESK)
        source_id = box.id
    route_id = ask("Когда проверят домашку?", urgent=True)
    settings, wire = mail(servers)
    before = len(servers.inbox(CLIENT))
    sender = NoteSender(settings, wire, replies=True)
    assert (
        run_deliveries(database, lambda channel: sender, letter_writer("https://desk.example", "Europe/Moscow"))
        == 1
    )

    came = message_from_bytes(servers.wait_for(CLIENT, before + 1)[-1], policy=default)
    assert "Когда проверят домашку?" in str(came["Subject"])
    assert came["Auto-Submitted"] == "auto-generated"
    words = came.get_content()
    reply = EmailMessage(policy=SMTP)
    reply["From"], reply["To"], reply["Subject"] = CLIENT, DESK, f"Re: {came['Subject']}"
    reply["Message-ID"], reply["Date"] = "<answer-1@home.test>", came["Date"]
    reply["In-Reply-To"] = reply["References"] = came["Message-ID"]
    quoted = "\n".join(f"> {line}" for line in words.splitlines())
    reply.set_content(f"Завтра до обеда.\n\n25.11.2026, 12:40, Школа <{DESK}> пишет:\n{quoted}\n")
    at_home = len(servers.inbox(DESK))
    servers.send(reply.as_bytes())
    servers.wait_for(DESK, at_home + 1)

    def open_channel(_source: Source) -> Mail:
        return Mail(settings, wire, NoLimits())

    assert run_collect(database, source_id, open_channel, "test") > 0
    with database.read.begin() as session:
        route = session.get_one(Route, route_id)
        assert (route.state, route.answer) == ("answered", "Завтра до обеда.")
        assert session.scalar(select(func.count(Message.id)).where(Message.source_id == source_id)) == 0
    assert run_deliveries(database, lambda channel: sender, letter_writer(None, "Europe/Moscow")) == 1
    preview = message_from_bytes(servers.wait_for(CLIENT, before + 2)[-1], policy=default)
    assert "> Завтра до обеда." in preview.get_content()
