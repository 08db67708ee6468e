"""The limited child: opens, fills and draws one document with nothing to reach and little to spend.

Started by file name in Python's isolated mode: one JSON document comes in, one goes out, binary as base64.
"""

import base64
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CPU_SECONDS, MEMORY = 5, 512 * 2**20


def limit() -> None:
    """At most 5 s of CPU and 512 MB (reliability.md §4); no core, no large file. Windows has no such limits."""
    try:
        import resource
    except ImportError:
        return
    for what, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, 64),
    ):  # fmt: skip
        resource.setrlimit(what, (most, most))


def read(given: dict[str, Any]) -> dict[str, Any]:
    from services.documents.placeholders import plain_text, read_template

    content = base64.b64decode(given["docx"])
    return {"tokens": read_template(content), "text": plain_text(content)}


def fill(given: dict[str, Any]) -> dict[str, Any]:
    """``values``: group → field → text, or {form: text} where it can be declined, or a list of such rows."""
    from docxtpl import DocxTemplate
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from services.documents.placeholders import read_template

    content = base64.b64decode(given["docx"])
    read_template(content)  # a stored template is as strange to the child as an uploaded one
    environment = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
    environment.globals.clear()
    environment.tests.clear()
    environment.filters = {name: _form(name) for name in given["filters"]}
    template = DocxTemplate(io.BytesIO(content))
    template.render(_wrap(given["values"]), environment, autoescape=True)
    out = io.BytesIO()
    template.save(out)
    return {"docx": base64.b64encode(out.getvalue()).decode()}


class _Shown(str):
    """A value as it is shown without a filter, with its other forms beside it."""

    forms: dict[str, str]


def _form(name: str) -> Callable[[_Shown], str]:
    return lambda value: value.forms[name]


def _wrap(value: Any) -> Any:
    if isinstance(value, list):
        return [_wrap(row) for row in value]
    if isinstance(value, dict) and "" in value:
        shown = _Shown(value[""])
        shown.forms = value
        return shown
    return {key: _wrap(inner) for key, inner in value.items()}


def draw(given: dict[str, Any]) -> dict[str, Any]:
    import dxpdf

    return {"pdf": base64.b64encode(dxpdf.convert(base64.b64decode(given["docx"]))).decode()}


def compose(given: dict[str, Any]) -> dict[str, Any]:
    from services.documents.compose import compose as write

    return {"docx": base64.b64encode(write(given["sheet"])).decode()}


ACTS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "read": read,
    "fill": fill,
    "draw": draw,
    "compose": compose,
}


def main() -> int:
    sys.path.insert(0, str(ROOT))
    given = json.load(sys.stdin)
    limit()
    answer: dict[str, Any] = {}
    try:
        for act in given["acts"]:
            answer |= ACTS[act]({**given, **answer})
    except MemoryError:
        answer = {"problem": "limit", "what": "memory"}
    except Exception as error:
        code = getattr(error, "code", None)
        answer = {"problem": str(code or "broken"), "what": str(getattr(error, "what", type(error).__name__))}
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
