"""Real mail servers for the tests: Dovecot and Exim where they are installed, else pymap and aiosmtpd from PyPI."""

import contextlib
import imaplib
import os
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

DESK, CLIENT = "desk@school.test", "client@home.test"
PASSWORD = "right-horse-7"
DOVECOT, EXIM = (
    shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin") for name in ("dovecot", "exim4")
)
START_SECONDS = 20.0


@dataclass
class MailServers:
    """One running pair; ports are on 127.0.0.1, ``imap`` per mailbox (pymap serves one mailbox a process)."""

    name: str
    imap: dict[str, int]
    smtp: int
    imaps: int | None = None
    smtps: int | None = None
    certificate: Path | None = None
    closers: list[Callable[[], object]] = field(default_factory=list)

    def open(self, user: str) -> imaplib.IMAP4:
        """A session to be closed by ``with``."""
        box = imaplib.IMAP4("127.0.0.1", self.imap[user], timeout=20)
        box.login(user, PASSWORD)
        return box

    def send(self, letter: bytes, sender: str = CLIENT, recipient: str = DESK) -> None:
        """Hands a letter over as the mail program of ``sender`` would."""
        with smtplib.SMTP("127.0.0.1", self.smtp, "home.test", timeout=20) as smtp:
            smtp.login(sender, PASSWORD)
            smtp.sendmail(sender, [recipient], letter)

    def inbox(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """All letters of a folder, as an independent reader sees them."""
        with self.open(user) as box:
            box.select(folder, readonly=True)
            numbers = box.search(None, "ALL")[1][0].split()
            fetched = [box.fetch(number.decode(), "(BODY.PEEK[])")[1][0] for number in numbers]
            return [item[1] for item in fetched if isinstance(item, tuple)]

    def wait_for(self, user: str, count: int, folder: str = "INBOX") -> list[bytes]:
        """The letters of a folder once there are ``count``; fails after twenty seconds."""
        deadline = time.monotonic() + 20
        while len(letters := self.inbox(user, folder)) < count:
            assert time.monotonic() < deadline, f"{len(letters)} of {count} letters arrived"
            time.sleep(0.1)
        return letters

    def close(self) -> None:
        for closer in reversed(self.closers):
            closer()


def start_mail_servers(say: Callable[[str], None]) -> MailServers:
    """Dovecot and Exim; without them pymap and aiosmtpd, said loudly, and in CI a failure."""
    if DOVECOT and EXIM:
        from tests.dovecot_and_exim import dovecot_and_exim  # it needs this file in its turn

        return _start(dovecot_and_exim)
    if os.environ.get("CI") == "true":
        raise RuntimeError(
            "CI must test mail against Dovecot and Exim: install dovecot-imapd and exim4-daemon-light"
        )
    say(
        "\n*** NO DOVECOT AND EXIM HERE: mail is tested against pymap and aiosmtpd only. ***"
        "\n*** For the real test: apt install dovecot-imapd exim4-daemon-light            ***"
    )
    return _start(_pymap_and_aiosmtpd)


def _start(starter: Callable[[MailServers], None]) -> MailServers:
    servers = MailServers(starter.__name__.strip("_"), {}, 0)
    try:
        starter(servers)
    except BaseException:
        servers.close()
        raise
    return servers


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def run_server(servers: MailServers, command: list[str], port: int, log: Path) -> None:
    """Starts a server in the foreground, waits for its port, and stops that very process at the end."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)

    def stop() -> None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    servers.closers.append(stop)
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{command[0]} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


class _Deliver:
    """aiosmtpd's handler: takes letters for the two mailboxes and puts them there over IMAP."""

    def __init__(self, servers: MailServers) -> None:
        self.servers = servers

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address not in self.servers.imap:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        trace = f"Return-Path: <{envelope.mail_from}>\r\n".encode()
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        for address in envelope.rcpt_tos:
            with self.servers.open(address) as box:
                box.append("INBOX", "", imaplib.Time2Internaldate(time.time()), trace + content)
        return "250 ok"


def _pymap_and_aiosmtpd(servers: MailServers) -> None:
    home = Path(tempfile.mkdtemp(prefix="otk-mail-"))
    servers.closers.append(lambda: shutil.rmtree(home, ignore_errors=True))
    pymap = shutil.which("pymap", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    assert pymap, "pymap is a development dependency"
    ports = free_ports(3)
    for user, port in zip((DESK, CLIENT), ports, strict=False):
        demo = ["dict", "--demo-user", user, "--demo-password", PASSWORD]
        only_imap = [option for name in ("admin", "managesieve") for option in ("--no-service", name)]
        run_server(
            servers,
            [pymap, *only_imap, "--host", "127.0.0.1", "--port", str(port), "--no-tls", *demo],
            port,
            home / "log",
        )
        servers.imap[user] = port
        with servers.open(user) as box:
            box.create("Sent")

    def login(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        known = data.login.decode() in servers.imap and data.password.decode() == PASSWORD
        return AuthResult(success=known, handled=known)

    servers.smtp = ports[2]
    controller = Controller(
        _Deliver(servers),
        "127.0.0.1",
        servers.smtp,
        authenticator=login,
        auth_require_tls=False,
        data_size_limit=60_000_000,
    )
    controller.start()
    servers.closers.append(controller.stop)


@contextlib.contextmanager
def running_mail_servers(say: Callable[[str], None]) -> Iterator[MailServers]:
    servers = start_mail_servers(say)
    try:
        yield servers
    finally:
        servers.close()
