"""What the limits of a platform keep waiting says when it goes, and many never keep one from going."""

import itertools
import secrets
import threading
import time
from datetime import timedelta

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from benchmarks import storm
from collectors import CHANNELS
from collectors.base import ChannelError
from models import Act, Case, utc_now
from services import sending
from services.bulks import begin_bulk, run_bulk
from services.outbox import MASS, MAX_ATTEMPTS, channel_act, claim_act
from services.outcomes import record_error
from services.pacing import Forecast, forecasts
from services.replies import write_reply
from services.sending import Lanes

NOW = utc_now()


def add(session, source_id: int, container: str = "-100", **values) -> Act:
    act = Act(
        kind="reply", source_id=source_id, token=secrets.token_hex(16), text="Ответ",
        target={"container": container}, **{"due_at": NOW - timedelta(seconds=1), **values},
    )  # fmt: skip
    session.add(act)
    session.flush()
    return act


@pytest.fixture
def telegram(database, cast) -> int:
    with database.write.begin() as session:
        return cast.add_source(session, "telegram", base_url="http://127.0.0.1:9/").id


def told(database, acts=None) -> list[tuple[int, int] | None]:
    """(seconds from now, acts before it) of each act, None where there is nothing to say."""
    with database.read.begin() as session:
        rows = list(session.scalars(select(Act).order_by(Act.id)))
        found = forecasts(session, acts or rows, NOW)
        return [_brief(found.get(row.id)) for row in rows]


def _brief(forecast: Forecast | None) -> tuple[int, int] | None:
    return (round((forecast.at - NOW).total_seconds()), forecast.ahead) if forecast else None


def test_a_group_lets_twenty_a_minute_through(database, telegram) -> None:
    with database.write.begin() as session:
        for _ in range(5):
            add(session, telegram)
    assert told(database) == [None, None, (6, 2), (9, 3), (12, 4)]


def test_each_chat_has_a_queue_of_its_own_and_an_account_one_for_all(database, cast, telegram) -> None:
    with database.write.begin() as session:
        for _ in range(3):
            add(session, telegram)
        add(session, telegram, "5")
        for number in range(20):
            add(session, cast.source_id, str(number))
    found = told(database)
    assert found[2:4] == [(6, 2), None]
    assert found[-1] == (6, 19)  # a blog's posts share the blog's limit


def test_a_single_reply_stands_before_a_mass_answer_that_came_first(database, telegram) -> None:
    with database.write.begin() as session:
        for _ in range(10):
            add(session, telegram, priority=MASS)
        add(session, telegram)
    found = told(database)
    assert found[-1] is None
    assert found[0] is None  # three seconds are not worth a word
    assert found[1] == (6, 2)


def test_what_is_on_its_way_goes_first(database, telegram) -> None:
    with database.write.begin() as session:
        add(session, telegram, state="sending")
        add(session, telegram, due_at=NOW - timedelta(hours=1))
        add(session, telegram)
    assert told(database) == [None, None, (6, 2)]


def test_a_time_that_the_platform_named_is_said(database, telegram) -> None:
    later = NOW + timedelta(minutes=7)
    with database.write.begin() as session:
        add(session, telegram, state="retry", due_at=later, error_code="rate")
        add(session, telegram, due_at=later)
    with database.read.begin() as session:
        found = forecasts(session, list(session.scalars(select(Act))), NOW)
        assert [(one.told, one.at >= later) for one in found.values()] == [(True, True)] * 2


def test_time_for_undo_and_an_hour_of_its_own_are_no_queue(database, telegram) -> None:
    with database.write.begin() as session:
        add(session, telegram, state="held", due_at=NOW + timedelta(seconds=60))
        add(session, telegram, state="held", due_at=NOW + timedelta(days=1))
        add(session, telegram, state="review")
        add(session, telegram, state="approval")
    assert told(database) == [None] * 4


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from((0, MASS)), st.integers(-300, 300)), min_size=1, max_size=30))
def test_forecasts_are_in_the_order_in_which_acts_are_claimed(rows) -> None:
    """Of those that are due now; each is as far from the one before it as the platform asks."""
    from services.pacing import _walk

    queue = [
        Act(id=number, state="queued", priority=priority, due_at=NOW + timedelta(seconds=due), target={})
        for number, (priority, due) in enumerate(rows, 1)
    ]
    queue.sort(key=lambda act: (act.priority, act.due_at, act.id))
    found = _walk(queue, 10, {act.id for act in queue}, NOW)
    due = [act for act in queue if act.due_at <= NOW]
    assert [found[act.id].ahead for act in due[1:]] == list(range(1, len(due)))
    assert all(found[act.id].at >= max(NOW, act.due_at) for act in queue if act.id in found)
    times = sorted(one.at for one in found.values())
    assert all(b - a >= timedelta(seconds=10) for a, b in itertools.pairwise(times))


# A mass answer never starves a single one


def test_one_text_for_many_goes_after_what_is_written_singly(database, cast) -> None:
    for name in ("Анна Яр", "Борис Лунин", "Вера Ким"):
        cast.write("Когда вебинар?", author=name)
    with database.write.begin() as session:
        ids = list(session.scalars(select(Case.id).order_by(Case.id)))
        begin_bulk(session, cast.smm, "answer", {"text": "В среду"}, ids[:2])
    run_bulk(database)
    with database.write.begin() as session:
        session.execute(update(Act).values(due_at=NOW - timedelta(hours=1)))
        write_reply(session, cast.smm, ids[2], "В среду, Вера", "f1", undo_seconds=0)
    with database.write.begin() as session:
        order = [claim_act(session, now=utc_now() + timedelta(minutes=1)) for _ in range(3)]
        assert [act.case_id for act in order] == [ids[2], ids[0], ids[1]]
        assert [channel_act(act).mass for act in order] == [False, True, True]


def test_when_the_share_of_mass_answers_is_spent_single_ones_go_on(database, telegram) -> None:
    with database.write.begin() as session:
        for _ in range(3):
            add(session, telegram, priority=MASS)
    with database.write.begin() as session:
        act = claim_act(session)
    with database.write.begin() as session:
        record_error(session, act, ChannelError("kept", code="share", retry_after=3600))
        single = add(session, telegram)
    with database.write.begin() as session:
        assert claim_act(session).id == single.id
        assert claim_act(session) is None


def test_too_often_is_never_the_end_of_an_act(database, telegram) -> None:
    """A platform may ask to wait all day: nothing is wrong with the reply."""
    with database.write.begin() as session:
        add(session, telegram, attempt=MAX_ATTEMPTS + 5)
    for code, state in (("rate", "retry"), ("quota", "retry"), ("share", "retry"), ("server", "dead")):
        with database.write.begin() as session:
            session.execute(update(Act).values(state="queued", due_at=NOW - timedelta(hours=1)))
        with database.write.begin() as session:
            act = claim_act(session)
        with database.write.begin() as session:
            record_error(session, act, ChannelError("no", code=code, retry_after=1))
            assert session.scalars(select(Act.state)).one() == state


@pytest.fixture
def wire():
    with respx.mock() as router:
        yield router
    for name in [name for name in CHANNELS if name.startswith("storm_")]:
        del CHANNELS[name]


def taken_slowly(_request: httpx.Request) -> httpx.Response:
    time.sleep(0.1)
    return httpx.Response(200, json={"id": secrets.token_hex(4)})


def test_mass_answers_do_not_hold_all_lanes(database, wire, monkeypatch) -> None:
    """More slow places than lanes: a single reply elsewhere waits for one turn, not for two hundred acts."""
    monkeypatch.setattr(sending, "LANES", 2)
    monkeypatch.setattr(sending, "TURN_SECONDS", 0.3)
    storm.register()
    slow = storm.add_places(database, "list", "http://slow.example", 2)
    [quick] = storm.add_places(database, "list", "http://quick.example")
    with database.write.begin() as session:
        for place in slow:
            for _ in range(60):
                add(session, place, priority=MASS)
        single = add(session, quick, due_at=utc_now()).id
    wire.post("http://slow.example/posts").mock(side_effect=taken_slowly)
    wire.post("http://quick.example/posts").mock(return_value=httpx.Response(200, json={"id": "1"}))
    lanes = Lanes(database, storm.open_channel)
    ended = threading.Event()
    starter = threading.Thread(target=lambda: [lanes.start() for _ in range(400) if not ended.wait(0.05)])
    starter.start()
    try:
        until, state = time.monotonic() + 10, None
        while state != "accepted" and time.monotonic() < until:
            time.sleep(0.05)
            with database.read.begin() as session:
                state = session.get_one(Act, single).state
        assert state == "accepted"
        with database.read.begin() as session:
            left = select(Act.id).where(Act.source_id.in_(slow), Act.state == "queued")
            assert len(session.scalars(left).all()) > 60  # they were far from their end
    finally:
        ended.set()
        starter.join()
        lanes.stop()
