"""«Покрытие» as a page: the sentence, the grades, a gap that a person closes."""

from datetime import timedelta

import pytest

from models import Gap, Source, utc_now
from services.coverage import note_gap
from web.place_words import gap_words


@pytest.fixture
def head(enter):
    return enter("head")


def test_the_page_says_how_well_each_place_is_known(desk, head) -> None:
    with desk.database.write.begin() as session:
        source = Source(platform="telegram", title="Наш канал", settings={}, every_seconds=60, read_at=utc_now())
        session.add(source)
        session.flush()
        note_gap(session, source.id, "VK has lost the events")
    page = head.get("/places/coverage").get_data(as_text=True)
    assert "Наш канал" in page
    assert "по событиям" in page
    assert "не сохранил для нас события" in page
    with desk.database.read.begin() as session:
        number = session.query(Gap).one().id
    assert head.post(f"/places/gaps/{number}").status_code == 303
    with desk.database.read.begin() as session:
        assert session.query(Gap).one().closed_by == "person"


def test_a_first_reading_shows_how_far_it_has_come(desk, cast, head) -> None:
    cast.store(cast.incoming("Когда урок?", "vera", published_at=utc_now() - timedelta(days=10)))
    page = head.get("/places/coverage").get_data(as_text=True)
    assert "Загрузка истории" in page
    assert "<progress aria-label" in page
    assert 'name="depth"' in head.get("/places/new/wordpress").get_data(as_text=True)
    assert 'name="depth"' not in head.get("/places/new/telegram").get_data(as_text=True)
    with desk.database.write.begin() as session:
        first = session.get_one(Source, cast.source_id)
        first.created_at = utc_now() - timedelta(minutes=30)
        first.history_from = first.created_at - timedelta(days=40)
    page = head.get("/places/coverage").get_data(as_text=True)
    assert '<progress max="1" value="0.2' in page
    assert "ещё примерно" in page
    with desk.database.write.begin() as session:
        session.get_one(Source, cast.source_id).backfilled_at = utc_now()
    assert "История хранится с" in head.get("/places/coverage").get_data(as_text=True)


def test_every_reason_that_a_channel_tells_has_words() -> None:
    told = (
        "VK has lost a part of the events", "VK has lost the events",
        "the server does not give the letters with UID [7]",
        "more comments came between two readings than the feed shows", "the bot was removed from chat -100",
        "no contact from 2026-11-25T10:00:00 to 2026-11-26T12:00:00: Telegram keeps updates for 24 hours",
    )  # fmt: skip
    assert all(gap_words(one) != one for one in told)
    assert gap_words("; ".join(told[4:5] * 3)) == gap_words(told[4])
    assert gap_words("something new") == "something new"
