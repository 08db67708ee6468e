"""A real OpenID Connect provider in a process of its own, which approves whoever names themselves."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.mail_servers import free_ports

_SERVE = """
import sys, warnings
warnings.simplefilter("ignore")
import oidc_provider_mock
from werkzeug.serving import make_server
make_server("127.0.0.1", int(sys.argv[1]), oidc_provider_mock.app(), threaded=True).serve_forever()
"""


@contextmanager
def open_provider() -> Iterator[str]:
    [port] = free_ports(1)
    child = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"{address}/.well-known/openid-configuration", trust_env=False)
                break
            except httpx.HTTPError:
                assert child.poll() is None, "the provider did not start"
                assert time.monotonic() < until, "the provider is not there"
                time.sleep(0.1)
        yield address
    finally:
        child.kill()
        child.wait()


def approve(url: str, sub: str = "anna-1") -> dict[str, str]:
    """What a person does at the provider; the query it sends them back with."""
    answer = httpx.post(url, data={"sub": sub}, follow_redirects=False)
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
