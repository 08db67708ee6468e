"""Requests to departments: who sees and steers whose, role by role; what steers cases does not reach them.

Asked first for services/inquiries.py, services/routing.py, services/route_files.py.
"""

import pytest
from sqlalchemy import func, select

from models import Case, Route
from services.crm.clients import create_client
from services.errors import DeskError, Forbidden, NotFound, Refused, Stale
from services.inquiries import (
    SHOW,
    accept_inquiry,
    ask_inquiry,
    clarify_inquiry,
    get_inquiry,
    hurry_inquiry,
    inquiry_view,
    list_inquiries,
    return_inquiry,
    withdraw_inquiry,
)
from services.questions import question_file, question_rows, question_view, send_answer
from services.replies import Wish, write_reply
from services.reports.morning import hurry_cases
from services.rights import RIGHTS, Actor
from services.route_files import FileIn, add_files, answer_file
from services.routing import (
    answer_route,
    ask_back,
    clarify,
    get_route,
    recall_route,
    return_route,
)

PDF = b"%PDF-1.7\n" + b"0" * 40
DOCX = b"PK\x03\x04" + b"0" * 40


def ids(session, actor: Actor, show: str) -> list[int]:
    return [row.route.id for row in list_inquiries(session, actor, show)]


READS = (
    lambda s, a, r: get_inquiry(s, a, r),
    lambda s, a, r: inquiry_view(s, a, r),
)
WRITES = (
    lambda s, a, r: accept_inquiry(s, a, r),
    lambda s, a, r: return_inquiry(s, a, r, "Не то"),
    lambda s, a, r: clarify_inquiry(s, a, r, "О третьей"),
    lambda s, a, r: withdraw_inquiry(s, a, r),
    lambda s, a, r: hurry_inquiry(s, a, r),
)


@pytest.mark.parametrize("role", sorted(RIGHTS))
def test_of_another_s_request_a_role_sees_what_its_row_says(cast, database, inquire, role) -> None:
    """Role × act: the head sees and steers all, the director sees, whoever works in the inbox knows nothing of
    another's, everybody else is refused."""
    route_id = inquire()
    actor = Actor(10**6, "Кто угодно", frozenset({role}), frozenset({cast.departments["technical"]}))
    desk = role in ("smm", "client_manager", "sales")
    for look in READS:
        with database.read.begin() as session:
            if role in ("head", "director"):
                look(session, actor, route_id)
            else:
                with pytest.raises(NotFound if desk else Forbidden):
                    look(session, actor, route_id)
    for act in WRITES:
        with database.write.begin() as session:
            expected = () if role == "head" else NotFound if desk else Forbidden
            if expected:
                with pytest.raises(expected):
                    act(session, actor, route_id)
    with database.read.begin() as session:
        assert session.get_one(Route, route_id).state == "sent"
        for show in SHOW:
            if role in ("head", "director"):
                assert ids(session, actor, show) == ([route_id] if show == "open" else [])
            elif desk:
                assert ids(session, actor, show) == []
            else:
                with pytest.raises(Forbidden):
                    ids(session, actor, show)
        if role not in ("head", "director"):
            with pytest.raises((Forbidden, NotFound)):
                get_route(session, actor, route_id)
    with database.write.begin() as session:
        if role == "head" or desk:
            return
        with pytest.raises(Forbidden):
            ask_inquiry(session, actor, cast.departments["technical"], "Что?", "role")


def test_the_head_steers_another_s_request_and_answers_for_a_department(cast, database, inquire) -> None:
    route_id = inquire()
    with database.write.begin() as session:
        answer_route(session, cast.head, route_id, "Отвечу сама")
        return_inquiry(session, cast.head, route_id, "Ещё раз")
        withdraw_inquiry(session, cast.head, route_id)


def test_acts_upon_cases_do_not_reach_requests(cast, database, inquire, colleague, ask) -> None:
    """Whoever may steer every case's question steers no request by its number, not even their own."""
    of_case, route_id = ask(), inquire()
    for actor in (cast.smm, colleague, cast.head):
        for act in (
            lambda s, a: recall_route(s, a, route_id),
            lambda s, a: return_route(s, a, route_id, "Не то"),
            lambda s, a: clarify(s, a, route_id, "О третьей"),
            lambda s, a: get_inquiry(s, a, of_case),
            lambda s, a: withdraw_inquiry(s, a, of_case),
            lambda s, a: accept_inquiry(s, a, of_case),
        ):
            with database.write.begin() as session, pytest.raises(NotFound):
                act(session, actor)
    with database.write.begin() as session:
        send_answer(session, cast.curator, route_id, "Тайна", None)
        case_id = session.scalars(select(Case.id)).one()
        reply = write_reply(session, colleague, case_id, "Здравствуйте!", "w-1", Wish(route_id=route_id))
        assert reply.route_id is None  # a reply is made of no answer but the case's own
        assert session.get_one(Route, route_id).state == "answered"
    with database.write.begin() as session:
        assert hurry_cases(session, cast.head, [0]) == 0


def test_files_are_seen_by_whom_the_request_concerns(cast, database, inquire, colleague) -> None:
    route_id = inquire(files=[FileIn("Список.docx", DOCX), FileIn("Список ещё раз.docx", DOCX)])
    with database.write.begin() as session:
        send_answer(session, cast.curator, route_id, "Вот", None)
        add_files(session, cast.curator, route_id, [FileIn("Справка.pdf", PDF)])
    with database.read.begin() as session:
        view = inquiry_view(session, cast.smm, route_id)
        assert [one.name for one in view.asked_files] == ["Список.docx"]
        assert [(one.name, one.kind) for one in view.answer_files] == [("Справка.pdf", "document")]
        for file in (*view.asked_files, *view.answer_files):
            for actor in (cast.smm, cast.curator, cast.head):
                assert answer_file(session, actor, file.id).content in (PDF, DOCX)
            with pytest.raises(Forbidden):
                answer_file(session, colleague, file.id)
            with pytest.raises(NotFound):
                answer_file(session, cast.tech, file.id)
            with pytest.raises(NotFound):
                question_file(session, cast.curator, route_id, file.id)
    with database.write.begin() as session, pytest.raises(Refused, match=r"file\.form"):
        add_files(session, cast.curator, route_id, [FileIn("Архив.zip", DOCX)])


def test_a_form_twice_is_one_request_and_its_key_opens_nothing_of_another_s(
    cast, database, inquire, colleague
) -> None:
    route_id, unit = inquire("Что?"), cast.departments["curators"]
    with database.write.begin() as session:
        assert ask_inquiry(session, cast.smm, unit, "Что?", "i-0").id == route_id
        with pytest.raises(Stale):
            ask_inquiry(session, cast.smm, unit, "Другое", "i-0")
        with pytest.raises(NotFound):
            ask_inquiry(session, colleague, unit, "Что?", "i-0")
        assert session.scalar(select(func.count()).select_from(Route)) == 1


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"text": "  \x00 "[:2]}, "text.empty"),
        ({"department_id": 999}, "department.unknown"),
        ({"client_id": 999}, "client.unknown"),
        ({"staff_id": 2}, "route.person"),
        ({"files": [FileIn("x.exe", b"MZ")]}, "file.form"),
    ],
)
def test_what_makes_no_sense_is_refused(cast, database, given, error) -> None:
    values = {"department_id": cast.departments["curators"], "text": "Что?", "form_key": "x", **given}
    with database.write() as session:
        with pytest.raises(DeskError) as refused:
            ask_inquiry(session, cast.smm, **values)
        assert refused.value.code == error


def test_of_what_was_answered_smm_sees_no_contacts(cast, database, inquire) -> None:
    """Her own words stand as she wrote them; the department gets them without contacts, too."""
    route_id = inquire("Свяжитесь: +7 912 345-67-89")
    with database.write.begin() as session:
        assert "912 345" not in question_view(session, cast.curator, route_id).question
        ask_back(session, cast.curator, route_id, "Почта a@b.ru та?")
        clarify_inquiry(session, cast.smm, route_id, "Та")
        send_answer(session, cast.curator, route_id, "Её номер +7 912 345-67-89", None)
        mine, heads = (inquiry_view(session, one, route_id) for one in (cast.smm, cast.head))
    assert "912 345" in mine.text
    assert "912 345" not in (mine.answer or "")
    assert "a@b.ru" not in mine.lines[0][2]
    assert "912 345" in (heads.answer or "")
    assert "a@b.ru" in heads.lines[0][2]


def test_a_department_learns_the_first_name_of_the_client_alone(cast, database, inquire) -> None:
    with database.write.begin() as session:
        client = create_client(session, cast.head, name="Котик Вера Степановна")
    route_id = inquire(client_id=client.id)
    with database.read.begin() as session:
        assert question_view(session, cast.curator, route_id).author == "Вера"
        assert [row.author for row in question_rows(session, cast.curator)] == ["Вера"]
        assert question_view(session, cast.head, route_id).author == "Котик Вера Степановна"


def test_pages_of_requests_follow_each_other_without_gap_or_repeat(cast, database, inquire) -> None:
    asked = [inquire() for _ in range(5)]
    with database.read.begin() as session:
        for show, client_id, wanted in (("open", None, asked), ("done", None, []), ("open", 999, [])):
            found, after = [], None
            while page := list_inquiries(session, cast.head, show, client_id=client_id, after=after, limit=2):
                found += [row.route.id for row in page]
                after = found[-1]
            assert found == wanted
    with database.write.begin() as session:
        for route_id in asked:
            withdraw_inquiry(session, cast.head, route_id)
    with database.read.begin() as session:
        found, after = [], None
        while page := list_inquiries(session, cast.head, "done", after=after, limit=2):
            found += [row.route.id for row in page]
            after = found[-1]
    assert found == asked[::-1]
