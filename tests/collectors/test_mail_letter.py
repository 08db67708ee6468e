"""One letter understood: real shapes of quotations and charsets, poison refused with words, nothing slow."""

import random
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.base import Incoming, Raw, Visibility
from collectors.mail.decode import addresses, decode, header_text
from collectors.mail.html import html_text
from collectors.mail.letter import bare_subject, has_date, letter_id, read_letter
from collectors.mail.quotes import written

HERE = Path(__file__).parent / "mail"
US = frozenset({"desk@school.test"})


def parse(body: bytes) -> Incoming:
    (one,) = read_letter(Raw("mail", "INBOX", letter_id(body) or "sha256:0", body), US)
    return one


def fixture(name: str) -> Incoming:
    return parse((HERE / f"{name}.eml").read_bytes())


def build(text: str = "Здравствуйте!", **headers: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    values = {"From": "client@home.test", "Date": "Wed, 25 Nov 2026 12:40:00 +0300", "Message-ID": "<q@home.test>"}
    for name, value in {**values, **headers}.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


WRITTEN = {
    "yandex_reply": (
        "Спасибо, теперь урок открылся!\nА домашнее задание сдавать сюда (https://school.test/hw)?",
        "Доступ к урокам",
        "first.q@yandex.test",
    ),
    "mailru_reply": (
        "Добрый день! Заявление на возврат отправил вчера,\nкогда ждать деньги?",
        "Возврат оплаты",
        "1700.mail@f42.i.mail.test",
    ),
    "outlook_ru_reply": (
        "Договор получили, спасибо. Счёт можно выставить на 12 человек?\n\nС уважением,\nСмирнова Ольга",
        "Договор для юрлица",
        "otklik.cccccccc@school.test",
    ),
    "gmail_reply": ("Понял, ждём понедельника.", "Когда старт?", "CAB+root@mail.gmail.test"),
    "apple_interleaved": (
        "Отвечаю по пунктам.\n\n«Полный», оплатила в ноябре.\n\nНа восьмой.",
        "Два вопроса",
        "otklik.eeeeeeee@school.test",
    ),
    "bat_reply": (
        "Здравствуйте, Школа.\n\nЗавтра не подходит, нужно сегодня.",
        "Кураторы",
        "otklik.hhhhhhhh@school.test",
    ),
    "koi8_plain": (
        "Оплатил курс вчера вечером, письмо с доступом так и не пришло. Проверьте, пожалуйста.",
        "Не приходит письмо с доступом",
        "koi8.1@old.test",
    ),
    "cp1251_wrong": (
        "Добрый день! В сертификате опечатка в фамилии: нужно «Ким», а не «Кин».",
        "Сертификат об окончании",
        "1251.1@old.test",
    ),
    "html_only": (
        "Здравствуйте!\n\nНа странице оплаты (https://school.test/pay?x=1&y=2) ошибка:\nкод 502."
        "\n\nтелефон\nноутбук",
        "Ошибка на сайте",
        "html.1@home.test",
    ),
    "calendar": (
        "Созвон по договору, 30 минут\nОбсудим обучение отдела\nСсылка придёт позже",
        "Приглашение: созвон",
        "cal.1@firma.test",
    ),
    "empty": ("", "", "empty.1@home.test"),
    "no_message_id": ("Пришлите расписание на декабрь.", "Расписание", "sha256:0"),
}


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_the_text_is_what_the_person_wrote(name: str) -> None:
    one = fixture(name)
    assert one.publication is not None
    assert (one.text, one.publication.title, one.thread) == WRITTEN[name]
    assert (one.publication.external_id, one.publication.kind) == (one.thread, "letter")
    assert (one.visibility, one.automatic) == (Visibility.PRIVATE, False)


def test_every_fixture_is_looked_at() -> None:
    seen_elsewhere = {"bounce", "auto_reply", "nested", "rfc2231", "newsletter"}
    assert {path.stem for path in HERE.glob("*.eml")} == set(WRITTEN) | seen_elsewhere


def test_author_parent_and_what_an_answer_will_need() -> None:
    one = fixture("yandex_reply")
    assert one.author is not None
    assert (one.author.external_id, one.author.name) == ("vera.poliakova@yandex.test", "Вера Полякова")
    assert not one.author.is_us
    assert one.parent_external_id == "otklik.aaaaaaaa@school.test"
    assert one.published_at == datetime(2026, 11, 25, 9, 40, tzinfo=UTC)
    assert dict(one.context) == {
        "message_id": "2041795599600@mail.yandex.test",
        "references": "first.q@yandex.test otklik.aaaaaaaa@school.test",
        "subject": "Re: Доступ к урокам",
        "from": "Vera.Poliakova@yandex.test",
    }
    assert fixture("rfc2231").context["reply_to"] == "Anna.Private@home.test"


def test_files_have_their_names_and_bytes() -> None:
    files = fixture("rfc2231").attachments
    assert [one.name for one in files] == ["Квитанция об оплате № 7.pdf", "Чек.pdf", "список.txt"]
    assert [one.content for one in files] == [*[b"%PDF-1.4 invented"] * 2, "строка".encode()]
    picture, inner = fixture("nested").attachments
    assert (picture.kind, picture.name, picture.content_type) == ("photo", "logo.png", "image/png")
    assert (inner.name, inner.content_type) == ("Скидка.eml", "message/rfc822")
    assert inner.content is not None
    assert b"Buy!" in inner.content
    assert fixture("calendar").attachments[0].name == "invite.ics"


def test_a_forwarded_letter_keeps_what_was_forwarded() -> None:
    text = fixture("nested").text
    assert text.startswith("Это вы писали?")
    assert text.endswith("Курс почти даром!")


def test_a_bounce_belongs_to_the_letter_that_it_gives_back() -> None:
    one = fixture("bounce")
    assert one.automatic
    assert (one.parent_external_id, one.thread) == ("otklik.ffffffff@school.test", "root.letter@home.test")
    assert one.context["bounce_status"] == "5.1.1"
    assert "could not be delivered" in one.text


@pytest.mark.parametrize("name", ["bounce", "auto_reply", "newsletter"])
def test_machines_are_recognised(name: str) -> None:
    assert fixture(name).automatic


@pytest.mark.parametrize(
    ("headers", "automatic"),
    [
        ({"Auto_Submitted": "no"}, False),
        ({"Auto_Submitted": "auto-generated"}, True),
        ({"Precedence": "first-class"}, False),
        ({"Precedence": "junk"}, True),
        ({"Return_Path": "<>"}, True),
        ({"Return_Path": "<client@home.test>"}, False),
        ({"X_Autoreply": "yes"}, True),
        ({"X_Auto_Response_Suppress": "OOF"}, True),
        ({"X_Otklik_Desk": "0123456789abcdef"}, True),
        ({"From": "no-reply@shop.test"}, True),
        ({"From": "noreply-team@shop.test"}, True),
        ({"From": "norah@home.test"}, False),
        ({"Subject": "Автоответ не приходит"}, False),
        ({"Subject": "Automatic reply: отпуск"}, True),
        ({"From": "desk@school.test", "X_Otklik_Desk": "0123456789abcdef"}, False),
    ],
)
def test_each_sign_of_a_machine(headers: dict[str, str], automatic: bool) -> None:
    assert parse(build(**headers)).automatic is automatic


def test_our_own_letter_is_ours_whatever_the_case_of_the_address() -> None:
    author = parse(build(From="Школа <Desk@School.test>")).author
    assert author is not None
    assert author.is_us


@pytest.mark.parametrize(
    ("date", "received", "expected"),
    [
        ("Wed, 25 Nov 2026 12:40:00 +0300", None, "2026-11-25T09:40:00+00:00"),
        ("Wed, 25 Nov 2026 12:40:00 -0000", None, "2026-11-25T12:40:00+00:00"),
        ("Wed, 25 Nov 2026 12:40:00 +0300", "Thu, 26 Nov 2026 12:40:00 +0300", "2026-11-25T09:40:00+00:00"),
        ("Fri, 1 Jan 2038 00:00:00 +0000", "Thu, 26 Nov 2026 12:40:00 +0300", "2026-11-26T09:40:00+00:00"),
        ("вчера", "Thu, 26 Nov 2026 12:40:00 +0300", "2026-11-26T09:40:00+00:00"),
    ],
)
def test_the_clock_of_the_sender_is_believed_within_a_week(date: str, received: str | None, expected: str) -> None:
    trace = f"Received: from a by b; {received}\r\n" if received else ""
    raw = f"{trace}From: a@home.test\r\nDate: {date}\r\n\r\nтекст\r\n".encode()
    assert parse(raw).published_at.isoformat() == expected


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Да\n\n-----Original Message-----\nFrom: a\nSent: b\n\nold", "Да"),
        ("Да\n\n-----Исходное сообщение-----\nОт: a\n\nстарое", "Да"),
        ("Да\n\n25.11.2026 11:00, Школа пишет:\n> старое", "Да"),
        ("Да\n\n25 ноября 2026 г., 11:00 пользователь Школа <d@s.test> написал:\n\nстарое", "Да"),
        ("Да\n\nOn Wed, Nov 25, 2026 at 11:00 AM School <d@s.test> wrote:\n> old", "Да"),
        ('Да\n\nАлексей, 25.11.2026 11:00, "Школа" <d@s.test>:\n\nстарое', "Да\n\nАлексей, 25.11.2026 11:00"),
        (
            "Да\n________________________________\nОт: Школа\nОтправлено: сегодня\nКому: мне\nТема: т\n\nстарое",
            "Да",
        ),
        ("> вопрос\nответ", "ответ"),
        ("> только цитата", "> только цитата"),
        ("Отправлено с iPhone", "Отправлено с iPhone"),
        ("Да\nОтправлено из мобильной Яндекс Почты", "Да"),
        # A person's own words that look a little like a header stay.
        (
            "Тема: доступ\nДата: 25.11.2026\nНе открывается урок",
            "Тема: доступ\nДата: 25.11.2026\nНе открывается урок",
        ),
        (
            "25.11.2026 оплатила, куратор написал: ждите.\nЖду.",
            "25.11.2026 оплатила, куратор написал: ждите.\nЖду.",
        ),
        ("От: нас\nвсем привет", "От: нас\nвсем привет"),
        ("Список:\n- первое\n- второе", "Список:\n- первое\n- второе"),
    ],
)
def test_history_is_cut_and_own_words_are_not(text: str, own: str) -> None:
    assert written(text).startswith(own)
    assert "старое" not in written(text) or "Алексей" in text
    assert "old" not in written(text)


@given(st.text(min_size=1))
def test_cutting_never_leaves_nothing(text: str) -> None:
    assert bool(written(text).strip()) == bool(text.strip())


@pytest.mark.parametrize("real", ["cp1251", "koi8-r", "utf-8", "iso8859-5"])
@pytest.mark.parametrize("declared", [None, "utf-8", "windows-1251", "koi8-r", "iso-8859-1", "us-ascii", "x-none"])
@pytest.mark.parametrize("text", ["Подскажите, когда откроется второй модуль?", "Мария Кузнецова", "Да, спасибо!"])
def test_the_charset_is_found_whatever_was_declared(real: str, declared: str | None, text: str) -> None:
    assert decode(text.encode(real), declared) == text


def test_other_languages_keep_their_charset() -> None:
    assert decode("für Größe, Müller".encode("latin-1"), "iso-8859-1") == "für Größe, Müller"
    assert decode("日本語".encode("iso2022_jp"), "iso-2022-jp") == "日本語"
    assert decode("日本語".encode("shift_jis"), "shift_jis") == "日本語"
    assert decode(b"a+b", "punycode") == "a+b"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("=?utf-8?B?0J/RgNC4?=\r\n =?utf-8?B?0LLQtdGC?=", "Привет"),
        ("=?utf-8?B?0J/R?= =?utf-8?B?gNC40LLQtdGC?=", "Привет"),  # a letter cut in two
        ("Re: =?koi8-r?Q?=F0=D2=C9=D7=C5=D4?= x", "Re: Привет x"),
        ("=?utf-8*ru?Q?=D0=94=D0=B0?=", "Да"),
        ("=?utf-8?B?0J/RgNC40LLQtdGC=?=", "Привет"),
        ("=?broken?=", "=?broken?="),
        ("a\r\n b\tc", "a b c"),
        ("=?utf-8?Q?a=0D=0ABcc:_x?=", "a Bcc: x"),
    ],
)
def test_broken_words_of_headers(raw: str, text: str) -> None:
    assert header_text(raw) == text


def test_a_comma_inside_an_encoded_name_is_no_second_address() -> None:
    assert addresses("=?utf-8?B?0JDQvdC90LAsINCv0YA=?= <a@b.test>, c@d.test") == [
        ("Анна, Яр", "a@b.test"),
        ("", "c@d.test"),
    ]


def test_subject_prefixes_of_all_programs() -> None:
    for prefix in ("Re: ", "RE: Fwd: ", "Re[4]: ", "Отв: ", "HA: ", "Пересл: Re: "):
        assert bare_subject(f"{prefix}Вопрос: цена") == "Вопрос: цена"
    assert bare_subject("Регистрация: не работает") == "Регистрация: не работает"


def test_html_is_read_in_lines_with_links_and_quotations() -> None:
    html = "<div>Да<br>нет</div><blockquote>цитата<blockquote>глубже</blockquote></blockquote>"
    assert html_text(html) == "Да\nнет\n> цитата\n>> глубже"
    assert html_text('<a href="javascript:x">к</a> <a href="http://a.test/">http://a.test</a>') == "к http://a.test"
    assert html_text("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>") == "1 2\n3"


def nested(depth: int, close: bool = True) -> bytes:
    head = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(depth))
    tail = "".join(f"\r\n--b{n}--" for n in reversed(range(depth))) if close else ""
    return (
        build().replace(b"Content-Type: text/plain", b"X-Was: text/plain").partition(b"\r\n\r\n")[0]
        + f"\r\n{head}\r\nпривет{tail}\r\n".encode()
    )


POISON = {
    "nested parts": nested(3000),
    "nested letters": b"Content-Type: message/rfc822\r\n\r\n" * 3000 + build(),
    "nested by bare returns": nested(3000).replace(b"\r\n", b"\r"),
    "long header": build(X_Long="ы" * 40_000),
    "words without end": b"Subject: " + b"=?utf-8?q?a?= " * 18_000 + b"\r\n" + build(),
    "header of a part": nested(1).replace(b"--b0\r\n", b"--b0\r\nX: " + b"a" * 70_000 + b"\r\n"),
    "parts": nested(1).replace(b"\r\n--b0--", b"\r\n--b0\r\n\r\nx" * 600 + b"\r\n--b0--"),
    "lines": build() + b"\n" * 3_100_000,
    "no date": b"From: a@home.test\r\n\r\nx",
}


@pytest.mark.parametrize("name", sorted(POISON))
def test_poison_is_refused_with_words_and_at_once(name: str) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match="letter"):
        parse(POISON[name])
    assert time.process_time() - start < 3


HEAVY = {
    "brackets": build().replace(b"From: client@home.test", b"From: " + b"(" * 60_000 + b" a@home.test"),
    "words": build(Subject="x").replace(b"Subject: x", b"Subject: " + b"=?utf-8?q?a?= " * 4_500),
    "depth": nested(90),
    "unclosed": nested(90, close=False),
    "html": build().replace(b"text/plain", b"text/html") + b"<div>" * 200_000,
    "long text": build("слово " * 60_000),
    "headers of replies": build("On " + "a " * 90 + "\n" + ("On " + "a " * 90 + "\n") * 4000),
    "quotes": build("> " * 90 + "\n" + "> a\n" * 50_000),
    "empty lines": build("x" + "\n" * 400_000),
    "charset": build().replace(b'charset="utf-8"', b'charset="punycode"') + b"-a9" * 200_000,
}


@pytest.mark.parametrize("name", sorted(HEAVY))
def test_heavy_letters_are_read_in_seconds(name: str) -> None:
    start = time.process_time()
    assert parse(HEAVY[name]).external_id == "q@home.test"
    assert time.process_time() - start < 5


def test_a_text_above_200_000_characters_is_kept_whole() -> None:
    assert len(parse(HEAVY["long text"]).text) == 60_000 * 6 - 1


def test_nothing_a_database_refuses_comes_out() -> None:
    raw = build().replace(b"client@home.test", b"A\x00\xffB <client@home.test>") + b"\x00\xed\xa0\x80\xff"
    one = parse(raw)
    assert one.author is not None
    for text in (one.text, one.author.name, str(one.subject)):
        assert "\x00" not in text
        text.encode()


SEEDS = [path.read_bytes() for path in sorted(HERE.glob("*.eml"))]


@settings(max_examples=300, deadline=5000, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(SEEDS) - 1), st.integers(0, 2**32))
def test_mutated_letters_are_understood(which: int, seed: int) -> None:
    dice = random.Random(seed)
    raw = bytearray(SEEDS[which])
    for _ in range(dice.randint(1, 12)):
        at, size = dice.randrange(len(raw)), dice.randint(0, 40)
        piece = dice.choice(
            [
                dice.randbytes(size),
                bytes(raw[at : at + size]) * 3,
                b"\r\n\r\n",
                b"--",
                b"\x00",
                b"=?utf-8?B?",
                b"\r\nContent-Type: multipart/mixed; boundary=\r\n",
                b"\r\nContent-Transfer-Encoding: base64\r\n",
                b"charset=utf-16",
                b"filename*0*=",
            ]
        )
        raw[at : at + dice.choice([0, size])] = piece
    # The collector writes the time of arrival above a letter whose own header has none.
    mark = b"" if has_date(bytes(raw)) else b"X-Otklik-Arrived: Wed, 25 Nov 2026 12:40:00 +0300\r\n"
    one = parse(mark + bytes(raw))
    assert one.published_at.tzinfo is not None
    repr(one).encode()
