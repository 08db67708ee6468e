"""`check`: says of every part whether it is well, and what to do where it is not."""

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx

from bootstrap import Desk, key_file, make_desk
from collectors.base import ChannelError
from config import Config
from models import Source
from models.database import is_sqlite_sound, sqlite_module
from services.errors import DeskError
from services.journal import check_chain
from services.schema import newest_revision, present_revision


def run_check(config: Config, *, training: bool = False, sandbox_url: str | None = None) -> int:
    """Prints a line a part; returns 0 when all is well, 1 otherwise."""
    desk = make_desk(config, "training" if training else "work", sandbox_url=sandbox_url)
    checks: list[tuple[str, Callable[[], str]]] = [
        ("configuration", lambda: f"{len(config.declared())} declared places"),
        ("database", lambda: _database(desk)),
        ("migrations", lambda: _migrations(desk)),
        ("key", lambda: f"{key_file(config, desk.mode)} – keep a copy apart from the backups"),
        ("classifier", lambda: _classifier(desk)),
        ("journal", lambda: _journal(desk)),
        ("public_url", lambda: _public_url(config)),
    ]
    failed = sum(not _report(name, look) for name, look in checks)
    for source in _sources(desk):
        failed += not _report(f"{source.platform} «{source.title}»", partial(_channel, desk, source))
    return 1 if failed else 0


def _report(name: str, look: Callable[[], str]) -> bool:
    try:
        print(f"ok    {name}: {look()}")
    except Exception as error:
        words = error.message if isinstance(error, ChannelError) else str(error) or type(error).__name__
        print(f"FAIL  {name}: {words}")
        return False
    return True


def _database(desk: Desk) -> str:
    with desk.database.engine.connect() as connection:
        dialect = connection.dialect
        if not desk.database.is_sqlite:
            return f"PostgreSQL {'.'.join(map(str, dialect.server_version_info or ()))}"
    version = str(sqlite_module().sqlite_version)
    if not is_sqlite_sound(version):
        raise RuntimeError(f"SQLite {version} can corrupt a database in WAL; install pysqlite3 (run.py does it)")
    return f"SQLite {version}"


def _migrations(desk: Desk) -> str:
    present, newest = present_revision(desk.database), newest_revision()
    if present is None:
        return "the database is empty, the first start fills it"
    if present > newest:
        raise DeskError("schema.newer", present=present, newest=newest)
    if present != newest:
        raise RuntimeError(f"at {present}, the program is at {newest}: they run at the next start")
    return present


def _classifier(desk: Desk) -> str:
    if desk.labeller.load() and desk.labeller.classifier is not None:
        return desk.labeller.classifier.version
    if desk.labeller.error == "missing":
        return "not trained yet, the first start trains it"
    raise RuntimeError(f"the artifact cannot be used ({desk.labeller.error}); the next start trains it anew")


def _journal(desk: Desk) -> str:
    with desk.database.read.begin() as session:
        chain = check_chain(session)
    if chain.broken_at is not None:
        raise DeskError(f"a row of the journal from {chain.broken_at} on was changed, added or removed afterwards")
    return f"{chain.sealed} rows sealed, {chain.open} wait"


def _public_url(config: Config) -> str:
    if config.web.public_url is None:
        return "not set: long polling is used instead of hooks, links work on this machine only"
    if not config.web.public_url.startswith("https://"):
        raise RuntimeError(f"{config.web.public_url} is not https: platforms refuse to call it")
    try:
        answer = httpx.get(config.web.public_url.rstrip("/") + "/health", timeout=10)
    except httpx.HTTPError as error:
        raise RuntimeError(f"{config.web.public_url} does not answer ({type(error).__name__})") from None
    return f"{config.web.public_url} answers {answer.status_code}"


def _sources(desk: Desk) -> list[Any]:
    from sqlalchemy import select

    if present_revision(desk.database) is None:
        return []
    with desk.database.read.begin() as session:
        return list(session.scalars(select(Source).order_by(Source.id)))


def _channel(desk: Desk, source: Source) -> str:
    channel = desk.open_channel(source)
    try:
        found = channel.check()
    finally:
        channel.close()
    missing = "".join(f"; without {right.name}: {right.without}" for right in found.missing)
    return f"{found.account} ({found.account_id}){missing}"
