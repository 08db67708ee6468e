"""Cards into a file: with a reason, a confirmation above fifty, a watermark and a line in the log."""

import csv
import io
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, insert, select
from sqlalchemy.orm import Session, undefer

from models import Client, ClientExport, Event, Staff, Study, utc_now
from models.database import Database
from services.crm.clients import reach
from services.crm.segments import SEGMENTS
from services.errors import NotFound, Refused
from services.events import record
from services.export import FORMULA_STARTS
from services.rights import Actor, actor_of, require

CONFIRM_OVER = 50
"""More cards than this leave only when the head has agreed (domain.md §1)."""
KEPT = timedelta(hours=24)
PIECE = 500
KINDS = ("xlsx", "csv")
COLUMNS = (
    "number",
    "kind",
    "name",
    "phones",
    "mails",
    "segment",
    "course",
    "group",
    "access_until",
    "note",
    "origin",
)


def list_exports(session: Session, actor: Actor) -> list[tuple[ClientExport, str]]:
    """All of the last ones, with who asked: the log of exports."""
    require(actor, "client.export")
    query = select(ClientExport, Staff.name).join(Staff, Staff.id == ClientExport.staff_id)
    return [(row, name) for row, name in session.execute(query.order_by(ClientExport.id.desc()).limit(100))]


def get_export(session: Session, actor: Actor, export_id: int, *, hold: bool = False) -> ClientExport:
    require(actor, "client.export")
    row = session.get(ClientExport, export_id, with_for_update=hold)
    if row is None:
        raise NotFound("export.unknown", id=export_id)
    return row


def ask_export(session: Session, actor: Actor, reason: str, wanted: Mapping[str, Any], kind: str) -> ClientExport:
    """Wants the cards of a segment (or all living ones) as a file; nothing leaves without a reason."""
    require(actor, "client.export")
    if len(reason.strip()) < 5:
        raise Refused("export.reason")
    kept = {"segment": wanted.get("segment")} if wanted.get("segment") in SEGMENTS else {}
    count = session.scalar(select(func.count()).select_from(_chosen(kept).subquery())) or 0
    if not count:
        raise Refused("export.empty")
    row = ClientExport(
        staff_id=actor.staff_id, reason=reason.strip()[:500], wanted=kept, count=count,
        kind=kind if kind in KINDS else KINDS[0], state="waiting" if count > CONFIRM_OVER else "allowed",
        mark=f"OTK-{secrets.token_hex(5).upper()}",
    )  # fmt: skip
    session.add(row)
    session.flush()
    record(session, "export.asked", actor, object_id=row.id, count=count, mark=row.mark)
    return row


def decide_export(session: Session, actor: Actor, export_id: int, *, allow: bool) -> ClientExport:
    """The head agrees or refuses."""
    require(actor, "client.export.allow")
    row = get_export(session, actor, export_id, hold=True)
    if row.state != "waiting":
        raise Refused("export.state")
    row.state, row.decided_by = "allowed" if allow else "refused", actor.staff_id
    record(session, f"export.{row.state}", actor, object_id=row.id, mark=row.mark)
    return row


def take_export(session: Session, actor: Actor, export_id: int) -> tuple[ClientExport, bytes]:
    """The file, for whoever asked for it; each taking is written down."""
    require(actor, "client.export")
    query = select(ClientExport).where(ClientExport.id == export_id).options(undefer(ClientExport.content))
    row = session.scalar(query)
    if row is None or row.staff_id != actor.staff_id:
        raise NotFound("export.unknown", id=export_id)
    if row.state != "ready" or row.content is None or row.expires_at is None or row.expires_at <= utc_now():
        raise Refused("export.state")
    record(session, "export.taken", actor, object_id=row.id, mark=row.mark, count=row.count)
    return row, row.content


def run_exports(database: Database) -> int:
    """Makes the files that were allowed and drops those whose day is over; returns how many were made."""
    made = 0
    with database.write.begin() as session:
        gone = select(ClientExport).where(ClientExport.expires_at <= utc_now(), ClientExport.state == "ready")
        for row in session.scalars(gone):
            row.content, row.state = None, "gone"
    while True:
        with database.read.begin() as session:
            export_id = session.scalar(select(ClientExport.id).where(ClientExport.state == "allowed").limit(1))
        if export_id is None:
            return made
        _make(database, export_id)
        made += 1


def _chosen(wanted: Mapping[str, Any]) -> Select[Any]:
    query = select(Client.id).where(Client.state == "live", Client.blocked_at.is_(None))
    return query.where(Client.segment == wanted["segment"]) if wanted.get("segment") else query


def _make(database: Database, export_id: int) -> None:
    with database.read.begin() as session:
        row = session.get_one(ClientExport, export_id)
        staff = session.get_one(Staff, row.staff_id)
        at = utc_now()
        mark = f"{row.mark} · {staff.name} · {at:%Y-%m-%d %H:%M} UTC · {row.reason}"
        ids: list[int] = []
        lines = _lines(session, row.wanted, ids)
        content = _xlsx(mark, lines) if row.kind == "xlsx" else _csv(mark, lines)
    with database.write.begin() as session:
        row = session.get_one(ClientExport, export_id, with_for_update=True)
        row.content, row.state, row.count = content, "ready", len(ids)
        row.ready_at, row.expires_at = at, at + KEPT
        made = {"at": at, "kind": "client.exported", "staff_id": row.staff_id, "case_id": None, "object_id": row.id}
        for start in range(0, len(ids), PIECE):
            events = [{**made, "client_id": one, "data": {"mark": row.mark}} for one in ids[start : start + PIECE]]
            session.execute(insert(Event), events)
        record(session, "export.ready", actor_of(staff), object_id=row.id, count=len(ids), mark=row.mark)


def _lines(session: Session, wanted: Mapping[str, Any], ids: list[int]) -> Iterator[list[str]]:
    """Rows of the file; ``ids`` gathers which cards went into it."""
    last = 0
    while True:
        wave = _chosen(wanted).where(Client.id > last).order_by(Client.id).limit(PIECE)
        numbers = list(session.scalars(wave))
        found = list(session.scalars(select(Client).where(Client.id.in_(numbers)).order_by(Client.id)))
        if not found:
            return
        newest: dict[int, Study] = {}
        query = select(Study).where(Study.client_id.in_([one.id for one in found])).order_by(Study.id)
        for study in session.scalars(query):
            newest[study.client_id] = study
        for one in reach(session, found):
            client, course = one.client, newest.get(one.client.id)
            ids.append(client.id)
            yield [
                str(client.id), client.kind, client.name,
                ", ".join(row.value for row in one.contacts if row.kind == "phone"),
                ", ".join(row.value for row in one.contacts if row.kind == "mail"), client.segment,
                course.course if course else "", course.group_name if course else "",
                course.access_until.isoformat() if course and course.access_until else "", client.note,
                client.origin,
            ]  # fmt: skip
        last = found[-1].id
        session.expunge_all()


def _csv(mark: str, lines: Iterator[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";")
    writer.writerow([mark])
    writer.writerow(COLUMNS)
    for line in lines:
        # A phone begins with a plus, which a spreadsheet takes for a formula (reliability §4).
        writer.writerow([f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell for cell in line])
    writer.writerow([mark])
    return out.getvalue().encode("utf-8-sig")


def _xlsx(mark: str, lines: Iterator[list[str]]) -> bytes:
    from xlsxwriter import Workbook

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/clients.xlsx"
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with Workbook(path, {**options, "tmpdir": folder}) as book:
            book.set_properties({"title": mark, "comments": mark})
            sheet = book.add_worksheet()
            sheet.set_header(f"&L{mark[:200]}")
            sheet.set_footer(f"&L{mark[:200]}")
            sheet.write_string(0, 0, mark)
            for at, line in enumerate(_with_heading(lines), 1):
                for column, cell in enumerate(line):
                    sheet.write_string(at, column, cell)
            sheet.freeze_panes(2, 0)
        with open(path, "rb") as file:
            return file.read()


def _with_heading(lines: Iterator[list[str]]) -> Iterator[list[str]]:
    yield list(COLUMNS)
    yield from lines
