"""Incidents: five alike are one, told once; what a person adds or takes out stays; the end is told to everybody."""

import threading
import time
from datetime import timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from models import Act, Case, Clock, Delivery, Event, Incident, Notice, Route, Source, utc_now
from services.bulks import run_bulk, undo_bulk
from services.case_states import move
from services.cases import close
from services.errors import Forbidden, NotFound, Refused, Stale
from services.incidents.closing import answer_incident, drafts_of
from services.incidents.gathering import NOTICE, first_run, run_incidents
from services.incidents.register import (
    add_case,
    counts_of,
    end_incident,
    hold_incident,
    incident_of,
    incidents_of,
    open_by_hand,
    rename_incident,
    take_out,
    told_people,
    view_incident,
)
from services.incidents.troubles import DEFAULTS, Trouble, save_troubles, troubles_of
from services.joining import join_cases
from services.notices import notices_of, run_warn
from services.sla import reclassify
from services.variations import greeting, vary
from services.words_owed import UPDATE, note_updated
from tests.conftest import one_person
from tests.services.test_cases import label_all
from tests.services.test_sla import MONDAY, moscow

PEOPLE = ("Анна Яр", "Борис Орлов", "Вера Сон", "nick77", "Глеб Лис", "Дина Май", "Егор Рой", "Зоя Кит",
          "Иван Бор", "Кира Лось", "Лев Мох", "Майя Ночь", "Нина Ольха")  # fmt: skip


@pytest.fixture
def complain(cast, database):
    """So many people complain of one thing, a minute apart; returns the ids of their cases."""

    def _complain(count: int, theme: str | None = "access", first: int = 0, ago: int = 20, **given) -> list[int]:
        begun = utc_now() - timedelta(minutes=ago)
        for number, name in enumerate(PEOPLE[first : first + count]):
            at = begun + timedelta(minutes=number)
            cast.write(f"Почему не могу войти в кабинет, {name}?", name, published_at=at)
        label_all(database)
        with database.write.begin() as session:
            ids = list(session.scalars(select(Case.id).order_by(Case.id.desc()).limit(count)))[::-1]
            values = {"label": "complaint", "theme": theme, "sure": True, "wave_id": None, **given}
            session.execute(update(Case).where(Case.id.in_(ids)).values(**values))
        return ids

    return _complain


def only(session) -> Incident:
    return session.scalars(select(Incident)).one()


def test_five_alike_are_one_incident_with_one_question(cast, database, complain) -> None:
    complain(4)
    assert run_incidents(database) == 0
    ids = complain(1, first=4, ago=15)
    assert run_incidents(database) == 5
    with database.read.begin() as session:
        incident, route = only(session), session.scalars(select(Route)).one()
        assert (incident.count, incident.state, incident.theme) == (5, "open", "access")
        assert (incident.route_id, incident.case_id) == (route.id, route.case_id)
        assert (route.department_id, route.urgent) == (cast.departments["technical"], True)
        assert "5 похожих" in route.question
        assert incident_of(session, ids[0]).id == incident.id
        told = list(session.scalars(select(Delivery.staff_id).where(Delivery.kind == "questions")))
        assert told == [cast.tech.staff_id]
        assert list(session.scalars(select(Notice.staff_id).where(Notice.kind == NOTICE))) == [cast.head.staff_id]
    complain(2, first=5, ago=12)
    assert run_incidents(database) == 2
    assert run_incidents(database) == 0
    with database.read.begin() as session:
        assert only(session).count == 7
        assert session.scalar(select(func.count()).select_from(Route)) == 1
        assert session.scalar(select(func.count()).select_from(Notice).where(Notice.kind == NOTICE)) == 1
        assert session.scalar(select(func.count()).select_from(Event).where(Event.kind == "incident.begun")) == 1


@pytest.mark.parametrize(
    ("theme", "given"),
    [("price", {}), (None, {}), ("access", {"label": "question"}), ("access", {"state": "spam"})],
)
def test_what_is_no_trouble_gathers_nothing(database, complain, theme, given) -> None:
    complain(6, theme, **given)
    assert run_incidents(database) == 0


def test_near_copies_of_one_complaint_gather_whatever_they_are_about(cast, database, complain) -> None:
    complain(5, "homework", wave_id=41, department="curators")
    complain(2, "homework", first=5, wave_id=42)
    assert run_incidents(database) == 5
    with database.read.begin() as session:
        incident = only(session)
        assert (incident.theme, incident.open_key) == ("", "wave:41")
        assert incident.department_id == cast.departments["curators"]


def test_history_and_one_angry_person_make_none(cast, database, complain) -> None:
    complain(6, ago=200)
    begun = utc_now() - timedelta(minutes=9)
    for number in range(6):
        cast.write("Почему не могу войти?", "Анна Яр", container=str(number), publication=None,
                   published_at=begun + timedelta(seconds=number))  # fmt: skip
    label_all(database)
    with database.write.begin() as session:
        session.execute(update(Case).values(label="complaint", theme="access"))
    assert run_incidents(database) == 0


def at(minutes: list[int]) -> list[Case]:
    now = utc_now()
    return [Case(id=n, author_id=n, opened_at=now + timedelta(minutes=m)) for n, m in enumerate(sorted(minutes))]


@given(st.lists(st.integers(0, 60), max_size=25), st.integers(2, 6), st.integers(1, 15))
def test_a_run_is_found_where_enough_lie_within_the_time(minutes, enough, within) -> None:
    trouble = Trouble("access", enough=enough, minutes=within, authors=1)
    ordered = sorted(minutes)
    there = any(b - a <= within for a, b in zip(ordered, ordered[enough - 1 :], strict=False))
    run = first_run(at(minutes), trouble)
    assert bool(run) is there
    if run:
        assert run[enough - 1].opened_at - run[0].opened_at <= timedelta(minutes=within)


def test_what_was_taken_out_does_not_come_back_by_itself_but_by_hand(cast, database, complain) -> None:
    ids = complain(6)
    run_incidents(database)
    with database.write.begin() as session:
        incident_id = only(session).id
        assert take_out(session, cast.smm, incident_id, ids[2]).count == 5
        assert take_out(session, cast.smm, incident_id, ids[2]).count == 5
        assert incident_of(session, ids[2]) is None
    assert run_incidents(database) == 0
    with database.write.begin() as session:
        view = view_incident(session, cast.smm, incident_id)
        assert ([one.case.id for one in view.out], len(view.members)) == ([ids[2]], 5)
        assert add_case(session, cast.smm, incident_id, ids[2]).count == 6
        with pytest.raises(NotFound):
            take_out(session, cast.smm, incident_id, 999)


def test_a_person_opens_one_and_the_like_join_it(cast, database, complain) -> None:
    ids = complain(2, "video")
    with database.write.begin() as session:
        incident_id = open_by_hand(session, cast.smm, ids[:1], title=" Плеер ").id
    complain(1, "video", first=3, ago=5)
    assert run_incidents(database) == 2
    free = complain(1, "video", first=5, ago=3)
    with database.write.begin() as session:
        incident = only(session)
        assert (incident.id, incident.title, incident.count) == (incident_id, "Плеер", 3)
        assert incident.opened_by_id == cast.smm.staff_id
        assert session.scalars(select(Route)).one().department_id == cast.departments["technical"]
        with pytest.raises(Refused, match=r"incident\.elsewhere"):
            open_by_hand(session, cast.smm, ids[:1], theme="")
        with pytest.raises(Refused, match=r"incident\.empty"):
            open_by_hand(session, cast.smm, [])
        with pytest.raises(Refused, match=r"theme\.unknown"):
            open_by_hand(session, cast.smm, free, theme="no such")
        assert open_by_hand(session, cast.smm, [*ids[:1], *free]).count == 4  # those of its own theme join


def test_the_end_and_what_comes_after_it(cast, database, complain) -> None:
    complain(5)
    run_incidents(database)
    with database.write.begin() as session:
        incident_id = only(session).id
        assert [line.waits for line in incidents_of(session, cast.smm)] == [5]
        rename_incident(session, cast.smm, incident_id, "Вход лежал")
        end_incident(session, cast.smm, incident_id)
        with pytest.raises(Stale):
            end_incident(session, cast.smm, incident_id)
        with pytest.raises(Stale):
            add_case(session, cast.smm, incident_id, 1)
        assert session.scalar(select(func.count()).where(Notice.kind == NOTICE, Notice.seen_at.is_(None))) == 0
        assert counts_of(session) == {"open": 0, "over": 1}
    complain(3, first=5, ago=8)  # said before its end: of the one that is over
    assert run_incidents(database) == 0
    with database.write.begin() as session:
        only(session).ended_at = utc_now() - timedelta(minutes=9)  # the three came after it
    complain(5, first=8, ago=7)
    assert run_incidents(database) == 8
    with database.read.begin() as session:
        assert counts_of(session) == {"open": 1, "over": 1}


def test_everybody_is_told_each_in_other_words(cast, database, complain) -> None:
    ids = complain(5)
    run_incidents(database)
    with database.write.begin() as session:
        incident_id = only(session).id
        with pytest.raises(Refused, match=r"incident\.open"):
            answer_incident(session, cast.smm, incident_id, "Готово", {ids[0]: "Готово"}, ids[:1])
        close(session, cast.smm, ids[4], "answered_in_thread")
        end_incident(session, cast.smm, incident_id)
        drafts = drafts_of(session, cast.smm, incident_id)
        assert [one.wanted for one in drafts] == [True, True, True, True, False]
        assert len({one.text for one in drafts}) == 5
        assert all(one.missing == () and "{" not in one.text for one in drafts)
        assert "Анна" in drafts[0].text
        assert "nick77" not in drafts[3].text
        texts = {one.member.case.id: one.text for one in drafts}
        for chosen in ([], [*ids[:1], 999]):
            with pytest.raises(Refused, match=r"incident\.empty"):
                answer_incident(session, cast.smm, incident_id, "Готово", texts, chosen)
        with pytest.raises(Refused, match=r"text\.empty"):
            answer_incident(session, cast.smm, incident_id, "Готово", {ids[0]: " "}, ids[:1])
        bulk_id = answer_incident(session, cast.smm, incident_id, "Готово", texts, ids[:4])[1].id
        with pytest.raises(Refused, match=r"incident\.answered"):
            answer_incident(session, cast.smm, incident_id, "Готово", texts, ids[:4])
    run_bulk(database)
    with database.write.begin() as session:
        assert {act.text for act in session.scalars(select(Act))} == {texts[case_id] for case_id in ids[:4]}
        assert only(session).state == "answered"
        undo_bulk(session, cast.smm, bulk_id)
        answer_incident(session, cast.smm, incident_id, "Готово", texts, ids[:1])


def test_who_may(cast, database, complain) -> None:
    ids = complain(5)
    run_incidents(database)
    with database.write.begin() as session:
        incident_id = only(session).id
        for act in (
            lambda: incidents_of(session, cast.tech),
            lambda: view_incident(session, cast.tech, incident_id),
            lambda: open_by_hand(session, cast.tech, ids),
            lambda: add_case(session, cast.tech, incident_id, ids[0]),
            lambda: take_out(session, cast.tech, incident_id, ids[0]),
            lambda: rename_incident(session, cast.tech, incident_id, "x"),
            lambda: end_incident(session, cast.tech, incident_id),
            lambda: drafts_of(session, cast.tech, incident_id),
            lambda: answer_incident(session, cast.tech, incident_id, "x", {ids[0]: "x"}, ids[:1]),
            lambda: save_troubles(session, cast.smm, DEFAULTS),
        ):
            with pytest.raises(Forbidden):
                act()


def test_the_table_is_kept_and_checked(cast, database, complain) -> None:
    with database.write.begin() as session:
        for wrong in (
            [Trouble("no such")], [Trouble("video", labels=())], [Trouble("video", enough=1)],
            [Trouble("video", authors=6)], [Trouble("video", minutes=0)], [Trouble("video", department="x")],
            [Trouble("video"), Trouble("video")], [Trouble("video", labels=("praise",))],
        ):  # fmt: skip
            with pytest.raises(Refused):
                save_troubles(session, cast.head, wrong)
        save_troubles(session, cast.head, [Trouble("access", enough=2, authors=2), Trouble("video", active=False)])
        assert [(one.theme, one.enough, one.labels) for one in troubles_of(session)] == [
            ("access", 2, ("complaint",)), ("video", 5, ("complaint",)),
        ]  # fmt: skip
    complain(5, "video")
    assert run_incidents(database) == 0
    complain(2, first=5)
    assert run_incidents(database) == 2


@given(st.integers(0, 10_000))
def test_variations_are_the_same_for_one_and_leave_placeholders(number) -> None:
    text = "{а|б} {{author.first|друг}} {в|г|д}"
    once = vary(text, number)
    assert once == vary(text, number)
    assert "{{author.first|друг}}" in once
    assert once.split()[0] in "аб"
    assert once.split()[2] in "вгд"
    assert greeting("Анна", number).count("Анна") == 1
    assert greeting("", number).endswith("!")


def test_who_opens_by_hand_and_who_puts_in_do_not_wait_for_one_another(cast, database, complain) -> None:
    """The incident is taken before its cases, by everybody: the other way about PostgreSQL ends one of the two."""
    first, second = complain(2)
    with database.write.begin() as session:
        incident_id = open_by_hand(session, cast.smm, [first]).id
    held, told = threading.Event(), []

    def put() -> None:
        with database.write.begin() as session:
            hold_incident(session, incident_id)
            held.set()
            time.sleep(0.5)
            add_case(session, cast.smm, incident_id, second)
        told.append("put")

    def open_again() -> None:
        assert held.wait(20)
        with database.write.begin() as session:
            open_by_hand(session, cast.head, [first, second])
        told.append("opened")

    threads = [threading.Thread(target=one) for one in (put, open_again)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert told == ["put", "opened"]
    with database.read.begin() as session:
        assert only(session).count == 2


def test_who_joins_cases_and_who_puts_them_in_do_not_wait_for_one_another(cast, database, complain) -> None:
    first, second = complain(2)
    one_person(database, cast.smm)
    with database.write.begin() as session:
        incident_id = open_by_hand(session, cast.smm, [first, second]).id
    held, told = threading.Event(), []

    def put() -> None:
        with database.write.begin() as session:
            hold_incident(session, incident_id)
            held.set()
            time.sleep(0.5)
            add_case(session, cast.smm, incident_id, second)
        told.append("put")

    def join() -> None:
        assert held.wait(20)
        with database.write.begin() as session:
            join_cases(session, cast.head, second, first)
        told.append("joined")

    threads = [threading.Thread(target=one) for one in (put, join)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert told == ["put", "joined"]


@pytest.fixture
def failing(cast, database, complain):
    """Monday, noon: five people have no access; the incident has been begun."""
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).created_at = MONDAY - timedelta(days=1)
    with time_machine.travel(moscow("30.11.2026 12:00"), tick=False) as clock:
        ids = complain(5)
        with database.write.begin() as session:
            for case_id in ids:
                case = session.get_one(Case, case_id)
                case.kind = "technical"
                reclassify(session, case)
        assert run_incidents(database) == 5
        yield clock


def words_owed(database) -> list[Clock]:
    with database.read.begin() as session:
        return list(session.scalars(select(Clock).where(Clock.kind == UPDATE).order_by(Clock.id)))


def told_of(database) -> dict[str, set[int]]:
    with database.read.begin() as session:
        rows = session.execute(select(Notice.kind, Notice.staff_id).where(Notice.kind.like("update.%")))
        found: dict[str, set[int]] = {}
        for kind, staff_id in rows:
            found.setdefault(kind, set()).add(staff_id)
        return found


def test_while_a_failure_for_everybody_lasts_people_are_told_every_hour(cast, database, failing) -> None:
    """domain.md §6.6, TECH0: the desk at 80 %, the head at 100 %, the director or the head at 150 %."""
    [word] = words_owed(database)
    assert (word.sla_class, word.due_at) == ("TECH0", moscow("30.11.2026 13:00"))
    with database.write.begin() as session:
        session.get_one(Case, word.case_id).assignee_id = cast.smm.staff_id
    failing.move_to(moscow("30.11.2026 12:49"))
    run_warn(database)
    assert told_of(database) == {"update.1": {cast.smm.staff_id}}
    failing.move_to(moscow("30.11.2026 13:00"))
    run_warn(database)
    assert told_of(database)["update.2"] == {cast.smm.staff_id, cast.head.staff_id}
    failing.move_to(moscow("30.11.2026 13:31"))
    run_warn(database)
    assert told_of(database)["update.3"] == {cast.head.staff_id}
    with database.write.begin() as session:  # shown though nobody is waited for in the case itself
        move(session, session.get_one(Case, word.case_id), "solved", cast.smm)
    with database.read.begin() as session:
        assert "update.3" in [line.notice.kind for line in notices_of(session, cast.head)]
    with database.write.begin() as session:
        told_people(session, cast.smm, only(session).id)
    first, second = words_owed(database)
    assert first.done_at == moscow("30.11.2026 13:31")
    assert second.due_at == moscow("30.11.2026 14:31")
    with database.read.begin() as session:
        assert "update.3" not in [line.notice.kind for line in notices_of(session, cast.head)]


def test_an_answer_in_the_first_case_is_a_word_and_the_end_owes_none(cast, database, failing) -> None:
    [word] = words_owed(database)
    failing.move_to(moscow("30.11.2026 12:40"))
    with database.write.begin() as session:
        note_updated(session, session.get_one(Case, word.case_id), moscow("30.11.2026 12:30"))
    assert [one.due_at for one in words_owed(database)][1:] == [moscow("30.11.2026 13:30")]
    with database.write.begin() as session:
        incident_id = only(session).id
        end_incident(session, cast.smm, incident_id)
    assert all(one.done_at for one in words_owed(database))
    with database.write.begin() as session:
        with pytest.raises(Stale):
            told_people(session, cast.smm, incident_id)
        with pytest.raises(Forbidden):
            told_people(session, cast.curator, incident_id)


def test_no_word_is_owed_at_night_nor_of_what_is_no_failure(cast, database, failing, complain) -> None:
    with database.read.begin() as session:
        failing_case = words_owed(database)[0].case_id
        assert session.get_one(Case, failing_case).priority == 0
    failing.move_to(moscow("30.11.2026 20:30"))
    with database.write.begin() as session:
        told_people(session, cast.smm, only(session).id)
    assert words_owed(database)[1].due_at == moscow("01.12.2026 09:30")
    case_id = complain(1, theme="price", first=6)[0]
    with database.write.begin() as session:
        other = open_by_hand(session, cast.smm, [case_id])
        with pytest.raises(Refused, match=r"incident\.no_word"):
            told_people(session, cast.smm, other.id)
