"""Acting upon many on the screen: begin, progress, failures in words, undo."""

import re

from services.bulks import run_bulk
from tests.web.test_inbox import row_ids


def test_chosen_cases_are_closed_and_brought_back(smm, open_case, database) -> None:
    ids = [open_case(f"Вопрос {number}?", f"Зритель {number}") for number in range(3)]
    begun = smm.post("/inbox/bulk", htmx=True, act="close", reason="spam", ids=f"{ids[0]},{ids[1]},x", all="")
    address = re.search(r'hx-get="(/inbox/bulk/\d+)"', begun.text).group(1)
    run_bulk(database)
    page = smm.get(address, htmx=True).text
    assert "Закрыто: 2 из 2" in page
    assert "hx-get" not in page
    assert row_ids(smm.get("/inbox").text) == [ids[2]]
    smm.post(f"{address}/undo", htmx=True)
    run_bulk(database)
    assert sorted(row_ids(smm.get("/inbox").text)) == ids


def test_all_that_fit_follow_the_address(smm, open_case, database) -> None:
    open_case("Когда вебинар?", "Анна Яр")
    complaint = open_case("Плеер не работает", "Борис Лунин")
    smm.post("/inbox/bulk?label=complaint", htmx=True, act="close", reason="spam", ids="", all="1")
    run_bulk(database)
    assert row_ids(smm.get("/inbox?stage=closed").text) == [complaint]


def test_failures_are_said_in_words(smm, open_case, database, cast) -> None:
    case_id = open_case()
    smm.post(f"/inbox/{case_id}/route", department_id=str(cast.departments["curators"]), question="?", form_key="r")
    begun = smm.post("/inbox/bulk", htmx=True, act="close", reason="spam", ids=str(case_id)).text
    run_bulk(database)
    page = smm.get(re.search(r'hx-get="(/inbox/bulk/\d+)"', begun).group(1), htmx=True).text
    assert "Закрыто: 0 из 1" in page
    assert "Не получилось с 1 обращением" in page
    assert "ОБ-2026-000001" in page
    assert "Отдел ещё" in page or "отдел" in page.lower()


def test_strangers_and_nonsense_are_refused(smm, enter, open_case) -> None:
    case_id = open_case()
    begun = smm.post("/inbox/bulk", htmx=True, act="close", reason="spam", ids=str(case_id)).text
    address = re.search(r'hx-get="(/inbox/bulk/\d+)"', begun).group(1)
    assert enter("head").get(address, htmx=True).status_code == 404
    assert enter("curator").post("/inbox/bulk", htmx=True, act="close", ids="1").status_code == 403
    assert smm.post("/inbox/bulk", htmx=True, act="close", reason="spam", ids="").status_code == 422
    assert smm.post("/inbox/bulk", htmx=True, act="burn", ids=str(case_id)).status_code == 422
    assert smm.post("/inbox/bulk", htmx=True, act="route", ids=str(case_id), question=" ").status_code == 422
