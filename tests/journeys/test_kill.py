"""Whoever kills the desk at any moment and starts it again finds nothing lost and nothing double."""

import contextlib
import random
import time

import httpx
import pytest
from sqlalchemy import func, select

from models import Act, Case, Message
from models.database import Database, open_database
from services.accounts import find_by_email
from services.replies import write_reply
from services.rights import actor_of
from tests.journeys.conftest import start_desk

KILLS = 5


def opened(folder) -> Database:
    return open_database(f"sqlite:///{folder / 'var' / 'sandbox' / 'otklik.db'}")


def answer_some(folder, count: int) -> None:
    """Staff answer what waits on YouTube and on the blog, where silence can be proven."""
    database = opened(folder)
    with database.write.begin() as session:
        smm = actor_of(find_by_email(session, "smm@school.example"))
        cases = session.scalars(
            select(Case)
            .where(Case.stage.in_(("new", "work")), Case.number.is_not(None), Case.first_reply_at.is_(None))
            .where(~select(Act.id).where(Act.case_id == Case.id).exists())
        )  # fmt: skip
        from models import Source

        places = {row.id: row.platform for row in session.scalars(select(Source))}
        chosen = [case for case in cases if places[case.source_id] in ("youtube", "wordpress")][:count]
        for case in chosen:
            write_reply(
                session, smm, case.id, f"Ответ на {case.number}", f"k{case.id}", undo_seconds=0, then="keep"
            )
    database.engine.dispose()


@pytest.mark.timeout(240)
def test_kills_while_replies_go_out(tmp_path, trained) -> None:
    rolled = random.Random(20261125)
    desk = start_desk(tmp_path, trained=trained)
    try:
        _wait(lambda: _count(tmp_path, Message) > 150)
        for _ in range(KILLS):
            answer_some(tmp_path, 6)
            time.sleep(rolled.uniform(0.2, 2.0))
            desk.process.kill()
            desk.process.wait()
            desk = start_desk(tmp_path)
        _wait(lambda: not _unsettled(tmp_path), 150)
        truth = httpx.get(f"{desk.sandbox}/_sandbox/truth", trust_env=False).json()
        ours = [item for item in truth if item["text"].startswith("Ответ на ОБ-")]
        texts = [item["text"] for item in ours]
        assert len(texts) == len(set(texts)), "sent twice"
        assert len(texts) == _count(tmp_path, Act), "lost"
        # A bot never hears its own words, and a feed, a form or a call has another id on its own side.
        standing = {(i["platform"], i["external_id"]) for i in truth if i["platform"] not in OTHERWISE}
        with contextlib.suppress(AssertionError):
            _wait(lambda: _stored(tmp_path) >= standing)
        assert standing - _stored(tmp_path) == set()
    finally:
        desk.stop()


OTHERWISE = ("telegram", "feed", "form", "calls")


def _stored(folder) -> set[tuple[str, str]]:
    from models import Source

    database = opened(folder)
    with database.read.begin() as session:
        rows = session.execute(
            select(Source.platform, Message.external_id).join(Source, Source.id == Message.source_id)
        )
        found = {(row[0], row[1]) for row in rows}
    database.engine.dispose()
    return found


def _count(folder, table) -> int:
    database = opened(folder)
    with database.read.begin() as session:
        count = session.scalar(select(func.count()).select_from(table)) or 0
    database.engine.dispose()
    return count


def _unsettled(folder) -> int:
    database = opened(folder)
    with database.read.begin() as session:
        waiting = Act.state.in_(("held", "queued", "sending", "retry", "unknown"))
        count = session.scalar(select(func.count()).select_from(Act).where(waiting)) or 0
    database.engine.dispose()
    return count


def _wait(true, seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.5)
