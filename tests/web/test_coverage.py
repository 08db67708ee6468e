"""«Покрытие» as a page: the sentence, the grades, a gap that a person closes."""

import pytest

from models import Gap, Source, utc_now
from services.coverage import note_gap


@pytest.fixture
def head(enter):
    return enter("head")


def test_the_page_says_how_well_each_place_is_known(desk, head) -> None:
    with desk.database.write.begin() as session:
        source = Source(platform="telegram", title="Наш канал", settings={}, every_seconds=60, read_at=utc_now())
        session.add(source)
        session.flush()
        note_gap(session, source.id, "silence of 30 hours")
    page = head.get("/places/coverage").get_data(as_text=True)
    assert "Наш канал" in page
    assert "по событиям" in page
    assert "silence of 30 hours" in page
    with desk.database.read.begin() as session:
        number = session.query(Gap).one().id
    assert head.post(f"/places/gaps/{number}").status_code == 303
    with desk.database.read.begin() as session:
        assert session.query(Gap).one().closed_by == "person"
