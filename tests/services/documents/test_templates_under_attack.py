"""Fifty and more hostile templates through the real child: each refused, nothing executed, little spent."""

import resource
from pathlib import Path

import pytest

from services.documents.placeholders import read_template
from services.documents.rendering import make, read_fields
from services.errors import Refused
from tests.services.documents.attacks import ATTACKS, MARKER, plain, rebuilt


def test_there_are_fifty() -> None:
    assert len(ATTACKS) >= 50


@pytest.mark.parametrize("name", ATTACKS)
def test_a_hostile_template_is_refused_and_costs_little(name) -> None:
    content = ATTACKS[name]()
    Path(MARKER).unlink(missing_ok=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with pytest.raises(Refused) as refused:
        read_fields(content)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert refused.value.code.startswith("template.")
    assert refused.value.code not in ("template.broken", "template.large"), "refused by luck, not by a rule"
    assert after.ru_utime - before.ru_utime <= 5.5
    assert not Path(MARKER).exists()


def test_a_hostile_template_that_was_stored_is_refused_when_it_is_filled() -> None:
    with pytest.raises(Refused):
        make(ATTACKS["globals of cycler"](), {"contract": {"no": "1"}})
    assert not Path(MARKER).exists()


def test_the_child_has_little_memory_and_little_time() -> None:
    import subprocess
    import sys

    from services.documents.rendering import CHILD

    path = f"import sys; sys.path.insert(0, {str(CHILD.parents[2])!r}); "
    code = path + "from services.documents.child import limit; limit(); "
    greedy = subprocess.run([sys.executable, "-c", code + "a = b'x' * 600 * 2**20"], capture_output=True)
    assert b"MemoryError" in greedy.stderr
    busy = subprocess.run([sys.executable, "-c", code + "\nwhile True: pass"], capture_output=True, timeout=60)
    assert busy.returncode < 0


def test_a_value_is_never_a_placeholder_and_never_markup() -> None:
    made = make(plain("{{ contract.no }}"), {"contract": {"no": "{{ cycler }} <w:p/> & \x00\x08"}})
    assert made.pdf.startswith(b"%PDF")
    from io import BytesIO

    from docx import Document

    assert "(( cycler )) <w:p/> &" in Document(BytesIO(made.docx)).paragraphs[0].text


def test_an_honest_template_passes() -> None:
    assert read_template(plain("{{ contract.no }} {{ client.full|gen }}")) == [
        ["field", "contract", "no", ""], ["field", "client", "full", "gen"],
    ]  # fmt: skip
    assert read_template(rebuilt(lambda parts: parts.update({"word/media/note.xml": b"<a/>"})))
