"""«Кого нет» and «Дежурства» as people use them."""

from datetime import timedelta

from sqlalchemy import select

from models import Absence, DutyDay, Staff
from services.absences import local_day


def test_an_absence_is_said_shown_and_taken_back(enter, cast, database):
    head = enter("head")
    assert "Все на месте" in head.get("/staff/away").text
    with database.read.begin() as session:
        today = local_day(session)
    form = {"staff_id": cast.head.staff_id, "deputy_id": cast.smm.staff_id, "reason": "vacation", "role": "head"}
    days = {"from_day": today.isoformat(), "to_day": (today + timedelta(days=2)).isoformat()}
    assert head.post("/staff/away", **form, from_day="", to_day="").status_code == 422
    assert head.post("/staff/away", **form, **days).status_code == 302
    page = enter("smm").get("/staff/away").text
    assert "Замещает: " in page
    assert "(врио)" in page
    assert "Записать отсутствие" in page
    assert enter("smm").get("/morning").status_code == 200  # an acting head sees the morning
    with database.read.begin() as session:
        absence = session.scalars(select(Absence)).one()
    head.post(f"/staff/away/{absence.id}/back")
    assert "Записать отсутствие" not in enter("smm").get("/staff/away").text  # only the head says who is away
    assert enter("smm").get("/morning").status_code == 403
    assert "Все на месте" in head.get("/staff/away").text


def test_hours_and_the_usual_deputy(enter, cast, database):
    head = enter("head")
    address = f"/staff/away/person/{cast.smm.staff_id}"
    assert "Работает в дни" in head.get(address).text
    wrong = head.post(address, day=["0", "9"], begin="18:00", end="09:00")
    assert wrong.status_code == 422
    head.post(address, day=["0", "2"], begin="10:00", end="15:00", deputy_id=cast.head.staff_id)
    with database.read.begin() as session:
        assert session.get_one(Staff, cast.smm.staff_id).hours == {"days": [0, 2], "from": "10:00", "to": "15:00"}
    assert "пн, ср" in head.get("/staff/away").text


def test_days_of_duty(enter, cast, database):
    head = enter("head")
    assert enter("smm").get("/settings/rota").status_code == 403
    head.post("/settings/rota/week", day0=cast.smm.staff_id, day1="")
    assert "Дарья Лис" in head.get("/settings/rota").text
    with database.read.begin() as session:
        today = local_day(session)
    head.post("/settings/rota/day", day=today.isoformat(), staff_id=cast.head.staff_id)
    assert head.post("/settings/rota/day", day="когда-нибудь", staff_id="").status_code == 302
    assert "изменено" in head.get("/settings/rota").text
    head.post("/settings/rota/day", day=today.isoformat(), staff_id="usual")
    with database.read.begin() as session:
        assert session.scalars(select(DutyDay)).all() == []
