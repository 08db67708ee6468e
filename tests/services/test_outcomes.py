"""What came of an act: late workers, ids that somebody else has, places that do not open, lookups that fail."""

import json
import time
from datetime import timedelta

import httpx
import pytest
import respx
from sqlalchemy import select, update

from benchmarks import storm
from collectors import CHANNELS
from collectors.base import ActKind, ChannelError, Person, Receipt, Sent
from models import Act, Case, Event, Message, Reply, Source, utc_now
from services import sending
from services.errors import NotFound
from services.messages import mark_absent
from services.outbox import claim_act
from services.outcomes import join_own, mark_removed, match_own, record_error, record_receipt
from services.replies import change_published, moderate, write_reply
from services.sending import Lanes, run_outbox, sweep_leases

BASE = "http://platform.example"


@pytest.fixture(autouse=True)
def channels():
    storm.register()
    yield
    for name in [name for name in CHANNELS if name.startswith("storm_")]:
        del CHANNELS[name]


@pytest.fixture
def wire():
    """The platform as the channel hears it: it takes everything, and lists nothing of its own."""
    ids = iter(range(1, 1000))
    with respx.mock(base_url=BASE, assert_all_called=False) as router:
        router.post("/posts", name="take").mock(
            side_effect=lambda _: httpx.Response(200, json={"id": f"{next(ids)}"})
        )
        router.get("/posts", name="list").mock(return_value=httpx.Response(200, json=[]))
        yield router


def queue(database, kind: str = "list", count: int = 1, **values) -> list[int]:
    with database.write.begin() as session:
        place = session.scalar(select(Source.id).where(Source.platform == f"storm_{kind}"))
    place = place or storm.add_places(database, kind, BASE)[0]
    storm.add_acts(database, [place], count)
    with database.write.begin() as session:
        ids = list(
            session.scalars(select(Act.id).where(Act.source_id == place).order_by(Act.id.desc()).limit(count))
        )
        if values:
            session.execute(update(Act).where(Act.id.in_(ids)).values(**values))
    return ids[::-1]


def get(database, act_id: int) -> Act:
    with database.read.begin() as session:
        return session.get_one(Act, act_id)


def claim(database) -> Act:
    with database.write.begin() as session:
        act = claim_act(session)
    assert act is not None
    return act


def events(database, act_id: int) -> list[str]:
    with database.read.begin() as session:
        return list(session.scalars(select(Event.kind).where(Event.object_id == act_id).order_by(Event.id)))


# A late worker


def test_a_late_worker_writes_nothing(database) -> None:
    """Its lease is over and somebody else has tried since: neither its receipt nor its error is the act's."""
    [act_id] = queue(database)
    late = claim(database)
    with database.write.begin() as session:
        session.execute(update(Act).values(lease_until=utc_now() - timedelta(seconds=1)))
        sweep_leases(session)
        session.execute(update(Act).values(state="sending", attempt=late.attempt + 1))
    for told in (
        lambda s: record_receipt(s, late, Receipt("77")),
        lambda s: record_error(s, late, ChannelError("no", code="invalid", permanent=True)),
        lambda s: record_error(s, late, ChannelError("?", sent=Sent.UNKNOWN)),
    ):
        with database.write.begin() as session:
            told(session)
        act = get(database, act_id)
        assert (act.state, act.external_id, act.error_code) == ("sending", None, "network")
    assert events(database, act_id) == ["act.sending", "act.unknown"]


@pytest.mark.parametrize("state", ["accepted", "dead", "review", "retry", "cancelled", "seen"])
def test_an_error_never_changes_what_was_decided_meanwhile(database, state) -> None:
    [act_id] = queue(database)
    late = claim(database)
    with database.write.begin() as session:
        session.execute(update(Act).values(state=state))
        record_error(session, late, ChannelError("?", sent=Sent.UNKNOWN))
    assert get(database, act_id).state == state


def test_a_worker_whose_lease_is_over_does_not_call(database, wire, monkeypatch) -> None:
    """By either clock: one goes on while the process is stopped, the other while the machine sleeps."""
    [act_id] = queue(database)
    lanes = Lanes(database, storm.open_channel)
    act = claim(database)
    channel = storm.open_channel(get_source(database, act.source_id))
    assert lanes._call(channel, act, time.monotonic() - sending.LEASE_SECONDS) is None
    act.lease_until = utc_now() - timedelta(seconds=1)
    assert lanes._call(channel, act, time.monotonic()) is None
    channel.close()
    assert not wire["take"].called
    # And what it finds is left to whoever looks for leases that are over.
    monkeypatch.setattr(Lanes, "_call", lambda *_: None)
    with database.write.begin() as session:
        session.execute(update(Act).values(state="queued", attempt=0, lease_until=None))
    run_outbox(database, storm.open_channel)
    assert (get(database, act_id).state, get(database, act_id).attempt) == ("sending", 1)


def get_source(database, source_id: int) -> Source:
    with database.read.begin() as session:
        return session.get_one(Source, source_id)


# Our own words come home


@pytest.fixture
def replied(database, cast) -> Act:
    """A reply on its way to a blog."""
    cast.write("Когда вебинар?", external_id="900")
    with database.write.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
        write_reply(session, cast.smm, case_id, "В среду", "f1", undo_seconds=0)
    return claim(database)


def ours(cast, text: str, **values):
    return cast.incoming(text, external_id="901", author=Person("us", "Школа", is_us=True), **values)


def test_a_receipt_for_what_the_collector_has_stored_already_is_seen_at_once(database, cast, replied) -> None:
    cast.store(ours(cast, "В среду (так её показала площадка)"))
    with database.write.begin() as session:
        record_receipt(session, replied, Receipt("901", container="17"))
        act, message = (
            session.get_one(Act, replied.id),
            session.scalars(select(Message).where(Message.act_id > 0)).one(),
        )
        assert (act.state, message.external_id) == ("seen", "901")


def test_our_reply_met_again_stays_seen_and_keeps_its_first_sight(database, cast, replied) -> None:
    with database.write.begin() as session:
        record_receipt(session, replied, Receipt("901", container="17"))
    cast.store(ours(cast, "В среду"))
    first = get(database, replied.id).seen_at
    with database.write.begin() as session:
        again = list(session.scalars(select(Message).where(Message.external_id == "901")))
        join_own(session, match_own(session, again))
    cast.store(ours(cast, "В среду, в 19:00"))
    act = get(database, replied.id)
    assert (act.state, act.seen_at) == ("seen", first)
    assert events(database, replied.id).count("act.removed") == 0


def test_what_is_gone_from_the_platform_is_removed_once(database, cast, replied) -> None:
    with database.write.begin() as session:
        record_receipt(session, replied, Receipt("901", container="17"))
    cast.store(ours(cast, "В среду"))
    for _ in range(2):
        with database.write.begin() as session:
            mark_absent(session, replied.source_id, {"17": frozenset({"900"})}, since=utc_now(), own_too=True)
            mark_removed(session, session.get_one(Act, replied.id))
    assert get(database, replied.id).state == "removed"
    assert events(database, replied.id).count("act.removed") == 1


def test_a_message_that_no_reply_belongs_to_is_edited_all_the_same(database, cast, replied) -> None:
    """Written before an import, say: there is an act, and no reply of ours to change."""
    with database.write.begin() as session:
        record_receipt(session, replied, Receipt("901", container="17"))
        session.get_one(Act, replied.id).reply_id = None
    with database.write.begin() as session:
        change_published(session, cast.smm, replied.id, "e1", text="В четверг", undo_seconds=0)
    edit = claim(database)
    with database.write.begin() as session:
        record_receipt(session, edit, Receipt("901"))
        assert session.scalars(select(Reply.text)).one() == "В среду"
    assert get(database, edit.id).state == "accepted"
    assert "act.edited" in events(database, replied.id)


def test_a_like_takes_nobodys_id(database, cast, replied) -> None:
    """It bears the id of what is liked, which may be a reply's own."""
    with database.write.begin() as session:
        session.get_one(Source, replied.source_id).platform = "vk"
        message_id = session.scalars(select(Message.id)).one()
        record_receipt(session, replied, Receipt("901", container="17"))
        moderate(session, cast.smm, message_id, ActKind.LIKE)
    like = claim(database)
    with database.write.begin() as session:
        record_receipt(session, like, Receipt("901", container="17"))
    assert (get(database, like.id).state, get(database, like.id).external_id) == ("accepted", None)


# Too often


@pytest.mark.parametrize(("platform", "held"), [("telegram", [True, False]), ("wordpress", [True, True])])
def test_too_often_speaks_of_the_chat_or_of_the_account(database, cast, platform, held) -> None:
    with database.write.begin() as session:
        place = cast.add_source(session, platform).id
    storm.add_acts(database, [place], 3)
    with database.write.begin() as session:
        first, same, other = session.scalars(select(Act).order_by(Act.id))
        first.target, same.target, other.target = {"container": "1"}, {"container": "1"}, {"container": "2"}
    act = claim(database)
    with database.write.begin() as session:
        record_error(session, act, ChannelError("slow", code="rate", retry_after=60))
        later = utc_now() + timedelta(seconds=30)
        assert [session.get_one(Act, one.id).due_at > later for one in (same, other)] == held


# Lanes


def test_a_mistake_of_ours_in_the_call_leaves_an_act_to_be_looked_up(database, wire) -> None:
    changes: list[int] = []
    [act_id] = queue(database)
    wire["take"].mock(side_effect=ZeroDivisionError)
    lanes = Lanes(database, storm.open_channel, lambda: changes.append(1))
    assert [lane.result() for lane in lanes.start()] == [0]
    assert (get(database, act_id).state, changes) == ("sending", [])
    storm.hurry(database)
    wire["list"].mock(return_value=httpx.Response(200, json=[]))
    assert sum(lane.result() for lane in lanes.start()) == 1
    lanes.stop()
    assert "act.unknown" in events(database, act_id)
    assert changes == [1]


def test_a_lane_with_nothing_left_to_do_opens_no_channel(database) -> None:
    [act_id] = queue(database)
    claim(database)
    lanes = Lanes(database, lambda source: pytest.fail("opened"))
    assert lanes._lane(get(database, act_id).source_id) == 0
    lanes.stop()


def test_a_place_that_does_not_open_keeps_what_waits_and_goes_on_asking_about_the_rest(database) -> None:
    waits, unknown = queue(database, count=2)

    def shut(source: Source):
        raise errors[-1]

    errors: list[Exception] = []
    for error, code in (
        (ChannelError("no proxy", code="address"), "address"),
        (NotFound("source.secrets"), "settings"),
    ):
        errors.append(error)
        with database.write.begin() as session:
            session.execute(update(Act).values(due_at=utc_now()))
        run_outbox(database, shut)
        assert (get(database, waits).state, get(database, waits).error_code) == ("retry", code)
    with database.write.begin() as session:
        session.execute(update(Act).values(state="cancelled"))
        session.execute(update(Act).where(Act.id == unknown).values(state="unknown", attempt=1, due_at=utc_now()))
    run_outbox(database, shut)
    assert get(database, unknown).state == "unknown"
    assert get(database, unknown).due_at > utc_now() + timedelta(seconds=10)


@pytest.mark.parametrize(
    "failing", [{"return_value": httpx.Response(500, text="<html>")}, {"side_effect": httpx.ReadError}]
)
def test_a_lookup_that_fails_is_made_again_and_after_an_hour_a_person_is_asked(database, wire, failing) -> None:
    [act_id] = queue(database, state="unknown", attempt=1, attempted_at=utc_now())
    wire["list"].mock(**failing)
    run_outbox(database, storm.open_channel)
    assert get(database, act_id).state == "unknown"
    with database.write.begin() as session:
        long_ago = utc_now() - timedelta(minutes=61)
        session.execute(update(Act).values(due_at=utc_now(), attempted_at=long_ago))
    run_outbox(database, storm.open_channel)
    assert get(database, act_id).state == "review"


def test_what_was_settled_while_the_platform_was_asked_is_left_alone(database, wire) -> None:
    """The collector met it meanwhile; «absent» comes too late, and so does an error."""
    for answer in (httpx.Response(200, json=[]), httpx.Response(500)):
        [act_id] = queue(database, state="unknown", attempt=1, attempted_at=utc_now() - timedelta(hours=2))

        def meanwhile(_request: httpx.Request, answer=answer, act_id=act_id) -> httpx.Response:
            with database.write.begin() as session:
                session.get_one(Act, act_id).state = "seen"
            return answer

        wire["list"].mock(side_effect=meanwhile)
        run_outbox(database, storm.open_channel)
        assert get(database, act_id).state == "seen"


def test_a_stopping_desk_begins_nothing_more(database, wire) -> None:
    sends = queue(database, count=3)
    lanes = Lanes(database, storm.open_channel)

    def stop(_request: httpx.Request) -> httpx.Response:
        lanes._stopping.set()
        return httpx.Response(200, json={"id": "1"})

    wire["take"].mock(side_effect=stop)
    assert [lane.result() for lane in lanes.start()] == [1]
    assert [get(database, one).state for one in sends] == ["accepted", "queued", "queued"]
    with database.write.begin() as session:
        session.execute(update(Act).where(Act.state == "queued").values(state="unknown", attempt=1))
    channel = storm.open_channel(get_source(database, get(database, sends[0]).source_id))
    lanes._settle(channel, get(database, sends[0]).source_id)
    channel.close()
    assert not wire["list"].called
    assert lanes.start() == []
    lanes.stop()


def test_a_lane_ends_after_so_many_acts_and_the_rest_is_found_again(database, wire, monkeypatch) -> None:
    monkeypatch.setattr(sending, "MOST_IN_A_ROW", 2)
    acts = queue(database, count=5)
    lanes = Lanes(database, storm.open_channel)
    assert [lane.result() for lane in lanes.start()] == [2]
    lanes.stop()
    assert [get(database, one).state for one in acts] == ["accepted"] * 2 + ["queued"] * 3
    run_outbox(database, storm.open_channel)
    assert {get(database, one).state for one in acts} == {"accepted"}
    assert len(wire["take"].calls) == 5


@pytest.mark.parametrize("code", sorted(sending.STOPPING))
def test_an_error_of_the_place_ends_the_lane_at_once(database, wire, code, monkeypatch) -> None:
    queue(database, count=3)
    channel = storm.Storm

    def refused(self, act):
        self._http.post("/posts", json={})
        raise ChannelError("no", code=code)

    monkeypatch.setattr(channel, "act", refused)
    lanes = Lanes(database, storm.open_channel)
    assert [lane.result() for lane in lanes.start()] == [1]
    lanes.stop()
    assert len(wire["take"].calls) == 1


def test_a_paused_place_sends_nothing_but_is_asked_what_stands_there(database, wire) -> None:
    waits, unknown = queue(database, count=2)
    with database.write.begin() as session:
        session.execute(update(Source).values(state="paused"))
        row = session.get_one(Act, unknown)
        row.state, row.attempt, row.attempted_at = "unknown", 1, utc_now() - timedelta(hours=1)
        text = row.text
    at = utc_now().isoformat()
    wire["list"].mock(return_value=httpx.Response(200, json=[{"id": "5", "text": text, "at": at}]))
    run_outbox(database, storm.open_channel)
    assert [get(database, one).state for one in (waits, unknown)] == ["queued", "accepted"]
    assert not wire["take"].called


# The history


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ChannelError("Bad Request: no rights", code="rights", permanent=True), "act.failed"),
        (ChannelError("Too Many Requests", code="rate", retry_after=3), "act.retried"),
        (ChannelError("502", code="server", sent=Sent.UNKNOWN), "act.unknown"),
    ],
)
def test_the_history_keeps_the_platforms_own_words(database, cast, replied, error, kind) -> None:
    with database.write.begin() as session:
        record_error(session, replied, error)
    with database.read.begin() as session:
        found = session.scalars(select(Event).where(Event.object_id == replied.id, Event.kind == kind)).one()
        assert (found.data, found.case_id) == ({"code": error.code, "said": error.message}, replied.case_id)
        act = session.get_one(Act, replied.id)
        assert (act.error_code, act.error_text, act.lease_until) == (error.code, error.message, None)


def test_a_receipt_and_a_sight_are_in_the_history_too(database, cast, replied) -> None:
    with database.write.begin() as session:
        record_receipt(session, replied, Receipt("901", container="17"))
    cast.store(ours(cast, "В среду"))
    told = events(database, replied.id)
    assert [one for one in told if one.startswith("act.")] == ["act.sending", "act.accepted", "act.seen"]


def test_a_failed_reply_brings_the_case_back_with_the_reason(database, cast, replied) -> None:
    with database.write.begin() as session:
        record_error(session, replied, ChannelError("no", code="gone", permanent=True))
        case = session.get_one(Case, replied.case_id)
        assert (case.lift, case.stage) == ("failed", "work")


def test_a_receipt_without_a_case_is_kept(database, wire) -> None:
    """Acts outside any case, a ban from the list of authors: nothing to note but the act itself."""
    [act_id] = queue(database)
    run_outbox(database, storm.open_channel)
    act = get(database, act_id)
    assert (act.state, act.external_id, act.case_id) == ("accepted", "1", None)
    assert json.loads(wire["take"].calls[0].request.content)["text"] == act.text


def test_a_like_answers_nobody(database, cast) -> None:
    cast.write("Спасибо за урок, а когда следующий?")
    with database.write.begin() as session:
        session.scalars(select(Source)).one().platform = "vk"
        moderate(session, cast.smm, session.scalars(select(Message.id)).one(), ActKind.LIKE)
    like = claim(database)
    with database.write.begin() as session:
        record_receipt(session, like, Receipt("c1", container="17"))
        assert session.get_one(Case, like.case_id).first_reply_at is None
