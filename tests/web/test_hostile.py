"""Words from outside are text on every screen: never markup, never an address that does more than open a page."""

import html
from html.parser import HTMLParser

import pytest
from sqlalchemy import select

from collectors.base import Attachment, Publication
from models import Case
from web.marks import safe_link

EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*191}}"


class Tags(HTMLParser):
    """Which elements and attributes a page really has."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts, self.images, self.handlers, self.links = 0, 0, [], []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.scripts += tag == "script" and not (values.get("src") or "").startswith("/static/")
        self.images += tag == "img"
        self.handlers += [name for name in values if name.startswith("on")]
        if tag == "a":
            self.links.append(values.get("href") or "")


def look(page):
    tags = Tags()
    tags.feed(page)
    return tags


@pytest.fixture
def hostile_case(cast, label_all, database):
    first = cast.write(
        f"Когда вебинар? {EVIL}",
        EVIL,
        publication=Publication("17", "article", EVIL, url="javascript:alert(3)", text=EVIL),
        url="javascript:alert(4)",
        attachments=(Attachment("document", EVIL, "javascript:alert(5)"),),
    )
    cast.write(f"Спасибо! {EVIL}", EVIL + "2", parent_external_id=first.external_id, thread=first.external_id)
    cast.write(f"Спасибо! {EVIL}", EVIL + "3", container="18", publication=None)
    label_all()
    with database.read.begin() as session:
        return session.scalars(select(Case.id)).one()


@pytest.mark.parametrize("address", ["/inbox", "/inbox/{id}", "/rest", "/inbox/refresh?ids={id}&top="])
def test_nothing_of_it_becomes_markup(smm, hostile_case, address):
    page = smm.get(address.format(id=hostile_case), htmx="refresh" in address).text
    tags = look(page)
    assert (tags.scripts, tags.images, tags.handlers) == (0, 0, [])
    assert not [link for link in tags.links if not link.startswith(("/", "#", "http://", "https://"))]
    assert "alert(1)" in html.unescape(page)  # it is shown, as text
    assert "1337" not in page


def test_what_staff_write_is_text_too(smm, hostile_case, cast, enter):
    smm.post(f"/inbox/{hostile_case}/note", text=EVIL, form_key="n")
    smm.post(f"/inbox/{hostile_case}/draft", text="</textarea>" + EVIL)
    smm.post(f"/inbox/{hostile_case}/route", department_id=str(cast.departments["curators"]), question=EVIL,
             form_key="r")  # fmt: skip
    tags = look(smm.get(f"/inbox/{hostile_case}").text)
    assert (tags.scripts, tags.images, tags.handlers) == (0, 0, [])


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", "/inbox", "vbscript:x", "http://", "ftp://a/b",
     " javascript:alert(1)", "http://[", "", None],
)  # fmt: skip
def test_only_pages_are_linked(address):
    assert safe_link(address) is None


def test_a_page_is_linked():
    assert safe_link("https://vk.com/wall-1_2?reply=3") == "https://vk.com/wall-1_2?reply=3"


HUGE = "9" * 30


@pytest.mark.parametrize(
    "address",
    [f"/inbox/{HUGE}", f"/rest?before={HUGE}", f"/inbox?open={HUGE}&author={HUGE}", f"/inbox/rows?after=1.0:{HUGE}",
     f"/inbox/rows?after={HUGE}:1", f"/inbox/refresh?ids={HUGE}&top=1.0:{HUGE}", f"/help?n={HUGE}"],
)  # fmt: skip
def test_a_number_that_no_row_can_have_is_not_an_error_of_ours(smm, hostile_case, address):
    assert smm.get(address).status_code < 500


def test_nor_is_one_in_a_form(smm, hostile_case):
    at = f"/inbox/{hostile_case}"
    fields = {"text": "В среду.", "question": "Когда?", "form_key": "f", "version": HUGE, "message_id": HUGE,
              "route_id": HUGE, "staff_id": HUGE, "department_id": HUGE, "message": HUGE}  # fmt: skip
    for name in ("assign", "route", "reply"):
        assert smm.post(f"{at}/{name}", htmx=True, **fields).status_code < 500
    assert smm.post(f"/acts/{HUGE}/retry").status_code == 404
