"""The walk over a mailbox and the way of a letter out, against a mailbox and a mail server in memory."""

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from benchmarks.limits import NoLimits
from collectors import channel_class
from collectors.base import ChannelError, Page, Walk
from collectors.mail import Mail, folder
from collectors.mail.letter import fingerprint, letter_id
from collectors.wire import Guard, Wire
from tests.collectors.desk import Desk
from tests.collectors.mail_platform import PASSWORD, MailPlatform, letter


@pytest.fixture
def platform() -> Iterator[MailPlatform]:
    running = MailPlatform()
    yield running
    running.stop()


def ids(*numbers: int) -> set[str]:
    return {f"q{number}@home.test" for number in numbers}


def read_all(mail: Mail, walk: Walk = Walk.NEW, cursor: dict[str, Any] | None = None) -> list[Page]:
    return list(mail.walk(walk, cursor or {}))


def test_the_registry_knows_the_channel() -> None:
    assert channel_class("mail") is Mail


@pytest.mark.parametrize("walk", list(Walk))
def test_pages_of_fifty_and_a_cursor_to_resume_from_each(platform: MailPlatform, walk: Walk) -> None:
    for number in range(120):
        platform.imap.deliver(letter(number))
    mail = platform.channel()
    pages = read_all(mail, walk)
    assert [len(page.raws) for page in pages] == [50, 50, 20, 0]
    truth = {raw.external_id for page in pages for raw in page.raws}
    assert truth == ids(*range(120))
    for killed in range(len(pages)):
        stored = {raw.external_id for page in pages[: killed + 1] for raw in page.raws}
        rest = {raw.external_id for page in read_all(mail, Walk.NEW, pages[killed].cursor) for raw in page.raws}
        assert stored | rest == truth
        assert not stored & rest


def test_nothing_new_costs_no_search(platform: MailPlatform) -> None:
    platform.imap.deliver(letter(1))
    mail = platform.channel()
    cursor = read_all(mail)[-1].cursor
    platform.imap.commands.clear()
    assert read_all(mail, cursor=cursor) == [Page((), cursor, complete=True)]
    assert not [command for command in platform.imap.commands if "SEARCH" in command]


def test_the_newest_letter_is_not_read_twice_although_the_server_names_it(platform: MailPlatform) -> None:
    platform.imap.deliver(letter(1))
    mail = platform.channel()
    cursor = read_all(mail)[-1].cursor
    platform.imap.folders["INBOX"].uidnext += 5  # numbers that were given and removed at once
    assert [len(page.raws) for page in read_all(mail, cursor=cursor)] == [0]


def test_older_letters_than_the_chosen_day_are_never_fetched(platform: MailPlatform) -> None:
    platform.imap.deliver(letter(1, "частное письмо"), at=datetime(2026, 10, 31, 23, 0))
    platform.imap.deliver(letter(2), at=datetime(2026, 11, 1, 8, 0))
    for walk in Walk:
        pages = read_all(platform.channel(since=date(2026, 11, 1)), walk)
        assert {raw.external_id for page in pages for raw in page.raws} == ids(2)
    assert not [command for command in platform.imap.commands if "FETCH 1 (UID BODY" in command]


def test_another_folder_or_a_new_life_of_it_starts_from_the_beginning(platform: MailPlatform) -> None:
    for number in range(3):
        platform.imap.deliver(letter(number))
    mail = platform.channel()
    desk = Desk(mail)
    desk.read(Walk.NEW)
    before = dict(desk.raws)
    platform.imap.renumber()
    platform.imap.deliver(letter(3))
    desk.read(Walk.NEW)
    assert {key: desk.raws[key] for key in before} == before
    assert desk.changes == 4
    assert not any(page.raws for page in read_all(platform.channel(folder="Sent"), cursor=desk.cursor))


def test_one_id_with_two_texts_keeps_both_and_two_deliveries_keep_one(platform: MailPlatform) -> None:
    other = letter(1, "Совсем другой текст")
    platform.imap.deliver(letter(1))
    mail = platform.channel()
    cursor = read_all(mail)[-1].cursor
    platform.imap.deliver(other)
    platform.imap.deliver(b"Received: from list; Wed, 25 Nov 2026 12:41:00 +0300\r\n" + letter(1))
    late = [raw.external_id for page in read_all(mail, cursor=cursor) for raw in page.raws]
    assert late == [f"q1@home.test#{fingerprint(other)[:12]}", "q1@home.test"]
    at_once = [raw.external_id for page in read_all(mail) for raw in page.raws]
    assert at_once == ["q1@home.test", *late]


def test_a_letter_without_an_id_is_named_by_its_bytes(platform: MailPlatform) -> None:
    raw = letter(1).replace(b"Message-ID: <q1@home.test>\r\n", b"")
    platform.imap.deliver(raw)
    platform.imap.deliver(raw)
    names = [one.external_id for page in read_all(platform.channel()) for one in page.raws]
    assert len(names) == 2
    assert len(set(names)) == 1
    assert names[0].startswith("sha256:")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"Message-ID: <A.b@Home.Test>", "A.b@Home.Test"),
        (b"message-id:\r\n <folded@home.test>", "folded@home.test"),
        (b"Message-Id: bare@home.test", "bare@home.test"),
        (b"Message-ID: <two words@home.test>", None),
        (b"Message-ID: <>", None),
        (b"Subject: x\r\n\r\nMessage-ID: <body@home.test>", None),
    ],
)
def test_ids_are_read_as_they_stand(header: bytes, expected: str | None) -> None:
    assert letter_id(header + b"\r\nX: y\r\n\r\n") == expected


def test_a_huge_letter_is_kept_by_its_header_with_a_note(platform: MailPlatform, monkeypatch: Any) -> None:
    monkeypatch.setattr(folder, "LETTER_CAP", 1000)
    platform.imap.deliver(letter(1, "ы" * 5000))
    platform.imap.deliver(letter(2))
    mail = platform.channel()
    (raws, _) = (page.raws for page in read_all(mail))
    huge, usual = (mail.parse(raw)[0] for raw in raws)
    assert (huge.text, huge.subject, len(huge.attachments)) == ("", "q1", 1)
    assert "слишком большое" in huge.attachments[0].name
    assert (usual.text, usual.attachments) == ("Здравствуйте! Подскажите, когда старт?", ())
    assert not [command for command in platform.imap.commands if "FETCH 1 (UID BODY.PEEK[])" in command]


def test_pages_are_bounded_by_bytes_too(platform: MailPlatform, monkeypatch: Any) -> None:
    monkeypatch.setattr(folder, "BATCH_BYTES", 1000)
    for number in range(5):
        platform.imap.deliver(letter(number, "т" * 200))
    assert [len(page.raws) for page in read_all(platform.channel())] == [1, 1, 1, 1, 1, 0]


def test_a_letter_without_any_date_gets_the_time_of_its_arrival(platform: MailPlatform) -> None:
    platform.imap.deliver(
        letter(1).replace(b"Date: Wed, 25 Nov 2026 12:40:00 +0300\r\n", b""), at=datetime(2026, 11, 25, 9, 40)
    )
    mail = platform.channel()
    (raw,) = read_all(mail)[0].raws
    assert mail.parse(raw)[0].published_at.isoformat() == "2026-11-25T09:40:00+00:00"


def test_one_unreadable_letter_does_not_stop_the_others(platform: MailPlatform) -> None:
    for number in range(4):
        platform.imap.deliver(letter(number))
    platform.imap.unreadable = {2}
    pages = read_all(platform.channel())
    assert {raw.external_id for raw in pages[0].raws} == ids(0, 2, 3)
    assert pages[0].gap == "the server does not give the letters with UID [2]"
    platform.imap.unreadable = {1, 2, 3, 4}
    with pytest.raises(ChannelError) as failed:
        read_all(platform.channel())
    assert failed.value.code == "server"


def test_the_deep_walk_lists_what_stands_there_and_our_answers(platform: MailPlatform) -> None:
    platform.imap.deliver(letter(1))
    platform.imap.deliver(letter(2))
    platform.imap.deliver(letter(2, "другой"))
    platform.imap.deliver(letter(9), "Sent")
    mail = platform.channel()
    pages = read_all(mail, Walk.DEEP)
    other = next(raw.external_id for raw in pages[0].raws if "#" in raw.external_id)
    assert pages[-1].listed == {"INBOX": frozenset({*ids(1, 2, 9), other})}
    del platform.imap.folders["INBOX"].letters[1]
    assert read_all(mail, Walk.DEEP, pages[-1].cursor)[-1].listed == {"INBOX": frozenset({*ids(2, 9), other})}


def test_a_deep_walk_cut_in_its_listing_names_nothing(platform: MailPlatform) -> None:
    for number in range(3):
        platform.imap.deliver(letter(number))
    mail = platform.channel()
    total = len((read_all(mail, Walk.DEEP), platform.imap.commands)[1])
    for commands in range(total - 1):
        platform.imap.cut_after = commands
        pages: list[Page] = []
        with pytest.raises(ChannelError) as cut:
            pages.extend(mail.walk(Walk.DEEP, {}))
        assert cut.value.code == "network"
        assert not [page for page in pages if page.listed]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("deliver"), st.integers(0, 12)),
        st.tuples(st.just("remove"), st.integers(0, 30)),
        st.tuples(st.just("renumber"), st.just(0)),
        st.tuples(st.just("read"), st.integers(0, 3)),
        st.tuples(st.just("deep"), st.integers(0, 3)),
        st.tuples(st.just("cut"), st.integers(0, 12)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_after_any_history_the_desk_holds_what_stands_there(
    monkeypatch: pytest.MonkeyPatch, history: list[tuple[str, int]]
) -> None:
    monkeypatch.setattr(folder, "BATCH", 2)
    platform = MailPlatform()
    desk = Desk(platform.channel())
    try:
        for step, number in history:
            inbox = platform.imap.folders["INBOX"]
            match step:
                case "deliver":
                    # Ids repeat with the same text (a second delivery) and with another one (a conflict).
                    platform.imap.deliver(letter(number % 5, f"текст {number % 3}"))
                case "remove":
                    inbox.letters.pop(number, None)
                case "renumber":
                    platform.imap.renumber()
                case "read" | "deep":
                    desk.read(Walk.NEW if step == "read" else Walk.DEEP, number)
                case "cut":
                    platform.imap.cut_after = number
                    with contextlib.suppress(ChannelError):
                        desk.read(Walk.NEW)
                    platform.imap.cut_after = None
        desk.read(Walk.NEW)
        desk.read(Walk.DEEP)
        stands = {(letter_id(raw), fingerprint(raw)) for raw in platform.imap.folders["INBOX"].letters.values()}
        held = {(raw.external_id.partition("#")[0], fingerprint(raw.body)) for raw in desk.raws.values()}
        assert held == stands
        assert len(desk.raws) == len(held)
    finally:
        platform.stop()


def test_listening_brings_news_and_ends_when_told(platform: MailPlatform) -> None:
    platform.imap.deliver(letter(0))
    mail = platform.channel()
    stop, heard = threading.Event(), list[Page]()
    thread = threading.Thread(target=lambda: heard.extend(mail.listen({}, stop)))
    thread.start()
    for number in range(1, 6):
        time.sleep(0.15)
        platform.imap.deliver(letter(number))
    deadline = time.monotonic() + 10
    while sum(len(page.raws) for page in heard) < 6 and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert [raw.external_id for page in heard for raw in page.raws] == [
        f"q{number}@home.test" for number in range(6)
    ]
    assert all(earlier.cursor["uid"] <= later.cursor["uid"] for earlier, later in pairwise(heard))


def test_news_in_the_same_packet_as_the_start_of_idle_are_not_missed(platform: MailPlatform) -> None:
    mail = platform.channel()
    stop = threading.Event()
    platform.imap.as_idle_begins = lambda: platform.imap.deliver(letter(1))
    timer = threading.Timer(5, stop.set)
    timer.start()
    cursor = read_all(mail)[-1].cursor
    page = next(mail.listen(cursor, stop))
    assert [raw.external_id for raw in page.raws] == ["q1@home.test"]
    assert not stop.is_set()
    timer.cancel()


def test_a_lost_connection_ends_the_listening_with_an_error(platform: MailPlatform) -> None:
    for commands in range(5):
        platform.imap.cut_after = commands
        with pytest.raises(ChannelError) as lost:
            list(platform.channel().listen({}, threading.Event()))
        assert lost.value.code == "network"


@pytest.mark.parametrize(
    ("verb", "words", "code", "permanent"),
    [
        ("LOGIN", "NO [AUTHENTICATIONFAILED] Invalid credentials", "auth", True),
        ("LOGIN", f"NO bad password {PASSWORD}", "auth", True),
        ("LOGIN", "NO [UNAVAILABLE] try later", "server", False),
        ("LOGIN", "NO [ALERT] Too many simultaneous connections", "rate", False),
        ("LOGIN", "BAD login disabled", "auth", True),
        ("EXAMINE", "NO [NONEXISTENT] no folder", "settings", True),
        ("EXAMINE", "NO [INUSE] busy", "rate", False),
        ("SEARCH", "NO [SERVERBUG] oops", "server", False),
        ("SEARCH", "BAD what", "server", False),
    ],
)
def test_the_words_of_the_server_become_errors(
    platform: MailPlatform, verb: str, words: str, code: str, permanent: bool
) -> None:
    platform.imap.deliver(letter(1))
    platform.imap.refusals = {verb: words}
    with pytest.raises(ChannelError) as failed:
        read_all(platform.channel())
    assert (failed.value.code, failed.value.permanent) == (code, permanent)
    assert PASSWORD not in failed.value.message


def test_addresses_are_guarded(platform: MailPlatform) -> None:
    mail = platform.channel()
    with pytest.raises(ChannelError) as plain:
        read_all(Mail(mail.settings, Wire(Guard()), NoLimits()))
    assert (plain.value.code, plain.value.permanent) == ("settings", True)
    encrypted = mail.settings.model_copy(update={"imap_security": "tls"})
    with pytest.raises(ChannelError) as refused:
        read_all(Mail(encrypted, Wire(Guard()), NoLimits()))
    assert (refused.value.code, refused.value.permanent) == ("address", True)


def test_xoauth2_is_spoken_when_there_is_a_token(platform: MailPlatform) -> None:
    mail = platform.channel(password=None, access_token="ya29.invented")
    mail.walk(Walk.NEW, {}).__next__()
    assert any(command.startswith("AUTHENTICATE XOAUTH2") for command in platform.imap.commands)


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": None},
        {"password": ""},
        {"password": "a\nb"},
        {"username": "a\r\nLOGOUT"},
        {"folder": "x\ny"},
        {"address": "no address"},
        {"extra": 1},
    ],
)
def test_settings_refuse_what_would_break_the_wire(platform: MailPlatform, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        platform.channel(**wrong)
