"""Rows of a file that somebody hands in: CSV in any of the usual spellings, or XLSX, read one after another."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice

from services.errors import Refused

MOST_BYTES = 12 * 1024 * 1024
MOST_UNPACKED = 400 * 1024 * 1024
"""An XLSX that unpacks to more is a bomb, not a list of clients."""
MOST_COLUMNS = 100
LONGEST_CELL = 2000
_SNIFFED = 64 * 1024


def kind_of(content: bytes) -> str:
    """csv · xlsx; raises Refused(import.unreadable) for anything else."""
    if len(content) > MOST_BYTES:
        raise Refused("import.size", most=MOST_BYTES // 1024 // 1024)
    if content[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                size = sum(one.file_size for one in packed.infolist())
                if "xl/workbook.xml" not in packed.namelist() or size > MOST_UNPACKED:
                    raise Refused("import.unreadable")
        except zipfile.BadZipFile:
            raise Refused("import.unreadable") from None
        return "xlsx"
    if b"\x00" in content[:_SNIFFED] or not content.strip():
        raise Refused("import.unreadable")
    return "csv"


def read_rows(content: bytes, kind: str) -> Iterator[list[str]]:
    """Every row that has anything in it, the first is the heading; cells are texts, days as ISO 8601."""
    rows = _read_xlsx(content) if kind == "xlsx" else _read_csv(content)
    for row in rows:
        cells = [cell.strip()[:LONGEST_CELL] for cell in row[:MOST_COLUMNS]]
        if any(cells):
            yield cells


def count_rows(content: bytes, kind: str) -> int:
    """Rows below the heading."""
    return max(sum(1 for _ in read_rows(content, kind)) - 1, 0)


def first_rows(content: bytes, kind: str, count: int) -> list[list[str]]:
    """The heading and ``count`` rows below it; raises Refused when there are none."""
    rows = list(islice(read_rows(content, kind), count + 1))
    if len(rows) < 2:
        raise Refused("import.empty")
    return rows


def _read_csv(content: bytes) -> Iterator[list[str]]:
    encoding = "utf-8-sig"
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError:
        encoding = "cp1251"  # what a Russian Excel saves
    text = io.TextIOWrapper(io.BytesIO(content), encoding, errors="replace", newline="")
    heading = text.readline()
    text.seek(0)
    delimiter = max(";,\t", key=heading.count)
    try:
        yield from csv.reader(text, delimiter=delimiter)
    except csv.Error:
        raise Refused("import.unreadable") from None


def _read_xlsx(content: bytes) -> Iterator[list[str]]:
    # Its import takes a while that a start need not wait for.
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        rows = sheet.iter_rows(values_only=True)
    except Exception:
        # A broken workbook breaks openpyxl in as many ways as it has parts.
        raise Refused("import.unreadable") from None
    for row in rows:
        yield [_text(cell) for cell in row]


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
