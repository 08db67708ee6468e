"""GetCourse on loopback: lessons and tickets that students write to, a process that calls, exports."""

import time
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import keys
from sandbox.faults import Refusals, answered
from sandbox.ground import SCHOOL_ZONE, store
from sandbox.store import Draft, Item, Store

wire = Blueprint("getcourse", __name__, url_prefix="/getcourse")

SPACE = "getcourse"
READY_AFTER = 0.0
"""Seconds that an export takes here; the real one takes ten or some minutes."""
WINDOW, CALLS = 2 * 3600, 100
LISTS = ("users", "deals", "payments")


def publish(db: Store, draft: Draft) -> Item:
    return db.add(draft, SPACE, str(db.count("getcourse:item", 1, 7000)), None)


def announce(item: Item, what: str) -> None:
    """A process is started by what is new; it knows nothing of edits and removals."""
    if what == "new" and not item.ours:
        store().push("getcourse", call(item))


def call(item: Item) -> dict[str, Any]:
    """The variables that the school has written into the address of its process (docs/channels/getcourse.md)."""
    person = store().person("getcourse", item.author)
    place = store().publication("getcourse", item.kind, item.publication)
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(item.at + SCHOOL_ZONE.utcoffset(None).total_seconds()))
    told = {
        "id": item.id, "uid": number_of(item.author), "email": person.id, "name": person.name, "text": item.text,
        "time": at, "phone": "{user.phone}",
    }  # fmt: skip
    if item.kind == "lesson":
        return {
            "event": "lesson_comment",
            "lesson_id": item.publication,
            "lesson": place.title if place else "",
            **told,
        }
    return {"event": "ticket_message", "ticket_id": number_of(item.publication), **told}


def number_of(mail: str) -> str:
    """A person's number in the account: the same for the same address."""
    known = sorted(person.id for person in store().persons("getcourse"))
    return str(500_100 + known.index(mail)) if mail in known else "500000"


def refusal(code: int, words: str) -> Response:
    return jsonify(success=False, error=True, error_code=code, error_message=words)


REFUSALS: Refusals = {
    "429": lambda: refusal(905, "Слишком много запросов"),
    "401": lambda: refusal(1, "Неверный секретный ключ"),
}


def _admitted() -> Response | None:
    """What is wrong with a call: the key in the address, a wrong key, too many calls."""
    if "key" in request.args:
        return refusal(1, "Ключ в адресе попадает в журналы: передайте его в теле запроса")
    if request.form.get("key") != keys.GETCOURSE_KEY:
        return refusal(1, "Неверный секретный ключ")
    with store().writing():
        if store().count(f"getcourse:calls:{int(time.time() // WINDOW)}", 1, 0) > CALLS:
            return refusal(905, "Слишком много запросов")
    return None


@wire.post("/pl/api/account/<name>")
def begin(name: str) -> Response:
    """Starts an export; one at a time, and never without a filter."""
    return answered("getcourse", "begin", lambda: _admitted() or _begin(name), REFUSALS)


def _begin(name: str) -> Response:
    if name == "fields":
        return jsonify(success=True, info={"fields": []}, error=False)
    if name not in LISTS:
        return refusal(404, "Нет такого списка")
    if not any(one.startswith(("created_at", "status")) for one in request.form):
        return refusal(2, "Укажите хотя бы один фильтр")
    if store().meta("getcourse:running"):
        return refusal(905, "Слишком много запросов: предыдущий экспорт ещё не готов")
    with store().writing():
        number = store().count("getcourse:export", 1, 40_000)
        store().set_meta("getcourse:running", f"{number}:{name}:{time.time()}")
    return jsonify(success=True, info={"export_id": number}, error=False)


@wire.post("/pl/api/account/exports/<number>")
def fetch(number: str) -> Response:
    return answered("getcourse", "fetch", lambda: _admitted() or _fetch(number), REFUSALS)


def _fetch(number: str) -> Response:
    running = (store().meta("getcourse:running") or "::0").split(":")
    if running[0] != number:
        return refusal(910, "Нет такого экспорта")
    if time.time() - float(running[2]) < READY_AFTER:
        return refusal(909, "Файл еще не создан")
    with store().writing():
        store().set_meta("getcourse:running", "")
    headings, rows = TABLES[running[1]]
    info = {"fields": list(headings), "items": [list(row) for row in rows]}
    return jsonify(success="true", info=info, error="")


_ANNA = ("alina@people.example", "Алина Сафина")
TABLES: dict[str, tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]] = {
    "users": (
        ("id", "Email", "Имя", "Фамилия", "Телефон", "Создан", "Группы"),
        (
            ("500101", "alina@people.example", "Алина", "Сафина", "+79990001001", "2026-11-02 11:20:00", "Поток 5"),
            (
                "500114",
                "nastya@people.example",
                "Настя",
                "Белкина",
                "+79990001015",
                "2026-11-05 09:10:00",
                "Поток 5",
            ),
        ),
    ),
    "deals": (
        (
            "ID заказа",
            "Номер",
            "Email",
            "Пользователь",
            "Состав заказа",
            "Статус",
            "Стоимость, RUB",
            "Дата создания",
        ),
        (("880001", "4411", *_ANNA, "Разговорный рывок", "Завершен", "24900", "2026-11-02 11:21:00"),),
    ),
    "payments": (
        ("ID платежа", "Email", "Пользователь", "Заказ", "Статус", "Сумма", "Создан", "Тип"),
        (("770001", *_ANNA, "4411", "Получен", "24900", "2026-11-02 11:25:00", "Карта"),),
    ),
}
