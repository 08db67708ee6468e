"""Telling an address: past the guard, one POST, no redirect, and no answer takes more time than it may."""

import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from collectors import webhook
from collectors.webhook import MOST_ANSWER, post_outside
from collectors.wire import Guard, Wire


@pytest.fixture
def tell(serve):
    def _tell(app, headers=(), body=b"{}"):
        url = serve(app)
        wire = Wire(Guard(allow_private=frozenset({urlsplit(url).netloc})), read_timeout=1)
        return post_outside(wire, f"{url}otklik", dict(headers), body)

    return _tell


def test_it_is_posted_as_it_is_and_the_answer_is_told(tell):
    heard = {}

    def app(environ, start):
        heard.update(environ, body=environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start("202 Accepted", [("Content-Type", "text/plain; charset=utf-8")])
        return ["спасибо".encode()]

    told = tell(app, {"webhook-id": "msg_1", "Content-Type": "application/json"}, b'{"type":"x"}')
    assert (told.status, told.answer, told.code, told.is_well) == (202, "спасибо", None, True)
    assert (heard["REQUEST_METHOD"], heard["PATH_INFO"], heard["body"]) == ("POST", "/otklik", b'{"type":"x"}')
    assert (heard["HTTP_WEBHOOK_ID"], heard["CONTENT_TYPE"]) == ("msg_1", "application/json")


def test_a_redirect_is_an_answer_and_no_way(tell):
    paths = []

    def app(environ, start):
        paths.append(environ["PATH_INFO"])
        start("302 Found", [("Location", "/other")])
        return [b""]

    told = tell(app)
    assert (told.status, told.is_well, paths) == (302, False, ["/otklik"])


def test_of_a_long_answer_the_beginning_is_read(tell):
    def app(environ, start):
        start("500 Oops", [("Content-Type", "text/plain")])
        return (b"x" * 65536 for _ in range(1000))

    told = tell(app)
    assert (told.status, len(told.answer)) == (500, MOST_ANSWER)


def test_an_answer_by_drops_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(webhook, "MOST_SECONDS", 0.3)
    server = socket.create_server(("127.0.0.1", 0))

    def drip():
        line, _address = server.accept()
        line.recv(65536)
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        with line:
            for _ in range(100):
                try:
                    line.sendall(b"x")
                except OSError:
                    return
                time.sleep(0.05)

    threading.Thread(target=drip, daemon=True).start()
    port = server.getsockname()[1]
    wire = Wire(Guard(allow_private=frozenset({f"127.0.0.1:{port}"})), read_timeout=1)
    began = time.monotonic()
    told = post_outside(wire, f"http://127.0.0.1:{port}/", {}, b"{}")
    assert time.monotonic() - began < 2
    assert told.status == 200
    server.close()


@pytest.mark.parametrize("url", ["https://127.0.0.1:9/", "https://[::1]:9/", "https://169.254.169.254/latest/"])
def test_a_private_address_is_not_gone_to(url):
    assert post_outside(Wire(), url, {}, b"{}").code == "address"


def test_a_name_that_leads_inside_is_not_gone_to(monkeypatch):
    def inside(host, port, **given):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.5", port))]

    monkeypatch.setattr(socket, "getaddrinfo", inside)
    assert post_outside(Wire(), "https://robot.example/", {}, b"{}").code == "address"


def test_what_stands_in_the_way_has_a_code(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        guard = Guard(allow_private=frozenset({f"127.0.0.1:{port}"}))
        assert post_outside(Wire(guard, read_timeout=0.2), f"http://127.0.0.1:{port}/", {}, b"{}").code == "timeout"
    assert post_outside(Wire(guard), f"http://127.0.0.1:{port}/", {}, b"{}").code == "refused"

    def nobody(host, port, **given):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    assert post_outside(Wire(), "https://robot.example/", {}, b"{}").code == "dns"
    assert post_outside(Wire(), "https://[robot/", {}, b"{}").code
