"""The desk's own address: each thing that can stand in the way has its own word."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from collectors.wire import look_outside
from services.address import Answer, judge_address, proof

KEY = b"key of the desk"
URL = "https://desk.example"


def desk(key: bytes = KEY, **seen: str):
    def ask(url: str) -> Answer:
        probe = parse_qs(urlsplit(url).query)["probe"][0]
        body = {
            "status": "ok",
            "proof": proof(key, probe),
            "seen": {"scheme": "https", "host": "desk.example", **seen},
        }
        return Answer(200, body)

    return ask


def test_it_leads_here() -> None:
    assert judge_address(f"{URL}/", KEY, desk()).is_well


@pytest.mark.parametrize(
    ("url", "ask", "code"),
    [
        (None, desk(), "unset"),
        ("desk.example", desk(), "form"),
        (f"{URL}/otklik", desk(), "form"),
        ("http://desk.example", desk(), "http"),
        (URL, desk(b"another desk"), "other"),
        (URL, desk(scheme="http"), "proxy"),
        (URL, desk(host="127.0.0.1:8000"), "proxy"),
        (URL, lambda _: Answer(200, {"hello": "site"}), "other"),
        (URL, lambda _: Answer(502, {}), "status"),
        (URL, lambda _: Answer(301, {}, "https://www.desk.example/"), "redirect"),
        (URL, lambda _: Answer(0, {}, trouble="tls"), "tls"),
    ],
)
def test_what_stands_in_the_way_has_a_word(url, ask, code) -> None:
    assert judge_address(url, KEY, ask).code == code


def test_a_desk_without_a_leader_still_is_this_desk() -> None:
    def ask(url: str) -> Answer:
        return Answer(503, {**desk()(url).body, "status": "degraded"})

    assert judge_address(URL, KEY, ask).is_well


@pytest.mark.parametrize("probe", ["", "a" * 31, "a" * 33, "a" * 31 + " ", "\x00" * 32])
def test_only_a_probe_is_answered(probe) -> None:
    assert proof(KEY, probe) is None


def test_the_real_call_tells_what_it_met() -> None:
    class Away(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", "https://elsewhere.example/")
            self.end_headers()
            self.wfile.write(json.dumps({"a": 1}).encode())

        def log_message(self, *_given: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Away)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    port = server.server_address[1]
    try:
        status, _body, location, trouble = look_outside(f"http://127.0.0.1:{port}/")
        assert (status, location, trouble) == (302, "https://elsewhere.example/", "")
        assert look_outside(f"https://127.0.0.1:{port}/")[3] == "tls"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert look_outside(f"http://127.0.0.1:{port}/")[3] == "refused"
