"""What is ours: whose id it is, which attempt may write, which act a message that came home belongs to."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from benchmarks import storm
from collectors import CHANNELS
from collectors.base import ActKind, ChannelError, Person, Proof, Receipt, Verdict
from models import Act, Case, Message, Source, TextVersion, utc_now
from services.outbox import claim_act
from services.outcomes import ask_a_person, judge, record_error, record_receipt, taken_ids
from services.replies import change_published, moderate, write_reply
from services.sending import _look_later, places_due
from tests.services.test_outcomes import BASE, events, get

LONG_AGO = timedelta(hours=3)


@pytest.fixture(autouse=True)
def channels():
    storm.register()
    yield
    for name in [name for name in CHANNELS if name.startswith("storm_")]:
        del CHANNELS[name]


@pytest.fixture
def places(database) -> list[int]:
    return [storm.add_places(database, kind, BASE)[0] for kind in ("list", "none", "token")]


@pytest.fixture
def pair(database, places) -> tuple[int, int]:
    """Two acts of one place that are under way: ids."""
    storm.add_acts(database, places[:1], 2)
    with database.write.begin() as session:
        first, second = claim_act(session), claim_act(session)
        assert first is not None
        assert second is not None
        return first.id, second.id


def change(database, act_id: int, **values) -> None:
    if not values:
        return
    with database.write.begin() as session:
        session.execute(update(Act).where(Act.id == act_id).values(**values))


def receive(database, act_id: int, name: str) -> None:
    act = get(database, act_id)
    with database.write.begin() as session:
        record_receipt(session, act, Receipt(name, container="c"))


# Which attempt


def test_a_receipt_belongs_to_its_own_act(database, pair) -> None:
    first, second = pair
    receive(database, second, "7")
    assert [(get(database, one).state, get(database, one).external_id) for one in pair] == [
        ("sending", None), ("accepted", "7"),
    ]  # fmt: skip
    receive(database, first, "6")
    assert get(database, first).external_id == "6"


# Whose id


@pytest.mark.parametrize(
    ("other", "is_theirs"),
    [
        ({}, True), ({"container": "d"}, False), ({"external_id": "70"}, False), ({"external_id": None}, False),
        ({"source_id": "other"}, False),
    ],
)  # fmt: skip
def test_an_id_has_one_owner_in_its_place(database, places, pair, other, is_theirs) -> None:
    first, second = pair
    if "source_id" in other:
        other = {"source_id": places[1]}
    change(database, first, **{"state": "accepted", "container": "c", "external_id": "7", **other})
    receive(database, second, "7")
    assert get(database, second).external_id == (None if is_theirs else "7")


def test_its_own_id_is_no_strangers(database, pair) -> None:
    """An unknown act that bears its id already keeps it."""
    change(database, pair[0], state="unknown", container="c", external_id="7")
    receive(database, pair[0], "7")
    assert get(database, pair[0]).external_id == "7"


def test_what_was_seen_but_is_anothers_is_no_proof(database, pair) -> None:
    """The platform shows one of two equal answers: it settles one of them."""
    first, second = pair
    change(database, first, state="accepted", container="c", external_id="7")
    change(database, second, state="unknown", attempted_at=utc_now() - LONG_AGO)
    with database.write.begin() as session:
        judge(session, session.get_one(Act, second), Proof(Verdict.SEEN, "7"))
    assert get(database, second).state == "review"
    change(database, second, state="unknown")
    with database.write.begin() as session:
        judge(session, session.get_one(Act, second), Proof(Verdict.SEEN, "8"))
    assert (get(database, second).state, get(database, second).external_id) == ("accepted", "8")


@pytest.mark.parametrize("other", [{}, {"container": "18"}, {"external_id": "902"}, {"place": "another"}])
def test_only_the_very_message_is_the_reply_that_was_met_before(database, cast, other) -> None:
    cast.write("Когда вебинар?", external_id="900")
    with database.write.begin() as session:
        write_reply(session, cast.smm, session.scalars(select(Case.id)).one(), "В среду", "f1", undo_seconds=0)
    with database.write.begin() as session:
        act = claim_act(session)
    assert act is not None
    values = {"container": "17", "external_id": "901", **other}
    if values.pop("place", ""):
        with database.write.begin() as session:
            cast.source_id = cast.add_source(session).id
    us = Person("us", "Школа", is_us=True)
    cast.store(cast.incoming("Не то, что мы писали", author=us, **values))
    with database.write.begin() as session:
        record_receipt(session, act, Receipt("901", container="17"))
    assert get(database, act.id).state == ("accepted" if other else "seen")


@pytest.mark.parametrize(
    ("other", "is_taken"),
    [
        ({}, True), ({"source_id": "other"}, False), ({"container": "d"}, False), ({"external_id": None}, False),
        ({"accepted_at": LONG_AGO}, False),
    ],
)  # fmt: skip
def test_ids_that_settle_other_acts_of_ours(database, places, pair, other, is_taken) -> None:
    first, second = pair
    values = {"state": "accepted", "container": "c", "external_id": "7", "accepted_at": utc_now(), **other}
    if "source_id" in other:
        values["source_id"] = places[1]
    if "accepted_at" in other:
        values["accepted_at"] = utc_now() - LONG_AGO
    change(database, first, **values)
    change(database, second, container="c", external_id="8", accepted_at=utc_now())
    with database.read.begin() as session:
        assert taken_ids(session, session.get_one(Act, second)) == (frozenset({"7"}) if is_taken else frozenset())


# What came home


MATCHES = {
    "as it was sent": ({}, {}, True),
    "another place of the blog": ({"target": {"container": "18", "external_id": "900"}}, {}, False),
    "another parent": ({"target": {"container": "17", "external_id": "899"}}, {}, False),
    "another text": ({"text": "В четверг"}, {}, False),
    "an older message": ({}, {"published_at": timedelta(hours=2)}, False),
    "not sent yet": ({"state": "queued"}, {}, False),
    "a like": ({"kind": "like"}, {}, False),
    "has an id already": ({"external_id": "990"}, {}, False),
}


@pytest.mark.parametrize("name", MATCHES)
def test_a_message_without_a_receipt_is_known_by_all_of_its_marks(database, cast, name) -> None:
    values, message, matches = MATCHES[name]
    cast.write("Когда вебинар?", external_id="900")
    with database.write.begin() as session:
        write_reply(session, cast.smm, session.scalars(select(Case.id)).one(), "В среду", "f1", undo_seconds=0)
        act_id = session.scalars(select(Act.id)).one()
    with database.write.begin() as session:
        assert claim_act(session) is not None
    change(database, act_id, **values)
    sent_at = utc_now() - message.get("published_at", timedelta())
    us = Person("us", "Школа", is_us=True)
    cast.store(
        cast.incoming("В среду", external_id="901", author=us, parent_external_id="900", published_at=sent_at)
    )
    with database.read.begin() as session:
        stored = session.scalars(select(Message).where(Message.external_id == "901")).one()
        assert (stored.act_id == act_id) == matches
        assert (session.get_one(Act, act_id).state == "seen") == matches


def test_a_reply_of_another_place_is_not_ours_here(database, cast) -> None:
    cast.write("Когда вебинар?", external_id="900")
    with database.write.begin() as session:
        write_reply(session, cast.smm, session.scalars(select(Case.id)).one(), "В среду", "f1", undo_seconds=0)
        act = session.scalars(select(Act)).one()
        place = cast.add_source(session).id
    with database.write.begin() as session:
        assert claim_act(session) is not None
    for name, values in (
        ("901", {"source_id": place}),
        ("902", {"source_id": place, "container": "17", "external_id": "902"}),
    ):
        change(database, act.id, **values)
        us = Person("us", "Школа", is_us=True)
        cast.store(
            cast.incoming("В среду", external_id=name, author=us, parent_external_id="900", published_at=utc_now())
        )
        with database.read.begin() as session:
            assert session.scalars(select(Message.act_id).where(Message.external_id == name)).one() is None


@pytest.mark.parametrize(
    ("parent", "thread", "matches"),
    [("900", None, True), ("900", "800", True), ("800", "900", True), ("800", "801", False)],
)  # fmt: skip
def test_a_message_belongs_to_what_it_answers_or_to_its_thread(database, cast, parent, thread, matches) -> None:
    cast.write("Когда вебинар?", external_id="900")
    with database.write.begin() as session:
        write_reply(session, cast.smm, session.scalars(select(Case.id)).one(), "В среду", "f1", undo_seconds=0)
    with database.write.begin() as session:
        act = claim_act(session)
    assert act is not None
    us = Person("us", "Школа", is_us=True)
    cast.store(
        cast.incoming(
            "В среду",
            external_id="901",
            author=us,
            parent_external_id=parent,
            thread=thread,
            published_at=utc_now(),
        )
    )
    assert (get(database, act.id).state == "seen") == matches


def test_a_like_is_nobodys_message(database, cast) -> None:
    """It bears the id of the viewer's comment, which stays the viewer's."""
    cast.write("Спасибо за урок! А когда следующий?", external_id="900")
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).platform = "vk"
        message = session.scalars(select(Message)).one()
        moderate(session, cast.smm, message.id, ActKind.LIKE)
    with database.write.begin() as session:
        like = claim_act(session)
    assert like is not None
    with database.write.begin() as session:
        record_receipt(session, like, Receipt("900", container="17"))
    assert (get(database, like.id).state, get(database, like.id).external_id) == ("accepted", None)
    with database.read.begin() as session:
        assert session.scalars(select(Message.act_id)).all() == [None]


def test_the_same_text_again_is_no_new_version(database, cast) -> None:
    cast.write("Когда вебинар?", external_id="900")
    with database.write.begin() as session:
        write_reply(session, cast.smm, session.scalars(select(Case.id)).one(), "В среду", "f1", undo_seconds=0)
    with database.write.begin() as session:
        own = claim_act(session)
    assert own is not None
    with database.write.begin() as session:
        record_receipt(session, own, Receipt("901", container="17"))
    us = Person("us", "Школа", is_us=True)
    cast.store(cast.incoming("В субботу", external_id="901", author=us, parent_external_id="900"))
    with database.write.begin() as session:
        change_published(session, cast.smm, own.id, "e1", text="В субботу", undo_seconds=0)
    with database.write.begin() as session:
        edit = claim_act(session)
    assert edit is not None
    with database.read.begin() as session:
        before = session.scalar(select(func.count()).select_from(TextVersion))
    with database.write.begin() as session:
        record_receipt(session, edit, Receipt("901", container="17"))
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(TextVersion)) == before


def test_an_error_about_what_is_settled_already_changes_nothing(database, pair) -> None:
    act = get(database, pair[0])
    change(database, pair[0], state="seen")
    before = get(database, pair[0]).due_at
    with database.write.begin() as session:
        _look_later(session, act, ChannelError("gone", code="network"))
    assert (get(database, pair[0]).state, get(database, pair[0]).due_at) == ("seen", before)


def test_a_sight_without_a_receipt_answers_the_case_and_a_second_one_does_not_again(database, cast) -> None:
    cast.write("Когда вебинар?", external_id="900")
    with database.write.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
        write_reply(session, cast.smm, case_id, "В среду", "f1", undo_seconds=0)
    with database.write.begin() as session:
        assert claim_act(session) is not None
    us = Person("us", "Школа", is_us=True)
    cast.store(
        cast.incoming("В среду", external_id="901", author=us, parent_external_id="900", published_at=utc_now())
    )
    with database.read.begin() as session:
        assert session.get_one(Case, case_id).first_reply_at is not None


# What becomes of it


@pytest.mark.parametrize(
    ("place", "kind", "verdict", "state"),
    [
        (0, "reply", Verdict.ABSENT, "retry"), (0, "reply", Verdict.UNKNOWN, "review"),
        (1, "reply", Verdict.ABSENT, "review"), (1, "reply", Verdict.UNKNOWN, "review"),
        (1, "like", Verdict.UNKNOWN, "retry"), (2, "reply", Verdict.UNKNOWN, "retry"),
    ],
)  # fmt: skip
def test_it_goes_again_only_where_that_cannot_double(database, places, place, kind, verdict, state) -> None:
    storm.add_acts(database, [places[place]], 1)
    with database.write.begin() as session:
        act = claim_act(session)
        assert act is not None
    change(
        database, act.id, state="unknown", kind=ActKind(kind), attempted_at=utc_now() - LONG_AGO,
        first_attempt_at=utc_now() - LONG_AGO,
    )  # fmt: skip
    with database.write.begin() as session:
        judge(session, session.get_one(Act, act.id), Proof(verdict))
    assert get(database, act.id).state == state
    assert events(database, act.id)[-1] == {"retry": "act.retried", "review": "act.review"}[state]


def test_an_error_is_written_to_the_act_that_met_it(database, pair) -> None:
    first, second = pair
    with database.write.begin() as session:
        record_error(session, session.get_one(Act, second), ChannelError("closed", code="closed", permanent=True))
    assert (get(database, first).state, get(database, second).state) == ("sending", "dead")


def test_a_question_to_a_person_stands_in_the_history(database, pair) -> None:
    change(database, pair[0], state="unknown")
    with database.write.begin() as session:
        ask_a_person(session, session.get_one(Act, pair[0]))
    assert events(database, pair[0])[-1] == "act.review"


@pytest.mark.parametrize(
    ("values", "is_held"),
    [
        ({}, True), ({"source_id": "other"}, False), ({"state": "unknown"}, False),
        ({"due_at": timedelta(hours=1)}, False),
    ],
)  # fmt: skip
def test_who_waits_when_the_platform_names_a_time(database, places, values, is_held) -> None:
    storm.add_acts(database, places[:1], 2)
    with database.write.begin() as session:
        act = claim_act(session)
        assert act is not None
        other = session.scalars(select(Act.id).where(Act.id != act.id)).one()
    now = utc_now()
    if "source_id" in values:
        values = {"source_id": places[1]}
    if "due_at" in values:
        values = {"due_at": now + values["due_at"]}
    change(database, other, **values)
    before = get(database, other).due_at
    with database.write.begin() as session:
        record_error(session, act, ChannelError("slow", code="rate", retry_after=60))
    after = get(database, other).due_at
    assert (after != before) == is_held
    if is_held:
        assert after == get(database, act.id).due_at


def test_a_share_that_is_spent_holds_only_mass_answers(database, places) -> None:
    from services.bulks import MASS

    storm.add_acts(database, places[:1], 3)
    with database.write.begin() as session:
        act = claim_act(session)
        assert act is not None
        single, mass = session.scalars(select(Act.id).where(Act.id != act.id).order_by(Act.id))
    change(database, mass, priority=MASS)
    with database.write.begin() as session:
        record_error(session, act, ChannelError("spent", code="share", retry_after=60))
    later = utc_now() + timedelta(seconds=30)
    assert [get(database, one).due_at > later for one in (single, mass)] == [False, True]


@pytest.mark.parametrize(
    ("state", "there", "due", "is_due"),
    [
        ("queued", "active", -1, True), ("queued", "active", 60, False), ("queued", "paused", -1, False),
        ("queued", "manual", -1, False), ("unknown", "paused", -1, True), ("unknown", "active", 60, False),
        ("sending", "active", -1, False), ("retry", "active", -1, True), ("seen", "active", -1, False),
    ],
)  # fmt: skip
def test_where_there_is_something_to_do(database, places, state, there, due, is_due) -> None:
    storm.add_acts(database, places[:1], 1)
    with database.write.begin() as session:
        session.execute(update(Act).values(state=state, due_at=utc_now() + timedelta(seconds=due)))
        session.execute(update(Source).where(Source.id == places[0]).values(state=there))
        assert places_due(session) == ([places[0]] if is_due else [])
        claimed = claim_act(session)
        assert (claimed is not None) == (is_due and state in ("queued", "retry"))
