"""The fifty cases of tests/data/reports/cases.md, played on a desk as people would have worked, and the key."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import time_machine
from sqlalchemy import select

from classifier import Verdict
from collectors.base import Person, Publication, Receipt
from models import Case, Source, Study, utc_now
from services.cases import close
from services.crm.clients import create_client
from services.crm.identities import link_author
from services.labelling import correct_label, run_labelling
from services.messages import store_messages
from services.outbox import claim_act
from services.outcomes import record_receipt
from services.replies import write_reply
from services.routing import answer_route, ask_department

FOLDER = Path(__file__).parents[1] / "data" / "reports"
MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 12, 4, 18, 0, tzinfo=MOSCOW)
KINDS = {"вопрос": "question", "жалоба": "complaint", "пожелание": "wish"}
UNITS = {"кураторы": "curators", "техотдел": "technical"}
THEMES = {"расписание": "schedule", "цена": "price", "обучение": "learning"}
PLACES = {"блог": "wordpress", "вк": "vk"}


def table(name: str) -> Iterator[dict[str, str]]:
    """The rows of a table in Markdown, by the names of its columns; «—» is nothing."""
    lines = [line for line in (FOLDER / name).read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    head, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    for row in rows[1:]:
        yield {key: "" if cell == "—" else cell for key, cell in zip(head, row, strict=True)}


def key() -> dict[tuple[str, str], str]:
    """(of what, which figure) → its value as it stands in the key, «—» included."""
    return {(row["чего"], row["число"]): row["значение"] or "—" for row in table("key.md")}


def moment(text: str) -> datetime:
    return datetime.strptime(f"2026.{text[:11]}", "%Y.%d.%m %H:%M").replace(tzinfo=MOSCOW)


class ByTable:
    """Says of each text what its row says: the kind, whether it is sure of it, and the themes."""

    version, gate = "fifty", 0.3

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        return [self._verdict(text) for text in texts]

    def _verdict(self, text: str) -> Verdict:
        word, sure, *themes = text.replace(",", "").split()
        label = KINDS[word]
        return Verdict(
            label, (label,), {label: 0.9}, (), sure == "да", 0.9, tuple(THEMES[theme] for theme in themes)
        )


@dataclass
class DemoSet:
    """Plays the table; afterwards ``case_ids`` maps its numbers to cases."""

    cast: Any
    database: Any

    def __post_init__(self) -> None:
        self.rows = list(table("cases.md"))
        self.case_ids: dict[str, int] = {}
        self.routes: dict[str, int] = {}
        self.people = {"Дарья": self.cast.smm, "Марина": self.cast.head}
        with self.database.write.begin() as session:
            watched = datetime(2026, 11, 26, tzinfo=MOSCOW)
            session.get_one(Source, self.cast.source_id).created_at = watched
            other = self.cast.add_source(session, "vk", group_id="1")
            other.created_at = watched
            session.flush()
            self.places = {"блог": self.cast.source_id, "вк": other.id}

    def play(self) -> None:
        deeds = [
            (moment(row[column]), int(row["№"]), order, deed, row)
            for row in self.rows
            for order, (column, deed) in enumerate(self._deeds(row))
            if row[column]
        ]
        deeds.sort(key=lambda one: one[:3])
        with time_machine.travel(deeds[0][0], tick=False) as clock:
            for at, _number, _order, deed, row in deeds:
                clock.move_to(at)
                deed(row)

    def _deeds(self, row: dict[str, str]) -> list[tuple[str, Any]]:
        then = {"решено": "solve", "ждём автора": "wait"}.get(row["стало"], "keep")
        return [
            ("у нас с", lambda row: self._write(row, row["написано"])),
            ("спросили", self._ask),
            ("отдел ответил", self._answer_for_unit),
            ("ответили", lambda row: self._reply(row, then)),
            ("автор вернулся", lambda row: self._write(row, row["автор вернулся"])),
            ("ответили снова", lambda row: self._reply(row, "solve")),
            ("закрыто", self._close),
        ]

    def _write(self, row: dict[str, str], written: str) -> None:
        number = row["№"]
        item = self.cast.incoming(
            f"{row['вид']} {row['уверены']} {row['темы']}".strip(), Person(f"a{number}", f"Автор {number}"),
            published_at=moment(written),
            container=f"p{number}", publication=Publication(f"p{number}", "article", f"Статья {number}"),
        )  # fmt: skip
        with self.database.write.begin() as session:
            store_messages(session, self.places[row["место"]], PLACES[row["место"]], [item])
        run_labelling(self.database, ByTable(), gate_open=True)
        if number in self.case_ids:
            return
        with self.database.write.begin() as session:
            case = session.scalars(select(Case).order_by(Case.id.desc())).first()
            assert case is not None
            self.case_ids[number] = case.id
            if row["программа"]:
                client = create_client(session, self.cast.head, name=f"Автор {number}")
                session.add(Study(client_id=client.id, course=row["программа"]))
                link_author(session, self.cast.head, client.id, case.author_id or 0, "said")
            if row["проверен"] == "да":
                correct_label(session, self.cast.head, case.first_message_id or 0, KINDS[row["вид"]])

    def _ask(self, row: dict[str, str]) -> None:
        with self.database.write.begin() as session:
            unit = self.cast.departments[UNITS[row["кого"]]]
            route = ask_department(
                session, self.people[row["кто"]], self.case_ids[row["№"]], unit, "Как?", f"q{row['№']}"
            )
            self.routes[row["№"]] = route.id

    def _answer_for_unit(self, row: dict[str, str]) -> None:
        with self.database.write.begin() as session:
            who = {"кураторы": self.cast.curator, "техотдел": self.cast.tech}[row["кого"]]
            answer_route(session, who, self.routes[row["№"]], "Так.")

    def _reply(self, row: dict[str, str], then: str) -> None:
        with self.database.write.begin() as session:
            write_reply(
                session, self.people[row["кто"]], self.case_ids[row["№"]], "Ответ.", f"f{row['№']}{utc_now()}",
                then=then, undo_seconds=0, route_id=self.routes.get(row["№"]),
            )  # fmt: skip
        with self.database.write.begin() as session:
            act = claim_act(session)
            assert act is not None
            record_receipt(session, act, Receipt(f"r{act.id}", None, utc_now()))

    def _close(self, row: dict[str, str]) -> None:
        reason = "spam" if row["закрыто"].endswith("спам") else "no_answer_needed"
        with self.database.write.begin() as session:
            close(session, self.people[row["кто"]], self.case_ids[row["№"]], reason)


def shown(value: Fraction | int | float | None) -> str:
    """A figure as the key writes it: minutes as a number, a mean as a fraction, nothing as «—»."""
    if value is None:
        return "—"
    if isinstance(value, Fraction) and value.denominator not in (1, 2):
        return str(value)
    return f"{float(value):g}"
