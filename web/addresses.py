"""Addresses within the desk: where to go next, and files under the version that lets browsers keep them."""

import hashlib
from collections.abc import Callable
from functools import cache
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import werkzeug.routing
from flask import Flask, Response, request, send_from_directory, url_for


class Rule(werkzeug.routing.Rule):
    """An address whose builder is compiled when the first link to it is drawn.

    werkzeug compiles two for each of hundreds at the start, a tenth of a second; a page needs few of them.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(super()._compile_builder(append_unknown))
            return compiled[0](rule, **values)

        return build


STATIC = Path(__file__).resolve().parent / "static"
YEAR = 31_536_000


def safe_next(address: str | None) -> str | None:
    """``address`` if it leads nowhere but into this desk."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")):
        return None
    parts = urlsplit(address)
    return None if parts.scheme or parts.netloc else address


def back() -> str:
    """The page the form stood on, or the first one."""
    parts = urlsplit(request.referrer or "")
    if parts.netloc == request.host:
        return safe_next(parts.path + (f"?{parts.query}" if parts.query else "")) or url_for("home.start")
    return url_for("home.start")


@cache
def static_version() -> str:
    """One name for all files as they are now: modules find one another beside themselves, so all move at once."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(STATIC)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a file of static/, new whenever any of them changes."""
    return url_for("static", version=static_version(), filename=name)


def install(app: Flask) -> None:
    """Serves static/ for a year under its present version, briefly under any other."""

    @app.get("/static/<version>/<path:filename>", endpoint="static")
    def _static(version: str, filename: str) -> Response:
        packed = f"{filename}.gz"
        takes = request.accept_encodings["gzip"] > 0 and (STATIC / packed).is_file() and ".." not in filename
        response = send_from_directory(STATIC, packed if takes else filename)
        if takes:
            response.headers["Content-Encoding"] = "gzip"
            response.mimetype = guess_type(filename)[0] or "application/octet-stream"
        response.headers["Vary"] = "Accept-Encoding"
        current = version == static_version()
        response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable" if current else "no-cache"
        return response

    app.add_template_global(asset, "asset")
