"""The matrix of screens is written down twice, so that a row that was loosened by mistake is noticed."""

from pathlib import Path

import yaml

from web.matrix import MATRIX

TABLE = Path(__file__).resolve().parent.parent / "data" / "screens.yaml"


def test_screens_ask_for_the_rights_that_are_written_down():
    written = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    told = {endpoint: need for need, names in written.items() for endpoint in names.split()}
    assert {name: (need, told.get(name)) for name, need in MATRIX.items() if told.get(name) != need} == {}
    assert set(told) == set(MATRIX)
