"""Which replies wait for another person: those of trainees, and those that the department's table names."""

import pytest
from sqlalchemy import select, update

from classifier import theme_names
from classifier.kinds import KINDS
from collectors.base import Receipt
from models import Act, Case, Message, Reply, Setting, Staff
from services.agreement import Agreement, Row, agreement_of, save_agreement
from services.approval import approve
from services.bulks import begin_bulk, run_bulk
from services.errors import Forbidden, Refused
from services.holding import holding_reply
from services.outbox import claim_act
from services.outcomes import record_receipt
from services.presets import LEGAL_KINDS
from services.replies import Wish, change_published, take_back, write_reply
from services.signals import decide_signal
from services.split import write_split

SMALL = tuple(Row(kind) for kind in LEGAL_KINDS)


@pytest.fixture
def case_id(database, cast) -> int:
    cast.write("Верните деньги за непройденные модули", author="Анна Яр")
    with database.read.begin() as session:
        return session.scalars(select(Case.id)).one()


def become(database, case_id: int, **values) -> None:
    with database.write.begin() as session:
        session.execute(update(Case).where(Case.id == case_id).values(**values))


def states_after(
    database, writer, case_id: int, text: str = "Рассмотрим до 5 декабря", key: str = "f1"
) -> list[str]:
    with database.write.begin() as session:
        write_reply(session, writer, case_id, text, key, undo_seconds=0)
        return list(session.scalars(select(Act.state).order_by(Act.id)))


@pytest.mark.parametrize("kind", KINDS)
def test_legal_kinds_wait_and_no_others(database, cast, case_id, kind) -> None:
    become(database, case_id, kind=kind)
    assert states_after(database, cast.smm, case_id) == ["approval" if kind in LEGAL_KINDS else "queued"]


def test_a_claim_goes_when_the_head_agrees(database, cast, case_id) -> None:
    become(database, case_id, kind="claim")
    states_after(database, cast.smm, case_id)
    with database.write.begin() as session:
        case, act = session.get_one(Case, case_id), session.scalars(select(Act)).one()
        assert (case.state, case.lift) == ("approval", "approval")
        with pytest.raises(Forbidden):
            approve(session, cast.smm, act.id)
        approve(session, cast.head, act.id, "Рассмотрим до 5 декабря, ответим письмом")
        assert (act.state, session.scalars(select(Reply.approver_id)).one()) == ("queued", cast.head.staff_id)


def test_a_case_waits_from_the_moment_somebody_says_that_it_is_a_claim(database, cast, case_id) -> None:
    assert states_after(database, cast.smm, case_id) == ["queued"]
    with database.write.begin() as session:
        first = session.get_one(Case, case_id).first_message_id
        decide_signal(session, cast.smm, first, "legal_claim", True)
    assert states_after(database, cast.smm, case_id, key="f2")[-1] == "approval"


def test_the_head_waits_for_nobody(database, cast, case_id) -> None:
    become(database, case_id, kind="claim")
    assert states_after(database, cast.head, case_id) == ["queued"]


def test_a_head_who_learns_waits_all_the_same(database, cast, case_id) -> None:
    with database.write.begin() as session:
        session.get_one(Staff, cast.head.staff_id).trainee = True
    assert states_after(database, cast.head, case_id) == ["approval"]


def test_the_holding_reply_never_waits(database, cast, case_id) -> None:
    become(database, case_id, kind="claim")
    with database.write.begin() as session:
        told = holding_reply(session, "Europe/Moscow", session.get_one(Case, case_id))
        wish = Wish(undo_seconds=0, then="keep", promised_until=told.until)
        write_reply(session, cast.smm, case_id, told.text, "f1", wish)
        assert session.scalars(select(Act.state)).one() == "queued"


def test_what_was_offered_and_is_taken_back_leaves_the_case_in_work(database, cast, case_id) -> None:
    become(database, case_id, kind="claim")
    states_after(database, cast.smm, case_id)
    with database.write.begin() as session:
        take_back(session, cast.smm, session.scalars(select(Act.id)).one())
        case = session.get_one(Case, case_id)
        assert (case.state, case.lift) == ("work", None)


def test_what_stands_published_is_not_changed_without_the_head(database, cast, case_id) -> None:
    states_after(database, cast.smm, case_id)
    with database.write.begin() as session:
        act = claim_act(session)
    with database.write.begin() as session:
        record_receipt(session, act, Receipt("901"))
    become(database, case_id, kind="claim")
    with database.write.begin() as session, pytest.raises(Forbidden):
        change_published(session, cast.smm, act.id, "e1", text="Иначе")
    with database.write.begin() as session:
        assert change_published(session, cast.head, act.id, "e2", text="Иначе").kind == "edit"


def test_of_many_same_questions_only_the_claim_waits(database, cast, case_id) -> None:
    cast.write("Верните деньги!", author="Борис Лунин")
    become(database, case_id, kind="claim")
    with database.write.begin() as session:
        ids = list(session.scalars(select(Case.id).order_by(Case.id)))
        begin_bulk(session, cast.smm, "answer", {"text": "Вернём"}, ids)
    run_bulk(database)
    with database.read.begin() as session:
        assert list(session.scalars(select(Act.state).order_by(Act.case_id))) == ["approval", "held"]


@pytest.mark.parametrize("legal", ["public", "private"])
def test_both_halves_of_a_split_reply_wait_where_one_does(database, cast, legal) -> None:
    cast.private("Здравствуйте, это Анна", author="Анна Яр")
    cast.write("Почему с меня списали деньги?", author="Анна Яр")
    with database.write.begin() as session:
        cases = {case.visibility: case for case in session.scalars(select(Case))}
        cases[legal].kind = "claim"
        public = cases["public"].id
    with database.write.begin() as session:
        write_split(session, cast.smm, public, "Написали вам лично", "Вернём", "f1", Wish())
        assert set(session.scalars(select(Act.state))) == {"approval"}


# The table


def test_the_regulation_asks_for_more(database, cast, case_id) -> None:
    with database.write.begin() as session:
        session.add(Setting(name="sla", value={"preset": "regulation"}))
    become(database, case_id, kind="complaint", priority=2)
    assert states_after(database, cast.smm, case_id) == ["queued"]
    become(database, case_id, kind="complaint", priority=1)
    assert states_after(database, cast.smm, case_id, key="f2")[-1] == "approval"
    become(database, case_id, kind="question", theme="refund")
    assert states_after(database, cast.smm, case_id, key="f3")[-1] == "approval"


def test_the_department_writes_its_own_table(database, cast, case_id) -> None:
    with database.write.begin() as session:
        save_agreement(session, cast.head, {"rows": [{"visibility": "public", "theme": "price"}]})
        assert agreement_of(session).rows == (Row(visibility="public", theme="price"),)
    become(database, case_id, kind="claim", theme="refund")
    assert states_after(database, cast.smm, case_id) == ["queued"]
    become(database, case_id, kind="question", theme="price")
    assert states_after(database, cast.smm, case_id, key="f2")[-1] == "approval"


def test_who_stands_in_is_changed_without_touching_the_table(database, cast) -> None:
    with database.write.begin() as session:
        save_agreement(session, cast.head, {"minutes": 5, "deputies": [cast.smm.staff_id]})
        assert agreement_of(session) == Agreement(5, frozenset({cast.smm.staff_id}), SMALL)


@pytest.mark.parametrize(
    "values",
    [
        {"minutes": -1}, {"minutes": 1441}, {"deputies": [404]}, {"rows": [{"kind": "pirate"}]},
        {"rows": [{"theme": "pirates"}]}, {"rows": [{"visibility": "sea"}]},
        {"rows": [{"kind": kind, "theme": theme} for kind in KINDS for theme in theme_names()]},
    ],
)  # fmt: skip
def test_an_agreement_that_makes_no_sense_is_refused(database, cast, values) -> None:
    with database.write.begin() as session, pytest.raises(Refused):
        save_agreement(session, cast.head, values)
    with database.read.begin() as session:
        assert agreement_of(session) == Agreement(rows=SMALL)


def test_only_who_may_change_settings_writes_the_table(database, cast) -> None:
    with database.write.begin() as session, pytest.raises(Forbidden):
        save_agreement(session, cast.smm, {"minutes": 5})


def test_messages_of_the_case_do_not_change_what_was_offered(database, cast, case_id) -> None:
    """The author writes on while the head thinks: the candidate stays, and the case shows both."""
    become(database, case_id, kind="claim")
    states_after(database, cast.smm, case_id)
    cast.write("И ещё: верните до пятницы", author="Анна Яр")
    with database.read.begin() as session:
        assert session.scalars(select(Act.state)).all() == ["approval"]
        assert len(session.scalars(select(Message)).all()) == 2
