"""Reading a place: one reader at a time, and a reader that was away too long touches nothing."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, func, select, text, update
from sqlalchemy.exc import OperationalError

from benchmarks.ingest import fill
from collectors import channel_class
from collectors.base import ChannelError, Cursor, Page, Raw, SourceState, Walk
from models import Author, Message, RawItem, Source, utc_now
from services.errors import Forbidden
from services.intake import READING, _turns, run_collect, run_parse, store_raws
from services.messages import mark_absent, store_messages
from services.rights import DESK
from services.settings.places import is_resting
from services.sources import rest_history
from tests.platforms import Meeting, meeting


@pytest.fixture
def met(database, tmp_path) -> Iterator[Meeting]:
    with meeting(database, tmp_path / "platforms") as found:
        yield found


class Slow:
    """The real channel, which stops before its first page until it may go on."""

    def __init__(self, channel) -> None:
        self._channel = channel
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self._channel, name)

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        for page in self._channel.walk(walk, cursor):
            self.reached.set()
            assert self.go_on.wait(30)
            yield page


class Noted:
    """The real channel, whose walks are noted."""

    def __init__(self, channel, walks: list[Walk]) -> None:
        self._channel, self._walks = channel, walks

    def __getattr__(self, name: str) -> object:
        return getattr(self._channel, name)

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        self._walks.append(walk)
        return self._channel.walk(walk, cursor)


def start(met: Meeting, source_id: int) -> tuple[Slow, threading.Thread]:
    """A thread that reads the place and stands still in its first page."""
    slow: list[Slow] = []

    def open_slowly(source: Source) -> Slow:
        slow.append(Slow(met.open_channel(source)))
        return slow[0]

    thread = threading.Thread(target=run_collect, args=[met.database, source_id, open_slowly, "one:1"])
    thread.start()
    while not (slow and slow[0].reached.wait(0.01)):
        assert thread.is_alive()
    return slow[0], thread


def source_of(met: Meeting, source_id: int) -> Source:
    return met.one(select(Source).where(Source.id == source_id))


def test_two_threads_of_one_process_do_not_read_one_place(met) -> None:
    source_id = met.sources["wordpress"]
    slow, thread = start(met, source_id)
    opened = []
    assert run_collect(met.database, source_id, opened.append, "one:1") == 0
    assert opened == []
    slow.go_on.set()
    thread.join()
    assert source_of(met, source_id).read_at is not None
    # What was read a moment ago is not due, also for one who had seen it due.
    assert run_collect(met.database, source_id, opened.append, "one:1") == 0
    assert opened == []


def test_a_database_that_goes_away_leaves_the_place_free_and_blames_nobody(met) -> None:
    if met.database.is_sqlite:
        pytest.skip("a file does not go away")
    source_id = met.sources["wordpress"]
    armed: list[str] = []

    def open_and_arm(source: Source) -> Any:
        armed.append("UPDATE source")
        return met.open_channel(source)

    def kill(connection: Any, _cursor: Any, statement: str, *_given: Any) -> None:
        if armed and statement.startswith(armed[0]):
            armed.clear()
            pid = connection.connection.driver_connection.info.backend_pid
            with met.database.read.begin() as session:
                session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    event.listen(met.database.engine, "before_cursor_execute", kill)
    try:
        with pytest.raises(OperationalError):
            run_collect(met.database, source_id, open_and_arm, "one:1")
    finally:
        event.remove(met.database.engine, "before_cursor_execute", kill)
    source = source_of(met, source_id)
    assert (source.lease_holder, source.failures, source.error_code) == (None, 0, None)
    assert run_collect(met.database, source_id, met.open_channel, "two:2") > 0


def test_a_reader_that_was_frozen_past_its_lease_changes_nothing(met) -> None:
    source_id = met.sources["wordpress"]
    slow, thread = start(met, source_id)
    with met.database.write.begin() as session:
        session.execute(update(Source).values(lease_until=utc_now().replace(year=2020)))
    run_collect(met.database, source_id, met.open_channel, "two:2")
    ahead = source_of(met, source_id)
    assert ahead.backfilled_at is not None
    slow.go_on.set()
    thread.join()
    after = source_of(met, source_id)
    assert (after.cursor, after.read_at, after.due_at) == (ahead.cursor, ahead.read_at, ahead.due_at)


def test_a_place_that_is_paused_while_it_is_read_stops_at_the_page(met) -> None:
    source_id = met.sources["wordpress"]
    slow, thread = start(met, source_id)
    with met.database.write.begin() as session:
        session.get_one(Source, source_id).state = "paused"
    slow.go_on.set()
    thread.join()
    after = source_of(met, source_id)
    assert (after.state, after.cursor, after.lease_holder) == ("paused", {}, None)


def test_what_the_platform_took_away_and_put_back_stands_again(cast, database) -> None:
    """A comment restored by a moderator comes back with the very bytes it had."""
    item = cast.write("Когда вебинар?")
    raws = (Raw("comment", item.container, item.external_id, b"{}"),)
    with database.write.begin() as session:
        assert store_raws(session, cast.source_id, raws) == 1
        assert store_raws(session, cast.source_id, raws) == 0
    listing = {item.container: frozenset({"another"})}
    with database.write.begin() as session:
        assert mark_absent(session, cast.source_id, listing, since=utc_now()) == 1
    with database.write.begin() as session:
        assert store_raws(session, cast.source_id, raws) == 1  # so that it is understood anew
    cast.store(item)
    with database.read.begin() as session:
        assert session.scalars(select(Message.state)).one() == "published"


def test_a_removal_that_comes_before_the_making_is_final_where_the_platform_says_so(cast, database) -> None:
    made = cast.incoming("Когда вернёте деньги?", external_id="m1")
    gone = cast.incoming("", external_id="m1", state=SourceState.DELETED)
    for order in ((gone, made), (made, gone, made), (made, gone)):
        with database.write.begin() as session:
            source_id = cast.add_source(session, "max", token="t").id
        for item in order:
            with database.write.begin() as session:
                store_messages(session, source_id, "max", [item])
        with database.read.begin() as session:
            row = session.scalars(select(Message).where(Message.source_id == source_id)).one()
            assert (row.state, row.text) == ("deleted", "Когда вернёте деньги?")


def test_history_rests_in_the_middle_and_what_is_new_comes_meanwhile(met) -> None:
    source_id = met.sources["youtube"]
    slow, thread = start(met, source_id)
    with met.database.write.begin() as session:
        assert is_resting(rest_history(session, DESK, source_id, rests=True))
    slow.go_on.set()
    thread.join()
    source = source_of(met, source_id)
    assert (source.backfilled_at, source.error_code, source.lease_holder) == (None, None, None)
    assert source.due_at <= utc_now()
    assert is_resting(source)
    walks = []

    def open_and_note(source: Source) -> Noted:
        return Noted(met.open_channel(source), walks)

    run_collect(met.database, source_id, open_and_note, "one:1")
    assert walks == [Walk.NEW]
    with met.database.write.begin() as session:
        assert not is_resting(rest_history(session, DESK, source_id, rests=False))
    run_collect(met.database, source_id, open_and_note, "one:1")
    assert walks == [Walk.NEW, Walk.BACKFILL]
    assert source_of(met, source_id).backfilled_at is not None
    with met.database.write.begin() as session, pytest.raises(Forbidden):
        rest_history(session, met.smm, source_id, rests=True)


def test_without_units_for_the_deep_walk_new_comments_are_read_on(met) -> None:
    source_id = met.sources["youtube"]
    met.collect("youtube")

    class Spent(Noted):
        def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
            if walk is Walk.DEEP:
                raise ChannelError("kept for new comments", code="share", retry_after=600)
            return super().walk(walk, cursor)

    with met.database.write.begin() as session:
        session.execute(
            update(Source).where(Source.id == source_id).values(deep_due_at=utc_now(), due_at=utc_now())
        )
    walks: list[Walk] = []

    def open_spent(source: Source) -> Any:
        return Spent(met.open_channel(source), walks)

    for _ in range(2):
        run_collect(met.database, source_id, open_spent, "one:1")
    source = source_of(met, source_id)
    assert walks == [Walk.NEW]
    assert (source.error_code, source.failures) == (None, 0)
    assert 0 < (source.deep_due_at - utc_now()).total_seconds() <= 600


def test_a_name_that_no_database_can_keep_is_known_when_it_is_met_again(met) -> None:
    """One such id must not stop the whole page of a place for ever."""
    source_id = met.sources["wordpress"]
    raws = tuple(Raw("comment", "a\x00b", name, b"{}") for name in ("1\ud800", "2\x00", "2\ufffd"))
    with met.database.write.begin() as session:
        assert store_raws(session, source_id, raws) == 2
    with met.database.write.begin() as session:
        assert store_raws(session, source_id, raws) == 0


class Parser:
    """Understands nothing, and waits at the first raw until it may go on."""

    kind = "wordpress"
    can = channel_class("wordpress").can
    tells_twice = channel_class("wordpress").tells_twice

    def __init__(self) -> None:
        self.began, self.may_go, self.seen = threading.Event(), threading.Event(), []

    def publication(self, raw):
        return None

    def records(self, raw):
        return []

    def parse(self, raw):
        self.seen.append(raw.external_id)
        self.began.set()
        assert self.may_go.wait(20)
        return []


def test_two_threads_of_one_process_do_not_parse_one_place(cast, database) -> None:
    """The second leaves its raw to the first: none is taken for one that failed."""

    def keep(number: int) -> None:
        with database.write.begin() as session:
            store_raws(session, cast.source_id, (Raw("comment", "17", f"r{number}", b"{}"),))

    parser = Parser()
    keep(1)
    first = threading.Thread(target=run_parse, args=(database, cast.source_id, parser))
    first.start()
    assert parser.began.wait(20)
    for number in range(2, 6):
        keep(number)
        run_parse(database, cast.source_id, parser)
    parser.may_go.set()
    first.join(20)
    with database.read.begin() as session:
        rows = session.scalars(select(RawItem).order_by(RawItem.id)).all()
    assert [(row.state, row.error) for row in rows] == [("parsed", None)] * 5
    assert sorted(parser.seen) == ["r1", "r2", "r3", "r4", "r5"]


def test_whoever_is_waited_for_looks_once_and_says_that_more_came(cast, database) -> None:
    """In a storm a hook's own answer must not wait for what others bring."""

    def keep(number: int) -> None:
        with database.write.begin() as session:
            store_raws(session, cast.source_id, (Raw("comment", "17", f"r{number}", b"{}"),))

    parser, said = Parser(), []
    keep(1)
    first = threading.Thread(
        target=lambda: said.append(run_parse(database, cast.source_id, parser, once=True)), daemon=True
    )
    first.start()
    assert parser.began.wait(20)
    keep(2)
    assert not run_parse(database, cast.source_id, parser, once=True)  # it is the first one's to leave or to read
    parser.may_go.set()
    first.join(20)
    assert (said, parser.seen) == ([True], ["r1"])
    assert not run_parse(database, cast.source_id, parser, once=True)
    assert parser.seen == ["r1", "r2"]


def test_one_that_hangs_for_long_is_passed_by(cast, database, monkeypatch) -> None:
    monkeypatch.setattr("services.intake.PATIENCE", 0.0)
    parser = Parser()
    parser.may_go.set()
    _turns.take(database, cast.source_id)
    with database.write.begin() as session:
        store_raws(session, cast.source_id, (Raw("comment", "17", "r1", b"{}"),))
    run_parse(database, cast.source_id, parser)
    assert parser.seen == ["r1"]


def test_two_processes_do_not_read_one_place_at_once(cast, database, monkeypatch) -> None:
    if database.is_sqlite:
        pytest.skip("one process reads there")
    parser = Parser()
    parser.may_go.set()
    with database.write.begin() as session:
        store_raws(session, cast.source_id, (Raw("comment", "17", "r1", b"{}"),))
    other = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    with other:
        assert other.scalar(select(func.pg_try_advisory_lock(READING, cast.source_id)))
        run_parse(database, cast.source_id, parser)
        assert parser.seen == []
        monkeypatch.setattr("services.intake.PATIENCE", 0.0)  # it hangs
        run_parse(database, cast.source_id, parser)
        assert parser.seen == ["r1"]
        monkeypatch.setattr("services.intake.PATIENCE", 120.0)
        with database.write.begin() as session:
            store_raws(session, cast.source_id, (Raw("comment", "17", "r2", b"{}"),))
        other.execute(select(func.pg_advisory_unlock(READING, cast.source_id)))
        run_parse(database, cast.source_id, parser)
    assert parser.seen == ["r1", "r2"]


def test_what_the_bench_takes_in_stands_in_the_desk(database) -> None:
    """It raises when a message is missing: the bench once measured how fast a page goes into quarantine."""
    fill(database, 1200)


def test_who_is_met_again_unchanged_is_no_change(cast, database) -> None:
    """A row that is set to what it is counts as changed, and everybody who hears of changes would look at it."""
    item = cast.write("Когда вебинар?")
    changed: list[Any] = []
    with database.write.begin() as session:
        event.listen(session, "before_flush", lambda it, *_: changed.extend(it.dirty))
        store_messages(session, cast.source_id, "wordpress", [item])
        assert [row for row in changed if isinstance(row, Author)] == []
        renamed = replace(item, author=replace(item.author, name="Анна Ярова"))
        store_messages(session, cast.source_id, "wordpress", [renamed])
        assert [row.name for row in changed if isinstance(row, Author)] == ["Анна Ярова"]
