"""The parent's side of the limited child: what goes in, what comes out, and how long it may take."""

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.documents import russian
from services.documents.fields import CASES, DATE, FILTERS, GROUPS, MONEY, NAME, TABLES, WORD
from services.errors import Refused

CHILD = Path(__file__).with_name("child.py")
WALL_SECONDS = 30
"""The CPU is limited to five seconds; on a busy machine the clock on the wall runs longer."""
MOST_OUT = 60 * 2**20

Values = dict[str, dict[str, Any]]
"""group → field → text · YYYY-MM-DD · kopecks · list of rows."""


@dataclass(frozen=True, slots=True)
class Made:
    """A finished document."""

    docx: bytes
    pdf: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """What a template holds: its placeholders in order, and its words in small letters."""

    tokens: list[list[str]]
    text: str


def read_fields(content: bytes) -> Read:
    """The placeholders of an uploaded template; raises Refused(«template.<why>») with what offends."""
    answer = run_child(["read"], {"docx": _packed(content)})
    return Read(answer["tokens"], answer["text"])


def make(content: bytes, values: Values, forms: Mapping[str, Mapping[str, str]] | None = None) -> Made:
    """Fills the template and draws it; ``forms``: «group.field» → case → what a person wrote by hand."""
    shown = show(values, forms or {})
    filters = sorted({name for names in FILTERS.values() for name in names})
    answer = run_child(["fill", "draw"], {"docx": _packed(content), "values": shown, "filters": filters})
    return Made(base64.b64decode(answer["docx"]), base64.b64decode(answer["pdf"]))


def draw_pdf(content: bytes) -> bytes:
    """The PDF of a finished .docx."""
    return base64.b64decode(run_child(["draw"], {"docx": _packed(content)})["pdf"])


def _packed(content: bytes) -> str:
    return base64.b64encode(content).decode()


def run_child(acts: list[str], given: dict[str, Any]) -> dict[str, Any]:
    """Does ``acts`` of the child one after another; raises Refused(«template.<why>»)."""
    # Isolated mode and an empty environment: neither a variable nor the current folder can change what it runs.
    command = [sys.executable, "-I", "-B", str(CHILD)]
    try:
        done = subprocess.run(  # noqa: S603
            command, input=json.dumps({"acts": acts, **given}).encode(), capture_output=True,
            timeout=WALL_SECONDS, env={"LANG": "C.UTF-8", "FONTCONFIG_PATH": "/etc/fonts"}, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Refused("template.limit", what="time") from None
    if done.returncode or len(done.stdout) > MOST_OUT:
        raise Refused("template.limit", what=str(done.returncode))
    answer: dict[str, Any] = json.loads(done.stdout)
    if "problem" in answer:
        raise Refused(f"template.{answer['problem']}", what=answer["what"])
    return answer


def show(values: Values, forms: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """``values`` as texts, each with the forms that filters may ask for; what is absent stands empty."""
    shown: dict[str, Any] = {}
    for group, kinds in GROUPS.items():
        given = values.get(group, {})
        gender = str(given.get("gender", ""))
        shown[group] = {
            name: _forms(given.get(name), kind, forms.get(f"{group}.{name}", {}), gender)
            for name, kind in kinds.items()
        }
    for table, kinds in TABLES.items():
        group, name = table.split(".")
        rows = values.get(group, {}).get(name) or []
        shown[group][name] = [
            {key: _forms(row.get(key), kind, {}, "") for key, kind in kinds.items()} for row in rows
        ]
    return shown


def _forms(value: Any, kind: str, written: Mapping[str, str], gender: str) -> dict[str, str]:
    if value is None or value == "":
        return {"": "", **dict.fromkeys(FILTERS[kind], "")}
    if kind == DATE:
        return {"": russian.date_short(value), "date_long": russian.date_long(value)}
    if kind == MONEY:
        return {"": russian.money(value), "money": russian.money(value), "words": russian.money_words(value)}
    text = _clean(str(value))
    if kind == NAME:
        declined = {case: russian.decline_name(text, case, gender=gender, overrides=written) for case in CASES}
        return {"": text, "initials": russian.initials(text), **declined}
    if kind == WORD:
        return {"": text, **{case: russian.decline_words(text, case, written) for case in CASES}}
    return {"": text, "upper": text.upper()}


def clean(text: str) -> str:
    """Without characters that XML cannot hold."""
    return "".join(
        c for c in text if c in "\n\t" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
    )


def _clean(text: str) -> str:
    """And without those that the renderer would take for marks of its own."""
    return clean(text).replace("{", "(").replace("}", ")")
