"""«Кто за что отвечает» and «Настройки» as people use them."""

from sqlalchemy import select

from models import Case, Responsibility, Staff


def test_the_hub_leads_only_where_one_may_go(enter):
    page = enter("head").get("/settings").text
    for words in ("Сроки", "Кто за что отвечает", "Сотрудники", "Кто отправляет уведомления"):
        assert words in page, words
    assert enter("smm").get("/settings").status_code == 403
    assert enter("curator").get("/settings/duties").status_code == 403


def test_a_cell_is_set_shown_and_emptied(enter, cast, database):
    head = enter("head")
    assert "Никто не ведёт" in head.get("/settings/duties").text
    assert "Ведёт обращение" in head.get(f"/settings/duties?place={cast.source_id}&theme=homework").text
    unit = cast.departments["curators"]
    form = {"place": 0, "theme": "", "staff_id": cast.smm.staff_id, "asked": f"{unit}:{cast.curator.staff_id}"}
    assert head.post("/settings/duties", **form).status_code == 302
    page = head.get("/settings/duties").text
    assert "Дарья Лис" in page
    assert "Никто не ведёт" not in page
    head.post("/settings/duties", place=0, theme="homework", staff_id=cast.smm.staff_id, asked="")
    head.post("/settings/duties", place=0, theme="homework", staff_id="", asked="")
    head.post("/settings/duties", place=0, theme="", staff_id="", asked="")
    assert "ответить некому" in head.get("/settings/duties").text  # the last one stays
    with database.read.begin() as session:
        assert [row.theme for row in session.scalars(select(Responsibility))] == [""]
    assert head.post("/settings/duties", place=0, theme="нет", staff_id=cast.smm.staff_id).status_code in (302, 422)
    head.post("/settings/duties/defaults")
    assert "Бухгалтерия" in head.get("/settings/duties").text


def test_free_cases_are_given_out(enter, cast, database, open_case):
    open_case("Когда вебинар?")
    head = enter("head")
    assert "никто не ведёт" in head.get("/settings/duties").text
    head.post("/settings/duties/even", staff_id=cast.smm.staff_id)
    with database.read.begin() as session:
        assert session.scalars(select(Case.assignee_id)).one() == cast.smm.staff_id


def test_switching_off_asks_first_where_everything_goes(enter, cast, database, open_case):
    open_case("Когда вебинар?")
    head = enter("head")
    head.post("/settings/duties/even", staff_id=cast.smm.staff_id)
    address = f"/staff/{cast.smm.staff_id}/off"
    assert head.post(address).location == address
    assert "1 открытое обращение получит" in head.get(address).text
    head.post(address, sure="1", cases_to=cast.head.staff_id)
    with database.read.begin() as session:
        assert session.scalars(select(Case.assignee_id)).one() == cast.head.staff_id
        assert not session.get_one(Staff, cast.smm.staff_id).active


def test_the_department_asks_back_on_the_page(enter, cast, database, open_case):
    from services.routing import ask_department

    case_id = open_case("Когда проверят домашку?")
    with database.write.begin() as session:
        route_id = ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда?", "r").id
    curator, smm = enter("curator"), enter("smm")
    assert "Уточнить" in curator.get(f"/questions/{route_id}").text
    curator.post(f"/questions/{route_id}/clarify", text="Какой урок?")
    assert "Какой урок?" in smm.get(f"/inbox/{case_id}").text
    smm.post(f"/inbox/{case_id}/routes/{route_id}/clarify", text="Третий")
    assert "Третий" in curator.get(f"/questions/{route_id}").text
