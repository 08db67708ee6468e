"""Our PDF beside the one of LibreOffice, every kind: the same words on as many pages, pictures that lie alike."""

import io
import itertools
import os
import shutil
import struct
import subprocess
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pytest

from services.documents.fields import DATE, GROUPS, MONEY, TABLES
from services.documents.kinds import KINDS
from services.documents.rendering import make
from services.documents.starters.build import build

OFFICE = shutil.which("soffice")
SQUARE, MOST_APART = 12, 0.05
WORDS = {
    "date": "2026-11-26",
    "money": 4_800_050,
    "name": "Соколова Вера Игоревна",
    "word": "директор",
    "text": "слово",
}


def complete() -> dict:
    """Every field and two rows in every table."""
    values = {group: {name: WORDS[kind] for name, kind in kinds.items()} for group, kinds in GROUPS.items()}
    for table, kinds in TABLES.items():
        group, name = table.split(".")
        values[group][name] = [{field: WORDS[kind] for field, kind in kinds.items()}] * 2
    assert DATE in WORDS
    assert MONEY in WORDS
    return values


def words_of(pdf: bytes) -> tuple[int, list[str]]:
    with closing(pypdfium2.PdfDocument(io.BytesIO(pdf))) as document:
        text = " ".join(page.get_textpage().get_text_range() for page in document)
        # A word that is broken at the end of a line is one word all the same.
        return len(document), sorted("".join(text.split()))


def pictures_of(pdf: bytes) -> list[Any]:
    """Each page in shades of grey, a point a pixel."""
    with closing(pypdfium2.PdfDocument(io.BytesIO(pdf))) as document:
        return [page.render(grayscale=True).to_numpy().copy() for page in document]


def apart(ours: Any, theirs: Any) -> float:
    """How far two pictures are from one another: the share of squares of 12 points that have ink in one alone, with
    nothing of it beside them in the other (LibreOffice hangs a table's margin out of the text, ours does not)."""
    inked = [_squares(page < 128) for page in (ours, theirs)]
    wide = [_spread(one) for one in inked]
    lonely = (inked[0] & ~wide[1]).sum() + (inked[1] & ~wide[0]).sum()
    return float(lonely / max(1, inked[0].sum() + inked[1].sum()))


def _squares(ink: Any) -> Any:
    height, width = (side // SQUARE * SQUARE for side in ink.shape)
    return ink[:height, :width].reshape(height // SQUARE, SQUARE, width // SQUARE, SQUARE).any(axis=(1, 3))


def _spread(squares: Any) -> Any:
    found = squares.copy()
    for axis, step in itertools.product((0, 1), (-1, 1)):
        found |= np.roll(squares, step, axis)
    return found


def lay_side_by_side(path: Path, ours: list[Any], theirs: list[Any]) -> None:
    """The pairs as one PNG, ours on the left: for people to look at."""
    rows = [np.hstack(pair) for pair in zip(ours, theirs, strict=True)]
    picture = np.vstack(rows)
    lines = b"".join(b"\0" + line.tobytes() for line in np.ascontiguousarray(picture))

    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", picture.shape[1], picture.shape[0], 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(lines)) + part(b"IEND", b"")
    )


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, bytes]]:
    """Kind → our PDF and LibreOffice's, of the same .docx; all of them at one start of the office."""
    if OFFICE is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no LibreOffice: .ci/run installs it")
        pytest.skip("NO LIBREOFFICE: the pictures are not compared on this machine")
    folder, ours = tmp_path_factory.mktemp("pairs"), {}
    for kind in KINDS:
        made = make(build(kind), complete())
        (folder / f"{kind}.docx").write_bytes(made.docx)
        ours[kind] = made.pdf
    subprocess.run(
        [OFFICE, f"-env:UserInstallation=file://{folder}/office", "--headless", "--convert-to", "pdf",
         *(f"{kind}.docx" for kind in KINDS)],
        cwd=folder, check=True, capture_output=True, timeout=280,
    )  # fmt: skip
    return {kind: (ours[kind], (folder / f"{kind}.pdf").read_bytes()) for kind in KINDS}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn_as_libreoffice_draws_it(drawn, tmp_path: Path, kind: str) -> None:
    """The same words on as many pages, ink in the same places, fonts inside."""
    ours, theirs = drawn[kind]
    assert words_of(ours) == words_of(theirs)
    assert b"/FontFile" in ours or b"/ObjStm" in ours
    left, right = pictures_of(ours), pictures_of(theirs)
    folder = Path(os.environ.get("OTKLIK_PICTURES") or tmp_path)
    lay_side_by_side(folder / f"document-{kind}.png", left, right)
    far = max(apart(*pair) for pair in zip(left, right, strict=True))
    assert far < MOST_APART
