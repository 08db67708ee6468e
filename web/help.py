"""«Справка»: the pages of docs/ that people read, opened at the one that belongs to the screen."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, render_template, request, send_from_directory, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

screen = Blueprint("help", __name__, url_prefix="/help")

DOCS = Path(__file__).resolve().parent.parent / "docs"
FOLDERS = {"desk": DOCS / "ru", "places": DOCS / "channels"}
"""Section of the address → where its pages lie."""
ORDER = (
    "inbox",
    "search",
    "keys",
    "replies",
    "outbox",
    "departments",
    "deadlines",
    "incidents",
    "reports",
    "clients",
    "contracts",
    "broadcasts",
    "visits",
    "quality",
    "reviews",
    "sources",
    "staff",
    "settings",
    "training",
    "begin",
    "state",
    "api",
)
OF_SCREEN = {
    "inbox": "inbox",
    "cases": "inbox",
    "rest": "inbox",
    "search": "search",
    "outbox": "outbox",
    "saved": "replies",
    "facts": "replies",
    "checks": "replies",
    "agreement": "replies",
    "department": "departments",
    "inquiries": "departments",
    "sources": "sources",
    "staff": "staff",
    "absences": "staff",
    "rota": "staff",
    "notices": "deadlines",
    "choices": "deadlines",
    "terms": "deadlines",
    "mailbox": "departments",
    "devices": "departments",
    "entrance": "departments",
    "settings": "settings",
    "setting_history": "settings",
    "sign_on": "staff",
    "duties": "staff",
    "quality": "quality",
    "reviews": "reviews",
    "satisfaction": "reviews",
    "journal": "staff",
    "rules": "staff",
    "incidents": "incidents",
    "transfer": "staff",
    "state": "state",
    "begin": "begin",
    "api_keys": "api",
    "tokens": "api",
    "webhooks": "api",
    "reports": "reports",
    "morning": "reports",
    "clients": "clients",
    "outreach": "replies",
    "tasks": "clients",
    "calls": "clients",
    "imports": "clients",
    "exports": "clients",
    "privacy": "clients",
    "contracts": "contracts",
    "broadcasts": "broadcasts",
    "visits": "visits",
}
"""Blueprint → the page that «?» opens there."""


# Raw HTML stays text: a page of help is written by us, yet nothing need be trusted to be harmless.
@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "typographer": False}).enable("table")


@dataclass(frozen=True, slots=True)
class Page:
    """One page: ``section`` and ``name`` make its address."""

    section: str
    name: str
    title: str
    html: Markup


@screen.get("")
def index() -> Response | str:
    """The contents; with ``screen`` the page of that screen."""
    name = OF_SCREEN.get(request.args.get("screen", ""))
    if name is not None and (FOLDERS["desk"] / f"{name}.md").is_file():
        return redirect(url_for("help.page", section="desk", name=name))
    return render_template("help/index.html", contents=_contents())


@screen.get("/<any(desk, places):section>/<name>")
def page(section: str, name: str) -> str:
    path = FOLDERS[section] / f"{name}.md"
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name) or not path.is_file():
        abort(404)
    return render_template("help/page.html", page=_render(section, path), contents=_contents())


@screen.get("/pictures/<name>")
def picture(name: str) -> Response:
    return send_from_directory(DOCS / "pictures", name)


def has_page(section: str, name: str) -> bool:
    """For other screens: whether there is something to lead to."""
    return (FOLDERS[section] / f"{name}.md").is_file()


def _contents() -> dict[str, list[Page]]:
    """Section → its pages, those of the desk in the order of the day."""
    found = {
        section: [_render(section, path) for path in sorted(folder.glob("*.md"))]
        for section, folder in FOLDERS.items()
    }
    found["desk"].sort(key=lambda one: ORDER.index(one.name) if one.name in ORDER else len(ORDER))
    return found


def _render(section: str, path: Path) -> Page:
    return _rendered(section, path, path.stat().st_mtime_ns)


@cache
def _rendered(section: str, path: Path, _changed: int) -> Page:
    tokens = _markdown().parse(path.read_text(encoding="utf-8"))
    title = next((tokens[at + 1].content for at, one in enumerate(tokens) if one.type == "heading_open"), path.stem)
    for token in tokens:
        for inline in token.children or ():
            if inline.type == "link_open":
                _turn(inline, section)
            elif inline.type == "image":
                _place(inline)
    html = _markdown().renderer.render(tokens, _markdown().options, {})
    return Page(section, path.stem, title, Markup(html))  # noqa: S704 - raw HTML of the source was escaped


def _place(image: "Token") -> None:
    """Pictures of docs/pictures are shown; of any other the words remain, since no foreign host is asked."""
    found = re.fullmatch(r"(?:\.\./)?pictures/([\w.-]+)", str(image.attrs.get("src", "")))
    if found:
        image.attrs["src"] = url_for("help.picture", name=found[1])
    else:
        image.type, image.children = "text", None


def _turn(link: "Token", section: str) -> None:
    """Links between the files become links between the pages; those that lead out open apart."""
    address = str(link.attrs.get("href", ""))
    found = re.fullmatch(r"(?:\.\./)?(?:(ru|channels)/)?([a-z][a-z0-9_-]*)\.md(#.*)?", address)
    if found:
        folder = {"ru": "desk", "channels": "places", None: section}[found[1]]
        link.attrs["href"] = url_for("help.page", section=folder, name=found[2]) + (found[3] or "")
    elif address.startswith(("http://", "https://")):
        link.attrs.update(target="_blank", rel="noopener noreferrer")
