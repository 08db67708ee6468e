"""«Мои уведомления» as a person uses it, and the line of the head's morning."""

from sqlalchemy import select

from models import Delivery, Staff
from services.ways import DEFAULT


def test_each_chooses_for_themselves(enter, cast, database) -> None:
    smm = enter("smm")
    assert "Мои уведомления" in smm.get("/notices").text
    page = smm.get("/notices/mine").text
    assert "Тихие часы" in page
    assert page.count("checked") == len(DEFAULT.chosen)
    smm.post("/notices/mine", **{"task-mail": 1, "deadline-browser": 1, "own": 1, "from": "22:00", "to": "7:30"})
    with database.read.begin() as session:
        choices = session.get_one(Staff, cast.smm.staff_id).choices
        assert session.get_one(Staff, cast.head.staff_id).choices == {}
    assert choices["quiet"] == ["22:00", "07:30"]
    assert (choices["events"]["task"], choices["events"]["call"]) == (["mail"], [])
    assert smm.get("/notices/mine").text.count("checked") == 5  # with the mail of questions
    assert smm.post("/notices/mine", htmx=True, **{"own": 1, "from": "x", "to": "y"}).status_code == 422


def test_a_test_and_a_letter_that_does_not_arrive(enter, cast, database) -> None:
    enter("curator").post("/notices/mine/test")
    with database.write.begin() as session:
        row = session.scalars(select(Delivery)).one()
        assert (row.staff_id, row.kind) == (cast.curator.staff_id, "test")
        row.state, row.error_code = "dead", "gone"
    assert "Уведомления не доходят: Олег Сомов" in enter("head").get("/morning").text
