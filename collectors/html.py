"""Plain text out of what platforms send, for every channel that meets HTML or stray characters."""

import re
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

TAG_CAP = 20_000
"""Above this many «<» the markup is cut out by a pattern: the parser's time is quadratic in nesting (200,000 open
``<div>`` took it 85 s, 20,000 took 0.4 s)."""

TITLE_WITHIN = 200_000
"""Characters of a page that its title is looked for in."""

_PARAGRAPH = re.compile("blockquote|h[1-6]|p|pre")
_BLOCK = re.compile(
    "address|article|aside|dd|div|dl|dt|figcaption|figure|footer|form|header|hr|li|main|nav|ol|section|table|tr|ul"
)
_BREAK = "\x00"
"""Stands for «a new line, unless there is one»; no text can hold it."""
_SILENT = frozenset({"script", "style", "head", "template", "noscript", "title"})
_TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")  # stops at the next «<», or a run of them would be read again and again
_BLANK = re.compile(r"[ \t\r\f\v\n]+")
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """``text`` without NUL, which PostgreSQL refuses, and lone surrogates, which UTF-8 cannot carry."""
    return _UNSTORABLE.sub("", text)


def html_text(markup: str, *, newlines: bool = False) -> str:
    """What a person reads in ``markup``: blocks and ``<br>`` break lines, a link keeps its address in brackets.

    With ``newlines`` a line end in the source is one in the text, as in comments stored before their paragraphs
    are made. Never raises and never runs long, whatever the nesting.
    """
    if markup.count("<") > TAG_CAP:
        lines = unescape(_TAG.sub(" ", markup))
    elif "<" not in markup:
        lines = unescape(markup) if newlines else _BLANK.sub(" ", unescape(markup))
    else:
        lines = _read(LexborHTMLParser(markup).body, newlines)
    rows = [" ".join(row.split()) for row in clean(lines).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(rows)).strip()


def _read(body: LexborNode | None, newlines: bool) -> str:
    """Walks the tree with a stack of its own, since recursion would end at Python's limit."""
    out: list[str] = []
    todo: list[LexborNode | str] = [body] if body is not None else []
    while todo:
        node = todo.pop()
        if isinstance(node, str):
            out.append(node)
            continue
        if node.next is not None and node is not body and node.parent is not None:
            todo.append(node.next)
        if node.is_text_node:
            text = clean(node.text_content or "")
            out.append(text if newlines else _BLANK.sub(" ", text))
        elif node.is_element_node and node.tag not in _SILENT:
            before, after = _marks(node)
            out.append(before)
            todo.append(after)
            if node.first_child is not None:
                todo.append(node.first_child)
    return re.sub(rf"{_BREAK}[\s{_BREAK}]*", _one_break, "".join(out))


def _one_break(found: re.Match[str]) -> str:
    """A paragraph's blank line is wider than the breaks around it."""
    return "\n\n" if found[0].count("\n") > 1 else "\n"


def _marks(node: LexborNode) -> tuple[str, str]:
    """What is read before and after the contents of an element."""
    tag = node.tag
    if tag == "br":
        return "\n", ""
    if tag == "img":
        # WordPress draws emoji as pictures; the sign itself is in the alternative text.
        return node.attributes.get("alt") or "", ""
    if tag == "a":
        href = (node.attributes.get("href") or "").strip()
        told = node.text(deep=True).strip()
        foreign = href.startswith(("http://", "https://", "mailto:", "tel:", "tg:"))
        same = href.split(":", 1)[-1].strip("/") in told or href in told
        return "", "" if not foreign or same else f" ({href})"
    if _PARAGRAPH.fullmatch(tag or ""):
        return "\n\n", "\n\n"
    if _BLOCK.fullmatch(tag or ""):
        return _BREAK, _BREAK
    return ("", " ") if tag in ("td", "th") else ("", "")


def page_title(page: str) -> str:
    """The ``<title>`` of an HTML page, or an empty string."""
    found = _TITLE.search(page[:TITLE_WITHIN])
    return " ".join(clean(unescape(found[1])).split()) if found else ""
