"""Short words after an act: a header for pages that swap a fragment, a flash for those that load anew."""

import json
from typing import Any

from flask import Response, flash, g, get_flashed_messages

from web.security import is_htmx


def tell(text: str, kind: str = "done", **data: Any) -> None:
    """Says ``text`` once the answer is there; ``kind``: done · problem · undo.

    ``data`` of an undo: ``undo`` (address to POST to), ``now`` (address that ends the wait), ``seconds``, ``label``
    of the way back where it has one of its own, with {left} for the seconds.
    """
    g.setdefault("toasts", []).append({"text": str(text), "kind": kind, **data})


def spoken() -> list[dict[str, Any]]:
    """For base.html: what the page before this one wanted to say, and this one too."""
    kept: list[dict[str, Any]] = [json.loads(str(item)) for item in get_flashed_messages()]
    return kept + list(g.pop("toasts", []))


def trigger(name: str, **detail: Any) -> None:
    """Tells the page what happened, as the browser's event ``otklik:<name>``; nothing where a whole page comes."""
    g.setdefault("triggers", {})[f"otklik:{name}"] = detail


def carry(response: Response) -> Response:
    """Puts what was told into the answer, or keeps it for the next page when this one only redirects."""
    waiting = g.pop("toasts", [])
    triggers: dict[str, Any] = g.pop("triggers", {})
    if is_htmx():
        if waiting:
            triggers["otklik:toasts"] = {"toasts": waiting}
        if triggers:
            response.headers["HX-Trigger"] = json.dumps(triggers)
    else:
        for toast in waiting:
            flash(json.dumps(toast))
    return response
