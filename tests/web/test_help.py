"""«Справка»: the pages of docs/, opened at the screen's own, with nothing in them that runs."""

import re

import pytest
from markupsafe import escape

from collectors import CHANNELS
from web import help as pages
from web.help import DOCS, OF_SCREEN, ORDER
from web.navigation import MENU

NAMES = sorted(path.stem for path in (DOCS / "ru").glob("*.md"))


def test_every_page_of_the_order_is_there_and_no_other():
    assert sorted(ORDER) == NAMES


def test_every_screen_of_the_menu_has_a_page(app):
    there = {item.endpoint for item in MENU} & set(app.view_functions)
    assert {endpoint.split(".")[0] for endpoint in there} <= set(OF_SCREEN)
    assert set(OF_SCREEN.values()) <= set(NAMES)


@pytest.mark.parametrize(
    ("screen", "name"), [("outbox", "outbox"), ("department", "departments"), ("cases", "inbox")]
)
def test_the_mark_leads_to_the_page_of_the_screen(smm, screen, name):
    assert smm.get(f"/help?screen={screen}").location == f"/help/desk/{name}"


def test_the_header_names_its_screen(smm):
    assert 'href="/help?screen=outbox"' in smm.get("/outgoing").text


def test_without_a_screen_the_contents_come(smm):
    page = smm.get("/help?screen=nothing").text
    for name in NAMES:
        assert f'href="/help/desk/{name}"' in page


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_readable_and_its_links_lead_somewhere(enter, name):
    curator = enter("curator")
    page = curator.get(f"/help/desk/{name}")
    assert page.status_code == 200
    title = re.match(r"# (.+)", (DOCS / "ru" / f"{name}.md").read_text(encoding="utf-8"))
    assert title is not None
    assert f"<h1>{escape(title[1])}</h1>" in page.text
    for section, other in re.findall(r'href="/help/(desk|places)/([\w-]+)"', page.text):
        assert other in (NAMES if section == "desk" else CHANNELS), other
    assert ".md" not in page.text


def test_pages_of_places_are_in_it(smm):
    for path in (DOCS / "channels").glob("*.md"):
        assert smm.get(f"/help/places/{path.stem}").status_code == 200


@pytest.mark.parametrize(
    "address",
    ["/help/desk/..", "/help/desk/nothing", "/help/desk/..%2Fadr%2FREADME", "/help/dev/config",
     "/help/pictures/..%2Fru%2Finbox.md"],
)  # fmt: skip
def test_nothing_else_can_be_read(smm, address):
    assert smm.get(address).status_code == 404


def test_what_is_written_cannot_run(app, smm, tmp_path, monkeypatch):
    (tmp_path / "evil.md").write_text(
        "# Злая <script>alert(1)</script>\n\n<img src=x onerror=alert(2)>\n\n[нажми](javascript:alert(3)) "
        "[рядом](inbox.md#начало) [наружу](https://example.ru/) ![снимок](https://example.ru/x.png)",
        encoding="utf-8",
    )
    monkeypatch.setitem(pages.FOLDERS, "desk", tmp_path)
    page = smm.get("/help/desk/evil").text
    body = page.partition('<article class="prose"')[2].partition("</article>")[0]
    assert "<script" not in body
    assert "<img" not in body
    assert 'href="javascript' not in body
    assert 'href="/help/desk/inbox#' in body
    assert 'href="https://example.ru/" target="_blank" rel="noopener noreferrer"' in body
    assert "снимок" in body


def test_a_stranger_reads_nothing(visitor):
    assert "/login" in visitor.get("/help").location
