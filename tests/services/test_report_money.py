"""Reports on money, calls and cards: every figure is the one that the key has by hand, on both databases."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from models import (
    Allocation,
    Call,
    Client,
    Contact,
    Contract,
    Instalment,
    Obligation,
    Payment,
    Termination,
)
from services.errors import Forbidden
from services.reports.cut import Cut
from services.reports.money import debts_table
from services.reports.tables import run_table
from services.rights import DESK, Actor
from tests.services.demo_set import FOLDER, moment

MOSCOW = ZoneInfo("Europe/Moscow")
WEEK = Cut(date(2026, 11, 30), date(2026, 12, 4))
NOW = datetime(2026, 12, 4, 18, 0, tzinfo=MOSCOW)
KOPECKS = 100


def part(title: str) -> list[dict[str, str]]:
    """The table under a heading of money.md; «—» is nothing."""
    text = (FOLDER / "money.md").read_text(encoding="utf-8").split(f"## {title}\n")[1].split("\n## ")[0]
    head, _line, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    return [
        {name: "" if cell == "—" else cell for name, cell in zip(head, row, strict=True)} for row in rows
    ]  # fmt: skip


def on(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


@pytest.fixture
def played(database) -> Any:
    """Writes the tables of money.md as rows; the doors that people use are tested where they stand."""
    with database.write.begin() as session:
        clients = _cards(session)
        contracts = {}
        for row in part("Договоры"):
            contracts[row["№"]] = contract = Contract(
                kind="person", number=f"2026-{int(row['№']):05d}", client_id=clients[row["клиент"]].id,
                dated=on(row["дата"]), price=int(row["цена"]) * KOPECKS, state=row["стоит"],
                signature=row["подписан"],
            )  # fmt: skip
            session.add(contract)
        session.flush()
        lines = {}
        for row in part("Платежи по графику"):
            line = Instalment(
                contract_id=contracts[row["договор"]].id, no=int(row["№"]), due_on=on(row["срок"]),
                amount=int(row["сумма"]) * KOPECKS,
            )  # fmt: skip
            lines[row["договор"], row["№"]] = line
            session.add(line)
        session.flush()
        for row in part("Деньги"):
            payment = Payment(
                contract_id=contracts[row["договор"]].id, paid_on=on(row["день"]),
                amount=int(row["сумма"]) * KOPECKS, is_refund=bool(row["возврат"]),
            )  # fmt: skip
            session.add(payment)
            session.flush()
            if row["строка"]:
                line = lines[row["договор"], row["строка"]]
                line.paid = (line.paid or 0) + payment.amount
                session.add(Allocation(payment_id=payment.id, instalment_id=line.id, amount=payment.amount))
        _rest(session, contracts)
    return database


def _cards(session) -> dict[str, Client]:
    found = {}
    for row in part("Карточки"):
        client = Client(
            name=row["кто"], name_key=row["кто"].lower(), segment=row["сегмент"], state=row["стоит"],
            created_at=datetime.combine(on(row["сделана"]) or date.min, NOW.timetz()),
        )  # fmt: skip
        session.add(client)
        session.flush()
        found[row["кто"]] = client
        if row["контакт"]:
            session.add(
                Contact(client_id=client.id, kind="mail", value="a@x.example", key=f"{client.id}@x.example")
            )
    return found


def _rest(session, contracts: dict[str, Contract]) -> None:
    for row in part("Расторжения"):
        contract = contracts[row["договор"]]
        session.add(
            Termination(
                contract_id=contract.id, active_key=contract.id, ground=row["основание"],
                received_on=on(row["получено"]), refund=int(row["вернуть"]) * KOPECKS,
            )
        )  # fmt: skip
    for number, row in enumerate(part("Обязательства")):
        done = on(row["сделано"])
        state = "lifted" if row["снято"] else "done" if done else "waiting"
        session.add(
            Obligation(
                contract_id=contracts[row["договор"]].id, key=f"k{number}", side=row["чьё"], subject="payment",
                due_on=on(row["срок"]), done_on=done, state=state,
            )
        )  # fmt: skip
    for row in part("Звонки"):
        session.add(
            Call(
                direction=row["куда"], number=row["номер"], started_at=moment(row["когда"]), result=row["итог"],
                seconds=int(row["секунд"]),
            )
        )  # fmt: skip


def plain(cell) -> str:
    value = cell.value
    if value is None:
        return "—"
    if cell.unit == "money":
        value = Fraction(value, KOPECKS)
    if isinstance(value, str | date):
        return str(value)
    found = Fraction(value).limit_denominator(1000)
    short = found.denominator in (1, 2, 4, 5)
    return f"{float(found):g}" if short else str(found)


def test_every_figure_is_the_keys(played) -> None:
    wanted = {(row["отчёт"], row["строка"], row["число"]): row["значение"] or "—" for row in part("Ключ")}
    found: dict[tuple[str, str, str], str] = {}
    with played.read.begin() as session:
        for code in {report for report, _line, _name in wanted}:
            table = run_table(session, DESK, code, WEEK, NOW)
            rows = [(line.name or str(line.key), line.cells) for line in table.lines]
            rows.append(("всё", table.total or ()))
            for name, cells in rows:
                found.update({(code, name, col): plain(c) for col, c in zip(table.columns, cells, strict=True)})
            found.update({(code, "рядом", name): plain(cell) for name, cell in table.beside})
    assert {key: (value, found.get(key)) for key, value in wanted.items() if found.get(key) != value} == {}
    assert len(wanted) > 45


def test_a_debt_is_what_it_was_on_its_day(played) -> None:
    """Reckoned a second time, day by day, from the rows themselves."""
    lines, payments, contracts = part("Платежи по графику"), part("Деньги"), part("Договоры")
    owing = {row["№"] for row in contracts if row["стоит"] in ("signed", "force", "paused")}
    with played.read.begin() as session:
        for step in range(-90, 5):
            day = date(2026, 11, 30) + timedelta(days=step)
            table = debts_table(session, Cut(day, day), NOW, "bucket")
            owed = 0
            for line in lines:
                if line["договор"] in owing and (on(line["срок"]) or day) < day:
                    paid = sum(
                        int(one["сумма"])
                        for one in payments
                        if (one["договор"], one["строка"]) == (line["договор"], line["№"])
                        and (on(one["день"]) or day) <= day
                    )
                    owed += max(0, int(line["сумма"]) - paid)
            assert sum(line.cells[2].value for line in table.lines) == owed * KOPECKS, day


def test_money_is_not_for_everybody_who_sees_reports(played) -> None:
    observer = Actor(None, "", frozenset({"observer"}))
    with played.read.begin() as session:
        for code in ("debts", "contracts", "terminations", "obligations", "calls", "clients"):
            with pytest.raises(Forbidden):
                run_table(session, observer, code, WEEK, NOW)
