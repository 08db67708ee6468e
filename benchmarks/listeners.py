"""Browsers of other machines, seen from the desk: each holds a line and asks what a page of the inbox asks.

Run as a child: ``python -m benchmarks.listeners PORT COOKIE HOW_MANY SOURCE``; it says «ready», goes on until it is
killed, and needs a small part of what as many real browsers take of the machine that they share with the desk.
"""

import http.client
import json
import os
import random
import re
import sys
import threading
import time

SOON, AFTER = 0.08, 2.0
"""Seconds until a page asks for what changed, and the least until it asks for the numbers of its header."""
KEY = re.compile(r'data-key="([^"]+)"')


class Page(threading.Thread):
    """One open inbox of the cases of a place."""

    def __init__(self, port: int, cookie: str, source_id: str) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._headers = {"Cookie": cookie}
        self._source_id = source_id
        self._asking = http.client.HTTPConnection("127.0.0.1", port)
        self._keys: list[str] = []
        self.stands = threading.Event()

    def run(self) -> None:
        """Goes on for ever: with one page that does not, all end, and whoever measures is told."""
        try:
            self._listen()
        finally:
            os._exit(1)

    def _listen(self) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self._port)
        line.request("GET", "/live", headers=self._headers)
        told = line.getresponse()
        while said := told.readline():
            self.stands.set()
            if said.startswith(b'data: {"id"') and json.loads(said[6:])["kinds"]:
                time.sleep(SOON)
                self._refresh()

    def _refresh(self) -> None:
        lanes = {key.partition(":")[0]: key for key in reversed(self._keys)}
        top = ",".join(lanes.values())
        page = self._ask(f"/inbox/refresh?source={self._source_id}&top={top}&ids=&unread=1")
        self._keys = sorted({*self._keys, *KEY.findall(page)}, key=_standing)
        threading.Timer(AFTER * random.uniform(1, 2.5), self._header).start()

    def _header(self) -> None:
        asking = http.client.HTTPConnection("127.0.0.1", self._port)
        asking.request("GET", "/menu?here=inbox", headers={**self._headers, "HX-Request": "true"})
        asking.getresponse().read()
        asking.close()

    def _ask(self, address: str) -> str:
        self._asking.request("GET", address, headers={**self._headers, "HX-Request": "true"})
        answer = self._asking.getresponse()
        said = answer.read().decode()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} {address}")
        return said


def _standing(key: str) -> tuple[float, float, float]:
    lane, at, number = (float(part) for part in key.split(":"))
    return lane, -at, -number


def main() -> None:
    port, cookie, count, source_id = sys.argv[1:]
    pages = [Page(int(port), cookie, source_id) for _ in range(int(count))]
    for page in pages:
        page.start()
    for page in pages:
        page.stands.wait()
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
