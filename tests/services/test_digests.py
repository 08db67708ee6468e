"""Digests: each working day or on Mondays, once a person, of what happened, and nothing where nothing did."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from models import Case, Delivery, Incident, IncidentCase, Source, Staff
from services.accounts import create_staff
from services.choices import save_choices
from services.digests import due_digests, period_of, run_digests
from services.incidents.register import end_incident
from services.reports.upkeep import ask_rebuild, run_rebuild
from services.rights import DESK
from services.terms import policy_of
from services.ways import EVENTS
from tests.services.test_cases import label_all

ZONE = "Europe/Moscow"
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # 11:00 in Moscow


@pytest.fixture
def hear(database, send, box):
    """The letters of a moment: (to, subject, text)."""

    def _hear(at: datetime) -> list[tuple[str, str, str]]:
        with time_machine.travel(at, tick=False):
            run_digests(database, ZONE)
            with database.write.begin() as session:
                session.execute(update(Delivery).where(Delivery.kind != "digest").values(state="cancelled"))
            box.letters.clear()
            send()
        return [letter[:3] for letter in box.letters]

    return _hear


@pytest.mark.parametrize(
    ("at", "units"),
    [
        (MONDAY, ["curators", "technical", "marketing"]), (MONDAY - timedelta(hours=3), []),
        (MONDAY + timedelta(days=1), ["curators", "technical"]), (MONDAY - timedelta(days=1), []),
    ],
)  # fmt: skip
def test_when_a_digest_is_due(database, at, units) -> None:
    with database.read.begin() as session:
        assert [one.unit for one in due_digests(policy_of(session), at, ZONE)] == units


def test_after_days_off_it_tells_of_them_all(database) -> None:
    with database.read.begin() as session:
        policy = policy_of(session)
        daily, weekly = due_digests(policy, MONDAY, ZONE)[0], due_digests(policy, MONDAY, ZONE)[2]
        assert [str(day) for day in period_of(policy, daily, MONDAY.date())] == ["2026-11-20", "2026-11-22"]
        assert [str(day) for day in period_of(policy, weekly, MONDAY.date())] == ["2026-11-16", "2026-11-22"]
        tuesday = MONDAY.date() + timedelta(days=1)
        assert [str(day) for day in period_of(policy, daily, tuesday)] == ["2026-11-23", "2026-11-23"]


def test_curators_hear_of_what_they_owe_once_a_day(ask, database, hear, cast) -> None:
    with time_machine.travel(MONDAY, tick=False):
        ask()
    assert hear(MONDAY - timedelta(hours=3)) == []
    letters = hear(MONDAY + timedelta(days=1))
    assert [(to, subject) for to, subject, _text in letters] == [("curator@school.example", "Сводка: Кураторы")]
    assert "Ждут вашего ответа: 1, просрочено: " in letters[0][2]
    assert "Спросили: 1, ответили: 0" in letters[0][2]
    assert hear(MONDAY + timedelta(days=1, hours=2)) == []
    with database.write.begin() as session:
        chosen = [(event, "browser") for event in EVENTS if event != "digest"]
        save_choices(session, cast.curator, chosen, None)
    assert hear(MONDAY + timedelta(days=2)) == []


def test_whoever_left_the_department_meanwhile_hears_nothing(ask, database, send, box, cast) -> None:
    with time_machine.travel(MONDAY, tick=False):
        ask()
    with time_machine.travel(MONDAY + timedelta(days=1), tick=False):
        run_digests(database, ZONE)
        with database.write.begin() as session:
            staff = session.get_one(Staff, cast.curator.staff_id)
            staff.roles.clear()
        send()
    assert [letter for letter in box.letters if "Сводка" in letter[1]] == []


def test_technicians_hear_of_incidents_and_of_their_end(database, hear, cast, ask) -> None:
    with time_machine.travel(MONDAY, tick=False):
        ask(unit="technical")
        with database.write.begin() as session:
            row = Incident(theme="video", title="Не работает видео", open_key="video", count=7,
                           department_id=cast.departments["technical"])  # fmt: skip
            session.add(row)
            session.flush()
            session.add(IncidentCase(incident_id=row.id, case_id=session.scalars(select(Case.id)).one()))
            incident_id = row.id
    (letter,) = [one for one in hear(MONDAY + timedelta(days=1)) if one[0].startswith("tech")]
    assert "Инцидент «Не работает видео» идёт: 7 обращений" in letter[2]
    with time_machine.travel(MONDAY + timedelta(days=1, hours=1), tick=False), database.write.begin() as session:
        end_incident(session, cast.smm, incident_id)
    (letter,) = hear(MONDAY + timedelta(days=1, hours=2))
    assert letter[1] == "Инцидент закончился: Не работает видео"
    assert "длился 1500 мин" in letter[2]


def test_whoever_left_meanwhile_hears_of_no_end_of_an_incident(database, send, box, cast) -> None:
    with time_machine.travel(MONDAY, tick=False):
        with database.write.begin() as session:
            row = Incident(theme="video", title="Не работает видео", open_key="video", count=7,
                           department_id=cast.departments["technical"])  # fmt: skip
            session.add(row)
            session.flush()
            end_incident(session, cast.smm, row.id)
        with database.write.begin() as session:
            staff = session.get_one(Staff, cast.tech.staff_id)
            staff.roles.clear()
        send()
    assert [letter for letter in box.letters if "Инцидент" in letter[1]] == []


def test_marketing_hears_of_the_themes_of_the_week(database, hear, cast) -> None:
    with time_machine.travel(MONDAY - timedelta(days=3), tick=False):
        with database.write.begin() as session:
            session.get_one(Source, cast.source_id).created_at = MONDAY - timedelta(
                days=9
            )  # it was watched by then
            create_staff(session, DESK, email="ads@school.example", name="Яна Рой", roles=("manager",),
                         department="marketing")  # fmt: skip
        for number in range(3):
            cast.write(f"Сколько стоит {number}?", f"Автор {number}", published_at=MONDAY - timedelta(days=3))
        label_all(database)
        with database.write.begin() as session:
            session.execute(update(Case).values(theme="price", department="marketing"))
            ask_rebuild(session)
        run_rebuild(database)
    (letter,) = [one for one in hear(MONDAY) if one[0].startswith("ads")]
    assert letter[1] == "Сводка: Отдел маркетинга"
    assert "Цена: 3 (прежде 0)" in letter[2]
