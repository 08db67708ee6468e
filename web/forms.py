"""Where a sent form leads: the next page, with what is to be said there, for plain forms and for fragments."""

import json

from flask import Response, flash, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from web.security import is_htmx


def go(address: str) -> AnyResponse:
    """Loads ``address`` next; toasts told before wait for it there."""
    if not is_htmx():
        return redirect(address)
    for toast in g.pop("toasts", []):
        flash(json.dumps(toast))
    return Response(status=204, headers={"HX-Redirect": address})


def overrides() -> dict[str, str]:
    """Reasons that stand beside the linter's findings: fields «why-<rule>»."""
    return {name.removeprefix("why-"): why for name, why in request.form.items() if name.startswith("why-")}
