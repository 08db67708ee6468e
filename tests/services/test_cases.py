"""Cases: one per author and matter, states as the table says, numbers without doubles."""

import itertools
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from classifier import Verdict
from collectors.base import Incoming
from models import Act, Case, Event, Label, Message, utc_now
from models.database import Database
from services.case_states import MOVES, STAGES, is_open, move
from services.cases import assign, close, lift_message, reopen_case
from services.errors import Forbidden, NotFound, Refused, Stale
from services.labelling import correct_label, run_labelling
from services.messages import store_messages
from services.replies import write_reply
from services.rights import DESK
from services.routing import ask_department

ON_BOTH = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Table:
    """A classifier by table, the shape that labelling asks for: the wire of this test is the text itself."""

    version, gate = "table", 0.3

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        return [self._verdict(text) for text in texts]

    def _verdict(self, text: str) -> Verdict:
        label = "question" if "?" in text else "praise" if "спасибо" in text.lower() else "other"
        p = {"question": 0.9 if label == "question" else 0.02, label: 0.9}
        return Verdict(label, (label,), p, (), True, p["question"])


def label_all(database: Database, gate_open: bool = True) -> None:
    run_labelling(database, Table(), gate_open=gate_open)


@pytest.fixture
def twins(cast, database) -> tuple[int, int, Incoming]:
    """(a case closed long ago, the same author's open one on the same matter, the message of the first)."""
    item = cast.write("Когда вебинар?")
    label_all(database)
    with database.write.begin() as session:
        old = session.scalars(select(Case)).one()
        close(session, cast.smm, old.id, "answered_in_thread")
        old.closed_at = utc_now() - timedelta(days=30)
    cast.write("А запись будет?")
    label_all(database)
    with database.read.begin() as session:
        new_id = session.scalars(select(Case.id).where(Case.open_key.is_not(None))).one()
    return old.id, new_id, item


def test_an_edit_in_a_closed_case_comes_to_the_open_one(cast, database, twins) -> None:
    old_id, new_id, item = twins
    cast.store(replace(item, text="Когда вебинар, в среду?"))
    cast.write("Где ссылка?", author="Борис Лунин")  # a neighbour in the batch
    label_all(database)
    with database.read.begin() as session:
        moved = session.scalars(select(Message).where(Message.external_id == item.external_id)).one()
        assert (moved.case_id, moved.work) == (new_id, "labelled")
        assert not is_open(session.get_one(Case, old_id))
        assert session.scalar(select(func.count()).where(Message.work == "received")) == 0


def test_a_reply_from_the_closed_case_goes_out_and_opens_nothing(cast, database, twins) -> None:
    old_id, new_id, _ = twins
    with database.write.begin() as session:
        write_reply(session, cast.smm, old_id, "В среду.", "f-1")
    with database.write.begin() as session:
        assert session.scalars(select(Act.case_id)).one() == old_id
        assert not is_open(session.get_one(Case, old_id))
        with pytest.raises(Refused) as refused:
            ask_department(session, cast.smm, old_id, cast.departments["curators"], "Когда?", "r-1")
        assert refused.value.data == {"id": new_id}


def test_what_is_lifted_by_hand_opens_the_case_that_it_belongs_to(cast, database) -> None:
    cast.write("Когда вебинар?")
    cast.write("и ещё, кстати")
    label_all(database)
    with database.write.begin() as session:
        case = session.scalars(select(Case)).one()
        close(session, cast.smm, case.id, "answered_in_thread")
        message = session.scalars(select(Message).where(Message.text == "и ещё, кстати")).one()
        message.case_id, message.work = None, "rest"
        lift_message(session, cast.smm, message.id)
        assert is_open(case)


def test_states_and_stages_cover_each_other() -> None:
    assert {state for pair in MOVES for state in pair} == set(STAGES)


def test_every_pair_moves_or_is_refused_as_the_table_says(cast, database) -> None:
    cast.write("Когда вебинар?")
    label_all(database)
    for state, to in itertools.product(STAGES, STAGES):
        with database.write.begin() as session:
            case = session.scalars(select(Case)).one()
            case.state, case.stage = state, STAGES[state]
            case.open_key = case.subject_key if STAGES[state] != "closed" else None
            session.flush()
            before = count_moves(session)
            if state == to or (state, to) in MOVES:
                move(session, case, to, DESK)
                assert (case.state, case.stage) == (to, STAGES[to])
                assert (case.open_key is not None) is is_open(case)
            else:
                with pytest.raises(Refused):
                    move(session, case, to, DESK)
            session.flush()
            assert count_moves(session) == before + (state != to and (state, to) in MOVES)


def count_moves(session) -> int:
    return session.scalar(select(func.count()).select_from(Event).where(Event.kind == "case.moved"))


def test_messages_of_one_author_under_one_publication_join_one_case(cast, database) -> None:
    cast.write("Когда вебинар?")
    cast.write("И где ссылка?")
    cast.write("А мне когда?", author="Борис Лунин")
    label_all(database)
    with database.read.begin() as session:
        cases = list(session.scalars(select(Case).order_by(Case.id)))
        assert [case.number for case in cases] == ["ОБ-2026-000001", "ОБ-2026-000002"]
        assert session.scalar(select(func.count()).where(Message.case_id == cases[0].id)) == 2


def test_praise_stays_without_a_number_and_thanks_reopens_nothing(cast, database) -> None:
    cast.write("Спасибо за урок!", author="Вера Мирная")
    question = cast.write("Когда вебинар?")
    label_all(database)
    with database.write.begin() as session:
        case = session.scalars(select(Case)).one()  # praise has dissolved its own
        close(session, cast.smm, case.id, "answered_in_thread")
    cast.write("Спасибо!", thread=question.external_id)
    label_all(database)
    with database.read.begin() as session:
        case = session.scalars(select(Case)).one()
        assert case.stage == "closed"
        assert session.scalar(select(func.count()).where(Message.case_id == case.id)) == 2
        assert session.scalar(select(Message.work).where(Message.text == "Спасибо за урок!")) == "rest"
    cast.write("А запись будет?")
    label_all(database)
    with database.read.begin() as session:
        case = session.scalars(select(Case)).one()
        assert (case.state, case.reopened, case.lift) == ("work", 1, "message")


def test_with_the_gate_shut_every_public_message_opens_a_case(cast, database) -> None:
    cast.write("Спасибо за урок!")
    label_all(database, gate_open=False)
    with database.read.begin() as session:
        assert session.scalars(select(Case)).one().number


def test_a_private_message_always_opens_one(cast, database) -> None:
    cast.private("спасибо")
    label_all(database)
    with database.read.begin() as session:
        assert session.scalars(select(Case)).one().number


def test_without_a_classifier_old_messages_reach_people_unlabelled(cast, database, monkeypatch) -> None:
    cast.write("Когда вебинар?")
    assert run_labelling(database, None, gate_open=True) == 0  # two minutes of patience
    import services.labelling

    monkeypatch.setattr(services.labelling, "stale_before", lambda now: now + timedelta(seconds=1))
    assert run_labelling(database, None, gate_open=True) == 1
    with database.read.begin() as session:
        case = session.scalars(select(Case)).one()
        assert case.number
        assert case.label is None
    label_all(database)
    with database.read.begin() as session:
        assert session.scalars(select(Case)).one().label == "question"


def test_talk_edited_while_there_is_no_classifier_is_not_lost(cast, database, monkeypatch) -> None:
    """It stood in «Остальное» without a case: it comes to people, and the classifier is done with it afterwards."""
    import services.labelling

    item = cast.write("первый!")
    label_all(database)
    cast.store(replace(item, text="первый! а когда вебинар"))
    monkeypatch.setattr(services.labelling, "stale_before", lambda now: now + timedelta(seconds=1))
    assert run_labelling(database, None, gate_open=True) == 1
    with database.read.begin() as session:
        assert session.scalars(select(Case)).one().number
    assert run_labelling(database, Table(), gate_open=True) == 1
    with database.read.begin() as session:
        assert session.scalars(select(Message.work)).one() == "labelled"


def test_a_text_that_the_classifier_cannot_bear_goes_to_people_alone(cast, database) -> None:
    class Brittle(Table):
        def _verdict(self, text: str) -> Verdict:
            if "яд" in text:
                raise RuntimeError("cannot")
            return super()._verdict(text)

    cast.write("яд")
    cast.write("Когда вебинар?", author="Борис Лунин")
    for _ in range(2):
        assert run_labelling(database, Brittle(), gate_open=True) <= 2
    with database.read.begin() as session:
        cases = session.scalars(select(Case).order_by(Case.id))
        assert [(case.number is not None, case.label) for case in cases] == [(True, None), (True, "question")]
        events = session.scalars(select(Event.kind).where(Event.kind == "classifier.absent"))
        assert len(list(events)) == 1


def test_two_who_label_at_once_give_one_number_and_one_label(cast, database) -> None:
    barrier = threading.Barrier(2, timeout=10)

    class Together(Table):
        def classify(self, texts: Sequence[str]) -> list[Verdict]:
            barrier.wait()
            return super().classify(texts)

    cast.write("Когда вебинар?")
    threads = [
        threading.Thread(target=run_labelling, args=[database, Together()], kwargs={"gate_open": True})
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read.begin() as session:
        assert session.scalars(select(Case.number)).one() == "ОБ-2026-000001"
        assert session.scalar(select(func.count()).select_from(Label)) == 1


def test_a_correction_wins_and_makes_a_case_of_what_was_set_aside(cast, database) -> None:
    cast.write("спасибо, а то вчера экран был чёрный")
    label_all(database)
    with database.write.begin() as session:
        message = session.scalars(select(Message)).one()
        assert message.case_id is None
        correct_label(session, cast.smm, message.id, "complaint")
    with database.read.begin() as session:
        case = session.scalars(select(Case)).one()
        assert (case.label, case.sure, case.stage) == ("complaint", True, "new")


def test_an_edit_is_a_version_and_never_a_second_case(cast, database) -> None:
    item = cast.write("Когда вебинар?")
    label_all(database)
    cast.store(replace(item, text="Когда вебинар, в среду?"))
    cast.store(replace(item, text="Когда вебинар, в среду?"))
    label_all(database)
    with database.read.begin() as session:
        message = session.scalars(select(Message)).one()
        assert message.versions == 2
        assert session.scalar(select(func.count()).select_from(Case)) == 1


def test_a_case_goes_only_to_somebody_who_may_answer_it(cast, database) -> None:
    cast.write("Когда вебинар?")
    label_all(database)
    with database.write.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
        for nobody in (cast.curator.staff_id, 9999):
            with pytest.raises(NotFound):
                assign(session, cast.smm, case_id, nobody)
        assert assign(session, cast.smm, case_id, cast.head.staff_id).assignee_id == cast.head.staff_id
        assert assign(session, cast.smm, case_id, None).assignee_id is None


def test_lifting_a_message_by_hand_and_closing_with_reasons(cast, database) -> None:
    cast.write("первый!")
    label_all(database)
    with database.write.begin() as session:
        case = lift_message(session, cast.smm, session.scalars(select(Message.id)).one())
        assert case.number
        with pytest.raises(Refused):
            close(session, cast.smm, case.id, "because")
        with pytest.raises(Stale):
            close(session, cast.smm, case.id, "spam", version=99)
        with pytest.raises(Forbidden):
            close(session, cast.curator, case.id, "spam")
        close(session, cast.smm, case.id, "spam")
        assert case.state == "spam"
        reopen_case(session, cast.smm, case.id)
        assert case.state == "work"


@ON_BOTH
@given(data=st.data())
def test_whatever_the_order_and_the_repeats_the_rows_are_the_same(
    make_cast, sqlite_template, tmp_path_factory, data
) -> None:
    """I2: any permutation of deliveries, each one to three times, stores each message once in its last version."""
    import shutil

    from models.database import open_database

    path = tmp_path_factory.mktemp("h") / "d.db"
    shutil.copy(sqlite_template, path)
    database = open_database(f"sqlite:///{path}")
    cast = make_cast(database)
    items = [cast.incoming(f"Вопрос {n}?", author=f"Автор {n % 3}") for n in range(data.draw(st.integers(1, 6)))]
    repeats = [item for item in items for _ in range(data.draw(st.integers(1, 3)))]
    deliveries = data.draw(st.permutations(repeats))
    at = 0
    while at < len(deliveries):
        size = data.draw(st.integers(1, 4))
        with database.write.begin() as session:
            store_messages(session, cast.source_id, "wordpress", deliveries[at : at + size])
        at += size
    edited = replace(items[0], text="Исправлено?")
    cast.store(edited)
    label_all(database)
    with database.read.begin() as session:
        stored = {row.external_id: row.text for row in session.scalars(select(Message))}
        assert stored == {item.external_id: item.text for item in [*items[1:], edited]}
        open_keys = list(session.scalars(select(Case.open_key)))
        assert len(open_keys) == len({f"Автор {n % 3}" for n in range(len(items))})
    database.engine.dispose()


def test_the_author_we_waited_for_brings_the_case_back_to_work(cast, database) -> None:
    cast.write("Когда откроют урок?")
    label_all(database)
    with database.write.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
        write_reply(session, cast.smm, case_id, "Какой именно?", "f1", then="wait")
        assert session.get_one(Case, case_id).state == "author"
    cast.write("Третий, когда?")
    label_all(database)
    with database.read.begin() as session:
        case = session.get_one(Case, case_id)
        assert (case.state, case.lift) == ("work", "message")


def test_a_word_in_a_live_chat_is_kept_and_opens_no_case(cast, database) -> None:
    item = cast.write("Когда следующий эфир?", quiet=True, container="live-v1")
    with database.read.begin() as session:
        message = session.scalars(select(Message).where(Message.external_id == item.external_id)).one()
        assert (message.case_id, message.work, message.text) == (None, "live", item.text)
        assert session.scalar(select(func.count()).select_from(Case)) == 0
