"""Our PDF beside the one of LibreOffice: the same words on as many pages, fonts inside."""

import io
import os
import shutil
import subprocess
from pathlib import Path

import pypdfium2
import pytest

from services.documents.fields import DATE, GROUPS, MONEY, TABLES
from services.documents.rendering import make
from services.documents.starters.build import build

OFFICE = shutil.which("soffice")
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
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    text = " ".join(page.get_textpage().get_text_range() for page in document)
    # A word that is broken at the end of a line is one word all the same.
    return len(document), sorted("".join(text.split()))


@pytest.mark.parametrize("kind", ["contract_person", "termination", "invoice"])
def test_the_same_words_as_libreoffice_draws(tmp_path: Path, kind: str) -> None:
    if OFFICE is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no LibreOffice: .ci/run installs it")
        pytest.skip("NO LIBREOFFICE: the pictures are not compared on this machine")
    made = make(build(kind), complete())
    (tmp_path / "a.docx").write_bytes(made.docx)
    subprocess.run(
        [OFFICE, f"-env:UserInstallation=file://{tmp_path}/office", "--headless", "--convert-to", "pdf", "a.docx"],
        cwd=tmp_path, check=True, capture_output=True, timeout=110,
    )  # fmt: skip
    assert words_of(made.pdf) == words_of((tmp_path / "a.pdf").read_bytes())
    assert b"/FontFile" in made.pdf or b"/ObjStm" in made.pdf
