"""The page of a shift that is handed over."""

from models import Case
from services.cases import assign


def test_a_shift_is_handed_over_by_one_press(enter, open_case, database, cast):
    case_id, smm = open_case("Когда урок?", "Анна"), enter("smm")
    with database.write.begin() as session:
        assign(session, cast.smm, case_id, cast.smm.staff_id)
        number = session.get_one(Case, case_id).number
    assert "Сдать смену" in smm.get("/inbox").text
    page = smm.get("/shift").text
    assert number in page
    assert f'<option value="{cast.smm.staff_id}"' not in page
    assert smm.post("/shift", to=str(cast.head.staff_id), case_id=str(case_id)).status_code == 302
    with database.read.begin() as session:
        assert session.get_one(Case, case_id).assignee_id == cast.head.staff_id
    assert "Ничего не остаётся" in smm.get("/shift").text
    assert "Коллега передал вам смену" in enter("head").get("/notices").text
    assert enter("curator").get("/shift").status_code == 403
