"""Makes a .docx of a starter text: a few marks at the beginning of a line say what it is."""

import io
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FONT = "Times New Roman"


def build(kind: str) -> bytes:
    """The starter template of ``kind`` as Word opens it.

    ``=`` title · ``==`` heading · ``>`` to the right · ``<>`` two ends of a line · ``||`` head of a table ·
    ``|%`` its repeated row · ``? field`` … ``/`` only where the field is known · ``##`` two columns.
    """
    from docx import Document
    from docx.shared import Cm, Pt

    document = Document()
    style = document.styles["Normal"]
    style.font.name, style.font.size = FONT, Pt(11)
    style.element.rPr.rFonts.set(
        "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}eastAsia", FONT
    )  # Word asks for it apart
    style.paragraph_format.space_after = Pt(4)
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin, section.right_margin = Cm(2.5), Cm(1.5)
    section.top_margin = section.bottom_margin = Cm(2)
    document.core_properties.title = ""
    page_number(section.footer.paragraphs[0])
    head: list[str] = []
    side: list[tuple[str, str]] = []
    for line in (HERE / f"{kind}.txt").read_text(encoding="utf-8").splitlines():
        mark, _, rest = line.partition(" ")
        if mark == "##":
            # A filter inside braces has a bar of its own.
            left, right = re.split(r"\|(?![^{]*\}\})", rest, maxsplit=1)
            side.append((left.strip(), right.strip()))
            continue
        if side:
            _columns(document, side)
            side = []
        if mark == "||":
            head = _cells(rest)
        elif mark == "|%":
            _table(document, head, rest)
        else:
            _line(document, mark, rest, line, is_long=kind.startswith("contract_"))
    if side:
        _columns(document, side)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _cells(text: str) -> list[str]:
    return [cell.strip() for cell in text.split("|")]


def _line(document: Any, mark: str, rest: str, line: str, *, is_long: bool) -> None:
    """Only a long text is set to both edges: a line of three words would be drawn apart."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    if mark == "<>":
        left, _, right = rest.partition(" | ")
        _columns(document, [(left, right)], is_right=True)
        return
    paragraph = document.add_paragraph()
    match mark:
        case "=":
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            paragraph.add_run(rest).bold = True
        case "==":
            paragraph.paragraph_format.space_before = Pt(8)
            paragraph.paragraph_format.keep_with_next = True
            paragraph.add_run(rest).bold = True
        case ">":
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            paragraph.add_run(rest)
        case "?":
            paragraph.add_run("{%p if " + rest + " %}")
        case "/":
            paragraph.add_run("{%p endif %}")
        case _:
            if is_long:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
            paragraph.add_run(line)


def _columns(document: Any, rows: list[tuple[str, str]], *, is_right: bool = False) -> None:
    """Texts side by side, in a table without lines: tabs stand otherwise in every program. Its rows are not parted
    by a page: nobody signs a sheet that holds nothing but the place for it."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.shared import Pt

    table = document.add_table(rows=len(rows), cols=2)
    for number, texts in enumerate(rows):
        table.rows[number]._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for column, text in enumerate(texts):
            table.cell(number, column).text = text
            for paragraph in table.cell(number, column).paragraphs:
                paragraph.paragraph_format.keep_with_next = number + 1 < len(rows)
    if is_right:
        table.cell(0, 1).paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    after = document.add_paragraph()
    after.paragraph_format.space_after = 0
    if not is_right:
        # The last one would begin a page of its own where the table fills the sheet.
        after.paragraph_format.line_spacing = Pt(1)
        after.add_run(" ").font.size = Pt(1)


SHARES = {"№": 1, "Кол-во": 2, "Наименование": 7, "Содержание": 6, "ФИО": 6, "Раздел": 7, "Расход": 5}
SHARE = 3
"""How wide a column is against the others, by its title; in all they take the width of the page."""
WIDTH = 17


def _table(document: Any, head: list[str], rest: str) -> None:
    from docx.shared import Cm

    name, _, cells = rest.partition(" : ")
    table = document.add_table(rows=4, cols=len(head))
    table.style, table.autofit = "Table Grid", False
    shares = [SHARES.get(title, SHARE) for title in head]
    for column, share in enumerate(shares):
        table.columns[column].width = Cm(WIDTH * share / sum(shares))  # ours reads this one, Word the cells'
        for cell in table.columns[column].cells:
            cell.width = Cm(WIDTH * share / sum(shares))
    for column, title in enumerate(head):
        run = table.cell(0, column).paragraphs[0].add_run(title)
        run.bold = True
    table.cell(1, 0).text = "{%tr for row in " + name.strip() + " %}"
    for column, cell in enumerate(cells.split(" | ")):
        table.cell(2, column).text = cell.strip()
    table.cell(3, 0).text = "{%tr endfor %}"
    document.add_paragraph().paragraph_format.space_after = 0


def page_number(paragraph: Any) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    # Without a result between «separate» and «end» the converter to PDF leaves the number out.
    for kind, text in (("begin", ""), ("", "PAGE"), ("separate", ""), ("result", "1"), ("end", "")):
        run = paragraph.add_run()
        if kind == "result":
            run.text = text
            continue
        node = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            node.set(qn("w:fldCharType"), kind)
        else:
            node.text = text
        run._r.append(node)
