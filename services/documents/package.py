"""Whether a file that claims to be a .docx may be opened at all; runs in the limited child, before any parser."""

import io
import posixpath
import re
import stat
import zipfile
from collections.abc import Iterator
from typing import NoReturn
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

MOST_BYTES = 20 * 2**20
MOST_UNPACKED = 100 * 2**20
MOST_ENTRIES = 2_000
MOST_RATIO = 100
SMALL = 64 * 2**10
"""A part smaller than this may be packed as tightly as it likes: an empty settings file is one word repeated."""

MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FORBIDDEN_NAMES = re.compile(
    r"vbaproject|vbadata|/activex/|/embeddings/|/afchunk|(?<!printersettings)(?<!printersettings\d)\.bin$|\.vbs$|\.js$|\.exe$|\.dll$|customui|/webextensions/"
    r"|attachedtoolbars",
    re.IGNORECASE,
)
_FORBIDDEN_RELATIONS = (
    "oleobject", "package", "vbaproject", "attachedtemplate", "afchunk", "control", "activex", "subdocument",
    "frame", "mailmergesource", "mailmergeheadersource", "keymapcustomizations", "webextension", "ui/extensibility",
)  # fmt: skip
_FORBIDDEN_TAGS = (
    "altChunk", "object", "control", "OLEObject", "subDoc", "mailMerge", "attachedTemplate", "ocx",
)  # fmt: skip
_UNDRAWN_TAGS = (
    "ins",
    "del",
    "moveFrom",
    "moveTo",
    "oMath",
    "chart",
    "relIds",
    "wordArt",
    "textpath",
    "txbxContent",
)
"""What stands otherwise in the PDF than in Word: unaccepted edits, formulas, charts, drawn words, text boxes."""
_FIELDS = re.compile(r"^\s*(PAGE|NUMPAGES|SECTIONPAGES)\b[^\"]*$")


class Problem(Exception):
    """Why a template is refused: ``code`` and what or where."""

    def __init__(self, code: str, what: str = "") -> None:
        super().__init__(code, what)
        self.code, self.what = code, what


def refuse(code: str, what: str = "") -> NoReturn:
    raise Problem(code, what[:200])


def open_package(content: bytes) -> dict[str, bytes]:
    """All parts by name; raises Problem for a bomb, a link out, code, an entity, or what is no .docx."""
    if len(content) > MOST_BYTES:
        refuse("large")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = dict(_parts(package))
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError, OSError):
        refuse("not_docx")
    types = parts.get("[Content_Types].xml")
    if types is None or "word/document.xml" not in parts:
        refuse("not_docx")
    trees = {name: _tree(name, data) for name, data in parts.items() if _is_xml(name)}
    _check_types(trees["[Content_Types].xml"])
    for name, tree in trees.items():
        _check_relations(name, tree) if name.endswith(".rels") else _check_tags(name, tree)
    return parts


def _is_xml(name: str) -> bool:
    return name.endswith((".xml", ".rels", ".vml", ".svg"))


def _parts(package: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    entries = package.infolist()
    if len(entries) > MOST_ENTRIES or len({entry.filename.lower() for entry in entries}) != len(entries):
        refuse("bomb")
    total = 0
    for entry in entries:
        name = entry.filename
        if _is_outside(name) or stat.S_ISLNK(entry.external_attr >> 16) or entry.flag_bits & 1:
            refuse("path", name)
        if _FORBIDDEN_NAMES.search("/" + name):
            refuse("code", name)
        if entry.is_dir():
            continue
        # The directory of an archive may lie about sizes: what counts is what comes out.
        with package.open(entry) as file:
            data = file.read(MOST_UNPACKED - total + 1)
        total += len(data)
        if total > MOST_UNPACKED or (len(data) > SMALL and len(data) > MOST_RATIO * max(1, entry.compress_size)):
            refuse("bomb", name)
        yield name, data


def _is_outside(name: str) -> bool:
    return (
        not name or "\\" in name or "\0" in name or ":" in name or name.startswith("/")
        or ".." in name.split("/") or posixpath.normpath(name) != name.rstrip("/")
    )  # fmt: skip


def _tree(name: str, data: bytes) -> Element:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        refuse("encoding", name)
    if "<!" in re.sub(r"<!--.*?-->|<!\[CDATA\[", "", text, flags=re.DOTALL):
        refuse("entity", name)
    declared = re.match(r"\s*<\?xml[^>]*encoding=[\"']([^\"']+)", text)
    if declared and declared.group(1).lower() not in ("utf-8", "utf8", "us-ascii"):
        refuse("encoding", name)
    if "<?" in text.lstrip("\ufeff").lstrip()[5:] and re.search(r"<\?(?!xml\s+version)", text):
        refuse("entity", name)
    try:
        tree: Element = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        refuse("xml", name)
    return tree


def _check_types(tree: Element) -> None:
    found = ""
    for node in tree:
        kind = node.get("ContentType", "")
        if re.search(r"macro|vba|activex|oleobject|template\.main|chunk", kind, re.IGNORECASE):
            refuse("code", kind)
        if node.get("PartName", "").lower() == "/word/document.xml":
            found = kind
    if found != MAIN:
        refuse("not_docx", found)


def _check_relations(name: str, tree: Element) -> None:
    for node in tree:
        target, kind = node.get("Target", ""), node.get("Type", "").rsplit("/relationships/", 1)[-1].lower()
        mode = node.get("TargetMode", "Internal")
        if mode != "Internal" or re.match(r"[a-z][a-z0-9+.-]*:|//|\\\\", target, re.IGNORECASE) or "\\" in target:
            refuse("external", target)
        if kind in _FORBIDDEN_RELATIONS or _FORBIDDEN_NAMES.search("/" + target):
            refuse("code", target or kind)
        folder = posixpath.dirname(posixpath.dirname(name))
        where = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        if where.startswith(".."):
            refuse("path", target)


def _check_tags(name: str, tree: Element) -> None:
    instruction: list[str] = []
    for node in tree.iter():
        tag = str(node.tag).rsplit("}", 1)[-1]
        if tag in _FORBIDDEN_TAGS:
            refuse("code", tag)
        if tag in _UNDRAWN_TAGS and name.startswith("word/"):
            refuse("undrawn", tag)
        if node.tag == f"{W}fldSimple":
            _check_field(node.get(f"{W}instr", ""))
        elif node.tag == f"{W}fldChar":
            if node.get(f"{W}fldCharType") in ("separate", "end") and instruction:
                _check_field("".join(instruction))
            instruction = []
        elif node.tag == f"{W}instrText":
            instruction.append(node.text or "")
    if instruction:
        _check_field("".join(instruction))


def _check_field(instruction: str) -> None:
    """Of Word's fields only page numbers pass: the others fetch, ask, include or start things."""
    if not _FIELDS.match(instruction):
        refuse("field", instruction.strip())
