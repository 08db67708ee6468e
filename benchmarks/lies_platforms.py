"""The honest platforms behind the liar: the sandbox, a real Isso, a real mail server; each tells what it holds."""

import contextlib
import html
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import httpx

from benchmarks.lying_proxy import Plan, lying_proxy
from benchmarks.lying_smtp import lying_smtp
from config import ROOT
from tests.mail_servers import CLIENT, DESK, PASSWORD, free_ports, running_mail_servers
from tests.sandbox.running import Running

WRITES = {
    "youtube": r"^POST /youtube/(?!token)",
    "vk": r"^POST /vk/method/(\w+\.createComment|messages\.send)",
    "telegram": r"^POST /telegram/\S+/sendMessage",
    "wordpress": r"^POST \S+wp/v2/comments",
    "max": r"^POST /max/messages",
    "ok": r"addDiscussionComment|^POST /ok/graph",
    "isso": r"^POST /new",
    "mail": "",
}
"""Kind of channel → which requests are acts."""
ASKS_A_PERSON = frozenset({"telegram", "mail"})
"""Channels that can prove no absence: what is unknown there a person must judge."""
VIEWERS = 20
PAGE = "/lesson/"
ISSO = """
[general]
dbpath = {folder}/comments.db
host = {site}
[server]
listen = http://127.0.0.1:{port}
[guard]
enabled = false
[rss]
base =
"""


@dataclass
class Rig:
    """One platform with the liar before it: settings that lead through the liar, and the platform's own list."""

    kind: str
    plan: Plan
    settings: dict[str, Any]
    pairs: frozenset[str]
    """«host:port» that the address guard lets through."""

    def standing(self) -> Counter[str]:
        """Text of ours → how often it stands on the platform."""
        raise NotImplementedError


@dataclass
class SandboxRig(Rig):
    running: Running

    def standing(self) -> Counter[str]:
        ours = [item for item in self.running.truth(self.kind) if item["direction"] == "out"]
        return Counter(html.unescape(item["text"]) for item in ours if item["state"] != "deleted")


@dataclass
class IssoRig(Rig):
    url: str

    def standing(self) -> Counter[str]:
        top = httpx.get(self.url, params={"uri": PAGE, "plain": 1}, trust_env=False).json()["replies"]
        items = [one for parent in top for one in (parent, *parent["replies"])]
        return Counter(one["text"] for one in items if one["author"] == "Школа")


@dataclass
class MailRig(Rig):
    servers: Any

    def standing(self) -> Counter[str]:
        """What arrived at the client; the mail server delivers a moment after it has accepted."""
        found, calm = Counter[str](), 0
        while calm < 3:
            letters = self.servers.inbox(CLIENT)
            now = Counter(_text(one) for one in letters if b"X-Otklik-Desk" in one)
            calm = calm + 1 if now == found else 0
            found = now
            time.sleep(0.3)
        return found


def _text(letter: bytes) -> str:
    return str(message_from_bytes(letter, policy=policy.default).get_content()).replace("\r", "").strip()


@contextlib.contextmanager
def rig(kind: str, seed: int) -> Iterator[Rig]:
    plan = Plan(re.compile(WRITES[kind] or r"\A\b"), seed)
    folder = Path(tempfile.mkdtemp(prefix="otklik-lies-"))
    made = {"isso": _isso, "mail": _mail}.get(kind, _sandbox)
    with made(kind, plan, folder) as found:
        yield found


@contextlib.contextmanager
def _sandbox(kind: str, plan: Plan, folder: Path) -> Iterator[Rig]:
    running = Running(folder, "--no-trickle", "--no-rate-limits")
    try:
        with lying_proxy(running.url, plan) as proxy:
            # The sandbox names its addresses by the host it is asked under: here the liar's.
            with honest(plan):
                places = httpx.get(f"{proxy.url}/_sandbox/sources", trust_env=False).json()
            place = next(one for one in places if one["platform"] == kind)
            settings = {**place["settings"], **place["secrets"]}
            yield SandboxRig(kind, plan, settings, frozenset({proxy.url.removeprefix("http://")}), running)
    finally:
        running.close()


@contextlib.contextmanager
def _isso(kind: str, plan: Plan, folder: Path) -> Iterator[Rig]:
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}/"
    config = folder / "isso.cfg"
    config.write_text(ISSO.format(folder=folder, site=url, port=port), encoding="utf-8")
    command = [sys.executable, "-c", "from isso import main; main()", "-c", str(config), "run"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        _wait_for(f"{url}config")
        for n in range(VIEWERS):
            body = {"text": f"Вопрос номер {n}?", "author": f"Зритель {n}", "title": "Урок", "parent": None}
            httpx.post(f"{url}new", params={"uri": PAGE}, json=body, trust_env=False).raise_for_status()
        with lying_proxy(url, plan) as proxy:
            settings = {"base_url": proxy.url, "site_url": "", "uris": [PAGE], "author": "Школа"}
            settings["email"] = "desk@school.example"
            yield IssoRig(kind, plan, settings, frozenset({proxy.url.removeprefix("http://")}), url)
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str) -> None:
    for _ in range(300):
        with contextlib.suppress(httpx.TransportError):
            httpx.get(url, trust_env=False)
            return
        time.sleep(0.05)
    raise RuntimeError(f"{url} did not start")


@contextlib.contextmanager
def _mail(kind: str, plan: Plan, folder: Path) -> Iterator[Rig]:
    with running_mail_servers(print) as servers, lying_smtp(servers.smtp, plan) as port:
        for n in range(VIEWERS):
            head = f"From: {CLIENT}\r\nTo: {DESK}\r\nSubject: Вопрос {n}\r\nMessage-ID: <q{n}@home.test>\r\n"
            text = "Content-Type: text/plain; charset=utf-8\r\n\r\nКогда начало?\r\n"
            servers.send(f"{head}Date: Wed, 25 Nov 2026 12:40:00 +0300\r\n{text}".encode())
        servers.wait_for(DESK, VIEWERS)
        settings = {
            "address": DESK, "password": PASSWORD, "imap_host": "127.0.0.1", "imap_port": servers.imap[DESK],
            "imap_security": "none", "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none",
        }  # fmt: skip
        pairs = frozenset(f"127.0.0.1:{one}" for one in (servers.imap[DESK], port))
        yield MailRig(kind, plan, settings, pairs, servers)


@contextlib.contextmanager
def honest(plan: Plan) -> Iterator[None]:
    """For a while nothing is lied to."""
    before, plan.lies = plan.lies, False
    try:
        yield
    finally:
        plan.lies = before
