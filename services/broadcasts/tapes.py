"""Replay: a recorded chat runs the whole desk at ×1 to ×60, or comes in at once."""

import json
from collections.abc import Sequence
from dataclasses import astuple
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from collectors.base import Incoming, Person, Publication
from models import Broadcast, BroadcastPlace, Source, Tape, utc_now
from models.database import Database
from services.broadcasts.airing import go_live
from services.broadcasts.recordings import Line, read_recording
from services.broadcasts.schedule import get_broadcast
from services.broadcasts.states import WATCH
from services.broadcasts.stream import tape_second
from services.errors import NotFound, Refused
from services.events import record
from services.messages import store_messages
from services.rights import DESK, Actor, require

SPEEDS = (1, 2, 5, 10, 20, 60)
AT_ONCE = 0
PLATFORM = "room"
BATCH = 300
SOURCE_TITLE = "Записи чатов"


def add_tape(session: Session, actor: Actor, broadcast_id: int, name: str, content: bytes) -> Tape:
    """A file for a broadcast; raises Refused(tape.…) for one that cannot be read."""
    require(actor, WATCH)
    row = get_broadcast(session, actor, broadcast_id, hold=True)
    if row.state in ("moved", "cancelled"):
        raise Refused("broadcast.state", state=row.state, to="live")
    form, lines = read_recording(name, content)
    source = _source(session)
    publication = f"tape-{row.id}"
    known = select(BroadcastPlace.id).where(
        BroadcastPlace.source_id == source.id, BroadcastPlace.publication == publication
    )
    if session.scalar(known) is None:
        session.add(
            BroadcastPlace(
                broadcast_id=row.id, platform=PLATFORM, source_id=source.id, publication=publication, url=""
            )
        )
    tape = Tape(
        broadcast_id=row.id, source_id=source.id, name=name[:200], form=form, count=len(lines),
        seconds=lines[-1].second, lines=json.dumps([astuple(line) for line in lines], ensure_ascii=False).encode(),
    )  # fmt: skip
    session.add(tape)
    session.flush()
    record(session, "tape.added", actor, object_id=row.id, tape=tape.id, count=tape.count)
    return tape


def _source(session: Session) -> Source:
    """The place under which recordings stand; it is read by nobody."""
    found = session.scalar(select(Source).join(Tape, Tape.source_id == Source.id).order_by(Tape.id).limit(1))
    if found is None:
        found = Source(platform=PLATFORM, title=SOURCE_TITLE, every_seconds=24 * 3600, backfilled_at=utc_now())
        session.add(found)
        session.flush()
    return found


def play(session: Session, actor: Actor, tape_id: int, speed: int, from_second: int | None = None) -> Tape:
    """Starts, goes on, or changes the speed; ``speed`` 0 takes in all that is left at once."""
    require(actor, WATCH)
    tape = _held(session, tape_id)
    if speed not in (*SPEEDS, AT_ONCE):
        raise Refused("tape.speed")
    now = utc_now()
    row = session.get_one(Broadcast, tape.broadcast_id)
    if tape.state == "done":
        raise Refused("tape.done")
    tape.clock_second = float(from_second) if from_second is not None else float(tape_second(tape, now))
    tape.state, tape.clock_at = "running", now
    tape.speed = float(speed) if speed else 1e9
    go_live(session, actor, row, now)
    record(session, "tape.playing", actor, object_id=row.id, tape=tape.id, speed=speed)
    return tape


def pause(session: Session, actor: Actor, tape_id: int) -> Tape:
    require(actor, WATCH)
    tape = _held(session, tape_id)
    if tape.state == "running":
        tape.clock_second, tape.state = float(tape_second(tape, utc_now())), "paused"
        record(session, "tape.paused", actor, object_id=tape.broadcast_id, tape=tape.id)
    return tape


def _held(session: Session, tape_id: int) -> Tape:
    tape = session.get(Tape, tape_id, with_for_update=True)
    if tape is None:
        raise NotFound("tape.unknown", id=tape_id)
    return tape


def run_tapes(database: Database, now: datetime | None = None) -> int:
    """Says what is due of every running recording, piece by piece; returns how many messages."""
    with database.read.begin() as session:
        running = list(session.scalars(select(Tape.id).where(Tape.state == "running")))
    done = 0
    for tape_id in running:
        while True:
            with database.write.begin() as session:
                said = _say(session, tape_id, now or utc_now())
            done += said
            if said < BATCH:
                break
    return done


def _say(session: Session, tape_id: int, now: datetime) -> int:
    """The claim, the messages and how far it came are one transaction: nothing is said twice or left out."""
    tape = session.scalar(select(Tape).where(Tape.id == tape_id, Tape.state == "running").with_for_update())
    if tape is None:
        return 0
    at = tape_second(tape, now)
    lines = [Line(*one) for one in json.loads(tape.lines)]
    due = [line for line in lines[tape.place : tape.place + BATCH] if line.second <= at]
    place = tape.place + len(due)
    moved = session.execute(
        update(Tape).where(Tape.id == tape.id, Tape.place == tape.place, Tape.state == "running")
        .values(place=place).execution_options(synchronize_session=False)
    )  # fmt: skip
    if not moved.rowcount:  # type: ignore[attr-defined]
        return 0
    session.refresh(tape, ["place"])
    if due:
        row = session.get_one(Broadcast, tape.broadcast_id)
        store_messages(session, tape.source_id, PLATFORM, [_incoming(row, tape, line, now) for line in due])
    if place >= tape.count and at >= tape.seconds:
        tape.state, tape.clock_second = "done", float(tape.seconds)
        record(session, "tape.done", DESK, object_id=tape.broadcast_id, tape=tape.id)
    return len(due)


def _incoming(row: Broadcast, tape: Tape, line: Line, now: datetime) -> Incoming:
    publication = f"tape-{row.id}"
    return Incoming(
        container=publication, external_id=line.key, text=line.text, published_at=now,
        author=Person(f"tape:{line.author or line.key}", line.author or "…"),
        publication=Publication(publication, "broadcast", row.title), publication_external_id=publication,
        thread=line.key, quiet=True,
        context={"second": str(line.second), "platform": line.platform},
    )  # fmt: skip


def tapes_of(session: Session, broadcast_id: int) -> Sequence[Tape]:
    return list(session.scalars(select(Tape).where(Tape.broadcast_id == broadcast_id).order_by(Tape.id)))
