"""A mailbox and a mail server in memory that speak IMAP4rev1 and SMTP over real sockets and fail on demand."""

import re
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from benchmarks.limits import NoLimits
from collectors.mail import Mail, Settings
from collectors.wire import READ_SECONDS, Guard, Wire

US, PASSWORD = "desk@school.test", "right-horse-7"


class Server(socketserver.ThreadingTCPServer):
    """Listens on loopback; a connection is one call of ``talk``."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, talk: Callable[[Any], None]) -> None:
        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self) -> None:
                try:
                    talk(self)
                except (ConnectionError, ValueError):
                    return

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class Cut(ConnectionError):
    """The server hangs up without a word."""


@dataclass
class Folder:
    uidvalidity: int
    letters: dict[int, bytes] = field(default_factory=dict)
    arrived: dict[int, datetime] = field(default_factory=dict)
    uidnext: int = 1

    def put(self, raw: bytes, at: datetime) -> int:
        uid, self.uidnext = self.uidnext, self.uidnext + 1
        self.letters[uid], self.arrived[uid] = raw, at
        return uid


class ImapPlatform:
    """Folders by their wire name. ``refusals`` answers a command with the given words, ``cut_after`` hangs up."""

    def __init__(self) -> None:
        self.folders = {"INBOX": Folder(1), "Sent": Folder(9)}
        self.now = datetime.now(UTC).replace(tzinfo=None)
        self.refusals: dict[str, str] = {}
        self.unreadable: set[int] = set()
        self.commands: list[str] = []
        self.cut_after: int | None = None
        self.capabilities = "IMAP4rev1 IDLE AUTH=PLAIN"
        self.news = threading.Event()
        self.as_idle_begins: Callable[[], object] | None = None
        self.server = Server(self.talk)

    def deliver(self, raw: bytes, folder: str = "INBOX", at: datetime | None = None) -> int:
        uid = self.folders[folder].put(raw, at or self.now)
        self.news.set()
        return uid

    def renumber(self, folder: str = "INBOX") -> None:
        """Gives the folder a new life: other UIDs, another UIDVALIDITY."""
        old = self.folders[folder]
        fresh = Folder(old.uidvalidity + 1, uidnext=old.uidnext + 7)
        for uid, raw in old.letters.items():
            fresh.put(raw, old.arrived[uid])
        self.folders[folder] = fresh

    def talk(self, wire: Any) -> None:
        opened: Folder | None = None
        wire.wfile.write(b"* OK ready\r\n")
        while line := wire.rfile.readline().decode().rstrip("\r\n"):
            tag, _, command = line.partition(" ")
            self.commands.append(command)
            if self.cut_after is not None:
                self.cut_after -= 1
                if self.cut_after < 0:
                    raise Cut
            verb = command.upper().removeprefix("UID ").split(" ")[0]
            refusal = self.refusals.get(verb)
            if refusal is not None:
                wire.wfile.write(f"{tag} {refusal}\r\n".encode())
                continue
            if verb in ("EXAMINE", "SELECT"):
                name = command.split(" ", 1)[1].strip('"')
                opened = self.folders.get(name)
                if opened is None:
                    wire.wfile.write(f"{tag} NO no such folder\r\n".encode())
                    continue
            self._answer(wire, tag, verb, command, opened)
            if verb == "LOGOUT":
                return

    def _answer(self, wire: Any, tag: str, verb: str, command: str, opened: Folder | None) -> None:
        out = wire.wfile
        match verb:
            case "CAPABILITY":
                out.write(f"* CAPABILITY {self.capabilities}\r\n".encode())
            case "EXAMINE":
                assert opened is not None
                out.write(f"* {len(opened.letters)} EXISTS\r\n".encode())
                out.write(f"* OK [UIDVALIDITY {opened.uidvalidity}] ok\r\n".encode())
                out.write(f"* OK [UIDNEXT {opened.uidnext}] ok\r\n".encode())
            case "SEARCH":
                assert opened is not None
                found = [uid for uid in opened.letters if _matches(opened, uid, _tokens(command))]
                out.write(f"* SEARCH {' '.join(map(str, found))}".rstrip().encode() + b"\r\n")
            case "FETCH":
                assert opened is not None
                if not self._fetch(out, opened, command):
                    out.write(f"{tag} NO cannot read this letter\r\n".encode())
                    return
            case "LIST":
                out.write(b'* LIST (\\HasNoChildren) "/" INBOX\r\n* LIST (\\HasNoChildren \\Sent) "/" Sent\r\n')
            case "APPEND":
                size = int(re.findall(r"\{(\d+)\}", command)[0])
                out.write(b"+ go on\r\n")
                self.deliver(wire.rfile.read(size), command.split(" ")[1].strip('"'))
                wire.rfile.readline()
            case "AUTHENTICATE":
                out.write(b"+ \r\n")
                self.commands.append(wire.rfile.readline().decode().strip())
            case "IDLE":
                assert opened is not None
                self._idle(wire, opened)
            case "LOGOUT":
                out.write(b"* BYE bye\r\n")
        out.write(f"{tag} OK done\r\n".encode())

    def _idle(self, wire: Any, opened: Folder) -> None:
        late = ""
        if self.as_idle_begins is not None:
            # The continuation and the news leave in one packet, as real servers do under load.
            self.as_idle_begins()
            late, self.as_idle_begins = f"* {len(opened.letters)} EXISTS\r\n", None
            self.news.clear()
        wire.wfile.write(f"+ idling\r\n{late}".encode())
        done = threading.Event()

        def push() -> None:
            while not done.wait(0.02):
                if self.news.is_set():
                    self.news.clear()
                    wire.wfile.write(f"* {len(opened.letters)} EXISTS\r\n".encode())

        pusher = threading.Thread(target=push, daemon=True)
        pusher.start()
        wire.rfile.readline()
        done.set()
        pusher.join()

    def _fetch(self, out: Any, opened: Folder, command: str) -> bool:
        _, _, wanted, items = command.split(" ", 3)
        uids = [uid for uid in sorted(opened.letters) if _in_set(uid, wanted, max(opened.letters))]
        if "BODY.PEEK[]" in items and self.unreadable & set(uids):
            return False
        # Somebody else has just read a letter: such a line is no answer to the question.
        out.write(b"* 1 FETCH (FLAGS (\\Seen))\r\n")
        for number, uid in enumerate(uids, 1):
            raw = opened.letters[uid]
            stamp = opened.arrived[uid].strftime("%d-%b-%Y %H:%M:%S +0000")
            facts = f'UID {uid} RFC822.SIZE {len(raw)} INTERNALDATE "{stamp}"'
            body = _wanted(raw, items)
            if body is None:
                out.write(f"* {number} FETCH ({facts})\r\n".encode())
            else:
                out.write(
                    f"* {number} FETCH (BODY[] {{{len(body)}}}\r\n".encode() + body + f" {facts})\r\n".encode()
                )
        return True


def _wanted(raw: bytes, items: str) -> bytes | None:
    head = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    if "BODY.PEEK[]" in items:
        return raw
    if "HEADER.FIELDS" in items:
        found = re.search(rb"^message-id:.*(?:\r\n[ \t].*)*\r\n", head, re.IGNORECASE | re.MULTILINE)
        return (found[0] if found else b"") + b"\r\n"
    if cut := re.search(r"BODY\.PEEK\[HEADER\]<0\.(\d+)>", items):
        return head[: int(cut[1])]
    return None


def _in_set(uid: int, wanted: str, newest: int) -> bool:
    for piece in wanted.split(","):
        first, _, last = piece.replace("*", str(newest)).partition(":")
        # RFC 3501: a range may stand either way round, so «n:*» holds the newest letter even when n is above it.
        low, high = sorted((int(first), int(last or first)))
        if low <= uid <= high:
            return True
    return False


def _tokens(command: str) -> Iterator[str]:
    return iter([quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', command)][2:])


def _matches(folder: Folder, uid: int, tokens: Iterator[str]) -> bool:
    found = True
    for token in tokens:
        found = _key(folder, uid, token, tokens) and found
    return found


def _key(folder: Folder, uid: int, token: str, tokens: Iterator[str]) -> bool:
    match token.upper():
        case "ALL":
            return True
        case "UID":
            return _in_set(uid, next(tokens), max(folder.letters))
        case "SINCE":
            day: date = datetime.strptime(next(tokens), "%d-%b-%Y").date()
            return folder.arrived[uid].date() >= day
        case "HEADER":
            next(tokens)
            wanted = next(tokens)
            return wanted.encode() in (_wanted(folder.letters[uid], "HEADER.FIELDS") or b"")
        case "OR":
            left, right = (_key(folder, uid, next(tokens), tokens) for _ in range(2))
            return left or right
        case other:
            raise ValueError(other)


class SmtpPlatform:
    """Answers each step by ``script`` (step → words, or None for hanging up); keeps what it took.

    At a step of ``drips`` the given drop follows another for ever, each soon after the last.
    """

    STEPS = (
        ("EHLO", "ehlo"),
        ("AUTH", "auth"),
        ("MAIL", "mail"),
        ("RCPT", "rcpt"),
        ("DATA", "data"),
        ("QUIT", "quit"),
    )

    def __init__(self) -> None:
        self.script: dict[str, str | None] = {}
        self.drips: dict[str, bytes] = {}
        self.pause = 0.0
        self.taken: list[bytes] = []
        self.rcpts: list[str] = []
        self.server = Server(self.talk)

    def talk(self, wire: Any) -> None:
        self._say(wire, "greeting", "220 mx ready")
        while line := wire.rfile.readline().decode().strip():
            step = next((name for verb, name in self.STEPS if line.upper().startswith(verb)), "other")
            if step == "rcpt":
                self.rcpts.append(line)
            usual = {"ehlo": "250-mx\r\n250-SIZE 99000000\r\n250 AUTH PLAIN", "auth": "235 ok", "data": "354 go on"}
            self._say(wire, step, usual.get(step, "250 ok"))
            if step == "data" and str(self.script.get("data", "354")).startswith("354"):
                self._take(wire)

    def _take(self, wire: Any) -> None:
        """Accepts the letter, unless it is to be refused; whether the answer arrives is another matter."""
        if "body" in self.script:
            raise Cut
        lines: list[bytes] = []
        while "body" in self.drips and wire.rfile.read(1024):
            time.sleep(0.05)
        while (line := wire.rfile.readline()) != b".\r\n":
            if not line:
                raise Cut
            lines.append(line.removeprefix(b"."))
        if not str(self.script.get("dot")).startswith(("4", "5")):
            self.taken.append(b"".join(lines))
        self._say(wire, "dot", "250 2.0.0 queued")

    def _say(self, wire: Any, step: str, usual: str) -> None:
        words = self.script.get(step, usual)
        time.sleep(self.pause)
        if words is None:
            raise Cut
        while step in self.drips:
            wire.wfile.write(self.drips[step])
            time.sleep(0.05)
        wire.wfile.write(words.encode() + b"\r\n")


@dataclass
class MailPlatform:
    """Both sides of one mailbox, and channels to it."""

    imap: ImapPlatform = field(default_factory=ImapPlatform)
    smtp: SmtpPlatform = field(default_factory=SmtpPlatform)

    def channel(self, read_timeout: float = READ_SECONDS, **given: Any) -> Mail:
        values = {
            "address": US,
            "password": PASSWORD,
            **{"imap_host": "127.0.0.1", "imap_port": self.imap.server.port, "imap_security": "none"},
            **{"smtp_host": "127.0.0.1", "smtp_port": self.smtp.server.port, "smtp_security": "none"},
            **given,
        }
        ports = (self.imap.server.port, self.smtp.server.port)
        guard = Guard(allow_private=frozenset(f"127.0.0.1:{port}" for port in ports))
        return Mail(Settings.model_validate(values), Wire(guard, read_timeout=read_timeout), NoLimits())

    def stop(self) -> None:
        self.imap.server.stop()
        self.smtp.server.stop()


def letter(number: int, text: str = "Здравствуйте! Подскажите, когда старт?", extra: str = "") -> bytes:
    head = (
        f"From: client@home.test\r\nTo: {US}\r\nSubject: q{number}\r\nDate: Wed, 25 Nov 2026 12:40:00 +0300\r\n"
        f"Message-ID: <q{number}@home.test>\r\n{extra}Content-Type: text/plain; charset=utf-8\r\n\r\n"
    )
    return f"{head}{text}\r\n".encode()
