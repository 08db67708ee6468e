"""HTML read as a person reads it, and never for long."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.html import TAG_CAP, clean, html_text, page_title


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("просто & без разметки", "просто & без разметки"),
        ("<p>Раз<br />\nдва</p>\n<p>три</p>", "Раз\nдва\n\nтри"),
        ("<p>Вот:</p>\n<ul>\n<li>раз</li>\n<li>два</li></ul><div>всё</div>", "Вот:\n\nраз\nдва\nвсё"),
        ("5 &lt; 6 &amp;&nbsp;7 &#8212; да", "5 < 6 & 7 — да"),
        ("5 < 6, а <3 это сердце", "5 < 6, а <3 это сердце"),
        ('<a href="https://a.example/x">тут</a>', "тут (https://a.example/x)"),
        ('<a href="https://a.example/">https://a.example</a>', "https://a.example"),
        ('<a href="mailto:a@b.example">a@b.example</a>', "a@b.example"),
        ('<a href="javascript:alert(1)">тут</a> <a>там</a>', "тут там"),
        ('Ура <img class="emoji" alt="🎉" src="x"><img src="y">!', "Ура 🎉!"),
        ("<script>x()</script><style>p{}</style><b>видно</b><!-- нет -->", "видно"),
        ("a\nb <i>c</i>", "a b c"),
        ("<b>не закрыто", "не закрыто"),
        ("a\x00b<b>\ud800</b>", "ab"),
        ("", ""),
    ],
)
def test_what_a_person_reads(markup: str, text: str) -> None:
    assert html_text(markup) == text


def test_line_ends_of_a_stored_comment_are_kept() -> None:
    assert html_text("Раз\n\nдва <b>три</b>\nчетыре &amp; пять", newlines=True) == "Раз\n\nдва три\nчетыре & пять"
    assert html_text("Раз\nдва", newlines=True) == "Раз\nдва"


@pytest.mark.parametrize(
    "piece",
    [
        "<div>",
        "<",
        "<!--",
        "<b>",
        "<p>",
        " \n",
        "<a href=x>",
        '<a href="https://z.example"><div>',
        "&",
        "я",
        "<br> ",
        "</p>",
    ],
)
def test_no_markup_takes_long(piece: str) -> None:
    """Just below the cap, where the parser works, and far above it."""
    begin = time.monotonic()
    for times in (TAG_CAP // max(1, piece.count("<")) - 1, 200_000):
        for newlines in (False, True):
            html_text("<i>" + piece * times + "x", newlines=newlines)
    assert time.monotonic() - begin < 10


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("<>/abip &;=\"'!-\n") | st.characters(), max_size=60))
def test_nothing_fails_and_nothing_unstorable_is_left(markup: str) -> None:
    for newlines in (False, True):
        html_text(markup, newlines=newlines).encode()
    clean(markup).encode()


def test_titles_of_pages() -> None:
    assert page_title("<html><TITLE lang='ru'>\n Падежи &amp; слова </TITLE><title>x</title>") == "Падежи & слова"
    assert page_title("<p>нет</p>") == ""
