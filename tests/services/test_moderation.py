"""A moderator's press and the way back from it, through the ledger and over the wire of the platform."""

import pytest
import respx
from sqlalchemy import select

from collectors.base import ActKind, Receipt
from models import Act, Message
from services.bulks import begin_bulk, failures_of, get_bulk, run_bulk, undo_bulk
from services.errors import Forbidden, NotFound, Refused
from services.messages import store_messages
from services.moderation import moderate_back
from services.outbox import claim_act
from services.outcomes import record_receipt
from services.replies import moderate
from services.sending import run_outbox
from tests.collectors.wordpress_platform import WordPressPlatform, channel
from tests.services.test_cases import label_all


@pytest.fixture
def message_id(cast, database) -> int:
    cast.write("Сколько стоит курс?")
    label_all(database)
    with database.read.begin() as session:
        return session.scalars(select(Message.id)).one()


def press(cast, database, message_id: int, kind: ActKind, *, done: bool) -> int:
    with database.write.begin() as session:
        act_id = moderate(session, cast.smm, message_id, kind).id
    with database.write.begin() as session:
        act = claim_act(session) if done else None
        if act is not None:
            record_receipt(session, act, Receipt(act.target["external_id"]))
    return act_id


def kinds(database) -> list[tuple[str, str]]:
    with database.read.begin() as session:
        return [(act.kind, act.state) for act in session.scalars(select(Act).order_by(Act.id))]


def test_what_has_not_gone_out_is_cancelled(cast, database, message_id) -> None:
    act_id = press(cast, database, message_id, ActKind.SPAM, done=False)
    with database.write.begin() as session:
        assert moderate_back(session, cast.smm, act_id, "published").id == act_id
    assert kinds(database) == [("spam", "cancelled")]


@pytest.mark.parametrize(
    ("was", "back"), [("published", "publish"), ("held", "hide"), ("hidden", "hide"), ("spam", "spam")]
)
def test_what_is_done_is_followed_by_the_act_that_brings_it_back(cast, database, message_id, was, back) -> None:
    act_id = press(cast, database, message_id, ActKind.SPAM, done=True)
    with database.write.begin() as session:
        moderate_back(session, cast.smm, act_id, was)
    assert kinds(database) == [("spam", "accepted"), (back, "queued")]


def test_while_nobody_knows_whether_it_was_done_there_is_no_way_back(cast, database, message_id) -> None:
    act_id = press(cast, database, message_id, ActKind.HIDE, done=False)
    with database.write.begin() as session:
        claim_act(session)
    with database.write.begin() as session, pytest.raises(Refused, match=r"act\.state"):
        moderate_back(session, cast.smm, act_id, "published")


@pytest.mark.parametrize(("kind", "was"), [(ActKind.DELETE, "published"), (ActKind.HIDE, "deleted")])
def test_a_deletion_has_no_way_back(cast, database, message_id, kind, was) -> None:
    act_id = press(cast, database, message_id, kind, done=True)
    with database.write.begin() as session, pytest.raises(NotFound):
        moderate_back(session, cast.smm, act_id, was)


def test_a_curator_takes_nothing_back(cast, database, message_id) -> None:
    act_id = press(cast, database, message_id, ActKind.SPAM, done=False)
    with database.write.begin() as session, pytest.raises(Forbidden):
        moderate_back(session, cast.curator, act_id, "published")


def test_many_go_to_spam_and_back(cast, database) -> None:
    """On the site itself: of three chosen cases two were published and one was held."""
    site = WordPressPlatform()
    with respx.mock:
        respx.route(host="blog.example", path__startswith="/wp-json").mock(side_effect=site)
        for number, status in enumerate(("approved", "hold", "approved")):
            one = site.write(12, f"Вопрос {number}?", status=status)
            cast.write(f"Вопрос {number}?", f"Гость {number}", external_id=str(one.id), container="12")
        label_all(database)
        with database.write.begin() as session:
            messages = list(session.scalars(select(Message).order_by(Message.id)))
            messages[1].state = "held"
            ids = [one.case_id for one in messages]
            bulk_id = begin_bulk(session, cast.smm, "moderate", {"kind": "spam"}, ids).id
        run_bulk(database)
        run_outbox(database, lambda _source: channel())
        assert [one.status for one in site.comments.values()] == ["spam"] * 3
        with database.write.begin() as session:
            undo_bulk(session, cast.smm, bulk_id)
        run_bulk(database)
        run_outbox(database, lambda _source: channel())
        assert [one.status for one in site.comments.values()] == ["approved", "hold", "approved"]


def test_a_place_that_has_no_spam_is_named(cast, database) -> None:
    with database.write.begin() as session:
        place = cast.add_source(session, "vk", community_id=1)
        store_messages(session, place.id, "vk", [cast.incoming("Сколько стоит?")])
    label_all(database)
    with database.write.begin() as session:
        case_id = session.scalars(select(Message.case_id)).one()
        bulk_id = begin_bulk(session, cast.smm, "moderate", {"kind": "spam"}, [case_id]).id
    run_bulk(database)
    with database.read.begin() as session:
        bulk = get_bulk(session, cast.smm, bulk_id)
        assert [code for _case, code in failures_of(session, bulk)] == ["source.cannot"]
    assert kinds(database) == []


@pytest.mark.parametrize("kind", ["delete", "ban", "reply", ""])
def test_only_what_can_be_taken_back_is_done_to_many(cast, database, message_id, kind) -> None:
    with database.write.begin() as session:
        case_id = session.scalars(select(Message.case_id)).one()
        bulk_id = begin_bulk(session, cast.smm, "moderate", {"kind": kind}, [case_id]).id
    run_bulk(database)
    with database.read.begin() as session:
        assert [code for _case, code in failures_of(session, get_bulk(session, cast.smm, bulk_id))] == ["bulk.act"]
    assert kinds(database) == []
