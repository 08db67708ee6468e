"""`check`: says of every part whether it is well, and what to do where it is not."""

from collections.abc import Callable
from functools import partial
from typing import Any

from bootstrap import Desk, key_file, make_desk
from collectors.base import ChannelError
from config import Config
from models import Source
from models.database import is_sqlite_sound, sqlite_module
from services.address import judge_address
from services.errors import DeskError
from services.journal import check_chain
from services.leases import astray
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
        ("public_url", lambda: _public_url(desk)),
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
            with desk.database.read.begin() as session:
                off = astray(session)
            if off is not None:
                raise RuntimeError(
                    f"this machine's clock is {off.total_seconds():.0f} s away from the database's: nothing is sent"
                    " until it is set (timedatectl set-ntp true)"
                )
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


ADDRESS = {
    "form": "{url}: say only https:// and the name of the host",
    "http": "{url} is not https: platforms refuse to call it, put a certificate before it (docs/deploy)",
    "dns": "{host} is not known to the name servers: add an A record that names this machine",
    "refused": "{host} refuses the connection: is the reverse proxy running, is port 443 open in the firewall?",
    "tls": "{host} has no valid certificate: look into the log of the reverse proxy",
    "timeout": "{host} does not answer in ten seconds: a firewall on the way, or the address is another machine's",
    "network": "{host} does not answer",
    "redirect": "{host} sends on to {to}: put that address into web.public_url",
    "status": "{host} answers {status}: the reverse proxy does not reach the desk; does it pass on to web.port?",
    "other": "{host} answers, but it is not this desk: another site, or another desk with another key",
    "proxy": "the desk is asked as {seen} behind {host}: the proxy must send X-Forwarded-Proto and "
    "X-Forwarded-Host, and its address belongs into web.trusted_proxies",
}
"""Code of services.address → what is wrong and what to do."""


def _public_url(desk: Desk) -> str:
    found = judge_address(desk.config.web.public_url, desk.secret_key)
    if found.code == "unset":
        return "not set: long polling is used instead of hooks, departments answer by replying to the letter"
    if not found.is_well:
        raise RuntimeError(ADDRESS[found.code].format_map(found.data))
    return f"{found.data['url']} leads here"


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
