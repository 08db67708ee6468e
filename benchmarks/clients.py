"""`bench clients`: a card, the list and its search over many cards, and a large import with its memory.

OTKLIK_BENCH_CLIENTS is the number of cards (default 200000), OTKLIK_BENCH_IMPORT of rows to take in (100000).
"""

import os
import random
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select

from benchmarks.figures import Figure, finish, header, p95, row
from benchmarks.inbox import make_desk
from models import Author, Case, Client, ClientNote, ClientWord, Contact, Identity, Message, Source, Staff, Study
from models.database import Database, open_database
from services.accounts import create_staff
from services.crm import imports
from services.crm.cards import view_card
from services.crm.clients import fold_name
from services.crm.contacts import phone_words
from services.crm.finding import Wanted, find_clients
from services.crm.names import search_words
from services.crm.timeline import timeline
from services.rights import DESK
from services.schema import upgrade
from web import create_app

CARDS = int(os.environ.get("OTKLIK_BENCH_CLIENTS", "200000"))
ROWS = int(os.environ.get("OTKLIK_BENCH_IMPORT", "100000"))
CHUNK, ROUNDS, WARM = 5_000, 60, 5
LAST = (
    "Лисицына", "Гусева", "Сомова", "Синицына", "Дроздова", "Котова", "Рябинина", "Стрижова", "Гараева",
    "Полянская", "Волкова", "Зайцева",
)  # fmt: skip
FIRST = (
    "Анна", "Ольга", "Мария", "Елена", "Дарья", "Юлия", "Вера", "Нина", "Пётр", "Олег", "Павел", "Тимур", "Иван",
    "Марина",
)  # fmt: skip
MIDDLE = ["Петровна", "Ивановна", "Олеговна", "Сергеевна", "Павловна"]
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
MESSAGES = 2_000
"""What the busiest client wrote: the line of time is walked in pages."""


def name_of(number: int) -> tuple[str, str, str]:
    last = f"{LAST[number % 12]}{'' if number % 3 else '-' + LAST[number // 12 % 12]}"
    return last, FIRST[number // 7 % 14], MIDDLE[number // 5 % 5]


def phone_of(number: int) -> str:
    return f"+7916{number:07d}"


def fill(database: Database, count: int) -> None:
    """Invented people, each with a phone and a mail, every third with a course; number 1 is the busiest."""
    for first in range(0, count, CHUNK):
        cards: list[dict[str, object]] = []
        words: list[dict[str, object]] = []
        contacts: list[dict[str, object]] = []
        studies: list[dict[str, object]] = []
        for number in range(first + 1, min(first + CHUNK, count) + 1):
            parts = name_of(number)
            name, phone, mail = " ".join(parts), phone_of(number), f"client{number}@school.example"
            made = {"created_at": NOW, "updated_at": NOW}
            cards.append({
                "id": number, "kind": "person", "name": name, "name_key": fold_name(name), "last_name": parts[0],
                "first_name": parts[1], "middle_name": parts[2], "segment": "potential" if number % 3 else "active",
                "state": "live", "details": {}, "flags": [], **made,
            })  # fmt: skip
            words += [{"client_id": number, "word": word} for word in search_words(name)]
            for kind, key, value in (("phone", phone, phone_words(phone)), ("mail", mail, mail)):
                contacts.append({
                    "client_id": number, "kind": kind, "value": value, "key": key, "live_key": f"{kind}:{key}",
                    "tail": key[:0:-1] if kind == "phone" else None, "is_main": True, "created_at": NOW,
                })  # fmt: skip
            if number % 3 == 0:
                studies.append({"client_id": number, "course": "Английский", "group_name": f"А-{number % 50}",
                                "access_until": date(2027, 3, 1), "created_at": NOW})  # fmt: skip
        with database.write.begin() as session:
            for table, rows in ((Client, cards), (ClientWord, words), (Contact, contacts), (Study, studies)):
                session.execute(insert(table), rows)


def fill_talk(database: Database) -> None:
    """The busiest client: two accounts with MESSAGES messages in a hundred cases, and notes."""
    with database.write.begin() as session:
        source = Source(platform="vk", title="Сообщество", settings={}, every_seconds=60)
        authors = [Author(platform="vk", external_id=str(n), name="Анна") for n in range(2)]
        session.add_all([source, *authors])
        session.flush()
        for author in authors:
            session.add(Identity(client_id=1, author_id=author.id, linked_author_id=author.id, basis="said"))
        for n in range(100):
            at = NOW - timedelta(days=n)
            session.add(Case(number=f"ОБ-2026-{n:06d}", state="closed", stage="closed", subject_key=f"k{n}",
                             source_id=source.id, author_id=authors[n % 2].id, visibility="private", opened_at=at,
                             last_message_at=at))  # fmt: skip
            session.add(ClientNote(client_id=1, text="заметка", form_key=f"n{n}", created_at=at))
        session.flush()
        cases = list(session.scalars(select(Case.id)))
        session.execute(insert(Message), [
            {"source_id": source.id, "container": "d", "external_id": f"m{n}", "author_id": authors[n % 2].id,
             "case_id": cases[n % 100], "direction": "out" if n % 3 == 0 else "in", "visibility": "private",
             "state": "published", "text": "Здравствуйте, подскажите, пожалуйста.", "context": {},
             "published_at": NOW - timedelta(hours=n), "work": "labelled", "ingested_at": NOW}
            for n in range(MESSAGES)
        ])  # fmt: skip


def measure(name: str, do: Callable[[int], object]) -> float:
    """p95 of ROUNDS runs in ms; the second line is this process alone, whatever else the machine does."""
    times, own = [], []
    for round_ in range(WARM + ROUNDS):
        begin, spent = time.perf_counter(), time.process_time()
        do(round_)
        if round_ >= WARM:
            times.append((time.perf_counter() - begin) * 1000)
            own.append((time.process_time() - spent) * 1000)
    row(name, times, "ms")
    row("  cpu", own, "ms")
    return p95(times)


def questions(database: Database, count: int) -> list[Figure]:
    rng = random.Random(8)

    def find(words: Callable[[int], str]) -> Callable[[int], object]:
        def do(round_: int) -> object:
            with database.read.begin() as session:
                return find_clients(session, DESK, Wanted(words(round_)))

        return do

    def card(number: int) -> object:
        with database.read.begin() as session:
            return view_card(session, DESK, number), timeline(session, DESK, number)

    def some() -> int:
        return rng.randrange(2, count)

    spellings = ("8 (916) {0}-{1}-{2}", "+7916{0}{1}{2}", "916 {0} {1} {2}", "8916{0}{1}{2}")

    def phone(round_: int) -> str:
        digits = phone_of(some())[-7:]
        return spellings[round_ % 4].format(digits[:3], digits[3:5], digits[5:])

    searches: dict[str, Callable[[int], str]] = {
        "search.phone": phone,
        "search.last_four": lambda _round: phone_of(some())[-4:],
        "search.mail": lambda _round: f"client{some()}@",
        "search.name": lambda _round: " ".join(name_of(some())[:2]),
        "search.one_letter": lambda _round: "л",
        "search.three_words": lambda _round: " ".join(name_of(some())),
    }
    figures = [Figure("card", measure("a card with its line of time", lambda _r: card(some())), 50)]
    figures.append(Figure("card.busy", measure("the busiest card", lambda _r: card(1)), 50))
    figures.append(Figure("list", measure("first page of the list", find(lambda _r: "")), 50))
    figures += [Figure(name, measure(name, find(words)), 60) for name, words in searches.items()]
    return figures


def screens(database: Database, folder: Path) -> list[Figure]:
    app = create_app(make_desk(database, folder))
    client = app.test_client()
    with database.read.begin() as session, client.session_transaction() as cookie:
        cookie["key"] = session.scalars(select(Staff.session_key)).first()

    def get(address: str) -> Callable[[int], object]:
        def do(_round: int) -> object:
            answer = client.get(address)
            assert answer.status_code == 200, answer.status
            return answer.data

        return do

    return [
        Figure("screen.card", measure("the page of a card", get("/clients/1234"))),
        Figure("screen.list", measure("the page of the list", get("/clients"))),
        Figure("screen.search", measure("the page of a search", get("/clients?q=8916000 12 34"))),
    ]


def resident() -> float:
    """MB in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def import_rows(database: Database, rows: int) -> list[Figure]:
    lines = ["id;Email;Имя;Фамилия;Телефон;Курс;Группа"]
    for number in range(rows):
        last, first, _middle = name_of(number)
        # Every twentieth is known already, every hundredth cannot be read.
        phone = phone_of(number + 1) if number % 20 == 0 else f"+7925{number:07d}"
        mail = "не почта" if number % 100 == 7 else f"import{number}@school.example"
        lines.append(f"gc{number};{mail};{first};{last};{phone};Клуб;К-{number % 30}")
    content = "\n".join(lines).encode()
    with database.write.begin() as session:
        actor = DESK.__class__(session.scalars(select(Staff.id)).first(), roles=frozenset({"head"}))
        started = imports.begin_import(session, actor, "большой.csv", content)
        imports.start_import(session, actor, started.id)
    seen, over = [], threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            seen.append(resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    begin, spent = time.perf_counter(), time.process_time()
    imports.run_imports(database)
    took = time.perf_counter() - begin
    print(f"import: {took:.1f} s, of which this process {time.process_time() - spent:.1f} s")
    over.set()
    watcher.join()
    with database.read.begin() as session:
        print("import:", imports.get_import(session, DESK, started.id).counts, f"{rows / took:.0f} rows a second")
    tenth = seen[: max(len(seen) // 10, 1)]
    return [
        Figure("import.seconds", took, 120 * rows / 100_000),
        Figure("import.growth_mb", max(seen) - max(tenth), 60),
    ]


def main() -> int:
    header()
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{Path(folder) / 'otklik.db'}")
        upgrade(database)
        with database.write.begin() as session:
            create_staff(session, DESK, email="head@school.example", name="Марина Котова", roles=("head",))
        begin = time.perf_counter()
        fill(database, CARDS)
        fill_talk(database)
        print(f"{CARDS} cards in {time.perf_counter() - begin:.0f} s")
        figures = questions(database, CARDS) + screens(database, Path(folder)) + import_rows(database, ROWS)
        database.engine.dispose()
    return finish(figures)
