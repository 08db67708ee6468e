"""`bench hooks`: mutated bodies at every hook and mutated letters, and how many messages a second a hook takes in.

OTKLIK_BENCH_HOOKS names bodies, letters and seconds of measuring («10000 2000 10»).
"""

import hashlib
import hmac
import json
import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from benchmarks.figures import Figure, finish, header
from benchmarks.inbox import databases, make_desk
from benchmarks.live import load_classifier
from bootstrap import Desk
from classifier import Classifier, read_corpus
from collectors.base import Page, Raw
from models import Message, RawItem, Source
from models.database import Database
from services.accounts import seed_departments
from services.hooks import Patience, source_token, storms
from services.intake import run_parse, store_page
from services.labelling import run_labelling
from services.rights import DESK
from services.sources import add_source
from web import create_app, hooks

SECRET = "a-secret-of-the-hook-1"
LETTERS = Path(__file__).resolve().parent.parent / "tests" / "collectors" / "mail"
PERSON = {"id": 42, "is_bot": False, "first_name": "Вера"}


@dataclass(frozen=True, slots=True)
class Door:
    """One kind of hook: settings of its place, a body as its platform sends it, and how that is proven."""

    values: Mapping[str, Any]
    body: Mapping[str, Any]
    header: str = ""
    signed: bool = False
    inside: bool = False
    fixed: frozenset[str] = field(default_factory=frozenset)

    @property
    def proven(self) -> bool:
        return bool(self.header or self.signed or self.inside)

    def headers(self, body: bytes, secret: str) -> dict[str, str]:
        if self.signed:
            return {"X-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
        return {self.header: secret} if self.header else {}


DOORS: Mapping[str, Door] = {
    "form": Door({"consent": "Согласен на обработку имени и почты."}, {
        "email": "vera@example.ru", "text": "Когда начало?", "key": "k", "consents": {"answer": True}}),
    "max": Door({"token": "f9LH", "webhook_secret": SECRET}, {
        "update_type": "message_created", "timestamp": 1_790_000_000_000, "message": {
            "sender": {"user_id": 42, "first_name": "Вера", "is_bot": False}, "timestamp": 1_790_000_000_000,
            "recipient": {"chat_id": 5, "chat_type": "dialog"},
            "body": {"mid": "mid.1", "seq": 1, "text": "Здравствуйте"}}}, header="X-Max-Bot-Api-Secret"),
    "telegram": Door({"token": "7001:AAx", "webhook_secret": SECRET}, {
        "update_id": 5, "message": {"message_id": 3, "date": 1_790_000_000, "text": "А можно в рассрочку?",
                                    "chat": {"id": 42, "type": "private", "first_name": "Вера"}, "from": PERSON}},
        header="X-Telegram-Bot-Api-Secret-Token"),
    "vk": Door({"group_id": 101, "community_token": "t", "callback_secret": SECRET}, {
        "type": "message_new", "group_id": 101, "event_id": "e1", "v": "5.199", "secret": SECRET, "object": {
            "message": {"id": 7, "conversation_message_id": 7, "date": 1_790_000_000, "peer_id": 42, "from_id": 42,
                        "out": 0, "text": "Когда урок?", "attachments": []}, "client_info": {}}},
        inside=True, fixed=frozenset({"secret", "group_id"})),
    "calls": Door({"secret": SECRET}, {"call_id": "1", "from": "+79990000001", "to": "1", "status": "missed",
                                       "start": "2026-11-25T12:00:00"}, signed=True),
    "room": Door({"secret": SECRET}, {"room": "r1", "title": "Эфир", "messages": [
        {"id": "1", "author": "Вера", "text": "Нет звука", "at": "2026-11-25T12:00:00Z"}]}, signed=True),
    "getcourse": Door({"account": "lingva.getcourse.ru"}, {"event": "lesson_answer", "object_id": "9",
                      "text": "Не открывается урок", "email": "vera@example.ru", "name": "Вера"}),
}  # fmt: skip
ODD: tuple[Any, ...] = (
    None, False, -1, 0, 2**70, 1e308, "", "\ud800", "\x00", "я" * 5000, [], {}, [[1]], "NaN", "2026",
    {"a": {"b": 1}}, [None] * 50, "<script>", "🙂" * 400,
)  # fmt: skip
TYPES = ("application/json", "application/x-www-form-urlencoded", "text/xml", "")


def mutated(body: Mapping[str, Any], rolled: random.Random, fixed: frozenset[str] = frozenset()) -> bytes:
    """A body that its platform would not send; ``fixed`` keys stay, so that it is still proven."""

    def change(value: Any, depth: int) -> Any:
        if isinstance(value, Mapping) and (depth == 0 or rolled.random() < 0.7):
            kept = {
                key: one
                if depth == 0 and key in fixed
                else change(one, depth + 1)
                if rolled.random() < 0.5
                else one
                for key, one in value.items()
            }
            lost = [key for key in kept if not (depth == 0 and key in fixed)]
            if lost and rolled.random() < 0.2:
                kept.pop(rolled.choice(lost))
            return kept
        if isinstance(value, list) and rolled.random() < 0.5:
            return [change(one, depth + 1) for one in value] * rolled.choice((0, 1, 3))
        return rolled.choice(ODD)

    text = json.dumps(change(body, 0)).encode()
    if not fixed and rolled.random() < 0.3:
        spoilt = bytearray(text)
        for _ in range(rolled.randint(1, 6)):
            spoilt[rolled.randrange(len(spoilt))] = rolled.randrange(256)
        text = bytes(spoilt)
    if not fixed and rolled.random() < 0.05:
        text = b'{"a":' * rolled.choice((50, 2000, 100_000)) + b"1"
    return text


def spoil_letter(letter: bytes, rolled: random.Random) -> bytes:
    """A letter with bytes changed, lines doubled, swapped or lost, headers cut in the middle."""
    lines = letter.split(b"\n")
    for _ in range(rolled.randint(1, 5)):
        at = rolled.randrange(len(lines))
        kind = rolled.randrange(5)
        if kind == 0:
            lines[at] = bytes(rolled.randrange(256) for _ in range(rolled.randint(0, 60)))
        elif kind == 1:
            lines.insert(at, lines[rolled.randrange(len(lines))])
        elif kind == 2 and len(lines) > 1:
            del lines[at]
        elif kind == 3:
            lines[at] = lines[at][: rolled.randint(0, len(lines[at]))]
        else:
            lines[at] = lines[at].replace(b"=", b"==", 1).replace(b"utf-8", rolled.choice((b"x", b"utf-99", b"")))
    return b"\n".join(lines)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a storm: answers by status, the statuses of wrong secrets, rows kept of those."""

    statuses: Counter[int]
    refused: Counter[int]
    stored_of_refused: int
    unsettled: int


def storm_of(app: Flask, desk: Desk, kind: str, count: int, rolled: random.Random) -> Told:
    """``count`` mutated bodies at one place, every fifth with a wrong secret where there is one."""
    door = DOORS[kind]
    with desk.database.write.begin() as session:
        source = add_source(session, DESK, desk.keyring, platform=kind, title=kind, values=dict(door.values))
        source_id, address = source.id, f"/hooks/{kind}/{source_token(desk.secret_key, source.id)}"
    statuses, refused, leaked = Counter[int](), Counter[int](), 0
    client = app.test_client()
    for number in range(count):
        wrong = door.proven and number % 5 == 4
        told = {**door.body, "secret": "no"} if wrong and door.inside else door.body
        body = mutated(told, rolled, door.fixed)
        headers = door.headers(body, "wrong" if wrong else SECRET)
        before = _raws(desk.database, source_id) if wrong else 0
        answer = client.post(address, data=body, headers=headers, content_type=rolled.choice(TYPES))
        (refused if wrong else statuses)[answer.status_code] += 1
        if answer.status_code >= 500:
            print(kind, answer.status_code, body[:300])
        leaked += _raws(desk.database, source_id) - before if wrong else 0
    storms.settle()
    with desk.database.read.begin() as session:
        left = select(func.count()).where(
            RawItem.source_id == source_id, RawItem.state.not_in(("parsed", "quarantined", "older"))
        )
        unsettled = session.scalar(left) or 0
    return Told(statuses, refused, leaked, unsettled)


def storm_of_letters(desk: Desk, count: int, rolled: random.Random) -> tuple[int, Counter[str]]:
    """(letters that raised instead of being set aside, states of what was kept)."""
    with desk.database.write.begin() as session:
        values = {"address": "school@example.ru", "password": "p", "imap_host": "imap.example.ru",
                  "smtp_host": "smtp.example.ru"}  # fmt: skip
        source_id = add_source(session, DESK, desk.keyring, platform="mail", title="Почта", values=values).id
        source = session.get_one(Source, source_id)
    channel = desk.open_channel(source)
    seeds = [path.read_bytes() for path in sorted(LETTERS.glob("*.eml"))]
    raised = 0
    for number in range(count):
        letter = spoil_letter(rolled.choice(seeds), rolled)
        with desk.database.write.begin() as session:
            store_page(session, source_id, Page((Raw("mail", "INBOX", f"u{number}", letter),), {}))
        for _ in range(3):
            try:
                run_parse(desk.database, source_id, channel)
            except Exception as error:
                raised += 1
                print(type(error).__name__, str(error)[:200])
    channel.close()
    with desk.database.read.begin() as session:
        found = session.execute(
            select(RawItem.state, func.count()).where(RawItem.source_id == source_id).group_by(RawItem.state)
        )
        return raised, Counter({row[0]: row[1] for row in found})


def _raws(database: Database, source_id: int) -> int:
    with database.read.begin() as session:
        return session.scalar(select(func.count()).where(RawItem.source_id == source_id)) or 0


def taken_a_second(app: Flask, desk: Desk, seconds: float, classifier: Classifier) -> float:
    """Messages that two connections bring in by a hook, one each time, understood, committed and labelled."""
    door = DOORS["max"]
    with desk.database.write.begin() as session:
        source = add_source(session, DESK, desk.keyring, platform="max", title="max", values=dict(door.values))
        source_id, address = source.id, f"/hooks/max/{source_token(desk.secret_key, source.id)}"
    texts = [example.text for example in read_corpus()]
    ends = time.monotonic() + seconds

    def send(who: int) -> None:
        client, number = app.test_client(), 0
        while time.monotonic() < ends:
            number += 1
            told = json.loads(json.dumps(door.body))
            told["message"]["body"]["mid"] = f"mid.{who}.{number}"
            told["message"]["body"]["text"] = texts[(2 * number + who) % len(texts)]
            told["message"]["sender"]["user_id"] = 100 + number % 300
            told["message"]["recipient"]["chat_id"] = 100 + number % 300
            answer = client.post(address, json=told, headers=door.headers(b"", SECRET))
            assert answer.status_code == 200, answer.text

    def label() -> None:
        while time.monotonic() < ends:
            run_labelling(desk.database, classifier, gate_open=False)
            time.sleep(0.1)

    threads = [threading.Thread(target=send, args=[who]) for who in range(2)] + [threading.Thread(target=label)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    labelled = select(func.count()).where(Message.source_id == source_id, Message.work != "received")
    with desk.database.read.begin() as session:
        return (session.scalar(labelled) or 0) / seconds


def main() -> int:
    """Prints the answers of each hook and the rate on both databases; 1 when a figure is missed."""
    header()
    bodies, letters, seconds = (int(one) for one in os.environ.get("OTKLIK_BENCH_HOOKS", "10000 2000 10").split())
    rolled, figures = random.Random(1441), []
    hooks.patience = Patience(10**9, 600)
    with tempfile.TemporaryDirectory(prefix="otklik-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        classifier = load_classifier(folder)
        with databases(folder) as make:
            for kind in os.environ.get("OTKLIK_BENCH_DATABASES", "sqlite postgresql").split():
                desk = make_desk(make(kind, 1), folder)
                with desk.database.write.begin() as session:
                    seed_departments(session)
                app = create_app(desk)
                if kind == "sqlite":
                    figures += _storms(partial(storm_of, app, desk, rolled=rolled), bodies)
                    raised, states = storm_of_letters(desk, letters, rolled)
                    print(f"letters: {dict(states)}")
                    figures.append(Figure("letters that raised", raised, 0))
                rate = taken_a_second(app, desk, seconds, classifier)
                figures.append(Figure(f"{kind} by hook a second", rate, 150, at_least=True))
    return finish(figures)


def _storms(run: Callable[..., Told], count: int) -> list[Figure]:
    found = {kind: run(kind=kind, count=count // len(DOORS)) for kind in DOORS}
    for kind, told in found.items():
        print(f"{kind}: {dict(told.statuses)}; wrong secret: {dict(told.refused)}")
    every = list(found.values())
    broken = sum(n for told in every for status, n in (told.statuses + told.refused).items() if status >= 500)
    return [
        Figure("answers of 5xx", broken, 0),
        Figure("wrong secrets stored", sum(told.stored_of_refused for told in every), 0),
        Figure("wrong secrets taken", sum(told.refused[200] for told in every), 0),
        Figure("neither understood nor set aside", sum(told.unsettled for told in every), 0),
    ]
