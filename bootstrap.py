"""Wiring: settings become one Desk that jobs and doors are given; the only file that sees everything below."""

import contextlib
import hashlib
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import func, select

import services.contracts.keeping
import services.crm.deals
import services.following
import services.reports.upkeep
import services.webhooks  # noqa: F401 (by being imported it writes what addresses are to be told, with every act)
from collectors import channel_class
from collectors.base import Channel
from collectors.webhook import Told, post_outside
from collectors.wire import Guard, Wire
from config import ROOT, BackupConfig, Config
from models import Source
from models.database import Database, open_database
from services.audit import is_proven
from services.bots import BotSender, bots_of
from services.deliveries import MAIL, Mailer, Write
from services.learning import write_lessons
from services.letters import letter_writer
from services.mailbox import sender_of
from services.presence import Presence
from services.processes import own_name
from services.room import Room
from services.schema import newest_revision, present_revision
from services.secrets import Keyring, open_keyring
from services.sending import Lanes
from services.sources import check_settings
from services.together import Together

if TYPE_CHECKING:
    from pyrate_limiter import Limiter, SQLiteBucket

    from classifier import Classifier, Verdict
    from services.nightly import Rule
    from services.report_examples import Files


class SharedLimiter:
    """Rates kept in one small SQLite file, so that all threads and processes of the desk share them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._limiters: dict[str, tuple[Limiter, SQLiteBucket]] = {}
        self._lock = threading.Lock()

    def wait(self, name: str, *, rate: float, cost: int = 1) -> None:
        from pyrate_limiter import Duration, Limiter, Rate, SingleBucketFactory, SQLiteBucket

        with self._lock:
            if name not in self._limiters:
                table = "rate_" + hashlib.sha256(name.encode()).hexdigest()[:16]
                # Rates below one a second become one call in 1/rate seconds.
                limit = Rate(max(1, int(rate)), int(Duration.SECOND * max(1.0, 1 / rate)))
                bucket = SQLiteBucket.init_from_file([limit], table, str(self._path), use_file_lock=True)
                # The library's thread that sweeps would outlive the file: whoever waits sweeps.
                self._limiters[name] = Limiter(SingleBucketFactory(bucket, schedule_leak=False)), bucket
            limiter, bucket = self._limiters[name]
        bucket.leak(time.time_ns() // 1_000_000)
        for _ in range(cost):
            limiter.try_acquire(name)

    def spend(self, name: str, day: str, units: int, *, limit: int, purpose: str = "") -> bool:
        """One statement asks and takes, so that no two processes take the same units."""
        with contextlib.closing(self._budgets()) as db, db:
            taken = db.execute(
                "INSERT INTO budget (name, day, spent) SELECT ?, ?, ? WHERE ? <= ? "
                "ON CONFLICT (name, day) DO UPDATE SET spent = spent + excluded.spent "
                "WHERE spent + excluded.spent <= ?",
                (name, day, units, units, limit, limit),
            )
            if taken.rowcount <= 0:
                return False
            db.execute(
                "INSERT INTO spending (name, day, purpose, hour, units) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (name, day, purpose, hour) DO UPDATE SET units = units + excluded.units",
                (name, day, purpose, datetime.now(UTC).strftime("%Y-%m-%dT%H"), units),
            )
            db.execute("DELETE FROM spending WHERE name = ? AND day < date(?, '-7 days')", (name, day))
            return True

    def spent_on(self, name: str, day: str, purpose: str | None = None) -> int:
        whole = "SELECT spent FROM budget WHERE name = ? AND day = ?"
        part = "SELECT sum(units) FROM spending WHERE name = ? AND day = ? AND purpose = ?"
        with contextlib.closing(self._budgets()) as db, db:
            asked = (whole, (name, day)) if purpose is None else (part, (name, day, purpose))
            row = db.execute(*asked).fetchone()
            return int(row[0] or 0) if row else 0

    def spending(self, name: str, day: str) -> dict[tuple[str, str], int]:
        """(purpose, hour as «2026-11-26T09» UTC) → units of one budget's day, for the screen."""
        query = "SELECT purpose, hour, units FROM spending WHERE name = ? AND day = ?"
        with contextlib.closing(self._budgets()) as db, db:
            return {(str(row[0]), str(row[1])): int(row[2]) for row in db.execute(query, (name, day))}

    def spent(self) -> dict[str, int]:
        """Name → units spent on the latest day of each budget, for the screen."""
        with contextlib.closing(self._budgets()) as db, db:
            rows = db.execute(
                "SELECT name, spent FROM budget b WHERE day = (SELECT max(day) FROM budget WHERE name = b.name)"
            )
            return {str(name): int(spent) for name, spent in rows}

    def _budgets(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path.with_name("budgets.db"), timeout=10)
        db.execute(
            "CREATE TABLE IF NOT EXISTS budget (name TEXT, day TEXT, spent INTEGER, PRIMARY KEY (name, day))"
        )
        db.execute(
            "CREATE TABLE IF NOT EXISTS spending (name TEXT, day TEXT, purpose TEXT, hour TEXT, units INTEGER, "
            "PRIMARY KEY (name, day, purpose, hour))"
        )
        return db


@dataclass
class Labeller:
    """The classifier as it comes and goes: absent · training · ready · failed, with progress for the screen."""

    folder: Path
    meaning: bool = True  # False: words alone, without the encoder's memory
    state: str = "absent"
    progress: float = 0.0
    step: str = ""
    error: str | None = None
    classifier: "Classifier | None" = None
    learning: float | None = None  # how far a training beside the version in use has come
    _seen: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def load(self) -> bool:
        """Loads the artifact; False (with ``error`` set) when it is missing or not the one that was stored."""
        # numpy takes a tenth of a second that the first page need not wait for.
        from classifier import Classifier, ClassifierError, use_words_alone

        with self._lock:
            if not self.meaning:
                use_words_alone()
            try:
                self._seen = self._stamp()
                self.classifier = Classifier.load(self.folder)
            except ClassifierError as error:
                self.classifier, self.state, self.error = None, "failed", error.code
                return False
            self.state, self.error, self.progress = "ready", None, 1.0
            return True

    def train(self) -> None:
        """Trains on the corpus of the house, telling its progress; the desk works meanwhile."""
        self.state, self.progress, self.error = "training", 0.0, None
        if self._run(self.folder):
            self.state, self.error = "failed", "training"
            raise RuntimeError("training ended without an artifact")
        if not self.load():
            raise RuntimeError(f"the trained artifact cannot be loaded: {self.error}")

    def train_candidate(self, lessons: Sequence[Mapping[str, Any]]) -> str:
        """Trains a version beside the one in use, on the corpus and on what people taught; returns its name."""
        self.learning = 0.0
        path = self.candidate / "lessons.jsonl"
        self.candidate.mkdir(parents=True, exist_ok=True)
        path.write_text(write_lessons(lessons), encoding="utf-8")
        path.chmod(0o600)
        try:
            if self._run(self.candidate, path):
                raise RuntimeError("training ended without an artifact")
        finally:
            path.unlink(missing_ok=True)
            self.learning = None
        return str(self._facts(self.candidate)["sha256"])[:12]

    @property
    def candidate(self) -> Path:
        return self.folder / "candidate"

    def facts_of(self, version: str | None = None) -> dict[str, Any]:
        """The manifest of a version, of the one in use by default; raises ClassifierError."""
        from classifier import ClassifierError, facts_of

        try:
            return facts_of(self.folder, version)
        except ClassifierError:
            if version is None:
                raise
            return facts_of(self.candidate, version)

    def _facts(self, folder: Path) -> dict[str, Any]:
        from classifier import facts_of

        return facts_of(folder)

    def answers_of(self, version: str | None, texts: Sequence[str]) -> "list[Verdict]":
        """What a version says of texts: the one in use, or the candidate."""
        from classifier import Classifier

        if version is not None:
            return Classifier.load(self.candidate).classify(texts) if texts else []
        return self.classifier.classify(texts) if self.classifier is not None and texts else []

    def promote(self, version: str) -> None:
        """Puts a version into use: the candidate, or one that was in use before."""
        from classifier import promote, versions

        promote(self.folder, version, source=None if version in versions(self.folder) else self.candidate)
        if not self.load():
            raise RuntimeError(f"version {version} cannot be loaded: {self.error}")

    def versions(self) -> list[str]:
        """Those that can be had back, the newest first."""
        from classifier import versions

        return versions(self.folder)

    def refresh(self) -> None:
        """Takes up what another process has put into use."""
        if self.classifier is not None and self._stamp() != self._seen:
            self.load()

    def _stamp(self) -> int:
        manifest = self.folder / "manifest.json"
        return manifest.stat().st_mtime_ns if manifest.exists() else 0

    def _run(self, folder: Path, lessons: Path | None = None) -> int:
        """In a process of its own: the memory that training takes goes back with it, and nobody waits for its
        threads."""
        given = [*([] if self.meaning else ["--words"]), str(folder), *([str(lessons)] if lessons else [])]
        command = [sys.executable, "-m", "classifier", *given]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipes) as child:  # noqa: S603
            for line in child.stdout or ():
                share, _, step = line.strip().partition(" ")
                if lessons is None:
                    self.progress, self.step = float(share), step
                else:
                    self.learning = float(share)
        return child.returncode

    def ensure(self) -> None:
        """Loads what is there, or trains it when nothing usable is."""
        if not self.load():
            self.train()


class Bell:
    """Wakes those who wait for a change made in this process; others find it by the event table."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._count = 0

    def ring(self) -> None:
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    def wait(self, seconds: float) -> bool:
        """True when somebody rang within ``seconds``."""
        with self._condition:
            before = self._count
            return self._condition.wait_for(lambda: self._count != before, seconds)


@dataclass
class Desk:
    """Everything that a job or a screen needs; ``mode`` is «training» or «work»."""

    config: Config
    mode: str
    var: Path
    database: Database
    keyring: Keyring
    wire: Wire
    limiter: SharedLimiter
    labeller: Labeller
    secret_key: bytes
    name: str
    sandbox_url: str | None = None
    port: int = 0
    lanes: Lanes = field(init=False)
    room: Room = field(init=False)
    closing: threading.Event = field(default_factory=threading.Event)
    failed: threading.Event = field(default_factory=threading.Event)  # a part without which it cannot work
    bell: Bell = field(default_factory=Bell)
    outbox_bell: Bell = field(default_factory=Bell)
    presence: Presence = field(default_factory=Presence)
    together: Together = field(init=False)
    start_work: Callable[[], str] | None = None  # starts the work desk beside a training desk; its address
    month_files: "Files | None" = None  # draws the paper of a signed month; the web of a training desk sets it
    defer: Callable[[str], None] = lambda name: None  # runs a job soon; set by whoever runs jobs

    def __post_init__(self) -> None:
        self.room = Room(self.var)
        self.together = Together(self.database.state)
        self.lanes = Lanes(self.database, self.open_channel, self.bell.ring)

    @property
    def is_training(self) -> bool:
        return self.mode == "training"

    def open_channel(self, source: Source) -> Channel:
        """The channel of a place with its secrets; raises DeskError or ChannelError when it cannot be opened."""
        values = {**source.settings, **self.keyring.unseal(source.secrets)}
        settings = check_settings(source.platform, values)
        proxy = self.config.network.proxies.get(source.platform)
        wire = Wire(self.wire.guard, proxy, self.wire.read_timeout)
        return channel_class(source.platform)(settings, wire, self.limiter)

    def open_mailer(self) -> Mailer | None:
        """How letters to the desk's own people leave; None while no mailbox is chosen."""
        from collectors.mail.note import NoteDrawer, NoteSender

        if self.is_training:
            return NoteDrawer(self.var / "letters")
        with self.database.read.begin() as session:
            found = sender_of(session, self.keyring)
        if found is None:
            return None
        settings, replies = found
        wire = Wire(self.wire.guard, self.config.network.proxies.get("mail"), self.wire.read_timeout)
        return NoteSender(settings, wire, replies)

    def open_sender(self, channel: str) -> Mailer | None:
        """How letters leave by mail or by a messenger; None while nobody was chosen to send."""
        if channel == MAIL:
            return self.open_mailer()
        with self.database.read.begin() as session:
            bot = bots_of(session).get(channel)
        return BotSender(partial(self.open_channel, bot.source), bot.reads) if bot is not None else None

    def post_outside(self, url: str, headers: Mapping[str, str], body: bytes) -> Told:
        """Tells an address that the administrator named, past the guard."""
        wire = Wire(self.wire.guard, self.config.network.proxies.get("webhook"), self.wire.read_timeout)
        return post_outside(wire, url, headers, body)

    @property
    def address(self) -> str | None:
        """By which address people reach the desk from outside; the training desk is reached from this machine."""
        if self.is_training and self.port:
            return f"http://127.0.0.1:{self.port}"
        return self.config.web.public_url

    def letter_writer(self) -> Write:
        return letter_writer(self.address, self.config.desk.time_zone)

    def is_gate_open(self) -> bool:
        """Whether praise and talk may stay without a case (day.md §1.1)."""
        choice = "corpus" if self.is_training else self.config.desk.rest_gate
        if choice != "audit":
            return choice == "corpus"
        with self.database.read.begin() as session:
            return self.labeller.classifier is not None and is_proven(session, self.labeller.classifier.gate)

    def has_sources(self) -> bool:
        with self.database.read.begin() as session:
            return bool(session.scalar(select(func.count()).select_from(Source)))


def desk_folder(config: Config, mode: str) -> Path:
    """Where a desk keeps its files: the work desk in paths.var, the training desk in paths.var/sandbox."""
    var = config.paths.var.expanduser().resolve()
    return var / "sandbox" if mode == "training" else var


def backup_folder(config: Config, mode: str) -> Path:
    """Where backups go: the folder that settings name, for the work desk alone; else beside the database."""
    chosen = config.backup.folder
    return chosen.expanduser() if chosen and mode != "training" else desk_folder(config, mode) / "backups"


def backup_rule(given: BackupConfig) -> "Rule":
    from services.nightly import Rule

    return Rule(given.daily, given.weekly, given.monthly, given.hour)


def default_key_file(folder: Path) -> Path:
    """Outside var/, one per desk: a copy of var/ alone opens nothing."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return home / "otklik" / f"{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}.key"


def key_file(config: Config, mode: str) -> Path:
    chosen = config.paths.key_file
    if chosen is None:
        return default_key_file(desk_folder(config, mode))
    return chosen.with_suffix(".training.key") if mode == "training" else chosen


def database_url(config: Config, mode: str) -> str:
    """The training desk always has a file of its own: what is invented never mixes with what is real."""
    folder = desk_folder(config, mode)
    if mode == "training" or config.database.url is None:
        return f"sqlite:///{folder / 'otklik.db'}"
    return config.database.url


def open_training(config: Config) -> Database | None:
    """The training desk's database beside a work desk, to take along what people made there; None without one."""
    path = desk_folder(config, "training") / "otklik.db"
    if not path.exists():
        return None
    database = open_database(f"sqlite:///{path}", pool_size=2)
    if present_revision(database) == newest_revision():
        return database
    database.engine.dispose()
    return None


def make_desk(config: Config, mode: str, *, sandbox_url: str | None = None) -> Desk:
    """Opens database, keys and network for one desk; creates its folder and key, migrates nothing."""
    folder = desk_folder(config, mode)
    folder.mkdir(parents=True, exist_ok=True)
    path = key_file(config, mode)
    keyring = open_keyring(path)
    only = frozenset({urlsplit(sandbox_url).netloc}) if sandbox_url else frozenset({"sandbox.invalid:1"})
    guard = Guard(
        allow_private=frozenset(pair.lower() for pair in config.network.allow_private),
        only=only if mode == "training" else frozenset(),
    )
    return Desk(
        config=config,
        mode=mode,
        var=folder,
        database=open_database(database_url(config, mode), pool_size=config.database.pool_size),
        keyring=keyring,
        wire=Wire(guard, read_timeout=config.network.read_timeout),
        limiter=SharedLimiter(folder / "limits.db"),
        labeller=Labeller(folder / "classifier", config.classifier.meaning),
        secret_key=hashlib.sha256(b"session" + path.read_bytes()).digest(),
        name=own_name(),
        sandbox_url=sandbox_url,
    )
