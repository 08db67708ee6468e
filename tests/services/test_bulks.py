"""Acts upon many cases: each on its own, failures named, a kill loses nothing, all of it taken back."""

import pytest
from sqlalchemy import select

from models import Act, Bulk, Case, Label, Notice, Route
from services.bulks import begin_bulk, failures_of, run_bulk, undo_bulk
from services.errors import Forbidden, NotFound, Refused
from services.filters import Filters
from services.following import FOLLOWED, follow
from services.routing import ask_department
from tests.services.test_cases import label_all


@pytest.fixture
def ids(cast, database) -> list[int]:
    for number in range(45):
        cast.write(f"Вопрос {number}?", f"Зритель {number}")
    label_all(database)
    with database.read.begin() as session:
        return list(session.scalars(select(Case.id).order_by(Case.id)))


@pytest.fixture
def act(cast, database):
    def _act(act: str, value: dict, chosen, actor=None) -> int:
        with database.write.begin() as session:
            bulk_id = begin_bulk(session, actor or cast.smm, act, value, chosen).id
        run_bulk(database)
        return bulk_id

    return _act


def states(database) -> list[str]:
    with database.read.begin() as session:
        return list(session.scalars(select(Case.state).order_by(Case.id)))


def test_closing_and_taking_back(cast, database, ids, act) -> None:
    bulk_id = act("close", {"reason": "answered_in_thread"}, ids)
    assert set(states(database)) == {"no_answer"}
    with database.write.begin() as session:
        undo_bulk(session, cast.smm, bulk_id)
    run_bulk(database)
    assert set(states(database)) == {"work"}
    with database.write.begin() as session, pytest.raises(Refused):
        undo_bulk(session, cast.smm, bulk_id)


def test_failures_are_named_one_by_one_and_stop_nobody(cast, database, ids, act) -> None:
    with database.write.begin() as session:
        for case_id in (ids[3], ids[30]):
            ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда?", f"r{case_id}")
    bulk_id = act("close", {"reason": "spam"}, ids)
    with database.read.begin() as session:
        bulk = session.get_one(Bulk, bulk_id)
        failed = [(case.id, code) for case, code in failures_of(session, bulk)]
        assert (bulk.state, bulk.done) == ("done", 45)
    assert failed == [(ids[3], "case.open_routes"), (ids[30], "case.open_routes")]
    assert states(database).count("spam") == 43


def test_all_that_fit_are_those_of_the_moment(cast, database, ids, act) -> None:
    act("assign", {"staff_id": cast.head.staff_id}, ids[:5])
    act("close", {"reason": "spam"}, Filters(unassigned=True))
    assert states(database).count("spam") == 40


def test_giving_over_and_back_to_whoever_had_it(cast, database, ids, act) -> None:
    act("assign", {"staff_id": cast.smm.staff_id}, ids[:2])
    bulk_id = act("assign", {"staff_id": cast.head.staff_id}, ids[:4])
    with database.write.begin() as session:
        undo_bulk(session, cast.smm, bulk_id)
    run_bulk(database)
    with database.read.begin() as session:
        leads = list(session.scalars(select(Case.assignee_id).order_by(Case.id).limit(4)))
    assert leads == [cast.smm.staff_id, cast.smm.staff_id, None, None]


def test_kinds_are_set_and_were(cast, database, ids, act) -> None:
    with database.write.begin() as session:
        session.get_one(Case, ids[1]).sure = False
    bulk_id = act("label", {"label": "complaint"}, ids[:2])
    with database.read.begin() as session:
        said = list(session.scalars(select(Label.label).where(Label.staff_id.is_not(None))))
        assert said == ["complaint", "complaint"]
    with database.write.begin() as session:
        undo_bulk(session, cast.smm, bulk_id)
    run_bulk(database)
    with database.read.begin() as session:
        first, second = (session.get_one(Case, case_id) for case_id in ids[:2])
        assert (first.label, first.sure, second.sure) == ("question", True, False)


def test_questions_go_out_and_are_recalled(cast, database, ids, act) -> None:
    bulk_id = act("route", {"department_id": cast.departments["curators"], "question": "Когда?"}, ids[:3])
    assert states(database)[:3] == ["department"] * 3
    with database.write.begin() as session:
        undo_bulk(session, cast.smm, bulk_id)
    run_bulk(database)
    with database.read.begin() as session:
        assert set(session.scalars(select(Route.state))) == {"recalled"}


def test_a_kill_between_pieces_loses_and_repeats_nothing(cast, database, ids, monkeypatch) -> None:
    from services import bulks

    with database.write.begin() as session:
        bulk_id = begin_bulk(session, cast.smm, "close", {"reason": "spam"}, ids).id
    real, calls = bulks._do_one, []

    def die_at_the_thirtieth(*given):
        calls.append(given)
        if len(calls) == 30:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(bulks, "_do_one", die_at_the_thirtieth)
    with pytest.raises(KeyboardInterrupt):
        run_bulk(database)
    assert states(database).count("spam") == bulks.PIECE
    monkeypatch.setattr(bulks, "_do_one", real)
    run_bulk(database)
    assert states(database).count("spam") == 45
    with database.read.begin() as session:
        bulk = session.get_one(Bulk, bulk_id)
        assert [one["case"] for one in bulk.results] == ids
        assert not failures_of(session, bulk)


def test_rights_and_sizes(cast, database, ids) -> None:
    with database.write.begin() as session, pytest.raises(Forbidden):
        begin_bulk(session, cast.curator, "close", {"reason": "spam"}, ids)
    with database.write.begin() as session, pytest.raises(Refused):
        begin_bulk(session, cast.smm, "close", {"reason": "spam"}, [])
    with database.write.begin() as session, pytest.raises(Refused):
        begin_bulk(session, cast.smm, "delete", {}, ids)
    with database.write.begin() as session:
        bulk_id = begin_bulk(session, cast.smm, "close", {"reason": "spam"}, ids[:1]).id
    with database.write.begin() as session, pytest.raises(NotFound):
        undo_bulk(session, cast.head, bulk_id)


def test_a_person_switched_off_meanwhile_acts_no_more(cast, database, ids) -> None:
    from models import Staff

    with database.write.begin() as session:
        bulk_id = begin_bulk(session, cast.smm, "close", {"reason": "spam"}, ids).id
        session.get_one(Staff, cast.smm.staff_id).active = False
    run_bulk(database)
    assert "spam" not in states(database)
    with database.read.begin() as session:
        codes = {code for _, code in failures_of(session, session.get_one(Bulk, bulk_id))}
    assert codes == {"forbidden"}


def test_one_answer_goes_to_each_and_all_can_be_taken_back(cast, database, ids, act) -> None:
    bulk_id = act("answer", {"text": "Здравствуйте, {{author.first|друг}}! Запись на сайте."}, ids[:3])
    with database.read.begin() as session:
        texts = list(session.scalars(select(Act.text).order_by(Act.id)))
        assert texts == ["Здравствуйте, Зритель! Запись на сайте."] * 3
        assert set(session.scalars(select(Act.state))) == {"held"}
    assert states(database)[:4] == ["solved", "solved", "solved", "new"]
    with database.write.begin() as session:
        undo_bulk(session, cast.smm, bulk_id)
    run_bulk(database)
    assert states(database)[:4] == ["work", "work", "work", "new"]
    with database.read.begin() as session:
        assert set(session.scalars(select(Act.state))) == {"cancelled"}


def test_only_who_may_answer_answers_many(cast, act, ids) -> None:
    with pytest.raises(Forbidden):
        act("answer", {"text": "Здравствуйте!"}, ids, cast.curator)


def test_a_failure_takes_nothing_back_from_those_before_it(cast, database, ids, act) -> None:
    with database.write.begin() as session:
        follow(session, cast.head, ids[0])
        ask_department(session, cast.smm, ids[1], cast.departments["curators"], "Когда?", "r1")
    act("close", {"reason": "other"}, ids[:2])  # the second is refused while a department still owes
    with database.read.begin() as session:
        told = session.scalars(select(Notice).where(Notice.kind == FOLLOWED)).all()
    assert [(one.staff_id, one.case_id) for one in told] == [(cast.head.staff_id, ids[0])]
