"""A sheet of text, tables and bars as a .docx: what the desk prints of its own, made inside the limited child.

Tables are written as the XML that Word keeps: building them cell by cell costs more than the child may spend.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

FONT = "Arial"
WIDTH, LANDSCAPE = 9900, 14850
"""Twentieths of a point between the margins of A4, upright and on its side."""
STEPS = 44
"""A bar is so many narrow columns, some of them filled: every program that shows tables shows it alike."""
SMALL = 6.5
"""Points of a text in small print."""
INK, FAINT = "0B6E62", "E6E5DE"
_SPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def compose(sheet: Mapping[str, Any]) -> bytes:
    """``sheet``: title, under it ``words``, and ``blocks`` of kinds heading · text · quote · table · bars;
    ``landscape``: on its side, for wide tables; ``compact``: in small print, for what is to be one page."""
    from docx import Document
    from docx.shared import Cm, Pt

    from services.documents.starters.build import page_number

    document = Document()
    style = document.styles["Normal"]
    tight = sheet.get("compact", False)
    style.font.name, style.font.size = FONT, Pt(SMALL if tight else 9.5)
    style.paragraph_format.space_after = Pt(0 if tight else 3)
    section = document.sections[0]
    lies = sheet.get("landscape", False)
    section.page_width, section.page_height = (Cm(29.7), Cm(21)) if lies else (Cm(21), Cm(29.7))
    if lies:
        from docx.enum.section import WD_ORIENT

        section.orientation = WD_ORIENT.LANDSCAPE
    section.left_margin = section.right_margin = Cm(1.75)
    section.top_margin = section.bottom_margin = Cm(1.1 if tight else 1.5)
    document.core_properties.title = sheet["title"]
    page_number(section.footer.paragraphs[0])
    _say(document, sheet["title"], size=16, bold=True)
    if sheet.get("words"):
        _say(document, sheet["words"], quiet=True, size=8 if tight else 9.5)
    for block in sheet["blocks"]:
        _BLOCKS[block["kind"]](document, {**block, "width": LANDSCAPE if lies else WIDTH, "tight": tight})
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _say(document: Any, text: str, *, size: float = 9.5, bold: bool = False, quiet: bool = False) -> Any:
    from docx.shared import Pt, RGBColor

    paragraph = document.add_paragraph()
    for number, line in enumerate(text.split("\n")):
        run = paragraph.add_run(line)
        run.bold, run.font.size = bold, Pt(size)
        if quiet:
            run.font.color.rgb = RGBColor(0x5F, 0x65, 0x61)
        if number < text.count("\n"):
            run.add_break()
    return paragraph


def _heading(document: Any, block: Mapping[str, Any]) -> None:
    from docx.shared import Pt

    tight = block.get("tight", False)
    paragraph = _say(document, block["text"], size=9 if tight else 11.5, bold=True)
    paragraph.paragraph_format.space_before = Pt(1 if tight else 9)
    paragraph.paragraph_format.keep_with_next = True


def _text(document: Any, block: Mapping[str, Any]) -> None:
    _say(document, block["text"], quiet=block.get("quiet", False), size=SMALL if block.get("tight") else 9.5)


def _quote(document: Any, block: Mapping[str, Any]) -> None:
    """Somebody's words, with who and when above them."""
    from docx.shared import Cm

    above = _say(document, block["by"], bold=True, size=9)
    above.paragraph_format.keep_with_next = True
    for text, quiet in ((block["text"], False), (block.get("note", ""), True)):
        if text:
            _say(document, text, quiet=quiet).paragraph_format.left_indent = Cm(0.6)


def _table(document: Any, block: Mapping[str, Any]) -> None:
    """``head`` (empty: none, then ``wide`` is given), ``rows`` of texts, ``wide``: parts of the width; all but the
    first column stand to the right where ``figures`` is set."""
    wide = block.get("wide") or [1] * len(block["head"])
    widths = [block["width"] * part // sum(wide) for part in wide]
    tight = block.get("tight", False)
    figures, last = block.get("figures", False), len(block["rows"]) - 1 if block.get("total") else None

    def cells(row: Sequence[str], *, bold: bool, fill: str = "") -> list[str]:
        return [
            _cell(text, width, bold=bold, right=figures and number > 0, fill=fill, tight=tight)
            for number, (text, width) in enumerate(zip(row, widths, strict=True))
        ]

    head = [_row(cells(block["head"], bold=True, fill=FAINT), head=True)] if block["head"] else []
    rows = [_row(cells(row, bold=number == last)) for number, row in enumerate(block["rows"])]
    _put(document, widths, [*head, *rows], lines=True, tight=tight)


def _bars(document: Any, block: Mapping[str, Any]) -> None:
    """``rows``: name, part of the longest (0 to 1), words, and optionally a colour (RRGGBB)."""
    step, tight = WIDTH * 60 // 100 // STEPS, block.get("tight", False)
    widths = [WIDTH * 27 // 100, *[step] * STEPS, WIDTH * 13 // 100]
    rows = []
    for name, part, words, *tone in block["rows"]:
        full = max(1 if part > 0 else 0, min(STEPS, round(part * STEPS)))
        bar = [_cell("", step * number, fill=fill, span=number, tight=tight) for number, fill in
               ((full, tone[0] if tone else INK), (STEPS - full, "")) if number]  # fmt: skip
        rows.append(
            _row(
                [
                    _cell(name, widths[0], small=True, tight=tight),
                    *bar,
                    _cell(words, widths[-1], small=True, tight=tight),
                ],
                gap=True,
            )
        )
    _put(document, widths, rows, lines=False, tight=tight)


def _cell(
    text: str, width: int, *, bold: bool = False, right: bool = False, fill: str = "", span: int = 1,
    small: bool = False, tight: bool = False,
) -> str:  # fmt: skip
    lines = "<w:br/>".join(f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in text.split("\n"))
    size, around = ((12, 0) if small else (15, 4)) if tight else (16 if small else 17, 20)
    run = f'<w:rPr>{"<w:b/>" if bold else ""}<w:sz w:val="{size}"/></w:rPr>{lines}'
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>'
        + (f'<w:gridSpan w:val="{span}"/>' if span > 1 else "")
        + (f'<w:shd w:val="clear" w:color="auto" w:fill="{fill}"/>' if fill else "")
        + f'<w:vAlign w:val="center"/></w:tcPr><w:p><w:pPr><w:spacing w:before="{around}" w:after="{around}"/>'
        + ('<w:jc w:val="right"/>' if right else "")
        + f"</w:pPr><w:r>{run}</w:r></w:p></w:tc>"
    )


def _row(cells: Sequence[str], *, head: bool = False, gap: bool = False) -> str:
    told = f"<w:cantSplit/>{'<w:tblHeader/>' if head else ''}"
    return f"<w:tr><w:trPr>{told}</w:trPr>{''.join(cells)}</w:tr>" + (_gap() if gap else "")


def _gap() -> str:
    """Between two bars: a row as thin as Word allows."""
    return (
        f'<w:tr><w:trPr><w:trHeight w:val="60" w:hRule="exact"/></w:trPr><w:tc><w:tcPr><w:tcW w:w="{WIDTH}" '
        f'w:type="dxa"/><w:gridSpan w:val="{STEPS + 2}"/></w:tcPr><w:p><w:pPr><w:spacing w:before="0" w:after="0" '
        'w:line="40" w:lineRule="exact"/></w:pPr></w:p></w:tc></w:tr>'
    )


def _put(document: Any, widths: Sequence[int], rows: Sequence[str], *, lines: bool, tight: bool = False) -> None:
    from docx.oxml import parse_xml
    from docx.shared import Pt

    border = '<w:{} w:val="single" w:sz="4" w:space="0" w:color="C9C8BF"/>'
    borders = "".join(border.format(side) for side in ("top", "bottom", "insideH")) if lines else ""
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    table = parse_xml(
        f'<w:tbl {_SPACE}><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblBorders>{borders}</w:tblBorders>'
        f'<w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{"".join(rows)}</w:tbl>'
    )
    after = document.add_paragraph()
    after.paragraph_format.space_after = 0
    if tight:
        after.paragraph_format.line_spacing = Pt(4)
    after._p.addprevious(table)


_BLOCKS = {"heading": _heading, "text": _text, "quote": _quote, "table": _table, "bars": _bars}
