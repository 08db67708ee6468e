"""The register over 100,000 contracts: a page of it, a tab, far down, a search; the sums of one contract.

OTKLIK_BENCH_CONTRACTS is the number of contracts (default 100000, in steps of 10000).
"""

import os
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import insert, select

from benchmarks.figures import Figure, finish, header, p95, row
from models import Client, ClientWord, Contact, Contract, Instalment
from models.database import Database, open_database
from services.accounts import create_staff
from services.contracts.register import counts, first_line, register_page
from services.money.payments import balance_of
from services.money.receivables import debts
from services.rights import DESK, Actor, actor_of
from services.schema import upgrade

CONTRACTS = int(os.environ.get("OTKLIK_BENCH_CONTRACTS", "100000"))
CLIENTS, CHUNK, RUNS = CONTRACTS // 2, 5_000, 200
TODAY = date(2026, 11, 26)
STATES = ("force",) * 60 + ("fulfilled",) * 25 + ("terminated",) * 5 + ("draft",) * 5 + ("approval",) * 5
SURNAMES = ("Соколова", "Мельников", "Гусева", "Ершов", "Лапина", "Тихонов", "Носова", "Зуев", "Яр", "Ким")


def fill(database: Database) -> Actor:
    """Invented clients and contracts of three instalments, part of them late."""
    with database.write.begin() as session:
        staff = create_staff(session, DESK, email="head@school.example", name="Марина Котова", roles=("head",))
    for first in range(1, CLIENTS + 1, CHUNK):
        numbers = range(first, first + CHUNK)
        with database.write.begin() as session:
            session.execute(insert(Client), [_client(n) for n in numbers])
            session.execute(insert(Contact), [_phone(n) for n in numbers])
            session.execute(insert(ClientWord), [word for n in numbers for word in _words(n)])
    for first in range(1, CONTRACTS + 1, CHUNK):
        numbers = range(first, first + CHUNK)
        with database.write.begin() as session:
            session.execute(insert(Contract), [_contract(n) for n in numbers])
            session.execute(insert(Instalment), [line for n in numbers for line in _lines(n)])
    return actor_of(staff)


def _client(n: int) -> dict[str, object]:
    name = f"{SURNAMES[n % 10]} Клиент {n:05d}"
    return {"id": n, "name": name, "name_key": name.lower(), "kind": "person", "details": {}, "flags": []}


def _words(n: int) -> list[dict[str, object]]:
    return [{"client_id": n, "word": word} for word in (SURNAMES[n % 10].lower(), "клиент", f"{n:05d}")]


def _phone(n: int) -> dict[str, object]:
    key = f"+7900{n:07d}"
    return {
        "client_id": n,
        "kind": "phone",
        "value": key,
        "key": key,
        "live_key": f"phone:{key}",
        "tail": key[:0:-1],
    }


def _contract(n: int) -> dict[str, object]:
    state = STATES[n % 100]
    return {
        "id": n, "kind": "person", "state": state, "number": None if state == "draft" else f"2026-{n:06d}",
        "client_id": n % CLIENTS + 1, "dated": TODAY - timedelta(days=n % 700), "price": 6_000_000,
        "terms": {"program": {"name": "Английский для работы"}}, "parties": {"client": {"full": "Клиент"}},
        "site": {}, "evidence": {}, "version": 1, "revision": 1,
    }  # fmt: skip


def _lines(n: int) -> list[dict[str, object]]:
    late = n % 200 == 0
    return [
        {"contract_id": n, "schedule": 1, "no": no, "due_on": TODAY + timedelta(days=30 * no - 60 * late),
         "amount": 2_000_000, "paid": 0, "current": True, "stage": "overdue" if late and no == 1 else "ahead"}
        for no in (1, 2, 3)
    ]  # fmt: skip


def timed(database: Database, ask: Callable[..., object], runs: int = RUNS) -> list[float]:
    taken = []
    for number in range(runs):
        with database.read.begin() as session:
            began = time.perf_counter()
            found = ask(session, number)
            taken.append(time.perf_counter() - began)
            assert found is not None
    return taken


def main() -> int:
    header()
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{Path(folder) / 'otklik.db'}")
        upgrade(database)
        actor = fill(database)
        page = timed(database, lambda s, n: register_page(s, actor, today=TODAY))
        deep = timed(database, lambda s, n: register_page(s, actor, today=TODAY, before=(n + 1) * 450))
        tab = timed(database, lambda s, n: register_page(s, actor, today=TODAY, group="approval"))
        number = timed(database, lambda s, n: register_page(s, actor, today=TODAY, words=f"2026-{n * 457 + 1:06d}"))
        phone = timed(database, lambda s, n: register_page(s, actor, today=TODAY, words=f"8 900 {n * 91 + 1:07d}"))
        name = timed(database, lambda s, n: register_page(s, actor, today=TODAY, words=f"клиент {n * 91 + 1:05d}"))
        tabs = timed(database, lambda s, n: counts(s, actor), 50)
        line = timed(database, lambda s, n: first_line(s, n + 1, TODAY) or "")
        late = timed(database, lambda s, n: debts(s, actor, TODAY), 20)
        sums = timed(
            database,
            lambda s, n: balance_of(
                s, s.scalars(select(Contract).where(Contract.id == n * 457 % CONTRACTS + 1)).one(), TODAY
            ),
        )
        rows = {
            "register page": page, "register page far down": deep, "register page of a tab": tab,
            "search by number": number, "search by phone": phone, "search by name": name, "numbers on tabs": tabs,
            "card's first line": line, "overdue payments": late, "sums of one contract": sums,
        }  # fmt: skip
        for title, taken in rows.items():
            row(f"{title} among {CONTRACTS} contracts", taken)
        database.engine.dispose()
    return finish(
        [
            Figure("contracts.page.p95.ms", max(p95(page), p95(deep), p95(tab)) * 1000, 50),
            Figure("contracts.search.p95.ms", max(p95(number), p95(phone), p95(name)) * 1000, 60),
            Figure("contracts.first_line.p95.ms", p95(line) * 1000, 50),
        ]
    )
