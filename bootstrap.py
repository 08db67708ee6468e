"""Wiring: settings become one Desk that jobs and doors are given; the only file that sees everything below."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from pyrate_limiter import Duration, Limiter, Rate, SQLiteBucket
from sqlalchemy import func, select

import services.reports.upkeep  # noqa: F401 (by being imported it writes the facts of reports with every act)
from collectors import channel_class
from collectors.base import Channel
from collectors.mail.note import NoteDrawer, NoteSender
from collectors.wire import Guard, Wire
from config import ROOT, Config
from models import Source
from models.database import Database, open_database
from services.deliveries import Mailer, Write
from services.labelling import is_gate_proven
from services.letters import letter_writer
from services.mailbox import sender_of
from services.presence import Presence
from services.secrets import Keyring, open_keyring
from services.sending import Lanes
from services.sources import check_settings

if TYPE_CHECKING:
    from classifier import Classifier


class SharedLimiter:
    """Rates kept in one small SQLite file, so that all threads and processes of the desk share them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._limiters: dict[str, Limiter] = {}
        self._lock = threading.Lock()

    def wait(self, name: str, *, rate: float, cost: int = 1) -> None:
        with self._lock:
            limiter = self._limiters.get(name)
            if limiter is None:
                table = "rate_" + hashlib.sha256(name.encode()).hexdigest()[:16]
                # Rates below one a second become one call in 1/rate seconds.
                limit = Rate(max(1, int(rate)), int(Duration.SECOND * max(1.0, 1 / rate)))
                bucket = SQLiteBucket.init_from_file([limit], table, str(self._path), use_file_lock=True)
                limiter = self._limiters[name] = Limiter(bucket)
        for _ in range(cost):
            limiter.try_acquire(name)


@dataclass
class Labeller:
    """The classifier as it comes and goes: absent · training · ready · failed, with progress for the screen."""

    folder: Path
    state: str = "absent"
    progress: float = 0.0
    step: str = ""
    error: str | None = None
    classifier: "Classifier | None" = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def load(self) -> bool:
        """Loads the artifact; False (with ``error`` set) when it is missing or not the one that was stored."""
        # numpy takes a tenth of a second that the first page need not wait for.
        from classifier import Classifier, ClassifierError

        with self._lock:
            try:
                self.classifier = Classifier.load(self.folder)
            except ClassifierError as error:
                self.classifier, self.state, self.error = None, "failed", error.code
                return False
            self.state, self.error, self.progress = "ready", None, 1.0
            return True

    def train(self) -> None:
        """Trains on the corpus of the house, telling its progress; the desk works meanwhile.

        In a process of its own: the memory that training takes goes back with it, and nobody waits for its threads.
        """
        self.state, self.progress, self.error = "training", 0.0, None
        command = [sys.executable, "-m", "classifier", str(self.folder)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipes) as child:  # noqa: S603
            for line in child.stdout or ():
                share, _, self.step = line.strip().partition(" ")
                self.progress = float(share)
        if child.returncode:
            self.state, self.error = "failed", "training"
            raise RuntimeError(f"training ended with {child.returncode}")
        if not self.load():
            raise RuntimeError(f"the trained artifact cannot be loaded: {self.error}")

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
    closing: threading.Event = field(default_factory=threading.Event)
    failed: threading.Event = field(default_factory=threading.Event)  # a part without which it cannot work
    bell: Bell = field(default_factory=Bell)
    outbox_bell: Bell = field(default_factory=Bell)
    presence: Presence = field(default_factory=Presence)
    defer: Callable[[str], None] = lambda name: None  # runs a job soon; set by whoever runs jobs

    def __post_init__(self) -> None:
        self.lanes = Lanes(self.database, self.open_channel, self.bell.ring)

    @property
    def is_training(self) -> bool:
        return self.mode == "training"

    def open_channel(self, source: Source) -> Channel:
        """The channel of a place with its secrets; raises DeskError or ChannelError when it cannot be opened."""
        values = {**source.settings, **self.keyring.unseal(source.secrets)}
        settings = check_settings(source.platform, values)
        proxy = self.config.network.proxies.get(source.platform)
        wire = Wire(self.wire.guard, proxy, self.wire.timeout)
        return channel_class(source.platform)(settings, wire, self.limiter)

    def open_mailer(self) -> Mailer | None:
        """How letters to the desk's own people leave; None while no mailbox is chosen."""
        if self.is_training:
            return NoteDrawer(self.var / "letters")
        with self.database.read.begin() as session:
            found = sender_of(session, self.keyring)
        if found is None:
            return None
        settings, replies = found
        wire = Wire(self.wire.guard, self.config.network.proxies.get("mail"), self.wire.timeout)
        return NoteSender(settings, wire, replies)

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
            return is_gate_proven(session)

    def has_sources(self) -> bool:
        with self.database.read.begin() as session:
            return bool(session.scalar(select(func.count()).select_from(Source)))


def desk_folder(config: Config, mode: str) -> Path:
    """Where a desk keeps its files: the work desk in paths.var, the training desk in paths.var/sandbox."""
    var = config.paths.var.expanduser().resolve()
    return var / "sandbox" if mode == "training" else var


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


def make_desk(config: Config, mode: str, *, sandbox_url: str | None = None) -> Desk:
    """Opens database, keys and network for one desk; creates its folder and key, migrates nothing."""
    folder = desk_folder(config, mode)
    folder.mkdir(parents=True, exist_ok=True)
    path = key_file(config, mode)
    keyring = open_keyring(path)
    only = frozenset({httpx.URL(sandbox_url).netloc.decode()}) if sandbox_url else frozenset({"sandbox.invalid:1"})
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
        wire=Wire(guard, timeout=httpx.Timeout(config.network.read_timeout, connect=10.0)),
        limiter=SharedLimiter(folder / "limits.db"),
        labeller=Labeller(folder / "classifier"),
        secret_key=hashlib.sha256(b"session" + path.read_bytes()).digest(),
        name=f"{os.uname().nodename}:{os.getpid()}",
        sandbox_url=sandbox_url,
    )
