"""A desk on which one scenario of tests/data/scenarios.yaml is played: what comes, and what people do with it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from sqlalchemy import select

from classifier import Verdict
from collectors.base import Incoming, Person, Publication, Visibility
from models import Case, Clock, Message, Route
from services.labelling import correct_label, correct_themes, run_labelling
from services.messages import store_messages
from services.routing import ask_department
from services.signals import decide_signal
from services.terms import save_terms

DATA = Path(__file__).resolve().parent.parent / "data"
MOSCOW = ZoneInfo("Europe/Moscow")


def read(name: str) -> Any:
    return yaml.safe_load((DATA / f"{name}.yaml").read_text(encoding="utf-8"))


def moscow(text: str) -> datetime:
    return datetime.strptime(text, "%d.%m.%Y %H:%M").replace(tzinfo=MOSCOW)


def day_of(at: datetime) -> str:
    return f"{at.astimezone(MOSCOW):%d.%m.%Y}"


def hour_of(at: datetime) -> str:
    return f"{at.astimezone(MOSCOW):%d.%m.%Y %H:%M}"


class Undecided:
    """A classifier that knows nothing: a person says what it is."""

    version, gate = "undecided", 0.3

    def classify(self, texts: list[str]) -> list[Verdict]:
        return [Verdict("other", ("other",), {"other": 0.4}, (), False, 0.3) for _ in texts]


class Thanks:
    """One that is sure that it is thanks, at a desk whose gate is open (day.md §1.1)."""

    version, gate = "thanks", 0.3

    def classify(self, texts: list[str]) -> list[Verdict]:
        return [Verdict("praise", ("praise",), {"praise": 0.95}, (), True, 0.02) for _ in texts]


class Play:
    """One scenario on a desk: its message comes at its hour, and the people do with it what they do."""

    def __init__(self, cast: Any, database: Any, row: dict[str, Any], preset: str) -> None:
        self.cast, self.database, self.row, self.preset = cast, database, row, preset
        self.at = moscow(row["at"])
        self.clock: Any = None
        self.case_id = 0
        with database.write.begin() as session:
            save_terms(session, cast.head, {"preset": preset})
            self.source_id = self.add_place(session, row["place"])

    def add_place(self, session: Any, platform: str) -> int:
        settings = {"network": self.row["network"], "page_url": ""} if platform == "manual" else {"name": "x"}
        source = self.cast.add_source(session, platform, **settings)
        source.created_at = self.at - timedelta(days=7)
        session.flush()
        return int(source.id)

    def act(self, service: Callable[..., Any], *given: Any, **named: Any) -> Any:
        with self.database.write.begin() as session:
            return service(session, *given, **named)

    def look(self, model: type[Any], *where: Any) -> list[Any]:
        with self.database.read.begin() as session:
            return list(session.scalars(select(model).where(*where).order_by(model.id)))

    def case(self, case_id: int | None = None) -> Case:
        return self.look(Case, Case.id == (case_id or self.case_id))[0]

    def incoming(self, text: str, author: str = "Анна Яр", name: str = "m1", **given: Any) -> Incoming:
        private = bool(self.row.get("private"))
        values: dict[str, Any] = {
            "container": "dialogue" if private else "17", "external_id": name, "text": text,
            "published_at": self.at, "author": Person(f"a-{author}", author),
            "publication": None if private else Publication("17", "post", "Как выучить сто слов"),
            "visibility": Visibility.PRIVATE if private else Visibility.PUBLIC, **given,
        }  # fmt: skip
        return Incoming(**values)

    def store(self, *items: Incoming, source_id: int | None = None, platform: str | None = None) -> None:
        with self.database.write.begin() as session:
            store_messages(session, source_id or self.source_id, platform or self.row["place"], list(items))

    def label(self, classifier: Any = None) -> None:
        run_labelling(self.database, classifier or Undecided(), gate_open=classifier is not None)

    def arrive(self) -> None:
        """The message comes and gets its case; a person says what it is."""
        self.store(self.incoming(self.row["text"]))
        self.label()
        self.case_id = self.look(Case)[-1].id
        self.say(self.case_id)

    def say(self, case_id: int, said: dict[str, Any] | None = None) -> None:
        said = said or self.row["said"]
        message = self.look(Message, Message.case_id == case_id)[0]
        for signal in said.get("signals", ()):
            self.act(decide_signal, self.cast.smm, message.id, signal, True)
        if said.get("themes"):
            self.act(correct_themes, self.cast.smm, message.id, said["themes"])
        self.act(correct_label, self.cast.smm, message.id, said["label"])

    def ask(self, unit: str, case_id: int | None = None) -> Route:
        units = self.cast.departments
        return self.act(
            ask_department, self.cast.smm, case_id or self.case_id, units[unit], "Как быть?", f"r-{unit}"
        )

    def clocks(self, case_id: int | None = None) -> dict[str, Clock]:
        """Those of the desk that run, by kind."""
        found = self.look(Clock, Clock.case_id == (case_id or self.case_id), Clock.route_id.is_(None))
        return {clock.kind: clock for clock in found if clock.done_at is None}
