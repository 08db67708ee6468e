"""The page libraries: what was copied is what the lock names, and every icon that is drawn is in the sprite."""

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "web" / "static" / "vendor"


@pytest.fixture(scope="module")
def told():
    return json.loads((VENDOR / "vendor.json").read_text(encoding="utf-8"))


def test_the_files_are_the_ones_that_were_written_down(told):
    for item in told["files"]:
        assert hashlib.sha256((VENDOR / item["file"]).read_bytes()).hexdigest() == item["sha256"], item["file"]


def test_versions_and_licences_are_those_of_the_lock(told):
    lock = json.loads((ROOT / "assets" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for item in told["files"]:
        entry = lock[f"node_modules/{item['package']}"]
        assert (item["version"], item["licence"]) == (entry["version"], entry["license"])
        assert item["licence"] in {"MIT", "OFL-1.1", "0BSD", "BSD-0-Clause", "Apache-2.0"}


def test_every_icon_that_a_template_draws_is_there():
    sprite = set(re.findall(r'<symbol id="([^"]+)"', (VENDOR / "icons.svg").read_text(encoding="utf-8")))
    drawn = set()
    for path in (ROOT / "web" / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        drawn |= set(re.findall(r'ui\.icon\("([^"]+)"', text))
        drawn |= set(re.findall(r'ui\.empty\("([^"]+)"', text))
        drawn |= set(re.findall(r'icon_name="([^"]+)"', text))
    for path in (ROOT / "web").glob("*.py"):
        drawn |= set(re.findall(r'View\(_l\("[^"]+"\), "([^"]+)"', path.read_text(encoding="utf-8")))
        drawn |= set(re.findall(r'Item\("[^"]+", _l\("[^"]+"\), "([^"]+)"', path.read_text(encoding="utf-8")))
    assert drawn
    assert drawn <= sprite


def test_every_class_of_tabler_that_a_template_uses_is_kept():
    names = (VENDOR / "tabler-classes.txt").read_text(encoding="utf-8").split()
    kept = (ROOT / "assets" / "tabler.txt").read_text(encoding="utf-8").splitlines()
    used: set[str] = set()
    for path in (ROOT / "web" / "templates").rglob("*.html"):
        for said in re.findall(r'class_?="([^"]*)"', path.read_text(encoding="utf-8")):
            used |= set(re.findall(r"[\w-]+", said))
    assert len(names) > 1000
    used -= {"css"}  # the ending of a file
    assert used & set(names)
    assert used & set(names) <= set(kept), "write it into assets/tabler.txt"


def test_the_style_sheet_of_tabler_is_only_what_is_used():
    text = (VENDOR / "tabler.min.css").read_text(encoding="utf-8")
    assert ".btn-danger" in text
    assert ".carousel" not in text
    assert len(text) < 60_000


def test_styles_and_scripts_ask_nobody_else():
    for path in [*(ROOT / "web/static/css").glob("*.css"), *(ROOT / "web/static/js").glob("*.js")]:
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r"https?://(?!www\.w3\.org)", text), path.name
