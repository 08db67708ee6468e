"""«Сдать смену»: all that one leaves is seen, and the ticked cases go to one colleague."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models import Act, Case, Event, Notice, utc_now
from services.cases import assign
from services.errors import Forbidden, NotFound, Refused
from services.notices import notices_of
from services.replies import write_reply
from services.shift import hand_shift, shift_of
from services.sla import promise
from tests.services.test_cases import label_all


@pytest.fixture
def mine(cast, database) -> list[int]:
    for name in ("Анна Яр", "Борис Орлов", "Вера Сон"):
        cast.write("Когда вебинар?", name)
    label_all(database)
    with database.write.begin() as session:
        ids = list(session.scalars(select(Case.id).order_by(Case.id)))
        session.execute(update(Case).values(assignee_id=None))
        for case_id in ids[:2]:
            assign(session, cast.smm, case_id, cast.smm.staff_id)
        promise(session, session.get_one(Case, ids[0]), utc_now() + timedelta(hours=30))
    return ids


def test_what_is_left_promised_and_sent_but_not_proven(cast, database, mine) -> None:
    with database.write.begin() as session:
        write_reply(session, cast.smm, mine[1], "В среду.", "f1", then="keep")
        write_reply(session, cast.smm, mine[2], "В среду.", "f2")
        assign(session, cast.head, mine[2], cast.head.staff_id)
    with database.read.begin() as session:
        shift = shift_of(session, cast.smm)
        assert sorted(one.case.id for one in shift.left) == mine[:2]
        assert shift.promised == 1
        assert [one.case.id for one in shift.left if one.unproven] == [mine[1]]
        assert [case.id for _act, case in shift.sent] == [mine[2]]
        assert cast.smm.staff_id not in [one.staff.id for one in shift.heirs]
        with pytest.raises(Forbidden):
            shift_of(session, cast.curator)
    with database.write.begin() as session:
        session.execute(update(Act).values(state="seen"))
        assert not any(one.unproven for one in shift_of(session, cast.smm).left)


def test_the_ticked_ones_are_a_colleague_s_who_hears_of_it(cast, database, mine) -> None:
    with database.write.begin() as session:
        assert hand_shift(session, cast.smm, cast.head.staff_id, [mine[0], mine[2], 99]) == 1
    with database.read.begin() as session:
        assert session.get_one(Case, mine[0]).assignee_id == cast.head.staff_id
        assert session.get_one(Case, mine[1]).assignee_id == cast.smm.staff_id
        assert session.get_one(Case, mine[2]).assignee_id is None  # it was not theirs to give
        assert session.scalars(select(Notice.staff_id).where(Notice.kind == "case.shift")).all() == [
            cast.head.staff_id
        ]
        assert [line.notice.kind for line in notices_of(session, cast.head)] == ["case.shift"]
        assert session.scalars(select(Event).where(Event.kind == "shift.handed")).one().data["count"] == 1


def test_it_goes_to_nobody_who_does_not_answer_and_not_twice(cast, database, mine) -> None:
    with database.write.begin() as session:
        for to in (cast.curator.staff_id, cast.smm.staff_id, 99):
            with pytest.raises(NotFound):
                hand_shift(session, cast.smm, to, mine)
        with pytest.raises(Forbidden):
            hand_shift(session, cast.curator, cast.head.staff_id, mine)
        hand_shift(session, cast.smm, cast.head.staff_id, mine)
        with pytest.raises(Refused, match=r"shift\.empty"):
            hand_shift(session, cast.smm, cast.head.staff_id, mine)


def test_what_others_sent_is_not_ones_own_to_leave(cast, database, mine) -> None:
    with database.write.begin() as session:
        write_reply(session, cast.head, mine[2], "В среду.", "f3")
    with database.read.begin() as session:
        assert shift_of(session, cast.smm).sent == ()
        assert [case.id for _act, case in shift_of(session, cast.head).sent] == [mine[2]]
