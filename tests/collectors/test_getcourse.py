"""GetCourse: letters whatever their template, processes that call, exports that come later."""

import json
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

import pytest
from flask import Flask, request

from collectors.base import ChannelError, Incoming, Raw, Visibility, Walk
from collectors.getcourse import GetCourse, Settings, export
from collectors.mail.letter import read_letter
from collectors.wire import Guard, Wire

AT = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
SCHOOL = Settings(account="lingva.getcourse.ru", own_addresses=["curator@lingva.example"])

LESSON = """Здравствуйте!

Анна Яр (anna.yar@people.example) оставила комментарий к уроку «Времена глагола» тренинга «Английский с нуля»:

Не поняла третье упражнение.
Там точно Past Simple?

Ответить: https://lingva.getcourse.ru/pl/teach/control/lesson/view?id=314#comment2718

--
Это письмо отправлено автоматически, отписаться: https://lingva.getcourse.ru/unsubscribe/1
"""
FORM = """Новый вопрос с формы помощи

Имя: Борис Шубин
Email: boris@people.example
Телефон: +7 999 000-10-02
Сообщение: Не приходит письмо со ссылкой на оплату.
Проверил спам: пусто.

Посмотреть пользователя: https://lingva.getcourse.ru/user/control/user/update/id/42
"""
TICKET = """<p>Новое сообщение в обращении №77</p>
<p><b>Пользователь:</b> Вика Лапина &lt;vika@people.example&gt;</p>
<p><b>Текст:</b> Верните, пожалуйста, доступ к курсу</p>
<p><a href="https://lingva.getcourse.ru/pl/support/ticket/view/id/77">Открыть обращение</a></p>
"""


def letter(
    subject: str, text: str, *, sender: str = "no-reply@getcourse.ru", html: bool = False, **more: str
) -> Any:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "desk@lingva.example", subject
    mail["Date"], mail["Message-ID"] = format_datetime(AT), f"<{abs(hash((subject, text)))}@gc>"
    mail["List-Unsubscribe"] = "<https://lingva.getcourse.ru/unsubscribe/1>"
    for name, value in more.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text, subtype="html" if html else "plain")
    return read_letter(Raw("mail", "INBOX", mail["Message-ID"].strip("<>"), mail.as_bytes()), frozenset())[0]


def reported(*given: Any, **more: Any) -> Incoming | None:
    return GetCourse.from_letter(SCHOOL, letter(*given, **more))


def test_a_comment_under_a_lesson() -> None:
    found = reported("Новый комментарий к уроку", LESSON)
    assert found is not None
    assert found.text == "Не поняла третье упражнение.\nТам точно Past Simple?"
    assert (found.container, found.external_id) == ("lesson:314", "2718")
    assert found.author is not None
    assert (found.author.external_id, found.author.name) == ("mail:anna.yar@people.example", "Анна Яр")
    assert found.publication is not None
    assert found.publication.title == "Английский с нуля · Времена глагола"
    assert found.url == "https://lingva.getcourse.ru/pl/teach/control/lesson/view?id=314#comment2718"
    assert (found.visibility, found.automatic) == (Visibility.PUBLIC, False)


def test_the_help_form() -> None:
    found = reported("Вопрос с сайта", FORM)
    assert found is not None
    assert found.text == "Не приходит письмо со ссылкой на оплату.\nПроверил спам: пусто."
    assert found.author is not None
    assert found.author.external_id == "mail:boris@people.example"
    assert found.context["phone"] == "+7 999 000-10-02"
    assert found.visibility is Visibility.PRIVATE
    assert found.context["user"] == "42"


def test_a_ticket_in_html() -> None:
    found = reported("Обращение в службу поддержки", TICKET, html=True)
    assert found is not None
    assert found.text == "Верните, пожалуйста, доступ к курсу"
    assert found.container == "ticket:77"
    assert found.author is not None
    assert found.author.external_id == "mail:vika@people.example"


def test_what_is_no_notification_stays_a_letter() -> None:
    assert reported("Новый комментарий к уроку", LESSON, sender="mallory@evil.example") is None
    assert reported("Новый комментарий к уроку", LESSON, sender="x@notgetcourse.ru") is None
    assert reported("Ваш счёт за тариф", "Оплатите тариф: https://lingva.getcourse.ru/pl/billing") is None
    foreign = LESSON.replace("lingva.getcourse.ru", "other.getcourse.ru")
    assert reported("Новый комментарий к уроку", foreign) is None


def test_our_own_people_are_ours() -> None:
    said = LESSON.replace("anna.yar@people.example", "curator@lingva.example")
    found = reported("Новый комментарий к уроку", said)
    assert found is not None
    assert found.author is not None
    assert found.author.is_us


def channel(limiter: Any, base_url: str = "", **more: Any) -> GetCourse:
    port = base_url.rstrip("/").rpartition(":")[2]
    wire = Wire(Guard(allow_private=frozenset({f"127.0.0.1:{port}"})))
    return GetCourse(Settings(account="lingva.getcourse.ru", base_url=base_url, **more), wire, limiter)


QUERY = (
    b"event=lesson_comment&id=2718&uid=42&email=Anna.Yar@people.example&name=%D0%90%D0%BD%D0%BD%D0%B0&lesson_id=314"
)


def test_a_process_calls_with_a_query(limiter) -> None:
    gc = channel(limiter)
    raws = gc.receive(QUERY + b"&text=%D0%9F%D0%BE%D1%87%D0%B5%D0%BC%D1%83%3F&course=%7Bobject.training%7D", {})
    (found,) = gc.parse(raws[0])
    assert (found.container, found.external_id, found.text) == ("lesson:314", "2718", "Почему?")
    assert found.publication is not None
    assert "object" not in found.publication.title
    assert found.url == "https://lingva.getcourse.ru/pl/teach/control/lesson/view?id=314"
    again = gc.receive(QUERY + b"&text=%D0%9F%D0%BE%D1%87%D0%B5%D0%BC%D1%83%3F", {})
    assert again[0].external_id == raws[0].external_id, "the same object told again is the same event"


@pytest.mark.parametrize("body", [b"", b"event=order_paid&id=5&text=x", b"a=1", b"\xff\xfe", b"text="])
def test_a_call_without_a_message_is_taken_and_not_kept(limiter, body) -> None:
    assert channel(limiter).receive(body, {}) == []


@pytest.mark.parametrize("body", [b"[1]", b"{", b"[" * 20_000])
def test_broken_json_is_refused(limiter, body) -> None:
    with pytest.raises(ChannelError) as failed:
        channel(limiter).receive(body, {"Content-Type": "application/json"})
    assert failed.value.code == "invalid"


WHO = "anna@people.example"


class Account:
    """The export side of an account, as strict as platforms.md §9 has it."""

    def __init__(self) -> None:
        self.app = Flask("account")
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.waits = 0
        self.running: str | None = None
        self.tables = {
            "users": (["id", "Email", "Имя", "Фамилия", "Телефон"], [[42, WHO, "Анна", "Яр", ""]]),
            "deals": (["Номер", "Email", "Состав заказа", "Стоимость, RUB"], [["900", WHO, "Курс", "2900"]]),
            "payments": (
                ["ID", "Заказ", "Статус", "Сумма", "Создан"], [[7, "900", "Получен", "2900", "2026-11-25 12:00"]],
            ),
        }  # fmt: skip
        self.app.post("/pl/api/account/<name>")(self.begin)
        self.app.post("/pl/api/account/exports/<name>")(self.fetch)

    def begin(self, name: str) -> Any:
        self.asked.append((name, dict(request.form)))
        if request.args or request.form.get("key") != "s3cret":
            return {"success": "false", "error_message": "Неверный ключ", "error_code": 1}
        if name == "fields":
            return {"success": True, "info": {}}
        if self.running:
            return {"success": False, "error": True, "error_code": 905, "error_message": "слишком много запросов"}
        if not any(one.startswith("created_at") for one in request.form):
            return {"success": False, "error_message": "Укажите фильтр", "error_code": 2}
        self.running = name
        return {"success": True, "info": {"export_id": 11}, "error": False}

    def fetch(self, name: str) -> Any:
        if self.waits > 0 or self.running is None:
            self.waits -= 1
            return {"success": False, "error": True, "error_code": 909, "error_message": "Файл ещё не создан"}
        fields, items = self.tables[self.running]
        self.running = None
        return {"success": "true", "info": {"fields": fields, "items": items}}


@pytest.fixture
def account(monkeypatch) -> Account:
    monkeypatch.setattr(export, "PAUSE", 0)
    return Account()


def test_three_exports_one_after_another(serve, limiter, account) -> None:
    gc = channel(limiter, serve(account.app), secret_key="s3cret", since=date(2026, 11, 1))
    pages = list(gc.walk(Walk.NEW, {}))
    raws = [raw for page in pages for raw in page.raws]
    assert [raw.kind for raw in raws] == ["person", "order", "payment"]
    person, order, payment = (GetCourse.records(raw)[0] for raw in raws)
    assert (person.external_id, person.fields["name"]) == ("42", "Анна Яр")
    assert (order.fields["number"], payment.fields["order"]) == ("900", "900")
    assert payment.at == datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
    assert all(gc.parse(raw) == [] for raw in raws)
    assert pages[-1].complete
    assert account.asked[0][1]["created_at[from]"] == "2026-11-01"


def test_what_is_not_ready_is_fetched_by_the_next_reading(serve, limiter, account) -> None:
    gc = channel(limiter, serve(account.app), secret_key="s3cret")
    account.waits = 4
    first = list(gc.walk(Walk.NEW, {}))
    assert not any(page.raws for page in first)
    second = list(gc.walk(Walk.NEW, first[-1].cursor))
    assert [raw.kind for page in second for raw in page.raws] == ["person", "order", "payment"]
    assert [name for name, _ in account.asked] == ["users", "deals", "payments"], "nothing is asked for twice"


def test_resumes_from_every_page(serve, limiter, account) -> None:
    gc = channel(limiter, serve(account.app), secret_key="s3cret")
    count = len(list(gc.walk(Walk.NEW, {})))
    for kill in range(1, count):
        account.running = None
        seen: dict[str, Raw] = {}
        cursor: dict[str, Any] = {}
        for page in list(gc.walk(Walk.NEW, {}))[:kill]:
            seen |= {raw.kind: raw for raw in page.raws}
            cursor = page.cursor
        running = cursor.get("running")
        account.running = running["list"] if running else None
        for page in gc.walk(Walk.NEW, cursor):
            seen |= {raw.kind: raw for raw in page.raws}
        assert set(seen) == {"person", "order", "payment"} or not cursor.get("todo")


def test_refusals(serve, limiter, account) -> None:
    base = serve(account.app)
    with pytest.raises(ChannelError) as failed:
        channel(limiter, base, secret_key="wrong").check()
    assert (failed.value.code, failed.value.permanent) == ("auth", True)
    assert "wrong" not in failed.value.message
    account.running = "users"
    with pytest.raises(ChannelError) as failed:
        list(channel(limiter, base, secret_key="s3cret").walk(Walk.NEW, {}))
    assert (failed.value.code, failed.value.retry_after) == ("rate", 300)
    assert channel(limiter).check().missing[0].without == "export"


def test_a_hundred_calls_in_two_hours(serve, account) -> None:
    class Spent:
        def wait(self, name: str, *, rate: float, cost: int = 1) -> None: ...

        def spend(self, name: str, day: str, units: int, *, limit: int, purpose: str = "") -> bool:
            assert limit == 100
            return False

    with pytest.raises(ChannelError) as failed:
        channel(Spent(), serve(account.app), secret_key="s3cret").check()
    assert failed.value.code == "rate"
    assert 0 < (failed.value.retry_after or 0) <= 7200
    assert account.asked == []


def test_rows_are_read_by_their_headings() -> None:
    body = json.dumps({"ID": "5", "Эл. почта": "x@y.ru", "Имя": "Ян", "Создан": "01.11.2026 10:00"}).encode()
    (found,) = GetCourse.records(Raw("person", "export", "5", body))
    assert found.fields["email"] == "x@y.ru"
    assert found.at == datetime(2026, 11, 1, 7, 0, tzinfo=UTC)
