"""Writing a reply: one row whatever the clicks, undo that gives the text back, refusals that lose nothing."""

import pytest
from sqlalchemy import func, select

from collectors.base import ActKind, SourceState
from models import Act, Case, Label, Message, Reply
from services.case_states import is_open
from services.errors import Forbidden, NotFound, Refused, Stale
from services.messages import store_messages
from services.outbox import cancel_act, claim_act, count_unproven, unproven
from services.replies import draft_of, moderate, save_draft, take_back, write_reply
from services.routing import answer_route, ask_department
from tests.services.test_cases import label_all


@pytest.fixture
def case_id(cast, database) -> int:
    cast.write("Когда вебинар?")
    label_all(database)
    with database.read.begin() as session:
        return session.scalars(select(Case.id)).one()


def test_a_click_writes_reply_act_and_event_and_takes_the_case(cast, database, case_id) -> None:
    with database.write.begin() as session:
        save_draft(session, cast.smm, case_id, "В сре")
        reply = write_reply(session, cast.smm, case_id, "В среду, в 19:00.", "form-1")
        assert reply.id
    with database.read.begin() as session:
        case = session.get_one(Case, case_id)
        act = session.scalars(select(Act)).one()
        assert (case.state, case.assignee_id, case.lift) == ("solved", cast.smm.staff_id, None)
        assert (act.state, act.kind, act.attempt) == ("held", "reply", 0)
        assert act.target["external_id"] == "c2"
        assert draft_of(session, cast.smm, case_id) == ""
        assert [label.weak for label in session.scalars(select(Label).where(Label.staff_id.is_not(None)))] == [True]


def test_the_same_form_twice_is_one_reply(cast, database, case_id) -> None:
    for _ in range(2):
        with database.write.begin() as session:
            write_reply(session, cast.smm, case_id, "В среду.", "form-1")
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Act)) == 1
        assert session.scalar(select(func.count()).select_from(Reply)) == 1


def test_undo_gives_the_text_back_and_opens_the_case(cast, database, case_id) -> None:
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "В среду.", "form-1")
        act_id = session.scalars(select(Act.id)).one()
    with database.write.begin() as session:
        take_back(session, cast.smm, act_id)
    with database.write.begin() as session:
        assert draft_of(session, cast.smm, case_id) == "В среду."
        assert is_open(session.get_one(Case, case_id))
        assert claim_act(session) is None
        with pytest.raises(Refused):
            cancel_act(session, cast.smm, act_id)


def test_undo_keeps_what_was_typed_since(cast, database, case_id) -> None:
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "В среду.", "form-1")
        save_draft(session, cast.smm, case_id, "И ещё: ссылка")
    with database.write.begin() as session:
        take_back(session, cast.smm, session.scalars(select(Act.id)).one())
        assert draft_of(session, cast.smm, case_id) == "В среду.\n\nИ ещё: ссылка"


def test_what_is_already_going_out_cannot_be_taken_back(cast, database, case_id) -> None:
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "В среду.", "form-1", undo_seconds=0)
    with database.write.begin() as session:
        act = claim_act(session)
        assert act is not None
        with pytest.raises(Refused):
            take_back(session, cast.smm, act.id)


@pytest.mark.parametrize(("text", "code"), [("  ", "text.empty"), ("я" * 65526, "text.long")])
def test_what_the_platform_cannot_take_is_refused_before_it_is_queued(cast, database, case_id, text, code) -> None:
    with database.write.begin() as session, pytest.raises(Refused) as refused:
        write_reply(session, cast.smm, case_id, text, "form-1")
    assert refused.value.code == code


def test_stale_forbidden_unknown_and_deleted(cast, database, case_id) -> None:
    with database.write.begin() as session:
        with pytest.raises(Stale):
            write_reply(session, cast.smm, case_id, "В среду.", "f", version=99)
        with pytest.raises(Forbidden):
            write_reply(session, cast.curator, case_id, "В среду.", "f")
        with pytest.raises(NotFound):
            write_reply(session, cast.smm, case_id, "В среду.", "f", message_id=9999)
        message = session.scalars(select(Message)).one()
        message.state = SourceState.DELETED.value
        with pytest.raises(Refused):
            write_reply(session, cast.smm, case_id, "В среду.", "f")


def test_a_case_with_an_open_question_stays_where_it_is(cast, database, case_id) -> None:
    with database.write.begin() as session:
        ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда вебинар?", "r-1")
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "Уточняем у кураторов.", "form-1")
        assert session.get_one(Case, case_id).state == "department"


def test_using_a_departments_answer_accepts_it(cast, database, case_id) -> None:
    with database.write.begin() as session:
        route = ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда вебинар?", "r-1")
        answer_route(session, cast.curator, route.id, "В среду.")
        write_reply(session, cast.smm, case_id, "В среду, в 19:00.", "form-1", route_id=route.id)
        assert route.state == "accepted"
        assert session.get_one(Case, case_id).state == "solved"


def test_the_outbox_lists_what_is_not_proven(cast, database, case_id) -> None:
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "В среду.", "form-1")
    with database.read.begin() as session:
        assert count_unproven(session) == {"held": 1}
        assert [act.text for act in unproven(session, cast.smm)] == ["В среду."]
        with pytest.raises(Forbidden):
            unproven(session, cast.curator)


def test_a_comment_hidden_before_it_was_labelled_keeps_its_case(cast, database) -> None:
    cast.write("спасибо")
    with database.write.begin() as session:
        message = session.scalars(select(Message)).one()
        moderate(session, cast.smm, message.id, ActKind.HIDE)
    label_all(database)
    with database.read.begin() as session:
        assert session.scalars(select(Case)).one().number
        assert session.scalars(select(Message.work)).one() == "labelled"


def test_in_a_live_chat_nothing_waits_to_be_undone(database, cast) -> None:
    with database.write.begin() as session:
        tube = cast.add_source(session, "youtube", channel_id="UC1").id
        store_messages(session, tube, "youtube", [cast.incoming("А ссылка будет?", container="live-vid")])
        store_messages(session, tube, "youtube", [cast.incoming("А запись?", "Борис Лунин", container="vid")])
        live, recorded = session.scalars(select(Message.case_id).order_by(Message.id))
        write_reply(session, cast.smm, live, "Да, в описании", "f1", undo_seconds=10)
        write_reply(session, cast.smm, recorded, "Да, останется", "f2", undo_seconds=10)
        assert session.scalars(select(Act.state).order_by(Act.id)).all() == ["queued", "held"]
