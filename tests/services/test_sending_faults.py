"""A sender that is told to stop, and a clock that jumps: nothing is sent twice, nothing is left in between."""

import os
import random
import signal
import time
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from sqlalchemy import func, select

from benchmarks import storm
from benchmarks.children import child
from cli.ending import Ending
from collectors import CHANNELS
from collectors.mail import smtp
from models import Act, Source, utc_now
from models.database import open_database
from services.leases import astray
from services.outbox import LEASE_SECONDS, channel_act, claim_act
from services.sending import Lanes, run_outbox
from tests.collectors.mail_platform import US, MailPlatform

# A rolling restart a round; `test --deep` makes a hundred.
ROUNDS = max(3, int(os.environ.get("OTKLIK_KILLS", "10")) // 3)
EACH = 6


@pytest.fixture
def platform():
    storm.register()
    with storm.liar(honest=True) as url:
        yield url
    for name in [name for name in CHANNELS if name.startswith("storm_")]:
        del CHANNELS[name]


def _send_until_told(url: str) -> None:
    """What the scheduler does: ticks, and at SIGTERM lets the calls that are under way end."""
    ending = Ending()
    lanes = Lanes(open_database(url), storm.open_channel)
    while not ending.wait(0.005):
        lanes.start()
    lanes.stop()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["list", "none"])
def test_a_sender_that_is_told_to_stop_leaves_nothing_in_between(database, platform, kind) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    places, rolled = storm.add_places(database, kind, platform, 2), random.Random(storm.SEED)
    for _ in range(ROUNDS):
        storm.add_acts(database, places, EACH)
        database.engine.dispose()
        with child(partial(_send_until_told, url)) as sender:
            time.sleep(0.05 + rolled.uniform(0, 0.15))
            began = time.monotonic()
            os.kill(sender, signal.SIGTERM)
            _, status = os.waitpid(sender, 0)
        # Told before it listens, it ends by the signal itself: it has claimed nothing yet.
        assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGTERM)
        assert time.monotonic() - began < 30
        with database.read.begin() as session:
            between = select(func.count()).select_from(Act).where(Act.state.in_(("sending", "unknown")))
            assert session.scalar(between) == 0
    run_outbox(database, storm.open_channel)
    assert storm.judge(database, platform) == storm.Outcome(ROUNDS * EACH, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
def test_a_clock_that_jumps_after_the_call_sends_nothing_again(database, platform, hours) -> None:
    """The platform has taken the reply, its answer was lost with the sender; then somebody sets the clock."""
    [place] = storm.add_places(database, "list", platform)
    storm.add_acts(database, [place], 1)
    with database.write.begin() as session:
        act = claim_act(session)
        source = session.get_one(Source, place)
    assert act is not None
    channel = storm.open_channel(source)
    channel.act(channel_act(act))
    channel.close()
    with time_machine.travel(utc_now() + timedelta(hours=hours)):
        run_outbox(database, storm.open_channel)
    storm.hurry(database)
    storm.calm(database)
    told = storm.judge(database, platform)
    assert (told.acts, told.lost, told.doubled, told.reviews) == (1, 0, 0, 0)
    with database.read.begin() as session:
        assert session.scalars(select(Act.attempt)).one() == 1


@pytest.mark.parametrize("minutes", [-90, -2, 2, 90])
def test_a_machine_whose_clock_is_not_the_databases_sends_nothing(database, platform, minutes) -> None:
    """Of two machines one has another time: it takes no act, and says nothing of what the other is doing."""
    if database.is_sqlite:
        pytest.skip("a machine and its SQLite have one clock")
    [place] = storm.add_places(database, "list", platform)
    storm.add_acts(database, [place], 2)
    with database.write.begin() as session:
        assert claim_act(session) is not None  # the other machine is about to call
    with time_machine.travel(utc_now() + timedelta(minutes=minutes)):
        run_outbox(database, storm.open_channel)
        with database.read.begin() as session:
            off = astray(session)
            assert off is not None
            assert abs(off - timedelta(minutes=minutes)) < timedelta(seconds=30)
    with database.read.begin() as session:
        assert sorted(session.scalars(select(Act.state))) == ["queued", "sending"]
        assert astray(session) is None
    storm.hurry(database)
    storm.calm(database)
    told = storm.judge(database, platform)
    assert (told.acts, told.lost, told.doubled, told.reviews) == (2, 0, 0, 0)


def test_a_clock_set_back_keeps_no_lease_of_the_dead_for_a_day(database, platform) -> None:
    """What may still be under way is asked about after a whole lease and no sooner; then it goes once."""
    if not database.is_sqlite:
        pytest.skip("only the clock of the test is set back here, not the server's: see the test above")
    [place] = storm.add_places(database, "list", platform)
    storm.add_acts(database, [place], 1)
    with database.write.begin() as session:
        assert claim_act(session) is not None
    yesterday = utc_now() - timedelta(days=1)
    with time_machine.travel(yesterday) as clock:
        run_outbox(database, storm.open_channel)
        with database.read.begin() as session:
            act = session.scalars(select(Act)).one()
        assert act.state == "unknown"
        assert (act.due_at - yesterday).total_seconds() >= LEASE_SECONDS
        assert storm.judge(database, platform).lost == 1  # nothing has been sent yet, nobody was in a hurry
        clock.shift(timedelta(seconds=LEASE_SECONDS + 5))
        run_outbox(database, storm.open_channel)
    storm.hurry(database)
    storm.calm(database)
    told = storm.judge(database, platform)
    assert (told.acts, told.lost, told.doubled, told.reviews) == (1, 0, 0, 0)


@pytest.mark.parametrize(("step", "state"), [("rcpt", "retry"), ("dot", "unknown")])
def test_a_mail_server_that_drips_frees_the_sender(database, cast, monkeypatch, step, state) -> None:
    """Before the last dot the letter goes again, after it its outcome is unknown and it is not sent twice."""
    for name in ("TALK_SECONDS", "ACCEPT_SECONDS"):
        monkeypatch.setattr(smtp, name, 0.5)
    platform = MailPlatform()
    platform.smtp.drips = {step: b"2"}
    with database.write.begin() as session:
        source_id = cast.add_source(session, "mail", address=US).id
        target = {"container": "INBOX", "context": {"from": "client@home.test", "subject": "Доступ"}}
        session.add(Act(kind="reply", source_id=source_id, text="Ответ.", token="a" * 32, target=target))
    began = time.monotonic()
    try:
        run_outbox(database, lambda _source: platform.channel())
    finally:
        platform.stop()
    assert time.monotonic() - began < 10
    with database.read.begin() as session:
        act = session.scalars(select(Act)).one()
        assert (act.state, act.attempt, act.error_code) == (state, 1, "network")
    assert len(platform.smtp.taken) == (state == "unknown")
