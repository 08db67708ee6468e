"""HTML letters to text: lines, addresses of links, and quotations marked with «>» as in plain letters."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from collectors.mail.decode import clean

_DEPTH_CAP = 300
_SIZE_CAP = 4_000_000
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# Elements that never hold others, or that the next of their kind closes by itself.
_FLAT = re.compile(r"area|base|br|col|dd|dt|embed|hr|img|input|li|link|meta|option|p|param|source|t[dhr]|track|wbr")
_SILENT = re.compile(r"style|script|head|title|template|noscript|svg|math|-comment")
_SPACED = re.compile(r"p|h[1-6]")
_BLOCK = re.compile(
    r"address|article|aside|blockquote|center|dd|div|dl|dt|fieldset|footer|form|header|hr|li|main|nav|ol|pre|section|"
    r"table|tr|ul|p|h[1-6]"
)


def html_text(html: str) -> str:
    """Readable text of ``html``; never raises, and bounded in time by size and depth caps."""
    html = clean(html[:_SIZE_CAP])
    if _too_deep(html):
        # The parser needs the square of the depth: 100 KB of <div> took 20 seconds.
        return re.sub(r"[ \t]*\n\s*", "\n", re.sub(r"<[^<>]*>", "\n", html)).strip()
    root = LexborHTMLParser(html).body
    writer = _Writer()
    if root is not None:
        _walk(root, writer)
    return writer.text()


def _too_deep(html: str) -> bool:
    depth = 0
    for match in _TAG.finditer(html):
        if not _FLAT.fullmatch(match[2].lower()):
            depth += -1 if match[1] else 1
            depth = max(depth, 0)
            if depth > _DEPTH_CAP:
                return True
    return False


class _Writer:
    """Lines of text with a level of quotation each."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []
        self.current: list[str] = []
        self.quotes = 0

    def end_line(self, *, always: bool = False) -> None:
        line = re.sub(r"[ \t\xa0]+", " ", "".join(self.current)).strip()
        if line or always:
            self.lines.append((self.quotes, line))
        self.current = []

    def space(self) -> None:
        if self.lines and self.lines[-1][1]:
            self.lines.append((self.quotes, ""))

    def text(self) -> str:
        self.end_line()
        marked = (f"{'>' * quotes} {line}".rstrip() if quotes else line for quotes, line in self.lines)
        return re.sub(r"\n{3,}", "\n\n", "\n".join(marked)).strip("\n")


def _walk(root: LexborNode, writer: _Writer) -> None:
    """Every node once, without recursion."""
    node: LexborNode | None = root
    while node is not None:
        if _enter(node, writer) and node.child is not None:
            node = node.child
            continue
        while node is not None:
            _leave(node, writer)
            if node.mem_id == root.mem_id:
                return
            if node.next is not None:
                node = node.next
                break
            node = node.parent


def _enter(node: LexborNode, writer: _Writer) -> bool:
    """Writes what stands before the children; False when they are not to be read."""
    tag = node.tag or ""
    if tag == "-text":
        writer.current.append(re.sub(r"\s+", " ", node.text_content or ""))
        return False
    if _SILENT.fullmatch(tag) or (tag != "body" and _hidden(node)):
        return False
    if tag == "br":
        writer.end_line(always=True)
    elif _BLOCK.fullmatch(tag):
        writer.end_line()
        if _SPACED.fullmatch(tag):
            writer.space()
        writer.quotes += tag == "blockquote"
    elif tag in ("td", "th"):
        writer.current.append(" ")
    return True


def _leave(node: LexborNode, writer: _Writer) -> None:
    tag = node.tag or ""
    if tag == "a":
        address = (node.attributes.get("href") or "").strip()
        label = node.text().strip()
        web = address.lower().startswith(("http://", "https://"))
        if web and address.rstrip("/") != label.rstrip("/") and not _hidden(node):
            writer.current.append(f" ({address})" if label else address)
    elif _BLOCK.fullmatch(tag) and not _hidden(node):
        writer.end_line()
        if _SPACED.fullmatch(tag):
            writer.space()
        writer.quotes -= tag == "blockquote"


def _hidden(node: LexborNode) -> bool:
    style = node.attributes.get("style") or ""
    return "display:none" in style.replace(" ", "").lower()
