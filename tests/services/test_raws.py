"""What platforms gave is kept packed, for its days, within its bounds."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from collectors.base import Raw
from models import RawItem, utc_now
from services.intake import store_raws
from services.raws import kept_bytes, run_trim

WORDS = "Здравствуйте, подскажите, пожалуйста, когда начнётся следующий поток по испанскому? "
GB = 2**30


@pytest.fixture
def keep(cast, database):
    def _keep(number: int, body: bytes, state: str = "parsed", age: int = 0) -> None:
        with database.write.begin() as session:
            store_raws(session, cast.source_id, (Raw("comment", "17", f"r{number}", body),))
            session.flush()
            row = session.scalars(select(RawItem).where(RawItem.external_id == f"r{number}")).one()
            row.state, row.received_at = state, utc_now() - timedelta(days=age)

    return _keep


def bodies(database) -> dict[str, bytes]:
    with database.read.begin() as session:
        return {row.external_id: row.body for row in session.scalars(select(RawItem))}


def test_a_body_lies_packed_and_comes_back_whole(database, keep) -> None:
    long, short = (WORDS * 20).encode(), b'{"text":"?"}'
    keep(1, long)
    keep(2, short)
    assert bodies(database) == {"r1": long, "r2": short}
    with database.read.begin() as session:
        assert kept_bytes(session) < len(long) / 5


@pytest.mark.parametrize("body", [b"\x00z1", b"\x00z1" + bytes(range(256))])
def test_a_body_that_begins_like_a_packed_one(database, keep, body) -> None:
    keep(1, body)
    assert bodies(database) == {"r1": body}


def test_what_was_stored_plain_is_still_read(database, keep) -> None:
    keep(1, b"x")
    plain = (WORDS * 9).encode()
    with database.write.begin() as session:
        session.execute(text("UPDATE raw_item SET body = :body"), {"body": plain})
    assert bodies(database) == {"r1": plain}


def test_days_and_quarantine(database, keep) -> None:
    keep(1, b"young", age=29)
    keep(2, b"old", age=31)
    keep(3, b"unread", "quarantined", age=89)
    keep(4, b"never read", "quarantined", age=91)
    keep(5, b"waits", "new", age=400)
    assert run_trim(database, days=30, quarantine_days=90, most_bytes=GB) == {"old": 1, "quarantined": 1, "size": 0}
    assert {name for name, body in bodies(database).items() if not body} == {"r2", "r4"}
    with database.read.begin() as session:
        states = {row.external_id: row.state for row in session.scalars(select(RawItem))}
        assert (states["r3"], states["r4"]) == ("quarantined", "parsed")


def test_the_oldest_goes_first_when_there_is_too_much(database, keep, monkeypatch) -> None:
    monkeypatch.setattr("services.raws.PIECE", 1)
    for number in range(4):
        keep(number, bytes([65 + number]) * 100, age=10 - number)
    keep(9, b"q" * 100, "quarantined", age=20)
    assert run_trim(database, days=30, quarantine_days=90, most_bytes=320)["size"] == 2
    assert {name for name, body in bodies(database).items() if not body} == {"r0", "r1"}
    assert run_trim(database, days=30, quarantine_days=90, most_bytes=0)["size"] == 2, "what is unread stays"


def test_a_known_digest_is_not_stored_again(cast, database, keep) -> None:
    keep(1, b"old", age=40)
    run_trim(database, days=30, quarantine_days=90, most_bytes=GB)
    with database.write.begin() as session:
        assert store_raws(session, cast.source_id, (Raw("comment", "17", "r1", b"old"),)) == 0
