"""The report on paper: a Word document of the page's figures and lists, drawn as a PDF."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from models import Broadcast, BroadcastCheck, BroadcastIncident
from services.broadcasts.figures import Asked, Figures
from services.documents.rendering import draw_pdf
from web import broadcast_words as said
from web.dates import exact
from web.language import _

MOST_LINES = 300


def draw_report(
    row: Broadcast, figures: Figures, asked: Sequence[Asked], incidents: Sequence[BroadcastIncident],
    checks: Mapping[str, BroadcastCheck], people: Mapping[int, str],
) -> bytes:  # fmt: skip
    """The PDF; raises Refused where it cannot be drawn."""
    # The maker of Word documents takes half a second that the first page need not wait for.
    from docx import Document
    from docx.shared import Pt

    paper = Document()
    paper.styles["Normal"].font.size = Pt(10.5)
    paper.add_heading(_("Report on a broadcast"), 1)
    paper.add_paragraph(row.title).runs[0].bold = True
    lines = [f"{said.KINDS[row.kind]} · {exact(row.started_at or row.starts_at)} · {said.lasted(figures.seconds)}"]
    if row.speaker:
        lines.append(_("Speaker: %(name)s", name=row.speaker))
    lines.append(_("Watched by: %(name)s", name=people.get(row.staff_id or 0, "—")))
    if row.reported_at is not None:
        name = people.get(row.reported_by or 0, "—")
        lines.append(_("Handed in %(time)s by %(name)s", time=exact(row.reported_at), name=name))
    paper.add_paragraph("\n".join(lines))
    told = asdict(figures)
    _table(
        paper,
        [(str(title), "—" if told[code] is None else str(told[code])) for code, title in said.FIGURES.items()],
    )
    if row.note:
        paper.add_paragraph(row.note)
    paper.add_heading(_("Check-list: %(passed)s of %(all)s", passed=figures.checks, all=figures.of_checks), 2)
    marks = {code: checks[code].passed for code in said.CHECKS if code in checks}
    _table(paper, [(str(title), _mark(marks.get(code))) for code, title in said.CHECKS.items()])
    if incidents:
        paper.add_heading(_("Incidents"), 2)
        _table(paper, [
            (
                f"{said.clock(one.second)} {said.TROUBLES[one.kind]}",
                f"{one.count} · {said.INCIDENTS[one.state]} {one.cause}",
            )
            for one in incidents
        ])  # fmt: skip
    paper.add_heading(_("Questions"), 2)
    _table(paper, [
        (f"{said.clock(one.question.second)} {one.author}: {one.text}"[:400], _end(one))
        for one in asked[:MOST_LINES]
    ])  # fmt: skip
    out = io.BytesIO()
    paper.save(out)
    return draw_pdf(out.getvalue())


def _mark(passed: bool | None) -> str:
    return "—" if passed is None else _("yes") if passed else _("no")


def _end(one: Asked) -> str:
    text = str(said.ENDS[one.question.state])
    if one.question.spoken_at is not None:
        text += f" {said.clock(one.question.spoken_at)}"
    if one.question.reason:
        text += f": {said.REASONS[one.question.reason]}"
    return f"{text}, {one.staff}" if one.staff else text


def _table(paper: object, rows: Sequence[tuple[str, str]]) -> None:
    if not rows:
        return
    table = paper.add_table(rows=0, cols=2)  # type: ignore[attr-defined]
    table.style = "Light Grid Accent 1"
    for left, right in rows:
        cells = table.add_row().cells
        cells[0].text, cells[1].text = left, right
