"""The training school's broadcasts: filled once, heard at once, and seen by everybody who may."""

from sqlalchemy import func, select

from models import Broadcast, BroadcastIncident, BroadcastQuestion, Message
from services.broadcasts.examples import HEARD_SECONDS, run_examples
from services.broadcasts.lifting import run_lift
from services.broadcasts.recordings import read_recording
from services.broadcasts.tapes import run_tapes
from services.training import seed_people
from tests.services.test_cases import Table


def test_a_newcomer_sees_a_filled_desk(database) -> None:
    with database.write.begin() as session:
        seed_people(session)
    assert run_examples(database)
    assert not run_examples(database)
    assert run_tapes(database) > 70
    run_lift(database, Table())
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Message)) > 70
        assert session.scalar(select(func.count()).select_from(BroadcastQuestion)) > 15
        assert session.scalars(select(BroadcastIncident.kind)).all() == ["sound"]
        states = sorted(session.scalars(select(Broadcast.state)))
        assert states == ["duty", "duty", "live", "planned"]


def test_the_recording_is_long_enough_and_alive() -> None:
    from services.broadcasts.examples import RECORDING

    form, lines = read_recording(RECORDING.name, RECORDING.read_bytes())
    assert form == "csv"
    assert len(lines) >= 200
    assert len({line.text for line in lines}) > 0.9 * len(lines)
    assert {line.platform for line in lines} == {"youtube", "vk", "telegram"}
    assert lines[-1].second > 3000 > HEARD_SECONDS
