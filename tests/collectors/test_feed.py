"""Feeds of comments against a site in memory: windows, paging, edits, broken and hostile XML."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from benchmarks.limits import NoLimits
from collectors.base import ChannelError, Raw, Walk
from collectors.feed import Feed, Settings
from collectors.feed.document import read_document, read_time
from collectors.wire import Wire
from tests.collectors.desk import Desk

URL = "https://blog.example/comments/feed/"
EPOCH = 1_790_000_000


Comment = dict[str, str]


class Site:
    """A respx side effect: RSS or Atom, a window of ``most`` entries, RFC 5005 pages where ``paged``."""

    def __init__(self) -> None:
        self.comments: list[Comment] = []
        self.most, self.paged, self.atom = 10, False, False
        self.requests: list[httpx.Request] = []
        self.faults: list[httpx.Response | Exception] = []

    def write(
        self, text: str, name: str = "Вера Полякова", parent: str | None = None, page: str = "padezhi"
    ) -> Comment:
        number = len(self.comments) + 1
        link = f"https://blog.example/{page}/#comment-{number}"
        one = {"id": link, "text": text, "name": name, "page": page, "number": str(number)}
        self.comments.append({**one, "parent": parent} if parent else one)
        return self.comments[-1]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        begin = int(request.url.params.get("from", 0))
        shown = self.comments[::-1][begin : begin + self.most]
        more = self.paged and begin + self.most < len(self.comments)
        text = self.body(shown, f"?from={begin + self.most}" if more else None)
        etag = f'"{hash(text)}"'
        if request.headers.get("If-None-Match") == etag:
            return httpx.Response(304)
        return httpx.Response(200, content=text.encode(), headers={"ETag": etag})

    def body(self, shown: list[Comment], following: str | None) -> str:
        entries = "".join((self.atom_entry if self.atom else self.rss_item)(one) for one in shown)
        link = f'<atom:link rel="next" href="{following}"/>' if following else ""
        spaces = (
            'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:thr="http://purl.org/syndication/thread/1.0"'
        )
        if self.atom:
            link = link.replace("atom:", "")
            return f'<feed xmlns="http://www.w3.org/2005/Atom" {spaces}><title>Блог</title>{link}{entries}</feed>'
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" {spaces}><channel><title>Блог</title>'
            f"<link>https://blog.example/</link>{link}{entries}</channel></rss>"
        )

    @staticmethod
    def rss_item(one: Comment) -> str:
        at = format_datetime(datetime.fromtimestamp(EPOCH + int(one["number"]), UTC))
        return (
            f"<item><title>От: {escape(one['name'])}</title><link>{one['id']}</link>"
            f"<dc:creator>{escape(one['name'])}</dc:creator><pubDate>{at}</pubDate><guid>{one['id']}</guid>"
            f"<description>кратко</description><content:encoded><![CDATA[<p>{escape(one['text'])}</p>]]>"
            "</content:encoded></item>"
        )

    @staticmethod
    def atom_entry(one: Comment) -> str:
        at = datetime.fromtimestamp(EPOCH + int(one["number"]), UTC).isoformat()
        page = f"https://blog.example/{one['page']}/"
        answered = one.get("parent") or page
        return (
            f"<entry><title>От</title><link rel='alternate' href='{one['id']}'/><author><name>{escape(one['name'])}"
            f"</name></author><id>{one['id']}</id><published>{at}</published>"
            f"<content type='html'>{escape('<p>' + escape(one['text']) + '</p>')}</content>"
            f"<thr:in-reply-to ref='{answered}' href='{answered}'/></entry>"
        )

    def truth(self) -> dict[str, str]:
        return {one["id"]: one["text"] for one in self.comments}


@pytest.fixture
def site() -> Iterator[Site]:
    platform = Site()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="blog.example").mock(side_effect=platform)
        yield platform


def channel(*urls: str, own: tuple[str, ...] = ()) -> Feed:
    return Feed(Settings(urls=list(urls) or [URL], own_names=list(own)), Wire(), NoLimits())


@pytest.mark.parametrize("atom", [False, True])
def test_comments_are_understood(site: Site, atom: bool) -> None:
    site.atom = atom
    top = site.write("Когда <начало>?")
    site.write("В понедельник", name="Школа", parent=top["id"])
    desk = Desk(channel(own=("школа",)))
    desk.read(Walk.BACKFILL)
    assert desk.texts() == site.truth()
    question, answer = (desk.messages()[one["id"]] for one in site.comments)
    assert (question.author.name, question.author.is_us, answer.author.is_us) == ("Вера Полякова", False, True)
    assert question.published_at == datetime.fromtimestamp(EPOCH + 1, UTC)
    assert question.url == top["id"]
    assert question.publication.external_id == answer.publication.external_id == "https://blog.example/padezhi/"
    assert question.parent_external_id is None
    assert answer.parent_external_id == (top["id"] if atom else None)


def test_an_unchanged_feed_costs_one_empty_answer_and_an_edit_is_seen(site: Site) -> None:
    site.write("Как записаться?")
    desk = Desk(channel())
    desk.read(Walk.BACKFILL)
    desk.read(Walk.NEW)
    assert site.requests[-1].headers["If-None-Match"]
    assert (desk.changes, desk.completed) == (1, True)
    desk.read(Walk.DEEP)
    assert "If-None-Match" not in site.requests[-1].headers
    assert desk.changes == 1
    site.comments[0]["text"] = "Как записаться на курс?"
    desk.read(Walk.NEW)
    assert desk.texts() == site.truth()
    assert desk.changes == 2


def test_a_burst_larger_than_the_window_is_a_gap_or_is_read_by_pages(site: Site) -> None:
    site.most = 3
    site.write("Первый")
    desk = Desk(channel())
    desk.read(Walk.BACKFILL)
    for number in range(5):
        site.write(f"Вопрос {number}")
    assert [page.gap is None for page in desk.channel.walk(Walk.NEW, desk.cursor)] == [False]
    site.paged = True
    pages = list(desk.channel.walk(Walk.NEW, desk.cursor))
    assert [page.gap for page in pages] == [None, None]
    desk.read(Walk.NEW)
    assert desk.texts() == site.truth()


def test_one_broken_feed_does_not_stop_the_other(site: Site) -> None:
    site.write("Слышно?")
    desk = Desk(channel("https://blog.example/broken", URL))
    for walk in Walk:
        site.faults = [httpx.Response(500)]
        with pytest.raises(ChannelError, match="500"):
            desk.read(walk)
        assert not desk.completed
    assert desk.texts() == site.truth()


@pytest.mark.parametrize(
    ("fault", "code", "permanent", "pause"),
    [
        (httpx.Response(404), "gone", True, None),
        (httpx.Response(410), "gone", True, None),
        (httpx.Response(403), "rights", True, None),
        (httpx.Response(401), "auth", True, None),
        (httpx.Response(301, headers={"Location": "http://10.0.0.1/"}), "settings", True, None),
        (httpx.Response(429, headers={"Retry-After": "17"}), "rate", False, 17),
        (httpx.Response(429), "rate", False, 60),
        (httpx.Response(503), "server", False, None),
        (httpx.Response(200, text="<html><body>Вход</body></html>"), "server", False, None),
        (httpx.Response(200, text="<rss><channel><item>"), "server", False, None),
        (httpx.Response(200, content=b""), "server", False, None),
        (httpx.ReadTimeout("x"), "network", False, None),
    ],
)
def test_faults(
    site: Site, fault: httpx.Response | Exception, code: str, permanent: bool, pause: float | None
) -> None:
    site.faults = [fault]
    with pytest.raises(ChannelError) as caught:
        list(channel().walk(Walk.NEW, {}))
    assert (caught.value.code, caught.value.permanent, caught.value.retry_after) == (code, permanent, pause)


@pytest.mark.parametrize(
    "hostile",
    [
        '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss><channel><title>&b;</title></channel></rss>',
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><title>&x;</title></channel></rss>',
        '<!DOCTYPE r [<!ENTITY % x SYSTEM "http://10.0.0.1/x.dtd"> %x;]><rss></rss>',
        "<rss>" + "<a>" * 5000 + "</a>" * 5000 + "</rss>",
    ],
)
def test_bombs_and_references_are_refused(hostile: str) -> None:
    with pytest.raises(ChannelError):
        read_document(hostile.encode(), URL)


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251", "koi8-r", "utf-16"])
def test_encodings(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><rss><channel><title>Школа</title></channel></rss>'
    assert read_document(text.encode(encoding), URL).title == "Школа"


def test_careless_xml_is_read_all_the_same() -> None:
    text = "<rss><channel><title>Я&nbsp;&amp; вы & они &#0;&#xD800;\x0b</title></channel></rss>"
    assert read_document(text.encode(), URL).title == "Я\xa0& вы & они"
    wrong = '<?xml version="1.0" encoding="utf-8"?><rss><channel><title>Привет</title></channel></rss>'
    assert "<" not in read_document(wrong.encode("cp1251"), URL).title


def test_xhtml_text_and_an_entry_without_id_author_or_date(site: Site) -> None:
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">'
        '<p>Раз &lt;b&gt;</p><p><a href="https://a.example/">два</a></p></div></content></entry></feed>'
    )
    answer = httpx.Response(200, text=atom)
    site.faults = [answer, answer]
    desk = Desk(channel())
    desk.read(Walk.BACKFILL)
    desk.read(Walk.DEEP)
    (message,) = desk.messages().values()
    assert message.text == "Раз <b>\n\nдва (https://a.example/)"
    assert message.author.name == ""
    assert message.url is None
    assert desk.changes == 1, "the time of finding must not make an edit"


def test_a_feed_may_not_send_the_desk_to_another_site(site: Site) -> None:
    text = '<feed xmlns="http://www.w3.org/2005/Atom"><link rel="next" href="https://other.example/2"/></feed>'
    site.faults = [httpx.Response(200, text=text)]
    assert [page.complete for page in channel().walk(Walk.BACKFILL, {})] == [True]


@pytest.mark.parametrize("urls", [[], [" "], ["ftp://blog.example/"], ["blog.example"], ["https://"]])
def test_addresses_are_looked_at(urls: list[str]) -> None:
    with pytest.raises(ValidationError):
        Settings(urls=urls)


def test_a_poison_raw_fails_alone() -> None:
    for body in (b"", b"{}", b"[]", b'{"entry":{},"feed":{}}'):
        with pytest.raises((ValueError, KeyError, TypeError)):
            channel().parse(Raw("entry", URL, "1", body))


def test_dates() -> None:
    moment = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
    for text in ("Wed, 25 Nov 2026 12:00:00 +0300", "2026-11-25T12:00:00+03:00", "2026-11-25T09:00:00Z"):
        assert read_time(text) == moment
    for wrong in (None, "", "вчера", "0000-00-00T00:00:00Z", "Wed, 99 Nov 2026 99:00:00 +9999"):
        assert read_time(wrong) is None


@settings(max_examples=100, deadline=None)
@given(data=st.data(), most=st.integers(1, 5), atom=st.booleans())
def test_any_history_with_kills_is_read_to_the_last(data: st.DataObject, most: int, atom: bool) -> None:
    """With RFC 5005 pages nothing is lost, whatever comes and whenever the walk dies."""
    site = Site()
    site.most, site.paged, site.atom = most, True, atom
    with respx.mock() as router:
        router.route(host="blog.example").mock(side_effect=site)
        site.write("Первый")
        desk = Desk(channel())
        desk.read(Walk.BACKFILL)
        for step in range(data.draw(st.integers(1, 6))):
            for number in range(data.draw(st.integers(0, 8))):
                site.write(f"{step}.{number}")
            walk = data.draw(st.sampled_from(list(Walk)))
            desk.read(walk, pages=data.draw(st.integers(0, 4)))
        desk.read(Walk.NEW)
    assert desk.texts() == site.truth()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([None, "utf-8", "nonsense", "utf-7", "idna", "rot13", "hex"]))
def test_no_bytes_break_the_reader(body: bytes, charset: str | None) -> None:
    for one in (body, b"<rss><channel><item>" + body + b"</item></channel></rss>"):
        try:
            read_document(one, URL, charset)
        except ChannelError as error:
            assert error.code == "server"  # noqa: PT017
