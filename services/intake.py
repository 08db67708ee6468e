"""From a platform's page to rows: raw kept first with the cursor, understood afterwards, poison set aside."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any, cast

from sqlalchemy import Row, Table, Update, bindparam, func, select, update
from sqlalchemy.orm import Session

from collectors import channel_class
from collectors.base import Channel, ChannelError, Incoming, Page, Raw, Walk
from models import Publication, RawItem, Source, utc_now
from models.base import storable
from models.database import Database
from services.again import is_passing, run_again
from services.columns import among, for_each, insert_rows, rows_given
from services.coverage import Comparison, note_gap, record_comparison
from services.events import record
from services.history import OLDER, beyond
from services.mail_answers import take_answers
from services.messages import mark_absent, store_messages
from services.messenger_answers import run_fetch, take_dialogues
from services.named import by_names, names_given
from services.raw_ties import Made, note_ties, strange
from services.reported import join_twins, take_reports
from services.rights import DESK
from services.settings.places import is_resting
from services.sources import claim_source, free_source, keep_source, record_failure, record_read

BATCH = 500
MAX_ATTEMPTS = 3
PATIENCE = 120.0
READING = 0x07_1C
"""The first half of the names under which PostgreSQL keeps who reads a place."""
OpenChannel = Callable[[Source], Channel]
_RAWS = cast(Table, RawItem.__table__)
_NAME = (_RAWS.c.kind, _RAWS.c.container, _RAWS.c.external_id)
_KNOWN = by_names(_RAWS, _NAME, _RAWS.c.id, *_NAME, _RAWS.c.digest)
_WAITING = select(_RAWS).where(_RAWS.c.state == "new", _RAWS.c.source_id == bindparam("of")).order_by(_RAWS.c.id)
_TRIED = update(_RAWS).values(attempts=_RAWS.c.attempts + 1)
_UNTRIED = update(_RAWS).where(_RAWS.c.attempts > 0).values(attempts=_RAWS.c.attempts - 1)


def _settle(**values: Any) -> Mapping[str, Update]:
    return for_each(
        lambda row: update(_RAWS).where(_RAWS.c.id == row.raw_id, _RAWS.c.digest == row.understood).values(values),
        raw_id=_RAWS.c.id.type, understood=_RAWS.c.digest.type,
    )  # fmt: skip


_PARSED = _settle(state="parsed", attempts=0, error=None)
_KINDS = (
    select(func.min(_RAWS.c.kind).label("kind"))
    .where(_RAWS.c.source_id == bindparam("of"))
    .cte("kinds", recursive=True)
)
_KINDS = _KINDS.union_all(
    select(
        select(func.min(_RAWS.c.kind))
        .where(_RAWS.c.source_id == bindparam("of"), _RAWS.c.kind > _KINDS.c.kind)
        .scalar_subquery()
    ).where(_KINDS.c.kind.is_not(None))
)
"""The kinds of raws that a place has, each by one look into the index of names: by the kind their names begin."""
_TWINS = (
    update(_RAWS)
    .where(_RAWS.c.source_id == bindparam("of"), _RAWS.c.kind.in_(select(_KINDS.c.kind)))
    .where(_RAWS.c.container == bindparam("in"), _RAWS.c.external_id == bindparam("as"))
    .where(_RAWS.c.kind != bindparam("by"), _RAWS.c.digest != "")
    .values(digest="")
)
_LEFT = _settle(state=OLDER, attempts=0, error=None, body=b"")
"""What is not kept leaves its name only, by which it is known when it is met again."""


def retry_quarantined(session: Session, raw_id: int) -> None:
    """Gives one raw another chance at the next reading of its place."""
    session.execute(
        update(RawItem).where(RawItem.id == raw_id, RawItem.state == "quarantined").values(state="new", attempts=0)
    )


def run_collect(database: Database, source_id: int, open_channel: OpenChannel, holder: str) -> int:
    """Reads one place that is due, page by page, each committed; returns how many new or changed raws it met.

    A failure of the platform is recorded on the place and not raised: one bad source does not stop another. A
    mistake of ours is recorded too, so that the place backs off, and then raised for the log. That the database
    went away is no fault of the place: it is due as before.
    """
    now = utc_now()
    holder = f"{holder}:{secrets.token_hex(4)}"  # a process reads with several threads
    with database.write.begin() as session:
        source = claim_source(session, source_id, holder, now)
        if source is None:
            return 0
        deep = source.deep_due_at <= now
        cursor = dict(source.deep_cursor if deep and source.deep_cursor else source.cursor)
        known = _dialogues(session, source) if deep else ()
    walk = Walk.NEW if not deep else Walk.BACKFILL if source.backfilled_at is None else Walk.DEEP
    changed, told = 0, Comparison()
    try:
        channel = open_channel(source)
        try:
            for page in channel.walk(walk, channel.acquaint(cursor, known) if known else cursor):
                with database.write.begin() as session:
                    if not keep_source(session, source_id, holder):
                        break  # what this page brought comes again to whoever reads on
                    if deep and is_resting(session.get_one(Source, source_id)):
                        raise ChannelError("a person has put history to rest", code="share")
                    changed += store_page(session, source_id, page, deep=walk is Walk.DEEP)
                run_parse(database, source_id, channel)
                with database.write.begin() as session:
                    told.add(session, source_id, page.listed)
                    mark_absent(session, source_id, page.listed, since=now, own_too=channel.can.list_own)
        finally:
            channel.close()
    except ChannelError as error:
        failure = error
        _end(database, source_id, holder, lambda session: record_failure(session, source_id, failure))
    except Exception as error:
        if is_passing(error):
            _end(database, source_id, holder, lambda session: None)
            raise
        mistake = ChannelError(type(error).__name__, code="server")
        _end(database, source_id, holder, lambda session: record_failure(session, source_id, mistake))
        raise
    else:
        _end(database, source_id, holder, lambda session: _note_end(session, source_id, walk, told))
    return changed


def _dialogues(session: Session, source: Source) -> Sequence[str]:
    """Names of the dialogues that only events told of, where the platform has no list of them."""
    if not channel_class(source.platform).can.unlisted:
        return ()
    of_place = (Publication.source_id == source.id, Publication.kind == "dialogue")
    return session.scalars(select(Publication.external_id).where(*of_place)).all()


def _note_end(session: Session, source_id: int, walk: Walk, told: Comparison) -> None:
    record_read(session, source_id, deep=walk is not Walk.NEW)
    if walk is not Walk.NEW:
        record_comparison(session, source_id, told)


def _end(database: Database, source_id: int, holder: str, note: Callable[[Session], None]) -> None:
    """Writes how the reading went, unless it is somebody else's by now.

    It waits for a database that starts up: a place that nobody reads and that is not free stays unread until its
    lease ends.
    """

    def end(session: Session) -> None:
        if keep_source(session, source_id, holder):
            note(session)
        free_source(session, source_id, holder)

    run_again(database, end)


def store_page(session: Session, source_id: int, page: Page, *, deep: bool = False) -> int:
    """Keeps the raws of a page together with its cursor; returns how many were new or changed."""
    changed = sum(
        store_raws(session, source_id, page.raws[start : start + BATCH])
        for start in range(0, len(page.raws), BATCH)
    )
    source = session.get_one(Source, source_id)
    if deep:
        source.deep_cursor = page.cursor
    else:
        source.cursor = page.cursor
    if page.gap is not None:
        note_gap(session, source_id, page.gap, page.gap_since)
    return changed


def identity_of(raw: Raw) -> tuple[str, str, str]:
    """A raw's name within its place, as the database keeps it: a name met again must be known."""
    return storable(raw.kind), storable(raw.container), storable(raw.external_id)


def store_raws(session: Session, source_id: int, raws: tuple[Raw, ...]) -> int:
    """Inserts raws that are new, refreshes those whose digest differs, leaves the rest alone."""
    unique = {identity_of(raw): raw for raw in raws}
    statement = _KNOWN[session.get_bind().dialect.name]
    found = session.connection().execute(statement, names_given(session, source_id, unique)) if unique else ()
    known = {(row.kind, row.container, row.external_id): row for row in found}
    fresh, now = [], utc_now()
    changed = 0
    for key, raw in unique.items():
        digest = raw.digest
        row = known.get(key)
        if row is None:
            fresh.append(
                {
                    "source_id": source_id, "kind": raw.kind, "container": raw.container, "digest": digest,
                    "external_id": raw.external_id, "body": raw.body, "received_at": now, "state": "new",
                    "attempts": 0,
                }
            )  # fmt: skip
        elif row.digest != digest:
            changed += 1
            session.execute(
                update(RawItem)
                .where(RawItem.id == row.id)
                .values(digest=digest, body=raw.body, received_at=now, state="new", attempts=0, error=None)
            )
    if fresh:
        insert_rows(session, RawItem, fresh)
    return changed + len(fresh)


def forget_twins(session: Session, source_id: int, raws: tuple[Raw, ...]) -> None:
    """What an event told may be older than what polling read: at its next reading polling has the last word.

    A platform that is both read and heard keeps a raw of either kind for one message; the read one loses its
    digest, so that it counts as changed although nothing in it differs.
    """
    if raws:
        names = ({"of": source_id, "in": raw.container, "as": raw.external_id, "by": raw.kind} for raw in raws)
        session.connection().execute(_TWINS, list(names))


class Turns:
    """One reader a place within a process: two would take each other's raws for ones that failed."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken: dict[tuple[str, int], float] = {}

    def take(self, database: Database, source_id: int) -> bool:
        """False while another thread reads; one that has not stirred for PATIENCE seconds is passed by."""
        key, now = (str(database.engine.url), source_id), time.monotonic()
        with self._guard:
            if now - self._taken.get(key, -PATIENCE) < PATIENCE:
                return False
            self._taken[key] = now
        return True

    def stir(self, database: Database, source_id: int) -> None:
        with self._guard:
            self._taken[str(database.engine.url), source_id] = time.monotonic()

    def leave(self, database: Database, source_id: int) -> None:
        with self._guard:
            self._taken.pop((str(database.engine.url), source_id), None)


_turns = Turns()


def run_parse(
    database: Database, source_id: int, channel: Channel, *, pause: float = 0.0, once: bool = False
) -> bool:
    """Understands every raw of a place that waits, also what comes meanwhile: whoever finds another thread at it
    leaves its raws to that one. A raw that fails MAX_ATTEMPTS times goes to quarantine.

    ``pause``: seconds to gather before each next look, while raws come one by one. ``once``: looks a single time,
    for a caller that somebody waits for; True when more waits, which somebody must read.

    Attempts are committed before the parser runs: a raw that kills the process is alone at the next try, and in
    quarantine after the last. Raws that never failed go together, for speed.
    """
    waiting = select(RawItem.id).where(RawItem.state == "new", RawItem.source_id == source_id).limit(1)
    while _turns.take(database, source_id):
        try:
            with _alone(database, source_id) as alone:
                if not alone:
                    return False
                _parse_waiting(database, source_id, channel, pause, 1 if once else None)
        finally:
            _turns.leave(database, source_id)
        # What was kept after the last look and before the turn ended was left to us.
        with database.read.begin() as session:
            if session.scalar(waiting) is None:
                return False
        if once:
            return True
    return False


@contextmanager
def _alone(database: Database, source_id: int) -> Iterator[bool]:
    """False while another process reads the place, unless its raws have waited for PATIENCE seconds: then it hangs.

    SQLite has one process that reads. PostgreSQL forgets the lock together with the connection of who held it.
    """
    if database.is_sqlite:
        yield True
        return
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        held = connection.scalar(select(func.pg_try_advisory_lock(READING, source_id)))
        oldest = select(func.min(RawItem.received_at)).where(RawItem.state == "new", RawItem.source_id == source_id)
        try:
            if held:
                yield True
            else:
                since = connection.scalar(oldest)
                yield since is not None and since < utc_now() - timedelta(seconds=PATIENCE)
        finally:
            if held:
                connection.execute(select(func.pg_advisory_unlock(READING, source_id)))


def _parse_waiting(database: Database, source_id: int, channel: Channel, pause: float, most: int | None) -> None:
    for look in range(most) if most else count():
        if look and pause:
            time.sleep(pause)
        _turns.stir(database, source_id)
        with database.write.begin() as session:
            rows = _claim_raws(session, source_id)
        if not rows:
            return
        try:
            _understand(database, channel, rows)
        except Exception as error:
            if is_passing(error):
                run_again(database, partial(_give_back, rows=rows))  # none of them is to blame
                continue
            if len(rows) > 1:
                continue  # each of them is tried alone from now on
            with database.write.begin() as session:
                _note_failure(session, rows[0].id, error)


def _claim_raws(session: Session, source_id: int) -> Sequence[Row[Any]]:
    """Rows of raw_item, to be read only; their attempts are counted already."""
    connection = session.connection()
    rows = connection.execute(_WAITING.where(_RAWS.c.attempts == 0).limit(BATCH), {"of": source_id}).all()
    if not rows:
        rows = connection.execute(_WAITING.limit(1), {"of": source_id}).all()
        if rows and rows[0].attempts >= MAX_ATTEMPTS:
            _set_aside(session, session.get_one(RawItem, rows[0].id))
            return _claim_raws(session, source_id)
    if rows:
        connection.execute(_TRIED.where(among(session, _RAWS.c.id, [row.id for row in rows])))
    return rows


def _give_back(session: Session, rows: Sequence[Row[Any]]) -> None:
    """The last try does not count: what came of it lay with the database."""
    session.connection().execute(_UNTRIED.where(among(session, _RAWS.c.id, [row.id for row in rows])))


def _set_aside(session: Session, row: RawItem) -> None:
    row.state, row.error = "quarantined", row.error or "the parser did not come back"
    record(session, "raw.quarantined", DESK, object_id=row.id, source_id=row.source_id)
    session.flush()


def _understand(database: Database, channel: Channel, rows: Sequence[Row[Any]]) -> None:
    said: list[tuple[Row[Any], list[Incoming]]] = []
    publications, records = [], []
    for row in rows:
        raw = Raw(row.kind, row.container, row.external_id, row.body)
        described = channel.publication(raw)
        if described is not None:
            publications.append(described)
        said.append((row, run_fetch(database, channel, row.source_id, channel.parse(raw))))
        records.extend(channel.records(raw))
    source_id = rows[0].source_id
    with database.write.begin() as session:
        made: list[Made] = []
        incoming: list[Incoming] = []
        older = beyond(session, session.get_one(Source, source_id), [(row.id, items) for row, items in said])
        for row, items in said:
            if row.id in older:
                continue
            known = join_twins(session, source_id, channel, items)
            made += strange(row, source_id, known)
            incoming += known
        incoming = take_dialogues(session, source_id, channel.kind, take_answers(session, incoming))
        incoming, reported = take_reports(session, incoming)
        store_messages(session, source_id, channel.kind, incoming, publications)
        for letter, place, message in reported:
            store_messages(session, place.id, place.platform, [message])
            row = next(row for row, items in said if letter in items)
            made += strange(row, place.id, [message])
        note_ties(session, made)
        if records:
            # Contracts and documents come with it, which a desk without such a platform need not load.
            from services.crm.school import note_records

            note_records(session, source_id, channel.kind, records)
        # A raw that changed meanwhile stays new: its digest is no longer the one that was understood.
        for statement, done in (
            (_PARSED, [r for r in rows if r.id not in older]),
            (_LEFT, [r for r in rows if r.id in older]),
        ):
            if done:
                given = rows_given(session, [{"raw_id": r.id, "understood": r.digest} for r in done])
                session.connection().execute(statement[session.get_bind().dialect.name], given)


def _note_failure(session: Session, raw_id: int, error: Exception) -> None:
    row = session.get_one(RawItem, raw_id)
    row.error = f"{type(error).__name__}: {error}"[:500]
    if row.attempts >= MAX_ATTEMPTS:
        _set_aside(session, row)
