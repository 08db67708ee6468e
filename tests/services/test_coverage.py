"""What is held against what stands there, gaps and who closes them, and for whom the head's sentence speaks."""

from datetime import timedelta

from sqlalchemy import delete, select, update

from models import Gap, Message, Source, utc_now
from services.accounts import create_staff
from services.coverage import accept_gap, coverage_rows, judge_coverage, note_gap
from services.rights import DESK, actor_of
from tests.platforms import meeting
from web.place_words import gap_words


def rows_of(met):
    with met.database.read.begin() as session:
        return {row.source.platform: row for row in coverage_rows(session, met.smm)}


def test_a_deep_walk_compares_with_the_platform_and_closes_its_gaps(database, tmp_path) -> None:
    with meeting(database, tmp_path / "platforms") as met:
        before = rows_of(met)["wordpress"]
        assert (before.filling is not None, before.source.coverage, before.grade) == (True, None, "reread")
        met.collect("wordpress", deep=True)
        row = rows_of(met)["wordpress"]
        told = row.source.coverage
        assert told["standing"] == told["held"] > 20
        assert told["places"] > 3
        assert row.filling is None
        with database.write.begin() as session:
            note_gap(session, row.source.id, "lost")
            note_gap(session, row.source.id, "lost")
        [gap] = rows_of(met)["wordpress"].open_gaps
        assert gap.from_at is not None
        met.collect("wordpress", deep=True)
        row = rows_of(met)["wordpress"]
        assert row.open_gaps == ()
        assert [one.closed_by for one in row.gaps] == ["deep"]


def test_what_is_not_held_is_counted(database, tmp_path) -> None:
    """The raw is known and its message is gone: only a comparison can tell."""
    with meeting(database, tmp_path / "platforms") as met:
        met.collect("feed")
        met.collect("ok", deep=True)
        assert rows_of(met)["ok"].missing == 0
        with database.write.begin() as session:
            one = session.scalars(
                select(Message.id).where(Message.source_id == met.sources["ok"], Message.direction == "in").limit(1)
            ).one()
            session.execute(update(Message).where(Message.id == one).values(external_id="nobody"))
        met.collect("ok", deep=True)
        row = rows_of(met)["ok"]
        assert row.missing == 1
        assert row in judge_coverage(list(rows_of(met).values())).lacking or row.missing


def test_the_sentence_speaks_for_what_was_compared_only(cast, database) -> None:
    with database.write.begin() as session:
        session.execute(delete(Gap))
        compared = session.get_one(Source, cast.source_id)
        compared.read_at = compared.verified_at = utc_now()
        compared.coverage = {"places": 1, "standing": 4, "held": 4}
        bot = cast.add_source(session, "telegram", token="1:x")
        bot.read_at = utc_now()
        session.flush()
        verdict = judge_coverage(coverage_rows(session, cast.head))
        assert [row.source.platform for row in verdict.sure] == ["wordpress"]
        assert [row.source.platform for row in verdict.unsure] == ["telegram"]
        assert verdict.lacking == ()
        note_gap(session, bot.id, "more than a day of silence")
        session.flush()
        [lacking] = judge_coverage(coverage_rows(session, cast.head)).lacking
        accept_gap(session, cast.head, lacking.open_gaps[0].id)
        session.flush()
        assert judge_coverage(coverage_rows(session, cast.head)).lacking == ()
        compared.read_at = utc_now() - timedelta(hours=1)
        session.flush()
        [late] = judge_coverage(coverage_rows(session, cast.head)).lacking
        assert late.is_late


def test_what_max_did_not_keep_stays_a_gap_though_its_chats_are_read_again(database, tmp_path) -> None:
    """A dialogue that began while nobody asked, and a removal of an old message, are found by no listing."""
    with meeting(database, tmp_path / "platforms") as met:
        met.collect("max", deep=True)
        met.collect("max")
        with database.write.begin() as session:
            source = session.get_one(Source, met.sources["max"])
            away = utc_now() - timedelta(hours=30)
            # A deep walk may have come first: what it read says nothing of events.
            source.read_at, source.cursor = utc_now(), {**source.cursor, "seen": away.timestamp()}
        met.collect("max")
        met.collect("max", deep=True)
        row = rows_of(met)["max"]
        [gap] = row.open_gaps
        assert gap.from_at == away
        assert timedelta(hours=29) < gap.to_at - gap.from_at < timedelta(hours=31)
        assert gap_words(gap.reason).startswith("Longer without contact than MAX keeps events")
        assert (row.grade, row.source.coverage["held"] > 0, row.missing) == ("events", True, 0)
        verdict = judge_coverage(list(rows_of(met).values()))
        assert row.source.id in [one.source.id for one in verdict.lacking]
        with database.write.begin() as session:
            head = create_staff(session, DESK, email="head@school.example", name="Марина", roles=("administrator",))
            accept_gap(session, actor_of(head), gap.id)
        verdict = judge_coverage(list(rows_of(met).values()))
        assert row.source.id in [one.source.id for one in verdict.unsure]
