"""Messages and cases in numbers, straight into the tables: what `bench inbox` looks at."""

import bisect
import itertools
import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Table, select, text

from classifier import LABELS, read_corpus
from models import Author, Base, Case, Department, Message, Publication, Route, SearchEntry, Source
from models.database import Database
from services.accounts import create_staff, seed_departments
from services.lemmas import words_of
from services.rights import DESK
from services.search_index import message_row

BATCH = 5000
CASES_PER_MESSAGE = 0.3
FORMS = 20_000
LENGTHS = (5, 7, 9, 11, 14, 14, 18, 24, 40, 80)
STATES = (("no_answer", "closed"),) * 55 + (("solved", "closed"),) * 37 + (
    ("new", "new"), ("new", "new"), ("work", "work"), ("work", "work"), ("author", "wait"), ("department", "wait"),
    ("work", "work"), ("new", "new"),
)  # fmt: skip
PRIORITIES = (0, *(1,) * 20, *(2,) * 120, *(3,) * 29)
THEMES = (None, "access", "access", "payment", "video", "homework", "schedule", "curator", "refund")
RARE, COMMON = "гиппопотам", "заказ"
NOW = datetime.now(UTC).replace(microsecond=0)


class Words:
    """Russian forms by Zipf: those of the corpus, then made ones up to FORMS; RARE and COMMON at known shares."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        found = {line.text[w.start : w.end].lower() for line in read_corpus() for w in words_of(line.text)}
        known = sorted(word for word in found if word.isalpha())
        made = (f"{a}{b}{c}" for a, b, c in itertools.product(known[:60], ("ск", "ов", "ин"), known[60:200]))
        self.forms = [*known, *itertools.islice(made, max(0, FORMS - len(known)))]
        self.random.shuffle(self.forms)
        self.sums = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(self.forms))))

    def text(self) -> str:
        count = self.random.choice(LENGTHS)
        top = self.sums[-1]
        words = [self.forms[bisect.bisect(self.sums, self.random.random() * top)] for _ in range(count)]
        if self.random.random() < 0.18:
            words[self.random.randrange(count)] = self.random.choice(("заказ", "заказа", "заказы", "заказом"))
        if self.random.random() < 0.0002:
            words[0] = "гиппопотамы"
        return " ".join(words)


HEAD = "head@bench.example"


def fill(database: Database, count: int) -> int:
    """``count`` messages in some ``count`` × 0.3 cases, all of it indexed; returns the head's staff id."""
    with database.write.begin() as session:
        seed_departments(session)
        head = create_staff(session, DESK, email=HEAD, name="Анна Мост", roles=("head",))
        people = [head.id, *(
            create_staff(session, DESK, email=f"smm{n}@bench.example", name=f"Сотрудник {n}", roles=("smm",)).id
            for n in range(5)
        )]  # fmt: skip
        for platform in ("youtube", "vk", "telegram", "wordpress"):
            session.add(Source(platform=platform, title=f"Площадка {platform}", settings={}, every_seconds=3600,
                               state="paused"))  # fmt: skip
        session.flush()
        sources = list(session.scalars(select(Source.id)))
        units = list(session.scalars(select(Department.id)))
    made = Made(count, sources, people, units)
    for table, rows in made.tables():
        copy_rows(database, table, rows)
    settle(database)
    return people[0]


def settle(database: Database) -> None:
    """What PostgreSQL does by itself in a minute or two; SQLite knows nothing of how values are spread, as in a
    desk."""
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def pick(n: int, salt: int, things: Sequence[Any]) -> Any:
    """One of ``things`` by ``n``, the same in every run and unlike for every ``salt``."""
    return things[((n + salt * 7_919) * 2_654_435_761 >> 11) % len(things)]


class Made:
    def __init__(self, count: int, sources: Sequence[int], people: Sequence[int], units: Sequence[int]) -> None:
        self.count, self.sources, self.people, self.units = count, sources, people, units
        self.cases = int(count * CASES_PER_MESSAGE)
        self.random, self.words = random.Random(2), Words()
        self.step = timedelta(days=730) / count

    def tables(self) -> Iterator[tuple[Table, Iterator[dict[str, Any]]]]:
        yield (
            Author.__table__,
            (
                {"id": n, "platform": "youtube", "external_id": f"a{n}", "name": f"Зритель {n}", "is_us": False}
                for n in range(1, self.count // 10 + 2)
            ),
        )  # type: ignore[misc]
        yield Publication.__table__, (
            {"id": n, "source_id": self.sources[n % 4], "external_id": f"p{n}", "kind": "video",
             "title": f"Урок {n}", "text": ""}
            for n in range(1, 501)
        )  # type: ignore[misc]  # fmt: skip
        yield Case.__table__, map(self.case, range(1, self.cases + 1))  # type: ignore[misc]
        yield Message.__table__, map(self.message, range(1, self.count + 1))  # type: ignore[misc]
        yield Route.__table__, (
            {"id": n, "case_id": pick(n, 7, range(1, self.cases + 1)), "question": "?", "asked_at": NOW,
             "department_id": self.units[n % len(self.units)], "asked_by_id": self.people[0],
             "state": "sent" if n % 5 == 0 else "accepted",
             "form_key": f"r{n}", "returns": 0, "version": 1, "urgent": False}
            for n in range(1, self.cases // 40)
        )  # type: ignore[misc]  # fmt: skip
        yield SearchEntry.__table__, map(self.entry, range(1, self.count + 1))  # type: ignore[misc]

    def at(self, number: int) -> datetime:
        return NOW - timedelta(days=730) + self.step * number

    def text_of(self, number: int) -> str:
        self.words.random.seed(number)
        return self.words.text()

    def source_of(self, case_id: int) -> int:
        return int(pick(case_id, 10, self.sources))

    def case(self, n: int) -> dict[str, Any]:
        state, stage = pick(n, 1, STATES)
        at = self.at(int(n / CASES_PER_MESSAGE))
        return {
            "id": n, "number": f"ОБ-{at.year}-{n:06d}", "state": state, "stage": stage, "subject_key": f"k{n}",
            "open_key": None if stage == "closed" else f"k{n}", "source_id": self.source_of(n),
            "publication_id": n % 500 + 1, "author_id": n % (self.count // 10) + 1,
            "first_message_id": min(self.count, max(1, int(n / CASES_PER_MESSAGE))),
            "visibility": "private" if pick(n, 6, range(7)) == 0 else "public", "label": pick(n, 2, LABELS),
            "sure": pick(n, 3, range(6)) != 0, "assignee_id": pick(n, 4, (*self.people, None, None, None)),
            "lift": pick(n, 5, (None, None, "message", "answer")) if stage != "closed" else None, "opened_at": at,
            "last_message_at": at, "reopened": 0, "version": 1, "created_at": at, "sentiment": 0,
            "priority": pick(n, 11, PRIORITIES), "theme": pick(n, 12, THEMES),
            "kind": pick(n, 2, LABELS) if pick(n, 3, range(6)) else None,
        }  # fmt: skip

    def message(self, n: int) -> dict[str, Any]:
        case_id = min(self.cases, max(1, int(n * CASES_PER_MESSAGE)))
        at = self.at(n)
        return {
            "id": n, "source_id": self.source_of(case_id), "container": f"p{case_id % 500 + 1}",
            "external_id": f"c{n}", "thread": f"t{case_id}", "publication_id": case_id % 500 + 1,
            "author_id": case_id % (self.count // 10) + 1, "case_id": case_id if pick(n, 8, range(3)) else None,
            "direction": "in", "visibility": "public", "state": "published",
            "work": "labelled" if pick(n, 8, range(3)) else "rest",
            "read_at": at if pick(n, 9, range(50)) else None, "text": self.text_of(n), "automatic": False,
            "context": {}, "published_at": at, "ingested_at": at, "versions": 1,
        }  # fmt: skip

    def entry(self, n: int) -> dict[str, Any]:
        row = self.message(n)
        message = Message(**{k: row[k] for k in ("id", "source_id", "direction", "published_at", "text")})
        return message_row(message, f"Зритель {row['author_id']}")


def copy_rows(database: Database, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    """Batches by the driver itself: nothing of ours is measured here."""
    connection = database.engine.raw_connection()
    try:
        cursor = connection.cursor()
        names: list[str] = []
        if database.is_sqlite:
            cursor.execute("BEGIN IMMEDIATE")
            while batch := list(itertools.islice(rows, BATCH)):
                names = names or list(batch[0])
                marks = ", ".join("?" * len(names))
                values = [[_lite(table, name, row[name]) for name in names] for row in batch]
                columns = ", ".join(f'"{name}"' for name in names)
                cursor.executemany(f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})', values)
        else:
            first = next(rows)
            names = list(first)
            columns = ", ".join(f'"{name}"' for name in names)
            with cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
                for row in itertools.chain([first], rows):
                    copy.write_row([_pg(table, name, row[name]) for name in names])
        connection.commit()
    finally:
        connection.close()


def _pg(table: Table, name: str, value: Any) -> Any:
    return json.dumps(value) if isinstance(table.c[name].type, JSON) else value


def _lite(table: Table, name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    if name == "vector":
        return None
    return _pg(table, name, value)


def is_known(database: Database) -> bool:
    """Whether the tables are there and filled."""
    with database.read.begin() as session:
        return session.scalar(select(Message.id).limit(1)) is not None and bool(Base.metadata.tables)
