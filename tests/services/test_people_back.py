"""People, who is away and saved replies keep every version, and go back by the checks of today."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models import Absence, Case, Event, SavedReply, Staff, StaffRole, utc_now
from services.absences import absences_of, add_absence, end_absence, local_day, set_schedule
from services.accounts import set_active
from services.errors import Forbidden, Refused
from services.people import add_person, edit_person
from services.rights import actor_of
from services.saved_replies import archive_saved, save_saved, saved_replies
from services.settings.history import last_change, versions_of
from services.settings.known import take_back
from services.settings.people import absence_rows, staff_rows
from services.workload import switch_off


def number(database, name: str) -> int:
    with database.read.begin() as session:
        return last_change(session, name).number


def test_a_person_s_name_roles_hours_and_deputy_go_back(cast, database, act) -> None:
    staff_id = cast.smm.staff_id
    before = act(staff_rows)
    act(edit_person, cast.head, staff_id, name="Дарья Новая", roles=["smm", "manager"], department="curators")
    act(set_schedule, cast.head, staff_id, days=[0, 1], begin="10:00", end="16:00", deputy_id=cast.head.staff_id)
    assert number(database, "staff") == 2
    act(take_back, cast.head, "staff", 1)
    with database.read.begin() as session:
        staff = session.get_one(Staff, staff_id)
        assert (staff.name, staff.hours, staff.deputy_id) == ("Дарья Новая", {}, None)
    act(take_back, cast.head, "staff", 0)
    assert act(staff_rows) == before
    act(take_back, cast.head, "staff", 2)
    with database.read.begin() as session:
        staff = session.get_one(Staff, staff_id)
        assert (staff.name, staff.hours["days"]) == ("Дарья Новая", [0, 1])
        assert "manager" in actor_of(staff).roles
        [newest, *_others] = versions_of(session, "staff")
        assert newest[0].restored == 2
    with pytest.raises(Forbidden):
        act(take_back, cast.smm, "staff", 0)


def test_whoever_was_switched_off_comes_back_and_whoever_works_is_not_switched_off(cast, database, act) -> None:
    act(switch_off, cast.head, cast.smm.staff_id, cases_to=None, duties_to=None)
    act(take_back, cast.head, "staff", 0)
    with database.read.begin() as session:
        assert session.get_one(Staff, cast.smm.staff_id).active
    cast.write("Когда вебинар?")
    with database.write.begin() as session:
        session.add(
            Case(subject_key="k", open_key="k", source_id=cast.source_id, visibility="public", stage="new",
                 opened_at=utc_now(), last_message_at=utc_now(), assignee_id=cast.smm.staff_id)
        )  # fmt: skip
    with pytest.raises(Refused, match=r"staff\.holds"):
        act(take_back, cast.head, "staff", 1)


def test_the_last_who_may_change_people_stays(cast, database, act) -> None:
    """A version in which nobody else had the right is refused, naming who would be the last."""
    act(edit_person, cast.head, cast.smm.staff_id, name="Дарья", roles=["smm", "administrator"], department=None)
    with database.read.begin() as session:
        smm = actor_of(session.get_one(Staff, cast.smm.staff_id))
    act(edit_person, smm, cast.head.staff_id, name="Ольга", roles=["smm"], department=None)
    with pytest.raises(Refused):
        act(take_back, smm, "staff", 0)


def test_who_was_added_since_stays(cast, database, act) -> None:
    act(edit_person, cast.head, cast.smm.staff_id, name="Дарья Н.", roles=["smm"], department=None)
    person, _password = act(
        add_person, cast.head, name="Новый", email="n@school.example", roles=["smm"], department=None
    )
    act(take_back, cast.head, "staff", 0)
    with database.read.begin() as session:
        assert session.get_one(Staff, person.id).active


def test_an_absence_is_taken_back_and_comes_again(cast, database, act) -> None:
    day = act(local_day)
    row = act(
        add_absence, cast.head, cast.head.staff_id, from_day=day - timedelta(days=1),
        to_day=day + timedelta(days=5), deputy_id=cast.smm.staff_id, roles=["head"],
    )  # fmt: skip
    before = act(absence_rows)
    assert before[0]["roles"] == ["head"]
    act(end_absence, cast.head, row.id)
    assert act(absences_of, cast.head, day) == []
    act(take_back, cast.head, "absences", 1)
    assert act(absence_rows) == before
    with database.read.begin() as session:
        assert len(session.scalars(select(StaffRole).where(StaffRole.absence_id == row.id)).all()) == 1
    act(take_back, cast.head, "absences", 0)
    with database.read.begin() as session:
        assert session.scalars(select(StaffRole).where(StaffRole.absence_id.is_not(None))).all() == []
        assert session.get_one(Absence, row.id).to_day == day - timedelta(days=1)


def test_one_to_come_that_was_removed_comes_again_unless_its_deputy_has_left(cast, database, act) -> None:
    day = act(local_day) + timedelta(days=3)
    row = act(add_absence, cast.head, cast.smm.staff_id, from_day=day, to_day=day, deputy_id=cast.curator.staff_id)
    act(end_absence, cast.head, row.id)
    act(take_back, cast.head, "absences", 1)
    act(end_absence, cast.head, row.id)
    act(set_active, cast.head, cast.curator.staff_id, False)
    with pytest.raises(Refused, match=r"absence\.deputy"):
        act(take_back, cast.head, "absences", 1)


def test_switching_off_is_one_version_of_people_and_one_of_absences(cast, database, act) -> None:
    day = act(local_day) + timedelta(days=3)
    act(add_absence, cast.head, cast.smm.staff_id, from_day=day, to_day=day, deputy_id=cast.curator.staff_id)
    act(set_schedule, cast.head, cast.smm.staff_id, deputy_id=cast.curator.staff_id)
    act(switch_off, cast.head, cast.curator.staff_id, cases_to=None, duties_to=None)
    assert (number(database, "staff"), number(database, "absences")) == (2, 2)


def test_saved_replies_go_back_and_one_s_own_are_in_no_version(cast, database, act) -> None:
    first = act(save_saved, cast.smm, None, title="Привет", text="Здравствуйте!")
    act(save_saved, cast.smm, None, title="Моё", text="Тайное", scope="own")
    act(save_saved, cast.smm, first.id, title="Привет", text="Добрый день!")
    second = act(save_saved, cast.smm, None, title="Пока", text="До свидания!")
    act(archive_saved, cast.smm, first.id)
    assert number(database, "saved") == 4
    with database.read.begin() as session:
        assert "Тайное" not in str([row.value for row, _who in versions_of(session, "saved")])
    act(take_back, cast.head, "saved", 1)
    with database.read.begin() as session:
        assert [(row.id, row.text) for row in saved_replies(session, cast.head)] == [(first.id, "Здравствуйте!")]
        assert session.get_one(SavedReply, second.id).archived_at is not None
        assert len(saved_replies(session, cast.smm)) == 2
    act(save_saved, cast.smm, first.id, title="Привет", text="Только моё", scope="own")
    act(take_back, cast.head, "saved", 2)
    with database.read.begin() as session:
        assert session.get_one(SavedReply, first.id).text == "Только моё"
        assert [row.text for row in saved_replies(session, cast.head)] == ["Добрый день!"]


def test_a_new_saved_reply_that_is_sent_twice_is_one(cast, database, act) -> None:
    for _ in range(2):
        act(save_saved, cast.smm, None, title="Привет", text="Здравствуйте!", form_key="f1")
        act(save_saved, cast.smm, None, title="Моё", text="Тайное", scope="own", form_key="f2")
    with database.read.begin() as session:
        assert len(session.scalars(select(SavedReply)).all()) == 2
        assert len(session.scalars(select(Event).where(Event.kind == "saved.changed")).all()) == 2


def test_a_form_of_anothers_makes_one_s_own(cast, database) -> None:
    """services/saved_replies.py: what another wrote under the same key is neither given out nor changed."""
    with database.write.begin() as session:
        theirs = save_saved(session, cast.head, None, title="Моё", text="Тайное", scope="own", form_key="f9")
        mine = save_saved(session, cast.smm, None, title="Привет", text="Здравствуйте!", form_key="f9")
        assert mine.id != theirs.id
        assert (mine.staff_id, mine.text, mine.form_key) == (cast.smm.staff_id, "Здравствуйте!", None)
        assert (theirs.staff_id, theirs.text) == (cast.head.staff_id, "Тайное")
