"""The way of a letter out, against a mail server in memory that refuses, garbles and hangs up at every step."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from benchmarks.limits import NoLimits
from collectors.base import Act, ActFile, ActKind, ChannelError, Raw, Sent, Target, Verdict
from collectors.mail import Mail, smtp
from collectors.mail.letter import letter_id
from collectors.wire import Guard, Wire
from tests.collectors.mail_platform import US, MailPlatform, SmtpPlatform


@pytest.fixture
def platform() -> Iterator[MailPlatform]:
    running = MailPlatform()
    yield running
    running.stop()


def act(token: str = "token-0001", kind: ActKind = ActKind.REPLY, **given: Any) -> Act:
    context = given.pop("context", {"message_id": "q1@home.test", "subject": "q1", "from": "client@home.test"})
    target = Target(container="INBOX", external_id="q1@home.test", context=context, **given)
    return Act(kind, 1, token, target, "Здравствуйте!\n.\nОтвет.")


def sent(smtp: SmtpPlatform) -> Any:
    (raw,) = smtp.taken
    return message_from_bytes(raw, policy=default)


def test_a_reply_goes_to_reply_to_in_its_thread_with_our_id(platform: MailPlatform) -> None:
    long = [f"{'x' * 120}{number}@mail.home.test" for number in range(40)]
    context = {
        "message_id": "q1@home.test",
        "references": " ".join(long),
        "subject": "RE: Re[2]: Отв: Доступ",
        "from": "client@home.test",
        "reply_to": "private@почта.рф",
    }
    mail = platform.channel(
        from_name="Школа, «Слово»", signature="Отдел заботы", message_id_domain="ID.School.test"
    )
    receipt = mail.act(act(context=context, author_name="Вера"))
    letter_out = sent(platform.smtp)
    assert platform.smtp.rcpts == ["rcpt TO:<private@xn--80a1acny.xn--p1ai>"]
    assert letter_out["To"] == "private@xn--80a1acny.xn--p1ai"
    assert letter_out["From"].addresses[0].display_name == "Школа, «Слово»"
    assert letter_out["Subject"] == "Re: Доступ"
    assert letter_out["In-Reply-To"] == "<q1@home.test>"
    assert letter_out["References"].split() == [f"<{one}>" for one in (long[0], *long[-19:], "q1@home.test")]
    assert letter_out["Message-ID"] == "<otklik.token-0001@id.school.test>"
    assert "Auto-Submitted" not in letter_out
    assert letter_out["X-Otklik-Desk"]
    assert letter_out.get_content().replace("\r", "") == "Здравствуйте!\n.\nОтвет.\n\n-- \nОтдел заботы\n"
    assert max(map(len, platform.smtp.taken[0].split(b"\r\n"))) < 998
    assert (receipt.external_id, receipt.container) == ("otklik.token-0001@id.school.test", "INBOX")
    assert platform.imap.folders["Sent"].letters[1] == platform.smtp.taken[0]


def test_our_letter_is_ours_here_and_a_machine_s_at_another_desk(platform: MailPlatform) -> None:
    here, there = platform.channel(), platform.channel(address="other@desk.test")
    here.act(act())
    raw = Raw("mail", "INBOX", "otklik.token-0001@school.test", platform.smtp.taken[0])
    (ours,), (theirs,) = here.parse(raw), there.parse(raw)
    assert ours.author is not None
    assert ours.author.is_us
    assert (ours.automatic, theirs.automatic) == (False, True)
    assert (ours.parent_external_id, ours.text) == ("q1@home.test", "Здравствуйте!\n.\nОтвет.")


def test_lines_that_begin_with_a_dot_arrive_whole(platform: MailPlatform) -> None:
    plain = act()
    platform.channel().act(Act(plain.kind, 1, plain.token, plain.target, "one\n.\n..two\n.three\nend"))
    assert sent(platform.smtp).get_content().replace("\r", "") == "one\n.\n..two\n.three\nend\n"


def test_a_new_message_has_no_thread(platform: MailPlatform) -> None:
    kind = ActKind.MESSAGE
    platform.channel().act(act(kind=kind, context={}, author_external_id="a@home.test", subject="Ваш\r\nдоговор"))
    letter_out = sent(platform.smtp)
    assert (letter_out["To"], letter_out["Subject"]) == ("a@home.test", "Ваш договор")
    assert letter_out["In-Reply-To"] is letter_out["References"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"author_name": "Вера\r\nBcc: all@home.test"},
        {"context": {}},
        {"context": {"from": US, "subject": "сами себе"}},
        {"context": {"from": "a@b\r\nBcc: c@d"}},
        {"token": "t@ken\r\n"},
    ],
)
def test_what_cannot_be_a_letter_is_refused_before_the_wire(platform: MailPlatform, wrong: dict[str, Any]) -> None:
    with pytest.raises(ChannelError) as refused:
        platform.channel().act(act(**wrong))
    assert (refused.value.code, refused.value.permanent, refused.value.sent) == ("invalid", True, Sent.NO)
    assert platform.smtp.taken == []


REFUSED = [
    ("greeting", "554 go away", "rights", True),
    ("greeting", "421 busy", "server", False),
    ("greeting", None, "network", False),
    ("ehlo", None, "network", False),
    ("auth", "535 5.7.8 bad password", "auth", True),
    ("auth", "454 4.7.0 later", "server", False),
    ("mail", "553 5.7.1 sender is not yours", "rights", True),
    ("mail", "552 5.3.4 too large", "invalid", True),
    ("mail", "451 4.7.1 greylisted", "rate", False),
    ("mail", "530 5.7.0 log in first", "auth", True),
    ("rcpt", "550 5.1.1 no such user", "gone", True),
    ("rcpt", "550 5.7.1 relaying denied", "rights", True),
    ("rcpt", "552 5.2.2 mailbox full", "closed", True),
    ("rcpt", "450 4.2.0 try again", "rate", False),
    ("rcpt", "452 4.5.3 too many", "quota", False),
    ("rcpt", None, "network", False),
    ("data", "554 5.5.1 no valid recipients", "invalid", True),
    ("data", "<html>", "server", False),
    ("dot", "554 5.7.1 looks like spam", "invalid", True),
    ("dot", "421 4.3.0 shutting down", "server", False),
    ("dot", "451 4.3.0 disk full", "rate", False),
]


@pytest.mark.parametrize(("step", "words", "code", "permanent"), REFUSED)
def test_what_is_refused_was_certainly_not_sent(
    platform: MailPlatform, step: str, words: str | None, code: str, permanent: bool
) -> None:
    platform.smtp.script = {step: words}
    with pytest.raises(ChannelError) as refused:
        platform.channel().act(act())
    error = refused.value
    assert (error.code, error.permanent, error.sent) == (code, permanent, Sent.NO)
    assert platform.smtp.taken == []
    assert platform.imap.folders["Sent"].letters == {}
    assert (error.retry_after is not None) == (code in ("rate", "quota") or (code == "server" and not permanent))


@pytest.mark.parametrize("words", [None, "<html>504 gateway</html>", "", "2", "354 go on"])
def test_after_the_dot_only_a_parsed_refusal_means_not_sent(platform: MailPlatform, words: str | None) -> None:
    platform.smtp.script = {"dot": words}
    with pytest.raises(ChannelError) as unknown:
        platform.channel().act(act())
    assert unknown.value.sent is Sent.UNKNOWN
    assert len(platform.smtp.taken) == 1


def test_a_silent_server_after_the_dot_is_unknown(platform: MailPlatform, monkeypatch: Any) -> None:
    monkeypatch.setattr("collectors.mail.smtp.ACCEPT_SECONDS", 0.3)
    platform.smtp.script = {"dot": "250-still thinking"}
    with pytest.raises(ChannelError) as unknown:
        platform.channel().act(act())
    assert (unknown.value.code, unknown.value.sent) == ("network", Sent.UNKNOWN)


def test_a_failed_copy_does_not_make_the_send_fail(platform: MailPlatform) -> None:
    platform.imap.refusals = {"APPEND": "NO [OVERQUOTA] full"}
    assert platform.channel().act(act()).external_id == "otklik.token-0001@school.test"
    platform.imap.refusals = {"LOGIN": "NO no"}
    assert platform.channel().act(act("token-0002")).external_id == "otklik.token-0002@school.test"
    assert len(platform.smtp.taken) == 2


def test_a_repeated_send_has_the_same_id_and_one_copy(platform: MailPlatform) -> None:
    mail = platform.channel()
    mail.act(act())
    mail.act(act())
    assert len({letter_id(raw) for raw in platform.smtp.taken}) == 1
    assert len(platform.imap.folders["Sent"].letters) == 1


def test_lookup_sees_the_copy_and_never_claims_absence(platform: MailPlatform) -> None:
    mail = platform.channel()
    assert mail.lookup(act()).verdict is Verdict.UNKNOWN
    mail.act(act("token-00011"))
    assert mail.lookup(act()).verdict is Verdict.UNKNOWN, "an id that only begins alike is another letter"
    receipt = mail.act(act())
    proof = mail.lookup(act())
    assert (proof.verdict, proof.external_id) == (Verdict.SEEN, receipt.external_id)
    platform.imap.refusals = {"SEARCH": "NO [UNAVAILABLE] later"}
    with pytest.raises(ChannelError):
        mail.lookup(act())


def test_files_hang_on_the_letter_as_they_are(platform: MailPlatform) -> None:
    content = bytes(range(256)) * 40
    paper = ActFile("document", "Договор № 5.pdf", "application/pdf", "digest", len(content), content)
    platform.channel().act(replace(act(), files=(paper, replace(paper, name="фото.png", content_type="image/png"))))
    letter_out = sent(platform.smtp)
    hung = list(letter_out.iter_attachments())
    assert [(one.get_filename(), one.get_content_type()) for one in hung] == [
        ("Договор № 5.pdf", "application/pdf"), ("фото.png", "image/png")
    ]  # fmt: skip
    assert all(one.get_content() == content and one.get_content_disposition() == "attachment" for one in hung)
    assert letter_out.get_body().get_content().replace("\r", "").startswith("Здравствуйте!\n.\nОтвет.")


def test_other_acts_are_refused(platform: MailPlatform) -> None:
    for kind in set(ActKind) - Mail.can.acts:
        with pytest.raises(ChannelError) as refused:
            platform.channel().act(act(kind=kind))
        assert refused.value.code == "unsupported"


def test_check_says_what_is_missing(platform: MailPlatform) -> None:
    assert platform.channel().check().missing == ()
    platform.smtp.script = {"mail": "553 5.7.1 not your address"}
    platform.imap.capabilities = "IMAP4rev1"
    missing = {right.name: right.without for right in platform.channel().check().missing}
    assert missing == {"smtp.send": "reply", "imap.idle": "instant"}
    assert platform.smtp.taken == []


@pytest.mark.parametrize("side", ["smtp_security", "none"])
def test_a_server_inside_is_reached_only_when_it_is_listed(platform: MailPlatform, side: str) -> None:
    mail = platform.channel()
    changed = mail.settings.model_copy(update={side: "tls"}) if side != "none" else mail.settings
    with pytest.raises(ChannelError) as refused:
        Mail(changed, Wire(Guard()), NoLimits()).act(act())
    expected = "settings" if side == "none" else "address"
    assert (refused.value.code, refused.value.permanent, refused.value.sent) == (expected, True, Sent.NO)


def test_a_connection_lost_in_the_middle_of_the_letter_is_not_sent(platform: MailPlatform) -> None:
    platform.smtp.script = {"body": None}
    long = act()
    with pytest.raises(ChannelError) as lost:
        # Longer than the buffers of both kernels, so that the end of the letter cannot have left.
        platform.channel().act(Act(long.kind, 1, long.token, long.target, f"{'word ' * 15}\n" * 200_000))
    assert (lost.value.code, lost.value.sent) == ("network", Sent.NO)


def test_nothing_listens_there(platform: MailPlatform) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        mail = platform.channel(smtp_port=port)
        guard = Guard(allow_private=frozenset({f"127.0.0.1:{port}"}))
        with pytest.raises(ChannelError) as refused:
            Mail(mail.settings, Wire(guard), NoLimits()).act(act())
    assert (refused.value.code, refused.value.sent) == ("network", Sent.NO)


# A server that answers drop by drop: no single wait is long, and still nobody waits for it for ever (F22)

DROPS = pytest.mark.parametrize("drop", [b"2", b"250-and more\r\n"], ids=["letters", "lines"])


@DROPS
@pytest.mark.parametrize("step", ["greeting", "ehlo", "auth", "mail", "rcpt", "data"])
def test_before_the_last_dot_a_dialogue_by_drops_is_not_sent(
    platform: MailPlatform, monkeypatch: pytest.MonkeyPatch, step: str, drop: bytes
) -> None:
    monkeypatch.setattr(smtp, "TALK_SECONDS", 0.5)
    platform.smtp.drips = {step: drop}
    began = time.monotonic()
    with pytest.raises(ChannelError) as told:
        platform.channel().act(act())
    assert (told.value.code, told.value.permanent, told.value.sent) == ("network", False, Sent.NO)
    assert 0.4 < time.monotonic() - began < 4


@DROPS
def test_after_it_nobody_knows(platform: MailPlatform, monkeypatch: pytest.MonkeyPatch, drop: bytes) -> None:
    monkeypatch.setattr(smtp, "ACCEPT_SECONDS", 0.5)
    platform.smtp.drips = {"dot": drop}
    began = time.monotonic()
    with pytest.raises(ChannelError) as told:
        platform.channel().act(act())
    assert (told.value.code, told.value.sent) == ("network", Sent.UNKNOWN)
    assert 0.4 < time.monotonic() - began < 4
    assert len(platform.smtp.taken) == 1


def test_a_server_that_says_nothing_to_the_letter_is_left(
    platform: MailPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "ACCEPT_SECONDS", 0.5)
    platform.smtp.drips = {"dot": b""}
    with pytest.raises(ChannelError) as told:
        platform.channel().act(act())
    assert (told.value.code, told.value.sent) == ("network", Sent.UNKNOWN)


def test_a_letter_that_is_taken_by_drops_is_not_sent(
    platform: MailPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "TALK_SECONDS", 0.5)
    monkeypatch.setattr(smtp, "LEAST_PACE", 1e9)
    platform.smtp.drips = {"body": b""}
    long = replace(act(), text=f"{'word ' * 15}\n" * 200_000)
    with pytest.raises(ChannelError) as told:
        platform.channel(read_timeout=1).act(long)
    assert (told.value.code, told.value.sent) == ("network", Sent.NO)


def test_a_farewell_by_drops_takes_nothing_back(platform: MailPlatform) -> None:
    platform.smtp.drips = {"quit": b"2"}
    began = time.monotonic()
    assert platform.channel(read_timeout=0.5).act(act()).external_id == "otklik.token-0001@school.test"
    assert time.monotonic() - began < 4


def test_each_answer_may_take_its_time_within_the_whole(platform: MailPlatform) -> None:
    """Greylisting servers answer slowly by intent: seven answers of a tenth of a second are no drops."""
    platform.smtp.pause = 0.1
    assert platform.channel(read_timeout=1).act(act()).external_id
