"""A desk's services meeting the sandbox over real HTTP with the channels that run in production."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks.limits import NoLimits
from collectors import channel_class
from collectors.base import Channel
from collectors.wire import Guard, Wire
from models import Source
from models.database import Database
from services.accounts import create_staff, seed_departments
from services.intake import run_collect
from services.rights import DESK, Actor, actor_of
from services.secrets import Keyring
from services.sending import run_outbox
from services.sources import add_source, check_settings
from tests.sandbox.running import Running

KEY = b"0123456789abcdef0123456789abcdef0123456789a="


class Meeting:
    """One database, one sandbox, the places between them."""

    def __init__(self, database: Database, running: Running) -> None:
        self.database, self.running = database, running
        self.keyring = Keyring([KEY])
        self.wire = Wire(Guard(only=frozenset({running.url.removeprefix("http://")})))
        self.sources: dict[str, int] = {}
        with database.write.begin() as session:
            seed_departments(session)
            staff = create_staff(session, DESK, email="smm@school.example", name="Дарья Лис", roles=("smm",))
            self.smm: Actor = actor_of(staff)
            for place in running.http.get("/_sandbox/sources").json():
                values = {**place["settings"], **place["secrets"]}
                source = add_source(
                    session, DESK, self.keyring, platform=place["platform"], title=place["title"], values=values
                )
                self.sources[place["platform"]] = source.id

    def open_channel(self, source: Source) -> Channel:
        values: dict[str, Any] = {**source.settings, **self.keyring.unseal(source.secrets)}
        settings = check_settings(source.platform, values)
        return channel_class(source.platform)(settings, self.wire, NoLimits())

    def collect(self, platform: str, *, deep: bool = False) -> int:
        """Reads one place now; fails the test when the place reports an error."""
        from models import utc_now

        with self.database.write.begin() as session:
            source = session.get_one(Source, self.sources[platform])
            source.due_at = utc_now()
            first = source.backfilled_at is None
            source.deep_due_at = utc_now() if deep or first else source.deep_due_at.replace(year=2099)
        changed = run_collect(self.database, self.sources[platform], self.open_channel, "test")
        with self.database.read.begin() as session:
            source = session.get_one(Source, self.sources[platform])
            assert source.error_code is None, (source.error_code, source.error_text)
        return changed

    def send(self) -> None:
        run_outbox(self.database, self.open_channel)

    def one(self, query: Any) -> Any:
        with self.database.read.begin() as session:
            return session.scalars(query).one()

    def all(self, table: Any) -> list[Any]:
        with self.database.read.begin() as session:
            return list(session.scalars(select(table).order_by(table.id)))


@contextmanager
def meeting(database: Database, folder: Path) -> Iterator[Meeting]:
    running = Running(folder, "--no-trickle", "--no-rate-limits")
    try:
        yield Meeting(database, running)
    finally:
        running.close()
