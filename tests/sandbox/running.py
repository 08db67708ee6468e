"""A running sandbox as its users meet it: a process of its own on a free port, spoken to over HTTP."""

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from sandbox import keys

ROOT = Path(__file__).parents[2]


class Running:
    """One sandbox process and a client to it; the short methods speak each platform's wire."""

    def __init__(self, folder: Path, *words: str, pipe: bool = False) -> None:
        self.folder = folder
        command = [sys.executable, "-m", "sandbox", "--dir", str(folder), "--port", "0", *words]
        stdin = subprocess.PIPE if pipe else subprocess.DEVNULL
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=stdin, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline().strip()
        self.url = self.line.rpartition(" ")[2]
        self.http = httpx.Client(base_url=self.url, timeout=10, trust_env=False)

    def close(self) -> None:
        self.http.close()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(timeout=5)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    # The control addresses

    def truth(self, platform: str | None = None, **wanted: Any) -> list[dict[str, Any]]:
        """Items that stand on the platform, narrowed by equal fields."""
        items = self.http.get("/_sandbox/truth", params={"platform": platform} if platform else {}).json()
        return [item for item in items if all(item[name] == value for name, value in wanted.items())]

    def says(
        self, platform: str, publication: str, text: str, author: str = "alina", **more: Any
    ) -> dict[str, Any]:
        entry = {"platform": platform, "publication": publication, "author": author, "text": text, **more}
        answer = self.http.post("/_sandbox/comment", json=entry)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def strike(self, platform: str, method: str, fault: str, **more: int) -> None:
        entry = {"platform": platform, "method": method, "fault": fault, **more}
        assert self.http.post("/_sandbox/faults", json=[entry]).status_code == 200

    # The platforms

    def vk(self, method: str, token: str = keys.VK_USER_TOKEN, **params: Any) -> Any:
        """The whole answer of a VK method; every answer of VK is HTTP 200."""
        answer = self.http.post(f"/vk/method/{method}", data={"access_token": token, "v": "5.199", **params})
        assert answer.status_code == 200
        return answer.json()

    def telegram(self, method: str, **params: Any) -> httpx.Response:
        return self.http.post(f"/telegram/bot{keys.TELEGRAM_TOKEN}/{method}", json=params)

    def blog(self, verb: str, path: str, who: str | None = "desk", **more: Any) -> httpx.Response:
        passwords = {"desk": keys.BLOG_PASSWORD, "reader": keys.BLOG_READER_PASSWORD}
        auth = (who, passwords.get(who, "wrong")) if who else None
        return self.http.request(verb, f"/blog/wp-json/wp/v2/{path}", auth=auth, **more)
