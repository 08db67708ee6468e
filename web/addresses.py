"""Addresses within the desk: where to go next, and files under the version that lets browsers keep them."""

import gzip
import hashlib
import posixpath
import re
from collections.abc import Callable
from functools import cache, lru_cache
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import werkzeug.routing
from flask import Flask, Response, has_request_context, request, send_from_directory, url_for
from markupsafe import Markup
from werkzeug.security import safe_join


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
SHRINKS = (".css", ".js", ".mjs", ".svg")
"""Files that are sent packed: those of libraries lie so beside the plain ones, ours are packed once a process."""
_NAMED = re.compile(r"""^(?:import|export)(?:\s[^"';()]*?\sfrom)?\s*["'](\.{1,2}/[^"']+)["']""", re.MULTILINE)


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
    return _asset(request.script_root if has_request_context() else None, name)


@cache
def _asset(_root: str | None, name: str) -> str:
    return url_for("static", version=static_version(), filename=name)


def icon(name: str, size: int = 18, label: object = None, css: str = "") -> Markup:
    """A picture of the sprite, ``size`` px wide; without a label nobody who listens hears of it."""
    return _icon(asset("vendor/icons.svg"), str(name), size, str(label) if label else "", css)


@lru_cache(4096)
def _icon(sprite: str, name: str, size: int, label: str, css: str) -> Markup:
    said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon {}" width="{}" height="{}" {}><use href="{}#{}"/></svg>').format(
        css, size, size, said, sprite, name
    )


@cache
def packed(name: str) -> bytes:
    """A file of static/ by gzip."""
    twin = STATIC / f"{name}.gz"
    return twin.read_bytes() if twin.is_file() else gzip.compress((STATIC / name).read_bytes(), 9, mtime=0)


@cache
def modules_of(name: str) -> tuple[str, ...]:
    """A module and all that it imports, so that a browser asks for them at once and not one after another."""
    found = [name]
    for one in found:
        for said in _NAMED.findall((STATIC / one).read_text(encoding="utf-8")):
            inner = posixpath.normpath(posixpath.join(posixpath.dirname(one), said))
            if inner not in found:
                found.append(inner)
    return tuple(found)


def install(app: Flask) -> None:
    """Serves static/ for a year under its present version, briefly under any other."""

    @app.get("/static/<version>/<path:filename>", endpoint="static")
    def _static(version: str, filename: str) -> Response:
        inner = safe_join(str(STATIC), filename)
        takes = filename.endswith(SHRINKS) and request.accept_encodings["gzip"] > 0
        if takes and inner is not None and Path(inner).is_file():
            response = Response(packed(filename), mimetype=guess_type(filename)[0] or "text/javascript")
            response.headers["Content-Encoding"] = "gzip"
        else:
            response = send_from_directory(STATIC, filename)
        response.headers["Vary"] = "Accept-Encoding"
        current = version == static_version()
        response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable" if current else "no-cache"
        return response

    app.add_template_global(asset, "asset")
    app.add_template_global(icon, "icon_of")
    app.add_template_global(modules_of, "modules_of")
