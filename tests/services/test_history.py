"""How deep a place's history goes: what is older is neither held nor missed, and can be taken later."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from collectors.base import Walk
from models import Message, RawItem, Source, utc_now
from services.coverage import coverage_rows
from services.errors import Forbidden, Refused
from services.history import OLDER, choose_depth, depth_of, progress_of
from services.rights import DESK
from tests.platforms import meeting

PLACES = ("wordpress", "ok", "vk", "youtube")


def times_of(met, platform):
    with met.database.read.begin() as session:
        query = select(Message.published_at).where(
            Message.source_id == met.sources[platform], Message.direction == "in"
        )
        return sorted(session.scalars(query))


def row_of(met, platform):
    with met.database.read.begin() as session:
        return next(row for row in coverage_rows(session, met.smm) if row.source.platform == platform)


@pytest.mark.parametrize("platform", PLACES)
def test_what_is_older_is_left_there_and_taken_later(database, tmp_path, platform) -> None:
    with meeting(database, tmp_path / "platforms") as met:
        source_id = met.sources[platform]
        with database.read.begin() as session:
            source = session.get_one(Source, source_id)
        channel = met.open_channel(source)
        there = {}
        for page in channel.walk(Walk.BACKFILL, {}):
            there |= {(one.container, one.external_id): one for raw in page.raws for one in channel.parse(raw)}
        channel.close()
        every = sorted(one.published_at for one in there.values() if not (one.author and one.author.is_us))
        middle = every[len(every) // 2]
        with database.write.begin() as session:
            assert choose_depth(session, DESK, source_id, "month", middle + timedelta(days=31)).history_from
        met.collect(platform, deep=True)
        kept = times_of(met, platform)
        assert kept == [at for at in every if at >= middle]
        assert kept != every
        row = row_of(met, platform)
        assert not row.unread
        assert row.missing == 0
        assert row.source.coverage["held"] > 0
        with database.read.begin() as session:
            bodies = select(RawItem.body).where(RawItem.source_id == source_id, RawItem.state == OLDER)
            assert set(session.scalars(bodies)) == {b""}
        met.collect(platform, deep=True)
        assert times_of(met, platform) == kept

        with database.write.begin() as session:
            choose_depth(session, DESK, source_id, "all")
        met.collect(platform, deep=True)
        assert times_of(met, platform) == every
        with database.read.begin() as session:
            left = select(func.count()).where(RawItem.source_id == source_id, RawItem.state == OLDER)
            assert session.scalar(left) == 0


def test_the_same_choice_does_not_move_the_day(cast, database) -> None:
    with database.write.begin() as session:
        then = utc_now() - timedelta(days=40)
        first = choose_depth(session, cast.head, cast.source_id, "month", then).history_from
        assert choose_depth(session, cast.head, cast.source_id, "month").history_from == first
        assert depth_of(session.get_one(Source, cast.source_id)) == "month"
        with pytest.raises(Refused):
            choose_depth(session, cast.head, cast.source_id, "deep")
        with pytest.raises(Forbidden):
            choose_depth(session, cast.curator, cast.source_id, "all")


def test_progress_by_the_oldest_message(cast, database) -> None:
    cast.store(cast.incoming("Когда урок?", "vera"))
    with database.write.begin() as session:
        source = session.get_one(Source, cast.source_id)
        now = utc_now()
        source.created_at = now - timedelta(hours=1)
        assert progress_of(session, source, 0, now).share is None
        source.history_from = source.created_at - timedelta(days=100)
        session.execute(update(Message).values(published_at=source.created_at - timedelta(days=25)))
        session.flush()
        going = progress_of(session, source, 120, now)
        assert going.share == pytest.approx(0.25)
        assert going.per_minute == pytest.approx(2)
        assert going.rest == pytest.approx(timedelta(hours=3), abs=timedelta(seconds=1))
