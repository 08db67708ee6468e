"""The training doors let in also those whose password was made for them; a login by it must still change it."""

from models import Staff
from services.accounts import find_by_email, reset_password


def make_password(database, word: str) -> None:
    with database.write.begin() as session:
        staff = find_by_email(session, "head@school.example")
        assert isinstance(staff, Staff)
        reset_password(session, staff, word)


def test_the_head_comes_in_by_the_door_before_choosing_a_password(visitor, database, cast):
    make_password(database, "сделан за неё")
    assert visitor.post("/login/as/head").location == "/"
    assert visitor.get("/places").status_code == 200


def test_a_login_by_the_made_password_must_change_it(visitor, database, cast):
    make_password(database, "сделан за неё")
    visitor.log_in("head@school.example", "сделан за неё")
    assert visitor.get("/places").location == "/password"


def test_a_later_login_forgets_the_door(visitor, database, cast):
    make_password(database, "сделан за неё")
    visitor.post("/login/as/head")
    visitor.post("/logout")
    visitor.log_in("head@school.example", "сделан за неё")
    assert visitor.get("/places").location == "/password"


def test_on_the_work_desk_a_door_is_worth_nothing(visitor, database, desk, cast):
    make_password(database, "сделан за неё")
    visitor.post("/login/as/head")
    desk.mode = "work"
    # The cookie of the work desk has another name and another secret; even with both the door stays shut.
    assert visitor.get("/places").location == "/password"
