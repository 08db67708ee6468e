"""A platform that answers drop by drop: no single wait is long, and still nobody waits for it for ever (F22)."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from benchmarks.limits import NoLimits
from collectors import transport
from collectors.base import ChannelError, Walk
from collectors.mail import Mail, imap
from collectors.mail import Settings as MailSettings
from collectors.wire import Guard, Wire
from collectors.wordpress import Settings, WordPress

PAUSE = 0.05
"""Seconds between two drops, much less than a reader waits for one."""


@pytest.fixture
def drip() -> Iterator[Callable[[bytes, bytes], int]]:
    """A server that says its first words at once and then one drop after another, until nobody hears it."""
    opened: list[socket.socket] = []

    def _drip(first: bytes, drop: bytes) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        opened.append(server)

        def talk() -> None:
            try:
                line, _address = server.accept()
                with line:
                    line.sendall(first)
                    while True:
                        line.sendall(drop)
                        time.sleep(PAUSE)
            except OSError:
                return

        threading.Thread(target=talk, daemon=True).start()
        return int(server.getsockname()[1])

    yield _drip
    for server in opened:
        server.close()


def wire_to(port: int) -> Wire:
    return Wire(Guard(allow_private=frozenset({f"127.0.0.1:{port}"})), read_timeout=1)


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n[", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n", b"1\r\n \r\n"),
    ],
    ids=["headers", "body", "pieces"],
)
def test_an_answer_by_drops_ends_the_walk(drip, monkeypatch, first, drop) -> None:
    monkeypatch.setattr(transport, "REST_SECONDS", 0.0)
    port = drip(first, drop)
    settings = Settings.model_validate(
        {"base_url": f"http://127.0.0.1:{port}/wp-json/", "username": "desk", "password": "p"}
    )
    channel = WordPress(settings, wire_to(port), NoLimits())
    began = time.monotonic()
    with pytest.raises(ChannelError) as told:
        list(channel.walk(Walk.NEW, {}))
    assert (told.value.code, told.value.message) == ("network", "ReadTimeout")
    assert 0.9 < time.monotonic() - began < 4


def test_through_a_proxy_too(drip, monkeypatch) -> None:
    monkeypatch.setattr(transport, "REST_SECONDS", 0.0)
    port = drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x")
    wire = Wire(Guard(), f"http://127.0.0.1:{port}", read_timeout=1)
    began = time.monotonic()
    with wire.client("http://blog.example/") as client, pytest.raises(httpx.ReadTimeout):
        client.get("posts")
    assert time.monotonic() - began < 4


def test_each_answer_has_its_own_time(serve, monkeypatch) -> None:
    """Many answers over one connection may take longer together than one may alone."""
    monkeypatch.setattr(transport, "REST_SECONDS", 0.0)

    def app(environ, start):
        time.sleep(0.4)
        start("200 OK", [("Content-Type", "text/plain")])
        return [b"yes"]

    url = serve(app)
    port = httpx.URL(url).port
    assert port is not None
    with wire_to(port).client(url) as client:
        assert [client.get("x").text for _ in range(4)] == ["yes"] * 4


def test_a_mailbox_that_answers_by_drops_is_left(drip, monkeypatch) -> None:
    monkeypatch.setattr(imap, "ANSWER_SECONDS", 0.5)
    port = drip(b"* OK ", b"x")
    settings = MailSettings.model_validate(
        {"imap_host": "127.0.0.1", "imap_port": port, "imap_security": "none", "smtp_host": "127.0.0.1",
         "password": "p", "address": "desk@school.test"}
    )  # fmt: skip
    began = time.monotonic()
    with pytest.raises(ChannelError) as told:
        list(Mail(settings, wire_to(port), NoLimits()).walk(Walk.NEW, {}))
    assert told.value.code == "network"
    assert 0.4 < time.monotonic() - began < 4
