"""Where a sent form leads: the next page, with what is to be said there, for plain forms and for fragments."""

import json
from urllib.parse import urlsplit

from flask import Response, flash, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from web.security import is_htmx


def go(address: str) -> AnyResponse:
    """Loads ``address`` next; toasts told before wait for it there."""
    if not is_htmx():
        return redirect(address)
    for toast in g.pop("toasts", []):
        flash(json.dumps(toast))
    return Response(status=204, headers={"HX-Refresh": "true"} if _is_here(address) else {"HX-Redirect": address})


def _is_here(address: str) -> bool:
    """Whether it differs from the page that asks by its anchor alone: a browser would not load it."""
    here, there = urlsplit(request.headers.get("HX-Current-URL", "")), urlsplit(address)
    return bool(there.fragment) and (here.path, here.query) == (there.path, there.query)


def overrides() -> dict[str, str]:
    """Reasons that stand beside the linter's findings: fields «why-<rule>»."""
    return {name.removeprefix("why-"): why for name, why in request.form.items() if name.startswith("why-")}
