"""Mail against real servers: what Dovecot gives is what the desk holds, what the desk sends reaches the client."""

import contextlib
import imaplib
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from pathlib import Path
from typing import Any

import pytest

from benchmarks.limits import NoLimits
from collectors.base import Act, ActKind, ChannelError, Page, Sent, Target, Verdict, Walk
from collectors.mail import Mail, Settings
from collectors.wire import Guard, Wire
from tests.collectors.desk import Desk
from tests.dovecot_and_exim import make_certificate
from tests.mail_servers import CLIENT, DESK, PASSWORD, MailServers, running_mail_servers

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def servers(request: pytest.FixtureRequest) -> Iterator[MailServers]:
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(words: str) -> None:
        # A warning that pytest swallows is none.
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            print(words, flush=True)

    with running_mail_servers(say) as running:
        yield running


@pytest.fixture(autouse=True)
def _clean(servers: MailServers) -> None:
    for user in (DESK, CLIENT):
        with servers.open(user) as box:
            for line in box.list()[1]:
                assert isinstance(line, bytes)
                if box.select(line.rsplit(b" ", 1)[1].decode())[1] != [b"0"]:
                    box.store("1:*", "+FLAGS", "(\\Deleted)")
                    box.expunge()


def channel(servers: MailServers, **given: Any) -> Mail:
    values = {
        "address": DESK,
        "from_name": "Школа «Слово»",
        "password": PASSWORD,
        "imap_host": "127.0.0.1",
        "imap_port": servers.imap[DESK],
        "imap_security": "none",
        "smtp_host": "127.0.0.1",
        "smtp_port": servers.smtp,
        "smtp_security": "none",
        **given,
    }
    settings = Settings.model_validate(values)
    sides = ((settings.imap_host, settings.imap_port), (settings.smtp_host, settings.smtp_port))
    guard = Guard(allow_private=frozenset(f"{host}:{port}" for host, port in sides))
    return Mail(settings, Wire(guard), NoLimits())


def letter(number: int, text: str = "Здравствуйте! Когда откроется урок?", **headers: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = f"Вера Полякова <{CLIENT}>"
    message["To"] = DESK
    message["Subject"] = f"Вопрос {number}"
    message["Date"] = "Wed, 25 Nov 2026 12:40:00 +0300"
    message["Message-ID"] = f"<q{number}@home.test>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def append(servers: MailServers, *letters: bytes, folder: str = "INBOX") -> None:
    with servers.open(DESK) as box:
        for raw in letters:
            assert box.append(folder, "", imaplib.Time2Internaldate(time.time()), raw)[0] == "OK"


def answer_to(desk: Desk, external_id: str, token: str, text: str) -> Act:
    one = desk.messages()[external_id]
    assert one.author is not None
    target = Target(
        container=one.container,
        external_id=one.external_id,
        author_external_id=one.author.external_id,
        author_name=one.author.name,
        subject=one.subject,
        context=one.context,
    )
    return Act(ActKind.REPLY, key=1, token=token, target=target, text=text)


def test_a_question_is_collected_and_the_answer_reaches_the_client(servers: MailServers) -> None:
    servers.send(letter(1, References="<older@home.test>", Reply_To=f"Вера <{CLIENT}>"))
    servers.wait_for(DESK, 1)
    mail = channel(servers)
    desk = Desk(mail)
    desk.read(Walk.NEW)
    question = desk.messages()["q1@home.test"]
    assert (question.text, question.subject) == ("Здравствуйте! Когда откроется урок?", "Вопрос 1")
    assert question.author is not None
    assert (question.author.external_id, question.author.name) == (CLIENT, "Вера Полякова")

    receipt = mail.act(
        answer_to(desk, "q1@home.test", "token-0001", "Вера, урок откроется в пятницу.\n.\n..\nЖдём!")
    )
    arrived = message_from_bytes(servers.wait_for(CLIENT, 1)[0], policy=default)
    assert arrived["In-Reply-To"] == "<q1@home.test>"
    assert arrived["References"] == "<older@home.test> <q1@home.test>"
    assert arrived["Subject"] == "Re: Вопрос 1"
    assert arrived["Message-ID"] == "<otklik.token-0001@school.test>"
    assert arrived["From"] == "Школа «Слово» <desk@school.test>"
    assert arrived.get_content().replace("\r\n", "\n") == "Вера, урок откроется в пятницу.\n.\n..\nЖдём!\n"
    assert (receipt.external_id, receipt.container) == ("otklik.token-0001@school.test", "INBOX")


def test_the_answer_is_found_in_sent_and_recognised_as_ours(servers: MailServers) -> None:
    append(servers, letter(2))
    mail = channel(servers)
    desk = Desk(mail)
    desk.read(Walk.NEW)
    act = answer_to(desk, "q2@home.test", "token-0002", "Отвечаем.")
    assert mail.lookup(act).verdict is Verdict.UNKNOWN
    receipt = mail.act(act)
    proof = mail.lookup(act)
    assert (proof.verdict, proof.external_id) == (Verdict.SEEN, receipt.external_id)
    # An answer that comes back (a copy to ourselves) carries the id of the receipt and is ours.
    copy = servers.wait_for(CLIENT, 1)[0]
    append(servers, copy)
    desk.read(Walk.NEW)
    ours = desk.messages()[str(receipt.external_id)]
    assert ours.author is not None
    assert ours.author.is_us
    assert (ours.parent_external_id, ours.thread) == ("q2@home.test", "q2@home.test")


def test_a_repeated_copy_is_not_put_into_sent(servers: MailServers) -> None:
    append(servers, letter(3))
    mail = channel(servers)
    desk = Desk(mail)
    desk.read(Walk.NEW)
    act = answer_to(desk, "q3@home.test", "token-0003", "Раз.")
    mail.act(act)
    mail.act(act)
    with servers.open(DESK) as box:
        sent = next(line for line in box.list()[1] if isinstance(line, bytes) and b"INBOX" not in line)
        assert box.select(sent.rsplit(b" ", 1)[1].decode(), readonly=True)[1] == [b"1"]


def test_sixty_letters_come_in_batches_and_once(servers: MailServers) -> None:
    append(servers, *(letter(100 + number) for number in range(60)))
    mail = channel(servers)
    pages = list(mail.walk(Walk.NEW, {}))
    assert [len(page.raws) for page in pages] == [50, 10, 0]
    assert [page.complete for page in pages] == [False, False, True]
    assert not any(page.raws for page in mail.walk(Walk.NEW, pages[-1].cursor))
    resumed = [raw for page in mail.walk(Walk.NEW, pages[0].cursor) for raw in page.raws]
    assert resumed == list(pages[1].raws)
    # Reading leaves no trace: people who look into the mailbox still see everything as unread.
    with servers.open(DESK) as box:
        box.select("INBOX", readonly=True)
        assert box.search(None, "SEEN")[1] == [b""]


def test_a_rebuilt_folder_is_read_again_without_doubles(servers: MailServers) -> None:
    with servers.open(DESK) as box:
        box.create("Desk")
    append(servers, *(letter(200 + number) for number in range(3)), folder="Desk")
    mail = channel(servers, folder="Desk")
    desk = Desk(mail)
    desk.read(Walk.NEW)
    before = dict(desk.raws)
    with servers.open(DESK) as box:
        box.create("Desk2")
        box.select("Desk")
        box.copy("1:*", "Desk2")
        box.close()
        box.delete("Desk")
        box.rename("Desk2", "Desk")
    append(servers, letter(203), folder="Desk")
    validity = desk.cursor["uidvalidity"]
    desk.read(Walk.NEW)
    assert desk.cursor["uidvalidity"] != validity
    assert {key: desk.raws[key] for key in before} == before
    assert sorted(desk.messages()) == [f"q{200 + number}@home.test" for number in range(4)]
    with servers.open(DESK) as box:
        box.delete("Desk")


def test_broken_charsets_survive_the_way(servers: MailServers) -> None:
    text = "Не открывается домашнее задание, помогите пожалуйста"
    head = f"From: {CLIENT}\r\nTo: {DESK}\r\nDate: Wed, 25 Nov 2026 12:40:00 +0300\r\nMIME-Version: 1.0\r\n"
    for name, real, declared in (
        ("koi", "koi8-r", "koi8-r"),
        ("lie", "cp1251", "utf-8"),
        ("none", "cp1251", ""),
        ("latin", "koi8-r", "iso-8859-1"),
    ):
        kind = f"Content-Type: text/plain; charset={declared}\r\n" if declared else ""
        start = f"{head}Message-ID: <{name}@home.test>\r\n{kind}Content-Transfer-Encoding: 8bit\r\n"
        raw = start.encode() + b"Subject: " + text.encode(real) + b"\r\n\r\n" + text.encode(real) + b"\r\n"
        append(servers, raw)
    desk = Desk(channel(servers))
    desk.read(Walk.NEW)
    assert {(one.text, one.subject) for one in desk.messages().values()} == {(text, text)}
    assert len(desk.messages()) == 4


def test_one_id_with_two_texts_is_two_letters_and_a_second_delivery_is_one(servers: MailServers) -> None:
    append(servers, letter(300, "Первый текст"))
    mail = channel(servers)
    desk = Desk(mail)
    desk.read(Walk.NEW)
    append(servers, letter(300, "Второй текст"))
    append(
        servers, b"Received: from list.home.test; Wed, 25 Nov 2026 12:41:00 +0300\r\n" + letter(300, "Первый текст")
    )
    desk.read(Walk.NEW)
    assert sorted(desk.texts().values()) == ["Второй текст", "Первый текст"]
    first, second = sorted(desk.texts())
    assert first == "q300@home.test"
    assert second.startswith("q300@home.test#")
    desk.read(Walk.DEEP)
    assert sorted(desk.texts().values()) == ["Второй текст", "Первый текст"]


def test_a_removed_letter_is_missed_by_the_deep_walk_and_our_answer_is_not(servers: MailServers) -> None:
    append(servers, letter(400), letter(401))
    mail = channel(servers)
    desk = Desk(mail)
    desk.read(Walk.NEW)
    receipt = mail.act(answer_to(desk, "q400@home.test", "token-0400", "Ответ."))
    with servers.open(DESK) as box:
        box.select("INBOX")
        box.store("2", "+FLAGS", "(\\Deleted)")
        box.expunge()
    last = list(mail.walk(Walk.DEEP, desk.cursor))[-1]
    assert last.complete
    assert last.listed == {"INBOX": frozenset({"q400@home.test", receipt.external_id})}


@pytest.mark.parametrize("security", ["none", "tls"])
def test_idle_brings_a_letter_within_seconds_and_stops_when_told(
    servers: MailServers, security: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if security == "none":
        mail = channel(servers)
    elif servers.certificate is None:
        pytest.skip("pymap is started without TLS")
    else:
        monkeypatch.setenv("SSL_CERT_FILE", str(servers.certificate))
        mail = channel(servers, imap_host="localhost", imap_port=servers.imaps, imap_security="tls")
    cursor = list(mail.walk(Walk.NEW, {}))[-1].cursor
    stop, heard = threading.Event(), list[Page]()

    def listen() -> None:
        heard.extend(mail.listen(cursor, stop))

    thread = threading.Thread(target=listen)
    thread.start()
    time.sleep(1)
    append(servers, letter(500), letter(501))
    deadline = time.monotonic() + 15
    while sum(len(page.raws) for page in heard) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    told = time.monotonic()
    stop.set()
    thread.join(10)
    assert time.monotonic() - told < 2
    assert [raw.external_id for page in heard for raw in page.raws] == ["q500@home.test", "q501@home.test"]


def test_check_tells_who_we_are_and_what_works(servers: MailServers) -> None:
    check = channel(servers).check()
    assert (check.account_id, check.missing) == (DESK, ())
    assert {right.name for right in check.rights} == {"imap.read", "smtp.send", "imap.sent_folder", "imap.idle"}


def test_a_wrong_password_is_an_auth_error_on_both_sides(servers: MailServers) -> None:
    mail = channel(servers, password="wrong-secret-5")
    with pytest.raises(ChannelError) as reading:
        mail.check()
    assert (reading.value.code, reading.value.permanent) == ("auth", True)
    target = Target(container="INBOX", author_external_id=CLIENT)
    with pytest.raises(ChannelError) as sending:
        mail.act(Act(ActKind.MESSAGE, 1, "token-0600", target, "Текст"))
    assert (sending.value.code, sending.value.sent) == ("auth", Sent.NO)
    assert "wrong-secret-5" not in f"{reading.value}{sending.value}"


def test_an_unknown_recipient_and_a_missing_folder_are_said(servers: MailServers) -> None:
    target = Target(container="INBOX", author_external_id="nobody@home.test")
    with pytest.raises(ChannelError) as gone:
        channel(servers).act(Act(ActKind.MESSAGE, 1, "token-0700", target, "Текст"))
    assert (gone.value.code, gone.value.permanent, gone.value.sent) == ("gone", True, Sent.NO)
    with pytest.raises(ChannelError) as missing:
        list(channel(servers, folder="Нет такой").walk(Walk.NEW, {}))
    assert missing.value.code == "settings"


@pytest.mark.parametrize(("imap", "smtp"), [("tls", "tls"), ("starttls", "starttls")])
def test_encrypted_with_a_certificate_that_is_checked(
    servers: MailServers, imap: str, smtp: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if servers.certificate is None:
        pytest.skip("pymap and aiosmtpd are started without TLS")
    ports = {"tls": (servers.imaps, servers.smtps), "starttls": (servers.imap[DESK], servers.smtp)}[imap]
    safe = {"imap_security": imap, "smtp_security": smtp, "imap_host": "localhost", "smtp_host": "localhost"}
    mail = channel(servers, **safe, imap_port=ports[0], smtp_port=ports[1])
    # A certificate of somebody else must not be accepted on either side.
    monkeypatch.setenv("SSL_CERT_FILE", str(make_certificate(tmp_path, "localhost")))
    target = Target(container="INBOX", author_external_id=CLIENT)
    act = Act(ActKind.MESSAGE, 1, f"token-{imap}", target, "Зашифровано")
    for refused in (mail.check, lambda: mail.act(act)):
        with pytest.raises(ChannelError, match="TLS"):
            refused()
    monkeypatch.setenv("SSL_CERT_FILE", str(servers.certificate))
    assert mail.check().missing == ()
    mail.act(act)
    assert len(servers.wait_for(CLIENT, 1)) == 1
