"""Which placeholders a template holds: parsed as the renderer will, each node held against an allow-list."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from jinja2 import Environment, TemplateSyntaxError, nodes

from services.documents.fields import FILTERS, TABLES, type_of
from services.documents.package import open_package, refuse

FILLED = re.compile(r"word/(document|header\d*|footer\d*|footnotes)\.xml")
"""The parts that the renderer fills; a placeholder anywhere else would stay in the document, or be run unseen."""
_MARK = re.compile(r"\{\s*\{|\{\s*%|\{\s*#")
LONGEST = 20_000
"""More placeholders than this is no document."""

Token = list[str]
"""[«field», group, name, filter] · [«if», group, name] · [«for», variable, table] · [«end»]"""


@dataclass
class _Walk:
    tokens: list[Token] = field(default_factory=list)
    rows: dict[str, str] = field(default_factory=dict)  # loop variable → its table

    def add(self, *token: str) -> None:
        self.tokens.append(list(token))
        if len(self.tokens) > LONGEST:
            refuse("placeholder", "…")


def read_template(content: bytes) -> list[Token]:
    """The placeholders in their order; raises Problem with code «placeholder» and the offender."""
    parts = open_package(content)
    walk = _Walk()
    for name in sorted(parts, key=lambda part: (part != "word/document.xml", part)):
        if not name.endswith((".xml", ".rels")):
            continue
        text = parts[name].decode()
        if FILLED.fullmatch(name):
            _read_part(text, walk)
        elif _MARK.search(re.sub(r"<[^>]*>", "", text)) or _MARK.search(text):
            refuse("placeholder_place", name)
    return walk.tokens


def _read_part(xml: str, walk: _Walk) -> None:
    from docxtpl import DocxTemplate

    # The renderer moves and joins what Word split: what is checked must be what is run.
    patched = DocxTemplate.patch_xml(None, re.sub(r"<w:p([ >])", r"\n<w:p\1", xml))
    for text in re.findall(r"(?s)<[^>]*>", patched):
        if _MARK.search(text):
            refuse("placeholder", re.sub(r"\s+", " ", text))
    try:
        tree = Environment(autoescape=True).parse(patched)
    except TemplateSyntaxError as error:
        refuse("syntax", _near(patched, error.lineno))
    if "{#" in patched:
        refuse("placeholder", "{#")
    for node in tree.body:
        _visit(node, walk)


def _near(xml: str, line: int) -> str:
    lines = xml.splitlines()
    text = re.sub(r"<[^>]+>", "", lines[min(line, len(lines)) - 1]) if lines else ""
    found = re.search(r"\{[{%].{0,80}", text)
    return found.group() if found else text.strip()[:80]


def _visit(node: nodes.Node, walk: _Walk) -> None:
    match node:
        case nodes.Output():
            for part in node.nodes:
                if not isinstance(part, nodes.TemplateData):
                    _field(part, walk)
                elif _MARK.search(part.data):
                    refuse("placeholder", part.data.strip())
        case nodes.If(test=nodes.Getattr(node=nodes.Name(name=group), attr=name)) if not node.elif_:
            if type_of(group, name) is None:
                refuse("placeholder", f"{group}.{name}")
            walk.add("if", group, name)
            _inside(node.body, walk)
            if node.else_:
                refuse("placeholder", "else")
        case nodes.For(target=nodes.Name(name=row), iter=nodes.Getattr(node=nodes.Name(name=group), attr=name)):
            _loop(node, walk, row, f"{group}.{name}")
        case _:
            refuse("placeholder", type(node).__name__.lower())


def _loop(node: nodes.For, walk: _Walk, row: str, table: str) -> None:
    is_plain = node.test is None and not node.else_ and not node.recursive
    # A loop in a loop can grow without bound; no document of a school needs one.
    if not is_plain or table not in TABLES or walk.rows or type_of(row, "") is not None:
        refuse("placeholder", f"for {table}")
    walk.add("for", row, table)
    walk.rows[row] = table
    _inside(node.body, walk)
    del walk.rows[row]


def _inside(body: list[nodes.Node], walk: _Walk) -> None:
    for node in body:
        _visit(node, walk)
    walk.add("end")


def _field(node: nodes.Node, walk: _Walk) -> None:
    filter_name = ""
    if isinstance(node, nodes.Filter):
        if node.args or node.kwargs or node.dyn_args or node.dyn_kwargs or node.node is None:
            refuse("placeholder", node.name)
        filter_name, node = node.name, node.node
    match node:
        case nodes.Getattr(node=nodes.Name(name=group), attr=name):
            kind = TABLES[walk.rows[group]].get(name) if group in walk.rows else type_of(group, name)
        case _:
            refuse("placeholder", type(node).__name__.lower())
    if kind is None:
        refuse("placeholder", f"{group}.{name}")
    if filter_name and filter_name not in FILTERS[kind]:
        refuse("filter", f"{group}.{name}|{filter_name}")
    walk.add("field", group, name, filter_name)


def plain_text(content: bytes) -> str:
    """The words of the body in small letters, for the rules about what a document may not say."""
    xml = open_package(content)["word/document.xml"].decode()
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"</w:p>", " ", xml)).lower().split())


def fields_of(tokens: list[Token]) -> set[str]:
    """Names of the fields and tables that a template asks for, «group.field»."""
    rows = {token[1] for token in tokens if token[0] == "for"}
    named = {f"{token[1]}.{token[2]}" for token in tokens if token[0] == "field" and token[1] not in rows}
    return named | {token[2] for token in tokens if token[0] == "for"}


def missing_of(tokens: list[Token], values: dict[str, dict[str, object]]) -> list[str]:
    """Fields that the template asks for and ``values`` does not have; under an «if» only where it holds."""
    missing: dict[str, None] = {}
    for name in _missing(iter(tokens), values, {}, True):
        missing[name] = None
    return list(missing)


def _missing(
    tokens: Iterator[Token], values: dict[str, dict[str, object]], rows: dict[str, str], counts: bool
) -> Iterator[str]:
    for token in tokens:
        match token:
            case ["end"]:
                return
            case ["if", group, name]:
                yield from _missing(tokens, values, rows, counts and _has(values, group, name))
            case ["for", row, table]:
                group, name = table.split(".")
                if counts and not values.get(group, {}).get(name):
                    yield table
                yield from _missing(tokens, values, {**rows, row: table}, counts)
            case ["field", group, name, *_] if counts:
                if group in rows:
                    yield from _rows_without(values, rows[group], name)
                elif not _has(values, group, name):
                    yield f"{group}.{name}"


def _has(values: dict[str, dict[str, object]], group: str, name: str) -> bool:
    value = values.get(group, {}).get(name)
    return value is not None and str(value).strip() != ""


def _rows_without(values: dict[str, dict[str, object]], table: str, name: str) -> Iterator[str]:
    group, field_name = table.split(".")
    rows = values.get(group, {}).get(field_name) or []
    if isinstance(rows, list) and any(
        str(row.get(name, "") if row.get(name) is not None else "").strip() == "" for row in rows
    ):
        yield f"{table}.{name}"
