"""Beginning work: the answers go where they belong, what people made in training comes along."""

from datetime import UTC, datetime, time

import pytest
from sqlalchemy import func, select

from models import Case, Client, Message, SavedReply, Source, Staff
from services.accounts import create_staff
from services.beginning import Answers, Newcomer, begin, carry_over, checklist, luggage_of, note_key_kept
from services.calendars import is_decreed
from services.documents.organisation import read_organisation
from services.errors import Forbidden, Refused
from services.people import create_first
from services.rights import DESK, actor_of
from services.rules import list_rules, save_rule
from services.saved_replies import save_saved
from services.terms import policy_of, save_terms, stored_terms
from services.training import invented_people, seed_facts, seed_people
from tests.conftest import fresh_database

ANSWERS = Answers("Школа «Ива»", "10:00", "19:00", [
    Newcomer("Инна Рощина", "inna@iva.example"), Newcomer("", ""),
    Newcomer("Павел Ким", "kim@iva.example", department="technical"),
])  # fmt: skip


@pytest.fixture
def head(database):
    with database.write.begin() as session:
        return actor_of(create_first(session, name="Ольга Ива", email="head@iva.example", password="долгий пароль"))


@pytest.fixture
def training(request, tmp_path):
    """A training desk where the school has added somebody, a reply and rules of its own."""
    folder = tmp_path / "training"
    folder.mkdir()
    for opened in fresh_database(request, folder, "sqlite"):
        with opened.write.begin() as session:
            seed_people(session)
            own = create_staff(session, DESK, email="own@iva.example", name="Своя Ирина", roles=("smm",))
            create_staff(
                session, DESK, email="cur@iva.example", name="Лев", roles=("manager",), department="curators"
            )
            invented = session.scalars(select(Staff).where(Staff.email == "smm@school.example")).one()
            place = Source(platform="vk", title="Учебная", settings={}, every_seconds=60)
            session.add(place)
            session.flush()
            actor = actor_of(session.get_one(Staff, session.scalar(select(func.min(Staff.id)))))
            seed_facts(session)  # the school's own stay in the school
            save_saved(session, actor, None, title="Расписание", text="Расписание в кабинете.")
            save_saved(session, actor, None, title="Моё", text="Только моё.", scope="own")
            for title, conditions, acts in (
                ("Своей", {"words": ["возврат"]}, {"staff_id": own.id}),
                ("Придуманной", {"words": ["цена"]}, {"staff_id": invented.id}),
                ("На учебной площадке", {"words": ["цена"], "place": place.id}, {"staff_id": 0}),
            ):
                save_rule(session, actor, None, title=title, conditions=conditions, acts=acts)
        yield opened


def test_answers_go_where_they_belong(database, head) -> None:
    with database.write.begin() as session:
        made = begin(session, head, ANSWERS)
    assert [one.staff.name for one in made] == ["Инна Рощина", "Павел Ким"]
    assert all(one.staff.must_change and len(one.password) == 14 for one in made)
    with database.read.begin() as session:
        policy = policy_of(session)
        assert (policy.calendars["desk"].opens, policy.calendars["desk"].closes) == (time(10), time(19))
        assert policy.calendars["duty"].opens == time(9)
        assert read_organisation(session)["org"]["name_short"] == "Школа «Ива»"


def test_one_answer_that_cannot_be_kept_keeps_none(database, head) -> None:
    bad = Answers("Ива", "09:00", "18:00", [Newcomer("А", "a@iva.example"), Newcomer("Б", "не почта")])
    with pytest.raises(Refused) as refused, database.write.begin() as session:
        begin(session, head, bad)
    assert (refused.value.code, refused.value.data["who"]) == ("email.invalid", "Б")
    with pytest.raises(Refused) as refused, database.write.begin() as session:
        begin(session, head, Answers("Ива", "18:00", "09:00", []))
    assert refused.value.code == "terms.hours"
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Staff)) == 1
        assert stored_terms(session) == {}


def test_what_was_made_in_training_comes_along_and_nothing_invented(database, head, training) -> None:
    with training.read.begin() as there:
        luggage = luggage_of(there)
        assert (luggage.people, luggage.replies, luggage.rules) == (2, 1, 3)
        for _ in range(2):
            with database.write.begin() as session:
                made = carry_over(session, head, there, {"people", "replies", "rules"})
    assert made == []
    with database.read.begin() as session:
        mails = set(session.scalars(select(Staff.email)))
        assert mails == {"head@iva.example", "own@iva.example", "cur@iva.example"}
        assert not mails & invented_people()
        assert session.scalars(select(SavedReply.title)).all() == ["Расписание"]
        [rule] = list_rules(session)
        own = session.scalars(select(Staff).where(Staff.email == "own@iva.example")).one()
        assert (rule.title, rule.acts["staff_id"]) == ("Своей", own.id)
        curator = session.scalars(select(Staff).where(Staff.email == "cur@iva.example")).one()
        assert curator.roles[0].department.code == "curators"
        for table in (Source, Message, Case, Client):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_only_what_is_wanted(database, head, training) -> None:
    with training.read.begin() as there, database.write.begin() as session:
        assert carry_over(session, head, there, {"replies"}) == []
        assert session.scalar(select(func.count()).select_from(Staff)) == 1


def test_the_list_of_what_is_missing(database, head, cast_like) -> None:
    now = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)

    def done(**given) -> set[str]:
        with database.read.begin() as session:
            asked = {"public": False, "mail": False, "zone": "Europe/Moscow", "now": now, **given}
            return {item.code for item in checklist(session, **asked) if item.done}

    assert done() == {"calendar"}
    assert done(public=True, mail=True) == {"calendar", "public_url", "mail"}
    later = datetime(2027, 10, 2, tzinfo=UTC)
    assert "calendar" not in done(now=later)
    assert "calendar" in done(now=datetime(2027, 9, 2, tzinfo=UTC))
    with database.write.begin() as session:
        save_terms(session, head, {"changes": {"2028-01-10": "off"}})
        note_key_kept(session, head)
        note_key_kept(session, head)
        cast_like(session)
    assert {"calendar", "key", "places", "units"} <= done(now=later)


@pytest.fixture
def cast_like():
    def fill(session) -> None:
        session.add(Source(platform="vk", title="Своя", settings={}, every_seconds=60))
        for code in ("curators", "technical", "accounting", "marketing"):
            create_staff(
                session, DESK, email=f"{code}@iva.example", name=code, roles=("manager",), department=code
            )  # fmt: skip

    return fill


def test_years_with_a_decree_are_known() -> None:
    assert is_decreed(2026)
    assert is_decreed(2027)
    assert not is_decreed(2040)


def test_others_may_not(database, head) -> None:
    with database.write.begin() as session:
        made = begin(session, head, ANSWERS)
        smm = actor_of(made[0].staff)
        with pytest.raises(Forbidden):
            begin(session, smm, ANSWERS)
        with pytest.raises(Forbidden):
            note_key_kept(session, smm)
